"""The job that checks a large recording against everything that was written down about it."""

from __future__ import annotations

from uuid import UUID

from reception.recordings.operations import keep_check
from storage.integrity import check_recording
from storage.jobs import JobRun

MIB = 1024 * 1024


def verify_job(run: JobRun) -> None:
    """Check one recording; the result commits with the end of the job. Safe to run twice."""
    recording_id = UUID(run.payload["recording"])
    told = [0]

    def progress(done: int, total: int) -> None:
        if done - told[0] >= 8 * MIB:
            told[0] = done
            run.progress(done // MIB, total // MIB, "Đối chiếu niêm phong")

    check = check_recording(recording_id, progress)
    with run.finishing() as work:
        keep_check(work, recording_id, check, by=run.asked_by)
