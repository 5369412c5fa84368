"""Puts one page of the map together from its numbers and its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from reception.datamap import shown
from reception.datamap.drawings import BORDERS, HEXAGON, SCHEMATIC, TABLE
from reception.datamap.figures import Figures
from reception.datamap.forms import KINDS, SHAPES, VALUES, MapFilter
from reception.datamap.operations import CaseList, Choices, Picture, UnitFigures
from reception.datamap.shown import Headline, Look, ShownDrawing, ShownLegend, ShownRow
from reception.templating import num
from storage.models import Field, Unit
from workflows.datamap.change import change
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
class Panel:
    """One commune opened beside the map."""

    code: str
    name: str
    facts: str
    hidden: str
    stats: list[tuple[str, str, str]]
    parts: list[tuple[str, str, float]]
    bars: list[tuple[float, float, float, float, str]]
    first_month: str
    last_month: str
    hot: str
    list_url: str
    list_words: str
    close_url: str


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
    bars: list[shown.Bar]
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
    how = shown.valuing(figures, filter_.value)
    looks = shown.looks(figures, names, filter_.period.months())
    drawing = picture.drawing.schematic if picture.drawing.view != TABLE else None
    labels = field_labels(known)
    return MapPage(
        filter=filter_,
        headline=shown.headline(
            figures, filter_.value, labels.get(filter_.field, ""), filter_.period
        ),
        total=shown.total_words(figures),
        legend=how.legend,
        legend_title=how.title,
        drawing=None
        if drawing is None
        else shown.drawn(drawing, figures, how, names, chosen=filter_.unit, looks=looks),
        view=picture.drawing.view,
        borders_source=picture.drawing.source,
        borders_from=picture.drawing.valid_from_on,
        looks=looks,
        bars=shown.bars(figures, filter_.period, compare=filter_.value == "so-sanh"),
        rows=shown.rows(figures, names, looks, filter_.sort),
        panel=None if opened is None else panel(filter_, figures, opened, known),
        heads=_heads(filter_, figures),
        value_links=_value_links(filter_),
        shape_links=_shape_links(filter_, picture),
        size_links=_size_links(filter_),
        period_label=shown.period_words(filter_.period),
        period_open=filter_.period.last_on >= today,
        hidden_for_viewer=not figures.viewer.whole,
        unplaced=figures.unplaced,
        denunciations=picture.denunciations,
        units=len(known.units),
        may_publish=may_publish,
    )


def address_of(endpoint: str, words: Mapping[str, str]) -> str:
    """The address of a page of the map with these words behind the question mark."""
    values: dict[str, Any] = dict(words)
    return url_for(endpoint, **values)


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


def panel(filter_: MapFilter, figures: Figures, opened: UnitFigures, known: Choices) -> Panel:
    """One commune: its numbers, its months, what its cases are about, and the list behind."""
    unit, cell = opened.unit, figures.layer.cell(opened.unit.code)
    hidden = ""
    if cell.not_reported:
        hidden = _("This commune has sent nothing in twelve months.")
    elif cell.suppressed:
        hidden = _(
            "Too few cases to tell a number here. The commune itself and the province see it."
        )
    hot = next((spot for spot in figures.hotspots if unit.code in spot.codes), None)
    return Panel(
        code=unit.code,
        name=unit.full_name,
        facts=_facts(unit),
        hidden=hidden,
        stats=[] if hidden else _stats(figures, unit.code),
        parts=_parts(opened, field_labels(known)),
        bars=_panel_bars(figures, unit.code),
        first_month=figures.months[0].label(),
        last_month=figures.months[-1].label(),
        hot="" if hot is None else _hot_words(figures, hot.number, hot.codes, unit.code),
        list_url=address_of(".case_list", filter_.address(unit=unit.code)),
        list_words=_list_words(cell.count),
        close_url=_link(filter_, unit=""),
    )


def _facts(unit: Unit) -> str:
    people = _("%(count)s inhabitants", count=num(unit.population)) if unit.population else ""
    land = f"{num(unit.area_km2, 1)} km²" if unit.area_km2 else ""
    return " · ".join(part for part in (people, land) if part)


def _stats(figures: Figures, code: str) -> list[tuple[str, str, str]]:
    """Value, what it is, and a small line below."""
    cell, before = figures.layer.cell(code), figures.before.get(code)
    changed = change(cell.count, before)
    stats = [
        (num(cell.rate, figures.layer.breaks.places), _("per 10,000"), _rank(figures, code)),
        (num(cell.count), _("cases"), ""),
        (
            shown.change_words(changed),
            _("against"),
            _("last year (%(count)s)", count=num(before)),
        ),
    ]
    if code in figures.settled:
        stats.append((num(figures.settled[code]), _("settled"), ""))
    return stats


def _rank(figures: Figures, code: str) -> str:
    known = [cell.code for cell in figures.layer.rows if cell.rate is not None]
    if code not in known:
        return ""
    place = known.index(code) + 1
    if place == 1:
        return _("highest")
    return _("number %(place)s of %(count)s", place=place, count=len(known))


def _parts(opened: UnitFigures, labels: Mapping[str, str]) -> list[tuple[str, str, float]]:
    parts = opened.by_field or []
    highest = max((count for _field, count in parts), default=1)
    return [
        (labels.get(field, _("Other")), num(count), round(100 * count / highest, 1))
        for field, count in parts[:6]
    ]


def _panel_bars(figures: Figures, code: str) -> list[tuple[float, float, float, float, str]]:
    """x, y, width, height and words of each month; empty where months are hidden."""
    series = figures.series.get(code, ())
    width, height = 360.0, 56.0
    highest, step = max([*series, 1]), width / max(len(series), 1)
    return [
        (
            round(k * step + 0.8, 1),
            round(height - max(height * count / highest, 1.0), 1),
            round(step - 1.6, 1),
            round(max(height * count / highest, 1.0), 1),
            f"{figures.months[k].label()}: {shown.cases_words(count)}",
        )
        for k, count in enumerate(series)
    ]


def _hot_words(figures: Figures, number: int, codes: tuple[str, ...], code: str) -> str:
    others = ", ".join(figures.units[other].name for other in codes if other != code)
    if not others:
        return _("Hot spot %(number)s: far higher than its neighbours.", number=number)
    return _(
        "Hot spot %(number)s, together with %(names)s: high together,"
        " more than chance explains (under 5 %% by chance).",
        number=number,
        names=others,
    )


def _list_words(count: int | None) -> str:
    return _("Open the cases") if not count else _("Open %(cases)s", cases=shown.cases_words(count))


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
