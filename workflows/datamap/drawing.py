"""SVG path data from plane figures. Lengths in drawing units, y pointing down."""

from collections.abc import Sequence
from math import hypot

from workflows.datamap.plane import Point, Ring


def rounded_path(cell: Ring, *, radius: float = 5.0) -> str:
    """SVG path data of a closed figure with its corners rounded by up to `radius`.

    A side shorter than two radii gives each of its corners half of its length.
    """
    parts: list[str] = []
    count = len(cell)
    for k, corner in enumerate(cell):
        enter = _towards(corner, cell[k - 1], radius)
        leave = _towards(corner, cell[(k + 1) % count], radius)
        parts.append(f"{'L' if parts else 'M'}{_pair(enter)}Q{_pair(corner)} {_pair(leave)}")
    return "".join(parts) + "Z"


def straight_path(rings: Sequence[Ring]) -> str:
    """SVG path data of one or several closed figures with sharp corners."""
    return "".join("M" + "L".join(_pair(point) for point in ring) + "Z" for ring in rings)


def _towards(corner: Point, other: Point, radius: float) -> Point:
    length = hypot(other[0] - corner[0], other[1] - corner[1])
    if length == 0:
        return corner
    share = min(radius / length, 0.5)
    return corner[0] + (other[0] - corner[0]) * share, corner[1] + (other[1] - corner[1]) * share


def _pair(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
