"""The book ND154-03/TCD: thirteen columns, periods, export, correction by a new edition."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.desk import operations, visit_book
from reception.desk.intake import Intake
from reception.desk.steps import MASKED_CONTENT, NewLine, write_line
from storage.database import reading, unit_of_work
from storage.identities import PersonData, open_field
from storage.models import AuditLeaf, Visit
from storage.models.base import utc_now
from tests.support.factories import COMMUNE, OTHER_COMMUNE, Factories, Officer
from workflows.access import Role
from workflows.errors import Conflict

COLUMNS = [
    "STT", "Ngày tiếp", "Họ tên, địa chỉ", "CCCD/Hộ chiếu của công dân",
    "Tóm tắt nội dung vụ việc", "Phân loại đơn (KN/TC/KN, PA)",
    "Số người có đơn cùng một nội dung", "Cơ quan, tổ chức, đơn vị đã giải quyết",
    "Thuộc thẩm quyền giải quyết (x)", "Hướng dẫn (số văn bản)",
    "Thụ lý / chuyển đơn (số văn bản)", "Theo dõi quá trình, kết quả giải quyết", "Ghi chú",
]  # fmt: skip


@pytest.fixture
def officer(factories: Factories) -> Officer:
    return factories.officer(Role.COMMUNE_OFFICER, COMMUNE, "Phạm Văn Hậu")


@pytest.fixture
def desk(client: FlaskClient, factories: Factories, officer: Officer) -> FlaskClient:
    return factories.log_in(client, officer)


def _write(
    factories: Factories, officer: Officer, on: date, key: str, **changes: Any
) -> operations.Finished:
    intake = Intake(
        **{
            "key": key,
            "outcome": "oral_guidance",
            "kind": "complaint",
            "visitor": PersonData(
                name="Ngô Thị Ánh", address="Khu phố 2", citizen_id="075168000001"
            ),
            "content": "Hỏi về bồi thường",
            "answer": "Gửi đơn đến Tòa án",
            "guided_to": "Tòa án khu vực 1",
            "within_jurisdiction": False,
            **changes,
        }
    )
    return operations.finish(
        intake, unit_id=factories.unit_id(COMMUNE), by=officer.actor, today=on, now=utc_now()
    )


def _sheet(desk: FlaskClient, path: str) -> list[tuple[Any, ...]]:
    answer = desk.get(path)
    assert answer.status_code == 200
    book = openpyxl.load_workbook(BytesIO(answer.data))
    rows = list(book.active.iter_rows(values_only=True))
    book.close()
    return rows


def test_spreadsheet_has_the_thirteen_headings_in_their_order(
    desk: FlaskClient, factories: Factories, officer: Officer
) -> None:
    _write(factories, officer, date(2026, 11, 2), "a", people=6)
    rows = _sheet(desk, "/so-tiep-dan.xlsx?tu=01/11/2026&den=30/11/2026")
    assert rows[0][0] == "SỔ TIẾP CÔNG DÂN"
    assert list(rows[3]) == COLUMNS
    assert list(rows[4]) == [f"({number})" for number in range(1, 14)]
    assert rows[5] == (
        1, "02/11/2026", "Ngô Thị Ánh, Khu phố 2", "075168000001", "Hỏi về bồi thường", "KN", 6,
        None, None, "Hướng dẫn miệng: Tòa án khu vực 1. Gửi đơn đến Tòa án", None, None, None,
    )  # fmt: skip


def test_text_that_looks_like_a_formula_stays_text(
    desk: FlaskClient, factories: Factories, officer: Officer
) -> None:
    _write(factories, officer, date(2026, 11, 2), "a", content='=HYPERLINK("http://x","y")')
    answer = desk.get("/so-tiep-dan.xlsx?tu=01/11/2026&den=30/11/2026")
    book = openpyxl.load_workbook(BytesIO(answer.data))
    assert book.active.cell(6, 5).data_type == "s"


def test_period_chooses_the_lines_and_the_counts(
    desk: FlaskClient, factories: Factories, officer: Officer
) -> None:
    _write(factories, officer, date(2026, 10, 30), "a", content="Việc tháng Mười")
    _write(factories, officer, date(2026, 11, 2), "b", content="Việc tháng Mười một", people=2)
    page = desk.get("/so-tiep-dan?tu=1/11/2026&den=30/11/2026").get_data(as_text=True)
    assert "Việc tháng Mười một" in page
    assert "Việc tháng Mười<" not in page
    assert "<dt>Số người</dt><dd>2</dd>" in page
    whole = desk.get("/so-tiep-dan?tu=01/10/2026&den=30/11/2026").get_data(as_text=True)
    assert whole.index("Việc tháng Mười<") < whole.index("Việc tháng Mười một")


def test_empty_period_says_how_lines_come(desk: FlaskClient) -> None:
    assert "Kỳ này chưa có lượt tiếp nào" in desk.get("/so-tiep-dan").get_data(as_text=True)


def test_unreadable_day_is_told_and_this_month_is_shown(desk: FlaskClient) -> None:
    page = desk.get("/so-tiep-dan?tu=hôm qua").get_data(as_text=True)
    assert "Nhập ngày đầu kỳ theo ngày/tháng/năm." in page


def test_print_view_carries_the_form_number_and_no_shell(
    desk: FlaskClient, factories: Factories, officer: Officer
) -> None:
    _write(factories, officer, date(2026, 11, 2), "a")
    page = desk.get("/so-tiep-dan/in?tu=01/11/2026&den=30/11/2026").get_data(as_text=True)
    assert "Mẫu số 03/TCD" in page
    assert all(heading in page for heading in COLUMNS)
    assert 'class="rail' not in page


def test_every_reading_of_the_book_enters_the_audit_log(
    desk: FlaskClient, factories: Factories, officer: Officer
) -> None:
    _write(factories, officer, date(2026, 11, 2), "a")
    for path in ("/so-tiep-dan", "/so-tiep-dan/in", "/so-tiep-dan.xlsx"):
        desk.get(path)
    with reading() as work:
        actions = list(work.db_session.scalars(select(AuditLeaf.action).order_by(AuditLeaf.id)))
    assert [action for action in actions if action.startswith("book_")] == [
        "book_read", "book_printed", "book_exported",
    ]  # fmt: skip


def test_other_commune_gets_404_and_an_inspector_is_refused(
    app: Flask, factories: Factories, officer: Officer
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    done = _write(factories, officer, date(2026, 11, 2), "a")
    stranger = factories.log_in(
        app.test_client(), factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    )
    for path in ("/so-tiep-dan", "/so-tiep-dan/in", "/so-tiep-dan.xlsx"):
        assert stranger.get(f"{path}?tai={COMMUNE}").status_code == 404
    assert stranger.get(f"/so-tiep-dan/{done.visit_id}/sua").status_code == 404
    assert (
        stranger.post(f"/so-tiep-dan/{done.visit_id}/sua", data={"reason": "tò mò"}).status_code
        == 404
    )
    inspector = factories.log_in(app.test_client(), factories.officer(Role.PROVINCIAL_INSPECTOR))
    assert inspector.get("/so-tiep-dan").status_code == 403


def test_advisory_unit_reads_the_book_and_may_not_correct_it(
    app: Flask, client: FlaskClient, factories: Factories, officer: Officer
) -> None:
    done = _write(factories, officer, date(2026, 11, 2), "a")
    factories.log_in(client, factories.officer(Role.COMMUNE_ADVISORY, COMMUNE))
    page = client.get("/so-tiep-dan?tu=01/11/2026&den=30/11/2026").get_data(as_text=True)
    assert "Hỏi về bồi thường" in page
    assert f"/so-tiep-dan/{done.visit_id}/sua" not in page
    assert client.get(f"/so-tiep-dan/{done.visit_id}/sua").status_code == 403


# --- correction ----------------------------------------------------------------------------------


def _correct(desk: FlaskClient, visit_id: UUID, **changes: str) -> Any:
    values = {
        "visitor": "Ngô Thị Ánh, Khu phố 3",
        "identity_paper": "075168000001",
        "content": "Hỏi về bồi thường nhà kho",
        "kind": "complaint",
        "people": "2",
        "reason": "Ghi nhầm khu phố",
        "key": "lần-1",
        **changes,
    }
    return desk.post(f"/so-tiep-dan/{visit_id}/sua", data=values)


def test_correction_is_a_new_edition_and_the_old_one_stays(
    desk: FlaskClient, factories: Factories, officer: Officer
) -> None:
    done = _write(factories, officer, date(2026, 11, 2), "a")
    assert _correct(desk, done.visit_id).status_code == 303
    with reading() as work:
        editions = work.db_session.scalars(select(Visit).order_by(Visit.edition)).all()
    assert [(visit.number, visit.edition) for visit in editions] == [(1, 1), (1, 2)]
    old, new = editions
    assert open_field("visit", "visitor", old.id, old.visitor_sealed) == "Ngô Thị Ánh, Khu phố 2"
    assert open_field("visit", "visitor", new.id, new.visitor_sealed) == "Ngô Thị Ánh, Khu phố 3"
    assert new.corrects_reason == "Ghi nhầm khu phố"
    assert (new.person_id, new.on, new.outcome) == (old.person_id, old.on, old.outcome)
    page = desk.get("/so-tiep-dan?tu=01/11/2026&den=30/11/2026").get_data(as_text=True)
    assert "Khu phố 3" in page
    assert "Khu phố 2" not in page
    assert "Sửa lần 1: Ghi nhầm khu phố" in page
    assert "<dt>Lượt tiếp</dt><dd>1</dd>" in page
    assert "<dt>Số người</dt><dd>2</dd>" in page
    history = desk.get(f"/so-tiep-dan/{new.id}/sua").get_data(as_text=True)
    assert "Khu phố 2" in history


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reason": ""}, "Ghi lý do sửa dòng này."),
        ({"visitor": ""}, "Họ tên, địa chỉ không được để trống."),
        ({"content": ""}, "Nội dung không được để trống."),
        ({"people": "không"}, "Nhập số người cùng nội dung"),
    ],
)
def test_correction_without_what_it_needs_keeps_what_was_typed(
    desk: FlaskClient, factories: Factories, officer: Officer,
    changes: dict[str, str], sentence: str,
) -> None:  # fmt: skip
    done = _write(factories, officer, date(2026, 11, 2), "a")
    answer = _correct(desk, done.visit_id, remark="Giữ lại câu này", **changes)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert "Giữ lại câu này" in page


def test_second_correction_of_the_same_edition_is_a_conflict_unless_it_is_a_repeat(
    desk: FlaskClient, factories: Factories, officer: Officer
) -> None:
    done = _write(factories, officer, date(2026, 11, 2), "a")
    _correct(desk, done.visit_id)
    assert _correct(desk, done.visit_id).status_code == 303  # a double click
    assert _correct(desk, done.visit_id, key="lần-2").status_code == 409
    with pytest.raises(Conflict):
        visit_book.correct_line(
            done.visit_id, {}, reason="Người khác sửa trước", key="x", by=officer.actor
        )
    with reading() as work:
        assert len(work.db_session.scalars(select(Visit)).all()) == 2


def test_line_of_a_denunciation_stays_masked_when_it_is_corrected(
    desk: FlaskClient, factories: Factories, officer: Officer
) -> None:
    done = _write(factories, officer, date(2026, 11, 2), "a", kind="denunciation")
    page = desk.get(f"/so-tiep-dan/{done.visit_id}/sua").get_data(as_text=True)
    assert 'name="content"' not in page
    _correct(desk, done.visit_id, content="Tố cáo ông A", visitor="Bà B")
    with reading() as work:
        new = work.db_session.scalars(select(Visit).where(Visit.edition == 2)).one()
    assert open_field("visit", "content", new.id, new.content_sealed) == MASKED_CONTENT


def test_line_that_turns_out_to_be_a_denunciation_hides_its_earlier_wording(
    desk: FlaskClient, factories: Factories, officer: Officer
) -> None:
    done = _write(factories, officer, date(2026, 11, 2), "a")
    _correct(desk, done.visit_id, kind="denunciation")
    with reading() as work:
        new = work.db_session.scalars(select(Visit).where(Visit.edition == 2)).one()
    page = desk.get(f"/so-tiep-dan/{new.id}/sua").get_data(as_text=True)
    assert "Ngô Thị Ánh" not in page


def test_other_areas_write_lines_through_the_same_step(
    app: Flask, factories: Factories, officer: Officer
) -> None:
    with unit_of_work() as work:
        visit = write_line(
            work,
            NewLine(
                unit_id=factories.unit_id(COMMUNE),
                on=date(2026, 11, 2),
                kind="complaint",
                outcome="heard",
                content="Buổi tiếp trực tuyến",
                visitor="Ngô Thị Ánh",
                received_by=officer.account_id,
                idempotency_key="session:1",
                mode="online",
                by_head=True,
            ),
            by=officer.account_id,
        )
    page = visit_book.read_book(
        factories.unit_id(COMMUNE), first=date(2026, 11, 1), last=date(2026, 11, 30), page=1,
        by=officer.actor, action="book_read",
    )  # fmt: skip
    assert [(line.number, line.content) for line in page.lines] == [(1, "Buổi tiếp trực tuyến")]
    assert visit.mode == "online"


def test_guidance_without_a_place_to_go_is_the_answer_alone(
    desk: FlaskClient, factories: Factories, officer: Officer
) -> None:
    with unit_of_work() as work:
        line = NewLine(
            unit_id=factories.unit_id(COMMUNE),
            on=date(2026, 11, 23),
            kind="information",
            outcome="oral_guidance",
            content="Hỏi lịch tiếp",
            visitor="Ngô Thị Ánh",
            answer="Đến sáng thứ Năm",
            received_by=officer.account_id,
            idempotency_key="no-place",
        )
        write_line(work, line, by=officer.account_id)
    page = desk.get("/so-tiep-dan?tu=23/11/2026&den=23/11/2026").get_data(as_text=True)
    assert ">Đến sáng thứ Năm<" in page
