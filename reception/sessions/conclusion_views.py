"""The notice of conclusion: write it, look at it as PDF, issue it."""

from __future__ import annotations

from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from reception.access import current_actor, needs
from reception.clock import legal_now
from reception.sessions import conclusion_operations
from reception.sessions.blueprint import bp, staff_door, state_tag
from reception.sessions.conclusion_operations import ConclusionPage, Papers, Point
from reception.sessions.facts import local_day
from reception.sessions.forms import id_from
from reception.sessions.printing import conclusion_pdf
from workflows.access import Permission
from workflows.errors import BadInput


@bp.get("/phien/<uuid:meeting_id>/ket-luan")
@needs(Permission.SESSION_SEE)
def conclusion(meeting_id: UUID) -> ResponseReturnValue:
    """The draft to write in, or the notice as issued."""
    away = staff_door()
    if away is not None:
        return away
    return _page(conclusion_operations.page(meeting_id, by=current_actor()))


def _page(
    shown: ConclusionPage, *, errors: dict[str, str] | None = None, number: str = ""
) -> ResponseReturnValue:
    page = render_template(
        "sessions/conclusion.html",
        page=shown,
        meeting=shown.meeting,
        state=state_tag(shown.meeting.state),
        told=conclusion_operations.parts_told(shown),
        errors=errors or {},
        number=number,
    )
    return page, 422 if errors else 200


@bp.post("/phien/<uuid:meeting_id>/ket-luan")
@needs(Permission.SESSION_SEE)
def save_conclusion(meeting_id: UUID) -> ResponseReturnValue:
    """Save what was written as a new edition."""
    _save(meeting_id)
    return redirect(url_for(".conclusion", meeting_id=meeting_id), code=303)


def _save(meeting_id: UUID) -> None:
    rows = zip(*(request.form.getlist(name) for name in ("item", "heading", "text")), strict=True)
    points = [
        Point(item, heading.strip(), text.replace("\r\n", "\n").strip())
        for item, heading, text in rows
        if item or heading.strip() or text.strip()
    ]
    edition = request.form.get("edition", -1, type=int)
    conclusion_operations.save(meeting_id, points, edition=edition, by=current_actor())


@bp.post("/phien/<uuid:meeting_id>/ket-luan/ban-hanh")
@needs(Permission.SESSION_CONCLUDE)
def issue_conclusion(meeting_id: UUID) -> ResponseReturnValue:
    """Save what stands on the page, then issue it under a number."""
    if request.form.getlist("text"):
        _save(meeting_id)
    shown = conclusion_operations.page(meeting_id, by=current_actor())
    number, now = request.form.get("number", ""), legal_now()
    try:
        conclusion_operations.ensure_complete(shown, number)
    except BadInput as bad:
        return _page(shown, errors=bad.fields, number=number)
    issued = {"number": number.strip(), "on": local_day(now)}
    parts = {
        item.id: conclusion_pdf(shown.only(item.id), **issued)
        for item in conclusion_operations.parts_told(shown)
    }
    conclusion_operations.issue(
        meeting_id,
        Papers(conclusion_pdf(shown, **issued), parts),
        number=number,
        edition=shown.edition,
        by=current_actor(),
        now=now,
    )
    return redirect(url_for(".conclusion", meeting_id=meeting_id), code=303)


@bp.get("/phien/<uuid:meeting_id>/ket-luan.pdf")
@needs(Permission.SESSION_SEE)
def conclusion_print(meeting_id: UUID) -> ResponseReturnValue:
    """The notice as PDF, whole or (`luot`) one visit's part; a draft says that it is one."""
    shown = conclusion_operations.page(meeting_id, by=current_actor())
    item_id = id_from(request.args["luot"]) if request.args.get("luot") else None
    part = shown.only(item_id) if item_id else shown
    body = conclusion_operations.issued_pdf(shown, item_id)
    response = make_response(conclusion_pdf(part) if body is None else body)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = (
        f'inline; filename="ket-luan-{shown.meeting.code}.pdf"'
    )
    return response
