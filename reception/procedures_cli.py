"""Commands about procedures: are they sound, what do they look like, when does a term end."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import click
from flask.cli import AppGroup

from reception.cli import json_option, report
from reception.clock import legal_today
from storage.database import reading
from storage.queries.calendar import holiday_table
from workflows.errors import BadProcedure, DomainError
from workflows.procedures import engine
from workflows.procedures.drawing import draw
from workflows.procedures.loader import load_all, procedure
from workflows.procedures.model import Procedure

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
        "states": len(found.states),
        "transitions": [
            {"event": move.event, "from": list(move.origins), "to": move.to, "source": move.source}
            for move in found.transitions
        ],
        "deadlines": [
            {
                "name": rule.name,
                "length": rule.length,
                "unit": rule.unit.value,
                "source": rule.source,
            }
            for rule in found.deadlines
        ],
    }


def _lines(found: Any) -> list[str]:
    lines = []
    for one in found:
        lines.append(f"{one.code}  {one.label_vi}: {len(one.states)} trạng thái")
        lines += [f"    {move.event} → {move.to}  ({move.source})" for move in one.transitions]
        lines += [
            f"    hạn {rule.name}: {rule.length} {rule.unit.value}  ({rule.source})"
            for rule in one.deadlines
        ]
    return lines


@procedures.command("draw")
@click.argument("code")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Rules in force on this day.")
def procedures_draw(code: str, on: datetime | None) -> None:
    """Print the procedure CODE as a state diagram in Mermaid's words."""
    click.echo(draw(procedure(code), on=on.date() if on else legal_today()))


@procedures.command("deadline")
@click.option("--procedure", "code", required=True, help="SES, PET, KN1 …")
@click.option("--event", required=True, help="Name of the term, e.g. acceptance-notice.")
@click.option("--on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Day 0.")
@click.option("--remote", is_flag=True, help="A remote area.")
@click.option("--complex", "complex_case", is_flag=True, help="Determined complex in writing.")
@json_option
def procedures_deadline(
    code: str, event: str, on: datetime, remote: bool, complex_case: bool, as_json: bool
) -> None:
    """Print the last day of a term, the rule and its source."""
    try:
        with reading() as work:
            found = engine.deadline(
                procedure(code),
                event,
                on=on.date(),
                holidays=holiday_table(work.db_session),
                remote=remote,
                complex_case=complex_case,
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


COMMANDS = (procedures,)
