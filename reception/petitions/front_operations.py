"""What the front pages read: help line, coming receptions, terms of the law in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from storage.database import reading
from storage.models import Setting
from storage.queries.following import Reception, public_receptions
from storage.queries.places import Place, find_places
from workflows.procedures.loader import procedure
from workflows.procedures.model import DeadlineRule

CALENDAR_LENGTH = 50


def help_line() -> dict[str, str] | None:
    """Telephone and hours the office entered under the setting `help_line`; None before that."""
    with reading() as work:
        row = work.db_session.get(Setting, "help_line")
        value = row.value if row else {}
    if not value.get("phone"):
        return None
    return {"phone": str(value["phone"]), "hours": str(value.get("hours", ""))}


def coming(since: datetime, *, limit: int) -> list[Reception]:
    """The next public receptions."""
    with reading() as work:
        return public_receptions(work.db_session, since=since, limit=limit)


@dataclass(frozen=True)
class Calendar:
    """The calendar as asked for; `places` when a typed name may mean several."""

    unit: Place | None
    places: tuple[Place, ...]
    receptions: list[Reception]


def calendar(since: datetime, typed: str) -> Calendar:
    """Coming receptions of everybody, or of the place typed when only one can be meant."""
    with reading() as work:
        found = find_places(work.db_session, typed) if typed else None
        unit = found.places[0] if found and found.certain else None
        places = () if found is None or unit else found.places
        receptions = public_receptions(
            work.db_session,
            since=since,
            limit=CALENDAR_LENGTH,
            unit_id=unit.unit_id if unit else None,
        )
        return Calendar(unit, places, receptions)


def rule_on(code: str, name: str, on: date, guard: str = "") -> DeadlineRule:
    """The term of this name in force on a day. Raises StopIteration for a name unknown."""
    rules = (r for r in procedure(code).deadlines if r.name == name and r.holds_on(on))
    return next(rule for rule in rules if not guard or rule.guard == guard)


def guide_terms(on: date) -> dict[str, DeadlineRule]:
    """The terms the guide speaks of, as they are in force on a day."""
    return {
        "limitation": rule_on("KN1", "limitation", on),
        "acceptance": rule_on("PET", "acceptance-notice", on),
        "settle": rule_on("KN1", "settle", on),
        "settle_second": rule_on("KN2", "settle", on),
        "second": rule_on("KN1", "second-complaint", on),
        "initial": rule_on("PET", "initial", on, "is_denunciation_one_place"),
        "reply": rule_on("PET", "reply", on),
    }
