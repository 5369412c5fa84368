"""Pieces of recording that the reception session uses inside its own transactions."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reception.media_gateway import MediaRoom
from reception.recordings.alarms import stops_sealing
from storage.database import Work
from storage.identities import open_field, seal_field
from storage.keyring import Family
from storage.models import (
    AgendaItem,
    MediaServer,
    PlaybackGrant,
    ReceptionSession,
    Recording,
    Segment,
)
from storage.models.base import new_id, utc_now
from storage.recordings import segment_key_context
from storage.runtime import runtime
from storage.sealed import OPEN_CLASS
from workflows.codes import CodeKind, make_code
from workflows.errors import RecorderNotRunning
from workflows.secrecy import Secrecy

FRESH = timedelta(seconds=6)
SILENT_AFTER = timedelta(seconds=5)
STARTING = timedelta(seconds=8)
RESERVED_BYTES = 700 * 1024 * 1024
"""Room that opening a session needs on the spool: more than an hour of three people, unsealed."""


@dataclass(frozen=True)
class Lamp:
    """The recording lamp. `lit` only while sealed bytes keep coming; `silent` raises the alarm."""

    state: str  # off, waiting, lit, silent
    chunks: int = 0
    sealed_bytes: int = 0
    last_sealed_s_ago: float | None = None
    alarm: str = ""


def prepare_keys() -> None:
    """Make the year's key of recordings; call before opening the transaction."""
    runtime().keyring.prepare(Family.RECORDINGS, OPEN_CLASS, runtime().now().year)


def choose_media_server(db_session: Session) -> MediaServer:
    """The freshest server of the pool that can seal, with the least load.

    Raises RecorderNotRunning.
    """
    servers = db_session.scalars(
        select(MediaServer)
        .where(
            MediaServer.seen_at > utc_now() - FRESH,
            MediaServer.spool_free_bytes > RESERVED_BYTES,
        )
        .order_by(MediaServer.open_segments, MediaServer.name)
    ).all()
    able = [server for server in servers if not stops_sealing(server.alarms)]
    if not able:
        raise RecorderNotRunning
    return able[0]


def recorder_ready(db_session: Session) -> tuple[bool, str]:
    """Whether a session could open now, and the sentence that says so."""
    servers = db_session.scalars(select(MediaServer)).all()
    if not servers:
        return False, "Chưa có máy ghi nào báo về. Nhờ kỹ thuật bật dịch vụ niêm phong."
    fresh = [server for server in servers if server.seen_at > utc_now() - FRESH]
    if not fresh:
        return False, "Máy ghi không còn báo về. Nhờ kỹ thuật kiểm tra dịch vụ niêm phong."
    able = [server for server in fresh if not stops_sealing(server.alarms)]
    if not able:
        return False, "Máy ghi không niêm phong được. Nhờ kỹ thuật kiểm tra khóa và ổ đĩa."
    if all(server.spool_free_bytes <= RESERVED_BYTES for server in able):
        return False, "Vùng đệm ghi sắp đầy, chưa thể mở phiên. Nhờ kỹ thuật giải phóng."
    return True, "Máy ghi sẵn sàng."


def begin_recording(work: Work, meeting: ReceptionSession, *, by: UUID | None) -> Recording:
    """The recording of a session that opens now; one per session."""
    recording = work.add(
        Recording(
            code=make_code(CodeKind.REQUEST, secrets.token_bytes(5)).replace("YC-", "BG-", 1),
            reception_session_id=meeting.id,
            unit_id=meeting.unit_id,
            started_at=utc_now(),
        )
    )
    work.audit("recording_begun", recording, by=by, reception_session=meeting.id)
    return recording


def begin_segment(
    work: Work,
    recording: Recording,
    *,
    room: MediaRoom,
    media_server: str,
    secrecy: str = "normal",
    cause: str = "opened",
) -> Segment:
    """A new segment with a chunk key of its own, stored before its first chunk exists."""
    seq = len(segments_of(work.db_session, recording.id)) + 1
    segment_id = new_id()
    _, wrapped = runtime().keyring.new_data_key(
        Family.RECORDINGS, OPEN_CLASS, runtime().now().year, segment_key_context(segment_id)
    )
    secret = json.dumps(
        {**asdict(room), "recordings_dir": str(room.recordings_dir)}, separators=(",", ":")
    )
    segment = work.add(
        Segment(
            id=segment_id,
            recording_id=recording.id,
            seq=seq,
            room=room.room_id,
            room_secret_sealed=seal_field("segment", "room_secret", segment_id, secret),
            media_server=media_server,
            secrecy=secrecy,
            cause=cause,
            kid=wrapped.kid,
            wrapped_key=wrapped.blob,
            started_at=utc_now(),
        )
    )
    if secrecy != "normal":
        recording.secrecy = secrecy
    work.audit("recording_segment_begun", segment, by=None, recording=recording.id, cause=cause)
    return segment


