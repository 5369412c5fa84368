"""Counting days as the law counts them: working days, calendar days, holidays by year.

Public names: DayKind, DayOff, HolidayTable, DayUnit, DayCell, is_working_day, why_off,
add_working_days, add_calendar_days, working_days_before, working_days_between, next_working_day,
explain_days. Day 0 is the day of the event; counting starts on the day after it. A year that the
table does not cover is CalendarGap, never "no holidays". All dates are local dates of Vietnam.
Source: Bộ luật Dân sự 91/2015/QH13, Điều 147, 148 (start and end of a term; to be confirmed);
Bộ luật Lao động 45/2019/QH14, Điều 111, 112 (weekly rest, public holidays, days in lieu).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from workflows.errors import CalendarGap

ONE_DAY = timedelta(days=1)
STOPPED = "Tạm đình chỉ"
"""Why a suspended day is not counted."""
_SATURDAY = 5
_WEEKDAY_NAMES = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")


class DayKind(StrEnum):
    """Why a day differs from its weekday."""

    PUBLIC = "public"  # ngày lễ, tết
    SUBSTITUTE = "substitute"  # nghỉ bù
    SWAPPED_OFF = "swapped_off"  # nghỉ hoán đổi
    SWAPPED_WORKING = "swapped_working"  # làm bù vào ngày nghỉ hằng tuần


class DayUnit(StrEnum):
    """What a term counts."""

    WORKING = "working"  # ngày làm việc
    CALENDAR = "calendar"  # ngày
    HOUR = "hour"  # giờ, within the day itself


@dataclass(frozen=True, slots=True)
class DayOff:
    """One special day. `source` is the decision that fixed it."""

    on: date
    kind: DayKind
    name: str
    source: str = ""
    confirmed: bool = True


@dataclass(frozen=True)
class HolidayTable:
    """The special days of the covered `years`; a value, safe to share and to cache.

    Years that are only `proposed` are known but not covered: nothing is counted in them.
    """

    years: frozenset[int]
    days: Mapping[date, DayOff]
    proposed: frozenset[int] = frozenset()

    @classmethod
    def from_rows(
        cls, rows: Iterable[DayOff], *, years: Iterable[int], proposed: Iterable[int] = ()
    ) -> Self:
        """`years` are those for which the list of days is complete, even when short."""
        days = MappingProxyType({row.on: row for row in rows})
        return cls(frozenset(years), days, frozenset(proposed))

    def special(self, on: date) -> DayOff | None:
        """What is special about `on`. Raises CalendarGap when its year is not covered."""
        if on.year not in self.years:
            raise CalendarGap(on.year, proposed=on.year in self.proposed)
        return self.days.get(on)


def is_working_day(on: date, holidays: HolidayTable) -> bool:
    """Whether offices work on `on`: no weekly rest, no holiday, or a rest day worked in lieu."""
    special = holidays.special(on)
    if special is None:
        return on.weekday() < _SATURDAY
    return special.kind is DayKind.SWAPPED_WORKING


def why_off(on: date, holidays: HolidayTable) -> str | None:
    """The Vietnamese reason why `on` is not counted as a working day; None when it is."""
    special = holidays.special(on)
    if special is not None:
        return None if special.kind is DayKind.SWAPPED_WORKING else special.name
    if on.weekday() < _SATURDAY:
        return None
    return "Thứ Bảy" if on.weekday() == _SATURDAY else "Chủ nhật"


def next_working_day(on: date, holidays: HolidayTable) -> date:
    """`on` itself when it is a working day, else the first working day after it."""
    return next(day for day in _from(on) if is_working_day(day, holidays))


def add_working_days(start: date, days: int, holidays: HolidayTable) -> date:
    """The last day of a term of `days` working days whose day 0 is `start`."""
    return _nth_working_day(start, days, holidays, ONE_DAY)


def add_calendar_days(start: date, days: int, holidays: HolidayTable) -> date:
    """The last day of a term of `days` days; a last day off moves to the next working day."""
    return next_working_day(start + days * ONE_DAY, holidays)


def working_days_before(event: date, days: int, holidays: HolidayTable) -> date:
    """The latest day on which `days` working days are still left before `event` (day 0)."""
    return _nth_working_day(event, days, holidays, -ONE_DAY)


def calendar_days_before(event: date, days: int, holidays: HolidayTable) -> date:
    """The latest working day that lies at least `days` days before `event`."""
    return next(
        day for day in _from(event - days * ONE_DAY, -ONE_DAY) if is_working_day(day, holidays)
    )


def working_days_between(start: date, end: date, holidays: HolidayTable) -> int:
    """How many working days follow `start` up to and including `end`; negative when end is earlier.

    From Monday to Tuesday is 1, from a day to itself 0.
    """
    if end < start:
        return -working_days_between(end, start, holidays)
    span = (start + step * ONE_DAY for step in range(1, (end - start).days + 1))
    return sum(is_working_day(day, holidays) for day in span)


@dataclass(frozen=True, slots=True)
class DayCell:
    """One day of the strip that answers "vì sao ngày này?".

    `number` is 0 on the day of the event, n on the n-th counted day, None on a day that is not
    counted; then `reason` says why. `weekday` is the short Vietnamese name (T2 to CN).
    """

    on: date
    weekday: str
    number: int | None
    reason: str = ""
    is_last: bool = False
    is_special: bool = False  # a holiday rather than a weekly day of rest
    is_stopped: bool = False  # the matter was suspended on that day


def explain_days(
    start: date,
    last: date,
    holidays: HolidayTable,
    *,
    unit: DayUnit = DayUnit.WORKING,
    stopped: Collection[date] = (),
) -> tuple[DayCell, ...]:
    """Every day from `start` to `last`, counted or with the reason why not.

    Days in `stopped` were suspended. When `last` is earlier than `start` the count runs
    backwards, as for a notice before a day.
    """
    step = ONE_DAY if last >= start else -ONE_DAY
    count = 0
    cells = []
    for day in _span(start, last, step):
        reason = STOPPED if day in stopped and day != start else why_off(day, holidays) or ""
        off = reason == STOPPED or (unit is not DayUnit.CALENDAR and bool(reason))
        counted = day != start and not off
        count += counted
        number = count if counted else 0 if day == start else None
        cells.append(_cell(day, number, reason, last, holidays))
    return tuple(cells)


def _cell(
    day: date, number: int | None, reason: str, last: date, holidays: HolidayTable
) -> DayCell:
    return DayCell(
        on=day,
        weekday=_WEEKDAY_NAMES[day.weekday()],
        number=number,
        reason=reason,
        is_last=day == last,
        is_special=bool(reason) and holidays.special(day) is not None,
        is_stopped=reason == STOPPED,
    )


def _span(start: date, last: date, step: timedelta) -> Iterator[date]:
    return (start + i * step for i in range(abs((last - start).days) + 1))


def _from(start: date, step: timedelta = ONE_DAY) -> Iterator[date]:
    while True:
        yield start
        start += step


def _nth_working_day(start: date, days: int, holidays: HolidayTable, step: timedelta) -> date:
    if days < 1:
        raise ValueError("a term has at least one day")
    working = (day for day in _from(start + step, step) if is_working_day(day, holidays))
    for _ in range(days - 1):
        next(working)
    return next(working)
