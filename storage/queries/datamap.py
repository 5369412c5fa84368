"""What the data map adds up: cases by unit and month, and the list behind one number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from storage.facts import ALL_FIELDS
from storage.models import (
    Case,
    CaseUnit,
    Field,
    Involvement,
    MonthlyFact,
    Petition,
    ReportSnapshot,
    Unit,
    UnitGeometry,
)
from workflows.access import Actor, Permission, Reach, reach
from workflows.datamap.periods import Period
from workflows.kinds import PetitionKind

PAGE = 50
PUBLIC_FORM = "public-map"
"""Name of the kept tables of the public layer among the frozen reports."""

Kinds = Collection[PetitionKind]


@dataclass(frozen=True)
class MonthCount:
    """Cases of one unit, by its code, in one month."""

    unit: str
    month_on: date
    opened: int
    closed: int


@dataclass(frozen=True)
class UnitFieldCount:
    """Cases of one unit and field over a whole period."""

    unit_id: UUID
    field_code: str
    kind: PetitionKind
    opened: int


@dataclass(frozen=True)
class CaseLine:
    """A line of the list behind a number."""

    id: UUID
    code: str
    title: str
    kind: str
    field_label_vi: str
    field_label_en: str
    holder: str
    opened_on: date
    closed_on: date | None


def map_units(db_session: Session, province_code: str) -> list[Unit]:
    """Today's communes of a province in the order of their codes: what the map draws."""
    return list(
        db_session.scalars(
            select(Unit)
            .where(
                Unit.kind == "commune",
                Unit.valid_to_on.is_(None),
                Unit.path.startswith(f"{province_code}/", autoescape=True),
            )
            .order_by(Unit.code)
        )
    )


def map_fields(db_session: Session) -> list[Field]:
    """Every field in force, in the order offices list them; a field after the one above it."""
    rows = db_session.scalars(
        select(Field).where(Field.valid_to_on.is_(None)).order_by(Field.position, Field.code)
    ).all()
    below: dict[str | None, list[Field]] = {}
    for row in rows:
        below.setdefault(row.parent_code, []).append(row)

    def walk(parent: str | None) -> list[Field]:
        return [x for row in below.get(parent, ()) for x in (row, *walk(row.code))]

    return walk(None)


def month_counts(
    db_session: Session, *, field: str, kinds: Kinds, first_on: date, last_on: date
) -> list[MonthCount]:
    """Cases per unit and month of a field with all fields below it; "" is every field."""
    rows = db_session.execute(
        select(
            Unit.code,
            MonthlyFact.month_on,
            func.sum(MonthlyFact.opened),
            func.sum(MonthlyFact.closed),
        )
        .join(Unit, Unit.id == MonthlyFact.unit_id)
        .where(*_within(field, kinds, first_on, last_on))
        .group_by(Unit.code, MonthlyFact.month_on)
        .order_by(MonthlyFact.month_on, Unit.code)
    )
    return [MonthCount(unit, on, int(up), int(down)) for unit, on, up, down in rows]


def field_counts(
    db_session: Session,
    *,
    fields: Collection[str],
    kinds: Kinds,
    period: Period,
    unit_id: UUID | None = None,
) -> list[UnitFieldCount]:
    """Cases per unit, field and kind over a period; of one unit when it is given."""
    query = (
        select(
            MonthlyFact.unit_id,
            MonthlyFact.field_code,
            MonthlyFact.kind,
            func.sum(MonthlyFact.opened),
        )
        .where(
            MonthlyFact.field_code.in_(fields),
            *_within(None, kinds, period.first_on, period.last_on),
        )
        .group_by(MonthlyFact.unit_id, MonthlyFact.field_code, MonthlyFact.kind)
        .order_by(MonthlyFact.unit_id, MonthlyFact.field_code, MonthlyFact.kind)
    )
    if unit_id is not None:
        query = query.where(MonthlyFact.unit_id == unit_id)
    return [
        UnitFieldCount(unit, field, PetitionKind(kind), int(opened))
        for unit, field, kind, opened in db_session.execute(query)
    ]


def reporting_units(
    db_session: Session, *, kinds: Kinds, first_on: date, last_on: date
) -> set[UUID]:
    """Units of which anything at all is known between two days."""
    return set(
        db_session.scalars(
            select(MonthlyFact.unit_id)
            .where(
                *_within(ALL_FIELDS, kinds, first_on, last_on),
                or_(MonthlyFact.opened > 0, MonthlyFact.closed > 0),
            )
            .distinct()
        )
    )


def total_of_kind(db_session: Session, kind: PetitionKind, period: Period) -> int:
    """Cases of one kind in the whole province."""
    return int(
        db_session.scalar(
            select(func.coalesce(func.sum(MonthlyFact.opened), 0)).where(
                *_within(ALL_FIELDS, (kind,), period.first_on, period.last_on)
            )
        )
        or 0
    )


def counted_until(db_session: Session) -> datetime | None:
    """When a count last changed."""
    return db_session.scalar(
        select(func.max(MonthlyFact.updated_at)).where(MonthlyFact.field_code == ALL_FIELDS)
    )


def _within(
    field: str | None, kinds: Kinds, first_on: date, last_on: date
) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [
        MonthlyFact.kind.in_([kind.value for kind in kinds]),
        MonthlyFact.month_on.between(first_on, last_on),
    ]
    return where if field is None else [MonthlyFact.field_code == field, *where]


