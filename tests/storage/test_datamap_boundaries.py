"""Borders brought in from a file: matched, refused in plain words, kept as versions."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from reception.datamap.boundaries import import_boundaries
from reception.datamap.drawings import BORDERS, drawing_for
from storage.database import reading, unit_of_work
from storage.models import AuditLeaf, Unit, UnitGeometry
from storage.queries.datamap import map_units
from workflows.errors import BadInput
from workflows.folding import fold

SIDE = 0.1


def _squares(units: list[Unit], **changes: Any) -> dict[str, Any]:
    """A made-up province: one square per unit, ten in a row, sharing their sides exactly."""
    features = []
    for k, unit in enumerate(units):
        row, col = divmod(k, 10)
        west, east = (round(106 + (col + d) * SIDE, 6) for d in (0, 1))
        south, north = (round(11 + (row + d) * SIDE, 6) for d in (0, 1))
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        features.append(
            {
                "type": "Feature",
                "properties": {"code": unit.code, "name": unit.full_name, **changes},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    return {"type": "FeatureCollection", "features": features}


@pytest.fixture
def units(app: Flask) -> list[Unit]:
    with reading() as work:
        return map_units(work.db_session, "75")


def _import(document: Any, **options: Any) -> dict[str, Any]:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    given = {"source": "Sở Nông nghiệp và Môi trường", "valid_from_on": date(2026, 7, 1)}
    return import_boundaries(content, **{**given, **options})


def _kept() -> list[UnitGeometry]:
    with reading() as work:
        return list(
            work.db_session.scalars(
                select(UnitGeometry)
                .where(UnitGeometry.view == BORDERS)
                .order_by(UnitGeometry.version)
            )
        )


def test_whole_province_is_matched_by_code_and_drawn_as_borders(units: list[Unit]) -> None:
    done = _import(_squares(units))
    assert (done["matched"], done["missing"], done["extra"]) == (95, [], [])
    with reading() as work:
        drawing = drawing_for(work.db_session, "75", "", date(2026, 11, 1), units)
    assert (drawing.view, drawing.source) == (BORDERS, "Sở Nông nghiệp và Môi trường")
    assert drawing.schematic is not None
    assert len(drawing.schematic.cells) == 95
    corner = drawing.schematic.cells[0]
    assert set(corner.neighbours) == {units[1].code, units[10].code}


def test_names_match_without_marks_and_without_today_s_type(units: list[Unit]) -> None:
    document = _squares(units)
    for feature, unit in zip(document["features"], units, strict=True):
        feature["properties"] = {"TEN_XA": f"xã {unit.name}".upper()}
    assert _import(document)["matched"] == 95


def test_names_that_differ_only_in_marks_are_never_mixed_up(units: list[Unit]) -> None:
    """Lộc Thành and Lộc Thạnh: without marks the file does not say which one is meant."""
    document = _squares(units)
    for feature, unit in zip(document["features"], units, strict=True):
        feature["properties"] = {"name": fold(unit.full_name)}
    done = _import(document, allow_missing=True)
    names = {unit.code: unit.name for unit in units}
    assert {names[code] for code in done["missing"]} >= {"Lộc Thành", "Lộc Thạnh"}
    assert len(done["extra"]) == len(done["missing"])


def test_missing_units_are_refused_with_their_names_unless_allowed(units: list[Unit]) -> None:
    document = _squares(units[:-2])
    with pytest.raises(BadInput, match="thiếu ranh giới của 2 trên 95") as refused:
        _import(document)
    assert units[-1].full_name in refused.value.message
    assert _kept() == []
    done = _import(document, allow_missing=True)
    assert done["missing"] == [units[-2].code, units[-1].code]


def test_projected_coordinates_are_refused_in_plain_words(units: list[Unit]) -> None:
    document = _squares(units)
    for feature in document["features"]:
        ring = feature["geometry"]["coordinates"][0]
        feature["geometry"]["coordinates"][0] = [[x * 5_000, y * 100_000] for x, y in ring]
    with pytest.raises(BadInput, match="VN-2000"):
        _import(document)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b'{"type":"FeatureCollection","features":[]}',
        b'{"features":[{}]}',
        b'{"features":[{"geometry":{"type":"Point","coordinates":[106,11]}}]}',
    ],
)
def test_file_that_is_no_map_of_areas_is_refused(app: Flask, content: bytes) -> None:
    with pytest.raises(BadInput, match="Xuất lại"):
        _import(content)


def test_overlapping_borders_are_refused(units: list[Unit]) -> None:
    document = _squares(units)
    ring = document["features"][0]["geometry"]["coordinates"][0]
    ring[1][0] = ring[2][0] = ring[1][0] + SIDE / 2
    with pytest.raises(BadInput, match="chồng lên nhau"):
        _import(document)


def test_map_of_another_province_is_refused(units: list[Unit]) -> None:
    document = _squares(units)
    for feature in document["features"]:
        feature["properties"] = {"code": "00001", "name": "Xã Không Có"}
    with pytest.raises(BadInput, match="Không vùng nào"):
        _import(document, allow_missing=True)


def test_each_import_is_a_version_and_old_periods_keep_theirs(units: list[Unit]) -> None:
    _import(_squares(units), source="cũ", valid_from_on=date(2025, 7, 1))
    _import(_squares(units), source="mới", valid_from_on=date(2026, 7, 1))
    assert [row.version for row in _kept()] == [1, 2]
    with reading() as work:
        sources = [
            drawing_for(work.db_session, "75", "borders", on, units).source
            for on in (date(2026, 6, 30), date(2026, 7, 31))
        ]
    assert sources == ["cũ", "mới"]


def test_import_is_in_the_audit_log(units: list[Unit]) -> None:
    _import(_squares(units))
    with reading() as work:
        leaf = work.db_session.scalars(
            select(AuditLeaf).where(AuditLeaf.action == "map_borders_imported")
        ).one()
    assert '"matched":95' in leaf.body.replace(" ", "")


def test_borders_are_simplified_along_common_lines(units: list[Unit]) -> None:
    document = _squares(units[:2])
    steps = [round(11 + k * SIDE / 50, 6) for k in range(51)]
    wavy = [[round(106.1 + (0.0001 if k % 2 else 0), 6), y] for k, y in enumerate(steps)]
    document["features"][0]["geometry"]["coordinates"] = [
        [[106.0, 11.0], *wavy, [106.0, 11.1], [106.0, 11.0]]
    ]
    document["features"][1]["geometry"]["coordinates"] = [
        [[106.2, 11.0], [106.2, 11.1], *reversed(wavy), [106.2, 11.0]]
    ]
    before = sum(len(f["geometry"]["coordinates"][0]) - 1 for f in document["features"])
    assert _import(document, allow_missing=True)["points"] < before / 2


def test_command_tells_what_was_done_and_refuses_with_code_2(
    app: Flask, units: list[Unit], tmp_path: Path
) -> None:
    file = tmp_path / "ranh-gioi.geojson"
    file.write_text(json.dumps(_squares(units)), encoding="utf-8")
    run = app.test_cli_runner().invoke
    answer = run(args=["datamap", "import-boundaries", str(file), "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.output)["matched"] == 95
    assert _kept()[0].source == "ranh-gioi.geojson"
    file.write_text(json.dumps(_squares(units[:3])), encoding="utf-8")
    answer = run(args=["datamap", "import-boundaries", str(file)])
    assert answer.exit_code == 2
    assert "thiếu ranh giới của 92" in answer.output


def test_units_changed_later_get_a_new_schematic_version(app: Flask, units: list[Unit]) -> None:
    from reception.datamap import drawings

    with unit_of_work() as work:
        for unit in units[4:]:
            work.get(Unit, unit.id).valid_to_on = date(2026, 1, 1)
    assert drawings.refresh_schematic("75", today=date(2026, 11, 23))
    assert not drawings.refresh_schematic("75", today=date(2026, 11, 24))
    with unit_of_work() as work:
        row = work.get(Unit, units[0].id)
        row.area_km2 = (row.area_km2 or 0) + 5
    assert drawings.refresh_schematic("75", today=date(2026, 11, 25))
    with reading() as work:
        kept = work.db_session.scalars(select(UnitGeometry).order_by(UnitGeometry.version)).all()
    assert [row.version for row in kept] == [1, 2]
    assert kept[0].valid_from_on < kept[1].valid_from_on == date(2026, 11, 25)
