"""The notice of conclusion: written after the session, issued once, told in parts."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from reception.petitions.locking_steps import lock_away
from reception.sessions import conduct_operations
from reception.sessions.blueprint import pool
from reception.sessions.jobs import HANDLERS
from reception.sessions.schedule_operations import PlannedVisit
from storage.database import reading, unit_of_work
from storage.identities import PersonData, prepare_vault
from storage.jobs import run_one
from storage.models import Conclusion, IssuedDocument, OutboxMessage, Petition, Recording
from tests.support.factories import Factories
from tests.support.meetings import (
    Cast,
    make_ready,
    open_without_media,
    petition,
    schedule,
    set_clock,
    sitting,
)
from tests.support.meetings import local as at


@pytest.fixture
def second_id(factories: Factories, cast: Cast) -> UUID:
    """A petition of somebody else, heard in the same session."""
    return petition(
        factories,
        content="Đề nghị sửa đường vào xóm.",
        submitter=PersonData(name="Lê Văn Đức", address="Tổ 4", citizen_id="075061000002"),
    )


@pytest.fixture
def meeting_id(client: FlaskClient, factories: Factories, cast: Cast, second_id: UUID) -> UUID:
    """A session that heard both and has ended; a task was given to the first."""
    visits = (PlannedVisit(cast.petition_id), PlannedVisit(second_id))
    made = schedule(factories, cast, visits=visits)
    make_ready(made, cast)
    open_without_media(made, cast)
    by = cast.chair.actor
    for item, answer in zip(sitting(made).agenda, ("Sở đo lại thửa 112", ""), strict=True):
        conduct_operations.start_item(made, item.id, by=by)
        conduct_operations.finish_item(made, item.id, answer=answer, by=by, now=at(26, 9))
    with client.application.app_context():
        conduct_operations.end_session(
            made, typed="kết thúc", by=by, pool=pool(), now=at(26, 9, 30)
        )
    set_clock(at(26, 10))
    return made


def _enter_in_the_book(client: FlaskClient, factories: Factories, cast: Cast, made: UUID) -> None:
    """Minutes confirmed, recording sealed: the session stands before its last step."""
    factories.log_in(client, cast.clerk).post(f"/phien/{made}/bien-ban/da-doc")
    with unit_of_work() as work:
        work.db_session.query(Recording).filter_by(reception_session_id=made).one().state = "sealed"
        work.enqueue("sessions.recording_sealed", {"reception_session": str(made)})
    assert run_one("test", HANDLERS)
    assert sitting(made).meeting.state == "RECORDED"


def _written(client: FlaskClient, made: UUID, texts: list[str]) -> int:
    """Save the notice with these words under the visits; the status of the answer."""
    page = client.get(f"/phien/{made}/ket-luan").get_data(as_text=True)
    items = re.findall(r'name="item" value="([^"]*)"', page)
    found = re.search(r'name="edition" value="(\d+)"', page)
    assert found is not None
    data = {
        "edition": found.group(1),
        "item": items,
        "heading": [f"Lượt {n}" for n, _ in enumerate(items, 1)],
        "text": texts,
    }
    return client.post(f"/phien/{made}/ket-luan", data=data).status_code


def _issue(client: FlaskClient, made: UUID, number: str = "45/TB-BTCD") -> int:
    return client.post(f"/phien/{made}/ket-luan/ban-hanh", data={"number": number}).status_code


def test_draft_holds_every_visit_with_the_tasks_given_in_it(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.clerk).get(f"/phien/{meeting_id}/ket-luan")
    shown = page.get_data(as_text=True)
    assert re.findall(r"<textarea[^>]*>([^<]*)</textarea>", shown) == ["Sở đo lại thửa 112", ""]
    assert "Điểu Minh: Đề nghị xem lại" in shown
    assert "03/12/2026" in shown
    assert "Đọc lại và xác nhận biên bản trước" in shown


def test_issued_notice_ends_the_session_and_gives_each_sender_the_own_part(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID, second_id: UUID
) -> None:
    _enter_in_the_book(client, factories, cast, meeting_id)
    page = factories.log_in(client, cast.chair)
    assert _written(page, meeting_id, ["Sở đo lại thửa 112", "Phường sửa đường"]) == 303
    assert _issue(page, meeting_id) == 303
    assert sitting(meeting_id).meeting.state == "CONCLUDED"
    with reading() as work:
        papers = work.db_session.query(IssuedDocument).filter_by(form="conclusion").all()
        told = work.db_session.query(OutboxMessage).filter_by(topic="session.conclusion").all()
        kept = work.db_session.query(Conclusion).one()
    assert {paper.petition_id for paper in papers} == {None, cast.petition_id, second_id}
    assert {(paper.number, paper.state) for paper in papers} == {("45/TB-BTCD", "issued")}
    assert kept.document_id == next(p.id for p in papers if p.petition_id is None)
    assert {message.payload["petition"] for message in told} == {
        str(cast.petition_id),
        str(second_id),
    }
    first = sitting(meeting_id).agenda[0]
    part = page.get(f"/phien/{meeting_id}/ket-luan.pdf?luot={first.id}")
    assert part.data.startswith(b"%PDF")
    assert len(part.data) < len(page.get(f"/phien/{meeting_id}/ket-luan.pdf").data)


def test_words_typed_but_not_saved_are_issued_too(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    _enter_in_the_book(client, factories, cast, meeting_id)
    page = factories.log_in(client, cast.chair)
    url = f"/phien/{meeting_id}/ket-luan"
    shown = page.get(url).get_data(as_text=True)
    assert f'formaction="{url}/ban-hanh"' in shown
    items = re.findall(r'name="item" value="([^"]*)"', shown)
    data = {"edition": "0", "item": items, "heading": ["Một", "Hai"], "number": "45/TB"}
    data["text"] = ["Vừa gõ xong", "Chưa kịp lưu"]
    assert page.post(f"{url}/ban-hanh", data=data).status_code == 303
    assert "Chưa kịp lưu" in page.get(url).get_data(as_text=True)
    assert sitting(meeting_id).meeting.state == "CONCLUDED"


def test_notice_without_number_or_words_says_what_is_missing(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    _enter_in_the_book(client, factories, cast, meeting_id)
    page = factories.log_in(client, cast.chair)
    answer = page.post(f"/phien/{meeting_id}/ket-luan/ban-hanh", data={"number": " "})
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Ghi số, ký hiệu của thông báo" in shown
    assert "Ghi kết luận cho từng lượt" in shown
    assert sitting(meeting_id).meeting.state == "RECORDED"


def test_before_the_book_the_draft_is_kept_but_not_issued(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.chair)
    assert _written(page, meeting_id, ["Một", "Hai"]) == 303
    assert _issue(page, meeting_id) == 409
    assert page.get(f"/phien/{meeting_id}/ket-luan.pdf").data.startswith(b"%PDF")


def test_issued_notice_is_not_changed_any_more(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    _enter_in_the_book(client, factories, cast, meeting_id)
    page = factories.log_in(client, cast.chair)
    _written(page, meeting_id, ["Một", "Hai"])
    _issue(page, meeting_id)
    assert "<textarea" not in page.get(f"/phien/{meeting_id}/ket-luan").get_data(as_text=True)
    data = {"edition": "1", "item": "", "heading": "x", "text": "y"}
    assert page.post(f"/phien/{meeting_id}/ket-luan", data=data).status_code == 409
    assert _issue(page, meeting_id) == 409


def test_clerk_writes_the_notice_but_does_not_issue_it(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    _enter_in_the_book(client, factories, cast, meeting_id)
    page = factories.log_in(client, cast.clerk)
    assert _written(page, meeting_id, ["Một", "Hai"]) == 303
    assert _issue(page, meeting_id) == 403
    assert sitting(meeting_id).meeting.state == "RECORDED"


def test_invited_commune_reads_the_notice_but_does_not_write_it(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.commune)
    shown = page.get(f"/phien/{meeting_id}/ket-luan")
    assert shown.status_code == 200
    assert "<textarea" not in shown.get_data(as_text=True)
    data = {"edition": "0", "item": "", "heading": "x", "text": "y"}
    assert page.post(f"/phien/{meeting_id}/ket-luan", data=data).status_code == 403


def test_before_the_end_there_is_no_notice(
    client: FlaskClient, factories: Factories, cast: Cast, scheduled_meeting: UUID
) -> None:
    page = factories.log_in(client, cast.clerk)
    assert page.get(f"/phien/{scheduled_meeting}/ket-luan").status_code == 404


def test_words_saved_before_a_letter_was_locked_away_are_not_told_any_more(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID, second_id: UUID
) -> None:
    page = factories.log_in(client, cast.clerk)
    assert _written(page, meeting_id, ["Sở đo lại", "Ông Đức tố cáo cán bộ"]) == 303
    prepare_vault()
    with unit_of_work() as work:
        lock_away(work, work.get(Petition, second_id), keeper=None)
    shown = page.get(f"/phien/{meeting_id}/ket-luan").get_data(as_text=True)
    assert "Sở đo lại" in shown
    assert "tố cáo cán bộ" not in shown
    assert "được trả lời riêng" in shown