def geometry_in_force(
    db_session: Session, province_code: str, view: str, on: date
) -> UnitGeometry | None:
    """The newest drawing of a view that is in force on a day; else the first one ever kept."""
    kept = select(UnitGeometry).where(
        UnitGeometry.province_code == province_code, UnitGeometry.view == view
    )
    newest = UnitGeometry.version.desc()
    return db_session.scalar(
        kept.where(UnitGeometry.valid_from_on <= on).order_by(newest).limit(1)
    ) or db_session.scalar(kept.order_by(UnitGeometry.version).limit(1))


def newest_geometry(db_session: Session, province_code: str, view: str) -> UnitGeometry | None:
    """The last version of a view, whatever day it is in force from."""
    return db_session.scalar(
        select(UnitGeometry)
        .where(UnitGeometry.province_code == province_code, UnitGeometry.view == view)
        .order_by(UnitGeometry.version.desc())
        .limit(1)
    )


def published_tables(db_session: Session) -> list[ReportSnapshot]:
    """The kept tables of the public layer, newest quarter first."""
    return list(
        db_session.scalars(
            select(ReportSnapshot)
            .where(ReportSnapshot.form == PUBLIC_FORM)
            .order_by(ReportSnapshot.period.desc(), ReportSnapshot.as_of_at.desc())
        )
    )


def cases_behind(
    db_session: Session,
    visible_to: Actor,
    *,
    unit_id: UUID,
    fields: Collection[str] | None,
    kinds: Kinds,
    period: Period,
    page: int = 1,
) -> tuple[Sequence[CaseLine], int]:
    """One page of the cases counted at a unit that the actor may see, newest first; and how many.

    Cases under a closed door (restricted, denunciations) are never listed here, whoever asks.
    """
    where: list[ColumnElement[bool]] = [
        func.coalesce(Case.place_unit_id, Case.holder_unit_id) == unit_id,
        Case.kind.in_([kind.value for kind in kinds]),
        Case.opened_on.between(period.first_on, period.last_on),
        exists().where(Petition.case_id == Case.id),
        _may_see(visible_to),
    ]
    if fields is not None:
        where.append(Case.field_code.in_(fields))
    count = db_session.scalar(select(func.count()).select_from(Case).where(*where)) or 0
    holder = aliased(Unit)
    rows = db_session.execute(
        select(Case, Field, holder.full_name)
        .where(*where)
        .outerjoin(Field, Field.code == Case.field_code)
        .join(holder, holder.id == Case.holder_unit_id)
        .order_by(Case.opened_on.desc(), Case.search_id.desc())
        .offset((page - 1) * PAGE)
        .limit(PAGE)
    )
    return [_case_line(case, field, name) for case, field, name in rows], count


def _case_line(case: Case, field: Field | None, holder: str) -> CaseLine:
    return CaseLine(
        id=case.id,
        code=case.code,
        title=case.title,
        kind=case.kind,
        field_label_vi=field.label_vi if field else "",
        field_label_en=field.label_en if field else "",
        holder=holder,
        opened_on=case.opened_on,
        closed_on=case.closed_on,
    )


def _may_see(actor: Actor) -> ColumnElement[bool]:
    """The rules of `workflows.access.decide` for open cases, as a filter."""
    seen = reach(actor, Permission.CASE_SEE)
    open_door = [Case.secrecy == "normal", Case.kind != PetitionKind.DENUNCIATION.value]
    return and_(*open_door, _reached(seen), ~_a_side(actor.person_id))


def _reached(seen: Reach) -> ColumnElement[bool]:
    holder = select(Unit.path).where(Unit.id == Case.holder_unit_id).scalar_subquery()
    ways: list[ColumnElement[bool]] = [holder.in_(["/".join(path) for path in seen.units])]
    for tree in seen.trees:
        top = "/".join(tree)
        ways += [holder == top, holder.startswith(f"{top}/", autoescape=True)]
    ways.append(
        exists().where(
            CaseUnit.case_id == Case.id,
            CaseUnit.unit_id == Unit.id,
            Unit.path.in_(["/".join(path) for path in seen.shared]),
        )
    )
    if seen.assigned and seen.person_id is not None:
        ways += [_has_part(seen.person_id, "assigned"), _handles(seen.person_id)]
    return or_(*ways)


def _handles(person_id: UUID) -> ColumnElement[bool]:
    return exists().where(Petition.case_id == Case.id, Petition.assigned_to == person_id)


def _has_part(person_id: UUID, part: str) -> ColumnElement[bool]:
    return exists().where(
        Involvement.case_id == Case.id,
        Involvement.person_id == person_id,
        Involvement.part == part,
        Involvement.ended_at.is_(None),
    )


def _a_side(person_id: UUID | None) -> ColumnElement[bool]:
    """Whoever is a side of the matter, or of one letter about it, sees nothing of it."""
    if person_id is None:
        return Case.id.is_(None)
    in_a_letter = exists().where(
        Petition.case_id == Case.id,
        Involvement.petition_id == Petition.id,
        Involvement.person_id == person_id,
        Involvement.part == "conflicted",
        Involvement.ended_at.is_(None),
    )
    return or_(_has_part(person_id, "conflicted"), in_a_letter)
