"""The demonstration's cases: planned alike each time, written by the same steps as real ones."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from reception.demo.planning import HOT_UNITS, Plan, plans
from reception.demo.seed import _write_cases
from reception.demo.staff import hire
from storage.database import reading, unit_of_work
from storage.identities import prepare_vault
from storage.models import AuditLeaf, Case, DailyFact, Petition, ProcedureRun, Transfer, Unit
from storage.steps import state_from_steps

TODAY = date(2026, 11, 23)


def _planned(app: Flask, count: int) -> list[Plan]:
    with app.app_context():
        return list(plans(count, TODAY))


def test_same_day_gives_the_same_plans(app: Flask) -> None:
    told = [
        [(plan.number, plan.unit.code, plan.on, plan.matter.title, plan.fate) for plan in made]
        for made in (_planned(app, 60), _planned(app, 60))
    ]
    assert told[0] == told[1]


def test_a_project_stirs_one_place_and_its_neighbours(app: Flask) -> None:
    around = {code for code, _ in HOT_UNITS}
    when: Counter[bool] = Counter()
    stirred: Counter[bool] = Counter()
    for plan in _planned(app, 1500):
        recent = (TODAY - plan.on).days < 120
        when[recent] += 1
        stirred[recent] += plan.unit.code in around
    assert stirred[True] / when[True] > 2 * stirred[False] / when[False]


@pytest.fixture
def written(app: Flask) -> Flask:
    prepare_vault()
    with unit_of_work() as work:
        staff = hire(work)
    _write_cases(_planned(app, 40), staff, TODAY)
    return app


@pytest.mark.usefixtures("written")
def test_every_state_is_what_its_steps_say_and_every_step_is_in_the_log() -> None:
    with reading() as work:
        runs = work.db_session.scalars(select(ProcedureRun)).all()
        assert len(runs) >= 40
        assert [run.state for run in runs] == [state_from_steps(run.steps) for run in runs]
        steps = sum(len(run.steps) for run in runs)
        leaves = work.db_session.scalar(
            select(func.count()).where(AuditLeaf.object_kind == "procedure_step")
        )
    assert leaves == steps


@pytest.mark.usefixtures("written")
def test_the_map_counts_every_case_once() -> None:
    with reading() as work:
        cases = work.db_session.scalar(select(func.count()).select_from(Case))
        counted = work.db_session.scalar(select(func.sum(DailyFact.opened)))
    assert counted == cases


@pytest.mark.usefixtures("written")
def test_letters_of_the_board_travel_to_a_department() -> None:
    with reading() as work:
        rows = work.db_session.execute(
            select(Unit.code, Petition.holder_unit_id == Transfer.to_unit_id)
            .join(Transfer, Transfer.to_unit_id == Unit.id)
            .join(Petition, Petition.id == Transfer.petition_id)
            .where(Transfer.received_on.is_not(None))
        ).all()
    assert rows
    assert all(code.startswith("75-S") and arrived for code, arrived in rows)
