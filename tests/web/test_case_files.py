"""An inspector asks for the file of a case; the unit that holds it opens it for a term, or not."""

from __future__ import annotations

import json
from datetime import date, timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.cases.operations import add_note
from reception.petitions.locking_steps import LOCKED_REASON, lock_away
from storage.database import reading, unit_of_work
from storage.identities import prepare_vault
from storage.models import AuditLeaf, Case, CaseFileRequest, Petition
from storage.models.base import utc_now
from storage.queries.cases import visible_cases
from storage.queries.inbox import visible_petitions
from storage.subjects import case_subject, petition_subject
from tests.support.factories import COMMUNE, OTHER_COMMUNE, PROVINCE, Factories
from tests.web.test_cases import World
from workflows.access import Permission, Role, decide

DAY = date(2026, 11, 23)
PAPER = "Đã đo lại ranh đất, thiếu 12 mét vuông."
CLOSED = "Hồ sơ không mở cho ông/bà."
ASKED = {
    "reason": "Kiểm tra việc giải quyết lần đầu theo kế hoạch thanh tra.",
    "document_number": "15/QĐ-TTr",
    "days": "10",
}


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("petitions.inbox_views", "petitions.handling_views", "cases.views"):
        monkeypatch.setattr(f"reception.{module}.legal_today", lambda: DAY)


class Matter:
    """A case at the commune with a working paper, its chair, and an inspector of the province."""

    def __init__(self, world: World, kind: str = "complaint") -> None:
        self.world = world
        self.chair, self.head = world.at(Role.COMMUNE_CHAIR, COMMUNE)
        self.inspector, self.who = world.at(Role.PROVINCIAL_INSPECTOR, PROVINCE)
        self.petition_id = world.file(kind=kind)
        assert self.chair.post(f"/hop-don/{self.petition_id}/vu-viec").status_code == 303
        case_id = world.petition(self.petition_id).case_id
        assert case_id is not None
        self.case_id, self.url = case_id, f"/vu-viec/{case_id}"
        add_note(case_id, "opinion", PAPER, by=self.head.actor)

    def ask(self, **changes: str) -> int:
        return self.inspector.post(f"{self.url}/xin-mo", data=ASKED | changes).status_code

    def request(self) -> CaseFileRequest:
        with reading() as work:
            return work.db_session.scalars(select(CaseFileRequest)).one()

    def decide(self, client: FlaskClient, what: str, **data: str) -> int:
        url = f"/vu-viec/yeu-cau/{self.request().id}/{what}"
        return client.post(url, data=data).status_code

    def opened(self) -> None:
        assert self.ask() == 303
        assert self.decide(self.chair, "duyet", days="10") == 303

    def page(self, client: FlaskClient | None = None) -> str:
        return (client or self.inspector).get(self.url).get_data(as_text=True)

    def leaves(self, action: str) -> list[AuditLeaf]:
        with reading() as work:
            return list(
                work.db_session.scalars(
                    select(AuditLeaf).where(
                        AuditLeaf.action == action, AuditLeaf.object_id == self.case_id
                    )
                )
            )


@pytest.fixture
def world(client: FlaskClient, factories: Factories) -> World:
    return World(client, factories)


@pytest.fixture
def matter(world: World) -> Matter:
    return Matter(world)


def test_closed_file_says_so_instead_of_looking_empty(matter: Matter) -> None:
    shown = matter.page()
    assert CLOSED in shown
    assert "Xin mở hồ sơ" in shown
    for false in ("Chưa có thời hạn nào bắt đầu", "Chưa ban hành văn bản nào", PAPER):
        assert false not in shown
    assert matter.inspector.get(f"/hop-don/{matter.petition_id}").status_code == 404
    assert CLOSED not in matter.page(matter.chair)


@pytest.mark.parametrize("missing", ["reason", "document_number", "days"])
def test_request_needs_a_reason_a_paper_and_a_term_and_keeps_what_was_typed(
    matter: Matter, missing: str
) -> None:
    answer = matter.inspector.post(f"{matter.url}/xin-mo", data=ASKED | {missing: ""})
    assert answer.status_code == 422
    kept = next(value for name, value in ASKED.items() if name != missing)
    assert kept in answer.get_data(as_text=True)
    with reading() as work:
        assert work.db_session.scalars(select(CaseFileRequest)).all() == []


