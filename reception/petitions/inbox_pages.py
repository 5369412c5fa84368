"""What the inbox and a petition's page show, gathered in one reading transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from reception.petitions.facts import Dossier, Said, dossier_of, facts_of
from reception.petitions.handling_steps import internal_reason
from reception.petitions.inbox_operations import (
    PERMISSION_OF,
    SECOND_PERSON,
    on_duty,
    proposer,
    receiving_subject,
)
from storage.database import Work, reading, unit_of_work
from storage.identities import PersonData, open_field, read_person
from storage.models import (
    Account,
    Attachment,
    Case,
    CaseLink,
    Deadline,
    Field,
    IssuedDocument,
    Person,
    Petition,
    PetitionRequest,
    ProcedureRun,
    ProcedureStep,
    Transfer,
    Unit,
)
from storage.models.base import utc_now
from storage.queries.calendar import holiday_table
from storage.queries.cases import Hint, looked_lately, related, transfers_of
from storage.queries.inbox import (
    Inbox,
    InboxFilter,
    Incoming,
    Row,
    inbox,
    incoming,
    rows_of,
    unit_names,
)
from storage.steps import offers, open_deadlines
from storage.subjects import petition_subject
from workflows.access import Actor, Permission, Subject, decide, ensure_allowed
from workflows.calendar import HolidayTable
from workflows.procedures.model import Offer

LOOK = timedelta(minutes=10)
"""One leaf of the audit log tells of all looks of one person within this time."""

ASKED_IN_FORM = frozenset(
    {
        "reason_given",
        "is_signed_now",
        "withdrawn_in_writing",
        "part_withdrawn_in_writing",
        "has_result_document",
    }
)
"""Conditions that the form of the step itself fulfils."""

_HOPEFUL = Said(reason="…", signed_now=True, in_writing=True, document_number="…")

ORDER = (
    "receive_transfer",
    "sign",
    "classify",
    "merge",
    "keep_on_file",
    "to_inspection",
    "transfer",
    "check_identity",
    "answer",
    "propose",
    "accept",
    "guide",
    "report_result",
    "return",
    "to_investigation",
    "send_back",
    "decline",
)
"""What is suggested first when several steps are possible."""

ROUTINE = frozenset({"reclassify", "undo", "withdraw", "withdraw_part", "check_identity"})
"""Steps that are nearly always possible and never the point: they stand apart."""


@dataclass(frozen=True)
class Choice:
    """A step as the person may or may not take it, in both languages."""

    event: str
    label_vi: str
    label_en: str
    source: str
    reason: str = ""


@dataclass(frozen=True)
class Choices:
    """The suggested step first; then what else is possible, routine steps, and the impossible."""

    possible: tuple[Choice, ...] = ()
    routine: tuple[Choice, ...] = ()
    impossible: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Sent:
    """An attachment as the list shows it."""

    id: UUID
    name: str
    part: str
    media_type: str
    size_bytes: int
    pages: int | None


@dataclass(frozen=True)
class Happened:
    """A step that was taken, with who took it; `reason` only when the reader may know it."""

    step: ProcedureStep
    who: str
    unit: str
    reason: str


@dataclass(frozen=True)
class PetitionPage:
    """Everything a petition's page and its preview show."""

    petition: Petition
    dossier: Dossier
    choices: Choices
    may: frozenset[Permission]
    names: dict[UUID, str] = field(default_factory=dict)
    sender: PersonData | None = None
    field_label: tuple[str, str] = ("", "")
    files: tuple[Sent, ...] = ()
    terms: tuple[Deadline, ...] = ()
    history: tuple[Happened, ...] = ()
    hints: tuple[Hint, ...] = ()
    transfers: tuple[tuple[Transfer, str, str], ...] = ()
    papers: tuple[IssuedDocument, ...] = ()
    requests: tuple[PetitionRequest, ...] = ()
    case: Case | None = None
    links: tuple[tuple[CaseLink, Case], ...] = ()
    handler: str = ""

    @property
    def sealed(self) -> bool:
        """Whether the letter itself lies in the vault."""
        return self.petition.secrecy == "compartment"


