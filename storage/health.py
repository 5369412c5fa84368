"""How the parts of the system are: figures only; the page and the command put them into words."""

from __future__ import annotations

import ctypes
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from storage import migrations
from storage.audit import AuditBroken
from storage.checkpoints import compare_with_outside, outside_notes
from storage.database import reading
from storage.media import is_tmpfs, swap_in_use
from storage.models import Checkpoint, Job, MediaServer, ScheduledTask
from storage.models.base import utc_now
from storage.objects import Bucket, StoreUnavailable, worm_selftest
from storage.queries.auditlog import waiting_for_the_tree
from storage.runtime import runtime

WORM_GOOD_FOR = timedelta(hours=6)
OUTSIDE_GOOD_FOR = timedelta(minutes=10)
FRESH = timedelta(seconds=6)
LATE = timedelta(minutes=10)  # a task that is due for so long is run by nobody
LOOK_BACK = timedelta(days=2)
OK, WARN, BAD = "ok", "warn", "bad"
_TIME_ERROR = 5  # what adjtimex answers while nothing keeps the clock in step


@dataclass(frozen=True)
class Finding:
    """One part: `state` is ok, warn or bad; `why` a word for what is wrong, empty when nothing."""

    name: str
    state: str
    why: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


def look(*, with_worm: bool = True, again: bool = False) -> list[Finding]:
    """Look at every part; one that cannot be looked at is bad, never an error of the page."""
    parts: list[tuple[str, Callable[[], Finding]]] = [
        ("database", _database),
        ("store", _store),
        ("media", _media),
        ("jobs", _jobs),
        ("schedule", _schedule),
        ("audit", _audit),
        ("clock", _clock),
        ("disk", _disk),
        ("spool", _spool),
    ]
    if with_worm:
        parts.insert(2, ("worm", lambda: WORM.finding(again=again)))
    return [_guarded(name, part) for name, part in parts]


def is_ready() -> bool:
    """Whether this process can serve: database, schema and store answer."""
    return all(
        _guarded(name, part).state != BAD
        for name, part in (("database", _database), ("store", _store))
    )


def _guarded(name: str, part: Callable[[], Finding]) -> Finding:
    try:
        return part()
    except (SQLAlchemyError, StoreUnavailable, OSError) as error:
        return Finding(name, BAD, "no_answer", {"error": type(error).__name__})


# --- database and store --------------------------------------------------------------------------


def _database() -> Finding:
    began = time.monotonic()
    with reading() as work:
        work.db_session.execute(text("SELECT 1"))
    figures = {
        "dialect": runtime().engine.dialect.name,
        "answer_ms": round((time.monotonic() - began) * 1000, 1),
        "revision": migrations.current(runtime().engine),
    }
    if figures["revision"] != migrations.head():
        return Finding("database", BAD, "old_schema", figures)
    return Finding("database", OK, "", figures)


def _store() -> Finding:
    began = time.monotonic()
    next(iter(runtime().store.list(Bucket.AUDIT, "checkpoints/000000000000-")), None)
    figures = {
        "kind": type(runtime().store).__name__,
        "answer_ms": round((time.monotonic() - began) * 1000, 1),
        "strength": runtime().store.worm_strength.value,
    }
    return Finding("store", OK, "", figures)


