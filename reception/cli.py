"""The command line. Names are fixed; each area adds its own commands beside its pages.

Every command has --help, every command that reports has --json, long work shows a progress bar.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup

from reception import AREAS
from storage import migrations
from storage.runtime import runtime


def report(data: dict[str, Any], *, as_json: bool, lines: Callable[[], list[str]]) -> None:
    """Print a report for people, or the same as one JSON document."""
    click.echo(json.dumps(data, ensure_ascii=False, default=str) if as_json else "\n".join(lines()))


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")

database = AppGroup("database", help="The schema: numbered, linear, both ways.")


@database.command("upgrade")
@click.option("--revision", default="head", show_default=True)
def database_upgrade(revision: str) -> None:
    """Bring the schema to REVISION."""
    migrations.upgrade(runtime().engine, revision)
    click.echo(f"schema {migrations.current(runtime().engine)}")


@database.command("status")
@json_option
def database_status(as_json: bool) -> None:
    """Print the schema's revision; exit 1 when it is not the newest."""
    here, newest = migrations.current(runtime().engine), migrations.head()
    report(
        {"revision": here, "newest": newest},
        as_json=as_json,
        lines=lambda: [f"schema {here or '-'} (newest {newest})"],
    )
    sys.exit(here != newest)


def init_cli(app: Flask) -> None:
    """Register the commands of the whole system."""
    app.cli.add_command(database)
    for module in (
        "reception.evidence_cli",
        "reception.keys_cli",
        "reception.procedures_cli",
        "reception.seed_cli",
        "reception.run_cli",
    ):
        _add_commands(app, module)
    for area in AREAS:
        _add_commands(app, f"reception.{area}.cli")


def _add_commands(app: Flask, module: str) -> None:
    try:
        commands = importlib.import_module(module).COMMANDS
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return
    for command in commands:
        app.cli.add_command(command)
