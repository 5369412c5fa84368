"""The words and signs of the inbox: kinds, states, channels, parts of a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from reception.petitions.inbox_pages import Choice
from storage.models import Petition
from storage.queries.inbox import Row
from workflows.cases import LinkKind
from workflows.procedures.loader import procedure

KINDS: dict[str, Any] = {
    "complaint": _l("Complaint"),
    "denunciation": _l("Denunciation"),
    "recommendation": _l("Recommendation"),
    "feedback": _l("Feedback"),
    "mixed": _l("Mixed, to be split"),
    "unclassified": _l("Kind not settled yet"),
}

KIND_CLASS = {"complaint": "kn", "denunciation": "tc", "recommendation": "pa", "feedback": "pa"}

STATES: dict[str, tuple[Any, str, str]] = {
    "AWAITING_SIGNATURE": (_l("Waiting for signature"), "wait", "pen"),
    "RECEIVED": (_l("To be classified"), "wait", "hourglass"),
    "CLASSIFIED": (_l("To be handled"), "wait", "hourglass"),
    "PROPOSED": (_l("To be approved"), "info", "pen"),
    "ACCEPTED": (_l("Accepted"), "ok", "check-circle"),
    "DECLINED": (_l("Declined"), "line", "no"),
    "FILED": (_l("Kept on file"), "line", "folder"),
    "MERGED": (_l("Merged"), "line", "merge"),
    "GUIDED": (_l("Guided"), "line", "talk"),
    "TRANSFERRED": (_l("Forwarded"), "info", "send"),
    "RETURNED": (_l("Sent back"), "line", "undo"),
    "TO_INVESTIGATION": (_l("To investigation"), "line", "send"),
    "TO_INSPECTION": (_l("To inspection"), "line", "send"),
    "ANSWERED": (_l("Answered"), "ok", "check-circle"),
    "WITHDRAWN": (_l("Withdrawn"), "line", "undo"),
    "CLOSED": (_l("Finished"), "ok", "check-circle"),
}

FILTER_STATES = (
    "AWAITING_SIGNATURE",
    "RECEIVED",
    "CLASSIFIED",
    "PROPOSED",
    "ACCEPTED",
    "TRANSFERRED",
)

CHANNELS: dict[str, Any] = {
    "online": _l("Sent online"),
    "desk": _l("Handed in at the desk"),
    "post": _l("Sent by post"),
    "reception_session": _l("Given at a reception session"),
    "forwarded": _l("Forwarded by another body"),
}

PARTS: dict[str, Any] = {
    "signed_petition": _l("Signed petition"),
    "evidence": _l("Evidence"),
    "envelope": _l("Envelope"),
    "digital_petition": _l("Digitally signed petition"),
    "authority": _l("Authority"),
}

LINKS: dict[str, Any] = {
    LinkKind.SAME_MATTER: _l("Same matter"),
    LinkKind.REPEAT: _l("Sent again by the same person"),
    LinkKind.SECOND_ROUND: _l("Second round"),
    LinkKind.RELATED: _l("Related matter, counted apart"),
}

GROUPS: dict[str, Any] = {
    "late": _l("Overdue"),
    "today": _l("Today"),
    "week": _l("This week"),
    "later": _l("After this week"),
    "none": _l("No deadline running"),
}

ICONS = {
    "receive_transfer": "inbox",
    "sign": "pen",
    "classify": "list",
    "reclassify": "list",
    "check_identity": "card",
    "keep_on_file": "folder",
    "merge": "merge",
    "guide": "talk",
    "transfer": "send",
    "propose": "pen",
    "accept": "check-circle",
    "send_back": "undo",
    "decline": "no",
    "answer": "mail",
    "report_result": "document",
    "withdraw": "undo",
    "withdraw_part": "undo",
    "return": "undo",
    "undo": "undo",
    "to_inspection": "search",
    "to_investigation": "flag",
}

KEYS = {
    "receive_transfer": "R",
    "sign": "S",
    "classify": "P",
    "check_identity": "D",
    "keep_on_file": "L",
    "merge": "M",
    "guide": "G",
    "transfer": "C",
    "propose": "T",
    "accept": "A",
    "answer": "B",
}
"""One letter for each step; J, K, X, H, N and Enter belong to the list."""


def in_english() -> bool:
    return str(get_locale()) == "en"


def label(choice: Choice) -> str:
    """The name of a step in the reader's language."""
    return choice.label_en if in_english() else choice.label_vi


def step_name(event: str) -> str:
    """The name of a step that was taken."""
    rule = next(t for t in procedure("PET").transitions if t.event == event)
    return rule.label_en if in_english() else rule.label_vi


def sealed_rows(text: str) -> list[dict[str, str]]:
    """What the vault keeps of people and place, as rows to read."""
    kept = json.loads(text) if text else {}
    found = {name: _readable(kept.get(name)) for name in _SEALED_NAMES}
    return [
        {"key": str(_SEALED_NAMES[name]), "value": value} for name, value in found.items() if value
    ]


def _readable(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(str(part) for part in value.values() if part)
    if isinstance(value, list):
        return "; ".join(_readable(part) for part in value)
    return str(value) if value else ""


_SEALED_NAMES = {
    "title": _l("Title before it was locked away"),
    "respondent": _l("Against"),
    "wish": _l("Asks for"),
    "place_text": _l("Place"),
    "happened_on": _l("Day"),
    "earlier_decisions": _l("Decisions"),
    "submitter": _l("Sender"),
    "on_behalf_of": _l("On behalf of"),
    "representatives": _l("Representatives"),
    "support_needs": _l("Needs support"),
    "officer_words": _l("What officers wrote before it was locked away"),
}


def state_tag(petition: Petition) -> dict[str, Any]:
    """Where the petition stands: word, tone and sign."""
    text, tone, icon = STATES[petition.state]
    return {"text": text, "tone": tone, "icon": icon}


def kind_line(petition: Petition) -> str:
    """`Khiếu nại lần đầu`."""
    if petition.kind == "complaint":
        return _("Second complaint") if petition.round == 2 else _("First complaint")
    return str(KINDS[petition.kind])


def sender_line(row: Row) -> str:
    """Who sent it, as a line of the list may say it."""
    petition = row.petition
    if petition.secrecy == "compartment":
        return _("only for those it was given to")
    if petition.anonymous or not row.submitter:
        return _("no name given")
    if petition.group_size > 1:
        return ngettext(
            "%(name)s and %(num)s other", "%(name)s and %(num)s others",
            petition.group_size - 1, name=row.submitter,
        )  # fmt: skip
    return row.submitter


def steps_as_items(choices: Iterable[Choice], url: Any) -> list[dict[str, Any]]:
    """Steps for the template: name, what it rests on, where it leads, its key."""
    return [
        {
            "event": choice.event,
            "label": label(choice),
            "detail": choice.source,
            "icon": ICONS.get(choice.event, "arrow-right"),
            "key": KEYS.get(choice.event, ""),
            "href": url(choice.event),
        }
        for choice in choices
    ]
