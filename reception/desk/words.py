"""Codes of the desk in the words people read."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

KINDS: dict[str, Any] = {
    "complaint": _l("Complaint"),
    "denunciation": _l("Denunciation"),
    "recommendation": _l("Recommendation, feedback"),
    "feedback": _l("Feedback"),
    "information": _l("Asks for information"),
    "mixed": _l("Mixed, to be split"),
    "unclassified": _l("Not yet classified"),
}
KIND_KEYS = {"complaint": "K", "denunciation": "T", "recommendation": "P", "information": "H"}

OUTCOMES: dict[str, Any] = {
    "petition": _l("Petition taken"),
    "oral_guidance": _l("Oral guidance"),
    "papers_received": _l("Papers received"),
    "refused": _l("Reception refused"),
    "heard": _l("Heard"),
}

NEEDS: dict[str, Any] = {
    "elderly": _l("Elderly person"),
    "disabled": _l("Person with a disability"),
    "hearing": _l("Hard of hearing: speak slowly, print large"),
    "pregnant": _l("Pregnant woman"),
    "child": _l("With a small child"),
    "merit": _l("Person of merit"),
    "far": _l("Came from far away"),
}

PAPER_FORMS: dict[str, Any] = {
    "copy": _l("Photocopy"),
    "certified": _l("Certified copy"),
    "original": _l("Original paper"),
    "photo": _l("Printed photo"),
    "file": _l("File on a medium"),
}

CHANNELS: dict[str, Any] = {
    "online": _l("online"),
    "desk": _l("at the desk"),
    "post": _l("by post"),
    "reception_session": _l("in an online reception"),
    "forwarded": _l("forwarded by another body"),
}

SALUTATIONS: list[tuple[str, Any]] = [("", _l("Mr/Ms")), ("ông", _l("Mr")), ("bà", _l("Ms"))]
