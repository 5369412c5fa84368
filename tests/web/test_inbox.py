"""The inbox: who sees what, in which order, and what a petition's page lets one do."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.petitions.steps import NewPetition, register_petition
from reception.petitions.uploads import CheckedFile, add_attachment, seal_file
from storage.database import reading, unit_of_work
from storage.identities import PersonData, prepare_vault
from storage.keyring import Family
from storage.models import AuditLeaf, Case, KeyEncryptionKey, Petition, SealedObject
from storage.queries.inbox import Inbox, InboxFilter, inbox, visible_petitions
from storage.subjects import petition_subjects
from tests.support.factories import COMMUNE, OTHER_COMMUNE, PROVINCE, Factories, Officer
from workflows.access import Permission, Role, decide

DAY = date(2026, 11, 23)
CONTENT = (
    "Tôi khiếu nại Quyết định 2318/QĐ-UBND ngày 14/05/2026 thu hồi thửa đất số 118, "
    "tờ bản đồ số 42, bồi thường thiếu 214 triệu đồng."
)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Legal dates of these pages stand still."""
    for module in ("inbox_views", "handling_views"):
        monkeypatch.setattr(f"reception.petitions.{module}.legal_today", lambda: DAY)


def file(factories: Factories, **changes: object) -> Petition:
    """A signed complaint about a commune, filed there."""
    unit = factories.unit_id(str(changes.pop("at", COMMUNE)))
    values: dict[str, object] = {
        "kind": "complaint",
        "content": CONTENT,
        "received_on": DAY,
        "receiving_unit_id": unit,
        "place_unit_id": unit,
        "respondent_unit_id": unit,
        "idempotency_key": uuid4().hex,
        "submitter": PersonData(name="Trương Văn Lợi", birth_year="1968", address="Khu phố 4"),
        "signing": "photo",
    }
    prepare_vault()
    with unit_of_work() as work:
        return register_petition(work, NewPetition(**{**values, **changes}), by=None).petition  # type: ignore[arg-type]  # built by name


def fresh(petition_id: UUID) -> Petition:
    with reading() as work:
        return work.get(Petition, petition_id)


def browser(client: FlaskClient, factories: Factories, officer: Officer) -> FlaskClient:
    return factories.log_in(client.application.test_client(), officer)


def classify(client: FlaskClient, petition: Petition, **changes: str) -> int:
    """Classify as a first complaint against the commune where it was filed."""
    now = fresh(petition.id)
    data = {
        "version": str(now.version),
        "kind": "complaint",
        "round": "1",
        "respondent": "commune",
        "respondent_unit": str(now.respondent_unit_id or now.holder_unit_id),
        "eligible": "yes",
        "field_code": "land-compensation",
        **changes,
    }
    return client.post(f"/hop-don/{petition.id}/phan-loai", data=data).status_code


def step(client: FlaskClient, petition: Petition, event: str, **data: str) -> int:
    data.setdefault("version", str(fresh(petition.id).version))
    return client.post(f"/hop-don/{petition.id}/buoc/{event}", data=data).status_code


@pytest.fixture
def officer(client: FlaskClient, factories: Factories) -> FlaskClient:
    """A reception officer of the commune."""
    return browser(client, factories, factories.officer(Role.COMMUNE_OFFICER, COMMUNE))


def test_inbox_lists_by_deadline_with_the_strip_of_days(
    officer: FlaskClient, factories: Factories
) -> None:
    file(factories, title="Đơn sau", received_on=date(2026, 11, 20))
    file(factories, title="Đơn quá hạn", received_on=date(2026, 11, 2))
    text = officer.get("/hop-don").get_data(as_text=True)
    assert text.index("Đơn quá hạn") < text.index("Đơn sau")
    assert "Quá hạn" in text
    assert 'class="days"' in text
    assert "24/11" in text
    assert "Điều 27" in text


