"""What an officer does with one visit: end it in one of four ways; the book writes itself."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from uuid import UUID

from reception.desk import papers
from reception.desk.drafts import drop_drafts, line_key
from reception.desk.intake import Intake
from reception.desk.overview import notice_due
from reception.desk.places import Place, ensure_at, place_of
from reception.desk.steps import NewLine, lock_unit, write_line
from reception.petitions.steps import (
    SECOND_PART_LENGTH,
    NewPetition,
    Registered,
    look_up_index,
    register_petition,
)
from storage.database import Work, unit_of_work
from storage.identities import (
    PersonData,
    change_person,
    citizen_id_index,
    keep_person,
    phone_index,
    prepare_vault,
    read_person,
)
from storage.models import (
    Account,
    LegalRule,
    Person,
    Petition,
    Ticket,
    Unit,
    Visit,
)
from storage.queries import desk as queries
from storage.queries.units import province
from workflows.access import Actor, Permission
from workflows.codes import ALPHABET
from workflows.errors import BadInput, NotFound, Unavailable
from workflows.procedures.loader import procedure
from workflows.secrecy import Secrecy

OPENED_BY = {
    "petition": Permission.DESK_INTAKE,
    "oral_guidance": Permission.DESK_INTAKE,
    "papers_received": Permission.DESK_RECEIPT,
    "refused": Permission.DESK_REFUSE,
}


@dataclass(frozen=True)
class Finished:
    """What a visit left behind. `second_part` is readable this once, empty after a repeat."""

    visit_id: UUID
    number: int
    created: bool
    petition_code: str = ""
    second_part: str = ""
    document_ids: tuple[UUID, ...] = ()
    papers_failed: bool = False


@dataclass(frozen=True)
class _Asked:
    """Who asks, where and when: the same for every step of one visit."""

    place: Place
    by: UUID
    officer: str
    today: date
    now: datetime


def finish(intake: Intake, *, unit_id: UUID, by: Actor, today: date, now: datetime) -> Finished:
    """End a visit: petition, person, papers and the line of the book in one transaction.

    Sending the same intake twice gives the same line. Raises BadInput (fields), NotAllowed.
    """
    if intake.masked:
        prepare_vault()
    with unit_of_work() as work:
        asked = _ask(work, unit_id, intake, by, today, now)
        known = queries.visit_with_key(work.db_session, line_key(unit_id, asked.by, intake.key))
        if known is not None:
            return _finished_before(work, known)
        done, sheets = _finish(work, intake, asked, by)
    return _with_papers(done, sheets)


def _ask(
    work: Work, unit_id: UUID, intake: Intake, by: Actor, today: date, now: datetime
) -> _Asked:
    """Decide, and let nobody else of this unit number meanwhile."""
    for permission in {Permission.DESK_INTAKE, OPENED_BY[intake.outcome]}:
        ensure_at(work, by, permission, unit_id)
    if by.account_id is None:
        raise NotFound
    lock_unit(work, unit_id)
    officer = work.get(Account, by.account_id).display_name
    place = place_of(work.get(Unit, unit_id))
    return _Asked(place, by.account_id, officer, today, now)


def _finished_before(work: Work, visit: Visit) -> Finished:
    petitions = queries.petitions_by_id(work.db_session, [visit.petition_id])
    documents = queries.documents_of_visits(work.db_session, [visit.id])
    return Finished(
        visit.id,
        visit.number,
        created=False,
        petition_code=next((row.code for row in petitions.values()), ""),
        document_ids=tuple(document.id for document in documents),
    )


def _finish(
    work: Work, intake: Intake, asked: _Asked, by: Actor
) -> tuple[Finished, dict[UUID, papers.Fields]]:
    _check_place(work, intake)
    ground = _ground(work, intake, asked.today)
    linked = _linked_petition(work, intake, by)
    _refuse_second_petition(work, intake, by)
    person = None if intake.masked else _keep_visitor(work, intake, asked)
    registered = _register(work, intake, asked, person)
    petition = registered.petition if registered else linked
    visit = write_line(work, _line(intake, asked, person, petition, ground), by=asked.by)
    sheets = _make_papers(work, intake, asked, visit, ground, petition)
    _close_ticket(work, intake, asked)
    drop_drafts(work, asked.place.unit_id, asked.by)
    done = Finished(
        visit.id,
        visit.number,
        created=True,
        petition_code=registered.petition.code if registered else "",
        second_part=registered.second_part if registered else "",
        document_ids=tuple(sheets),
    )
    return done, sheets


def _with_papers(done: Finished, sheets: dict[UUID, papers.Fields]) -> Finished:
    """Make the PDFs now that the line stands; a store that is down never undoes a visit."""
    try:
        for document_id, fields in sheets.items():
            papers.seal_paper(document_id, fields)
    except Unavailable:
        return replace(done, papers_failed=True)
    return done


def new_second_part(visit_id: UUID, *, by: Actor) -> str:
    """A fresh second part of a petition's code, for a visitor who has none; the old one dies.

    Only the officer who took the petition gives it, to the person at the desk.
    """
    with unit_of_work() as work:
        visit = work.get(Visit, visit_id)
        ensure_at(work, by, Permission.DESK_INTAKE, visit.unit_id)
        if visit.received_by != by.account_id or visit.petition_id is None:
            raise NotFound
        petition = work.get_for_update(Petition, visit.petition_id)
        if visit.outcome != "petition":
            raise NotFound
        second_part = "".join(secrets.choice(ALPHABET) for _ in range(SECOND_PART_LENGTH))
        petition.look_up_hash = look_up_index(petition.code, second_part)
        work.audit("second_part_renewed", petition, by=by.account_id)
    return second_part


# --- the visitor ---------------------------------------------------------------------------------


def _keep_visitor(work: Work, intake: Intake, asked: _Asked) -> Person:
    """The known person with what is new about them, or a new one."""
    person = work.db_session.get(Person, intake.person_id) if intake.person_id else None
    if person is None or not _was_found_by(person, intake.visitor):
        person = keep_person(work, intake.visitor)
    else:
        _bring_up_to_date(work, person, intake.visitor, asked.by)
    if intake.identity_checked:
        person.identity_checked_at = asked.now
    return person


def _was_found_by(person: Person, typed: PersonData) -> bool:
    """Whether the number on this very form leads to the person: an id alone opens nobody's data."""
    if typed.citizen_id and person.citizen_id_index is not None:
        return person.citizen_id_index == citizen_id_index(typed.citizen_id)
    return bool(typed.phone) and person.phone_index == phone_index(typed.phone)


