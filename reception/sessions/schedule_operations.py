"""Scheduling a reception session, changing its people, moving or cancelling it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reception.sessions import facts, steps
from storage.database import Work, is_duplicate, reading, unit_of_work
from storage.identities import names_of
from storage.models import (
    Account,
    AgendaItem,
    Participant,
    Petition,
    ReceptionSession,
    SessionPoint,
    Unit,
)
from storage.queries import sessions as queries
from storage.queries.calendar import holiday_table
from storage.queries.units import by_path, path_of
from storage.steps import start_run
from storage.subjects import kind_of, petition_subject, reception_session_subject, unit_subject
from workflows.access import Actor, Permission, decide, ensure_allowed
from workflows.codes import CodeKind, make_code
from workflows.errors import BadInput, GateNotMet, NotFound
from workflows.gates import DENUNCIATION, reasons_for
from workflows.kinds import PetitionKind
from workflows.procedures.sentences import vietnamese_day

HOLDING_KINDS = ("province", "reception_board", "commune", "department", "public_service")
LEADERS = ("provincial_chair", "board_head", "commune_chair", "department_head")
CLERKS = ("board_officer", "board_head", "commune_officer", "commune_advisory", "petition_handler")
POINT_STAFF = (
    "commune_officer",
    "commune_advisory",
    "petition_handler",
    "point_technician",
    "board_officer",
    "commune_chair",
    "department_head",
)


@dataclass(frozen=True)
class PlannedPoint:
    """A point as it was chosen: unit, where in it, whom to telephone."""

    unit_id: UUID
    place: str = ""
    contact: str = ""


@dataclass(frozen=True)
class PlannedVisit:
    """A petition on the agenda; its people sit at the point of their 'own' unit or 'central'."""

    petition_id: UUID
    seat: str = "own"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything a session is scheduled with. Instants are aware; `mode` online or in_person."""

    title: str
    kind: str
    reason_code: str
    reason_text: str
    starts_at: datetime
    planned_end_at: datetime
    central: PlannedPoint
    components: tuple[PlannedPoint, ...]
    visits: tuple[PlannedVisit, ...]
    presiding_id: UUID
    clerk_id: UUID | None
    idempotency_key: str
    self_recording: str = "allowed"
    self_recording_reason: str = ""
    home_link_proposal: str | None = None
    secrecy_confirmed: bool = False
    interpreter: str = ""
    minutes_per_visit: int = 25
    mode: str = "online"


@dataclass(frozen=True)
class Choices:
    """What the form offers: units, leaders, clerks, petitions that wait."""

    unit: Unit
    units: tuple[Unit, ...]
    leaders: tuple[queries.StaffMember, ...]
    clerks: tuple[queries.StaffMember, ...]
    waiting: tuple[queries.Waiting, ...]
    earliest: date


def choices(actor: Actor, *, today: date) -> Choices:
    """What may be chosen for a new session of the actor's own unit."""
    with reading() as work:
        unit = _own_unit(work.db_session, actor)
        ensure_allowed(actor, Permission.SESSION_SCHEDULE, unit_subject(work.db_session, unit.id))
        path = path_of(unit)
        return Choices(
            unit=unit,
            units=tuple(_units(work.db_session)),
            leaders=_distinct(queries.staff_at(work.db_session, path, on=today, roles=LEADERS)),
            clerks=_distinct(queries.staff_at(work.db_session, path, on=today, roles=CLERKS)),
            waiting=tuple(queries.waiting_for_online(work.db_session, visible_to=actor)),
            earliest=facts.earliest_day(today, holiday_table(work.db_session)),
        )


def _distinct(staff: Sequence[queries.StaffMember]) -> tuple[queries.StaffMember, ...]:
    return tuple({member.account.id: member for member in reversed(staff)}.values())[::-1]


def _units(db_session: Session) -> Sequence[Unit]:
    return db_session.scalars(
        select(Unit)
        .where(
            Unit.kind.in_(
                ("province", "reception_board", "commune", "department", "public_service")
            ),
            Unit.valid_to_on.is_(None),
        )
        .order_by(Unit.kind != "province", Unit.kind, Unit.folded_name)
    ).all()


def _own_unit(db_session: Session, actor: Actor) -> Unit:
    unit = by_path(db_session, actor.unit_paths[0]) if actor.unit_paths else None
    if unit is None:
        raise NotFound
    return unit


def petition_ids_by_code(actor: Actor, codes: Sequence[str]) -> tuple[list[UUID], list[str]]:
    """Ids of petitions the actor may see, and the codes that led to none."""
    found, missing = [], []
    with reading() as work:
        for code in codes:
            petition = queries.petition_by_code(work.db_session, code)
            if petition is None or not _may_see(work.db_session, actor, petition):
                missing.append(code)
            else:
                found.append(petition.id)
    return found, missing


