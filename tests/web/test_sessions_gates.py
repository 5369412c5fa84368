"""The three gates on both sides of their last moment; the clock moves, 24/11/2026 is a holiday."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storage.database import reading
from storage.models import Deadline, MediaServer, OutboxMessage, ProcedureRun
from storage.models.base import utc_now
from tests.support.factories import COMMUNE, Factories
from tests.support.meetings import (
    GOOD_LINE,
    Cast,
    make_ready,
    schedule,
    set_clock,
    sitting,
)
from tests.support.meetings import local as at
from workflows.access import Role


@pytest.fixture
def meeting_id(scheduled_meeting: UUID) -> UUID:
    return scheduled_meeting


def page_of(client: FlaskClient, meeting_id: UUID) -> str:
    answer = client.get(f"/phien/{meeting_id}/chuan-bi")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_gates_are_counted_back_over_the_holiday(meeting_id: UUID) -> None:
    with reading() as work:
        run = work.db_session.query(ProcedureRun).filter_by(procedure="SES").one()
        terms = {
            term.name: term.last_day_on
            for term in work.db_session.query(Deadline).filter_by(run_id=run.id)
        }
    assert terms["points-notice"].isoformat() == "2026-11-18"
    assert terms["link-test"].isoformat() == "2026-11-25"


@pytest.mark.parametrize(
    ("told", "status", "state"),
    [(at(18, 23, 59), 303, "NOTIFIED"), (at(19, 0, 1), 409, "SCHEDULED")],
    ids=["last minute of the fifth working day before", "a minute too late"],
)
def test_points_are_told_in_time_or_not_at_all(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID,
    told: object, status: int, state: str,
) -> None:  # fmt: skip
    set_clock(told)  # type: ignore[arg-type]  # an aware instant
    answer = factories.log_in(client, cast.clerk).post(f"/phien/{meeting_id}/bao-diem-cau")
    assert answer.status_code == status
    held = sitting(meeting_id)
    assert held.meeting.state == state
    assert all(bool(point.notified_at) == (status == 303) for point in held.points)
    if status == 409:
        assert "đổi lịch" in answer.get_data(as_text=True)


def test_each_point_gets_a_notice_without_personal_data(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.clerk)
    page.post(f"/phien/{meeting_id}/bao-diem-cau")
    page.post(f"/phien/{meeting_id}/bao-diem-cau")
    with reading() as work:
        sent = work.db_session.query(OutboxMessage).filter_by(topic="session.points_notice").all()
    assert len(sent) == 3
    assert all(set(message.payload) == {"reception_session", "point"} for message in sent)


@pytest.mark.parametrize(
    ("tested", "gate"),
    [(at(25, 17), "link-test:met"), (at(26, 7), "link-test:missed")],
    ids=["one working day before", "on the day itself"],
)
def test_link_test_counts_only_one_working_day_before(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID,
    tested: object, gate: str,
) -> None:  # fmt: skip
    page = factories.log_in(client, cast.clerk)
    page.post(f"/phien/{meeting_id}/bao-diem-cau")
    set_clock(tested)  # type: ignore[arg-type]  # an aware instant
    for point in sitting(meeting_id).points:
        answer = page.post(f"/phien/{meeting_id}/thu-duong-truyen/{point.id}", json=GOOD_LINE)
        assert answer.get_json() == {"passed": True}
    assert sitting(meeting_id).meeting.state == "TESTED"
    assert gate in page_of(page, meeting_id)


def test_later_test_never_takes_a_passed_one_away(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    make_ready(meeting_id, cast)
    set_clock(at(26, 7, 30))
    page = factories.log_in(client, cast.clerk)
    point = sitting(meeting_id).points[1]
    bad = {**GOOD_LINE, "loss": 22.5}
    answer = page.post(f"/phien/{meeting_id}/thu-duong-truyen/{point.id}", json=bad)
    assert answer.get_json() == {"passed": False}
    kept = sitting(meeting_id).points[1]
    assert kept.test_result is not None
    assert kept.test_result["passed"] is True
    assert kept.test_result["latest"]["loss"] == 22.5
    assert "link-test:met" in page_of(page, meeting_id)


@pytest.mark.parametrize(
    "broken",
    [{"camera": "refused"}, {"microphone": "missing"}, {"media": "unreachable"}, {"loss": 12}],
)
def test_test_is_not_passed_without_picture_sound_and_line(
    client: FlaskClient,
    factories: Factories,
    cast: Cast,
    meeting_id: UUID,
    broken: dict[str, object],
) -> None:
    page = factories.log_in(client, cast.clerk)
    point = sitting(meeting_id).points[0]
    answer = page.post(
        f"/phien/{meeting_id}/thu-duong-truyen/{point.id}", json={**GOOD_LINE, **broken}
    )
    assert answer.get_json() == {"passed": False}


@pytest.mark.parametrize(
    ("connected", "gate"),
    [(at(26, 7), "points-connected:met"), (at(26, 7, 1), "points-connected:missed")],
    ids=["exactly one hour before", "a minute later"],
)
def test_points_connect_one_hour_before(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID,
    connected: object, gate: str,
) -> None:  # fmt: skip
    from reception.sessions import ready_operations

    by = cast.clerk.actor
    ready_operations.notify_points(meeting_id, by=by, now=at(17, 9))
    for point in sitting(meeting_id).points:
        ready_operations.record_link_test(meeting_id, point.id, GOOD_LINE, by=by, now=at(25))
        ready_operations.connect_point(meeting_id, point.id, by=by, now=connected)  # type: ignore[arg-type]  # an aware instant
    set_clock(at(26, 7, 30))
    assert sitting(meeting_id).meeting.state == "READY"
    assert gate in page_of(factories.log_in(client, cast.clerk), meeting_id)


def test_point_says_ready_only_after_a_passed_test(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.commune)
    point = sitting(meeting_id).points[1]
    answer = page.post(f"/phien/{meeting_id}/diem-cau/{point.id}/san-sang")
    assert answer.status_code == 422
    assert "Thử đường truyền" in answer.get_data(as_text=True)


def test_officer_works_at_the_own_point_alone(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.commune)
    own, other = sitting(meeting_id).points[1:]
    assert page.get(f"/phien/{meeting_id}/thu-duong-truyen/{own.id}").status_code == 200
    assert page.get(f"/phien/{meeting_id}/thu-duong-truyen/{other.id}").status_code == 404
    answer = page.post(f"/phien/{meeting_id}/thu-duong-truyen/{other.id}", json=GOOD_LINE)
    assert answer.status_code == 404


def test_technician_sees_equipment_and_title_but_no_citizen(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    technician = factories.officer(Role.POINT_TECHNICIAN, COMMUNE)
    page = factories.log_in(client, technician)
    answer = page.get(f"/phien/{meeting_id}/thu-duong-truyen", follow_redirects=True)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "Phiên tiếp công dân 12/2026" in text
    assert "Điểu Minh" not in text
    assert "Điểu Minh" not in page_of(page, meeting_id)


def test_missed_gate_offers_another_day_and_reception_in_person(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    set_clock(at(19))
    page = page_of(factories.log_in(client, cast.chair), meeting_id)
    assert 'data-gate="points-notice" data-missed="yes"' in page
    assert f"/phien/{meeting_id}/doi-lich" in page
    assert "Tiếp trực tiếp" in page


def test_without_a_recorder_the_page_says_what_still_works(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    make_ready(meeting_id, cast)
    set_clock(at(26, 7, 50))
    page = page_of(factories.log_in(client, cast.chair), meeting_id)
    assert 'data-gate="recorder-running"' in page
    assert "sổ và biên bản vẫn dùng được" in page


def test_session_does_not_open_without_a_running_recorder(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    make_ready(meeting_id, cast)
    set_clock(at(26, 8))
    answer = factories.log_in(client, cast.chair).post(
        f"/phien/{meeting_id}/mo", data={"notice": "1"}
    )
    assert answer.status_code == 409
    assert "Máy ghi chưa chạy" in answer.get_data(as_text=True)
    assert sitting(meeting_id).meeting.state == "READY"


def test_sealer_without_a_media_server_opens_nothing_either(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    from storage.database import unit_of_work

    make_ready(meeting_id, cast)
    set_clock(at(26, 8))
    with unit_of_work() as work:
        work.add(
            MediaServer(
                name="janus-1",
                http_url="http://127.0.0.1:9/janus",
                ws_url="ws://127.0.0.1:9",
                spool_dir="/nowhere",
                spool_total_bytes=8 * 10**9,
                spool_free_bytes=7 * 10**9,
                seen_at=utc_now(),
            )
        )
    page = factories.log_in(client, cast.chair)
    assert page.post(f"/phien/{meeting_id}/mo", data={"notice": "1"}).status_code == 409
    assert "Máy chủ hình, tiếng chưa trả lời" in page_of(page, meeting_id)


def test_session_with_a_missed_gate_does_not_open(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    set_clock(at(26, 8))
    answer = factories.log_in(client, cast.chair).post(
        f"/phien/{meeting_id}/mo", data={"notice": "1"}
    )
    assert answer.status_code == 409
    assert "Báo các điểm cầu" in answer.get_data(as_text=True)


def test_chair_of_a_commune_invited_to_a_point_cannot_open_it(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    leader = factories.officer(Role.COMMUNE_CHAIR, COMMUNE)
    meeting_id = schedule(factories, cast)
    from reception.sessions import schedule_operations

    schedule_operations.invite(
        meeting_id,
        point_id=sitting(meeting_id).points[1].id,
        part="officer",
        name="",
        title="Chủ tịch",
        account_id=leader.account_id,
        by=cast.clerk.actor,
    )
    answer = factories.log_in(client, leader).post(f"/phien/{meeting_id}/mo", data={"notice": "1"})
    assert answer.status_code == 403


def test_turning_in_person_before_opening_needs_a_note_and_ends_the_links(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.chair)
    url = f"/phien/{meeting_id}/tiep-truc-tiep"
    assert page.post(url, data={"note": ""}).status_code == 409
    assert page.post(url, data={"note": "Mất điện toàn xã"}).status_code == 303
    held = sitting(meeting_id)
    assert (held.meeting.state, held.meeting.mode) == ("IN_PERSON", "in_person")


def test_invitation_is_a_pdf_with_a_page_for_the_personal_link(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.clerk)
    point = sitting(meeting_id).points[1]
    answer = page.get(f"/phien/{meeting_id}/giay-moi/{point.id}.pdf")
    assert answer.status_code == 200
    assert answer.data.startswith(b"%PDF")
    assert (
        factories.log_in(client, cast.commune)
        .get(f"/phien/{meeting_id}/giay-moi/{point.id}.pdf")
        .status_code
        == 403
    )


def test_demo_clock_jumps_to_the_next_gate(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    from reception.clock import legal_now

    page = factories.log_in(client, cast.clerk)
    text = page_of(page, meeting_id)
    assert at(25).isoformat() in text
    answer = page.post("/dong-ho-trai-nghiem", data={"to": at(25).isoformat(), "next": "/phien"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/phien")
    assert abs((legal_now() - at(25)).total_seconds()) < 5
    page.post("/trinh-dien/dong-ho", data={"step": "5w"})
    assert legal_now().astimezone(at(25).tzinfo).date().isoformat() == "2026-12-02"
    page.post("/trinh-dien/dong-ho", data={"step": "reset"})
    assert abs((legal_now() - utc_now()).total_seconds()) < 5


def test_clock_does_not_move_when_the_system_is_in_earnest(app: Flask, client: FlaskClient) -> None:
    from dataclasses import replace

    app.extensions["settings"] = replace(app.extensions["settings"], profile="production")
    assert client.post("/dong-ho-trai-nghiem", data={"step": "1d"}).status_code == 404
