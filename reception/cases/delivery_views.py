"""Pages of the clerk: decisions to be sent, and the proof that they were received."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from reception import deadline_words
from reception.access import current_actor, needs
from reception.cases import delivery_operations as operations
from reception.cases.blueprint import bp
from reception.cases.delivery_operations import Delivery
from reception.clock import legal_today
from storage.queries.deliveries import Outgoing
from workflows.access import Permission
from workflows.deliveries import Proof, Receipt, Sending, Way
from workflows.errors import BadInput, Conflict

WAYS: dict[str, Any] = {
    Way.POST.value: _l("Registered post"),
    Way.BY_HAND.value: _l("Handed over in person"),
    Way.ELECTRONIC.value: _l("Sent electronically"),
}
PROOFS: dict[str, Any] = {
    Proof.POST_NOTICE.value: _l("The post office's notice of delivery"),
    Proof.SIGNED_BOOK.value: _l("Signed in the delivery book"),
    Proof.MINUTES.value: _l("Minutes of handing over"),
    Proof.ELECTRONIC_RECEIPT.value: _l("Electronic receipt"),
}
SECOND_COMPLAINT_SOURCE = "Luật Khiếu nại 02/2011/QH13, Điều 33"


def _day(typed: str) -> date | None:
    try:
        return date(*(int(part) for part in reversed(typed.split("/"))))
    except (ValueError, TypeError):
        return None


@dataclass
class DeliveryForm:
    """What was typed about sending and receiving; days as dd/mm/yyyy."""

    seen: int = 0
    sent_on: str = ""
    way: str = ""
    reference: str = ""
    received_now: bool = False
    received_on: str = ""
    proof: str = ""
    proof_reference: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> DeliveryForm:
        return cls(
            seen=data.get("seen", 0, type=int),
            sent_on=data.get("sent_on", "").strip()[:10],
            way=data.get("way", ""),
            reference=data.get("reference", "").strip()[:80],
            received_now=data.get("received_now") == "1",
            received_on=data.get("received_on", "").strip()[:10],
            proof=data.get("proof", ""),
            proof_reference=data.get("proof_reference", "").strip()[:80],
        )

    def sending(self) -> Sending | None:
        """The sending as typed; what is missing is named in `errors`."""
        day = _day(self.sent_on)
        if day is None:
            self.errors["sent_on"] = _("Enter the day, such as 25/11/2026.")
        if self.way not in WAYS:
            self.errors["way"] = _("Choose how it was sent.")
        if self.errors or day is None:
            return None
        return Sending(day, Way(self.way), self.reference)

    def receipt(self) -> Receipt | None:
        """The receipt as typed; handed over in person, the day is the day of sending."""
        typed = self.sent_on if self.received_now else self.received_on
        day = _day(typed)
        if day is None:
            self.errors["received_on"] = _("Enter the day, such as 25/11/2026.")
        if self.proof not in PROOFS:
            self.errors["proof"] = _("Choose what proves it.")
        if self.errors or day is None:
            return None
        return Receipt(day, Proof(self.proof), self.proof_reference)


def _line(one: Outgoing, today: date) -> dict[str, Any]:
    return {
        "one": one,
        "left": deadline_words.left(one.term.last_day_on, today) if one.term else None,
    }


@bp.get("/van-ban-di")
@needs(Permission.DOCUMENT_NUMBER)
def outgoing() -> ResponseReturnValue:
    """Decisions to be sent, the nearest term first, and those whose receipt is not proven."""
    desk, today = operations.read_desk(current_actor()), legal_today()
    return render_template(
        "cases/outgoing.html",
        to_send=[_line(one, today) for one in desk.to_send],
        on_the_way=[_line(one, today) for one in desk.on_the_way],
    )


def _page(found: Delivery, form: DeliveryForm, *, clerk: bool, conflict: str = "") -> str:
    today = legal_today()
    if not form.seen or conflict:
        form.seen = found.seen
    form.sent_on = form.sent_on or f"{today:%d/%m/%Y}"
    form.received_on = form.received_on or f"{today:%d/%m/%Y}"
    return render_template(
        "cases/delivery.html",
        one=found.one,
        line=_line(found.one, today),
        form=form,
        ways=WAYS,
        proofs=PROOFS,
        clerk=clerk,
        may_open_case=found.may_open_case,
        source=SECOND_COMPLAINT_SOURCE,
        conflict=conflict,
    )


@bp.get("/van-ban-di/<uuid:decision_id>")
@needs(Permission.DOCUMENT_NUMBER)
def delivery(decision_id: UUID) -> ResponseReturnValue:
    """One decision: send it, or prove that it was received."""
    found = operations.read_delivery(decision_id, current_actor())
    return _page(found, DeliveryForm(), clerk=True)


@bp.post("/van-ban-di/<uuid:decision_id>/gui")
@needs(Permission.DOCUMENT_NUMBER)
def send_decision(decision_id: UUID) -> ResponseReturnValue:
    """Record the day, the way and the number; handed over, also the signature."""
    actor, form = current_actor(), DeliveryForm.read(request.form)
    sending = form.sending()
    receipt = form.receipt() if form.received_now else None
    try:
        if form.errors or sending is None:
            raise BadInput(form.errors)
        operations.send(
            decision_id, sending, receipt, seen=form.seen, by=actor, today=legal_today()
        )
    except BadInput as bad:
        form.errors = dict(bad.fields)
        return _page(operations.read_delivery(decision_id, actor), form, clerk=True), 422
    except Conflict as conflict:
        found = operations.read_delivery(decision_id, actor)
        return _page(found, form, clerk=True, conflict=conflict.message), 409
    flash(_("Recorded that the decision was sent."), "success")
    return redirect(url_for(".outgoing"), code=303)


@bp.post("/van-ban-di/<uuid:decision_id>/nhan")
@needs(Permission.DOCUMENT_NUMBER)
def prove_receipt(decision_id: UUID) -> ResponseReturnValue:
    """Record the day and the proof of receipt."""
    actor, form = current_actor(), DeliveryForm.read(request.form)
    answer = _received(decision_id, form)
    if answer is None:
        return redirect(url_for(".outgoing"), code=303)
    message, status = answer
    found = operations.read_delivery(decision_id, actor)
    return _page(found, form, clerk=True, conflict=message), status


def _received(decision_id: UUID, form: DeliveryForm) -> tuple[str, int] | None:
    """Record the receipt; what went wrong as a sentence and a status, None when it is done."""
    receipt = form.receipt()
    try:
        if receipt is None:
            raise BadInput(form.errors)
        operations.receive(
            decision_id, receipt, seen=form.seen, by=current_actor(), today=legal_today()
        )
    except BadInput as bad:
        form.errors = dict(bad.fields)
        return "", 422
    except Conflict as conflict:
        return conflict.message, 409
    flash(_("Recorded. The term of the second complaint runs from that day."), "success")
    return None


@bp.route("/vu-viec/<uuid:case_id>/nhan-quyet-dinh", methods=["GET", "POST"])
@needs(Permission.PETITION_REPORT_RESULT)
def decision_receipt(case_id: UUID) -> ResponseReturnValue:
    """The officer who follows the case records that the decision was received."""
    found = operations.read_receipt(case_id, current_actor())
    if request.method == "GET":
        return _page(found, DeliveryForm(), clerk=False)
    form = DeliveryForm.read(request.form)
    answer = _received(found.one.decision.id, form)
    if answer is None:
        return redirect(url_for(".show", case_id=case_id), code=303)
    message, status = answer
    return _page(operations.read_receipt(case_id, current_actor()), form, clerk=False,
                 conflict=message), status  # fmt: skip
