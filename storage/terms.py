"""What documents do to a running term: suspend it, let it run on, extend it, make it longer.

Last day = base + extensions + suspended days. Every change is a row with the document that allows
it; the base day stays, the last day and its sentence are reckoned anew from the rows. A term that
stands still is never late. Call `keep_changes` right after `storage.steps.record`, in the same
transaction, once the papers of the step are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select

from storage.database import Work
from storage.models import Deadline, DeadlineChange, ProcedureRun
from storage.queries.calendar import holiday_table
from storage.steps import copy_due
from workflows.calendar import DayUnit
from workflows.deadlines import Suspension, extended, extension
from workflows.errors import StepNotAllowed
from workflows.procedures.loader import procedure
from workflows.procedures.model import Deadline as ComputedDeadline
from workflows.procedures.model import Step as ComputedStep
from workflows.procedures.sentences import because_in

SUSPENSION, EXTENSION, COMPLEX = "suspension", "extension", "complex"
DETERMINE = "determine_complex"
"""The event after which a term runs anew at its longer length."""


def keep_changes(
    work: Work,
    run: ProcedureRun,
    taken: ComputedStep,
    *,
    document_id: UUID | None,
    reason: str = "",
) -> None:
    """Keep what the step did to the terms of its run.

    Raises StepNotAllowed when a term would change without a document, or be extended too often.
    """
    work.flush()
    if taken.restarts_clock or taken.to_state in _finals(run):
        _end_suspensions(work, run, taken.on)
    if taken.stops_clock:
        _suspend(work, run, taken, _document(document_id), reason)
    for name in taken.extended:
        _extend(work, run, name, taken.on, _document(document_id), reason)
    for term in _begun_anew(run, taken):
        _carry_over(work, run, term, taken.on, _document(document_id), reason)
    work.flush()
    for term in run.deadlines:
        if term.met_on is None:
            _reckon(work, term)
    copy_due(work, run)


def changes_of(work: Work, term_ids: Iterable[UUID]) -> Sequence[DeadlineChange]:
    """The extensions and suspensions of terms, oldest first."""
    wanted = list(term_ids)
    if not wanted:
        return ()
    return work.db_session.scalars(
        select(DeadlineChange)
        .where(DeadlineChange.deadline_id.in_(wanted))
        .order_by(DeadlineChange.from_on, DeadlineChange.created_at, DeadlineChange.id)
    ).all()


def suspensions_of(work: Work, term_ids: Iterable[UUID]) -> dict[UUID, tuple[Suspension, ...]]:
    """The suspensions of terms by term; terms that never stood still are left out."""
    found: dict[UUID, tuple[Suspension, ...]] = {}
    for change in changes_of(work, term_ids):
        if change.kind == SUSPENSION:
            pause = Suspension(change.from_on, change.to_on)
            found[change.deadline_id] = (*found.get(change.deadline_id, ()), pause)
    return found


def extensions_taken(work: Work, run: ProcedureRun, name: str) -> int:
    """How many decisions of extension a term of the run has had."""
    terms = [term.id for term in run.deadlines if term.name == name and term.met_on is None]
    return sum(change.kind == EXTENSION for change in changes_of(work, terms))


def is_past(work: Work, run: ProcedureRun, name: str, on: date) -> bool:
    """Whether a term of the run ended before `on` with nothing done; a suspended one never is."""
    late = [
        term.id
        for term in run.deadlines
        if term.name == name and term.met_on is None and term.last_day_on < on
    ]
    still = {
        change.deadline_id
        for change in changes_of(work, late)
        if change.kind == SUSPENSION and change.to_on is None
    }
    return bool(set(late) - still)


def _document(document_id: UUID | None) -> UUID:
    if document_id is None:
        raise StepNotAllowed(
            "Đổi thời hạn phải có văn bản trong hồ sơ. Lập văn bản rồi làm lại.",
            rule="change-needs-document",
        )
    return document_id


def _finals(run: ProcedureRun) -> frozenset[str]:
    states = procedure(run.procedure).states.values()
    return frozenset(state.code for state in states if state.final)


def _begun_anew(run: ProcedureRun, taken: ComputedStep) -> list[Deadline]:
    """Terms that run anew because the matter was determined to be complex."""
    if taken.event != DETERMINE:
        return []
    started = {term.name for term in taken.deadlines}
    return [term for term in run.deadlines if term.met_on is None and term.name in started]


def _suspend(
    work: Work, run: ProcedureRun, taken: ComputedStep, document_id: UUID, reason: str
) -> None:
    """Every term that ran before this step stands still from its day on."""
    just_begun = {term.name for term in taken.deadlines}
    for term in run.deadlines:
        if term.met_on is None and not term.before and term.name not in just_begun:
            _add(work, term, SUSPENSION, taken.on, document_id, reason)


def _end_suspensions(work: Work, run: ProcedureRun, on: date) -> None:
    for change in changes_of(work, (term.id for term in run.deadlines)):
        if change.kind == SUSPENSION and change.to_on is None:
            change.to_on = on


def _extend(
    work: Work, run: ProcedureRun, name: str, on: date, document_id: UUID, reason: str
) -> None:
    rule = next(r for r in procedure(run.procedure).deadlines if r.name == name and r.holds_on(on))
    extension(rule, extensions_taken(work, run, name) + 1)
    for term in run.deadlines:
        if term.name == name and term.met_on is None:
            _add(work, term, EXTENSION, on, document_id, reason, days=rule.extension_days)


def _carry_over(
    work: Work, run: ProcedureRun, term: Deadline, on: date, document_id: UUID, reason: str
) -> None:
    """The longer term keeps the suspensions and extensions of the one it replaced."""
    former = [one.id for one in run.deadlines if one.name == term.name and one.id != term.id]
    for change in changes_of(work, sorted(former)[-1:]):  # ids grow with time
        if change.kind != COMPLEX:
            _add(
                work, term, change.kind, change.from_on, change.document_id, change.reason,
                days=change.days, to_on=change.to_on,
            )  # fmt: skip
    _add(work, term, COMPLEX, on, document_id, reason)


def _add(
    work: Work,
    term: Deadline,
    kind: str,
    from_on: date,
    document_id: UUID,
    reason: str,
    *,
    days: int | None = None,
    to_on: date | None = None,
) -> None:
    work.add(
        DeadlineChange(
            deadline_id=term.id,
            kind=kind,
            from_on=from_on,
            to_on=to_on,
            days=days,
            document_id=document_id,
            reason=reason,
        )
    )


def _reckon(work: Work, term: Deadline) -> None:
    """The last day and the sentence from the base and the rows; nothing else moves a term."""
    changes = changes_of(work, [term.id])
    moving = [change for change in changes if change.kind in (EXTENSION, SUSPENSION)]
    if not moving or term.before:
        return
    longer = extended(
        _as_computed(term),
        extra_days=sum(change.days or 0 for change in moving if change.kind == EXTENSION),
        suspensions=[
            Suspension(change.from_on, change.to_on)
            for change in moving
            if change.kind == SUSPENSION
        ],
        holidays=holiday_table(work.db_session),
    )
    term.last_day_on, term.sentence = longer.last_day, longer.sentence


def _as_computed(term: Deadline) -> ComputedDeadline:
    """The base term as the rules know it."""
    return ComputedDeadline(
        name=term.name,
        label_vi=term.label,
        label_en=term.label,
        start_on=term.start_on,
        last_day=term.base_last_day_on,
        length=term.length,
        unit=DayUnit(term.day_unit),
        before=term.before,
        source=term.source,
        rule_from=term.rule_from_on,
        sentence=term.sentence,
        needs_confirmation=term.needs_confirmation,
        because=because_in(term.sentence),
    )
