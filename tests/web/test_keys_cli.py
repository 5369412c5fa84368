"""Destroying and holding keys at the command line: two people, two passwords."""

from __future__ import annotations

import json

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from reception.accounts.operations import HASHER
from storage.database import reading, unit_of_work
from storage.models import Account, AuditLeaf, KeyDestruction
from storage.wrapped import kek_rows
from tests.support.factories import Factories
from tests.support.held_keys import many_sealed_objects
from tests.support.recordings import SealedRecording
from workflows.access import Role

PASSWORDS = {"first": "mat-khau-thu-nhat", "second": "mat-khau-thu-hai"}


@pytest.fixture
def logins(app: Flask, factories: Factories) -> dict[str, str]:
    return _two_administrators(factories)


def _two_administrators(factories: Factories) -> dict[str, str]:
    found = {}
    for name, password in PASSWORDS.items():
        officer = factories.officer(Role.ADMINISTRATOR)
        with unit_of_work() as work:
            account = work.get(Account, officer.account_id)
            account.password_hash = HASHER.hash(password)
            found[name] = str(account.login)
    return found


def _keys(app: Flask, *words: str, password: str = "") -> Result:
    return app.test_cli_runner().invoke(args=["keys", *words], input=f"{password}\n")


def _due_key() -> str:
    many_sealed_objects(2, klass="15-years", year=2005)
    with reading() as work:
        return next(row.kid for row in kek_rows(work.db_session) if row.year == 2005)


def test_two_people_destroy_a_key_with_their_own_passwords(
    app: Flask, logins: dict[str, str]
) -> None:
    kid = _due_key()
    asked = _keys(
        app, "shred", kid, "--as", logins["first"], "--reason", "QĐ 15",
        password=PASSWORDS["first"],
    )  # fmt: skip
    assert asked.exit_code == 0, asked.output
    assert "chờ người thứ hai" in asked.output
    same = _keys(app, "shred", kid, "--as", logins["first"], password=PASSWORDS["first"])
    assert same.exit_code == 1
    assert "phải khác người" in same.output
    done = _keys(app, "shred", kid, "--as", logins["second"], password=PASSWORDS["second"])
    assert done.exit_code == 0, done.output
    assert "Bản sao lưu cuối cùng hết hạn ngày" in done.output
    assert "certificate of destruction" in done.output
    status = json.loads(_keys(app, "status", "--json").stdout)
    [row] = [key for key in status["keys"] if key["kid"] == kid]
    assert row["destroyed"]


def test_wrong_password_does_nothing_and_is_kept(app: Flask, logins: dict[str, str]) -> None:
    kid = _due_key()
    tried = _keys(app, "shred", kid, "--as", logins["first"], "--reason", "QĐ 15", password="sai")
    assert tried.exit_code == 1
    assert "chưa đúng" in tried.output
    with reading() as work:
        assert work.db_session.scalars(select(KeyDestruction)).all() == []
        refused = work.db_session.scalars(
            select(AuditLeaf).where(AuditLeaf.action == "log_in_refused")
        ).all()
    assert len(refused) == 1


def test_status_never_shows_a_key_and_init_makes_no_second_one(app: Flask) -> None:
    many_sealed_objects(2)
    shown = _keys(app, "status")
    assert "recordings/open/2026 lần 1" in shown.output
    assert "2 khóa dữ liệu" in shown.output
    with reading() as work:
        for row in kek_rows(work.db_session):
            assert row.wrapped is not None
            assert row.wrapped.hex() not in shown.output
    refused = _keys(app, "init")
    assert refused.exit_code == 1
    assert "rotate --root" in refused.output


def test_rotation_says_how_many_keys_it_moved(app: Flask) -> None:
    many_sealed_objects(7)
    done = _keys(app, "rotate", "--json")
    assert json.loads(done.stdout) == {
        "resumed": False,
        "new": json.loads(done.stdout)["new"],
        "moved": 7,
    }
    assert len(json.loads(done.stdout)["new"]) == 1


def test_recording_is_held_and_released_by_code(
    recorded_app: Flask, recorded: SealedRecording, people: Factories
) -> None:
    from storage.models import Recording

    with recorded_app.app_context():
        logins = _two_administrators(people)
        with reading() as work:
            code = work.get(Recording, recorded.recording_id).code
        who = ("--as", logins["first"], "--reason", "CV 12 của Tòa án")
        held = _keys(recorded_app, "hold", code, *who, password=PASSWORDS["first"])
        assert held.exit_code == 0, held.output
        with reading() as work:
            assert work.get(Recording, recorded.recording_id).legal_hold
        freed = _keys(recorded_app, "hold", code, *who, "--release", password=PASSWORDS["first"])
        assert freed.exit_code == 0, freed.output
        with reading() as work:
            assert not work.get(Recording, recorded.recording_id).legal_hold
        missing = _keys(recorded_app, "hold", "BG-NONE", *who, password=PASSWORDS["first"])
        assert missing.exit_code == 1
