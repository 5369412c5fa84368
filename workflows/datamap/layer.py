"""One picture's worth of numbers: what each unit shows for a field and a period.

The map, its table twin, the exports and the command line all read the same `Layer`, so they can
never disagree.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from workflows.datamap.periods import Period
from workflows.datamap.rates import Breaks, LegendItem, legend, rate
from workflows.datamap.suppression import (
    THRESHOLD,
    TOTAL,
    Key,
    NotForPublic,
    PublicTable,
    ensure_public_kinds,
    protected_table,
)
from workflows.kinds import PetitionKind

Viewer = Literal["internal", "public"]


class Named(Protocol):
    """What a layer needs of a unit; the drawing's `UnitFacts` and `Cell` have it."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class CountRow:
    """Cases of one unit, field and kind in the period; a case counted once."""

    unit: str
    field: str
    kind: PetitionKind
    count: int


@dataclass(frozen=True)
class LayerCell:
    """What one unit shows. `step` is the colour, 0 lightest; None where there is none.

    A suppressed or missing number is None, never a guess and never zero.
    """

    code: str
    name: str
    population: int | None
    count: int | None
    rate: float | None
    step: int | None
    suppressed: bool
    not_reported: bool


@dataclass(frozen=True)
class Totals:
    """The whole province; `rate` covers the inhabitants of the units that reported."""

    count: int | None
    rate: float | None
    units: int
    suppressed: int
    not_reported: int


@dataclass(frozen=True)
class Layer:
    """`cells` in the order of codes, `rows` the same cells with the highest rate first."""

    field: str
    period: Period
    viewer: Viewer
    breaks: Breaks
    cells: tuple[LayerCell, ...]
    rows: tuple[LayerCell, ...]
    legend: tuple[LegendItem, ...]
    totals: Totals

    def cell(self, code: str) -> LayerCell:
        """The cell of a unit. Raises KeyError for a unit not on this layer."""
        for cell in self.cells:
            if cell.code == code:
                return cell
        raise KeyError(code)


def build_layer(
    facts_by_unit: Mapping[str, Named],
    counts: Iterable[CountRow],
    population: Mapping[str, int],
    field: str,
    period: Period,
    viewer: Viewer,
    *,
    breaks: Breaks,
    not_reported: Collection[str] = (),
) -> Layer:
    """Numbers of `field` (`TOTAL` for all fields) in `period` for one kind of viewer.

    `counts` must already be limited to what an internal viewer may see. A public viewer gets the
    protected table made of them. Raises NotForPublic for a denunciation or, on a public layer, a
    period that is not a quarter.
    """
    rows = list(counts)
    if viewer == "public":
        table = public_table(rows, units=facts_by_unit, period=period)
        return published_layer(
            facts_by_unit,
            table,
            population,
            field,
            period,
            breaks=breaks,
            not_reported=not_reported,
        )
    numbers = _numbers(rows, field, facts_by_unit)
    return _layer(facts_by_unit, numbers, population, field, period, viewer, breaks, not_reported)


def public_table(
    counts: Iterable[CountRow],
    *,
    units: Iterable[str],
    period: Period,
    fields: Iterable[str] = (),
    coarse: Mapping[str, str] | None = None,
    threshold: int = THRESHOLD,
) -> PublicTable:
    """The quarter's table to be published once and kept; `coarse` joins fields into broader ones.

    `fields` are the coarse fields to be listed even when nothing was counted in them. Rows of
    other units are an error. Raises NotForPublic as `build_layer` does.
    """
    rows = list(counts)
    ensure_public_kinds({row.kind for row in rows})
    if not period.is_quarter:
        raise NotForPublic(
            "Lớp công khai chỉ có số liệu theo quý. Chọn một quý, ví dụ 2026-Q3, rồi xem lại."
        )
    joined: dict[Key, int] = {}
    for row in rows:
        key = row.unit, (coarse or {}).get(row.field, row.field)
        joined[key] = joined.get(key, 0) + row.count
    listed = {*fields, *(field for _, field in joined)}
    return protected_table(joined, units=units, fields=listed or {"all"}, threshold=threshold)


def published_layer(
    facts_by_unit: Mapping[str, Named],
    table: PublicTable,
    population: Mapping[str, int],
    field: str,
    period: Period,
    *,
    breaks: Breaks,
    not_reported: Collection[str] = (),
) -> Layer:
    """The public layer from a kept table. A field that the table does not list shows nothing."""
    codes = [*facts_by_unit, TOTAL]
    numbers = {code: table.shown.get((code, field)) for code in codes}
    return _layer(facts_by_unit, numbers, population, field, period, "public", breaks, not_reported)


def _numbers(rows: Iterable[CountRow], field: str, units: Collection[str]) -> dict[str, int | None]:
    numbers = dict.fromkeys([*units, TOTAL], 0)
    for row in rows:
        if row.unit in units and field in (TOTAL, row.field):
            numbers[row.unit] += row.count
            numbers[TOTAL] += row.count
    return dict(numbers)


def _layer(
    facts_by_unit: Mapping[str, Named],
    numbers: Mapping[str, int | None],
    population: Mapping[str, int],
    field: str,
    period: Period,
    viewer: Viewer,
    breaks: Breaks,
    not_reported: Collection[str],
) -> Layer:
    cells = tuple(
        _missing(code, facts_by_unit[code].name, population.get(code))
        if code in not_reported
        else _cell(code, facts_by_unit[code].name, population.get(code), numbers[code], breaks)
        for code in sorted(facts_by_unit)
    )
    totals = _totals(cells, numbers[TOTAL])
    steps = [cell.step for cell in cells if cell.step is not None]
    return Layer(
        field=field,
        period=period,
        viewer=viewer,
        breaks=breaks,
        cells=cells,
        rows=tuple(sorted(cells, key=_table_order)),
        legend=legend(
            breaks, steps, suppressed=totals.suppressed, not_reported=totals.not_reported
        ),
        totals=totals,
    )


def _cell(
    code: str, name: str, population: int | None, count: int | None, breaks: Breaks
) -> LayerCell:
    value = None if count is None else rate(count, population)
    return LayerCell(
        code=code,
        name=name,
        population=population,
        count=count,
        rate=value,
        step=None if value is None else breaks.step_of(value),
        suppressed=count is None,
        not_reported=False,
    )


def _missing(code: str, name: str, population: int | None) -> LayerCell:
    return LayerCell(code, name, population, None, None, None, suppressed=False, not_reported=True)


def _totals(cells: Collection[LayerCell], count: int | None) -> Totals:
    inhabitants = sum(cell.population or 0 for cell in cells if not cell.not_reported)
    return Totals(
        count=count,
        rate=None if count is None else rate(count, inhabitants),
        units=len(cells),
        suppressed=sum(cell.suppressed for cell in cells),
        not_reported=sum(cell.not_reported for cell in cells),
    )


def _table_order(cell: LayerCell) -> tuple[bool, float, int, str]:
    """Highest rate first; units without a number last; equal ones by name's code."""
    return cell.count is None, -(cell.rate or 0.0), -(cell.count or 0), cell.code