@dataclass(frozen=True)
class InboxPage:
    """One page of the inbox with what is shown beside it."""

    inbox: Inbox
    incoming: tuple[Incoming, ...]
    chosen: Row | None
    preview: PetitionPage | None
    holidays: HolidayTable
    holiday_next: str = ""

    @property
    def place(self) -> int:
        """Where the chosen petition stands on this page, from 1; 0 when nothing is chosen."""
        rows = self.inbox.rows
        return rows.index(self.chosen) + 1 if self.chosen in rows else 0


def read_inbox(actor: Actor, asked: InboxFilter, chosen: UUID | None, *, today: date) -> InboxPage:
    """A page of the inbox and the preview of the chosen petition, when it may be seen."""
    with reading() as work:
        found = inbox(work.db_session, visible_to=actor, asked=asked, today=today)
        row = next((row for row in found.rows if row.petition.id == chosen), None)
        preview = _preview(work, chosen, actor, today)
        on_its_way = _incoming(work, actor)
        holidays = holiday_table(work.db_session)
    tomorrow = today + timedelta(days=1)
    off = holidays.days.get(tomorrow)
    next_off = off.name if off and off.kind.value != "swapped_working" else ""
    return InboxPage(found, tuple(on_its_way), row, preview, holidays, next_off)


def chosen_rows(actor: Actor, ids: Sequence[str], *, today: date) -> list[Row]:
    """Rows of the petitions with these ids that this person may see, by deadline."""
    with reading() as work:
        return rows_of(work.db_session, _uuids(ids), visible_to=actor, today=today)


