"""Who may see a record is decided on the record: Subjects are built here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from storage.models import (
    Account,
    AgendaItem,
    Case,
    CaseFileRequest,
    CaseUnit,
    Involvement,
    Participant,
    Petition,
    PlaybackGrant,
    ReceptionSession,
    Recording,
    SessionPoint,
    Unit,
)
from storage.models.base import utc_now
from storage.queries.units import path_of
from workflows.access import Subject, UnitPath
from workflows.kinds import PetitionKind
from workflows.secrecy import Secrecy


def kind_of(word: str) -> PetitionKind | None:
    """The kind as the rules know it; None while nobody has classified the letter."""
    return None if word == "unclassified" else PetitionKind(word)


def _path(db_session: Session, unit_id: UUID) -> UnitPath:
    return path_of(db_session.get_one(Unit, unit_id))


def _paths(db_session: Session, unit_ids: Iterable[UUID]) -> frozenset[UnitPath]:
    return frozenset(_path(db_session, unit_id) for unit_id in unit_ids)


def _involved(
    db_session: Session, petition_id: UUID | None, case_id: UUID | None
) -> dict[str, frozenset[UUID]]:
    named = []
    if petition_id is not None:
        named.append(Involvement.petition_id == petition_id)
    if case_id is not None:
        named.append(Involvement.case_id == case_id)
    parts: dict[str, set[UUID]] = {}
    if named:
        rows = db_session.scalars(
            select(Involvement).where(or_(*named), Involvement.ended_at.is_(None))
        )
        for row in rows:
            parts.setdefault(row.part, set()).add(row.person_id)
    return {part: frozenset(people) for part, people in parts.items()}


def _level_units(db_session: Session, case_id: UUID | None) -> frozenset[UnitPath]:
    if case_id is None:
        return frozenset()
    ids = db_session.scalars(select(CaseUnit.unit_id).where(CaseUnit.case_id == case_id))
    return _paths(db_session, ids)


NOBODY: frozenset[UUID] = frozenset()


def petition_subject(db_session: Session, petition: Petition) -> Subject:
    """The petition as `decide` sees it: at the unit that holds it now."""
    return petition_subjects(db_session, (petition,))[petition.id]


def petition_subjects(db_session: Session, petitions: Iterable[Petition]) -> dict[UUID, Subject]:
    """The subjects of a page of petitions, with as many queries as for one."""
    listed = list(petitions)
    case_ids = {petition.case_id for petition in listed if petition.case_id}
    parts = _involved_in(db_session, {petition.id for petition in listed}, case_ids)
    levels = _levels_of(db_session, case_ids)
    readers = readers_of(db_session, case_ids)
    held = {petition.holder_unit_id for petition in listed}
    paths = _path_by_id(db_session, held | {petition.receiving_unit_id for petition in listed})
    return {
        one.id: replace(
            _petition_subject(one, parts, levels, paths),
            readers=readers.get(one.case_id, NOBODY) if one.case_id else NOBODY,
        )
        for one in listed
    }


def _petition_subject(
    petition: Petition,
    parts: dict[UUID, dict[str, set[UUID]]],
    levels: dict[UUID, frozenset[UnitPath]],
    paths: dict[UUID, UnitPath],
) -> Subject:
    named: dict[str, set[UUID]] = {}
    for key in (petition.id, petition.case_id):
        for part, people in parts.get(key, {}).items() if key else ():
            named.setdefault(part, set()).update(people)
    submitter = {petition.submitter_id} if petition.submitter_id else set()
    handler = {petition.assigned_to} if petition.assigned_to else set()
    shared = levels.get(petition.case_id, frozenset()) if petition.case_id else frozenset()
    if Secrecy(petition.secrecy) is Secrecy.NORMAL:
        shared |= {paths[petition.receiving_unit_id]}
    return Subject(
        unit_path=paths[petition.holder_unit_id],
        kind=kind_of(petition.kind),
        secrecy=Secrecy(petition.secrecy),
        assigned_to=frozenset(named.get("assigned", set()) | handler),
        conflicted=frozenset(named.get("conflicted", NOBODY)),
        act_complained_of_by=frozenset(named.get("own_act", NOBODY)),
        identity_for=frozenset(named.get("identity", NOBODY)),
        owners=frozenset(named.get("owner", set()) | submitter),
        level_units=shared,
    )


def _involved_in(
    db_session: Session, petition_ids: set[UUID], case_ids: set[UUID]
) -> dict[UUID, dict[str, set[UUID]]]:
    """People by their part, for each petition and each case."""
    rows = db_session.scalars(
        select(Involvement).where(
            or_(Involvement.petition_id.in_(petition_ids), Involvement.case_id.in_(case_ids)),
            Involvement.ended_at.is_(None),
        )
    )
    found: dict[UUID, dict[str, set[UUID]]] = {}
    for row in rows:
        for key in (key for key in (row.petition_id, row.case_id) if key is not None):
            found.setdefault(key, {}).setdefault(row.part, set()).add(row.person_id)
    return found


def _levels_of(db_session: Session, case_ids: set[UUID]) -> dict[UUID, frozenset[UnitPath]]:
    """The paths of the units that take part in each case."""
    rows = db_session.execute(
        select(CaseUnit.case_id, Unit.path)
        .join(Unit, Unit.id == CaseUnit.unit_id)
        .where(CaseUnit.case_id.in_(case_ids))
    )
    found: dict[UUID, set[UnitPath]] = {}
    for case_id, path in rows:
        found.setdefault(case_id, set()).add(tuple(path.split("/")))
    return {case_id: frozenset(paths) for case_id, paths in found.items()}


def _path_by_id(db_session: Session, unit_ids: set[UUID]) -> dict[UUID, UnitPath]:
    rows = db_session.execute(select(Unit.id, Unit.path).where(Unit.id.in_(unit_ids)))
    return {key: tuple(path.split("/")) for key, path in rows}


def case_subject(db_session: Session, case: Case) -> Subject:
    """The case at the unit that handles it, shared with every level that takes part."""
    parts = _involved(db_session, None, case.id)
    members = db_session.scalars(select(Petition).where(Petition.case_id == case.id)).all()
    assigned = {p.assigned_to for p in members if p.assigned_to} | parts.get("assigned", NOBODY)
    owners = {p.submitter_id for p in members if p.submitter_id} | parts.get("owner", NOBODY)
    # Whoever is a side in one letter of the matter is a side in the whole of it.
    sides, officials = set(parts.get("conflicted", NOBODY)), set(parts.get("own_act", NOBODY))
    for people in _involved_in(db_session, {p.id for p in members}, set()).values():
        sides |= people.get("conflicted", set())
        officials |= people.get("own_act", set())
    return Subject(
        unit_path=_path(db_session, case.holder_unit_id),
        kind=kind_of(case.kind),
        secrecy=Secrecy(case.secrecy),
        assigned_to=frozenset(assigned),
        conflicted=frozenset(sides),
        act_complained_of_by=frozenset(officials),
        identity_for=parts.get("identity", NOBODY),
        owners=frozenset(owners),
        level_units=_level_units(db_session, case.id),
        readers=readers_of(db_session, {case.id}).get(case.id, NOBODY),
    )


def readers_of(db_session: Session, case_ids: set[UUID]) -> dict[UUID, frozenset[UUID]]:
    """The people who may read the whole file of each case at this instant."""
    rows = db_session.execute(
        select(CaseFileRequest.case_id, Account.person_id)
        .join(Account, Account.id == CaseFileRequest.account_id)
        .where(CaseFileRequest.case_id.in_(case_ids), *file_leave_in_force())
    ).all()
    return {case_id: frozenset(people) for case_id, people in _grouped(rows).items()}


def file_leave_in_force() -> tuple[ColumnElement[bool], ...]:
    """What makes leave to read a case file count at this instant."""
    return (CaseFileRequest.state == "approved", CaseFileRequest.expires_at > utc_now())


def reception_session_subject(db_session: Session, meeting: ReceptionSession) -> Subject:
    """The reception session: at the unit that holds it, shared with the units of its points."""
    point_units = db_session.scalars(
        select(SessionPoint.unit_id).where(SessionPoint.reception_session_id == meeting.id)
    ).all()
    people = db_session.execute(
        select(Participant.person_id, Account.person_id)
        .outerjoin(Account, Account.id == Participant.account_id)
        .where(Participant.reception_session_id == meeting.id)
    ).all()
    leaders = db_session.scalars(
        select(Account.person_id).where(Account.id.in_([meeting.presiding_id, meeting.clerk_id]))
    ).all()
    assigned = {account_person for _, account_person in people if account_person}
    sides = db_session.scalars(
        select(Involvement.person_id)
        .join(AgendaItem, _about_item())
        .where(AgendaItem.reception_session_id == meeting.id, *_side_in_the_matter())
    ).all()
    return Subject(
        unit_path=_path(db_session, meeting.unit_id),
        assigned_to=frozenset(assigned | {person for person in leaders if person}),
        conflicted=frozenset(sides),
        owners=frozenset(person for person, _ in people if person),
        level_units=_paths(db_session, point_units),
    )


def minutes_subject(db_session: Session, meeting: ReceptionSession) -> Subject:
    """The written record of a session: as closed as the most closed matter that it heard.

    Of a matter that is locked away only who presides and who writes still has it in hand; a seat
    in the session, or one's unit being a point of it, no longer opens what was written.
    """
    whole = reception_session_subject(db_session, meeting)
    locked = db_session.scalars(
        select(Petition.id)
        .join(AgendaItem, AgendaItem.petition_id == Petition.id)
        .where(
            AgendaItem.reception_session_id == meeting.id,
            or_(Petition.secrecy == Secrecy.COMPARTMENT.value, Petition.kind == "denunciation"),
        )
    ).first()
    if locked is None:
        return whole
    in_hand = db_session.scalars(
        select(Account.person_id).where(Account.id.in_([meeting.presiding_id, meeting.clerk_id]))
    )
    return replace(
        whole,
        secrecy=Secrecy.COMPARTMENT,
        assigned_to=frozenset(person for person in in_hand if person),
        owners=NOBODY,
    )


def recording_subject(db_session: Session, recording: Recording) -> Subject:
    """The recording as `decide` sees it, with the secrecy of its most closed part."""
    return recording_subjects(db_session, [recording])[recording.id]


def recording_subjects(db_session: Session, recordings: Sequence[Recording]) -> dict[UUID, Subject]:
    """The subjects of a page of recordings, in a fixed number of queries.

    `assigned_to` are those with a grant in force. The units of the session's points share that the
    recording exists and may ask for it; playing it needs more.
    """
    ids = [recording.id for recording in recordings]
    units = {
        unit.id: path_of(unit)
        for unit in db_session.scalars(
            select(Unit).where(Unit.id.in_({r.unit_id for r in recordings}))
        )
    }
    points = _grouped(
        db_session.execute(
            select(Recording.id, Unit.path)
            .join(SessionPoint, SessionPoint.reception_session_id == Recording.reception_session_id)
            .join(Unit, Unit.id == SessionPoint.unit_id)
            .where(Recording.id.in_(ids))
        ).all()
    )
    granted = _grouped(
        db_session.execute(
            select(PlaybackGrant.recording_id, Account.person_id)
            .join(Account, Account.id == PlaybackGrant.account_id)
            .where(PlaybackGrant.recording_id.in_(ids), *grant_in_force())
        ).all()
    )
    owners = _grouped(
        db_session.execute(
            select(Recording.id, Participant.person_id)
            .join(Participant, Participant.reception_session_id == Recording.reception_session_id)
            .where(Recording.id.in_(ids))
        ).all()
    )
    conflicted = _grouped(
        db_session.execute(
            select(Recording.id, Involvement.person_id)
            .join(AgendaItem, AgendaItem.reception_session_id == Recording.reception_session_id)
            .join(Involvement, _about_item())
            .where(Recording.id.in_(ids), *_side_in_the_matter())
        ).all()
    )
    return {
        recording.id: Subject(
            unit_path=units[recording.unit_id],
            secrecy=Secrecy(recording.secrecy),
            assigned_to=frozenset(granted.get(recording.id, ())),
            conflicted=frozenset(conflicted.get(recording.id, ())),
            owners=frozenset(owners.get(recording.id, ())),
            level_units=frozenset(tuple(p.split("/")) for p in points.get(recording.id, ())),
        )
        for recording in recordings
    }


def _about_item() -> ColumnElement[bool]:
    """Joins who is involved in a petition or case with the agenda on which it stands."""
    return or_(
        Involvement.petition_id == AgendaItem.petition_id,
        Involvement.case_id == AgendaItem.case_id,
    )


def _side_in_the_matter() -> tuple[ColumnElement[bool], ...]:
    return (Involvement.part == "conflicted", Involvement.ended_at.is_(None))


def grant_in_force() -> tuple[ColumnElement[bool], ...]:
    """What makes a playback grant count at this instant."""
    return (PlaybackGrant.state == "approved", PlaybackGrant.expires_at > utc_now())


def _grouped(pairs: Iterable[Any]) -> dict[UUID, set[Any]]:
    groups: dict[UUID, set[Any]] = {}
    for key, value in pairs:
        if value is not None:
            groups.setdefault(key, set()).add(value)
    return groups


def unit_subject(db_session: Session, unit_id: UUID) -> Subject:
    """A unit's own pages: its desk, its book, its queue."""
    return Subject(unit_path=_path(db_session, unit_id))
