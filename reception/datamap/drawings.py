"""Drawings of the province: the kept schematic, the hexagons, and borders that were brought in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from storage.database import reading, unit_of_work
from storage.models import Unit, UnitGeometry
from storage.models.base import new_id
from storage.queries.datamap import geometry_in_force, map_units, newest_geometry
from storage.reference import FOLDER
from workflows.datamap.geometry import UnitFacts, schematic_map
from workflows.datamap.hexagons import Tile, hexagon_map, read_tiles
from workflows.datamap.schematic import FORMAT, Schematic

SCHEMATIC, HEXAGON, BORDERS, TABLE = "schematic", "hexagon", "borders", "table"
COMPUTED = "Tính từ tọa độ và diện tích của từng đơn vị"


@dataclass(frozen=True)
class Drawing:
    """One way of drawing the units; `schematic` is None where only the table can be shown.

    `offered` names the views that exist; `source` and `valid_from_on` are those of the borders.
    """

    view: str
    schematic: Schematic | None
    offered: tuple[str, ...]
    source: str = ""
    valid_from_on: date | None = None

    @property
    def neighbours(self) -> Mapping[str, Collection[str]]:
        """Who lies beside whom, for hot spots."""
        return self.schematic.neighbours if self.schematic else {}


def drawing_for(
    db_session: Session, province_code: str, view: str, on: date, units: Sequence[Unit]
) -> Drawing:
    """The wanted view, or the best there is: borders, schematic, hexagons, table alone."""
    kept = {
        name: row
        for name in (BORDERS, SCHEMATIC)
        if (row := geometry_in_force(db_session, province_code, name, on)) is not None
    }
    hexagons = _hexagons({unit.code: unit.name for unit in units})
    offered = (*kept, *([HEXAGON] if hexagons else []), TABLE)
    chosen = view if view in offered else offered[0]
    row = kept.get(chosen)
    if row is not None:
        return Drawing(chosen, read_drawing(row), offered, row.source, row.valid_from_on)
    # The table stands alone, but hot spots still need to know who lies beside whom.
    return Drawing(chosen, hexagons, offered)


def read_drawing(row: UnitGeometry) -> Schematic:
    """The drawing kept in a row."""
    return Schematic.from_json(row.data["drawing"])


def _hexagons(names: Mapping[str, str]) -> Schematic | None:
    tiles = _tiles()
    if not tiles.keys() & names.keys():
        return None
    return _drawn_hexagons(tuple(sorted(names.items())))


@lru_cache(maxsize=1)
def _tiles() -> dict[str, Tile]:
    with (FOLDER / "hexagons.csv").open(encoding="utf-8") as lines:
        return read_tiles(lines)


@lru_cache(maxsize=4)
def _drawn_hexagons(names: tuple[tuple[str, str], ...]) -> Schematic:
    return hexagon_map(_tiles(), dict(names))


def refresh_schematic(province_code: str, *, today: date) -> bool:
    """Compute the schematic when units changed or none is kept; whether a new one was made.

    Takes some seconds of computing, done outside the transaction. Safe to run again.
    """
    with reading() as work:
        units = map_units(work.db_session, province_code)
        facts = [
            UnitFacts(unit.code, unit.name, unit.lat, unit.lon, unit.area_km2)
            for unit in units
            if unit.lat is not None and unit.lon is not None and unit.area_km2
        ]
        kept = newest_geometry(work.db_session, province_code, SCHEMATIC)
    if not facts:
        return False
    mark = _fingerprint(facts)
    if kept is not None and kept.data.get("facts") == mark:
        return False
    drawing = schematic_map(facts)
    with unit_of_work() as work:
        newest = newest_geometry(work.db_session, province_code, SCHEMATIC)
        row = UnitGeometry(
            id=new_id(),
            province_code=province_code,
            view=SCHEMATIC,
            version=newest.version + 1 if newest else 1,
            valid_from_on=min(unit.valid_from_on for unit in units) if newest is None else today,
            source=COMPUTED,
            data={"facts": mark, "drawing": drawing.to_json()},
        )
        work.add(row)
        work.audit("map_drawn", row, by=None, version=row.version, units=len(facts))
    return True


def _fingerprint(facts: Sequence[UnitFacts]) -> str:
    """Changes with any fact the drawing is made of, and with the format it is kept in."""
    plain: list[Any] = [FORMAT, *([u.code, u.name, u.lat, u.lon, u.area_km2] for u in facts)]
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False).encode()).hexdigest()
