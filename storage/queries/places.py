"""Finding a unit from what people call the place, former commune names included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import FormerUnit, Unit
from workflows.names import Match, UnitName, find_units, is_ambiguous

BODIES = ("province", "department", "public_service", "inspectorate", "office")
_OFFICE_WORDS = re.compile(r"^\s*(?:ubnd|uỷ ban nhân dân|ủy ban nhân dân)\s+", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """A unit that may be meant; `former` tells through which former name and district."""

    unit_id: UUID
    code: str
    name: str
    former: str


@dataclass(frozen=True)
class Found:
    """Units that may be meant, nearest first; `certain` when only the first can be."""

    places: tuple[Place, ...]
    certain: bool


def find_places(db_session: Session, text: str, *, bodies: bool = False, limit: int = 8) -> Found:
    """What `text` may mean among today's communes, with `bodies` also departments and the like."""
    kinds = ("commune", *BODIES) if bodies else ("commune",)
    units = {
        unit.code: unit
        for unit in db_session.scalars(
            select(Unit).where(Unit.kind.in_(kinds), Unit.valid_to_on.is_(None))
        )
    }
    names = [UnitName(unit.code, unit.full_name) for unit in units.values()]
    names += _former_names(db_session, {unit.id: unit.code for unit in units.values()})
    matches = find_units(_OFFICE_WORDS.sub("", text), names, limit=limit)
    places = tuple(_place(match, units[match.code]) for match in matches)
    return Found(places, bool(places) and not is_ambiguous(matches))


def _former_names(db_session: Session, codes: dict[UUID, str]) -> list[UnitName]:
    rows = db_session.scalars(
        select(FormerUnit).order_by(FormerUnit.old_code, FormerUnit.unit_id)
    ).all()
    return [
        UnitName(
            codes[row.unit_id],
            row.old_full_name,
            former=True,
            district=row.old_district,
            partly=row.how != "whole",
        )
        for row in rows
        if row.unit_id in codes
    ]


def _place(match: Match, unit: Unit) -> Place:
    through = match.through
    former = f"{through.full_name}, {through.district}" if through.former else ""
    return Place(unit.id, unit.code, unit.full_name, former)
