"""Words and colours of recordings, the same on every page."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from storage.integrity import kept_check
from storage.models import PlaybackGrant, Recording
from storage.models.base import utc_now


def recording_state(recording: Recording) -> dict[str, str]:
    """State as a tag. “Sealed, not yet signed” is said wherever a recording is named."""
    check = kept_check(recording)
    if recording.state == "broken" or (check is not None and not check["ok"]):
        return {"text": _("Does not match its seal"), "tone": "late", "icon": "alert"}
    if recording.state == "recording":
        return {"text": _("Being recorded"), "tone": "info", "icon": "record"}
    if recording.state == "closing":
        return {"text": _("Sealing, copy being made"), "tone": "wait", "icon": "hourglass"}
    if recording.signature_state == "unsigned":
        return {"text": _("Sealed, not yet signed"), "tone": "ok", "icon": "shield"}
    return {"text": _("Sealed and signed"), "tone": "ok", "icon": "seal"}


def grant_state(grant: PlaybackGrant) -> dict[str, str]:
    """State of a request as a tag; an approved one that ran out says so."""
    if grant.state == "approved" and (grant.expires_at is None or grant.expires_at <= utc_now()):
        return {"text": _("Expired"), "tone": "", "icon": "clock"}
    return {
        "asked": {"text": _("Waiting for approval"), "tone": "wait", "icon": "hourglass"},
        "approved": {"text": _("Approved"), "tone": "ok", "icon": "check"},
        "refused": {"text": _("Refused"), "tone": "late", "icon": "no"},
        "revoked": {"text": _("Withdrawn"), "tone": "", "icon": "undo"},
    }[grant.state]


def cause_words(cause: str) -> str:
    """Why sound or picture is missing."""
    return {
        "break": _("the session was on a break"),
        "recorder": _("the recorder stood still"),
        "line": _("line lost"),
        "away": _("had left the session"),
    }.get(cause, cause)


def part_words(part: str) -> str:
    """A person's part in the session."""
    return {
        "chair": _("Presides"),
        "clerk": _("Clerk"),
        "officer": _("Officer"),
        "citizen": _("Citizen"),
        "representative": _("Representative"),
        "interpreter": _("Interpreter"),
        "technician": _("Technician"),
    }.get(part, _("Guest"))


MARK_ICONS = {
    "agenda": "play",
    "line": "offline",
    "segment": "stop",
    "closed": "lock",
    "decision": "flag",
    "assignment": "flag",
    "conclusion": "flag",
    "document": "document",
    "statement": "talk",
    "incident": "alert",
}


def mark_shown(kind: str, text: str) -> dict[str, Any]:
    """Icon, tone and words of a place to jump to."""
    words = {
        "line": _("%(place)s lost its line", place=text),
        "segment": _("Recording goes on in a new part"),
        "closed": _("Closed room: not open to you"),
    }.get(kind, text)
    tone = {"line": "gap", "segment": "gap", "incident": "gap", "closed": "locked"}.get(kind, "")
    return {"icon": MARK_ICONS.get(kind, "note"), "tone": tone, "words": words}
