"""Work that comes back by the clock: rows with lease and fence, so that it survives restarts.

Any number of workers look; one holds a task at a time. A task may run twice when its worker froze
for longer than the lease, so each is safe to repeat; only the newest run writes the row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update

from storage.database import reading, unit_of_work
from storage.models import ScheduledTask
from storage.runtime import runtime

LEASE = timedelta(minutes=15)
FIRST_RETRY = timedelta(seconds=30)


@dataclass(frozen=True)
class Task:
    """What comes back `every` so often. `act` returns figures for the health page.

    `at_start` tasks are also due whenever a worker starts.
    """

    name: str
    every: timedelta
    act: Callable[[], dict[str, Any]]
    at_start: bool = False


@dataclass(frozen=True)
class Claim:
    """The right to run a task once; `fence` is what the row must still hold at the end."""

    task: Task
    fence: int


def plan(tasks: Iterable[Task], *, starting: bool = False) -> None:
    """Make the rows that are missing, due at once; at a start also those that ask for it."""
    now = runtime().now()
    with unit_of_work() as work:
        known = {row.name: row for row in work.db_session.scalars(select(ScheduledTask))}
        for task in tasks:
            row = known.get(task.name)
            if row is None:
                work.db_session.add(ScheduledTask(name=task.name, next_run_at=now))
            elif starting and task.at_start and not _held(row, now):
                row.next_run_at = min(row.next_run_at, now)


def _held(row: ScheduledTask, now: datetime) -> bool:
    return row.lease_until_at is not None and row.lease_until_at > now


def claim(tasks: Mapping[str, Task], holder: str) -> Claim | None:
    """Take the task that is due longest, if any."""
    now = runtime().now()
    free = or_(ScheduledTask.lease_until_at.is_(None), ScheduledTask.lease_until_at <= now)
    due = (ScheduledTask.next_run_at <= now, free, ScheduledTask.name.in_(tasks))
    with reading() as work:  # an idle system takes no write lock
        if work.db_session.scalar(select(ScheduledTask.name).where(*due).limit(1)) is None:
            return None
    with unit_of_work() as work:
        row = work.db_session.scalars(
            select(ScheduledTask)
            .where(*due)
            .order_by(ScheduledTask.next_run_at, ScheduledTask.name)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if row is None:
            return None
        row.holder, row.fence = holder, row.fence + 1
        row.last_run_at, row.lease_until_at = now, now + LEASE
        return Claim(tasks[row.name], row.fence)


def done(held: Claim, result: dict[str, Any]) -> bool:
    """Note that it went well and when it comes back; False when another worker took it over."""
    now = runtime().now()
    return _write(
        held,
        next_run_at=now + held.task.every,
        last_ok_at=now,
        result=result,
        failures=0,
        error="",
    )


def failed(held: Claim, error: str) -> bool:
    """Note what went wrong; it is tried again after a pause that grows, at most its usual one."""
    with unit_of_work() as work:
        before = work.get(ScheduledTask, held.task.name).failures
    pause = min(held.task.every, FIRST_RETRY * 2 ** min(before, 12))
    return _write(
        held, next_run_at=runtime().now() + pause, failures=before + 1, error=error[-1000:]
    )


def _write(held: Claim, **values: object) -> bool:
    with unit_of_work() as work:
        changed = work.db_session.execute(
            update(ScheduledTask)
            .where(ScheduledTask.name == held.task.name, ScheduledTask.fence == held.fence)
            .values(lease_until_at=None, **values)
            .returning(ScheduledTask.name)
        ).one_or_none()
    return changed is not None


def run_due(tasks: Mapping[str, Task], holder: str) -> bool:
    """Run one task that is due; returns whether there was one."""
    held = claim(tasks, holder)
    if held is None:
        return False
    try:
        result = held.task.act()
    except Exception as error:  # noqa: BLE001  # one bad task must not stop the others
        failed(held, f"{type(error).__name__}: {error}")
    else:
        done(held, result)
    return True
