"""What a petition opens when it is accepted, and how that track runs on its case."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from storage.database import reading, unit_of_work
from storage.models import Case, Deadline, Decision, ProcedureRun
from storage.steps import record
from tests.support.factories import COMMUNE, PROVINCE, Factories
from tests.web.test_cases import DAY, World
from workflows.access import Role
from workflows.kinds import PetitionKind
from workflows.procedures import Facts


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Legal dates of these pages stand still."""
    for area in (
        "petitions.inbox_views",
        "petitions.handling_views",
        "cases.views",
        "cases.track_views",
    ):
        monkeypatch.setattr(f"reception.{area}.legal_today", lambda: DAY)


@pytest.fixture
def world(client: FlaskClient, factories: Factories) -> World:
    return World(client, factories)


def _state(case_id: UUID, code: str) -> str:
    with reading() as work:
        return work.db_session.scalars(
            select(ProcedureRun.state).where(
                ProcedureRun.case_id == case_id, ProcedureRun.procedure == code
            )
        ).one()


def _take(world: World, petition_id: UUID, steps: list[tuple[FlaskClient, str]]) -> list[int]:
    """Steps of the petition, one after another; stops at the first that is refused."""
    codes = []
    for who, event in steps:
        data = {"version": world.version(petition_id), "how": "card"}
        codes.append(who.post(f"/hop-don/{petition_id}/buoc/{event}", data=data).status_code)
        if codes[-1] != 303:
            break
    return codes


class Step:
    """Short words for the steps of a track on its case page."""

    def __init__(self, case_id: UUID) -> None:
        self.case_id, self.seen = case_id, 1

    def __call__(self, who: FlaskClient, event: str, **typed: str) -> int:
        data = {"seen": str(self.seen), **typed}
        code = who.post(f"/vu-viec/{self.case_id}/buoc/{event}", data=data).status_code
        self.seen += code == 303
        return code


def _first_settlement(world: World, *, sent: bool) -> UUID:
    """A first complaint, accepted in September and, when `sent`, decided."""
    ward, _ = world.at(Role.COMMUNE_OFFICER, COMMUNE)
    chair, _ = world.at(Role.COMMUNE_CHAIR, COMMUNE)
    petition_id = world.file()
    world.classify(ward, petition_id)
    taken = _take(
        world, petition_id, [(ward, "check_identity"), (ward, "propose"), (chair, "accept")]
    )
    assert taken == [303, 303, 303]
    case_id = world.petition(petition_id).case_id
    assert case_id is not None
    facts = Facts(kind=PetitionKind.COMPLAINT, report_filed=True)
    with unit_of_work() as work:
        run = work.db_session.scalars(
            select(ProcedureRun).where(ProcedureRun.case_id == case_id)
        ).one()
        for event in ("assign", "report", "decide", "send") if sent else ("assign",):
            record(work, run, event, on=DAY, facts=facts, by=None)
    return case_id


def _second_letter(world: World, case_id: UUID, board: FlaskClient) -> UUID:
    """A second complaint on the same case, ready to be accepted."""
    petition_id = world.file(at=PROVINCE)
    with reading() as work:
        code = work.get(Case, case_id).code
    link = {"code": code, "kind": "second_round", "reason": "Không đồng ý quyết định lần đầu"}
    assert board.post(f"/hop-don/{petition_id}/noi", data=link).status_code == 303
    world.classify(board, petition_id, round="2")
    assert _take(world, petition_id, [(board, "check_identity"), (board, "propose")])[-1] == 303
    return petition_id


def test_a_suspended_term_is_neither_near_nor_late_and_its_strip_leaves_the_days_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = _first_settlement(world, sent=False)
    chair, _ = world.at(Role.COMMUNE_CHAIR, COMMUNE)
    step = Step(case_id)
    step.seen = 2
    assert step(chair, "suspend", ground="waiting", document_number="5/QĐ-UBND") == 303
    page = chair.get(f"/vu-viec/{case_id}").get_data(as_text=True)
    assert "Gửi quyết định tạm đình chỉ" in page
    later = date(2026, 12, 3)
    for area in ("cases.views", "cases.track_views"):
        monkeypatch.setattr(f"reception.{area}.legal_today", lambda: later)
    assert step(chair, "resume", document_number="9/QĐ-UBND") == 303
    with unit_of_work() as work:
        for notice in work.db_session.scalars(
            select(Deadline).where(Deadline.name == "suspension-notice")
        ):
            notice.met_on = later
    page = chair.get(f"/vu-viec/{case_id}").get_data(as_text=True)
    assert "Không tính 9 ngày tạm đình chỉ." in page  # 24/11 to 02/12; day 0 is not counted
    assert "04/01/2027" in page  # 01/01/2027 is a holiday
    assert "<i>tạm dừng</i>" in page


