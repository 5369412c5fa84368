"""The desk: queue without names, one-screen intake, four ways a visit ends."""

from __future__ import annotations

import re
import subprocess
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from reception.clock import legal_today
from reception.desk import operations, overview, visitors
from reception.desk.steps import MASKED_CONTENT, MASKED_VISITOR
from reception.petitions.steps import look_up_index
from storage.database import reading, unit_of_work
from storage.identities import PersonData, keep_person, open_field, person_name
from storage.models import (
    AuditLeaf,
    DenunciationVault,
    IssuedDocument,
    KeyEncryptionKey,
    Person,
    Petition,
    PetitionDraft,
    SealedObject,
    Ticket,
    Visit,
)
from tests.support.factories import COMMUNE, OTHER_COMMUNE, Factories, Officer
from workflows.access import Role

NAME = "Trương Văn Lợi"
CITIZEN_ID = "075068004821"
PHONE = "0913555206"


def _visit(**changes: Any) -> dict[str, Any]:
    return {
        "key": "khóa-1",
        "name": NAME,
        "citizen_id": CITIZEN_ID,
        "phone": PHONE,
        "birth_year": "1968",
        "address": "Khu phố 4, Trấn Biên",
        "kind": "information",
        "content": "Hỏi lịch chi trả tiền bồi thường",
        "people": "1",
        "outcome": "oral_guidance",
        "answer": "Đến quầy chi trả từ thứ Hai, mang theo căn cước.",
        **changes,
    }


COMPLAINT = {
    "kind": "complaint",
    "outcome": "petition",
    "signed": "1",
    "content": "Khiếu nại Quyết định số 2318/QĐ-UBND ngày 14/05/2026 bồi thường thiếu nhà kho",
}
PAPERS = {
    "outcome": "papers_received",
    "paper_name": ["Biên bản kiểm đếm ngày 12/03/2026", "Ảnh nhà kho", ""],
    "paper_form": ["copy", "photo", "copy"],
    "paper_sheets": ["3", "6", ""],
}
REFUSAL = {
    "kind": "recommendation",
    "outcome": "refused",
    "ground": "refusal.decree-4-h",
    "reason": "Đã trả lời bằng Công văn 120/UBND",
}


@pytest.fixture
def officer(factories: Factories) -> Officer:
    return factories.officer(Role.COMMUNE_OFFICER, COMMUNE, "Phạm Văn Hậu")


@pytest.fixture
def desk(client: FlaskClient, factories: Factories, officer: Officer) -> FlaskClient:
    """A browser of the officer at the desk of the commune."""
    return factories.log_in(client, officer)


def _only(model: type[Any]) -> Any:
    with reading() as work:
        return work.db_session.scalars(select(model)).one()


def _count(model: type[Any]) -> int:
    with reading() as work:
        return work.db_session.scalar(select(func.count()).select_from(model)) or 0


def _text(pdf: bytes) -> str:
    done = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True
    )
    return re.sub(r"\s+", " ", done.stdout.decode())


# --- the queue -----------------------------------------------------------------------------------


def test_number_is_given_with_one_press_and_called_in_order(desk: FlaskClient) -> None:
    for need in ("", "", "elderly"):
        assert desk.post("/quay/so", data={"need": need}).status_code == 303
    desk.post("/quay/goi")
    page = desk.get("/quay").get_data(as_text=True)
    assert "<b>A003</b>" in page  # the elderly person goes first
    assert "Người cao tuổi" in page


def test_unknown_need_is_refused(desk: FlaskClient) -> None:
    assert desk.post("/quay/so", data={"need": "giàu"}).status_code == 422


def test_next_number_waits_until_the_visit_is_in_the_book_or_absent(desk: FlaskClient) -> None:
    for _ in range(2):
        desk.post("/quay/so")
    desk.post("/quay/goi")
    page = desk.post("/quay/goi", follow_redirects=True).get_data(as_text=True)
    assert "A001 đang ở quầy" in page
    with reading() as work:
        ticket = work.db_session.scalars(select(Ticket).where(Ticket.number == 1)).one()
    desk.post(f"/quay/so/{ticket.id}/vang")
    desk.post("/quay/goi")
    assert "<b>A002</b>" in desk.get("/quay").get_data(as_text=True)
    desk.post(f"/quay/so/{ticket.id}/goi-lai")
    assert "Còn một số đang ở quầy" in desk.get("/quay").get_data(as_text=True)


