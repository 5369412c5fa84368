"""Minutes after the session: editions, read back, signed, printed."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from flask import render_template
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from reception.sessions import minutes_operations
from reception.sessions.jobs import HANDLERS
from reception.sessions.steps import add_participant
from storage.database import reading, unit_of_work
from storage.identities import PersonData, keep_person, open_field
from storage.jobs import run_one
from storage.models import Minutes, Recording, SessionPoint, Visit
from tests.support.factories import Factories
from tests.support.meetings import (
    HEARD,
    Cast,
    end,
    let_in,
    make_ready,
    open_without_media,
    participant,
    schedule,
    set_clock,
    sitting,
    wait_outside,
)
from tests.support.meetings import local as at
from workflows.errors import BadInput


@pytest.fixture
def meeting_id(ended_meeting: UUID) -> UUID:
    return ended_meeting


def lines() -> list[Visit]:
    """The lines of the book, in order."""
    with reading() as work:
        return list(work.db_session.query(Visit).order_by(Visit.number))


def texts(page: str) -> list[str]:
    return re.findall(r'name="text"[^>]*>([^<]*)</textarea>', page)


def test_each_saved_text_is_an_edition_that_stays(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.clerk)
    url = f"/phien/{meeting_id}/bien-ban"
    shown = page.get(url).get_data(as_text=True)
    assert "mở lúc 08:00 ngày 26/11/2026" in shown.lower()
    data = {"edition": "1", "heading": ["Thành phần"], "text": ["Đã sửa tay"]}
    assert page.post(url, data=data).status_code == 303
    assert texts(page.get(url).get_data(as_text=True)) == ["Đã sửa tay"]
    with reading() as work:
        assert sorted(m.edition for m in work.db_session.query(Minutes)) == [1, 2]


def test_saving_over_somebody_else_s_edition_is_refused(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.clerk)
    url = f"/phien/{meeting_id}/bien-ban"
    page.post(url, data={"edition": "1", "heading": ["A"], "text": ["một"]})
    answer = page.post(url, data={"edition": "1", "heading": ["A"], "text": ["hai"]})
    assert answer.status_code == 409


def test_minutes_read_back_move_the_session_on_and_are_not_changed_any_more(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.clerk)
    url = f"/phien/{meeting_id}/bien-ban"
    assert page.post(f"{url}/da-ky").status_code == 409
    assert page.post(f"{url}/da-doc").status_code == 303
    assert sitting(meeting_id).meeting.state == "MINUTED"
    answer = page.post(url, data={"edition": "1", "heading": ["A"], "text": ["hai"]})
    assert answer.status_code == 409
    assert page.post(f"{url}/da-ky").status_code == 303
    with reading() as work:
        assert work.db_session.query(Minutes).one().state == "signed"


def test_invited_commune_reads_the_minutes_but_does_not_write_them(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.commune)
    url = f"/phien/{meeting_id}/bien-ban"
    shown = page.get(url)
    assert shown.status_code == 200
    assert "<textarea" not in shown.get_data(as_text=True)
    answer = page.post(url, data={"edition": "1", "heading": ["A"], "text": ["x"]})
    assert answer.status_code == 403


def test_minutes_are_printed_as_a_pdf(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    answer = factories.log_in(client, cast.clerk).get(f"/phien/{meeting_id}/bien-ban.pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.data.startswith(b"%PDF")


def test_before_the_end_there_are_no_minutes(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    made = schedule(factories, cast)
    page = factories.log_in(client, cast.clerk)
    assert page.get(f"/phien/{made}/bien-ban").status_code == 404


def test_sealed_recording_takes_the_confirmed_session_into_the_book(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.clerk)
    page.post(f"/phien/{meeting_id}/bien-ban/da-doc")
    _seal(meeting_id)
    assert run_one("test", HANDLERS)
    assert sitting(meeting_id).meeting.state == "RECORDED"
    (line,) = lines()
    assert (line.reception_session_id, line.petition_id) == (meeting_id, cast.petition_id)
    assert (line.number, line.outcome, line.mode) == (1, "heard", "online")
    assert open_field("visit", "visitor", line.id, line.visitor_sealed) == "Điểu Minh, Thôn 3"


def test_minutes_confirmed_after_the_seal_do_the_same(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    _seal(meeting_id)
    assert run_one("test", HANDLERS)
    assert sitting(meeting_id).meeting.state == "ENDED"
    factories.log_in(client, cast.clerk).post(f"/phien/{meeting_id}/bien-ban/da-doc")
    assert sitting(meeting_id).meeting.state == "RECORDED"
    assert len(lines()) == 1


# --- who was heard -------------------------------------------------------------------------------


@pytest.fixture
def running(client: FlaskClient, cast: Cast, ready_meeting: UUID) -> UUID:
    """Open, the citizen let in; no visit was begun."""
    wait_outside(client, ready_meeting)
    open_without_media(ready_meeting, cast)
    let_in(ready_meeting, cast)
    return ready_meeting


def finish(client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID) -> str:
    """Confirm the minutes and seal; returns the state the session then stands in."""
    factories.log_in(client, cast.clerk).post(f"/phien/{meeting_id}/bien-ban/da-doc")
    _seal(meeting_id)
    assert run_one("test", HANDLERS)
    return sitting(meeting_id).meeting.state


def press_end(client: FlaskClient, meeting_id: UUID, **answers: str) -> TestResponse:
    """The chair's last button, with an answer for the only visit."""
    item = sitting(meeting_id).agenda[0]
    typed = {f"{name}_{item.id}": value for name, value in answers.items()}
    url = f"/phien/{meeting_id}/ket-thuc"
    return client.post(
        url, data={"confirm": "kết thúc", **typed}, headers={"Accept": "application/json"}
    )


