"""The audit log for who supervises it, the health page, and what machines may ask."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storage import health
from storage.database import reading, unit_of_work
from storage.health import BAD, OK, WARN, look
from storage.identities import PersonData, keep_person
from storage.models import AuditLeaf, Job, MediaServer
from storage.models.base import utc_now
from storage.queries.auditlog import PAGE
from storage.runtime import configure, runtime
from tests.support.factories import Factories, Officer
from workflows.access import Role


@pytest.fixture
def auditor(app: Flask, factories: Factories) -> Officer:
    return factories.officer(Role.LOG_AUDITOR, name="Phạm Soát")


def _leaves(number: int, action: str = "thing_done", by: Officer | None = None) -> None:
    with unit_of_work() as work:
        for at in range(number):
            work.audit(action, kind="thing", by=by.account_id if by else None, number=at)


def test_log_is_paged_by_fifty_without_losing_a_line(
    client: FlaskClient, factories: Factories, auditor: Officer
) -> None:
    _leaves(PAGE + 5)
    factories.log_in(client, auditor)
    first = client.get("/nhat-ky?viec=thing_done").get_data(as_text=True)
    assert first.count('data-head="Việc"') == PAGE
    older = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = client.get(older).get_data(as_text=True)
    assert second.count('data-head="Việc"') == 5


def test_log_is_filtered_by_officer_record_and_day(
    client: FlaskClient, factories: Factories, auditor: Officer
) -> None:
    worker = factories.officer(Role.CLERK, name="Lê Văn Thư")
    _leaves(2, "stamp_used", by=worker)
    _leaves(3, "other_thing")
    factories.log_in(client, auditor)
    by_name = client.get("/nhat-ky?ai=Văn+Thư").get_data(as_text=True)
    assert by_name.count("stamp_used</small>") == 2
    assert "other_thing</small>" not in by_name
    today = utc_now().astimezone().strftime("%d/%m/%Y")
    assert "stamp_used" in client.get(f"/nhat-ky?ai=thư&ngay={today}").get_data(as_text=True)
    empty = client.get("/nhat-ky?ngay=01/01/2020").get_data(as_text=True)
    assert "Không có dòng nào khớp" in empty
    assert client.get("/nhat-ky?ngay=hôm+qua").status_code == 422


def test_looking_for_a_person_in_the_log_is_itself_kept(
    client: FlaskClient, factories: Factories, auditor: Officer
) -> None:
    factories.log_in(client, auditor).get("/nhat-ky?ai=Mai")
    with reading() as work:
        leaf = work.db_session.scalars(
            select(AuditLeaf).where(AuditLeaf.action == "audit_log_searched")
        ).one()
    assert leaf.actor_id == auditor.account_id
    assert "Mai" not in leaf.body


def test_log_names_no_citizen(client: FlaskClient, factories: Factories, auditor: Officer) -> None:
    from storage.models import Account

    with unit_of_work() as work:
        person = keep_person(work, PersonData(name="Nguyễn Thị Kín"))
        citizen = work.add(
            Account(kind="citizen", person_id=person.id, display_name="Nguyễn Thị Kín")
        )
        work.flush()
        work.audit("petition_followed", citizen, by=citizen.id)
    page = factories.log_in(client, auditor).get("/nhat-ky").get_data(as_text=True)
    assert "tài khoản công dân" in page
    assert "Nguyễn Thị Kín" not in page


def test_officer_who_does_not_supervise_reads_no_log(
    client: FlaskClient, factories: Factories
) -> None:
    factories.log_in(client, factories.officer(Role.BOARD_HEAD))
    assert client.get("/nhat-ky").status_code == 403


def test_machines_learn_yes_or_no_and_nothing_else(client: FlaskClient) -> None:
    assert client.get("/song").get_json() == {"ok": True}
    assert client.get("/san-sang").get_json() == {"ok": True}


def test_not_ready_while_the_schema_is_old(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health.migrations, "head", lambda: "9999")
    answer = client.get("/san-sang")
    assert (answer.status_code, answer.get_json()) == (503, {"ok": False})


@pytest.fixture
def spool_on_disk(app: Flask, tmp_path: Path) -> None:
    """The one place that must be in memory lies on a disk."""
    place = tmp_path / "on-disk"
    place.mkdir(mode=0o700)
    configure(replace(runtime(), spool_dir=place))


@pytest.mark.usefixtures("spool_on_disk")
def test_health_page_says_what_to_do(client: FlaskClient, factories: Factories) -> None:
    factories.log_in(client, factories.officer(Role.ADMINISTRATOR))
    page = client.get("/suc-khoe").get_data(as_text=True)
    assert "Khóa chống xóa" in page
    assert "Chưa có máy ghi nào báo về" in page
    assert "Vùng đệm không nằm trong bộ nhớ" in page


def _state(name: str) -> tuple[str, str]:
    found = {finding.name: finding for finding in look(with_worm=False)}
    return found[name].state, found[name].why


def test_silent_sealer_with_an_open_session_is_out_of_order(app: Flask) -> None:
    with unit_of_work() as work:
        work.db_session.add(
            MediaServer(
                name="janus-1", http_url="", ws_url="", spool_dir="", spool_total_bytes=100,
                spool_free_bytes=50, open_segments=1, seen_at=utc_now(),
            )
        )  # fmt: skip
    assert _state("media") == (OK, "")
    with unit_of_work() as work:
        work.get(MediaServer, "janus-1").seen_at = utc_now() - timedelta(seconds=30)
    assert _state("media") == (BAD, "recorder_silent")


def test_health_page_says_since_when_the_recorder_is_in_trouble(
    client: FlaskClient, factories: Factories, app: Flask
) -> None:
    with unit_of_work() as work:
        work.db_session.add(
            MediaServer(
                name="janus-1", http_url="", ws_url="", spool_dir="", spool_total_bytes=100,
                spool_free_bytes=50, seen_at=utc_now(), alarm="Kho lưu trữ không nhận.",
                alarms=[{
                    "cause": "store", "text": "Kho lưu trữ không nhận.",
                    "began_at": "2026-11-23T02:03:04+00:00", "seen_at": "2026-11-23T02:09:00+00:00",
                }],
            )
        )  # fmt: skip
    factories.log_in(client, factories.officer(Role.ADMINISTRATOR))
    page = client.get("/suc-khoe").get_data(as_text=True)
    assert "janus-1: Kho lưu trữ không nhận. Bắt đầu" in page
    assert "09:03" in page
    assert "lần cuối thấy" in page


def test_work_that_nobody_does_and_leaves_that_wait_are_seen(app: Flask) -> None:
    assert _state("jobs") == (OK, "")
    with unit_of_work() as work:
        work.add(Job(kind="x", payload={}, run_after_at=utc_now() - timedelta(minutes=10)))
        work.audit("thing_done", kind="thing", by=None)
        work.flush()
        for leaf in work.db_session.scalars(select(AuditLeaf)):
            leaf.at = utc_now() - timedelta(seconds=20)
    assert _state("jobs") == (BAD, "nobody_works")
    assert _state("audit") == (WARN, "slow")


def test_lock_test_runs_once_and_again_only_when_asked(
    app_on_both: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    whole = health.worm_selftest
    monkeypatch.setattr(health, "worm_selftest", lambda store: runs.append(1) or whole(store))
    states = [
        next(f for f in look(again=again) if f.name == "worm").state
        for again in (False, False, True)
    ]
    assert states == [OK, OK, OK]
    assert len(runs) == 2


@pytest.mark.usefixtures("spool_on_disk")
def test_health_command_exits_by_what_it_found(app: Flask) -> None:
    run = app.test_cli_runner().invoke(args=["health", "--json", "--no-lock-test"])
    told = json.loads(run.output)
    assert {part["name"] for part in told["parts"]} >= {"database", "store", "audit", "spool"}
    assert run.exit_code == (0 if told["ok"] else 1)
    assert told["ok"] is False


@pytest.mark.usefixtures("spool_on_disk")
def test_health_command_speaks_to_people_without_a_browser(app: Flask) -> None:
    run = app.test_cli_runner().invoke(args=["health", "--no-lock-test"])
    assert "Cơ sở dữ liệu" in run.output
    assert "Vùng đệm không nằm trong bộ nhớ" in run.output
