"""What the sender does afterwards: prove the code, follow, add papers, ask to withdraw or hurry.

Unknown code, wrong second part and a code of another kind all read the same. The second part is
the one printed on the receipt, or the last four digits of the telephone in the petition; for a
denunciation only the printed one, so that following it never opens the vault.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from reception.petitions.steps import look_up_index
from reception.petitions.uploads import CheckedFile, add_attachment, seal_file
from reception.sessions.steps import Invitation, invitations_of
from storage.database import Work, reading, unit_of_work
from storage.identities import digits, read_person, seal_field
from storage.models import Person, Petition, PetitionRequest, SealedObject
from storage.models.base import new_id
from storage.queries import following as queries
from storage.queries.following import Following, following, petition_by_code
from storage.sealed import read_object
from storage.steps import offers, record, run_of
from storage.subjects import kind_of, petition_subject
from workflows.access import Actor, Permission, ensure_allowed
from workflows.codes import parse_code
from workflows.errors import BadCode, Conflict, DomainError, NotFound
from workflows.procedures.guards import Facts
from workflows.secrecy import Secrecy

PHONE_DIGITS = 4


class NoSuchPetition(DomainError):
    """Code or second part does not fit: which of the two stays untold."""

    def __init__(self) -> None:
        super().__init__(
            "Mã đơn hoặc phần thứ hai chưa đúng. Xem lại phiếu xác nhận, "
            "ví dụ KN-5V9T-3N7Q, rồi gõ lại."
        )


def prove(typed_code: str, second: str) -> tuple[UUID, str]:
    """The petition's id and code when both parts fit. Raises NoSuchPetition."""
    try:
        code = parse_code(typed_code)
    except BadCode:
        code = ""
    with reading() as work:
        petition = petition_by_code(work.db_session, code) if code else None
        expected = petition.look_up_hash if petition and petition.look_up_hash else b"\0" * 16
        printed = hmac.compare_digest(look_up_index(code, second), expected)
        phone = petition is not None and _is_phone(work, petition, second)
    if petition is None or not (printed or phone):
        raise NoSuchPetition
    return petition.id, petition.code


def _is_phone(work: Work, petition: Petition, second: str) -> bool:
    if Secrecy(petition.secrecy) is Secrecy.COMPARTMENT or petition.submitter_id is None:
        return False
    typed = digits(second)
    if len(typed) != PHONE_DIGITS or len(second.strip()) != PHONE_DIGITS:
        return False
    phone = digits(read_person(work.get(Person, petition.submitter_id)).phone)
    return len(phone) > PHONE_DIGITS and hmac.compare_digest(phone[-PHONE_DIGITS:], typed)


def follow(petition_id: UUID) -> Following:
    """The stage of a petition whose sender has proven to be one."""
    with reading() as work:
        return following(work.db_session, petition_id)


def invitations(petition_id: UUID, *, now: datetime) -> dict[UUID, Invitation]:
    """By session: where the proven sender may go in by the personal link; `now` is legal."""
    with reading() as work:
        found = invitations_of(work.db_session, petition_id, now=now)
    return {invited.meeting_id: invited for invited in found if not invited.over}


def add_paper(petition_id: UUID, file: CheckedFile) -> None:
    """Add a paper to a petition that is still being handled. Raises Conflict, StoreUnavailable."""
    found = follow(petition_id)
    if found.final:
        raise Conflict("Đơn này đã xong nên không bổ sung được nữa. Gửi đơn mới nếu có việc mới.")
    locked = Secrecy(found.petition.secrecy) is Secrecy.COMPARTMENT
    sealed = seal_file(file, locked_away=locked)
    with unit_of_work() as work:
        petition = work.get_for_update(Petition, petition_id)
        attachment = add_attachment(
            work, sealed, file, part="evidence", petition_id=petition.id, position=found.files
        )
        work.audit("petition_supplemented", petition, by=None, attachment=attachment.id)
        _tell(work, petition, "petition_supplemented")


def _tell(work: Work, petition: Petition, topic: str) -> None:
    work.tell(
        topic,
        petition,
        {"petition_id": str(petition.id), "unit_id": str(petition.holder_unit_id)},
    )


@dataclass(frozen=True)
class Withdrawal:
    """What became of the wish to withdraw: done at once, or asked of the officer."""

    done: bool