def test_preview_shows_content_and_the_next_step(
    officer: FlaskClient, factories: Factories
) -> None:
    petition = file(factories)
    text = officer.get(f"/hop-don?don={petition.id}").get_data(as_text=True)
    assert "Trương Văn Lợi" in text
    assert "Phân loại đơn" in text
    part = officer.get(f"/hop-don?don={petition.id}", headers={"X-Part": "preview"})
    assert part.get_data(as_text=True).lstrip().startswith("<aside")


def test_filter_stays_in_the_address_and_finds_without_marks(
    officer: FlaskClient, factories: Factories
) -> None:
    file(factories, title="Bồi thường nhà kho đường vành đai")
    file(factories, title="Cấp giấy chứng nhận", content="Chậm cấp giấy.")
    text = officer.get("/hop-don?tim=boi+thuong+nha+kho").get_data(as_text=True)
    assert "nhà kho" in text
    assert "Cấp giấy chứng nhận" not in text
    assert "nhà kho" in officer.get("/hop-don?tim=truong+van+loi").get_data(as_text=True)
    assert 'value="boi thuong nha kho"' in text


def test_officer_of_another_commune_gets_404_and_counts_nothing(
    client: FlaskClient, factories: Factories
) -> None:
    petition = file(factories)
    other = browser(client, factories, factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE))
    assert other.get(f"/hop-don/{petition.id}").status_code == 404
    assert petition.code not in other.get("/hop-don?moi-don-vi=1").get_data(as_text=True)
    assert "0 đơn đang mở" in other.get("/hop-don?moi-don-vi=1").get_data(as_text=True)
    assert step(other, petition, "check_identity", how="card") == 404
    assert classify(other, petition) == 404


def test_citizen_is_sent_to_the_log_in(client: FlaskClient, factories: Factories) -> None:
    petition = file(factories)
    assert client.get(f"/hop-don/{petition.id}").status_code == 302
    assert client.post(f"/hop-don/{petition.id}/buoc/guide", data={}).status_code == 403


def test_denunciation_is_not_even_counted_outside_its_compartment(
    client: FlaskClient, factories: Factories, officer: FlaskClient
) -> None:
    petition = file(factories, kind="denunciation", content="Ông Y nhận tiền ở quầy số 3.")
    text = officer.get("/hop-don").get_data(as_text=True)
    assert petition.code not in text
    assert "0 đơn đang mở" in text
    assert officer.get(f"/hop-don/{petition.id}").status_code == 404
    head = browser(client, factories, factories.officer(Role.COMMUNE_CHAIR, COMMUNE))
    seen = head.get("/hop-don").get_data(as_text=True)
    assert "Đơn tố cáo (nội dung được giữ kín)" in seen
    assert "1 đơn đang mở" in seen
    assert "Ông Y" not in seen
    assert "Ông Y" not in head.get(f"/hop-don/{petition.id}").get_data(as_text=True)


def test_sealed_content_opens_with_a_reason_only(client: FlaskClient, factories: Factories) -> None:
    petition = file(factories, kind="denunciation", content="Ông Y nhận tiền ở quầy số 3.")
    head = browser(client, factories, factories.officer(Role.COMMUNE_CHAIR, COMMUNE))
    refused = head.post(f"/hop-don/{petition.id}/noi-dung", data={"reason": ""})
    assert refused.status_code == 422
    opened = head.post(f"/hop-don/{petition.id}/noi-dung", data={"reason": "giao xử lý đơn"})
    assert "Ông Y nhận tiền" in opened.get_data(as_text=True)
    assert opened.headers["Cache-Control"] == "no-store"