def _bring_up_to_date(work: Work, person: Person, typed: PersonData, by: UUID) -> None:
    known = read_person(person)
    wanted = replace(
        typed,
        email=known.email,
        unit_id=known.unit_id,
        citizen_id=typed.citizen_id or known.citizen_id,
        phone=typed.phone or known.phone,
        address=typed.address or known.address,
        birth_year=typed.birth_year or known.birth_year,
        salutation=typed.salutation or known.salutation,
    )
    if wanted != known:
        change_person(work, person, wanted)
        work.audit("visitor_brought_up_to_date", person, by=by)


# --- the petition --------------------------------------------------------------------------------


def _check_place(work: Work, intake: Intake) -> None:
    if intake.place_unit_id and work.db_session.get(Unit, intake.place_unit_id) is None:
        raise BadInput({"place_text": "Chọn lại nơi xảy ra trong danh sách."})


def _live_petitions(work: Work, person_id: UUID, by: Actor) -> list[Petition]:
    ids = queries.same_person(work.db_session, work.get(Person, person_id))
    known = queries.petitions_of_people(work.db_session, visible_to=by, person_ids=ids)
    states = procedure("PET").states
    return [found.petition for found in known if not states[found.petition.state].final]


def _refuse_second_petition(work: Work, intake: Intake, by: Actor) -> None:
    """A second petition needs the officer's word that it is about something else."""
    if intake.outcome != "petition" or intake.different_matter or not intake.person_id:
        return
    live = _live_petitions(work, intake.person_id, by)
    if live and not intake.masked:
        codes = ", ".join(petition.code for petition in live)
        raise BadInput(
            {
                "different_matter": f"Người này đang có đơn {codes} chưa trả lời xong. Nếu cùng "
                "việc, chọn “Nhận giấy tờ” và nối vào đơn đó; nếu là việc khác, đánh dấu ô này."
            }
        )


