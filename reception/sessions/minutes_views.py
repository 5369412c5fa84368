"""The minutes after the session: read, edit, confirm, print."""

from __future__ import annotations

from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from reception.access import current_actor, needs
from reception.clock import legal_now
from reception.sessions import minutes_operations
from reception.sessions.blueprint import bp, staff_door, state_tag
from reception.sessions.minutes_operations import Section
from reception.sessions.printing import minutes_pdf
from workflows.access import Permission


@bp.get("/phien/<uuid:meeting_id>/bien-ban")
@needs(Permission.SESSION_SEE)
def minutes(meeting_id: UUID) -> ResponseReturnValue:
    """The newest edition, and how far sealing has come."""
    away = staff_door()
    if away is not None:
        return away
    page = minutes_operations.page(meeting_id, by=current_actor())
    return render_template(
        "sessions/minutes.html",
        page=page,
        meeting=page.sitting.meeting,
        state=state_tag(page.sitting.meeting.state),
    )


@bp.post("/phien/<uuid:meeting_id>/bien-ban")
@needs(Permission.SESSION_SEE)
def save_minutes(meeting_id: UUID) -> ResponseReturnValue:
    """Save what was written as a new edition."""
    headings, texts = request.form.getlist("heading"), request.form.getlist("text")
    sections = [
        Section(heading.strip(), text.replace("\r\n", "\n").strip())
        for heading, text in zip(headings, texts, strict=True)
        if heading.strip() or text.strip()
    ]
    minutes_operations.save(
        meeting_id,
        sections,
        edition=request.form.get("edition", 0, type=int),
        by=current_actor(),
    )
    return redirect(url_for(".minutes", meeting_id=meeting_id), code=303)


@bp.post("/phien/<uuid:meeting_id>/bien-ban/da-doc")
@needs(Permission.SESSION_SEE)
def confirm_read_back(meeting_id: UUID) -> ResponseReturnValue:
    """The minutes were read back."""
    minutes_operations.confirm_read_back(meeting_id, by=current_actor(), now=legal_now())
    return redirect(url_for(".minutes", meeting_id=meeting_id), code=303)


@bp.post("/phien/<uuid:meeting_id>/bien-ban/da-ky")
@needs(Permission.SESSION_SEE)
def confirm_signed(meeting_id: UUID) -> ResponseReturnValue:
    """The paper minutes were signed."""
    minutes_operations.confirm_signed(meeting_id, by=current_actor())
    return redirect(url_for(".minutes", meeting_id=meeting_id), code=303)


@bp.get("/phien/<uuid:meeting_id>/bien-ban.pdf")
@needs(Permission.SESSION_SEE)
def minutes_print(meeting_id: UUID) -> ResponseReturnValue:
    """The newest edition as a PDF to print and sign."""
    page = minutes_operations.page(meeting_id, by=current_actor())
    response = make_response(minutes_pdf(page))
    response.headers["Content-Type"] = "application/pdf"
    name = f"bien-ban-{page.sitting.meeting.code}.pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response