def test_a_petition_handled_in_its_own_commune_is_accepted_and_its_time_runs(
    client: FlaskClient, factories: Factories, officer: FlaskClient
) -> None:
    petition = file(factories)
    assert classify(officer, petition) == 303
    assert step(officer, petition, "propose") == 409
    assert step(officer, petition, "check_identity", how="card") == 303
    assert step(officer, petition, "propose", reason="Đủ điều kiện.") == 303
    chair = browser(client, factories, factories.officer(Role.COMMUNE_CHAIR, COMMUNE))
    assert step(officer, petition, "accept") in (403, 404)
    assert step(chair, petition, "accept") == 303
    accepted = fresh(petition.id)
    assert accepted.state == "ACCEPTED"
    page = chair.get(f"/vu-viec/{accepted.case_id}").get_data(as_text=True)
    assert "Ra quyết định giải quyết lần đầu" in page
    assert "23/12" in page


def test_second_click_takes_the_step_once(officer: FlaskClient, factories: Factories) -> None:
    petition = file(factories)
    version = str(fresh(petition.id).version)
    assert classify(officer, petition, version=version) == 303
    assert classify(officer, petition, version=version) == 303
    text = officer.get(f"/hop-don/{petition.id}").get_data(as_text=True)
    assert text.count("Phân loại đơn</span>") == 1


def test_somebody_elses_save_is_told_by_name_and_keeps_what_was_typed(
    client: FlaskClient, factories: Factories, officer: FlaskClient
) -> None:
    petition = file(factories)
    version = str(fresh(petition.id).version)
    other = factories.officer(Role.COMMUNE_ADVISORY, COMMUNE, name="Chị Hà")
    assert classify(browser(client, factories, other), petition) == 303
    answer = officer.post(
        f"/hop-don/{petition.id}/buoc/withdraw_part",
        data={"version": version, "reason": "Rút phần nhà kho", "in_writing": "1"},
    )
    text = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Chị Hà vừa lưu đơn này lúc" in text
    assert "Rút phần nhà kho" in text


def test_missing_reason_keeps_the_form_open(officer: FlaskClient, factories: Factories) -> None:
    petition = file(factories)
    classify(officer, petition)
    assert step(officer, petition, "keep_on_file", reason="") == 422


def test_undo_is_a_new_row_and_terms_run_again(officer: FlaskClient, factories: Factories) -> None:
    petition = file(factories)
    classify(officer, petition, eligible="no", ground="no-content")
    due = fresh(petition.id).due_on
    assert step(officer, petition, "keep_on_file", reason="Thiếu nội dung") == 303
    assert fresh(petition.id).state == "FILED"
    assert step(officer, petition, "undo", reason="Vừa bổ sung nội dung") == 303
    assert fresh(petition.id).state == "CLASSIFIED"
    assert fresh(petition.id).due_on == due
    assert step(officer, petition, "undo", reason="Bấm thêm lần nữa") == 409


def test_competence_is_proposed_with_its_article(
    officer: FlaskClient, factories: Factories
) -> None:
    petition = file(factories)
    unit = factories.unit_id(OTHER_COMMUNE)
    part = officer.get(
        f"/hop-don/{petition.id}/phan-loai?kind=complaint&round=2&respondent=commune"
        f"&respondent_unit={unit}",
        headers={"X-Part": "proposal"},
    ).get_data(as_text=True)
    assert "thuộc thẩm quyền Chủ tịch UBND cấp tỉnh" in part
    assert "Điều 21.2" in part


def test_classified_denunciation_leaves_no_word_in_the_row(
    client: FlaskClient, factories: Factories, officer: FlaskClient
) -> None:
    petition = file(factories, kind="unclassified", content="Ông Y nhận tiền ở quầy số 3.")
    unit = str(factories.unit_id(COMMUNE))
    assert classify(officer, petition, kind="denunciation", respondent_unit=unit) == 303
    row = fresh(petition.id)
    assert (row.content, row.submitter_id, row.secrecy) == (None, None, "compartment")
    stranger = browser(client, factories, factories.officer(Role.COMMUNE_OFFICER, COMMUNE))
    assert stranger.get(f"/hop-don/{petition.id}").status_code == 404
    assert officer.get(f"/hop-don/{petition.id}").status_code == 200
    assert classify(officer, petition, kind="complaint", reason="Đổi lại") == 409


