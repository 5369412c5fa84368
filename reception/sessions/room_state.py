"""What a page of the room is told each second: names only of those inside unless at the desk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from reception.recordings import steps as recordings
from reception.sessions.paper_operations import Shown, shown_in
from reception.sessions.presence import DESK, INSIDE, may_speak, owners
from reception.sessions.room_watch import media_is_down
from storage.database import Work, reading
from storage.models import Participant, ReceptionSession, Segment
from storage.models.base import utc_now
from storage.queries import sessions as queries
from storage.queries.sessions import LIVE

SHOWN_PRESENCE = ("dropped", "returned", "stranger", "muted", "closed_out", "segment")


@dataclass(frozen=True)
class RoomState:
    """Everything a page of the room is told, before it becomes JSON."""

    sitting: queries.Sitting
    me: Participant
    desk: bool
    lamp: recordings.Lamp
    segment: int | None
    recording_started_at: datetime | None
    media_ids: Mapping[UUID, Sequence[str]]
    feed: tuple[Mapping[str, Any], ...]
    media_down: bool
    shown: Shown | None
    shift: timedelta

    @property
    def inside(self) -> bool:
        return self.me.state in INSIDE and self.sitting.meeting.state in (*LIVE, "IN_PERSON")


def room_state(participant_id: UUID) -> RoomState:
    """The room as one participant may see it; names only of those inside unless at the desk."""
    with reading() as work:
        db_session = work.db_session
        me = work.get(Participant, participant_id)
        meeting = work.get(ReceptionSession, me.reception_session_id)
        sitting = queries.sitting(db_session, meeting)
        segment = recordings.open_segment(db_session, meeting.id)
        started = recordings.recording_started_at(db_session, meeting.id)
        shift = _shift(meeting, started)
        return RoomState(
            sitting=sitting,
            me=me,
            desk=me.part in DESK,
            lamp=recordings.lamp(db_session, meeting.id),
            segment=segment.seq if segment else None,
            recording_started_at=started,
            media_ids=_media_ids(db_session, segment),
            feed=_feed(db_session, sitting, shift) if me.part in DESK else (),
            media_down=media_is_down(meeting.id),
            shown=_shown(work, meeting, me),
            shift=shift,
        )


def _shown(work: Work, meeting: ReceptionSession, me: Participant) -> Shown | None:
    if meeting.state not in LIVE or not (me.part in DESK or me.state in INSIDE):
        return None
    return shown_in(work, meeting.id)


def _shift(meeting: ReceptionSession, started: datetime | None) -> timedelta:
    """From real time to the session's own clock; zero outside the demonstration."""
    if meeting.opened_at is None or started is None:
        return timedelta()
    shift = meeting.opened_at - started
    return shift if abs(shift) > timedelta(minutes=1) else timedelta()


def _media_ids(db_session: Session, segment: Segment | None) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    if segment is not None:
        for media_id, participant_id in owners(db_session, segment).items():
            found.setdefault(participant_id, []).append(media_id)
    return found


def _feed(
    db_session: Session, sitting: queries.Sitting, shift: timedelta
) -> tuple[Mapping[str, Any], ...]:
    """Notes and what happened to the lines, in order."""
    lines: list[dict[str, Any]] = [
        {
            "id": str(marker.id),
            "at": marker.at + shift,
            "kind": marker.kind,
            "text": queries.marker_text(marker),
            "name": "",
        }
        for marker in queries.markers_of(db_session, sitting.meeting.id)
    ]
    for event in queries.presence_of(db_session, sitting.meeting.id, SHOWN_PRESENCE):
        lines.append(
            {
                "id": str(event.id),
                "at": event.at + shift,
                "kind": event.kind,
                "text": "",
                "name": sitting.names.get(event.participant_id, "") if event.participant_id else "",
                "cause": event.detail.get("cause", ""),
            }
        )
    return tuple(sorted(lines, key=lambda line: (line["at"], line["id"])))