def test_calling_with_nobody_waiting_says_so(desk: FlaskClient) -> None:
    assert "Chưa có ai chờ." in desk.post("/quay/goi", follow_redirects=True).get_data(as_text=True)


def test_finished_visit_closes_its_number_and_is_counted(desk: FlaskClient) -> None:
    desk.post("/quay/so")
    desk.post("/quay/goi")
    ticket = _only(Ticket)
    desk.post("/quay/nhap", data={"key": "khóa-1", "ticket": str(ticket.id), "name": "L"})
    assert _only(Ticket).state == "serving"
    desk.post("/quay", data=_visit(ticket=str(ticket.id), people="7"))
    done = _only(Ticket)
    assert (done.state, done.done_at is not None) == ("done", True)
    page = desk.get("/so-tiep-dan").get_data(as_text=True)
    assert re.search(r"<dt>Lượt tiếp</dt><dd>1</dd>", page)
    assert re.search(r"<dt>Số người</dt><dd>7</dd>", page)
    assert re.search(r"<dt>Đoàn đông người</dt><dd>1</dd>", page)


def test_board_shows_numbers_and_never_names(
    app: Flask, desk: FlaskClient, factories: Factories
) -> None:
    for _ in range(2):
        desk.post("/quay/so")
    desk.post("/quay/goi")
    desk.post("/quay/nhap", data=_visit(ticket=str(_first_ticket())))
    anybody = app.test_client()
    page = anybody.get(f"/quay/bang/{COMMUNE}").get_data(as_text=True)
    assert "A001" in page
    assert "A002" in page
    assert NAME not in page
    assert "Lợi" not in page
    assert anybody.get("/quay/bang/khong-co").status_code == 404


def _first_ticket() -> UUID:
    with reading() as work:
        found: UUID = work.db_session.scalars(select(Ticket.id).order_by(Ticket.number)).first()
        return found


def test_other_communes_numbers_answer_404(
    app: Flask, desk: FlaskClient, factories: Factories
) -> None:
    desk.post("/quay/so")
    ticket_id = _only(Ticket).id
    stranger = factories.log_in(
        app.test_client(), factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    )
    assert stranger.post(f"/quay/so/{ticket_id}/vang").status_code == 404
    assert stranger.post(f"/quay/so/{ticket_id}/goi-lai").status_code == 404
    assert stranger.post("/quay/so", data={"tai": COMMUNE}).status_code == 404
    assert stranger.get(f"/quay?tai={COMMUNE}").status_code == 404


def test_citizen_and_visitor_do_not_reach_the_desk(client: FlaskClient) -> None:
    assert client.get("/quay").status_code == 302
    assert client.post("/quay/goi").status_code == 403


def test_picker_shows_only_to_an_officer_with_two_posts(
    client: FlaskClient, factories: Factories, officer: Officer
) -> None:
    from storage.database import unit_of_work
    from storage.models import Post

    factories.log_in(client, officer)
    assert "Quầy của đơn vị nào" not in client.get("/quay").get_data(as_text=True)
    with unit_of_work() as work:
        work.add(
            Post(
                account_id=officer.account_id,
                role=Role.COMMUNE_OFFICER.value,
                unit_id=factories.unit_id(OTHER_COMMUNE),
                from_on=date(2021, 1, 1),
            )
        )
    assert "Quầy của đơn vị nào" in client.get("/quay").get_data(as_text=True)
    assert client.get(f"/quay?tai={OTHER_COMMUNE}").status_code == 200


# --- the four ends of a visit --------------------------------------------------------------------


def test_oral_guidance_writes_the_line_and_no_petition(desk: FlaskClient) -> None:
    answer = desk.post("/quay", data=_visit())
    assert answer.status_code == 303
    visit = _only(Visit)
    assert (visit.number, visit.book_year, visit.outcome) == (
        1, legal_today().year, "oral_guidance",
    )  # fmt: skip
    assert open_field("visit", "visitor", visit.id, visit.visitor_sealed).startswith(NAME)
    assert open_field("visit", "answer", visit.id, visit.answer_sealed).startswith("Đến quầy")
    assert _count(Petition) == 0
    page = desk.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Đã ghi sổ, dòng 1." in page