def _linked_petition(work: Work, intake: Intake, by: Actor) -> Petition | None:
    """The petition that papers are added to: one of the visitor's own that the officer may know."""
    if intake.outcome != "papers_received" or intake.petition_id is None or not intake.person_id:
        return None
    ids = queries.same_person(work.db_session, work.get(Person, intake.person_id))
    known = queries.petitions_of_people(work.db_session, visible_to=by, person_ids=ids)
    for found in known:
        if found.petition.id == intake.petition_id:
            return found.petition
    raise NotFound


def _register(
    work: Work, intake: Intake, asked: _Asked, person: Person | None
) -> Registered | None:
    if intake.outcome != "petition":
        return None
    return register_petition(work, _new_petition(intake, asked, person), by=asked.by)


def _new_petition(intake: Intake, asked: _Asked, person: Person | None) -> NewPetition:
    decisions = ({"number": intake.decision, "date": "", "body": intake.settled_by},)
    return NewPetition(
        kind=intake.kind,
        content=intake.content,
        received_on=asked.today,
        receiving_unit_id=asked.place.unit_id,
        idempotency_key=line_key(asked.place.unit_id, asked.by, intake.key),
        channel="desk",
        field_code=intake.field_code,
        respondent=intake.respondent,
        earlier_decisions=decisions if intake.decision else (),
        place_unit_id=intake.place_unit_id,
        place_text=intake.place_text,
        submitter=None if person else intake.visitor,
        submitter_id=person.id if person else None,
        for_whom="group" if intake.people > 1 else "self",
        group_size=intake.people,
        representatives=tuple(PersonData(name=name) for name in intake.representatives),
        signing="paper" if intake.signed else "at_unit",
        signed_on=asked.today if intake.signed else None,
        wants_online=intake.wants_online,
        protection_requested=intake.protection,
    )


# --- the line ------------------------------------------------------------------------------------


def _line(
    intake: Intake,
    asked: _Asked,
    person: Person | None,
    petition: Petition | None,
    ground: LegalRule | None,
) -> NewLine:
    who = intake.visitor
    return NewLine(
        unit_id=asked.place.unit_id,
        on=asked.today,
        kind=intake.kind,
        outcome=intake.outcome,
        content=intake.content,
        visitor=", ".join(part for part in (who.name, who.address) if part),
        identity_paper=who.citizen_id,
        received_by=asked.by,
        idempotency_key=line_key(asked.place.unit_id, asked.by, intake.key),
        answer=intake.answer,
        field_code=intake.field_code,
        people=intake.people,
        settled_by=" ".join(part for part in (intake.settled_by, intake.decision) if part),
        within_jurisdiction=intake.within_jurisdiction,
        guidance=_guidance(intake),
        acceptance=_acceptance(intake, petition),
        refusal_ground=ground.code if ground else "",
        remark=f"Từ chối tiếp: {ground.label_vi} ({ground.source})" if ground else "",
        ticket_id=intake.ticket_id,
        petition_id=petition.id if petition else None,
        person_id=person.id if person else None,
        secrecy=(Secrecy.COMPARTMENT if intake.masked else Secrecy.NORMAL).value,
    )


