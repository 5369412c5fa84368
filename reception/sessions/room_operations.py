"""In the waiting room and in the room: arriving, tickets, hands, and what a page is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from reception.media_gateway import JoinTicket, RoomGone
from reception.recordings import steps as recordings
from reception.sessions import facts, steps
from reception.sessions.media import MediaPool
from reception.sessions.presence import DESK, INSIDE, Place, on_a_break, place_of
from storage.database import Work, reading, unit_of_work
from storage.models import MediaJoin, Participant, ReceptionSession, Recording, Segment
from storage.models.base import utc_now
from storage.queries import sessions as queries
from storage.queries.sessions import LIVE
from storage.subjects import reception_session_subject
from workflows.access import Actor, Decision, Permission, decide
from workflows.errors import Conflict, DomainError, NotAllowed, NotFound, Unavailable

TOUCH_EVERY = timedelta(seconds=2)


class MeetingOver(DomainError):
    """The session has ended, was cancelled, or goes on in person: nothing to join any more."""

    def __init__(self, state: str) -> None:
        super().__init__(
            {
                "CANCELLED": "Phiên này đã hủy. Đơn vẫn được giải quyết; cán bộ sẽ báo lịch mới.",
                "IN_PERSON": "Phiên đã chuyển sang tiếp trực tiếp. "
                "Mời ông/bà gặp cán bộ tại điểm cầu.",
                "DIVERTED_IN_PERSON": "Buổi này được tiếp trực tiếp. Xem giấy mời để biết nơi đến.",
            }.get(state, "Phiên đã kết thúc. Biên bản và kết quả sẽ được gửi theo đơn.")
        )
        self.state = state


# --- who asks ------------------------------------------------------------------------------------


def by_link(token: str) -> tuple[UUID, UUID]:
    """(session, participant) of a personal link. Raises NotFound."""
    with reading() as work:
        person = queries.participant_by_hash(work.db_session, steps.hash_of(token))
        if person is None:
            raise NotFound
        return person.reception_session_id, person.id


def by_account(meeting_id: UUID, actor: Actor) -> UUID:
    """The participant who logged in. Raises NotAllowed as if there were no such session."""
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        sitting = queries.sitting(work.db_session, meeting)
        me = sitting.of_account(actor.account_id)
        subject = reception_session_subject(work.db_session, meeting)
        if me is None or not decide(actor, Permission.SESSION_JOIN, subject):
            raise NotAllowed(
                Decision(allowed=False, reason="Bạn không có trong phiên này.", hidden=True)
            )
        return me.id


@dataclass(frozen=True)
class Doorway:
    """What somebody sees before the room: the session, the own seat, and whether doors are open."""

    sitting: queries.Sitting
    me: Participant
    name: str
    opens_at: datetime
    open_now: bool
    over: MeetingOver | None
    at_point_only: bool

    @property
    def meeting(self) -> ReceptionSession:
        return self.sitting.meeting


def doorway(participant_id: UUID, *, now: datetime) -> Doorway:
    """The door as it is at the legal instant `now`."""
    with reading() as work:
        me = work.get(Participant, participant_id)
        meeting = work.get(ReceptionSession, me.reception_session_id)
        sitting = queries.sitting(work.db_session, meeting)
        return _doorway(sitting, me, now)


def _doorway(sitting: queries.Sitting, me: Participant, now: datetime) -> Doorway:
    meeting = sitting.meeting
    opens_at = meeting.starts_at - steps.DOORS_OPEN
    over = MeetingOver(meeting.state) if steps.is_over(meeting, now) else None
    return Doorway(
        sitting=sitting,
        me=me,
        name=sitting.names[me.id],
        opens_at=opens_at,
        open_now=over is None and now >= opens_at,
        over=over,
        at_point_only=steps.must_come(meeting, me),
    )


# --- arriving ------------------------------------------------------------------------------------


def arrive(
    participant_id: UUID, *, notice_seen: bool, devices: Mapping[str, Any], now: datetime
) -> None:
    """Go into the waiting room; those who keep the desk go straight in. `now` is legal.

    The notice that all is recorded must have been seen: an acknowledgement, not a consent.
    Raises MeetingOver, Conflict while the doors are shut or when a point must be visited.
    """
    with unit_of_work() as work:
        me = work.get_for_update(Participant, participant_id)
        meeting = work.get(ReceptionSession, me.reception_session_id)
        sitting = queries.sitting(work.db_session, meeting)
        _ensure_door_open(_doorway(sitting, me, now))
        if notice_seen and me.notice_seen_at is None:
            me.notice_seen_at = utc_now()
        if me.notice_seen_at is None:
            raise Conflict("Hãy đánh dấu đã biết buổi tiếp được ghi hình, ghi tiếng rồi vào.")
        me.device_check = dict(devices)
        me.audio_only = devices.get("camera") not in (None, "ok")
        _let_in(work, meeting, me)


def _ensure_door_open(door: Doorway) -> None:
    if door.over is not None:
        raise door.over
    if door.at_point_only:
        raise Conflict(
            f"Mời ông/bà đến {door.sitting.point(door.me.point_id).name} để dự buổi tiếp; "
            "cán bộ ở đó đã chuẩn bị sẵn máy."
        )
    if not door.open_now:
        raise Conflict("Chưa đến giờ vào phòng chờ. Phòng chờ mở trước giờ tiếp 2 giờ.")


def _let_in(work: Work, meeting: ReceptionSession, me: Participant) -> None:
    me.last_seen_at = utc_now()
    if me.state in INSIDE:
        return
    if me.part in DESK:
        me.state, me.admitted_at = "admitted", me.admitted_at or utc_now()
        return
    if me.state != "waiting":
        me.state, me.waiting_at = "waiting", utc_now()
        steps.tell_presence(work, meeting.id, "waiting", of=me.id)
    work.audit("waiting_room_entered", me, by=me.account_id, reception_session=meeting.id)


# --- the ticket ----------------------------------------------------------------------------------


def issue_ticket(meeting_id: UUID, participant_id: UUID, *, pool: MediaPool) -> JoinTicket:
    """A ticket into the room for one join; whoever comes back is the same participant.

    Raises MeetingOver, NotAllowed before admission, Unavailable while nothing is recorded,
    MediaServerDown. A media server that lost the room gets a new segment first.
    """
    place = _place_for(meeting_id, participant_id, pool)
    room = recordings.room_of(place.segment)
    try:
        present = place.gateway.list_participants(room)
    except RoomGone:
        renew_segment(meeting_id, place.segment.id, cause="media-server-restarted", pool=pool)
        place = _place_for(meeting_id, participant_id, pool)
        room, present = recordings.room_of(place.segment), ()
    ticket = place.gateway.join_ticket(room, display_id=str(participant_id))
    earlier = _keep_join(place.segment, participant_id, ticket)
    for media_id in {entry.participant_id for entry in present} & earlier:
        place.gateway.kick(room, media_id)
    return ticket


def _place_for(meeting_id: UUID, participant_id: UUID, pool: MediaPool) -> Place:
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        me = work.get(Participant, participant_id)
        if me.reception_session_id != meeting.id:
            raise NotFound
        _ensure_may_join(meeting, me)
        place = place_of(work.db_session, meeting, pool)
        if place is None:
            raise Unavailable("Phiên chưa ghi hình nên chưa nối hình tiếng. Trang sẽ tự thử lại.")
        return place


def _ensure_may_join(meeting: ReceptionSession, me: Participant) -> None:
    if meeting.state in (*steps.AFTER, "CANCELLED", "IN_PERSON"):
        raise MeetingOver(meeting.state)
    if meeting.state == "PAUSED":
        raise Unavailable("Phiên đang tạm nghỉ. Khi chủ trì tiếp tục, máy sẽ tự nối lại.")
    if meeting.state not in LIVE or me.state not in INSIDE:
        raise NotAllowed(
            Decision(allowed=False, reason="Chủ trì chưa mời vào phòng. Xin chờ ở phòng chờ.")
        )


def _keep_join(segment: Segment, participant_id: UUID, ticket: JoinTicket) -> set[str]:
    """Remember whose media id it is; returns the ids this person had before in the segment."""
    with unit_of_work() as work:
        earlier = set(
            work.db_session.scalars(
                select(MediaJoin.media_id).where(
                    MediaJoin.participant_id == participant_id,
                    MediaJoin.segment_id == segment.id,
                )
            )
        )
        work.add(
            MediaJoin(
                media_id=ticket.participant_id,
                participant_id=participant_id,
                segment_id=segment.id,
            )
        )
        me = work.get(Participant, participant_id)
        me.last_seen_at = utc_now()
        work.audit("room_ticket_issued", me, by=me.account_id, segment=segment.id)
        return earlier


def renew_segment(meeting_id: UUID, old_segment_id: UUID, *, cause: str, pool: MediaPool) -> None:
    """Go on recording in a new room after the media server lost the old one.

    Several pages may notice at once: the first one wins, the others find the new segment.
    """
    recordings.prepare_keys()
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        people = len(queries.sitting(work.db_session, meeting).participants)
        server, room = pool.choose(work.db_session, people=people)
    gateway = pool.of(server)
    gateway.create_room(room)
    with unit_of_work() as work:
        steps.lock(work, meeting_id)
        current = recordings.open_segment(work.db_session, meeting_id)
        taken = current is not None and current.id == old_segment_id
        if current is not None and taken:
            recording = work.get(Recording, current.recording_id)
            recordings.end_segment(work, current)
            work.flush()
            recordings.begin_segment(
                work,
                recording,
                room=room,
                media_server=server.name,
                secrecy=current.secrecy,
                cause=cause,
            )
            steps.tell_presence(work, meeting_id, "segment", cause=cause)
    if not taken:
        gateway.destroy_room(room)


# --- hands ---------------------------------------------------------------------------------------


def raise_hand(participant_id: UUID, *, up: bool) -> None:
    """Ask to speak, or take the hand down."""
    with unit_of_work() as work:
        me = work.get_for_update(Participant, participant_id)
        if me.state not in INSIDE:
            raise Conflict("Vào phòng rồi mới giơ tay được.")
        me.hand_raised_at = (me.hand_raised_at or utc_now()) if up else None
        kind = "hand_raised" if up else "hand_lowered"
        steps.tell_presence(work, me.reception_session_id, kind, of=me.id)


def ask_for_help(participant_id: UUID, *, what: str) -> None:
    """Tell the desk that somebody cannot hear or needs a person; shown in its feed."""
    words = {"hearing": "nghe chưa rõ", "help": "cần giúp", "protection": "xin giữ kín danh tính"}
    if what not in words:
        raise NotFound
    with unit_of_work() as work:
        me = work.get(Participant, participant_id)
        name = queries.name_of(me)
        steps.add_marker(
            work,
            me.reception_session_id,
            kind="help",
            text=f"{name}: {words[what]}.",
            key=f"help:{me.id}:{what}:{utc_now():%Y%m%d%H%M}",
            by=None,
        )


# --- what a page is told -------------------------------------------------------------------------


def note_line(participant_id: UUID, line: Mapping[str, Any]) -> None:
    """Keep how somebody's line stands; written at most every two seconds unless it changed."""
    with reading() as work:
        me = work.get(Participant, participant_id)
        if not _worth_writing(me, line):
            return
    with unit_of_work() as work:
        me = work.get_for_update(Participant, participant_id)
        me.last_seen_at, me.line = utc_now(), dict(line)
        _follow(work, me, str(line.get("media", "")))


