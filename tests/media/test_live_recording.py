"""From two real browsers through Janus, tmpfs, the sealer process and the store to the masters."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from config import Settings
from reception.media_gateway import JanusGateway, JoinTicket, MediaRoom
from reception.recordings import jobs, steps
from storage.database import reading
from storage.jobs import run_one
from storage.models import LiveChunk, MediaServer, PlayableCopy, SealedObject, Segment, Track
from storage.objects import Bucket
from storage.runtime import configure, runtime
from storage.sealed import open_object
from tests.media.conftest import PROJECT, PageServer
from tests.media.recordings import colour, is_near, playable, tone_hz, wait_until
from tests.support.browsers import LOOKS, Participant
from tests.support.factories import Factories
from tests.support.janus import RunningJanus, running_janus
from tests.support.open_meeting import OpenMeeting, open_meeting

pytestmark = pytest.mark.media
TMPFS = Path("/dev/shm")  # noqa: S108  # recordings belong on tmpfs; the folder below is our own
MARKS = (b"MEET", b"MJR0000")

CONNECTS_WITHIN_S = 3.0  # from joining to the first packet


@dataclass
class Live:
    """A recording under way: processes, people, and the segment they are in."""

    settings: Settings
    environment: dict[str, str]
    janus: RunningJanus
    gateway: JanusGateway
    meeting: OpenMeeting
    server: PageServer
    people: dict[str, Participant]
    log: Path
    sealer: subprocess.Popen[bytes] | None = None
    room: MediaRoom | None = None
    segment_id: UUID | None = None
    opened: float = 0.0
    asking: str = ""
    lamps: list[float] = field(default_factory=list)
    # When each began and was told to leave: before the call and after it, monotonic seconds.
    joined: dict[str, tuple[float, float]] = field(default_factory=dict)
    left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def start_sealer(self) -> None:
        with self.log.open("ab") as log:
            self.sealer = subprocess.Popen(
                [sys.executable, "-m", "flask", "run-sealer"],
                cwd=PROJECT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def open_segment(self, cause: str = "opened") -> None:
        self.room = MediaRoom.new(self.settings.spool_dir / "rooms")
        self.segment_id = self.meeting.begin_segment(
            self.room, self.settings.media_server, cause=cause
        )
        self.gateway.create_room(self.room)
        self.opened = time.monotonic()
        self.server.answer_ticket = self._ticket

    def _ticket(self) -> JoinTicket:
        assert self.room is not None
        assert self.segment_id is not None
        ticket = self.gateway.join_ticket(self.room, display_id="point")
        self.meeting.gave_ticket(self.asking, ticket.participant_id, self.segment_id)
        return ticket

    def join(self, name: str) -> None:
        self.asking = name
        page = self.people[name].start_afresh(base_url=self.server.url)
        page.goto("/")
        page.wait_for_selector("body[data-ready]", state="attached")
        before = time.monotonic()
        page.evaluate("join()")
        self.joined[name] = (before, time.monotonic())

    def talked_s(self, name: str) -> tuple[float, float]:
        """The least and the most that this person can have been heard, in seconds."""
        (earliest, latest), (from_then, until) = self.joined[name], self.left[name]
        return from_then - latest, until - earliest

    def lamp(self) -> steps.Lamp:
        with reading() as work:
            return steps.lamp(work.db_session, self.meeting.meeting_id)

    def finish(self) -> None:
        assert self.room is not None
        for name, person in self.people.items():
            before = time.monotonic()
            person.page.goto("about:blank")
            self.left[name] = (before, time.monotonic())
        self.gateway.destroy_room(self.room)
        self.meeting.end()
        wait_until(self._all_closed, within_s=30, said=self.log.read_text()[-2000:])
        assert run_one("test", jobs.HANDLERS)

    def _all_closed(self) -> bool:
        with reading() as work:
            rows = work.db_session.scalars(select(Segment)).all()
        return all(row.closed_at for row in rows)

    def stop(self) -> None:
        if self.sealer is not None and self.sealer.poll() is None:
            self.sealer.send_signal(signal.SIGTERM)
            self.sealer.wait(timeout=10)


@pytest.fixture
def live(
    app_on_both: Flask,
    factories: Factories,
    page_server: PageServer,
    browsers: dict[str, Participant],
    tmp_path: Path,
) -> Iterator[Live]:
    """A running media server and sealer over either pair of back ends; nobody has joined yet."""
    with tempfile.TemporaryDirectory(prefix="tcd-live-", dir=TMPFS) as folder:
        spool = Path(folder)
        (spool / "rooms").mkdir(mode=0o700)
        with running_janus(tmp_path / "media-server", spool=spool / "rooms") as janus:
            old: Settings = app_on_both.extensions["settings"]
            settings = replace(old, spool_dir=spool)
            configure(replace(runtime(), spool_dir=spool))
            environment = _environment(settings, janus)
            meeting = open_meeting(factories, ("red", "blue"))
            made = Live(
                settings,
                environment,
                janus,
                janus.gateway,
                meeting,
                page_server,
                browsers,
                tmp_path / "sealer.log",
            )
            made.start_sealer()
            wait_until(_recorder_ready, within_s=20, said="the sealer reports")
            yield made
            made.stop()
            made.gateway.close()


def _recorder_ready() -> bool:
    with reading() as work:
        return steps.recorder_ready(work.db_session)[0]


def _environment(settings: Settings, janus: RunningJanus) -> dict[str, str]:
    return {
        **{k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")},
        **janus.environment,
        "APP_PROFILE": "test",
        "FLASK_APP": "wsgi",
        "PYTHONPATH": str(PROJECT),
        "SECRET_KEY": settings.secret_key,
        "DATABASE_URL": settings.database_url,
        "OBJECT_STORE": settings.object_store,
        "DATA_DIR": str(settings.data_dir),
        "KEY_DIR": str(settings.key_dir),
        "SPOOL_DIR": str(settings.spool_dir),
        "MINIO_ENDPOINT": settings.minio_endpoint,
        "MINIO_ACCESS_KEY": settings.minio_access_key,
        "MINIO_SECRET_KEY": settings.minio_secret_key,
        "MINIO_SECURE": "0",
        "PUBLIC_URL": "http://127.0.0.1",
        "COOKIE_SECURE": "0",
    }


def _nothing_in_the_clear(live: Live) -> None:
    """Neither the disk nor the store holds bytes of a track as the media server wrote them."""
    for root, _, names in os.walk(live.settings.data_dir):
        for name in names:
            data = (Path(root) / name).read_bytes()
            assert not any(mark in data for mark in MARKS), name
    for found in runtime().store.list(Bucket.CHUNKS, f"{live.meeting.recording_id}/"):
        data = runtime().store.open_range(
            Bucket.CHUNKS, found.name, found.version_id, 0, found.size
        )
        assert not any(mark in data for mark in MARKS), found.name


def _track_of(live: Live, name: str, media: str, segment_id: UUID | None = None) -> Track:
    with reading() as work:
        tracks = work.db_session.scalars(
            select(Track).where(
                Track.participant_id == live.meeting.people[name], Track.media == media
            )
        ).all()
    own = [track for track in tracks if segment_id in (None, track.segment_id)]
    assert own, f"no {media} of {name}"
    return max(own, key=lambda track: track.plain_size)


def _master_file(track: Track, folder: Path) -> Path:
    with reading() as work:
        row = work.get(SealedObject, track.master_object_id)
    path = folder / track.file_name
    path.write_bytes(b"".join(bytes(part) for part in open_object(row).iter_all()))
    return path


def test_two_people_are_sealed_while_they_speak_and_a_killed_sealer_loses_nothing(
    live: Live, tmp_path: Path
) -> None:
    live.open_segment()
    live.join("red")
    live.join("blue")
    wait_until(lambda: live.lamp().state == "lit", within_s=8, said="the lamp is lit")
    time.sleep(5)
    _nothing_in_the_clear(live)
    assert live.sealer is not None
    live.sealer.send_signal(signal.SIGKILL)
    live.sealer.wait()
    time.sleep(2)
    live.start_sealer()
    before = live.lamp().chunks
    wait_until(lambda: live.lamp().chunks > before + 1, within_s=15, said="sealing goes on")
    live.finish()

    for name, look in LOOKS.items():
        if name not in live.meeting.people:
            continue
        sound, picture = _track_of(live, name, "audio"), _track_of(live, name, "video")
        heard = tone_hz(playable(_master_file(sound, tmp_path), tmp_path))
        assert abs(heard - look.tone_hz) < 15, (name, heard)
        assert is_near(colour(playable(_master_file(picture, tmp_path), tmp_path)), look.rgb)
        assert sound.last_arrival_ms is not None
        least_s, most_s = live.talked_s(name)
        assert least_s - CONNECTS_WITHIN_S < sound.last_arrival_ms / 1000 < most_s + 1
    _nothing_in_the_clear(live)
    with reading() as work:
        copies = work.db_session.scalars(select(PlayableCopy)).all()
        assert work.db_session.scalar(select(LiveChunk.id).limit(1))
    assert {copy.participant_id for copy in copies} == set(live.meeting.people.values())
    assert not list((live.settings.spool_dir / "rooms").iterdir()), "tmpfs is free again"


def test_killed_media_server_goes_on_as_a_new_segment_and_what_it_had_received_is_kept(
    live: Live,
) -> None:
    live.open_segment()
    live.join("red")
    wait_until(lambda: live.lamp().state == "lit", within_s=8, said="the lamp is lit")
    time.sleep(4)
    first = live.segment_id
    assert first is not None
    with reading() as work:
        began = work.get(Segment, first).started_at
    live.janus.kill()
    killed_after_s = time.monotonic() - live.opened
    live.meeting.end_segment(first)
    live.janus.start_again()
    live.open_segment("media_server_restarted")
    live.join("red")
    wait_until(lambda: live.lamp().state == "lit", within_s=10, said="the second segment is lit")
    time.sleep(3)
    live.finish()
    sound = _track_of(live, "red", "audio", first)
    assert sound.first_arrival_at is not None
    assert sound.last_arrival_ms is not None
    kept_until_s = (sound.first_arrival_at - began).total_seconds() + sound.last_arrival_ms / 1000
    assert killed_after_s - kept_until_s < 5
    assert _track_of(live, "red", "audio", live.segment_id)


def test_silent_recorder_raises_the_alarm(live: Live) -> None:
    live.open_segment()
    live.join("red")
    wait_until(lambda: live.lamp().state == "lit", within_s=8, said="the lamp is lit")
    assert live.sealer is not None
    live.sealer.send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    wait_until(lambda: live.lamp().state == "silent", within_s=10, said="the alarm")
    assert time.monotonic() - stopped < 6.5
    live.sealer.send_signal(signal.SIGCONT)
    wait_until(lambda: live.lamp().state == "lit", within_s=10, said="the lamp is lit again")
    with reading() as work:
        assert work.db_session.get(MediaServer, live.settings.media_server) is not None
    live.finish()
