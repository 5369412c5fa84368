"""Puts the public page together: plain words, the shown numbers, nothing that was hidden."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from reception.datamap.colours import ShownLegend, by_rate
from reception.datamap.drawings import TABLE
from reception.datamap.forms import PublicFilter
from reception.datamap.operations import Choices
from reception.datamap.pages import field_labels
from reception.datamap.publication import PublicPicture
from reception.datamap.sketch import ShownDrawing, plain_drawing
from reception.datamap.wording import cases_words, period_words, titled, untold
from reception.templating import num
from workflows.datamap.layer import LayerCell
from workflows.datamap.suppression import TOTAL


@dataclass(frozen=True)
class PublicRow:
    """A line of the public table."""

    code: str
    name: str
    count: str
    rate: str
    share: float
    tone: str


@dataclass(frozen=True)
class PublicPage:
    """All that the template of the public map needs."""

    filter: PublicFilter
    endpoint: str
    drawing: ShownDrawing | None
    view: str
    borders_source: str
    legend: tuple[ShownLegend, ...]
    legend_title: str
    quarter: str
    quarter_words: str
    quarters: list[tuple[str, str]]
    fields: list[tuple[str, str]]
    field_label: str
    total: str
    rate: str
    rows: list[PublicRow]
    chosen: PublicRow | None
    published_at: datetime | None
    nothing: bool


def public_page(
    filter_: PublicFilter, picture: PublicPicture, known: Choices, *, endpoint: str
) -> PublicPage:
    """One quarter and one broad field."""
    layer, how = picture.layer, by_rate(picture.layer)
    labels = field_labels(known)
    schematic = picture.drawing.schematic if picture.drawing.view != TABLE else None
    rows = [_row(cell, picture) for cell in layer.rows]
    return PublicPage(
        filter=filter_,
        endpoint=endpoint,
        drawing=None
        if schematic is None
        else plain_drawing(schematic, layer, how, picture.names, chosen=filter_.unit),
        view=picture.drawing.view,
        borders_source=picture.drawing.source,
        legend=how.legend,
        legend_title=how.title,
        quarter=layer.period.code,
        quarter_words=period_words(layer.period),
        quarters=[(quarter.code, titled(quarter)) for quarter in picture.quarters],
        fields=[(TOTAL, _("All fields")), *((code, labels[code]) for code in known.roots)],
        field_label=labels.get(filter_.field, ""),
        total=untold() if layer.totals.count is None else cases_words(layer.totals.count),
        rate=num(layer.totals.rate, 2),
        rows=rows,
        chosen=next((row for row in rows if row.code == filter_.unit), None),
        published_at=picture.published_at,
        nothing=all(cell.count is None for cell in layer.cells),
    )


def _row(cell: LayerCell, picture: PublicPicture) -> PublicRow:
    layer = picture.layer
    highest = max((c.rate or 0 for c in layer.cells), default=0) or 1
    return PublicRow(
        code=cell.code,
        name=picture.names[cell.code],
        count=untold() if cell.count is None else num(cell.count),
        rate=num(cell.rate, layer.breaks.places) if cell.rate is not None else "–",
        share=round(100 * (cell.rate or 0) / highest, 1),
        tone=by_rate(layer).tone(cell),
    )
