"""One's own notices, newest first; nobody reads another's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.models import Notice, Petition, ReceptionSession, SessionPoint

AT_MOST = 50


@dataclass(frozen=True)
class NoticeLine:
    """A notice with what leads to its record: a code, never a name or a title."""

    notice: Notice
    code: str
    petition_id: UUID | None = None
    meeting_id: UUID | None = None


def own_notices(db_session: Session, account_id: UUID) -> Sequence[NoticeLine]:
    """The newest notices of an account, the unread first."""
    rows = db_session.execute(
        select(Notice, Petition.code, Petition.id, ReceptionSession.code, ReceptionSession.id)
        .outerjoin(Petition, Petition.id == Notice.subject_id)
        .outerjoin(SessionPoint, SessionPoint.id == Notice.subject_id)
        .outerjoin(ReceptionSession, ReceptionSession.id == SessionPoint.reception_session_id)
        .where(Notice.account_id == account_id)
        .order_by(Notice.read_at.is_not(None), Notice.created_at.desc(), Notice.id.desc())
        .limit(AT_MOST)
    ).all()
    return [
        NoticeLine(notice, petition_code or meeting_code or "", petition_id, meeting_id)
        for notice, petition_code, petition_id, meeting_code, meeting_id in rows
    ]


def unread_count(db_session: Session, account_id: UUID) -> int:
    """How many notices wait for this account."""
    return (
        db_session.scalar(
            select(func.count())
            .select_from(Notice)
            .where(Notice.account_id == account_id, Notice.read_at.is_(None))
        )
        or 0
    )
