"""Reference tables: facts as CSV with their legal sources, loaded by a command, never at import."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from storage.models import (
    Base,
    Field,
    FormerUnit,
    Holiday,
    HolidayYear,
    LegalRule,
    Unit,
    UnitType,
)
from storage.models.base import new_id
from workflows.folding import fold

FOLDER = Path(__file__).parent
Row = dict[str, str]
_Record = TypeVar("_Record", bound=Base)


def rows(name: str) -> Iterator[Row]:
    """The rows of one table as texts."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _first_day(text: str) -> date:
    return date.fromisoformat(text)


def _number(text: str) -> float | None:
    return float(text) if text else None


def _put(db_session: Session, model: type[_Record], key: dict[str, Any], **facts: Any) -> _Record:
    """Insert the row with this key or bring its facts up to date."""
    record = db_session.scalar(select(model).filter_by(**key))
    if record is None:
        record = model(**key)
        if hasattr(record, "id"):
            record.id = new_id()
        db_session.add(record)
    for name, value in facts.items():
        setattr(record, name, value)
    db_session.flush()
    return record


def load_reference(engine: Engine) -> dict[str, int]:
    """Load every table into an empty or an older database; returns the number of rows of each."""
    with Session(engine) as db_session:
        db_session.connection(execution_options={"writes": True})
        counts = {
            "units": _load_units(db_session),
            "departments": _load_departments(db_session),
            "unit_types": _load_unit_types(db_session),
            "former_units": _load_former_units(db_session),
            "fields": _load_fields(db_session),
            "holidays": _load_holidays(db_session),
            "rules": _load_rules(db_session),
        }
        db_session.commit()
    return counts


def _names_now() -> dict[str, str]:
    """Today's full name of each unit: its newest type."""
    return {row["code"]: row["full_name"] for row in rows("unit_types") if not row["valid_to"]}


def _load_units(db_session: Session) -> int:
    full_names = _names_now()
    count = 0
    for row in rows("units"):
        parent = _unit(db_session, row["parent_code"]) if row["parent_code"] else None
        _put(
            db_session,
            Unit,
            {"code": row["code"], "scheme": row["scheme"]},
            kind=row["level"],
            parent_id=parent.id if parent else None,
            path=f"{parent.path}/{row['code']}" if parent else row["code"],
            name=row["name"],
            full_name=full_names[row["code"]],
            folded_name=fold(row["name"]),
            lat=_number(row["lat"]),
            lon=_number(row["lon"]),
            area_km2=_number(row["area_km2"]),
            population=int(row["population"]) if row["population"] else None,
            population_as_of=row["population_as_of"] or None,
            remote=None if not row["remote"] else row["remote"] == "yes",
            short_name=row["name"],
            confirmed=True,
            valid_from_on=_first_day(row["valid_from"]),
            valid_to_on=_day(row["valid_to"]),
        )
        count += 1
    return count


def _unit(db_session: Session, code: str) -> Unit:
    """Today's unit with this code."""
    return db_session.scalars(
        select(Unit).where(Unit.code == code, Unit.valid_to_on.is_(None))
    ).one()


def _load_departments(db_session: Session) -> int:
    count = 0
    for row in rows("departments"):
        parent = _unit(db_session, row["parent_code"])
        _put(
            db_session,
            Unit,
            {"code": row["code"], "scheme": row["scheme"]},
            kind=row["kind"],
            parent_id=parent.id,
            path=f"{parent.path}/{row['code']}",
            name=row["name"],
            full_name=row["name"],
            folded_name=fold(row["name"]),
            short_name=row["short_name"],
            acts_for_id=_unit(db_session, row["acts_for"]).id if row["acts_for"] else None,
            confirmed=row["confirmed"] == "yes",
            valid_from_on=_first_day(row["valid_from"]),
            valid_to_on=_day(row["valid_to"]),
        )
        count += 1
    return count


