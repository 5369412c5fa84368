"""The job table: every job is done once, whoever dies on the way."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from flask import Flask

from storage.database import reading, unit_of_work
from storage.jobs import Cancelled, JobRun, LostLease, claim, run_one
from storage.models import Job, Setting
from storage.models.base import utc_now


def _enqueue(kind: str = "t", dedupe: str | None = None, **payload: object) -> None:
    with unit_of_work() as work:
        work.enqueue(kind, payload, dedupe=dedupe)


def _only() -> Job:
    with reading() as work:
        return work.db_session.query(Job).one()


def test_job_runs_once_and_its_effect_commits_with_it(app_on_both: Flask) -> None:
    _enqueue()

    def handler(run: JobRun) -> None:
        with run.finishing() as work:
            work.add(Setting(key="effect", value={}))

    assert run_one("w", {"t": handler})
    assert not run_one("w", {"t": handler})
    assert _only().state == "done"
    with reading() as work:
        assert work.db_session.get(Setting, "effect") is not None


def test_job_of_a_change_that_failed_never_exists(app: Flask) -> None:
    def fail_half_way() -> None:
        with unit_of_work() as work:
            work.enqueue("t", {})
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail_half_way()
    with reading() as work:
        assert work.db_session.query(Job).count() == 0


def test_expired_lease_is_taken_over_and_the_old_worker_can_write_nothing(
    app_on_both: Flask,
) -> None:
    _enqueue()
    with unit_of_work() as work:
        job = claim(work.db_session, "frozen", ["t"])
        assert job is not None
        old = JobRun(job.id, job.kind, job.payload, job.attempt, None)
    with unit_of_work() as work:
        work.get(Job, old.id).lease_until_at = utc_now() - timedelta(seconds=1)
    assert run_one("new", {"t": lambda run: None})
    with pytest.raises(LostLease), old.finishing() as work:
        work.add(Setting(key="twice", value={}))
    with reading() as work:
        assert work.db_session.get(Setting, "twice") is None
    assert _only().attempt == 2


def test_failing_job_is_tried_again_later_then_given_up(app: Flask) -> None:
    _enqueue()

    def handler(run: JobRun) -> None:
        raise ValueError("hỏng")

    for _ in range(5):
        assert run_one("w", {"t": handler})
        with unit_of_work() as work:
            job = work.db_session.query(Job).one()
            if job.state == "queued":
                assert job.run_after_at > utc_now()
                job.run_after_at = utc_now()
    assert _only().state == "failed"
    assert "hỏng" in _only().error
    assert not run_one("w", {"t": handler})


def test_same_live_job_is_not_queued_twice_but_again_after_it_is_done(app_on_both: Flask) -> None:
    _enqueue(dedupe="k")
    _enqueue(dedupe="k")
    with reading() as work:
        assert work.db_session.query(Job).count() == 1
    run_one("w", {"t": lambda run: None})
    _enqueue(dedupe="k")
    with reading() as work:
        assert work.db_session.query(Job).count() == 2


def test_cancel_is_seen_at_the_next_progress(app: Flask) -> None:
    _enqueue()

    def handler(run: JobRun) -> None:
        with unit_of_work() as work:
            work.get(Job, run.id).cancel_asked = True
        with pytest.raises(Cancelled):
            run.progress(1, 2)
        raise Cancelled

    run_one("w", {"t": handler})
    assert _only().state == "cancelled"


def test_many_workers_do_every_job_exactly_once(app_on_both: Flask) -> None:
    for number in range(30):
        _enqueue(number=number)
    done: list[int] = []
    lock = threading.Lock()

    def handler(run: JobRun) -> None:
        time.sleep(0.001)
        with run.finishing():
            pass
        with lock:
            done.append(run.payload["number"])

    def work_off(name: str) -> None:
        while run_one(name, {"t": handler}):
            pass

    crew = [threading.Thread(target=work_off, args=(f"w{n}",)) for n in range(4)]
    for member in crew:
        member.start()
    for member in crew:
        member.join()
    assert sorted(done) == list(range(30))
