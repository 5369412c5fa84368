"""The words and signs of cases."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from reception import deadline_words
from reception.cases.operations import CasePage
from reception.cases.timeline import UNSHARED
from reception.cases.track import Choice
from storage.identities import open_field
from storage.models import Deadline, ProcedureRun, ProcedureStep, Unit
from storage.queries.cases import Access, LinkedPetition
from workflows.cases import LinkKind

KINDS: dict[str, Any] = {
    "complaint": _l("Complaint"),
    "denunciation": _l("Denunciation"),
    "recommendation": _l("Recommendation"),
    "feedback": _l("Feedback"),
}

NOTE_KINDS: dict[str, Any] = {
    "draft": _l("Draft"),
    "verification": _l("Verification"),
    "opinion": _l("Opinion"),
    "note": _l("Note"),
}

LINKS: dict[str, Any] = {
    LinkKind.SAME_MATTER: _l("Same matter"),
    LinkKind.REPEAT: _l("Sent again by the same person"),
    LinkKind.SECOND_ROUND: _l("Second round"),
    LinkKind.RELATED: _l("Related matter, counted apart"),
}

BACKGROUND = frozenset({"unhandled-flag"})
"""Terms that watch over the others and tell nothing of the matter itself."""

ACTIONS: dict[str, Any] = {
    "case_viewed": _l("The page of the case"),
    "case_file_asked": _l("Asked to read the file"),
    "case_file_approved": _l("Gave leave to read the file"),
    "case_file_refused": _l("Refused to open the file"),
    "case_file_revoked": _l("Took back leave to read the file"),
    "case_file_opened": _l("Opened the file by leave"),
    "petition_viewed": _l("A petition"),
    "attachment_opened": _l("An attachment"),
    "denunciation_opened": _l("Sealed content"),
    "denouncer_identity_opened": _l("The sender’s identity"),
    "case_opened": _l("Opened the case"),
    "case_joined": _l("Linked a petition"),
    "case_left": _l("Took a link back"),
    "case_closed": _l("Closed the case"),
    "case_reopened": _l("Opened the case again"),
    "case_renamed": _l("Changed the title"),
    "petition_assigned": _l("Gave a petition to somebody"),
    "petition_registered": _l("Took in a petition"),
    "involvement_recorded": _l("Recorded a conflict of interest"),
    "involvement_lifted": _l("Lifted a conflict of interest"),
    "online_reception_asked": _l("Asked for online reception"),
    "refused": _l("Refused"),
}


def in_english() -> bool:
    return str(get_locale()) == "en"


def outcome_tag(term: Deadline, today: date) -> dict[str, Any]:
    """Kept, broken or running, as a tag."""
    return deadline_words.outcome(term, today)


def choice_label(choice: Choice) -> str:
    """The name of a step of the settlement in the reader's language."""
    return choice.label_en if in_english() else choice.label_vi


def reason_of(step: ProcedureStep) -> str:
    """The words of a step as its own level reads them."""
    sealed = open_field("procedure_step", "internal_reason", step.id, step.internal_reason_sealed)
    return sealed or step.reason


def level_detail(page: CasePage, unit: Unit) -> str:
    """The last thing this level did that others may know."""
    shared = [
        one for one in page.steps if one.unit.id == unit.id and one.step.event not in UNSHARED
    ]
    if not shared:
        since = next(part.since_on for other, part in page.units if other.id == unit.id)
        return _("Takes part since %(day)s", day=f"{since:%d/%m/%Y}")
    return _("Last step on %(day)s", day=f"{shared[-1].step.on:%d/%m/%Y}")


def holder_tag() -> dict[str, Any]:
    return {"text": _("Handles it"), "tone": "ok", "icon": "check"}


def term_counts(terms: Iterable[tuple[Deadline, ProcedureRun]], today: date) -> dict[str, int]:
    """How many terms were kept, broken and still run."""
    counts = {"kept": 0, "broken": 0, "running": 0}
    for term, _run in terms:
        if term.met_on is None:
            counts["running" if term.last_day_on >= today else "broken"] += 1
        else:
            counts["kept" if term.met_on <= term.last_day_on else "broken"] += 1
    return counts


def link_line(one: LinkedPetition) -> str:
    """How a petition hangs on the case."""
    return str(LINKS[LinkKind(one.link.kind)])


def state_line(page: CasePage) -> dict[str, Any]:
    """Where the case stands."""
    if page.case.closed_on:
        day = f"{page.case.closed_on:%d/%m/%Y}"
        return {"text": _("Closed on %(day)s", day=day), "tone": "line", "icon": "check"}
    return {"text": _("Open"), "tone": "info", "icon": "refresh"}


def log_lines(log: Iterable[Access]) -> list[dict[str, Any]]:
    """The access log as rows; reasons come from the log's own body, never words of the matter."""
    lines = []
    for leaf in log:
        detail = json.loads(leaf.body).get("detail", {})
        lines.append(
            {
                "at": leaf.at,
                "who": leaf.name or _("The system"),
                "what": str(ACTIONS.get(leaf.action, leaf.action)),
                "refused": leaf.action == "refused",
                "why": str(detail.get("reason") or detail.get("request") or ""),
            }
        )
    return lines
