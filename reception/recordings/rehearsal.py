"""Recordings made of given track files, through the real sealer and the real jobs.

For the seed of the demonstration and for tests. Only who wrote the track files differs from a
session that was held: everything after that is what runs in production.
"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

from config import Settings
from reception.recordings.jobs import HANDLERS
from reception.recordings.steps import (
    begin_recording,
    begin_segment,
    end_recording,
    end_segment,
    prepare_keys,
)
from reception.sealer import CHUNK_S, Sealer, SegmentSealer
from storage.database import Work, reading, unit_of_work
from storage.jobs import run_one, worker_name
from storage.media.mjr import MAGIC
from storage.models import MediaJoin, ReceptionSession, Recording, Segment
from storage.models.base import new_id
from storage.runtime import runtime

NO_SERVER = "rehearsal"
MASTER_WITHIN_S = 300.0


@dataclass(frozen=True)
class Presence:
    """One person from joining to leaving: track files, and when their first packet arrived."""

    participant_id: UUID
    audio: bytes | None
    video: bytes | None
    began_at: datetime


@dataclass(frozen=True)
class Stretch:
    """What becomes one segment."""

    presences: tuple[Presence, ...]
    length: timedelta
    cause: str = "opened"
    secrecy: str = "normal"

    @property
    def began_at(self) -> datetime:
        return min(presence.began_at for presence in self.presences)


class _SealerAlone(Sealer):
    """The sealer with no media server beside it: it never says that one is alive."""

    def _beat(self, work: Work) -> None:
        return


def rehearse(
    settings: Settings, meeting_id: UUID, stretches: Sequence[Stretch], *, by: UUID | None = None
) -> UUID:
    """Record, seal and master the stretches as the recording of a session; returns its id.

    Safe to run beside a live sealer: its segments belong to a media server of no name.
    """
    prepare_keys()
    alone = replace(settings, media_server=NO_SERVER, spool_dir=runtime().spool_dir)
    sealer = _SealerAlone(alone, runtime().keyring)
    sealer.rooms_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    sealer.sealed_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    recording_id = _begin(meeting_id, stretches[0].began_at, by)
    for stretch in stretches:
        _record_stretch(sealer, recording_id, stretch)
    with unit_of_work() as work:
        recording = work.get_for_update(Recording, recording_id)
        end_recording(work, recording, by=by)
        recording.ended_at = stretches[-1].began_at + stretches[-1].length
    _master(recording_id)
    return recording_id


def _begin(meeting_id: UUID, began_at: datetime, by: UUID | None) -> UUID:
    with unit_of_work() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        recording = begin_recording(work, meeting, by=by)
        recording.started_at = began_at
    return recording.id


def _record_stretch(sealer: Sealer, recording_id: UUID, stretch: Stretch) -> None:
    from reception.media_gateway import MediaRoom

    room = MediaRoom.new(sealer.rooms_dir)
    with unit_of_work() as work:
        segment = begin_segment(
            work,
            work.get_for_update(Recording, recording_id),
            room=room,
            media_server=NO_SERVER,
            secrecy=stretch.secrecy,
            cause=stretch.cause,
        )
        segment.started_at = stretch.began_at
        files = _name_files(work, segment, stretch)
    sealer.look_for_segments()
    _tail(sealer.segments[segment.id], room.recordings_dir, files, stretch.length)
    with unit_of_work() as work:
        row = work.get_for_update(Segment, segment.id)
        end_segment(work, row)
        row.ended_at = stretch.began_at + stretch.length
    sealer.look_for_segments()
    while not sealer.segments[segment.id].closed:
        sealer.seal_all()
    sealer.upload_all()
    sealer.tell_database()


def _name_files(work: Work, segment: Segment, stretch: Stretch) -> dict[str, bytes]:
    """Track files under the names the media server would give them, each presence under an id."""
    files: dict[str, bytes] = {}
    for presence in stretch.presences:
        join = new_id().hex
        work.add(
            MediaJoin(media_id=join, participant_id=presence.participant_id, segment_id=segment.id)
        )
        stamp = round(presence.began_at.timestamp() * 1_000_000)
        for number, (media, mjr) in enumerate(
            (("audio", presence.audio), ("video", presence.video))
        ):
            if mjr is not None:
                name = f"videoroom-{segment.room}-user-{join}-{stamp}-{media}-{number}.mjr"
                files[name] = moved_to(mjr, presence.began_at)
    return files


def _tail(segment: SegmentSealer, folder: Path, files: dict[str, bytes], length: timedelta) -> None:
    """Let the files grow piece by piece before the sealer's eyes, then finish them."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    pieces = max(1, round(length.total_seconds() / CHUNK_S))
    for done, until in pairwise(range(pieces + 1)):
        for name, data in files.items():
            with (folder / f"{name}.tmp").open("ab") as file:
                file.write(data[len(data) * done // pieces : len(data) * until // pieces])
        segment.tick()
    for name in files:
        (folder / f"{name}.tmp").rename(folder / name)


def _master(recording_id: UUID) -> None:
    """Run the jobs that make masters, copies and manifest, here or in a worker that was faster."""
    mastering = {"recordings.master": HANDLERS["recordings.master"]}
    until = time.monotonic() + MASTER_WITHIN_S
    while time.monotonic() < until:
        busy = run_one(worker_name(), mastering)
        with reading() as work:
            if work.get(Recording, recording_id).state == "sealed":
                return
        if not busy:
            time.sleep(0.2)
    raise TimeoutError(f"recording {recording_id} was not mastered")


def moved_to(mjr: bytes, began_at: datetime) -> bytes:
    """The same track as if its first packet had arrived at `began_at`."""
    start = len(MAGIC) + 2
    size = struct.unpack(">H", mjr[len(MAGIC) : start])[0]
    header = json.loads(mjr[start : start + size])
    first_us = round(began_at.timestamp() * 1_000_000)
    header |= {"s": first_us - (header["u"] - header["s"]), "u": first_us}
    body = json.dumps(header).encode()
    return MAGIC + struct.pack(">H", len(body)) + body + mjr[start + size :]
