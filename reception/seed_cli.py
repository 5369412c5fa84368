"""Commands that fill the database: facts everybody needs, the demonstration, bulk for measuring."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from reception.cli import json_option, report
from storage.reference import load_reference
from storage.runtime import runtime

seed = AppGroup("seed", help="Fill the database.")


@seed.command("reference")
@json_option
def seed_reference(as_json: bool) -> None:
    """Load units, holidays, fields and legal rules; safe to run again."""
    counts = load_reference(runtime().engine)
    report(
        counts,
        as_json=as_json,
        lines=lambda: [f"{name}: {count}" for name, count in counts.items()],
    )


@seed.command("demo")
@click.option("--cases", default=2000, show_default=True, help="How many cases over 36 months.")
@json_option
def seed_demo(cases: int, as_json: bool) -> None:
    """Fill an empty demonstration with fictitious people, cases and two sealed recordings.

    Does nothing when the demonstration is filled already; refuses outside the demo profile.
    """
    from reception.demo.seed import fill_demo

    counts = fill_demo(cases)
    report(
        counts,
        as_json=as_json,
        lines=lambda: [f"{name}: {count}" for name, count in counts.items()],
    )


COMMANDS = (seed,)
