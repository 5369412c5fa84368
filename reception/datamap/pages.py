"""Puts one page of the map together from its numbers and its words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from reception.datamap.addresses import address_of
from reception.datamap.colours import ShownLegend, valuing
from reception.datamap.drawings import BORDERS, HEXAGON, SCHEMATIC, TABLE
from reception.datamap.figures import Figures
from reception.datamap.forms import KINDS, SHAPES, VALUES, MapFilter
from reception.datamap.leading import Headline, headline_of
from reception.datamap.looks import Look, places_to_look
from reception.datamap.operations import CaseList, Choices, Picture, UnitFigures
from reception.datamap.panel import Panel, opened_panel
from reception.datamap.sketch import ShownDrawing, drawn
from reception.datamap.slider import Bar, month_bars
from reception.datamap.table import ShownRow, table_rows
from reception.datamap.wording import period_words, total_words
from storage.models import Field
from workflows.datamap.suppression import TOTAL


def label_of(field: Field) -> str:
    """A field's name in the reader's language."""
    return field.label_en if str(get_locale()) == "en" else field.label_vi


def field_labels(known: Choices) -> dict[str, str]:
    """Every field's name by code."""
    return {field.code: label_of(field) for field in known.fields}


def field_options(known: Choices) -> list[Any]:
    """The tree of fields as a list to choose from: a broad field, then its own below it."""
    options: list[Any] = [(TOTAL, _("All fields"))]
    for root in (field for field in known.fields if field.parent_code is None):
        below = known.within(root.code) or []
        if len(below) == 1:
            options.append((root.code, label_of(root)))
            continue
        named = {field.code: label_of(field) for field in known.fields}
        inner = [(root.code, _("%(field)s: all", field=label_of(root)))]
        inner += [(code, named[code]) for code in below[1:]]
        options.append({"group": label_of(root), "options": inner})
    return options


def kind_options() -> list[tuple[str, str]]:
    """Kinds that may be on the map."""
    return [("", _("Complaints, recommendations, feedback")), *kind_labels().items()]


def kind_labels() -> dict[str, str]:
    """The kinds' names by the word in the address."""
    words = (_("Complaints"), _("Recommendations"), _("Feedback"))
    return dict(zip(KINDS, words, strict=True))


@dataclass(frozen=True)
class MapPage:
    """All that the template of the internal map needs."""

    filter: MapFilter
    headline: Headline
    total: str
    legend: tuple[ShownLegend, ...]
    legend_title: str
    drawing: ShownDrawing | None
    view: str
    borders_source: str
    borders_from: date | None
    looks: list[Look]
    bars: list[Bar]
    rows: list[ShownRow]
    panel: Panel | None
    heads: list[dict[str, Any]]
    value_links: list[dict[str, Any]]
    shape_links: list[dict[str, Any]]
    size_links: list[dict[str, Any]]
    period_label: str
    period_open: bool
    hidden_for_viewer: bool
    unplaced: int
    denunciations: int | None
    units: int
    may_publish: bool
    nothing: bool


def internal_page(
    filter_: MapFilter,
    picture: Picture,
    known: Choices,
    opened: UnitFigures | None,
    today: date,
    *,
    may_publish: bool = False,
) -> MapPage:
    """The internal map."""
    figures = picture.figures
    names = {unit.code: unit.full_name for unit in known.units}
    how = valuing(figures, filter_.value)
    looks = places_to_look(figures, names, filter_.period.months())
    drawing = picture.drawing.schematic if picture.drawing.view != TABLE else None
    labels = field_labels(known)
    return MapPage(
        filter=filter_,
        headline=headline_of(figures, filter_.value, labels.get(filter_.field, ""), filter_.period),
        total=total_words(figures),
        legend=how.legend,
        legend_title=how.title,
        drawing=None
        if drawing is None
        else drawn(drawing, figures, how, names, chosen=filter_.unit, looks=looks),
        view=picture.drawing.view,
        borders_source=picture.drawing.source,
        borders_from=picture.drawing.valid_from_on,
        looks=looks,
        bars=month_bars(figures, filter_.period, compare=filter_.value == "so-sanh"),
        rows=table_rows(figures, names, looks, filter_.sort),
        panel=None if opened is None else opened_panel(filter_, figures, opened, labels),
        heads=_heads(filter_, figures),
        value_links=_value_links(filter_),
        shape_links=_shape_links(filter_, picture),
        size_links=_size_links(filter_),
        period_label=period_words(filter_.period),
        period_open=filter_.period.last_on >= today,
        hidden_for_viewer=not figures.viewer.whole,
        unplaced=figures.unplaced,
        denunciations=picture.denunciations,
        units=len(known.units),
        may_publish=may_publish,
        nothing=all(cell.not_reported for cell in figures.layer.cells),
    )


