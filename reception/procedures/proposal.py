"""What the `holidays` package knows of a year, as a proposal in the words of our table.

Only a proposal: days in lieu and swapped days are fixed each year by decision, and the package
learns of them late. An officer compares the list with the decision and confirms it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import holidays

from workflows.calendar import DayKind

SOURCE = f"Đề xuất của thư viện holidays {holidays.__version__}, chờ xác nhận"
_IN_LIEU = "nghỉ bù"
_SWAPPED = "thay cho ngày"


@dataclass(frozen=True, slots=True)
class ProposedDay:
    """One day that differs from its weekday."""

    on: date
    kind: DayKind
    name: str


def propose(year: int) -> tuple[ProposedDay, ...]:
    """The special days of `year` in Vietnam, in order; weekly rest is not listed."""
    known = holidays.country_holidays("VN", years=year, language="vi")
    off = [ProposedDay(on, _kind(name), name) for on, name in known.items() if on.year == year]
    worked = [
        ProposedDay(on, DayKind.SWAPPED_WORKING, "Ngày làm bù")
        for on in known.weekend_workdays
        if on.year == year
    ]
    return tuple(sorted(off + worked, key=lambda day: day.on))


def _kind(name: str) -> DayKind:
    if _SWAPPED in name:
        return DayKind.SWAPPED_OFF
    return DayKind.SUBSTITUTE if _IN_LIEU in name else DayKind.PUBLIC
