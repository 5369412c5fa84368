"""A drawing ready for the page: cells with colour and words, hot spots, letters, free corners."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from flask_babel import gettext as _

from reception.datamap.colours import Valuing, told
from reception.datamap.figures import Figures
from reception.datamap.looks import Look
from reception.datamap.wording import untold
from workflows.datamap.geometry import group_path
from workflows.datamap.layer import Layer, LayerCell
from workflows.datamap.schematic import Cell, Schematic

DARK = frozenset({"r4", "r3", "d4", "d0"})
"""Colours that need white letters."""

LEGEND_BOX = (186.0, 270.0)

TITLE_BOX = (250.0, 132.0)

NOTE_BOX = (290.0, 62.0)

ROWS = 20
"""The legend is set beside the drawing at one of so many heights."""


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
class Near:
    """A closer look at small units: its box and the units that are in it."""

    box: tuple[float, float, float, float]
    codes: frozenset[str]


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
        return untold() if words else "…"
    if tone == "none":
        return _("none yet") if words else "–"
    return value(cell)


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
