"""What officers do with a petition, as pieces that take `work` and never commit.

Public names: Finding, classify, check_and_record, hand_over, receive, accept, undo.
Free words of an officer that are an opinion, or belong to a denunciation, are sealed; what may be
shared between levels stands in the open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from reception.cases.steps import (
    follow_petition,
    let_level_in,
    move_case,
    open_case,
    settle_case,
)
from reception.petitions.facts import NOTHING_SAID, Dossier, Said, dossier_of, facts_of
from reception.petitions.locking_steps import leave_open_cases, lock_away
from reception.petitions.steps import clock_rule, keep_searchable
from storage.database import Work
from storage.identities import open_field, seal_field
from storage.models import (
    Case,
    IssuedDocument,
    Petition,
    PetitionAssessment,
    ProcedureRun,
    ProcedureStep,
    Transfer,
    Unit,
)
from storage.models.base import utc_now
from storage.queries.inbox import open_transfer
from storage.steps import record, start_run, steps_of, take_back
from storage.terms import is_past
from workflows.errors import Conflict, StepNotAllowed
from workflows.kinds import PetitionKind
from workflows.procedures.guards import Facts
from workflows.procedures.loader import procedure
from workflows.procedures.model import Document
from workflows.procedures.model import Step as TakenStep
from workflows.secrecy import Secrecy, secrecy_for, strictest

FIRST, SECOND = "KN1", "KN2"

OPINIONS = frozenset({"propose", "send_back", "reclassify", "undo", "classify", "merge"})
"""Steps whose words are a draft or an opinion: they stay with the level that wrote them."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What an officer found: the kind of the letter, and what decides where it goes.

    `respondent` is a word of `workflows.competence.Respondent`. `competent_unit_id` None means a
    body outside this system.
    """

    kind: PetitionKind
    round: int = 1
    field_code: str | None = None
    place_unit_id: UUID | None = None
    respondent: str = ""
    respondent_unit_id: UUID | None = None
    eligible: bool = True
    not_eligible_ground: str = ""
    competent_unit_id: UUID | None = None
    competence_sentence: str = ""
    competence_source: str = ""
    needs_confirmation: bool = False
    clear_evidence: bool = False
    copied_to_competent_body: bool = False
    from_elected_body_or_press: bool = False
    criminal_signs: bool = False
    many_places: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Doer:
    """Who takes a step: the account and the roles it may act in; nobody for the system."""

    account_id: UUID | None
    roles: frozenset[str] | None = None
    person_id: UUID | None = None


def check_and_record(
    work: Work, dossier: Dossier, event: str, *, by: Doer, on: date, said: Said = NOTHING_SAID
) -> TakenStep:
    """Take one step of the petition procedure with its papers. Raises StepNotAllowed."""
    petition = dossier.petition
    closed = event in OPINIONS or petition.secrecy != "normal"
    taken = record(
        work,
        dossier.run,
        event,
        on=on,
        facts=facts_of(dossier, said),
        by=by.account_id,
        roles=by.roles,
        unit_id=petition.holder_unit_id,
        reason="" if closed else said.reason.strip(),
        remote=_is_remote(work, petition),
    )
    if closed:
        _seal_reason(newest_step(work, dossier.run), said.reason)
    for paper in taken.documents:
        _draft(work, petition, paper, said, by=by, on=on)
    _settle(work, petition, on=on, by=by)
    return taken


def newest_step(work: Work, run: ProcedureRun) -> ProcedureStep:
    """The step that was taken last."""
    return steps_of(work, run.id)[-1]


def internal_reason(step: ProcedureStep) -> str:
    """The sealed words of a step; decide first who may read them."""
    return open_field("procedure_step", "internal_reason", step.id, step.internal_reason_sealed)


def _seal_reason(step: ProcedureStep, reason: str) -> None:
    if reason.strip():
        step.internal_reason_sealed = seal_field(
            "procedure_step", "internal_reason", step.id, reason.strip()
        )


def _is_remote(work: Work, petition: Petition) -> bool:
    if petition.place_unit_id is None:
        return False
    return bool(
        work.db_session.scalar(select(Unit.remote).where(Unit.id == petition.place_unit_id))
    )


def _draft(
    work: Work, petition: Petition, paper: Document, said: Said, *, by: Doer, on: date
) -> IssuedDocument:
    """A paper of the file: a draft, or issued on paper when its number was given."""
    number = said.document_number.strip()
    document = IssuedDocument(
        petition_id=petition.id,
        case_id=petition.case_id,
        unit_id=petition.holder_unit_id,
        form=paper.form or paper.code,
        title=paper.label_vi,
        number=number,
        state="issued" if number else "draft",
        issued_on=on if number else None,
        drafted_by=by.account_id,
    )
    work.add(document)
    work.flush()
    return document


def _settle(work: Work, petition: Petition, *, on: date, by: Doer) -> None:
    if petition.case_id is not None:
        settle_case(work, work.get(Case, petition.case_id), on=on, by=by.account_id)


# --- classify ------------------------------------------------------------------------------------


def classify(work: Work, petition: Petition, found: Finding, *, by: Doer, on: date) -> None:
    """Keep what was found and take the step; a denunciation is locked away at once.

    Call `identities.prepare_vault()` before the transaction. Raises StepNotAllowed.
    """
    _refuse_leaving_the_compartment(petition, found)
    if found.kind is PetitionKind.DENUNCIATION:
        known_as = petition.title
        lock_away(work, petition, keeper=by.person_id)
        leave_open_cases(work, petition, by=by.account_id, known_as=known_as)
    _apply(petition, found)
    work.add(_assessment(petition, found, by=by, on=on))
    work.flush()
    dossier = dossier_of(work, petition)
    event = "reclassify" if petition.state == "CLASSIFIED" else "classify"
    check_and_record(work, dossier, event, by=by, on=on, said=Said(reason=found.reason))
    keep_searchable(work, petition)
    follow_petition(work, petition)


def _refuse_leaving_the_compartment(petition: Petition, found: Finding) -> None:
    if petition.kind == "denunciation" and found.kind is not PetitionKind.DENUNCIATION:
        raise StepNotAllowed(
            "Đơn tố cáo đã được giữ kín nên không đổi sang loại khác. "
            "Phần không phải tố cáo thì tách thành đơn riêng.",
            rule="compartment",
        )


def _apply(petition: Petition, found: Finding) -> None:
    level = strictest(Secrecy(petition.secrecy), secrecy_for(found.kind))
    petition.kind, petition.round, petition.secrecy = found.kind.value, found.round, level.value
    petition.field_code = found.field_code
    petition.place_unit_id = found.place_unit_id or petition.place_unit_id
    if level is not Secrecy.COMPARTMENT:
        petition.respondent_unit_id = found.respondent_unit_id or petition.respondent_unit_id


def _assessment(petition: Petition, found: Finding, *, by: Doer, on: date) -> PetitionAssessment:
    sealed = petition.secrecy == Secrecy.COMPARTMENT.value
    return PetitionAssessment(
        petition_id=petition.id,
        on=on,
        assessed_by=by.account_id,
        unit_id=petition.holder_unit_id,
        eligible=found.eligible,
        not_eligible_ground=found.not_eligible_ground,
        respondent="" if sealed else found.respondent,
        competent_unit_id=found.competent_unit_id,
        competence_sentence="" if sealed else found.competence_sentence,
        competence_source="" if sealed else found.competence_source,
        needs_confirmation=found.needs_confirmation,
        clear_evidence=found.clear_evidence,
        copied_to_competent_body=found.copied_to_competent_body,
        from_elected_body_or_press=found.from_elected_body_or_press,
        criminal_signs=found.criminal_signs,
        many_places=found.many_places,
    )


# --- to another unit -----------------------------------------------------------------------------


def hand_over(
    work: Work,
    petition: Petition,
    *,
    to_unit_id: UUID | None,
    to_body: str = "",
    reason: str,
    by: Doer,
    on: date,
) -> Transfer:
    """Forward the petition (chuyển đơn) with a drafted note; the case now spans both levels.

    The sender holds it until the other unit confirms the receipt. Raises StepNotAllowed.
    """
    if to_unit_id == petition.holder_unit_id:
        raise StepNotAllowed("Đơn đang ở đơn vị này rồi. Chọn đơn vị khác để chuyển.")
    case = open_case(work, petition, on=on, by=by.account_id)
    check_and_record(
        work, dossier_of(work, petition), "transfer", by=by, on=on, said=Said(reason=reason)
    )
    note = work.db_session.scalars(
        select(IssuedDocument)
        .where(IssuedDocument.petition_id == petition.id, IssuedDocument.form == "transfer-note")
        .order_by(IssuedDocument.created_at.desc(), IssuedDocument.id.desc())
    ).first()
    transfer = Transfer(
        petition_id=petition.id,
        from_unit_id=petition.holder_unit_id,
        to_unit_id=to_unit_id,
        to_body="" if to_unit_id else to_body,
        reason="" if petition.secrecy != "normal" else reason.strip(),
        sent_on=on,
        sent_by=by.account_id,
        document_id=note.id if note else None,
    )
    work.add(transfer)
    if to_unit_id is not None:
        let_level_in(work, case, to_unit_id, on=on)
    work.tell(
        "petition_forwarded",
        petition,
        {"petition_id": str(petition.id), "unit_id": str(to_unit_id or "")},
        key=f"petition_forwarded:{transfer.id}",
    )
    return transfer


def receive(work: Work, petition: Petition, *, by: Doer, on: date) -> None:
    """Confirm that a forwarded petition arrived: from now on this unit holds it.

    Raises Conflict when nothing is on its way.
    """
    transfer = open_transfer(work.db_session, petition.id)
    if transfer is None or transfer.to_unit_id is None:
        raise Conflict("Đơn này không còn chờ tiếp nhận. Tải lại hộp đơn để xem tình trạng mới.")
    from_unit_id = petition.holder_unit_id
    petition.holder_unit_id = transfer.to_unit_id
    petition.assigned_to = None
    work.flush()
    check_and_record(work, dossier_of(work, petition), "receive_transfer", by=by, on=on)
    petition.clock_starts_on = on
    transfer.received_on, transfer.received_by = on, by.account_id
    case = open_case(work, petition, on=on, by=by.account_id)
    if case.holder_unit_id == from_unit_id:
        move_case(work, case, to=transfer.to_unit_id, on=on)
    else:
        let_level_in(work, case, transfer.to_unit_id, on=on)


# --- accept, sign, undo --------------------------------------------------------------------------


def accept(work: Work, petition: Petition, *, by: Doer, on: date) -> Case:
    """Accept (thụ lý): opens the case and starts the track that the procedure names."""
    case = open_case(work, petition, on=on, by=by.account_id)
    taken = check_and_record(work, dossier_of(work, petition), "accept", by=by, on=on)
    if taken.spawns:
        _start_track(work, petition, case, taken.spawns, by=by, on=on)
    settle_case(work, case, on=on, by=by.account_id)
    return case


def _start_track(
    work: Work, petition: Petition, case: Case, code: str, *, by: Doer, on: date
) -> None:
    """Start the settlement once a case; a second petition of the case joins the running track."""
    running = work.db_session.scalars(
        select(ProcedureRun.id).where(
            ProcedureRun.case_id == case.id, ProcedureRun.procedure == code
        )
    )
    if running.first() is not None:
        return
    if code == SECOND:
        _end_first_round(work, case, by=by, on=on)
    run = start_run(
        work,
        code,
        unit_id=petition.holder_unit_id,
        case_id=case.id,
        round_number=2 if code == SECOND else 1,
    )
    taken = record(
        work,
        run,
        "accept",
        on=on,
        facts=Facts(kind=PetitionKind(petition.kind)),
        by=by.account_id,
        unit_id=petition.holder_unit_id,
        dates={"receive": petition.clock_starts_on or petition.received_on},
        remote=_is_remote(work, petition),
    )
    for paper in taken.documents:
        _draft(work, petition, paper, NOTHING_SAID, by=by, on=on)


def _end_first_round(work: Work, case: Case, *, by: Doer, on: date) -> None:
    """The second complaint ends the first settlement, if that one is still open.

    Raises StepNotAllowed while the first decision is neither sent nor overdue.
    """
    runs = work.db_session.scalars(
        select(ProcedureRun).where(ProcedureRun.case_id == case.id, ProcedureRun.procedure == FIRST)
    )
    for run in runs:
        if not procedure(FIRST).states[run.state].final:
            expired = is_past(work, run, "settle", on)
            facts = Facts(kind=PetitionKind.COMPLAINT, first_term_expired=expired)
            record(work, run, "second_complaint", on=on, facts=facts, by=by.account_id)


def sign(work: Work, petition: Petition, *, by: Doer, on: date) -> None:
    """Record that the sender signed; where the rule says so, the clock starts now."""
    dossier = dossier_of(work, petition)
    check_and_record(work, dossier, "sign", by=by, on=on, said=Said(signed_now=True))
    petition.signed_on = on
    if petition.clock_starts_on is None and clock_rule(work.db_session, "sign", on) is not None:
        petition.clock_starts_on = on


def undo(work: Work, petition: Petition, *, reason: str, by: Doer, on: date) -> None:
    """Take the last move back as another row; what it did is taken back with it.

    Raises StepNotAllowed when the other unit has already received the petition.
    """
    dossier = dossier_of(work, petition)
    undone = take_back(
        work,
        dossier.run,
        on=on,
        facts=facts_of(dossier, Said(reason=reason)),
        by=by.account_id,
        roles=by.roles,
        unit_id=petition.holder_unit_id,
    )
    _seal_reason(newest_step(work, dossier.run), reason)
    _withdraw_papers(work, petition, undone)
    transfer = open_transfer(work.db_session, petition.id)
    if undone.event == "transfer" and transfer is not None:
        transfer.taken_back_at = utc_now()
    _settle(work, petition, on=on, by=by)


def _withdraw_papers(work: Work, petition: Petition, undone: ProcedureStep) -> None:
    """Drafts that the step made are withdrawn; issued papers stay as they are."""
    drafts = work.db_session.scalars(
        select(IssuedDocument).where(
            IssuedDocument.petition_id == petition.id,
            IssuedDocument.state == "draft",
            IssuedDocument.created_at >= undone.at,
        )
    )
    for draft in drafts:
        draft.state = "withdrawn"
