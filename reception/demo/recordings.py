"""Two sessions that were held: walked through every gate, really sealed from synthesised media."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select

from reception.clock import LOCAL
from reception.demo.staff import COMMUNE_C, WARD_A, Hired
from reception.desk.steps import NewLine, write_line
from reception.recordings.rehearsal import Presence, Stretch, rehearse
from reception.settings import settings
from storage.database import Work, reading, unit_of_work
from storage.identities import seal_field
from storage.media.synthesis import synthesise_mjr
from storage.models import (
    AgendaItem,
    Marker,
    Participant,
    Petition,
    ReceptionSession,
    SessionPoint,
    Unit,
)
from storage.models.base import new_id
from storage.queries.calendar import holiday_table
from storage.runtime import runtime
from storage.steps import record, run_of, start_run
from workflows.calendar import working_days_before
from workflows.codes import CodeKind, make_code
from workflows.procedures.guards import Facts

LENGTH_S = 40
SEATS = (("chair", "darkred", 330), ("citizen", "teal", 440), ("officer", "midnightblue", 550))


@dataclass(frozen=True)
class Held:
    """One session to be: how many working days ago, where, about what."""

    days_ago: int
    commune: str
    department: str
    title: str
    notes: tuple[tuple[int, str, str], ...]


SESSIONS = (
    Held(
        34,
        WARD_A,
        "75-SNNMT",
        "Tiếp công dân định kỳ tháng trước: bồi thường đường vành đai 3",
        (
            (4, "note", "Công bố thành phần, thông báo phiên được ghi âm, ghi hình"),
            (12, "turn", "Đại diện hộ dân trình bày việc kiểm đếm thiếu"),
            (24, "exhibit", "Trình Quyết định, trang 2"),
            (33, "instruction", "Chủ trì giao Sở kiểm đếm lại, xong trong 15 ngày"),
        ),
    ),
    Held(
        12,
        COMMUNE_C,
        "75-SNNMT",
        "Tiếp công dân qua phiên dịch: ranh giới đất thôn 3",
        (
            (5, "note", "Kiểm tra danh tính, có phiên dịch S'tiêng"),
            (15, "turn", "Bà con trình bày qua phiên dịch"),
            (30, "instruction", "Giao xã Bom Bo đo lại ranh 6 thửa"),
        ),
    ),
)


def seal_demo_recordings(staff: dict[str, Hired], today: date) -> list[UUID]:
    """Hold both sessions in the past and seal what was recorded; returns the recordings."""
    return [_hold(held, staff, today) for held in SESSIONS]


def _hold(held: Held, staff: dict[str, Hired], today: date) -> UUID:
    with reading() as work:
        day = working_days_before(today, held.days_ago, holiday_table(work.db_session))
    began = datetime.combine(day, time(8, 0), tzinfo=LOCAL)
    with unit_of_work() as work:
        meeting, people = _arrange(work, held, staff, began)
        _walk_to_open(work, meeting, day)
    recording_id = rehearse(
        settings(), meeting.id, [_stretch(people, began)], by=meeting.presiding_id
    )
    with unit_of_work() as work:
        _keep_notes(work, held, meeting, began)
        _walk_to_recorded(work, work.get(ReceptionSession, meeting.id), held, day)
    return recording_id


def _arrange(
    work: Work, held: Held, staff: dict[str, Hired], began: datetime
) -> tuple[ReceptionSession, list[UUID]]:
    units = {unit.code: unit for unit in work.db_session.scalars(select(Unit))}
    central = units["75"]
    meeting = work.add(
        ReceptionSession(
            code=make_code(CodeKind.RECEPTION_SESSION, secrets.token_bytes(5)),
            title=held.title,
            kind="periodic",
            mode="online",
            reason_code="complex-multi-agency",
            unit_id=central.id,
            presiding_id=staff["chu-tich"].account_id,
            clerk_id=staff["ban-tcd"].account_id,
            starts_at=began,
            planned_end_at=began + timedelta(hours=2),
            opened_at=began,
            ended_at=began + timedelta(seconds=LENGTH_S),
            points_connected_at=began - timedelta(minutes=75),
            notice_given_at=began,
            state="START",
            idempotency_key=new_id().hex,
        )
    )
    work.flush()
    points = []
    for seat, (kind, code) in enumerate(
        (("central", "75"), ("component", held.commune), ("component", held.department)), 1
    ):
        point = work.add(
            SessionPoint(
                reception_session_id=meeting.id,
                kind=kind,
                unit_id=units[code].id,
                name=units[code].full_name,
                seat=seat,
                notified_at=began - timedelta(days=9),
                tested_at=began - timedelta(days=2),
                connected_at=began - timedelta(minutes=75),
            )
        )
        points.append(point)
    work.flush()
    _agenda(work, held, meeting, units)
    return meeting, _seat(work, staff, meeting, points)


def _agenda(work: Work, held: Held, meeting: ReceptionSession, units: dict[str, Unit]) -> None:
    petition = work.db_session.scalars(
        select(Petition)
        .where(
            Petition.place_unit_id == units[held.commune].id,
            Petition.kind == "complaint",
            Petition.case_id.is_not(None),
            Petition.received_on < meeting.starts_at.date() - timedelta(days=10),
        )
        .order_by(Petition.received_on.desc())
        .limit(1)
    ).one_or_none()
    work.add(
        AgendaItem(
            reception_session_id=meeting.id,
            seq=1,
            petition_id=petition.id if petition else None,
            case_id=petition.case_id if petition else None,
            title=petition.title if petition else held.title,
            planned_minutes=25,
            started_at=meeting.opened_at,
            ended_at=meeting.ended_at,
        )
    )


def _seat(
    work: Work,
    staff: dict[str, Hired],
    meeting: ReceptionSession,
    points: list[SessionPoint],
) -> list[UUID]:
    accounts = (staff["chu-tich"].account_id, None, staff["so-nnmt"].account_id)
    shown = ("Phạm Quốc Hưng", "Người đến tiếp số 1", "Vũ Đình Hải")
    people = []
    for (part, _, _), point, account_id, name in zip(SEATS, points, accounts, shown, strict=True):
        row_id = new_id()
        work.add(
            Participant(
                id=row_id,
                reception_session_id=meeting.id,
                point_id=point.id,
                part=part,
                account_id=account_id,
                name_sealed=seal_field("participant", "name", row_id, name),
                state="left",
                notice_seen_at=meeting.opened_at,
                admitted_at=meeting.opened_at,
                identity_checked_at=meeting.opened_at,
            )
        )
        people.append(row_id)
    return people


def _stretch(people: list[UUID], began: datetime) -> Stretch:
    scratch = runtime().spool_dir / "synthesis"
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    presences = []
    try:
        for person, (part, colour, tone) in zip(people, SEATS, strict=True):
            made = synthesise_mjr(
                tone,
                colour,
                LENGTH_S,
                scratch=scratch,
                size="240x180",
                frames_per_second=10,
                label=part,
            )
            presences.append(Presence(person, made.audio_mjr, made.video_mjr, began))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Stretch(tuple(presences), timedelta(seconds=LENGTH_S))


_READY = Facts(
    reason_code="complex-multi-agency",
    secrecy_confirmed=True,
    points_set=True,
    points_notified=True,
    links_tested=True,
    all_points_connected=True,
    gates_met=True,
    recorder_running=True,
    recording_notice_given=True,
    identities_checked=True,
    chair_present=True,
    minutes_read_back=True,
    recordings_sealed=True,
    book_entry=True,
)


def _walk(
    work: Work, meeting: ReceptionSession, steps: tuple[tuple[str, int], ...], day: date
) -> None:
    holidays = holiday_table(work.db_session)
    run = run_of(work, "SES", reception_session_id=meeting.id)
    for event, days_before in steps:
        on = working_days_before(day, days_before, holidays) if days_before else day
        record(
            work,
            run,
            event,
            on=on,
            facts=_READY,
            by=meeting.clerk_id,
            dates={"reception_session": day},
        )


def _walk_to_open(work: Work, meeting: ReceptionSession, day: date) -> None:
    start_run(work, "SES", unit_id=meeting.unit_id, reception_session_id=meeting.id)
    meeting.notified_on = day - timedelta(days=9)
    meeting.tested_on = day - timedelta(days=2)
    _walk(
        work,
        meeting,
        (
            ("request", 9),
            ("classify", 9),
            ("schedule", 8),
            ("notify", 7),
            ("link_test", 2),
            ("connect_points", 0),
            ("open", 0),
            ("end", 0),
        ),
        day,
    )


def _walk_to_recorded(work: Work, meeting: ReceptionSession, held: Held, day: date) -> None:
    item = work.db_session.scalars(
        select(AgendaItem).where(AgendaItem.reception_session_id == meeting.id)
    ).one()
    write_line(
        work,
        NewLine(
            unit_id=meeting.unit_id,
            on=day,
            kind="complaint",
            outcome="heard",
            content=item.title,
            visitor="Người đến tiếp số 1",
            received_by=meeting.presiding_id,
            idempotency_key=f"demo-{meeting.id}",
            reception_session_id=meeting.id,
            petition_id=item.petition_id,
            mode="online",
            by_head=True,
            follow_up=held.notes[-1][2],
        ),
        by=meeting.presiding_id,
    )
    _walk(work, meeting, (("minute", 0), ("seal", 0), ("record", 0)), day)


def _keep_notes(work: Work, held: Held, meeting: ReceptionSession, began: datetime) -> None:
    for after_s, kind, text in held.notes:
        row_id = new_id()
        work.add(
            Marker(
                id=row_id,
                reception_session_id=meeting.id,
                at=began + timedelta(seconds=after_s),
                kind=kind,
                text_sealed=seal_field("marker", "text", row_id, text),
                author_id=meeting.clerk_id,
                idempotency_key=new_id().hex,
            )
        )
