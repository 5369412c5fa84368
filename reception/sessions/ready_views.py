"""The three gates, telling the points, and the pages of one point."""

from __future__ import annotations

from uuid import UUID

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception.access import current_actor, needs
from reception.clock import LOCAL, legal_now
from reception.security import allow_devices
from reception.sessions import home_link_operations, ready_operations
from reception.sessions.blueprint import bp, kind_words, pool, staff_door, state_tag
from reception.sessions.clock_views import jumps
from reception.sessions.forms import device_words, id_from
from reception.sessions.link_test import LinkTest
from reception.sessions.presence import INSIDE
from reception.sessions.printing import invitation_pdf
from reception.settings import settings
from workflows.access import Permission
from workflows.errors import BadInput, DomainError
from workflows.gates import REASONS


@bp.get("/phien/<uuid:meeting_id>/chuan-bi")
@needs(Permission.SESSION_SEE)
def ready(meeting_id: UUID) -> ResponseReturnValue:
    """What still blocks the session, each with what to do about it."""
    away = staff_door()
    if away is not None:
        return away
    now = legal_now()
    page = ready_operations.readiness(meeting_id, by=current_actor(), pool=pool(), now=now)
    meeting = page.sitting.meeting
    return render_template(
        "sessions/ready.html",
        page=page,
        meeting=meeting,
        state=state_tag(meeting.state),
        kinds=kind_words(),
        reason=next((r for r in REASONS if r.code == meeting.reason_code), None),
        left_s=int((meeting.starts_at - now).total_seconds()),
        jumps=jumps(page) if settings().allows_demo_clock else (),
        own_point=_own_point(meeting_id),
        local=LOCAL,
    )


def _own_point(meeting_id: UUID) -> UUID | None:
    try:
        return ready_operations.point_of(meeting_id, by=current_actor())
    except DomainError:
        return None


@bp.post("/phien/<uuid:meeting_id>/bao-diem-cau")
@needs(Permission.SESSION_NOTIFY)
def notify(meeting_id: UUID) -> ResponseReturnValue:
    """Tell every point; the invitations can be printed at once."""
    ready_operations.notify_points(meeting_id, by=current_actor(), now=legal_now())
    return redirect(url_for(".ready", meeting_id=meeting_id), code=303)


@bp.post("/phien/<uuid:meeting_id>/du-tu-nha")
@needs(Permission.SESSION_HOME_LINK)
def home_link(meeting_id: UUID) -> ResponseReturnValue:
    """The head allows joining from home, or takes it back, with a reason."""
    allowing = request.form.get("decision") == "allow"
    decide = home_link_operations.allow if allowing else home_link_operations.take_back
    try:
        decide(meeting_id, reason=request.form.get("reason", "")[:500], by=current_actor())
    except BadInput as bad:
        flash(bad.fields["reason"], "error")
        return redirect(url_for(".ready", meeting_id=meeting_id, _anchor="du-tu-nha"), code=303)
    flash(_("People may join from home.") if allowing else _("Links work at the points only."))
    return redirect(url_for(".ready", meeting_id=meeting_id), code=303)


@bp.get("/phien/<uuid:meeting_id>/giay-moi/<uuid:point_id>.pdf")
@needs(Permission.SESSION_NOTIFY)
def invitation(meeting_id: UUID, point_id: UUID) -> ResponseReturnValue:
    """The invitation of a point as a PDF, with the personal links as QR codes."""
    sitting, point, links = ready_operations.invitation(meeting_id, point_id, by=current_actor())
    pdf = invitation_pdf(sitting, point, links, base_url=settings().public_url)
    response = make_response(pdf)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="giay-moi-{point.seat}.pdf"'
    return response


# --- at a point ----------------------------------------------------------------------------------


@bp.get("/phien/<uuid:meeting_id>/thu-duong-truyen")
@needs(Permission.SESSION_TEST_POINT)
def own_point(meeting_id: UUID) -> ResponseReturnValue:
    """To the page of the point where this person works."""
    point_id = ready_operations.point_of(meeting_id, by=current_actor())
    return redirect(url_for(".point", meeting_id=meeting_id, point_id=point_id))


@bp.get("/phien/<uuid:meeting_id>/thu-duong-truyen/<uuid:point_id>")
@needs(Permission.SESSION_TEST_POINT)
def point(meeting_id: UUID, point_id: UUID) -> ResponseReturnValue:
    """One page for one point: test the line, check who sits there, say that it is ready."""
    allow_devices()
    page = ready_operations.point_page(meeting_id, point_id, by=current_actor())
    return render_template(
        "sessions/point.html",
        page=page,
        meeting=page.sitting.meeting,
        left_s=int((page.due_at - legal_now()).total_seconds()),
        inside=INSIDE,
    )


@bp.post("/phien/<uuid:meeting_id>/thu-duong-truyen/<uuid:point_id>/phong-thu")
@needs(Permission.SESSION_TEST_POINT)
def test_room(meeting_id: UUID, point_id: UUID) -> ResponseReturnValue:
    """Two tickets into a room that records nothing: the browser sends and receives itself."""
    ready_operations.point_page(meeting_id, point_id, by=current_actor())
    test = LinkTest.begin(settings(), pool().nearest)
    return {"room": test.room_id, "tickets": [ticket.as_json() for ticket in test.tickets()]}


@bp.post("/phien/<uuid:meeting_id>/thu-duong-truyen/<uuid:point_id>")
@needs(Permission.SESSION_TEST_POINT)
def keep_test(meeting_id: UUID, point_id: UUID) -> ResponseReturnValue:
    """Keep what the browser measured; the room of the test is closed."""
    data = request.get_json(silent=True) or request.form.to_dict()
    room_id = str(data.get("room", ""))
    if room_id:
        LinkTest.end(settings(), pool().nearest, room_id)
    good = ready_operations.record_link_test(
        meeting_id, point_id, device_words(data), by=current_actor(), now=legal_now()
    )
    if request.is_json:
        return {"passed": good}
    return redirect(url_for(".point", meeting_id=meeting_id, point_id=point_id), code=303)


@bp.post("/phien/<uuid:meeting_id>/diem-cau/<uuid:point_id>/san-sang")
@needs(Permission.SESSION_TEST_POINT)
def connect(meeting_id: UUID, point_id: UUID) -> ResponseReturnValue:
    """Say that the point is connected and ready."""
    ready_operations.connect_point(meeting_id, point_id, by=current_actor(), now=legal_now())
    return redirect(url_for(".point", meeting_id=meeting_id, point_id=point_id), code=303)


@bp.post("/phien/<uuid:meeting_id>/giay-to/<uuid:participant_id>")
@needs(Permission.SESSION_TEST_POINT)
def check_identity(meeting_id: UUID, participant_id: UUID) -> ResponseReturnValue:
    """The officer has compared papers and person."""
    point_id = id_from(request.form.get("point", ""))
    ready_operations.check_identity(meeting_id, participant_id, by=current_actor())
    return redirect(url_for(".point", meeting_id=meeting_id, point_id=point_id), code=303)