def test_leader_gives_a_petition_to_an_officer_of_the_unit(
    client: FlaskClient, factories: Factories
) -> None:
    petition = file(factories)
    chair = browser(client, factories, factories.officer(Role.COMMUNE_CHAIR, COMMUNE))
    mine = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    stranger = factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    url = f"/hop-don/{petition.id}/giao"
    assert chair.post(url, data={"person": str(stranger.person_id)}).status_code == 422
    assert chair.post(url, data={"person": str(mine.person_id)}).status_code == 303
    assert fresh(petition.id).assigned_to == mine.person_id
    listed = browser(client, factories, mine).get("/hop-don?cua-toi=1").get_data(as_text=True)
    assert petition.code in listed


def test_online_reception_is_asked_for_with_a_reason_of_the_decree(
    officer: FlaskClient, factories: Factories
) -> None:
    petition = file(factories)
    url = f"/hop-don/{petition.id}/tiep-truc-tuyen"
    assert officer.post(url, data={"reason_code": "because"}).status_code == 422
    assert officer.post(url, data={"reason_code": "hard-to-travel"}).status_code == 303
    row = fresh(petition.id)
    assert (row.online_requested_on, row.online_reason) == (DAY, "hard-to-travel")


def test_code_of_a_case_elsewhere_reads_like_one_that_was_never_given_out(
    client: FlaskClient, officer: FlaskClient, factories: Factories
) -> None:
    foreign = file(factories, at=OTHER_COMMUNE)
    theirs = browser(client, factories, factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE))
    theirs.post(f"/hop-don/{foreign.id}/vu-viec")
    with reading() as work:
        code = work.get(Case, fresh(foreign.id).case_id).code
    petition = file(factories)
    pages = {}
    for typed in (code, code[:-1] + ("2" if code[-1] != "2" else "3")):
        form = {"kind": "related", "reason": "Cùng con đường", "code": typed}
        answer = officer.post(f"/hop-don/{petition.id}/noi", data=form)
        pages[typed] = (answer.status_code, _without(answer.get_data(as_text=True), typed))
    exists, unknown = pages.values()
    assert exists == unknown
    assert exists[0] == 422
    assert fresh(petition.id).case_id is None
    with reading() as work:
        refused = select(AuditLeaf).where(AuditLeaf.action == "refused")
        assert [leaf.object_kind for leaf in work.db_session.scalars(refused)] == ["case"]


def _without(page: str, typed: str) -> str:
    """A page without what was typed and what differs on every page anyway."""
    return re.sub(r'(nonce|value|csrf-token" content)="[^"]*"', "", page).replace(typed, "")


def test_list_of_chosen_petitions_leaves_out_what_may_not_be_seen(
    officer: FlaskClient, factories: Factories
) -> None:
    mine, elsewhere = file(factories), file(factories, at=OTHER_COMMUNE)
    page = officer.get(f"/hop-don/danh-sach?don={mine.id}&don={elsewhere.id}&don=x")
    assert mine.code in page.get_data(as_text=True)
    assert elsewhere.code not in page.get_data(as_text=True)


def test_empty_inbox_and_empty_filter_say_what_to_do(officer: FlaskClient) -> None:
    assert "Không còn đơn nào chờ bạn" in officer.get("/hop-don").get_data(as_text=True)
    filtered = officer.get("/hop-don?tim=khong-co").get_data(as_text=True)
    assert "Không có đơn nào khớp bộ lọc" in filtered
    assert "Bỏ bộ lọc" in filtered


def test_page_of_a_petition_in_every_state_shows(
    client: FlaskClient, factories: Factories, officer: FlaskClient
) -> None:
    waiting = file(factories, signing="at_unit")
    assert officer.get(f"/hop-don/{waiting.id}").status_code == 200
    assert step(officer, waiting, "sign") == 303
    assert fresh(waiting.id).state == "RECEIVED"
    assert fresh(waiting.id).clock_starts_on == DAY
    for path in ("", "/vi-sao", "/phan-loai", "/noi", "/tiep-truc-tuyen", "/buoc/withdraw"):
        assert officer.get(f"/hop-don/{waiting.id}{path}").status_code == 200
    assert officer.get(f"/hop-don/{waiting.id}/buoc/fly").status_code == 404


