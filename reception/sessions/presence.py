"""Who counts as inside, who may speak, and where media of a session goes at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reception.media_gateway import MediaGateway
from reception.recordings import steps as recordings
from reception.sessions.media import MediaPool
from storage.models import MediaJoin, Participant, ReceptionSession, Segment
from storage.models.base import utc_now

DESK = ("chair", "clerk")
FREE_TO_SPEAK = ("chair", "clerk", "interpreter")
"""Whose microphone is not opened by invitation (NĐ 154/2026/NĐ-CP, Điều 21)."""

INSIDE = ("admitted", "in_room", "dropped")

BREAKS = ("resumed", "reopened", "closed-room")
"""Why a segment begins whose people all connect anew, without having lost anything."""

COMING_BACK = timedelta(seconds=12)


def may_speak(person: Participant) -> bool:
    """Whether the microphone may be open: invited, or one of those who need no invitation."""
    return person.part in FREE_TO_SPEAK or person.speaking_since_at is not None


def on_a_break(db_session: Session, meeting: ReceptionSession) -> bool:
    """Whether nobody is expected to be connected: a break, or the moments after one."""
    if meeting.state == "PAUSED":
        return True
    segment = recordings.open_segment(db_session, meeting.id)
    if segment is None or segment.cause not in BREAKS:
        return False
    return utc_now() - segment.started_at < COMING_BACK


@dataclass(frozen=True)
class Place:
    """Where media of a session goes at this moment."""

    segment: Segment
    gateway: MediaGateway


def place_of(db_session: Session, meeting: ReceptionSession, pool: MediaPool) -> Place | None:
    """The open segment and its gateway; None while nothing is recorded."""
    segment = recordings.open_segment(db_session, meeting.id)
    if segment is None:
        return None
    return Place(segment, pool.of_segment(db_session, segment))


def owners(db_session: Session, segment: Segment) -> dict[str, UUID]:
    """Media id → participant within a segment."""
    rows = db_session.execute(
        select(MediaJoin.media_id, MediaJoin.participant_id).where(
            MediaJoin.segment_id == segment.id
        )
    ).all()
    return {media_id: participant_id for media_id, participant_id in rows}
