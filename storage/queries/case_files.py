"""Requests to read the file of a case: of one case, of one person, and those that wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from storage.models import Account, Case, CaseFileRequest, Recording, Unit
from storage.queries.inbox import units_at
from storage.subjects import case_subject, file_leave_in_force, recording_subjects
from workflows.access import Actor, Permission, decide, reach

PAGE = 50


@dataclass(frozen=True)
class FileRequest:
    """A request with who asked and who decided."""

    row: CaseFileRequest
    asker: str
    decider: str

    def standing(self, now: datetime) -> str:
        """The state as it counts at an instant: leave that ran out is "expired"."""
        ends = self.row.expires_at
        over = self.row.state == "approved" and ends is not None and ends <= now
        return "expired" if over else self.row.state


def requests_of(
    db_session: Session, case_id: UUID, *, account_id: UUID | None = None
) -> list[FileRequest]:
    """The requests for one case, newest first; of one account only, where it is given."""
    wanted: list[ColumnElement[bool]] = [CaseFileRequest.case_id == case_id]
    if account_id is not None:
        wanted.append(CaseFileRequest.account_id == account_id)
    return [one for one, _ in _requests(db_session, wanted)]


def own_requests(db_session: Session, actor: Actor) -> list[tuple[FileRequest, Case]]:
    """What this person asked for, newest first."""
    return _requests(db_session, [CaseFileRequest.account_id == actor.account_id])


def waiting_requests(db_session: Session, *, visible_to: Actor) -> list[tuple[FileRequest, Case]]:
    """Requests that this person may decide, newest first: never one's own."""
    units = units_at(reach(visible_to, Permission.CASE_RETRIEVE_APPROVE).units)
    found = _requests(
        db_session,
        [
            CaseFileRequest.state == "asked",
            CaseFileRequest.account_id != visible_to.account_id,
            Case.holder_unit_id.in_(units),
        ],
    )
    return [
        (one, case)
        for one, case in found
        if decide(visible_to, Permission.CASE_RETRIEVE_APPROVE, case_subject(db_session, case))
    ]


def _requests(
    db_session: Session, wanted: Sequence[ColumnElement[bool]]
) -> list[tuple[FileRequest, Case]]:
    decider = aliased(Account)
    rows = db_session.execute(
        select(CaseFileRequest, Case, Account.display_name, decider.display_name)
        .join(Case, Case.id == CaseFileRequest.case_id)
        .join(Account, Account.id == CaseFileRequest.account_id)
        .outerjoin(decider, decider.id == CaseFileRequest.decided_by)
        .where(*wanted)
        .order_by(CaseFileRequest.created_at.desc(), CaseFileRequest.id.desc())
        .limit(PAGE)
    ).all()
    return [(FileRequest(row, asker, name or ""), case) for row, case, asker, name in rows]


def leave_held(
    db_session: Session, case_id: UUID, account_id: UUID | None
) -> CaseFileRequest | None:
    """The leave to read this file that counts now, the longest first."""
    return db_session.scalars(
        select(CaseFileRequest)
        .where(
            CaseFileRequest.case_id == case_id,
            CaseFileRequest.account_id == account_id,
            *file_leave_in_force(),
        )
        .order_by(CaseFileRequest.expires_at.desc(), CaseFileRequest.id)
        .limit(1)
    ).one_or_none()


def recordings_by_meeting(
    db_session: Session, meeting_ids: Sequence[UUID], *, visible_to: Actor
) -> dict[UUID, Recording]:
    """Recordings of these sessions whose page this person may open, by session."""
    rows = db_session.scalars(
        select(Recording).where(Recording.reception_session_id.in_(meeting_ids))
    ).all()
    subjects = recording_subjects(db_session, rows) if rows else {}
    return {
        row.reception_session_id: row
        for row in rows
        if decide(visible_to, Permission.RECORDING_LIST, subjects[row.id])
    }


def holder_name(db_session: Session, case: Case) -> str:
    """The unit that holds the case, and therefore decides."""
    return db_session.get_one(Unit, case.holder_unit_id).full_name
