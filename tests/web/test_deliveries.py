"""A decision is sent by the clerk and received by the complainant: only then does time run."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from storage.database import reading
from storage.models import Deadline, Decision, ProcedureRun, ProcedureStep
from tests.support.factories import COMMUNE, OTHER_COMMUNE, PROVINCE, Factories
from tests.web.test_cases import World, _accepted
from workflows.access import Role

DAY = date(2026, 11, 23)
SENT = {"seen": "4", "sent_on": "20/11/2026", "way": "post", "reference": "RR123456789VN"}
RECEIVED = {
    "seen": "5", "received_on": "23/11/2026", "proof": "post_notice", "proof_reference": "BP 77",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (
        "petitions.inbox_views", "petitions.handling_views", "cases.views", "cases.track_views",
    ):  # fmt: skip
        monkeypatch.setattr(f"reception.{module}.legal_today", lambda: date(2026, 11, 18))
    monkeypatch.setattr("reception.cases.delivery_views.legal_today", lambda: DAY)


@pytest.fixture
def world(client: FlaskClient, factories: Factories) -> World:
    return World(client, factories)


class Decided:
    """A first complaint that the commune has decided, its clerk, and its officers."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ward, self.chair, self.case_id = _accepted(world)
        advisory, _ = world.at(Role.COMMUNE_ADVISORY, COMMUNE)
        url = f"/vu-viec/{self.case_id}/buoc"
        for who, event, data in (
            (self.chair, "assign", {"seen": "1"}),
            (advisory, "report", {"seen": "2", "document_number": "918/BC"}),
            (
                self.chair,
                "decide",
                {
                    "seen": "3",
                    "document_number": "3127/QĐ-UBND",
                    "outcome": "wrong",
                    "views_differ": "no",
                },
            ),
        ):
            assert who.post(f"{url}/{event}", data=data).status_code == 303, event
        self.clerk, self.clerk_officer = world.at(Role.CLERK, COMMUNE)
        with reading() as work:
            self.decision_id = work.db_session.scalars(select(Decision.id)).one()
        self.url = f"/van-ban-di/{self.decision_id}"

    def terms(self) -> dict[str, Deadline]:
        with reading() as work:
            rows = work.db_session.scalars(
                select(Deadline)
                .join(ProcedureRun, ProcedureRun.id == Deadline.run_id)
                .where(ProcedureRun.case_id == self.case_id)
            )
            return {row.name: row for row in rows}

    def steps(self) -> list[tuple[str, date, str]]:
        with reading() as work:
            rows = work.db_session.scalars(
                select(ProcedureStep)
                .join(ProcedureRun, ProcedureRun.id == ProcedureStep.run_id)
                .where(ProcedureRun.case_id == self.case_id)
                .order_by(ProcedureStep.seq)
            )
            return [(row.event, row.on, row.reason) for row in rows][4:]


@pytest.fixture
def decided(world: World) -> Decided:
    return Decided(world)


def test_clerk_sends_the_decision_and_its_receipt_starts_the_second_term(
    decided: Decided,
) -> None:
    page = decided.clerk.get("/van-ban-di").get_data(as_text=True)
    assert "3127/QĐ-UBND" in page
    assert "Trương Văn Lợi" not in page
    assert decided.clerk.get(f"/vu-viec/{decided.case_id}").status_code == 403
    assert decided.clerk.get(decided.url).status_code == 200
    assert decided.clerk.post(f"{decided.url}/gui", data=SENT).status_code == 303
    assert decided.terms()["send-decision"].met_on == date(2026, 11, 20)
    assert "second-complaint" not in decided.terms()
    assert "chưa rõ ngày nhận" in decided.clerk.get("/van-ban-di").get_data(as_text=True)
    assert decided.clerk.post(f"{decided.url}/nhan", data=RECEIVED).status_code == 303
    term = decided.terms()["second-complaint"]
    assert (term.start_on, term.last_day_on) == (DAY, date(2026, 12, 23))
    assert decided.steps() == [
        ("send", date(2026, 11, 20), "Thư bảo đảm, số RR123456789VN"),
        ("receive_decision", DAY, "Giấy báo phát của bưu điện, số BP 77"),
    ]
    assert "Không có quyết định nào chờ gửi" in decided.clerk.get("/van-ban-di").get_data(
        as_text=True
    )
    case = decided.ward.get(f"/vu-viec/{decided.case_id}").get_data(as_text=True)
    assert "Thư bảo đảm, số RR123456789VN" in case


