"""Log-in: on the server, limited, the same answer for an unknown name and a wrong password."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from reception.accounts import attempts, operations
from storage.database import reading, unit_of_work
from storage.models import AuditLeaf, LoginSession, RateBucket
from tests.support.factories import Factories
from workflows.access import Role
from workflows.errors import BadInput

PASSWORD = "đường-về-nhà-có-hoa"


def _account() -> None:
    operations.create_account(
        login="mai", display_name="Trần Thị Mai", password=PASSWORD, person_id=None, by=None
    )


def test_right_password_opens_a_log_in_that_the_server_can_end(app: Flask) -> None:
    _account()
    token = operations.log_in("Mai ", PASSWORD, user_agent="x", lasts=timedelta(hours=1))
    idle = timedelta(minutes=30)
    today = date(2026, 11, 23)
    found = operations.recognise(token, idle=idle, today=today)
    assert found is not None
    assert found.display_name == "Trần Thị Mai"
    operations.log_out(found.login_session_id, by=found.account_id)
    assert operations.recognise(token, idle=idle, today=today) is None


def test_idle_log_in_ends_by_itself(app: Flask) -> None:
    _account()
    token = operations.log_in("mai", PASSWORD, user_agent="x", lasts=timedelta(hours=1))
    with unit_of_work() as work:
        row = work.db_session.query(LoginSession).one()
        row.last_seen_at -= timedelta(minutes=31)
    today = date(2026, 11, 23)
    assert operations.recognise(token, idle=timedelta(minutes=30), today=today) is None


def test_unknown_name_and_wrong_password_read_the_same(client: FlaskClient) -> None:
    _account()
    answers = {
        client.post("/dang-nhap", data={"login": name, "password": "sai"}).get_data(as_text=True)
        for name in ("mai", "khong-co-ai")
    }
    assert all("chưa đúng" in answer for answer in answers)
    assert len(answers) == 2


def test_ninth_wrong_password_is_refused_before_it_is_checked(client: FlaskClient) -> None:
    _account()
    for _ in range(8):
        answer = client.post("/dang-nhap", data={"login": "mai", "password": "sai"})
        assert answer.status_code == 422
    answer = client.post("/dang-nhap", data={"login": "mai", "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def _try(client: FlaskClient, password: str, address: str, name: str = "mai") -> int:
    """Try a password from an address; answers the status."""
    return client.post(
        "/dang-nhap",
        data={"login": name, "password": password},
        environ_overrides={"REMOTE_ADDR": address},
    ).status_code


def test_guessing_from_one_address_does_not_lock_the_owner_out_elsewhere(
    client: FlaskClient,
) -> None:
    _account()
    stranger = client.application.test_client()
    assert [_try(stranger, "sai", "198.51.100.7") for _ in range(10)] == [422] * 8 + [429] * 2
    assert _try(client, PASSWORD, "192.0.2.15") == 303


def test_another_spelling_of_the_name_is_the_same_name(client: FlaskClient) -> None:
    _account()
    names = ["mai", "Mai", "MAI", " mai "] * 2
    assert [_try(client, "sai", "198.51.100.7", name) for name in names] == [422] * 8
    assert _try(client, "sai", "198.51.100.7", "mAI") == 429


def test_guessing_from_many_addresses_is_slowed_down_more_and_more(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _account()
    minute = timedelta(minutes=1)
    monkeypatch.setattr(attempts, "PER_NAME", ((4, 5 * minute), (6, 60 * minute)))
    waits = []
    for number in range(9):
        answer = client.post(
            "/dang-nhap",
            data={"login": "mai", "password": "sai"},
            environ_overrides={"REMOTE_ADDR": f"198.51.100.{number}"},
        )
        waits.append(int(answer.headers.get("Retry-After", 0)))
        if answer.status_code == 429:  # the next try comes after the short window, not the long
            _forget_window(minutes=5)
    assert waits[:4] == [0] * 4
    assert 0 < waits[4] <= 2 * 300
    assert max(waits[5:]) > 300


def _forget_window(*, minutes: int) -> None:
    """Let the short windows of counting pass."""
    with unit_of_work() as work:
        for row in work.db_session.query(RateBucket):
            if row.key.startswith("log-in-name-4:"):
                row.window_at -= timedelta(minutes=2 * minutes)


def test_browser_known_to_the_name_does_not_wait_for_strangers(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _account()
    monkeypatch.setattr(attempts, "PER_NAME", ((3, timedelta(hours=1)),))
    assert _try(client, PASSWORD, "192.0.2.15") == 303
    client.post("/dang-xuat")
    for number in range(6):
        _try(client.application.test_client(), "sai", f"198.51.100.{number}")
    assert _try(client.application.test_client(), PASSWORD, "192.0.2.16") == 429
    assert _try(client, PASSWORD, "192.0.2.17") == 303


def test_mark_of_a_known_browser_is_neither_forged_nor_good_for_another_name(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _account()
    operations.create_account(
        login="lan", display_name="Lê Lan", password=PASSWORD, person_id=None, by=None
    )
    monkeypatch.setattr(attempts, "PER_NAME", ((1, timedelta(hours=1)),))
    forger = client.application.test_client()
    forger.set_cookie("known", "0" * 32, path="/dang-nhap")
    assert [_try(forger, "sai", "198.51.100.7") for _ in range(2)] == [422, 429]
    assert _try(client, PASSWORD, "192.0.2.15", "lan") == 303
    assert _try(client, "sai", "192.0.2.15") == 429


def test_stolen_mark_of_a_browser_gives_few_tries(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _account()
    monkeypatch.setattr(attempts, "PER_KNOWN_BROWSER", 2)
    assert _try(client, PASSWORD, "192.0.2.15") == 303
    tries = [_try(client, "sai", f"198.51.100.{number}") for number in range(3)]
    assert tries == [422, 422, 429]


def test_known_browser_is_told_to_the_log_in_page_only(client: FlaskClient) -> None:
    _account()
    answer = client.post("/dang-nhap", data={"login": "mai", "password": PASSWORD})
    (mark,) = [
        value for value in answer.headers.getlist("Set-Cookie") if value.startswith("known=")
    ]
    for part in ("Path=/dang-nhap", "HttpOnly", "SameSite=Strict"):
        assert part in mark
    assert "mai" not in mark.split(";")[0]


def test_short_password_is_refused(app: Flask) -> None:
    with pytest.raises(BadInput):
        operations.create_account(
            login="a", display_name="A", password="ngắn", person_id=None, by=None
        )


def test_log_in_needs_a_token_against_forgery(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = app.test_client().post("/dang-nhap", data={"login": "a", "password": "b"})
    assert answer.status_code == 400


def test_refused_log_in_is_in_the_audit_log(client: FlaskClient) -> None:
    _account()
    client.post("/dang-nhap", data={"login": "mai", "password": "sai"})
    with reading() as work:
        actions = [leaf.action for leaf in work.db_session.query(AuditLeaf).order_by(AuditLeaf.id)]
    assert "log_in_refused" in actions


def test_log_in_never_sends_people_to_another_site(client: FlaskClient) -> None:
    _account()
    answer = client.post(
        "/dang-nhap?next=https://example.com/",
        data={"login": "mai", "password": PASSWORD, "next": "//example.com/"},
    )
    assert answer.status_code == 303
    assert "example.com" not in answer.headers["Location"]


def test_one_click_log_in_does_not_exist_outside_the_demo(
    client: FlaskClient, factories: Factories
) -> None:
    officer = factories.officer(Role.ADMINISTRATOR)
    assert client.post(f"/trai-nghiem/{officer.account_id}").status_code == 404


def test_every_page_carries_the_security_headers(client: FlaskClient) -> None:
    headers = client.get("/dang-nhap").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "'unsafe-inline'" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "camera=()" in headers["Permissions-Policy"]


def test_built_files_come_packed_and_for_ever(client: FlaskClient) -> None:
    page = client.get("/dang-nhap").get_data(as_text=True)
    address = re.search(r"/static/app-\w+\.css", page)
    assert address is not None
    with client.get(address.group(), headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["Content-Type"].startswith("text/css")
        assert "immutable" in packed.headers["Cache-Control"]
        length = len(packed.data)
    with client.get(address.group()) as plain:
        assert length < len(plain.data) / 2


def test_rail_offers_no_page_that_the_role_cannot_open(
    client: FlaskClient, factories: Factories
) -> None:
    clerk = factories.officer(Role.CLERK)
    page = factories.log_in(client, clerk).get("/tai-khoan").get_data(as_text=True)
    assert 'href="/ban-do"' not in page
