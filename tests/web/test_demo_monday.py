"""The demonstration's Monday: whoever logs in finds work of every kind on the table."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.accounts.operations import actor_of
from reception.demo.monday import LETTERS, fill_monday
from reception.demo.staff import WARD_A, Hired, hire
from storage.database import reading, unit_of_work
from storage.identities import prepare_vault
from storage.models import Account, Case, Petition
from storage.models.base import utc_now
from storage.steps import run_of, state_from_steps, steps_of
from tests.support.factories import Factories, Officer

DAY = date(2026, 11, 23)


@pytest.fixture
def staff(app: Flask, monkeypatch: pytest.MonkeyPatch) -> dict[str, Hired]:
    """The demonstration's people with their Monday."""
    for module in (
        "petitions.inbox_views", "petitions.handling_views", "cases.views", "cases.delivery_views",
        "desk.queue_views", "desk.intake_views", "desk.book_views",
    ):  # fmt: skip
        monkeypatch.setattr(f"reception.{module}.legal_today", lambda: DAY, raising=False)
    prepare_vault()
    with unit_of_work() as work:
        hired = hire(work)
    fill_monday(hired, DAY)
    return hired


def _as(client: FlaskClient, factories: Factories, who: Hired) -> FlaskClient:
    with reading() as work:
        account = work.get(Account, who.account_id)
        actor, _ = actor_of(work.db_session, account, utc_now().date())
    officer = Officer(who.account_id, who.person_id, actor)
    return factories.log_in(client.application.test_client(), officer)


def test_ward_and_province_find_letters_late_today_and_this_week(
    client: FlaskClient, factories: Factories, staff: dict[str, Hired]
) -> None:
    ward = _as(client, factories, staff["tiep-dan-a"]).get("/hop-don").get_data(as_text=True)
    for words in ("Quá hạn", "Hôm nay", "Bồi thường nhà kho", "Mùi hôi trại heo"):
        assert words in ward
    board = _as(client, factories, staff["ban-tcd"]).get("/hop-don").get_data(as_text=True)
    assert "1 đơn đang chuyển đến" in board
    assert "Công Tằng Tôn Nữ" in board
    department = _as(client, factories, staff["so-nnmt"]).get("/hop-don").get_data(as_text=True)
    assert "1 đơn đang chuyển đến" in department


def test_two_letters_about_one_decision_are_shown_as_alike(
    client: FlaskClient, factories: Factories, staff: dict[str, Hired]
) -> None:
    with reading() as work:
        title = "Bồi thường nhà kho, dự án đường vành đai"
        found = work.db_session.scalars(select(Petition).where(Petition.title == title)).one()
    page = _as(client, factories, staff["tiep-dan-a"]).get(f"/hop-don/{found.id}")
    assert "Có thể cùng một vụ việc" in page.get_data(as_text=True)


def test_visitor_who_came_before_is_found_with_what_was_answered(
    client: FlaskClient, factories: Factories, staff: dict[str, Hired]
) -> None:
    desk = _as(client, factories, staff["tiep-dan-a"])
    client.application.config["WTF_CSRF_ENABLED"] = False
    found = desk.post("/quay/tim", data={"key": "k", "find": "0100913206"}, follow_redirects=True)
    page = found.get_data(as_text=True)
    assert "Trương Văn Lợi" in page
    assert "Bác còn quyền khiếu nại" in page
    assert "A001" in desk.get("/quay").get_data(as_text=True)


def test_clerk_of_the_ward_has_a_decision_to_send(
    client: FlaskClient, factories: Factories, staff: dict[str, Hired]
) -> None:
    clerk = _as(client, factories, staff["van-thu-a"])
    assert "3127/QĐ-UBND" in clerk.get("/van-ban-di").get_data(as_text=True)


def test_states_are_what_the_steps_say_and_nothing_of_the_denunciation_is_open(
    staff: dict[str, Hired],
) -> None:
    with reading() as work:
        petitions = work.db_session.scalars(select(Petition)).all()
        assert len(petitions) == len(LETTERS)
        for petition in petitions:
            run = run_of(work, "PET", petition_id=petition.id)
            assert petition.state == state_from_steps(steps_of(work, run.id))
        [secret] = [one for one in petitions if one.kind == "denunciation"]
        assert (secret.content, secret.submitter_id, secret.secrecy) == (None, None, "compartment")
        holders = set(work.db_session.scalars(select(Case.holder_unit_id)))
        assert staff["tiep-dan-a"].unit_id in holders
    assert staff["van-thu-a"].member.unit == WARD_A
