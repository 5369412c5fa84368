"""What a crash left behind: finish sealing, upload, close, and let the masters be made."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import select

from config import Settings
from reception.recordings.steps import FRESH, segments_of
from reception.sealer import QUIET_S, Sealer
from storage.database import reading, unit_of_work
from storage.models import MediaServer, Recording
from storage.models.base import utc_now
from storage.runtime import runtime
from workflows.errors import Conflict


@dataclass(frozen=True)
class Recovered:
    """What was done: segments found in the spool, chunks sent, recordings handed to the worker."""

    segments: int
    chunks: int
    recordings: int


def recover(settings: Settings) -> Recovered:
    """Bring every interrupted recording of this media server as far as it can go.

    Safe to run twice. Raises Conflict while the sealer itself is alive: it does the same by itself.
    """
    with reading() as work:
        row = work.db_session.get(MediaServer, settings.media_server)
    if row is not None and row.seen_at > utc_now() - FRESH:
        raise Conflict("Dịch vụ niêm phong đang chạy và tự làm việc này. Dừng nó trước nếu cần.")
    sealer = Sealer(settings, runtime().keyring)
    sealer.prepare()
    sealer.look_for_segments()
    found = len(sealer.segments)
    sent = _until_closed(sealer)
    return Recovered(found, sent, _hand_over())


def _until_closed(sealer: Sealer) -> int:
    """Seal, upload and close every segment that has ended; returns how many chunks were sent."""
    sent, until = 0, time.monotonic() + QUIET_S + 2
    while True:
        sealer.seal_all()
        sent += sum(segment.waiting for segment in sealer.segments.values())
        sealer.upload_all()
        sealer.tell_segments()
        ending = any(segment.ending for segment in sealer.segments.values())
        if not ending or time.monotonic() > until:
            return sent
        time.sleep(0.2)


def _hand_over() -> int:
    """Queue the masters of recordings that ended and whose segments are all closed."""
    count = 0
    with unit_of_work() as work:
        ended = work.db_session.scalars(select(Recording).where(Recording.state == "closing"))
        for recording in ended.all():
            if all(s.closed_at for s in segments_of(work.db_session, recording.id)):
                work.enqueue(
                    "recordings.master",
                    {"recording": str(recording.id)},
                    dedupe=f"master:{recording.id}",
                )
                count += 1
    return count