def _guidance(intake: Intake) -> str:
    """Column 10: where the visitor was guided to; the words themselves stay sealed."""
    if intake.outcome != "oral_guidance":
        return ""
    return f"Hướng dẫn miệng: {intake.guided_to}" if intake.guided_to else "Hướng dẫn miệng"


def _acceptance(intake: Intake, petition: Petition | None) -> str:
    """Column 11: the petition; of a masked one only that it was taken."""
    if intake.outcome == "petition":
        return "Đã nhận đơn" if intake.masked or not petition else f"Đã nhận đơn {petition.code}"
    if intake.outcome == "papers_received":
        return f"Nhận giấy tờ cho đơn {petition.code}" if petition else "Nhận giấy tờ"
    return ""


def _ground(work: Work, intake: Intake, today: date) -> LegalRule | None:
    if intake.outcome != "refused":
        return None
    for rule in queries.rules_in_force(work.db_session, "refusal", today):
        if rule.code == intake.ground:
            return rule
    raise BadInput({"ground": "Căn cứ này không còn hiệu lực. Chọn căn cứ khác trong danh sách."})


def _close_ticket(work: Work, intake: Intake, asked: _Asked) -> None:
    ticket = work.db_session.get(Ticket, intake.ticket_id) if intake.ticket_id else None
    if ticket is None or ticket.unit_id != asked.place.unit_id:
        return
    ticket.state, ticket.done_at, ticket.served_by = "done", asked.now, asked.by


# --- the papers ----------------------------------------------------------------------------------


def _make_papers(
    work: Work,
    intake: Intake,
    asked: _Asked,
    visit: Visit,
    ground: LegalRule | None,
    petition: Petition | None,
) -> dict[UUID, papers.Fields]:
    """The rows of the papers this visit needs, each with the words of its PDF."""
    made: dict[UUID, papers.Fields] = {}
    petition_id = petition.id if petition else None
    wanted = []
    if intake.papers:
        wanted.append((papers.RECEIPT, {"papers": [asdict(paper) for paper in intake.papers]}))
    if ground is not None and ground.value == "yes":
        wanted.append((papers.REFUSAL, _refusal_words(work, intake, asked, ground)))
    for form, words in wanted:
        fields = {**_common_words(intake, asked, visit), **words}
        document = papers.keep_paper(
            work, visit, form, fields, by=asked.by, petition_id=petition_id
        )
        made[document.id] = fields
    return made


def _basis(ground: LegalRule) -> str:
    """How the notice cites its ground: clause of the Law, or point of clause 1 of the decree."""
    article, point = ground.detail.get("article", ""), ground.detail.get("point", "")
    instrument = ground.source.partition(",")[0]
    if str(point).isdigit():
        return f"khoản {point} Điều {article} {instrument}"
    return f"điểm {point} khoản 1 Điều {article} {instrument.replace('NĐ ', 'Nghị định số ')}"


def _common_words(intake: Intake, asked: _Asked, visit: Visit) -> papers.Fields:
    home = province()
    head = papers.head_of(
        kind=asked.place.kind,
        name=asked.place.name,
        full_name=asked.place.full_name,
        province=home.full_name if home else "",
    )
    who = intake.visitor
    return {
        "head": asdict(head),
        "on": papers.long_day(asked.today),
        "at": papers.moment(asked.now),
        "number": visit.number,
        "year": visit.book_year,
        "officer": asked.officer,
        "visitor": {
            "name": who.name,
            "salutation": who.salutation or "ông/bà",
            "citizen_id": who.citizen_id,
            "address": who.address,
            "phone": who.phone,
        },
        "content": intake.content,
        "kind": intake.kind,
    }


def _refusal_words(work: Work, intake: Intake, asked: _Asked, ground: LegalRule) -> papers.Fields:
    return {
        "ground": ground.label_vi,
        "basis": _basis(ground),
        "reason": intake.answer,
        "due": papers.long_day(notice_due(work, asked.today)),
    }
