"""Buttons of the desk: each works as a plain form and, without reloading, from the script."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from reception.access import current_actor, needs
from reception.clock import legal_now
from reception.errors import wants_json
from reception.sessions import conduct_operations
from reception.sessions.blueprint import bp, pool
from reception.sessions.forms import EndForm, new_key
from workflows.access import Permission


def _done(meeting_id: UUID) -> ResponseReturnValue:
    """Back to the room, or a short answer for the page's script."""
    if wants_json():
        return {"ok": True}
    return redirect(url_for(".room", meeting_id=meeting_id), code=303)


@bp.post("/phien/<uuid:meeting_id>/mo")
@needs(Permission.SESSION_CHAIR)
def open_session(meeting_id: UUID) -> ResponseReturnValue:
    """Open the session; the recording begins with it."""
    conduct_operations.open_session(
        meeting_id,
        notice_given=bool(request.form.get("notice")),
        by=current_actor(),
        pool=pool(),
        now=legal_now(),
    )
    return _done(meeting_id)


@bp.post("/phien/<uuid:meeting_id>/tam-nghi")
@needs(Permission.SESSION_CHAIR)
def pause(meeting_id: UUID) -> ResponseReturnValue:
    """A break."""
    conduct_operations.pause(meeting_id, by=current_actor(), pool=pool(), now=legal_now())
    return _done(meeting_id)


@bp.post("/phien/<uuid:meeting_id>/tiep-tuc")
@needs(Permission.SESSION_CHAIR)
def resume(meeting_id: UUID) -> ResponseReturnValue:
    """After the break."""
    conduct_operations.resume(meeting_id, by=current_actor(), pool=pool(), now=legal_now())
    return _done(meeting_id)


@bp.post("/phien/<uuid:meeting_id>/phong-kin")
@needs(Permission.SESSION_CHAIR)
def close_room(meeting_id: UUID) -> ResponseReturnValue:
    """Into the closed room."""
    conduct_operations.close_room(
        meeting_id,
        protection=request.form.get("why") != "self_recording",
        reason=request.form.get("reason", "").strip(),
        by=current_actor(),
        pool=pool(),
        now=legal_now(),
    )
    return _done(meeting_id)


@bp.post("/phien/<uuid:meeting_id>/mo-lai-phong")
@needs(Permission.SESSION_CHAIR)
def reopen(meeting_id: UUID) -> ResponseReturnValue:
    """Back to the common room."""
    conduct_operations.reopen(meeting_id, by=current_actor(), pool=pool(), now=legal_now())
    return _done(meeting_id)


@bp.post("/phien/<uuid:meeting_id>/tiep-truc-tiep")
@needs(Permission.SESSION_CHAIR)
def turn_in_person(meeting_id: UUID) -> ResponseReturnValue:
    """Go on in person."""
    conduct_operations.turn_in_person(
        meeting_id,
        note=request.form.get("note", "").strip(),
        by=current_actor(),
        pool=pool(),
        now=legal_now(),
    )
    return _done(meeting_id)


@bp.post("/phien/<uuid:meeting_id>/ket-thuc")
@needs(Permission.SESSION_CHAIR)
def end(meeting_id: UUID) -> ResponseReturnValue:
    """End for good, after an answer for each visit and the words of confirmation."""
    form = EndForm.read(request.form)
    conduct_operations.end_session(
        meeting_id,
        typed=form.confirm,
        answers=form.answers,
        nobody=form.nobody,
        by=current_actor(),
        pool=pool(),
        now=legal_now(),
    )
    if wants_json():
        return {"ok": True, "next": url_for(".minutes", meeting_id=meeting_id)}
    return redirect(url_for(".minutes", meeting_id=meeting_id), code=303)


@bp.post("/phien/<uuid:meeting_id>/nguoi/<uuid:participant_id>/cho-vao")
@needs(Permission.SESSION_ADMIT)
def admit(meeting_id: UUID, participant_id: UUID) -> ResponseReturnValue:
    """Let somebody in."""
    conduct_operations.admit(
        meeting_id,
        participant_id,
        papers_seen=bool(request.form.get("papers")),
        by=current_actor(),
    )
    return _done(meeting_id)


@bp.post("/phien/<uuid:meeting_id>/nguoi/<uuid:participant_id>/moi-ra")
@needs(Permission.SESSION_ADMIT)
def send_out(meeting_id: UUID, participant_id: UUID) -> ResponseReturnValue:
    """Send somebody back to the waiting room."""
    conduct_operations.send_out(meeting_id, participant_id, by=current_actor(), pool=pool())
    return _done(meeting_id)


@bp.post("/phien/<uuid:meeting_id>/nguoi/<uuid:participant_id>/moi-noi")
@needs(Permission.SESSION_ADMIT)
def invite_to_speak(meeting_id: UUID, participant_id: UUID) -> ResponseReturnValue:
    """Open a microphone."""
    conduct_operations.invite_to_speak(meeting_id, participant_id, by=current_actor(), pool=pool())
    return _done(meeting_id)


@bp.post("/phien/<uuid:meeting_id>/nguoi/<uuid:participant_id>/tat-micro")
@needs(Permission.SESSION_ADMIT)
def mute(meeting_id: UUID, participant_id: UUID) -> ResponseReturnValue:
    """Close one microphone."""
    conduct_operations.mute(meeting_id, participant_id, by=current_actor())
    return _done(meeting_id)


@bp.post("/phien/<uuid:meeting_id>/tat-micro")
@needs(Permission.SESSION_ADMIT)
def mute_all(meeting_id: UUID) -> ResponseReturnValue:
    """Close the microphones of all points."""
    conduct_operations.mute(meeting_id, None, by=current_actor())
    return _done(meeting_id)


@bp.post("/phien/<uuid:meeting_id>/luot/<uuid:item_id>/bat-dau")
@needs(Permission.SESSION_ADMIT)
def start_item(meeting_id: UUID, item_id: UUID) -> ResponseReturnValue:
    """Begin a visit."""
    conduct_operations.start_item(meeting_id, item_id, by=current_actor())
    return _done(meeting_id)


@bp.post("/phien/<uuid:meeting_id>/luot/<uuid:item_id>/xong")
@needs(Permission.SESSION_ADMIT)
def finish_item(meeting_id: UUID, item_id: UUID) -> ResponseReturnValue:
    """End a visit: its line enters the book."""
    conduct_operations.finish_item(
        meeting_id,
        item_id,
        answer=request.form.get("answer", "").strip(),
        by=current_actor(),
        now=legal_now(),
    )
    return _done(meeting_id)


@bp.post("/phien/<uuid:meeting_id>/moc")
@needs(Permission.SESSION_ADMIT)
def add_note(meeting_id: UUID) -> ResponseReturnValue:
    """A note with its moment."""
    conduct_operations.add_note(
        meeting_id,
        kind=request.form.get("kind", "note"),
        text=request.form.get("text", ""),
        key=request.form.get("key") or new_key(),
        item_id=None,
        by=current_actor(),
    )
    return _done(meeting_id)