class _Worm:
    """The self-test that a locked object stays: run rarely, because each run locks an object."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[datetime, Finding, object] | None = None

    def finding(self, *, again: bool) -> Finding:
        """The last result, or a new one when it is old or wanted again."""
        with self._lock:
            store = runtime().store
            known = self._kept
            fresh = known and known[2] is store and utc_now() - known[0] < WORM_GOOD_FOR
            if known is None or not fresh or again:
                report = worm_selftest(store)
                now = utc_now()
                figures = {"tested_at": now, "failures": list(report.failures)}
                found = Finding(
                    "worm", OK if report.ok else BAD, "" if report.ok else "not_kept", figures
                )
                known = self._kept = (now, found, store)
            return known[1]


WORM = _Worm()


# --- media, jobs, audit --------------------------------------------------------------------------


def _media() -> Finding:
    with reading() as work:
        servers = work.db_session.scalars(select(MediaServer).order_by(MediaServer.name)).all()
    now = utc_now()
    figures = {
        "servers": [
            {
                "name": server.name,
                "seen_s_ago": round((now - server.seen_at).total_seconds(), 1),
                "waiting_chunks": server.waiting_chunks,
                "open_segments": server.open_segments,
                "spool_free": server.spool_free_bytes,
                "spool_total": server.spool_total_bytes,
                "alarm": server.alarm,
                "alarms": server.alarms,
            }
            for server in servers
        ]
    }
    fresh = [server for server in servers if now - server.seen_at < FRESH]
    if any(server.open_segments and server not in fresh for server in servers):
        return Finding("media", BAD, "recorder_silent", figures)
    if any(server.alarm for server in fresh):
        return Finding("media", BAD, "alarm", figures)
    return Finding("media", OK if fresh else WARN, "" if fresh else "no_recorder", figures)


def _jobs() -> Finding:
    now = utc_now()
    with reading() as work:
        waiting, oldest = work.db_session.execute(
            select(func.count(), func.min(Job.run_after_at)).where(
                Job.state == "queued", Job.run_after_at <= now
            )
        ).one()
        running = work.db_session.scalar(
            select(func.count()).select_from(Job).where(Job.state == "running")
        )
        failed = work.db_session.scalar(
            select(func.count())
            .select_from(Job)
            .where(Job.state == "failed", Job.finished_at > now - timedelta(days=1))
        )
    age = round((now - oldest).total_seconds()) if oldest else 0
    figures = {"waiting": waiting, "running": running, "failed_today": failed, "oldest_s": age}
    if age > 300:
        return Finding("jobs", BAD, "nobody_works", figures)
    return Finding("jobs", WARN if failed else OK, "failed" if failed else "", figures)


def _schedule() -> Finding:
    """What the worker does by the clock: last and next run of each, and what went wrong."""
    with reading() as work:
        rows = work.db_session.scalars(select(ScheduledTask).order_by(ScheduledTask.name)).all()
        nights = _nights(work.db_session)
    now = utc_now()
    tasks = [
        {
            "name": row.name,
            "last_ok_at": row.last_ok_at,
            "next_run_at": row.next_run_at,
            "failures": row.failures,
            "error": row.error,
        }
        for row in rows
    ]
    figures = {"tasks": tasks + nights}
    if not rows or any(now - row.next_run_at > LATE and not _runs(row, now) for row in rows):
        return Finding("schedule", WARN if not rows else BAD, "clock_still", figures)
    if any(row.failures > 2 for row in rows):
        return Finding("schedule", BAD, "task_fails", figures)
    failed = any(row.failures for row in rows)
    return Finding("schedule", WARN if failed else OK, "task_fails" if failed else "", figures)


def _runs(row: ScheduledTask, now: datetime) -> bool:
    return row.lease_until_at is not None and row.lease_until_at > now


def _nights(db_session: Session) -> list[dict[str, Any]]:
    """The jobs of the night (their key ends in a day): when each last ended and runs next."""
    last = func.max(Job.finished_at).filter(Job.state == "done")
    coming = func.min(Job.run_after_at).filter(Job.state.in_(("queued", "running")))
    broken = func.count().filter(Job.state == "failed", Job.finished_at > utc_now() - LOOK_BACK)
    found = db_session.execute(
        select(Job.kind, last, coming, broken)
        .where(Job.dedupe_key.like("%:____-__-__"))
        .group_by(Job.kind)
        .order_by(Job.kind)
    ).all()
    return [
        {"name": kind, "last_ok_at": ended, "next_run_at": after, "failures": bad, "error": ""}
        for kind, ended, after, bad in found
    ]


class _Outside:
    """Whether the log agrees with the newest checkpoint in locked storage; asked now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[datetime, str, object] | None = None

    def disagreement(self) -> str:
        """What does not agree; empty when all does. Raises StoreUnavailable."""
        with self._lock:
            store = runtime().store
            known = self._kept
            if known is None or known[2] is not store or utc_now() - known[0] > OUTSIDE_GOOD_FOR:
                known = self._kept = (utc_now(), _compared(), store)
            return known[1]


def _compared() -> str:
    notes = outside_notes(newest_only=True)
    try:
        with reading() as work:
            compare_with_outside(work.db_session, notes)
    except AuditBroken as broken:
        return broken.message
    return ""


OUTSIDE = _Outside()


def _audit() -> Finding:
    with reading() as work:
        waiting, oldest = waiting_for_the_tree(work.db_session)
        last = work.db_session.scalar(select(func.max(Checkpoint.created_at)))
    now = utc_now()
    lag = round((now - oldest).total_seconds(), 1) if oldest else 0.0
    figures = {"waiting": waiting, "lag_s": lag, "last_checkpoint_at": last}
    if told := OUTSIDE.disagreement():
        return Finding("audit", BAD, "set_back", {**figures, "details": told})
    if lag > 60:
        return Finding("audit", BAD, "sequencer_still", figures)
    return Finding("audit", WARN if lag > 5 else OK, "slow" if lag > 5 else "", figures)


# --- the machine ---------------------------------------------------------------------------------


def _clock() -> Finding:
    offset = _database_offset_s()
    kept = _clock_is_kept()
    figures = {"database_offset_s": offset, "kept_in_step": kept}
    if abs(offset) > 2:
        return Finding("clock", BAD, "clocks_differ", figures)
    return Finding("clock", OK if kept else WARN, "" if kept else "not_kept", figures)


def _database_offset_s() -> float:
    """How far the database server's clock is from ours; 0 for SQLite, which has none."""
    if runtime().engine.dialect.name == "sqlite":
        return 0.0
    with reading() as work:
        theirs = work.db_session.execute(select(func.clock_timestamp())).scalar_one()
    offset: float = (theirs - utc_now()).total_seconds()
    return round(offset, 3)


def _clock_is_kept() -> bool:
    """Whether the kernel says that a time service keeps the clock in step."""
    libc = ctypes.CDLL(None, use_errno=True)
    answer = libc.adjtimex(ctypes.byref((ctypes.c_long * 64)()))  # modes 0: only asks
    return bool(answer >= 0 and answer != _TIME_ERROR)


def _disk() -> Finding:
    space = shutil.disk_usage(runtime().data_dir)
    part = space.free / space.total
    state = BAD if part < 0.05 else WARN if part < 0.15 else OK
    return Finding(
        "disk", state, "" if state == OK else "full", {"free": space.free, "total": space.total}
    )


def _spool() -> Finding:
    folder = runtime().spool_dir
    space = shutil.disk_usage(folder)
    figures = {
        "in_memory": is_tmpfs(folder),
        "swap": swap_in_use(),
        "free": space.free,
        "total": space.total,
    }
    if not figures["in_memory"]:
        return Finding("spool", BAD, "not_in_memory", figures)
    if space.free < space.total * 0.15:
        return Finding("spool", BAD, "full", figures)
    return Finding(
        "spool", WARN if figures["swap"] else OK, "swap" if figures["swap"] else "", figures
    )
