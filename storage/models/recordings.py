"""Recordings: segments, tracks, live chunks, sealed objects, and who may play them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, Counter, Created, Identified, one_of, utc_now

Hash = LargeBinary(32)


class SealedObject(Identified, Created, Base):
    """An encrypted object in the store: how to find it, open it and prove it."""

    __tablename__ = "sealed_object"
    __table_args__ = (UniqueConstraint("bucket", "name", "version_id"),)

    bucket: Mapped[str]
    name: Mapped[str]
    version_id: Mapped[str]
    format: Mapped[str]
    segment_size: Mapped[int]
    kid: Mapped[str] = mapped_column(index=True)
    wrapped_key: Mapped[bytes]
    associated_data: Mapped[str]
    plain_size: Mapped[int]
    plain_sha256: Mapped[bytes] = mapped_column(Hash)
    sealed_size: Mapped[int]
    sealed_sha256: Mapped[bytes] = mapped_column(Hash)
    media_type: Mapped[str] = mapped_column(default="application/octet-stream")
    retention_until_at: Mapped[datetime | None]
    legal_hold: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime | None]


class MediaServer(Base):
    """A media server of the pool with the sealer beside it; the sealer keeps the row fresh.

    A reception session is pinned to one; without a fresh row nothing can be opened on it.
    `alarms` are what `reception.recordings.alarms` keeps, `alarm` the same in words.
    """

    __tablename__ = "media_server"

    name: Mapped[str] = mapped_column(primary_key=True)
    http_url: Mapped[str]
    ws_url: Mapped[str]
    spool_dir: Mapped[str]
    spool_total_bytes: Mapped[int] = mapped_column(Counter)
    spool_free_bytes: Mapped[int] = mapped_column(Counter)
    waiting_chunks: Mapped[int] = mapped_column(default=0)
    open_segments: Mapped[int] = mapped_column(default=0)
    seen_at: Mapped[datetime]
    alarm: Mapped[str] = mapped_column(default="")
    alarms: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")


class Recording(Identified, Created, Base):
    """The sound and picture of one reception session. Source: NĐ 154/2026/NĐ-CP, Điều 24."""

    __tablename__ = "recording"
    __table_args__ = (
        one_of("state", "recording", "closing", "sealed", "broken"),
        one_of("signature_state", "unsigned", "signed", "verified"),
    )

    code: Mapped[str] = mapped_column(unique=True)
    reception_session_id: Mapped[UUID] = mapped_column(
        ForeignKey("reception_session.id"), unique=True
    )
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    state: Mapped[str] = mapped_column(default="recording")
    secrecy: Mapped[str] = mapped_column(default="normal")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    sealed_at: Mapped[datetime | None]
    playable_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None]
    manifest_object_id: Mapped[UUID | None] = mapped_column(ForeignKey("sealed_object.id"))
    manifest_sha256: Mapped[bytes | None] = mapped_column(Hash)
    certificate_object_id: Mapped[UUID | None] = mapped_column(ForeignKey("sealed_object.id"))
    signature_state: Mapped[str] = mapped_column(default="unsigned")
    checked_at: Mapped[datetime | None]
    check_result: Mapped[str] = mapped_column(default="")
    retention_code: Mapped[str] = mapped_column(default="open")
    completed_year: Mapped[int | None]
    legal_hold: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Segment(Identified, Base):
    """An unbroken stretch of a recording: a restart or a change of secrecy starts the next."""

    __tablename__ = "segment"
    __table_args__ = (UniqueConstraint("recording_id", "seq"),)

    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"))
    seq: Mapped[int]
    room: Mapped[str] = mapped_column(unique=True)
    room_secret_sealed: Mapped[bytes]
    media_server: Mapped[str]
    secrecy: Mapped[str] = mapped_column(default="normal")
    cause: Mapped[str] = mapped_column(default="opened")
    kid: Mapped[str]
    wrapped_key: Mapped[bytes]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    chunks: Mapped[int] = mapped_column(default=0)
    sealed_bytes: Mapped[int] = mapped_column(default=0)
    last_sealed_at: Mapped[datetime | None]
    chain_head: Mapped[bytes | None] = mapped_column(Hash)
    unsealed_lag_ms: Mapped[int | None]
    alarm: Mapped[str] = mapped_column(default="")


class Track(Identified, Base):
    """One person's sound or picture within a segment.

    `first_arrival_at` is the track's zero: the first packet's arrival, less what it was late.
    """

    __tablename__ = "track"
    __table_args__ = (
        UniqueConstraint("segment_id", "file_name"),
        one_of("media", "audio", "video"),
    )

    segment_id: Mapped[UUID] = mapped_column(ForeignKey("segment.id"))
    participant_id: Mapped[UUID | None] = mapped_column(ForeignKey("participant.id"))
    media: Mapped[str]
    codec: Mapped[str]
    file_name: Mapped[str]
    first_arrival_at: Mapped[datetime | None]
    last_arrival_ms: Mapped[int | None]
    plain_size: Mapped[int]
    plain_sha256: Mapped[bytes] = mapped_column(Hash)
    drift_ms: Mapped[int | None]
    lost_packets: Mapped[int | None]
    gaps: Mapped[list[Any]] = mapped_column(default=list)
    master_object_id: Mapped[UUID | None] = mapped_column(ForeignKey("sealed_object.id"))


class LiveChunk(Identified, Base):
    """Index row of a chunk sealed while the session ran; the object itself proves itself."""

    __tablename__ = "live_chunk"
    __table_args__ = (UniqueConstraint("segment_id", "number"),)

    segment_id: Mapped[UUID] = mapped_column(ForeignKey("segment.id"))
    number: Mapped[int]
    name: Mapped[str]
    version_id: Mapped[str]
    sealed_size: Mapped[int]
    sealed_sha256: Mapped[bytes] = mapped_column(Hash)
    chain_hash: Mapped[bytes] = mapped_column(Hash)
    slices: Mapped[list[Any]]
    stored_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]


class PlayableCopy(Identified, Created, Base):
    """One WebM per person and unbroken presence, sound and picture on one zero, from the masters.

    Whoever drops and returns has several: `join` is the media id of that presence.
    """

    __tablename__ = "playable_copy"
    __table_args__ = (UniqueConstraint("segment_id", "join"),)

    segment_id: Mapped[UUID] = mapped_column(ForeignKey("segment.id"))
    join: Mapped[str]
    participant_id: Mapped[UUID | None] = mapped_column(ForeignKey("participant.id"))
    sealed_object_id: Mapped[UUID] = mapped_column(ForeignKey("sealed_object.id"))
    offset_ms: Mapped[int]
    duration_ms: Mapped[int]
    has_audio: Mapped[bool]
    has_video: Mapped[bool]
    peaks: Mapped[list[Any]] = mapped_column(default=list)


class PlaybackGrant(Identified, Created, Base):
    """Leave to play one recording: reason, who approved, until when."""

    __tablename__ = "playback_grant"
    __table_args__ = (one_of("state", "asked", "approved", "refused", "revoked"),)

    code: Mapped[str] = mapped_column(unique=True)
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    reason: Mapped[str]
    document_number: Mapped[str] = mapped_column(default="")
    closed_parts: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="asked")
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(default="")
    expires_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class PlaybackOpening(Identified, Base):
    """One opening of a recording under a grant; the list stands beside the recording."""

    __tablename__ = "playback_opening"

    grant_id: Mapped[UUID] = mapped_column(ForeignKey("playback_grant.id"), index=True)
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    token_hash: Mapped[bytes] = mapped_column(Hash, unique=True)
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_read_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    bytes_served: Mapped[int] = mapped_column(default=0)
    ranges: Mapped[int] = mapped_column(default=0)