def _may_see(db_session: Session, actor: Actor, petition: Petition) -> bool:
    return bool(decide(actor, Permission.PETITION_SEE, petition_subject(db_session, petition)))


def schedule_session(plan: Plan, *, by: Actor, today: date) -> UUID:
    """Schedule a session with its points, people and agenda; safe to send twice.

    Raises BadInput, GateNotMet for a denunciation that may not be heard online.
    """
    try:
        return _schedule(plan, by=by, today=today)
    except IntegrityError as error:
        if not is_duplicate(error, "reception_session.idempotency_key"):
            raise
        with reading() as work:
            return _with_key(work.db_session, plan.idempotency_key) or _missing()


def _missing() -> UUID:
    raise NotFound


def _with_key(db_session: Session, key: str) -> UUID | None:
    return db_session.scalar(
        select(ReceptionSession.id).where(ReceptionSession.idempotency_key == key)
    )


def _schedule(plan: Plan, *, by: Actor, today: date) -> UUID:
    with unit_of_work() as work:
        known = _with_key(work.db_session, plan.idempotency_key)
        if known is not None:
            return known
        unit = _own_unit(work.db_session, by)
        ensure_allowed(by, Permission.SESSION_SCHEDULE, unit_subject(work.db_session, unit.id))
        petitions = _petitions(work, plan, by=by)
        _check(work, plan, petitions, today=today)
        meeting = _keep_meeting(work, plan, unit)
        points = _keep_points(work, meeting, plan)
        _keep_people(work, meeting, plan, points, petitions, today=today)
        work.flush()
        _ask_for_home_link(work, meeting, by=by)
        _first_moves(work, meeting, by=by, on=today)
        work.audit("reception_session_scheduled", meeting, by=by.account_id, points=len(points))
        return meeting.id


def _petitions(work: Work, plan: Plan, *, by: Actor) -> list[Petition]:
    found = []
    for visit in plan.visits:
        petition = work.get(Petition, visit.petition_id)
        ensure_allowed(by, Permission.PETITION_SEE, petition_subject(work.db_session, petition))
        found.append(petition)
    return found


def _check(work: Work, plan: Plan, petitions: Sequence[Petition], *, today: date) -> None:
    if plan.mode != "online":
        return
    on = facts.local_day(plan.starts_at)
    _check_reason(plan, petitions, on=on)
    _check_denunciation(plan, petitions)
    earliest = facts.earliest_day(today, holiday_table(work.db_session))
    if on < earliest:
        raise BadInput(
            {
                "on": "Ngày này không còn đủ 5 ngày làm việc để báo các điểm cầu. "
                f"Sớm nhất là {vietnamese_day(earliest)}."
            }
        )


def _check_reason(plan: Plan, petitions: Sequence[Petition], *, on: date) -> None:
    kinds = {kind_of(petition.kind) for petition in petitions}
    denunciation = PetitionKind.DENUNCIATION in kinds
    asked = PetitionKind.DENUNCIATION if denunciation else PetitionKind.COMPLAINT
    if plan.reason_code not in {reason.code for reason in reasons_for(asked, on=on)}:
        raise BadInput(
            {
                "reason_code": "Phiên có đơn tố cáo chỉ dùng lý do tại khoản 4. Chọn lại lý do."
                if denunciation
                else "Lý do này không dùng cho các đơn đã chọn. Chọn lại lý do."
            }
        )


def _check_denunciation(plan: Plan, petitions: Sequence[Petition]) -> None:
    closed = [p for p in petitions if kind_of(p.kind) is PetitionKind.DENUNCIATION]
    protected = any(petition.protection_requested for petition in closed)
    if closed and (protected or not plan.secrecy_confirmed):
        raise GateNotMet(
            "Tố cáo có yêu cầu bảo vệ, hoặc chưa chắc giữ được bí mật: "
            "không tiếp trực tuyến, mời tiếp trực tiếp.",
            gates=(DENUNCIATION,),
        )


def _keep_meeting(work: Work, plan: Plan, unit: Unit) -> ReceptionSession:
    return work.add(
        ReceptionSession(
            code=make_code(CodeKind.RECEPTION_SESSION, secrets.token_bytes(5)),
            title=plan.title,
            kind=plan.kind,
            mode=plan.mode,
            reason_code=plan.reason_code,
            reason_text=plan.reason_text,
            unit_id=unit.id,
            presiding_id=plan.presiding_id,
            clerk_id=plan.clerk_id,
            starts_at=plan.starts_at,
            planned_end_at=plan.planned_end_at,
            state="START",
            self_recording=plan.self_recording,
            self_recording_reason=plan.self_recording_reason,
            home_link_proposal=plan.home_link_proposal,
            secrecy_confirmed=plan.secrecy_confirmed,
            idempotency_key=plan.idempotency_key,
        )
    )


