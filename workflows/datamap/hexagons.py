"""The second view: one hexagon of equal size per unit, laid out on a grid kept as data.

Dense wards, unreadable on any true map, weigh as much here as large rural communes. Row 0 is
the southern end, rows grow northward, odd rows stand half a tile further right.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import cos, pi, sin, sqrt

from workflows.datamap.drawing import rounded_path
from workflows.datamap.lettering import place_label
from workflows.datamap.plane import Point
from workflows.datamap.schematic import DRAWING_WIDTH, Cell, Schematic

MARGIN = 4.0
GAP = 1.6
TEXT_MARGIN = 4.0
LARGEST_NAME = 12.0
CORNER = 4.0


@dataclass(frozen=True)
class Tile:
    """A place on the grid."""

    col: int
    row: int

    def beside(self) -> tuple["Tile", ...]:
        """The six places around this one."""
        shift = self.row % 2
        aside = [Tile(self.col - 1, self.row), Tile(self.col + 1, self.row)]
        across = [
            Tile(self.col - 1 + shift + k, self.row + step) for step in (-1, 1) for k in (0, 1)
        ]
        return (*aside, *across)


def read_tiles(lines: Iterable[str]) -> dict[str, Tile]:
    """Tiles by unit code from the lines of a CSV file with the columns code, col and row.

    Raises ValueError when two units stand on one tile or a unit stands on two.
    """
    tiles: dict[str, Tile] = {}
    for row in csv.DictReader(lines):
        tile = Tile(int(row["col"]), int(row["row"]))
        if row["code"] in tiles or tile in tiles.values():
            raise ValueError(f"tile {tile.col},{tile.row} or unit {row['code']} stands twice")
        tiles[row["code"]] = tile
    return tiles


def hexagon_map(tiles: Mapping[str, Tile], names: Mapping[str, str]) -> Schematic:
    """Draw the units of `names` that have a tile, in the order of their codes."""
    placed = {code: tiles[code] for code in sorted(names) if code in tiles}
    if not placed:
        raise ValueError("no unit has a tile")
    grid = _Grid.around(placed.values())
    at = {tile: code for code, tile in placed.items()}
    cells = tuple(
        _cell(code, names[code], grid, tile, tuple(at[b] for b in tile.beside() if b in at))
        for code, tile in placed.items()
    )
    return Schematic(
        width=DRAWING_WIDTH, height=grid.height, cells=cells, outline_path="", clusters=()
    )


@dataclass(frozen=True)
class _Grid:
    """Where tiles lie in drawing units."""

    west: float
    north_row: int
    rows: int
    radius: float

    @classmethod
    def around(cls, tiles: Iterable[Tile]) -> "_Grid":
        tiles = list(tiles)
        lefts = [tile.col + tile.row % 2 / 2 for tile in tiles]
        rows = [tile.row for tile in tiles]
        width = (DRAWING_WIDTH - 2 * MARGIN) / (max(lefts) - min(lefts) + 1)
        return cls(min(lefts), max(rows), max(rows) - min(rows) + 1, width / sqrt(3))

    @property
    def height(self) -> float:
        return round(2 * MARGIN + self.radius * (1.5 * (self.rows - 1) + 2), 1)

    def middle(self, tile: Tile) -> Point:
        left = tile.col + tile.row % 2 / 2 - self.west
        x = MARGIN + (left + 0.5) * sqrt(3) * self.radius
        y = MARGIN + self.radius * (1 + 1.5 * (self.north_row - tile.row))
        return round(x, 2), round(y, 2)


def _hexagon(middle: Point, radius: float) -> tuple[Point, ...]:
    """Corners with one on top, in the turning direction of all rings of a drawing."""
    angles = [pi / 2 + k * pi / 3 for k in range(6)]
    return tuple(
        (round(middle[0] + radius * cos(a), 2), round(middle[1] - radius * sin(a), 2))
        for a in angles
    )


def _cell(code: str, name: str, grid: _Grid, tile: Tile, neighbours: tuple[str, ...]) -> Cell:
    middle = grid.middle(tile)
    return Cell(
        code=code,
        name=name,
        ring=_hexagon(middle, grid.radius),
        path=rounded_path(_hexagon(middle, grid.radius - GAP / sqrt(3)), radius=CORNER),
        point=middle,
        label=place_label(name, _hexagon(middle, grid.radius - TEXT_MARGIN), largest=LARGEST_NAME),
        neighbours=tuple(sorted(neighbours)),
    )
