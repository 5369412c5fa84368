"""The sealer over growing track files: real tmpfs, real store, real keys, on both back ends."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from config import Settings
from reception.media_gateway import MediaRoom
from reception.recordings import jobs, steps
from reception.recordings.recover import recover
from reception.sealer import Sealer
from reception.worker import all_handlers
from storage.database import reading, unit_of_work
from storage.jobs import run_one
from storage.media.synthesis import synthesise_mjr
from storage.models import (
    LiveChunk,
    MediaJoin,
    Participant,
    PlayableCopy,
    ReceptionSession,
    Recording,
    SealedObject,
    Segment,
    SessionPoint,
    Track,
)
from storage.models.base import utc_now
from storage.objects import Bucket, StoreUnavailable
from storage.recordings import ChunkBroken, read_chain
from storage.runtime import configure, runtime
from storage.sealed import open_object
from storage.sealing import SealBroken
from tests.support.factories import Factories
from workflows.access import Role
from workflows.errors import Conflict

MARK = b"PLAINTEXT-THAT-MUST-NOT-REST-ON-DISK" * 40


@dataclass
class Sitting:
    """A recording under way with one participant, whose files the test writes itself."""

    sealer: Sealer
    recording_id: UUID
    segment_id: UUID
    room: MediaRoom
    participant_id: UUID
    media_id: str

    def file(self, media: str) -> Path:
        """The track file as the media server names it while it is open."""
        self.room.recordings_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = 0 if media == "audio" else 1
        name = f"videoroom-{self.room.room_id}-user-{self.media_id}-1700000000-{media}-{number}.mjr"
        return self.room.recordings_dir / f"{name}.tmp"

    def write(self, media: str, data: bytes) -> None:
        with self.file(media).open("ab") as file:
            file.write(data)

    def round(self) -> None:
        """One turn of each of the sealer's loops."""
        self.sealer.look_for_segments()
        for segment in self.sealer.segments.values():
            if not segment.closed:
                segment.tick()
        self.sealer.upload_all()
        self.sealer.tell_database()

    def finish(self) -> None:
        """The media server closes its files, the session ends, everything is sealed."""
        for path in self.room.recordings_dir.glob("*.tmp"):
            path.rename(path.with_suffix(""))
        with unit_of_work() as work:
            steps.end_recording(work, work.get(Recording, self.recording_id), by=None)
        for _ in range(3):
            self.round()


@pytest.fixture
def spool() -> Iterator[Path]:
    """A folder of its own on tmpfs."""
    folder = Path(tempfile.mkdtemp(prefix="tcd-test-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def sitting(app_on_both: Flask, factories: Factories, spool: Path) -> Sitting:
    """An open recording on either pair of back ends."""
    old: Settings = app_on_both.extensions["settings"]
    settings = Settings(**{**vars(old), "spool_dir": spool})
    configure(replace(runtime(), spool_dir=spool))
    sealer = Sealer(settings, runtime().keyring)
    sealer.prepare()
    chair = factories.officer(Role.PROVINCIAL_CHAIR)
    steps.prepare_keys()
    with unit_of_work() as work:
        now = utc_now()
        unit_id = factories.unit_id("75")
        meeting = work.add(
            ReceptionSession(
                code="PH-TEST",
                title="Phiên thử",
                kind="periodic",
                reason_code="complex-multi-agency",
                unit_id=unit_id,
                presiding_id=chair.account_id,
                starts_at=now,
                planned_end_at=now + timedelta(hours=1),
                state="OPEN",
                idempotency_key="test",
            )
        )
        work.flush()
        point = work.add(
            SessionPoint(
                reception_session_id=meeting.id,
                kind="central",
                unit_id=unit_id,
                name="Điểm cầu trung tâm",
                seat=1,
            )
        )
        work.flush()
        person = work.add(
            Participant(
                reception_session_id=meeting.id,
                point_id=point.id,
                part="chair",
                account_id=chair.account_id,
                name_sealed=b"",
            )
        )
        recording = steps.begin_recording(work, meeting, by=chair.account_id)
        work.flush()
        room = MediaRoom.new(sealer.rooms_dir)
        segment = steps.begin_segment(
            work, recording, room=room, media_server=settings.media_server
        )
        work.flush()
        work.add(MediaJoin(media_id="m1", participant_id=person.id, segment_id=segment.id))
    return Sitting(sealer, recording.id, segment.id, room, person.id, "m1")


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
