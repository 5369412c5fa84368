"""The work of the night: planned once whoever plans it, and the map is renewed by it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from flask import Flask
from sqlalchemy import select, update

from reception.nightly import plan_night
from reception.worker import all_handlers, all_nightly
from storage.database import reading, unit_of_work
from storage.jobs import run_one
from storage.models import Job, UnitGeometry
from storage.models.base import utc_now

EVENING = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 22:00 at the office
HALF_PAST_TWO = {"datamap.refresh": time(2, 30)}


def _jobs() -> list[Job]:
    with reading() as work:
        return list(work.db_session.scalars(select(Job).order_by(Job.run_after_at)))


def test_the_coming_night_is_planned_once_whoever_plans_it(app_on_both: Flask) -> None:
    assert plan_night(HALF_PAST_TWO, now=EVENING) == ["datamap.refresh"]
    assert plan_night(HALF_PAST_TWO, now=EVENING + timedelta(hours=4)) == []
    assert [job.run_after_at for job in _jobs()] == [datetime(2026, 11, 23, 19, 30, tzinfo=UTC)]


def test_a_night_that_is_done_is_followed_by_the_next(app: Flask) -> None:
    plan_night(HALF_PAST_TWO, now=EVENING)
    assert plan_night(HALF_PAST_TWO, now=EVENING + timedelta(hours=5)) == ["datamap.refresh"]
    nights = [job.dedupe_key for job in _jobs()]
    assert nights == ["datamap.refresh:2026-11-24", "datamap.refresh:2026-11-25"]


def test_the_worker_knows_how_to_do_all_it_plans(app: Flask) -> None:
    assert "datamap.refresh" in all_nightly()
    assert all_nightly().keys() <= all_handlers().keys()


def test_the_planned_night_draws_the_map(app: Flask) -> None:
    plan_night(all_nightly(), now=utc_now())
    with unit_of_work() as work:
        work.db_session.execute(update(Job).values(run_after_at=utc_now()))
    assert run_one("night", all_handlers())
    with reading() as work:
        assert work.db_session.scalars(select(Job.state)).all() == ["done"]
        assert work.db_session.scalars(select(UnitGeometry.view)).all() == ["schematic"]
