"""Commands about keys, the audit log, the store and jobs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import func, select

from reception.cli import json_option, report
from storage.audit import AuditBroken, Verified, verify
from storage.checkpoints import (
    checkpoint_now,
    export_for_witness,
    outside_notes,
    signing_key,
)
from storage.database import reading
from storage.models import Job
from storage.objects import worm_selftest
from storage.runtime import runtime

audit = AppGroup("audit", help="The audit log and its proof.")
storage_group = AppGroup("storage", help="The object store.")
jobs = AppGroup("jobs", help="The job table.")


@audit.command("verify")
@click.option("--database-only", is_flag=True, help="Without the checkpoints in locked storage.")
@json_option
def audit_verify(database_only: bool, as_json: bool) -> None:
    """Recompute the whole log; exit 1 and name the first bad leaf when it does not hold.

    Every checkpoint in locked storage must agree too: that finds a database that was set back.
    """
    try:
        found = _verified([] if database_only else outside_notes())
    except AuditBroken as broken:
        data: dict[str, Any] = {"ok": False, "message": broken.message, "first_bad": broken.index}
        report(data, as_json=as_json, lines=lambda: [f"HỎNG: {data['message']}"])
        sys.exit(1)
    data = {
        "ok": True,
        "leaves": found.size,
        "root": found.root.hex(),
        "waiting": found.waiting,
        "checkpoints": found.checkpoints,
    }
    report(
        data,
        as_json=as_json,
        lines=lambda: [
            f"Nhật ký nguyên vẹn: {found.size} dòng, {found.checkpoints} điểm chốt, "
            f"{found.waiting} dòng chờ vào cây. Gốc {found.root.hex()}"
        ],
    )


def _verified(notes: list[str]) -> Verified:
    """One pass with a progress bar. Raises AuditBroken."""
    with reading() as work, click.progressbar(length=1, file=sys.stderr, label="Nhật ký") as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        return verify(work.db_session, signing_key().public_key(), show, notes)


@audit.command("checkpoint")
@json_option
def audit_checkpoint(as_json: bool) -> None:
    """Sign the tree as it is, have it time-stamped, lock it in the audit bucket."""
    point = checkpoint_now()
    stamped = point.time_stamp is not None
    report(
        {"size": point.size, "root": point.root.hex(), "note": point.note, "stamped": stamped},
        as_json=as_json,
        lines=lambda: [point.note, "Có dấu thời gian." if stamped else "Chưa có dấu thời gian."],
    )


@audit.command("export")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), metavar="DIR")
@click.option("--since", default=0, show_default=True, help="Size that the witness kept last.")
@json_option
def audit_export(folder: Path, since: int, as_json: bool) -> None:
    """Write the newest checkpoint for a second level, with proof that nothing before changed.

    There `tools/verify_proof.py grown` checks it and keeps it as a witness.
    """
    try:
        told = export_for_witness(folder, since=since)
    except AuditBroken as broken:
        raise click.ClickException(broken.message) from broken
    report(
        told,
        as_json=as_json,
        lines=lambda: [f"Điểm chốt {told['size']} dòng, nối từ {since}: {folder}"],
    )


@storage_group.command("selftest")
@json_option
def storage_selftest(as_json: bool) -> None:
    """Prove that a locked object cannot be deleted; exit 1 when it can."""
    found = worm_selftest(runtime().store)
    report(
        {"ok": found.ok, "strength": found.strength.value, "failures": list(found.failures)},
        as_json=as_json,
        lines=lambda: [
            f"Khóa chống xóa ({found.strength.value}): "
            + ("giữ được" if found.ok else "; ".join(found.failures))
        ],
    )
    sys.exit(not found.ok)


@jobs.command("status")
@json_option
def jobs_status(as_json: bool) -> None:
    """Count jobs by kind and state and list the failed ones."""
    with reading() as work:
        counts = work.db_session.execute(
            select(Job.kind, Job.state, func.count())
            .group_by(Job.kind, Job.state)
            .order_by(Job.kind, Job.state)
        ).all()
        failed = work.db_session.scalars(
            select(Job).where(Job.state == "failed").order_by(Job.created_at.desc()).limit(20)
        ).all()
    data = {
        "counts": [{"kind": k, "state": s, "count": n} for k, s, n in counts],
        "failed": [{"id": job.id, "kind": job.kind, "error": job.error[-300:]} for job in failed],
    }
    report(
        data,
        as_json=as_json,
        lines=lambda: [f"{k}  {s}  {n}" for k, s, n in counts] or ["Chưa có việc nào."],
    )


COMMANDS = (audit, storage_group, jobs)