def _worth_writing(me: Participant, line: Mapping[str, Any]) -> bool:
    if me.last_seen_at is None or utc_now() - me.last_seen_at >= TOUCH_EVERY:
        return True
    known = me.line or {}
    return any(known.get(word) != line.get(word) for word in ("media", "mic", "camera"))


def _follow(work: Work, me: Participant, media: str) -> None:
    """Connected makes present; a line that is being mended makes absent, but keeps the place."""
    meeting_id = me.reception_session_id
    if media == "connected" and me.state in ("admitted", "dropped"):
        kind = "returned" if me.state == "dropped" else "joined"
        me.state = "in_room"
        steps.tell_presence(work, meeting_id, kind, of=me.id)
    elif media == "reconnecting" and me.state == "in_room" and not _break(work, meeting_id):
        me.state = "dropped"
        steps.tell_presence(work, meeting_id, "dropped", of=me.id)


def _break(work: Work, meeting_id: UUID) -> bool:
    return on_a_break(work.db_session, work.get(ReceptionSession, meeting_id))


def gates_for(meeting_id: UUID, *, pool: MediaPool) -> tuple[queries.Sitting, tuple[Any, ...]]:
    """The session and its gates, closed ones first: what the chair's page says before opening."""
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        sitting = queries.sitting(work.db_session, meeting)
        up = pool.is_up(work.db_session)
        return sitting, facts.gates_of(work.db_session, sitting, media_up=up)
