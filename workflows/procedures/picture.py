"""Where the states and arrows of a procedure stand in a picture, as plain numbers.

States stand in rows by how many moves lie between them and the start. A move that keeps the state,
goes back to the former one, or leaves many states at once is told beside the states it leaves;
arrows carry the number of their line in the table, the full twin of the picture.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from workflows.procedures.model import PREVIOUS, SAME, START, Procedure, State, Transition

WIDTH, HEIGHT = 168, 58
ACROSS, DOWN = 28, 64
MARGIN = 24
MANY = 3
"""Moves that leave at least this many states are drawn as one light arrow from the first."""


@dataclass(frozen=True, slots=True)
class Node:
    """A state as a box; `x`, `y` are its upper left corner. `marks` are lines of the table that
    leave it without an arrow of their own."""

    state: State
    x: int
    y: int
    marks: tuple[int, ...] = ()

    @property
    def middle(self) -> int:
        return self.x + WIDTH // 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """One arrow with the numbers of its moves; `path` in SVG's words, label at `x`, `y`."""

    origin: str
    target: str
    numbers: tuple[int, ...]
    path: str
    x: int
    y: int
    light: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole drawing; `moves` are the lines of the table, numbered from 1."""

    width: int
    height: int
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    moves: tuple[Transition, ...]


def picture(procedure: Procedure, *, on: date) -> Picture:
    """The states that the rules in force on `on` can reach, and the moves between them."""
    moves = tuple(move for move in procedure.transitions if move.holds_on(on))
    rows = _rows(procedure, moves)
    boxes = _boxes(procedure, rows, _marks(moves))
    return Picture(
        width=max((node.x for node in boxes.values()), default=0) + WIDTH + 2 * MARGIN,
        height=len(rows) * (HEIGHT + DOWN) - DOWN + 2 * MARGIN,
        nodes=tuple(boxes.values()),
        arrows=tuple(_arrows(moves, boxes)),
        moves=moves,
    )


def _rows(procedure: Procedure, moves: Iterable[Transition]) -> list[list[str]]:
    """State codes by their distance from the start; a state that ends the work stands last."""
    rows, seen, edge = [[START]], {START}, {START}
    moves = tuple(moves)
    while edge:
        targets = {m.to for m in moves if set(m.origins) & edge} & set(procedure.states)
        edge = targets - seen
        seen |= edge
        if edge:
            order = [code for code in procedure.states if code in edge]
            rows.append(sorted(order, key=lambda code: procedure.states[code].final))
    return rows


def _marks(moves: Iterable[Transition]) -> Mapping[str, tuple[int, ...]]:
    """Lines that a state tells beside itself instead of by an arrow."""
    marks: dict[str, list[int]] = {}
    for number, move in enumerate(moves, start=1):
        stays = move.to in (SAME, PREVIOUS)
        silent = move.origins if stays else move.origins[1:] if _is_wide(move) else ()
        for origin in silent:
            marks.setdefault(origin, []).append(number)
    return {code: tuple(numbers) for code, numbers in marks.items()}


def _is_wide(move: Transition) -> bool:
    return len(move.origins) >= MANY


def _boxes(
    procedure: Procedure, rows: list[list[str]], marks: Mapping[str, tuple[int, ...]]
) -> dict[str, Node]:
    boxes = {}
    for row, codes in enumerate(rows):
        for column, code in enumerate(codes):
            boxes[code] = Node(
                procedure.states[code],
                MARGIN + column * (WIDTH + ACROSS),
                MARGIN + row * (HEIGHT + DOWN),
                marks.get(code, ()),
            )
    return boxes


def _arrows(moves: Iterable[Transition], boxes: Mapping[str, Node]) -> Iterable[Arrow]:
    joined: dict[tuple[str, str], list[tuple[int, bool]]] = {}
    for number, move in enumerate(moves, start=1):
        if move.to in (SAME, PREVIOUS):
            continue
        wide = _is_wide(move)
        for origin in move.origins[:1] if wide else move.origins:
            if origin in boxes and origin != move.to:
                joined.setdefault((origin, move.to), []).append((number, wide))
    for (origin, target), lines in joined.items():
        numbers = tuple(number for number, _ in lines)
        yield _arrow(boxes[origin], boxes[target], numbers, light=all(wide for _, wide in lines))


def _arrow(one: Node, other: Node, numbers: tuple[int, ...], *, light: bool) -> Arrow:
    if one.y == other.y:
        path, x, y = _sideways(one, other)
    else:
        path, x, y = _down_or_up(one, other)
    return Arrow(one.state.code, other.state.code, numbers, path, x, y, light)


def _down_or_up(one: Node, other: Node) -> tuple[str, int, int]:
    down = other.y > one.y
    x1, x2 = one.middle + (-12 if down else 24), other.middle + (-12 if down else 24)
    y1 = one.y + HEIGHT if down else one.y
    y2 = other.y if down else other.y + HEIGHT
    bend = DOWN // 2 if down else -DOWN // 2
    path = f"M{x1} {y1}C{x1} {y1 + bend} {x2} {y2 - bend} {x2} {y2}"
    return path, (x1 + x2) // 2, (y1 + y2) // 2


def _sideways(one: Node, other: Node) -> tuple[str, int, int]:
    """Along the row; past a box in between the arrow bends under it."""
    right = other.x > one.x
    x1 = one.x + WIDTH if right else one.x
    x2 = other.x if right else other.x + WIDTH
    y = one.y + HEIGHT // 2
    if abs(other.x - one.x) <= WIDTH + ACROSS:
        return f"M{x1} {y}L{x2} {y}", (x1 + x2) // 2, y
    low = one.y + HEIGHT + DOWN // 3
    path = f"M{one.middle} {one.y + HEIGHT}C{one.middle} {low} {other.middle} {low} "
    return path + f"{other.middle} {other.y + HEIGHT}", (one.middle + other.middle) // 2, low - 4
