"""A recording as one timeline: who is heard when, where something is missing and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.identities import open_field
from storage.models import (
    AgendaItem,
    Marker,
    Participant,
    PlayableCopy,
    PresenceEvent,
    Recording,
    SealedObject,
    Segment,
    SessionPoint,
    Track,
)

SHORTEST_GAP_MS = 500
SLACK_MS = 3_000  # a browser needs so long to come back; what lies within has the same cause


@dataclass(frozen=True)
class CopySpan:
    """A playable file on the timeline; times in ms from the recording's zero."""

    id: UUID
    segment_id: UUID
    from_ms: int
    to_ms: int
    has_audio: bool
    has_video: bool
    size_bytes: int
    peaks: list[int]


@dataclass(frozen=True)
class GapSpan:
    """Where a person's sound or picture is missing. cause: break, recorder, line or away."""

    from_ms: int
    to_ms: int
    cause: str


@dataclass(frozen=True)
class Lane:
    """One person: name, part in the session, place, files and gaps."""

    participant_id: UUID
    name: str
    part: str
    place: str
    copies: tuple[CopySpan, ...]
    gaps: tuple[GapSpan, ...]


@dataclass(frozen=True)
class SegmentSpan:
    """One segment on the timeline. `locked`: its secrecy keeps this viewer out."""

    id: UUID
    seq: int
    from_ms: int
    to_ms: int
    cause: str
    secrecy: str
    locked: bool
    chunks: int


@dataclass(frozen=True)
class Mark:
    """A place to jump to. `kind` is the marker's own word, or agenda, line, segment, closed."""

    at_ms: int
    at: datetime
    kind: str
    text: str


@dataclass(frozen=True)
class Timeline:
    """All segments of a recording on one line; `zero_at` is the instant of 0 ms."""

    zero_at: datetime
    duration_ms: int
    lanes: tuple[Lane, ...]
    segments: tuple[SegmentSpan, ...]
    marks: tuple[Mark, ...]

    @property
    def pauses(self) -> list[GapSpan]:
        """Stretches between two segments, in which nothing was recorded of anybody."""
        return [
            gap for gap in _between(self.segments) if gap.to_ms - gap.from_ms >= SHORTEST_GAP_MS
        ]


@dataclass
class _Gathered:
    """What the queries brought, by participant."""

    copies: dict[UUID, list[CopySpan]] = field(default_factory=dict)
    track_gaps: dict[UUID, list[GapSpan]] = field(default_factory=dict)
    lost: dict[UUID, list[int]] = field(default_factory=dict)


def timeline(db_session: Session, recording: Recording, *, closed_parts: bool) -> Timeline:
    """The timeline as one viewer may hear it; segments of a closed room only with leave for it."""
    zero = _zero(db_session, recording)
    segments = _segment_spans(db_session, recording, zero, closed_parts)
    open_ids = {span.id for span in segments if not span.locked}
    gathered = _gather(db_session, recording, zero, open_ids)
    pauses = _between(segments)
    return Timeline(
        zero_at=zero,
        duration_ms=recording.duration_ms or 0,
        lanes=tuple(_lanes(db_session, recording, gathered, pauses)),
        segments=tuple(segments),
        marks=tuple(_marks(db_session, recording, zero, segments)),
    )


def _ms(at: datetime, zero: datetime) -> int:
    return round((at - zero).total_seconds() * 1000)


def _zero(db_session: Session, recording: Recording) -> datetime:
    first = db_session.scalar(
        select(func.min(Track.first_arrival_at))
        .join(Segment, Segment.id == Track.segment_id)
        .where(Segment.recording_id == recording.id)
    )
    return first or recording.started_at


