"""The schematic map: cells, areas, names and neighbours computed from facts alone."""

import json
import re
from functools import cache
from itertools import pairwise
from math import hypot
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon, union_all

from workflows.datamap.drawing import rounded_path
from workflows.datamap.geometry import UnitFacts, group_path, schematic_map, target_areas
from workflows.datamap.lettering import breakings, place_label, text_width
from workflows.datamap.plane import area, compactness
from workflows.datamap.power import fitted_diagram
from workflows.datamap.schematic import Cell, Schematic

NAMES = ("An Lạc", "Bình Hưng", "Phước Thắng", "Nam Cát Tiên", "Đăk Ơ", "Long Thượng Đông")


def made_up_units() -> list[UnitFacts]:
    """Thirty-six large communes on a shaken grid; nine small wards crowd in the south-west."""
    random = Random(7)
    communes = [
        _unit(k, 11.0 + (k // 6 + random.uniform(-0.2, 0.2)) * 0.14, 107.0 + (k % 6) * 0.14, 230.0)
        for k in range(36)
    ]
    wards = [
        _unit(100 + k, 10.93 + (k // 3) * 0.028, 106.85 + (k % 3) * 0.028, 9.0 + k)
        for k in range(9)
    ]
    return [*communes, *wards]


def _unit(number: int, lat: float, lon: float, area_km2: float) -> UnitFacts:
    return UnitFacts(f"{number:05}", NAMES[number % len(NAMES)], lat, lon, area_km2)


@cache
def drawing() -> Schematic:
    return schematic_map(made_up_units())


def shapes() -> list[Polygon]:
    return [Polygon(cell.ring) for cell in drawing().cells]


def by_code() -> dict[str, Cell]:
    return {cell.code: cell for cell in drawing().cells}


def test_every_unit_gets_one_cell_under_its_own_name():
    assert [(c.code, c.name) for c in drawing().cells] == [
        (u.code, u.name) for u in sorted(made_up_units(), key=lambda u: u.code)
    ]


def test_every_cell_is_one_piece_and_contains_its_own_point():
    for cell, shape in zip(drawing().cells, shapes(), strict=True):
        assert shape.is_valid
        assert shape.contains(Point(cell.point)), cell.name


def test_cells_cover_the_province_without_gaps_or_overlaps():
    together = union_all([shape.buffer(0.02) for shape in shapes()])
    assert together.geom_type == "Polygon"
    assert not [hole for hole in together.interiors if Polygon(hole).area > 1]
    assert together.area == pytest.approx(sum(shape.area for shape in shapes()), rel=0.002)


def test_areas_follow_the_targets_and_none_falls_under_the_floor():
    targets = target_areas([u.area_km2 for u in sorted(made_up_units(), key=lambda u: u.code)])
    mean = sum(shape.area for shape in shapes()) / len(targets)
    misses = sorted(
        abs(shape.area / mean / target - 1) for shape, target in zip(shapes(), targets, strict=True)
    )
    assert misses[len(misses) * 9 // 10] < 0.08
    assert min(shape.area for shape in shapes()) > 0.9 * min(targets) * mean


def test_small_wards_are_magnified_and_reported_as_a_cluster():
    wards = {f"{100 + k:05}" for k in range(9)}
    found = drawing().clusters
    assert found
    assert len(wards.intersection(found[0].codes)) >= 6
    x, y, width, height = found[0].box
    for code in found[0].codes:
        px, py = by_code()[code].point
        assert x < px < x + width
        assert y < py < y + height


def test_neighbours_are_mutual_and_those_of_the_grid_are_mostly_kept():
    cells = by_code()
    for code, beside in drawing().neighbours.items():
        assert all(code in cells[other].neighbours for other in beside)
    rows = [[f"{6 * row + col:05}" for col in range(6)] for row in range(6)]
    beside = [pair for line in [*rows, *zip(*rows, strict=True)] for pair in pairwise(line)]
    kept = sum(b in cells[a].neighbours for a, b in beside)
    assert kept / len(beside) >= 0.9


def test_north_is_up_and_east_is_right():
    cells = by_code()
    assert cells["00030"].point[1] < cells["00000"].point[1]
    assert cells["00000"].point[0] < cells["00005"].point[0]


def test_every_name_is_large_enough_to_read_and_stands_inside_its_cell():
    for cell, shape in zip(drawing().cells, shapes(), strict=True):
        label = cell.label
        assert label.font_size >= 9.5, cell.name
        assert " ".join(label.lines) == cell.name
        assert label.value_y > label.y
        for k, line in enumerate(label.lines):
            reach = text_width(line) * label.font_size / 2
            baseline = label.y + k * label.line_height
            assert shape.contains(Point(label.x - reach, baseline)), cell.name
            assert shape.contains(Point(label.x + reach, baseline)), cell.name


def test_the_same_facts_in_any_order_give_the_same_drawing():
    units = made_up_units()[:9]
    assert schematic_map(reversed(units)) == schematic_map(units)


def test_a_drawing_survives_being_kept_as_json():
    kept = json.loads(json.dumps(drawing().to_json()))
    assert Schematic.from_json(kept) == drawing()


def test_a_drawing_kept_in_another_format_is_refused():
    with pytest.raises(ValueError, match="format 0"):
        Schematic.from_json({**drawing().to_json(), "format": 0})


def test_all_paths_stay_on_the_sheet():
    for cell in drawing().cells:
        numbers = [float(n) for n in re.findall(r"-?\d+\.\d", cell.path)]
        assert min(numbers) >= 0
        assert max(numbers[0::2]) <= drawing().width
        assert max(numbers[1::2]) <= drawing().height


def test_an_island_is_tied_to_the_mainland():
    units = [*made_up_units()[:6], UnitFacts("90000", "Đảo Xa", 10.4, 108.4, 60.0)]
    drawn = schematic_map(units)
    together = union_all([Polygon(cell.ring).buffer(0.02) for cell in drawn.cells])
    assert together.geom_type == "Polygon"


def test_two_units_on_the_same_spot_still_get_a_cell_each():
    units = [*made_up_units()[:5], UnitFacts("90000", "Trùng Chỗ", 11.0, 107.0, 100.0)]
    units[0] = UnitFacts("00000", "An Lạc", 11.0, 107.0, 100.0)
    assert all(Polygon(cell.ring).area > 100 for cell in schematic_map(units).cells)


def test_a_single_unit_fills_its_own_map():
    drawn = schematic_map([UnitFacts("1", "Côn Đảo", 8.7, 106.6, 75.0)])
    assert [cell.neighbours for cell in drawn.cells] == [()]


@pytest.mark.parametrize("area_km2", [0.0, -3.0])
def test_a_unit_without_area_is_refused(area_km2):
    with pytest.raises(ValueError, match="has no area"):
        schematic_map([UnitFacts("1", "Không Đất", 11.0, 107.0, area_km2)])


def test_a_province_like_a_strip_keeps_a_usable_height():
    units = [UnitFacts(f"{k}", "Ven Biển", 10.0 + k / 3, 107.0, 40.0) for k in range(6)]
    drawn = schematic_map(units)
    assert drawn.height <= 1.6 * 776 + 1
    assert drawn.width < drawn.height / 3


def test_a_map_without_units_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        schematic_map([])


place = st.tuples(st.floats(10.5, 11.5), st.floats(106.5, 107.5), st.floats(2.0, 700.0))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.lists(place, min_size=2, max_size=9))
def test_any_province_gets_whole_cells_that_contain_their_points(places):
    units = [_unit(k, lat, lon, km2) for k, (lat, lon, km2) in enumerate(places)]
    cells = schematic_map(units).cells
    for cell in cells:
        assert Polygon(cell.ring).is_valid
        assert Polygon(cell.ring).contains(Point(cell.point))
    together = union_all([Polygon(cell.ring).buffer(0.02) for cell in cells])
    assert together.area == pytest.approx(sum(area_of(cell) for cell in cells), rel=0.005)


def test_a_corner_that_rounding_folds_over_itself_is_straightened():
    places = [
        (10.656245574129914, 107.14276300167286, 2.00001),
        (10.62904465457907, 106.54312015550914, 557.6949691504007),
        (11.312700516453623, 107.33274127653182, 22.96723771211857),
        (10.629917791027669, 106.89058963289997, 2.00001),
        (10.5, 107.04784556265705, 417.59202156409805),
        (10.946774604586762, 107.18074285909162, 390.66796875),
    ]
    units = [_unit(k, lat, lon, km2) for k, (lat, lon, km2) in enumerate(places)]
    for cell in schematic_map(units).cells:
        assert Polygon(cell.ring).is_valid
        assert Polygon(cell.ring).contains(Point(cell.point))


def area_of(cell: Cell) -> float:
    return abs(area(cell.ring))


def test_power_cells_meet_very_unequal_targets():
    square = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
    sites = [(2.0, 2.0), (8.0, 2.0), (5.0, 8.0)]
    areas = fitted_diagram(square, sites, [1, 2, 7], tolerance=0.001).areas()
    assert areas == pytest.approx([10, 20, 70], rel=0.001)


def test_target_areas_grow_slower_than_nature_and_keep_a_floor():
    small, middle, large = target_areas([1.0, 100.0, 1000.0])
    assert large / middle == pytest.approx(10**0.45)
    assert small > middle / 4
    assert small + middle + large == pytest.approx(3)


def test_rounding_a_corner_starts_and_ends_beside_it():
    square = [(0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0)]
    path = rounded_path(square, radius=5)
    assert path.startswith("M0.0 5.0Q0.0 0.0 5.0 0.0L35.0 0.0Q40.0 0.0 40.0 5.0")
    assert path.endswith("Z")


def test_a_side_shorter_than_two_radii_is_shared_by_its_corners():
    strip = [(0.0, 0.0), (40.0, 0.0), (40.0, 4.0), (0.0, 4.0)]
    assert "L40.0 2.0" not in rounded_path(strip, radius=5).split("Q40.0 4.0")[1]
    assert "Q40.0 0.0 40.0 2.0L40.0 2.0Q40.0 4.0" in rounded_path(strip, radius=5)


def test_the_line_around_a_group_is_one_closed_figure():
    first = drawing().cells[0]
    path = group_path(drawing(), [first.code, first.neighbours[0]])
    assert path.count("M") == path.count("Z") == 1


def test_names_break_only_between_words_and_evenly():
    assert list(breakings("Nam Cát Tiên")) == [
        ("Nam Cát Tiên",),
        ("Nam", "Cát Tiên"),
        ("Nam", "Cát", "Tiên"),
    ]


def test_a_long_name_in_a_tall_cell_is_broken_instead_of_shrunk():
    tall = [(0.0, 0.0), (48.0, 0.0), (48.0, 120.0), (0.0, 120.0)]
    label = place_label("Phước Thượng", tall, largest=12)
    assert label.lines == ("Phước", "Thượng")
    assert hypot(label.x - 24, 0) < 3


def test_a_roomy_cell_keeps_the_name_on_one_line_in_the_largest_size():
    wide = [(0.0, 0.0), (200.0, 0.0), (200.0, 80.0), (0.0, 80.0)]
    label = place_label("Phước Thượng", wide, largest=12)
    assert (label.lines, label.font_size) == (("Phước Thượng",), 12)
    assert label.takes_words


def test_a_narrow_cell_keeps_its_name_large_and_takes_only_a_short_number():
    narrow = [(0.0, 0.0), (41.0, 0.0), (41.0, 70.0), (0.0, 70.0)]
    label = place_label("Phước Tân", narrow, largest=12)
    assert label.font_size > 11
    assert not label.takes_words


def test_a_name_finds_its_place_in_a_cell_bent_around_its_own_centre():
    bent = [(0, 0), (150, 0), (150, 150), (0, 150), (0, 100), (110, 100), (110, 50), (0, 50)]
    label = place_label("An Lạc", [(float(x), float(y)) for x, y in bent], largest=12)
    assert label.font_size > 10
    assert Polygon(bent).contains(Point(label.x, label.y))


def test_a_square_is_more_compact_than_a_splinter():
    square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    splinter = [(0.0, 0.0), (9.0, 0.0), (9.0, 1.0), (0.0, 1.0)]
    assert compactness(square) == pytest.approx(0.785, abs=0.001)
    assert compactness(splinter) < 0.4