def test_a_second_complaint_opens_the_second_settlement_and_ends_the_first(world: World) -> None:
    case_id = _first_settlement(world, sent=True)
    board, _ = world.at(Role.BOARD_OFFICER, PROVINCE)
    head, _ = world.at(Role.PROVINCIAL_CHAIR, PROVINCE)
    petition_id = _second_letter(world, case_id, board)
    assert _take(world, petition_id, [(head, "accept")]) == [303]
    assert _state(case_id, "KN1") == "SECOND_ROUND"
    assert _state(case_id, "KN2") == "ACCEPTED"
    with reading() as work:
        run = work.db_session.scalars(
            select(ProcedureRun).where(ProcedureRun.procedure == "KN2")
        ).one()
        (settle,) = [term for term in run.deadlines if term.name == "settle"]
        assert (run.round, settle.length, settle.last_day_on) == (2, 45, date(2027, 1, 7))
    page = head.get(f"/vu-viec/{case_id}").get_data(as_text=True)
    assert "Ra quyết định giải quyết lần hai" in page


def test_a_second_complaint_waits_while_the_first_term_still_runs(world: World) -> None:
    case_id = _first_settlement(world, sent=False)
    board, _ = world.at(Role.BOARD_OFFICER, PROVINCE)
    head, _ = world.at(Role.PROVINCIAL_CHAIR, PROVINCE)
    petition_id = _second_letter(world, case_id, board)
    assert _take(world, petition_id, [(head, "accept")]) == [409]
    assert _state(case_id, "KN1") == "VERIFYING"
    assert world.petition(petition_id).state == "PROPOSED"
    with unit_of_work() as work:
        settle = work.db_session.scalars(select(Deadline).where(Deadline.name == "settle")).one()
        settle.last_day_on = date(2026, 11, 20)
    assert _take(world, petition_id, [(head, "accept")]) == [303]
    assert _state(case_id, "KN1") == "SECOND_ROUND"


def test_a_second_decision_needs_the_dialogue_and_an_authorisation_its_tick(world: World) -> None:
    case_id = _first_settlement(world, sent=True)
    board, _ = world.at(Role.BOARD_OFFICER, PROVINCE)
    head, _ = world.at(Role.PROVINCIAL_CHAIR, PROVINCE)
    _take(world, _second_letter(world, case_id, board), [(head, "accept")])
    step = Step(case_id)
    assert step(board, "register_authorisation", reason="Ủy quyền cho con") == 422
    form = board.get(f"/vu-viec/{case_id}/buoc/register_authorisation").get_data(as_text=True)
    assert "có công chứng hoặc chứng thực" in form
    assert step(board, "register_authorisation", in_writing="1") == 303
    assert step(head, "assign") == 303
    with unit_of_work() as work:
        run = work.db_session.scalars(
            select(ProcedureRun).where(ProcedureRun.procedure == "KN2")
        ).one()
        record(work, run, "report", on=DAY, facts=Facts(report_filed=True), by=None)
    step.seen += 1
    decision = {"document_number": "88/QĐ-UBND", "outcome": "right", "views_differ": "no"}
    assert step(head, "decide", **decision) == 409
    assert step(head, "call_dialogue", dialogue_on="30/11/2026") == 303
    assert step(head, "absent_from_dialogue", reason="Mời hai lần") == 422
    absent = {"reason": "Mời hai lần đều vắng", "in_writing": "1"}
    assert step(head, "absent_from_dialogue", **absent) == 303
    assert step(head, "decide", **decision) == 303
    with reading() as work:
        decided = work.db_session.scalars(select(Decision)).all()
    assert [(one.round, one.number) for one in decided] == [(2, "88/QĐ-UBND")]


def test_a_denunciation_runs_its_own_track_from_team_to_conclusion(world: World) -> None:
    ward, officer = world.at(Role.COMMUNE_OFFICER, COMMUNE)
    chair, _ = world.at(Role.COMMUNE_CHAIR, COMMUNE)
    petition_id = world.file(kind="denunciation", assigned_to=officer.person_id)
    world.classify(ward, petition_id, kind="denunciation", respondent="commune_staff")
    taken = _take(
        world, petition_id, [(ward, "check_identity"), (ward, "propose"), (chair, "accept")]
    )
    assert taken == [303, 303, 303]
    case_id = world.petition(petition_id).case_id
    assert case_id is not None
    assert _state(case_id, "TC") == "ACCEPTED"
    step = Step(case_id)
    assert step(chair, "form_team", document_number="12/QĐ-UBND") == 422
    team = {"document_number": "12/QĐ-UBND", "in_writing": "1"}
    assert step(chair, "form_team", **team) == 303
    assert step(chair, "extend", ground="complex") == 422
    extension = {"document_number": "20/QĐ-UBND", "ground": "complex"}
    assert step(chair, "extend", **extension) == 303
    assert step(chair, "extend", **extension) in (303, 409)
    with reading() as work:
        (settle,) = work.db_session.scalars(select(Deadline).where(Deadline.name == "settle"))
    assert settle.last_day_on == date(2027, 1, 22)
    assert "gia hạn thêm 30 ngày" in settle.sentence
    page = chair.get(f"/vu-viec/{case_id}").get_data(as_text=True)
    assert "Giải quyết tố cáo" in page
    assert "Trương Văn Lợi" not in page