def test_handed_over_and_signed_for_is_one_form(decided: Decided) -> None:
    form = {
        "seen": "4",
        "sent_on": "20/11/2026",
        "way": "by_hand",
        "received_now": "1",
        "proof": "signed_book",
        "proof_reference": "trang 12",
    }
    for _ in range(2):
        assert decided.clerk.post(f"{decided.url}/gui", data=form).status_code == 303
    assert [event for event, _, _ in decided.steps()] == ["send", "receive_decision"]
    assert decided.terms()["second-complaint"].start_on == date(2026, 11, 20)


def test_officer_who_follows_the_case_records_the_receipt_on_its_page(decided: Decided) -> None:
    url = f"/vu-viec/{decided.case_id}/nhan-quyet-dinh"
    early = decided.ward.get(url).get_data(as_text=True)
    assert "Quyết định chưa gửi" in early
    assert decided.ward.post(url, data=RECEIVED).status_code == 409
    decided.clerk.post(f"{decided.url}/gui", data=SENT)
    assert f'href="{url}"' in decided.ward.get(f"/vu-viec/{decided.case_id}").get_data(as_text=True)
    assert decided.ward.post(url, data=RECEIVED).status_code == 303
    assert "second-complaint" in decided.terms()
    after = decided.ward.get(f"/vu-viec/{decided.case_id}").get_data(as_text=True)
    assert f'href="{url}"' not in after
    undated = decided.ward.post(
        f"/vu-viec/{decided.case_id}/buoc/receive_decision", data={"seen": "6"}
    )
    assert undated.status_code == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sent_on": "17/11/2026"}, "trước ngày ra quyết định"),
        ({"sent_on": "24/11/2026"}, "Ngày này chưa đến"),
        ({"sent_on": "hôm qua"}, "Ghi ngày"),
        ({"reference": ""}, "số hiệu bưu gửi"),
        ({"way": "pigeon"}, "Chọn cách gửi"),
        ({"received_now": "1"}, "Chọn giấy tờ chứng minh"),
    ],
)
def test_impossible_sending_comes_back_with_what_was_typed(
    decided: Decided, changes: dict[str, str], words: str
) -> None:
    answer = decided.clerk.post(f"{decided.url}/gui", data={**SENT, **changes})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert words in page
    assert {**SENT, **changes}["reference"] in page
    assert decided.steps() == []


def test_receipt_before_sending_or_without_proof_is_refused(decided: Decided) -> None:
    assert decided.clerk.post(f"{decided.url}/nhan", data=RECEIVED).status_code == 409
    decided.clerk.post(f"{decided.url}/gui", data=SENT)
    early = decided.clerk.post(
        f"{decided.url}/nhan", data={**RECEIVED, "received_on": "19/11/2026"}
    )
    assert early.status_code == 422
    assert "không thể trước ngày gửi" in early.get_data(as_text=True)
    assert decided.clerk.post(
        f"{decided.url}/nhan", data={**RECEIVED, "proof_reference": ""}
    ).status_code == 422  # fmt: skip
    stale = {**RECEIVED, "seen": "4"}
    assert decided.clerk.post(f"{decided.url}/nhan", data=stale).status_code == 409
    assert len(decided.steps()) == 1


@pytest.mark.parametrize(
    ("role", "unit", "status"),
    [
        (Role.CLERK, OTHER_COMMUNE, 404),
        (Role.CLERK, PROVINCE, 404),
        (Role.COMMUNE_OFFICER, COMMUNE, 403),
        (Role.COMMUNE_CHAIR, COMMUNE, 403),
        (Role.ADMINISTRATOR, PROVINCE, 403),
    ],
)
def test_who_may_not_send(decided: Decided, role: Role, unit: str, status: int) -> None:
    who, _ = decided.world.at(role, unit)
    assert who.get(decided.url).status_code == status
    assert who.post(f"{decided.url}/gui", data=SENT).status_code == status
    if status == 404:
        assert "3127/QĐ-UBND" not in who.get("/van-ban-di").get_data(as_text=True)
    assert decided.steps() == []


def test_clerk_in_conflict_sends_nothing(decided: Decided) -> None:
    about = {"person": str(decided.clerk_officer.person_id), "ground": "relative"}
    recorded = decided.chair.post(f"/vu-viec/{decided.case_id}/xung-dot", data=about)
    assert recorded.status_code == 303
    assert decided.clerk.get(decided.url).status_code == 403
    assert "3127/QĐ-UBND" not in decided.clerk.get("/van-ban-di").get_data(as_text=True)


def test_decision_that_is_not_known_is_not_found(decided: Decided) -> None:
    assert decided.clerk.get(f"/van-ban-di/{UUID(int=7)}").status_code == 404
