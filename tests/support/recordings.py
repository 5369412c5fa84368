"""A really sealed recording for tests: synthesised tracks through the real sealer and jobs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from reception.recordings.rehearsal import Presence, Stretch, rehearse
from reception.settings import settings
from storage.database import unit_of_work
from storage.identities import seal_field
from storage.media.synthesis import SynthesisedPerson, synthesise_mjr
from storage.models import Marker, Participant, ReceptionSession, SessionPoint, Unit
from storage.models.base import new_id
from storage.runtime import configure, runtime
from tests.support.factories import COMMUNE, PROVINCE, Factories
from workflows.access import Role

STARTED = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)  # 08:00 in Việt Nam
LOOKS = (("red", 440), ("green", 660), ("blue", 880))
TMPFS = Path("/dev/shm")  # noqa: S108  # decrypted media belongs on tmpfs, in tests too


@lru_cache(maxsize=16)
def synthesised(colour: str, tone_hz: int, seconds: float, label: str) -> SynthesisedPerson:
    """A person of one colour and one tone; encoded once per worker."""
    scratch = Path(tempfile.mkdtemp(dir=TMPFS))
    try:
        return synthesise_mjr(
            tone_hz, colour, seconds, scratch=scratch, size="160x120", label=label
        )
    finally:
        shutil.rmtree(scratch)


@contextmanager
def spool_on_tmpfs() -> Iterator[Path]:
    """Let this process keep plaintext media on tmpfs only, as it must."""
    before = runtime()
    folder = Path(tempfile.mkdtemp(dir=TMPFS))
    configure(replace(before, spool_dir=folder))
    try:
        yield folder
    finally:
        configure(before)
        shutil.rmtree(folder)


@dataclass(frozen=True)
class SealedRecording:
    """What a test asks about; `people` are participants in the order of LOOKS."""

    recording_id: UUID
    meeting_id: UUID
    people: tuple[UUID, ...]
    chair_id: UUID


@dataclass
class Plan:
    """What is recorded. Each stretch lists (person, seconds late, seconds long)."""

    stretches: Sequence[Sequence[tuple[int, float, float]]] = ((((0, 0.0, 6.0)), (1, 0.5, 5.0)),)
    pause_s: float = 2.0
    secrecy: Sequence[str] = ("normal",)
    markers: Sequence[tuple[float, str, str]] = field(
        default=((1.0, "note", "Ông Minh trình bày"), (4.0, "decision", "Giao đo lại ranh"))
    )
    unit_code: str = PROVINCE
    point_code: str = COMMUNE


def sealed_recording(factories: Factories, plan: Plan | None = None) -> SealedRecording:
    """Hold, record and seal a session; call inside `spool_on_tmpfs`."""
    plan = plan or Plan()
    meeting_id, people, chair_id = make_meeting(factories, plan)
    stretches, began = [], STARTED
    for number, presences in enumerate(plan.stretches):
        longest = max(late + length for _, late, length in presences)
        stretches.append(
            Stretch(
                tuple(_presence(people, began, *given) for given in presences),
                timedelta(seconds=longest),
                cause="opened" if number == 0 else "recorder_restarted",
                secrecy=plan.secrecy[number] if number < len(plan.secrecy) else "normal",
            )
        )
        began += timedelta(seconds=longest + plan.pause_s)
    recording_id = rehearse(settings(), meeting_id, stretches)
    _markers(meeting_id, plan, chair_id)
    return SealedRecording(recording_id, meeting_id, people, chair_id)


def _presence(
    people: tuple[UUID, ...], began: datetime, person: int, late: float, length: float
) -> Presence:
    colour, tone = LOOKS[person]
    made = synthesised(colour, tone, length, f"Nguoi {person + 1}")
    return Presence(people[person], made.audio_mjr, made.video_mjr, began + timedelta(seconds=late))


def make_meeting(factories: Factories, plan: Plan) -> tuple[UUID, tuple[UUID, ...], UUID]:
    """A session that was held, with three participants; returns its id, theirs, and the chair's."""
    chair = factories.officer(Role.PROVINCIAL_CHAIR, plan.unit_code, name="Lê Minh Khôi")
    with unit_of_work() as work:
        units = {
            unit.code: unit
            for unit in work.db_session.scalars(
                select(Unit).where(Unit.code.in_([plan.unit_code, plan.point_code]))
            )
        }
        meeting = work.add(
            ReceptionSession(
                code=f"PH-{new_id().hex[-8:].upper()}",
                title="Tiếp công dân định kỳ tháng 11",
                kind="periodic",
                mode="online",
                reason_code="distance",
                unit_id=units[plan.unit_code].id,
                presiding_id=chair.account_id,
                starts_at=STARTED,
                planned_end_at=STARTED + timedelta(hours=2),
                opened_at=STARTED,
                ended_at=STARTED + timedelta(hours=1),
                state="ended",
                idempotency_key=new_id().hex,
            )
        )
        work.flush()
        central = _point(meeting.id, "central", units[plan.unit_code], 1)
        far = _point(meeting.id, "component", units[plan.point_code], 2)
        work.add(central)
        work.add(far)
        work.flush()
        people = []
        for number, (point, part, name) in enumerate(
            (
                (central, "chair", "Lê Minh Khôi"),
                (far, "citizen", "Điểu Minh"),
                (far, "interpreter", "Thị Hương"),
            )
        ):
            row_id = new_id()
            work.add(
                Participant(
                    id=row_id,
                    reception_session_id=meeting.id,
                    point_id=point.id,
                    part=part,
                    account_id=chair.account_id if number == 0 else None,
                    name_sealed=seal_field("participant", "name", row_id, name),
                )
            )
            people.append(row_id)
    return meeting.id, tuple(people), chair.account_id


def _point(meeting_id: UUID, kind: str, unit: Unit, seat: int) -> SessionPoint:
    return SessionPoint(
        reception_session_id=meeting_id, kind=kind, unit_id=unit.id, name=unit.full_name, seat=seat
    )


def _markers(meeting_id: UUID, plan: Plan, author: UUID) -> None:
    with unit_of_work() as work:
        for after_s, kind, text in plan.markers:
            row_id = new_id()
            work.add(
                Marker(
                    id=row_id,
                    reception_session_id=meeting_id,
                    at=STARTED + timedelta(seconds=after_s),
                    kind=kind,
                    text_sealed=seal_field("marker", "text", row_id, text),
                    author_id=author,
                    idempotency_key=new_id().hex,
                )
            )


# --- one recording, copied for each test ---------------------------------------------------------


@dataclass(frozen=True)
class Template:
    """A folder with database, keys and store in which a recording is sealed."""

    folder: Path
    recording: SealedRecording


def make_template(folder: Path, sqlite_template: Path, plan: Plan | None = None) -> Template:
    """Seal one recording in a folder of its own; tests copy the folder."""
    from reception import create_app
    from storage.database import db
    from tests.conftest import make_settings

    folder.mkdir()
    shutil.copy(sqlite_template, folder / "tcd.db")
    app = create_app(make_settings(folder))
    with app.app_context():
        with spool_on_tmpfs():
            recording = sealed_recording(Factories(), plan)
        db.engine.dispose()
    return Template(folder, recording)
