"""Cases opened and closed per day, place, field and kind: what the map adds up.

A case counts once, on the day it was opened, however many petitions hang on it; a case that lost
its last petition counts no more. Denunciations are counted under their own kind, so that a public
layer can leave them out. Public names: recounted, count_case_opened, count_case_closed,
rebuild_daily_facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.database import Work
from storage.models import Case, DailyFact, Petition
from storage.models.base import utc_now

_Key = tuple[date, UUID, str, str]
_KEY = ("on", "unit_id", "field_code", "kind")
_NUMBERS = ("opened", "closed", "people")


@contextmanager
def recounted(work: Work, case: Case) -> Iterator[None]:
    """Change a case or its petitions inside; the facts follow within the same transaction."""
    work.flush()
    _count(work, case, -1)
    yield
    work.flush()
    _count(work, case, 1)


def count_case_opened(work: Work, case: Case, *, times: int = 1) -> None:
    """Add the case to the day it was opened on; -1 takes it away."""
    _add(work, _key(case, case.opened_on), opened=times, people=times * case.people)


def count_case_closed(work: Work, case: Case, *, times: int = 1) -> None:
    """Add the case to the day it was closed on, if it is closed; -1 takes it away."""
    if case.closed_on is not None:
        _add(work, _key(case, case.closed_on), closed=times)


def rebuild_daily_facts(db_session: Session) -> int:
    """Count every case anew; returns the number of rows. Safe to run twice."""
    opened, people = _opened(db_session)
    closed = _closed(db_session)
    db_session.execute(delete(DailyFact))
    keys = sorted(opened.keys() | closed.keys(), key=lambda key: (key[0], *map(str, key[1:])))
    for key in keys:
        numbers = {"opened": opened[key], "closed": closed[key], "people": people[key]}
        db_session.add(DailyFact(**dict(zip(_KEY, key, strict=True)), **numbers))
    db_session.flush()
    return len(keys)


def _count(work: Work, case: Case, times: int) -> None:
    if work.db_session.scalar(select(exists().where(Petition.case_id == case.id))):
        count_case_opened(work, case, times=times)
        count_case_closed(work, case, times=times)


def _key(case: Case, on: date) -> _Key:
    return on, case.place_unit_id or case.holder_unit_id, case.field_code or "", case.kind


def _add(work: Work, key: _Key, **numbers: int) -> None:
    """One upsert: two officers at once never lose a case."""
    values: dict[str, Any] = dict(zip(_KEY, key, strict=True))
    values |= {name: numbers.get(name, 0) for name in _NUMBERS} | {"updated_at": utc_now()}
    dialect = work.db_session.get_bind().dialect.name
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(DailyFact).values(**values)
    sums = {name: getattr(DailyFact, name) + insert.excluded[name] for name in _NUMBERS}
    work.db_session.execute(
        insert.on_conflict_do_update(
            index_elements=list(_KEY), set_=sums | {"updated_at": insert.excluded.updated_at}
        )
    )
    _forget_empty(work.db_session, key)


def _forget_empty(db_session: Session, key: _Key) -> None:
    same = [getattr(DailyFact, name) == value for name, value in zip(_KEY, key, strict=True)]
    empty = [getattr(DailyFact, name) == 0 for name in _NUMBERS]
    db_session.execute(delete(DailyFact).where(*same, *empty))


_WHERE = func.coalesce(Case.place_unit_id, Case.holder_unit_id)
_FIELD = func.coalesce(Case.field_code, "")
_COUNTS = exists().where(Petition.case_id == Case.id)


def _opened(db_session: Session) -> tuple[Counter[_Key], Counter[_Key]]:
    opened: Counter[_Key] = Counter()
    people: Counter[_Key] = Counter()
    rows = db_session.execute(
        select(Case.opened_on, _WHERE, _FIELD, Case.kind, func.count(), func.sum(Case.people))
        .where(_COUNTS)
        .group_by(Case.opened_on, _WHERE, _FIELD, Case.kind)
    )
    for on, unit_id, field, kind, cases, heads in rows:
        opened[on, unit_id, field, kind] = cases
        people[on, unit_id, field, kind] = heads
    return opened, people


def _closed(db_session: Session) -> Counter[_Key]:
    rows = db_session.execute(
        select(Case.closed_on, _WHERE, _FIELD, Case.kind, func.count())
        .where(_COUNTS, Case.closed_on.is_not(None))
        .group_by(Case.closed_on, _WHERE, _FIELD, Case.kind)
    )
    return Counter(
        {(on, unit, field, kind): count for on, unit, field, kind, count in rows if on is not None}
    )