def test_petition_is_registered_with_its_person_and_its_code_is_shown_once(
    desk: FlaskClient,
) -> None:
    answer = desk.post("/quay", data=_visit(**COMPLAINT, decision="2318/QĐ-UBND"))
    petition, visit = _only(Petition), _only(Visit)
    assert (petition.channel, petition.state) == ("desk", "RECEIVED")
    assert petition.due_on is not None
    assert (visit.petition_id, visit.person_id) == (petition.id, petition.submitter_id)
    assert visit.acceptance == f"Đã nhận đơn {petition.code}"
    page = desk.get(answer.headers["Location"]).get_data(as_text=True)
    assert petition.code in page
    assert "chỉ hiện lần này" in page
    again = desk.get(answer.headers["Location"]).get_data(as_text=True)
    assert "chỉ hiện lần này" not in again


def test_unsigned_petition_waits_for_the_signature(desk: FlaskClient) -> None:
    unsigned = {name: value for name, value in COMPLAINT.items() if name != "signed"}
    desk.post("/quay", data=_visit(**unsigned))
    assert _only(Petition).state == "AWAITING_SIGNATURE"


def test_receipt_lists_papers_with_kind_and_sheets(desk: FlaskClient) -> None:
    desk.post("/quay", data=_visit(**PAPERS))
    document = _only(IssuedDocument)
    assert (document.form, document.number, document.state) == ("ND154-02/TCD", "1/BN", "issued")
    paper = desk.get(f"/quay/giay/{document.id}.pdf")
    assert paper.content_type == "application/pdf"
    text = _text(paper.data)
    for words in (
        "GIẤY BIÊN NHẬN", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "PHƯỜNG TRẤN BIÊN", "Mẫu số 02/TCD",
        NAME, CITIZEN_ID, "Biên bản kiểm đếm ngày 12/03/2026", "Bản sao (photo)", "Ảnh in",
        "Phạm Văn Hậu", "dòng 1 Sổ tiếp công dân", "02 bản",
    ):  # fmt: skip
        assert words in text
    assert (
        "Tinos"
        in subprocess.run(
            ["pdffonts", "-"], input=paper.data, capture_output=True, check=True
        ).stdout.decode()
    )


def test_papers_are_tied_to_the_visitors_own_petition(desk: FlaskClient) -> None:
    desk.post("/quay", data=_visit(**COMPLAINT))
    petition = _only(Petition)
    person_id = str(petition.submitter_id)
    papers = {**PAPERS, "kind": "complaint", "key": "khóa-2", "person": person_id}
    desk.post("/quay", data=_visit(**papers, petition=str(petition.id)))
    with reading() as work:
        second = work.db_session.scalars(select(Visit).where(Visit.number == 2)).one()
    assert second.petition_id == petition.id
    assert second.acceptance == f"Nhận giấy tờ cho đơn {petition.code}"
    foreign = {**papers, "key": "khóa-3", "petition": str(UUID(int=7))}
    assert desk.post("/quay", data=_visit(**foreign)).status_code == 404


def test_refusal_that_needs_writing_makes_the_notice_and_its_last_day(
    desk: FlaskClient, officer: Officer, factories: Factories
) -> None:
    desk.post("/quay", data=_visit(**REFUSAL))
    document = _only(IssuedDocument)
    assert (document.form, document.state, document.number) == ("ND154-01/TCD", "draft", "")
    text = _text(desk.get(f"/quay/giay/{document.id}.pdf").data)
    for words in (
        "THÔNG BÁO", "Về việc từ chối tiếp công dân", "Mẫu số 01/TCD", NAME, CITIZEN_ID,
        "Lý do từ chối: Đã trả lời bằng Công văn 120/UBND",
        "điểm h khoản 1 Điều 4 Nghị định số 154/2026/NĐ-CP", "kiến nghị, phản ánh",
        "THỦ TRƯỞNG CƠ QUAN, ĐƠN VỊ",
    ):  # fmt: skip
        assert words in text
    page = desk.get("/quay").get_data(as_text=True)
    assert "Thông báo từ chối cần gửi" in page
    assert _only(Visit).refusal_ground == "refusal.decree-4-h"


