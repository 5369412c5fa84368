"""The case as one line through three lanes: what each level did, and what is still to come.

Pure: rows in, drawn lines out. A step that is a draft or an opinion is shown to its own level
only; a step that was taken back is not part of the story.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from storage.models import Deadline, Petition, ProcedureRun, ReceptionSession, Unit
from storage.queries.cases import TakenStep
from workflows.procedures.loader import procedure

X = {"commune": 22, "department": 66, "province": 110}
WIDTH, KNOT, HEIGHT = 132, 26, 34

UNSHARED = frozenset({"check_identity", "propose", "send_back", "reclassify", "undo"})
"""Steps that are work in progress: other levels see what came of them."""

_TOLD_BY_PETITION = frozenset((code, "accept") for code in ("KN1", "KN2", "TC", "KP"))
"""The first step of a track says what the petition's own acceptance has said."""


@dataclass(frozen=True)
class Moment:
    """Something that happened, or will: the day, the level, and words ready to be shown."""

    on: date
    level: str
    unit: str
    title: str
    detail: str = ""
    tag: dict[str, Any] | None = None
    future: bool = False
    code: str = ""


@dataclass(frozen=True)
class Knot:
    """A moment with the piece of line that leads to it, in units of the drawing."""

    moment: Moment
    x: int
    path: str
    from_level: str
    last: bool
    next_future: bool
    heading: str = ""


def level_of(unit: Unit) -> str:
    """The lane of a unit: circle commune, square department, diamond province."""
    if unit.kind == "commune":
        return "commune"
    return "department" if unit.kind in ("department", "public_service") else "province"


def drawn(moments: Sequence[Moment]) -> list[Knot]:
    """The moments in order of their day, each with the curve that joins it to the one before."""
    ordered = sorted(moments, key=lambda moment: (moment.future, moment.on))
    several_years = len({moment.on.year for moment in ordered}) > 1
    knots: list[Knot] = []
    for index, moment in enumerate(ordered):
        before = ordered[index - 1] if index else None
        after = ordered[index + 1] if index + 1 < len(ordered) else None
        new_year = before is None or before.on.year != moment.on.year
        knots.append(
            Knot(
                moment,
                X[moment.level],
                _path(before, moment),
                before.level if before else moment.level,
                last=after is None,
                next_future=after is not None and after.future,
                heading=str(moment.on.year) if several_years and new_year else "",
            )
        )
    return knots


def _path(before: Moment | None, moment: Moment) -> str:
    if before is None:
        return ""
    start, end = X[before.level], X[moment.level]
    if start == end:
        return f"M{start} 0V{KNOT}"
    bend = KNOT * 5 // 8
    return f"M{start} 0C{start} {bend} {end} {KNOT - bend} {end} {KNOT}"


def steps_as_moments(
    taken: Iterable[TakenStep],
    petitions: dict[UUID, Petition],
    own_units: frozenset[UUID],
    *,
    english: bool,
    outcome: dict[tuple[UUID, str, date], dict[str, Any]],
    reason_of: Any,
) -> list[Moment]:
    """Steps of every track as the reader may know them."""
    listed = list(taken)
    undone = {one.step.undoes_id for one in listed if one.step.undoes_id}
    moments = []
    for one in listed:
        at_home = one.unit.id in own_units
        if one.step.id in undone or one.step.event == "undo":
            continue
        if one.step.event in UNSHARED and not at_home:
            continue
        if (one.run.procedure, one.step.event) in _TOLD_BY_PETITION and petitions:
            continue
        petition = petitions.get(one.run.petition_id) if one.run.petition_id else None
        moments.append(
            Moment(
                one.step.on,
                level_of(one.unit),
                one.unit.full_name,
                _label(one, english=english),
                reason_of(one.step) if at_home else "",
                outcome.get((one.run.id, one.step.event, one.step.on)),
                code=petition.code if petition else "",
            )
        )
    return moments


def _label(one: TakenStep, *, english: bool) -> str:
    rules = procedure(one.run.procedure).transitions
    rule = next(rule for rule in rules if rule.event == one.step.event)
    return rule.label_en if english else rule.label_vi


def terms_to_come(
    terms: Iterable[tuple[Deadline, ProcedureRun]],
    units: dict[UUID, Unit],
    today: date,
    words: Any,
) -> list[Moment]:
    """Terms that still run: the next knots of the line, or where one was missed.

    `units` tells for each run (by its id) the unit that it waits for.
    """
    return [
        Moment(
            term.last_day_on,
            level_of(units[run.id]),
            units[run.id].full_name,
            term.label,
            term.source,
            words(term),
            future=term.last_day_on >= today,
        )
        for term, run in terms
        if term.met_on is None and run.id in units
    ]


def meetings_as_moments(
    meetings: Iterable[tuple[ReceptionSession, Unit, date]], today: date
) -> list[Moment]:
    """Reception sessions that heard the case, and those that are planned."""
    return [
        Moment(
            on,
            level_of(unit),
            unit.full_name,
            meeting.title,
            meeting.code,
            {"text": meeting.code, "tone": "info", "icon": "camera"},
            future=on > today,
        )
        for meeting, unit, on in meetings
    ]
