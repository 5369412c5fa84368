"""One trouble of the recorder never hides another, and none of them stops what still works."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from reception.recordings import steps
from reception.sealer import Sealer, TailedFile
from storage import health
from storage.database import reading, unit_of_work
from storage.models import LiveChunk, MediaServer, Segment
from storage.models.base import utc_now
from storage.objects import Bucket, ObjectLocked, StoreUnavailable
from storage.runtime import runtime
from tests.support.factories import Factories
from tests.support.sitting import Sitting, open_sitting


@pytest.fixture
def spool() -> Iterator[Path]:
    """A folder of its own on tmpfs."""
    folder = Path(tempfile.mkdtemp(prefix="tcd-test-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def bad(app: Flask, factories: Factories, spool: Path) -> Sitting:
    """A recording whose wrapped key was destroyed."""
    sitting = open_sitting(app.extensions["settings"], factories, spool, name="bad", sealer=None)
    with unit_of_work() as work:
        row = work.get(Segment, sitting.segment_id)
        row.wrapped_key = bytes(len(row.wrapped_key))
    return sitting


@pytest.fixture
def good(app: Flask, factories: Factories, spool: Path, bad: Sitting) -> Sitting:
    """A healthy recording that began after the bad one, beside the same sealer."""
    return open_sitting(
        app.extensions["settings"], factories, spool, name="good", sealer=bad.sealer
    )


def _segment(sitting: Sitting) -> Segment:
    with reading() as work:
        return work.get(Segment, sitting.segment_id)


def _server(sitting: Sitting) -> MediaServer:
    with reading() as work:
        return work.get(MediaServer, sitting.sealer.settings.media_server)


def _ready() -> tuple[bool, str]:
    with reading() as work:
        return steps.recorder_ready(work.db_session)


def _causes(sitting: Sitting) -> list[str]:
    with reading() as work:
        row = work.db_session.get(MediaServer, sitting.sealer.settings.media_server)
    return [alarm["cause"] for alarm in row.alarms] if row else []


def test_segment_that_does_not_open_leaves_the_others_recording(
    bad: Sitting, good: Sitting
) -> None:
    good.write("audio", b"kept")
    good.round()
    assert _segment(good).chunks == 1
    assert _segment(good).alarm == ""
    assert "khóa" in _segment(bad).alarm
    assert _causes(good) == [f"segment:{bad.segment_id}"]


def test_segment_that_does_not_open_is_named_on_the_health_page(bad: Sitting) -> None:
    bad.round()
    found = {finding.name: finding for finding in health.look(with_worm=False)}["media"]
    assert (found.state, found.why) == (health.BAD, "alarm")
    (alarm,) = found.figures["servers"][0]["alarms"]
    assert alarm["began_at"] <= alarm["seen_at"]


def test_alarm_of_a_segment_keeps_the_time_when_it_began(bad: Sitting) -> None:
    bad.round()
    began = _server(bad).alarms[0]["began_at"]
    bad.sealer.retry_all_now()
    bad.round()
    again = _server(bad).alarms[0]
    assert again["began_at"] == began
    assert again["seen_at"] > began


def test_one_bad_segment_does_not_keep_new_sessions_from_opening(
    bad: Sitting, good: Sitting
) -> None:
    good.round()
    assert _ready() == (True, "Máy ghi sẵn sàng.")


def test_recorder_that_cannot_seal_is_not_ready(
    good: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    good.round()
    with monkeypatch.context() as patch:
        patch.setattr(Sealer, "PROOF_EVERY_S", 0.0)
        patch.setattr("reception.sealer.seal_chunk", _raise(OSError(28, "No space left")))
        good.sealer.tell_database()
        ready, sentence = _ready()
    assert not ready
    assert "niêm phong" in sentence
    with reading() as work, pytest.raises(steps.RecorderNotRunning):
        steps.choose_media_server(work.db_session)
    monkeypatch.setattr(Sealer, "PROOF_EVERY_S", 0.0)
    good.sealer.tell_database()
    assert _ready()[0]


def _raise(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_chunk_that_cannot_be_sent_holds_up_its_own_segment_only(
    app: Flask, factories: Factories, spool: Path, good: Sitting
) -> None:
    other = open_sitting(
        app.extensions["settings"], factories, spool, name="other", sealer=good.sealer
    )
    good.write("audio", b"one")
    other.write("audio", b"two")
    good.sealer.look_for_segments()
    good.sealer.seal_all()
    good.sealer.segments[good.segment_id].chunk_path(0).unlink()
    good.sealer.upload_all()
    good.sealer.tell_database()
    assert _segment(other).chunks == 1
    assert _segment(good).alarm != ""


def test_segment_whose_row_is_gone_does_not_darken_the_other_lamps(
    app: Flask, factories: Factories, spool: Path, good: Sitting
) -> None:
    other = open_sitting(
        app.extensions["settings"], factories, spool, name="other", sealer=good.sealer
    )
    good.write("audio", b"one")
    other.write("audio", b"two")
    good.sealer.look_for_segments()
    good.sealer.seal_all()
    first = good.sealer.segments[good.segment_id]
    first.spec = replace(first.spec, segment_id=UUID(int=7))
    good.sealer.upload_all()
    good.sealer.tell_database()
    assert _segment(other).chunks == 1


@pytest.fixture
def running(good: Sitting) -> Iterator[Sitting]:
    """The sealer as it really runs, all its loops."""
    stop = threading.Event()
    thread = threading.Thread(target=good.sealer.run, args=(stop,))
    thread.start()
    yield good
    stop.set()
    thread.join()


def _until(told: Callable[[], bool], within_s: float) -> None:
    end = time.monotonic() + within_s
    while not told():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def test_outage_of_the_store_stays_in_sight_until_it_is_over(
    running: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = type(runtime().store).put

    def slow_and_down(*_: object, **__: object) -> None:
        time.sleep(1.0)
        raise StoreUnavailable("down")

    monkeypatch.setattr(type(runtime().store), "put", slow_and_down)
    running.write("audio", b"waits")
    _until(lambda: "store" in _causes(running), within_s=8)
    told = [_segment(running).alarm for _ in _every(0.1, times=25)]
    assert all("Kho lưu trữ" in alarm and "1 mảnh" in alarm for alarm in told)
    assert _ready()[0], "what is sealed waits beside the recorder, so sessions may open"
    monkeypatch.setattr(type(runtime().store), "put", real)
    _until(lambda: "store" not in _causes(running), within_s=8)
    assert _segment(running).alarm == ""
    assert _segment(running).chunks == 1


def _every(seconds: float, *, times: int) -> Iterator[int]:
    for turn in range(times):
        time.sleep(seconds)
        yield turn


def test_sealed_chunks_are_locked_for_as_long_as_the_settings_say(
    app_on_both: Flask, factories: Factories, spool: Path
) -> None:
    settings = replace(app_on_both.extensions["settings"], chunk_lock_days=90)
    sitting = open_sitting(settings, factories, spool, sealer=None)
    sitting.write("audio", b"kept")
    sitting.round()
    with reading() as work:
        chunk = work.db_session.query(LiveChunk).one()
    until = runtime().store.read_lock(Bucket.CHUNKS, chunk.name, chunk.version_id)
    assert until is not None
    assert abs(until - utc_now() - timedelta(days=90)) < timedelta(minutes=1)
    with pytest.raises(ObjectLocked):
        runtime().store.delete(Bucket.CHUNKS, chunk.name, chunk.version_id)


def test_link_among_the_tracks_is_never_opened(spool: Path) -> None:
    """The media server could point it at a file of ours, which would be read and emptied."""
    ours, room = spool / "ours", spool / "room"
    ours.write_bytes(b"kept" * 1024)
    room.mkdir()
    (room / "soft.mjr").symlink_to(ours)
    (room / "hard.mjr").hardlink_to(ours)
    os.mkfifo(room / "pipe.mjr")
    for name in ("soft.mjr", "hard.mjr", "pipe.mjr"):
        with pytest.raises(OSError, match=r"symbolic links|not a plain track"):
            TailedFile(room / name)
    (room / "plain.mjr").write_bytes(b"track")
    assert TailedFile(room / "plain.mjr").pending() == b"track"
