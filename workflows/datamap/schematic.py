"""A finished drawing of a province: cells with paths and labels, whatever method made them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from workflows.datamap.lettering import Label
from workflows.datamap.plane import Point

DRAWING_WIDTH = 776.0
FORMAT = 1


@dataclass(frozen=True)
class Cell:
    """One unit on the drawing. `ring` is the exact cell, `path` the smaller rounded one."""

    code: str
    name: str
    ring: tuple[Point, ...]
    path: str
    point: Point
    label: Label
    neighbours: tuple[str, ...]


@dataclass(frozen=True)
class Cluster:
    """Neighbouring units drawn much larger than in nature; `box` is x, y, width, height."""

    codes: tuple[str, ...]
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Schematic:
    """A drawing `width` by `height` units, y pointing down, made of cells."""

    width: float
    height: float
    cells: tuple[Cell, ...]
    outline_path: str
    clusters: tuple[Cluster, ...]

    @property
    def neighbours(self) -> dict[str, tuple[str, ...]]:
        """Neighbouring codes of every unit, as hot spots ask for them."""
        return {cell.code: cell.neighbours for cell in self.cells}

    def to_json(self) -> dict[str, Any]:
        """Plain lists and dictionaries, to be kept in the database."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Schematic":
        """The drawing that `to_json` described. Raises ValueError for another format."""
        if kept["format"] != FORMAT:
            raise ValueError(
                f"drawing kept in format {kept['format']}, this program reads {FORMAT}"
            )
        return cls(
            width=kept["width"],
            height=kept["height"],
            cells=tuple(_cell_from_json(cell) for cell in kept["cells"]),
            outline_path=kept["outline_path"],
            clusters=tuple(
                Cluster(tuple(cluster["codes"]), tuple(cluster["box"]))
                for cluster in kept["clusters"]
            ),
        )


def _cell_from_json(kept: Mapping[str, Any]) -> Cell:
    label = kept["label"]
    return Cell(
        code=kept["code"],
        name=kept["name"],
        ring=tuple((x, y) for x, y in kept["ring"]),
        path=kept["path"],
        point=(kept["point"][0], kept["point"][1]),
        label=Label(**{**label, "lines": tuple(label["lines"])}),
        neighbours=tuple(kept["neighbours"]),
    )
