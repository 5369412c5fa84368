"""Before the session: telling the points, testing the lines, connecting, and what still blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from reception.clock import LOCAL
from reception.recordings.steps import FRESH, RESERVED_BYTES, recorder_ready
from reception.sessions import facts, steps
from reception.sessions.media import MediaPool
from storage.database import Work, reading, unit_of_work
from storage.models import (
    Account,
    MediaServer,
    Participant,
    ReceptionSession,
    SessionPoint,
    Unit,
)
from storage.models.base import utc_now
from storage.queries import sessions as queries
from storage.queries.calendar import holiday_table
from storage.queries.units import path_of
from storage.steps import offers, run_of
from storage.subjects import reception_session_subject
from workflows.access import Actor, Decision, Permission, decide, ensure_allowed
from workflows.calendar import DayCell, explain_days
from workflows.errors import BadInput, GateNotMet, NotAllowed, NotFound
from workflows.gates import Gate
from workflows.procedures.model import Offer

LOSS_LIMIT = 10.0  # percent: above it speech falls apart and the test has failed
WEAK_LOSS = 3.0
CHECKS = ("camera", "microphone", "speaker", "media")


@dataclass(frozen=True)
class GateView:
    """A gate with the counted days that explain its last day."""

    gate: Gate
    days: tuple[DayCell, ...]
    missed: bool


@dataclass(frozen=True)
class Machine:
    """The recorder as the ready page shows it."""

    ready: bool
    sentence: str
    media_up: bool
    free_bytes: int | None
    total_bytes: int | None
    needed_bytes: int
    seen_at: datetime | None
    fresh: bool


@dataclass(frozen=True)
class Readiness:
    """Everything the page of the gates shows."""

    sitting: queries.Sitting
    gates: tuple[GateView, ...]
    machine: Machine
    offers: tuple[Offer, ...]
    may_notify: bool
    may_change: bool
    may_test: bool
    may_preside: bool
    may_home_link: bool
    home_link_by: str
    shows_people: bool
    links: Mapping[UUID, str]

    @property
    def blockers(self) -> tuple[GateView, ...]:
        """What still keeps the session from opening, in the order of the gates."""
        return tuple(view for view in self.gates if not view.gate.met)


def readiness(meeting_id: UUID, *, by: Actor, pool: MediaPool, now: datetime) -> Readiness:
    """What stands before opening; `now` is the legal instant. Raises NotAllowed, CalendarGap."""
    with reading() as work:
        db_session = work.db_session
        meeting = work.get(ReceptionSession, meeting_id)
        subject = reception_session_subject(db_session, meeting)
        _ensure_sees(by, subject)
        sitting = queries.sitting(db_session, meeting)
        servers = db_session.query(MediaServer).order_by(MediaServer.seen_at.desc()).all()
        recorder = recorder_ready(db_session)
        run = run_of(work, "SES", reception_session_id=meeting.id)
        known = facts.move_facts(sitting, reason_given=True, incident_note=True)
        offered = offers(work, run, on=facts.local_day(now), facts=known)
        holidays = holiday_table(db_session)
        decider = meeting.home_link_decided_by
        home_link_by = work.get(Account, decider).display_name if decider else ""
    media_up = pool.of(servers[0]).is_up() if servers else pool.nearest.is_up()
    with reading() as work:
        gates = facts.gates_of(work.db_session, sitting, media_up=media_up)
    order = ("points-notice", "link-test", "points-connected", "denunciation", "recorder-running")
    views = [_gate_view(gate, sitting, holidays, now) for gate in gates]
    runs = by.account_id in (meeting.presiding_id, meeting.clerk_id)
    own = subject.unit_path in by.unit_paths
    return Readiness(
        sitting=sitting,
        gates=tuple(sorted(views, key=lambda view: order.index(view.gate.name))),
        machine=_machine(recorder, servers[0] if servers else None, media_up),
        offers=offered,
        may_notify=bool(decide(by, Permission.SESSION_NOTIFY, subject)),
        may_change=bool(decide(by, Permission.SESSION_SCHEDULE, subject)),
        may_test=bool(decide(by, Permission.SESSION_TEST_POINT, subject)),
        may_preside=bool(decide(by, Permission.SESSION_CHAIR, subject)) and (runs or own),
        may_home_link=bool(decide(by, Permission.SESSION_HOME_LINK, subject)),
        home_link_by=home_link_by,
        shows_people=bool(decide(by, Permission.SESSION_SEE, subject)),
        links=_links(sitting) if own or runs else {},
    )


def _ensure_sees(by: Actor, subject: Any) -> None:
    """Technicians see equipment only, everybody else by the right to see sessions."""
    if not decide(by, Permission.SESSION_TEST_POINT, subject):
        ensure_allowed(by, Permission.SESSION_SEE, subject)


def _links(sitting: queries.Sitting) -> dict[UUID, str]:
    return {
        person.id: steps.join_path(person.id) for person in sitting.participants if person.join_hash
    }


def _gate_view(gate: Gate, sitting: queries.Sitting, holidays: Any, now: datetime) -> GateView:
    starts_on = facts.local_day(sitting.meeting.starts_at)
    days: tuple[DayCell, ...] = ()
    if gate.due_on is not None and gate.due_at is None:
        days = explain_days(starts_on, gate.due_on, holidays)
    return GateView(gate, days[::-1], missed=not gate.met and _is_past(gate, now))


def _is_past(gate: Gate, now: datetime) -> bool:
    if gate.due_at is not None:
        return now > gate.due_at
    return gate.due_on is not None and now.astimezone(LOCAL).date() > gate.due_on


def _machine(recorder: tuple[bool, str], server: MediaServer | None, media_up: bool) -> Machine:
    ready, sentence = recorder
    return Machine(
        ready=ready and media_up,
        sentence=sentence if ready is False or media_up else "",
        media_up=media_up,
        free_bytes=server.spool_free_bytes if server else None,
        total_bytes=server.spool_total_bytes if server else None,
        needed_bytes=RESERVED_BYTES,
        seen_at=server.seen_at if server else None,
        fresh=bool(server and server.seen_at > utc_now() - FRESH),
    )


def notify_points(meeting_id: UUID, *, by: Actor, now: datetime) -> None:
    """Tell every point that was not told yet and put the invitations out. `now` is legal."""
    with unit_of_work() as work:
        meeting = steps.lock(work, meeting_id)
        subject = reception_session_subject(work.db_session, meeting)
        ensure_allowed(by, Permission.SESSION_NOTIFY, subject)
        sitting = queries.sitting(work.db_session, meeting)
        _ensure_in_time(work, sitting, now)
        for point in sitting.points:
            if point.notified_at is None:
                point.notified_at = now
                work.tell(
                    "session.points_notice",
                    point,
                    {"reception_session": str(meeting.id), "point": str(point.id)},
                    key=f"points-notice:{point.id}:{meeting.starts_at.isoformat()}",
                )
                steps.tell_presence(work, meeting.id, "point_notified", point=str(point.id))
        meeting.notified_on = facts.local_day(now)
        known = facts.move_facts(sitting)
        if meeting.state == "SCHEDULED":
            _move(work, sitting, "notify", known, by=by, now=now)


def _ensure_in_time(work: Work, sitting: queries.Sitting, now: datetime) -> None:
    """Telling the points too late opens no session: say so while it can still be moved."""
    gates = facts.gates_of(work.db_session, sitting, media_up=True)
    notice = next(gate for gate in gates if gate.name == "points-notice")
    if not notice.met and _is_past(notice, now):
        raise GateNotMet(
            f"Đã quá hạn báo các điểm cầu ({notice.due_on:%d/%m/%Y}). "
            "Hãy đổi lịch hoặc mời tiếp trực tiếp.",
            gates=(notice.name,),
        )


def _move(
    work: Work, sitting: queries.Sitting, event: str, known: Any, *, by: Actor, now: datetime
) -> None:
    steps.move(
        work,
        sitting,
        event,
        on=facts.local_day(now),
        facts=known,
        by=by,
        starts_on=facts.local_day(sitting.meeting.starts_at),
    )


# --- at a point ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class PointPage:
    """What the officer of one point sees: the point, who sits there, what is still open."""

    sitting: queries.Sitting
    point: SessionPoint
    people: tuple[Participant, ...]
    me: Participant | None
    due_at: datetime
    title_only: bool


def _own_point(work: Work, sitting: queries.Sitting, point_id: UUID, by: Actor) -> SessionPoint:
    """A point the actor may work at: of the actor's unit, or of the unit that holds the session.

    Raises NotFound for another unit's point: a point sees its own state only.
    """
    point = next((point for point in sitting.points if point.id == point_id), None)
    if point is None:
        raise NotFound
    subject = reception_session_subject(work.db_session, sitting.meeting)
    ensure_allowed(by, Permission.SESSION_TEST_POINT, subject)
    path = path_of(work.get(Unit, point.unit_id))
    me = sitting.of_account(by.account_id)
    seated = me is not None and me.point_id == point.id
    if not seated and not {path, subject.unit_path} & set(by.unit_paths):
        raise NotAllowed(Decision(allowed=False, reason="Điểm cầu của đơn vị khác.", hidden=True))
    return point


def own_points(sitting: queries.Sitting, by: Actor, *, paths: Mapping[UUID, Any]) -> list[UUID]:
    """Ids of the points the actor may work at."""
    me = sitting.of_account(by.account_id)
    return [
        point.id
        for point in sitting.points
        if paths[point.id] in by.unit_paths or (me is not None and me.point_id == point.id)
    ]


def point_page(meeting_id: UUID, point_id: UUID, *, by: Actor) -> PointPage:
    """The point as its officer or technician sees it."""
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        sitting = queries.sitting(work.db_session, meeting)
        point = _own_point(work, sitting, point_id, by)
        subject = reception_session_subject(work.db_session, meeting)
        gates = facts.gates_of(work.db_session, sitting, media_up=True)
        due = next(gate.due_at for gate in gates if gate.name == "points-connected")
        return PointPage(
            sitting=sitting,
            point=point,
            people=sitting.at(point.id),
            me=sitting.of_account(by.account_id),
            due_at=due or meeting.starts_at,
            title_only=not decide(by, Permission.SESSION_SEE, subject),
        )


def point_of(meeting_id: UUID, *, by: Actor) -> UUID:
    """The point this person works at in a session: the own seat, else a point of the own unit."""
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        sitting = queries.sitting(work.db_session, meeting)
        ensure_allowed(
            by,
            Permission.SESSION_TEST_POINT,
            reception_session_subject(work.db_session, meeting),
        )
        me = sitting.of_account(by.account_id)
        if me is not None:
            return me.point_id
        for point in sitting.points:
            if path_of(work.get(Unit, point.unit_id)) in by.unit_paths:
                return point.id
        return sitting.central.id


def passed(result: Mapping[str, Any]) -> bool:
    """Whether a test is good enough: picture, sound, and speech that does not fall apart."""
    loss = result.get("loss")
    works = all(result.get(check) == "ok" for check in ("camera", "microphone", "media"))
    return works and (loss is None or loss <= LOSS_LIMIT)


def record_link_test(
    meeting_id: UUID, point_id: UUID, result: Mapping[str, Any], *, by: Actor, now: datetime
) -> bool:
    """Keep what the browser of a point measured; returns whether the point passed. `now` is legal.

    When every point has passed, the session's procedure moves on.
    """
    with unit_of_work() as work:
        meeting = steps.lock(work, meeting_id)
        sitting = queries.sitting(work.db_session, meeting)
        point = _own_point(work, sitting, point_id, by)
        good = passed(result)
        _keep_test(point, result, good=good, by=by, now=now)
        work.audit("link_tested", point, by=by.account_id, passed=good)
        if meeting.state == "NOTIFIED" and facts.move_facts(sitting).links_tested:
            meeting.tested_on = facts.local_day(now)
            _move(work, sitting, "link_test", facts.move_facts(sitting), by=by, now=now)
        return good


def _keep_test(
    point: SessionPoint, result: Mapping[str, Any], *, good: bool, by: Actor, now: datetime
) -> None:
    """The first test that was passed stays the one that counts; later ones stand beside it."""
    measured = {**_clean(result), "at": now.isoformat()}
    if (point.test_result or {}).get("passed"):
        point.test_result = {**(point.test_result or {}), "latest": measured}
        return
    point.test_result = {**measured, "passed": good}
    point.tested_at, point.tested_by = now, by.account_id


def _clean(result: Mapping[str, Any]) -> dict[str, Any]:
    """Only the known words and numbers of what a browser sent."""
    words = {
        check: str(result.get(check, ""))[:20] for check in CHECKS if result.get(check) is not None
    }
    numbers = {
        name: round(float(result[name]), 1)
        for name in ("loss", "rtt_ms", "kbps_up", "kbps_down")
        if isinstance(result.get(name), int | float)
    }
    return {**words, **numbers}


def connect_point(meeting_id: UUID, point_id: UUID, *, by: Actor, now: datetime) -> None:
    """The officer says: this point is connected and ready. `now` is legal; the first time counts.

    Raises BadInput while the point was never tested.
    """
    with unit_of_work() as work:
        meeting = steps.lock(work, meeting_id)
        sitting = queries.sitting(work.db_session, meeting)
        point = _own_point(work, sitting, point_id, by)
        if not (point.test_result or {}).get("passed"):
            raise BadInput({"point": "Thử đường truyền đạt đã, rồi hãy báo sẵn sàng."})
        if point.connected_at is None:
            point.connected_at = now
            steps.tell_presence(work, meeting.id, "point_connected", point=str(point.id))
            work.audit("point_connected", point, by=by.account_id)
        known = facts.move_facts(sitting)
        if meeting.state == "TESTED" and known.all_points_connected:
            meeting.points_connected_at = now
            _move(work, sitting, "connect_points", known, by=by, now=now)


def check_identity(meeting_id: UUID, participant_id: UUID, *, by: Actor) -> None:
    """The officer at a point has compared papers with the person who sits there.

    Source: NĐ 154/2026/NĐ-CP, Điều 12.
    """
    with unit_of_work() as work:
        meeting = steps.lock(work, meeting_id)
        sitting = queries.sitting(work.db_session, meeting)
        person = next((p for p in sitting.participants if p.id == participant_id), None)
        if person is None:
            raise NotFound
        _own_point(work, sitting, person.point_id, by)
        subject = reception_session_subject(work.db_session, meeting)
        ensure_allowed(by, Permission.SESSION_SEE, subject)  # an officer, not who tests the line
        if person.identity_checked_at is None:
            person.identity_checked_at = utc_now()
            work.audit("identity_checked", person, by=by.account_id)


def invitation(
    meeting_id: UUID, point_id: UUID, *, by: Actor
) -> tuple[queries.Sitting, SessionPoint, dict[UUID, str]]:
    """What the paper invitation of a point says, with the links of those without a log-in."""
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        ensure_allowed(
            by, Permission.SESSION_NOTIFY, reception_session_subject(work.db_session, meeting)
        )
        sitting = queries.sitting(work.db_session, meeting)
        point = next((point for point in sitting.points if point.id == point_id), None)
        if point is None:
            raise NotFound
        return sitting, point, _links(sitting)


def today_of(now: datetime) -> date:
    """The local day of a legal instant."""
    return facts.local_day(now)