def withdraw(
    petition_id: UUID, *, letter: CheckedFile | None, reason: str, today: date
) -> Withdrawal:
    """Withdraw by a signed letter, or ask the officer to take it down in minutes.

    A denunciation is never withdrawn by itself: the head decides, and goes on in three cases
    (Luật Tố cáo, Điều 33; NĐ 156/2026/NĐ-CP). Raises Conflict when it is finished or asked already.
    """
    found = follow(petition_id)
    if found.final:
        raise Conflict("Đơn này đã xong nên không cần rút nữa.")
    locked = Secrecy(found.petition.secrecy) is Secrecy.COMPARTMENT
    sealed = seal_file(letter, locked_away=locked) if letter else None
    with unit_of_work() as work:
        petition = work.get_for_update(Petition, petition_id)
        attachment_id = None
        if sealed is not None and letter is not None:
            attachment_id = add_attachment(
                work, sealed, letter, part="authority", petition_id=petition_id
            ).id
        asked = _ask(work, petition, "withdraw", reason, today, attachment_id)
        done = letter is not None and _withdraw_now(work, petition, today)
        if done:
            asked.state = "done"
        return Withdrawal(done)


def _withdraw_now(work: Work, petition: Petition, today: date) -> bool:
    """Take the step when the rules allow it; the settlement of a case has its own way to end."""
    if Secrecy(petition.secrecy) is Secrecy.COMPARTMENT or petition.state == "ACCEPTED":
        return False
    run = run_of(work, "PET", petition_id=petition.id)
    facts = Facts(kind=kind_of(petition.kind), withdrawal_in_writing=True)
    allowed = {
        offer.transition.event
        for offer in offers(work, run, on=today, facts=facts)
        if offer.allowed
    }
    if "withdraw" not in allowed:
        return False
    record(work, run, "withdraw", on=today, facts=facts, by=None, roles=("citizen",))
    return True


def hurry(petition_id: UUID, *, today: date) -> None:
    """Remind the officer in charge once the day for an answer has passed. Raises Conflict."""
    if not follow(petition_id).is_late(today):
        raise Conflict("Chưa đến hạn trả lời nên chưa nhắc việc được. Xem ngày chậm nhất ở trên.")
    with unit_of_work() as work:
        petition = work.get_for_update(Petition, petition_id)
        _ask(work, petition, "hurry", "", today, None)


def _ask(
    work: Work,
    petition: Petition,
    kind: str,
    reason: str,
    today: date,
    attachment_id: UUID | None,
) -> PetitionRequest:
    if _is_open(work, petition.id, kind):
        raise Conflict("Yêu cầu này đã gửi rồi, cán bộ đang xem. Không cần gửi lại.")
    row_id = new_id()
    asked = work.add(
        PetitionRequest(
            id=row_id,
            petition_id=petition.id,
            kind=kind,
            asked_on=today,
            reason_sealed=_seal_reason(row_id, reason),
            attachment_id=attachment_id,
            state="open",
        )
    )
    work.audit(f"petition_{kind}_asked", petition, by=None, request=row_id)
    _tell(work, petition, f"petition_{kind}_asked")
    return asked


def _seal_reason(row_id: UUID, reason: str) -> bytes | None:
    return seal_field("petition_request", "reason", row_id, reason) if reason else None


def _is_open(work: Work, petition_id: UUID, kind: str) -> bool:
    found = work.db_session.scalar(
        select(PetitionRequest.id).where(
            PetitionRequest.petition_id == petition_id,
            PetitionRequest.kind == kind,
            PetitionRequest.state == "open",
        )
    )
    return found is not None


def own_petitions(by: Actor) -> list[Following]:
    """What a citizen who signed in has sent, newest first."""
    with reading() as work:
        rows = queries.own_petitions(work.db_session, visible_to=by)
        return [following(work.db_session, row.id) for row in rows]


def own_petition(code: str, *, by: Actor) -> Following:
    """One's own petition. Raises NotFound, NotAllowed (hidden) for anybody else's."""
    with reading() as work:
        petition = petition_by_code(work.db_session, code)
        if petition is None:
            raise NotFound
        ensure_allowed(by, Permission.PETITION_FOLLOW, petition_subject(work.db_session, petition))
        return following(work.db_session, petition.id)


@dataclass(frozen=True)
class Paper:
    """An issued document in the clear, for the person it was issued to."""

    title: str
    media_type: str
    data: bytes


def own_paper(code: str, document_id: UUID, *, by: Actor) -> Paper:
    """Read a paper issued about one's own petition; the reading is audited. Raises NotFound."""
    found = own_petition(code, by=by)
    row = next((paper for paper in found.documents if paper.id == document_id), None)
    if row is None or row.sealed_object_id is None:
        raise NotFound
    with unit_of_work() as work:
        sealed = work.get(SealedObject, row.sealed_object_id)
        work.audit("issued_document_read", row, by=by.account_id)
    return Paper(row.title, sealed.media_type, read_object(sealed))


def proven_or_404(code: str, proven: dict[str, str]) -> UUID:
    """The id of the petition this browser has proven, by its code. Raises NotFound."""
    if code not in proven:
        raise NotFound
    return UUID(proven[code])
