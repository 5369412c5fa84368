"""Pieces of a reception session that its operations, and other areas, share. Nothing commits.

Public names for other areas: Invitation, invitations_of. A personal link is derived from the
keyring and the participant's id, so it can be shown again; only its hash is stored.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from reception.clock import LOCAL
from storage.database import Work
from storage.identities import seal_field
from storage.models import (
    AgendaItem,
    Marker,
    Participant,
    Petition,
    PresenceEvent,
    ReceptionSession,
    Recording,
    SessionPoint,
    Visit,
)
from storage.models.base import new_id, utc_now
from storage.queries.sessions import Sitting, marker_text, meetings_of_petition
from storage.runtime import runtime
from storage.steps import record, run_of
from workflows.access import Actor
from workflows.procedures.guards import Facts
from workflows.secrecy import Secrecy

LINKED_PARTS = ("citizen", "representative", "interpreter", "guest")
"""Who comes in by a personal link instead of a staff log-in."""

MASKED_NAME = "Người gửi đơn"
MASKED_SESSION = "Phiên tiếp công dân (nội dung được giữ kín)"


DOORS_OPEN = timedelta(hours=2)
"""How long before the start the waiting room lets people in."""

AFTER = ("ENDED", "MINUTED", "SEALED", "RECORDED", "CONCLUDED")
ELSEWHERE = ("CANCELLED", "REFUSED", "IN_PERSON", "DIVERTED_IN_PERSON")


@dataclass(frozen=True)
class Invitation:
    """What the sender of a petition is told about the session. `path` is the personal link.

    `must_come`: the link leads in only at the point, once an officer there has looked at the
    papers. `over` is as of the legal instant asked about.
    """

    meeting_id: UUID
    title: str
    starts_at: datetime
    opens_at: datetime
    state: str
    mode: str
    point: str
    place: str
    at_home: bool
    must_come: bool
    over: bool
    path: str


def join_token(participant_id: UUID) -> str:
    """The secret of a personal link: 128 bits that only this installation's keys give."""
    return runtime().fields.blind_index("participant", "join", str(participant_id)).hex()


def join_path(participant_id: UUID) -> str:
    """Where the personal link leads."""
    return f"/vao-phong/{join_token(participant_id)}"


def hash_of(token: str) -> bytes:
    """How a personal link is stored."""
    return hashlib.sha256(token.encode()).digest()


def is_over(meeting: ReceptionSession, now: datetime) -> bool:
    """Whether nobody can join any more at the legal instant `now`."""
    never_opened = meeting.opened_at is None and now > meeting.planned_end_at + DOORS_OPEN
    return never_opened or meeting.state in AFTER + ELSEWHERE


def must_come(meeting: ReceptionSession, me: Participant) -> bool:
    """Citizens sit at a point unless the head allowed the link from home for this session.

    Whoever an officer at the point has checked is there, and may use another machine.
    Source: NĐ 154/2026/NĐ-CP, Điều 3, 22.
    """
    if me.part not in ("citizen", "representative"):
        return False
    return meeting.home_link_reason is None and me.identity_checked_at is None


def allow_home_link(work: Work, meeting: ReceptionSession, *, reason: str, by: Actor) -> None:
    """The head has allowed it, as the caller made sure of; from now on the links work anywhere."""
    meeting.home_link_reason, meeting.home_link_refusal = reason, None
    meeting.home_link_decided_by, meeting.home_link_decided_at = by.account_id, utc_now()
    work.audit("home_link_allowed", meeting, by=by.account_id)


def invitations_of(db_session: Session, petition_id: UUID, *, now: datetime) -> list[Invitation]:
    """Sessions to which the sender of a petition is invited, newest first."""
    return [
        Invitation(
            meeting_id=meeting.id,
            title=meeting.title,
            starts_at=meeting.starts_at,
            opens_at=meeting.starts_at - DOORS_OPEN,
            state=meeting.state,
            mode=meeting.mode,
            point=point.name,
            place=point.place,
            at_home=meeting.home_link_reason is not None,
            must_come=must_come(meeting, person),
            over=is_over(meeting, now),
            path=join_path(person.id),
        )
        for person, meeting, point in meetings_of_petition(db_session, petition_id)
        if person.part == "citizen"
    ]


def add_participant(
    work: Work,
    point: SessionPoint,
    *,
    part: str,
    name: str,
    title: str = "",
    account_id: UUID | None = None,
    person_id: UUID | None = None,
    petition_id: UUID | None = None,
) -> Participant:
    """Invite somebody to a point; people without a staff log-in get a personal link."""
    row_id = new_id()
    linked = account_id is None and part in LINKED_PARTS
    return work.add(
        Participant(
            id=row_id,
            reception_session_id=point.reception_session_id,
            point_id=point.id,
            part=part,
            title=title,
            account_id=account_id,
            person_id=person_id,
            petition_id=petition_id,
            name_sealed=seal_field("participant", "name", row_id, name),
            join_hash=hash_of(join_token(row_id)) if linked else None,
        )
    )


def forget_sender(work: Work, petition_id: UUID, *, title: str) -> None:
    """Take sender and matter of a petition that was locked away off agendas and name plates.

    Whoever was invited keeps seat and link. A session about nothing else loses its own title and
    reason too. Source: Luật Tố cáo 25/2018/QH14, Điều 8, 56.
    """
    items = work.db_session.scalars(
        select(AgendaItem).where(AgendaItem.petition_id == petition_id)
    ).all()
    for item in items:
        item.title = title
    for meeting_id in {item.reception_session_id for item in items}:
        _neutral_title(work, meeting_id)
    invited = select(Participant).where(Participant.petition_id == petition_id)
    for person in work.db_session.scalars(invited):
        person.person_id = None
        person.name_sealed = seal_field("participant", "name", person.id, MASKED_NAME)


