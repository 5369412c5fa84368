"""Prepares reception sessions for tests: people, a petition that waits, a scheduled session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient

from reception.clock import LOCAL, legal_now, move_clock
from reception.media_gateway import MediaRoom
from reception.petitions.steps import NewPetition, register_petition
from reception.recordings import steps as recordings
from reception.sessions import (
    conduct_operations,
    facts,
    home_link_operations,
    ready_operations,
    schedule_operations,
    steps,
)
from reception.sessions.blueprint import pool
from reception.sessions.schedule_operations import Plan, PlannedPoint, PlannedVisit
from reception.sessions.visits import Answer
from storage.database import reading, unit_of_work
from storage.identities import PersonData, prepare_vault
from storage.models import MediaServer, Participant, ReceptionSession, Recording, Segment
from storage.models.base import utc_now
from storage.queries import sessions as queries
from storage.runtime import runtime
from tests.support.factories import COMMUNE, OTHER_COMMUNE, PROVINCE, Factories, Officer
from workflows.access import Role

GOOD_LINE = {"camera": "ok", "microphone": "ok", "speaker": "ok", "media": "ok", "loss": 0.4}


def local(day: int, hour: int = 8, minute: int = 0, *, month: int = 11) -> datetime:
    """An instant in the November in which the tests take place (24/11/2026 is a holiday)."""
    return datetime(2026, month, day, hour, minute, tzinfo=LOCAL)


def set_clock(to: datetime) -> None:
    """Let the legal clock show `to` from now on."""
    move_clock(to=to, by=None)


@dataclass
class Cast:
    """Everybody of a session between the province and two communes."""

    chair: Officer
    clerk: Officer
    commune: Officer
    other: Officer
    petition_id: UUID

    @classmethod
    def gather(cls, factories: Factories, *, kind: str = "complaint", **more: Any) -> Cast:
        set_clock(local(17))
        return cls(
            chair=factories.officer(Role.PROVINCIAL_CHAIR, PROVINCE, "Lê Minh Khôi"),
            clerk=factories.officer(Role.BOARD_OFFICER, PROVINCE, "Trần Thị Mai"),
            commune=factories.officer(Role.COMMUNE_OFFICER, COMMUNE, "Nguyễn Văn Phúc"),
            other=factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE, "Hoàng Anh Dũng"),
            petition_id=petition(factories, kind=kind, **more),
        )


def petition(factories: Factories, *, kind: str = "complaint", **more: Any) -> UUID:
    """A petition of Điểu Minh that waits for an online reception."""
    unit = factories.unit_id(COMMUNE)
    if kind == "denunciation":
        prepare_vault()
    new = NewPetition(
        kind=kind,
        content="Đề nghị xem lại quyết định thu hồi thửa đất số 112 của gia đình tôi.",
        received_on=date(2026, 11, 2),
        receiving_unit_id=unit,
        holder_unit_id=factories.unit_id(PROVINCE),
        place_unit_id=unit,
        submitter=PersonData(name="Điểu Minh", address="Thôn 3", citizen_id="075061000001"),
        wants_online=True,
        signing="photo",
        signed_on=date(2026, 11, 2),
        idempotency_key=f"petition-{utc_now().isoformat()}",
    )
    with unit_of_work() as work:
        return register_petition(work, replace(new, **more), by=None).petition.id


def plan(factories: Factories, cast: Cast, **more: Any) -> Plan:
    """A session on Thursday 26/11/2026, 08:00, central point and two communes."""
    return replace(
        Plan(
            title="Phiên tiếp công dân 12/2026",
            kind="periodic",
            reason_code="complex-multi-agency",
            reason_text="",
            starts_at=local(26),
            planned_end_at=local(26, 10),
            central=PlannedPoint(factories.unit_id(PROVINCE), "Phòng 1", "0251 000 0251"),
            components=(
                PlannedPoint(factories.unit_id(COMMUNE), "Hội trường"),
                PlannedPoint(factories.unit_id(OTHER_COMMUNE)),
            ),
            visits=(PlannedVisit(cast.petition_id),),
            presiding_id=cast.chair.account_id,
            clerk_id=cast.clerk.account_id,
            idempotency_key="one-session",
            home_link_proposal="Người cao tuổi ở xa",
        ),
        **more,
    )


def schedule(factories: Factories, cast: Cast, **more: Any) -> UUID:
    """A scheduled session; what was proposed about joining from home the chair has allowed."""
    planned = plan(factories, cast, **more)
    today = facts.local_day(legal_now())
    made = schedule_operations.schedule_session(planned, by=cast.clerk.actor, today=today)
    if planned.home_link_proposal:
        why = planned.home_link_proposal
        home_link_operations.allow(made, reason=why, by=cast.chair.actor)
    return made


def sitting(meeting_id: UUID) -> queries.Sitting:
    """The session as it stands."""
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        return queries.sitting(work.db_session, meeting)


def participant(meeting_id: UUID, part: str) -> Participant:
    """The first participant who plays a part."""
    return next(p for p in sitting(meeting_id).participants if p.part == part)


def make_ready(meeting_id: UUID, cast: Cast) -> None:
    """Walk through the three gates in time."""
    by = cast.clerk.actor
    ready_operations.notify_points(meeting_id, by=by, now=local(17, 9))
    for point in sitting(meeting_id).points:
        ready_operations.record_link_test(meeting_id, point.id, GOOD_LINE, by=by, now=local(25, 9))
        ready_operations.connect_point(meeting_id, point.id, by=by, now=local(26, 6, 40))


def open_without_media(meeting_id: UUID, cast: Cast) -> UUID:
    """Put a ready session into the state that opening leaves, with a segment nobody records yet.

    For pages and rules; opening itself is tested with the real media server.
    """
    set_clock(local(26, 8))
    recordings.prepare_keys()
    with unit_of_work() as work:
        work.db_session.merge(
            MediaServer(
                name="janus-1",
                http_url="http://127.0.0.1:9/janus",
                ws_url="ws://127.0.0.1:9",
                spool_dir=str(runtime().spool_dir / "rooms"),
                spool_total_bytes=8 * 10**9,
                spool_free_bytes=7 * 10**9,
                seen_at=utc_now(),
            )
        )
        now_sitting = queries.sitting(work.db_session, work.get(ReceptionSession, meeting_id))
        meeting = now_sitting.meeting
        meeting.notice_given_at = meeting.opened_at = local(26, 8)
        steps.move(
            work,
            now_sitting,
            "open",
            on=date(2026, 11, 26),
            facts=facts.move_facts(
                now_sitting,
                gates_met=True,
                recorder_running=True,
                identities_checked=True,
                chair_present=True,
            ),
            by=cast.chair.actor,
            starts_on=date(2026, 11, 26),
        )
        recording = recordings.begin_recording(work, meeting, by=cast.chair.account_id)
        work.flush()
        room = MediaRoom.new(runtime().spool_dir / "rooms")
        segment = recordings.begin_segment(work, recording, room=room, media_server="janus-1")
        for person in now_sitting.participants:
            if person.part in ("chair", "clerk"):
                person.state, person.admitted_at = "admitted", utc_now()
        return segment.id


def let_in(meeting_id: UUID, cast: Cast, part: str = "citizen") -> None:
    """The clerk has seen the papers of who waits outside and lets them in."""
    conduct_operations.admit(
        meeting_id, participant(meeting_id, part).id, papers_seen=True, by=cast.clerk.actor
    )


HEARD = Answer(heard=True)


def end(meeting_id: UUID, cast: Cast, *answers: Answer, nobody: str = "") -> None:
    """The chair ends it at nine, with an answer for each visit in the order of the agenda."""
    agenda = sitting(meeting_id).agenda
    conduct_operations.end_session(
        meeting_id,
        typed="kết thúc",
        answers={item.id: answer for item, answer in zip(agenda, answers, strict=False)},
        nobody=nobody,
        by=cast.chair.actor,
        pool=pool(),
        now=local(26, 9),
    )


def light_lamp(segment_id: UUID, *, seconds_ago: float = 1.0, chunks: int = 12) -> None:
    """Say what the sealer would say of a segment."""
    with unit_of_work() as work:
        segment = work.get(Segment, segment_id)
        segment.chunks, segment.sealed_bytes = chunks, chunks * 40_000
        segment.last_sealed_at = utc_now() - timedelta(seconds=seconds_ago)


def recording_of(meeting_id: UUID) -> Recording | None:
    """The recording of a session."""
    with reading() as work:
        return (
            work.db_session.query(Recording)
            .filter(Recording.reception_session_id == meeting_id)
            .one_or_none()
        )


def token_of(meeting_id: UUID, part: str = "citizen") -> str:
    """The personal link's secret of the first participant of a part."""
    return steps.join_token(participant(meeting_id, part).id)


def wait_outside(client: FlaskClient, meeting_id: UUID, part: str = "citizen") -> str:
    """Go into the waiting room by the personal link; returns its token."""
    token = token_of(meeting_id, part)
    answer = client.post(f"/vao-phong/{token}", data={"notice": "1", "camera": "ok"})
    assert answer.status_code == 303
    return token
