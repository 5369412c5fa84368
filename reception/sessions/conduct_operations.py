"""Conducting a session from the desk: open, admit, invite, mark, close the room, end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from reception.media_gateway import MediaGateway, MediaRefused, MediaRoom
from reception.recordings import steps as recordings
from reception.sessions import facts, minutes_operations, steps, visits
from reception.sessions.media import MediaPool
from reception.sessions.presence import DESK, INSIDE, may_speak, place_of
from reception.sessions.visits import Answer
from storage.database import Work, reading, unit_of_work
from storage.identities import seal_field
from storage.models import (
    AgendaItem,
    Marker,
    MediaJoin,
    Participant,
    ReceptionSession,
    Recording,
    Segment,
)
from storage.models.base import utc_now
from storage.queries import sessions as queries
from storage.queries.sessions import LIVE
from workflows.access import Actor, Permission
from workflows.errors import BadInput, Conflict, NotFound, RecorderNotRunning, Unavailable
from workflows.gates import ensure_may_open

IDENTIFIED = ("citizen", "representative")
"""Whose papers somebody must have looked at before they come in (NĐ 154/2026/NĐ-CP, Điều 12)."""

MARKER_KINDS = ("note", "task", "document", "incident")
END_WORDS = "kết thúc"


def _chairing(work: Work, meeting_id: UUID, by: Actor) -> queries.Sitting:
    """The session, locked, for whoever presides over it."""
    meeting = steps.lock(work, meeting_id)
    facts.ensure_runs(work.db_session, by, Permission.SESSION_CHAIR, meeting)
    return queries.sitting(work.db_session, meeting)


def _at_desk(work: Work, meeting_id: UUID, by: Actor) -> queries.Sitting:
    """The session, locked, for the chair or the one who keeps the minutes."""
    meeting = steps.lock(work, meeting_id)
    sitting = queries.sitting(work.db_session, meeting)
    if by.account_id not in (meeting.presiding_id, meeting.clerk_id):
        facts.ensure_runs(work.db_session, by, Permission.SESSION_ADMIT, meeting)
    return sitting


def _person(sitting: queries.Sitting, participant_id: UUID) -> Participant:
    person = next((p for p in sitting.participants if p.id == participant_id), None)
    if person is None:
        raise NotFound
    return person


def _move(
    work: Work,
    sitting: queries.Sitting,
    event: str,
    *,
    by: Actor,
    now: datetime,
    reason: str = "",
    **known: object,
) -> None:
    steps.move(
        work,
        sitting,
        event,
        on=facts.local_day(now),
        facts=facts.move_facts(sitting, **known),
        by=by,
        reason=reason,
        starts_on=facts.local_day(sitting.meeting.starts_at),
    )


@contextlib.contextmanager
def _fresh_room(meeting_id: UUID, pool: MediaPool) -> Iterator[tuple[MediaRoom, str]]:
    """A new room that records; closed again when what follows does not come about.

    Raises RecorderNotRunning, MediaServerDown.
    """
    recordings.prepare_keys()
    with reading() as work:
        sitting = queries.sitting(work.db_session, work.get(ReceptionSession, meeting_id))
        server, room = pool.choose(work.db_session, people=len(sitting.participants))
    gateway = pool.of(server)
    gateway.create_room(room)
    try:
        yield room, server.name
    except BaseException:
        with contextlib.suppress(Unavailable):
            gateway.destroy_room(room)
        raise


def _stop_media(pool: MediaPool, segments: list[Segment]) -> None:
    """Close the rooms of ended segments; a media server that is down has closed them already."""
    for segment in segments:
        with reading() as work:
            gateway = pool.of_segment(work.db_session, segment)
        with contextlib.suppress(Unavailable, MediaRefused):
            gateway.destroy_room(recordings.room_of(segment))


def _end_open_segment(work: Work, meeting_id: UUID) -> list[Segment]:
    segment = recordings.open_segment(work.db_session, meeting_id)
    if segment is None:
        return []
    recordings.end_segment(work, segment)
    work.flush()
    return [segment]


def _recording(work: Work, meeting_id: UUID) -> Recording:
    return (
        work.db_session.query(Recording).filter(Recording.reception_session_id == meeting_id).one()
    )


# --- opening, breaks, closed room, end -----------------------------------------------------------


def open_session(
    meeting_id: UUID, *, notice_given: bool, by: Actor, pool: MediaPool, now: datetime
) -> None:
    """Open the session and begin to record; `now` is the legal instant.

    Raises RecorderNotRunning, GateNotMet naming the closed gates, StepNotAllowed.
    """
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        facts.ensure_runs(work.db_session, by, Permission.SESSION_CHAIR, meeting)
        sitting = queries.sitting(work.db_session, meeting)
        up = pool.is_up(work.db_session)
        ensure_may_open(facts.gates_of(work.db_session, sitting, media_up=up))
    with _fresh_room(meeting_id, pool) as (room, server), unit_of_work() as work:
        sitting = _chairing(work, meeting_id, by)
        meeting = sitting.meeting
        meeting.notice_given_at = now if notice_given else None
        _move(
            work,
            sitting,
            "open",
            by=by,
            now=now,
            gates_met=True,
            recorder_running=True,
            identities_checked=_identities_checked(sitting),
            chair_present=True,
        )
        meeting.opened_at = now
        recording = recordings.begin_recording(work, meeting, by=by.account_id)
        work.flush()
        secrecy = facts.base_secrecy(sitting).value
        recordings.begin_segment(
            work, recording, room=room, media_server=server, secrecy=secrecy, cause="opened"
        )
        _seat_the_desk(sitting)
        _open_marker(work, meeting, by=by)


def _identities_checked(sitting: queries.Sitting) -> bool:
    """Everybody let in ahead of the opening was checked; the others are checked at the door."""
    return all(
        person.identity_checked_at is not None
        for person in sitting.participants
        if person.part in IDENTIFIED and person.state in INSIDE
    )


def _seat_the_desk(sitting: queries.Sitting) -> None:
    for person in sitting.participants:
        if person.part in DESK and person.state not in INSIDE:
            person.state, person.admitted_at = "admitted", utc_now()


def _open_marker(work: Work, meeting: ReceptionSession, *, by: Actor) -> None:
    forbidden = meeting.self_recording == "forbidden"
    rule = "không được tự ghi âm, ghi hình" if forbidden else "được tự ghi âm, ghi hình"
    steps.add_marker(
        work,
        meeting.id,
        kind="opened",
        text="Mở phiên. Chủ trì đã thông báo phiên được ghi âm, ghi hình; "
        f"người dự {rule}{': ' + meeting.self_recording_reason if forbidden else ''}.",
        key=f"opened:{meeting.id}",
        by=by.account_id,
    )


def pause(meeting_id: UUID, *, by: Actor, pool: MediaPool, now: datetime) -> None:
    """A break: the segment ends, nobody is heard or recorded until the chair goes on."""
    with unit_of_work() as work:
        sitting = _chairing(work, meeting_id, by)
        _move(work, sitting, "pause", by=by, now=now)
        ended = _end_open_segment(work, meeting_id)
        _silence_all(sitting)
        steps.add_marker(
            work,
            meeting_id,
            kind="pause",
            text="Tạm nghỉ.",
            key=f"pause:{meeting_id}:{utc_now().isoformat()}",
            by=by.account_id,
        )
    _stop_media(pool, ended)


def resume(meeting_id: UUID, *, by: Actor, pool: MediaPool, now: datetime) -> None:
    """Go on after a break, in a new segment. Raises RecorderNotRunning."""
    with _fresh_room(meeting_id, pool) as (room, server), unit_of_work() as work:
        sitting = _chairing(work, meeting_id, by)
        _move(work, sitting, "resume", by=by, now=now, recorder_running=True)
        closed = sitting.meeting.state == "CLOSED_ROOM"
        _begin(work, sitting, room, server, cause="resumed", closed=closed)
        steps.add_marker(
            work,
            meeting_id,
            kind="resume",
            text="Tiếp tục phiên.",
            key=f"resume:{meeting_id}:{utc_now().isoformat()}",
            by=by.account_id,
        )


def _begin(
    work: Work,
    sitting: queries.Sitting,
    room: MediaRoom,
    server: str,
    *,
    cause: str,
    closed: bool,
) -> None:
    recordings.begin_segment(
        work,
        _recording(work, sitting.meeting.id),
        room=room,
        media_server=server,
        secrecy=facts.base_secrecy(sitting, closed_room=closed).value,
        cause=cause,
    )
    steps.tell_presence(work, sitting.meeting.id, "segment", cause=cause)


def _silence_all(sitting: queries.Sitting) -> None:
    for person in sitting.participants:
        person.speaking_since_at = None


def close_room(
    meeting_id: UUID,
    *,
    protection: bool,
    reason: str,
    by: Actor,
    pool: MediaPool,
    now: datetime,
) -> None:
    """Go into a closed room: every point is cut off, a restricted segment with own keys begins.

    Used when protection is asked for, or when self-recording was forbidden. The chair lets back in
    whom the matter needs. Source: NĐ 154/2026/NĐ-CP, Điều 4, 12, 20.
    """
    with _fresh_room(meeting_id, pool) as (room, server), unit_of_work() as work:
        sitting = _chairing(work, meeting_id, by)
        meeting = sitting.meeting
        meeting.protection_requested = meeting.protection_requested or protection
        if not protection:
            meeting.self_recording, meeting.self_recording_reason = "forbidden", reason
        _move(work, sitting, "closed_room", by=by, now=now, reason=reason)
        ended = _end_open_segment(work, meeting_id)
        _begin(work, sitting, room, server, cause="closed-room", closed=True)
        _cut_off(work, sitting)
        steps.add_marker(
            work,
            meeting_id,
            kind="closed",
            text="Chuyển vào phòng kín, đã ngắt các điểm cầu.",
            key=f"closed:{meeting_id}:{utc_now().isoformat()}",
            by=by.account_id,
        )
    _stop_media(pool, ended)


def _cut_off(work: Work, sitting: queries.Sitting) -> None:
    for person in sitting.participants:
        person.speaking_since_at = person.hand_raised_at = None
        if person.part not in DESK and person.state in INSIDE:
            person.state = "waiting"
            steps.tell_presence(work, sitting.meeting.id, "closed_out", of=person.id)


def reopen(meeting_id: UUID, *, by: Actor, pool: MediaPool, now: datetime) -> None:
    """Back to the common room in a new segment; refused once protection was asked for."""
    with _fresh_room(meeting_id, pool) as (room, server), unit_of_work() as work:
        sitting = _chairing(work, meeting_id, by)
        _move(work, sitting, "reopen", by=by, now=now)
        ended = _end_open_segment(work, meeting_id)
        _begin(work, sitting, room, server, cause="reopened", closed=False)
        for person in sitting.participants:
            if person.state == "waiting" and person.admitted_at is not None:
                person.state = "admitted"
    _stop_media(pool, ended)


def turn_in_person(
    meeting_id: UUID, *, note: str, by: Actor, pool: MediaPool, now: datetime
) -> None:
    """Go on in person: links end, book, agenda, minutes and the incident note stay.

    Before the opening and at any moment of the session. Source: NĐ 154/2026/NĐ-CP, Điều 17, 18.
    """
    with unit_of_work() as work:
        sitting = _chairing(work, meeting_id, by)
        meeting = sitting.meeting
        _move(work, sitting, "turn_in_person", by=by, now=now, reason="", incident_note=bool(note))
        meeting.incident_note_sealed = seal_field(
            "reception_session", "incident_note", meeting.id, note
        )
        meeting.mode = "in_person"
        ended = _end_recording(work, sitting, by)
        _leave(sitting)
        steps.add_marker(
            work,
            meeting_id,
            kind="incident",
            text=f"Chuyển sang tiếp trực tiếp: {note}",
            key=f"in-person:{meeting_id}",
            by=by.account_id,
        )
    _stop_media(pool, ended)


def _end_recording(work: Work, sitting: queries.Sitting, by: Actor) -> list[Segment]:
    if recordings.recording_started_at(work.db_session, sitting.meeting.id) is None:
        return []
    ended = _end_open_segment(work, sitting.meeting.id)
    recordings.end_recording(work, _recording(work, sitting.meeting.id), by=by.account_id)
    return ended


def _leave(sitting: queries.Sitting) -> None:
    for person in sitting.participants:
        person.speaking_since_at = person.hand_raised_at = None
        if person.state in (*INSIDE, "waiting"):
            person.state = "left"


def end_session(
    meeting_id: UUID,
    *,
    typed: str,
    by: Actor,
    pool: MediaPool,
    now: datetime,
    answers: Mapping[UUID, Answer] | None = None,
    nobody: str = "",
) -> None:
    """End for good: every visit answered for and in the book, recording closed, minutes drafted.

    `answers` say of each visit, by its id, whether it was heard; `nobody` why a session without an
    agenda heard no one. Raises BadInput when an answer or the words of confirmation are missing.
    """
    if " ".join(typed.lower().split()) != END_WORDS:
        raise BadInput({"confirm": f"Gõ đúng “{END_WORDS}” để xác nhận."})
    with unit_of_work() as work:
        sitting = _chairing(work, meeting_id, by)
        visits.close_visits(work, sitting, answers or {}, nobody=nobody, by=by, now=now)
        _move(work, sitting, "end", by=by, now=now)
        sitting.meeting.ended_at = now
        ended = _end_recording(work, sitting, by)
        _leave(sitting)
        work.flush()
        minutes_operations.draft(work, sitting, by=by)
    _stop_media(pool, ended)


# --- people --------------------------------------------------------------------------------------


def admit(meeting_id: UUID, participant_id: UUID, *, papers_seen: bool, by: Actor) -> None:
    """Let somebody in from the waiting room; of citizens the papers must have been looked at."""
    with unit_of_work() as work:
        sitting = _at_desk(work, meeting_id, by)
        person = _person(sitting, participant_id)
        if person.state not in ("waiting", "refused"):
            return
        if steps.must_come(sitting.meeting, person):
            raise Conflict("Phiên này không dự từ nhà. Mời người này đến điểm cầu, xuất giấy tờ.")
        if person.part in IDENTIFIED and person.identity_checked_at is None:
            if not papers_seen:
                raise Conflict("Xem giấy tờ của người dân rồi mới cho vào phòng.")
            person.identity_checked_at = utc_now()
        person.state, person.admitted_at = "admitted", utc_now()
        steps.tell_presence(work, meeting_id, "admitted", of=person.id)
        work.audit("participant_admitted", person, by=by.account_id, reception_session=meeting_id)


def send_out(meeting_id: UUID, participant_id: UUID, *, by: Actor, pool: MediaPool) -> None:
    """Send somebody back to the waiting room; the link is cut at once."""
    with unit_of_work() as work:
        sitting = _at_desk(work, meeting_id, by)
        person = _person(sitting, participant_id)
        if person.part in DESK:
            raise Conflict("Chủ trì và thư ký không thể bị mời ra.")
        person.state, person.speaking_since_at, person.hand_raised_at = "refused", None, None
        person.admitted_at = None  # only the desk lets this person in again, no reopened room
        steps.tell_presence(work, meeting_id, "sent_out", of=person.id)
        work.audit("participant_sent_out", person, by=by.account_id, reception_session=meeting_id)
    for gateway, room, media_id in _connections(meeting_id, participant_id, pool):
        gateway.kick(room, media_id)


def _connections(
    meeting_id: UUID, participant_id: UUID, pool: MediaPool
) -> list[tuple[MediaGateway, MediaRoom, str]]:
    """Live media connections of one person; empty while the media server does not answer."""
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        place = place_of(work.db_session, meeting, pool) if meeting.state in LIVE else None
        if place is None:
            return []
        owned = {
            media_id
            for (media_id,) in work.db_session.query(MediaJoin.media_id).filter(
                MediaJoin.segment_id == place.segment.id,
                MediaJoin.participant_id == participant_id,
            )
        }
    room = recordings.room_of(place.segment)
    try:
        present = {entry.participant_id for entry in place.gateway.list_participants(room)}
    except (Unavailable, MediaRefused):
        return []
    return [(place.gateway, room, media_id) for media_id in sorted(owned & present)]


def invite_to_speak(meeting_id: UUID, participant_id: UUID, *, by: Actor, pool: MediaPool) -> None:
    """Open somebody's microphone; only while the recording runs. Raises RecorderNotRunning."""
    with unit_of_work() as work:
        sitting = _at_desk(work, meeting_id, by)
        person = _person(sitting, participant_id)
        if recordings.lamp(work.db_session, meeting_id).state == "silent":
            raise RecorderNotRunning
        if person.state not in INSIDE:
            raise Conflict("Người này chưa ở trong phòng nên chưa mời phát biểu được.")
        person.speaking_since_at, person.hand_raised_at = utc_now(), None
        steps.tell_presence(work, meeting_id, "invited_to_speak", of=person.id)
    _moderate(meeting_id, participant_id, pool, mute=False)


