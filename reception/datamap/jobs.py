"""Every night the map is counted anew, drawn if units changed, and closed quarters published."""

from __future__ import annotations

from datetime import time

from reception.clock import legal_today
from reception.datamap.maintenance import refresh
from storage.jobs import Handler, JobRun

REFRESH_JOB = "datamap.refresh"
PARTS = 3


def refresh_map(run: JobRun) -> None:
    """Bring the map up to date; running it twice changes nothing."""
    done = iter(range(1, PARTS + 1))
    refresh(today=legal_today(), step=lambda: run.progress(next(done), PARTS))


HANDLERS: dict[str, Handler] = {REFRESH_JOB: refresh_map}
NIGHTLY = {REFRESH_JOB: time(2, 30)}
