"""Commands: the health of the system, and search as an account would see it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from reception.accounts.operations import actor_of
from reception.administration import words
from reception.cases.search_operations import find, reindex
from reception.cli import json_option, report
from reception.clock import legal_today
from storage.database import reading
from storage.health import BAD, look
from storage.models import Account
from workflows.access import Actor

search = AppGroup("search", help="Search, and the index it uses.")


@click.command("health")
@with_appcontext
@json_option
@click.option("--no-lock-test", is_flag=True, help="Leave the test of the lock out.")
def health(as_json: bool, no_lock_test: bool) -> None:
    """Look at every part of the system; exit 1 when one is out of order."""
    found = look(with_worm=not no_lock_test)
    report(
        {"ok": all(f.state != BAD for f in found), "parts": [asdict(f) for f in found]},
        as_json=as_json,
        lines=lambda: [_line(finding) for finding in found],
    )
    sys.exit(any(finding.state == BAD for finding in found))


def _line(finding: Any) -> str:
    parts = [words.why_words(finding), *words.figures_shown(finding)]
    told = " · ".join(str(part) for part in parts if part)
    return f"{finding.state.upper():4}  {words.PARTS[finding.name]}: {told}"


@search.command("query")
@click.argument("typed", metavar="TEXT")
@click.option("--as", "login", required=True, metavar="ACCOUNT", help="Log-in to search as.")
@click.option("--page", default=1, show_default=True)
@json_option
def search_query(typed: str, login: str, page: int, as_json: bool) -> None:
    """Print what ACCOUNT would find for TEXT; exit 1 when nothing."""
    found = find(_actor(login), typed, page=page)
    hits = [
        {
            "kind": hit.kind,
            "code": hit.code,
            "title": hit.title,
            "on": hit.on,
            "unit": hit.unit_name,
        }
        for hit in found.hits
    ]
    report(
        {"total": found.total, "capped": found.capped, "hits": hits},
        as_json=as_json,
        lines=lambda: (
            [f"{h['code']}  {h['on']}  {h['title']}" for h in hits] or ["Không tìm thấy gì."]
        ),
    )
    sys.exit(not found.hits)


def _actor(login: str) -> Actor:
    with reading() as work:
        account = work.db_session.scalar(select(Account).where(Account.login == login.lower()))
        if account is None:
            raise click.BadParameter(f"không có tài khoản {login}", param_hint="--as")
        return actor_of(work.db_session, account, legal_today())[0]


@search.command("reindex")
@json_option
def search_reindex(as_json: bool) -> None:
    """Write the whole index anew; people may go on working."""
    with click.progressbar(length=1, file=sys.stderr, label="Chỉ mục") as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        written = reindex(show)
    report({"written": written}, as_json=as_json, lines=lambda: [f"Đã ghi lại {written} tài liệu."])


COMMANDS = (health, search)
