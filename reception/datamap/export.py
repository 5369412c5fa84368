"""The map's numbers as a document for scripts, a spreadsheet and a text table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO, StringIO
from typing import Any

import xlsxwriter
from flask_babel import gettext as _

from reception.datamap.colours import break_lines
from reception.datamap.figures import Figures
from reception.datamap.forms import MapFilter
from reception.datamap.operations import Choices, Picture
from reception.datamap.pages import field_labels, kind_labels
from reception.datamap.publication import PublicPicture
from reception.datamap.table import sorted_cells
from reception.datamap.wording import untold
from reception.templating import num, vndatetime
from workflows.datamap.layer import LayerCell
from workflows.datamap.rates import Breaks, rate
from workflows.datamap.suppression import TOTAL

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def data_document(
    filter_: MapFilter, figures: Figures, *, as_of: datetime, played: bool = False
) -> dict[str, Any]:
    """Numbers of the period and of each month; null where hidden or not known."""
    layer = figures.layer
    return {
        "as_of": as_of.isoformat(),
        "field": filter_.field,
        "kinds": [kind.value for kind in filter_.kinds],
        "period": {"code": filter_.period.code, "label": filter_.period.label()},
        "breaks": list(layer.breaks.limits),
        "total": {"cases": layer.totals.count, "rate": _rounded(layer.totals.rate)},
        "months": [
            {"code": month.code, "label": month.label(), "cases": total}
            for month, total in zip(
                figures.months,
                figures.month_totals if figures.exact_totals else [None] * len(figures.months),
                strict=True,
            )
        ],
        "units": [_unit(cell, figures) for cell in layer.cells],
        "played": months_played(figures) if played and figures.exact_totals else None,
    }


def _unit(cell: LayerCell, figures: Figures) -> dict[str, Any]:
    return {
        "code": cell.code,
        "name": figures.units[cell.code].full_name,
        "population": cell.population,
        "cases": cell.count,
        "rate": _rounded(cell.rate),
        "step": cell.step,
        "before": figures.before.get(cell.code),
        "suppressed": cell.suppressed,
        "not_reported": cell.not_reported,
        "months": figures.series.get(cell.code),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def months_played(figures: Figures) -> dict[str, Any]:
    """Colour and words of every unit in every month, for the moving slider."""
    breaks = figures.month_breaks
    return {
        "legend": [line.words for line in break_lines(breaks)],
        "units": {
            code: [_played(count, figures.units[code].population, breaks) for count in counts]
            for code, counts in figures.series.items()
        },
    }


def _played(count: int, population: int | None, breaks: Breaks) -> list[str]:
    value = rate(count, population)
    if value is None:
        return ["blank", "–"]
    return [f"r{breaks.step_of(value)}", num(value, breaks.places)]


def _table(filter_: MapFilter, picture: Picture) -> tuple[list[str], list[list[Any]]]:
    figures = picture.figures
    names = {code: unit.full_name for code, unit in figures.units.items()}
    head = [
        _("Code"),
        _("Commune, ward"),
        _("Inhabitants"),
        _("Cases"),
        _("Per 10,000 inhabitants"),
        filter_.period.same_last_year().label(),
        _("Settled"),
        _("Hot spot"),
    ]
    hot = {code: spot.number for spot in figures.hotspots for code in spot.codes}
    rows = [
        [
            cell.code,
            names[cell.code],
            cell.population,
            _number(cell),
            _rounded(cell.rate),
            figures.before.get(cell.code),
            figures.settled.get(cell.code),
            hot.get(cell.code),
        ]
        for cell in sorted_cells(figures, filter_.sort)
    ]
    totals = figures.layer.totals
    count = untold() if totals.count is None else totals.count
    before = figures.before.get(TOTAL)
    rows.append(["", _("Whole province"), None, count, _rounded(totals.rate), before, None, None])
    return head, rows


def _number(cell: LayerCell) -> int | str:
    if cell.not_reported:
        return _("nothing sent yet")
    return untold() if cell.count is None else cell.count


def _preface(filter_: MapFilter, known: Choices, as_of: datetime) -> list[str]:
    """What the numbers are, above them, so that a file explains itself."""
    field = field_labels(known).get(filter_.field, _("All fields"))
    kind = kind_labels().get(filter_.kind, _("Complaints, recommendations, feedback"))
    return [
        _("Data map"),
        f"{field} · {kind} · {filter_.period.label()}",
        _("Numbers as of %(when)s; denunciations are not counted", when=vndatetime(as_of)),
    ]


def spreadsheet(
    filter_: MapFilter, picture: Picture, known: Choices, *, as_of: datetime
) -> tuple[bytes, str]:
    """An XLSX file and its type."""
    out = BytesIO()
    head, rows = _table(filter_, picture)
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        number = book.add_format({"num_format": "#,##0"})
        share = book.add_format({"num_format": "#,##0.00"})
        sheet = book.add_worksheet(_("Data map")[:31])
        preface = _preface(filter_, known, as_of)
        for line, words in enumerate(preface):
            sheet.write_string(line, 0, words)
        top = len(preface) + 1
        sheet.write_row(top, 0, head, bold)
        for line, row in enumerate(rows, start=top + 1):
            _write(sheet, line, row, number, share)
        sheet.set_column(0, 0, 9)
        sheet.set_column(1, 1, 26)
        sheet.set_column(2, 7, 13)
        sheet.freeze_panes(top + 1, 2)
        sheet.autofilter(top, 0, top + len(rows) - 1, len(head) - 1)
    return out.getvalue(), XLSX


def _write(sheet: Any, line: int, row: Sequence[Any], number: Any, share: Any) -> None:
    for column, value in enumerate(row):
        if isinstance(value, str):
            sheet.write_string(line, column, value)
        elif value is not None:
            sheet.write_number(line, column, value, share if isinstance(value, float) else number)


def text_table(
    filter_: MapFilter, picture: Picture, known: Choices, *, as_of: datetime
) -> tuple[bytes, str]:
    """A CSV file in UTF-8 with a mark, as spreadsheet programs want it, and its type."""
    out = StringIO()
    writer = csv.writer(out)
    head, rows = _table(filter_, picture)
    writer.writerows([[line] for line in _preface(filter_, known, as_of)])
    writer.writerow(head)
    writer.writerows([["" if value is None else value for value in row] for row in rows])
    return ("\ufeff" + out.getvalue()).encode(), "text/csv; charset=utf-8"


def public_table_text(picture: PublicPicture) -> bytes:
    """The public table as CSV: what the page shows, nothing more."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [_("Code"), _("Commune, ward"), _("Cases"), _("Per 10,000 inhabitants"), _("Quarter")]
    )
    for cell in picture.layer.rows:
        count = untold() if cell.count is None else cell.count
        rate_ = "" if cell.rate is None else round(cell.rate, 2)
        writer.writerow(
            [cell.code, picture.names[cell.code], count, rate_, picture.layer.period.code]
        )
    return ("\ufeff" + out.getvalue()).encode()
