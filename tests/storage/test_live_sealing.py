"""The sealer over growing track files: real tmpfs, real store, real keys, on both back ends."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from reception.recordings import jobs, steps
from reception.recordings.recover import recover
from reception.sealer import Sealer
from reception.worker import all_handlers
from storage.database import reading, unit_of_work
from storage.jobs import run_one
from storage.media.synthesis import synthesise_mjr
from storage.models import (
    LiveChunk,
    PlayableCopy,
    Recording,
    SealedObject,
    Segment,
    Track,
)
from storage.objects import Bucket, StoreUnavailable
from storage.recordings import ChunkBroken, read_chain
from storage.runtime import runtime
from storage.sealed import open_object
from storage.sealing import SealBroken
from tests.support.factories import Factories
from tests.support.sitting import Sitting, open_sitting
from workflows.errors import Conflict

MARK = b"PLAINTEXT-THAT-MUST-NOT-REST-ON-DISK" * 40


@pytest.fixture
def spool() -> Iterator[Path]:
    """A folder of its own on tmpfs."""
    folder = Path(tempfile.mkdtemp(prefix="tcd-test-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def sitting(app_on_both: Flask, factories: Factories, spool: Path) -> Sitting:
    """An open recording on either pair of back ends."""
    return open_sitting(app_on_both.extensions["settings"], factories, spool, sealer=None)


def _chunks(sitting: Sitting) -> list[bytes]:
    with reading() as work:
        segment = work.get(Segment, sitting.segment_id)
    fetch = jobs.chunk_fetcher(segment)
    return [chunk.bodies[0] for chunk in _chain(segment, fetch) if chunk.bodies]


def _chain(segment: Segment, fetch: object) -> list[object]:
    return list(
        read_chain(
            jobs.segment_key(segment),
            fetch,
            recording_id=segment.recording_id,
            segment_id=segment.id,
        )
    )


def test_what_grows_on_tmpfs_is_in_the_store_after_one_round(sitting: Sitting) -> None:
    sitting.write("audio", MARK)
    sitting.round()
    assert _chunks(sitting) == [MARK]
    with reading() as work:
        lamp = steps.lamp(
            work.db_session, work.get(Recording, sitting.recording_id).reception_session_id
        )
    assert lamp.state == "lit"
    assert lamp.chunks == 1


def test_sealed_bytes_are_punched_out_of_the_growing_file(sitting: Sitting) -> None:
    sitting.write("audio", MARK * 40)
    before = sitting.file("audio").stat().st_blocks
    sitting.round()
    kept = sitting.file("audio").stat()
    assert kept.st_size == len(MARK * 40)
    assert kept.st_blocks < before
    assert MARK not in sitting.file("audio").read_bytes()[: len(MARK) * 30]


def test_nothing_in_the_clear_rests_in_the_data_folder_or_the_store(sitting: Sitting) -> None:
    sitting.write("audio", MARK)
    sitting.round()
    for root, _, names in os.walk(runtime().data_dir):
        for name in names:
            assert MARK[:36] not in (Path(root) / name).read_bytes(), name
    for found in runtime().store.list(Bucket.CHUNKS, f"{sitting.recording_id}/"):
        stored = runtime().store.open_range(
            Bucket.CHUNKS, found.name, found.version_id, 0, found.size
        )
        assert MARK[:36] not in stored


def test_a_killed_sealer_continues_the_same_chain(sitting: Sitting) -> None:
    sitting.write("audio", MARK)
    sitting.round()
    sitting.write("audio", b"second")
    sitting.sealer = Sealer(sitting.sealer.settings, runtime().keyring)
    sitting.sealer.prepare()
    sitting.round()
    assert _chunks(sitting) == [MARK, b"second"]


def test_a_chunk_written_just_before_the_kill_is_adopted_not_sealed_twice(
    sitting: Sitting,
) -> None:
    sitting.write("audio", MARK)
    sitting.round()
    sitting.write("audio", b"second")
    segment = sitting.sealer.segments[sitting.segment_id]
    segment.tick()
    ledger = segment.spool / "ledger.jsonl"
    lines = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join(lines[:-1]) + lines[-1][:20])  # the crash cut the last line
    sitting.sealer = Sealer(sitting.sealer.settings, runtime().keyring)
    sitting.sealer.prepare()
    sitting.round()
    assert _chunks(sitting) == [MARK, b"second"]


def test_store_outage_keeps_sealed_chunks_and_sends_the_same_bytes_later(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    sitting.write("audio", MARK)
    sitting.sealer.look_for_segments()
    segment = sitting.sealer.segments[sitting.segment_id]
    segment.tick()
    kept = segment.chunk_path(0).read_bytes()

    def down(*_: object, **__: object) -> None:
        raise StoreUnavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr(type(runtime().store), "put", down)
        with pytest.raises(StoreUnavailable):
            sitting.sealer.upload_all()
    assert segment.chunk_path(0).read_bytes() == kept
    sitting.sealer.seal_all()
    sitting.sealer.tell_database()
    with reading() as work:
        assert work.get(Segment, sitting.segment_id).alarm.startswith("Kho lưu trữ")
    sitting.round()
    with reading() as work:
        assert work.get(Segment, sitting.segment_id).alarm == ""
    with reading() as work:
        row = work.db_session.query(LiveChunk).one()
    assert row.sealed_sha256 == hashlib.sha256(kept).digest()


def test_an_altered_or_missing_chunk_breaks_the_chain(sitting: Sitting) -> None:
    for part in (b"one", b"two", b"three"):
        sitting.write("audio", part)
        sitting.round()
    with reading() as work:
        segment = work.get(Segment, sitting.segment_id)
    fetch = jobs.chunk_fetcher(segment)
    swapped = {0: 0, 1: 2, 2: 1}
    with pytest.raises(SealBroken):
        _chain(segment, lambda number: fetch(swapped[number]) if number in swapped else None)


def test_masters_equal_the_live_bytes_and_copies_play(sitting: Sitting, spool: Path) -> None:
    media = synthesise_mjr(440, "blue", 4, scratch=spool)
    half = len(media.audio_mjr) // 2
    sitting.write("audio", media.audio_mjr[:half])
    sitting.write("video", media.video_mjr[:5000])
    sitting.round()
    sitting.write("audio", media.audio_mjr[half:])
    sitting.write("video", media.video_mjr[5000:])
    sitting.round()
    sitting.finish()
    assert run_one("test", all_handlers() | jobs.HANDLERS)
    with reading() as work:
        recording = work.get(Recording, sitting.recording_id)
        tracks = work.db_session.query(Track).order_by(Track.media).all()
        copy = work.db_session.query(PlayableCopy).one()
        master = work.get(SealedObject, tracks[0].master_object_id)
    assert recording.state == "sealed"
    assert recording.signature_state == "unsigned"
    assert b"".join(bytes(p) for p in open_object(master).iter_all()) == media.audio_mjr
    assert [track.participant_id for track in tracks] == [sitting.participant_id] * 2
    assert copy.has_audio
    assert copy.has_video
    assert abs(copy.duration_ms - 4000) < 400
    assert max(copy.peaks) > 5
    assert not list(sitting.sealer.rooms_dir.iterdir()), "tmpfs is free again"


def test_a_master_that_differs_from_the_live_hash_is_refused(sitting: Sitting, spool: Path) -> None:
    sitting.write("audio", synthesise_mjr(440, "red", 2, scratch=spool).audio_mjr)
    sitting.round()
    sitting.finish()
    with unit_of_work() as work:
        work.db_session.query(Track).one().plain_sha256 = b"\0" * 32
        segment = work.get(Segment, sitting.segment_id)
    with pytest.raises(ChunkBroken):
        jobs._master_segment(segment)


def test_recover_finishes_what_a_dead_sealer_left(sitting: Sitting, spool: Path) -> None:
    sitting.write("audio", synthesise_mjr(440, "red", 2, scratch=spool).audio_mjr)
    sitting.sealer.look_for_segments()
    sitting.sealer.segments[sitting.segment_id].tick()  # sealed, and then the power went
    for path in sitting.room.recordings_dir.glob("*.tmp"):
        path.rename(path.with_suffix(""))
    with unit_of_work() as work:
        steps.end_recording(work, work.get(Recording, sitting.recording_id), by=None)
    done = recover(sitting.sealer.settings)
    assert (done.segments, done.recordings) == (1, 1)
    assert done.chunks >= 2
    assert recover(sitting.sealer.settings).segments == 0
    assert run_one("test", jobs.HANDLERS)
    with reading() as work:
        assert work.get(Recording, sitting.recording_id).state == "sealed"


def test_recover_leaves_a_living_sealer_alone(sitting: Sitting) -> None:
    sitting.round()
    with pytest.raises(Conflict):
        recover(sitting.sealer.settings)
