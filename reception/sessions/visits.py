"""Visits of a session from their beginning to the book: who was heard, who was not, and why.

Steps that take `work` and never commit. Every visit of an agenda gets an answer before the session
is over: a line of the 13-column book, or the reason why nobody was heard.
Source: NĐ 154/2026/NĐ-CP, Điều 25, 27.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from reception.desk.steps import NewLine, write_line
from reception.sessions import facts, steps
from storage.database import Work
from storage.identities import PersonData, read_person
from storage.models import AgendaItem, Participant, Person, Petition, Post, ReceptionSession
from storage.models.base import utc_now
from storage.queries import sessions as queries
from storage.queries.sessions import HEARD_PARTS
from workflows.access import Actor
from workflows.errors import BadInput

HEADS = ("provincial_chair", "commune_chair", "department_head")
NOBODY_HEARD = "nobody"
"""The field of the form that says why a session without an agenda heard nobody."""


@dataclass(frozen=True)
class Answer:
    """What the chair says of a visit at the end; `reason` where nobody was heard."""

    heard: bool
    reason: str = ""


def field_of(item: AgendaItem) -> str:
    """The field of the form that asks about a visit."""
    return f"outcome_{item.id}"


def mark(work: Work, sitting: queries.Sitting, item: AgendaItem, text: str, *, by: Actor) -> None:
    """Note the beginning or the end of a visit."""
    steps.add_marker(
        work,
        sitting.meeting.id,
        kind="item",
        text=text,
        key=f"item:{item.id}:{'end' if item.ended_at else 'start'}",
        by=by.account_id,
        agenda_item_id=item.id,
    )


def close_visits(
    work: Work,
    sitting: queries.Sitting,
    answers: Mapping[UUID, Answer],
    *,
    nobody: str = "",
    by: Actor,
    now: datetime,
) -> None:
    """Give every visit that is still open its answer; one that was begun counts as heard.

    Raises BadInput naming the visits that nobody answered for. `now` is the legal instant.
    """
    given = {item.id: _answer(item, answers) for item in sitting.agenda if item.ended_at is None}
    _ensure_answered(sitting, given, nobody)
    for item in sitting.agenda:
        answer = given.get(item.id)
        if answer is None:
            continue
        if answer.heard:
            finish(work, sitting, item, answer="", by=by, now=now)
        else:
            _not_heard(work, sitting, item, answer.reason, by=by)
    if not sitting.agenda:
        _nobody_heard(work, sitting, nobody, by=by)


def _answer(item: AgendaItem, answers: Mapping[UUID, Answer]) -> Answer | None:
    begun = Answer(heard=True) if item.started_at is not None else None
    return answers.get(item.id, begun)


def _ensure_answered(
    sitting: queries.Sitting, given: Mapping[UUID, Answer | None], nobody: str
) -> None:
    missing = {}
    for item in sitting.agenda:
        answer = given.get(item.id, Answer(heard=True))
        if answer is None:
            missing[field_of(item)] = f"Lượt {item.seq}: chọn đã tiếp hay không tiếp."
        elif not answer.heard and not answer.reason.strip():
            missing[field_of(item)] = f"Lượt {item.seq}: ghi lý do không tiếp."
    if not sitting.agenda and not nobody.strip():
        missing[NOBODY_HEARD] = "Phiên không có lượt tiếp nào: ghi lý do không tiếp ai."
    if missing:
        raise BadInput(missing)


def _not_heard(
    work: Work, sitting: queries.Sitting, item: AgendaItem, reason: str, *, by: Actor
) -> None:
    if item.started_at is not None:
        item.ended_at = utc_now()
        mark(work, sitting, item, f"Kết thúc lượt {item.seq}.", by=by)
    steps.add_marker(
        work,
        sitting.meeting.id,
        kind=steps.NOT_HEARD,
        text=reason.strip(),
        key=f"not-heard:{item.id}",
        by=by.account_id,
        agenda_item_id=item.id,
    )
    work.audit("visit_not_heard", item, by=by.account_id, reception_session=sitting.meeting.id)


def _nobody_heard(work: Work, sitting: queries.Sitting, reason: str, *, by: Actor) -> None:
    steps.add_marker(
        work,
        sitting.meeting.id,
        kind=steps.NOT_HEARD,
        text=reason.strip(),
        key=f"not-heard:{sitting.meeting.id}",
        by=by.account_id,
    )
    work.audit("nobody_heard", sitting.meeting, by=by.account_id)


def finish(
    work: Work,
    sitting: queries.Sitting,
    item: AgendaItem,
    *,
    answer: str,
    by: Actor,
    now: datetime,
) -> None:
    """End a visit that was heard and write its line into the book."""
    item.ended_at = utc_now()
    if item.started_at is not None:
        mark(work, sitting, item, f"Kết thúc lượt {item.seq}.", by=by)
    if answer:
        steps.add_marker(
            work,
            sitting.meeting.id,
            kind="task",
            text=answer,
            key=f"answer:{item.id}",
            by=by.account_id,
            agenda_item_id=item.id,
        )
    writer = by.account_id or sitting.meeting.presiding_id
    write_line(work, _book_line(work, sitting, item, answer=answer, now=now), by=writer)


def _book_line(
    work: Work, sitting: queries.Sitting, item: AgendaItem, *, answer: str, now: datetime
) -> NewLine:
    """The line of the 13-column book for one visit (NĐ 154/2026/NĐ-CP, Điều 25, 27)."""
    meeting = sitting.meeting
    petition = sitting.petitions.get(item.petition_id) if item.petition_id else None
    person = _visitor(work, sitting, petition)
    data = read_person(person) if person else None
    return NewLine(
        unit_id=meeting.unit_id,
        on=facts.local_day(now),
        kind=petition.kind if petition else "unclassified",
        outcome="heard",
        content=item.title if petition is None else petition.title,
        visitor=_name_and_address(data) if data else _names_of_guests(sitting, petition),
        identity_paper=data.citizen_id if data else "",
        answer=answer,
        field_code=petition.field_code if petition else None,
        people=petition.group_size if petition else 1,
        received_by=meeting.presiding_id,
        idempotency_key=steps.book_key(item.id),
        reception_session_id=meeting.id,
        petition_id=item.petition_id,
        person_id=person.id if person else None,
        mode=meeting.mode,
        by_head=_head_presides(work, meeting),
        secrecy=petition.secrecy if petition else "normal",
    )


def _let_in(sitting: queries.Sitting, petition: Petition | None) -> list[Participant]:
    wanted = petition.id if petition else None
    return [
        person
        for person in sitting.participants
        if person.petition_id == wanted
        and person.part in HEARD_PARTS
        and person.admitted_at is not None
    ]


def _visitor(work: Work, sitting: queries.Sitting, petition: Petition | None) -> Person | None:
    """Who came: the sender, unless only somebody on their behalf was let in."""
    sender = petition.submitter_id if petition else None
    came = [person.person_id for person in _let_in(sitting, petition) if person.person_id]
    chosen = sender if sender in came or not came else came[0]
    return work.get(Person, chosen) if chosen else None


def _name_and_address(data: PersonData) -> str:
    return ", ".join(part for part in (data.name, data.address) if part)


def _names_of_guests(sitting: queries.Sitting, petition: Petition | None) -> str:
    """People invited by name only, where the visit is about no letter."""
    if petition is not None:
        return ""
    return ", ".join(sitting.names[person.id] for person in _let_in(sitting, None))


def _head_presides(work: Work, meeting: ReceptionSession) -> bool:
    roles = work.db_session.query(Post.role).filter(Post.account_id == meeting.presiding_id)
    return any(role in HEADS for (role,) in roles)
