"""What is known of a reception session, in the words of the rules; reads, never writes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from reception.clock import LOCAL
from reception.recordings.steps import recorder_ready
from storage.models import ReceptionSession, SessionPoint
from storage.queries.calendar import holiday_table
from storage.queries.sessions import Sitting
from storage.subjects import kind_of, reception_session_subject
from workflows.access import Actor, Decision, Permission, ensure_allowed
from workflows.calendar import HolidayTable, next_working_day
from workflows.errors import NotAllowed
from workflows.gates import Gate, PointFacts, SessionFacts, denunciation_gate, readiness
from workflows.kinds import PetitionKind
from workflows.procedures import deadline, procedure
from workflows.procedures.guards import Facts
from workflows.secrecy import Secrecy, secrecy_for, strictest


def local_day(moment: datetime) -> date:
    """The local date of an instant."""
    return moment.astimezone(LOCAL).date()


def kinds_of(sitting: Sitting) -> frozenset[PetitionKind]:
    """The kinds of the letters on the agenda, as far as they are classified."""
    kinds = (kind_of(petition.kind) for petition in sitting.petitions.values())
    return frozenset(kind for kind in kinds if kind is not None)


def _protection_requested(sitting: Sitting) -> bool:
    asked = any(petition.protection_requested for petition in sitting.petitions.values())
    return asked or sitting.meeting.protection_requested


def session_facts(sitting: Sitting) -> SessionFacts:
    """The session as the gates see it; days are local."""
    meeting = sitting.meeting
    return SessionFacts(
        starts_on=local_day(meeting.starts_at),
        starts_at=meeting.starts_at,
        points=tuple(_point_facts(point) for point in sitting.points),
        kinds=kinds_of(sitting),
        protection_requested=_protection_requested(sitting),
        secrecy_confirmed=meeting.secrecy_confirmed,
    )


def _point_facts(point: SessionPoint) -> PointFacts:
    tested = point.tested_at if (point.test_result or {}).get("passed") else None
    return PointFacts(
        name=point.name,
        notified_on=local_day(point.notified_at) if point.notified_at else None,
        link_tested_on=local_day(tested) if tested else None,
        connected_at=point.connected_at,
    )


def gates_of(db_session: Session, sitting: Sitting, *, media_up: bool) -> tuple[Gate, ...]:
    """Every gate before opening, closed ones first; the recorder counts media and sealing."""
    ready, _ = recorder_ready(db_session)
    return readiness(
        session_facts(sitting), holiday_table(db_session), recorder_running=ready and media_up
    )


def move_facts(sitting: Sitting, **known: Any) -> Facts:
    """Facts for a move of the procedure; `known` are those only the operation can tell."""
    meeting, gates = sitting.meeting, session_facts(sitting)
    kinds = gates.kinds
    kind = PetitionKind.DENUNCIATION if PetitionKind.DENUNCIATION in kinds else None
    facts: dict[str, Any] = {
        "kind": kind,
        "reason_code": meeting.reason_code,
        "protection_requested": gates.protection_requested,
        "secrecy_confirmed": meeting.secrecy_confirmed,
        "points_set": bool(sitting.points),
        "points_notified": all(point.notified_at for point in sitting.points),
        "links_tested": all((p.test_result or {}).get("passed") for p in sitting.points),
        "all_points_connected": all(point.connected_at for point in sitting.points),
        "recording_notice_given": meeting.notice_given_at is not None,
        "forbidden_self_recording": meeting.self_recording == "forbidden",
    }
    return Facts(**{**facts, **known})


def base_secrecy(sitting: Sitting, *, closed_room: bool = False) -> Secrecy:
    """How closed the recording must be kept because of what is on the agenda."""
    levels = [secrecy_for(kind, closed_room=closed_room) for kind in kinds_of(sitting)]
    plain = Secrecy.RESTRICTED if closed_room else Secrecy.NORMAL
    return strictest(plain, *levels)


def online_allowed(facts: SessionFacts) -> Gate:
    """Whether what is on the agenda may be heard online at all."""
    return denunciation_gate(facts)


def earliest_day(today: date, holidays: HolidayTable) -> date:
    """The first working day for which the points can still be told in time from `today`."""
    rule = procedure("SES")
    day = next_working_day(today, holidays)
    while deadline(rule, "points-notice", on=day, holidays=holidays).last_day < today:
        day = next_working_day(date.fromordinal(day.toordinal() + 1), holidays)
    return day


_NOT_RUNNING = "Việc này do chủ trì hoặc thư ký của phiên làm. Hãy báo chủ trì."


def runs_meeting(db_session: Session, actor: Actor, meeting: ReceptionSession) -> bool:
    """Whether this person sits at the desk: presides, keeps the minutes, or works for the host."""
    if actor.account_id in (meeting.presiding_id, meeting.clerk_id):
        return True
    return reception_session_subject(db_session, meeting).unit_path in actor.unit_paths


def ensure_runs(
    db_session: Session, actor: Actor, permission: Permission, meeting: ReceptionSession
) -> None:
    """Allowed on the record, and one of those who run it. Raises NotAllowed.

    A leader invited to a component point holds the permission too, but does not run this session.
    """
    ensure_allowed(actor, permission, reception_session_subject(db_session, meeting))
    if not runs_meeting(db_session, actor, meeting):
        raise NotAllowed(Decision(allowed=False, reason=_NOT_RUNNING))
