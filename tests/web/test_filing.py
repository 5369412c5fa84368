"""Filing without a script: page by page, saved, mended, sent once, nothing lost."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import MetaData, Table, inspect, select, text

from reception.clock import LOCAL, move_clock
from reception.petitions import filing_views
from reception.petitions.filing_operations import FORGET_JOB
from reception.petitions.jobs import HANDLERS
from storage.database import reading, unit_of_work
from storage.identities import open_denouncer, open_denunciation, read_person
from storage.jobs import run_one
from storage.models import (
    Attachment,
    HolidayYear,
    Job,
    KeyEncryptionKey,
    Person,
    Petition,
    PetitionDraft,
    PetitionParty,
    SealedObject,
    Unit,
)
from storage.models.base import utc_now
from storage.runtime import runtime
from storage.sealed import read_object
from tests.support.citizen import COMPLAINT, DENUNCIATION, Citizen, multipart, path_of, photo
from tests.support.factories import Factories
from workflows.access import Role


@pytest.fixture
def citizen(client: FlaskClient) -> Citizen:
    """Somebody with a browser."""
    return Citizen(client)


def petition() -> Petition:
    """The one petition there is."""
    with reading() as work:
        return work.db_session.scalars(select(Petition)).one()


def receipt_codes(page: str) -> tuple[str, str]:
    """Code and second part as the confirmation shows them."""
    parts = [part.split("<")[0] for part in page.split('translate="no">')[1:]]
    return parts[0], parts[1]


# --- the whole way -------------------------------------------------------------------------------


def test_complaint_becomes_one_petition_with_everything_that_was_typed(citizen: Citizen) -> None:
    citizen.begin().fill_all(COMPLAINT)
    answer = citizen.send()
    assert path_of(answer) == citizen.at("da-nhan")
    row = petition()
    assert (row.kind, row.round, row.state) == ("complaint", 1, "AWAITING_SIGNATURE")
    assert row.title == "Khiếu nại văn bản 418/QĐ-UBND ngày 28/10/2026"
    assert row.wants_online
    assert row.support_needs == "Đi lại khó"
    assert row.earlier_decisions[0]["got_on"] == "03/11/2026"
    with reading() as work:
        sender = read_person(work.get(Person, row.submitter_id))
        unit = work.get(Unit, row.receiving_unit_id)
    assert sender.name == "Nguyễn Thị Ngọc Huỳnh"
    assert sender.address == "Tổ 6, ấp An Lâm"
    assert unit.full_name == "Phường Long Thành"


def test_confirmation_says_code_day_clause_and_what_to_do_when_late(citizen: Citizen) -> None:
    citizen.begin().fill_all(COMPLAINT)
    citizen.upload(photo(), part="signed_petition")
    citizen.send(signing="photo")
    page = citizen.page("da-nhan")
    code, second = receipt_codes(page)
    assert code == petition().code
    assert len(second) == 6
    assert "03/12/2026" in page
    assert "Luật Khiếu nại 02/2011/QH13, Điều 27" in page
    assert "Quá ngày 03/12 mà chưa có trả lời?" in page
    assert "data:image/svg+xml" in page


def test_receipt_is_a_pdf_whose_qr_does_not_hold_the_second_part(
    citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    import segno

    made: list[str] = []
    real = segno.make
    monkeypatch.setattr(
        segno, "make", lambda text, **more: (made.append(text), real(text, **more))[1]
    )
    citizen.begin().fill_all(COMPLAINT)
    citizen.send()
    _code, second = receipt_codes(citizen.page("da-nhan"))
    answer = citizen.client.get(citizen.at("phieu.pdf"))
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-")
    assert made
    assert all(text.endswith(f"/tra-cuu?ma={petition().code}") for text in made)
    assert not any(second in text for text in made)


def test_petition_to_print_is_a_pdf(citizen: Citizen) -> None:
    citizen.begin().fill_all(COMPLAINT)
    answer = citizen.client.get(citizen.at("don-de-in.pdf"))
    assert answer.data.startswith(b"%PDF-")


def test_photos_of_the_paper_are_the_whole_petition(citizen: Citizen) -> None:
    citizen.begin()
    citizen.fill_all({page: COMPLAINT[page] for page in ("nguoi-gui", "lien-lac", "loai-don")})
    assert path_of(citizen.fill("cach-viet", way="photo")) == citizen.at("anh-don")
    refused = citizen.fill("anh-don", summary="Bồi thường khi thu hồi đất")
    assert refused.status_code == 422
    assert "Gửi ít nhất một ảnh chụp đơn đã ký" in refused.get_data(as_text=True)
    answer = citizen.fill(
        "anh-don",
        summary="Bồi thường khi thu hồi đất",
        files=[(BytesIO(photo()), "trang 1.jpg"), (BytesIO(photo()), "trang 2.jpg")],
    )
    assert path_of(answer) == citizen.at("o-dau")
    citizen.fill_all({page: COMPLAINT[page] for page in ("o-dau", "ho-tro")})
    assert path_of(citizen.send(signing="photo")) == citizen.at("da-nhan")
    row = petition()
    assert (row.signing, row.state, row.title) == (
        "photo",
        "RECEIVED",
        "Bồi thường khi thu hồi đất",
    )
    with reading() as work:
        files = work.db_session.scalars(select(Attachment).order_by(Attachment.position)).all()
    assert [file.part for file in files] == ["signed_petition"] * 2


def test_second_complaint_goes_to_the_province(citizen: Citizen) -> None:
    pages = COMPLAINT | {"loai-don": {"kind": "complaint", "round": "2"}}
    citizen.begin(round="2").fill_all(pages)
    citizen.send()
    with reading() as work:
        assert work.get(Unit, petition().receiving_unit_id).kind == "province"
    assert petition().round == 2


@pytest.mark.parametrize(
    ("leader", "kind"), [("no", "commune"), ("yes", "province"), ("unknown", "province")]
)
def test_denunciation_of_a_leader_passes_by_his_own_office(
    citizen: Citizen, leader: str, kind: str
) -> None:
    pages = DENUNCIATION | {"gui-ve-ai": DENUNCIATION["gui-ve-ai"] | {"leader": leader}}
    citizen.begin("denunciation").fill_all(pages)
    citizen.send()
    with reading() as work:
        assert work.get(Unit, petition().receiving_unit_id).kind == kind


def test_group_names_who_speaks_for_it(citizen: Citizen) -> None:
    citizen.begin().fill_all(COMPLAINT | {"nguoi-gui": {"for_whom": "group"}})
    many = {
        "size": "7",
        "rep_name": ["Lê Ba", "Vũ Tư"],
        "rep_phone": ["", ""],
        "rep_citizen_id": ["", ""],
    }
    refused = citizen.fill("gui-thay", **many)
    assert refused.status_code == 422
    assert "cử 1 hoặc 2 người đại diện" in refused.get_data(as_text=True)
    two = {"size": "7", "rep_name": "Lê Ba", "rep_phone": "", "rep_citizen_id": ""}
    assert citizen.fill("gui-thay", **two).status_code == 303
    citizen.send()
    assert petition().group_size == 7
    with reading() as work:
        assert len(work.db_session.scalars(select(PetitionParty)).all()) == 1


def test_anonymous_feedback_is_received_without_a_name(citizen: Citizen) -> None:
    citizen.begin("feedback")
    assert path_of(citizen.fill("nguoi-gui", for_whom="anonymous")) == citizen.at("loai-don")
    citizen.fill_all(
        {
            "loai-don": {"kind": "feedback"},
            "cach-viet": {"way": "type"},
            "gui-ve-ai": {"respondent": ""},
            "chuyen-gi": {"content": "Đường vào ấp hỏng đã ba tháng nay."},
            "o-dau": {"unit_text": "Long Thành"},
            "ho-tro": {"online": "no"},
        }
    )
    citizen.send(signing="none")
    row = petition()
    assert (row.anonymous, row.submitter_id, row.state) == (True, None, "RECEIVED")


def test_complaint_cannot_be_anonymous(citizen: Citizen) -> None:
    assert citizen.begin().fill("nguoi-gui", for_whom="anonymous").status_code == 422


def test_name_without_signature_is_not_an_anonymous_letter(citizen: Citizen) -> None:
    citizen.begin().fill_all(COMPLAINT)
    assert citizen.send(signing="none").status_code == 422


# --- what bad input gets -------------------------------------------------------------------------


def test_pressed_twice_it_is_one_petition_and_one_receipt(citizen: Citizen) -> None:
    citizen.begin().fill_all(COMPLAINT)
    first = citizen.send()
    codes = receipt_codes(citizen.page("da-nhan"))
    again = citizen.send()
    assert path_of(first) == path_of(again) == citizen.at("da-nhan")
    assert receipt_codes(citizen.page("da-nhan")) == codes
    assert petition().idempotency_key.startswith("draft:")


def test_errors_are_summed_up_and_what_was_typed_stays(citizen: Citizen) -> None:
    citizen.begin()
    answer = citizen.fill(
        "lien-lac", name="Nguyễn Thị Ngọc Huỳnh", phone="12", citizen_id="75", birth_year="58"
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Những gì ông/bà đã viết vẫn còn nguyên" in page
    for field in ("phone", "citizen_id", "birth_year", "address", "unit_text"):
        assert f'href="#{field}"' in page
    assert 'value="Nguyễn Thị Ngọc Huỳnh"' in page


def test_name_of_two_old_communes_asks_which_one(citizen: Citizen) -> None:
    citizen.begin()
    answer = citizen.fill("o-dau", unit_text="Bình Sơn")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Xã Bình Sơn, Huyện Long Thành" in page
    chosen = page.split('name="unit" type="radio" value="')[2].split('"')[0]
    assert citizen.fill("o-dau", unit=["", chosen], unit_text="Bình Sơn").status_code == 303


def test_old_name_with_district_is_understood(citizen: Citizen) -> None:
    citizen.begin()
    assert citizen.fill("o-dau", unit_text="xa tam an, long thanh").status_code == 303
    assert "Xã An Phước" in citizen.page("xem-lai")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("31/11/2026", "Tháng 11 chỉ có 30 ngày"),
        ("hôm kia", "ngày/tháng/năm"),
        ("1/1/2150", "chưa đến"),
    ],
)
def test_impossible_day_is_told(citizen: Citizen, typed: str, sentence: str) -> None:
    answer = citizen.begin().fill("o-dau", unit_text="Long Thành", happened_on=typed)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)


def test_sending_too_early_names_the_pages_that_are_missing(citizen: Citizen) -> None:
    citizen.begin().fill("nguoi-gui", for_whom="self")
    answer = citizen.send()
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert citizen.at("lien-lac") + "?sua=1" in page
    with reading() as work:
        assert work.db_session.scalar(select(Petition.id)) is None


def test_nothing_is_ticked_for_the_sender(citizen: Citizen) -> None:
    citizen.begin().fill_all(COMPLAINT)
    page = citizen.page("xem-lai")
    assert "checked" not in page
    answer = citizen.fill("xem-lai", signing="at_unit")
    assert answer.status_code == 422
    assert "Đánh dấu dòng này" in answer.get_data(as_text=True)


def test_signing_by_photo_needs_the_photo(citizen: Citizen) -> None:
    citizen.begin().fill_all(COMPLAINT)
    answer = citizen.send(signing="photo")
    assert answer.status_code == 422
    assert "Chưa có ảnh đơn đã ký" in answer.get_data(as_text=True)


def test_digital_signing_refuses_a_pdf_without_a_signature(citizen: Citizen) -> None:
    from weasyprint import HTML

    citizen.begin().fill_all(COMPLAINT)
    plain = HTML(string="<p>Đơn</p>").write_pdf()
    answer = citizen.send(signing="digital", digital_file=(BytesIO(plain), "don.pdf"))
    assert answer.status_code == 422
    assert "chưa có chữ ký số" in answer.get_data(as_text=True)


def test_page_changed_in_another_window_is_not_overwritten_silently(citizen: Citizen) -> None:
    citizen.begin()
    seen = citizen.seen("chuyen-gi")
    citizen.fill("chuyen-gi", content="Viết ở cửa sổ thứ nhất, đủ dài để lưu.")
    answer = citizen.fill(
        "chuyen-gi", content="Viết ở cửa sổ thứ hai, cũng đủ dài để lưu.", seen=seen
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "vừa được sửa ở cửa sổ khác" in page
    assert "cửa sổ thứ hai" in page
    again = citizen.fill(
        "chuyen-gi",
        content="Viết ở cửa sổ thứ hai, cũng đủ dài để lưu.",
        seen=page.split('name="seen" value="')[1].split('"')[0],
    )
    assert again.status_code == 303


def test_wrong_file_is_refused_and_the_rest_is_kept(citizen: Citizen) -> None:
    citizen.begin()
    answer = citizen.fill(
        "chuyen-gi",
        content="Nội dung đã viết rất lâu và không được mất.",
        files=[(BytesIO(photo()), "anh.jpg"), (BytesIO(b"MZ\x90\0" + b"\0" * 99), "virus.exe")],
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "virus.exe: chỉ nhận ảnh JPG, PNG và tệp PDF" in page
    assert "không được mất" in page
    assert "anh.jpg" in page


def test_too_large_a_file_says_the_limit(citizen: Citizen) -> None:
    big = photo() + b"\0" * (25 * 1024 * 1024)
    form = multipart({"part": "evidence"}, file=("file", "anh.jpg", big))
    answer = citizen.begin().client.post(
        citizen.at("tep"), headers={"Accept": "application/json"}, **form
    )
    assert answer.status_code == 422
    assert "25 MB" in answer.get_json()["error"]


def test_more_than_the_server_takes_at_once_is_a_page_that_helps(citizen: Citizen) -> None:
    form = multipart({"content": "x" * 30}, file=("files", "to.jpg", b"\0" * 28_000_000))
    answer = citizen.begin().client.post(citizen.at("chuyen-gi"), **form)
    assert answer.status_code == 413
    assert "Tệp quá lớn" in answer.get_data(as_text=True)


def test_unknown_draft_is_not_found(citizen: Citizen) -> None:
    citizen.token = "khong-co-ban-nhap-nay"
    assert citizen.client.get(citizen.at("nguoi-gui")).status_code == 404
    assert citizen.fill("nguoi-gui", for_whom="self").status_code == 404


def test_file_of_another_draft_cannot_be_removed(citizen: Citizen) -> None:
    mine = citizen.begin().upload(photo()).get_json()["id"]
    stranger = Citizen(citizen.client).begin()
    assert stranger.fill(f"tep/{mine}/xoa").status_code == 404
    with reading() as work:
        assert work.db_session.scalars(select(Attachment)).one().removed_at is None


def test_sent_draft_takes_no_more_changes(citizen: Citizen) -> None:
    citizen.begin().fill_all(COMPLAINT)
    citizen.send()
    assert citizen.fill("chuyen-gi", content="Thêm một câu dài nữa vào đơn.").status_code == 409
    assert citizen.upload(photo()).status_code == 409


# --- drafts --------------------------------------------------------------------------------------


def test_link_leads_back_to_where_one_stopped(citizen: Citizen) -> None:
    citizen.begin().fill("nguoi-gui", for_whom="self")
    later = citizen.page("de-sau")
    assert f"/don/moi/{citizen.token}" in later
    stranger = citizen.client.application.test_client()
    answer = stranger.get(f"/don/moi/{citizen.token}")
    assert path_of(answer) == citizen.at("lien-lac")


def test_home_page_offers_the_unfinished_petition(citizen: Citizen) -> None:
    citizen.begin()
    assert "Ông/bà có đơn đang viết dở" in citizen.client.get("/").get_data(as_text=True)


def test_words_kept_while_typing_are_there_after_a_break(citizen: Citizen) -> None:
    citizen.begin()
    answer = citizen.client.post(citizen.at("chuyen-gi/luu"), data={"content": "Đang gõ dở dang"})
    assert answer.get_json()["saved_at"]
    assert "Đang gõ dở dang" in citizen.page("chuyen-gi")


def test_draft_keeps_no_plain_word_in_the_database(citizen: Citizen, app: Flask) -> None:
    citizen.begin().fill_all(COMPLAINT)
    with reading() as work:
        row = work.db_session.scalars(select(PetitionDraft)).one()
        token = row.token_hash
    assert citizen.token.encode() not in token
    database = Path(str(runtime().engine.url.database)).read_bytes()
    for word in ("Ngọc Huỳnh", "075158000417", "212 m²", citizen.token):
        assert word.encode() not in database


def test_expired_draft_gets_a_friendly_page_and_is_emptied(citizen: Citizen) -> None:
    citizen.begin().fill_all(COMPLAINT)
    citizen.upload(photo())
    with unit_of_work() as work:
        row = work.db_session.scalars(select(PetitionDraft)).one()
        row.expires_at = utc_now() - timedelta(minutes=1)
        for job in work.db_session.scalars(select(Job).where(Job.kind == FORGET_JOB)):
            job.run_after_at = utc_now() - timedelta(minutes=1)
        sealed = work.db_session.scalars(select(SealedObject)).one()
    answer = citizen.client.get(citizen.at("chuyen-gi"))
    assert answer.status_code == 410
    assert "đã quá 30 ngày" in answer.get_data(as_text=True)
    while run_one("test", HANDLERS):
        pass
    with reading() as work:
        assert work.db_session.scalar(select(Attachment.id)) is None
        assert len(work.db_session.scalars(select(PetitionDraft)).one().data_sealed) < 120
    assert not list(runtime().store.list(_bucket(sealed), sealed.name))
    assert citizen.client.get(citizen.at("chuyen-gi")).status_code == 410


def _bucket(sealed: SealedObject):
    from storage.objects import Bucket

    return Bucket(sealed.bucket)


def test_receipt_page_closes_after_a_day_and_tells_the_way_on(citizen: Citizen) -> None:
    citizen.begin().fill_all(COMPLAINT)
    citizen.send()
    with unit_of_work() as work:
        row = work.db_session.scalars(select(PetitionDraft)).one()
        assert timedelta(hours=23) < row.expires_at - utc_now() <= timedelta(hours=24)
        row.expires_at = utc_now()
    answer = citizen.client.get(citizen.at("da-nhan"))
    assert answer.status_code == 410
    assert "Dùng mã đơn" in answer.get_data(as_text=True)


# --- files ---------------------------------------------------------------------------------------


def test_files_rest_sealed_and_open_again(citizen: Citizen, app: Flask) -> None:
    data = photo()
    citizen.begin()
    assert citizen.upload(data).status_code == 201
    resting = [path.read_bytes() for path in Path(runtime().data_dir).rglob("*") if path.is_file()]
    assert resting
    assert not any(data[200:260] in blob for blob in resting)
    with reading() as work:
        sealed = work.db_session.scalars(select(SealedObject)).one()
    assert read_object(sealed)[:2] == b"\xff\xd8"


def test_removed_file_is_gone_from_the_store(citizen: Citizen) -> None:
    kept = citizen.begin().upload(photo()).get_json()
    answer = citizen.client.post(kept["remove"], headers={"Accept": "application/json"})
    assert answer.get_json() == {"removed": True}
    with reading() as work:
        assert work.db_session.scalar(select(SealedObject.id)) is None
    from storage.objects import Bucket

    assert not list(runtime().store.list(Bucket.FILES))


def test_removing_a_file_without_a_script_keeps_what_was_typed(citizen: Citizen) -> None:
    kept = citizen.begin().upload(photo()).get_json()
    answer = citizen.client.post(
        kept["remove"], data={"page": "chuyen-gi", "content": "Chữ đang gõ chưa lưu"}
    )
    assert path_of(answer) == citizen.at("chuyen-gi")
    assert "Chữ đang gõ chưa lưu" in citizen.page("chuyen-gi")


# --- denunciations -------------------------------------------------------------------------------

WORDS = (
    "Khoan", "075180007788", "0977", "Bồ Đề", "Quách", "Đoạt", "vòi vĩnh", "phong bì", "Xử nghiêm",
    "Xuyến", "S’tiêng", "thu-bi-mat",
)  # fmt: skip


def test_denunciation_leaves_no_word_outside_the_vault(citizen: Citizen, app: Flask) -> None:
    citizen.begin("denunciation").fill_all(DENUNCIATION)
    citizen.upload(photo(), "thu-bi-mat.jpg")
    citizen.send()
    with reading() as work:
        for name in inspect(runtime().engine).get_table_names():
            if name in ("unit", "former_unit", "unit_type", "legal_rule", "field", "holiday"):
                continue
            table = Table(name, MetaData(), autoload_with=runtime().engine)
            for row in work.db_session.execute(select(table)):
                said = " ".join(
                    value.decode("utf-8", "ignore") if isinstance(value, bytes) else str(value)
                    for value in row
                )
                assert not [word for word in WORDS if word.lower() in said.lower()], name
        found = work.db_session.execute(
            text("SELECT count(*) FROM search_index WHERE search_index MATCH 'phong OR doat'")
        ).scalar()
    assert found == 0


def test_denunciation_opens_whole_from_the_vault(citizen: Citizen, factories: Factories) -> None:
    citizen.begin("denunciation").fill_all(DENUNCIATION)
    citizen.send()
    by = factories.officer(Role.COMMUNE_CHAIR, "26041").account_id
    with unit_of_work() as work:
        row = work.db_session.scalars(select(Petition)).one()
        content, parties = open_denunciation(work, row.id, by=by, reason="kiểm thử")
        identity = json.loads(open_denouncer(work, row.id, by=by, reason="kiểm thử"))
    assert "phong bì" in content
    assert json.loads(parties)["place_text"] == "quán bà Xuyến"
    assert identity["submitter"]["phone"] == "0977 111 333"


def test_slip_of_a_denunciation_names_nobody(citizen: Citizen) -> None:
    citizen.begin("denunciation").fill_all(DENUNCIATION)
    citizen.send()
    page = citizen.page("da-nhan")
    assert "Khoan" not in page
    assert "Người gửi" not in page


def test_files_of_a_denunciation_are_under_its_keys_even_if_sent_before(citizen: Citizen) -> None:
    citizen.begin("unclassified").upload(photo())
    citizen.fill_all(DENUNCIATION)
    citizen.send()
    with reading() as work:
        sealed = work.db_session.scalars(select(SealedObject)).one()
        family = work.get(KeyEncryptionKey, sealed.kid).family
    assert family == "denunciations"
    assert read_object(sealed)[:2] == b"\xff\xd8"


def test_protection_and_a_screen_do_not_go_together(citizen: Citizen) -> None:
    citizen.begin("denunciation").fill_all(DENUNCIATION)
    answer = citizen.fill("ho-tro", online="yes", protection="yes")
    assert answer.status_code == 422
    assert "chỉ tiếp trực tiếp" in answer.get_data(as_text=True)


# --- limits and places ---------------------------------------------------------------------------


def test_beginning_endless_drafts_is_limited(client: FlaskClient) -> None:
    answers = {client.post("/don/moi", data={"kind": "complaint"}).status_code for _ in range(41)}
    assert answers == {303, 429}


def test_uploads_of_one_address_are_limited_over_all_its_drafts(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing_views, "UPLOADS_PER_ADDRESS", 3)
    answers = [Citizen(client).begin().upload(photo()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert "không mất" in answers[-1].get_json()["error"]
    assert int(answers[-1].headers["Retry-After"]) > 0
    other = Citizen(client).begin()
    elsewhere = {"REMOTE_ADDR": "192.0.2.8"}
    data = {"part": "evidence", "file": (BytesIO(photo()), "anh.jpg")}
    answer = client.post(other.at("tep"), data=data, environ_overrides=elsewhere)
    assert answer.status_code == 201


def test_refused_upload_without_a_script_keeps_what_was_typed(
    citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing_views, "UPLOADS_PER_ADDRESS", 1)
    citizen.begin().upload(photo())
    answer = citizen.fill(
        "chuyen-gi", content="Đất nhà tôi bị thu hồi.", files=(BytesIO(photo()), "anh.jpg")
    )
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "Đất nhà tôi bị thu hồi." in page
    assert "thử quá nhiều lần" in page


def test_saving_by_itself_is_limited_per_address_and_sending_the_page_is_not(
    citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing_views, "SAVES_PER_ADDRESS", 2)
    citizen.begin()
    typed = {"content": "Đất nhà tôi bị thu hồi, tính giá thấp."}
    saves = [
        citizen.client.post(citizen.at("chuyen-gi/luu"), data=typed).status_code for _ in range(3)
    ]
    assert saves == [200, 200, 429]
    assert citizen.fill("chuyen-gi", **typed).status_code == 303


def test_places_answer_old_and_new_names(client: FlaskClient) -> None:
    found = client.get("/don-vi?q=binh son").get_json()
    assert {item["label"] for item in found} == {"Phường Long Thành", "Phường Phước Bình"}
    assert found[0]["cap"] == "Có nhiều nơi cùng tên này"
    assert all("Bình Sơn" in item["detail"] for item in found)
    assert [
        item["label"] for item in client.get("/don-vi?q=so xay dung&loai=co-quan").get_json()
    ] == ["Sở Xây dựng"]
    assert client.get("/don-vi?q=so xay dung").get_json() == []


def test_every_wizard_post_needs_a_token_against_forgery(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    browser = app.test_client()
    assert browser.post("/don/moi", data={"kind": "complaint"}).status_code == 400
    assert browser.post(f"/don/moi/{uuid4().hex}/tep").status_code == 400


def test_missing_calendar_keeps_the_petition_and_says_so_in_plain_words(
    citizen: Citizen, caplog: pytest.LogCaptureFixture
) -> None:
    move_clock(to=datetime(2026, 11, 23, 9, tzinfo=LOCAL), by=None)
    citizen.begin().fill_all(COMPLAINT)
    _confirm_2027(confirmed=False)
    answer = citizen.send(signing="photo", signed_file=(BytesIO(photo()), "don.jpg"))
    assert answer.status_code == 503
    page = answer.get_data(as_text=True)
    assert "Đơn không mất" in page
    assert "quản trị" not in page
    assert [record.year for record in caplog.records if hasattr(record, "year")] == [2027]
    _confirm_2027(confirmed=True)
    assert citizen.send(signing="photo").status_code == 303


def _confirm_2027(*, confirmed: bool) -> None:
    with unit_of_work() as work:
        work.db_session.get_one(HolidayYear, 2027).confirmed = confirmed


def test_slip_tells_first_to_come_and_sign(citizen: Citizen) -> None:
    citizen.begin().fill_all(COMPLAINT).send()
    slip = citizen.page("da-nhan").split('<section class="slip"')[1].split("</section>")[0]
    first = slip.split("<ol>")[1].split("</li>")[0]
    assert "Ký tại UBND phường Long Thành" in first
    assert "căn cước" in first


def test_slip_of_a_signed_petition_leaves_out_that_it_has_arrived(citizen: Citizen) -> None:
    photographed = (BytesIO(photo()), "don.jpg")
    citizen.begin().fill_all(COMPLAINT).send(signing="photo", signed_file=photographed)
    slip = citizen.page("da-nhan").split('<section class="slip"')[1].split("</section>")[0]
    assert "Đơn đã đến nơi" not in slip
    assert "Xác minh, đối thoại" in slip


def test_refused_form_leads_back_to_its_page_and_nowhere_else(client: FlaskClient) -> None:
    home = "http://localhost/gui-don"
    for came_from, linked in ((home, True), ("http://evil.example/gui-don", False), ("", False)):
        headers = {"Referer": came_from} if came_from else {}
        answer = client.post("/don/moi", data={"kind": "?"}, headers=headers)
        assert answer.status_code == 400
        assert ("Về trang vừa rồi" in answer.get_data(as_text=True)) is linked


# --- words a first-time sender reads --------------------------------------------------------------


@pytest.mark.parametrize("address", ["/gui-don?tiep=1", "/gui-don?viec=bi-thiet&tiep=1"])
def test_guide_without_an_answer_says_what_to_do(client: FlaskClient, address: str) -> None:
    page = client.get(address).get_data(as_text=True)
    assert "govuk-error-summary" in page
    untouched = client.get(address.replace("tiep=1", "").rstrip("?&")).get_data(as_text=True)
    assert "govuk-error-summary" not in untouched
    assert 'name="tiep"' in untouched


def test_summary_names_the_errors_from_top_to_bottom(citizen: Citizen) -> None:
    typed = {"name": "", "citizen_id": "12", "birth_year": "58", "phone": "1", "email": "a"}
    page = citizen.begin().fill("lien-lac", **typed).get_data(as_text=True)
    summary = page.split("govuk-error-summary__list")[1].split("</ul>")[0]
    linked = re.findall(r'href="#([^"]+)"', summary)
    assert len(linked) == 7
    places = [page.index(f' id="{field}"') for field in linked]
    assert places == sorted(places)


def test_paper_that_was_issued_before_reads_like_a_sentence(citizen: Citizen) -> None:
    citizen.begin().fill_all(COMPLAINT)
    assert "418/QĐ-UBND ngày 28/10/2026, UBND phường Long Thành" in citizen.page("xem-lai")


def test_wrong_second_part_stays_to_be_mended(client: FlaskClient) -> None:
    page = client.post("/tra-cuu", data={"code": "KN-5V9T-3N7Q", "second": "24l7"})
    assert 'value="24l7"' in page.get_data(as_text=True)


def test_empty_pages_are_named_before_sending(citizen: Citizen) -> None:
    pages = {name: typed for name, typed in COMPLAINT.items() if name not in ("o-dau", "chuyen-gi")}
    page = citizen.begin().fill_all(pages).page("xem-lai")
    assert "Bước 3: Chuyện đã xảy ra" in page
    assert "Bước 3: Ở đâu, khi nào" in page
