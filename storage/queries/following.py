"""What the sender of a petition may follow: its stage, the next day that counts, papers issued.

Whoever asks has proven to be the sender (code with second part, or own log-in) before; nothing
here tells names of officers, reasons given inside, or what a denunciation says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from storage.models import (
    AgendaItem,
    Attachment,
    Case,
    Deadline,
    Involvement,
    IssuedDocument,
    Petition,
    PetitionRequest,
    ProcedureRun,
    ProcedureStep,
    ReceptionSession,
    SessionPoint,
    Unit,
)
from workflows.access import Actor, Permission, reach
from workflows.procedures.loader import procedure
from workflows.secrecy import Secrecy

LIVE_MEETINGS = (
    "SCHEDULED",
    "NOTIFIED",
    "TESTED",
    "READY",
    "OPEN",
    "PAUSED",
    "CLOSED_ROOM",
    "IN_PERSON",
)


INSIDE_TERMS = ("unhandled-flag", "limitation", "transfer")
"""Terms that watch over offices; the sender waits for another one."""


@dataclass(frozen=True)
class Stage:
    """One step that is told to the sender."""

    procedure: str
    event: str
    state: str
    on: date
    final: bool


@dataclass(frozen=True)
class Meeting:
    """A reception session in which this petition is heard."""

    id: UUID
    code: str
    online: bool
    state: str
    starts_at: datetime
    ends_at: datetime
    unit: str
    points: tuple[str, ...]


@dataclass(frozen=True)
class Following:
    """A petition as its sender follows it."""

    petition: Petition
    receiving_unit: Unit
    holder_unit: Unit
    state: str
    state_label: str
    final: bool
    stages: tuple[Stage, ...]
    terms: tuple[Deadline, ...]
    documents: tuple[IssuedDocument, ...]
    meetings: tuple[Meeting, ...]
    requests: tuple[PetitionRequest, ...]
    files: int

    @property
    def next_term(self) -> Deadline | None:
        """The soonest day by which an office owes something."""
        owed = [term for term in self.terms if term.name not in INSIDE_TERMS]
        return owed[0] if owed else None

    def is_late(self, today: date) -> bool:
        """Whether the next day that counts has passed."""
        term = self.next_term
        return term is not None and term.last_day_on < today


def petition_by_code(db_session: Session, code: str) -> Petition | None:
    """The petition with this public code."""
    return db_session.scalar(select(Petition).where(Petition.code == code))


def following(db_session: Session, petition_id: UUID) -> Following:
    """Everything the sender may follow."""
    petition = db_session.get_one(Petition, petition_id)
    runs = _runs(db_session, petition)
    newest = runs[-1] if runs else None
    state = newest.state if newest else petition.state
    known = procedure(newest.procedure).states.get(state) if newest else None
    run_ids = [run.id for run in runs]
    return Following(
        petition=petition,
        receiving_unit=db_session.get_one(Unit, petition.receiving_unit_id),
        holder_unit=db_session.get_one(Unit, petition.holder_unit_id),
        state=state,
        state_label=known.label_vi if known else state,
        final=bool(known and known.final),
        stages=_stages(db_session, runs),
        terms=_terms(db_session, run_ids),
        documents=_documents(db_session, petition.id),
        meetings=_meetings(db_session, petition.id),
        requests=_requests(db_session, petition.id),
        files=_files(db_session, petition.id),
    )


def own_petitions(db_session: Session, *, visible_to: Actor, limit: int = 50) -> list[Petition]:
    """The petitions of a person who signed in, newest first; never a denunciation."""
    allowed = reach(visible_to, Permission.PETITION_FOLLOW)
    if not allowed.own or allowed.person_id is None:
        return []
    owned = select(Involvement.petition_id).where(
        Involvement.person_id == allowed.person_id,
        Involvement.part == "owner",
        Involvement.ended_at.is_(None),
    )
    return list(
        db_session.scalars(
            select(Petition)
            .where(
                or_(Petition.submitter_id == allowed.person_id, Petition.id.in_(owned)),
                Petition.secrecy.not_in(("compartment", "off_system")),
            )
            .order_by(Petition.submitted_at.desc(), Petition.id.desc())
            .limit(limit)
        )
    )


def _runs(db_session: Session, petition: Petition) -> list[ProcedureRun]:
    """The petition's own run, and once it is accepted the settlement of its case."""
    runs = list(
        db_session.scalars(
            select(ProcedureRun)
            .where(ProcedureRun.petition_id == petition.id, ProcedureRun.procedure == "PET")
            .order_by(ProcedureRun.created_at)
        )
    )
    if petition.state != "ACCEPTED" or petition.case_id is None:
        return runs
    case = db_session.get_one(Case, petition.case_id)
    if Secrecy(case.secrecy) is not Secrecy.NORMAL:
        return runs
    runs += db_session.scalars(
        select(ProcedureRun)
        .where(ProcedureRun.case_id == case.id)
        .order_by(ProcedureRun.created_at, ProcedureRun.id)
    )
    return runs


