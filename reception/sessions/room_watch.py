"""Looking after the running room: strangers, uninvited voices, silent lines, a lost server."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reception.media_gateway import MediaParticipant, RoomGone
from reception.recordings import steps as recordings
from reception.sessions import steps
from reception.sessions.media import MediaPool
from reception.sessions.presence import Place, may_speak, on_a_break, owners, place_of
from reception.sessions.room_operations import renew_segment
from storage.database import Work, reading, unit_of_work
from storage.models import Marker, Participant, ReceptionSession, Segment
from storage.models.base import utc_now
from storage.queries.sessions import LIVE
from workflows.errors import DomainError, Unavailable

GONE_AFTER = timedelta(seconds=6)
WATCH_EVERY_S = 2.5
PATIENCE_S = 0.5

_watched: dict[UUID, float] = {}
_media_down: dict[UUID, bool] = {}
_looking: dict[UUID, threading.Thread] = {}


def watch(meeting_id: UUID, *, pool: MediaPool) -> None:
    """Look after the room every few seconds, whoever's page asks first.

    Strangers are removed, microphones nobody was invited to use are muted, silent lines count as
    dropped, a room that the media server lost goes on as a new segment.
    """
    if time.monotonic() - _watched.get(meeting_id, 0.0) < WATCH_EVERY_S:
        return
    _watched[meeting_id] = time.monotonic()
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        place = place_of(work.db_session, meeting, pool) if meeting.state in LIVE else None
    if place is not None:
        _look_at_media(meeting_id, place, pool)
    _note_silence_and_drops(meeting_id)


def _look_at_media(meeting_id: UUID, place: Place, pool: MediaPool) -> None:
    """Look after the media, but let no page wait long for a media server that hangs.

    The page that asks is the one that would raise the alarm: it must hear of the recording.
    """
    looking = _looking.get(meeting_id)
    if looking is None or not looking.is_alive():
        looking = threading.Thread(
            target=_watch_room, args=(meeting_id, place, pool), daemon=True, name="room-watch"
        )
        _looking[meeting_id] = looking
        looking.start()
    looking.join(PATIENCE_S)


def _watch_room(meeting_id: UUID, place: Place, pool: MediaPool) -> None:
    room = recordings.room_of(place.segment)
    try:
        present = place.gateway.list_participants(room)
        _media_down[meeting_id] = False
        _remove_strangers(meeting_id, place, present)
        _mute_uninvited(meeting_id, place, present)
    except RoomGone:
        try:
            renew_segment(meeting_id, place.segment.id, cause="media-server-restarted", pool=pool)
        except DomainError:
            _media_down[meeting_id] = True
    except Unavailable:
        _media_down[meeting_id] = True


def _remove_strangers(meeting_id: UUID, place: Place, present: Sequence[MediaParticipant]) -> None:
    with reading() as work:
        known = owners(work.db_session, place.segment)
    if all(entry.participant_id in known for entry in present):
        return
    room = recordings.room_of(place.segment)
    with reading() as work:  # a ticket may have been issued since the list was made
        known = owners(work.db_session, place.segment)
    strangers = place.gateway.expel_strangers(room, known=known)
    for media_id in strangers:
        with unit_of_work() as work:
            steps.tell_presence(work, meeting_id, "stranger", media_id=media_id)
            work.audit("stranger_expelled", place.segment, by=None, media_id=media_id)


def _mute_uninvited(meeting_id: UUID, place: Place, present: Sequence[MediaParticipant]) -> None:
    """The page mutes by itself; whoever still talks uninvited is muted by the media server."""
    talking = {entry.participant_id for entry in present if entry.talking}
    if not talking:
        return
    with reading() as work:
        owned = owners(work.db_session, place.segment)
        people = {
            person.id: person
            for person in work.db_session.scalars(
                select(Participant).where(Participant.reception_session_id == meeting_id)
            )
        }
    room = recordings.room_of(place.segment)
    for media_id in sorted(talking & owned.keys()):
        person = people[owned[media_id]]
        if not may_speak(person) and (person.line or {}).get("mic") == "on":
            place.gateway.moderate(room, media_id, mid="0", mute=True)
            with unit_of_work() as work:
                steps.tell_presence(work, meeting_id, "muted", of=person.id, media_id=media_id)


def _note_silence_and_drops(meeting_id: UUID) -> None:
    with reading() as work:
        lamp = recordings.lamp(work.db_session, meeting_id)
        segment = recordings.open_segment(work.db_session, meeting_id)
        meeting = work.get(ReceptionSession, meeting_id)
        away = on_a_break(work.db_session, meeting)
        dropped = [] if away else _silent_lines(work.db_session, meeting_id)
    if lamp.state != "silent" and not dropped:
        return
    with unit_of_work() as work:
        for participant_id in dropped:
            person = work.get_for_update(Participant, participant_id)
            if person.state == "in_room":
                person.state = "dropped"
                steps.tell_presence(work, meeting_id, "dropped", of=person.id)
        if lamp.state == "silent" and segment is not None:
            _note_silence(work, meeting_id, segment)


def _silent_lines(db_session: Session, meeting_id: UUID) -> list[UUID]:
    return list(
        db_session.scalars(
            select(Participant.id).where(
                Participant.reception_session_id == meeting_id,
                Participant.state == "in_room",
                Participant.last_seen_at < utc_now() - GONE_AFTER,
            )
        )
    )


def _note_silence(work: Work, meeting_id: UUID, segment: Segment) -> None:
    """One note for each time the recording stops; it also stands in the certificate."""
    since = segment.last_sealed_at
    key = f"silent:{segment.id}:{since.isoformat() if since else 'start'}"
    if work.db_session.scalar(select(Marker.id).where(Marker.idempotency_key == key)):
        return
    steps.add_marker(
        work,
        meeting_id,
        kind="recorder",
        text="Bản ghi không nhận được dữ liệu. Phần trước đó đã niêm phong, an toàn.",
        key=key,
        by=None,
    )


def media_is_down(meeting_id: UUID) -> bool:
    """Whether the media server did not answer when the room was last looked after."""
    return _media_down.get(meeting_id, False)