def mute(meeting_id: UUID, participant_id: UUID | None, *, by: Actor) -> None:
    """Close one microphone, or with None those of all points; the pages follow within a second.

    The page keeps sending silence, so that the recording has no gap; whoever goes on talking is
    muted by the media server (see room_operations.watch).
    """
    with unit_of_work() as work:
        sitting = _at_desk(work, meeting_id, by)
        chosen = [_person(sitting, participant_id)] if participant_id else sitting.participants
        for person in chosen:
            if person.part not in DESK and may_speak(person):
                person.speaking_since_at = None
                steps.tell_presence(work, meeting_id, "silenced", of=person.id)


def _moderate(meeting_id: UUID, participant_id: UUID, pool: MediaPool, *, mute: bool) -> None:
    for gateway, room, media_id in _connections(meeting_id, participant_id, pool):
        with contextlib.suppress(MediaRefused, Unavailable):
            gateway.moderate(room, media_id, mid="0", mute=mute)


# --- agenda and notes ----------------------------------------------------------------------------


def _item(sitting: queries.Sitting, item_id: UUID) -> AgendaItem:
    item = next((item for item in sitting.agenda if item.id == item_id), None)
    if item is None:
        raise NotFound
    return item


def _ensure_running(sitting: queries.Sitting) -> None:
    if sitting.meeting.state not in (*LIVE, "IN_PERSON"):
        raise Conflict("Phiên chưa mở hoặc đã kết thúc nên chưa làm được việc này.")


