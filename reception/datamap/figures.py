"""All numbers of one picture, worked out from the months: one source for map, table and exports."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from reception.datamap.viewer import Viewer
from storage.models import Unit
from storage.queries.datamap import MonthCount
from workflows.datamap.alarms import Alarm, alarms
from workflows.datamap.change import Change, change
from workflows.datamap.hotspots import Hotspot, hotspots
from workflows.datamap.layer import CountRow as Row
from workflows.datamap.layer import Layer, build_layer, published_layer
from workflows.datamap.periods import Period, last_months, span
from workflows.datamap.rates import Breaks, pretty_breaks, rate
from workflows.datamap.suppression import TOTAL, Key, PublicTable, protected_table
from workflows.kinds import PetitionKind

SLIDER_MONTHS = 36
REPORTING_MONTHS = 12
"""A unit of which nothing is known for this long is "not reported", never zero."""

_ANY = PetitionKind.COMPLAINT
"""Counts reach the layer already limited to a set of kinds; the layer asks for one name."""


@dataclass(frozen=True)
class Months:
    """Cases by unit code and month, for one field and one set of kinds."""

    opened: Mapping[str, Mapping[date, int]]
    closed: Mapping[str, Mapping[date, int]]

    @classmethod
    def of(cls, rows: Iterable[MonthCount], codes: Collection[str]) -> Months:
        """Rows of units outside the map (a case without a commune) stand under `TOTAL`."""
        opened: dict[str, dict[date, int]] = {}
        closed: dict[str, dict[date, int]] = {}
        for row in rows:
            code = row.unit if row.unit in codes else TOTAL
            for kept, count in ((opened, row.opened), (closed, row.closed)):
                by_month = kept.setdefault(code, {})
                by_month[row.month_on] = by_month.get(row.month_on, 0) + count
        return cls(opened, closed)

    def count(self, code: str, period: Period) -> int:
        """Cases opened at a unit in a period."""
        return _sum(self.opened.get(code, {}), period)

    def settled(self, code: str, period: Period) -> int:
        """Cases closed at a unit in a period."""
        return _sum(self.closed.get(code, {}), period)

    def series(self, code: str, months: Sequence[Period]) -> list[int]:
        """Monthly cases of a unit, oldest first."""
        by_month = self.opened.get(code, {})
        return [by_month.get(month.first_on, 0) for month in months]


def _sum(by_month: Mapping[date, int], period: Period) -> int:
    return sum(count for on, count in by_month.items() if period.contains(on))


@dataclass(frozen=True)
class Figures:
    """One picture's numbers. `before` is the same stretch of the year before, None where hidden.

    `month_totals` are exact only when `exact_totals`; else they give no more than a shape. Months
    of single units (`series`) are there only where small numbers are not hidden: a month shown
    beside a hidden year would tell it.
    """

    layer: Layer
    before: Mapping[str, int | None]
    changes: Mapping[str, Change]
    settled: Mapping[str, int]
    months: tuple[Period, ...]
    month_totals: tuple[int, ...]
    exact_totals: bool
    series: Mapping[str, Sequence[int]]
    units: Mapping[str, Unit]
    viewer: Viewer
    unplaced: int
    month_breaks: Breaks
    hotspots: tuple[Hotspot, ...]
    alarms: tuple[Alarm, ...]

    @property
    def total_change(self) -> Change | None:
        """The whole province against the year before."""
        return change(self.layer.totals.count, self.before.get(TOTAL))


def range_needed(period: Period, today: date) -> tuple[date, date]:
    """First and last day of the months a picture reads: the slider's and those compared with."""
    slider = last_months(SLIDER_MONTHS, until=today)
    first = min(slider[0].first_on, period.same_last_year().first_on)
    return first, max(slider[-1].last_on, period.last_on)


def reporting_range(period: Period, today: date) -> tuple[date, date]:
    """The stretch in which a unit must have sent something to count as reporting."""
    months = last_months(REPORTING_MONTHS, until=min(period.last_on, today))
    return min(months[0].first_on, period.first_on), max(months[-1].last_on, period.last_on)


