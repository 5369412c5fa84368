"""A reception session under way, as the recording tests need it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from reception.media_gateway import MediaRoom
from reception.recordings import steps
from storage.database import unit_of_work
from storage.identities import seal_field
from storage.models import MediaJoin, Participant, ReceptionSession, Segment, SessionPoint
from storage.models.base import new_id, utc_now
from tests.support.factories import Factories
from workflows.access import Role


@dataclass
class OpenMeeting:
    """Ids of an open session, its recording and its people by name."""

    meeting_id: UUID
    recording_id: UUID
    chair_id: UUID
    people: dict[str, UUID]

    def begin_segment(self, room: MediaRoom, media_server: str, cause: str = "opened") -> UUID:
        """A segment that records this room."""
        steps.prepare_keys()
        with unit_of_work() as work:
            recording = work.get(steps.Recording, self.recording_id)
            segment = steps.begin_segment(
                work, recording, room=room, media_server=media_server, cause=cause
            )
        return segment.id

    def end_segment(self, segment_id: UUID) -> None:
        with unit_of_work() as work:
            steps.end_segment(work, work.get(Segment, segment_id))

    def gave_ticket(self, name: str, media_id: str, segment_id: UUID) -> None:
        """Remember whose tracks will come under this media id."""
        with unit_of_work() as work:
            work.add(
                MediaJoin(
                    media_id=media_id,
                    participant_id=self.people[name],
                    segment_id=segment_id,
                )
            )

    def end(self) -> None:
        with unit_of_work() as work:
            recording = work.get(steps.Recording, self.recording_id)
            steps.end_recording(work, recording, by=self.chair_id)


def open_meeting(factories: Factories, names: tuple[str, ...]) -> OpenMeeting:
    """A session that opened now, recording begun, one participant of each name."""
    chair = factories.officer(Role.PROVINCIAL_CHAIR)
    unit_id = factories.unit_id("75")
    steps.prepare_keys()
    with unit_of_work() as work:
        now = utc_now()
        meeting = work.add(
            ReceptionSession(
                code=f"PH-{new_id().hex[-8:].upper()}",
                title="Phiên thử",
                kind="periodic",
                reason_code="complex-multi-agency",
                unit_id=unit_id,
                presiding_id=chair.account_id,
                starts_at=now,
                planned_end_at=now + timedelta(hours=1),
                opened_at=now,
                state="OPEN",
                idempotency_key=new_id().hex,
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
        people = {}
        for name in names:
            row_id = new_id()
            work.add(
                Participant(
                    id=row_id,
                    reception_session_id=meeting.id,
                    point_id=point.id,
                    part="chair" if not people else "citizen",
                    account_id=None if people else chair.account_id,
                    name_sealed=seal_field("participant", "name", row_id, name),
                    state="in_room",
                )
            )
            people[name] = row_id
        recording = steps.begin_recording(work, meeting, by=chair.account_id)
    return OpenMeeting(meeting.id, recording.id, chair.account_id, people)
