"""Minutes after the session: editions, read back, signed, printed."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from reception.sessions.jobs import HANDLERS
from storage.database import reading, unit_of_work
from storage.jobs import run_one
from storage.models import Minutes, Recording
from tests.support.factories import Factories
from tests.support.meetings import (
    Cast,
    schedule,
    sitting,
)


@pytest.fixture
def meeting_id(ended_meeting: UUID) -> UUID:
    return ended_meeting


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


def test_minutes_confirmed_after_the_seal_do_the_same(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    _seal(meeting_id)
    assert run_one("test", HANDLERS)
    assert sitting(meeting_id).meeting.state == "ENDED"
    factories.log_in(client, cast.clerk).post(f"/phien/{meeting_id}/bien-ban/da-doc")
    assert sitting(meeting_id).meeting.state == "RECORDED"


def _seal(meeting_id: UUID) -> None:
    """Say what the worker says when the masters were checked."""
    with unit_of_work() as work:
        recording = (
            work.db_session.query(Recording).filter_by(reception_session_id=meeting_id).one()
        )
        recording.state = "sealed"
        work.enqueue("sessions.recording_sealed", {"reception_session": str(meeting_id)})
