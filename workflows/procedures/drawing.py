"""A procedure as a picture in words: a Mermaid state diagram for documents and the terminal."""

from collections.abc import Iterator
from datetime import date

from workflows.procedures.model import PREVIOUS, SAME, START, Procedure, State


def draw(procedure: Procedure, *, on: date) -> str:
    """The states and moves in force on `on`, with Vietnamese labels."""
    return "\n".join(["stateDiagram-v2", *_states(procedure, on), *_moves(procedure, on)]) + "\n"


def _states(procedure: Procedure, on: date) -> Iterator[str]:
    for state in procedure.states.values():
        if state.code != START:
            yield f'    state "{state.label_vi}" as {state.code}'
    finals = [s for s in procedure.states.values() if s.final and _is_used(procedure, s, on)]
    yield from (f"    {state.code} --> [*]" for state in finals)


def _moves(procedure: Procedure, on: date) -> Iterator[str]:
    for move in procedure.transitions:
        if not move.holds_on(on):
            continue
        for origin in move.origins:
            target = {SAME: origin, PREVIOUS: origin}.get(move.to, move.to)
            note = " (về bước trước)" if move.to == PREVIOUS else ""
            start = "[*]" if origin == START else origin
            yield f"    {start} --> {target}: {move.label_vi}{note}"


def _is_used(procedure: Procedure, state: State, on: date) -> bool:
    return any(move.to == state.code and move.holds_on(on) for move in procedure.transitions)