def room_of(segment: Segment) -> MediaRoom:
    """The media room of a segment, with the secrets that never reach a browser."""
    data = json.loads(open_field("segment", "room_secret", segment.id, segment.room_secret_sealed))
    return MediaRoom(**{**data, "recordings_dir": Path(data["recordings_dir"])})


def new_room(server: MediaServer, *, publishers: int) -> MediaRoom:
    """A room that records below the spool of this media server."""
    return MediaRoom.new(Path(server.spool_dir), publishers=publishers)


def end_segment(work: Work, segment: Segment) -> None:
    """Say that no more media comes; the sealer seals the rest and closes it."""
    if segment.ended_at is None:
        segment.ended_at = utc_now()
        work.audit("recording_segment_ended", segment, by=None, recording=segment.recording_id)


def end_recording(work: Work, recording: Recording, *, by: UUID | None) -> None:
    """End the recording; masters are made when every segment is closed."""
    if recording.ended_at is not None:
        return
    recording.ended_at, recording.state = utc_now(), "closing"
    segments = segments_of(work.db_session, recording.id)
    for segment in segments:
        end_segment(work, segment)
    work.audit("recording_ended", recording, by=by)
    if all(segment.closed_at for segment in segments):
        work.enqueue(
            "recordings.master", {"recording": str(recording.id)}, dedupe=f"master:{recording.id}"
        )


def close_recordings(work: Work, petition_id: UUID, *, reason: str) -> None:
    """Put the recordings of sessions that heard a locked petition into the compartment.

    Leave that was given or asked for before ends; whoever needs to watch asks again, and whoever
    decides then belongs to the compartment. Source: Luật Tố cáo 25/2018/QH14, Điều 8, 56.
    """
    heard = select(AgendaItem.reception_session_id).where(AgendaItem.petition_id == petition_id)
    for recording in work.db_session.scalars(
        select(Recording).where(Recording.reception_session_id.in_(heard))
    ):
        recording.secrecy = Secrecy.COMPARTMENT.value
        for segment in segments_of(work.db_session, recording.id):
            segment.secrecy = Secrecy.COMPARTMENT.value
        for grant in work.db_session.scalars(
            select(PlaybackGrant).where(PlaybackGrant.recording_id == recording.id)
        ):
            _end_grant(grant, reason)
        work.audit("recording_closed_in", recording, by=None)


def _end_grant(grant: PlaybackGrant, reason: str) -> None:
    """The request keeps who asked and when; its words told of the matter."""
    grant.reason = grant.decision_reason = reason
    if grant.state in ("asked", "approved"):
        grant.state = "revoked" if grant.state == "approved" else "refused"


def segments_of(db_session: Session, recording_id: UUID) -> list[Segment]:
    """The segments of a recording in order."""
    return list(
        db_session.scalars(
            select(Segment).where(Segment.recording_id == recording_id).order_by(Segment.seq)
        )
    )


def open_segment(db_session: Session, meeting_id: UUID) -> Segment | None:
    """The segment that records the session at this moment."""
    return db_session.scalars(
        select(Segment)
        .join(Recording, Recording.id == Segment.recording_id)
        .where(Recording.reception_session_id == meeting_id, Segment.ended_at.is_(None))
        .order_by(Segment.seq.desc())
        .limit(1)
    ).one_or_none()


def lamp(db_session: Session, meeting_id: UUID) -> Lamp:
    """The lamp as sealed bytes tell it, never as the media server says."""
    segment = open_segment(db_session, meeting_id)
    if segment is None:
        return Lamp("off")
    now = utc_now()
    age = None if segment.last_sealed_at is None else now - segment.last_sealed_at
    return Lamp(
        state=_lamp_state(age, now - segment.started_at, segment.chunks),
        chunks=segment.chunks,
        sealed_bytes=segment.sealed_bytes,
        last_sealed_s_ago=None if age is None else round(age.total_seconds(), 1),
        alarm=segment.alarm,
    )


def _lamp_state(age: timedelta | None, since_start: timedelta, chunks: int) -> str:
    if age is None or chunks == 0:
        return "waiting" if since_start < STARTING else "silent"
    return "lit" if age < SILENT_AFTER else "silent"


def recording_started_at(db_session: Session, meeting_id: UUID) -> datetime | None:
    """When the recording of a session began."""
    return db_session.scalar(
        select(Recording.started_at).where(Recording.reception_session_id == meeting_id)
    )
