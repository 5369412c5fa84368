"""One commune opened beside the map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from reception.datamap.addresses import address_of
from reception.datamap.figures import Figures
from reception.datamap.forms import MapFilter
from reception.datamap.operations import UnitFigures
from reception.datamap.wording import cases_words, change_words
from reception.templating import num
from storage.models import Unit
from workflows.datamap.change import change


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


def opened_panel(
    filter_: MapFilter, figures: Figures, opened: UnitFigures, labels: Mapping[str, str]
) -> Panel:
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
        parts=_parts(opened, labels),
        bars=_panel_bars(figures, unit.code),
        first_month=figures.months[0].label(),
        last_month=figures.months[-1].label(),
        hot="" if hot is None else _hot_words(figures, hot.number, hot.codes, unit.code),
        list_url=address_of(".case_list", filter_.address(unit=unit.code)),
        list_words=_list_words(cell.count),
        close_url=address_of(".show", filter_.address(unit="")),
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
            change_words(changed),
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
            f"{figures.months[k].label()}: {cases_words(count)}",
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
    return _("Open the cases") if not count else _("Open %(cases)s", cases=cases_words(count))