def _ask_for_home_link(work: Work, meeting: ReceptionSession, *, by: Actor) -> None:
    """What is proposed waits for the head; a head who schedules decides with it."""
    if meeting.home_link_proposal is None:
        return
    work.audit("home_link_proposed", meeting, by=by.account_id)
    subject = reception_session_subject(work.db_session, meeting)
    if decide(by, Permission.SESSION_HOME_LINK, subject):
        steps.allow_home_link(work, meeting, reason=meeting.home_link_proposal, by=by)


def _keep_points(work: Work, meeting: ReceptionSession, plan: Plan) -> list[SessionPoint]:
    planned = [("central", plan.central), *(("component", point) for point in plan.components)]
    points = []
    for seat, (kind, point) in enumerate(planned):
        unit = work.get(Unit, point.unit_id)
        points.append(
            work.add(
                SessionPoint(
                    reception_session_id=meeting.id,
                    kind=kind,
                    unit_id=unit.id,
                    name="Điểm cầu trung tâm" if kind == "central" else unit.full_name,
                    place=point.place,
                    contact=point.contact,
                    seat=seat,
                )
            )
        )
    return points


def _keep_people(
    work: Work,
    meeting: ReceptionSession,
    plan: Plan,
    points: Sequence[SessionPoint],
    petitions: Sequence[Petition],
    *,
    today: date,
) -> None:
    work.flush()
    central, *components = points
    _invite_staff(work, central, plan.presiding_id, "chair")
    if plan.clerk_id and plan.clerk_id != plan.presiding_id:
        _invite_staff(work, central, plan.clerk_id, "clerk")
    for point in components:
        _invite_point_officer(work, point, today=today)
    if plan.interpreter:
        steps.add_participant(
            work, central, part="interpreter", name=plan.interpreter, title="Phiên dịch"
        )
    for seq, (visit, petition) in enumerate(zip(plan.visits, petitions, strict=True), start=1):
        _plan_visit(work, meeting, petition, seq=seq, minutes=plan.minutes_per_visit)
        point = _seat_of(visit, petition, central, components)
        _invite_people(work, point, petition)


def _invite_staff(work: Work, point: SessionPoint, account_id: UUID, part: str) -> Participant:
    account = work.get(Account, account_id)
    title = {"chair": "Chủ trì", "clerk": "Thư ký"}.get(part, "")
    return steps.add_participant(
        work,
        point,
        part=part,
        name=account.display_name,
        title=title,
        account_id=account.id,
    )


def _invite_point_officer(work: Work, point: SessionPoint, *, today: date) -> None:
    """The officer a unit has for its point; changed later on the page of the people."""
    path = path_of(work.get(Unit, point.unit_id))
    staff = queries.staff_at(work.db_session, path, on=today, roles=POINT_STAFF)
    staff.sort(key=lambda member: POINT_STAFF.index(member.role))
    if staff:
        member = staff[0]
        part = "technician" if member.role == "point_technician" else "officer"
        steps.add_participant(
            work,
            point,
            part=part,
            name=member.account.display_name,
            title=member.title,
            account_id=member.account.id,
        )


def _plan_visit(
    work: Work, meeting: ReceptionSession, petition: Petition, *, seq: int, minutes: int
) -> None:
    work.add(
        AgendaItem(
            reception_session_id=meeting.id,
            seq=seq,
            petition_id=petition.id,
            case_id=petition.case_id,
            title=petition.title,
            planned_minutes=minutes,
        )
    )


def _seat_of(
    visit: PlannedVisit,
    petition: Petition,
    central: SessionPoint,
    components: Sequence[SessionPoint],
) -> SessionPoint:
    if visit.seat == "central":
        return central
    own = {petition.place_unit_id, petition.receiving_unit_id, petition.holder_unit_id}
    return next((point for point in components if point.unit_id in own), central)


def _invite_people(work: Work, point: SessionPoint, petition: Petition) -> None:
    people = queries.people_of_petition(work.db_session, petition)
    if not people:
        steps.add_participant(
            work, point, part="citizen", name=steps.MASKED_NAME, petition_id=petition.id
        )
        return
    names = names_of(work.db_session, (person for person, _ in people))
    for person, part in people:
        steps.add_participant(
            work,
            point,
            part=part,
            name=names.get(person, steps.MASKED_NAME),
            person_id=person,
            petition_id=petition.id,
        )


def _first_moves(work: Work, meeting: ReceptionSession, *, by: Actor, on: date) -> None:
    start_run(work, "SES", unit_id=meeting.unit_id, reception_session_id=meeting.id)
    sitting = queries.sitting(work.db_session, meeting)
    known = facts.move_facts(sitting)
    starts_on = facts.local_day(meeting.starts_at)
    events = ("request", "classify", "schedule" if meeting.mode == "online" else "divert")
    for event in events:
        steps.move(work, sitting, event, on=on, facts=known, by=by, starts_on=starts_on)


