"""Local magnification: spread a map like a rubber sheet until small units have the room they need.

Every unit pushes the whole sheet outwards while it is too small and pulls it in while it is too
large. Method: Dougenik, Chrisman and Niemeyer, "An algorithm to construct continuous area
cartograms", The Professional Geographer 37(1), 1985. Dense clusters of small units open up by
themselves; nothing names them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import hypot, pi, sqrt

from workflows.datamap.plane import Point, Ring, area, centroid

Move = Callable[[Point], Point]


@dataclass(frozen=True)
class Sheet:
    """What is moved together: the units' points, their areas as rings, and the outline."""

    sites: list[Point]
    rings: list[list[Point]]
    outline: list[Point]

    def moved(self, move: Move) -> "Sheet":
        return Sheet(
            [move(site) for site in self.sites],
            [_moved_ring(ring, move) for ring in self.rings],
            _moved_ring(self.outline, move),
        )


def magnified(sheet: Sheet, targets: Sequence[float], *, rounds: int) -> Sheet:
    """The sheet after `rounds` of spreading towards `targets` (any unit, positive)."""
    for _ in range(rounds):
        sheet = sheet.moved(cache(_spreading(sheet, targets)))
    return sheet


def _spreading(sheet: Sheet, targets: Sequence[float]) -> Move:
    """The movement of one round, weaker while areas are far off so that nothing folds."""
    areas = [area(ring) for ring in sheet.rings]
    scale = sum(areas) / sum(targets)
    wanted = [target * scale for target in targets]
    pairs = list(zip(areas, wanted, strict=True))
    calm = 1 / (1 + sum(max(pair) / min(pair) - 1 for pair in pairs) / len(pairs))
    pushes = [
        (*centroid(ring), sqrt(got / pi), calm * (sqrt(want / pi) - sqrt(got / pi)))
        for ring, (got, want) in zip(sheet.rings, pairs, strict=True)
    ]
    return lambda point: _pushed(point, pushes)


def _pushed(point: Point, pushes: Iterable[tuple[float, float, float, float]]) -> Point:
    x, y = point
    dx = dy = 0.0
    for cx, cy, radius, push in pushes:
        away = hypot(x - cx, y - cy)
        if away > radius:
            force = push * radius / (away * away)
        elif away > 0:
            share = away / radius
            force = push * share * share * (4 - 3 * share) / away
        else:
            continue
        dx += force * (x - cx)
        dy += force * (y - cy)
    return x + dx, y + dy


def _moved_ring(ring: Ring, move: Move) -> list[Point]:
    return [move(point) for point in ring]
