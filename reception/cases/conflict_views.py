"""The page of a case that says who must stay away from it, and who may know the denouncer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from reception.access import current_actor, needs
from reception.cases import conflict_operations as operations
from reception.cases.blueprint import bp
from reception.clock import legal_today
from workflows.access import Permission
from workflows.conflicts import GROUNDS, Claim, Ground, Part
from workflows.errors import BadInput

PARTS: dict[str, Any] = {
    Part.CONFLICTED.value: _l("Is a side in the matter: sees nothing of it"),
    Part.OWN_ACT.value: _l("The act of this person is complained of: neither verifies nor drafts"),
    Part.IDENTITY.value: _l("May know the denouncer, by a decision"),
}

SHORT: dict[str, dict[str, Any]] = {
    Part.CONFLICTED.value: {"text": _l("A side"), "tone": "late", "icon": "no"},
    Part.OWN_ACT.value: {"text": _l("Own act"), "tone": "wait", "icon": "scale"},
    Part.IDENTITY.value: {"text": _l("May know the denouncer"), "tone": "info", "icon": "lock"},
}

GROUND_WORDS: dict[str, Any] = {
    Ground.DENOUNCED.value: _l("Is complained of or denounced"),
    Ground.RELATIVE.value: _l("Is a relative of a side"),
    Ground.INTEREST.value: _l("Has a right or interest in the matter"),
    Ground.TOOK_PART.value: _l("Took part in settling it before"),
    Ground.OWN_DECISION.value: _l("Made the decision or did the act complained of"),
    Ground.DECISION.value: _l("Was given work that needs to know the denouncer"),
}


@dataclass
class ConflictForm:
    """What was typed: about whom, what is recorded, why."""

    person: str = ""
    ground: str = ""
    document: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> ConflictForm:
        form = cls(
            person=data.get("person", ""),
            ground=data.get("ground", ""),
            document=data.get("document", "").strip()[:80],
        )
        if form.about is None:
            form.errors["person"] = _("Choose the person.")
        if form.part is None:
            form.errors["ground"] = _("Choose why.")
        return form

    @property
    def about(self) -> UUID | None:
        try:
            return UUID(self.person)
        except ValueError:
            return None

    @property
    def part(self) -> Part | None:
        """The ground decides what is recorded, so that nobody has to know the legal word."""
        return next((part for part, grounds in GROUNDS.items() if self.ground in grounds), None)

    @property
    def claim(self) -> Claim | None:
        if self.about is None or self.part is None:
            return None
        return Claim(self.part, Ground(self.ground), self.about, self.document)


def _page(case_id: UUID, form: ConflictForm, *, lifting: UUID | None = None) -> str:
    page = operations.read_page(case_id, current_actor(), today=legal_today())
    offered = [
        (part.value, [(ground.value, GROUND_WORDS[ground.value]) for ground in grounds])
        for part, grounds in GROUNDS.items()
        if (page.may_grant_identity if part is Part.IDENTITY else page.may_record)
    ]
    return render_template(
        "cases/conflicts.html",
        page=page,
        case=page.case,
        form=form,
        offered=offered,
        own=[(ground.value, GROUND_WORDS[ground.value]) for ground in GROUNDS[Part.CONFLICTED]],
        parts=PARTS,
        short=SHORT,
        people=[
            (str(one.person_id), f"{one.name} · {one.title}, {one.unit}") for one in page.people
        ],
        lifting=lifting,
        me=current_actor().person_id,
    )


@bp.get("/vu-viec/<uuid:case_id>/xung-dot")
@needs(Permission.CASE_SEE)
def conflicts(case_id: UUID) -> ResponseReturnValue:
    """Who must stay away from this case, as far as the reader may know it."""
    return _page(case_id, ConflictForm())


@bp.post("/vu-viec/<uuid:case_id>/xung-dot")
@needs(Permission.CASE_CONFLICT_RECORD)
def record_conflict(case_id: UUID) -> ResponseReturnValue:
    """Record that somebody must stay away, or may know the denouncer."""
    form = ConflictForm.read(request.form)
    try:
        if form.claim is None:
            return _page(case_id, form), 422
        operations.record_conflict(case_id, form.claim, by=current_actor(), today=legal_today())
    except BadInput as bad:
        form.errors |= bad.fields
        return _page(case_id, form), 422
    flash(_("Recorded. It counts from now on."), "success")
    return redirect(url_for(".conflicts", case_id=case_id), code=303)


@bp.post("/vu-viec/<uuid:case_id>/xung-dot/tu-khai")
@needs(Permission.CASE_SEE)
def declare_conflict(case_id: UUID) -> ResponseReturnValue:
    """Say of oneself that one is a side; the case closes at once."""
    ground = request.form.get("own_ground", "")
    if ground not in GROUNDS[Part.CONFLICTED]:
        form = ConflictForm(errors={"own_ground": _("Choose why.")})
        return _page(case_id, form), 422
    operations.declare_own(case_id, Ground(ground), by=current_actor())
    flash(_("Recorded. The case is closed to you from now on; your unit gives it to others."))
    return redirect(url_for("cases.index"), code=303)


@bp.post("/vu-viec/<uuid:case_id>/xung-dot/<uuid:involvement_id>/go")
@needs(Permission.CASE_CONFLICT_RECORD)
def lift_conflict(case_id: UUID, involvement_id: UUID) -> ResponseReturnValue:
    """End a record with its reason."""
    reason = request.form.get("reason", "")[:2000]
    try:
        operations.lift(case_id, involvement_id, reason, by=current_actor(), today=legal_today())
    except BadInput as bad:
        form = ConflictForm(errors=bad.fields)
        return _page(case_id, form, lifting=involvement_id), 422
    flash(_("Lifted. The record stays in the history."), "success")
    return redirect(url_for(".conflicts", case_id=case_id), code=303)
