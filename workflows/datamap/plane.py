"""Plane figures as lists of points: clipping, area, centroid.

Rings run counter-clockwise and are not closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, pi

Point = tuple[float, float]
Ring = Sequence[Point]

OUTER_EDGE = -1


@dataclass(frozen=True)
class Plane:
    """The half plane `nx * x + ny * y <= limit`; `tag` says what lies on the other side."""

    nx: float
    ny: float
    limit: float
    tag: int

    def excess(self, point: Point) -> float:
        """How far `point` is outside; at most zero inside. In the plane's own scale."""
        return self.nx * point[0] + self.ny * point[1] - self.limit


@dataclass(frozen=True)
class TaggedRing:
    """A ring that remembers, edge by edge, which half plane cut it.

    `tags[k]` belongs to the edge from point k to the next one.
    """

    points: list[Point]
    tags: list[int]

    @classmethod
    def of(cls, ring: Ring) -> "TaggedRing":
        return cls(list(ring), [OUTER_EDGE] * len(ring))

    def clipped(self, plane: Plane) -> "TaggedRing":
        """What lies inside `plane`.

        A ring that is not convex may keep edges running to and fro along the cut; they
        enclose nothing and cancel out in `area` and in `shared_lengths`.
        """
        excess = [plane.excess(point) for point in self.points]
        if all(value <= 0 for value in excess):
            return self
        points: list[Point] = []
        tags: list[int] = []
        for k, (start, here) in enumerate(zip(self.points, excess, strict=True)):
            after = (k + 1) % len(excess)
            there = excess[after]
            if here <= 0:
                points.append(start)
                tags.append(self.tags[k])
            if (here <= 0) != (there <= 0):
                points.append(_between(start, self.points[after], here / (here - there)))
                tags.append(plane.tag if here <= 0 else self.tags[k])
        return TaggedRing(points, tags)

    def shared_lengths(self) -> dict[int, float]:
        """Length of the edges of each tag, edges running to and fro counted out."""
        sums: dict[int, list[Point]] = {}
        for k, tag in enumerate(self.tags):
            if tag != OUTER_EDGE:
                (x0, y0), (x1, y1) = self.points[k], self.points[(k + 1) % len(self.points)]
                sums.setdefault(tag, []).append((x1 - x0, y1 - y0))
        return {
            tag: hypot(sum(x for x, _ in steps), sum(y for _, y in steps))
            for tag, steps in sums.items()
        }


def area(ring: Ring) -> float:
    """Signed area, positive for a counter-clockwise ring."""
    return sum(_cross(a, b) for a, b in edges(ring)) / 2


def centroid(ring: Ring) -> Point:
    """Centre of gravity of a ring that encloses something."""
    x0, y0 = ring[0]
    moved = [(x - x0, y - y0) for x, y in ring]
    six_areas = 6 * area(moved)
    x = sum((a[0] + b[0]) * _cross(a, b) for a, b in edges(moved)) / six_areas
    y = sum((a[1] + b[1]) * _cross(a, b) for a, b in edges(moved)) / six_areas
    return x0 + x, y0 + y


def compactness(ring: Ring) -> float:
    """Area over that of a circle with the same circumference: 1 for a circle, 0 for a line."""
    around = sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in edges(ring))
    return 4 * pi * area(ring) / around**2


def edges(ring: Ring) -> list[tuple[Point, Point]]:
    """The sides of a ring, the closing one included."""
    return list(zip(ring, [*ring[1:], ring[0]], strict=True)) if ring else []


def contains(ring: Ring, point: Point) -> bool:
    """Whether `point` lies inside; either answer for a point on the line itself."""
    x, y = point
    inside = False
    for (x0, y0), (x1, y1) in edges(ring):
        if (y0 > y) != (y1 > y) and x < x0 + (x1 - x0) * (y - y0) / (y1 - y0):
            inside = not inside
    return inside


def resampled(ring: Ring, step: float) -> list[Point]:
    """The ring with additional points, so that no side is longer than `step`."""
    points: list[Point] = []
    for start, end in edges(ring):
        parts = int(hypot(end[0] - start[0], end[1] - start[1]) / step) + 1
        points.extend(_between(start, end, k / parts) for k in range(parts))
    return points


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _cross(a: Point, b: Point) -> float:
    return a[0] * b[1] - a[1] * b[0]