def test_request_alone_opens_nothing_and_sent_twice_is_one(matter: Matter) -> None:
    assert matter.ask() == 303
    assert matter.ask() == 303
    assert matter.request().state == "asked"
    assert CLOSED in matter.page()
    waiting = matter.chair.get("/vu-viec/yeu-cau").get_data(as_text=True)
    assert "15/QĐ-TTr" in waiting
    assert "Mở hồ sơ trong số ngày này" in waiting


def test_leave_of_the_holding_unit_opens_the_whole_file_for_reading(matter: Matter) -> None:
    matter.opened()
    shown = matter.page()
    assert CLOSED not in shown
    assert "đang xem hồ sơ theo yêu cầu được duyệt" in shown
    assert PAPER in shown
    assert matter.world.petition(matter.petition_id).code in shown
    assert matter.inspector.get(f"/hop-don/{matter.petition_id}").status_code == 200
    assert 'name="body"' not in shown
    note = {"kind": "note", "body": "Ghi thêm"}
    assert matter.inspector.post(f"{matter.url}/ghi-chu", data=note).status_code in (403, 404)
    with reading() as work:
        actor, case = matter.who.actor, work.get(Case, matter.case_id)
        subject = case_subject(work.db_session, case)
        assert decide(actor, Permission.CASE_DRAFT_SEE, subject)
        for writing in (Permission.COMPLAINT_VERIFY, Permission.DOCUMENT_DRAFT):
            assert not decide(actor, writing, subject)
        listed = select(Petition.id).where(visible_petitions(actor))
        assert work.db_session.scalars(listed).all() == [matter.petition_id]


def test_only_the_holding_unit_decides_and_never_who_asked(matter: Matter) -> None:
    matter.ask()
    other, _ = matter.world.at(Role.COMMUNE_CHAIR, OTHER_COMMUNE)
    officer, _ = matter.world.at(Role.COMMUNE_OFFICER, COMMUNE)
    board, _ = matter.world.at(Role.BOARD_HEAD, PROVINCE)
    answers = [
        matter.decide(who, "duyet", days="5") for who in (other, officer, board, matter.inspector)
    ]
    assert answers == [404, 403, 404, 403]
    assert "15/QĐ-TTr" not in other.get("/vu-viec/yeu-cau").get_data(as_text=True)
    assert matter.request().state == "asked"


