"""Pages of recordings: the list, one recording, asking for it and deciding about requests."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception.access import current_actor, needs
from reception.recordings import operations
from reception.recordings.forms import AskForm, DecideForm
from reception.recordings.shown import cause_words, grant_state, recording_state
from workflows.access import Permission

bp = Blueprint("recordings", __name__, url_prefix="/ban-ghi")
bp.app_template_global("recording_state")(recording_state)
bp.app_template_global("grant_state")(grant_state)
bp.app_template_global("cause_words")(cause_words)


@bp.get("")
@needs(Permission.RECORDING_LIST)
def index() -> ResponseReturnValue:
    """Recordings this person may see or ask for, and the requests they may decide."""
    actor = current_actor()
    page = max(1, request.args.get("trang", 1, type=int))
    rows, more = operations.list_recordings(actor, page=page)
    return render_template(
        "recordings/index.html",
        rows=rows,
        page=page,
        more=more,
        waiting=operations.list_waiting(actor),
    )


@bp.get("/<uuid:recording_id>")
@needs(Permission.RECORDING_LIST, hidden=True)
def show(recording_id: UUID) -> ResponseReturnValue:
    """One recording: state, integrity, requests, who has opened it."""
    page = operations.show_recording(recording_id, by=current_actor())
    return render_template("recordings/show.html", page=page, decide_form=DecideForm())


@bp.get("/<uuid:recording_id>/xin-xem")
@needs(Permission.RECORDING_LIST, hidden=True)
def ask(recording_id: UUID) -> ResponseReturnValue:
    """The form that asks for the recording with a reason."""
    page = operations.show_recording(recording_id, by=current_actor())
    return render_template("recordings/ask.html", page=page, form=AskForm())


@bp.post("/<uuid:recording_id>/xin-xem")
@needs(Permission.RECORDING_LIST, hidden=True)
def ask_submit(recording_id: UUID) -> ResponseReturnValue:
    """Keep the request; a leader of the unit may open at once."""
    form = AskForm.read(request.form)
    if form.errors:
        page = operations.show_recording(recording_id, by=current_actor())
        return render_template("recordings/ask.html", page=page, form=form), 422
    grant = operations.ask_for_playback(
        recording_id,
        by=current_actor(),
        reason=form.reason,
        document_number=form.document_number,
        closed_parts=form.closed_parts,
    )
    if grant.state == "approved":
        flash(_("You may open it now. The reason is kept with the recording."), "success")
    else:
        flash(_("Request %(code)s has been sent. A second person decides.", code=grant.code))
    return redirect(url_for(".show", recording_id=recording_id), code=303)


@bp.post("/yeu-cau/<uuid:grant_id>/duyet")
@needs(Permission.RECORDING_APPROVE, hidden=True)
def approve(grant_id: UUID) -> ResponseReturnValue:
    """Give leave for some days."""
    form = DecideForm.read(request.form, refusing=False)
    if form.errors:
        flash(form.errors["days"], "error")
        return redirect(_back(grant_id), code=303)
    grant = operations.approve_playback(
        grant_id, by=current_actor(), days=form.days, closed_parts=form.closed_parts
    )
    flash(_("Request %(code)s is approved.", code=grant.code), "success")
    return redirect(url_for(".show", recording_id=grant.recording_id), code=303)


@bp.post("/yeu-cau/<uuid:grant_id>/tu-choi")
@needs(Permission.RECORDING_APPROVE, hidden=True)
def refuse(grant_id: UUID) -> ResponseReturnValue:
    """Say no, with a reason."""
    form = DecideForm.read(request.form, refusing=True)
    if form.errors:
        flash(form.errors["decision_reason"], "error")
        return redirect(_back(grant_id), code=303)
    grant = operations.refuse_playback(grant_id, by=current_actor(), reason=form.decision_reason)
    flash(_("Request %(code)s is refused.", code=grant.code))
    return redirect(url_for(".show", recording_id=grant.recording_id), code=303)


@bp.post("/yeu-cau/<uuid:grant_id>/thu-hoi")
@needs(Permission.RECORDING_APPROVE, hidden=True)
def revoke(grant_id: UUID) -> ResponseReturnValue:
    """Take leave back."""
    grant = operations.revoke_playback(
        grant_id, by=current_actor(), reason=request.form.get("decision_reason", "")
    )
    flash(_("Request %(code)s is withdrawn.", code=grant.code))
    return redirect(url_for(".show", recording_id=grant.recording_id), code=303)


@bp.post("/<uuid:recording_id>/kiem")
@needs(Permission.RECORDING_VERIFY, hidden=True)
def verify(recording_id: UUID) -> ResponseReturnValue:
    """Check the recording against everything that was written down about it."""
    check = operations.verify_recording(recording_id, by=current_actor())
    if check is None:
        flash(_("The check is running. This page shows the result when it is done."))
    elif check.ok:
        flash(_("The recording is intact."), "success")
    else:
        flash(_("The recording does not match its seal."), "error")
    return redirect(url_for(".show", recording_id=recording_id), code=303)


def _back(grant_id: UUID) -> str:
    return url_for(".show", recording_id=operations.recording_of(grant_id))


from reception.recordings import player_views  # noqa: E402, F401  # the player's part of this Blueprint
