"""What the pages of the room say: the sentence "Bây giờ", parts of the desk, words for scripts."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask_babel import gettext as _

from reception.sessions.presence import DESK, INSIDE, may_speak
from reception.sessions.room_state import RoomState
from storage.models import AgendaItem, Participant
from storage.models.base import utc_now
from storage.queries.sessions import LIVE


def now_sentence(state: RoomState) -> dict[str, str]:
    """What is happening, in one sentence and one line of what comes next."""
    meeting, me = state.sitting.meeting, state.me
    if meeting.state == "PAUSED":
        return _said(_("A short break"), _("Your place is kept. The session goes on by itself."))
    if meeting.state not in LIVE:
        return _before(state)
    if me.state not in INSIDE:
        return _outside(state)
    if state.lamp.state == "silent":
        return _said(
            _("Please wait: the recording has stopped"),
            _("Nothing you say now would be kept. It goes on as soon as the lamp is lit."),
        )
    return _inside(state)


def _said(head: str, text: str) -> dict[str, str]:
    return {"head": head, "text": text}


def _before(state: RoomState) -> dict[str, str]:
    if state.sitting.meeting.state == "IN_PERSON":
        return _said(
            _("The session goes on in person"), _("Please stay: an officer will take you in.")
        )
    if state.me.state in INSIDE:
        return _said(
            _("You are admitted. The session has not begun yet."),
            _("Stay on this page: you come in by yourself when it opens."),
        )
    return _said(
        _("You are in the waiting room"),
        _("The officers see that you are here. Nobody else sees or hears you yet."),
    )


def _outside(state: RoomState) -> dict[str, str]:
    if state.sitting.meeting.state == "CLOSED_ROOM":
        return _said(
            _("The chair is talking in a closed room"),
            _("Sound and picture of all points are cut. You are called when it is your turn."),
        )
    if state.me.state == "refused":
        return _said(
            _("You were asked to wait outside"), _("The chair will call you in again if needed.")
        )
    return _said(
        _("The session has begun. Please wait a moment."),
        _("An officer looks at your papers and lets you in."),
    )


def _inside(state: RoomState) -> dict[str, str]:
    if state.me.speaking_since_at is not None:
        return _said(
            _("It is your turn to speak"),
            _("Your microphone is on. Speak calmly; everybody hears you."),
        )
    speakers = [p for p in state.sitting.participants if p.speaking_since_at is not None]
    if speakers:
        newest = max(speakers, key=lambda p: p.speaking_since_at or utc_now())
        name = state.sitting.names[newest.id]
        return _said(
            _("%(name)s is speaking", name=name), _("The chair will then invite the next person.")
        )
    running = running_item(state)
    if running is not None:
        return _said(
            _("Visit %(number)s is being heard", number=running.seq),
            _("The chair is speaking. Raise your hand if you want to say something."),
        )
    return _said(_("The chair is leading the session"), _("You are called when it is your turn."))


def running_item(state: RoomState) -> AgendaItem | None:
    """The visit that is being heard."""
    return next((i for i in state.sitting.agenda if i.started_at and not i.ended_at), None)


# --- the desk ------------------------------------------------------------------------------------


def desk_context(state: RoomState) -> dict[str, Any]:
    """What the parts of the desk show: waiting room, hands, agenda, notes, lines."""
    people = state.sitting.participants
    inside = [person for person in people if person.state in INSIDE]
    return {
        "state": state,
        "sitting": state.sitting,
        "meeting": state.sitting.meeting,
        "waiting": [p for p in people if p.state in ("waiting", "refused")],
        "hands": sorted(
            (p for p in inside if p.hand_raised_at), key=lambda p: (p.hand_raised_at, p.id)
        ),
        "others": [p for p in inside if not p.hand_raised_at and p.part not in DESK],
        "may_speak": may_speak,
        "running": running_item(state),
        "live": state.sitting.meeting.state in LIVE,
        "lines": line_counts(state),
        "missing": [p for p in people if p.state == "dropped"],
        "heard": {item.id: state.sitting.heard_in(item) for item in state.sitting.agenda},
        "left": [item for item in state.sitting.agenda if item.ended_at is None],
        "feed_icons": FEED_ICONS,
        "feed_words": feed_words(),
    }


FEED_ICONS = {
    "note": "users",
    "task": "flag",
    "document": "document",
    "incident": "alert",
    "help": "hand",
    "item": "play",
    "opened": "record",
    "recorder": "alert",
    "pause": "cup",
    "resume": "play",
    "closed": "lock",
    "dropped": "offline",
    "returned": "wifi",
    "stranger": "shield",
    "muted": "mic-off",
    "closed_out": "lock",
    "segment": "record",
}


def feed_words() -> dict[str, str]:
    """Sentences for what happened to lines and recording; {name} stands for the person."""
    return {
        "dropped": _("{name} lost the line. The place is kept."),
        "returned": _("{name} is back."),
        "stranger": _("A connection that nobody was given was removed."),
        "muted": _("{name} was muted by the media server: not invited to speak."),
        "closed_out": _("{name} was moved to the waiting room."),
        "segment": _("A new recorded segment begins."),
    }


def line_counts(state: RoomState) -> dict[str, Any]:
    """How many lines are good, weak and lost, and the weakest by name."""
    inside = [p for p in state.sitting.participants if p.state in ("in_room", "dropped")]
    lost = [p for p in inside if p.state == "dropped"]
    weak = [p for p in inside if p.state == "in_room" and _is_weak(p)]
    return {
        "good": len(inside) - len(lost) - len(weak),
        "weak": len(weak),
        "lost": len(lost),
        "weakest": state.sitting.names[weak[0].id] if weak else "",
    }


def _is_weak(person: Participant) -> bool:
    line = person.line or {}
    return (line.get("loss") or 0) > 3 or (line.get("rtt") or 0) > 200


def desk_parts(state: RoomState) -> dict[str, str]:
    """The parts of the desk as markup; the page replaces only those that changed."""
    values = desk_context(state)
    return {
        name: render_template(f"sessions/desk/{name}.html", **values)
        for name in ("waiting", "agenda", "hands", "feed", "lines", "left")
    }


# --- words for the scripts -----------------------------------------------------------------------


def _shared_words() -> dict[str, str]:
    return {
        "lit": _("Recording now"),
        "waiting": _("Waiting for the first sealed bytes"),
        "silent": _("Not recording"),
        "off": _("Not recording yet"),
        "paused": _("On a break"),
        "sealedAgo": _("Sealed {seconds} s ago"),
        "chunks": _("piece {chunks} · {size}"),
        "segment": _("segment {segment}"),
        "lastSealed": _("The last piece was sealed {seconds} s ago"),
        "seconds": _("{seconds} s"),
        "you": _("You"),
        "micOn": _("Microphone on"),
        "micOff": _("Microphone off"),
        "turnMicOn": _("Turn microphone on"),
        "turnMicOff": _("Turn microphone off"),
        "cameraOn": _("Camera on"),
        "cameraOff": _("Camera off"),
        "lost": _("line lost"),
        "lostLong": _("{name} lost the line"),
        "reconnecting": _("Coming back by itself; the people here keep their places."),
        "noPicture": _("Sound only"),
        "connecting": _("Connecting sound and picture…"),
        "ownLost": _("Your own line is broken"),
        "ownLostText": _(
            "It is being mended by itself. What was said before is recorded and safe."
        ),
        "pageLost": _("The page cannot reach the system"),
        "pageLostText": _("Sound and picture may still work. It tries again every second."),
        "mediaDown": _("The media server does not answer"),
        "mediaDownText": _(
            "Agenda, notes and book still work. You can wait, or go on in person at any moment."
        ),
        "removed": _("You were moved out of the room, or the room was opened in another window."),
        "cameraRefused": _("The camera is not allowed, so you take part with sound only."),
        "micRefused": _("The microphone is not allowed: you hear everybody but cannot be heard."),
        "bothRefused": _("Camera and microphone are not allowed: you can watch and listen."),
        "sound": _("Press here to hear the room"),
        "over": _("The session is over."),
        "papers": _("Papers"),
        "papersLoading": _("Opening…"),
        "papersFailed": _("This paper cannot be opened here now."),
        "papersNone": _("No paper that you may see belongs to this session."),
        "paperVisit": _("Visit {visit}: {name}"),
        "paperPage": _("Page {page} of {pages}"),
        "showAll": _("Show everybody"),
        "stopShowing": _("Stop showing"),
    }


def desk_words() -> dict[str, str]:
    """Words the script of the desk needs."""
    return {
        **_shared_words(),
        "alarmHead": _("The recording has received nothing for {seconds} s."),
        "alarmText": _(
            "What was recorded before is sealed and safe. Tell the points: “Please pause, "
            "we wait for the recorder.” Microphones of the points are off until the lamp is lit."
        ),
        "alarmMedia": _(
            "The media server does not answer. Agenda, notes and book still work: declare a "
            "break and wait, or go on in person at any moment."
        ),
        "troubleHead": _("The recorder reports trouble"),
        "troubleText": _(
            "{what} The session goes on and stays recorded: sealed pieces are kept beside the "
            "recorder and sent to the store later. Agenda, notes and book still work."
        ),
        "lostHead": _("{name} is no longer in the session."),
        "lostText": _("The other points are still recorded. The turn to speak is kept."),
        "failed": _("That did not work. Try again."),
        "people": _("{people} people, {points} points"),
        "declareBreak": _("Declare a break"),
        "callPoint": _("Call {name}"),
    }


def seat_words() -> dict[str, str]:
    """Words the script of a citizen's or point's page needs."""
    return {
        **_shared_words(),
        "raise": _("Raise your hand to speak"),
        "lower": _("Take the hand down"),
        "handUp": _("Your hand is up. The chair sees it."),
        "mutedText": _("Your microphone is off. It turns on by itself when the chair invites you."),
        "openText": _("Your microphone is on."),
        "asked": _("The officers know. Somebody will help you."),
        "recording": _("Sound and picture are recorded"),
        "kept": _("kept private and sealed"),
        "mediaDown": _("Sound and picture are interrupted"),
        "mediaDownText": _(
            "Your place and your turn are kept, and it connects again by itself. Nothing to do."
        ),
    }
