"""What a reception session does when its recording has been sealed."""

from __future__ import annotations

from uuid import UUID

from reception.clock import legal_today
from reception.sessions.steps import go_on_when_sealed, lock
from storage.jobs import Handler, JobRun
from storage.queries.sessions import sitting


def recording_sealed(run: JobRun) -> None:
    """Move a session on whose minutes were waiting for the seal; safe to run twice."""
    with run.finishing() as work:
        meeting = lock(work, UUID(run.payload["reception_session"]))
        go_on_when_sealed(work, sitting(work.db_session, meeting), on=legal_today())


HANDLERS: dict[str, Handler] = {"sessions.recording_sealed": recording_sealed}
