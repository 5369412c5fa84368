"""Sending a decision and proving that it was received: what starts the second complaint's term."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import date
from uuid import UUID

from reception.cases.track import take_dated_step
from storage.database import Work, reading, unit_of_work
from storage.models import Case
from storage.queries.deliveries import Outgoing, newest_of_case, of_decision, outgoing
from storage.queries.units import path_of
from storage.steps import steps_of
from storage.subjects import case_subject
from workflows.access import Actor, Permission, Subject, decide, ensure_allowed
from workflows.deliveries import Receipt, Sending
from workflows.errors import Conflict, NotFound

SEND, RECEIVE = "send", "receive_decision"


@dataclass(frozen=True)
class Desk:
    """What a clerk has to send, and what waits for its proof."""

    to_send: tuple[Outgoing, ...]
    on_the_way: tuple[Outgoing, ...]


@dataclass(frozen=True)
class Delivery:
    """One decision with its way, and the number of steps on the reader's screen."""

    one: Outgoing
    seen: int
    may_open_case: bool


def read_desk(actor: Actor) -> Desk:
    """The decisions this clerk sends; each decided on its own record."""
    with reading() as work:
        found = outgoing(work.db_session, visible_to=actor)
        to_send, on_the_way = (
            tuple(
                one
                for one in rows
                if decide(actor, Permission.DOCUMENT_NUMBER, _subject(work, one))
            )
            for rows in found
        )
        return Desk(to_send, on_the_way)


def read_delivery(decision_id: UUID, actor: Actor) -> Delivery:
    """One decision for the clerk who sends it. Raises NotFound, NotAllowed."""
    with reading() as work:
        one = _known(of_decision(work.db_session, decision_id))
        subject = _subject(work, one)
        ensure_allowed(actor, Permission.DOCUMENT_NUMBER, subject)
        return _delivery(work, one, actor, subject)


def read_receipt(case_id: UUID, actor: Actor) -> Delivery:
    """The decision of a case for the officer who follows it. Raises NotFound, NotAllowed."""
    with reading() as work:
        one = _known(newest_of_case(work.db_session, case_id))
        subject = _subject(work, one)
        ensure_allowed(actor, Permission.PETITION_REPORT_RESULT, subject)
        return _delivery(work, one, actor, subject)


def _delivery(work: Work, one: Outgoing, actor: Actor, subject: Subject) -> Delivery:
    return Delivery(
        one,
        len(steps_of(work, one.run.id)),
        bool(decide(actor, Permission.CASE_SEE, subject)),
    )


def _known(one: Outgoing | None) -> Outgoing:
    if one is None:
        raise NotFound
    return one


def _subject(work: Work, one: Outgoing) -> Subject:
    """The case at the unit whose decision it is."""
    return changed(case_subject(work.db_session, one.case), unit_path=path_of(one.unit))


def send(
    decision_id: UUID,
    sending: Sending,
    receipt: Receipt | None,
    *,
    seen: int,
    by: Actor,
    today: date,
) -> None:
    """Record that the decision went out; handed over by hand, also that it was received.

    A double click records it once. Raises NotAllowed, BadInput, StepNotAllowed, Conflict.
    """
    with unit_of_work() as work:
        one = _locked(work, of_decision(work.db_session, decision_id))
        ensure_allowed(by, Permission.DOCUMENT_NUMBER, _subject(work, one))
        if not _is_new(work, one, (SEND, RECEIVE), seen, by):
            return
        sending.check(decided_on=one.decision.on, today=today)
        if receipt is not None:
            receipt.check(sent_on=sending.on, today=today)
        take_dated_step(work, one.case, one.run, SEND, sending.words, by=by, on=sending.on)
        if receipt is not None:
            _take_receipt(work, one, receipt, by=by)


def receive(decision_id: UUID, receipt: Receipt, *, seen: int, by: Actor, today: date) -> None:
    """Record that the complainant received the decision; the second complaint's term starts.

    By the clerk, or by an officer who follows the case. Raises NotAllowed, BadInput,
    StepNotAllowed, Conflict.
    """
    with unit_of_work() as work:
        one = _locked(work, of_decision(work.db_session, decision_id))
        subject = _subject(work, one)
        if not decide(by, Permission.DOCUMENT_NUMBER, subject):
            ensure_allowed(by, Permission.PETITION_REPORT_RESULT, subject)
        if one.sent is None:
            raise Conflict("Quyết định chưa gửi. Ghi ngày gửi trước, rồi mới ghi ngày nhận.")
        if not _is_new(work, one, (RECEIVE,), seen, by):
            return
        if one.received is not None:
            raise Conflict("Ngày nhận đã được ghi. Tải lại trang để xem.")
        receipt.check(sent_on=one.sent.on, today=today)
        _take_receipt(work, one, receipt, by=by)


def _take_receipt(work: Work, one: Outgoing, receipt: Receipt, *, by: Actor) -> None:
    take_dated_step(work, one.case, one.run, RECEIVE, receipt.words, by=by, on=receipt.on)


def _locked(work: Work, one: Outgoing | None) -> Outgoing:
    work.get_for_update(Case, _known(one).case.id)
    return _known(one)


def _is_new(work: Work, one: Outgoing, events: tuple[str, ...], seen: int, by: Actor) -> bool:
    """False for the second click on the same button. Raises Conflict when another one saved."""
    steps = steps_of(work, one.run.id)
    if len(steps) == seen:
        return True
    if steps[-1].event in events and steps[-1].actor_id == by.account_id:
        return False
    raise Conflict
