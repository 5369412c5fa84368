"""Brings in the province's own borders as a new version; earlier ones stay for earlier periods."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from reception.datamap.drawings import BORDERS
from reception.datamap.operations import home
from storage.database import reading, unit_of_work
from storage.models import UnitGeometry
from storage.models.base import new_id
from storage.queries.datamap import map_units, newest_geometry
from workflows.datamap.borders import Known, Matched, border_map, match, read_features, simplified
from workflows.errors import BadInput

TOLERANCE = 0.0008
"""Degrees, about 90 m: measured to keep every border exact to the eye on a page."""

NAMED = 8


def import_boundaries(
    content: bytes,
    *,
    source: str,
    valid_from_on: date,
    code_field: str = "",
    name_field: str = "",
    tolerance: float = TOLERANCE,
    allow_missing: bool = False,
    by: UUID | None = None,
) -> dict[str, Any]:
    """Read, match, simplify and keep; returns what was matched, missing and extra.

    Raises BadInput: not GeoJSON, projected coordinates, units missing, borders that overlap.
    """
    province = home()
    with reading() as work:
        units = [
            Known(unit.code, unit.name, unit.full_name)
            for unit in map_units(work.db_session, province.code)
        ]
    found = match(read_features(content), units, code_field=code_field, name_field=name_field)
    _check(found, units, allow_missing=allow_missing)
    names = {unit.code: unit.name for unit in units}
    drawing = border_map(simplified(found.shapes, tolerance), names)
    with unit_of_work() as work:
        newest = newest_geometry(work.db_session, province.code, BORDERS)
        row = UnitGeometry(
            id=new_id(),
            province_code=province.code,
            view=BORDERS,
            version=newest.version + 1 if newest else 1,
            valid_from_on=valid_from_on,
            source=source,
            data={"drawing": drawing.to_json()},
        )
        work.add(row)
        work.audit(
            "map_borders_imported",
            row,
            by=by,
            version=row.version,
            matched=len(found.shapes),
            missing=list(found.missing),
            valid_from_on=valid_from_on,
        )
    return {
        "version": row.version,
        "matched": len(found.shapes),
        "missing": list(found.missing),
        "extra": list(found.extra),
        "points": sum(len(cell.ring) for cell in drawing.cells),
    }


def _check(found: Matched, units: list[Known], *, allow_missing: bool) -> None:
    if not found.shapes:
        raise BadInput({"file": ""}, "Không vùng nào trong tệp khớp với đơn vị của tỉnh.")
    if found.missing and not allow_missing:
        names = {unit.code: unit.full_name for unit in units}
        first = ", ".join(names[code] for code in found.missing[:NAMED])
        more = len(found.missing) - NAMED
        sentence = (
            f"Tệp thiếu ranh giới của {len(found.missing)} trên {len(units)} đơn vị: {first}"
            f"{f' và {more} đơn vị nữa' if more > 0 else ''}. "
            "Bổ sung rồi nhập lại, hoặc thêm --allow-missing để nhập phần đã có."
        )
        raise BadInput({"file": sentence}, sentence)