def _stages(db_session: Session, runs: list[ProcedureRun]) -> tuple[Stage, ...]:
    names = {run.id: run.procedure for run in runs}
    steps = db_session.scalars(
        select(ProcedureStep)
        .where(ProcedureStep.run_id.in_(names), ProcedureStep.from_state != ProcedureStep.to_state)
        .order_by(ProcedureStep.at, ProcedureStep.seq)
    )
    return tuple(_stage(names[step.run_id], step) for step in steps)


def _stage(name: str, step: ProcedureStep) -> Stage:
    state = procedure(name).states.get(step.to_state)
    return Stage(name, step.event, step.to_state, step.on, bool(state and state.final))


def _terms(db_session: Session, run_ids: list[UUID]) -> tuple[Deadline, ...]:
    return tuple(
        db_session.scalars(
            select(Deadline)
            .where(Deadline.run_id.in_(run_ids), Deadline.met_on.is_(None))
            .order_by(Deadline.last_day_on, Deadline.name)
        )
    )


def _documents(db_session: Session, petition_id: UUID) -> tuple[IssuedDocument, ...]:
    return tuple(
        db_session.scalars(
            select(IssuedDocument)
            .where(IssuedDocument.petition_id == petition_id, IssuedDocument.state == "issued")
            .order_by(IssuedDocument.issued_on.desc(), IssuedDocument.id.desc())
        )
    )


def _meetings(db_session: Session, petition_id: UUID) -> tuple[Meeting, ...]:
    rows = db_session.execute(
        select(ReceptionSession, Unit.full_name)
        .join(AgendaItem, AgendaItem.reception_session_id == ReceptionSession.id)
        .join(Unit, Unit.id == ReceptionSession.unit_id)
        .where(AgendaItem.petition_id == petition_id, ReceptionSession.state.in_(LIVE_MEETINGS))
        .order_by(ReceptionSession.starts_at)
    ).all()
    return tuple(_meeting(db_session, meeting, unit) for meeting, unit in rows)


def _meeting(db_session: Session, meeting: ReceptionSession, unit: str) -> Meeting:
    points = db_session.scalars(
        select(SessionPoint.name)
        .where(SessionPoint.reception_session_id == meeting.id)
        .order_by(SessionPoint.seat)
    )
    return Meeting(
        id=meeting.id,
        code=meeting.code,
        online=meeting.mode == "online",
        state=meeting.state,
        starts_at=meeting.starts_at,
        ends_at=meeting.planned_end_at,
        unit=unit,
        points=tuple(points),
    )


def _requests(db_session: Session, petition_id: UUID) -> tuple[PetitionRequest, ...]:
    return tuple(
        db_session.scalars(
            select(PetitionRequest)
            .where(PetitionRequest.petition_id == petition_id)
            .order_by(PetitionRequest.created_at.desc(), PetitionRequest.id.desc())
        )
    )


def _files(db_session: Session, petition_id: UUID) -> int:
    rows = db_session.scalars(
        select(Attachment.id).where(
            Attachment.petition_id == petition_id, Attachment.removed_at.is_(None)
        )
    )
    return len(rows.all())


@dataclass(frozen=True)
class Reception:
    """A public reception on the calendar: by office, without names of citizens."""

    on: date
    starts_at: datetime
    ends_at: datetime
    unit: Unit
    kind: str
    online: bool


def public_receptions(
    db_session: Session, *, since: datetime, limit: int, unit_id: UUID | None = None
) -> list[Reception]:
    """Coming receptions, soonest first; one unit's own only when asked for."""
    query = (
        select(ReceptionSession, Unit)
        .join(Unit, Unit.id == ReceptionSession.unit_id)
        .where(
            ReceptionSession.starts_at >= since,
            ReceptionSession.kind.in_(("regular", "periodic")),
            ReceptionSession.state.in_(LIVE_MEETINGS),
        )
        .order_by(ReceptionSession.starts_at, ReceptionSession.id)
        .limit(limit)
    )
    if unit_id is not None:
        query = query.where(ReceptionSession.unit_id == unit_id)
    return [
        Reception(
            on=meeting.starts_at.date(),
            starts_at=meeting.starts_at,
            ends_at=meeting.planned_end_at,
            unit=unit,
            kind=meeting.kind,
            online=meeting.mode == "online",
        )
        for meeting, unit in db_session.execute(query)
    ]
