"""A drawing from the province's own borders: GeoJSON read, matched, simplified as a whole, placed.

Borders are simplified as a coverage: neighbours keep one common line, no gaps and no overlaps.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians
from typing import Any
from unicodedata import normalize

import shapely
from shapely.geometry import Polygon, shape
from shapely.geometry.base import BaseGeometry

from workflows.datamap.drawing import straight_path
from workflows.datamap.lettering import place_label
from workflows.datamap.plane import Point
from workflows.datamap.schematic import DRAWING_WIDTH, Cell, Cluster, Schematic
from workflows.errors import BadInput
from workflows.folding import fold_key

MARGIN = 6.0
TALLEST = 1.6
LARGEST_NAME = 12.0
UNREADABLE = 7.0
"""Names smaller than this are told in a closer look."""

CODE_NAMES = ("code", "ma", "ma_xa", "maxa", "ma_dvhc", "madvhc", "id")
NAME_NAMES = ("name", "ten", "ten_xa", "tenxa", "ten_dvhc", "full_name")
MARKED_TYPES = ("xã ", "phường ", "đặc khu ", "thị trấn ")
TYPES = tuple(fold_key(word) + " " for word in MARKED_TYPES)


@dataclass(frozen=True)
class Known:
    """A unit that borders are wanted for."""

    code: str
    name: str
    full_name: str


@dataclass(frozen=True)
class Matched:
    """Shapes by unit code, codes without a shape, and names in the file that are no unit."""

    shapes: Mapping[str, BaseGeometry]
    missing: tuple[str, ...]
    extra: tuple[str, ...]


def read_features(content: bytes) -> list[tuple[Mapping[str, Any], BaseGeometry]]:
    """Properties and shape of each feature. Raises BadInput with a sentence on what is wrong."""
    try:
        document = json.loads(content)
        features = document["features"]
        found = [(item.get("properties") or {}, _shape(item["geometry"])) for item in features]
    except (ValueError, KeyError, TypeError, AttributeError, shapely.errors.GEOSException) as error:
        raise _refused(
            "Tệp không phải GeoJSON kiểu FeatureCollection. Xuất lại từ phần mềm bản đồ rồi nhập."
        ) from error
    if not found:
        raise _refused("Tệp không có vùng nào. Xuất lại lớp ranh giới xã rồi nhập.")
    _check_degrees(found)
    return found


def _shape(geometry: Mapping[str, Any]) -> BaseGeometry:
    found = shape(dict(geometry))
    if found.geom_type not in ("Polygon", "MultiPolygon") or found.is_empty:
        raise ValueError(found.geom_type)
    return found


def _check_degrees(features: Iterable[tuple[Any, BaseGeometry]]) -> None:
    for _, found in features:
        west, south, east, north = found.bounds
        if max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90:
            raise _refused(
                "Tọa độ trong tệp là tọa độ phẳng (như VN-2000), chưa vẽ được. "
                "Chuyển tệp sang kinh độ, vĩ độ WGS 84 (EPSG:4326) rồi nhập lại."
            )


def _refused(sentence: str) -> BadInput:
    return BadInput({"file": sentence}, sentence)


def match(
    features: Iterable[tuple[Mapping[str, Any], BaseGeometry]],
    units: Sequence[Known],
    *,
    code_field: str = "",
    name_field: str = "",
) -> Matched:
    """Tie shapes to units: by code, else by name as written, else by name without marks.

    A name without marks counts only where one unit bears it: Lộc Thành is not Lộc Thạnh.
    """
    by_code = {unit.code: unit for unit in units}
    by_name = _by_name(units)
    parts: dict[str, list[BaseGeometry]] = {}
    extra: list[str] = []
    for properties, found in features:
        code = _text(properties, code_field, CODE_NAMES)
        name = _text(properties, name_field, NAME_NAMES)
        unit = by_code.get(code) or _named(name, by_name)
        if unit is None:
            extra.append(name or code or "?")
        else:
            parts.setdefault(unit.code, []).append(found)
    shapes = {code: shapely.union_all(found) for code, found in sorted(parts.items())}
    return Matched(shapes, tuple(sorted(by_code.keys() - shapes.keys())), tuple(sorted(extra)))


def _written(name: str) -> str:
    """A name with its marks, in one spelling of letters and spaces."""
    return " ".join(normalize("NFC", name).casefold().split())


def _by_name(units: Iterable[Known]) -> dict[str, Known]:
    """Units by every spelling that means only one of them."""
    found: dict[str, Known | None] = {}
    for unit in units:
        spellings = {_written(unit.full_name), fold_key(unit.full_name)}
        spellings |= {_written(unit.name), fold_key(unit.name)}
        for spelling in spellings:
            found[spelling] = None if spelling in found else unit
    return {spelling: unit for spelling, unit in found.items() if unit is not None}


def _named(name: str, by_name: Mapping[str, Known]) -> Known | None:
    """The unit of a name, its type left aside where an older file still carries another."""
    for spelling, types in ((_written(name), MARKED_TYPES), (fold_key(name), TYPES)):
        bare = next((spelling.removeprefix(t) for t in types if spelling.startswith(t)), spelling)
        unit = by_name.get(spelling) or by_name.get(bare)
        if unit is not None:
            return unit
    return None


def _text(properties: Mapping[str, Any], chosen: str, usual: Sequence[str]) -> str:
    folded = {str(key).lower(): value for key, value in properties.items()}
    for name in [chosen.lower()] if chosen else usual:
        value = folded.get(name)
        if value not in (None, ""):
            return str(value).strip()
    return ""


def simplified(shapes: Mapping[str, BaseGeometry], tolerance: float) -> dict[str, BaseGeometry]:
    """The shapes with fewer points and the same common lines; `tolerance` in degrees.

    Raises BadInput when shapes overlap: simplifying them would tear the map.
    """
    found = list(shapes.values())
    if not shapely.coverage_is_valid(found):
        raise _refused(
            "Ranh giới các xã chồng lên nhau hoặc không khớp cạnh. "
            "Sửa lỗi hình học trong phần mềm bản đồ rồi nhập lại."
        )
    thinner = shapely.coverage_simplify(found, tolerance)
    return dict(zip(shapes, thinner, strict=True))


def border_map(shapes: Mapping[str, BaseGeometry], names: Mapping[str, str]) -> Schematic:
    """The drawing of simplified shapes in degrees."""
    place = _Placement.of(shapes.values())
    placed = {code: place.shape(found) for code, found in sorted(shapes.items())}
    beside = _neighbours(placed)
    cells = tuple(_cell(code, names[code], found, beside[code]) for code, found in placed.items())
    land = shapely.union_all(list(placed.values()))
    return Schematic(
        width=round(place.width, 1),
        height=round(place.height, 1),
        cells=cells,
        outline_path=straight_path(list(_rings(land))),
        clusters=_closer_looks(cells),
    )


@dataclass(frozen=True)
class _Placement:
    """From degrees to drawing units, y pointing down; a degree of longitude is shorter."""

    west: float
    north: float
    narrow: float
    scale: float
    width: float
    height: float

    @classmethod
    def of(cls, shapes: Iterable[BaseGeometry]) -> "_Placement":
        west, south, east, north = shapely.total_bounds(list(shapes))
        narrow = cos(radians((south + north) / 2))
        across, down = (east - west) * narrow, north - south
        room = 2 * MARGIN
        scale = min((DRAWING_WIDTH - room) / across, (TALLEST * DRAWING_WIDTH - room) / down)
        return cls(west, north, narrow, scale, across * scale + room, down * scale + room)

    def shape(self, found: BaseGeometry) -> BaseGeometry:
        moved = shapely.transform(found, self._points)
        placed: BaseGeometry = moved
        return placed

    def _points(self, points: Any) -> Any:
        points = points.copy()
        points[:, 0] = (MARGIN + (points[:, 0] - self.west) * self.narrow * self.scale).round(2)
        points[:, 1] = (MARGIN + (self.north - points[:, 1]) * self.scale).round(2)
        return points


def _cell(code: str, name: str, found: BaseGeometry, beside: tuple[str, ...]) -> Cell:
    rings = list(_rings(found))
    largest = max(_polygons(found), key=lambda part: float(part.area))
    ring = tuple(_ring(largest.exterior))
    spot = largest.representative_point()
    return Cell(
        code=code,
        name=name,
        ring=ring,
        path=straight_path(rings),
        point=(round(spot.x, 2), round(spot.y, 2)),
        label=place_label(name, ring, largest=LARGEST_NAME),
        neighbours=beside,
    )


def _polygons(found: BaseGeometry) -> list[Polygon]:
    parts = getattr(found, "geoms", [found])
    return [part for part in parts if part.geom_type == "Polygon"]


def _rings(found: BaseGeometry) -> Iterator[list[Point]]:
    for part in _polygons(found):
        yield _ring(part.exterior)
        for hole in part.interiors:
            yield _ring(hole)


def _ring(line: Any) -> list[Point]:
    return [(float(x), float(y)) for x, y in line.coords[:-1]]


def _neighbours(shapes: Mapping[str, BaseGeometry]) -> dict[str, tuple[str, ...]]:
    """Who shares a line, not only a corner, with whom."""
    codes = list(shapes)
    beside: dict[str, list[str]] = {code: [] for code in codes}
    for k, code in enumerate(codes):
        for other in codes[k + 1 :]:
            common = shapes[code].buffer(0.01).intersection(shapes[other])
            if not common.is_empty and common.length > 1:
                beside[code].append(other)
                beside[other].append(code)
    return {code: tuple(sorted(found)) for code, found in beside.items()}


def _closer_looks(cells: Sequence[Cell]) -> tuple[Cluster, ...]:
    """The box around units too small to read, where three or more lie together."""
    tiny = {cell.code: cell for cell in cells if cell.label.font_size < UNREADABLE}
    groups: list[list[str]] = []
    left = set(tiny)
    while left:
        group, waiting = set[str](), [min(left)]
        while waiting:
            code = waiting.pop()
            group.add(code)
            waiting.extend(left.intersection(tiny[code].neighbours) - group)
        groups.append(sorted(group))
        left -= group
    return tuple(
        Cluster(tuple(group), _box([tiny[code] for code in group]))
        for group in sorted(groups, key=lambda group: (-len(group), group))
        if len(group) >= 3
    )


def _box(cells: Iterable[Cell]) -> tuple[float, float, float, float]:
    points = [point for cell in cells for point in cell.ring]
    west, north = min(x for x, _ in points) - MARGIN, min(y for _, y in points) - MARGIN
    east, south = max(x for x, _ in points) + MARGIN, max(y for _, y in points) + MARGIN
    return round(west, 1), round(north, 1), round(east - west, 1), round(south - north, 1)
