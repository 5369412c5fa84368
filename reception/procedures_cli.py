"""Commands about procedures: are they sound, what do they look like, when does a term end."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import click
from flask.cli import AppGroup

from reception.cli import json_option, report
from reception.clock import legal_today
from storage.database import reading
from storage.queries.calendar import holiday_table
from workflows.deadlines import Suspension, last_day
from workflows.errors import BadProcedure, DomainError
from workflows.procedures.drawing import draw
from workflows.procedures.loader import load_all, procedure
from workflows.procedures.model import InForce, Procedure

procedures = AppGroup("procedures", help="Procedures as dated rules.")


@procedures.command("check")
@json_option
def procedures_check(as_json: bool) -> None:
    """Load every procedure and print its rules with their sources; exit 1 when one is unsound."""
    try:
        loaded = load_all()
    except BadProcedure as broken:
        message = broken.message
        report(
            {"ok": False, "message": message}, as_json=as_json, lines=lambda: [f"HỎNG: {message}"]
        )
        sys.exit(1)
    data = {"ok": True, "procedures": [_described(found) for found in loaded.values()]}
    report(data, as_json=as_json, lines=lambda: _lines(loaded.values()))


def _described(found: Procedure) -> dict[str, Any]:
    return {
        "code": found.code,
        "label": found.label_vi,
        "revision": found.revision,
        "states": len(found.states),
        "law_changes": [day.isoformat() for day in found.law_changes()],
        "transitions": [
            {
                "event": move.event,
                "from": list(move.origins),
                "to": move.to,
                "actors": list(move.actors),
                "guard": move.guard,
                "documents": list(move.documents),
                "starts": list(move.starts),
                **_force(move),
            }
            for move in found.transitions
        ],
        "deadlines": [
            {
                "name": rule.name,
                "length": rule.length,
                "unit": rule.unit.value,
                "before": rule.before,
                "anchor": rule.anchor,
                **_force(rule),
            }
            for rule in found.deadlines
        ],
        "documents": [
            {"code": paper.code, "form": paper.form, "source": paper.source}
            for paper in found.documents.values()
        ],
    }


def _force(rule: InForce) -> dict[str, Any]:
    return {
        "source": rule.source,
        "from_day": rule.effective_from.isoformat(),
        "to_day": rule.effective_to.isoformat() if rule.effective_to else None,
        "needs_confirmation": rule.needs_confirmation,
        "question": rule.question,
    }


def _lines(found: Iterable[Procedure]) -> list[str]:
    lines = []
    for one in found:
        lines.append(f"{one.code}  {one.label_vi}: {len(one.states)} trạng thái")
        lines += [
            f"    {','.join(move.origins)} – {move.event} → {move.to}  {_in_force(move)}"
            for move in one.transitions
        ]
        lines += [
            f"    hạn {rule.name}: {rule.length} {rule.unit.value}  {_in_force(rule)}"
            for rule in one.deadlines
        ]
        lines += [
            f"    văn bản {paper.code}: {paper.label_vi}  ({paper.source})"
            for paper in one.documents.values()
        ]
    return lines


def _in_force(rule: InForce) -> str:
    until = f"–{rule.effective_to:%d/%m/%Y}" if rule.effective_to else ""
    mark = f"  [cần xác nhận: {rule.question}]" if rule.needs_confirmation else ""
    return f"({rule.source}; từ {rule.effective_from:%d/%m/%Y}{until}){mark}"


@procedures.command("draw")
@click.argument("code")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Rules in force on this day.")
def procedures_draw(code: str, on: datetime | None) -> None:
    """Print the procedure CODE as a state diagram in Mermaid's words."""
    click.echo(draw(procedure(code), on=on.date() if on else legal_today()))


@procedures.command("deadline")
@click.option("--procedure", "code", required=True, help="SES, PET, KN1, KN2, TC, BV, KP.")
@click.option("--event", required=True, help="Name of the term, e.g. acceptance-notice.")
@click.option("--on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Day 0.")
@click.option("--remote", is_flag=True, help="A remote area.")
@click.option("--complex", "complex_case", is_flag=True, help="Determined complex in writing.")
@click.option("--many-places", is_flag=True, help="A denunciation checked in many places.")
@click.option("--extensions", default=0, help="Decisions of extension so far.")
@click.option(
    "--suspended",
    multiple=True,
    metavar="FROM:TO",
    help="Order of suspension and order to continue, e.g. 2026-09-01:2026-09-11.",
)
@json_option
def procedures_deadline(
    code: str,
    event: str,
    on: datetime,
    remote: bool,
    complex_case: bool,
    many_places: bool,
    extensions: int,
    suspended: tuple[str, ...],
    as_json: bool,
) -> None:
    """Print the last day of a term, the rule and its source."""
    try:
        with reading() as work:
            found = last_day(
                code,
                event,
                on.date(),
                holiday_table(work.db_session),
                remote=remote,
                complex_case=complex_case,
                many_places=many_places,
                extensions=extensions,
                suspensions=[_suspension(text) for text in suspended],
            )
    except DomainError as refused:
        raise click.ClickException(refused.message) from refused
    report(
        {
            "last_day": found.last_day.isoformat(),
            "rule": f"{code}/{found.name} {found.length} {found.unit.value}",
            "source": found.source,
            "sentence": found.sentence,
            "needs_confirmation": found.needs_confirmation,
        },
        as_json=as_json,
        lines=lambda: [found.sentence],
    )


def _suspension(text: str) -> Suspension:
    try:
        since, until = (date.fromisoformat(part) for part in text.split(":"))
    except ValueError as wrong:
        raise click.BadParameter("viết NGÀY:NGÀY", param_hint="--suspended") from wrong
    return Suspension(since, until)


COMMANDS = (procedures,)
