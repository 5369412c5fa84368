"""What a stranger tries on every page: other sites, left-over cookies, secrets in the log."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.accounts.forms import safe_next
from storage.database import reading
from storage.models import AuditLeaf
from tests.support.factories import Factories
from workflows.access import Role
from workflows.codes import CodeKind, make_code


@pytest.mark.parametrize(
    "target",
    [
        "/\t\\evil.example",
        "/\t/evil.example",
        "/\\evil.example",
        "//evil.example",
        "/a\\b",
        "/\x00b",
    ],
)
def test_address_that_a_browser_would_read_as_another_site_is_dropped(target: str) -> None:
    assert safe_next(target) is None


def test_language_switch_survives_a_line_break_in_its_way_back(client: FlaskClient) -> None:
    answer = client.get("/ngon-ngu/en?next=/%0d%0aSet-Cookie:%20a=b")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/"


def test_log_out_leaves_nothing_of_the_person_in_the_browser(
    client: FlaskClient, factories: Factories
) -> None:
    factories.log_in(client, factories.officer(Role.ADMINISTRATOR))
    with client.session_transaction() as cookie:
        cookie["followed"] = {"KN-5V9T-3N7Q": {"id": "x", "until": 4e9}}
        cookie["draft"] = "secret of an unfinished petition"
        cookie["desk_second_part"] = "K7M2"
    client.post("/dang-xuat")
    with client.session_transaction() as cookie:
        assert not {"followed", "draft", "desk_second_part", "_user_id"} & set(cookie)


def test_log_in_starts_with_an_empty_cookie(app: Flask, factories: Factories) -> None:
    from reception.accounts.operations import create_account

    create_account(
        login="mai",
        display_name="Mai",
        password="trau gam co khuya",
        person_id=None,
        by=None,
    )
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["csrf_token"] = "planted"
        cookie["draft"] = "planted"
    answer = client.post("/dang-nhap", data={"login": "mai", "password": "trau gam co khuya"})
    assert answer.status_code == 303
    with client.session_transaction() as cookie:
        assert "_user_id" in cookie
        assert cookie.get("csrf_token") != "planted"
        assert "draft" not in cookie


def test_refusal_keeps_no_secret_of_an_address_in_the_audit_log(
    client: FlaskClient, factories: Factories
) -> None:
    secret = "Zq3-secret-token-of-a-viewer"
    factories.log_in(client, factories.officer(Role.CLERK))
    assert client.get(f"/ban-ghi/xem/{secret}").status_code == 404
    with reading() as work:
        leaf = work.db_session.scalars(select(AuditLeaf).where(AuditLeaf.action == "refused")).one()
    assert secret not in leaf.body
    assert json.loads(leaf.body)["detail"]["endpoint"] == "recordings.player"


def test_guesses_of_one_code_are_counted_together_however_it_is_written(
    client: FlaskClient,
) -> None:
    code = make_code(CodeKind.COMPLAINT, b"\x01" * 8)
    letters = code.replace("-", "")
    spellings = [code, letters, code.lower(), f" {code}", code.replace("-", " "), f"{letters}-"]
    answers = [
        client.post("/tra-cuu", data={"code": spelling, "second": f"{number:04d}"}).status_code
        for number, spelling in enumerate(spellings * 2)
    ]
    assert answers[:8] == [422] * 8
    assert answers[8:] == [429] * 4


def test_guesses_of_one_code_end_for_the_day(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four digits of a telephone are 10,000 guesses: eight in ten minutes would take nine days."""
    monkeypatch.setattr("reception.petitions.look_up_views.MOST_A_DAY", 3)
    code = make_code(CodeKind.COMPLAINT, b"\x02" * 8)
    answers = [
        client.post("/tra-cuu", data={"code": code, "second": f"{number:04d}"}).status_code
        for number in range(4)
    ]
    assert answers == [422, 422, 422, 429]
