"""Following a petition: both parts, only the stage, more papers, withdrawing, reminding."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.clock import LOCAL, legal_now, move_clock
from reception.petitions.following_words import words_of
from reception.petitions.steps import NewPetition, Registered, register_petition
from storage.database import reading, unit_of_work
from storage.identities import PersonData, keep_person, open_field, prepare_vault
from storage.keyring import Family
from storage.models import (
    Account,
    AgendaItem,
    Attachment,
    AuditLeaf,
    IssuedDocument,
    OutboxMessage,
    Petition,
    PetitionRequest,
    ReceptionSession,
    SessionPoint,
)
from storage.objects import Bucket
from storage.sealed import seal_object
from storage.steps import record, run_of, state_from_steps, steps_of
from tests.support.citizen import path_of, photo
from tests.support.factories import COMMUNE, Factories, Officer
from workflows.access import VISITOR, Role
from workflows.kinds import PetitionKind
from workflows.procedures.guards import Facts
from workflows.procedures.loader import procedure

TODAY = date(2026, 11, 23)
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture
def sent(client: FlaskClient, factories: Factories) -> Registered:
    """A signed complaint of a woman whose telephone ends in 2417."""
    move_clock(to=datetime(2026, 11, 23, 9, tzinfo=LOCAL), by=None)
    return register(factories)


def register(factories: Factories, **changes: object) -> Registered:
    """A petition sent this morning."""
    unit = factories.unit_id(COMMUNE)
    fields: dict[str, object] = {
        "kind": "complaint",
        "content": "Phường thu hồi 212 m² đất và tính giá thấp.",
        "received_on": TODAY,
        "receiving_unit_id": unit,
        "place_unit_id": unit,
        "idempotency_key": f"k{len(changes)}{changes}",
        "submitter": PersonData(name="Nguyễn Thị Ngọc Huỳnh", phone="090 000 2417"),
        "signing": "photo",
    }
    prepare_vault()
    with unit_of_work() as work:
        return register_petition(work, NewPetition(**{**fields, **changes}), by=None)  # type: ignore[arg-type]  # names are those of the dataclass


def ask(client: FlaskClient, code: str, second: str):
    """Type both parts."""
    return client.post("/tra-cuu", data={"code": code, "second": second})


def page_of(client: FlaskClient, sent: Registered) -> str:
    """The followed page after proving with the printed part."""
    ask(client, sent.petition.code, sent.second_part)
    return client.get(f"/tra-cuu/{sent.petition.code}").get_data(as_text=True)


@pytest.mark.parametrize("second", ["printed", "2417"])
def test_printed_part_or_end_of_the_telephone_opens_the_stage(
    client: FlaskClient, sent: Registered, second: str
) -> None:
    given = sent.second_part.lower() if second == "printed" else second
    answer = ask(client, sent.petition.code.replace("-", " ").lower(), given)
    assert path_of(answer) == f"/tra-cuu/{sent.petition.code}"


def test_unknown_code_and_wrong_part_read_the_same(client: FlaskClient, sent: Registered) -> None:
    code = sent.petition.code
    other = "KN-0000-0000" if code != "KN-0000-0000" else "KN-1111-1111"
    pages = set()
    for typed, second in ((code, "AAAAAA"), (other, "AAAAAA"), ("nhầm hết", "AAAAAA"), (code, "")):
        answer = ask(client, typed, second)
        assert answer.status_code == 422
        text = answer.get_data(as_text=True)
        for shown in (typed, second):  # what was typed stays to be mended
            text = text.replace(f'value="{shown}"', 'value=""')
        text = re.sub(r'(name="csrf_token" value=")[^"]*', r"\1", text)  # carries the second
        pages.add(text.split("<main")[1])
    assert len(pages) == 1


def test_guessing_is_stopped_and_says_how_long(client: FlaskClient, sent: Registered) -> None:
    codes = [ask(client, sent.petition.code, f"{n:06}").status_code for n in range(8)]
    assert set(codes) == {422}
    answer = ask(client, sent.petition.code, sent.second_part)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_page_without_proof_asks_for_both_parts(client: FlaskClient, sent: Registered) -> None:
    answer = client.get(f"/tra-cuu/{sent.petition.code}")
    assert path_of(answer) == "/tra-cuu"
    assert client.post(f"/tra-cuu/{sent.petition.code}/bo-sung").status_code == 404
    assert client.post(f"/tra-cuu/{sent.petition.code}/rut-don").status_code == 404


def test_proof_ends_after_half_an_hour(client: FlaskClient, sent: Registered) -> None:
    ask(client, sent.petition.code, sent.second_part)
    with client.session_transaction() as cookie:
        entry = cookie["followed"][sent.petition.code]
        assert float(entry["until"]) - datetime.now(HANOI).timestamp() <= 30 * 60
        cookie["followed"] = {sent.petition.code: entry | {"until": 0}}
    assert path_of(client.get(f"/tra-cuu/{sent.petition.code}")) == "/tra-cuu"


def test_proof_of_one_petition_opens_no_other(
    client: FlaskClient, sent: Registered, factories: Factories
) -> None:
    other = register(factories, idempotency_key="khác")
    ask(client, sent.petition.code, sent.second_part)
    assert path_of(client.get(f"/tra-cuu/{other.petition.code}")) == "/tra-cuu"


def test_stage_day_and_reason_are_shown_but_neither_name_nor_content(
    client: FlaskClient, sent: Registered
) -> None:
    page = page_of(client, sent)
    assert "Đã nhận đơn" in page
    assert "Chậm nhất thứ Năm 03/12/2026" in page
    assert "tính từ sau thứ Hai 23/11/2026, 07 ngày làm việc" in page
    for hidden in ("Ngọc Huỳnh", "212 m²", "2417", sent.second_part):
        assert hidden not in page


def test_denunciation_opens_with_the_printed_part_only(
    client: FlaskClient, sent: Registered, factories: Factories
) -> None:
    secret = register(factories, kind="denunciation", idempotency_key="tố cáo")
    assert ask(client, secret.petition.code, "2417").status_code == 422
    page = page_of(client, secret)
    assert "Xử lý ban đầu tố cáo" in page
    with reading() as work:
        actions = {leaf.action for leaf in work.db_session.scalars(select(AuditLeaf))}
    assert "denouncer_identity_opened" not in actions


def test_issued_papers_are_told_by_name_only_and_drafts_not_at_all(
    client: FlaskClient, sent: Registered
) -> None:
    with unit_of_work() as work:
        for title, state in (("Thông báo thụ lý", "issued"), ("Dự thảo nội bộ", "draft")):
            work.add(
                IssuedDocument(
                    petition_id=sent.petition.id,
                    unit_id=sent.petition.holder_unit_id,
                    form="ND124-03",
                    title=title,
                    number="52/TB-UBND",
                    state=state,
                    issued_on=TODAY,
                )
            )
    page = page_of(client, sent)
    assert "Thông báo thụ lý 52/TB-UBND" in page
    assert "Dự thảo nội bộ" not in page


def test_unsigned_petition_says_to_come_and_sign(
    client: FlaskClient, sent: Registered, factories: Factories
) -> None:
    waiting = register(factories, signing="at_unit", idempotency_key="chờ ký")
    page = page_of(client, waiting)
    assert "Ký tại UBND phường" in page or "Ký tại UBND xã" in page
    assert "cần xác nhận" in page


def test_meeting_on_screen_is_announced_with_day_and_places(
    client: FlaskClient, sent: Registered, factories: Factories
) -> None:
    officer = factories.officer(Role.COMMUNE_CHAIR, COMMUNE, "Lê Quang Vinh")
    starts = datetime(2026, 12, 17, 14, tzinfo=HANOI)
    with unit_of_work() as work:
        meeting = work.add(
            ReceptionSession(
                code="PH-1", title="Buổi tiếp", kind="periodic", mode="online",
                reason_code="hard-to-travel", unit_id=sent.petition.holder_unit_id,
                presiding_id=officer.account_id, starts_at=starts,
                planned_end_at=starts + timedelta(hours=2), state="SCHEDULED", idempotency_key="p1",
            )
        )  # fmt: skip
        work.flush()
        work.add(
            SessionPoint(
                reception_session_id=meeting.id, kind="central", seat=1,
                name="Trụ sở Tiếp công dân", unit_id=sent.petition.holder_unit_id,
            )
        )  # fmt: skip
        work.add(
            AgendaItem(
                reception_session_id=meeting.id, seq=1, petition_id=sent.petition.id,
                title="Lượt 1", planned_minutes=20,
            )
        )  # fmt: skip
    page = page_of(client, sent)
    assert "14:00 thứ Năm 17/12/2026, còn 24 ngày" in page
    assert "Trụ sở Tiếp công dân" in page
    assert "Lê Quang Vinh" not in page


def test_home_page_and_calendar_show_receptions_without_citizens(
    client: FlaskClient, sent: Registered, factories: Factories
) -> None:
    assert "Chưa có buổi tiếp công dân nào trên lịch" in client.get("/").get_data(as_text=True)
    officer = factories.officer(Role.COMMUNE_CHAIR, COMMUNE)
    starts = legal_now() + timedelta(days=9)
    with unit_of_work() as work:
        work.add(
            ReceptionSession(
                code="PH-2", title="Bà Huỳnh khiếu nại đất", kind="regular", mode="in_person",
                unit_id=sent.petition.holder_unit_id, presiding_id=officer.account_id,
                starts_at=starts, planned_end_at=starts + timedelta(hours=3), state="SCHEDULED",
                idempotency_key="p2",
            )
        )  # fmt: skip
    for address in ("/", "/lich-tiep"):
        page = client.get(address).get_data(as_text=True)
        assert "02<" not in page
        assert "Gặp trực tiếp" in page
        assert "Bà Huỳnh" not in page


# --- more papers, withdrawing, reminding ---------------------------------------------------------


def post(client: FlaskClient, sent: Registered, what: str, **data: object):
    """Act on a petition that was proven before."""
    ask(client, sent.petition.code, sent.second_part)
    return client.post(f"/tra-cuu/{sent.petition.code}/{what}", data=data)


def test_paper_sent_later_belongs_to_the_petition_and_tells_the_office(
    client: FlaskClient, sent: Registered
) -> None:
    answer = post(client, sent, "bo-sung", files=(BytesIO(photo()), "sổ hồng.jpg"))
    assert answer.status_code == 303
    with reading() as work:
        attachment = work.db_session.scalars(select(Attachment)).one()
        topics = set(work.db_session.scalars(select(OutboxMessage.topic)))
        name = open_field("attachment", "file_name", attachment.id, attachment.file_name_sealed)
    assert (attachment.petition_id, name) == (sent.petition.id, "sổ hồng.jpg")
    assert "petition_supplemented" in topics


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ((BytesIO(b"MZ\x90\0"), "a.exe"), "chỉ nhận ảnh JPG, PNG"),
        (None, "Chọn ảnh hoặc tệp PDF trước"),
    ],
)
def test_wrong_paper_is_told_on_the_same_page(
    client: FlaskClient, sent: Registered, file: object, sentence: str
) -> None:
    answer = post(client, sent, "bo-sung", **({"files": file} if file else {}))
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)


def test_papers_sent_afterwards_are_limited_per_address(
    client: FlaskClient, sent: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reception.petitions.look_up_views.PAPERS_PER_ADDRESS", 1)
    assert post(client, sent, "bo-sung", files=(BytesIO(photo()), "a.jpg")).status_code == 303
    again = post(client, sent, "bo-sung", files=(BytesIO(photo()), "b.jpg"))
    assert again.status_code == 422
    assert "thử quá nhiều lần" in again.get_data(as_text=True)
    letter = post(client, sent, "rut-don", sure="1", letter=(BytesIO(photo()), "don.jpg"))
    assert letter.status_code == 422
    with reading() as work:
        assert work.get(Petition, sent.petition.id).state != "WITHDRAWN"


def test_signed_letter_withdraws_a_complaint_by_the_rule(
    client: FlaskClient, sent: Registered
) -> None:
    answer = post(
        client,
        sent,
        "rut-don",
        sure="1",
        reason="Đã thỏa thuận",
        letter=(BytesIO(photo()), "rut.jpg"),
    )
    assert answer.headers["Location"].endswith("da=rut")
    with reading() as work:
        row = work.get(Petition, sent.petition.id)
        run = run_of(work, "PET", petition_id=row.id)
        steps = steps_of(work, run.id)
        asked = work.db_session.scalars(select(PetitionRequest)).one()
        reason = open_field("petition_request", "reason", asked.id, asked.reason_sealed)
    assert row.state == state_from_steps(steps) == "WITHDRAWN"
    assert (asked.state, reason) == ("done", "Đã thỏa thuận")
    assert "Đơn đã được rút" in client.get(f"/tra-cuu/{sent.petition.code}?da=rut").get_data(
        as_text=True
    )


def test_withdrawal_without_a_letter_waits_for_an_officer(
    client: FlaskClient, sent: Registered
) -> None:
    answer = post(client, sent, "rut-don", sure="1")
    assert answer.headers["Location"].endswith("da=xin-rut")
    with reading() as work:
        assert work.get(Petition, sent.petition.id).state == "RECEIVED"
        assert work.db_session.scalars(select(PetitionRequest)).one().state == "open"
    again = post(client, sent, "rut-don", sure="1")
    assert again.status_code == 409


def test_denunciation_is_never_withdrawn_by_a_photo(
    client: FlaskClient, sent: Registered, factories: Factories
) -> None:
    secret = register(factories, kind="denunciation", idempotency_key="tố cáo")
    post(client, secret, "rut-don", sure="1", letter=(BytesIO(photo()), "rut.jpg"))
    with reading() as work:
        assert work.get(Petition, secret.petition.id).state == "RECEIVED"
        assert work.db_session.scalars(select(PetitionRequest)).one().state == "open"


def test_withdrawing_asks_whether_one_is_sure(client: FlaskClient, sent: Registered) -> None:
    answer = post(client, sent, "rut-don", reason="vì bận")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "nếu ông/bà chắc chắn" in page
    assert "vì bận" in page


def test_reminder_exists_only_after_the_day_has_passed(
    client: FlaskClient, sent: Registered
) -> None:
    assert "Nhắc việc</button>" not in page_of(client, sent)
    assert post(client, sent, "nhac-viec").status_code == 409
    move_clock(to=datetime(2026, 12, 4, 9, tzinfo=LOCAL), by=None)
    page = page_of(client, sent)
    assert "Quá hạn" in page
    assert '<li class="bad">' in page
    assert "/nhac-viec" in page
    assert post(client, sent, "nhac-viec").status_code == 303
    with reading() as work:
        assert work.db_session.scalars(select(PetitionRequest)).one().kind == "hurry"
    assert "/nhac-viec" not in page_of(client, sent)


def test_finished_petition_takes_no_more_papers(client: FlaskClient, sent: Registered) -> None:
    with unit_of_work() as work:
        run = run_of(work, "PET", petition_id=sent.petition.id)
        facts = Facts(kind=PetitionKind.COMPLAINT, withdrawal_in_writing=True)
        record(work, run, "withdraw", on=TODAY, facts=facts, by=None)
    assert "Gửi thêm giấy tờ" not in page_of(client, sent)
    answer = post(client, sent, "bo-sung", files=(BytesIO(photo()), "a.jpg"))
    assert answer.status_code == 409


# --- signed in -----------------------------------------------------------------------------------


def test_citizen_who_signed_in_reads_own_petition_and_its_papers(
    client: FlaskClient, sent: Registered, factories: Factories
) -> None:
    owner, stranger = citizen_account(factories), citizen_account(factories)
    mine = register(factories, account_id=owner.account_id, idempotency_key="của tôi")
    sealed = seal_object(
        b"%PDF-1.7 quyet dinh",
        bucket=Bucket.FILES,
        family=Family.DOCUMENTS,
        purpose="issued",
        media_type="application/pdf",
    )
    with unit_of_work() as work:
        work.add(sealed)
        work.flush()
        paper = work.add(
            IssuedDocument(
                petition_id=mine.petition.id, unit_id=mine.petition.holder_unit_id, form="ND124-03",
                title="Thông báo thụ lý", state="issued", issued_on=TODAY,
                sealed_object_id=sealed.id,
            )
        )  # fmt: skip
        work.flush()
        address = f"/don-cua-toi/{mine.petition.code}/van-ban/{paper.id}"
    factories.log_in(client, owner)
    assert mine.petition.code in client.get("/don-cua-toi").get_data(as_text=True)
    assert "212 m²" in client.get(f"/don-cua-toi/{mine.petition.code}").get_data(as_text=True)
    assert client.get(address).data == b"%PDF-1.7 quyet dinh"
    assert client.get(f"/don-cua-toi/{sent.petition.code}").status_code == 404
    other = factories.log_in(client.application.test_client(), stranger)
    assert other.get(f"/don-cua-toi/{mine.petition.code}").status_code == 404
    assert other.get(address).status_code == 404
    assert mine.petition.code not in other.get("/don-cua-toi").get_data(as_text=True)


def test_denunciation_is_on_no_list_even_of_its_sender(
    client: FlaskClient, sent: Registered, factories: Factories
) -> None:
    owner = citizen_account(factories)
    secret = register(
        factories, kind="denunciation", account_id=owner.account_id, idempotency_key="tố cáo"
    )
    factories.log_in(client, owner)
    assert secret.petition.code not in client.get("/don-cua-toi").get_data(as_text=True)
    assert client.get(f"/don-cua-toi/{secret.petition.code}").status_code == 404


def citizen_account(factories: Factories) -> Officer:
    """A citizen who can sign in."""
    with unit_of_work() as work:
        person = keep_person(work, PersonData(name="Nguyễn Thị Ngọc Huỳnh"))
        account = work.add(
            Account(kind="citizen", person_id=person.id, display_name="Bà Ngọc Huỳnh")
        )
        work.flush()
        return Officer(account.id, person.id, VISITOR)


@pytest.mark.parametrize("code", ["PET", "KN1", "KN2", "KP"])
def test_every_state_a_sender_can_see_has_plain_words(app: Flask, code: str) -> None:
    with app.test_request_context():
        bare = [
            state
            for state in procedure(code).states
            if state != "START" and words_of(code, state, "?")[0] == "?"
        ]
    assert bare == []


def test_terms_of_a_second_complaint_are_told_by_its_own_rule(
    client: FlaskClient, factories: Factories
) -> None:
    move_clock(to=datetime(2026, 11, 23, 9, tzinfo=LOCAL), by=None)
    page = page_of(client, register(factories, round=2))
    assert "nhiều nhất 60 ngày" in page
    assert "Khiếu nại lần hai, hoặc kiện" not in page


def test_term_is_named_in_english_on_the_english_page(
    client: FlaskClient, sent: Registered
) -> None:
    client.get("/ngon-ngu/en")
    page = page_of(client, sent)
    label = next(rule for rule in procedure("PET").deadlines if rule.name == "acceptance-notice")
    assert f"<p>{label.label_en}." in page
    assert f'<span class="what">{label.label_en}</span>' in page