def start_item(meeting_id: UUID, item_id: UUID, *, by: Actor) -> None:
    """Begin a visit of the agenda; one runs at a time."""
    with unit_of_work() as work:
        sitting = _at_desk(work, meeting_id, by)
        _ensure_running(sitting)
        item = _item(sitting, item_id)
        running = [i for i in sitting.agenda if i.started_at and not i.ended_at and i is not item]
        if running:
            raise Conflict(
                f"Lượt {running[0].seq} chưa xong. Kết thúc lượt đó rồi bắt đầu lượt này."
            )
        if item.started_at is None:
            item.started_at = utc_now()
            visits.mark(work, sitting, item, f"Bắt đầu lượt {item.seq}.", by=by)
            work.audit("visit_begun", item, by=by.account_id, reception_session=meeting_id)


def finish_item(meeting_id: UUID, item_id: UUID, *, answer: str, by: Actor, now: datetime) -> None:
    """End a visit and write its line into the book. `now` is the legal instant."""
    with unit_of_work() as work:
        sitting = _at_desk(work, meeting_id, by)
        _ensure_running(sitting)
        item = _item(sitting, item_id)
        if item.started_at is None:
            raise Conflict("Lượt này chưa bắt đầu.")
        if item.ended_at is None:
            visits.finish(work, sitting, item, answer=answer, by=by, now=now)


def add_note(
    meeting_id: UUID, *, kind: str, text: str, key: str, item_id: UUID | None, by: Actor
) -> None:
    """A time-coded note of the chair or clerk; the same key twice is one note."""
    words = " ".join(text.split())
    if not words:
        raise BadInput({"text": "Ghi nội dung trước khi đặt mốc."})
    if kind not in MARKER_KINDS:
        raise NotFound
    with unit_of_work() as work:
        sitting = _at_desk(work, meeting_id, by)
        _ensure_running(sitting)
        if _known_note(work, key):
            return
        running = next((i for i in sitting.agenda if i.started_at and not i.ended_at), None)
        steps.add_marker(
            work,
            meeting_id,
            kind=kind,
            text=words[:1000],
            key=key,
            by=by.account_id,
            agenda_item_id=item_id or (running.id if running else None),
        )


def _known_note(work: Work, key: str) -> bool:
    return (
        work.db_session.query(Marker.id).filter(Marker.idempotency_key == key).first() is not None
    )
