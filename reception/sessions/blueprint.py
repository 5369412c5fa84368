"""The blueprint of the area and what its pages share."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from reception.access import current_actor
from reception.services import gateway
from reception.sessions.media import MediaPool
from reception.settings import settings
from workflows.access import VISITOR
from workflows.errors import NotFound
from workflows.procedures import procedure

bp = Blueprint("sessions", __name__)

TONES = {
    "SCHEDULED": ("wait", "clock"),
    "NOTIFIED": ("wait", "mail"),
    "TESTED": ("wait", "wifi"),
    "READY": ("ok", "check"),
    "OPEN": ("info", "record"),
    "PAUSED": ("wait", "cup"),
    "CLOSED_ROOM": ("info", "lock"),
    "IN_PERSON": ("info", "users"),
    "ENDED": ("wait", "pen"),
    "MINUTED": ("wait", "document"),
    "SEALED": ("ok", "seal"),
    "RECORDED": ("ok", "book"),
    "CONCLUDED": ("ok", "check-circle"),
    "CANCELLED": ("line", "no"),
    "DIVERTED_IN_PERSON": ("info", "users"),
}


def pool() -> MediaPool:
    """The media servers of the running application."""
    return MediaPool(settings(), gateway())


def state_tag(state: str) -> dict[str, str]:
    """Word, tone and icon of a session's state, in the reader's language."""
    known = procedure("SES").states[state]
    tone, icon = TONES.get(state, ("line", "info"))
    text = known.label_en if str(get_locale()) == "en" else known.label_vi
    return {"text": text, "tone": tone, "icon": icon}


def kind_words() -> dict[str, str]:
    """The kinds of session as people call them."""
    return {
        "regular": _("Regular reception"),
        "periodic": _("Periodic reception by the head"),
        "ad_hoc": _("Ad hoc reception"),
    }


def part_words() -> dict[str, str]:
    """The parts people play."""
    return {
        "chair": _("Presiding"),
        "clerk": _("Keeps the minutes"),
        "officer": _("Officer at the point"),
        "citizen": _("Citizen"),
        "representative": _("Representative"),
        "interpreter": _("Interpreter"),
        "technician": _("Technician"),
        "guest": _("Guest"),
    }


def staff_door() -> ResponseReturnValue | None:
    """Where to send somebody who is not staff: to the log-in, or nowhere that exists."""
    actor = current_actor()
    if actor is VISITOR:
        return redirect(url_for("accounts.log_in", next=request.full_path.rstrip("?")))
    if actor.is_citizen:
        raise NotFound
    return None
