"""How a unit is coloured, hatched and told: by rate, by change or by number of cases."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from reception.datamap.figures import Figures
from reception.datamap.wording import cases_words, change_words, untold_why
from reception.templating import num
from workflows.datamap.change import ChangeLegendItem, change_legend
from workflows.datamap.layer import Layer, LayerCell
from workflows.datamap.rates import Breaks, LegendItem, legend, pretty_breaks


@dataclass(frozen=True)
class ShownLegend:
    """A line of the legend."""

    tone: str
    words: str
    units: int


@dataclass(frozen=True)
class Valuing:
    """How one value of a unit is coloured and written: rate, change or count."""

    tone: Callable[[LayerCell], str]
    value: Callable[[LayerCell], str]
    legend: tuple[ShownLegend, ...]
    title: str


def valuing(figures: Figures, value: str) -> Valuing:
    """The colouring that was chosen above the map."""
    if value == "so-sanh":
        return _by_change(figures)
    return _by_count(figures) if value == "so-vu" else by_rate(figures.layer)


def by_rate(layer: Layer) -> Valuing:
    """Cases per 10,000 inhabitants."""
    return Valuing(
        tone=lambda cell: tone_of(cell, cell.step),
        value=lambda cell: num(cell.rate, layer.breaks.places),
        legend=tuple(_rate_line(item) for item in layer.legend),
        title=_("Cases per 10,000 inhabitants"),
    )


def break_lines(breaks: Breaks) -> list[ShownLegend]:
    """The words of the steps alone, darkest first."""
    return [_rate_line(item) for item in legend(breaks, [])]


def _by_count(figures: Figures) -> Valuing:
    layer = figures.layer
    breaks = _whole_breaks(layer.cells)
    steps = [breaks.step_of(cell.count) for cell in layer.cells if cell.count is not None]
    totals = layer.totals
    lines = legend(breaks, steps, suppressed=totals.suppressed, not_reported=totals.not_reported)
    return Valuing(
        tone=lambda cell: tone_of(cell, None if cell.count is None else breaks.step_of(cell.count)),
        value=lambda cell: num(cell.count),
        legend=tuple(_count_line(item) for item in lines),
        title=_("Cases"),
    )


def _whole_breaks(cells: Collection[LayerCell]) -> Breaks:
    """Limits in whole cases, rising."""
    limits: list[float] = []
    for limit in pretty_breaks(float(cell.count) for cell in cells if cell.count).limits:
        whole = max(float(round(limit)), 1.0)
        limits.append(max(whole, limits[-1] + 1) if limits else whole)
    return Breaks(tuple(limits))


def _by_change(figures: Figures) -> Valuing:
    changes = figures.changes
    silent = [cell for cell in figures.layer.cells if cell.not_reported]
    hidden = len(figures.layer.cells) - len(silent) - len(changes)
    lines = change_legend(list(changes.values()), suppressed=hidden, not_reported=len(silent))

    def tone(cell: LayerCell) -> str:
        found = changes.get(cell.code)
        if found is None:
            return "none" if cell.not_reported else "sup"
        return "few" if found.step is None else f"d{found.step}"

    return Valuing(
        tone=tone,
        value=lambda cell: change_words(changes[cell.code]),
        legend=tuple(_change_line(item) for item in lines),
        title=_("Against the year before"),
    )


def tone_of(cell: LayerCell, step: int | None) -> str:
    if cell.not_reported:
        return "none"
    if cell.suppressed:
        return "sup"
    return "blank" if step is None else f"r{step}"


def _rate_line(item: LegendItem) -> ShownLegend:
    low, high, below = (num(x, item.places) for x in (item.low, item.high, item.below))
    words = {
        "over": _("%(low)s or more", low=low),
        "between": low if low == high else f"{low} – {high}",
        "under": _("under %(below)s", below=below),
    }
    return _line(item.kind, item.step, words, item.units)


def _count_line(item: LegendItem) -> ShownLegend:
    low = num(item.low, 0)
    high = num(_whole_high(item), 0)
    words = {
        "over": _("%(low)s or more", low=low),
        "between": low if low == high else f"{low} – {high}",
        "under": _("under %(below)s", below=num((_whole_high(item) or 0) + 1, 0)),
    }
    return _line(item.kind, item.step, words, item.units)


def _whole_high(item: LegendItem) -> float | None:
    return None if item.high is None else float(int(item.high))


def _line(kind: str, step: int | None, words: Mapping[str, str], units: int) -> ShownLegend:
    if kind == "suppressed":
        return ShownLegend("sup", untold_why(), units)
    if kind == "not_reported":
        return ShownLegend("none", _("nothing sent yet"), units)
    return ShownLegend(f"r{step}", words[kind], units)


def _change_line(item: ChangeLegendItem) -> ShownLegend:
    steps = (
        _("fell by 20 % or more"),
        _("fell by 8 – 20 %"),
        _("about the same"),
        _("rose by 8 – 20 %"),
        _("rose by 20 % or more"),
    )
    if item.kind == "few":
        return ShownLegend("few", _("under 10 cases, difference in cases"), item.units)
    words = dict.fromkeys(("step",), steps[item.step] if item.step is not None else "")
    shown = _line(item.kind, item.step, words, item.units)
    return ShownLegend(f"d{item.step}", shown.words, item.units) if item.kind == "step" else shown


def told(tone: str, cell: LayerCell, how: Valuing) -> str:
    """One unit's number as a sentence, for ears and for the line under the map."""
    if tone == "none":
        return _("nothing sent yet")
    if cell.count is None or tone == "sup":
        return untold_why()
    cases = cases_words(cell.count)
    if tone[0] in "df":
        return _(
            "%(cases)s, %(change)s against the year before", cases=cases, change=how.value(cell)
        )
    if cell.rate is None:
        return cases
    return _("%(rate)s per 10,000 inhabitants, %(cases)s", rate=num(cell.rate, 1), cases=cases)
