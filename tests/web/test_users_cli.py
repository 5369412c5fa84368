"""The first accounts of a real installation are made by command."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from reception.accounts import operations
from storage.database import reading
from storage.models import Account, AuditLeaf, Post

GOOD = "Mưa rào tháng bảy 26"


def _create(app: Flask, *words: str, typed: str = f"{GOOD}\n{GOOD}\n") -> Result:
    given = ("users", "create", "--login", "Lan.Nguyen", "--name", "Nguyễn Thị Lan", *words)
    return app.test_cli_runner().invoke(args=given, input=typed)


def test_first_account_is_made_with_its_post_and_can_log_in(app: Flask) -> None:
    run = _create(app, "--role", "administrator", "--unit", "75", "--json")
    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout.splitlines()[-1])
    assert (told["login"], told["role"], told["unit"]) == ("lan.nguyen", "administrator", "75")
    assert GOOD not in run.output
    with reading() as work:
        account = work.db_session.scalars(select(Account)).one()
        post = work.db_session.scalars(select(Post)).one()
        leaf = work.db_session.scalars(
            select(AuditLeaf).where(AuditLeaf.action == "account_created")
        ).one()
    assert post.account_id == account.id
    assert account.person_id is not None, "rules about persons bind the account"
    assert post.title == "Quản trị hệ thống"
    assert "Lan" not in leaf.body
    assert operations.log_in("lan.nguyen", GOOD, user_agent="", lasts=timedelta(hours=1))


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("ngắn quá", "12 ký tự"),
        ("aaaaaaaaaaaaaaaa", "khác nhau"),
        ("lan.nguyen.2026!", "tên đăng nhập"),
        ("Password-2026-xyz", "dễ đoán"),
        ("Tiep.Cong.Dan.2026", "dễ đoán"),
    ],
)
def test_weak_password_is_refused_with_the_reason(app: Flask, password: str, why: str) -> None:
    run = _create(app, "--role", "administrator", "--unit", "75", typed=f"{password}\n{password}\n")
    assert run.exit_code == 1
    assert why in run.output
    assert password not in run.output
    with reading() as work:
        assert work.db_session.scalars(select(Account)).all() == []


@pytest.mark.parametrize(
    ("role", "unit", "why"),
    [("administrator", "99999", "99999"), ("citizen", "75", "citizen"), ("king", "75", "king")],
)
def test_unknown_unit_or_role_makes_nothing(app: Flask, role: str, unit: str, why: str) -> None:
    run = _create(app, "--role", role, "--unit", unit)
    assert run.exit_code != 0
    assert why in run.output
    with reading() as work:
        assert work.db_session.scalars(select(Account)).all() == []


def test_name_that_is_taken_is_refused(app: Flask) -> None:
    assert _create(app, "--role", "administrator", "--unit", "75").exit_code == 0
    run = _create(app, "--role", "log_auditor", "--unit", "75")
    assert run.exit_code == 1
    assert "đã có người dùng" in run.output
