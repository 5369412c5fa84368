"""From ward to province: what levels share of a case, what stays, and what nobody learns of."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.petitions.steps import NewPetition, register_petition
from storage.database import reading, unit_of_work
from storage.identities import PersonData, prepare_vault
from storage.models import Case, CaseLink, DailyFact, Involvement, IssuedDocument, Petition
from storage.queries.cases import visible_cases
from storage.subjects import case_subject
from tests.support.factories import COMMUNE, OTHER_COMMUNE, PROVINCE, Factories, Officer
from workflows.access import Permission, Role, decide

DAY = date(2026, 11, 23)
CONTENT = (
    "Không đồng ý Quyết định 2318/QĐ-UBND ngày 14/05/2026 thu hồi thửa đất số 118, "
    "tờ bản đồ số 42, bồi thường thiếu 214 triệu đồng."
)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Legal dates of these pages stand still."""
    for module in ("petitions.inbox_views", "petitions.handling_views", "cases.views"):
        monkeypatch.setattr(f"reception.{module}.legal_today", lambda: DAY)


class World:
    """Officers of two communes and the province, and short words for what they do."""

    def __init__(self, client: FlaskClient, factories: Factories) -> None:
        self.client, self.factories = client, factories

    def at(self, role: Role, unit: str) -> tuple[FlaskClient, Officer]:
        """A browser logged in as a new officer."""
        officer = self.factories.officer(role, unit)
        return self.factories.log_in(self.client.application.test_client(), officer), officer

    def file(self, *, at: str = COMMUNE, kind: str = "complaint", **changes: object) -> UUID:
        """A petition against the commune, filed somewhere."""
        prepare_vault()
        unit = self.factories.unit_id(COMMUNE)
        values: dict[str, object] = {
            "kind": kind,
            "content": CONTENT,
            "title": "Bồi thường đường vành đai",
            "received_on": DAY,
            "receiving_unit_id": self.factories.unit_id(at),
            "place_unit_id": unit,
            "respondent_unit_id": unit,
            "idempotency_key": uuid4().hex,
            "submitter": PersonData(name="Trương Văn Lợi"),
            "signing": "photo",
            **changes,
        }
        with unit_of_work() as work:
            new = NewPetition(**values)  # type: ignore[arg-type]  # built by name
            return register_petition(work, new, by=None).petition.id

    def version(self, petition_id: UUID) -> str:
        with reading() as work:
            return str(work.get(Petition, petition_id).version)

    def petition(self, petition_id: UUID) -> Petition:
        with reading() as work:
            return work.get(Petition, petition_id)

    def classify(self, who: FlaskClient, petition_id: UUID, **changes: str) -> None:
        data = {
            "version": self.version(petition_id),
            "kind": self.petition(petition_id).kind,
            "round": "1",
            "respondent": "commune",
            "respondent_unit": str(self.factories.unit_id(COMMUNE)),
            "eligible": "yes",
            "field_code": "land-compensation",
            **changes,
        }
        answer = who.post(f"/hop-don/{petition_id}/phan-loai", data=data)
        assert answer.status_code == 303, answer.get_data(as_text=True)

    def forward(self, who: FlaskClient, petition_id: UUID, to: str) -> int:
        data = {
            "version": self.version(petition_id),
            "to": str(self.factories.unit_id(to)),
            "reason": "Thuộc thẩm quyền nơi nhận",
        }
        return who.post(f"/hop-don/{petition_id}/chuyen", data=data).status_code


@pytest.fixture
def world(client: FlaskClient, factories: Factories) -> World:
    return World(client, factories)


def _numbers() -> int:
    with reading() as work:
        return sum(row.opened for row in work.db_session.scalars(select(DailyFact)))


