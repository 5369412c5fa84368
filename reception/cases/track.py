"""The settlement on the case: which steps are possible, and taking one.

The petition procedure ends with acceptance; from there the case runs its own track: a first or a
second complaint (KN1, KN2), or a denunciation (TC).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from reception.cases.steps import settle_case
from storage.database import Work, reading, unit_of_work
from storage.identities import seal_field
from storage.models import (
    Case,
    Decision,
    IssuedDocument,
    ProcedureRun,
    Unit,
)
from storage.queries.units import path_of
from storage.steps import offers, record, steps_of
from storage.subjects import case_subject, kind_of
from storage.terms import extensions_taken, is_past, keep_changes
from workflows.access import Actor, Permission, Subject, decide, ensure_allowed
from workflows.errors import Conflict, NotFound
from workflows.procedures.guards import LEAST_TEAM, Facts

_DECIDING = (
    "accept reject assign determine_complex call_dialogue hold_dialogue absent_from_dialogue"
    " suspend resume"
    " terminate withdraw_part decide enforce stay_enforcement lift_stay"
    " form_team extend withdraw pass_to_investigation verify_again conclude handle decline"
    " transfer to_inspection uphold take_over ask_report report_delay refuse"
)
_FOLLOWING = (
    "receive_decision second_complaint sue take_effect close term_expired publish"
    " register_authorisation take_in remove_identity protect repeat_denunciation"
    " overdue_denunciation answer_forwarder classify take_up need_time answer receive"
)

PERMISSION_OF: dict[str, Permission] = {
    **dict.fromkeys(_DECIDING.split(), Permission.COMPLAINT_DECIDE),
    **dict.fromkeys(("report", "gather_evidence", "expert_opinion"), Permission.DOCUMENT_DRAFT),
    **dict.fromkeys(("send", "notify"), Permission.DOCUMENT_NUMBER),
    **dict.fromkeys(_FOLLOWING.split(), Permission.PETITION_REPORT_RESULT),
}
"""Which permission each step of the settlement asks for."""

OPINIONS = frozenset({"assign", "report", "call_dialogue"})
"""Steps whose words are about verification: they stay with the level that wrote them."""

DECIDING_STEPS = frozenset({"decide", "conclude"})
"""Steps that leave a decision or a conclusion with its outcome, which statistics count."""

ASKED_IN_FORM = frozenset(
    {
        "reason_given",
        "has_report",
        "complex_in_writing",
        "suspension_ground",
        "termination_ground",
        "withdrawn_in_writing",
        "part_withdrawn_in_writing",
        "views_differ",
        "dialogue_not_owed",
        "has_result_document",
        "absent_without_reason",
        "authorisation_certified",
        "authorisation_written",
        "team_fit",
        "may_extend",
        "withdrawal_may_end",
        "identity_removed",
        "criminal_signs",
    }
)
"""Conditions that the form of the step itself fulfils."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the officer says in the form of a step."""

    reason: str = ""
    document_number: str = ""
    in_writing: bool = False
    views_differ: bool = False
    ground: str = ""
    outcome: str = ""
    dialogue_on: date | None = None


@dataclass(frozen=True)
class Choice:
    """A step that is possible, or the sentence why not."""

    event: str
    label_vi: str
    label_en: str
    source: str
    reason: str = ""
    guard: str = ""


def choices(case_id: UUID, actor: Actor, *, on: date) -> tuple[ProcedureRun | None, list[Choice]]:
    """The running track of a case and its steps, for a person who may see the case."""
    with reading() as work:
        case = work.get(Case, case_id)
        run = _run(work, case)
        if run is None:
            return None, []
        subject = _subject(work, case, run)
        facts = _facts(work, case, run, Said(), on=on)
        found = [
            Choice(
                offer.transition.event,
                offer.transition.label_vi,
                offer.transition.label_en,
                offer.transition.source,
                _obstacle(
                    offer.allowed,
                    offer.reason,
                    offer.transition.guard,
                    actor,
                    subject,
                    offer.transition.event,
                    offer.transition.actors,
                ),
                offer.transition.guard,
            )
            for offer in offers(work, run, on=on, facts=facts)
        ]
        return run, found


def _obstacle(
    allowed: bool,
    reason: str,
    guard: str,
    actor: Actor,
    subject: Subject,
    event: str,
    actors: Iterable[str],
) -> str:
    if not allowed and guard not in ASKED_IN_FORM:
        return reason
    decision = decide(actor, PERMISSION_OF[event], subject)
    if not decision:
        return decision.reason
    roles = {role.value for role in actor.roles}
    return "" if roles & set(actors) else "bước này do vai trò khác trong đơn vị làm."


def _run(work: Work, case: Case) -> ProcedureRun | None:
    return work.db_session.scalars(
        select(ProcedureRun)
        .where(ProcedureRun.case_id == case.id)
        .order_by(ProcedureRun.round.desc(), ProcedureRun.created_at.desc())
    ).first()


def _subject(work: Work, case: Case, run: ProcedureRun) -> Subject:
    """The case at the unit that settles it."""
    whole = case_subject(work.db_session, case)
    return changed(whole, unit_path=path_of(work.get(Unit, run.unit_id)))