def _link(filter_: MapFilter, **changes: str) -> str:
    return address_of(".show", filter_.address(**changes))


def _value_links(filter_: MapFilter) -> list[dict[str, Any]]:
    words = (_("Per 10,000"), _("Against last year"), _("Cases"))
    return [
        {"label": label, "href": _link(filter_, value=name), "current": filter_.value == name}
        for name, label in zip(VALUES, words, strict=True)
    ]


def _shape_links(filter_: MapFilter, picture: Picture) -> list[dict[str, Any]]:
    words = {
        BORDERS: (_("Borders"), "flag"),
        SCHEMATIC: (_("Cells"), "map"),
        HEXAGON: (_("Hexagons"), "hexagon"),
        TABLE: (_("Table"), "list"),
    }
    named = {view: word for word, view in SHAPES.items()}
    return [
        {
            "label": words[view][0],
            "icon": words[view][1],
            "href": _link(filter_, shape=named[view]),
            "current": picture.drawing.view == view,
        }
        for view in picture.drawing.offered
    ]


def _size_links(filter_: MapFilter) -> list[dict[str, Any]]:
    return [
        {"label": label, "href": _link(filter_, size=name), "size": name}
        for name, label in (("vua", _("Fit the screen")), ("to", _("Read the names")))
    ]


def _heads(filter_: MapFilter, figures: Figures) -> list[dict[str, Any]]:
    """Headings of the table; each sorts, the second time the other way round."""
    before = filter_.period.same_last_year().label()
    columns = (
        ("ten", _("Commune, ward"), False),
        ("so-vu", _("Cases"), True),
        ("ty-le", _("Per 10,000"), True),
        ("truoc", before, True),
        ("thay-doi", _("Difference"), True),
        ("da-xong", _("Settled"), True),
    )
    current = filter_.sort or "-ty-le"
    heads = []
    for name, label, number in columns:
        down = f"-{name}"
        sort = {name: "ascending", down: "descending"}.get(current, "none")
        first = down if number else name
        turned = (name if number else down) if current == first else first
        heads.append(
            {
                "text": label,
                "num": number and name != "ty-le",
                "sort": sort,
                "href": _link(filter_, sort=turned) + "#bang-so",
            }
        )
    return heads


def case_kinds() -> dict[str, str]:
    """The kind of one case as a word."""
    return {
        "complaint": _("Complaint"),
        "recommendation": _("Recommendation"),
        "feedback": _("Feedback"),
    }


def case_url(case_id: UUID) -> str:
    """The page of a case."""
    return url_for("cases.show", case_id=case_id)


def page_links(filter_: MapFilter, found: CaseList) -> dict[str, Any] | None:
    """Links to the other pages of the list, if there are any."""
    if found.pages == 1:
        return None

    def href(number: int) -> str:
        return address_of(".case_list", {**filter_.address(), "trang": str(number)})

    return {
        "previous": href(found.page - 1) if found.page > 1 else None,
        "next": href(found.page + 1) if found.page < found.pages else None,
        "items": [
            {"number": number, "href": href(number), "current": number == found.page}
            for number in range(1, found.pages + 1)
        ],
    }
