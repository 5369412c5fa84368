"""What was typed when asking for a recording and when deciding about a request."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from reception.recordings.operations import GRANT_DAYS, LONGEST_GRANT_DAYS

LONGEST_REASON = 600


@dataclass
class AskForm:
    """Why somebody needs to watch."""

    reason: str = ""
    document_number: str = ""
    closed_parts: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> AskForm:
        form = cls(
            reason=data.get("reason", "").strip(),
            document_number=data.get("document_number", "").strip()[:80],
            closed_parts=data.get("closed_parts") == "1",
        )
        if len(form.reason) < 10:
            form.errors["reason"] = _(
                "Write in a sentence what you need to hear or see, and for which task."
            )
        elif len(form.reason) > LONGEST_REASON:
            form.errors["reason"] = _("Keep the reason under 600 characters.")
        return form


@dataclass
class DecideForm:
    """Yes for some days, or no with a reason."""

    days: int = GRANT_DAYS
    closed_parts: bool = False
    decision_reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: MultiDict[str, str], *, refusing: bool) -> DecideForm:
        typed = data.get("days", str(GRANT_DAYS)).strip()
        form = cls(
            days=int(typed) if typed.isdecimal() else 0,
            closed_parts=data.get("closed_parts") == "1",
            decision_reason=data.get("decision_reason", "").strip()[:LONGEST_REASON],
        )
        if refusing and not form.decision_reason:
            form.errors["decision_reason"] = _("Say why, so that the person knows what is missing.")
        if not refusing and not 1 <= form.days <= LONGEST_GRANT_DAYS:
            form.errors["days"] = _("Choose between 1 and 30 days.")
        return form