ENDPOINTS = (
    ("GET", ""),
    ("GET", "/vi-sao"),
    ("GET", "/noi-dung"),
    ("GET", "/phan-loai"),
    ("POST", "/phan-loai"),
    ("GET", "/buoc/check_identity"),
    ("POST", "/buoc/check_identity"),
    ("GET", "/chuyen"),
    ("POST", "/chuyen"),
    ("POST", "/nhan"),
    ("GET", "/noi"),
    ("POST", "/noi"),
    ("POST", "/vu-viec"),
    ("GET", "/giao"),
    ("POST", "/giao"),
    ("GET", "/tiep-truc-tuyen"),
    ("POST", "/tiep-truc-tuyen"),
)

FORMS = {
    "/buoc/check_identity": {"how": "card"},
    "/chuyen": {"to": "outside", "to_body": "Tòa án", "reason": "Việc của tòa án"},
    "/noi": {"kind": "related", "reason": "Cùng con đường", "code": "VV-0000-0000"},
    "/tiep-truc-tuyen": {"reason_code": "hard-to-travel"},
}

SEES_OWN = (
    Role.COMMUNE_OFFICER,
    Role.COMMUNE_ADVISORY,
    Role.COMMUNE_CHAIR,
)


@pytest.mark.parametrize("own", [True, False])
def test_every_endpoint_by_role_and_unit(
    client: FlaskClient, factories: Factories, own: bool
) -> None:
    """A role of another unit never learns that the petition exists; no role gets an error page."""
    for role in Role:
        petition = file(factories)
        officer = factories.officer(role, COMMUNE if own else OTHER_COMMUNE)
        who = browser(client, factories, officer)
        for method, path in ENDPOINTS:
            data = {**FORMS.get(path, {}), "version": str(fresh(petition.id).version)}
            answer = who.open(f"/hop-don/{petition.id}{path}", method=method, data=data)
            assert answer.status_code < 500
            if not own:
                assert answer.status_code in (403, 404), (role, method, path)
                assert petition.title not in answer.get_data(as_text=True)
        seen = who.get(f"/hop-don/{petition.id}").status_code
        assert (seen == 200) == (own and _holds_page(role)), (role, own, seen)


def _holds_page(role: Role) -> bool:
    """Roles whose grant reaches the petitions of exactly their unit."""
    return role in (
        *SEES_OWN,
        Role.PETITION_HANDLER,
        Role.APPROVING_LEADER,
        Role.DEPARTMENT_HEAD,
        Role.BOARD_HEAD,
        Role.BOARD_OFFICER,
        Role.OFFICE_REPRESENTATIVE,
        Role.PROVINCIAL_CHAIR,
    )


def test_count_is_exactly_what_the_rule_lets_see(client: FlaskClient, factories: Factories) -> None:
    roles = [role for role in Role if role is not Role.CITIZEN]
    people = [
        factories.officer(role, PROVINCE if role.value.startswith("prov") else COMMUNE)
        for role in roles
    ]
    restricted = [file(factories).id]
    for handled in ("denunciation", "complaint"):
        file(factories, kind=handled)
        file(factories, kind=handled, at=OTHER_COMMUNE)
        file(factories, kind=handled, assigned_to=people[0].person_id)
    for who in people[1:]:
        file(factories, kind="denunciation", assigned_to=who.person_id)
        restricted.append(file(factories, assigned_to=who.person_id).id)
    with unit_of_work() as work:
        for key in restricted:
            work.get(Petition, key).secrecy = "restricted"
    for who in people:
        listed, allowed, page = _seen_and_allowed(who)
        assert listed == allowed, who.actor.roles
        assert page.total == len(allowed) == len(page.rows)


