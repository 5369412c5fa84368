"""The bars of the months, one of which can be chosen."""

from __future__ import annotations

from dataclasses import dataclass

from reception.datamap.figures import Figures
from reception.datamap.wording import cases_words
from workflows.datamap.periods import Period

BARS = (580.0, 62.0)


@dataclass(frozen=True)
class Bar:
    """A month of the slider."""

    period: Period
    x: float
    y: float
    width: float
    height: float
    chosen: bool
    compared: bool
    told: str


def month_bars(figures: Figures, period: Period, *, compare: bool) -> list[Bar]:
    """The slider's months; heights from zero to the highest."""
    width, height = BARS
    step = width / len(figures.months)
    highest = max(figures.month_totals) or 1
    before = period.same_last_year()
    return [
        _bar(k, month, total, step, height * total / highest, figures, period, before, compare)
        for k, (month, total) in enumerate(zip(figures.months, figures.month_totals, strict=True))
    ]


def _bar(
    k: int,
    month: Period,
    total: int,
    step: float,
    height: float,
    figures: Figures,
    period: Period,
    before: Period,
    compare: bool,
) -> Bar:
    count = cases_words(total) if figures.exact_totals else ""
    return Bar(
        period=month,
        x=round(k * step + 1, 1),
        y=round(BARS[1] - max(height, 1.5), 1),
        width=round(step - 2, 1),
        height=round(max(height, 1.5), 1),
        chosen=period.contains(month.first_on),
        compared=compare and before.contains(month.first_on),
        told=f"{month.label()}: {count}" if count else month.label(),
    )
