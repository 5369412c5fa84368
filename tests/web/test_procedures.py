"""The rules as people see them: pages of the procedures, and the calendar of days off."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.cases.track import PERMISSION_OF
from reception.procedures import operations, proposal
from storage.database import reading
from storage.models import Account, AuditLeaf, Holiday
from storage.queries.calendar import holiday_table
from storage.reference import load_reference
from storage.runtime import runtime
from tests.support.factories import Factories, Officer
from workflows.access import Role
from workflows.calendar import DayKind, is_working_day
from workflows.errors import BadInput, CalendarGap, Conflict, NotAllowed, NotFound
from workflows.procedures import load_all

DECISION = "Thông báo 9999/TB-BNV ngày 15/10/2027"


@pytest.fixture
def officer(app: Flask, factories: Factories) -> Officer:
    return factories.officer(Role.ADMINISTRATOR)


def _run(app: Flask, *words: str) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=list(words))
    return done.exit_code, done.output


def _login(officer: Officer) -> str:
    with reading() as work:
        login = work.db_session.scalar(
            select(Account.login).where(Account.id == officer.account_id)
        )
    assert login
    return login


def _works_on(on: date) -> bool:
    with reading() as work:
        return is_working_day(on, holiday_table(work.db_session))


# --- pages


def test_every_procedure_has_a_page_with_its_sources(
    client: FlaskClient, factories: Factories
) -> None:
    factories.log_in(client, factories.officer(Role.COMMUNE_OFFICER, "26041"))
    index = client.get("/quy-trinh").get_data(as_text=True)
    for code, rules in load_all().items():
        assert f'href="/quy-trinh/{code}"' in index
        page = client.get(f"/quy-trinh/{code}?ngay=2027-02-01").get_data(as_text=True)
        assert page.count('<g class="nd') == len(
            {s for m in rules.transitions for s in (*m.origins, m.to) if s in rules.states}
        )
        for move in rules.transitions:
            if move.holds_on(date(2027, 2, 1)):
                assert move.source in page


def test_what_the_province_must_confirm_is_marked_and_listed_with_its_question(
    client: FlaskClient, factories: Factories
) -> None:
    factories.log_in(client, factories.officer(Role.BOARD_HEAD))
    question = "Luật tính 07 ngày, nghị định tính 07 ngày làm việc: Tỉnh chọn cách tính nào?"
    assert question in client.get("/quy-trinh").get_data(as_text=True)
    page = client.get("/quy-trinh/KN2").get_data(as_text=True)
    assert "cần xác nhận" in page
    assert question in page


def test_a_page_of_an_earlier_day_shows_the_law_of_that_day(
    client: FlaskClient, factories: Factories
) -> None:
    factories.log_in(client, factories.officer(Role.BOARD_HEAD))
    old = client.get("/quy-trinh/KN1?ngay=2026-06-30").get_data(as_text=True)
    new = client.get("/quy-trinh/KN1?ngay=2026-07-01").get_data(as_text=True)
    assert "10 ngày" in old
    assert "Mẫu 14a" in new
    assert "Tạm đình chỉ, đình chỉ" not in old
    assert "7 ngày làm việc" in new
    assert client.get("/quy-trinh/KN9").status_code == 404


def test_every_step_of_a_track_on_a_case_asks_for_a_permission() -> None:
    begun_elsewhere = {"START"}
    for code in ("KN1", "KN2", "TC", "KP"):
        for move in load_all()[code].transitions:
            if set(move.origins) - begun_elsewhere:
                assert move.event in PERMISSION_OF, f"{code}.{move.event}"


# --- the calendar of days off


def test_a_proposed_year_counts_only_when_an_officer_has_confirmed_it(
    app: Flask, officer: Officer
) -> None:
    with pytest.raises(CalendarGap, match="Chưa có lịch nghỉ năm 2028"):
        _works_on(date(2028, 1, 26))
    operations.propose_year(2028, by=officer.actor)
    with pytest.raises(CalendarGap, match="mới là đề xuất"):
        _works_on(date(2028, 1, 26))
    operations.confirm_year(2028, DECISION, by=officer.actor)
    assert not _works_on(date(2028, 1, 26))
    assert _works_on(date(2028, 2, 2))
    with reading() as work:
        sources = set(
            work.db_session.scalars(select(Holiday.source).where(Holiday.on >= date(2028, 1, 1)))
        )
        told = list(work.db_session.scalars(select(AuditLeaf.action)))
    assert sources == {DECISION}
    assert told[-2:] == ["holiday_year_proposed", "holiday_year_confirmed"]


@pytest.mark.parametrize("decision", ["", "  ", "Thông báo", "12"])
def test_a_year_is_not_confirmed_without_the_number_of_the_decision(
    app: Flask, officer: Officer, decision: str
) -> None:
    operations.propose_year(2028, by=officer.actor)
    with pytest.raises(BadInput, match="Ghi số văn bản"):
        operations.confirm_year(2028, decision, by=officer.actor)
    with pytest.raises(CalendarGap):
        _works_on(date(2028, 1, 26))


def test_a_confirmed_year_is_neither_proposed_nor_confirmed_again(
    app: Flask, officer: Officer
) -> None:
    with pytest.raises(Conflict, match="đã xác nhận"):
        operations.propose_year(2026, by=officer.actor)
    with pytest.raises(Conflict):
        operations.confirm_year(2026, DECISION, by=officer.actor)
    with pytest.raises(NotFound):
        operations.confirm_year(2029, DECISION, by=officer.actor)


def test_a_swap_announced_later_is_entered_day_by_day_and_survives_new_reference_tables(
    app: Flask, officer: Officer
) -> None:
    monday, saturday = date(2028, 5, 8), date(2028, 5, 6)
    operations.propose_year(2028, by=officer.actor)
    operations.confirm_year(2028, DECISION, by=officer.actor)
    operations.set_day(monday, DayKind.SWAPPED_OFF, "Hoán đổi", DECISION, by=officer.actor)
    operations.set_day(saturday, DayKind.SWAPPED_WORKING, "Làm bù", DECISION, by=officer.actor)
    load_reference(runtime().engine)
    assert (_works_on(monday), _works_on(saturday)) == (False, True)
    operations.remove_day(monday, DECISION, by=officer.actor)
    assert _works_on(monday)
    with pytest.raises(NotFound):
        operations.remove_day(monday, DECISION, by=officer.actor)


def test_only_who_keeps_the_calendar_may_change_it(app: Flask, factories: Factories) -> None:
    chair = factories.officer(Role.COMMUNE_CHAIR, "26041")
    for change in (
        lambda: operations.propose_year(2028, by=chair.actor),
        lambda: operations.confirm_year(2028, DECISION, by=chair.actor),
        lambda: operations.set_day(
            date(2026, 5, 8), DayKind.PUBLIC, "Nghỉ", DECISION, by=chair.actor
        ),
        lambda: operations.remove_day(date(2026, 9, 2), DECISION, by=chair.actor),
    ):
        with pytest.raises(NotAllowed):
            change()


def test_the_proposal_tells_public_days_from_days_in_lieu_and_swaps() -> None:
    kinds: dict[Any, DayKind] = {day.on: day.kind for day in proposal.propose(2026)}
    assert kinds[date(2026, 4, 26)] is DayKind.PUBLIC
    assert kinds[date(2026, 4, 27)] is DayKind.SUBSTITUTE
    assert kinds[date(2026, 8, 31)] is DayKind.SWAPPED_OFF
    assert kinds[date(2026, 8, 22)] is DayKind.SWAPPED_WORKING
    assert kinds[date(2026, 11, 24)] is DayKind.PUBLIC


def test_calendar_commands_carry_a_year_from_proposal_to_use(app: Flask, officer: Officer) -> None:
    who = ("--as", _login(officer))
    assert _run(app, "calendar", "confirm", "--year", "2028", "--decision", DECISION, *who)[0] != 0
    code, out = _run(app, "calendar", "propose", "--year", "2028", *who)
    assert (code, "2028-01-26" in out) == (0, True)
    assert _run(app, "calendar", "confirm", "--year", "2028", "--decision", DECISION, *who)[0] == 0
    code, out = _run(app, "calendar", "show", "--year", "2028", "--json", *who)
    assert json.loads(out)["confirmed"] is True
    words = ("--kind", "swapped_off", "--name", "Hoán đổi", "--decision", DECISION, *who)
    assert _run(app, "calendar", "set-day", "--on", "2028-05-08", *words)[0] == 0
    told = "procedures deadline --procedure KP --event reply --on 2028-04-26 --json"
    # 27, 28/4 · 3, 4, 5/5 · (8/5 off) 9, 10, 11, 12, 15/5
    assert json.loads(_run(app, *told.split())[1])["last_day"] == "2028-05-15"
    gone = ("--on", "2028-05-08", "--decision", DECISION, *who)
    assert _run(app, "calendar", "remove-day", *gone)[0] == 0
    assert json.loads(_run(app, *told.split())[1])["last_day"] == "2028-05-12"


def test_an_administrator_carries_a_year_from_proposal_to_use_on_the_page(
    client: FlaskClient, factories: Factories, officer: Officer
) -> None:
    factories.log_in(client, officer)
    assert "Chưa có lịch năm này" in client.get("/lich-nghi?nam=2028").get_data(as_text=True)
    assert client.post("/lich-nghi/de-xuat", data={"year": "2028"}).status_code == 303
    page = client.get("/lich-nghi?nam=2028").get_data(as_text=True)
    assert "Mới là đề xuất" in page
    assert "Thứ Tư 26/01/2028" in page
    refused = client.post("/lich-nghi/xac-nhan", data={"year": "2028", "decision": "số mới"})
    assert refused.status_code == 422
    assert "Ghi số văn bản" in refused.get_data(as_text=True)
    answer = client.post("/lich-nghi/xac-nhan", data={"year": "2028", "decision": DECISION})
    assert answer.status_code == 303
    assert f"Đã xác nhận theo {DECISION}" in client.get("/lich-nghi?nam=2028").get_data(
        as_text=True
    )
    assert client.post("/lich-nghi/de-xuat", data={"year": "2028"}).status_code == 422


def test_a_day_is_changed_on_the_page_and_what_was_typed_is_kept_when_refused(
    client: FlaskClient, factories: Factories, officer: Officer
) -> None:
    factories.log_in(client, officer)
    day = {"on": "10/12/2026", "kind": "swapped_off", "name": "Hoán đổi", "day_decision": DECISION}
    for wrong, words in (
        ({"on": "32/12/2026"}, "ngày/tháng/năm"),
        ({"kind": "dream"}, "Chọn loại ngày"),
        ({"name": ""}, "Chưa ghi tên ngày"),
        ({"day_decision": ""}, "Ghi số văn bản"),
        ({"kind": "remove"}, "không có trong lịch nghỉ"),
    ):
        answer = client.post("/lich-nghi/ngay", data={**day, **wrong})
        assert (answer.status_code, words in answer.get_data(as_text=True)) == (422, True), wrong
        assert "Hoán đổi" in answer.get_data(as_text=True) or "name" in wrong
    assert _works_on(date(2026, 12, 10))
    assert client.post("/lich-nghi/ngay", data=day).status_code == 303
    assert not _works_on(date(2026, 12, 10))
    assert client.post("/lich-nghi/ngay", data={**day, "kind": "remove"}).status_code == 303
    assert _works_on(date(2026, 12, 10))


def test_the_calendar_is_not_for_everybody(client: FlaskClient, factories: Factories) -> None:
    factories.log_in(client, factories.officer(Role.COMMUNE_CHAIR, "26041"))
    assert client.get("/lich-nghi").status_code == 403
    assert client.post("/lich-nghi/de-xuat", data={"year": "2028"}).status_code == 403


# --- terms on the command line


def test_a_term_is_told_with_its_extensions_and_suspensions(app: Flask) -> None:
    base = "procedures deadline --procedure TC --event settle --on 2026-09-07 --json"
    options = (
        "",
        "--complex",
        "--extensions 1",
        "--extensions 2",
        "--suspended 2026-09-14:2026-09-24",
    )
    last = {
        words: json.loads(_run(app, *base.split(), *words.split())[1])["last_day"]
        for words in options
    }
    assert last == {
        "": "2026-10-07",
        "--complex": "2026-11-06",
        "--extensions 1": "2026-11-06",
        "--extensions 2": "2026-12-07",  # 06/12 is a Sunday
        "--suspended 2026-09-14:2026-09-24": "2026-10-19",  # 17/10 is a Saturday
    }
    code, out = _run(app, *base.split(), "--extensions", "3")
    assert (code != 0, "tối đa 2 lần" in out) == (True, True)
    code, out = _run(app, *base.split(), "--suspended", "soon")
    assert (code != 0, "NGÀY:NGÀY" in out) == (True, True)


def test_check_prints_every_rule_with_its_source_and_its_days(app: Flask) -> None:
    code, out = _run(app, "procedures", "check")
    assert code == 0
    for rules in load_all().values():
        for rule in (*rules.transitions, *rules.deadlines, *rules.documents.values()):
            assert rule.source in out
    assert "[cần xác nhận: " in out
