"""Joining from home: who schedules proposes it, the head of the unit allows it or takes it back.

Citizens sit at a point; until the head has allowed otherwise for one session, with a reason, a
personal link works only there. Source: NĐ 154/2026/NĐ-CP, Điều 3, 22.
"""

from __future__ import annotations

from uuid import UUID

from reception.sessions import steps
from storage.database import Work, unit_of_work
from storage.models import ReceptionSession
from storage.models.base import utc_now
from storage.queries import sessions as queries
from storage.subjects import reception_session_subject
from workflows.access import Actor, Permission, ensure_allowed
from workflows.errors import BadInput, Conflict


def allow(meeting_id: UUID, *, reason: str, by: Actor) -> None:
    """Let the people of this session join from home. Raises NotAllowed, BadInput, Conflict."""
    with unit_of_work() as work:
        meeting = _deciding(work, meeting_id, reason, by)
        steps.allow_home_link(work, meeting, reason=reason.strip(), by=by)


def take_back(meeting_id: UUID, *, reason: str, by: Actor) -> None:
    """Refuse what was proposed, or take back what was allowed; the links work at the point again.

    Whoever waits outside without papers compared at a point is asked to come. Raises NotAllowed,
    BadInput, Conflict.
    """
    with unit_of_work() as work:
        meeting = _deciding(work, meeting_id, reason, by)
        meeting.home_link_reason, meeting.home_link_refusal = None, reason.strip()
        meeting.home_link_decided_by, meeting.home_link_decided_at = by.account_id, utc_now()
        for person in queries.sitting(work.db_session, meeting).participants:
            if person.state == "waiting" and steps.must_come(meeting, person):
                person.state = "invited"
        work.audit("home_link_taken_back", meeting, by=by.account_id)


def _deciding(work: Work, meeting_id: UUID, reason: str, by: Actor) -> ReceptionSession:
    meeting = steps.lock(work, meeting_id)
    subject = reception_session_subject(work.db_session, meeting)
    ensure_allowed(by, Permission.SESSION_HOME_LINK, subject)
    if meeting.opened_at is not None or meeting.state in (*steps.AFTER, *steps.ELSEWHERE):
        raise Conflict("Phiên đã mở hoặc không còn họp trực tuyến nên không đổi việc dự từ nhà.")
    if not reason.strip():
        raise BadInput({"reason": "Ghi lý do, để điểm cầu và người dân hiểu vì sao."})
    return meeting
