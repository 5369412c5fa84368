"""Keep neighbours neighbours: nudge the points of a power diagram until the right cells touch.

Magnifying a map makes some cells lose a neighbour and others win a false one. Pairs that should
touch and hardly do are drawn together, pairs that touch and should not are pushed apart, and the
areas are fitted anew after each round.
"""

from collections.abc import Collection, Sequence
from math import hypot

from workflows.datamap.plane import Point, Ring, centroid, compactness
from workflows.datamap.power import Diagram, fitted_diagram

Pair = tuple[int, int]

ROUNDS = 40
PULL = 0.06
DRIFT = 0.08
"""Per round, as shares of the mean cell's width and of the way to the cell's centre."""

VISIBLE_EDGE = 0.12
EASY_EDGE = 0.25
"""An edge counts as seen from the first length on and is left alone from the second, same unit."""

COMPACT = 0.72
THINNESS = 30.0
"""Names fit badly into cells under this compactness; a square has 0.79, a circle 1."""

TOLERANCE = 0.01


def touching(diagram: Diagram, *, at_least: float) -> set[Pair]:
    """Pairs of cells, smaller index first, whose common edge is `at_least` that long."""
    return {pair for pair, length in _common_edges(diagram).items() if length >= at_least}


def evened(outline: Ring, diagram: Diagram, targets: Sequence[float], *, rounds: int) -> Diagram:
    """Let points drift half-way to their cells' centres, which makes cells rounder."""
    for _ in range(rounds):
        shifts = _towards_centres(diagram, 0.5)
        diagram = _refitted(outline, diagram, shifts, targets)
    return diagram


def rejoined(
    outline: Ring,
    diagram: Diagram,
    targets: Sequence[float],
    wanted: Collection[Pair],
    *,
    size: float,
) -> Diagram:
    """The diagram, of at most `ROUNDS` tries, that keeps the most `wanted` pairs visible.

    `size` is the width of a mean cell. A false pair costs half of what a kept one earns.
    """
    best, best_score = diagram, _score(diagram, wanted, size)
    for _ in range(ROUNDS):
        if best_score == len(wanted):
            break
        diagram = _refitted(outline, diagram, _shifts(diagram, wanted, size), targets)
        score = _score(diagram, wanted, size)
        if score > best_score:
            best, best_score = diagram, score
    return best


def _score(diagram: Diagram, wanted: Collection[Pair], size: float) -> float:
    """A kept pair earns 1, a false one costs a half, a splinter of a cell up to `THINNESS`."""
    seen = touching(diagram, at_least=VISIBLE_EDGE * size)
    kept = len(seen.intersection(wanted))
    thin = sum(max(0.0, COMPACT - compactness(cell.points)) for cell in diagram.cells)
    return kept - (len(seen) - kept) / 2 - THINNESS * thin


def _shifts(diagram: Diagram, wanted: Collection[Pair], size: float) -> list[Point]:
    """Where every point should go next: a little to its cell's centre, and as its pairs ask."""
    shifts = _towards_centres(diagram, DRIFT)
    lengths = _common_edges(diagram)
    for pair in sorted({*wanted, *lengths}):
        share = min(lengths.get(pair, 0.0) / (EASY_EDGE * size), 1.0)
        force = PULL * size * ((1 - share) if pair in wanted else -share)
        _draw_together(shifts, diagram.sites, pair, force)
    return shifts


def _draw_together(shifts: list[Point], sites: Sequence[Point], pair: Pair, force: float) -> None:
    i, j = pair
    dx, dy = sites[j][0] - sites[i][0], sites[j][1] - sites[i][1]
    share = force / hypot(dx, dy)
    shifts[i] = shifts[i][0] + share * dx, shifts[i][1] + share * dy
    shifts[j] = shifts[j][0] - share * dx, shifts[j][1] - share * dy


def _towards_centres(diagram: Diagram, share: float) -> list[Point]:
    centres = [centroid(cell.points) for cell in diagram.cells]
    return [
        (share * (cx - x), share * (cy - y))
        for (x, y), (cx, cy) in zip(diagram.sites, centres, strict=True)
    ]


def _refitted(
    outline: Ring, diagram: Diagram, shifts: Sequence[Point], targets: Sequence[float]
) -> Diagram:
    sites = [(x + dx, y + dy) for (x, y), (dx, dy) in zip(diagram.sites, shifts, strict=True)]
    return fitted_diagram(outline, sites, targets, tolerance=TOLERANCE, start=diagram.weights)


def _common_edges(diagram: Diagram) -> dict[Pair, float]:
    return {
        (i, j): length
        for i, cell in enumerate(diagram.cells)
        for j, length in cell.shared_lengths().items()
        if i < j
    }