def _uuids(texts: Sequence[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue  # an address that somebody changed by hand
    return found


def _incoming(work: Work, actor: Actor) -> list[Incoming]:
    """What is on its way here, decided on each record as the receiving unit sees it."""
    found = incoming(work.db_session, visible_to=actor)
    return [
        one
        for one in found
        if decide(
            actor,
            Permission.PETITION_RECEIVE,
            changed(petition_subject(work.db_session, one.petition), unit_path=one.to_path),
        )
    ]


def _preview(
    work: Work, petition_id: UUID | None, actor: Actor, today: date
) -> PetitionPage | None:
    petition = work.db_session.get(Petition, petition_id) if petition_id else None
    if petition is None:
        return None
    subject = petition_subject(work.db_session, petition)
    if not decide(actor, Permission.PETITION_SEE, subject):
        return None
    return petition_page(work, petition, subject, actor, today)


def read_petition(petition_id: UUID, actor: Actor, *, today: date) -> PetitionPage:
    """The whole page of a petition; the look is audited. Raises NotFound, NotAllowed."""
    with reading() as work:
        petition = work.get(Petition, petition_id)
        subject = petition_subject(work.db_session, petition)
        ensure_allowed(actor, Permission.PETITION_SEE, subject)
        page = petition_page(work, petition, subject, actor, today)
    _note_look(petition, actor)
    return page


def _note_look(petition: Petition, actor: Actor) -> None:
    if actor.account_id is None:
        return
    with unit_of_work() as work:
        seen = looked_lately(
            work.db_session,
            "petition",
            petition.id,
            by=actor.account_id,
            since=utc_now() - LOOK,
        )
        if not seen:
            work.audit(
                "petition_viewed", kind="petition", object_id=petition.id, by=actor.account_id
            )


def petition_page(
    work: Work, petition: Petition, subject: Subject, actor: Actor, today: date
) -> PetitionPage:
    """Gather a petition's page; access was decided before."""
    dossier = dossier_of(work, petition)
    found = work.db_session
    units = {petition.holder_unit_id, petition.receiving_unit_id}
    units |= {petition.place_unit_id, petition.respondent_unit_id, *_competent(dossier)}
    label = found.get(Field, petition.field_code) if petition.field_code else None
    handler = _handler(work, petition)
    return PetitionPage(
        petition=petition,
        dossier=dossier,
        choices=_choices(work, dossier, subject, actor, today),
        may=frozenset(one for one in _ASKED if decide(on_duty(actor), one, subject)),
        names=unit_names(found, (unit for unit in units if unit)),
        sender=_sender(work, petition),
        field_label=(label.label_vi, label.label_en) if label else ("", ""),
        files=tuple(_files(work, petition)),
        terms=tuple(_terms(work, dossier)),
        history=tuple(_history(work, dossier, actor)),
        hints=tuple(related(found, petition, visible_to=actor)),
        transfers=tuple(transfers_of(found, [petition.id])),
        papers=tuple(_papers(work, petition, actor, subject)),
        requests=tuple(_requests(work, petition)),
        case=found.get(Case, petition.case_id) if petition.case_id else None,
        links=tuple(_links(work, petition)),
        handler=handler,
    )


def _terms(work: Work, dossier: Dossier) -> list[Deadline]:
    """Running terms of the petition, and of its case once it was accepted; nearest first."""
    petition = dossier.petition
    found = open_deadlines(work, dossier.run.id)
    if petition.state == "ACCEPTED" and petition.case_id is not None:
        runs = work.db_session.scalars(
            select(ProcedureRun.id).where(ProcedureRun.case_id == petition.case_id)
        )
        for run_id in runs:
            found += open_deadlines(work, run_id)
    return sorted(found, key=lambda term: (term.last_day_on, term.name))


_ASKED = (
    Permission.CASE_OPEN,
    Permission.CASE_LINK,
    Permission.CASE_SEE,
    Permission.PETITION_ASSIGN,
    Permission.PETITION_CLASSIFY,
    Permission.PETITION_FORWARD,
    Permission.SESSION_REQUEST,
    Permission.ATTACHMENT_SEE,
    Permission.DENOUNCER_IDENTITY_SEE,
)


def _competent(dossier: Dossier) -> set[UUID | None]:
    return {dossier.assessment.competent_unit_id} if dossier.assessment else set()


def _handler(work: Work, petition: Petition) -> str:
    if petition.assigned_to is None:
        return ""
    name = work.db_session.scalar(
        select(Account.display_name)
        .where(Account.person_id == petition.assigned_to)
        .order_by(Account.created_at, Account.id)
    )
    return name or ""


def _sender(work: Work, petition: Petition) -> PersonData | None:
    person = work.db_session.get(Person, petition.submitter_id) if petition.submitter_id else None
    return read_person(person) if person else None


def _files(work: Work, petition: Petition) -> list[Sent]:
    rows = work.db_session.scalars(
        select(Attachment)
        .where(Attachment.petition_id == petition.id, Attachment.removed_at.is_(None))
        .order_by(Attachment.position, Attachment.id)
    )
    return [
        Sent(
            row.id,
            open_field("attachment", "file_name", row.id, row.file_name_sealed),
            row.part,
            row.media_type,
            row.size_bytes,
            row.pages,
        )
        for row in rows
    ]


def _history(work: Work, dossier: Dossier, actor: Actor) -> list[Happened]:
    """Steps newest first. Internal words are for the level that wrote them."""
    names = _names_of_accounts(work, [step.actor_id for step in dossier.steps])
    units = {
        unit.id: unit
        for unit in work.db_session.scalars(
            select(Unit).where(Unit.id.in_({step.unit_id for step in dossier.steps}))
        )
    }
    own = {"/".join(path) for path in actor.unit_paths}
    return [
        Happened(
            step,
            names.get(step.actor_id, "") if step.actor_id else "",
            units[step.unit_id].full_name,
            _reason(step, at_home=units[step.unit_id].path in own),
        )
        for step in reversed(dossier.steps)
    ]


def _reason(step: ProcedureStep, *, at_home: bool) -> str:
    return (internal_reason(step) or step.reason) if at_home else step.reason


def _names_of_accounts(work: Work, ids: Sequence[UUID | None]) -> dict[UUID, str]:
    rows = work.db_session.execute(
        select(Account.id, Account.display_name).where(Account.id.in_({key for key in ids if key}))
    )
    return {key: name for key, name in rows}


def _papers(work: Work, petition: Petition, actor: Actor, subject: Subject) -> list[IssuedDocument]:
    """Issued documents; drafts only at the unit that wrote them."""
    rows = work.db_session.scalars(
        select(IssuedDocument)
        .where(IssuedDocument.petition_id == petition.id, IssuedDocument.state != "withdrawn")
        .order_by(IssuedDocument.created_at.desc(), IssuedDocument.id.desc())
    )
    own = {
        unit.id
        for unit in work.db_session.scalars(
            select(Unit).where(Unit.path.in_(["/".join(path) for path in actor.unit_paths]))
        )
    }
    return [row for row in rows if row.state in ("signed", "issued") or row.unit_id in own]


def _requests(work: Work, petition: Petition) -> list[PetitionRequest]:
    return list(
        work.db_session.scalars(
            select(PetitionRequest)
            .where(PetitionRequest.petition_id == petition.id, PetitionRequest.state == "open")
            .order_by(PetitionRequest.asked_on, PetitionRequest.id)
        )
    )


def _links(work: Work, petition: Petition) -> list[tuple[CaseLink, Case]]:
    rows = work.db_session.execute(
        select(CaseLink, Case)
        .join(Case, Case.id == CaseLink.case_id)
        .where(CaseLink.petition_id == petition.id, CaseLink.undone_at.is_(None))
        .order_by(CaseLink.created_at, CaseLink.id)
    ).all()
    return [(link, case) for link, case in rows]


# --- steps that can and cannot be taken ----------------------------------------------------------


def _choices(work: Work, dossier: Dossier, subject: Subject, actor: Actor, today: date) -> Choices:
    offered = offers(work, dossier.run, on=today, facts=facts_of(dossier, _HOPEFUL))
    judged = [_choice(offer, _obstacle(work, offer, dossier, subject, actor)) for offer in offered]
    possible = [choice for choice in judged if not choice.reason]
    aside = ROUTINE if "check_identity" in dossier.events else ROUTINE - {"check_identity"}
    if dossier.assessment is None:
        aside = aside - {"reclassify"}
    return Choices(
        tuple(sorted((c for c in possible if c.event not in aside), key=_rank)),
        tuple(choice for choice in possible if choice.event in aside),
        tuple(choice for choice in judged if choice.reason and choice.event not in ROUTINE),
    )


def _rank(choice: Choice) -> int:
    return ORDER.index(choice.event) if choice.event in ORDER else -1


def _choice(offer: Offer, reason: str) -> Choice:
    rule = offer.transition
    return Choice(rule.event, rule.label_vi, rule.label_en, rule.source, reason)


def _obstacle(work: Work, offer: Offer, dossier: Dossier, subject: Subject, actor: Actor) -> str:
    """Why this person cannot take this step now; empty when they can."""
    rule = offer.transition
    if not offer.allowed and rule.guard not in ASKED_IN_FORM:
        return offer.reason
    if rule.event == "receive_transfer":
        subject = receiving_subject(work, dossier.petition, subject)
    if rule.event in SECOND_PERSON:
        drafted = changed(subject, drafted_by=proposer(work, dossier))
        approval = decide(actor, Permission.PETITION_APPROVE, drafted)
        if not approval:
            return approval.reason
    decision = decide(actor, PERMISSION_OF[rule.event], subject)
    if not decision:
        return decision.reason
    roles = {role.value for role in actor.roles}
    return "" if roles & set(rule.actors) else _OTHER_ROLE


_OTHER_ROLE = "bước này do vai trò khác trong đơn vị làm."
