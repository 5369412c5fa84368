"""Facts for tests of the map: cases per day, place, field and kind, and cases behind them."""

from __future__ import annotations

from datetime import date
from itertools import count

from sqlalchemy import select

from storage.database import unit_of_work
from storage.facts import rebuild_daily_facts, rebuild_monthly_facts
from storage.models import Case, DailyFact, Petition, Unit
from storage.models.base import new_id, utc_now

_numbers = count(1)


def put_facts(*rows: tuple[str, date, str, str, int]) -> None:
    """Rows of (unit code, day, field, kind, cases opened); several at once are quickest."""
    with unit_of_work() as work:
        ids = {code: key for code, key in work.db_session.execute(select(Unit.code, Unit.id))}
        for code, on, field, kind, opened in rows:
            fact = DailyFact(
                on=on,
                unit_id=ids[code],
                field_code=field,
                kind=kind,
                opened=opened,
                closed=0,
                people=opened,
            )
            work.db_session.add(fact)
        work.flush()
        rebuild_monthly_facts(work.db_session)


def put_case(unit_code: str, on: date, **facts: object) -> Case:
    """A case with one petition at a commune, counted as if an officer had opened it."""
    number = next(_numbers)
    with unit_of_work() as work:
        holder_code = str(facts.pop("holder", unit_code))
        ids = {code: key for code, key in work.db_session.execute(select(Unit.code, Unit.id))}
        given = {"kind": "complaint", "field_code": "land", "secrecy": "normal"} | facts
        case = Case(
            id=new_id(),
            search_id=900_000 + number,
            code=f"VV-T{number:05}",
            title="Bồi thường khi thu hồi đất",
            place_unit_id=ids[unit_code],
            holder_unit_id=ids[holder_code],
            opened_on=on,
            **given,
        )
        work.add(case)
        work.flush()
        work.add(
            Petition(
                search_id=900_000 + number,
                code=f"KN-T{number:05}",
                kind=case.kind,
                title=case.title,
                channel="desk",
                receiving_unit_id=ids[holder_code],
                holder_unit_id=ids[holder_code],
                place_unit_id=ids[unit_code],
                received_on=on,
                submitted_at=utc_now(),
                state="RECEIVED",
                secrecy=case.secrecy,
                case_id=case.id,
                idempotency_key=f"map-test-{number}",
            )
        )
        work.flush()
        rebuild_daily_facts(work.db_session)
    return case
