"""Stretches of time for the map's filters and its slider: months, quarters, years, ranges.

Local calendar dates, both ends included. When a statutory reporting period is cut off is a
matter of the reports and not decided here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from workflows.errors import BadInput

MONTHS_IN_QUARTER = 3
_ROMAN = ("I", "II", "III", "IV")
_EARLIEST, _LATEST = 1990, 2100


@dataclass(frozen=True, order=True)
class Period:
    """Whole months from `first_on` to `last_on`, with the code used in addresses and commands.

    Codes: 2026, 2026-Q4, 2026-10, 2026-02..2026-05.
    """

    first_on: date
    last_on: date
    code: str

    def contains(self, on: date) -> bool:
        return self.first_on <= on <= self.last_on

    def months(self) -> tuple["Period", ...]:
        """The months of this period, oldest first: the stops of the slider."""
        return months_between(self.first_on, self.last_on)

    @property
    def length(self) -> int:
        """Number of months."""
        return _months_apart(self.first_on, self.last_on) + 1

    @property
    def is_quarter(self) -> bool:
        return self == quarter(self.first_on.year, _quarter_of(self.first_on))

    def same_last_year(self) -> "Period":
        """The same months one year before."""
        return self._moved(-12)

    def previous(self) -> "Period":
        """The stretch of equal length that ends where this one begins."""
        return self._moved(-self.length)

    def following(self) -> "Period":
        """The stretch of equal length that begins where this one ends."""
        return self._moved(self.length)

    def is_closed(self, on: date) -> bool:
        """Whether the whole period lies before `on`."""
        return self.last_on < on

    def label(self) -> str:
        """Short Vietnamese form: 10/2026, quý IV/2026, 2026 or 2/2026 – 5/2026."""
        first, last = self.first_on, self.last_on
        if self.length == 1:
            return f"{first.month}/{first.year}"
        if self.is_quarter:
            return f"quý {_ROMAN[_quarter_of(first) - 1]}/{first.year}"
        if self == year(first.year):
            return str(first.year)
        return f"{first.month}/{first.year} – {last.month}/{last.year}"

    def _moved(self, months: int) -> "Period":
        first = _month_start(self.first_on, months)
        return _named(first, self.length)


def month(of_year: int, number: int) -> Period:
    """Month 1 to 12."""
    return _named(date(of_year, number, 1), 1)


def quarter(of_year: int, number: int) -> Period:
    """Quarter 1 to 4."""
    return _named(date(of_year, MONTHS_IN_QUARTER * (number - 1) + 1, 1), MONTHS_IN_QUARTER)


def year(number: int) -> Period:
    """A calendar year."""
    return _named(date(number, 1, 1), 12)


def span(first: Period, last: Period) -> Period:
    """From the first day of `first` to the last of `last`, in whichever order they are given."""
    first, last = sorted((first, last))
    return _named(first.first_on, _months_apart(first.first_on, last.last_on) + 1)


def month_of(on: date) -> Period:
    return month(on.year, on.month)


def quarter_of(on: date) -> Period:
    return quarter(on.year, _quarter_of(on))


def months_between(first_on: date, last_on: date) -> tuple[Period, ...]:
    """All months touched between two dates, oldest first; none when they are reversed."""
    count = _months_apart(first_on, last_on) + 1
    return tuple(month_of(_month_start(first_on, k)) for k in range(count))


def last_months(count: int, *, until: date) -> tuple[Period, ...]:
    """The `count` months that end with the month of `until`, oldest first."""
    return months_between(_month_start(until, 1 - count), until)


def parse_period(code: str) -> Period:
    """The period that a code names. Raises BadInput with a sentence on what to write."""
    if ".." in code:
        first, _, last = code.partition("..")
        return span(parse_period(first), parse_period(last))
    for pattern, build in _FORMS:
        found = pattern.fullmatch(code.strip())
        if found:
            numbers = [int(number) for number in found.groups()]
            if _EARLIEST <= numbers[0] <= _LATEST:
                return build(*numbers)
    raise BadInput({"period": f"Kỳ “{code}” chưa đúng. Viết như 2026-10, 2026-Q4 hoặc 2026."})


_FORMS: tuple[tuple[re.Pattern[str], Callable[..., Period]], ...] = (
    (re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII), month),
    (re.compile(r"(\d{4})-Q([1-4])", re.ASCII), quarter),
    (re.compile(r"(\d{4})", re.ASCII), year),
)


def _named(first_on: date, months: int) -> Period:
    """Whole months, under the shortest code that names them."""
    last_on = _month_start(first_on, months) - timedelta(days=1)
    start = f"{first_on.year}-{first_on.month:02}"
    if months == 1:
        return Period(first_on, last_on, start)
    if months == MONTHS_IN_QUARTER and first_on.month % MONTHS_IN_QUARTER == 1:
        return Period(first_on, last_on, f"{first_on.year}-Q{_quarter_of(first_on)}")
    if months == 12 and first_on.month == 1:
        return Period(first_on, last_on, str(first_on.year))
    return Period(first_on, last_on, f"{start}..{last_on.year}-{last_on.month:02}")


def _quarter_of(on: date) -> int:
    return (on.month - 1) // MONTHS_IN_QUARTER + 1


def _month_start(on: date, later: int) -> date:
    months = on.year * 12 + on.month - 1 + later
    return date(months // 12, months % 12 + 1, 1)


def _months_apart(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month