def as_json(state: RoomState, *, now: datetime) -> dict[str, Any]:
    """The state as a page polls it; `now` is the session's own instant."""
    meeting = state.sitting.meeting
    return {
        "state": meeting.state,
        "now_ms": round(utc_now().timestamp() * 1000),
        "clock": now.isoformat(),
        "lamp": {
            **asdict(state.lamp),
            "elapsed_s": _elapsed_s(state),
            "segment": state.segment,
        },
        "media": "down" if state.media_down else "up",
        "me": {
            "id": str(state.me.id),
            "part": state.me.part,
            "state": state.me.state,
            "desk": state.desk,
            "may_speak": may_speak(state.me),
            "hand": state.me.hand_raised_at is not None,
        },
        "participants": [_person(state, p) for p in _visible_people(state)],
        "agenda": _agenda(state) if state.inside or state.desk else [],
        "shown": _shown_json(state.shown),
        "waiting": sum(person.state == "waiting" for person in state.sitting.participants)
        if state.desk
        else None,
        "markers": [
            {
                "id": line["id"],
                "kind": line["kind"],
                "at": line["at"].isoformat(),
                "text": line["text"],
                "name": line["name"],
            }
            for line in state.feed
        ],
    }


def _shown_json(shown: Shown | None) -> dict[str, Any] | None:
    if shown is None:
        return None
    return {"id": str(shown.id), "page": shown.page, "pages": shown.pages, "name": shown.name}


def _elapsed_s(state: RoomState) -> int | None:
    if state.recording_started_at is None:
        return None
    return int((utc_now() - state.recording_started_at).total_seconds())


def _visible_people(state: RoomState) -> Iterable[Participant]:
    if not state.inside and not state.desk:
        return ()
    return (
        person
        for person in state.sitting.participants
        if person.state in ("in_room", "dropped")
        or state.desk
        or person.id == state.me.id
        or _sits_with_one_inside(state, person)
    )


def _sits_with_one_inside(state: RoomState, person: Participant) -> bool:
    """People on one camera: checked by the officer of a point that is in the room."""
    if person.identity_checked_at is None or person.state != "invited":
        return False
    return any(
        other.state in ("in_room", "dropped")
        for other in state.sitting.at(person.point_id)
        if other.part in ("officer", "technician")
    )


def _is_seated(state: RoomState, person: Participant) -> bool:
    """Whether this person sits before a camera of the point without a connection of the own."""
    if person.part == "clerk":
        return person.state in INSIDE
    return _sits_with_one_inside(state, person)


def _person(state: RoomState, person: Participant) -> dict[str, Any]:
    point = state.sitting.point(person.point_id)
    line = person.line or {}
    return {
        "id": str(person.id),
        "name": state.sitting.names[person.id],
        "title": person.title,
        "part": person.part,
        "point": point.name,
        "point_id": str(point.id),
        "seat": point.seat,
        "state": person.state,
        "media_ids": list(state.media_ids.get(person.id, ())),
        "may_speak": may_speak(person),
        "speaking_since_ms": _ms(person.speaking_since_at),
        "hand_since_ms": _ms(person.hand_raised_at),
        "seen_ms": _ms(person.last_seen_at),
        "seated": _is_seated(state, person),
        "contact": point.contact if state.desk else "",
        "audio_only": person.audio_only,
        "mic": line.get("mic"),
        "camera": line.get("camera"),
        "loss": line.get("loss"),
        "rtt": line.get("rtt"),
    }


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)


def _agenda(state: RoomState) -> list[dict[str, Any]]:
    """The visits; citizens see numbers and times, the desk sees titles."""
    return [
        {
            "id": str(item.id),
            "seq": item.seq,
            "title": item.title if state.desk else "",
            "minutes": item.planned_minutes,
            "started_ms": _ms(item.started_at),
            "ended_ms": _ms(item.ended_at),
        }
        for item in state.sitting.agenda
    ]
