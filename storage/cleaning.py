"""What may go: counted attempts, old log-ins, finished jobs, and live chunks nobody needs again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from storage.database import reading, unit_of_work
from storage.models import Job, LiveChunk, LoginSession, RateBucket, Recording, Segment, Track
from storage.objects import Bucket, ObjectLocked, ObjectMissing
from storage.runtime import runtime

ATTEMPTS_KEPT = timedelta(days=2)
LOG_INS_KEPT = timedelta(days=30)  # the audit log tells of them for ever
JOBS_KEPT = timedelta(days=30)  # failed ones stay until somebody has looked
CHUNKS_AT_ONCE = 500


def forget_old_rows() -> dict[str, int]:
    """Delete rows that only served a moment; how many of each."""
    now = runtime().now()
    statements = {
        "attempts": delete(RateBucket).where(RateBucket.window_at < now - ATTEMPTS_KEPT),
        "log_ins": delete(LoginSession).where(LoginSession.expires_at < now - LOG_INS_KEPT),
        "jobs": delete(Job).where(
            Job.state.in_(("done", "cancelled")), Job.finished_at < now - JOBS_KEPT
        ),
    }
    with unit_of_work() as work:
        return {
            name: int(getattr(work.db_session.execute(statement), "rowcount", 0))
            for name, statement in statements.items()
        }


def delete_spent_chunks() -> int:
    """Delete live chunks whose lock ended and whose recording is sealed with every master.

    The manifest keeps their hashes. By version id, an audit leaf per segment; returns how many.
    """
    total = 0
    while True:
        deleted = _delete_some()
        total += deleted
        if deleted < CHUNKS_AT_ONCE:
            return total


def _delete_some() -> int:
    with reading() as work:
        chunks = _spent(work.db_session)
    gone: dict[UUID, list[UUID]] = {}
    for chunk in chunks:
        if _delete(chunk):
            gone.setdefault(chunk.segment_id, []).append(chunk.id)
    for segment_id, ids in gone.items():
        _note(segment_id, ids)
    return sum(len(ids) for ids in gone.values())


def _spent(db_session: Session) -> Sequence[LiveChunk]:
    without_master = exists().where(
        Track.segment_id == LiveChunk.segment_id, Track.master_object_id.is_(None)
    )
    return db_session.scalars(
        select(LiveChunk)
        .join(Segment, Segment.id == LiveChunk.segment_id)
        .join(Recording, Recording.id == Segment.recording_id)
        .where(
            LiveChunk.deleted_at.is_(None),
            Segment.closed_at.is_not(None),
            Recording.state == "sealed",
            ~Recording.legal_hold,
            ~without_master,
        )
        .order_by(LiveChunk.stored_at, LiveChunk.id)
        .limit(CHUNKS_AT_ONCE)
    ).all()


def _delete(chunk: LiveChunk) -> bool:
    store = runtime().store
    try:
        until = store.read_lock(Bucket.CHUNKS, chunk.name, chunk.version_id)
        if until is not None and until > runtime().now():
            return False
        store.delete(Bucket.CHUNKS, chunk.name, chunk.version_id)
    except ObjectMissing:
        return True  # deleted before a crash kept the row from saying so
    except ObjectLocked:
        return False
    return True


def _note(segment_id: UUID, ids: list[UUID]) -> None:
    with unit_of_work() as work:
        for chunk in work.db_session.scalars(select(LiveChunk).where(LiveChunk.id.in_(ids))):
            chunk.deleted_at = runtime().now()
        work.audit("live_chunks_deleted", work.get(Segment, segment_id), by=None, chunks=len(ids))
