"""Commands about the calendar of days off: propose, confirm, change a day, show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import select

from reception.accounts.operations import actor_of
from reception.cli import json_option, report
from reception.clock import legal_today
from reception.procedures import operations
from storage.database import reading
from storage.models import Account
from workflows.access import Actor
from workflows.calendar import DayKind
from workflows.errors import DomainError

calendar = AppGroup("calendar", help="Days off of a year, confirmed by the decision's number.")
as_option = click.option("--as", "login", required=True, metavar="ACCOUNT", help="Who does it.")
year_option = click.option("--year", required=True, type=click.IntRange(2000, 2100))
day_option = click.option("--on", required=True, type=click.DateTime(["%Y-%m-%d"]))
decision_option = click.option("--decision", required=True, help="Number of the decision.")


def _actor(login: str) -> Actor:
    with reading() as work:
        account = work.db_session.scalar(select(Account).where(Account.login == login.lower()))
        if account is None:
            raise click.BadParameter(f"không có tài khoản {login}", param_hint="--as")
        return actor_of(work.db_session, account, legal_today())[0]


def _told(do: Callable[[], Any]) -> Any:
    """Do it; a refusal is told with what to do next, and the exit code says so."""
    try:
        return do()
    except DomainError as refused:
        raise click.ClickException(refused.message) from refused


@calendar.command("show")
@year_option
@as_option
@json_option
def calendar_show(year: int, login: str, as_json: bool) -> None:
    """Print the special days of YEAR and the decision that fixed them."""
    kept, days = _told(lambda: operations.calendar_of(year, by=_actor(login)))
    confirmed = bool(kept and kept.confirmed)
    rows = [
        {"on": day.on, "kind": day.kind, "name": day.name, "source": day.source} for day in days
    ]
    state = f"đã xác nhận: {kept.decision}" if kept and confirmed else "chưa xác nhận"
    report(
        {"year": year, "confirmed": confirmed, "days": rows},
        as_json=as_json,
        lines=lambda: [f"{year}  {state}", *(_line(r) for r in rows)],
    )


def _line(row: dict[str, Any]) -> str:
    return f"    {row['on']}  {row['kind']:15}  {row['name']}  ({row['source']})"


@calendar.command("propose")
@year_option
@as_option
@json_option
def calendar_propose(year: int, login: str, as_json: bool) -> None:
    """Write what the holidays package knows of YEAR as a proposal to be checked."""
    days = _told(lambda: operations.propose_year(year, by=_actor(login)))
    rows = [{"on": d.on, "kind": d.kind.value, "name": d.name} for d in days]
    report(
        {"year": year, "confirmed": False, "days": rows},
        as_json=as_json,
        lines=lambda: [
            *(f"    {r['on']}  {r['kind']:15}  {r['name']}" for r in rows),
            f"So với văn bản, rồi: flask calendar confirm --year {year} --decision SỐ --as …",
        ],
    )


@calendar.command("confirm")
@year_option
@decision_option
@as_option
def calendar_confirm(year: int, decision: str, login: str) -> None:
    """Put the proposed YEAR in force by the number of the decision."""
    kept = _told(lambda: operations.confirm_year(year, decision, by=_actor(login)))
    click.echo(f"{kept.year}  đã xác nhận: {kept.decision}")


@calendar.command("set-day")
@day_option
@click.option("--kind", required=True, type=click.Choice([kind.value for kind in DayKind]))
@click.option("--name", required=True)
@decision_option
@as_option
def calendar_set_day(on: datetime, kind: str, name: str, decision: str, login: str) -> None:
    """Enter or change one special day by a decision."""
    day: date = on.date()
    _told(lambda: operations.set_day(day, DayKind(kind), name, decision, by=_actor(login)))
    click.echo(f"{day}  {kind}  {name}")


@calendar.command("remove-day")
@day_option
@decision_option
@as_option
def calendar_remove_day(on: datetime, decision: str, login: str) -> None:
    """Take one special day out by a decision."""
    _told(lambda: operations.remove_day(on.date(), decision, by=_actor(login)))
    click.echo(f"{on.date()}  –")


COMMANDS = (calendar,)