def _segment_spans(
    db_session: Session, recording: Recording, zero: datetime, closed_parts: bool
) -> list[SegmentSpan]:
    ends: dict[UUID, tuple[int, int]] = {
        segment_id: (begins, ends)
        for segment_id, begins, ends in db_session.execute(
            select(
                PlayableCopy.segment_id,
                func.min(PlayableCopy.offset_ms),
                func.max(PlayableCopy.offset_ms + PlayableCopy.duration_ms),
            )
            .join(Segment, Segment.id == PlayableCopy.segment_id)
            .where(Segment.recording_id == recording.id)
            .group_by(PlayableCopy.segment_id)
        )
    }
    rows = db_session.scalars(
        select(Segment).where(Segment.recording_id == recording.id).order_by(Segment.seq)
    )
    return [
        SegmentSpan(
            id=row.id,
            seq=row.seq,
            from_ms=ends[row.id][0],
            to_ms=ends[row.id][1],
            cause=row.cause,
            secrecy=row.secrecy,
            locked=row.secrecy != "normal" and not closed_parts,
            chunks=row.chunks,
        )
        for row in rows
        if row.id in ends
    ]


def _between(segments: Sequence[SegmentSpan]) -> list[GapSpan]:
    return [
        GapSpan(before.to_ms, after.from_ms, "break" if after.cause == "resumed" else "recorder")
        for before, after in pairwise(segments)
    ]


def _gather(
    db_session: Session, recording: Recording, zero: datetime, open_ids: set[UUID]
) -> _Gathered:
    found = _Gathered()
    copies = db_session.execute(
        select(PlayableCopy, SealedObject.plain_size)
        .join(SealedObject, SealedObject.id == PlayableCopy.sealed_object_id)
        .where(PlayableCopy.segment_id.in_(open_ids))
        .order_by(PlayableCopy.offset_ms, PlayableCopy.id)
    )
    for copy, size in copies:
        if copy.participant_id is None:
            continue
        found.copies.setdefault(copy.participant_id, []).append(
            CopySpan(
                id=copy.id,
                segment_id=copy.segment_id,
                from_ms=copy.offset_ms,
                to_ms=copy.offset_ms + copy.duration_ms,
                has_audio=copy.has_audio,
                has_video=copy.has_video,
                size_bytes=size,
                peaks=copy.peaks,
            )
        )
    _gather_gaps(db_session, zero, open_ids, found)
    _gather_losses(db_session, recording, zero, found)
    return found


def _gather_gaps(
    db_session: Session, zero: datetime, open_ids: set[UUID], found: _Gathered
) -> None:
    """Stretches within a file in which no sound arrived."""
    tracks = db_session.scalars(
        select(Track).where(
            Track.segment_id.in_(open_ids),
            Track.media == "audio",
            Track.participant_id.is_not(None),
            Track.first_arrival_at.is_not(None),
        )
    )
    for track in tracks:
        if track.participant_id is None or track.first_arrival_at is None:
            continue
        begins = _ms(track.first_arrival_at, zero)
        for gap in track.gaps:
            if gap["to_ms"] - gap["from_ms"] >= SHORTEST_GAP_MS:
                found.track_gaps.setdefault(track.participant_id, []).append(
                    GapSpan(begins + gap["from_ms"], begins + gap["to_ms"], "line")
                )


def _gather_losses(
    db_session: Session, recording: Recording, zero: datetime, found: _Gathered
) -> None:
    events = db_session.scalars(
        select(PresenceEvent)
        .where(
            PresenceEvent.reception_session_id == recording.reception_session_id,
            PresenceEvent.kind == "dropped",
        )
        .order_by(PresenceEvent.at)
    )
    for event in events:
        if event.participant_id is not None:
            found.lost.setdefault(event.participant_id, []).append(_ms(event.at, zero))


def _lanes(
    db_session: Session, recording: Recording, found: _Gathered, pauses: Sequence[GapSpan]
) -> list[Lane]:
    people = db_session.execute(
        select(Participant, SessionPoint.name)
        .join(SessionPoint, SessionPoint.id == Participant.point_id)
        .where(
            Participant.reception_session_id == recording.reception_session_id,
            Participant.id.in_(found.copies),
        )
        .order_by(SessionPoint.seat, Participant.id)
    ).all()
    return [
        Lane(
            participant_id=person.id,
            name=open_field("participant", "name", person.id, person.name_sealed),
            part=person.part,
            place=place,
            copies=tuple(found.copies[person.id]),
            gaps=tuple(_gaps_of(person.id, found, pauses)),
        )
        for person, place in people
    ]


