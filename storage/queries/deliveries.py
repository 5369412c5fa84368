"""Decisions on their way: what a clerk has to send, and what waits for the proof of receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from storage.models import (
    Case,
    Deadline,
    Decision,
    IssuedDocument,
    ProcedureRun,
    ProcedureStep,
    Unit,
)
from storage.queries.inbox import units_at
from workflows.access import Actor, Permission, reach

PAGE = 50
PROCEDURES = ("KN1", "KN2")
TERMS = ("send-decision", "second-complaint")


@dataclass(frozen=True)
class Outgoing:
    """A decision with what is known of its way; nothing of the matter itself."""

    decision: Decision
    run: ProcedureRun
    case: Case
    unit: Unit
    title: str
    term: Deadline | None
    sent: ProcedureStep | None
    received: ProcedureStep | None


def _of_run() -> ColumnElement[bool]:
    return and_(
        ProcedureRun.case_id == Decision.case_id,
        ProcedureRun.unit_id == Decision.unit_id,
        ProcedureRun.round == Decision.round,
        ProcedureRun.procedure.in_(PROCEDURES),
    )


def _taken(event: str) -> ColumnElement[bool]:
    return exists().where(ProcedureStep.run_id == ProcedureRun.id, ProcedureStep.event == event)


def outgoing(db_session: Session, *, visible_to: Actor) -> tuple[list[Outgoing], list[Outgoing]]:
    """Decisions of the actor's units to be sent, and those sent whose receipt is not proven.

    Oldest first, at most 50 of each; decide on each record before showing it.
    """
    held = reach(visible_to, Permission.DOCUMENT_NUMBER)
    here = Decision.unit_id.in_(units_at(held.units, held.trees))
    to_send = _found(db_session, here, ProcedureRun.state == "DECIDED")
    on_the_way = _found(
        db_session, here, ProcedureRun.state.in_(("SENT", "PUBLISHED")),
        ~_taken("receive_decision"),
    )  # fmt: skip
    return to_send, on_the_way


def of_decision(db_session: Session, decision_id: UUID) -> Outgoing | None:
    """One decision with its way; None when its settlement runs no such procedure."""
    found = _found(db_session, Decision.id == decision_id)
    return found[0] if found else None


def newest_of_case(db_session: Session, case_id: UUID) -> Outgoing | None:
    """The decision of the case's newest settlement."""
    found = _found(db_session, Decision.case_id == case_id)
    return found[-1] if found else None


def _found(db_session: Session, *wanted: ColumnElement[bool]) -> list[Outgoing]:
    rows = db_session.execute(
        select(Decision, ProcedureRun, Case, Unit, IssuedDocument.title)
        .join(ProcedureRun, _of_run())
        .join(Case, Case.id == Decision.case_id)
        .join(Unit, Unit.id == Decision.unit_id)
        .outerjoin(IssuedDocument, IssuedDocument.id == Decision.document_id)
        .where(*wanted)
        .order_by(Decision.on, Decision.id)
        .limit(PAGE)
    ).all()
    runs = [row[1].id for row in rows]
    steps, terms = _steps(db_session, runs), _terms(db_session, runs)
    return [
        Outgoing(
            decision,
            run,
            case,
            unit,
            title or "",
            terms.get(run.id),
            steps.get((run.id, "send")),
            steps.get((run.id, "receive_decision")),
        )
        for decision, run, case, unit, title in rows
    ]


def _steps(db_session: Session, runs: Sequence[UUID]) -> dict[tuple[UUID, str], ProcedureStep]:
    rows = db_session.scalars(
        select(ProcedureStep)
        .where(
            ProcedureStep.run_id.in_(runs), ProcedureStep.event.in_(("send", "receive_decision"))
        )
        .order_by(ProcedureStep.seq)
    )
    return {(row.run_id, row.event): row for row in rows}


def _terms(db_session: Session, runs: Sequence[UUID]) -> dict[UUID, Deadline]:
    """The term that sending ends, or the one that the receipt started; the later one counts."""
    rows = db_session.scalars(
        select(Deadline)
        .where(Deadline.run_id.in_(runs), Deadline.name.in_(TERMS), Deadline.met_on.is_(None))
        .order_by(Deadline.created_at, Deadline.id)
    )
    return {row.run_id: row for row in rows}