def test_another_inspector_reads_nothing_by_this_leave(matter: Matter) -> None:
    matter.opened()
    second, _ = matter.world.at(Role.PROVINCIAL_INSPECTOR, PROVINCE)
    assert CLOSED in matter.page(second)
    stranger, _ = matter.world.at(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    assert stranger.get(matter.url).status_code == 404
    assert stranger.post(f"{matter.url}/xin-mo", data=ASKED).status_code == 403


def test_every_opening_is_a_leaf_and_shown_on_the_case(matter: Matter) -> None:
    matter.opened()
    for _ in range(3):
        matter.page()
    opened = matter.leaves("case_file_opened")
    assert [leaf.actor_id for leaf in opened] == [matter.who.account_id] * 3
    code = matter.request().code
    assert {json.loads(leaf.body)["detail"]["request"] for leaf in opened} == {code}
    shown = matter.page(matter.chair)
    assert shown.count("Mở hồ sơ theo yêu cầu được duyệt") == 3
    assert "Cho mở hồ sơ" in shown
    assert code in shown


def test_leave_ends_with_its_term(matter: Matter) -> None:
    matter.opened()
    with unit_of_work() as work:
        row = work.db_session.scalars(select(CaseFileRequest)).one()
        row.expires_at = utc_now() - timedelta(seconds=1)
    assert CLOSED in matter.page()
    assert matter.inspector.get(f"/hop-don/{matter.petition_id}").status_code == 404
    assert "Hết hạn" in matter.page(matter.chair)
    assert matter.ask() == 303


def test_leave_is_taken_back_with_a_reason(matter: Matter) -> None:
    matter.opened()
    assert matter.decide(matter.chair, "thu-hoi", decision_reason=" ") == 303
    assert matter.request().state == "approved"
    assert matter.decide(matter.chair, "thu-hoi", decision_reason="Đã xong việc") == 303
    assert CLOSED in matter.page()
    assert "Đã xong việc" in matter.page()
    assert len(matter.leaves("case_file_revoked")) == 1


def test_refused_request_tells_why(matter: Matter) -> None:
    matter.ask()
    assert matter.decide(matter.chair, "tu-choi", decision_reason="Chưa có quyết định") == 303
    assert "Chưa có quyết định" in matter.page()
    assert matter.decide(matter.chair, "duyet", days="5") == 409
    assert CLOSED in matter.page()


def test_restricted_letter_opens_by_leave_too(matter: Matter) -> None:
    matter.opened()
    with unit_of_work() as work:
        work.get_for_update(Petition, matter.petition_id).secrecy = "restricted"
        work.get_for_update(Case, matter.case_id).secrecy = "restricted"
    actor = matter.who.actor
    with reading() as work:
        petition = work.get(Petition, matter.petition_id)
        seen = decide(actor, Permission.PETITION_SEE, petition_subject(work.db_session, petition))
        assert seen
        for found, wanted in (
            (select(Petition.id).where(visible_petitions(actor)), matter.petition_id),
            (select(Case.id).where(visible_cases(actor)), matter.case_id),
        ):
            assert work.db_session.scalars(found).all() == [wanted]


def test_denunciation_is_never_opened_this_way(world: World) -> None:
    secret = Matter(world, kind="denunciation")
    assert secret.inspector.get(secret.url).status_code == 404
    assert secret.inspector.get(f"{secret.url}/xin-mo").status_code == 404
    assert secret.ask() == 404
    with unit_of_work() as work:
        work.add(
            CaseFileRequest(
                code="YC-AAAA-AAAA", case_id=secret.case_id, account_id=secret.who.account_id,
                reason="x", document_number="1", days=1, state="approved",
                expires_at=utc_now() + timedelta(days=1),
            )
        )  # fmt: skip
    actor = secret.who.actor
    assert secret.inspector.get(secret.url).status_code == 404
    assert secret.inspector.get(f"/hop-don/{secret.petition_id}").status_code == 404
    with reading() as work:
        assert (
            work.db_session.scalars(select(Petition.id).where(visible_petitions(actor))).all() == []
        )
        assert work.db_session.scalars(select(Case.id).where(visible_cases(actor))).all() == []


def test_leave_ends_when_a_letter_of_the_case_turns_out_to_be_a_denunciation(
    matter: Matter,
) -> None:
    matter.opened()
    prepare_vault()
    with unit_of_work() as work:
        lock_away(work, work.get_for_update(Petition, matter.petition_id), keeper=None)
    row = matter.request()
    assert (row.state, row.reason) == ("revoked", LOCKED_REASON)
    assert PAPER not in matter.page()


def test_inspector_who_is_a_side_reads_nothing_even_with_leave(matter: Matter) -> None:
    """Recorded by the province: a commune does not shut out who inspects it."""
    matter.opened()
    data = {"person": str(matter.who.person_id), "ground": "relative", "document": ""}
    assert matter.chair.post(f"{matter.url}/xung-dot", data=data).status_code == 422
    province, _ = matter.world.at(Role.PROVINCIAL_CHAIR, PROVINCE)
    assert province.post(f"{matter.url}/xung-dot", data=data).status_code == 303
    assert matter.inspector.get(matter.url).status_code == 403
    assert matter.inspector.get(f"/hop-don/{matter.petition_id}").status_code in (403, 404)


def test_case_page_links_its_sessions_and_recordings(
    client: FlaskClient, factories: Factories, cast: object, ended_meeting: UUID
) -> None:
    from reception.cases.steps import open_case
    from storage.models import AgendaItem, Recording

    with unit_of_work() as work:
        item = work.db_session.scalars(select(AgendaItem)).one()
        assert item.petition_id is not None
        petition = work.get(Petition, item.petition_id)
        case_id = open_case(work, petition, on=petition.received_on, by=None).id
        recording_id = work.db_session.scalars(select(Recording.id)).one()
    head = factories.officer(Role.BOARD_HEAD, PROVINCE)
    shown = factories.log_in(client, head).get(f"/vu-viec/{case_id}").get_data(as_text=True)
    assert f'href="/phien/{ended_meeting}/chuan-bi"' in shown
    assert f'href="/ban-ghi/{recording_id}"' in shown