def _gaps_of(person: UUID, found: _Gathered, pauses: Sequence[GapSpan]) -> list[GapSpan]:
    copies = found.copies[person]
    gaps = list(found.track_gaps.get(person, ()))
    for before, after in pairwise(copies):
        if after.from_ms - before.to_ms >= SHORTEST_GAP_MS:
            gap = GapSpan(before.to_ms, after.from_ms, "away")
            gaps.append(_explained(gap, pauses, found.lost.get(person, [])))
    return sorted(gaps, key=lambda gap: gap.from_ms)


def _explained(gap: GapSpan, pauses: Sequence[GapSpan], lost: Sequence[int]) -> GapSpan:
    """Why it is missing: a break, the recorder stood still, the line was lost, or away."""
    for pause in pauses:
        if pause.from_ms - SLACK_MS <= gap.from_ms and gap.to_ms <= pause.to_ms + SLACK_MS:
            return GapSpan(gap.from_ms, gap.to_ms, pause.cause)
    if any(gap.from_ms - SLACK_MS <= at <= gap.to_ms for at in lost):
        return GapSpan(gap.from_ms, gap.to_ms, "line")
    return gap


def _marks(
    db_session: Session, recording: Recording, zero: datetime, segments: Sequence[SegmentSpan]
) -> list[Mark]:
    """Markers, the agenda, lost lines, new segments and closed parts, in order of time."""
    locked = [(s.from_ms, s.to_ms) for s in segments if s.locked]
    marks = [
        *_written_marks(db_session, recording, zero),
        *_agenda_marks(db_session, recording, zero),
        *_line_marks(db_session, recording, zero),
    ]
    marks = [m for m in marks if not any(a <= m.at_ms < b for a, b in locked)]
    marks += _segment_marks(segments, zero)
    within = [m for m in marks if 0 <= m.at_ms <= (recording.duration_ms or 0)]
    return sorted(within, key=lambda mark: (mark.at_ms, mark.kind))


def _written_marks(db_session: Session, recording: Recording, zero: datetime) -> list[Mark]:
    rows = db_session.scalars(
        select(Marker).where(Marker.reception_session_id == recording.reception_session_id)
    )
    return [
        Mark(
            _ms(row.at, zero),
            row.at,
            row.kind,
            open_field("marker", "text", row.id, row.text_sealed),
        )
        for row in rows
    ]


def _agenda_marks(db_session: Session, recording: Recording, zero: datetime) -> list[Mark]:
    rows = db_session.scalars(
        select(AgendaItem).where(
            AgendaItem.reception_session_id == recording.reception_session_id,
            AgendaItem.started_at.is_not(None),
        )
    )
    return [
        Mark(_ms(row.started_at, zero), row.started_at, "agenda", row.title)
        for row in rows
        if row.started_at is not None
    ]


def _line_marks(db_session: Session, recording: Recording, zero: datetime) -> list[Mark]:
    rows = db_session.execute(
        select(PresenceEvent.at, SessionPoint.name)
        .join(Participant, Participant.id == PresenceEvent.participant_id)
        .join(SessionPoint, SessionPoint.id == Participant.point_id)
        .where(
            PresenceEvent.reception_session_id == recording.reception_session_id,
            PresenceEvent.kind == "dropped",
        )
    )
    return [Mark(_ms(at, zero), at, "line", place) for at, place in rows]


def _segment_marks(segments: Sequence[SegmentSpan], zero: datetime) -> list[Mark]:
    def at(ms: int) -> datetime:
        return zero + timedelta(milliseconds=ms)

    return [
        Mark(span.from_ms, at(span.from_ms), "closed" if span.locked else "segment", span.cause)
        for span in segments[1:]
    ] + [
        Mark(span.from_ms, at(span.from_ms), "closed", span.cause)
        for span in segments[:1]
        if span.locked
    ]
