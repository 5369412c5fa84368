"""The calendar of days off: a proposal for a year, its confirmation, single days.

A confirmed year keeps the number of the decision that fixed it. Terms that run already keep their
last day: a later change of the calendar counts for terms that start after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from reception.procedures.proposal import SOURCE, ProposedDay, propose
from storage.database import Work, reading, unit_of_work
from storage.models import Holiday, HolidayYear
from storage.queries.calendar import forget_holidays
from workflows.access import Actor, Permission, ensure_allowed
from workflows.calendar import DayKind
from workflows.errors import BadInput, Conflict, NotFound

LEAST_NUMBER = 5


def calendar_of(year: int, *, by: Actor) -> tuple[HolidayYear | None, Sequence[Holiday]]:
    """The year as it is kept, and its special days in order."""
    ensure_allowed(by, Permission.CALENDAR_MANAGE)
    with reading() as work:
        return work.db_session.get(HolidayYear, year), _days(work, year)


def propose_year(year: int, *, by: Actor) -> tuple[ProposedDay, ...]:
    """Write the proposal of the `holidays` package for a year, to be checked by an officer.

    A former proposal of that year is replaced. Raises Conflict when the year is confirmed.
    """
    ensure_allowed(by, Permission.CALENDAR_MANAGE)
    found = propose(year)
    with unit_of_work() as work:
        kept = work.db_session.get(HolidayYear, year)
        if kept is not None and kept.confirmed:
            raise Conflict(
                f"Lịch nghỉ năm {year} đã xác nhận theo {kept.decision}. Sửa từng ngày nếu cần."
            )
        if kept is None:
            work.add(HolidayYear(year=year, decision="", confirmed=False))
        for row in _days(work, year):
            work.db_session.delete(row)
        work.flush()
        for day in found:
            work.add(
                Holiday(
                    on=day.on, kind=day.kind.value, name=day.name, source=SOURCE, confirmed=False
                )
            )
        _changed(work, "holiday_year_proposed", by=by, year=year, days=len(found))
    return found


def confirm_year(year: int, decision: str, *, by: Actor) -> HolidayYear:
    """Put a proposed year in force, by the number of the decision that fixed its days off.

    Raises BadInput without a number, NotFound when nothing was proposed, Conflict when confirmed.
    """
    ensure_allowed(by, Permission.CALENDAR_MANAGE)
    number = _number(decision)
    with unit_of_work() as work:
        kept = work.db_session.get(HolidayYear, year)
        if kept is None:
            raise NotFound(f"Chưa có đề xuất lịch nghỉ năm {year}. Lập đề xuất trước.")
        if kept.confirmed:
            raise Conflict(f"Lịch nghỉ năm {year} đã xác nhận theo {kept.decision}.")
        kept.decision, kept.confirmed = number, True
        for row in _days(work, year):
            row.confirmed = True
            row.source = number if row.source == SOURCE else row.source
        _changed(work, "holiday_year_confirmed", by=by, year=year, decision=number)
    return kept


def set_day(on: date, kind: DayKind, name: str, decision: str, *, by: Actor) -> None:
    """Enter or change one special day by a decision; the year stays confirmed or proposed."""
    ensure_allowed(by, Permission.CALENDAR_MANAGE)
    number = _number(decision)
    if not name.strip():
        raise BadInput({"name": "Chưa ghi tên ngày nghỉ hoặc ngày làm bù."})
    with unit_of_work() as work:
        year = _known_year(work, on.year)
        row = work.db_session.get(Holiday, on) or work.add(Holiday(on=on))
        row.kind, row.name, row.source = kind.value, name.strip(), number
        row.confirmed = year.confirmed
        _changed(work, "holiday_set", by=by, on=on, day_kind=kind.value, decision=number)


def remove_day(on: date, decision: str, *, by: Actor) -> None:
    """Take one special day out by a decision. Raises NotFound when there is none."""
    ensure_allowed(by, Permission.CALENDAR_MANAGE)
    number = _number(decision)
    with unit_of_work() as work:
        row = work.db_session.get(Holiday, on)
        if row is None:
            raise NotFound(f"Ngày {on:%d/%m/%Y} không có trong lịch nghỉ.")
        work.db_session.delete(row)
        _changed(work, "holiday_removed", by=by, on=on, decision=number)


def _number(decision: str) -> str:
    """The decision with its number. Raises BadInput when there is none to be found by."""
    number = decision.strip()
    if len(number) < LEAST_NUMBER or not any(sign.isdigit() for sign in number):
        raise BadInput({"decision": "Ghi số văn bản, ví dụ: Thông báo 9441/TB-BNV."})
    return number


def _known_year(work: Work, year: int) -> HolidayYear:
    kept = work.db_session.get(HolidayYear, year)
    if kept is None:
        raise NotFound(f"Chưa có lịch nghỉ năm {year}. Lập đề xuất cho năm này trước.")
    return kept


def _days(work: Work, year: int) -> Sequence[Holiday]:
    return work.db_session.scalars(
        select(Holiday)
        .where(Holiday.on >= date(year, 1, 1), Holiday.on <= date(year, 12, 31))
        .order_by(Holiday.on)
    ).all()


def _changed(work: Work, action: str, *, by: Actor, **detail: object) -> None:
    work.flush()
    forget_holidays(work.db_session)
    told = {k: str(v) if isinstance(v, date) else v for k, v in detail.items()}
    work.audit(action, kind="holiday", by=by.account_id, **told)