def test_end_waits_until_the_chair_says_whether_each_visit_was_heard(
    client: FlaskClient, factories: Factories, cast: Cast, running: UUID
) -> None:
    page = factories.log_in(client, cast.chair)
    shown = page.get(f"/phien/{running}/phong").get_data(as_text=True)
    assert f'name="outcome_{sitting(running).agenda[0].id}"' in shown
    for answers in ({}, {"outcome": ""}, {"outcome": "other"}, {"outcome": "other", "why": "  "}):
        answer = press_end(page, running, **answers)
        assert (answer.status_code, "Lượt 1" in answer.get_json()["error"]) == (422, True)
    assert sitting(running).meeting.state == "OPEN"
    assert lines() == []


def test_visit_that_was_never_begun_but_heard_gets_its_line(
    client: FlaskClient, factories: Factories, cast: Cast, running: UUID
) -> None:
    page = factories.log_in(client, cast.chair)
    assert press_end(page, running, outcome="heard").status_code == 200
    (line,) = lines()
    assert line.petition_id == cast.petition_id
    assert sitting(running).agenda[0].started_at is None
    assert finish(client, factories, cast, running) == "RECORDED"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"outcome": "absent"}, "Người dân không đến."),
        ({"outcome": "postponed"}, "Hết giờ, chuyển sang phiên sau."),
        ({"outcome": "other", "why": "Đề nghị hoãn"}, "Đề nghị hoãn"),
    ],
)
def test_visit_that_was_not_heard_keeps_its_reason_and_makes_no_line(
    client: FlaskClient,
    factories: Factories,
    cast: Cast,
    running: UUID,
    answers: dict[str, str],
    reason: str,
) -> None:
    page = factories.log_in(client, cast.chair)
    assert press_end(page, running, **answers).status_code == 200
    assert lines() == []
    shown = page.get(f"/phien/{running}/bien-ban").get_data(as_text=True)
    assert f"Không tiếp trong phiên này. Lý do: {reason}" in shown
    assert "đã vào sổ" not in shown.lower()
    assert finish(client, factories, cast, running) == "RECORDED"


def test_visit_that_was_begun_can_still_be_answered_as_not_heard(
    client: FlaskClient, factories: Factories, cast: Cast, running: UUID
) -> None:
    page = factories.log_in(client, cast.chair)
    item = sitting(running).agenda[0]
    page.post(f"/phien/{running}/luot/{item.id}/bat-dau")
    assert press_end(page, running, outcome="absent").status_code == 200
    assert lines() == []


