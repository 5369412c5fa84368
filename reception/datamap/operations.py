"""What people do with the map: look at it, open one commune, list the cases behind a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from reception.datamap import drawings
from reception.datamap.drawings import Drawing
from reception.datamap.figures import (
    Figures,
    Months,
    range_needed,
    reporting_range,
    work_out,
)
from reception.datamap.viewer import EVERYTHING, Viewer, ensure_may_enter, viewer_of
from storage.database import reading
from storage.models import Field, Unit
from storage.queries import datamap as queries
from storage.queries.datamap import CaseLine
from storage.queries.units import path_of, province
from workflows.access import Actor
from workflows.datamap.periods import Period
from workflows.datamap.suppression import TOTAL
from workflows.errors import NotFound, Unavailable
from workflows.kinds import PetitionKind


@dataclass(frozen=True)
class Choices:
    """What can be chosen: fields in the order of the tree, units by code."""

    fields: tuple[Field, ...]
    units: tuple[Unit, ...]

    @property
    def field_codes(self) -> list[str]:
        return [field.code for field in self.fields]

    @property
    def unit_codes(self) -> list[str]:
        return [unit.code for unit in self.units]

    @property
    def roots(self) -> list[str]:
        """Fields that stand under no other: the broad ones of the public layer."""
        return [field.code for field in self.fields if field.parent_code is None]

    def below(self, code: str) -> list[str]:
        """The fields directly below one; below `TOTAL` stand the broad ones."""
        return [field.code for field in self.fields if field.parent_code == (code or None)]

    def within(self, code: str) -> list[str] | None:
        """A field with all fields below it; None for every field."""
        if code == TOTAL:
            return None
        return [code, *(c for child in self.below(code) for c in self.within(child) or ())]


@dataclass(frozen=True)
class Question:
    """Which cases of which months."""

    field: str
    kinds: tuple[PetitionKind, ...]
    period: Period


@dataclass(frozen=True)
class Picture:
    """Numbers and the drawing they are shown on; `denunciations` is one total, or None."""

    figures: Figures
    drawing: Drawing
    denunciations: int | None


@dataclass(frozen=True)
class UnitFigures:
    """One commune opened: what its cases are about, None to whom small numbers are hidden."""

    unit: Unit
    by_field: Sequence[tuple[str, int]] | None


def home() -> Unit:
    """The province of this installation. Raises Unavailable before the reference data is loaded."""
    found = province()
    if found is None:
        raise Unavailable("Chưa nạp dữ liệu nền. Chạy lệnh “flask seed reference” rồi mở lại.")
    return found


def choices() -> Choices:
    """What the filters offer today."""
    with reading() as work:
        return _choices(work.db_session)


def _choices(db_session: Session) -> Choices:
    return Choices(
        tuple(queries.map_fields(db_session)), tuple(queries.map_units(db_session, home().code))
    )


def picture(
    question: Question, *, shape: str, visible_to: Actor, known: Choices, today: date
) -> Picture:
    """The map as this person may see it. Raises NotAllowed."""
    ensure_may_enter(visible_to)
    viewer = viewer_of(visible_to, path_of(home()), known.units)
    return _picture(question, shape=shape, viewer=viewer, known=known, today=today)


def whole_picture(question: Question, *, known: Choices, today: date) -> Picture:
    """Every number, for the command line."""
    return _picture(question, shape="", viewer=EVERYTHING, known=known, today=today)


def _picture(
    question: Question, *, shape: str, viewer: Viewer, known: Choices, today: date
) -> Picture:
    with reading() as work:
        drawing = drawings.drawing_for(
            work.db_session, home().code, shape, question.period.last_on, known.units
        )
        figures = _figures(work.db_session, question, drawing, viewer, known, today)
        denunciations = (
            queries.total_of_kind(work.db_session, PetitionKind.DENUNCIATION, question.period)
            if viewer.whole
            else None
        )
    return Picture(figures, drawing, denunciations)


def _figures(
    db_session: Session,
    question: Question,
    drawing: Drawing,
    viewer: Viewer,
    known: Choices,
    today: date,
) -> Figures:
    first_on, last_on = range_needed(question.period, today)
    months = Months.of(
        queries.month_counts(
            db_session,
            field=question.field,
            kinds=question.kinds,
            first_on=first_on,
            last_on=last_on,
        ),
        frozenset(known.unit_codes),
    )
    heard_first, heard_last = reporting_range(question.period, today)
    heard = queries.reporting_units(
        db_session, kinds=tuple(PUBLIC), first_on=heard_first, last_on=heard_last
    )
    return work_out(
        months,
        {unit.code: unit for unit in known.units},
        field=question.field,
        period=question.period,
        today=today,
        viewer=viewer,
        silent=frozenset(unit.code for unit in known.units if unit.id not in heard),
        neighbours=drawing.neighbours,
    )


PUBLIC: Mapping[PetitionKind, None] = dict.fromkeys(
    (PetitionKind.COMPLAINT, PetitionKind.RECOMMENDATION, PetitionKind.FEEDBACK)
)
"""All kinds that are ever on the map."""


def open_unit(question: Question, figures: Figures, code: str, *, known: Choices) -> UnitFigures:
    """What the cases of one commune are about, for whom its numbers are not hidden."""
    unit = figures.units[code]
    if not figures.viewer.sees(code):
        return UnitFigures(unit, None)
    wanted = known.below(question.field) or [question.field]
    with reading() as work:
        rows = queries.field_counts(
            work.db_session,
            fields=wanted,
            kinds=question.kinds,
            period=question.period,
            unit_id=unit.id,
        )
    sums = dict.fromkeys(wanted, 0)
    for row in rows:
        sums[row.field_code] += row.opened
    ordered = sorted(sums.items(), key=lambda item: (-item[1], wanted.index(item[0])))
    return UnitFigures(unit, [(field, count) for field, count in ordered if count])


@dataclass(frozen=True)
class CaseList:
    """The cases behind a number: those this person may see, and how many there are in all.

    `counted` is None where the number itself is hidden.
    """

    unit: Unit
    lines: Sequence[CaseLine]
    seen: int
    counted: int | None
    page: int
    pages: int


def list_cases(
    question: Question, code: str, *, page: int, visible_to: Actor, known: Choices, today: date
) -> CaseList:
    """The cases behind one commune's number. Raises NotAllowed, NotFound."""
    ensure_may_enter(visible_to)
    unit = next((unit for unit in known.units if unit.code == code), None)
    if unit is None:
        raise NotFound
    shown = picture(question, shape="", visible_to=visible_to, known=known, today=today)
    with reading() as work:
        lines, seen = queries.cases_behind(
            work.db_session,
            visible_to,
            unit_id=unit.id,
            fields=known.within(question.field),
            kinds=question.kinds,
            period=question.period,
            page=page,
        )
    return CaseList(
        unit=unit,
        lines=lines,
        seen=seen,
        counted=shown.figures.layer.cell(code).count,
        page=page,
        pages=max(1, -(-seen // queries.PAGE)),
    )
