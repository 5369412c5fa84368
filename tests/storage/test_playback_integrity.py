"""Whoever changes object, row, manifest or log of a recording is found by the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reception.recordings import operations
from storage.database import reading, unit_of_work
from storage.integrity import RecordingBroken, check_recording, kept_check
from storage.jobs import run_one
from storage.models import (
    AuditLeaf,
    Job,
    LiveChunk,
    PlayableCopy,
    Recording,
    SealedObject,
    Segment,
    Track,
)
from storage.runtime import runtime
from tests.support.factories import Factories
from tests.support.recordings import SealedRecording
from workflows.access import Role


def test_untouched_recording_is_intact_in_every_part(
    recorded_app: Flask, recorded: SealedRecording
) -> None:
    check = check_recording(recorded.recording_id)
    assert check.failures == []
    assert (check.segments, check.masters, check.copies) == (1, 4, 2)
    assert check.chunks >= 3


def _overwrite(row: SealedObject | LiveChunk, bucket: str) -> None:
    """Flip one byte of an object as the owner of the disk could."""
    root = runtime().data_dir / "objects"
    for path in root.rglob("*"):
        if (
            path.is_file()
            and row.version_id in str(path)
            and path.stat().st_size == row.sealed_size
        ):
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.chmod(0o600)
            path.write_bytes(data)
            return
    raise AssertionError(f"no object of {bucket} found below {root}")


def _object(db_session: Session, joined: type[Track] | type[PlayableCopy]) -> SealedObject:
    key = Track.master_object_id if joined is Track else PlayableCopy.sealed_object_id
    return db_session.scalars(select(SealedObject).where(SealedObject.id.in_(select(key)))).first()  # type: ignore[return-value]  # there is one


def _change_master(db_session: Session) -> None:
    _overwrite(_object(db_session, Track), "originals")


def _change_copy(db_session: Session) -> None:
    _overwrite(_object(db_session, PlayableCopy), "files")


def _change_chunk(db_session: Session) -> None:
    _overwrite(db_session.scalars(select(LiveChunk).where(LiveChunk.number == 1)).one(), "chunks")


def _change_live_hash(db_session: Session) -> None:
    track = db_session.scalars(select(Track)).first()
    assert track is not None
    track.plain_sha256 = bytes(32)


def _drop_last_chunk(db_session: Session) -> None:
    last = db_session.scalars(select(LiveChunk).order_by(LiveChunk.number.desc())).first()
    db_session.delete(last)


def _change_chain_head(db_session: Session) -> None:
    db_session.scalars(select(Segment)).one().chain_head = bytes(32)


def _change_manifest_hash(db_session: Session) -> None:
    db_session.scalars(select(Recording)).one().manifest_sha256 = bytes(32)


def _edit_the_log(db_session: Session) -> None:
    leaf = db_session.scalars(select(AuditLeaf).where(AuditLeaf.action == "recording_sealed")).one()
    db_session.execute(
        update(AuditLeaf).where(AuditLeaf.id == leaf.id).values(body=leaf.body + " ")
    )


@pytest.mark.parametrize(
    "change",
    [
        _change_master,
        _change_copy,
        _change_chunk,
        _change_live_hash,
        _drop_last_chunk,
        _change_chain_head,
        _change_manifest_hash,
        _edit_the_log,
    ],
)
def test_change_of_any_part_is_found(
    recorded_app: Flask, recorded: SealedRecording, change: Callable[[Session], None]
) -> None:
    with unit_of_work() as work:
        change(work.db_session)
    assert check_recording(recorded.recording_id).failures


def test_broken_recording_is_opened_by_nobody(
    recorded_app: Flask, recorded: SealedRecording, people: Factories
) -> None:
    chair = people.officer(Role.PROVINCIAL_CHAIR)
    operations.ask_for_playback(
        recorded.recording_id, by=chair.actor, reason="Đối chiếu", document_number="",
        closed_parts=False,
    )  # fmt: skip
    with unit_of_work() as work:
        _change_copy(work.db_session)
    check = operations.verify_recording(recorded.recording_id, by=chair.actor)
    assert check is not None
    assert not check.ok
    with pytest.raises(RecordingBroken):
        operations.open_recording(recorded.recording_id, by=chair.actor)


def test_large_recording_is_checked_by_a_job(
    recorded_app: Flask,
    recorded: SealedRecording,
    people: Factories,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from reception.recordings.jobs import HANDLERS

    monkeypatch.setattr(operations, "INLINE_CHECK_BYTES", 10)
    chair = people.officer(Role.PROVINCIAL_CHAIR)
    assert operations.verify_recording(recorded.recording_id, by=chair.actor) is None
    assert run_one("test", {"recordings.verify": HANDLERS["recordings.verify"]})
    with reading() as work:
        recording = work.get(Recording, recorded.recording_id)
        job = work.db_session.scalars(select(Job).where(Job.kind == "recordings.verify")).one()
    kept = kept_check(recording)
    assert job.state == "done"
    assert kept is not None
    assert kept["ok"]


def test_store_holds_no_byte_of_the_plain_copy(
    recorded_app: Flask, recorded: SealedRecording
) -> None:
    stored = b"".join(
        path.read_bytes() for path in Path(runtime().data_dir).rglob("*") if path.is_file()
    )
    assert b"MJR00002" not in stored
    assert b"OpusHead" not in stored
