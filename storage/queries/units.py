"""Units by code, path and name; what the province is called is data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from storage.database import reading
from storage.models import FormerUnit, Setting, Unit, UnitType
from storage.runtime import runtime
from workflows.access import UnitPath
from workflows.folding import fold


def path_of(unit: Unit) -> UnitPath:
    """The unit's codes from the top down."""
    return tuple(unit.path.split("/"))


def by_path(db_session: Session, path: UnitPath) -> Unit | None:
    """The unit at this path."""
    return db_session.scalar(select(Unit).where(Unit.path == "/".join(path)))


@lru_cache(maxsize=4)
def _province(engine_id: int) -> Unit | None:
    with reading() as work:
        return work.db_session.scalar(select(Unit).where(Unit.kind == "province"))


def province() -> Unit | None:
    """The province this installation serves; None before the reference data is loaded."""
    found = _province(id(runtime().engine))
    if found is None:
        _province.cache_clear()
    return found


def communes(db_session: Session) -> Sequence[Unit]:
    """Today's communes by name."""
    return db_session.scalars(
        select(Unit)
        .where(Unit.kind == "commune", Unit.valid_to_on.is_(None))
        .order_by(Unit.folded_name)
    ).all()


def full_name_on(db_session: Session, unit_id: UUID, on: date) -> str:
    """What the unit was called on a day: an old paper keeps its old name."""
    name = db_session.scalar(
        select(UnitType.full_name)
        .where(
            UnitType.unit_id == unit_id,
            UnitType.valid_from_on <= on,
            or_(UnitType.valid_to_on.is_(None), UnitType.valid_to_on >= on),
        )
        .order_by(UnitType.valid_from_on.desc())
    )
    return name or db_session.get_one(Unit, unit_id).full_name


def find_by_name(db_session: Session, text: str, limit: int = 8) -> list[tuple[Unit, str]]:
    """Units whose present or former name begins with, or holds, what was typed.

    Each comes with a note: empty for a present name, else the former commune and district.
    """
    words = fold(text).strip()
    if not words:
        return []
    present = db_session.scalars(
        select(Unit)
        .where(Unit.kind == "commune", Unit.folded_name.contains(words, autoescape=True))
        .order_by(Unit.folded_name)
        .limit(limit)
    ).all()
    found = [(unit, "") for unit in present]
    former = db_session.execute(
        select(Unit, FormerUnit)
        .join(FormerUnit, FormerUnit.unit_id == Unit.id)
        .where(FormerUnit.folded_name.contains(words, autoescape=True))
        .order_by(FormerUnit.folded_name, Unit.folded_name)
        .limit(limit)
    ).all()
    found += [(unit, f"{old.old_full_name}, {old.old_district}") for unit, old in former]
    return found[:limit]


def setting_value(key: str) -> dict[str, Any] | None:
    """A switch the province set, None while it is not set."""
    with reading() as work:
        return work.db_session.scalar(select(Setting.value).where(Setting.key == key))
