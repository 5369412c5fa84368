"""Commands that stay in the foreground, and the health report."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from reception.settings import settings
from storage.runtime import runtime


@click.command("run-worker")
@with_appcontext
@click.option("--threads", default=1, show_default=True, help="Jobs run at the same time.")
def run_worker(threads: int) -> None:
    """Run jobs and the audit sequencer until stopped."""
    from reception.worker import run_until_stopped

    run_until_stopped(threads)


@click.command("run-sealer")
@with_appcontext
def run_sealer() -> None:
    """Seal the recordings of the media server beside this process until stopped."""
    from reception.sealer import Sealer

    Sealer(settings(), runtime().keyring).run_until_stopped()


COMMANDS = (run_worker, run_sealer)
