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
    "extend": {
        "complex": _l("The matter is complex: one extension"),
        "especially-complex": _l("The matter is especially complex: two extensions"),
    },
    "withdraw": {
        "none-of-three": _l(
            "No sign of a violation, nobody was forced or paid to withdraw, and it was not slander"
        ),
    },
}

DENUNCIATION_OUTCOMES: dict[str, Any] = {
    "right": _l("The denunciation is right"),
    "partly": _l("Partly right"),
    "wrong": _l("The denunciation is wrong"),
}

OUTCOMES: dict[str, Any] = {
    "right": _l("The complaint is right"),
    "partly": _l("Partly right"),
    "wrong": _l("The complaint is wrong"),
}

NEED_NUMBER = frozenset({"report", "determine_complex", "decide", "close", "extend", "conclude"})
NUMBERED = NEED_NUMBER | frozenset(
    {
        "suspend",
        "resume",
        "send",
        "enforce",
        "form_team",
        "handle",
        "publish",
        "expert_opinion",
        "stay_enforcement",
        "lift_stay",
        "ask_report",
        "report_delay",
        "uphold",
        "take_over",
    }
)
TICKS: dict[str, Any] = {
    "part_withdrawn_in_writing": _l("The letter or the signed minutes are in the file"),
    "withdrawal_may_end": _l("The letter or the signed minutes are in the file"),
    "absent_without_reason": _l("Invited in time and absent without a good reason"),
    "authorisation_certified": _l("The authorisation is in the file, notarised or certified"),
    "authorisation_written": _l("The authorisation is in the file"),
    "team_fit": _l(
        "The team has at least two members; nobody has an interest in the matter or is related to"
        " the person denounced"
    ),
    "identity_removed": _l(
        "Name, address, handwriting and other details of the denouncer are removed"
    ),
}
"""What the officer ticks for a condition that only a person can see."""

TICKED = frozenset(
    {
        "withdraw_part",
        "withdraw",
        "absent_from_dialogue",
        "register_authorisation",
        "form_team",
        "remove_identity",
    }
)
WITH_WORDS = frozenset(
    {
        "withdraw_part",
        "absent_from_dialogue",
        "stay_enforcement",
        "lift_stay",
        "verify_again",
        "uphold",
        "take_over",
        "report_delay",
        "pass_to_investigation",
    }
)
"""Steps that others decide by later: a sentence is asked for."""
DATED_BY_PROOF = frozenset({"receive_decision"})
"""Steps with a page of their own that asks for the day and its proof."""
DANGER = frozenset({"terminate", "suspend", "withdraw"})


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
                self.event not in track.DECIDING_STEPS or self.outcome in OUTCOMES,
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
                self.event not in TICKED or self.in_writing,
                _("Tick the box when it is so."),
            ),
            "reason": (
                self.event not in WITH_WORDS or len(self.reason) >= 5,
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


def _outcomes(event: str) -> dict[str, Any] | None:
    if event not in track.DECIDING_STEPS:
        return None
    return OUTCOMES if event == "decide" else DENUNCIATION_OUTCOMES


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
        outcomes=_outcomes(form.event),
        numbered=form.event in NUMBERED,
        with_words=form.event in WITH_WORDS,
        tick_words=TICKS.get(choice.guard) if choice else None,
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
