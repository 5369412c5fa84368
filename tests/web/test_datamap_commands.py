"""The commands of the map: refresh and query."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from reception.datamap import drawings
from storage.database import reading
from storage.models import MonthlyFact, UnitGeometry
from tests.support.factories import COMMUNE, Factories
from tests.support.mapfacts import put_case, put_facts
from workflows.datamap.geometry import schematic_map

OCTOBER = date(2026, 10, 12)


def _run(app: Flask, *words: str, code: int = 0) -> str:
    answer = app.test_cli_runner().invoke(args=["datamap", *words])
    assert answer.exit_code == code, answer.output
    return str(answer.output)


def _query(app: Flask, layer: str, period: str = "2026-10") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        _run(app, "query", "--layer", layer, "--period", period, "--json")
    )
    return found


@pytest.fixture
def facts(app: Flask) -> None:
    put_facts(
        (COMMUNE, OCTOBER, "land-price", "complaint", 2),
        (COMMUNE, OCTOBER, "tax", "feedback", 5),
        (COMMUNE, OCTOBER, "tax", "denunciation", 9),
    )


@pytest.mark.parametrize(
    ("layer", "cases"),
    [
        ("cases", 7),
        ("all", 7),
        ("land", 2),
        ("complaint", 2),
        ("feedback", 5),
        ("tax:feedback", 5),
        ("tax:complaint", 0),
    ],
)
@pytest.mark.usefixtures("facts")
def test_query_answers_a_layer_with_exact_numbers(app: Flask, layer: str, cases: int) -> None:
    answer = _query(app, layer)
    assert answer["cases"] == cases
    assert {unit["code"]: unit["cases"] for unit in answer["units"]}[COMMUNE] == cases
    assert len(answer["units"]) == 95


@pytest.mark.usefixtures("facts")
def test_query_prints_the_highest_rate_first_for_people(app: Flask) -> None:
    lines = _run(app, "query", "--layer", "cases", "--period", "2026-10").splitlines()
    assert lines[0].startswith("cases 2026-10:       7 cases")
    assert lines[1].startswith(COMMUNE)
    assert "no data" in lines[-1]


@pytest.mark.parametrize(
    ("layer", "period", "words"),
    [
        ("nope", "2026-10", "Không có lớp"),
        ("denunciation", "2026-10", "Tố cáo không có trên bản đồ"),
        ("cases", "2026-13", "chưa đúng"),
        ("public", "2026-Q3", "chưa mở"),
    ],
)
def test_query_refuses_with_a_sentence_and_code_2(
    app: Flask, layer: str, period: str, words: str
) -> None:
    assert words in _run(app, "query", "--layer", layer, "--period", period, code=2)


def test_refresh_counts_cases_and_draws_the_map_once(
    app: Flask, factories: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_case(COMMUNE, OCTOBER)
    # Three units: the drawing of the whole province takes seconds and has tests of its own.
    monkeypatch.setattr(drawings, "schematic_map", lambda units: schematic_map(list(units)[:3]))
    first = json.loads(_run(app, "refresh", "--json"))
    assert first == {"facts": 1, "drawn": True, "published": []}
    assert json.loads(_run(app, "refresh", "--json"))["drawn"] is False
    with reading() as work:
        assert work.db_session.query(UnitGeometry).count() == 1
        fields = work.db_session.scalars(select(MonthlyFact.field_code)).all()
    assert sorted(fields) == ["", "land"]
    assert "facts: 1" in _run(app, "refresh")
