"""Numbers turned into what a page draws: cells with colours and words, legend, bars, sentences."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from reception.datamap.figures import Figures
from reception.templating import num
from workflows.datamap.change import Change, ChangeLegendItem, change_legend
from workflows.datamap.geometry import group_path
from workflows.datamap.layer import Layer, LayerCell
from workflows.datamap.periods import Period, quarter_of, span, year
from workflows.datamap.rates import Breaks, LegendItem, legend, pretty_breaks
from workflows.datamap.schematic import Cell, Schematic
from workflows.datamap.suppression import THRESHOLD, TOTAL

LETTERS = "ABCDEFGHIJ"
MOST_ALARMS = 6
DARK = frozenset({"r4", "r3", "d4", "d0"})
"""Colours that need white letters."""


@dataclass(frozen=True)
class Mark:
    """A number (hot spot) or letter (look here) on the drawing."""

    text: str
    x: float
    y: float
    kind: str


@dataclass(frozen=True)
class ShownCell:
    """A unit as it is drawn. `tone` is the name of its colour or hatching."""

    code: str
    name: str
    path: str
    tone: str
    dark: bool
    lines: tuple[tuple[str, float], ...]
    x: float
    font_size: float
    value: str
    value_y: float
    told: str
    selected: bool


@dataclass(frozen=True)
class ShownLegend:
    """A line of the legend."""

    tone: str
    words: str
    units: int


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


@dataclass(frozen=True)
class Look:
    """A sentence that says where to look and why."""

    mark: str
    kind: str
    code: str
    title: str
    detail: str
    text: str
    spark: str
    usual: tuple[float, float] | None


@dataclass(frozen=True)
class Valuing:
    """How one value of a unit is coloured and written: rate, change or count."""

    tone: Callable[[LayerCell], str]
    value: Callable[[LayerCell], str]
    legend: tuple[ShownLegend, ...]
    title: str


def small() -> str:
    """What stands for a hidden number."""
    return str(_("under %(count)s cases", count=THRESHOLD))


def cases_words(count: int) -> str:
    """1.091 cases."""
    return str(ngettext("%(count)s case", "%(count)s cases", count, count=num(count)))


def valuing(figures: Figures, value: str) -> Valuing:
    """The colouring that was chosen above the map."""
    if value == "so-sanh":
        return _by_change(figures)
    return _by_count(figures) if value == "so-vu" else by_rate(figures.layer)


def by_rate(layer: Layer) -> Valuing:
    """Cases per 10,000 inhabitants."""
    return Valuing(
        tone=lambda cell: _tone(cell, cell.step),
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
        tone=lambda cell: _tone(cell, None if cell.count is None else breaks.step_of(cell.count)),
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


def _tone(cell: LayerCell, step: int | None) -> str:
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
        return ShownLegend("sup", _("%(small)s, number not told", small=small()), units)
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


def cells(
    drawing: Schematic, layer: Layer, how: Valuing, names: Mapping[str, str], chosen: str
) -> tuple[ShownCell, ...]:
    """Every unit that is drawn and counted."""
    counted = {cell.code: cell for cell in layer.cells}
    return tuple(
        _cell(place, counted[place.code], how, names, chosen)
        for place in drawing.cells
        if place.code in counted
    )


def _cell(
    place: Cell, cell: LayerCell, how: Valuing, names: Mapping[str, str], chosen: str
) -> ShownCell:
    tone, label = how.tone(cell), place.label
    name = names[cell.code]
    return ShownCell(
        code=cell.code,
        name=name,
        path=place.path,
        tone=tone,
        dark=tone in DARK,
        lines=tuple(
            (line, round(label.y + k * label.line_height, 2)) for k, line in enumerate(label.lines)
        ),
        x=label.x,
        font_size=label.font_size,
        value=_short_value(tone, how.value, cell, words=label.takes_words),
        value_y=label.value_y,
        told=f"{name}: {told(tone, cell, how)}",
        selected=cell.code == chosen,
    )


def _short_value(
    tone: str, value: Callable[[LayerCell], str], cell: LayerCell, *, words: bool
) -> str:
    if tone == "sup":
        return small() if words else f"< {THRESHOLD}"
    if tone == "none":
        return _("none yet") if words else "–"
    return value(cell)


def told(tone: str, cell: LayerCell, how: Valuing) -> str:
    """One unit's number as a sentence, for ears and for the line under the map."""
    if tone == "none":
        return _("nothing sent yet")
    if cell.count is None or tone == "sup":
        return _("%(small)s, number not told", small=small())
    cases = cases_words(cell.count)
    if tone[0] in "df":
        return _(
            "%(cases)s, %(change)s against the year before", cases=cases, change=how.value(cell)
        )
    if cell.rate is None:
        return cases
    return _("%(rate)s per 10,000 inhabitants, %(cases)s", rate=num(cell.rate, 1), cases=cases)