def _facts(
    work: Work, case: Case, run: ProcedureRun, said: Said, *, on: date, event: str = ""
) -> Facts:
    """What the file and the form of `event` say; nothing is taken from one form for another."""
    events = {step.event for step in run.steps}
    number = bool(said.document_number.strip())
    known = Facts(
        kind=kind_of(case.kind),
        competent=True,
        reason_given=bool(said.reason.strip()),
        report_filed=number or "report" in events,
        complex_document=number,
        dialogue_held="hold_dialogue" in events,
        absent_without_reason="absent_from_dialogue" in events,
        views_differ=said.views_differ,
        suspension_ground=bool(said.ground),
        termination_ground=bool(said.ground),
        withdrawal_in_writing=said.in_writing,
        part_withdrawn=event == "withdraw_part" and said.in_writing and bool(said.reason),
        result_document=number,
        first_term_expired="term_expired" in events or is_past(work, run, "settle", on),
        second_complaint_late=is_past(work, run, "second-complaint", on),
        term_passed=is_past(work, run, "settle", on),
        extensions_taken=extensions_taken(work, run, "settle"),
    )
    return changed(known, **_of_form(event, said))


def _of_form(event: str, said: Said) -> dict[str, Any]:
    """What the tick or the ground of one form says, for that step alone."""
    ticked, number = said.in_writing, bool(said.document_number.strip())
    of_event: dict[str, dict[str, Any]] = {
        "absent_from_dialogue": {"absent_without_reason": ticked and bool(said.reason.strip())},
        "register_authorisation": {
            "authorisation_written": ticked,
            "authorisation_certified": ticked,
        },
        "form_team": {"team_size": LEAST_TEAM if ticked else 0, "team_without_conflict": ticked},
        "extend": {
            "extension_document": number,
            "complex_document": bool(said.ground),
            "especially_complex": said.ground == "especially-complex",
        },
        "withdraw": {"no_ground_to_continue": said.ground == "none-of-three"},
        "remove_identity": {"identity_removed": ticked},
        "publish": {"identity_removed": ticked},
        "pass_to_investigation": {"criminal_signs": bool(said.reason.strip())},
    }
    return of_event.get(event, {})


def take_track_step(
    case_id: UUID, event: str, said: Said, seen: int, *, by: Actor, on: date
) -> None:
    """Take one step of the settlement; `seen` is the number of steps on the person's screen.

    Raises NotAllowed, StepNotAllowed, Conflict when somebody else took a step meanwhile.
    """
    with unit_of_work() as work:
        case = work.get_for_update(Case, case_id)
        run = _run(work, case)
        if run is None or event not in PERMISSION_OF:
            raise NotFound
        ensure_allowed(by, PERMISSION_OF[event], _subject(work, case, run))
        steps = steps_of(work, run.id)
        if len(steps) != seen:
            if steps[-1].event == event and steps[-1].actor_id == by.account_id:
                return  # the second click on the same button
            raise Conflict
        _record(work, case, run, event, said, by=by, on=on)
        settle_case(work, case, on=on, by=by.account_id)


def take_dated_step(
    work: Work, case: Case, run: ProcedureRun, event: str, words: str, *, by: Actor, on: date
) -> None:
    """Record what happened on a day that is known from a paper; access was decided before."""
    _record(work, case, run, event, Said(reason=words), by=by, on=on)
    settle_case(work, case, on=on, by=by.account_id)


def _record(
    work: Work,
    case: Case,
    run: ProcedureRun,
    event: str,
    said: Said,
    *,
    by: Actor,
    on: date,
) -> None:
    closed = event in OPINIONS or case.secrecy != "normal"
    taken = record(
        work,
        run,
        event,
        on=on,
        facts=_facts(work, case, run, said, on=on, event=event),
        by=by.account_id,
        roles=[role.value for role in by.roles],
        reason="" if closed else said.reason.strip(),
        dates={"dialogue": said.dialogue_on} if said.dialogue_on else None,
        remote=_remote(work, case),
    )
    row = steps_of(work, run.id)[-1]
    if closed and said.reason.strip():
        row.internal_reason_sealed = seal_field(
            "procedure_step", "internal_reason", row.id, said.reason.strip()
        )
    papers = [
        _paper(work, case, run, paper.form or paper.code, paper.label_vi, said, by=by, on=on)
        for paper in taken.documents
    ]
    keep_changes(
        work,
        run,
        taken,
        document_id=papers[0].id if papers else None,
        reason="" if closed else said.reason.strip(),
    )
    if event in DECIDING_STEPS:
        work.add(
            Decision(
                case_id=case.id,
                unit_id=run.unit_id,
                round=run.round,
                number=said.document_number.strip(),
                on=on,
                outcome=said.outcome,
                document_id=papers[0].id if papers else None,
            )
        )


def _paper(
    work: Work,
    case: Case,
    run: ProcedureRun,
    form: str,
    title: str,
    said: Said,
    *,
    by: Actor,
    on: date,
) -> IssuedDocument:
    """A paper of the case: a draft, or issued on paper when its number was given."""
    number = said.document_number.strip()
    return work.add(
        IssuedDocument(
            case_id=case.id,
            unit_id=run.unit_id,
            form=form,
            title=title,
            number=number,
            state="issued" if number else "draft",
            issued_on=on if number else None,
            drafted_by=by.account_id,
        )
    )


def _remote(work: Work, case: Case) -> bool:
    if case.place_unit_id is None:
        return False
    return bool(work.db_session.scalar(select(Unit.remote).where(Unit.id == case.place_unit_id)))
