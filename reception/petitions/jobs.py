"""Work for later: unsent drafts and closed receipts are forgotten when their day has come."""

from __future__ import annotations

from uuid import UUID

from reception.petitions.filing_operations import FORGET_JOB, empty_draft, expired_files
from reception.petitions.uploads import forget_stored
from storage.jobs import Handler, JobRun


def forget_draft(run: JobRun) -> None:
    """Empty an expired draft and remove its files; running it twice changes nothing."""
    draft_id = UUID(run.payload["draft_id"])
    for sealed in expired_files(draft_id):
        forget_stored(sealed)
    with run.finishing() as work:
        empty_draft(work, draft_id)


HANDLERS: dict[str, Handler] = {FORGET_JOB: forget_draft}
