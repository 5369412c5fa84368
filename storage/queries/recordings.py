"""Recordings as lists and as one timeline: what was heard, by whom, where something is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, aliased

from storage.models import (
    Account,
    PlaybackGrant,
    PlaybackOpening,
    ReceptionSession,
    Recording,
    SessionPoint,
    Unit,
)
from storage.subjects import grant_in_force, recording_subjects
from workflows.access import Actor, Permission, Reach, UnitPath, decide, reach

PAGE = 50


@dataclass(frozen=True)
class RecordingRow:
    """A line of the list. `may_see` is false when only a request for it may be made."""

    recording: Recording
    meeting: ReceptionSession
    unit_name: str
    may_see: bool
    has_grant: bool


def recordings_seen(
    db_session: Session, visible_to: Actor, *, page: int = 1
) -> tuple[list[RecordingRow], bool]:
    """Recordings the actor may see or ask for, newest first; and whether there are more."""
    rows = db_session.execute(
        select(Recording, ReceptionSession, Unit.full_name)
        .join(ReceptionSession, ReceptionSession.id == Recording.reception_session_id)
        .join(Unit, Unit.id == Recording.unit_id)
        .where(_in_reach(visible_to))
        .order_by(Recording.started_at.desc(), Recording.id)
        .offset((page - 1) * PAGE)
        .limit(PAGE + 1)
    ).all()
    subjects = recording_subjects(db_session, [row[0] for row in rows]) if rows else {}
    granted = _granted(db_session, visible_to, [row[0].id for row in rows])
    found = []
    for recording, meeting, unit_name in rows[:PAGE]:
        seen = decide(visible_to, Permission.RECORDING_LIST, subjects[recording.id])
        if seen or decide(visible_to, Permission.RECORDING_REQUEST, subjects[recording.id]):
            found.append(
                RecordingRow(
                    recording, meeting, unit_name, bool(seen), has_grant=recording.id in granted
                )
            )
    return found, len(rows) > PAGE


def _granted(db_session: Session, actor: Actor, ids: Sequence[UUID]) -> set[UUID]:
    return set(
        db_session.scalars(
            select(PlaybackGrant.recording_id).where(
                PlaybackGrant.account_id == actor.account_id,
                PlaybackGrant.recording_id.in_(ids),
                *grant_in_force(),
            )
        )
    )


def _in_reach(actor: Actor) -> ColumnElement[bool]:
    """Recordings of units within reach, of sessions with a point there, or granted by name."""
    reaches = [
        reach(actor, Permission.RECORDING_LIST),
        reach(actor, Permission.RECORDING_REQUEST),
    ]
    if any(one.everything for one in reaches):
        return Recording.id.is_not(None)
    granted = select(PlaybackGrant.recording_id).where(
        PlaybackGrant.account_id == actor.account_id, *grant_in_force()
    )
    return or_(
        Recording.unit_id.in_(select(Unit.id).where(_paths(reaches))),
        Recording.reception_session_id.in_(
            select(SessionPoint.reception_session_id)
            .join(Unit, Unit.id == SessionPoint.unit_id)
            .where(Unit.path.in_(_written(path for one in reaches for path in one.shared)))
        ),
        Recording.id.in_(granted),
    )


def _paths(reaches: Iterable[Reach]) -> ColumnElement[bool]:
    whole = [top for one in reaches for top in _written(one.trees)]
    exact = [path for one in reaches for path in _written(one.units)]
    below = [Unit.path.startswith(f"{top}/", autoescape=True) for top in whole]
    return or_(Unit.path.in_([*exact, *whole]), *below)


def _written(paths: Iterable[UnitPath]) -> list[str]:
    return sorted({"/".join(path) for path in paths})


@dataclass(frozen=True)
class WaitingRequest:
    """A request to play that waits for a second person."""

    grant: PlaybackGrant
    recording: Recording
    meeting: ReceptionSession
    asker: str


def requests_waiting(db_session: Session, visible_to: Actor) -> list[WaitingRequest]:
    """Requests the actor may decide, oldest first: never one's own."""
    rows = db_session.execute(
        select(PlaybackGrant, Recording, ReceptionSession, Account)
        .join(Recording, Recording.id == PlaybackGrant.recording_id)
        .join(ReceptionSession, ReceptionSession.id == Recording.reception_session_id)
        .join(Account, Account.id == PlaybackGrant.account_id)
        .where(
            PlaybackGrant.state == "asked",
            PlaybackGrant.account_id != visible_to.account_id,
            Recording.unit_id.in_(
                select(Unit.id).where(_paths([reach(visible_to, Permission.RECORDING_APPROVE)]))
            ),
        )
        .order_by(PlaybackGrant.created_at, PlaybackGrant.id)
        .limit(PAGE)
    ).all()
    subjects = recording_subjects(db_session, [row[1] for row in rows]) if rows else {}
    return [
        WaitingRequest(grant, recording, meeting, account.display_name)
        for grant, recording, meeting, account in rows
        if decide(visible_to, Permission.RECORDING_APPROVE, subjects[recording.id])
    ]


def grants_of(db_session: Session, recording_id: UUID) -> list[tuple[PlaybackGrant, str, str]]:
    """Every request for a recording: the grant, who asked, who decided; newest first."""
    decider = aliased(Account)
    rows = db_session.execute(
        select(PlaybackGrant, Account.display_name, decider.display_name)
        .join(Account, Account.id == PlaybackGrant.account_id)
        .outerjoin(decider, decider.id == PlaybackGrant.decided_by)
        .where(PlaybackGrant.recording_id == recording_id)
        .order_by(PlaybackGrant.created_at.desc(), PlaybackGrant.id.desc())
        .limit(PAGE)
    ).all()
    return [(grant, asker, by or "") for grant, asker, by in rows]


@dataclass(frozen=True)
class OpeningRow:
    """Who opened a recording, when, under which request, for how long."""

    opening: PlaybackOpening
    who: str
    grant_code: str
    reason: str
    minutes: int


def openings_of(db_session: Session, recording_id: UUID) -> list[OpeningRow]:
    """Openings of a recording, newest first."""
    rows = db_session.execute(
        select(PlaybackOpening, Account.display_name, PlaybackGrant.code, PlaybackGrant.reason)
        .join(Account, Account.id == PlaybackOpening.account_id)
        .join(PlaybackGrant, PlaybackGrant.id == PlaybackOpening.grant_id)
        .where(PlaybackOpening.recording_id == recording_id)
        .order_by(PlaybackOpening.opened_at.desc(), PlaybackOpening.id.desc())
        .limit(PAGE)
    ).all()
    return [
        OpeningRow(opening, who, code, reason, _minutes(opening))
        for opening, who, code, reason in rows
    ]


def _minutes(opening: PlaybackOpening) -> int:
    until = opening.closed_at or opening.last_read_at or opening.opened_at
    return max(0, round((until - opening.opened_at).total_seconds() / 60))


def grant_held(
    db_session: Session, recording_id: UUID, account_id: UUID | None
) -> PlaybackGrant | None:
    """The grant in force that lets this account play longest."""
    return db_session.scalars(
        select(PlaybackGrant)
        .where(
            PlaybackGrant.recording_id == recording_id,
            PlaybackGrant.account_id == account_id,
            *grant_in_force(),
        )
        .order_by(PlaybackGrant.closed_parts.desc(), PlaybackGrant.expires_at.desc())
        .limit(1)
    ).one_or_none()
