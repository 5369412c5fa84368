"""Pages about reading the file of a case: ask for it, decide about requests, the list of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception.access import current_actor, needs
from reception.cases import file_operations as operations
from reception.cases.blueprint import bp
from reception.clock import LOCAL
from storage.models import CaseFileRequest
from storage.models.base import utc_now
from storage.queries.case_files import FileRequest
from workflows.access import Permission
from workflows.errors import BadInput


@bp.app_template_global("file_request_state")
def file_request_state(one: FileRequest) -> dict[str, Any]:
    """State of a request as a tag; leave that ran out says so."""
    return {
        "asked": {"text": _("Waiting for approval"), "tone": "wait", "icon": "hourglass"},
        "approved": {"text": _("Approved"), "tone": "ok", "icon": "check"},
        "refused": {"text": _("Refused"), "tone": "late", "icon": "no"},
        "revoked": {"text": _("Taken back"), "tone": "", "icon": "undo"},
        "expired": {"text": _("Expired"), "tone": "", "icon": "clock"},
    }[one.standing(utc_now())]


@bp.get("/vu-viec/yeu-cau")
@needs(Permission.CASE_SEE)
def file_requests() -> ResponseReturnValue:
    """Requests that wait for this person's decision, and the own ones."""
    return render_template("cases/file_requests.html", lists=operations.lists(current_actor()))


@bp.get("/vu-viec/<uuid:case_id>/xin-mo")
@needs(Permission.CASE_RETRIEVE)
def ask_file(case_id: UUID) -> ResponseReturnValue:
    """The form that asks for the file, with a reason."""
    return _ask_page(case_id, {"days": str(operations.USUAL_DAYS)}, {})


def _ask_page(case_id: UUID, typed: dict[str, str], errors: dict[str, str]) -> str:
    page = operations.ask_page(case_id, by=current_actor())
    return render_template("cases/ask_file.html", page=page, typed=typed, errors=errors)


@bp.post("/vu-viec/<uuid:case_id>/xin-mo")
@needs(Permission.CASE_RETRIEVE)
def ask_file_submit(case_id: UUID) -> ResponseReturnValue:
    """Keep the request; the unit that holds the case decides."""
    typed = {
        "reason": request.form.get("reason", "").strip()[:600],
        "document_number": request.form.get("document_number", "").strip()[:80],
        "days": request.form.get("days", "").strip()[:4],
    }
    try:
        code = operations.ask(
            case_id,
            reason=typed["reason"],
            document_number=typed["document_number"],
            days=_number(typed["days"]),
            by=current_actor(),
        )
    except BadInput as bad:
        return _ask_page(case_id, typed, bad.fields), 422
    flash(_("Request %(code)s has been sent to the unit that holds the case.", code=code))
    return redirect(url_for(".show", case_id=case_id), code=303)


def _number(typed: str) -> int:
    return int(typed) if typed.isdecimal() else 0


@bp.post("/vu-viec/yeu-cau/<uuid:request_id>/duyet")
@needs(Permission.CASE_RETRIEVE_APPROVE)
def approve_file(request_id: UUID) -> ResponseReturnValue:
    """Give leave to read the file for some days."""
    days = _number(request.form.get("days", "").strip())
    try:
        row = operations.approve(request_id, days=days, by=current_actor())
    except BadInput as bad:
        return _back_with(bad)
    flash(_("The file is open to the person who asked until %(day)s.", day=_day(row)), "success")
    return redirect(url_for(".show", case_id=row.case_id, _anchor="yeu-cau"), code=303)


def _day(row: CaseFileRequest) -> str:
    return f"{row.expires_at.astimezone(LOCAL):%d/%m/%Y}"


def _back_with(bad: BadInput) -> ResponseReturnValue:
    flash(" ".join(bad.fields.values()), "error")
    return redirect(url_for(".file_requests"), code=303)


@bp.post("/vu-viec/yeu-cau/<uuid:request_id>/tu-choi")
@needs(Permission.CASE_RETRIEVE_APPROVE)
def refuse_file(request_id: UUID) -> ResponseReturnValue:
    """Say no, with a reason."""
    return _ended(operations.refuse, request_id, _("The request is refused."))


@bp.post("/vu-viec/yeu-cau/<uuid:request_id>/thu-hoi")
@needs(Permission.CASE_RETRIEVE_APPROVE)
def take_file_back(request_id: UUID) -> ResponseReturnValue:
    """End leave before its term."""
    told = _("The leave is taken back; the file is closed to that person.")
    return _ended(operations.take_back, request_id, told)


def _ended(end: Callable[..., CaseFileRequest], request_id: UUID, told: str) -> ResponseReturnValue:
    """Refuse or take back, both with the reason that was typed."""
    reason = request.form.get("decision_reason", "")[:600]
    try:
        row = end(request_id, reason=reason, by=current_actor())
    except BadInput as bad:
        return _back_with(bad)
    flash(told)
    return redirect(url_for(".show", case_id=row.case_id, _anchor="yeu-cau"), code=303)
