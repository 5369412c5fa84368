"""A recording under way whose track files the test writes itself, beside a real sealer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from config import Settings
from reception.media_gateway import MediaRoom
from reception.recordings import steps
from reception.sealer import Sealer
from storage.database import unit_of_work
from storage.models import MediaJoin, Participant, ReceptionSession, Recording, SessionPoint
from storage.models.base import utc_now
from storage.runtime import configure, runtime
from tests.support.factories import Factories
from workflows.access import Role


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


def open_sitting(
    old: Settings, factories: Factories, spool: Path, *, name: str = "m1", sealer: Sealer | None
) -> Sitting:
    """Open a recorded session on `spool`; with no sealer given, beside one of its own."""
    settings = Settings(**{**vars(old), "spool_dir": spool})
    configure(replace(runtime(), spool_dir=spool))
    if sealer is None:
        sealer = Sealer(settings, runtime().keyring)
        sealer.prepare()
    chair = factories.officer(Role.PROVINCIAL_CHAIR)
    steps.prepare_keys()
    with unit_of_work() as work:
        now = utc_now()
        unit_id = factories.unit_id("75")
        meeting = work.add(
            ReceptionSession(
                code=f"PH-{name}",
                title="Phiên thử",
                kind="periodic",
                reason_code="complex-multi-agency",
                unit_id=unit_id,
                presiding_id=chair.account_id,
                starts_at=now,
                planned_end_at=now + timedelta(hours=1),
                state="OPEN",
                idempotency_key=name,
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
        work.add(MediaJoin(media_id=name, participant_id=person.id, segment_id=segment.id))
    return Sitting(sealer, recording.id, segment.id, room, person.id, name)
