"""The job table: leases, fencing by attempt, progress, cancel; on SQLite and PostgreSQL.

A job may run twice (a worker froze, its lease ran out), so its effect commits together with
`finish`, which only the newest attempt passes. What is sent outside the database needs an
idempotency key of its own.
"""

from __future__ import annotations

import os
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storage.models.base import new_id, utc_now
from storage.models.ledger import Job

if TYPE_CHECKING:
    from storage.database import Work

LEASE = timedelta(seconds=45)
HEARTBEAT_S = 10.0


class LostLease(Exception):
    """Another worker has taken this job over; nothing more may be written for it."""


class Cancelled(Exception):
    """Somebody asked for the job to stop."""


def worker_name() -> str:
    """Who runs: host, process and a random part."""
    return f"{socket.gethostname()}-{os.getpid()}-{new_id().hex[-8:]}"


def enqueue(
    db_session: Session,
    kind: str,
    payload: dict[str, Any],
    *,
    asked_by: UUID | None = None,
    dedupe_key: str | None = None,
    run_after_at: datetime | None = None,
) -> None:
    """Put a job into the caller's transaction; with a live twin of the same key, do nothing."""
    job = Job(
        kind=kind,
        payload=payload,
        asked_by=asked_by,
        dedupe_key=dedupe_key,
        run_after_at=run_after_at or utc_now(),
    )
    if dedupe_key is None:
        db_session.add(job)
        return
    try:
        with db_session.begin_nested():
            db_session.add(job)
    except IntegrityError:
        return


def claim(db_session: Session, worker: str, kinds: list[str]) -> Job | None:
    """Take the oldest job that waits or whose lease ran out; commits with the caller."""
    now = utc_now()
    ready = or_(
        and_(Job.state == "queued", Job.run_after_at <= now),
        and_(Job.state == "running", Job.lease_until_at < now),
    )
    pick = (
        select(Job.id)
        .where(ready, Job.attempt < Job.max_attempts, Job.kind.in_(kinds))
        .order_by(Job.run_after_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = (
        update(Job)
        .where(Job.id == pick)
        .values(
            state="running",
            attempt=Job.attempt + 1,
            worker=worker,
            lease_until_at=now + LEASE,
        )
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return db_session.scalars(taken).one_or_none()


def bury_exhausted(db_session: Session) -> int:
    """Mark jobs that used up their attempts and whose lease ran out as failed."""
    result = db_session.execute(
        update(Job)
        .where(
            Job.state == "running",
            Job.lease_until_at < utc_now(),
            Job.attempt >= Job.max_attempts,
        )
        .values(state="failed", finished_at=utc_now(), error="hết số lần thử")
    )
    return int(getattr(result, "rowcount", 0))


@dataclass
class JobRun:
    """One attempt at a job, as its handler sees it."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    attempt: int
    asked_by: UUID | None
    finished: bool = field(default=False, init=False)
    stop: threading.Event = field(default_factory=threading.Event, init=False)

    def fenced(self, **values: object) -> Any:
        """An UPDATE of the job row that only the newest attempt passes."""
        return (
            update(Job)
            .where(Job.id == self.id, Job.attempt == self.attempt, Job.state == "running")
            .values(**values)
            .returning(Job.cancel_asked)
        )

    def beat(self) -> None:
        """Renew the lease. Raises LostLease when another attempt has begun."""
        self.write_progress({})

    def progress(self, done: int, total: int, text: str = "") -> None:
        """Show how far it is and renew the lease. Raises LostLease or Cancelled."""
        cancelled = self.write_progress(
            {"progress_done": done, "progress_total": total, "progress_text": text}
        )
        if cancelled:
            raise Cancelled

    def write_progress(self, values: dict[str, object]) -> bool:
        """Fenced write; returns whether somebody asked to cancel."""
        from storage.database import unit_of_work

        with unit_of_work() as work:
            row = work.db_session.execute(
                self.fenced(lease_until_at=utc_now() + LEASE, **values)
            ).one_or_none()
        if row is None:
            raise LostLease
        return bool(row[0])

    @contextmanager
    def finishing(self) -> Iterator[Work]:
        """The unit of work in which the effect of the job commits, or nothing does."""
        from storage.database import unit_of_work

        with unit_of_work() as work:
            row = work.db_session.execute(
                self.fenced(state="done", finished_at=utc_now(), error="")
            ).one_or_none()
            if row is None:
                raise LostLease
            yield work
        self.finished = True


Handler = Callable[[JobRun], None]


def run_one(worker: str, handlers: dict[str, Handler]) -> bool:
    """Claim and run one job to its end; returns whether there was one."""
    from storage.database import unit_of_work

    with unit_of_work() as work:
        bury_exhausted(work.db_session)
        job = claim(work.db_session, worker, sorted(handlers))
        if job is None:
            return False
        run = JobRun(job.id, job.kind, job.payload, job.attempt, job.asked_by)
        cancelled = job.cancel_asked
    if cancelled:
        _give_up(run, "cancelled", "")
        return True
    _run_with_heartbeat(run, handlers[run.kind])
    return True


def _run_with_heartbeat(run: JobRun, handler: Handler) -> None:
    beating = threading.Thread(target=_keep_beating, args=(run,), daemon=True)
    beating.start()
    try:
        handler(run)
        if not run.finished:
            with run.finishing():
                pass
    except LostLease:
        return
    except Cancelled:
        _give_up(run, "cancelled", "")
    except Exception:  # noqa: BLE001 - one bad job must never stop the worker
        _retry_or_fail(run, traceback.format_exc(limit=8))
    finally:
        run.stop.set()
        beating.join()


def _keep_beating(run: JobRun) -> None:
    while not run.stop.wait(HEARTBEAT_S):
        try:
            run.beat()
        except Exception:  # noqa: BLE001 - the next write of the handler finds out
            return


def _give_up(run: JobRun, state: str, error: str) -> None:
    from storage.database import unit_of_work

    with unit_of_work() as work:
        work.db_session.execute(run.fenced(state=state, finished_at=utc_now(), error=error[-4000:]))


def _retry_or_fail(run: JobRun, error: str) -> None:
    from storage.database import unit_of_work

    wait = timedelta(seconds=min(300, 2**run.attempt))
    with unit_of_work() as work:
        job = work.db_session.get(Job, run.id)
        last = job is None or job.attempt >= job.max_attempts
        values: dict[str, object] = (
            {"state": "failed", "finished_at": utc_now()}
            if last
            else {"state": "queued", "run_after_at": utc_now() + wait, "lease_until_at": None}
        )
        work.db_session.execute(run.fenced(error=error[-4000:], **values))