def test_notice_of_refusal_is_due_within_three_working_days(app: Flask) -> None:
    with reading() as work:  # 24/11 is a day off since 2026
        assert overview.notice_due(work, date(2026, 11, 18)) == date(2026, 11, 23)
        assert overview.notice_due(work, date(2026, 11, 20)) == date(2026, 11, 26)


def test_refusal_told_orally_makes_no_paper(desk: FlaskClient) -> None:
    desk.post("/quay", data=_visit(**{**REFUSAL, "ground": "refusal.law-9-1"}))
    assert _count(IssuedDocument) == 0
    assert _only(Visit).outcome == "refused"


def test_clause_three_of_the_law_is_cited_as_a_clause(desk: FlaskClient) -> None:
    desk.post("/quay", data=_visit(**{**REFUSAL, "ground": "refusal.law-9-3"}))
    text = _text(desk.get(f"/quay/giay/{_only(IssuedDocument).id}.pdf").data)
    assert "khoản 3 Điều 9 Luật Tiếp công dân" in text


def test_ground_that_is_not_in_force_is_refused(desk: FlaskClient) -> None:
    answer = desk.post("/quay", data=_visit(**{**REFUSAL, "ground": "refusal.không-có"}))
    assert answer.status_code == 422
    assert _count(Visit) == 0


def test_office_representative_may_guide_but_not_refuse(
    client: FlaskClient, factories: Factories
) -> None:
    factories.log_in(client, factories.officer(Role.OFFICE_REPRESENTATIVE))
    assert client.post("/quay", data=_visit()).status_code == 303
    assert client.post("/quay", data=_visit(**{**REFUSAL, "key": "khóa-2"})).status_code == 403
    assert _count(Visit) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Nhập họ tên người đến."),
        ({"content": ""}, "Ghi vài lời về nội dung"),
        ({"kind": ""}, "Chọn việc người dân trình bày là gì."),
        ({"outcome": ""}, "Chọn kết quả của lượt tiếp."),
        ({"people": "nhiều"}, "Nhập số người cùng nội dung"),
        ({"people": "0"}, "Nhập số người cùng nội dung"),
        ({"birth_year": "68"}, "Nhập năm sinh đủ bốn chữ số"),
        ({"phone": "12"}, "Nhập 9 đến 12 chữ số"),
        ({"citizen_id": "!"}, "Nhập số như trên căn cước"),
        ({"answer": ""}, "Ghi điều đã hướng dẫn"),
        ({"outcome": "refused"}, "Chọn căn cứ từ chối tiếp."),
        ({"outcome": "papers_received"}, "Ghi ít nhất một giấy tờ"),
        ({**PAPERS, "paper_sheets": ["", "", ""]}, "Mỗi giấy tờ cần có số tờ"),
        ({"outcome": "petition"}, "Đơn phải là khiếu nại, tố cáo"),
        ({**COMPLAINT, "address": ""}, "Nhận đơn thì cần có địa chỉ"),
    ],
)
def test_wrong_input_keeps_what_was_typed_and_says_what_to_do(
    desk: FlaskClient, changes: dict[str, Any], sentence: str
) -> None:
    answer = desk.post("/quay", data=_visit(**{"guided_to": "Tòa án khu vực 1", **changes}))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert "Tòa án khu vực 1" in page
    assert "Tòa án khu vực 1" in desk.get("/quay").get_data(as_text=True)
    assert _count(Visit) == 0


def test_wrong_input_keeps_the_number_that_stands_at_the_desk(desk: FlaskClient) -> None:
    desk.post("/quay/so")
    desk.post("/quay/goi")
    answer = desk.post("/quay", data=_visit(name="", people="12"))
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert f'name="ticket" value="{_only(Ticket).id}"' in page
    assert re.search(r'data-group="11 1000000">.*?cử không quá 5 người đại diện', page)
    assert re.search(r'data-group="5 10" hidden>', page)


def test_double_submit_is_one_line_and_one_petition(desk: FlaskClient) -> None:
    first = desk.post("/quay", data=_visit(**COMPLAINT))
    second = desk.post("/quay", data=_visit(**COMPLAINT))
    assert first.headers["Location"] == second.headers["Location"]
    assert (_count(Visit), _count(Petition), _count(Person)) == (1, 1, 2)  # the officer is one too


