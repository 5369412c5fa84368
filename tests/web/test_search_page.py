"""The search page and its command: one box, a way on when nothing is found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from reception.petitions.steps import NewPetition, register_petition
from storage.database import reading, unit_of_work
from storage.identities import PersonData
from storage.models import Account, Petition, SearchDocument
from tests.support.factories import COMMUNE, Factories, Officer
from workflows.access import Role


@pytest.fixture
def officer(app: Flask, factories: Factories) -> Officer:
    return factories.officer(Role.COMMUNE_OFFICER, COMMUNE)


def _register(factories: Factories, content: str, **changes: object) -> Petition:
    new = NewPetition(
        kind="complaint",
        content=content,
        received_on=date(2026, 11, 23),
        receiving_unit_id=factories.unit_id(COMMUNE),
        idempotency_key=uuid4().hex,
        signing="paper",
    )
    with unit_of_work() as work:
        return register_petition(work, replace(new, **changes), by=None).petition  # type: ignore[arg-type]  # names are checked by replace


def test_search_marks_what_was_found_and_who_sent_it(
    client: FlaskClient, factories: Factories, officer: Officer
) -> None:
    petition = _register(
        factories,
        "Lấn đất. Bờ tường nhà bên xây lấn sang vườn nhà tôi.",
        submitter=PersonData(name="Nguyễn Thị Hồng Gấm"),
    )
    page = factories.log_in(client, officer).get("/tim?q=bo+tuong").get_data(as_text=True)
    assert petition.code in page
    assert "<mark>Bờ</mark>" in page
    assert "Nguyễn Thị Hồng Gấm" in page
    assert "1 kết quả" in page


def test_nothing_found_says_so_and_offers_what_is_near(
    client: FlaskClient, factories: Factories, officer: Officer
) -> None:
    _register(factories, "Chợ Tân Hiệp thu phí hai lần.")
    factories.log_in(client, officer)
    page = client.get("/tim?q=chợ+tân+hiệp+xây+tường").get_data(as_text=True)
    assert "Không có hồ sơ nào khớp “chợ tân hiệp xây tường”" in page
    assert "Xem 1 hồ sơ gần giống" in page
    near = client.get("/tim?q=chợ+tân+hiệp+xây+tường&gan=1").get_data(as_text=True)
    assert "Chợ Tân Hiệp" in near


def test_empty_box_explains_and_typed_markup_stays_text(
    client: FlaskClient, factories: Factories, officer: Officer
) -> None:
    factories.log_in(client, officer)
    assert "Tìm được những gì" in client.get("/tim").get_data(as_text=True)
    page = client.get("/tim?q=<script>alert(1)</script>").get_data(as_text=True)
    assert "<script>alert" not in page


def test_visitor_is_sent_to_the_log_in(client: FlaskClient) -> None:
    assert client.get("/tim?q=a").status_code == 302


def test_searching_without_pause_is_slowed_down(
    client: FlaskClient, factories: Factories, officer: Officer
) -> None:
    factories.log_in(client, officer)
    answers = [client.get("/tim?q=a").status_code for _ in range(62)]
    assert answers[0] == 200
    assert answers[-1] == 429


def test_command_finds_what_the_account_finds(
    app: Flask, factories: Factories, officer: Officer
) -> None:
    petition = _register(factories, "Cây đổ chắn ngang đường.")
    with reading() as work:
        login = work.get(Account, officer.account_id).login
    run = app.test_cli_runner().invoke
    found = run(args=["search", "query", "cay do", "--as", str(login), "--json"])
    assert found.exit_code == 0, found.output
    assert [hit["code"] for hit in json.loads(found.output)["hits"]] == [petition.code]
    nothing = run(args=["search", "query", "voi bay", "--as", str(login)])
    assert nothing.exit_code == 1
    assert run(args=["search", "query", "a", "--as", "khong-co"]).exit_code == 2


def test_reindex_writes_every_document_anew(
    app: Flask, factories: Factories, officer: Officer
) -> None:
    petition = _register(factories, "Cây đổ chắn ngang đường.")
    with unit_of_work() as work:
        for row in work.db_session.query(SearchDocument):
            work.db_session.delete(row)
    done = app.test_cli_runner().invoke(args=["search", "reindex", "--json"])
    assert done.exit_code == 0, done.output
    with reading() as work:
        document = work.db_session.query(SearchDocument).one()
    assert document.petition_id == petition.id