def _neutral_title(work: Work, meeting_id: UUID) -> None:
    """A session that heard only what is locked away is called by what it is, not by the matter."""
    open_matters = (
        select(AgendaItem.id)
        .outerjoin(Petition, Petition.id == AgendaItem.petition_id)
        .where(
            AgendaItem.reception_session_id == meeting_id,
            or_(Petition.id.is_(None), Petition.secrecy != Secrecy.COMPARTMENT.value),
        )
    )
    if work.db_session.scalars(open_matters).first() is None:
        meeting = work.get_for_update(ReceptionSession, meeting_id)
        meeting.title, meeting.reason_text = MASKED_SESSION, ""


def tell_presence(
    work: Work, meeting_id: UUID, kind: str, *, of: UUID | None = None, **detail: Any
) -> None:
    """Note who came, dropped, returned or was muted, and when; details hold ids and words only."""
    work.add(
        PresenceEvent(reception_session_id=meeting_id, participant_id=of, kind=kind, detail=detail)
    )


def add_marker(
    work: Work,
    meeting_id: UUID,
    *,
    kind: str,
    text: str,
    key: str,
    by: UUID | None,
    agenda_item_id: UUID | None = None,
) -> Marker:
    """A time-coded note; its words are sealed."""
    row_id = new_id()
    return work.add(
        Marker(
            id=row_id,
            reception_session_id=meeting_id,
            agenda_item_id=agenda_item_id,
            kind=kind,
            text_sealed=seal_field("marker", "text", row_id, text),
            author_id=by,
            idempotency_key=key,
        )
    )


def move(
    work: Work,
    sitting: Sitting,
    event: str,
    *,
    on: date,
    facts: Facts,
    by: Actor | None,
    reason: str = "",
    starts_on: date,
) -> None:
    """Take one step of the session's procedure; without an actor the system takes it."""
    meeting = sitting.meeting
    record(
        work,
        run_of(work, "SES", reception_session_id=meeting.id),
        event,
        on=on,
        facts=facts,
        by=by.account_id if by else None,
        roles=[role.value for role in by.roles] if by else ["system"],
        unit_id=meeting.unit_id,
        reason=reason,
        dates={"reception_session": starts_on},
    )


NOT_HEARD = "not_heard"
"""The kind of the note that says why a visit, or a whole session, heard nobody."""


def book_key(item_id: UUID) -> str:
    """The key of the line of the book that a visit of an agenda makes, so that it makes one."""
    return f"agenda:{item_id}"


@dataclass(frozen=True)
class Outcome:
    """What became of a visit: heard, with its line in the book, or not, with the reason."""

    heard: bool
    reason: str = ""


def outcomes(db_session: Session, sitting: Sitting) -> dict[UUID | None, Outcome]:
    """What is on record of each visit, by its id; under None why a session heard nobody at all.

    A visit that nobody answered for is missing here.
    """
    reasons = db_session.scalars(
        select(Marker).where(
            Marker.reception_session_id == sitting.meeting.id, Marker.kind == NOT_HEARD
        )
    )
    found = {
        note.agenda_item_id: Outcome(heard=False, reason=marker_text(note)) for note in reasons
    }
    lines = db_session.execute(
        select(Visit.idempotency_key, Visit.petition_id).where(
            Visit.reception_session_id == sitting.meeting.id
        )
    ).all()
    entered: set[str | UUID | None] = {value for line in lines for value in line} - {None}
    return found | {
        item.id: Outcome(heard=True)
        for item in sitting.agenda
        if entered & {book_key(item.id), item.petition_id}
    }


def go_on_when_sealed(work: Work, sitting: Sitting, *, on: date) -> None:
    """After minutes and seal: the session counts as sealed, then as entered in the book.

    Whichever comes last, the confirmed minutes or the sealed recording, calls this; by then every
    visit that was heard has its line. Source: NĐ 154/2026/NĐ-CP, Điều 24, 27.
    """
    if sitting.meeting.state != "MINUTED" or not _is_sealed(work, sitting.meeting.id):
        return
    starts_on = sitting.meeting.starts_at.astimezone(LOCAL).date()
    facts = Facts(recordings_sealed=True, book_entry=_in_book(work, sitting))
    move(work, sitting, "seal", on=on, facts=facts, by=None, starts_on=starts_on)
    if facts.book_entry:
        move(work, sitting, "record", on=on, facts=facts, by=None, starts_on=starts_on)


def _is_sealed(work: Work, meeting_id: UUID) -> bool:
    """Sealed, or never recorded because the session turned into one in person before it opened."""
    state = work.db_session.scalar(
        select(Recording.state).where(Recording.reception_session_id == meeting_id)
    )
    return state in (None, "sealed")


def _in_book(work: Work, sitting: Sitting) -> bool:
    """Each visit has its line or the reason why nobody was heard; so has a session without any."""
    known = outcomes(work.db_session, sitting)
    asked: list[UUID | None] = [item.id for item in sitting.agenda]
    return all(key in known for key in asked or [None])


def lock(work: Work, meeting_id: UUID) -> ReceptionSession:
    """The session, locked until the unit of work ends. Raises NotFound."""
    return work.get_for_update(ReceptionSession, meeting_id)