def _seen_and_allowed(who: Officer) -> tuple[set[UUID], set[UUID], Inbox]:
    with reading() as work:
        query = select(Petition.id).where(visible_petitions(who.actor))
        listed = set(work.db_session.scalars(query))
        rows = work.db_session.scalars(select(Petition)).all()
        subjects = petition_subjects(work.db_session, rows)
        allowed = {
            row.id for row in rows if decide(who.actor, Permission.PETITION_SEE, subjects[row.id])
        }
        asked = InboxFilter(everywhere=True)
        page = inbox(work.db_session, visible_to=who.actor, asked=asked, today=DAY)
    return listed, allowed, page


def attach(petition: Petition) -> UUID:
    """A photo of the signed petition, sealed as an upload seals it."""
    file = CheckedFile("đơn ký.png", "image/png", b"\x89PNG picture of the petition", pages=1)
    sealed = seal_file(file)
    with unit_of_work() as work:
        return add_attachment(
            work, sealed, file, part="signed_petition", petition_id=petition.id
        ).id


def test_attachment_opens_decrypted_and_the_opening_is_in_the_log(
    client: FlaskClient, factories: Factories, officer: FlaskClient
) -> None:
    petition = file(factories)
    key = attach(petition)
    url = f"/hop-don/{petition.id}/tep/{key}"
    assert url in officer.get(f"/hop-don/{petition.id}").get_data(as_text=True)
    answer = officer.get(f"{url}?tai=1")
    assert answer.data == b"\x89PNG picture of the petition"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    with reading() as work:
        query = select(AuditLeaf).where(AuditLeaf.action == "attachment_opened")
        assert [leaf.object_id for leaf in work.db_session.scalars(query)] == [key]
    other = browser(client, factories, factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE))
    assert other.get(url).status_code == 404
    elsewhere = file(factories)
    assert officer.get(f"/hop-don/{elsewhere.id}/tep/{key}").status_code == 404


def test_files_of_a_letter_that_is_a_denunciation_are_locked_with_it(
    client: FlaskClient, factories: Factories, officer: FlaskClient
) -> None:
    petition = file(factories, kind="unclassified", content="Ông Y nhận tiền.")
    key = attach(petition)
    url = f"/hop-don/{petition.id}/tep/{key}"
    unit = str(factories.unit_id(COMMUNE))
    assert classify(officer, petition, kind="denunciation", respondent_unit=unit) == 303
    colleague = browser(client, factories, factories.officer(Role.COMMUNE_OFFICER, COMMUNE))
    assert colleague.get(url).status_code == 404
    assert officer.get(url).data == b"\x89PNG picture of the petition"
    with reading() as work:
        sealed = work.db_session.scalars(select(SealedObject)).one()
        key_of_keys = work.get(KeyEncryptionKey, sealed.kid)
    assert key_of_keys.family == Family.DENUNCIATIONS


def test_rail_tells_how_many_petitions_wait_here(
    officer: FlaskClient, factories: Factories
) -> None:
    file(factories)
    file(factories, at=OTHER_COMMUNE)
    file(factories, kind="denunciation")
    assert '<span class="n">1</span>' in officer.get("/hop-don").get_data(as_text=True)


def test_officer_who_meets_a_closed_door_stays_in_the_own_shell(
    officer: FlaskClient, client: FlaskClient
) -> None:
    for address, status in ((f"/hop-don/{UUID(int=7)}", 404), ("/suc-khoe", 403)):
        answer = officer.get(address)
        page = answer.get_data(as_text=True)
        assert answer.status_code == status
        assert 'href="/hop-don"' in page
        assert "Về việc của bạn" in page
        assert "phiếu xác nhận" not in page
    visitor = client.get("/tra-cuu/KN-0000-00").get_data(as_text=True)
    assert "Về việc của bạn" not in visitor