def test_a_script_gets_the_place_to_go_on_to_or_the_errors(desk: FlaskClient) -> None:
    json = {"Accept": "application/json"}
    wrong = desk.post("/quay", data=_visit(name=""), headers=json)
    assert (wrong.status_code, wrong.json) == (422, {"errors": {"name": "Nhập họ tên người đến."}})
    right = desk.post("/quay", data=_visit(), headers=json)
    assert right.status_code == 201
    assert right.json is not None
    assert right.json["line"] == 1


def test_line_stands_even_when_the_store_is_down(
    app: Flask, desk: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage.objects.contract import StoreUnavailable

    def down(*args: object, **kwargs: object) -> None:
        raise StoreUnavailable("down")

    with monkeypatch.context() as patched:
        patched.setattr("reception.desk.papers.seal_object", down)
        page = desk.post("/quay", data=_visit(**PAPERS), follow_redirects=True)
    assert "Chưa lập được giấy để in" in page.get_data(as_text=True)
    document = _only(IssuedDocument)
    assert document.sealed_object_id is None
    assert desk.get(f"/quay/giay/{document.id}.pdf").status_code == 200


# --- the repeat visitor --------------------------------------------------------------------------


def _find(desk: FlaskClient, number: str, **typed: str) -> str:
    data = {"key": "khóa-9", "find": number, **typed}
    return desk.post("/quay/tim", data=data, follow_redirects=True).get_data(as_text=True)


@pytest.mark.parametrize("number", ["0750 6800 4821", "0913.555.206", "+84 913 555 206"])
def test_repeat_visitor_is_found_by_either_number_with_earlier_answers(
    desk: FlaskClient, number: str
) -> None:
    desk.post("/quay", data=_visit())
    page = _find(desk, number, content="Đang gõ dở")
    assert NAME in page
    assert "0750 ···· 4821" in page
    assert "Đến quầy chi trả từ thứ Hai" in page
    assert "dòng 1 trong sổ" in page
    assert "Đang gõ dở" in page


def test_numbers_of_visitors_never_enter_the_audit_log(desk: FlaskClient) -> None:
    desk.post("/quay", data=_visit(**COMPLAINT))
    _find(desk, CITIZEN_ID)
    with reading() as work:
        bodies = "\n".join(work.db_session.scalars(select(AuditLeaf.body)))
    assert "visitor_looked_up" in bodies
    for secret in (CITIZEN_ID, PHONE, NAME, "nhà kho"):
        assert secret not in bodies


def test_unknown_number_prepares_a_new_visitor(desk: FlaskClient) -> None:
    page = _find(desk, "079200000001")
    assert "Chưa có ai đến với số này" in page
    assert 'name="citizen_id" type="text" value="079200000001"' in page


def test_people_sharing_a_phone_are_offered_for_choice(desk: FlaskClient) -> None:
    from storage.database import unit_of_work

    with unit_of_work() as work:
        first = keep_person(
            work, PersonData(name="Lê Thị Gấm", citizen_id="075170000001", phone=PHONE)
        )
        keep_person(work, PersonData(name="Lê Văn Bảy", citizen_id="075070000002", phone=PHONE))
    page = _find(desk, PHONE)
    assert "2 người có số này" in page
    data = {"key": "khóa-9", "find": PHONE, "choose": str(first.id)}
    page = desk.post("/quay/tim", data=data, follow_redirects=True).get_data(as_text=True)
    assert "<h2> Lê Thị Gấm</h2>" in page
    page = desk.post(
        "/quay/tim",
        data={"key": "khóa-9", "clear": "1", "person": str(first.id)},
        follow_redirects=True,
    ).get_data(as_text=True)
    assert "Lê Thị Gấm" not in page


def test_warning_about_an_open_petition_stands_above_past_answers(desk: FlaskClient) -> None:
    desk.post("/quay", data=_visit(**COMPLAINT))
    desk.post("/quay", data=_visit(key="khóa-2", person=str(_only(Petition).submitter_id)))
    page = _find(desk, CITIZEN_ID, content="Hỏi về Quyết định 2318/QĐ-UBND")
    warning, answers = page.index("Đang có đơn chưa trả lời xong"), page.index("Đã đến và đã được")
    assert warning < answers
    assert _only(Petition).code in page[warning:answers]
    assert re.search(r"Có vẻ cùng việc: <b>số văn bản 2318/QĐ-UBND</b>", page)


def test_second_petition_about_an_open_matter_needs_the_officers_word(desk: FlaskClient) -> None:
    desk.post("/quay", data=_visit(**COMPLAINT))
    again = _visit(**COMPLAINT, person=str(_only(Petition).submitter_id)) | {"key": "khóa-2"}
    refused = desk.post("/quay", data=again)
    assert refused.status_code == 422
    assert "chưa trả lời xong. Nếu cùng việc" in refused.get_data(as_text=True)
    assert _count(Petition) == 1
    assert desk.post("/quay", data=again | {"different_matter": "1"}).status_code == 303
    assert _count(Petition) == 2


def test_typing_tells_why_an_open_petition_looks_the_same(desk: FlaskClient) -> None:
    desk.post("/quay", data=_visit(**COMPLAINT))
    petition = _only(Petition)
    person = str(petition.submitter_id)
    typed = {"key": "khóa-2", "person": person, "content": "về quyết định số 2318/QĐ-UBND"}
    assert desk.post("/quay/nhap", data=typed).json["same"] == [
        {"code": petition.code, "why": "số văn bản 2318/QĐ-UBND"}
    ]
    other = desk.post("/quay/nhap", data=typed | {"content": "mùi hôi từ trại heo"})
    assert other.json["same"] == []


def test_another_communes_visits_and_petitions_stay_unseen(
    app: Flask, desk: FlaskClient, factories: Factories
) -> None:
    desk.post("/quay", data=_visit(**COMPLAINT))
    desk.post("/quay", data=_visit(key="khóa-2", person=str(_only(Petition).submitter_id)))
    stranger = factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    page = _find(factories.log_in(app.test_client(), stranger), CITIZEN_ID)
    assert NAME in page
    assert _only(Petition).code not in page
    assert "Đến quầy chi trả" not in page


def test_level_of_the_same_case_sees_status_but_no_title(
    app: Flask, desk: FlaskClient, factories: Factories
) -> None:
    from storage.database import unit_of_work
    from storage.models import Case, CaseUnit

    desk.post("/quay", data=_visit(**COMPLAINT))
    other = factories.unit_id(OTHER_COMMUNE)
    with unit_of_work() as work:
        petition = work.db_session.scalars(select(Petition)).one()
        case = work.add(
            Case(
                search_id=9_000, code="VV-1", title="Nhà kho", kind="complaint",
                holder_unit_id=petition.holder_unit_id, opened_on=legal_today(),
            )
        )  # fmt: skip
        work.flush()
        work.add(CaseUnit(case_id=case.id, unit_id=other, since_on=legal_today()))
        petition.case_id = case.id
    stranger = factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    person_id = _only(Petition).submitter_id
    assert person_id is not None
    history = visitors.history_of(person_id, "", by=stranger.actor, today=legal_today())
    assert [(line.code, line.title) for line in history.petitions] == [(_only(Petition).code, "")]


def test_known_visitor_is_brought_up_to_date_and_not_doubled(desk: FlaskClient) -> None:
    desk.post("/quay", data=_visit())
    person_id = _only(Visit).person_id
    before = _count(Person)
    desk.post(
        "/quay",
        data=_visit(key="khóa-2", person=str(person_id), name="Trương Văn Lợi (Út)", phone="",
                    identity_checked="1"),
    )  # fmt: skip
    assert _count(Person) == before
    with reading() as work:
        person = work.get(Person, person_id)
        assert person_name(person) == "Trương Văn Lợi (Út)"
        assert person.identity_checked_at is not None
        assert person.phone_index is not None


# --- denunciations -------------------------------------------------------------------------------

DENUNCIATION = {
    "kind": "denunciation",
    "outcome": "petition",
    "signed": "1",
    "content": "Tố cáo ông Bùi Quang Tám nhận tiền",
}


def test_denunciation_leaves_neither_name_nor_content_in_the_book(desk: FlaskClient) -> None:
    answer = desk.post("/quay", data=_visit(**DENUNCIATION, respondent="Bùi Quang Tám"))
    assert answer.status_code == 303
    visit = _only(Visit)
    assert open_field("visit", "visitor", visit.id, visit.visitor_sealed) == MASKED_VISITOR
    assert open_field("visit", "content", visit.id, visit.content_sealed) == MASKED_CONTENT
    assert (visit.person_id, visit.identity_paper_sealed, visit.answer_sealed) == (None, None, None)
    assert _count(DenunciationVault) == 1
    book = desk.get("/so-tiep-dan").get_data(as_text=True)
    assert "Nội dung được giữ kín" in book
    for secret in (NAME, "Bùi Quang Tám", CITIZEN_ID, _only(Petition).code):
        assert secret not in book
    with reading() as work:
        people = [person_name(person) for person in work.db_session.scalars(select(Person))]
    assert NAME not in people


def test_draft_of_a_denunciation_is_gone_once_it_is_in_the_vault(desk: FlaskClient) -> None:
    desk.post("/quay/nhap", data=_visit(**DENUNCIATION))
    assert _count(PetitionDraft) == 1
    desk.post("/quay", data=_visit(**DENUNCIATION))
    assert _count(PetitionDraft) == 0


def test_receipt_of_a_denunciation_opens_only_for_who_received_it(
    app: Flask, desk: FlaskClient, factories: Factories
) -> None:
    desk.post("/quay", data=_visit(**{**PAPERS, **DENUNCIATION, "outcome": "petition"}))
    document = _only(IssuedDocument)
    assert document.fields_sealed is None
    with reading() as work:
        assert work.get(KeyEncryptionKey, _only(SealedObject).kid).family == "denunciations"
    assert NAME in _text(desk.get(f"/quay/giay/{document.id}.pdf").data)
    colleague = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    other = factories.log_in(app.test_client(), colleague)
    assert other.get(f"/quay/giay/{document.id}.pdf").status_code == 404


def test_petition_under_protection_is_masked_as_well(desk: FlaskClient) -> None:
    desk.post("/quay", data=_visit(**COMPLAINT, protection="1"))
    assert _only(Visit).secrecy == "compartment"
    assert _only(Petition).submitter_id is None


def test_papers_of_another_commune_answer_404(
    app: Flask, desk: FlaskClient, factories: Factories
) -> None:
    desk.post("/quay", data=_visit(**PAPERS))
    path = f"/quay/giay/{_only(IssuedDocument).id}.pdf"
    stranger = factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    assert factories.log_in(app.test_client(), stranger).get(path).status_code == 404


def test_ended_visit_is_shown_only_to_who_ended_it(
    app: Flask, desk: FlaskClient, factories: Factories
) -> None:
    desk.post("/quay", data=_visit())
    colleague = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    page = factories.log_in(app.test_client(), colleague).get(f"/quay?xong={_only(Visit).id}")
    assert page.status_code == 404


# --- drafts --------------------------------------------------------------------------------------


def test_everything_typed_is_kept_sealed_and_comes_back(desk: FlaskClient) -> None:
    kept = desk.post("/quay/nhap", data=_visit(content="Chưa gõ xong", unknown="x"))
    assert kept.json["kept"] is True
    draft = _only(PetitionDraft)
    assert draft.channel == "desk"
    assert "Chưa gõ xong".encode() not in draft.data_sealed
    page = desk.get("/quay").get_data(as_text=True)
    assert "Chưa gõ xong" in page
    assert 'name="key" value="khóa-1"' in page


def test_draft_of_a_colleague_is_not_taken_up(
    app: Flask, desk: FlaskClient, factories: Factories
) -> None:
    desk.post("/quay/nhap", data=_visit(content="Của riêng tôi"))
    colleague = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    page = factories.log_in(app.test_client(), colleague).get("/quay").get_data(as_text=True)
    assert "Của riêng tôi" not in page


def test_draft_that_arrives_after_the_visit_was_ended_is_dropped(desk: FlaskClient) -> None:
    desk.post("/quay", data=_visit())
    assert desk.post("/quay/nhap", data=_visit()).json["kept"] is False
    assert _count(PetitionDraft) == 0


def test_starting_over_forgets_what_was_typed(desk: FlaskClient) -> None:
    desk.post("/quay/nhap", data=_visit(content="Bỏ đi"))
    desk.post("/quay/bo")
    assert "Bỏ đi" not in desk.get("/quay").get_data(as_text=True)
    assert _count(PetitionDraft) == 0


def test_old_commune_names_offer_todays_unit(desk: FlaskClient) -> None:
    found = desk.get("/quay/noi?q=tran bien").json
    assert any(row["label"] == "Phường Trấn Biên" for row in found)


def test_page_says_which_line_will_be_written(desk: FlaskClient) -> None:
    assert "Sẽ ghi vào sổ, dòng 1." in desk.get("/quay").get_data(as_text=True)
    desk.post("/quay", data=_visit())
    assert "Sẽ ghi vào sổ, dòng 2." in desk.get("/quay").get_data(as_text=True)


def test_desk_page_works_in_english(desk: FlaskClient) -> None:
    desk.set_cookie("lang", "en")
    page = desk.get("/quay").get_data(as_text=True)
    assert "Reception desk" in page
    assert "Guide orally" in page


def test_a_visit_of_another_unit_is_refused_by_the_operation(
    app: Flask, factories: Factories, officer: Officer
) -> None:
    from reception.desk.intake import Intake
    from storage.models.base import utc_now
    from workflows.errors import NotAllowed

    intake = Intake(
        key="k",
        outcome="oral_guidance",
        kind="information",
        visitor=PersonData(name="A"),
        content="B",
    )
    with pytest.raises(NotAllowed) as refused:
        operations.finish(
            intake, unit_id=factories.unit_id(OTHER_COMMUNE), by=officer.actor,
            today=legal_today(), now=utc_now(),
        )  # fmt: skip
    assert refused.value.decision.hidden


# --- after the visit -----------------------------------------------------------------------------


def test_notice_leaves_the_list_once_it_is_recorded_as_sent(desk: FlaskClient) -> None:
    desk.post("/quay", data=_visit(**REFUSAL))
    path = f"/quay/giay/{_only(IssuedDocument).id}"
    assert "Gửi chậm nhất" in desk.get(path).get_data(as_text=True)
    assert desk.post(path, data={"number": "", "on": "x"}).status_code == 422
    early = desk.post(path, data={"number": "12/TB-UBND", "on": "01/01/2020"})
    assert "không thể trước ngày từ chối" in early.get_data(as_text=True)
    sent = {"number": "12/TB-UBND", "on": f"{legal_today():%d/%m/%Y}"}
    assert desk.post(path, data=sent).status_code == 303
    document = _only(IssuedDocument)
    assert (document.state, document.number) == ("issued", "12/TB-UBND")
    assert "Thông báo từ chối cần gửi" not in desk.get("/quay").get_data(as_text=True)
    assert desk.post(path, data=sent).status_code == 409


def test_notice_of_another_commune_answers_404(
    app: Flask, desk: FlaskClient, factories: Factories
) -> None:
    desk.post("/quay", data=_visit(**REFUSAL))
    path = f"/quay/giay/{_only(IssuedDocument).id}"
    stranger = factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    browser = factories.log_in(app.test_client(), stranger)
    assert browser.get(path).status_code == 404
    assert browser.post(path, data={"number": "1", "on": "23/11/2026"}).status_code == 404


def test_lost_second_part_is_replaced_by_the_officer_who_took_the_petition(
    app: Flask, desk: FlaskClient, factories: Factories
) -> None:
    desk.post("/quay", data=_visit(**COMPLAINT))
    visit, before = _only(Visit), _only(Petition).look_up_hash
    colleague = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    other = factories.log_in(app.test_client(), colleague)
    assert other.post(f"/quay/luot/{visit.id}/ma-moi").status_code == 404
    page = desk.post(f"/quay/luot/{visit.id}/ma-moi", follow_redirects=True)
    shown = re.search(r"phần thứ hai.*?<bdi class=\"b\">(\w+)</bdi>", page.get_data(as_text=True))
    assert shown is not None
    petition = _only(Petition)
    assert petition.look_up_hash != before
    assert petition.look_up_hash == look_up_index(petition.code, shown[1])


def test_an_id_alone_never_lets_an_officer_change_somebody_elses_data(
    app: Flask, factories: Factories
) -> None:
    with unit_of_work() as work:
        stranger = keep_person(
            work, PersonData(name="Lê Văn Xa", citizen_id="099111222333", phone="0100999888")
        )
    typed = PersonData(name="Kẻ Gian", phone="0100000001")
    assert not operations._was_found_by(stranger, typed)
    assert operations._was_found_by(stranger, PersonData(name="x", citizen_id="099111222333"))
    other_number = PersonData(name="x", citizen_id="099000000000", phone="0100999888")
    assert not operations._was_found_by(stranger, other_number)
