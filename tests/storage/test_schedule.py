"""Work by the clock: comes back in time, survives restarts, is done by one worker at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from reception import schedule as worker_schedule
from storage import health
from storage.cleaning import delete_spent_chunks, forget_old_rows
from storage.database import reading, unit_of_work
from storage.integrity import check_recording
from storage.models import (
    AuditLeaf,
    Job,
    LiveChunk,
    RateBucket,
    Recording,
    ScheduledTask,
    Segment,
    Track,
)
from storage.models.base import utc_now
from storage.objects import Bucket, ObjectMissing
from storage.runtime import configure, runtime
from storage.schedule import LEASE, Task, claim, done, plan, run_due

HOUR = timedelta(hours=1)


@dataclass
class Clock:
    """A clock that the test moves; `runs` counts what was done."""

    now: datetime = field(default_factory=utc_now)
    runs: list[str] = field(default_factory=list)

    def task(self, name: str = "tick", *, at_start: bool = False) -> dict[str, Task]:
        def act() -> dict[str, Any]:
            self.runs.append(name)
            return {"run": len(self.runs)}

        return {name: Task(name, HOUR, act, at_start=at_start)}

    def passes(self, length: timedelta) -> None:
        self.now += length


@pytest.fixture
def clock(app: Flask) -> Iterator[Clock]:
    made = Clock()
    before = runtime()
    configure(replace(before, now=lambda: made.now))
    yield made
    configure(before)


def _row(name: str = "tick") -> ScheduledTask:
    with reading() as work:
        return work.get(ScheduledTask, name)


def test_task_runs_at_once_and_comes_back_when_its_time_has_passed(clock: Clock) -> None:
    tasks = clock.task()
    plan(tasks.values())
    assert run_due(tasks, "a")
    assert not run_due(tasks, "a")
    clock.passes(HOUR - timedelta(seconds=1))
    assert not run_due(tasks, "a")
    clock.passes(timedelta(seconds=1))
    assert run_due(tasks, "a")
    assert _row().last_ok_at == clock.now
    assert _row().next_run_at == clock.now + HOUR
    assert _row().result == {"run": 2}


def test_restart_neither_repeats_nor_forgets_a_task(clock: Clock) -> None:
    tasks = clock.task()
    plan(tasks.values(), starting=True)
    run_due(tasks, "a")
    plan(tasks.values(), starting=True)
    assert not run_due(tasks, "b")
    clock.passes(5 * HOUR)  # nobody worked meanwhile
    plan(tasks.values(), starting=True)
    assert run_due(tasks, "b")
    assert not run_due(tasks, "b"), "what was missed is done once, not five times"


def test_task_of_the_start_is_due_again_at_every_start(clock: Clock) -> None:
    tasks = clock.task(at_start=True)
    plan(tasks.values(), starting=True)
    run_due(tasks, "a")
    plan(tasks.values(), starting=True)
    assert run_due(tasks, "a")


def test_one_worker_at_a_time_and_a_frozen_one_writes_nothing_later(clock: Clock) -> None:
    tasks = clock.task()
    plan(tasks.values())
    frozen = claim(tasks, "a")
    assert frozen
    assert claim(tasks, "b") is None
    clock.passes(LEASE)
    taken_over = claim(tasks, "b")
    assert taken_over
    assert not done(frozen, {"by": "a"})
    assert done(taken_over, {"by": "b"})
    assert _row().result == {"by": "b"}


def test_task_that_fails_is_tried_again_after_a_growing_pause(clock: Clock) -> None:
    def fail() -> dict[str, Any]:
        raise ValueError("nothing there")

    tasks = {"tick": Task("tick", HOUR, fail)}
    plan(tasks.values())
    pauses = []
    for _ in range(9):
        assert run_due(tasks, "a")
        pauses.append((_row().next_run_at - clock.now).total_seconds())
        clock.passes(HOUR)
    assert pauses[:3] == [30, 60, 120]
    assert pauses[-1] == 3600
    assert "nothing there" in _row().error
    tasks = clock.task()
    run_due(tasks, "a")
    assert (_row().failures, _row().error) == (0, "")


def test_health_page_tells_last_and_next_run_and_what_goes_wrong(clock: Clock) -> None:
    def found() -> health.Finding:
        return {f.name: f for f in health.look(with_worm=False)}["schedule"]

    assert found().why == "clock_still"
    tasks = clock.task()
    plan(tasks.values())
    run_due(tasks, "a")
    assert found().state == health.OK
    assert found().figures["tasks"][0]["next_run_at"] == clock.now + HOUR
    with unit_of_work() as work:
        work.get(ScheduledTask, "tick").next_run_at = utc_now() - timedelta(minutes=11)
    assert (found().state, found().why) == (health.BAD, "clock_still")


def test_worker_does_everything_once_at_its_start(clock: Clock) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=worker_schedule.run_forever, args=(stop,))
    thread.start()
    waited = threading.Event()
    for _ in range(200):
        with reading() as work:
            rows = work.db_session.scalars(select(ScheduledTask)).all()
        if len(rows) == len(worker_schedule.TASKS) and all(r.last_ok_at or r.error for r in rows):
            break
        waited.wait(0.1)
    stop.set()
    thread.join()
    assert {row.name: row.error for row in rows} == dict.fromkeys(worker_schedule.TASKS, "")


def test_log_that_was_set_back_is_an_alarm_of_its_task(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reception.keeping.compare_at_start", lambda: False)
    plan(worker_schedule.TASKS.values(), starting=True)
    while run_due(worker_schedule.TASKS, "a"):
        pass
    assert "không khớp" in _row("compare").error


def test_rows_of_a_moment_are_forgotten_and_failed_work_is_kept(clock: Clock) -> None:
    old = clock.now - timedelta(days=40)
    with unit_of_work() as work:
        work.db_session.add(RateBucket(key="x", window_at=old, count=1))
        work.db_session.add(RateBucket(key="x", window_at=clock.now, count=1))
        for state in ("done", "failed"):
            work.add(Job(kind="x", payload={}, state=state, finished_at=old))
    assert forget_old_rows() == {"attempts": 1, "log_ins": 0, "jobs": 1}
    with reading() as work:
        assert [job.state for job in work.db_session.scalars(select(Job))] == ["failed"]


@pytest.fixture
def long_ago(recorded_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A sealed recording; calling it lets 31 days pass for the program and its store."""
    with recorded_app.app_context():
        before = runtime()
        later = utc_now() + timedelta(days=31)

        def pass_a_month() -> None:
            monkeypatch.setattr(before.store, "_now", lambda: later)
            configure(replace(before, now=lambda: later))

        yield pass_a_month
        configure(before)


