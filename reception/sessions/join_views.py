"""Coming in: the personal link, getting ready, the waiting room."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from reception.access import current_actor, needs, public
from reception.clock import legal_now
from reception.security import allow_devices, limit
from reception.sessions import room_operations
from reception.sessions.blueprint import bp, staff_door
from reception.sessions.forms import device_words
from reception.sessions.presence import INSIDE
from reception.sessions.room_operations import Doorway, MeetingOver
from workflows.access import VISITOR, Permission
from workflows.errors import Conflict, NotFound

TOKEN_HEADER = "X-Join-Token"  # noqa: S105  # the name of a header, no secret


def asking_participant(meeting_id: UUID) -> UUID:
    """The participant who asks: by personal link, else by log-in. Raises NotFound.

    A link of another session reads as if there were no such session.
    """
    token = request.headers.get(TOKEN_HEADER, "")
    if token:
        found, participant_id = room_operations.by_link(token)
        if found != meeting_id:
            raise NotFound
        return participant_id
    actor = current_actor()
    if actor is VISITOR:
        raise NotFound
    return room_operations.by_account(meeting_id, actor)


def linked_participant(token: str) -> UUID:
    """The participant behind a personal link; guessing is slowed down. Raises NotFound."""
    try:
        return room_operations.by_link(token)[1]
    except NotFound:
        limit("join-link", request.remote_addr or "", most=30, within=timedelta(minutes=5))
        raise


def _ready_page(
    door: Doorway, *, token: str, refused: str = "", status: int = 200
) -> tuple[str, int]:
    allow_devices()
    page = render_template(
        "sessions/join.html",
        door=door,
        meeting=door.meeting,
        point=door.sitting.point(door.me.point_id),
        token=token,
        refused=refused,
        left_s=int((door.meeting.starts_at - legal_now()).total_seconds()),
        inside=door.me.state in (*INSIDE, "waiting"),
    )
    return page, status


def _over_page(over: MeetingOver, door: Doorway) -> tuple[str, int]:
    page = render_template(
        "sessions/over.html", message=over.message, door=door, meeting=door.meeting
    )
    return page, 410


@bp.get("/vao-phong/<token>")
@public
def join(token: str) -> ResponseReturnValue:
    """Get ready: look at oneself, try sound, know that all is recorded."""
    door = room_operations.doorway(linked_participant(token), now=legal_now())
    if door.over is not None:
        return _over_page(door.over, door)
    return _ready_page(door, token=token)


@bp.post("/vao-phong/<token>")
@public
def arrive(token: str) -> ResponseReturnValue:
    """Go to the waiting room."""
    return _arrive(
        linked_participant(token), token=token, onward=url_for(".linked_room", token=token)
    )


def _arrive(participant_id: UUID, *, token: str, onward: str) -> ResponseReturnValue:
    try:
        room_operations.arrive(
            participant_id,
            notice_seen=bool(request.form.get("notice")),
            devices=device_words(request.form.to_dict()),
            now=legal_now(),
        )
    except MeetingOver as over:
        return _over_page(over, room_operations.doorway(participant_id, now=legal_now()))
    except Conflict as refused:
        door = room_operations.doorway(participant_id, now=legal_now())
        return _ready_page(door, token=token, refused=refused.message, status=409)
    return redirect(onward, code=303)


@bp.get("/phien/<uuid:meeting_id>/vao")
@needs(Permission.SESSION_JOIN)
def enter(meeting_id: UUID) -> ResponseReturnValue:
    """The same page for staff who log in."""
    away = staff_door()
    if away is not None:
        return away
    me = room_operations.by_account(meeting_id, current_actor())
    door = room_operations.doorway(me, now=legal_now())
    if door.over is not None:
        return _over_page(door.over, door)
    return _ready_page(door, token="")


@bp.post("/phien/<uuid:meeting_id>/vao")
@needs(Permission.SESSION_JOIN)
def enter_waiting(meeting_id: UUID) -> ResponseReturnValue:
    """Staff go to the waiting room, the desk straight in."""
    me = room_operations.by_account(meeting_id, current_actor())
    return _arrive(me, token="", onward=url_for(".room", meeting_id=meeting_id))
