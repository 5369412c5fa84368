"""What an officer does with a petition in the inbox. Each function is one thing a person does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from reception.cases.steps import join_case, open_case
from reception.petitions import handling_steps as steps
from reception.petitions.facts import Dossier, Said, dossier_of
from reception.petitions.handling_steps import Doer, Finding
from storage.database import Work, reading, unit_of_work
from storage.identities import open_denouncer, open_denunciation, open_field, prepare_vault
from storage.models import (
    Account,
    Attachment,
    Case,
    Petition,
    ProcedureStep,
    SealedObject,
    Transfer,
    Unit,
    UnrelatedPetition,
)
from storage.models.base import utc_now
from storage.queries.inbox import colleagues, open_transfer
from storage.queries.units import by_path, path_of
from storage.sealed import read_object
from storage.subjects import case_subject, petition_subject
from workflows.access import Actor, Permission, Role, Subject, decide, ensure_allowed
from workflows.cases import LinkKind
from workflows.competence import Respondent, propose_competence
from workflows.errors import BadInput, Conflict, NotFound
from workflows.kinds import PetitionKind, Round
from workflows.secrecy import Secrecy

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
DOUBLE_CLICK = timedelta(minutes=2)

PERMISSION_OF: dict[str, Permission] = {
    "sign": Permission.PETITION_EDIT,
    "check_identity": Permission.PETITION_CHECK_IDENTITY,
    "classify": Permission.PETITION_CLASSIFY,
    "reclassify": Permission.PETITION_CLASSIFY,
    "keep_on_file": Permission.PETITION_KEEP_ON_FILE,
    "to_inspection": Permission.PETITION_RETURN,
    "to_investigation": Permission.PETITION_RETURN,
    "return": Permission.PETITION_RETURN,
    "merge": Permission.CASE_LINK,
    "guide": Permission.PETITION_GUIDE,
    "transfer": Permission.PETITION_FORWARD,
    "receive_transfer": Permission.PETITION_RECEIVE,
    "propose": Permission.PETITION_PROPOSE,
    "send_back": Permission.PETITION_APPROVE,
    "accept": Permission.PETITION_ACCEPT,
    "decline": Permission.PETITION_ACCEPT,
    "answer": Permission.PETITION_REPORT_RESULT,
    "report_result": Permission.PETITION_REPORT_RESULT,
    "withdraw": Permission.PETITION_WITHDRAW,
    "withdraw_part": Permission.PETITION_WITHDRAW,
    "undo": Permission.PETITION_UNDO,
}
"""Which permission each step of the petition procedure asks for."""

SECOND_PERSON = frozenset({"accept", "decline", "send_back"})
"""Steps that somebody else than the proposer takes."""


@dataclass(frozen=True)
class Seen:
    """The version of the petition on the officer's screen."""

    version: int


@dataclass(frozen=True)
class Opened:
    """The words of a sealed letter, read once with a reason."""

    content: str
    parties: str = ""
    identity: str = ""


@dataclass(frozen=True)
class Proposed:
    """The competent body that the rule proposes; an officer confirms it or chooses another."""

    unit_id: UUID | None
    unit_name: str
    sentence: str
    source: str
    needs_confirmation: bool


# --- steps ---------------------------------------------------------------------------------------


def take_step(
    petition_id: UUID, event: str, said: Said, seen: Seen, *, by: Actor, on: date
) -> None:
    """Take one step of the procedure; a double click takes it once.

    Raises NotAllowed, StepNotAllowed, Conflict when somebody else saved meanwhile.
    """
    if event not in PERMISSION_OF or event in ("classify", "reclassify", "transfer"):
        raise NotFound
    act = _ACTS.get(event)
    with unit_of_work() as work:
        petition = work.get_for_update(Petition, petition_id)
        _ensure_step(work, petition, event, by)
        if not _is_new(work, petition, (event,), seen, by):
            return
        if act is not None:
            act(work, petition, said, _doer(by), on)
        else:
            dossier = dossier_of(work, petition)
            steps.check_and_record(work, dossier, event, by=_doer(by), on=on, said=said)


_Act = Callable[[Work, Petition, Said, Doer, date], object]
_ACTS: dict[str, _Act] = {
    "accept": lambda work, petition, said, by, on: steps.accept(work, petition, by=by, on=on),
    "receive_transfer": lambda work, petition, said, by, on: steps.receive(
        work, petition, by=by, on=on
    ),
    "sign": lambda work, petition, said, by, on: steps.sign(work, petition, by=by, on=on),
    "undo": lambda work, petition, said, by, on: steps.undo(
        work, petition, reason=said.reason, by=by, on=on
    ),
}


