"""The command line operators rely on: names, JSON, exit codes."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy import text

from reception.worker import sequence_all
from storage.database import unit_of_work


def _run(app: Flask, *words: str) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=list(words))
    return done.exit_code, done.stdout


def test_deadline_prints_last_day_rule_and_source(app: Flask) -> None:
    words = "procedures deadline --procedure PET --event acceptance-notice --on 2026-11-16 --json"
    code, out = _run(app, *words.split())
    assert code == 0
    told = json.loads(out)
    assert told["last_day"] == "2026-11-26"
    assert "Luật 136/2025/QH15" in told["source"]
    assert "7 working" in told["rule"]


def test_deadline_in_a_year_without_calendar_is_an_error(app: Flask) -> None:
    words = "procedures deadline --procedure PET --event acceptance-notice --on 2031-01-02"
    done = app.test_cli_runner().invoke(args=words.split())
    assert done.exit_code != 0
    assert "2031" in done.output


def test_every_procedure_is_checked_and_drawn(app: Flask) -> None:
    code, out = _run(app, "procedures", "check", "--json")
    assert code == 0
    codes = {each["code"] for each in json.loads(out)["procedures"]}
    assert codes >= {"SES", "PET", "KN1"}
    for each in codes:
        assert "stateDiagram" in _run(app, "procedures", "draw", each)[1]


def test_audit_verify_tells_a_meddled_log_by_its_exit_code(app: Flask) -> None:
    with unit_of_work() as work:
        work.audit("tested", kind="test", by=None)
    sequence_all()
    assert _run(app, "audit", "verify", "--json")[0] == 0
    with unit_of_work() as work:
        work.db_session.execute(text("UPDATE audit_leaf SET body = replace(body, 'test', 'text')"))
    code, out = _run(app, "audit", "verify", "--json")
    assert code == 1
    assert json.loads(out)["first_bad"] == 0


def test_checkpoint_is_signed_and_deposited(app: Flask) -> None:
    with unit_of_work() as work:
        work.audit("tested", kind="test", by=None)
    sequence_all()
    code, out = _run(app, "audit", "checkpoint", "--json")
    assert code == 0
    assert json.loads(out)["size"] == 1
    assert _run(app, "audit", "verify")[0] == 0


@pytest.mark.parametrize(
    "words", ["keys status", "jobs status", "storage selftest", "database status"]
)
def test_reports_speak_json(app: Flask, words: str) -> None:
    code, out = _run(app, *words.split(), "--json")
    assert code == 0
    json.loads(out)


def test_every_command_has_help(app: Flask) -> None:
    for name, command in app.cli.commands.items():
        assert command.help or command.get_short_help_str(), name
