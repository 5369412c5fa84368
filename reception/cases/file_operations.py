"""Asking for the file of a case, giving leave to read it for a term, and taking it back.

An inspector asks with a reason and the number of the paper that asks; the unit that holds the case
decides. A denunciation is never opened this way. Source: Luật Tố cáo 25/2018/QH14, Điều 8.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from storage.database import Work, reading, unit_of_work
from storage.models import Account, Case, CaseFileRequest
from storage.models.base import utc_now
from storage.queries.case_files import (
    FileRequest,
    holder_name,
    leave_held,
    own_requests,
    waiting_requests,
)
from storage.subjects import case_subject
from workflows.access import Actor, Decision, Permission, Subject, ensure_allowed
from workflows.codes import CodeKind, make_code
from workflows.errors import BadInput, Conflict, NotAllowed

USUAL_DAYS = 14
LONGEST_DAYS = 90
LEAST_REASON = 10

OWN_REQUEST = "Bạn không thể tự duyệt yêu cầu của chính mình. Hãy nhờ người khác duyệt."


@dataclass(frozen=True)
class AskPage:
    """What the form shows: the case, and who will decide."""

    case: Case
    holder: str


@dataclass(frozen=True)
class RequestLists:
    """Requests that wait for this person's decision, and the own ones."""

    waiting: tuple[tuple[FileRequest, Case], ...]
    own: tuple[tuple[FileRequest, Case], ...]


def lists(by: Actor) -> RequestLists:
    """Requests to read case files, as far as they are this person's business."""
    with reading() as work:
        return RequestLists(
            waiting=tuple(waiting_requests(work.db_session, visible_to=by)),
            own=tuple(own_requests(work.db_session, by)),
        )


def ask_page(case_id: UUID, *, by: Actor) -> AskPage:
    """The form for one case. Raises NotFound, NotAllowed."""
    with reading() as work:
        case, _ = _askable(work, case_id, by)
        return AskPage(case, holder_name(work.db_session, case))


def _askable(work: Work, case_id: UUID, by: Actor) -> tuple[Case, Subject]:
    """The case, for whoever may know of it and ask for its file."""
    case = work.get(Case, case_id)
    subject = case_subject(work.db_session, case)
    ensure_allowed(by, Permission.CASE_SEE, subject)
    ensure_allowed(by, Permission.CASE_RETRIEVE, subject)
    if subject.in_compartment:
        raise Conflict("Hồ sơ tố cáo chỉ giao đích danh bằng văn bản, không mở theo yêu cầu này.")
    return case, subject


def ask(case_id: UUID, *, reason: str, document_number: str, days: int, by: Actor) -> str:
    """Ask to read the whole file; returns the code of the request.

    A request that waits already, or leave that still counts, is given back instead of a second
    one. Raises NotAllowed, BadInput, Conflict for a denunciation.
    """
    _ensure_complete(reason, document_number, days)
    with unit_of_work() as work:
        case, _ = _askable(work, case_id, by)
        if by.account_id is None:
            raise NotAllowed(Decision(allowed=False, reason="Đăng nhập rồi mới gửi được yêu cầu."))
        known = _waiting(work, case.id, by.account_id) or leave_held(
            work.db_session, case.id, by.account_id
        )
        if known is not None:
            return known.code
        row = work.add(
            CaseFileRequest(
                code=make_code(CodeKind.REQUEST, secrets.token_bytes(5)),
                case_id=case.id,
                account_id=by.account_id,
                reason=reason.strip(),
                document_number=document_number.strip(),
                days=days,
            )
        )
        work.audit("case_file_asked", case, by=by.account_id, request=row.code, days=days)
        return row.code


def _ensure_complete(reason: str, document_number: str, days: int) -> None:
    errors = {}
    if len(reason.strip()) < LEAST_REASON:
        errors["reason"] = "Viết rõ cần xem gì trong hồ sơ, để làm việc gì."
    if not document_number.strip():
        errors["document_number"] = "Ghi số văn bản yêu cầu, ví dụ 15/QĐ-TTr."
    errors |= _days_wrong(days)
    if errors:
        raise BadInput(errors)


def _days_wrong(days: int) -> dict[str, str]:
    if 1 <= days <= LONGEST_DAYS:
        return {}
    return {"days": f"Ghi số ngày cần xem, từ 1 đến {LONGEST_DAYS}."}


def _waiting(work: Work, case_id: UUID, account_id: UUID) -> CaseFileRequest | None:
    return work.db_session.scalars(
        select(CaseFileRequest)
        .where(
            CaseFileRequest.case_id == case_id,
            CaseFileRequest.account_id == account_id,
            CaseFileRequest.state == "asked",
        )
        .limit(1)
    ).one_or_none()


# --- deciding ------------------------------------------------------------------------------------


def approve(request_id: UUID, *, days: int, by: Actor) -> CaseFileRequest:
    """Give leave to read the file from now on. Raises NotAllowed, BadInput, Conflict."""
    if wrong := _days_wrong(days):
        raise BadInput(wrong)
    with unit_of_work() as work:
        row, case, subject = _deciding(work, request_id, "asked", by)
        asker = work.get(Account, row.account_id)
        if subject.in_compartment or asker.person_id in subject.conflicted:
            raise Conflict("Hồ sơ này không mở cho người hỏi được. Hãy từ chối và ghi lý do.")
        row.state, row.days = "approved", days
        row.expires_at = utc_now() + timedelta(days=days)
        _decided(row, by, "")
        work.audit("case_file_approved", case, by=by.account_id, request=row.code, days=days)
        return row


def refuse(request_id: UUID, *, reason: str, by: Actor) -> CaseFileRequest:
    """Say no, and why. Raises NotAllowed, BadInput, Conflict."""
    return _end(request_id, "asked", "refused", reason, by)


def take_back(request_id: UUID, *, reason: str, by: Actor) -> CaseFileRequest:
    """End leave before its term; the next page is closed. Raises NotAllowed, BadInput, Conflict."""
    return _end(request_id, "approved", "revoked", reason, by)


def _end(request_id: UUID, state: str, to: str, reason: str, by: Actor) -> CaseFileRequest:
    if not reason.strip():
        raise BadInput({"decision_reason": "Ghi lý do, để người hỏi hiểu vì sao."})
    with unit_of_work() as work:
        row, case, _ = _deciding(work, request_id, state, by)
        row.state = to
        _decided(row, by, reason.strip())
        work.audit(f"case_file_{to}", case, by=by.account_id, request=row.code)
        return row


def _decided(row: CaseFileRequest, by: Actor, reason: str) -> None:
    row.decided_by, row.decided_at, row.decision_reason = by.account_id, utc_now(), reason


def _deciding(
    work: Work, request_id: UUID, state: str, by: Actor
) -> tuple[CaseFileRequest, Case, Subject]:
    row = work.get_for_update(CaseFileRequest, request_id)
    case = work.get(Case, row.case_id)
    subject = case_subject(work.db_session, case)
    asker = work.get(Account, row.account_id)
    ensure_allowed(
        by, Permission.CASE_RETRIEVE_APPROVE, replace(subject, drafted_by=asker.person_id)
    )
    if asker.id == by.account_id:  # also where an account stands for no person
        raise NotAllowed(Decision(allowed=False, reason=OWN_REQUEST))
    if row.state != state:
        raise Conflict("Yêu cầu này đã đổi tình trạng. Tải lại trang để xem kết quả.")
    return row, case, subject
