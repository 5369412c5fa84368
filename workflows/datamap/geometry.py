"""The schematic map of a province, computed from four facts per unit; no border lines needed.

A rubber sheet gives small units room, a power diagram cuts it into cells whose areas follow
km² to the power 0.45, and every cell gets a rounded path and a place for its name. The drawing
shows who lies beside whom; it is not an administrative boundary and must be labelled so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, radians, sqrt
from typing import Any

from shapely import Polygon, make_valid, set_precision, union_all
from shapely.geometry import LineString, MultiPolygon
from shapely.geometry import Point as Dot
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from workflows.datamap.drawing import rounded_path, straight_path
from workflows.datamap.lettering import place_label
from workflows.datamap.magnify import Sheet, magnified
from workflows.datamap.neighbourhood import Pair, evened, rejoined, touching
from workflows.datamap.plane import Point, Ring, area, resampled
from workflows.datamap.power import Diagram, fitted_diagram, power_diagram
from workflows.datamap.schematic import DRAWING_WIDTH, Cell, Cluster, Schematic

EARTH_RADIUS_KM = 6371.0088
AREA_EXPONENT = 0.45
FLOOR_SHARE = 0.62
"""No cell gets less than this share of the mean cell: below it names become unreadable."""

SPREADING_ROUNDS = 6
EVENING_ROUNDS = 3

TALLEST = 1.6
"""Height over width of the drawing at most; a longer province is drawn narrower."""

MARGIN = 6.0
GAP = 2.0
ROUNDED_TO = 0.01
LARGEST_NAME = 12.0
READABLE_NAME = 10.5
ENLARGING_ROUNDS = 4
MOST_ENLARGED = 1.25
SEAM = 0.1
SHARED_EDGE = 6.0
"""Cells touching along less than this are not called neighbours."""

CLUSTER_GROWTH = 1.6
"""Cells drawn this many times larger, per km², than the usual one need a closer look."""


@dataclass(frozen=True)
class UnitFacts:
    """What the drawing needs of one commune: code, name, WGS 84 degrees and area."""

    code: str
    name: str
    lat: float
    lon: float
    area_km2: float


def schematic_map(units: Iterable[UnitFacts]) -> Schematic:
    """Compute the drawing of `units`; the order they come in does not matter.

    Raises ValueError without units, or for a unit without area.
    """
    facts = sorted(units, key=lambda unit: unit.code)
    _check(facts)
    targets = target_areas([unit.area_km2 for unit in facts])
    spread = _spread(facts, targets)
    diagram = _settled(spread, targets)
    return _readable(facts, diagram, spread.sheet.outline, targets)


def target_areas(areas_km2: Sequence[float]) -> list[float]:
    """Wanted cell areas, their mean being 1: grow with km², but no cell is too small to read."""
    raw = [km2**AREA_EXPONENT for km2 in areas_km2]
    mean = sum(raw) / len(raw)
    floored = [max(value / mean, FLOOR_SHARE) for value in raw]
    scale = len(floored) / sum(floored)
    return [value * scale for value in floored]


def group_path(schematic: Schematic, codes: Iterable[str], *, radius: float = 6.0) -> str:
    """SVG path data around several cells together, for the ink line of a hot spot."""
    wanted = set(codes)
    # Cells are rounded to hundredths: widened a little, they join without slivers.
    shapes = [Polygon(c.ring).buffer(SEAM) for c in schematic.cells if c.code in wanted]
    together = union_all(shapes).buffer(-SEAM).simplify(SEAM)
    return "".join(rounded_path(_ring(part), radius=radius) for part in _parts(together))


def _check(facts: Sequence[UnitFacts]) -> None:
    if not facts:
        raise ValueError("a map needs at least one unit")
    for unit in facts:
        if unit.area_km2 <= 0:
            raise ValueError(f"unit {unit.code} has no area")


@dataclass(frozen=True)
class _Spread:
    """The magnified sheet and the pairs that touch on the true map."""

    sheet: Sheet
    neighbours: set[Pair]


def _spread(facts: Sequence[UnitFacts], targets: Sequence[float]) -> _Spread:
    """True map first, then the rubber sheet."""
    sites = _distinct(_projected(facts))
    areas = [unit.area_km2 for unit in facts]
    outline = _outline(sites, areas)
    true_map = fitted_diagram(outline, sites, areas, tolerance=0.02)
    width = sqrt(sum(areas) / len(areas))
    rings = [resampled(cell.points, width / 4) for cell in true_map.cells]
    sheet = Sheet(sites, rings, resampled(outline, width / 4))
    sheet = magnified(sheet, targets, rounds=SPREADING_ROUNDS)
    smooth = Sheet(sheet.sites, sheet.rings, _smoothed(sheet, width / 4))
    return _Spread(smooth, touching(true_map, at_least=width / 25))


def _projected(facts: Sequence[UnitFacts]) -> list[Point]:
    """Kilometres east and north of the middle of the units."""
    lat0 = sum(unit.lat for unit in facts) / len(facts)
    lon0 = sum(unit.lon for unit in facts) / len(facts)
    degree = EARTH_RADIUS_KM * pi / 180
    return [
        ((unit.lon - lon0) * degree * cos(radians(lat0)), (unit.lat - lat0) * degree)
        for unit in facts
    ]


def _distinct(sites: Sequence[Point]) -> list[Point]:
    """Points of two units on the same spot are set 100 m apart, in the order of the units."""
    taken: set[Point] = set()
    apart: list[Point] = []
    for x, y in sites:
        while (round(x, 2), round(y, 2)) in taken:
            x += 0.1
        taken.add((round(x, 2), round(y, 2)))
        apart.append((x, y))
    return apart


def _outline(sites: Sequence[Point], areas: Sequence[float]) -> list[Point]:
    """Union of discs as large as the units, closed over gaps; always one piece without holes."""
    mean = sqrt(sum(areas) / len(areas))
    discs = [
        Dot(site).buffer(1.12 * sqrt(km2 / pi)) for site, km2 in zip(sites, areas, strict=True)
    ]
    closed = union_all(discs).buffer(0.6 * mean).buffer(-0.65 * mean)
    seats = [Dot(site).buffer(0.1 * mean) for site in sites]
    return _ring(_bridged(union_all([closed, *seats]), 0.3 * mean).simplify(0.03 * mean))


def _bridged(shape: BaseGeometry, width: float) -> Polygon:
    """One piece: islands are tied to the nearest part by a strip."""
    parts = _parts(shape)
    while len(parts) > 1:
        first, others = parts[0], MultiPolygon(parts[1:])
        strip = LineString(nearest_points(first, others)).buffer(width)
        parts = _parts(union_all([first, others, strip]))
    return Polygon(parts[0].exterior)


def _smoothed(sheet: Sheet, step: float) -> list[Point]:
    """The moved outline without the small waves that the spreading leaves."""
    shape = Polygon(sheet.outline).buffer(0)
    soft = shape.buffer(1.6 * step).buffer(-3.2 * step).buffer(1.6 * step)
    seats = [Dot(site).buffer(0.8 * step) for site in sheet.sites]
    return _ring(_bridged(union_all([soft, *seats]), step).simplify(0.12 * step))


def _settled(spread: "_Spread", targets: Sequence[float]) -> Diagram:
    """Fit the areas, make cells rounder, and bring neighbours of the true map together again."""
    sheet = spread.sheet
    size = sqrt(area(sheet.outline) / len(targets))
    diagram = fitted_diagram(sheet.outline, sheet.sites, targets, tolerance=0.01)
    diagram = evened(sheet.outline, diagram, targets, rounds=EVENING_ROUNDS)
    return rejoined(sheet.outline, diagram, targets, spread.neighbours, size=size)


def _readable(
    facts: Sequence[UnitFacts], diagram: Diagram, outline: Ring, targets: Sequence[float]
) -> Schematic:
    """Draw, and enlarge the cells whose names came out too small."""
    drawing = _drawn(facts, diagram, outline)
    for _ in range(ENLARGING_ROUNDS):
        sizes = [cell.label.font_size for cell in drawing.cells]
        if min(sizes) >= READABLE_NAME:
            break
        targets = [
            target * min(max(READABLE_NAME / size, 1.0) ** 2, MOST_ENLARGED)
            for target, size in zip(targets, sizes, strict=True)
        ]
        diagram = fitted_diagram(
            outline, diagram.sites, targets, tolerance=0.01, start=diagram.weights
        )
        drawing = _drawn(facts, diagram, outline)
    return drawing


def _drawn(facts: Sequence[UnitFacts], diagram: Diagram, outline: Ring) -> Schematic:
    """Turn the diagram into drawing units and dress every cell."""
    place = _Placement.of(outline)
    shapes = _whole_cells(diagram, outline)
    rings = [_outer_line(place, shape) for shape in shapes]
    links = _links(rings)
    points = [place.point(p) for p in _points_inside(diagram.sites, shapes)]
    cells = tuple(
        _dressed(unit, ring, point, tuple(sorted(facts[j].code for j in near)))
        for unit, ring, point, near in zip(facts, rings, points, links, strict=True)
    )
    return Schematic(
        width=round(place.width, 1),
        height=round(place.height, 1),
        cells=cells,
        outline_path=straight_path([[place.point(point) for point in outline]]),
        clusters=_clusters(facts, rings, links),
    )


@dataclass(frozen=True)
class _Placement:
    """From kilometres of the sheet, north up, to drawing units, y down."""

    west: float
    north: float
    scale: float
    width: float
    height: float

    @classmethod
    def of(cls, outline: Ring) -> "_Placement":
        xs, ys = [x for x, _ in outline], [y for _, y in outline]
        across, down = max(xs) - min(xs), max(ys) - min(ys)
        room = 2 * MARGIN
        scale = min((DRAWING_WIDTH - room) / across, (TALLEST * DRAWING_WIDTH - room) / down)
        return cls(min(xs), max(ys), scale, across * scale + room, down * scale + room)

    def point(self, at: Point) -> Point:
        return (
            round(MARGIN + (at[0] - self.west) * self.scale, 2),
            round(MARGIN + (self.north - at[1]) * self.scale, 2),
        )


def _outer_line(place: _Placement, shape: Polygon) -> tuple[Point, ...]:
    """The outer line in drawing units; rounding may fold a hair-thin corner over itself."""
    ring = tuple(place.point(point) for point in _ring(shape))
    if Polygon(ring).is_valid:
        return ring
    whole = _parts(set_precision(make_valid(Polygon(ring)), ROUNDED_TO))[0]
    # The sheet's y runs down, so the same direction is the other way round here.
    return tuple((round(x, 2), round(y, 2)) for x, y in reversed(_ring(whole)))


def _whole_cells(diagram: Diagram, outline: Ring) -> list[Polygon]:
    """The cells as shapes in one piece each; a cut-off piece goes to its longest neighbour."""
    west, south, east, north = Polygon(outline).buffer(1).bounds
    box = [(west, south), (east, south), (east, north), (west, north)]
    convex = power_diagram(box, diagram.sites, diagram.weights)
    land = Polygon(outline)
    parts = [_parts(Polygon(cell.points).intersection(land)) for cell in convex.cells]
    whole = [pieces[0] for pieces in parts]
    for piece in (piece for pieces in parts for piece in pieces[1:]):
        k = max(range(len(whole)), key=lambda n: piece.intersection(whole[n]).length)
        whole[k] = _parts(union_all([whole[k], piece]))[0]
    return whole


def _points_inside(sites: Sequence[Point], shapes: Sequence[Polygon]) -> list[Point]:
    """The unit's point, or one well inside the cell where weights pushed the cell past it."""
    points: list[Point] = []
    for site, shape in zip(sites, shapes, strict=True):
        spot = Dot(site) if shape.contains(Dot(site)) else shape.representative_point()
        points.append((spot.x, spot.y))
    return points