# --- after it is scheduled -----------------------------------------------------------------------


def _changeable(work: Work, meeting_id: UUID, by: Actor) -> queries.Sitting:
    meeting = steps.lock(work, meeting_id)
    ensure_allowed(
        by, Permission.SESSION_SCHEDULE, reception_session_subject(work.db_session, meeting)
    )
    return queries.sitting(work.db_session, meeting)


def reschedule(
    meeting_id: UUID, *, starts_at: datetime, ends_at: datetime, reason: str, by: Actor, today: date
) -> None:
    """Move the session to another day; every point is told, tested and connected anew."""
    with unit_of_work() as work:
        sitting = _changeable(work, meeting_id, by)
        on = facts.local_day(starts_at)
        earliest = facts.earliest_day(today, holiday_table(work.db_session))
        if on < earliest:
            raise BadInput({"on": f"Sớm nhất là {vietnamese_day(earliest)} để kịp báo điểm cầu."})
        meeting = sitting.meeting
        meeting.starts_at, meeting.planned_end_at = starts_at, ends_at
        meeting.notified_on = meeting.tested_on = meeting.points_connected_at = None
        for point in sitting.points:
            point.notified_at = point.tested_at = point.connected_at = None
            point.test_result = None
        known = facts.move_facts(sitting, reason_given=bool(reason))
        steps.move(
            work, sitting, "reschedule", on=today, facts=known, by=by, reason=reason, starts_on=on
        )


def cancel(meeting_id: UUID, *, reason: str, by: Actor, today: date) -> None:
    """Cancel a session that has not opened; its petitions wait again."""
    with unit_of_work() as work:
        sitting = _changeable(work, meeting_id, by)
        known = facts.move_facts(sitting, reason_given=bool(reason))
        starts_on = facts.local_day(sitting.meeting.starts_at)
        steps.move(
            work,
            sitting,
            "cancel",
            on=today,
            facts=known,
            by=by,
            reason=reason,
            starts_on=starts_on,
        )
        for person in sitting.participants:
            person.join_hash = None


def invite(
    meeting_id: UUID,
    *,
    point_id: UUID,
    part: str,
    name: str,
    title: str,
    account_id: UUID | None,
    by: Actor,
) -> None:
    """Add somebody to a point, by staff account or by name with a personal link."""
    with unit_of_work() as work:
        sitting = _changeable(work, meeting_id, by)
        point = next((point for point in sitting.points if point.id == point_id), None)
        if point is None:
            raise NotFound
        if account_id is not None and sitting.of_account(account_id):
            raise BadInput({"account": "Người này đã có trong phiên."})
        if account_id is not None:
            name = work.get(Account, account_id).display_name
        person = steps.add_participant(
            work, point, part=part, name=name, title=title, account_id=account_id
        )
        work.audit("participant_invited", person, by=by.account_id, part=part)


def move_seat(meeting_id: UUID, participant_id: UUID, *, point_id: UUID, by: Actor) -> None:
    """Let somebody sit at another point."""
    with unit_of_work() as work:
        sitting = _changeable(work, meeting_id, by)
        person = _participant(sitting, participant_id)
        if point_id not in {point.id for point in sitting.points}:
            raise NotFound
        person.point_id = point_id
        work.audit("participant_moved", person, by=by.account_id, point=point_id)


def withdraw_invitation(meeting_id: UUID, participant_id: UUID, *, by: Actor) -> None:
    """Take somebody off the list before they came; the chair stays."""
    with unit_of_work() as work:
        sitting = _changeable(work, meeting_id, by)
        person = _participant(sitting, participant_id)
        if person.part == "chair" or person.state != "invited":
            raise BadInput({"person": "Người chủ trì hoặc người đã vào phòng thì không bỏ được."})
        work.audit("participant_withdrawn", person, by=by.account_id)
        work.db_session.delete(person)


def _participant(sitting: queries.Sitting, participant_id: UUID) -> Participant:
    person = next((p for p in sitting.participants if p.id == participant_id), None)
    if person is None:
        raise NotFound
    return person


def people_page(
    meeting_id: UUID, *, by: Actor, today: date
) -> tuple[queries.Sitting, dict[UUID, list[queries.StaffMember]]]:
    """The session and, for each point, the staff who could sit there."""
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        ensure_allowed(
            by, Permission.SESSION_SCHEDULE, reception_session_subject(work.db_session, meeting)
        )
        sitting = queries.sitting(work.db_session, meeting)
        staff = {
            point.id: queries.staff_at(
                work.db_session, path_of(work.get(Unit, point.unit_id)), on=today
            )
            for point in sitting.points
        }
        return sitting, staff
