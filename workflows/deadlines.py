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
    add_working_days,
    is_working_day,
    next_working_day,
)
from workflows.errors import StepNotAllowed
from workflows.kinds import PetitionKind
from workflows.procedures import engine
from workflows.procedures.guards import Facts
from workflows.procedures.loader import procedure
from workflows.procedures.model import Deadline, DeadlineRule
from workflows.procedures.sentences import sentence_of

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

    The sentence says how much was added and left out.
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
    last_day, left_out = _last_day(base, length, stopped, holidays)
    longer = replace(base, length=length, last_day=last_day)
    sentence = sentence_of(longer, extra_days=extra_days, stopped_days=left_out)
    return replace(longer, sentence=sentence)


def last_day(
    code: str,
    name: str,
    on: date,
    holidays: HolidayTable,
    *,
    remote: bool = False,
    complex_case: bool = False,
    many_places: bool = False,
    extensions: int = 0,
    suspensions: Iterable[Suspension] = (),
) -> Deadline:
    """The term `name` of procedure `code` whose day 0 is `on`, with all that lengthened it.

    Raises UnknownProcedure, CalendarGap, StepNotAllowed for more extensions than the law allows.
    """
    rules = procedure(code)
    facts = Facts(kind=PetitionKind.DENUNCIATION, many_places_or_delegated=True)
    base = engine.deadline(
        rules,
        name,
        on=on,
        holidays=holidays,
        remote=remote,
        complex_case=complex_case,
        facts=facts if many_places else None,
    )
    pauses = tuple(suspensions)
    if not extensions and not pauses:
        return base
    rule = next(r for r in rules.deadlines if r.name == name and r.holds_on(on))
    extra = extension(rule, extensions)
    return extended(base, extra_days=extra, suspensions=pauses, holidays=holidays)


def extension(rule: DeadlineRule, times: int) -> int:
    """Days that `times` decisions of extension add. Raises StepNotAllowed when there are too many.

    Source: Luật Tố cáo 25/2018/QH14, Điều 30 (a complex matter once, an especially complex twice).
    """
    if times > rule.most_extensions:
        allowed = f"tối đa {rule.most_extensions} lần" if rule.most_extensions else "không"
        raise StepNotAllowed(
            f"Thời hạn “{rule.label_vi}” {allowed} được gia hạn. Căn cứ {rule.source}.",
            rule="most-extensions",
        )
    return times * rule.extension_days


def _last_day(
    base: Deadline, length: int, stopped: set[date], holidays: HolidayTable
) -> tuple[date, int]:
    """Lengthen until every stopped day that lies inside the term has been made good.

    The days left out of a term of days count before its end moves to a working day.
    """
    made_good = 0
    while True:
        reached = _reached(base, length + made_good, holidays)
        inside = sum(day <= reached for day in stopped)
        if inside <= made_good:
            return _first_open(reached, stopped, holidays), made_good
        made_good = inside


def _first_open(reached: date, stopped: set[date], holidays: HolidayTable) -> date:
    """The working day a term ends on; one that moved into a suspension waits until it is over."""
    end = next_working_day(reached, holidays)
    while end in stopped:
        end = next_working_day(end + ONE_DAY, holidays)
    return end


def _reached(base: Deadline, days: int, holidays: HolidayTable) -> date:
    """The day counted last, before a day off moves the end of a term of days."""
    if base.unit is DayUnit.WORKING:
        return add_working_days(base.start_on, days, holidays)
    return base.start_on + days * ONE_DAY


def stopped_days(suspensions: Iterable[Suspension], *, until: date) -> frozenset[date]:
    """The days on which the clock stood still; one that still runs is told up to `until`."""
    return frozenset(
        day for pause in suspensions for day in _days(pause.since, pause.until or until + ONE_DAY)
    )


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
