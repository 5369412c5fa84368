"""What the worker does by the clock, besides the nightly jobs of the areas."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Any

from reception import keeping
from storage.cleaning import delete_spent_chunks, forget_old_rows
from storage.jobs import worker_name
from storage.objects import worm_selftest
from storage.runtime import runtime
from storage.schedule import Task, plan, run_due
from workflows.errors import DomainError, Unavailable

log = logging.getLogger(__name__)
LOOK_S = 5.0


class TaskAlarm(DomainError):
    """A task ran and found something wrong; stays on the health page until it finds all well."""


def _compare() -> dict[str, Any]:
    if not keeping.compare_at_start():
        raise TaskAlarm("Nhật ký không khớp điểm chốt ngoài cơ sở dữ liệu.")
    return {}


def _checkpoint() -> dict[str, Any]:
    keeping.keep_checkpoints()
    return {}


def _settle() -> dict[str, Any]:
    keeping.keep_classes()
    return {}


def _try_lock() -> dict[str, Any]:
    report = worm_selftest(runtime().store)
    if not report.ok:
        raise TaskAlarm("; ".join(report.failures))
    return {"strength": report.strength.value}


def _clean() -> dict[str, Any]:
    return {**forget_old_rows(), "chunks": delete_spent_chunks()}


TASKS = {
    task.name: task
    for task in (
        Task("compare", timedelta(hours=6), _compare, at_start=True),
        Task("lock-test", timedelta(hours=24), _try_lock, at_start=True),
        Task("checkpoint", timedelta(minutes=1), _checkpoint),  # makes one when an hour has passed
        Task("settle", timedelta(hours=1), _settle),
        Task("clean", timedelta(hours=1), _clean),
    )
}


def run_forever(stop: threading.Event) -> None:
    """The worker's thread for all this; a database that is away is waited for."""
    name = worker_name()
    planned = False
    while not stop.is_set():
        busy = False
        try:
            if not planned:
                plan(TASKS.values(), starting=True)
                planned = True
            busy = run_due(TASKS, name)
        except Unavailable:
            log.warning("the database is away; what is due waits")
        except Exception:
            log.exception("the schedule could not be looked at; it is tried again")
        if not busy:
            stop.wait(LOOK_S)
