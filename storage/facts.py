"""Cases opened and closed per day, place, field and kind: what the map adds up.

A case counts once, on the day it was opened, however many petitions hang on it; a case that lost
its last petition counts no more. Denunciations are counted under their own kind, so that a public
layer can leave them out. Months are added up along with the days, for every field and the fields
above it, so that the map reads one short range. Public names: recounted, count_case_opened,
count_case_closed, rebuild_daily_facts, rebuild_monthly_facts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, delete, exists, extract, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.database import Work
from storage.models import Case, DailyFact, Field, MonthlyFact, Petition
from storage.models.base import utc_now

_Key = tuple[date, UUID, str, str]
_Shares = defaultdict[_Key, Counter[str]]
_KEY = ("on", "unit_id", "field_code", "kind")
_MONTH_KEY = ("field_code", "kind", "month_on", "unit_id")
ALL_FIELDS = ""
_NUMBERS = ("opened", "closed", "people")
_CHAINS = "fields_above"


@contextmanager
def recounted(work: Work, case: Case) -> Iterator[None]:
    """Change a case or its petitions inside; the facts follow within the same transaction.

    Only what came out differently is written.
    """
    work.flush()
    before = _share(work, case)
    yield
    work.flush()
    after = _share(work, case)
    for key in before.keys() | after.keys():
        after[key] = Counter({n: after[key][n] - before[key][n] for n in _NUMBERS})
    _add(work, after)


def count_case_opened(work: Work, case: Case, *, times: int = 1) -> None:
    """Add the case to the day it was opened on; -1 takes it away."""
    _add(work, {_key(case, case.opened_on): Counter(opened=times, people=times * case.people)})


def count_case_closed(work: Work, case: Case, *, times: int = 1) -> None:
    """Add the case to the day it was closed on, if it is closed; -1 takes it away."""
    if case.closed_on is not None:
        _add(work, {_key(case, case.closed_on): Counter(closed=times)})


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
    rebuild_monthly_facts(db_session)
    return len(keys)


def rebuild_monthly_facts(db_session: Session) -> int:
    """Add up the daily facts anew; returns the number of rows. For whoever writes days directly."""
    above = _fields_above(db_session)
    sums: dict[tuple[str, str, date, UUID], Counter[str]] = {}
    year, month = extract("year", DailyFact.on), extract("month", DailyFact.on)
    where = (DailyFact.field_code, DailyFact.kind, DailyFact.unit_id, year, month)
    totals = [func.sum(getattr(DailyFact, name)) for name in _NUMBERS]
    for field, kind, unit_id, in_year, in_month, *numbers in db_session.execute(
        select(*where, *totals).group_by(*where)
    ):
        for code in above.get(field, (field, ALL_FIELDS)):
            key = (code, kind, date(int(in_year), int(in_month), 1), unit_id)
            sums.setdefault(key, Counter()).update(dict(zip(_NUMBERS, numbers, strict=True)))
    db_session.execute(delete(MonthlyFact))
    rows = [dict(zip(_MONTH_KEY, key, strict=True)) | counted for key, counted in sums.items()]
    if rows:
        db_session.execute(insert(MonthlyFact), rows)
    return len(rows)


def _chains(db_session: Session) -> dict[str, tuple[str, ...]]:
    """`_fields_above`, read once per transaction."""
    known = db_session.info.get(_CHAINS)
    if known is None:
        known = db_session.info[_CHAINS] = _fields_above(db_session)
    chains: dict[str, tuple[str, ...]] = known
    return chains


def _fields_above(db_session: Session) -> dict[str, tuple[str, ...]]:
    """For every field: itself, the fields above it, and all fields together."""
    parents = {row.code: row.parent_code for row in db_session.scalars(select(Field))}

    def chain(code: str) -> tuple[str, ...]:
        parent = parents.get(code)
        return (code, *(chain(parent) if parent else (ALL_FIELDS,)))

    return {code: chain(code) for code in parents} | {ALL_FIELDS: (ALL_FIELDS,)}


def _share(work: Work, case: Case) -> _Shares:
    """What the case adds to its days; nothing without a petition."""
    share: _Shares = defaultdict(Counter)
    if work.db_session.scalar(select(exists().where(Petition.case_id == case.id))):
        share[_key(case, case.opened_on)].update(opened=1, people=case.people)
        if case.closed_on is not None:
            share[_key(case, case.closed_on)].update(closed=1)
    return share


def _key(case: Case, on: date) -> _Key:
    return on, case.place_unit_id or case.holder_unit_id, case.field_code or "", case.kind


def _add(work: Work, shares: Mapping[_Key, Counter[str]]) -> None:
    """Raise the days and the months they belong to, everybody in the same order."""
    above = _chains(work.db_session)
    for key in sorted(shares, key=str):
        numbers = {name: shares[key][name] for name in _NUMBERS}
        if not any(numbers.values()):
            continue
        on, unit_id, field, kind = key
        _raise(work.db_session, DailyFact, [dict(zip(_KEY, key, strict=True)) | numbers])
        if min(numbers.values()) < 0:
            _forget_empty(work.db_session, key)
        months = [
            (code, kind, on.replace(day=1), unit_id)
            for code in sorted(above.get(field, (field, ALL_FIELDS)))
        ]
        rows = [dict(zip(_MONTH_KEY, month, strict=True)) | numbers for month in months]
        _raise(work.db_session, MonthlyFact, rows)


def _raise(
    db_session: Session,
    model: type[DailyFact] | type[MonthlyFact],
    rows: list[dict[str, Any]],
) -> None:
    """Upserts: two officers at once never lose a case."""
    statement = _upsert(model, db_session.get_bind().dialect.name)
    now = utc_now()
    db_session.connection().execute(statement, [row | {"updated_at": now} for row in rows])


@lru_cache(maxsize=4)
def _upsert(model: type[DailyFact] | type[MonthlyFact], dialect: str) -> Executable:
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(model.__table__)
    sums = {name: getattr(model, name) + statement.excluded[name] for name in _NUMBERS}
    upsert: Executable = statement.on_conflict_do_update(
        index_elements=list(_KEY if model is DailyFact else _MONTH_KEY),
        set_=sums | {"updated_at": statement.excluded.updated_at},
    )
    return upsert


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
