"""The room itself: its pages, what they poll, tickets and hands."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from reception.access import current_actor, needs, public
from reception.clock import LOCAL, legal_now
from reception.security import allow_devices
from reception.sessions import room_operations, room_words
from reception.sessions.blueprint import bp, part_words, pool, staff_door
from reception.sessions.join_views import asking_participant, linked_participant
from reception.sessions.room_operations import MeetingOver
from reception.sessions.room_state import RoomState, as_json, room_state
from reception.sessions.room_watch import watch
from workflows.access import Permission


@bp.get("/phien/<uuid:meeting_id>/phong")
@needs(Permission.SESSION_JOIN)
def room(meeting_id: UUID) -> ResponseReturnValue:
    """The room for staff: the desk for chair and clerk, the plain page for everybody else."""
    away = staff_door()
    if away is not None:
        return away
    me = room_operations.by_account(meeting_id, current_actor())
    return _room_page(me, token="")


@bp.get("/vao-phong/<token>/phong")
@public
def linked_room(token: str) -> ResponseReturnValue:
    """The room for whoever holds a personal link."""
    return _room_page(linked_participant(token), token=token)


def _room_page(me: UUID, *, token: str) -> ResponseReturnValue:
    door = room_operations.doorway(me, now=legal_now())
    state = room_state(me)
    if door.over is not None and not (state.desk and door.meeting.state == "IN_PERSON"):
        if state.desk and door.meeting.ended_at:
            return redirect(url_for(".minutes", meeting_id=door.meeting.id))
        page = render_template(
            "sessions/over.html", message=door.over.message, door=door, meeting=door.meeting
        )
        return page, 410
    if not state.desk and state.me.state in ("invited", "left"):
        target = (
            url_for(".join", token=token)
            if token
            else url_for(".enter", meeting_id=door.meeting.id)
        )
        return redirect(target)
    allow_devices()
    return _desk_page(state) if state.desk else _seat_page(state, token)


def _seat_page(state: RoomState, token: str) -> str:
    return render_template(
        "sessions/seat.html",
        state=state,
        meeting=state.sitting.meeting,
        point=state.sitting.point(state.me.point_id),
        token=token,
        said=room_words.now_sentence(state),
        words=room_words.seat_words(),
        data=_answer(state),
    )


def _desk_page(state: RoomState) -> str:
    meeting = state.sitting.meeting
    _, gates = room_operations.gates_for(meeting.id, pool=pool())
    return render_template(
        "sessions/room.html",
        words=room_words.desk_words(),
        chair=state.me.account_id == meeting.presiding_id,
        gates=gates,
        data=_answer(state),
        **room_words.desk_context(state),
    )


@bp.get("/phien/<uuid:meeting_id>/tinh-trang")
@public
def state(meeting_id: UUID) -> ResponseReturnValue:
    """What a page polls each second: lamp, people, agenda, notes; names only of those inside."""
    me = asking_participant(meeting_id)
    line = _line()
    if line:
        room_operations.note_line(me, line)
    watch(meeting_id, pool=pool())
    return _answer(room_state(me))


def _line() -> dict[str, Any]:
    """How the browser says its line stands; unknown words are dropped."""
    known = ("media", "mic", "camera")
    line: dict[str, Any] = {
        word: request.args[word][:20] for word in known if request.args.get(word)
    }
    for number in ("loss", "rtt"):
        value = request.args.get(number, type=float)
        if value is not None and math.isfinite(value):  # no page can read NaN in what it polls
            line[number] = round(value, 1)
    return line


def _answer(state: RoomState) -> dict[str, Any]:
    now = legal_now()
    answer = as_json(state, now=now)
    answer["clock"] = f"{now.astimezone(LOCAL):%H:%M}"
    answer["say"] = room_words.now_sentence(state)
    parts = part_words()
    for person in answer["participants"]:
        person["label"] = person["title"] or parts[person["part"]]
    if state.desk:
        answer["parts"] = room_words.desk_parts(state)
    return answer


@bp.post("/phien/<uuid:meeting_id>/ve")
@public
def ticket(meeting_id: UUID) -> ResponseReturnValue:
    """A ticket for one join. 410 when the session is over, 503 while nothing is recorded."""
    try:
        made = room_operations.issue_ticket(meeting_id, asking_participant(meeting_id), pool=pool())
    except MeetingOver as over:
        return {"error": over.message}, 410
    return made.as_json(), 200, {"Cache-Control": "no-store"}


@bp.post("/phien/<uuid:meeting_id>/gio-tay")
@public
def hand(meeting_id: UUID) -> ResponseReturnValue:
    """Ask to speak, or take the hand down."""
    data = request.get_json(silent=True) or request.form
    room_operations.raise_hand(
        asking_participant(meeting_id), up=str(data.get("up", "1")) in ("1", "True", "true")
    )
    return {"ok": True}


@bp.post("/phien/<uuid:meeting_id>/can-giup")
@public
def help_me(meeting_id: UUID) -> ResponseReturnValue:
    """Tell the desk: cannot hear, needs a person, asks for protection."""
    data = request.get_json(silent=True) or request.form
    room_operations.ask_for_help(asking_participant(meeting_id), what=str(data.get("what", "")))
    return {"ok": True}