def _links(rings: Sequence[Ring]) -> list[list[int]]:
    """For each ring the others it shares an edge with."""
    shapes = [Polygon(ring).buffer(0.05) for ring in rings]
    links: list[list[int]] = [[] for _ in rings]
    for i, shape in enumerate(shapes):
        for j in range(i + 1, len(shapes)):
            if shape.intersects(shapes[j]) and _edge(shape, shapes[j]) >= SHARED_EDGE:
                links[i].append(j)
                links[j].append(i)
    return links


def _edge(a: Polygon, b: Polygon) -> float:
    """Length along which two slightly widened shapes overlap."""
    west, south, east, north = a.intersection(b).bounds
    return hypot(east - west, north - south)


def _dressed(
    unit: UnitFacts, ring: tuple[Point, ...], point: Point, neighbours: tuple[str, ...]
) -> Cell:
    inner = _ring(_parts(Polygon(ring).buffer(-GAP / 2, join_style="mitre"))[0].simplify(0.4))
    room = _ring(_parts(Polygon(ring).buffer(-2.5 * GAP / 2))[0].simplify(0.4))
    return Cell(
        code=unit.code,
        name=unit.name,
        ring=ring,
        path=rounded_path(inner),
        point=point,
        label=place_label(unit.name, room, largest=LARGEST_NAME),
        neighbours=neighbours,
    )