def classify(petition_id: UUID, found: Finding, seen: Seen, *, by: Actor, on: date) -> None:
    """Settle what the letter is and who is competent; a denunciation is locked away at once."""
    if found.kind is PetitionKind.DENUNCIATION:
        prepare_vault()
    with unit_of_work() as work:
        petition = work.get_for_update(Petition, petition_id)
        event = "reclassify" if petition.state == "CLASSIFIED" else "classify"
        _ensure_step(work, petition, event, by)
        if _is_new(work, petition, ("classify", "reclassify"), seen, by):
            steps.classify(work, petition, found, by=_doer(by), on=on)


def propose_body(
    kind: str, respondent: str, respondent_unit_id: UUID | None, round_number: int
) -> Proposed:
    """Who is competent for a letter of this kind against this body or person.

    Raises BadInput when the unit is not of the level that the respondent has.
    """
    with reading() as work:
        against = Respondent(respondent)
        unit = _respondent_unit(work, against, respondent_unit_id)
        proposal = propose_competence(
            PetitionKind(kind),
            against,
            path_of(unit) if unit else (),
            round_=Round.SECOND if round_number == 2 else Round.FIRST,
        )
        competent = by_path(work.db_session, proposal.unit_path) if proposal.unit_path else None
        return Proposed(
            competent.id if competent else None,
            competent.full_name if competent else "",
            proposal.sentence,
            proposal.source,
            proposal.needs_confirmation,
        )


def _respondent_unit(work: Work, against: Respondent, unit_id: UUID | None) -> Unit | None:
    """The unit complained of; the province is the only one of its level."""
    level = against.value.partition("_")[0]
    if against is Respondent.ELSEWHERE:
        return None
    if level == "province":
        return work.db_session.scalars(select(Unit).where(Unit.kind == "province")).first()
    unit = work.db_session.get(Unit, unit_id) if unit_id else None
    if unit is None or unit.kind != level:
        word = "xã, phường" if level == "commune" else "sở, ngành"
        raise BadInput({"respondent_unit": f"Chọn đúng {word} mà đơn nói đến."})
    return unit


def forward(
    petition_id: UUID,
    *,
    to_unit_id: UUID | None,
    to_body: str,
    reason: str,
    seen: Seen,
    by: Actor,
    on: date,
) -> Transfer | None:
    """Forward a petition to another body with a drafted note; None for a double click."""
    with unit_of_work() as work:
        petition = work.get_for_update(Petition, petition_id)
        _ensure_step(work, petition, "transfer", by)
        if not _is_new(work, petition, ("transfer",), seen, by):
            return None
        return steps.hand_over(
            work,
            petition,
            to_unit_id=to_unit_id,
            to_body=to_body,
            reason=reason,
            by=_doer(by),
            on=on,
        )


def receive_forwarded(petition_id: UUID, *, by: Actor, on: date) -> None:
    """Confirm the receipt of a forwarded petition; a second click changes nothing."""
    with unit_of_work() as work:
        petition = work.get_for_update(Petition, petition_id)
        if open_transfer(work.db_session, petition.id) is None:
            _ensure(work, petition, Permission.PETITION_RECEIVE, by)
            return
        _ensure_step(work, petition, "receive_transfer", by)
        steps.receive(work, petition, by=_doer(by), on=on)


def _ensure_step(work: Work, petition: Petition, event: str, by: Actor) -> None:
    """Decided on the record itself; a forwarded petition is received by the unit it went to."""
    subject = petition_subject(work.db_session, petition)
    if event == "receive_transfer":
        subject = receiving_subject(work, petition, subject)
    ensure_allowed(by, PERMISSION_OF[event], subject)
    if event in SECOND_PERSON:
        drafted = changed(subject, drafted_by=proposer(work, dossier_of(work, petition)))
        ensure_allowed(by, Permission.PETITION_APPROVE, drafted)


def receiving_subject(work: Work, petition: Petition, subject: Subject) -> Subject:
    """The petition as the unit sees it to which it is on its way."""
    transfer = open_transfer(work.db_session, petition.id)
    if transfer is None or transfer.to_unit_id is None:
        return subject
    target = work.get(Unit, transfer.to_unit_id)
    return changed(subject, unit_path=path_of(target))


def proposer(work: Work, dossier: Dossier) -> UUID | None:
    """The person who proposed acceptance last."""
    proposals = [step for step in dossier.steps if step.event == "propose"]
    if not proposals or proposals[-1].actor_id is None:
        return None
    return work.get(Account, proposals[-1].actor_id).person_id


def _doer(by: Actor) -> Doer:
    return Doer(by.account_id, frozenset(role.value for role in by.roles), by.person_id)