def test_live_chunks_go_when_their_lock_ended_and_masters_hold(
    long_ago: Callable[[], None],
) -> None:
    assert delete_spent_chunks() == 0, "the lock has not ended"
    with reading() as work:
        chunks = work.db_session.scalars(select(LiveChunk)).all()
        masters = work.db_session.scalars(select(Track.master_object_id)).all()
    assert None not in masters
    long_ago()
    assert delete_spent_chunks() == len(chunks) > 0
    assert delete_spent_chunks() == 0
    with pytest.raises(ObjectMissing):
        runtime().store.stat(Bucket.CHUNKS, chunks[0].name, chunks[0].version_id)
    with reading() as work:
        assert all(row.deleted_at for row in work.db_session.scalars(select(LiveChunk)))
        leaves = work.db_session.scalars(
            select(AuditLeaf).where(AuditLeaf.action == "live_chunks_deleted")
        ).all()
        segments = work.db_session.scalars(select(Segment)).all()
        recording = work.db_session.scalars(select(Recording)).one()
    assert {leaf.object_id for leaf in leaves} == {segment.id for segment in segments}
    check = check_recording(recording.id)
    assert (check.failures, check.chunks_deleted) == ([], len(chunks))


@pytest.mark.parametrize("change", [{"state": "closing"}, {"legal_hold": True}])
def test_live_chunks_that_may_be_needed_stay(
    long_ago: Callable[[], None], change: dict[str, Any]
) -> None:
    with unit_of_work() as work:
        for recording in work.db_session.scalars(select(Recording)):
            for name, value in change.items():
                setattr(recording, name, value)
    long_ago()
    assert delete_spent_chunks() == 0