def _ids_by_code(db_session: Session) -> dict[str, UUID]:
    return {code: key for code, key in db_session.execute(select(Unit.code, Unit.id)).all()}


def _load_unit_types(db_session: Session) -> int:
    ids = _ids_by_code(db_session)
    count = 0
    for row in rows("unit_types"):
        _put(
            db_session,
            UnitType,
            {"unit_id": ids[row["code"]], "valid_from_on": _first_day(row["valid_from"])},
            type=row["type"],
            full_name=row["full_name"],
            valid_to_on=_day(row["valid_to"]),
            source=row["source"],
        )
        count += 1
    return count


def _load_former_units(db_session: Session) -> int:
    ids = _ids_by_code(db_session)
    count = 0
    for row in rows("former_units"):
        _put(
            db_session,
            FormerUnit,
            {"old_code": row["old_code"], "unit_id": ids[row["new_code"]]},
            old_full_name=row["old_full_name"],
            folded_name=fold(f"{row['old_full_name']} {row['old_district']}"),
            old_district=row["old_district"],
            old_province=row["old_province"],
            how=row["extent"],
            source=row["source"],
        )
        count += 1
    return count


def _load_fields(db_session: Session) -> int:
    count = 0
    for position, row in enumerate(rows("fields")):
        _put(
            db_session,
            Field,
            {"code": row["code"]},
            parent_code=row["parent_code"] or None,
            label_vi=row["name_vi"],
            label_en=row["name_en"],
            complaint_column=row["complaint_column"],
            denunciation_column=row["denunciation_column"],
            recommendation_column=row["recommendation_column"],
            position=position,
            valid_from_on=_first_day(row["valid_from"]),
            valid_to_on=_day(row["valid_to"]),
        )
        count += 1
    return count


def _load_holidays(db_session: Session) -> int:
    """A year that an office has confirmed with another decision stays as that office keeps it."""
    kept = _years_of_offices(db_session)
    for row in rows("holiday_years"):
        if int(row["year"]) in kept:
            continue
        _put(
            db_session,
            HolidayYear,
            {"year": int(row["year"])},
            decision=row["decisions"],
            confirmed=row["confirmed"] == "yes",
        )
    count = 0
    for row in rows("holidays"):
        if _first_day(row["on"]).year in kept:
            continue
        _put(
            db_session,
            Holiday,
            {"on": _first_day(row["on"])},
            kind=row["kind"],
            name=row["name_vi"],
            source=row["source"],
            confirmed=row["confirmed"] == "yes",
        )
        count += 1
    return count


def _years_of_offices(db_session: Session) -> frozenset[int]:
    ours = {int(row["year"]): row["decisions"] for row in rows("holiday_years")}
    years = db_session.scalars(select(HolidayYear).where(HolidayYear.confirmed.is_(True)))
    return frozenset(year.year for year in years if ours.get(year.year) != year.decision)


def _load_rules(db_session: Session) -> int:
    count = 0
    for code, value, row in _rules():
        _put(
            db_session,
            LegalRule,
            {"code": code, "effective_from_on": _first_day(row["effective_from"])},
            value=value,
            label_vi=row.get("label_vi") or row["name_vi"],
            label_en=row.get("label_en") or row.get("name_en") or "",
            detail={k: v for k, v in row.items() if k not in ("source", "code")},
            effective_to_on=_day(row["effective_to"]),
            source=row["source"],
            needs_confirmation=row.get("needs_confirmation") == "yes",
        )
        count += 1
    return count


def _rules() -> Iterator[tuple[str, str, Row]]:
    """Numbers and switches, grounds of refusal and reasons to go online: one table of rules."""
    for row in rows("legal_rules"):
        yield row["code"], row["value"], row
    for row in rows("refusal_grounds"):
        yield f"refusal.{row['code']}", row["written_notice"], row
    for row in rows("session_reasons"):
        yield f"session-reason.{row['code']}", row["clause"], row
