"""Recording a step: the row, the state copy, the deadlines, the audit leaf, in one transaction.

The only writer of `state` columns. The rule decides in `workflows.procedures.engine`; here its
answer is kept, together with the version of the rule that gave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import Exists, exists, func, or_, select

from storage.database import Work
from storage.models import (
    Deadline,
    DeadlineChange,
    Petition,
    ProcedureRun,
    ProcedureStep,
    ReceptionSession,
)
from storage.queries.calendar import holiday_table
from workflows.errors import StepNotAllowed
from workflows.procedures import engine
from workflows.procedures.guards import Facts
from workflows.procedures.loader import procedure
from workflows.procedures.model import START, Offer, Standing
from workflows.procedures.model import Deadline as ComputedDeadline
from workflows.procedures.model import Step as ComputedStep

UNDO = "undo"


def start_run(
    work: Work,
    code: str,
    *,
    unit_id: UUID,
    petition_id: UUID | None = None,
    reception_session_id: UUID | None = None,
    case_id: UUID | None = None,
    round_number: int = 1,
) -> ProcedureRun:
    """Begin a procedure over one record; its first step must follow in the same transaction."""
    run = ProcedureRun(
        procedure=code,
        round=round_number,
        petition_id=petition_id,
        reception_session_id=reception_session_id,
        case_id=case_id,
        unit_id=unit_id,
        state=START,
        steps=[],
        deadlines=[],
    )
    work.add(run)
    work.flush()
    return run


def run_of(
    work: Work,
    code: str,
    *,
    petition_id: UUID | None = None,
    reception_session_id: UUID | None = None,
    case_id: UUID | None = None,
) -> ProcedureRun:
    """The newest run of a procedure over a record. Raises sqlalchemy NoResultFound if none."""
    query = select(ProcedureRun).where(ProcedureRun.procedure == code)
    for column, value in (
        (ProcedureRun.petition_id, petition_id),
        (ProcedureRun.reception_session_id, reception_session_id),
        (ProcedureRun.case_id, case_id),
    ):
        if value is not None:
            query = query.where(column == value)
    return work.db_session.scalars(query.order_by(ProcedureRun.round.desc()).limit(1)).one()


def steps_of(work: Work, run_id: UUID) -> list[ProcedureStep]:
    """The steps of a run in order."""
    return list(
        work.db_session.scalars(
            select(ProcedureStep).where(ProcedureStep.run_id == run_id).order_by(ProcedureStep.seq)
        )
    )


def state_from_steps(steps: Iterable[ProcedureStep]) -> str:
    """What the rows say; the state column must never say anything else."""
    state = START
    for step in steps:
        state = step.to_state
    return state


def standing_of(
    run: ProcedureRun,
    *,
    dates: Mapping[str, date] | None = None,
    remote: bool = False,
    complex_case: bool = False,
) -> Standing:
    """Where the record stands, rebuilt from its rows; `dates` adds days that lie outside."""
    happened = {step.event: step.on for step in run.steps}
    return Standing(
        state=state_from_steps(run.steps),
        previous_state=_previous(run.steps),
        dates={**happened, **(dates or {})},
        remote=remote,
        complex_case=complex_case,
    )


def _previous(steps: list[ProcedureStep]) -> str | None:
    moves = [step for step in steps if step.from_state != step.to_state]
    return moves[-1].from_state if moves and moves[-1].from_state != START else None


def offers(work: Work, run: ProcedureRun, *, on: date, facts: Facts) -> tuple[Offer, ...]:
    """Every move from here, allowed or refused with its reason."""
    return engine.available(procedure(run.procedure), run.state, on=on, facts=facts)


def record(
    work: Work,
    run: ProcedureRun,
    event: str,
    *,
    on: date,
    facts: Facts,
    by: UUID | None,
    roles: Iterable[str] | None = None,
    unit_id: UUID | None = None,
    reason: str = "",
    dates: Mapping[str, date] | None = None,
    remote: bool = False,
    complex_case: bool = False,
) -> ComputedStep:
    """Take a step and keep it. Raises StepNotAllowed, CalendarGap; then nothing is written.

    `dates` are days from outside the procedure, for example the day of the reception session.
    """
    standing = standing_of(run, dates=dates, remote=remote, complex_case=complex_case)
    taken = engine.step(
        procedure(run.procedure),
        event,
        standing,
        on=on,
        facts=facts,
        holidays=holiday_table(work.db_session),
        roles=roles,
    )
    row = ProcedureStep(
        run_id=run.id,
        seq=len(run.steps) + 1,
        event=event,
        from_state=taken.from_state,
        to_state=taken.to_state,
        procedure_version=taken.procedure_version,
        on=on,
        actor_id=by,
        unit_id=unit_id or run.unit_id,
        reason=reason,
        source=taken.source,
    )
    work.add(row)
    run.steps.append(row)
    run.state = taken.to_state
    _copy_state(work, run)
    _end_deadlines(run, taken.ended, event, on)
    for term in taken.deadlines:
        _start_deadline(work, run, row, term)
    if taken.ended or taken.deadlines or run.petition_id is not None:
        copy_due(work, run)
    work.audit(
        f"{run.procedure}.{event}",
        by=by,
        kind=ProcedureStep.__tablename__,
        object_id=row.id,  # named, not handed over: several steps then go out in one flush
        run=run.id,
        subject=run.petition_id or run.reception_session_id or run.case_id,
        from_state=taken.from_state,
        to_state=taken.to_state,
        on=on,
        rule=taken.procedure_version,
    )
    return taken


def take_back(
    work: Work,
    run: ProcedureRun,
    *,
    on: date,
    facts: Facts,
    by: UUID | None,
    roles: Iterable[str] | None = None,
    unit_id: UUID | None = None,
    reason: str = "",
) -> ProcedureStep:
    """Undo the last move as another row: terms it ended run again, terms it started end.

    Returns the step that was undone. Raises StepNotAllowed, also when the last move was an undo.
    """
    before = steps_of(work, run.id)
    undone = _last_move(before)
    record(work, run, UNDO, on=on, facts=facts, by=by, roles=roles, unit_id=unit_id, reason=reason)
    steps_of(work, run.id)[-1].undoes_id = undone.id
    since = {step.id for step in before if step.seq >= undone.seq}
    events = {step.event for step in before if step.seq >= undone.seq}
    for term in work.db_session.scalars(select(Deadline).where(Deadline.run_id == run.id)):
        if term.step_id in since:
            term.met_on, term.ended_by = term.met_on or on, term.ended_by or UNDO
        elif term.ended_by in events and term.met_on and term.met_on >= undone.on:
            term.met_on, term.ended_by = None, ""
    work.flush()
    copy_due(work, run)
    return undone


def _last_move(steps: list[ProcedureStep]) -> ProcedureStep:
    moves = [step for step in steps if step.from_state != step.to_state]
    if not moves or moves[-1].event == UNDO:
        raise StepNotAllowed(
            "Bước vừa rồi đã được hủy. Hãy chọn bước tiếp theo cần làm.", rule="undo-of-undo"
        )
    return moves[-1]


def _copy_state(work: Work, run: ProcedureRun) -> None:
    if run.procedure == "PET" and run.petition_id:
        work.get(Petition, run.petition_id).state = run.state
    if run.procedure == "SES" and run.reception_session_id:
        work.get(ReceptionSession, run.reception_session_id).state = run.state


def _end_deadlines(run: ProcedureRun, names: tuple[str, ...], event: str, on: date) -> None:
    for deadline in run.deadlines:
        if deadline.name in names and deadline.met_on is None:
            deadline.met_on, deadline.ended_by = on, event


def open_deadlines(work: Work, run_id: UUID) -> list[Deadline]:
    """Terms of a run that nothing has ended yet, soonest first."""
    return list(
        work.db_session.scalars(
            select(Deadline)
            .where(Deadline.run_id == run_id, Deadline.met_on.is_(None))
            .order_by(Deadline.last_day_on, Deadline.name)
        )
    )


def _start_deadline(
    work: Work, run: ProcedureRun, step: ProcedureStep, term: ComputedDeadline
) -> None:
    """Start a term; one of the same name that still ran is replaced by it."""
    _end_deadlines(run, (term.name,), step.event, step.on)
    row = work.add(
        Deadline(
            run_id=run.id,
            step_id=step.id,
            step=step,
            name=term.name,
            label=term.label_vi,
            start_on=term.start_on,
            base_last_day_on=term.last_day,
            last_day_on=term.last_day,
            length=term.length,
            day_unit=term.unit.value,
            before=term.before,
            rule_from_on=term.rule_from,
            sentence=term.sentence,
            source=term.source,
            needs_confirmation=term.needs_confirmation,
        )
    )
    run.deadlines.append(row)


def copy_due(work: Work, run: ProcedureRun) -> None:
    """The petition's soonest open term, so that the inbox sorts without joining.

    An accepted petition waits for what its case is due.
    """
    if run.petition_id is not None:
        _set_due(work, work.get(Petition, run.petition_id), run)
    if run.case_id is not None:
        for petition in work.db_session.scalars(
            select(Petition).where(Petition.case_id == run.case_id, Petition.state == "ACCEPTED")
        ):
            _set_due(work, petition, None)


def _set_due(work: Work, petition: Petition, own: ProcedureRun | None) -> None:
    """`own` is the petition's only run, where it is at hand."""
    if own is not None and (petition.state != "ACCEPTED" or petition.case_id is None):
        running = [term.last_day_on for term in own.deadlines if term.met_on is None]
        petition.due_on = min(running, default=None)
        return
    runs = or_(ProcedureRun.petition_id == petition.id, ProcedureRun.case_id == petition.case_id)
    petition.due_on = work.db_session.scalar(
        select(func.min(Deadline.last_day_on))
        .join(ProcedureRun, ProcedureRun.id == Deadline.run_id)
        .where(runs, Deadline.met_on.is_(None), ~_stands_still())
    )


def _stands_still() -> Exists:
    """Whether a term is suspended: nothing is counted then, so it is not due either."""
    return exists().where(
        DeadlineChange.deadline_id == Deadline.id,
        DeadlineChange.kind == "suspension",
        DeadlineChange.to_on.is_(None),
    )