@dataclass(frozen=True)
class Near:
    """A closer look at small units: its box and the units that are in it."""

    box: tuple[float, float, float, float]
    codes: frozenset[str]


def _near(drawing: Schematic) -> Near | None:
    if not drawing.clusters:
        return None
    west, north, width, height = box = drawing.clusters[0].box
    inside = {
        cell.code
        for cell in drawing.cells
        if max(x for x, _y in cell.ring) > west
        and min(x for x, _y in cell.ring) < west + width
        and max(y for _x, y in cell.ring) > north
        and min(y for _x, y in cell.ring) < north + height
    }
    return Near(box, frozenset(inside))


@dataclass(frozen=True)
class ShownDrawing:
    """A drawing ready for the page."""

    width: float
    height: float
    outline: str
    cells: tuple[ShownCell, ...]
    hot_paths: tuple[str, ...]
    marks: tuple[Mark, ...]
    near: Near | None
    legend_row: int | None
    title_free: bool
    note_free: bool


LEGEND_BOX = (186.0, 270.0)
TITLE_BOX = (250.0, 132.0)
NOTE_BOX = (290.0, 62.0)
ROWS = 20
"""The legend is set beside the drawing at one of so many heights."""


def drawn(
    drawing: Schematic,
    figures: Figures,
    how: Valuing,
    names: Mapping[str, str],
    *,
    chosen: str,
    looks: Sequence[Look] = (),
) -> ShownDrawing:
    """The drawing with colours, hot spots and letters, and where words find free room."""
    plain = plain_drawing(drawing, figures.layer, how, names, chosen=chosen)
    return replace(
        plain,
        hot_paths=tuple(group_path(drawing, spot.codes) for spot in figures.hotspots),
        marks=(*_numbers(drawing, figures), *_letters(drawing, looks)),
    )


def plain_drawing(
    drawing: Schematic, layer: Layer, how: Valuing, names: Mapping[str, str], *, chosen: str
) -> ShownDrawing:
    """The drawing without hot spots and letters, for the public."""
    return ShownDrawing(
        width=drawing.width,
        height=drawing.height,
        outline=drawing.outline_path,
        cells=cells(drawing, layer, how, names, chosen),
        hot_paths=(),
        marks=(),
        near=_near(drawing),
        legend_row=_free_row(drawing),
        title_free=_is_free(drawing, 0, 0, *TITLE_BOX),
        note_free=_is_free(
            drawing, drawing.width - NOTE_BOX[0], drawing.height - NOTE_BOX[1], *NOTE_BOX
        ),
    )


def _numbers(drawing: Schematic, figures: Figures) -> list[Mark]:
    """Each hot spot's number at its lowest corner, outside of the names."""
    rings = {cell.code: cell.ring for cell in drawing.cells}
    marks = []
    for spot in figures.hotspots:
        corners = [point for code in spot.codes if code in rings for point in rings[code]]
        if corners:
            x, y = max(corners, key=lambda point: (point[1], -point[0]))
            marks.append(Mark(str(spot.number), x, min(y, drawing.height - 10), "hot"))
    return marks