def test_petition_goes_up_and_both_levels_share_one_case(world: World) -> None:
    ward, _ = world.at(Role.COMMUNE_OFFICER, COMMUNE)
    board, _ = world.at(Role.BOARD_OFFICER, PROVINCE)
    stranger, _ = world.at(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    petition_id = world.file()
    world.classify(ward, petition_id, round="2")
    assert world.forward(ward, petition_id, PROVINCE) == 303
    coming = board.get("/hop-don").get_data(as_text=True)
    assert "1 đơn đang chuyển đến" in coming
    assert ward.post(f"/hop-don/{petition_id}/nhan").status_code == 404
    assert board.post(f"/hop-don/{petition_id}/nhan").status_code == 303
    assert board.post(f"/hop-don/{petition_id}/nhan").status_code == 303
    petition = world.petition(petition_id)
    assert petition.holder_unit_id == world.factories.unit_id(PROVINCE)
    assert (petition.state, petition.clock_starts_on) == ("RECEIVED", DAY)
    for who in (ward, board):
        page = who.get(f"/vu-viec/{petition.case_id}")
        assert page.status_code == 200
        assert "Tiếp nhận đơn chuyển đến" in page.get_data(as_text=True)
    assert stranger.get(f"/vu-viec/{petition.case_id}").status_code == 404
    assert stranger.get(f"/hop-don/{petition_id}").status_code == 404
    assert petition.code not in stranger.get("/vu-viec").get_data(as_text=True)
    assert _numbers() == 1


def test_sender_can_take_a_forwarded_petition_back_until_it_was_received(world: World) -> None:
    ward, _ = world.at(Role.COMMUNE_OFFICER, COMMUNE)
    board, _ = world.at(Role.BOARD_OFFICER, PROVINCE)
    petition_id = world.file()
    world.classify(ward, petition_id, round="2")
    world.forward(ward, petition_id, PROVINCE)
    undone = ward.post(
        f"/hop-don/{petition_id}/buoc/undo",
        data={"version": world.version(petition_id), "reason": "Chuyển nhầm nơi"},
    )
    assert undone.status_code == 303
    assert world.petition(petition_id).state == "CLASSIFIED"
    assert "đang chuyển đến" not in board.get("/hop-don").get_data(as_text=True)
    assert board.post(f"/hop-don/{petition_id}/nhan").status_code == 404


def test_second_petition_filed_elsewhere_joins_the_case_and_counts_once(world: World) -> None:
    ward, _ = world.at(Role.COMMUNE_OFFICER, COMMUNE)
    other, _ = world.at(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    first, second = (
        world.file(),
        world.file(at=OTHER_COMMUNE, submitter=PersonData(name="Lê Phước")),
    )
    assert ward.post(f"/hop-don/{first}/vu-viec").status_code == 303
    case_id = world.petition(first).case_id
    world.classify(other, second)
    assert world.forward(other, second, COMMUNE) == 303
    ward.post(f"/hop-don/{second}/nhan")
    assert "Có thể cùng một vụ việc" in ward.get(f"/hop-don/{second}").get_data(as_text=True)
    data = {"other": str(first), "kind": "same_matter", "reason": "Cùng quyết định 2318"}
    assert ward.post(f"/hop-don/{second}/noi", data=data).status_code == 303
    assert ward.post(f"/hop-don/{second}/noi", data=data).status_code == 303
    assert world.petition(second).case_id == case_id
    assert _numbers() == 1
    page = ward.get(f"/vu-viec/{case_id}").get_data(as_text=True)
    assert "2 đơn" in page
    assert "1 vụ" in page
    assert other.get(f"/vu-viec/{case_id}").status_code == 404
    assert other.get(f"/hop-don/{first}").status_code == 404


def test_a_link_is_undone_with_its_reason_and_a_hint_is_answered_once(world: World) -> None:
    ward, _ = world.at(Role.COMMUNE_OFFICER, COMMUNE)
    first, second = world.file(), world.file()
    ward.post(f"/hop-don/{first}/vu-viec")
    case_id = world.petition(first).case_id
    form = {"other": str(first), "kind": "repeat", "reason": "Cùng quyết định 2318"}
    ward.post(f"/hop-don/{second}/noi", data=form)
    with reading() as work:
        query = select(CaseLink.id).where(CaseLink.petition_id == second)
        link_id = work.db_session.scalars(query).one()
    url = f"/vu-viec/{case_id}/bo-noi/{link_id}"
    assert ward.get(url).status_code == 200
    assert ward.post(url, data={"reason": ""}).status_code == 422
    assert ward.post(url, data={"reason": "Hai thửa khác nhau"}).status_code == 303
    assert "Hai thửa khác nhau" in ward.get(f"/vu-viec/{case_id}").get_data(as_text=True)
    assert ward.post(f"/hop-don/{second}/khong-lien-quan/{first}").status_code == 303
    assert "Có thể cùng một vụ việc" not in ward.get(f"/hop-don/{second}").get_data(as_text=True)
    assert "Có thể cùng một vụ việc" not in ward.get(f"/hop-don/{first}").get_data(as_text=True)


def _shared_case(world: World) -> tuple[FlaskClient, FlaskClient, UUID, UUID]:
    """A case of the commune that the province takes part in."""
    ward, _ = world.at(Role.COMMUNE_OFFICER, COMMUNE)
    board, _ = world.at(Role.BOARD_OFFICER, PROVINCE)
    petition_id = world.file()
    world.classify(ward, petition_id, round="2")
    world.forward(ward, petition_id, PROVINCE)
    board.post(f"/hop-don/{petition_id}/nhan")
    case_id = world.petition(petition_id).case_id
    assert case_id is not None
    return ward, board, case_id, petition_id


def test_working_papers_stay_with_the_level_that_made_them(world: World) -> None:
    ward, board, case_id, _ = _shared_case(world)
    for who, text in ((ward, "Ý kiến riêng của phường"), (board, "Dự thảo của thành phố")):
        form = {"kind": "opinion", "body": text}
        assert who.post(f"/vu-viec/{case_id}/ghi-chu", data=form).status_code == 303
    for who, own, foreign in (
        (ward, "Ý kiến riêng của phường", "Dự thảo của thành phố"),
        (board, "Dự thảo của thành phố", "Ý kiến riêng của phường"),
    ):
        page = who.get(f"/vu-viec/{case_id}").get_data(as_text=True)
        assert own in page
        assert foreign not in page
        assert "Giấy tờ nội bộ <span>1</span>" in page
    assert ward.post(f"/vu-viec/{case_id}/ghi-chu", data={"body": ""}).status_code == 422


def test_drafts_are_not_shared_but_issued_documents_are(world: World) -> None:
    ward, board, case_id, petition_id = _shared_case(world)
    unit = world.factories.unit_id(COMMUNE)
    with unit_of_work() as work:
        for title, state in (("Dự thảo báo cáo", "draft"), ("Quyết định 3127", "issued")):
            work.add(
                IssuedDocument(
                    petition_id=petition_id,
                    case_id=case_id,
                    unit_id=unit,
                    form="ND124-15",
                    title=title,
                    state=state,
                    issued_on=DAY if state == "issued" else None,
                )
            )
    for path in (f"/vu-viec/{case_id}", f"/hop-don/{petition_id}"):
        assert "Dự thảo báo cáo" in ward.get(path).get_data(as_text=True)
        assert "Dự thảo báo cáo" not in board.get(path).get_data(as_text=True)
        assert "Quyết định 3127" in board.get(path).get_data(as_text=True)


def test_opinions_in_steps_stay_with_their_level(world: World) -> None:
    ward, _, case_id, petition_id = _shared_case(world)
    board, _ = world.at(Role.BOARD_OFFICER, PROVINCE)
    world.classify(board, petition_id, round="2")
    for event, extra in (("check_identity", {"how": "card"}), ("propose", {"reason": "Ý TRÌNH"})):
        data = {"version": world.version(petition_id), **extra}
        answer = board.post(f"/hop-don/{petition_id}/buoc/{event}", data=data)
        assert answer.status_code == 303
    assert "Ý TRÌNH" in board.get(f"/vu-viec/{case_id}").get_data(as_text=True)
    for path in (f"/vu-viec/{case_id}", f"/hop-don/{petition_id}"):
        page = ward.get(path).get_data(as_text=True)
        assert "Ý TRÌNH" not in page
    assert "Đề xuất thụ lý" not in ward.get(f"/vu-viec/{case_id}").get_data(as_text=True)


def test_inspector_who_was_given_the_case_reads_every_level(world: World) -> None:
    ward, _, case_id, _ = _shared_case(world)
    ward.post(f"/vu-viec/{case_id}/ghi-chu", data={"kind": "opinion", "body": "Ý kiến của phường"})
    inspector, person = world.at(Role.PROVINCIAL_INSPECTOR, PROVINCE)
    assert "Ý kiến của phường" not in inspector.get(f"/vu-viec/{case_id}").get_data(as_text=True)
    with unit_of_work() as work:
        work.add(Involvement(case_id=case_id, person_id=person.person_id, part="assigned"))
    assert "Ý kiến của phường" in inspector.get(f"/vu-viec/{case_id}").get_data(as_text=True)


def test_log_shows_who_looked_and_who_was_refused(world: World) -> None:
    ward, board, case_id, _ = _shared_case(world)
    stranger, _ = world.at(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    assert stranger.get(f"/vu-viec/{case_id}").status_code == 404
    board.get(f"/vu-viec/{case_id}")
    page = board.get(f"/vu-viec/{case_id}").get_data(as_text=True)
    assert "Ai đã xem vụ việc này" in page
    assert "Trang vụ việc" in page
    assert "Từ chối" in page
    assert f"commune_officer {OTHER_COMMUNE}" in page
    assert "Ai đã xem" not in ward.get(f"/vu-viec/{case_id}").get_data(as_text=True)


def test_denunciation_leaves_no_trace_outside_its_compartment(world: World) -> None:
    head, _ = world.at(Role.COMMUNE_CHAIR, COMMUNE)
    ward, _ = world.at(Role.COMMUNE_OFFICER, COMMUNE)
    board, _ = world.at(Role.BOARD_OFFICER, PROVINCE)
    secret = world.file(kind="denunciation", content="Ông Y nhận tiền.")
    assert ward.post(f"/hop-don/{secret}/vu-viec").status_code == 404
    assert head.post(f"/hop-don/{secret}/vu-viec").status_code == 303
    case_id = world.petition(secret).case_id
    with reading() as work:
        code = work.get(Case, case_id).code
    here = f'href="/vu-viec/{case_id}"'
    for who in (ward, board):
        assert who.get(f"/vu-viec/{case_id}").status_code == 404
        assert "0 vụ việc" in who.get("/vu-viec").get_data(as_text=True)
        assert here not in who.get(f"/vu-viec?tim={code}&trang-thai=").get_data(as_text=True)
    assert here in head.get("/vu-viec").get_data(as_text=True)


def test_hidden_petition_leaves_no_gap_in_a_case_that_both_see(world: World) -> None:
    """A petition put under restriction vanishes from page, counts and course for the others."""
    ward, _ = world.at(Role.COMMUNE_OFFICER, COMMUNE)
    first, second = world.file(), world.file(submitter=PersonData(name="Người Kín"))
    ward.post(f"/hop-don/{first}/vu-viec")
    case_id = world.petition(first).case_id
    form = {"other": str(first), "kind": "same_matter", "reason": "Cùng quyết định 2318"}
    ward.post(f"/hop-don/{second}/noi", data=form)
    code = world.petition(second).code
    with unit_of_work() as work:
        work.get(Petition, second).secrecy = "restricted"
    page = ward.get(f"/vu-viec/{case_id}").get_data(as_text=True)
    assert code not in page
    assert "Người Kín" not in page
    assert "Đơn <span>1</span>" in page
    assert "1 đơn" in ward.get("/vu-viec").get_data(as_text=True)


def test_list_of_cases_is_exactly_what_the_rule_lets_see(world: World) -> None:
    roles = [role for role in Role if role is not Role.CITIZEN]
    people = [
        world.factories.officer(role, PROVINCE if role.value.startswith("prov") else COMMUNE)
        for role in roles
    ]
    chair, _ = world.at(Role.COMMUNE_CHAIR, COMMUNE)
    other, _ = world.at(Role.COMMUNE_CHAIR, OTHER_COMMUNE)
    for kind in ("complaint", "denunciation"):
        for at, who in ((COMMUNE, chair), (OTHER_COMMUNE, other)):
            petition_id = world.file(kind=kind, at=at, assigned_to=people[0].person_id)
            assert who.post(f"/hop-don/{petition_id}/vu-viec").status_code == 303
    with reading() as work:
        for who in people:
            query = select(Case.id).where(visible_cases(who.actor))
            listed = set(work.db_session.scalars(query))
            allowed = {
                case.id
                for case in work.db_session.scalars(select(Case))
                if decide(who.actor, Permission.CASE_SEE, case_subject(work.db_session, case))
            }
            assert listed == allowed, who.actor.roles


ENDPOINTS = (
    ("GET", ""),
    ("POST", "/ghi-chu"),
    ("GET", "/ten"),
    ("POST", "/ten"),
)
SEES_CASES = (
    Role.COMMUNE_OFFICER,
    Role.COMMUNE_ADVISORY,
    Role.COMMUNE_CHAIR,
    Role.PETITION_HANDLER,
    Role.APPROVING_LEADER,
    Role.DEPARTMENT_HEAD,
    Role.BOARD_HEAD,
    Role.BOARD_OFFICER,
    Role.OFFICE_REPRESENTATIVE,
    Role.PROVINCIAL_INSPECTOR,
    Role.PROVINCIAL_CHAIR,
)


@pytest.mark.parametrize("own", [True, False])
def test_every_endpoint_by_role_and_unit(world: World, own: bool) -> None:
    chair, _ = world.at(Role.COMMUNE_CHAIR, COMMUNE)
    petition_id = world.file()
    chair.post(f"/hop-don/{petition_id}/vu-viec")
    case_id = world.petition(petition_id).case_id
    for role in Role:
        who, _ = world.at(role, COMMUNE if own else OTHER_COMMUNE)
        for method, path in ENDPOINTS:
            answer = who.open(
                f"/vu-viec/{case_id}{path}",
                method=method,
                data={"kind": "note", "body": "Ghi chú", "title": "Tên vụ việc mới"},
            )
            assert answer.status_code < 500
            if not own:
                assert answer.status_code in (302, 403, 404), (role, method, path)
        seen = who.get(f"/vu-viec/{case_id}").status_code
        assert (seen == 200) == (own and role in SEES_CASES), (role, own, seen)


def _accepted(world: World) -> tuple[FlaskClient, FlaskClient, UUID]:
    """A first complaint accepted by the commune's chair."""
    ward, _ = world.at(Role.COMMUNE_OFFICER, COMMUNE)
    chair, _ = world.at(Role.COMMUNE_CHAIR, COMMUNE)
    petition_id = world.file()
    world.classify(ward, petition_id)
    for who, event, extra in (
        (ward, "check_identity", {"how": "card"}),
        (ward, "propose", {}),
        (chair, "accept", {}),
    ):
        data = {"version": world.version(petition_id), **extra}
        answer = who.post(f"/hop-don/{petition_id}/buoc/{event}", data=data)
        assert answer.status_code == 303, event
    case_id = world.petition(petition_id).case_id
    assert case_id is not None
    return ward, chair, case_id


def test_accepted_complaint_is_settled_on_its_case(world: World) -> None:
    _, chair, case_id = _accepted(world)
    advisory, _ = world.at(Role.COMMUNE_ADVISORY, COMMUNE)
    url = f"/vu-viec/{case_id}/buoc"
    assert "Giao xác minh" in chair.get(f"/vu-viec/{case_id}").get_data(as_text=True)
    assert chair.get(f"{url}/assign").status_code == 200
    assert chair.post(f"{url}/assign", data={"seen": "1"}).status_code == 303
    assert chair.post(f"{url}/assign", data={"seen": "1"}).status_code == 303
    assert chair.post(f"{url}/suspend", data={"seen": "1", "ground": "waiting"}).status_code == 409
    assert advisory.post(f"{url}/report", data={"seen": "2"}).status_code == 422
    report = {"seen": "2", "document_number": "918/BC"}
    assert advisory.post(f"{url}/report", data=report).status_code == 303
    decision = {
        "seen": "3",
        "document_number": "3127/QĐ-UBND",
        "outcome": "wrong",
        "views_differ": "yes",
    }
    assert chair.post(f"{url}/decide", data=decision).status_code == 409
    assert chair.post(f"{url}/decide", data={**decision, "views_differ": "no"}).status_code == 303
    page = chair.get(f"/vu-viec/{case_id}").get_data(as_text=True)
    assert "3127/QĐ-UBND" in page
    assert "Ra quyết định" in page


def test_second_accepted_petition_joins_the_running_settlement(world: World) -> None:
    ward, chair, case_id = _accepted(world)
    second = world.file(submitter=PersonData(name="Lê Phước"))
    with reading() as work:
        code = work.get(Case, case_id).code
    form = {"code": code, "kind": "same_matter", "reason": "Cùng quyết định 2318"}
    assert ward.post(f"/hop-don/{second}/noi", data=form).status_code == 303
    world.classify(ward, second)
    for who, event, extra in (
        (ward, "check_identity", {"how": "card"}),
        (ward, "propose", {}),
        (chair, "accept", {}),
    ):
        data = {"version": world.version(second), **extra}
        assert who.post(f"/hop-don/{second}/buoc/{event}", data=data).status_code == 303
    assert _numbers() == 1
    page = chair.get(f"/vu-viec/{case_id}").get_data(as_text=True)
    assert page.count("Ra quyết định giải quyết lần đầu") >= 1
    assert "2 đơn" in page