def test_line_names_the_representative_when_only_that_person_was_let_in(
    client: FlaskClient, factories: Factories, cast: Cast, ready_meeting: UUID
) -> None:
    with unit_of_work() as work:
        other = keep_person(work, PersonData(name="Thị Rươi", address="Thôn 5"))
        sender = participant(ready_meeting, "citizen")
        point = work.get(SessionPoint, sender.point_id)
        add_participant(
            work, point, part="representative", name="Thị Rươi", person_id=other.id,
            petition_id=cast.petition_id,
        )  # fmt: skip
    wait_outside(client, ready_meeting, "representative")
    open_without_media(ready_meeting, cast)
    let_in(ready_meeting, cast, "representative")
    end(ready_meeting, cast, HEARD)
    (line,) = lines()
    assert open_field("visit", "visitor", line.id, line.visitor_sealed) == "Thị Rươi, Thôn 5"


def test_session_without_answers_is_never_told_to_be_in_the_book(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    with unit_of_work() as work:
        work.db_session.query(Visit).delete()
    assert finish(client, factories, cast, meeting_id) == "SEALED"


def test_session_without_an_agenda_says_why_nobody_was_heard(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    made = schedule(factories, cast, visits=())
    make_ready(made, cast)
    set_clock(at(26, 7))
    open_without_media(made, cast)
    with pytest.raises(BadInput, match="không tiếp ai"):
        end(made, cast)
    end(made, cast, nobody="Không có ai đăng ký.")
    set_clock(at(26, 10))
    shown = factories.log_in(client, cast.chair).get(f"/phien/{made}/bien-ban")
    assert "Không tiếp ai trong phiên này. Lý do: Không có ai đăng ký." in shown.get_data(True)
    assert finish(client, factories, cast, made) == "RECORDED"


# --- what the draft says -------------------------------------------------------------------------


def test_draft_tells_the_notice_and_who_was_let_in(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    shown = factories.log_in(client, cast.chair).get(f"/phien/{meeting_id}/bien-ban").get_data(True)
    assert "Lúc 08:00 ngày 26/11/2026, chủ trì đã thông báo phiên được ghi âm, ghi hình" in shown
    who = next(text for text in texts(shown) if text.startswith("Điểm cầu trung tâm: "))
    assert "Điểu Minh" in who
    assert "Lê Minh Khôi" in who
    assert "Nguyễn Văn Phúc" not in who
    assert "chưa có phần nào được niêm phong" in shown


def test_draft_of_a_session_that_never_opened_claims_no_notice_and_no_guests(
    client: FlaskClient, factories: Factories, cast: Cast, ready_meeting: UUID
) -> None:
    wait_outside(client, ready_meeting)
    page = factories.log_in(client, cast.chair)
    url = f"/phien/{ready_meeting}"
    page.post(f"{url}/tiep-truc-tiep", data={"note": "Mất điện cả hai xã"})
    assert press_end(page, ready_meeting, outcome="absent").status_code == 200
    shown = page.get(f"{url}/bien-ban").get_data(True)
    assert "đã thông báo phiên được ghi âm" not in shown
    assert "Mở lúc" not in shown
    assert "Phiên trực tuyến không mở" in shown
    assert "Phiên không có bản ghi" in shown
    who = next(text for text in texts(shown) if text.startswith("Điểm cầu trung tâm: "))
    assert "Điểu Minh" not in who


def printed(client: FlaskClient, meeting_id: UUID, cast: Cast) -> str:
    """The words of the paper that is printed."""
    page = minutes_operations.page(meeting_id, by=cast.clerk.actor)
    with client.application.test_request_context():
        return render_template(
            "sessions/papers/minutes.html",
            page=page,
            sitting=page.sitting,
            meeting=page.sitting.meeting,
        )


def test_printed_draft_does_not_say_that_it_was_read_back(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    assert "đã được đọc lại" not in printed(client, meeting_id, cast)
    factories.log_in(client, cast.clerk).post(f"/phien/{meeting_id}/bien-ban/da-doc")
    assert "đã được đọc lại" in printed(client, meeting_id, cast)


def _seal(meeting_id: UUID) -> None:
    """Say what the worker says when the masters were checked."""
    with unit_of_work() as work:
        recording = (
            work.db_session.query(Recording).filter_by(reception_session_id=meeting_id).one()
        )
        recording.state = "sealed"
        work.enqueue("sessions.recording_sealed", {"reception_session": str(meeting_id)})
