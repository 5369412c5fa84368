"""The worker: jobs, the night, the clock, messages, and audit leaves into the tree in a second.

Any number of workers may run; the job table's leases and the tree's row keep them apart.
"""

from __future__ import annotations

import importlib
import logging
import signal
import threading
from collections.abc import Iterator
from datetime import time
from types import FrameType, ModuleType

from reception import AREAS, schedule
from reception.delivery import deliver_forever
from reception.nightly import Nightly, plan_night
from storage.audit import leaf_waits, sequence_batch
from storage.database import reading, unit_of_work
from storage.jobs import Handler, run_one, worker_name
from storage.models.base import utc_now
from workflows.errors import Unavailable

log = logging.getLogger(__name__)
IDLE_S = 0.5
PLAN_EVERY_S = 600.0


def all_handlers() -> dict[str, Handler]:
    """The jobs of every area: each `jobs.py` names its own in HANDLERS."""
    handlers: dict[str, Handler] = {}
    for module in _job_modules():
        handlers.update(module.HANDLERS)
    return handlers


def all_nightly() -> Nightly:
    """What is done every night: kinds of jobs with their local hour."""
    nightly: dict[str, time] = {}
    for module in _job_modules():
        nightly.update(getattr(module, "NIGHTLY", {}))
    return nightly


def _job_modules() -> Iterator[ModuleType]:
    for area in AREAS:
        try:
            yield importlib.import_module(f"reception.{area}.jobs")
        except ModuleNotFoundError as error:
            if error.name != f"reception.{area}.jobs":
                raise


def sequence_all() -> int:
    """Put every waiting audit leaf into the tree; returns how many.

    With nothing waiting the database is only read: an idle system writes nothing.
    """
    total = 0
    while _leaf_waits():
        with unit_of_work() as work:
            done = sequence_batch(work.db_session)
        total += done
        if done == 0:  # another sequencer took them
            break
    return total


def _leaf_waits() -> bool:
    with reading() as work:
        return leaf_waits(work.db_session)


def _sequence_forever(stop: threading.Event) -> None:
    while not stop.wait(IDLE_S):
        try:
            sequence_all()
        except Unavailable:
            continue
        except Exception:
            log.exception("the audit sequencer failed once; it tries again")


def _plan_forever(stop: threading.Event, nightly: Nightly) -> None:
    while True:
        try:
            plan_night(nightly, now=utc_now())
        except Exception:
            log.exception("the coming night could not be planned; it is tried again")
        if stop.wait(PLAN_EVERY_S):
            return


def _stop_on_signal(stop: threading.Event) -> None:
    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)


def run_until_stopped(threads: int = 1) -> None:
    """Work until SIGTERM or SIGINT; a job under way is finished first."""
    stop = threading.Event()
    _stop_on_signal(stop)
    handlers = all_handlers()
    crew = [
        threading.Thread(target=_sequence_forever, args=(stop,), daemon=True),
        threading.Thread(target=_plan_forever, args=(stop, all_nightly()), daemon=True),
        threading.Thread(target=schedule.run_forever, args=(stop,), daemon=True),
        threading.Thread(target=deliver_forever, args=(stop,), daemon=True),
    ]
    crew += [
        threading.Thread(target=_work_forever, args=(stop, handlers), daemon=True)
        for _ in range(threads)
    ]
    for member in crew:
        member.start()
    stop.wait()
    for member in crew:
        member.join(timeout=60)


def _work_forever(stop: threading.Event, handlers: dict[str, Handler]) -> None:
    name = worker_name()
    while not stop.is_set():
        try:
            busy = run_one(name, handlers)
        except Unavailable:
            busy = False
        except Exception:
            log.exception("the worker could not reach the job table; it tries again")
            busy = False
        if not busy:
            stop.wait(IDLE_S)
