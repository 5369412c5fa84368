"""The numbers behind one picture, for officials and for the public."""

import pytest

from workflows.datamap.geometry import UnitFacts
from workflows.datamap.layer import CountRow, build_layer, public_table, published_layer
from workflows.datamap.periods import month, quarter
from workflows.datamap.rates import Breaks
from workflows.datamap.suppression import TOTAL, NotForPublic
from workflows.kinds import PetitionKind

BREAKS = Breaks((1.0, 2.0, 3.5, 5.5))
NAMES = {"1": "An Phước", "2": "Bình An", "3": "Long Phước", "4": "Tam Phước"}
UNITS = {code: UnitFacts(code, name, 10.8, 107.0, 50.0) for code, name in NAMES.items()}
POPULATION = dict.fromkeys(UNITS, 20_000)
QUARTER = quarter(2026, 3)


def rows(kind: PetitionKind = PetitionKind.COMPLAINT, **by_field: list[int]) -> list[CountRow]:
    return [
        CountRow(unit, field, kind, count)
        for field, counts in by_field.items()
        for unit, count in zip(UNITS, counts, strict=True)
    ]


COUNTS = rows(land=[2, 14, 9, 30], tax=[8, 5, 7, 12], water=[11, 6, 4, 9])


def internal(counts: list[CountRow], field: str = "land", **more):
    return build_layer(UNITS, counts, POPULATION, field, QUARTER, "internal", breaks=BREAKS, **more)


def public(counts: list[CountRow], field: str = "land", period=QUARTER, **more):
    return build_layer(UNITS, counts, POPULATION, field, period, "public", breaks=BREAKS, **more)


def test_an_official_sees_every_count_with_its_rate_and_colour():
    cell = internal(COUNTS).cell("2")
    assert (cell.name, cell.count, cell.rate, cell.step) == ("Bình An", 14, 7.0, 4)
    assert internal(COUNTS).cell("1").count == 2


def test_one_more_case_raises_the_number_by_one():
    more = [*COUNTS, CountRow("2", "land", PetitionKind.FEEDBACK, 1)]
    assert internal(more).cell("2").count == 15
    assert internal(more).totals.count == internal(COUNTS).totals.count + 1


def test_the_table_lists_the_same_cells_with_the_highest_rate_first():
    layer = internal(COUNTS, not_reported=["2"])
    assert [cell.code for cell in layer.rows] == ["4", "3", "1", "2"]
    assert set(layer.rows) == set(layer.cells)


def test_all_fields_together_are_the_sum_of_the_fields():
    assert internal(COUNTS, TOTAL).cell("1").count == 21
    assert internal(COUNTS, TOTAL).totals.count == 117


def test_the_province_rate_covers_all_inhabitants():
    assert internal(COUNTS).totals.rate == pytest.approx(55 / 80_000 * 10_000)


def test_a_unit_that_sent_nothing_is_not_shown_as_zero():
    cell = internal(COUNTS, not_reported=["3"]).cell("3")
    assert (cell.count, cell.rate, cell.step, cell.not_reported) == (None, None, None, True)
    assert not cell.suppressed


def test_a_unit_without_cases_is_zero_and_has_the_lightest_colour():
    cell = internal(rows(land=[0, 5, 5, 5])).cell("1")
    assert (cell.count, cell.rate, cell.step) == (0, 0.0, 0)


def test_a_unit_without_known_population_keeps_its_count_but_has_no_colour():
    layer = build_layer(UNITS, COUNTS, {}, "land", QUARTER, "internal", breaks=BREAKS)
    assert (layer.cell("2").count, layer.cell("2").step) == (14, None)


def test_the_legend_counts_every_unit_once():
    layer = public(COUNTS, not_reported=["4"])
    assert sum(item.units for item in layer.legend) == len(UNITS)


def test_the_public_sees_neither_count_nor_rate_of_a_small_number():
    cell = public(COUNTS).cell("1")
    assert (cell.count, cell.rate, cell.step, cell.suppressed) == (None, None, None, True)


def test_a_small_number_cannot_be_subtracted_from_the_public_totals():
    land = public(COUNTS)
    hidden_in_land = [cell.code for cell in land.cells if cell.suppressed]
    assert "1" in hidden_in_land
    assert land.totals.count is None or len(hidden_in_land) > 1
    fields = [public(COUNTS, field) for field in ("land", "tax", "water")]
    assert sum(layer.cell("1").suppressed for layer in fields) > 1


def test_the_public_sees_the_kept_table_and_nothing_computed_later():
    kept = public_table(COUNTS, units=UNITS, period=QUARTER)
    layer = published_layer(UNITS, kept, POPULATION, "land", QUARTER, breaks=BREAKS)
    assert layer == public(COUNTS)


def test_finer_fields_are_joined_before_publication():
    table = public_table(COUNTS, units=UNITS, period=QUARTER, coarse={"tax": "money"})
    assert {field for _, field in table.shown} == {"land", "money", "water", TOTAL}


def test_a_field_the_public_table_does_not_list_shows_nothing():
    assert all(cell.suppressed for cell in public(COUNTS, "forest").cells)


def test_a_public_layer_without_any_case_hides_everything():
    layer = public([], TOTAL)
    assert all(cell.suppressed for cell in layer.cells)
    assert layer.totals.count is None


def test_a_denunciation_stops_a_public_layer():
    given = [*COUNTS, CountRow("2", "land", PetitionKind.DENUNCIATION, 1)]
    with pytest.raises(NotForPublic, match="tố cáo"):
        public(given)
    assert internal(given).cell("2").count == 15


def test_a_public_layer_exists_for_whole_quarters_only():
    with pytest.raises(NotForPublic, match="theo quý"):
        public(COUNTS, period=month(2026, 8))
    with pytest.raises(NotForPublic, match="theo quý"):
        public(COUNTS, period=quarter(2026, 3).previous().months()[0])
