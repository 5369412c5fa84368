"""Commands about recordings: list, check, take out. What a crash left behind: see `recover`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from flask.cli import AppGroup
from sqlalchemy import or_, select

from reception.cli import json_option, report
from reception.recordings.export import export_recording
from reception.recordings.operations import verify_now
from reception.recordings.recover import recover
from reception.settings import settings
from storage.database import reading
from storage.integrity import kept_check
from storage.models import Recording
from workflows.errors import DomainError

recordings = AppGroup("recordings", help="Recordings: list, check, take out.")


class _Bar:
    """A progress bar on the error output, so that --json stays one document."""

    def __init__(self, label: str) -> None:
        self._bar = click.progressbar(length=1, file=sys.stderr, label=label)

    def __enter__(self) -> _Bar:
        self._bar.__enter__()
        return self

    def __exit__(self, *args: Any) -> None:
        self._bar.__exit__(*args)

    def __call__(self, done: int, total: int) -> None:
        self._bar.length = max(total, 1)
        self._bar.update(done - self._bar.pos)


def _find(typed: str) -> Recording:
    """The recording with this id or code. Raises BadParameter."""
    try:
        wanted = [Recording.id == UUID(typed)]
    except ValueError:
        wanted = [Recording.code == typed.upper()]
    with reading() as work:
        found = work.db_session.scalar(select(Recording).where(or_(*wanted)))
    if found is None:
        raise click.BadParameter(f"không có bản ghi {typed}", param_hint="ID")
    return found


@recordings.command("list")
@json_option
def list_recordings(as_json: bool) -> None:
    """List every recording: code, state, when, how long, last check. No names."""
    with reading() as work:
        rows = work.db_session.scalars(
            select(Recording).order_by(Recording.started_at.desc(), Recording.id)
        ).all()
    told = [_told(row) for row in rows]
    report(
        {"recordings": told},
        as_json=as_json,
        lines=lambda: (
            [
                f"{t['code']}  {t['state']}/{t['signature']}  {t['started_at']:%Y-%m-%d %H:%M}  "
                f"{(t['duration_ms'] or 0) // 1000} s  {_check_word(t['check_ok'])}  {t['id']}"
                for t in told
            ]
            or ["Chưa có bản ghi nào."]
        ),
    )


def _told(row: Recording) -> dict[str, Any]:
    check = kept_check(row)
    return {
        "id": row.id,
        "code": row.code,
        "state": row.state,
        "signature": row.signature_state,
        "secrecy": row.secrecy,
        "started_at": row.started_at,
        "duration_ms": row.duration_ms,
        "checked_at": row.checked_at,
        "check_ok": None if check is None else check["ok"],
    }


def _check_word(ok: bool | None) -> str:
    return {None: "chưa kiểm", True: "nguyên vẹn", False: "KHÔNG KHỚP"}[ok]


@recordings.command("verify")
@click.argument("recording", metavar="ID")
@json_option
def verify(recording: str, as_json: bool) -> None:
    """Check one recording against store, hashes, manifest and audit log; exit 1 when broken."""
    found = _find(recording)
    with _Bar("Đối chiếu") as bar:
        check = verify_now(found.id, by=None, progress=bar)
    report(
        {"code": found.code, "ok": check.ok, **vars(check)},
        as_json=as_json,
        lines=lambda: [
            f"{found.code}: {_check_word(check.ok)}, {check.segments} đoạn, {check.chunks} mảnh, "
            f"{check.masters} bản gốc, {check.copies} bản xem",
            *check.failures,
        ],
    )
    sys.exit(not check.ok)


@recordings.command("export")
@click.argument("recording", metavar="ID")
@click.option(
    "--to",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="A new or empty folder.",
)
@json_option
def export(recording: str, to: Path, as_json: bool) -> None:
    """Write originals, copies, manifest and SHA256SUMS, decrypted, into a folder."""
    found = _find(recording)
    try:
        with _Bar("Xuất") as bar:
            done = export_recording(found.id, to, by=None, progress=bar)
    except DomainError as error:
        raise click.ClickException(error.message) from error
    report(
        {"code": found.code, "folder": done.folder, "files": done.files, "bytes": done.size_bytes},
        as_json=as_json,
        lines=lambda: [f"Đã xuất {done.files} tệp của {found.code} vào {done.folder}."],
    )


@recordings.command("recover")
@json_option
def recover_recordings(as_json: bool) -> None:
    """Finish what a crash interrupted: seal, upload, close, queue the masters."""
    try:
        done = recover(settings())
    except DomainError as refused:
        raise click.ClickException(refused.message) from refused
    report(
        vars(done),
        as_json=as_json,
        lines=lambda: [
            f"{done.segments} đoạn, {done.chunks} mảnh đã gửi, {done.recordings} bản ghi chờ xử lý"
        ],
    )


COMMANDS = (recordings,)
