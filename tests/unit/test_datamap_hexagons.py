"""The hexagon view: tiles kept as data, drawn with the same cells as the schematic map."""

from pathlib import Path

import pytest
from shapely import Polygon

from workflows.datamap.hexagons import Tile, hexagon_map, read_tiles

LAYOUT = Path(__file__).parents[2] / "storage" / "reference" / "hexagons.csv"


def test_the_kept_layout_gives_every_unit_a_tile_of_its_own():
    tiles = read_tiles(LAYOUT.read_text(encoding="utf-8").splitlines())
    assert len(tiles) == len(set(tiles.values())) == 95


def test_the_kept_layout_is_one_connected_figure():
    tiles = read_tiles(LAYOUT.read_text(encoding="utf-8").splitlines())
    cells = {c.code: c for c in hexagon_map(tiles, dict.fromkeys(tiles, "Tên")).cells}
    seen, waiting = set(), [min(cells)]
    while waiting:
        code = waiting.pop()
        seen.add(code)
        waiting.extend(set(cells[code].neighbours) - seen)
    assert seen == set(cells)


def test_all_hexagons_have_the_same_area_and_do_not_overlap():
    tiles = {"a": Tile(0, 0), "b": Tile(1, 0), "c": Tile(0, 1)}
    shapes = [Polygon(c.ring) for c in hexagon_map(tiles, {k: k for k in tiles}).cells]
    assert shapes[1].area == pytest.approx(shapes[0].area, rel=0.001)
    assert shapes[0].intersection(shapes[1]).area < 1
    assert shapes[0].intersection(shapes[2]).area < 1


def test_tiles_of_odd_rows_touch_the_two_tiles_right_below_them():
    assert set(Tile(2, 1).beside()) == {
        Tile(1, 1), Tile(3, 1), Tile(2, 0), Tile(3, 0), Tile(2, 2), Tile(3, 2)
    }  # fmt: skip


def test_tiles_of_even_rows_touch_the_two_tiles_left_above_them():
    assert set(Tile(2, 2).beside()) == {
        Tile(1, 2), Tile(3, 2), Tile(1, 1), Tile(2, 1), Tile(1, 3), Tile(2, 3)
    }  # fmt: skip


def test_row_zero_is_drawn_at_the_southern_end():
    drawn = hexagon_map({"n": Tile(0, 3), "s": Tile(0, 0)}, {"n": "Bắc", "s": "Nam"})
    north, south = drawn.cells
    assert north.point[1] < south.point[1] < drawn.height


def test_units_without_a_tile_are_left_out_and_none_at_all_is_refused():
    drawn = hexagon_map({"a": Tile(0, 0)}, {"a": "Có", "b": "Không"})
    assert [cell.code for cell in drawn.cells] == ["a"]
    with pytest.raises(ValueError, match="no unit"):
        hexagon_map({}, {"b": "Không"})


@pytest.mark.parametrize("second", ["a,5,5", "b,0,0"])
def test_a_tile_or_a_unit_given_twice_is_refused(second):
    with pytest.raises(ValueError, match="twice"):
        read_tiles(["code,col,row", "a,0,0", second])