def work_out(
    months: Months,
    units: Mapping[str, Unit],
    *,
    field: str,
    period: Period,
    today: date,
    viewer: Viewer,
    silent: Collection[str],
    neighbours: Mapping[str, Collection[str]],
) -> Figures:
    """The picture of a field and a period as `viewer` may see it; `silent` units sent nothing."""
    slider = last_months(SLIDER_MONTHS, until=today)
    population = _population(units)
    speaking = [code for code in units if code not in silent]
    breaks = breaks_for(months, units, length=period.length, until=today)
    shown = _shown(months, speaking, period, viewer)
    layer = _layer(shown, units, population, field, period, viewer, breaks, silent)
    before = _shown(months, speaking, period.same_last_year(), viewer)
    seen = [code for code in speaking if viewer.sees(code)]
    return Figures(
        layer=layer,
        before=before,
        changes=_changes(layer, before),
        settled={code: months.settled(code, period) for code in seen},
        months=slider,
        month_totals=_month_totals(months, units, slider, viewer),
        exact_totals=viewer.whole,
        series={code: months.series(code, slider) for code in seen},
        units=units,
        viewer=viewer,
        unplaced=months.count(TOTAL, period) if viewer.whole else 0,
        hotspots=hotspots({cell.code: cell.rate for cell in layer.cells}, neighbours),
        month_breaks=breaks_for(months, units, length=1, until=today),
        alarms=_alarms(months, seen, period),
    )


def _population(units: Mapping[str, Unit]) -> dict[str, int]:
    return {code: unit.population for code, unit in units.items() if unit.population}


def breaks_for(months: Months, units: Mapping[str, Unit], *, length: int, until: date) -> Breaks:
    """Limits from all stretches of `length` months, so that a colour keeps its meaning."""
    population = _population(units)
    slider = last_months(SLIDER_MONTHS, until=until)
    length = min(length, SLIDER_MONTHS)
    rates = (
        rate(sum(counts[start : start + length]), population.get(code))
        for code in units
        for counts in (months.series(code, slider),)
        for start in range(len(slider) % length, len(slider), length)
    )
    return pretty_breaks(value for value in rates if value is not None)


def _shown(
    months: Months, speaking: Sequence[str], period: Period, viewer: Viewer
) -> dict[str, int | None]:
    """Count by unit with `TOTAL`; None where the viewer may not know a small number."""
    counts = {code: months.count(code, period) for code in speaking}
    if viewer.whole:
        return {**counts, TOTAL: sum(counts.values())}
    others = {code: count for code, count in counts.items() if code not in viewer.own}
    own = {code: count for code, count in counts.items() if code in viewer.own}
    hidden = _guarded(others)
    total = hidden.pop(TOTAL)
    return {**hidden, **own, TOTAL: None if total is None else total + sum(own.values())}


def _guarded(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Small counts hidden, and as many others as it takes to keep the total from telling them."""
    if not counts:
        return {TOTAL: 0}
    column = "all"
    keys: dict[Key, int] = {(code, column): count for code, count in counts.items()}
    table = protected_table(keys, units=counts, fields=[column])

    def number(code: str) -> int | None:
        # Row and total of a one-column table are one number: shown only where both are.
        pair = table.count(code, column), table.count(code, TOTAL)
        return None if None in pair else pair[0]

    return {code: number(code) for code in (*counts, TOTAL)}


def _layer(
    shown: Mapping[str, int | None],
    units: Mapping[str, Unit],
    population: Mapping[str, int],
    field: str,
    period: Period,
    viewer: Viewer,
    breaks: Breaks,
    silent: Collection[str],
) -> Layer:
    if viewer.whole:
        rows = [Row(code, field, _ANY, count) for code, count in shown.items() if code and count]
        return build_layer(
            units,
            rows,
            population,
            field,
            period,
            "internal",
            breaks=breaks,
            not_reported=silent,
        )
    table = PublicTable({(code, field): count for code, count in shown.items()})
    return published_layer(
        units, table, population, field, period, breaks=breaks, not_reported=silent
    )


def _changes(layer: Layer, before: Mapping[str, int | None]) -> dict[str, Change]:
    found = {cell.code: change(cell.count, before.get(cell.code)) for cell in layer.cells}
    return {code: item for code, item in found.items() if item is not None}


def _month_totals(
    months: Months, units: Mapping[str, Unit], slider: Sequence[Period], viewer: Viewer
) -> tuple[int, ...]:
    """Bars of the slider. To whom small numbers are hidden they are a shape in twelve steps."""
    columns = [months.series(code, slider) for code in units]
    totals = [sum(column) for column in zip(*columns, strict=True)] or [0] * len(slider)
    if viewer.whole:
        return tuple(totals)
    highest = max(totals) or 1
    return tuple(-(-12 * total // highest) for total in totals)


def _alarms(months: Months, seen: Iterable[str], period: Period) -> tuple[Alarm, ...]:
    history = last_months(REPORTING_MONTHS, until=period.last_on)
    return alarms({code: months.series(code, history) for code in seen})


def current_year(today: date) -> Period:
    """The default stretch: twelve months that end with this one."""
    months = last_months(12, until=today)
    return span(months[0], months[-1])