def _is_new(work: Work, petition: Petition, events: tuple[str, ...], seen: Seen, by: Actor) -> bool:
    """False for the second click on the same button. Raises Conflict when another one saved."""
    if petition.version == seen.version:
        return True
    last = dossier_of(work, petition).steps[-1]
    just_now = utc_now() - last.at < DOUBLE_CLICK
    if last.event in events and last.actor_id == by.account_id and just_now:
        return False
    raise Conflict(_who_saved(work, last))


def _who_saved(work: Work, last: ProcedureStep) -> str:
    account = work.db_session.get(Account, last.actor_id) if last.actor_id else None
    name = account.display_name if account else "Người khác"
    return (
        f"{name} vừa lưu đơn này lúc {last.at.astimezone(LOCAL):%H:%M}. Phần của bạn chưa được "
        "ghi. Xem lại tình trạng mới rồi làm tiếp."
    )


# --- the matter ----------------------------------------------------------------------------------


def start_case(petition_id: UUID, *, by: Actor, on: date) -> UUID:
    """Open a case for the petition, or find the one it has; returns the case's id."""
    with unit_of_work() as work:
        petition = work.get_for_update(Petition, petition_id)
        _ensure(work, petition, Permission.CASE_OPEN, by)
        return open_case(work, petition, on=on, by=by.account_id).id


def link_to_case(
    petition_id: UUID, case_id: UUID, kind: LinkKind, reason: str, *, by: Actor, on: date
) -> None:
    """Hang the petition on a case; a second click changes nothing."""
    with unit_of_work() as work:
        petition = work.get_for_update(Petition, petition_id)
        _ensure(work, petition, Permission.CASE_LINK, by)
        case = work.get_for_update(Case, case_id)
        ensure_allowed(by, Permission.CASE_SEE, case_subject(work.db_session, case))
        _link(work, petition, case, kind, reason, by=by, on=on)


def link_to_petition(
    petition_id: UUID, other_id: UUID, kind: LinkKind, reason: str, *, by: Actor, on: date
) -> UUID:
    """Hang the petition on the case of another petition, opened now if it has none yet."""
    with unit_of_work() as work:
        petition = work.get_for_update(Petition, petition_id)
        _ensure(work, petition, Permission.CASE_LINK, by)
        other = work.get_for_update(Petition, other_id)
        if other.case_id is None:
            _ensure(work, other, Permission.CASE_OPEN, by)
        else:
            _ensure(work, other, Permission.PETITION_SEE, by)
        case = open_case(work, other, on=on, by=by.account_id)
        _link(work, petition, case, kind, reason, by=by, on=on)
        return case.id


def link_by_code(
    petition_id: UUID, code: str, kind: LinkKind, reason: str, *, by: Actor, on: date
) -> None:
    """Hang the petition on the case with this code.

    Raises BadInput for a code that nobody gave out and for one of a case that `by` may not see:
    codes are numbered in order, so the two must not be told apart.
    """
    case_id = _case_by_code(petition_id, code, by)
    if case_id is None:
        raise BadInput({"code": "Không có vụ việc nào mang mã này. Xem lại mã rồi gõ lại."})
    link_to_case(petition_id, case_id, kind, reason, by=by, on=on)


def _case_by_code(petition_id: UUID, code: str, by: Actor) -> UUID | None:
    """The case `by` may see under this code; asking for another one is kept in the audit log."""
    with unit_of_work() as work:
        _ensure(work, work.get(Petition, petition_id), Permission.CASE_LINK, by)
        case = work.db_session.scalar(select(Case).where(Case.code == code))
        if case is None:
            return None
        decision = decide(by, Permission.CASE_SEE, case_subject(work.db_session, case))
        if not decision.allowed:
            work.audit("refused", case, by=by.account_id, reason=decision.reason)
        return case.id if decision.allowed else None


def _link(
    work: Work,
    petition: Petition,
    case: Case,
    kind: LinkKind,
    reason: str,
    *,
    by: Actor,
    on: date,
) -> None:
    sealed = Secrecy(petition.secrecy) is not Secrecy.NORMAL
    join_case(
        work,
        petition,
        case,
        kind,
        reason="" if sealed else reason.strip(),
        on=on,
        by=_account(by),
    )


def not_related(petition_id: UUID, other_id: UUID, *, by: Actor) -> None:
    """Answer a hint: these two are about different matters. It is not shown again."""
    with unit_of_work() as work:
        petition = work.get(Petition, petition_id)
        _ensure(work, petition, Permission.CASE_LINK, by)
        _ensure(work, work.get(Petition, other_id), Permission.PETITION_SEE, by)
        known = select(UnrelatedPetition.id).where(
            UnrelatedPetition.petition_id == petition_id, UnrelatedPetition.other_id == other_id
        )
        if work.db_session.scalar(known) is None:
            row = work.add(
                UnrelatedPetition(
                    petition_id=petition_id, other_id=other_id, decided_by=_account(by)
                )
            )
            work.audit("petitions_told_apart", row, by=by.account_id, petition=petition_id)


