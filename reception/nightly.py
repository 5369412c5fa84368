"""Work of every night: an area's `jobs.py` names its own in NIGHTLY, the worker plans it.

A night is planned ahead as an ordinary job under a key of its own, so any number of workers plan
it once, and a worker that slept through the hour does it as soon as it wakes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from sqlalchemy import select

from reception.clock import LOCAL
from storage.database import reading, unit_of_work
from storage.jobs import enqueue
from storage.models import Job

Nightly = Mapping[str, time]


def plan_night(nightly: Nightly, *, now: datetime) -> list[str]:
    """Put the next night's jobs into the table; the kinds that were not there yet.

    `now` is a real, aware instant; the hours are local.
    """
    wanted = {kind: _next(hour, now) for kind, hour in nightly.items()}
    keys = {kind: f"{kind}:{at.astimezone(LOCAL):%Y-%m-%d}" for kind, at in wanted.items()}
    with reading() as work:
        known = set(
            work.db_session.scalars(
                select(Job.dedupe_key).where(Job.dedupe_key.in_(set(keys.values())))
            )
        )
    missing = [kind for kind, key in keys.items() if key not in known]
    if missing:
        with unit_of_work() as work:
            for kind in missing:
                enqueue(work.db_session, kind, {}, dedupe_key=keys[kind], run_after_at=wanted[kind])
    return missing


def _next(hour: time, now: datetime) -> datetime:
    """The next instant at which a local clock shows `hour`."""
    here = now.astimezone(LOCAL)
    today = datetime.combine(here.date(), hour, LOCAL)
    return today if today > here else today + timedelta(days=1)
