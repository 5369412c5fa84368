"""The table beside the drawing: the same numbers, in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from reception.datamap.colours import tone_of
from reception.datamap.figures import Figures
from reception.datamap.looks import Look
from reception.datamap.wording import change_words, untold
from reception.templating import num
from workflows.datamap.layer import LayerCell


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
    untold: bool


def table_rows(
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
    hidden = _("nothing sent yet") if cell.not_reported else untold()
    before = figures.before.get(cell.code)
    return ShownRow(
        code=cell.code,
        name=names[cell.code],
        count=num(cell.count) if cell.count is not None else hidden,
        rate=num(cell.rate, figures.layer.breaks.places) if cell.rate is not None else "–",
        share=round(100 * (cell.rate or 0) / highest, 1),
        tone=tone_of(cell, cell.step),
        before=num(before) if before is not None else "–",
        change=change_words(figures.changes.get(cell.code)),
        settled=num(figures.settled[cell.code]) if cell.code in figures.settled else "–",
        hot=hot.get(cell.code, ""),
        look=letters.get(cell.code, ""),
        untold=cell.count is None,
    )
