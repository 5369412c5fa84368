"""Commands of the map: bring it up to date, ask it for numbers, bring in official borders."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click
from flask.cli import AppGroup

from reception.cli import json_option, report
from reception.clock import legal_now, legal_today
from reception.datamap import asking, boundaries, maintenance
from workflows.datamap.periods import parse_period
from workflows.errors import BadInput, DomainError

datamap = AppGroup("datamap", help="The complaint data map.")


class Refused(click.ClickException):
    """What the domain refuses, in its own words; exit code 2."""

    exit_code = 2


@datamap.command("refresh")
@json_option
def refresh(as_json: bool) -> None:
    """Count every case anew and draw the schematic map when units have changed."""
    with click.progressbar(length=3, label="datamap", hidden=as_json, file=sys.stderr) as bar:
        done = maintenance.refresh(today=legal_today(), step=lambda: bar.update(1))
    report(
        done,
        as_json=as_json,
        lines=lambda: [f"{name}: {value}" for name, value in done.items()],
    )


@datamap.command("query")
@click.option("--layer", required=True, help="cases, a field code, a kind, field:kind, or public.")
@click.option("--period", "code", required=True, help="2026-10, 2026-Q4, 2026 or a..b.")
@json_option
def query(layer: str, code: str, as_json: bool) -> None:
    """Print the numbers of one layer; exit 2 for an unknown layer or period."""
    try:
        answer = asking.ask(layer, parse_period(code), today=legal_today(), as_of=legal_now())
    except BadInput as error:
        raise Refused(" ".join(error.fields.values())) from error
    except DomainError as error:
        raise Refused(error.message) from error
    report(answer, as_json=as_json, lines=lambda: asking.lines(answer))


@datamap.command("import-boundaries")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--code-field", default="", help="Property with the unit's code.")
@click.option("--name-field", default="", help="Property with the unit's name.")
@click.option(
    "--source", default="", help="Where the borders come from; the file's name if left out."
)
@click.option("--valid-from", default="", help="First day in force, YYYY-MM-DD; today if left out.")
@click.option("--tolerance", default=boundaries.TOLERANCE, show_default=True, help="In degrees.")
@click.option("--allow-missing", is_flag=True, help="Accept a file without some of the units.")
@json_option
def import_boundaries(
    file: Path,
    code_field: str,
    name_field: str,
    source: str,
    valid_from: str,
    tolerance: float,
    allow_missing: bool,
    as_json: bool,
) -> None:
    """Bring in the province's own borders from a GeoJSON FILE; exit 2 when they are refused."""
    try:
        done = boundaries.import_boundaries(
            file.read_bytes(),
            code_field=code_field,
            name_field=name_field,
            source=source or file.name,
            valid_from_on=_day(valid_from),
            tolerance=tolerance,
            allow_missing=allow_missing,
        )
    except DomainError as error:
        raise Refused(error.message) from error
    report(
        done,
        as_json=as_json,
        lines=lambda: [f"{name}: {value}" for name, value in done.items()],
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text) if text else legal_today()
    except ValueError as error:
        raise Refused(f"Ngày “{text}” chưa đúng. Viết như 2026-07-01.") from error


COMMANDS = (datamap,)
