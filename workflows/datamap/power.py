"""Power diagrams: cut an outline into one cell per site, each cell of a wanted area.

The cell of site i is where `|x - site_i|² - weight_i` is smallest. Weights are found by damped
Newton steps: the areas' derivatives are edge lengths over site distances, a graph Laplacian.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from workflows.datamap.plane import Plane, Point, Ring, TaggedRing, area

MAX_ROUNDS = 60
SMALLEST_STEP = 1 / 4096


@dataclass(frozen=True)
class Diagram:
    """Cells and their shared edges for one choice of weights."""

    sites: list[Point]
    weights: list[float]
    cells: list[TaggedRing]

    def areas(self) -> list[float]:
        return [area(cell.points) for cell in self.cells]

    def slopes(self) -> list[dict[int, float]]:
        """Per cell and neighbour: area the cell loses per unit of the neighbour's weight."""
        return [
            {
                j: length / (2 * _distance(self.sites[i], self.sites[j]))
                for j, length in cell.shared_lengths().items()
                if length > 0
            }
            for i, cell in enumerate(self.cells)
        ]


def power_diagram(outline: Ring, sites: Sequence[Point], weights: Sequence[float]) -> Diagram:
    """Cut `outline` into the cells of `sites`; a cell may come out empty."""
    cells = [_cell(i, outline, sites, weights) for i in range(len(sites))]
    return Diagram(list(sites), list(weights), cells)


def fitted_diagram(
    outline: Ring,
    sites: Sequence[Point],
    targets: Sequence[float],
    *,
    tolerance: float = 0.002,
    start: Sequence[float] | None = None,
) -> Diagram:
    """The diagram whose cell areas meet `targets` within the share `tolerance`.

    Targets are scaled to the outline's area. Sites must be distinct. When the best step gets
    too small to help, the nearest diagram reached is returned.
    """
    scale = area(outline) / sum(targets)
    wanted = [target * scale for target in targets]
    diagram = _first_diagram(outline, sites, start)
    floor = min([*diagram.areas(), *wanted]) / 2
    for _ in range(MAX_ROUNDS):
        if _worst_miss(diagram, wanted) <= tolerance:
            break
        better = _newton_step(outline, diagram, wanted, floor)
        if better is None:
            break
        diagram = better
    return diagram


def _first_diagram(outline: Ring, sites: Sequence[Point], start: Sequence[float] | None) -> Diagram:
    """Begin from known weights, if every cell has room with them, else from equal ones."""
    equal = power_diagram(outline, sites, [0.0] * len(sites))
    if start is None:
        return equal
    warm = power_diagram(outline, sites, start)
    return warm if min(warm.areas()) > min(equal.areas()) / 2 else equal


def _cell(i: int, outline: Ring, sites: Sequence[Point], weights: Sequence[float]) -> TaggedRing:
    here = sites[i]
    others = sorted((_distance(here, site), j) for j, site in enumerate(sites) if j != i)
    ring, reach = TaggedRing.of(outline), _reach(here, outline)
    for distance, j in others:
        lead = weights[i] - weights[j]
        # A line farther away than the cell's last corner cuts nothing.
        if distance**2 + lead >= 2 * distance * reach:
            continue
        ring = ring.clipped(_bisector(here, sites[j], lead, tag=j))
        reach = _reach(here, ring.points)
    return ring


def _reach(here: Point, ring: Ring) -> float:
    return max((_distance(here, point) for point in ring), default=0.0)


def _bisector(here: Point, there: Point, lead: float, *, tag: int) -> Plane:
    """Points nearer to `here` than to `there` when `here` has `lead` more weight."""
    nx, ny = 2 * (there[0] - here[0]), 2 * (there[1] - here[1])
    limit = there[0] ** 2 + there[1] ** 2 - here[0] ** 2 - here[1] ** 2 + lead
    return Plane(nx, ny, limit, tag)


def _worst_miss(diagram: Diagram, wanted: Sequence[float]) -> float:
    return max(abs(got - want) / want for got, want in zip(diagram.areas(), wanted, strict=True))


def _miss(diagram: Diagram, wanted: Sequence[float]) -> float:
    return sum((got - want) ** 2 for got, want in zip(diagram.areas(), wanted, strict=True))


def _newton_step(
    outline: Ring, diagram: Diagram, wanted: Sequence[float], floor: float
) -> Diagram | None:
    """A step that lowers the miss and leaves no cell under `floor`; None when there is none."""
    missing = [want - got for want, got in zip(wanted, diagram.areas(), strict=True)]
    move = _solve_laplacian(diagram.slopes(), missing)
    before = _miss(diagram, wanted)
    step = 1.0
    while step >= SMALLEST_STEP:
        weights = [w + step * m for w, m in zip(diagram.weights, move, strict=True)]
        trial = power_diagram(outline, diagram.sites, weights)
        if min(trial.areas()) >= floor and _miss(trial, wanted) < before:
            return trial
        step /= 2
    return None


def _solve_laplacian(slopes: Sequence[dict[int, float]], right: Sequence[float]) -> list[float]:
    """Solve the symmetric system of the areas' derivatives by conjugate gradients."""
    links = _symmetric(slopes)
    answer = [0.0] * len(right)
    mean = sum(right) / len(right)
    rest = [value - mean for value in right]
    heading = rest
    power = _dot(rest, rest)
    goal = power * 1e-18
    for _ in range(4 * len(right)):
        if power <= goal:
            break
        image = _apply(links, heading)
        stride = power / _dot(heading, image)
        answer = [a + stride * h for a, h in zip(answer, heading, strict=True)]
        rest = [r - stride * m for r, m in zip(rest, image, strict=True)]
        power, before = _dot(rest, rest), power
        heading = [r + power / before * h for r, h in zip(rest, heading, strict=True)]
    return answer


def _symmetric(slopes: Sequence[dict[int, float]]) -> list[dict[int, float]]:
    """Both sides of an edge measure it with rounding of their own; use the mean."""
    links: list[dict[int, float]] = [{} for _ in slopes]
    for i, row in enumerate(slopes):
        for j, slope in row.items():
            links[i][j] = links[j][i] = (slope + slopes[j].get(i, slope)) / 2
    return links


def _apply(links: Sequence[dict[int, float]], values: Sequence[float]) -> list[float]:
    return [
        sum(slope * (values[i] - values[j]) for j, slope in row.items())
        for i, row in enumerate(links)
    ]


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _distance(a: Point, b: Point) -> float:
    return hypot(a[0] - b[0], a[1] - b[1])