def _letters(drawing: Schematic, looks: Sequence[Look]) -> list[Mark]:
    places = {cell.code: cell.label for cell in drawing.cells}
    return [
        Mark(
            look.mark,
            places[look.code].x,
            round(places[look.code].y - 1.72 * places[look.code].font_size, 2),
            "look",
        )
        for look in looks
        if look.kind == "look" and look.code in places
    ]


def _free_row(drawing: Schematic) -> int | None:
    """A height, in twentieths, from which the legend covers no cell at the left edge."""
    width, height = LEGEND_BOX
    tops = {row: row * drawing.height / ROWS for row in range(5, ROWS)}
    free = [
        row
        for row, top in tops.items()
        if top + height <= drawing.height and _is_free(drawing, 0, top, width, height)
    ]
    return free[len(free) // 2] if free else None


def _is_free(drawing: Schematic, left: float, top: float, width: float, height: float) -> bool:
    """Whether no corner nor cell lies in the box; cells are smaller than any box asked about."""
    right, bottom = left + width, top + height
    return not any(
        left < x < right and top < y < bottom for cell in drawing.cells for x, y in cell.ring
    )


def looks(figures: Figures, names: Mapping[str, str], months: Sequence[Period]) -> list[Look]:
    """Where to look: communes far above their own usual, then hot spots, each in a sentence."""
    month = months[-1].label()
    found = [
        Look(
            mark=LETTERS[k],
            kind="look",
            code=alarm.code,
            title=names[alarm.code],
            detail=_(
                "%(count)s cases in %(month)s, usually %(usual)s",
                count=num(alarm.count),
                month=month,
                usual=f"{num(alarm.low)}\u00a0–\u00a0{num(alarm.high)}",
            ),
            text=_(
                "Far above its own usual month. Open the cases: do they share a cause,"
                " or a project?"
            ),
            **_spark(figures.series[alarm.code], alarm.low, alarm.high),
        )
        for k, alarm in enumerate(figures.alarms[:MOST_ALARMS])
    ]
    return found + [_hot_look(spot.number, spot.codes, names) for spot in figures.hotspots]


def _hot_look(number: int, codes: Sequence[str], names: Mapping[str, str]) -> Look:
    return Look(
        mark=str(number),
        kind="hot",
        code=codes[0],
        title=_("Hot spot %(number)s", number=number),
        detail=ngettext("%(num)s commune", "%(num)s communes", len(codes)),
        text=_(
            "%(names)s: high together, more than chance explains (under 5 %% by chance).",
            names=", ".join(names[code] for code in codes),
        ),
        spark="",
        usual=None,
    )


SPARK = (92.0, 40.0)


def _spark(series: Sequence[int], low: int, high: int) -> dict[str, Any]:
    """Thirteen months as a small line, with the band of the usual."""
    points = list(series)[-13:]
    top = max([*points, high, 1])
    width, height = SPARK
    step = (width - 8) / max(len(points) - 1, 1)

    def down(value: float) -> float:
        return round(height - 4 - value / top * (height - 8), 1)

    line = " ".join(f"{4 + k * step:.1f},{down(value)}" for k, value in enumerate(points))
    return {"spark": line, "usual": (down(high), round(down(low) - down(high), 1))}


BARS = (580.0, 62.0)


def bars(figures: Figures, period: Period, *, compare: bool) -> list[Bar]:
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


@dataclass(frozen=True)
class ShownRow:
    """A line of the table: the same numbers as the drawing."""

    code: str
    name: str
    count: str
    rate: str
    share: float
    tone: str
    before: str
    change: str
    settled: str
    hot: str
    look: str
    small: bool


def rows(
    figures: Figures, names: Mapping[str, str], looks_: Sequence[Look], sort: str
) -> list[ShownRow]:
    """Every unit; highest rate first unless another column was chosen."""
    hot = {code: str(spot.number) for spot in figures.hotspots for code in spot.codes}
    letters = {look.code: look.mark for look in looks_ if look.kind == "look"}
    highest = max((cell.rate or 0 for cell in figures.layer.cells), default=0) or 1
    return [
        _row(cell, figures, names, highest, hot, letters) for cell in sorted_cells(figures, sort)
    ]


def sorted_cells(figures: Figures, sort: str) -> list[LayerCell]:
    """Cells in the order asked for; hidden and missing numbers always at the end."""
    listed = list(figures.layer.rows)
    key, down = sort.lstrip("-"), sort.startswith("-")
    if not key:
        return listed

    def value(cell: LayerCell) -> float | None:
        changed = figures.changes.get(cell.code)
        return {
            "so-vu": cell.count,
            "ty-le": cell.rate,
            "truoc": figures.before.get(cell.code),
            "thay-doi": None if changed is None else changed.difference,
            "da-xong": figures.settled.get(cell.code),
        }.get(key)

    if key == "ten":
        return sorted(listed, key=lambda c: figures.units[c.code].folded_name, reverse=down)
    known = [cell for cell in listed if value(cell) is not None]
    unknown = [cell for cell in listed if value(cell) is None]
    return sorted(known, key=lambda cell: value(cell) or 0, reverse=down) + unknown


def _row(
    cell: LayerCell,
    figures: Figures,
    names: Mapping[str, str],
    highest: float,
    hot: Mapping[str, str],
    letters: Mapping[str, str],
) -> ShownRow:
    hidden = _("nothing sent yet") if cell.not_reported else small()
    before = figures.before.get(cell.code)
    return ShownRow(
        code=cell.code,
        name=names[cell.code],
        count=num(cell.count) if cell.count is not None else hidden,
        rate=num(cell.rate, figures.layer.breaks.places) if cell.rate is not None else "–",
        share=round(100 * (cell.rate or 0) / highest, 1),
        tone=_tone(cell, cell.step),
        before=num(before) if before is not None else "–",
        change=change_words(figures.changes.get(cell.code)),
        settled=num(figures.settled[cell.code]) if cell.code in figures.settled else "–",
        hot=hot.get(cell.code, ""),
        look=letters.get(cell.code, ""),
        small=cell.count is None,
    )


@dataclass(frozen=True)
class Headline:
    """The one large number above the map, and the sentence that says what it is."""

    number: str
    words: str
    below: str
    rising: bool | None


def headline(figures: Figures, value: str, field_label: str, period: Period) -> Headline:
    """The whole province in one number."""
    totals, changed = figures.layer.totals, figures.total_change
    what = _("cases (%(field)s)", field=field_label.lower()) if field_label else _("cases")
    when = period_words(period)
    count = total_words(figures)
    trend = "" if changed is None else _trend(changed)
    rising = None if changed is None else changed.difference > 0
    below = count + (f", {trend}" if trend else "")
    if value == "so-sanh":
        return Headline(
            change_words(changed),
            _("%(what)s, %(when)s against the year before", what=what, when=when),
            _(
                "%(cases)s, %(before)s the year before",
                cases=count,
                before=num(figures.before.get(TOTAL)),
            ),
            rising,
        )
    if value == "so-vu":
        number = small() if totals.count is None else num(totals.count)
        return Headline(number, _("%(what)s, %(when)s", what=what, when=when), trend, rising)
    return Headline(
        num(totals.rate, 2),
        _("%(what)s per 10,000 inhabitants, %(when)s", what=what, when=when),
        below,
        rising,
    )


def total_words(figures: Figures) -> str:
    """How many cases in the whole province, or that the number is hidden."""
    count = figures.layer.totals.count
    return small() if count is None else cases_words(count)


def _trend(changed: Change) -> str:
    if changed.difference == 0:
        return _("the same as the year before")
    if changed.percent is None:
        return ""
    many = num(abs(changed.percent))
    if changed.difference > 0:
        return _("up %(many)s %%", many=many)
    return _("down %(many)s %%", many=many)


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
