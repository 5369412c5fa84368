"""The form of one step of a settlement, on the case."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from reception.access import current_actor, needs
from reception.cases import operations, track, words
from reception.cases.blueprint import bp
from reception.cases.track import Said
from reception.clock import legal_today
from workflows.access import Permission
from workflows.errors import Conflict

GROUNDS: dict[str, dict[str, Any]] = {
    "suspend": {
        "force-majeure": _l("Force majeure or an objective obstacle"),
        "waiting": _l("Waiting for a related result"),
    },
    "terminate": {
        "withdrawn": _l("The whole complaint was withdrawn"),
        "no-successor": _l("Death or dissolution without a successor"),
        "object-gone": _l("What was complained of no longer exists"),
        "court": _l("A court has accepted or judged the matter"),
    },
}

OUTCOMES: dict[str, Any] = {
    "right": _l("The complaint is right"),
    "partly": _l("Partly right"),
    "wrong": _l("The complaint is wrong"),
}

NUMBERED = frozenset(
    {"report", "determine_complex", "decide", "suspend", "resume", "close", "send"}
)
NEED_NUMBER = frozenset({"report", "determine_complex", "decide", "close"})
IN_WRITING = frozenset({"withdraw_part"})
DATED_BY_PROOF = frozenset({"receive_decision"})
"""Steps with a page of their own that asks for the day and its proof."""
DANGER = frozenset({"terminate", "suspend"})


@dataclass
class TrackForm:
    """What was typed for a step of the settlement."""

    event: str
    seen: int = 0
    reason: str = ""
    document_number: str = ""
    in_writing: bool = False
    views_differ: str = ""
    ground: str = ""
    outcome: str = ""
    dialogue_on: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, event: str, data: MultiDict[str, str]) -> TrackForm:
        seen = data.get("seen", "")
        form = cls(
            event=event,
            seen=int(seen) if seen.isdigit() else 0,
            reason=data.get("reason", "").strip()[:4000],
            document_number=data.get("document_number", "").strip()[:80],
            in_writing=data.get("in_writing") == "1",
            views_differ=data.get("views_differ", ""),
            ground=data.get("ground", ""),
            outcome=data.get("outcome", ""),
            dialogue_on=data.get("dialogue_on", "").strip()[:10],
        )
        form._check()
        return form

    def _check(self) -> None:
        required = {
            "document_number": (
                self.event not in NEED_NUMBER or len(self.document_number) >= 3,
                _("Enter the number of the signed document."),
            ),
            "ground": (
                self.ground in GROUNDS.get(self.event, {"": ""}) or self.event not in GROUNDS,
                _("Choose the ground."),
            ),
            "outcome": (
                self.event != "decide" or self.outcome in OUTCOMES,
                _("Choose the outcome."),
            ),
            "views_differ": (
                self.event != "decide" or self.views_differ in ("yes", "no"),
                _("Say whether the views still differ."),
            ),
            "dialogue_on": (
                self.event != "call_dialogue" or self.day is not None,
                _("Enter the day of the dialogue, such as 25/11/2026."),
            ),
            "in_writing": (
                self.event not in IN_WRITING or self.in_writing,
                _("Tick the box when the letter or the signed minutes are in the file."),
            ),
            "reason": (
                self.event not in IN_WRITING or len(self.reason) >= 5,
                _("Write a sentence: others decide by these words later."),
            ),
        }
        self.errors = {name: say for name, (right, say) in required.items() if not right}

    @property
    def day(self) -> date | None:
        try:
            return date(*(int(part) for part in reversed(self.dialogue_on.split("/"))))
        except (ValueError, TypeError):
            return None

    @property
    def said(self) -> Said:
        """The form in the words of the procedure."""
        return Said(
            reason=self.reason,
            document_number=self.document_number,
            in_writing=self.in_writing,
            views_differ=self.event == "call_dialogue" or self.views_differ == "yes",
            ground=self.ground,
            outcome=self.outcome,
            dialogue_on=self.day if self.event == "call_dialogue" else None,
        )


def _form_page(case_id: UUID, form: TrackForm, conflict: str = "") -> str:
    page = operations.read_case(case_id, current_actor())
    run, found = track.choices(case_id, current_actor(), on=legal_today())
    choice = next((c for c in found if c.event == form.event and not c.reason), None)
    if run is not None and (not form.seen or conflict):
        form.seen = sum(1 for one in page.steps if one.run.id == run.id)
    return render_template(
        "cases/step.html",
        case=page.case,
        form=form,
        choice=choice,
        title=words.choice_label(choice) if choice else _("This step is not possible now"),
        grounds=GROUNDS.get(form.event),
        outcomes=OUTCOMES if form.event == "decide" else None,
        numbered=form.event in NUMBERED,
        in_writing=form.event in IN_WRITING,
        danger=form.event in DANGER,
        conflict=conflict,
    )


@bp.get("/vu-viec/<uuid:case_id>/buoc/<event>")
@needs(Permission.CASE_SEE)
def step_form(case_id: UUID, event: str) -> ResponseReturnValue:
    """The form of one step of the settlement."""
    if event not in track.PERMISSION_OF or event in DATED_BY_PROOF:
        abort(404)
    return _form_page(case_id, TrackForm(event=event))


@bp.post("/vu-viec/<uuid:case_id>/buoc/<event>")
@needs(Permission.CASE_SEE)
def take_step(case_id: UUID, event: str) -> ResponseReturnValue:
    """Take the step; the operation decides who may."""
    if event not in track.PERMISSION_OF or event in DATED_BY_PROOF:
        abort(404)
    form = TrackForm.read(event, request.form)
    if form.errors:
        return _form_page(case_id, form), 422
    try:
        track.take_track_step(
            case_id, event, form.said, form.seen, by=current_actor(), on=legal_today()
        )
    except Conflict as conflict:
        return _form_page(case_id, form, conflict.message), 409
    flash(_("Saved."), "success")
    return redirect(url_for("cases.show", case_id=case_id), code=303)
