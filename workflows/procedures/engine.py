"""Moving along a procedure: what may be done, what a step yields, when a term ends.

The rules in force on the day of the step count; a term follows the rule in force on the day its
clock starts (old 10 days before 01/07/2026, 07 working days after).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from workflows.calendar import (
    DayUnit,
    HolidayTable,
    add_calendar_days,
    add_working_days,
    calendar_days_before,
    working_days_before,
)
from workflows.errors import StepNotAllowed, UnknownProcedure
from workflows.procedures.guards import GUARDS, Facts
from workflows.procedures.model import (
    PREVIOUS,
    SAME,
    Deadline,
    DeadlineRule,
    Offer,
    Procedure,
    Standing,
    Step,
    Transition,
)
from workflows.procedures.sentences import COMPLEX, REMOTE, sentence_of

CLOCK_START = "clock-start"
"""An anchor: the day the clock of answering starts, see `clock_start`."""

STEP_DAY = "step"
"""An anchor: the day of the step that starts the term."""


def available(procedure: Procedure, state: str, *, on: date, facts: Facts) -> tuple[Offer, ...]:
    """Every move out of `state` on `on`, allowed or refused with a Vietnamese reason.

    Of several moves with one event only the first that is allowed is offered, else the first.
    """
    offers: dict[str, Offer] = {}
    for transition in procedure.moves(state, on):
        offer = _offer(transition, facts)
        earlier = offers.get(transition.event)
        if earlier is None or (offer.allowed and not earlier.allowed):
            offers[transition.event] = offer
    return tuple(offers.values())


def step(
    procedure: Procedure,
    event: str,
    standing: Standing,
    *,
    on: date,
    facts: Facts,
    holidays: HolidayTable,
    roles: Iterable[str] | None = None,
) -> Step:
    """Take `event` from where the record stands. `roles` (values), when given, must fit.

    A term whose day 0 is not known yet is left out; the step that makes it known starts it.

    Raises StepNotAllowed naming the rule, CalendarGap when a term runs into an uncovered year.
    """
    transition = _chosen(procedure, event, standing, on, facts)
    if roles is not None and not set(roles) & set(transition.actors):
        raise StepNotAllowed(
            f"Bước “{transition.label_vi}” do người khác làm. Hãy chuyển việc cho đúng vai trò.",
            rule=f"actor:{','.join(transition.actors)}",
        )
    return Step(
        procedure=procedure.code,
        procedure_version=procedure.version_on(on),
        event=event,
        label_vi=transition.label_vi,
        label_en=transition.label_en,
        from_state=standing.state,
        to_state=_target(transition, standing),
        on=on,
        actors=transition.actors,
        deadlines=tuple(_started(procedure, transition, standing, on, facts, holidays)),
        ended=transition.ends,
        documents=tuple(procedure.documents[code] for code in transition.documents),
        source=transition.source,
        spawns=transition.spawns,
        extended=transition.extends,
        stops_clock=transition.stops_clock,
        restarts_clock=transition.restarts_clock,
    )


def deadline(
    procedure: Procedure,
    name: str,
    *,
    on: date,
    holidays: HolidayTable,
    remote: bool = False,
    complex_case: bool = False,
    facts: Facts | None = None,
) -> Deadline:
    """The term `name` when its clock starts (or, counted back, its event lies) on `on`.

    Where several rules share the name, `facts` choose; without facts the first one counts.
    Raises UnknownProcedure when no such term is in force on that day, and CalendarGap.
    """
    rules = [r for r in procedure.deadlines if r.name == name and r.holds_on(on)]
    fitting = [r for r in rules if facts is None or _passes(r.guard, facts)]
    if not fitting:
        raise UnknownProcedure(
            f"Ngày {on:%d/%m/%Y} chưa có quy định thời hạn “{name}” trong “{procedure.label_vi}”. "
            "Xem lại tên thời hạn và ngày."
        )
    return _computed(fitting[0], on, holidays, remote=remote, complex_case=complex_case)


def clock_start(procedure: Procedure, standing: Standing, *, on: date) -> date | None:
    """The day 0 of answering: the latest receipt that counts, by the rule in force on `on`."""
    for clock in procedure.clocks:
        if clock.name == CLOCK_START and clock.holds_on(on):
            days = [standing.dates[event] for event in clock.events if event in standing.dates]
            return max(days, default=None)
    return None


def _offer(transition: Transition, facts: Facts) -> Offer:
    if _passes(transition.guard, facts):
        return Offer(transition, allowed=True)
    return Offer(transition, allowed=False, reason=GUARDS[transition.guard].sentence)


def _passes(guard: str, facts: Facts) -> bool:
    return not guard or GUARDS[guard].holds(facts)


def _chosen(
    procedure: Procedure, event: str, standing: Standing, on: date, facts: Facts
) -> Transition:
    moves = [t for t in procedure.moves(standing.state, on) if t.event == event]
    if not moves:
        raise _no_such_move(procedure, event, standing, on)
    fitting = [t for t in moves if _passes(t.guard, facts)]
    if not fitting:
        refused = moves[0]
        raise StepNotAllowed(GUARDS[refused.guard].sentence, rule=refused.guard)
    return fitting[0]


def _no_such_move(
    procedure: Procedure, event: str, standing: Standing, on: date
) -> StepNotAllowed | UnknownProcedure:
    known = [t for t in procedure.transitions if t.event == event]
    if not known:
        return UnknownProcedure(f"Quy trình “{procedure.label_vi}” không có bước “{event}”.")
    state = procedure.states.get(standing.state)
    here = state.label_vi if state else standing.state
    if any(standing.state in t.origins for t in known):
        return StepNotAllowed(
            f"Bước “{known[0].label_vi}” không áp dụng vào ngày {on:%d/%m/%Y}. "
            "Xem lại ngày thực hiện.",
            rule="effective-dates",
        )
    return StepNotAllowed(
        f"Đang ở “{here}” nên chưa làm được bước “{known[0].label_vi}”. "
        "Tải lại trang để xem các bước có thể làm.",
        rule="no-transition",
    )


def _target(transition: Transition, standing: Standing) -> str:
    if transition.to == SAME:
        return standing.state
    if transition.to != PREVIOUS:
        return transition.to
    if standing.previous_state is None:
        raise StepNotAllowed("Không có bước nào trước đó để quay lại.", rule="no-previous-state")
    return standing.previous_state


def _started(
    procedure: Procedure,
    transition: Transition,
    standing: Standing,
    on: date,
    facts: Facts,
    holidays: HolidayTable,
) -> Iterable[Deadline]:
    after = Standing(dates={**standing.dates, transition.event: on})
    for name in transition.starts:
        for rule in procedure.deadlines:
            anchor = _anchor_day(procedure, rule, after, on)
            if rule.name != name or anchor is None or not rule.holds_on(anchor):
                continue
            if _passes(rule.guard, facts):
                yield _computed(
                    rule,
                    anchor,
                    holidays,
                    remote=standing.remote,
                    complex_case=standing.complex_case or facts.complex_document,
                )


def _anchor_day(
    procedure: Procedure, rule: DeadlineRule, standing: Standing, on: date
) -> date | None:
    if rule.anchor == CLOCK_START:
        return clock_start(procedure, standing, on=on)
    if rule.anchor == STEP_DAY:
        return on
    return standing.dates.get(rule.anchor)


def _computed(
    rule: DeadlineRule, anchor: date, holidays: HolidayTable, *, remote: bool, complex_case: bool
) -> Deadline:
    length = rule.length_for(remote=remote, complex_case=complex_case)
    because = _because(rule, length, remote=remote, complex_case=complex_case)
    last_day = _last_day(rule, anchor, length, holidays)
    found = Deadline(
        name=rule.name,
        label_vi=rule.label_vi,
        label_en=rule.label_en,
        start_on=anchor,
        last_day=last_day,
        length=length,
        unit=rule.unit,
        before=rule.before,
        source=rule.source,
        rule_from=rule.effective_from,
        sentence="",
        needs_confirmation=rule.needs_confirmation,
        because=because,
    )
    return replace(found, sentence=sentence_of(found))


def _because(rule: DeadlineRule, length: int, *, remote: bool, complex_case: bool) -> str:
    """Why the longer length counts; empty for the usual one."""
    if length == rule.length:
        return ""
    reasons = []
    if complex_case and length in (rule.length_complex, rule.length_remote_complex):
        reasons.append(COMPLEX)
    if remote and length in (rule.length_remote, rule.length_remote_complex):
        reasons.append(REMOTE)
    return "; ".join(reasons)


def _last_day(rule: DeadlineRule, anchor: date, length: int, holidays: HolidayTable) -> date:
    if rule.unit is DayUnit.HOUR:
        return anchor
    if rule.before:
        back = working_days_before if rule.unit is DayUnit.WORKING else calendar_days_before
        return back(anchor, length, holidays)
    ahead = add_working_days if rule.unit is DayUnit.WORKING else add_calendar_days
    return ahead(anchor, length, holidays)
