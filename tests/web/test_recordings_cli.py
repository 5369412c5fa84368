"""Recordings from the command line: list, check, take out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from storage.database import reading, unit_of_work
from storage.media import probe, read_mjr
from storage.models import AuditLeaf, Recording
from tests.support.recordings import SealedRecording, spool_on_tmpfs


@pytest.fixture
def run(recorded_app: Flask) -> FlaskCliRunner:
    return recorded_app.test_cli_runner()


def _code(recorded: SealedRecording) -> str:
    with reading() as work:
        return work.get(Recording, recorded.recording_id).code


def test_list_tells_state_and_last_check(run: FlaskCliRunner, recorded: SealedRecording) -> None:
    (before,) = json.loads(run.invoke(args=["recordings", "list", "--json"]).output)["recordings"]
    assert (before["state"], before["signature"], before["check_ok"]) == (
        "sealed",
        "unsigned",
        None,
    )
    checked = run.invoke(args=["recordings", "verify", _code(recorded), "--json"])
    assert checked.exit_code == 0
    (after,) = json.loads(run.invoke(args=["recordings", "list", "--json"]).output)["recordings"]
    assert after["check_ok"] is True
    assert "nguyên vẹn" in run.invoke(args=["recordings", "list"]).output


def test_verify_fails_loudly_when_something_changed(
    run: FlaskCliRunner, recorded: SealedRecording
) -> None:
    with unit_of_work() as work:
        work.get(Recording, recorded.recording_id).manifest_sha256 = bytes(32)
    done = run.invoke(args=["recordings", "verify", str(recorded.recording_id)])
    assert done.exit_code == 1
    assert "KHÔNG KHỚP" in done.output


def test_export_holds_originals_copies_and_their_hashes(
    run: FlaskCliRunner, recorded: SealedRecording, tmp_path: Path
) -> None:
    folder = tmp_path / "ra"
    done = run.invoke(args=["recordings", "export", _code(recorded), "--to", str(folder)])
    assert done.exit_code == 0, done.output
    sums = dict(
        reversed(line.split("  ", 1)) for line in (folder / "SHA256SUMS").read_text().splitlines()
    )
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {"SHA256SUMS"}
    assert set(sums) == found
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    manifest = json.loads((folder / "manifest.json").read_text())
    tracks = {t["file"]: t["plain_sha256"] for t in manifest["segments"][0]["tracks"]}
    for original in (folder / "originals").rglob("*.mjr"):
        assert tracks[original.name] == sums[str(original.relative_to(folder))]
        assert len(list(read_mjr([original.read_bytes()]))) > 50
    with spool_on_tmpfs() as scratch:
        (scratch / "one.webm").write_bytes(next((folder / "playable").rglob("*.webm")).read_bytes())
        assert probe(scratch / "one.webm", scratch=scratch).codecs == ("opus", "vp8")
    with reading() as work:
        assert work.db_session.scalar(
            select(AuditLeaf.id).where(AuditLeaf.action == "recording_exported")
        )


def test_export_never_writes_into_a_folder_that_holds_something(
    run: FlaskCliRunner, recorded: SealedRecording, tmp_path: Path
) -> None:
    (tmp_path / "cũ.txt").write_text("x")
    done = run.invoke(args=["recordings", "export", _code(recorded), "--to", str(tmp_path)])
    assert done.exit_code == 1
    assert "không trống" in done.output


def test_unknown_recording_is_a_wrong_argument(run: FlaskCliRunner) -> None:
    assert run.invoke(args=["recordings", "verify", "BG-0000-0000"]).exit_code == 2
