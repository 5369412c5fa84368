"""What happens to a term after it has started: extensions, suspensions, and how near its end is.

Last day = base + extensions + suspended days; each addition has its own document in the file.
A term never changes silently and never closes a matter by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from workflows.calendar import (
    ONE_DAY,
    DayUnit,
    HolidayTable,
    add_calendar_days,
    add_working_days,
    is_working_day,
)
from workflows.procedures.model import Deadline

_SUNDAY = 6


@dataclass(frozen=True, slots=True)
class Suspension:
    """Days on which the clock stood still: from the order of suspension up to, but without, the
    day of the order to continue. `until` None means still suspended."""

    since: date
    until: date | None = None


class Urgency(StrEnum):
    """The groups of the inbox, in order."""

    OVERDUE = "overdue"
    TODAY = "today"
    THIS_WEEK = "this_week"
    LATER = "later"


def is_stopped(suspensions: Iterable[Suspension]) -> bool:
    """Whether the clock stands still now."""
    return any(pause.until is None for pause in suspensions)


def extended(
    base: Deadline,
    *,
    extra_days: int = 0,
    suspensions: Iterable[Suspension] = (),
    holidays: HolidayTable,
) -> Deadline:
    """`base` with `extra_days` more (in its own unit) and the ended suspensions left out.

    A suspension that still runs adds nothing yet: ask `is_stopped` before showing the day.
    Overlapping suspensions count once. A term counted back from a day cannot be moved.
    """
    if base.before:
        raise ValueError("a term counted back from a day is not extended")
    stopped = {
        day
        for pause in suspensions
        for day in _days(max(pause.since, base.start_on + ONE_DAY), pause.until)
        if base.unit is DayUnit.CALENDAR or is_working_day(day, holidays)
    }
    length = base.length + extra_days
    last_day = _last_day(base, length, stopped, holidays)
    return replace(base, length=length, last_day=last_day)


def _last_day(base: Deadline, length: int, stopped: set[date], holidays: HolidayTable) -> date:
    """Lengthen until every stopped day that lies inside the term has been made good."""
    add = add_working_days if base.unit is DayUnit.WORKING else add_calendar_days
    made_good = 0
    while True:
        last_day = add(base.start_on, length + made_good, holidays)
        inside = sum(day <= last_day for day in stopped)
        if inside <= made_good:
            return last_day
        made_good = inside


def _days(since: date, until: date | None) -> Iterable[date]:
    if until is None:
        return ()
    return (since + i * ONE_DAY for i in range((until - since).days))


def urgency(last_day: date, today: date) -> Urgency:
    """Which group of the inbox a term belongs to; the week ends on Sunday."""
    if last_day < today:
        return Urgency.OVERDUE
    if last_day == today:
        return Urgency.TODAY
    end_of_week = today + timedelta(days=_SUNDAY - today.weekday())
    return Urgency.THIS_WEEK if last_day <= end_of_week else Urgency.LATER


def days_left(last_day: date, today: date) -> int:
    """Days from today to the last day; negative when late."""
    return (last_day - today).days


def remaining(last_day: date, today: date) -> str:
    """`Còn 3 ngày`, `Hôm nay`, `Quá 5 ngày`."""
    left = days_left(last_day, today)
    if left == 0:
        return "Hôm nay"
    return f"Còn {left} ngày" if left > 0 else f"Quá {-left} ngày"