def _clusters(
    facts: Sequence[UnitFacts], rings: Sequence[Ring], links: Sequence[Sequence[int]]
) -> tuple[Cluster, ...]:
    """Groups of three or more neighbours that are drawn much larger than usual."""
    growth = [abs(area(ring)) / unit.area_km2 for unit, ring in zip(facts, rings, strict=True)]
    usual = sorted(growth)[len(growth) // 2]
    left = {k for k, factor in enumerate(growth) if factor >= CLUSTER_GROWTH * usual}
    groups: list[list[int]] = []
    while left:
        groups.append(_connected(min(left), left, links))
        left -= set(groups[-1])
    return tuple(
        Cluster(tuple(facts[k].code for k in group), _box([rings[k] for k in group]))
        for group in sorted(groups, key=len, reverse=True)
        if len(group) >= 3
    )


def _connected(start: int, allowed: set[int], links: Sequence[Sequence[int]]) -> list[int]:
    found, waiting = {start}, [start]
    while waiting:
        fresh = (set(links[waiting.pop()]) & allowed) - found
        found |= fresh
        waiting.extend(fresh)
    return sorted(found)


def _box(rings: Sequence[Ring]) -> tuple[float, float, float, float]:
    xs = [x for ring in rings for x, _ in ring]
    ys = [y for ring in rings for _, y in ring]
    west, north = min(xs) - GAP, min(ys) - GAP
    return (
        round(west, 1),
        round(north, 1),
        round(max(xs) + GAP - west, 1),
        round(max(ys) + GAP - north, 1),
    )


def _parts(shape: BaseGeometry) -> list[Polygon]:
    """The polygons of a shape, largest first; lines and points left by clipping are dropped."""
    pieces = getattr(shape, "geoms", [shape])
    polygons = [piece for piece in pieces if piece.geom_type == "Polygon" and piece.area > 0]
    return sorted(polygons, key=lambda polygon: (-polygon.area, polygon.bounds))


def _ring(shape: BaseGeometry) -> list[Point]:
    """The outer line counter-clockwise (in a y-up system), not closed."""
    line: Any = shape.normalize()
    return [(x, y) for x, y in line.exterior.coords[:0:-1]]