# --- who handles it, and how it is heard ---------------------------------------------------------


def assign(petition_id: UUID, person_id: UUID, *, by: Actor, on: date) -> None:
    """Give the petition to a member of the unit that holds it. Raises BadInput for a stranger."""
    with unit_of_work() as work:
        petition = work.get_for_update(Petition, petition_id)
        _ensure(work, petition, Permission.PETITION_ASSIGN, by)
        staff = colleagues(work.db_session, petition.holder_unit_id, on=on)
        if person_id not in {member.person_id for member in staff}:
            raise BadInput({"person": "Chọn một người đang làm việc tại đơn vị giữ đơn."})
        if petition.assigned_to == person_id:
            return
        petition.assigned_to = person_id
        work.audit("petition_assigned", petition, by=by.account_id, person=person_id)


def ask_for_online(petition_id: UUID, reason_code: str, *, by: Actor, on: date) -> None:
    """Put the petition on the list of those waiting for an online reception session.

    `reason_code` is one of the clauses of NĐ 154/2026/NĐ-CP, Điều 20.
    """
    with unit_of_work() as work:
        petition = work.get_for_update(Petition, petition_id)
        _ensure(work, petition, Permission.SESSION_REQUEST, on_duty(by))
        if petition.online_requested_on is not None and petition.online_reason == reason_code:
            return
        petition.online_requested_on, petition.online_reason = on, reason_code
        work.audit("online_reception_asked", petition, by=by.account_id, reason=reason_code)


def on_duty(by: Actor) -> Actor:
    """The same person as an officer alone: what anybody may ask as a citizen is left out."""
    return changed(by, posts=tuple(post for post in by.posts if post.role is not Role.CITIZEN))


def _ensure(work: Work, petition: Petition, permission: Permission, by: Actor) -> None:
    ensure_allowed(by, permission, petition_subject(work.db_session, petition))


def _account(by: Actor) -> UUID:
    if by.account_id is None:
        raise NotFound
    return by.account_id


# --- what was sent -------------------------------------------------------------------------------


@dataclass(frozen=True)
class File:
    """An attachment in the clear; it lives as long as the answer that carries it."""

    name: str
    media_type: str
    data: bytes


def attachment(petition_id: UUID, attachment_id: UUID, *, by: Actor) -> File:
    """Open one attachment; the opening is audited. Raises NotFound, NotAllowed."""
    with unit_of_work() as work:
        found = work.get(Attachment, attachment_id)
        if found.petition_id != petition_id or found.removed_at is not None:
            raise NotFound
        _ensure(work, work.get(Petition, petition_id), Permission.ATTACHMENT_SEE, by)
        sealed = work.get(SealedObject, found.sealed_object_id)
        name = open_field("attachment", "file_name", found.id, found.file_name_sealed)
        work.audit("attachment_opened", found, by=by.account_id, petition=petition_id)
        work.db_session.flush()
        work.db_session.expunge(sealed)
        media_type = found.media_type
    return File(name, media_type, read_object(sealed))


def open_sealed(petition_id: UUID, *, identity: bool, reason: str, by: Actor) -> Opened:
    """Read a sealed letter, or who sent it, with a reason; both readings are audited.

    Source: Luật Tố cáo 25/2018/QH14, Điều 8, 56.
    """
    if len(reason.strip()) < 5:
        raise BadInput({"reason": "Ghi lý do cần mở, ví dụ “phân loại đơn được giao”."})
    permission = Permission.DENOUNCER_IDENTITY_SEE if identity else Permission.PETITION_SEE
    with unit_of_work() as work:
        petition = work.get(Petition, petition_id)
        _ensure(work, petition, permission, by)
        if petition.secrecy != Secrecy.COMPARTMENT.value:
            raise NotFound
        account_id = _account(by)
        if identity:
            return Opened(
                "", identity=open_denouncer(work, petition_id, by=account_id, reason=reason)
            )
        content, parties = open_denunciation(work, petition_id, by=account_id, reason=reason)
        return Opened(content, parties)


@contextmanager
def looking(petition_id: UUID, *, by: Actor) -> Iterator[tuple[Work, Petition]]:
    """A petition opened for reading, after the decision on the record itself."""
    with reading() as work:
        petition = work.get(Petition, petition_id)
        _ensure(work, petition, Permission.PETITION_SEE, by)
        yield work, petition
