"""Numbers and stretches of time as people say them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from reception.datamap.figures import Figures
from reception.templating import num
from workflows.datamap.change import Change
from workflows.datamap.periods import Period, quarter_of, span, year
from workflows.datamap.suppression import THRESHOLD


def untold() -> str:
    """What stands for a hidden number; not all hidden numbers are small, and all look alike."""
    return str(_("number not told"))


def untold_why() -> str:
    """The same with its reason: a hidden number is small, or hides a small one beside it."""
    return str(_("not told (under %(count)s, or hiding a small one)", count=THRESHOLD))


def cases_words(count: int) -> str:
    """1.091 cases."""
    return str(ngettext("%(count)s case", "%(count)s cases", count, count=num(count)))


def change_words(item: Change | None) -> str:
    """+48 %, −6 %, +1 case, or the same."""
    if item is None:
        return "–"
    if item.difference == 0:
        return _("same")
    sign = "+" if item.difference > 0 else "−"
    if item.few or item.percent is None:
        return _("%(sign)s%(count)s cases", sign=sign, count=num(abs(item.difference)))
    return f"{sign}{num(abs(item.percent))} %"


def total_words(figures: Figures) -> str:
    """How many cases in the whole province, or that the number is hidden."""
    count = figures.layer.totals.count
    return untold() if count is None else cases_words(count)


def period_words(period: Period) -> str:
    """month 10/2026, quarter IV/2026, year 2026, or 12/2025 – 11/2026."""
    label = period.label()
    if period.length == 1:
        return _("month %(month)s", month=label)
    if period.is_quarter:
        return _("quarter %(quarter)s", quarter=label.rsplit(" ", 1)[-1])
    return _("year %(year)s", year=label) if label.isdigit() else label


def titled(period: Period) -> str:
    """The words of a stretch as the beginning of a line."""
    words = period_words(period)
    return words[:1].upper() + words[1:]


def month_options(until: Sequence[Period]) -> list[tuple[str, str]]:
    """Months to choose from, newest first."""
    return [(month.code, month.label()) for month in reversed(until)]


def period_options(months: Sequence[Period], chosen: Period, today: date) -> list[Any]:
    """What the list of stretches offers: twelve months, years, quarters, months."""
    newest = span(months[-12], months[-1])
    years = sorted({month.first_on.year for month in months}, reverse=True)
    quarters = sorted({quarter_of(month.first_on) for month in months}, reverse=True)
    groups = [
        {
            "group": _("Long stretches"),
            "options": [(newest.code, _("Last 12 months"))]
            + [(year(number).code, _("Year %(year)s", year=number)) for number in years],
        },
        {"group": _("Quarters"), "options": [(q.code, titled(q)) for q in quarters]},
        {"group": _("Months"), "options": month_options(months)},
    ]
    known = {code for group in groups for code, label in group["options"]}
    if chosen.code not in known:
        groups.insert(0, {"group": _("Chosen stretch"), "options": [(chosen.code, chosen.label())]})
    return groups
