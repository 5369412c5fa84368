"""Forms of the inbox that change something: steps, classification, forwarding, links."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception.access import current_actor, needs
from reception.clock import legal_today
from reception.petitions import inbox_operations as operations
from reception.petitions import inbox_words as words
from reception.petitions.blueprint import bp
from reception.petitions.handling_steps import Finding
from reception.petitions.inbox_forms import (
    ASKS,
    FLAGS,
    HOW,
    NOT_ELIGIBLE,
    RESPONDENTS,
    ClassifyForm,
    ForwardForm,
    LinkForm,
    StepForm,
)
from reception.petitions.inbox_pages import PetitionPage, read_petition
from reception.petitions.inbox_views import page_words
from storage.database import reading
from storage.models import Field
from storage.queries.cases import link_kinds_for
from storage.queries.inbox import bodies, colleagues
from storage.reference import rows as reference_rows
from workflows.access import Permission
from workflows.cases import LinkKind
from workflows.errors import BadInput, Conflict
from workflows.kinds import PetitionKind


def _page(petition_id: UUID) -> PetitionPage:
    return read_petition(petition_id, current_actor(), today=legal_today())


def _back(petition_id: UUID) -> ResponseReturnValue:
    """To the petition while it may still be seen, else to the list."""
    return redirect(url_for("petitions.inbox_petition", petition_id=petition_id), code=303)


# --- one step ------------------------------------------------------------------------------------


def _step_page(form: StepForm, page: PetitionPage, conflict: str = "") -> str:
    chosen = [*page.choices.possible, *page.choices.routine]
    choice = next((one for one in chosen if one.event == form.event), None)
    return render_template(
        "petitions/inbox_step.html",
        **page_words(page),
        form=form,
        asks=ASKS[form.event],
        how=HOW,
        choice=choice,
        title=words.label(choice) if choice else _("This step is not possible now"),
        conflict=conflict,
    )


@bp.get("/hop-don/<uuid:petition_id>/buoc/<event>")
@needs(Permission.PETITION_SEE)
def step_form(petition_id: UUID, event: str) -> ResponseReturnValue:
    """The form of one step."""
    if event not in ASKS:
        abort(404)
    page = _page(petition_id)
    return _step_page(StepForm(event=event, version=page.petition.version), page)


@bp.post("/hop-don/<uuid:petition_id>/buoc/<event>")
@needs(Permission.PETITION_SEE)
def take_step(petition_id: UUID, event: str) -> ResponseReturnValue:
    """Take the step; the operation decides who may."""
    if event not in ASKS:
        abort(404)
    form = StepForm.read(event, request.form)
    if form.errors:
        return _step_page(form, _page(petition_id)), 422
    actor = current_actor()
    try:
        operations.take_step(petition_id, event, form.said, form.seen, by=actor, on=legal_today())
    except Conflict as conflict:
        page = _page(petition_id)
        form.version = page.petition.version
        return _step_page(form, page, conflict.message), 409
    flash(_("Saved."), "success")
    return _back(petition_id)


# --- classify ------------------------------------------------------------------------------------


def _classify_words(page: PetitionPage, form: ClassifyForm, conflict: str = "") -> dict[str, Any]:
    with reading() as work:
        fields = work.db_session.query(Field).order_by(Field.position, Field.code).all()
        groups = bodies(work.db_session)
    return {
        **page_words(page),
        "form": form,
        "again": page.petition.state == "CLASSIFIED",
        "fields": _field_options(fields),
        "communes": [(unit.code, unit.full_name) for unit in groups[2][1]],
        "bodies": _body_options(groups),
        "kinds": words.KINDS,
        "respondents": RESPONDENTS,
        "not_eligible": NOT_ELIGIBLE,
        "flag_names": FLAGS,
        "proposed": _proposal(form),
        "conflict": conflict,
    }


def _field_options(fields: list[Field]) -> list[dict[str, Any]]:
    tops = [field for field in fields if field.parent_code is None]
    return [
        {
            "group": top.label_vi,
            "options": [(top.code, top.label_vi)]
            + [(f.code, f.label_vi) for f in fields if f.parent_code == top.code],
        }
        for top in tops
    ]


def _body_options(groups: list[tuple[str, list[Any]]]) -> list[dict[str, Any]]:
    names = {
        "province": _("Province"),
        "department": _("Departments"),
        "commune": _("Communes and wards"),
    }
    return [
        {"group": names[kind], "options": [(str(unit.id), unit.full_name) for unit in units]}
        for kind, units in groups
    ]


def _proposal(form: ClassifyForm) -> operations.Proposed | None:
    if not form.tells_respondent:
        return None
    try:
        return operations.propose_body(
            form.kind, form.respondent, form.respondent_id, 2 if form.round == "2" else 1
        )
    except BadInput as bad:
        form.errors.setdefault("respondent_unit", bad.fields["respondent_unit"])
        return None


def _prefilled(page: PetitionPage) -> ClassifyForm:
    """What the sender told and what was found before, to be confirmed."""
    petition, found = page.petition, page.dossier.assessment
    form = ClassifyForm(
        version=petition.version,
        kind=petition.kind,
        round=str(petition.round),
        field_code=petition.field_code or "",
        respondent_unit=str(petition.respondent_unit_id or ""),
        respondent=found.respondent if found else "",
        eligible="" if found is None else "yes" if found.eligible else "no",
        ground=found.not_eligible_ground if found else "",
    )
    if not form.respondent and petition.respondent_unit_id:
        form.respondent = _level_of(petition.respondent_unit_id)
    return form


def _level_of(unit_id: UUID) -> str:
    with reading() as work:
        kinds = {unit.id: kind for kind, units in bodies(work.db_session) for unit in units}
    return kinds.get(unit_id, "")


@bp.get("/hop-don/<uuid:petition_id>/phan-loai")
@needs(Permission.PETITION_CLASSIFY)
def classify_form(petition_id: UUID) -> ResponseReturnValue:
    """Kind, round, field, place, respondent, and who is competent."""
    page = _page(petition_id)
    form = ClassifyForm.read(request.args) if "kind" in request.args else _prefilled(page)
    form.version = form.version or page.petition.version
    wanted = "proposal" if request.headers.get("X-Part") == "proposal" else "classify"
    return render_template(f"petitions/inbox_{wanted}.html", **_classify_words(page, form))


@bp.post("/hop-don/<uuid:petition_id>/phan-loai")
@needs(Permission.PETITION_CLASSIFY)
def classify(petition_id: UUID) -> ResponseReturnValue:
    """Keep what was found; the rule proposes who is competent, the officer confirms."""
    form = ClassifyForm.read(request.form)
    page = _page(petition_id)
    form.check(again=page.petition.state == "CLASSIFIED" and form.version == page.petition.version)
    proposed = _proposal(form)
    if form.errors or proposed is None:
        return render_template("petitions/inbox_classify.html", **_classify_words(page, form)), 422
    try:
        operations.classify(
            petition_id,
            _finding(form, proposed),
            form.seen,
            by=current_actor(),
            on=legal_today(),
        )
    except Conflict as conflict:
        page = _page(petition_id)
        form.version = page.petition.version
        shown = _classify_words(page, form, conflict.message)
        return render_template("petitions/inbox_classify.html", **shown), 409
    flash(_("Classified."), "success")
    return _back(petition_id)


def _finding(form: ClassifyForm, proposed: operations.Proposed) -> Finding:
    with reading() as work:
        places = {unit.code: unit.id for _kind, units in bodies(work.db_session) for unit in units}
    return Finding(
        kind=PetitionKind(form.kind),
        round=2 if form.round == "2" and form.kind in ("complaint", "denunciation") else 1,
        field_code=form.field_code or None,
        place_unit_id=places.get(form.place),
        respondent=form.respondent,
        respondent_unit_id=form.respondent_id,
        eligible=form.eligible == "yes",
        not_eligible_ground=form.ground if form.eligible == "no" else "",
        competent_unit_id=_competent(form, proposed),
        competence_sentence=proposed.sentence,
        competence_source=proposed.source,
        needs_confirmation=proposed.needs_confirmation,
        reason=form.reason,
        **dict.fromkeys(form.flags, True),
    )


def _competent(form: ClassifyForm, proposed: operations.Proposed) -> UUID | None:
    """The body proposed, unless the officer chose another one."""
    if form.competent_unit == "outside":
        return None
    try:
        return UUID(form.competent_unit)
    except ValueError:
        return proposed.unit_id


# --- forward -------------------------------------------------------------------------------------


def _forward_page(page: PetitionPage, form: ForwardForm, conflict: str = "") -> str:
    found = page.dossier.assessment
    with reading() as work:
        groups = bodies(work.db_session)
    refused = next((c.reason for c in page.choices.impossible if c.event == "transfer"), "")
    return render_template(
        "petitions/inbox_forward.html",
        **page_words(page),
        form=form,
        bodies=_body_options(groups),
        competent=found.competent_unit_id if found else None,
        refused=refused,
        conflict=conflict,
    )


@bp.get("/hop-don/<uuid:petition_id>/chuyen")
@needs(Permission.PETITION_FORWARD)
def forward_form(petition_id: UUID) -> ResponseReturnValue:
    """Where the petition goes and why."""
    page = _page(petition_id)
    found = page.dossier.assessment
    form = ForwardForm(
        version=page.petition.version,
        to=str(found.competent_unit_id or "") if found else "",
        reason=found.competence_sentence if found else "",
    )
    return _forward_page(page, form)


@bp.post("/hop-don/<uuid:petition_id>/chuyen")
@needs(Permission.PETITION_FORWARD)
def forward(petition_id: UUID) -> ResponseReturnValue:
    """Forward the petition with a drafted note."""
    form = ForwardForm.read(request.form)
    if form.errors:
        return _forward_page(_page(petition_id), form), 422
    try:
        operations.forward(
            petition_id,
            to_unit_id=form.unit_id,
            to_body=form.to_body,
            reason=form.reason,
            seen=form.seen,
            by=current_actor(),
            on=legal_today(),
        )
    except Conflict as conflict:
        page = _page(petition_id)
        form.version = page.petition.version
        return _forward_page(page, form, conflict.message), 409
    flash(_("Forwarded. The note is drafted; the other unit confirms the receipt."), "success")
    return _back(petition_id)


@bp.post("/hop-don/<uuid:petition_id>/nhan")
@needs(Permission.PETITION_RECEIVE)
def receive_transfer(petition_id: UUID) -> ResponseReturnValue:
    """Confirm that a forwarded petition arrived here."""
    operations.receive_forwarded(petition_id, by=current_actor(), on=legal_today())
    flash(_("Received. The petition is now in your inbox."), "success")
    return redirect(url_for("petitions.inbox"), code=303)


# --- the matter ----------------------------------------------------------------------------------


def _link_page(page: PetitionPage, form: LinkForm) -> str:
    hint = next(
        (
            one
            for one in page.hints
            if one.petition.id == form.other or (one.case and one.case.id == form.case_id)
        ),
        None,
    )
    return render_template(
        "petitions/inbox_link.html",
        **page_words(page),
        form=form,
        hint=hint,
        link_kinds=[(kind.value, words.LINKS[kind]) for kind in link_kinds_for(page.petition)],
    )


@bp.get("/hop-don/<uuid:petition_id>/noi")
@needs(Permission.CASE_LINK)
def link_form(petition_id: UUID) -> ResponseReturnValue:
    """Compare with another petition or case and say how they belong together."""
    form = LinkForm.read(request.args)
    form.errors = {}
    return _link_page(_page(petition_id), form)


@bp.post("/hop-don/<uuid:petition_id>/noi")
@needs(Permission.CASE_LINK)
def link(petition_id: UUID) -> ResponseReturnValue:
    """Hang the petition on a case."""
    form = LinkForm.read(request.form)
    if form.errors:
        return _link_page(_page(petition_id), form), 422
    kind, reason, day = LinkKind(form.kind), form.reason, legal_today()
    actor = current_actor()
    try:
        if form.case_id:
            operations.link_to_case(petition_id, form.case_id, kind, reason, by=actor, on=day)
        elif form.other:
            operations.link_to_petition(petition_id, form.other, kind, reason, by=actor, on=day)
        else:
            operations.link_by_code(petition_id, form.code, kind, reason, by=actor, on=day)
    except BadInput as bad:
        form.errors = bad.fields
        return _link_page(_page(petition_id), form), 422
    flash(_("Linked. The case is counted once."), "success")
    return _back(petition_id)


@bp.post("/hop-don/<uuid:petition_id>/khong-lien-quan/<uuid:other_id>")
@needs(Permission.CASE_LINK)
def not_related(petition_id: UUID, other_id: UUID) -> ResponseReturnValue:
    """Answer a hint: these are different matters."""
    operations.not_related(petition_id, other_id, by=current_actor())
    return _back(petition_id)


@bp.post("/hop-don/<uuid:petition_id>/vu-viec")
@needs(Permission.CASE_OPEN)
def start_case(petition_id: UUID) -> ResponseReturnValue:
    """Open a case for this petition."""
    operations.start_case(petition_id, by=current_actor(), on=legal_today())
    flash(_("A case was opened."), "success")
    return _back(petition_id)


# --- who handles it, how it is heard -------------------------------------------------------------


@bp.get("/hop-don/<uuid:petition_id>/giao")
@needs(Permission.PETITION_ASSIGN)
def assign_form(petition_id: UUID) -> ResponseReturnValue:
    """Choose who handles the petition."""
    return _assign_page(petition_id, {})


def _assign_page(petition_id: UUID, errors: dict[str, str]) -> str:
    page = _page(petition_id)
    with reading() as work:
        staff = colleagues(work.db_session, page.petition.holder_unit_id, on=legal_today())
    return render_template(
        "petitions/inbox_assign.html", **page_words(page), staff=staff, errors=errors
    )


@bp.post("/hop-don/<uuid:petition_id>/giao")
@needs(Permission.PETITION_ASSIGN)
def assign(petition_id: UUID) -> ResponseReturnValue:
    """Give the petition to a member of the unit."""
    try:
        person_id = UUID(request.form.get("person", ""))
        operations.assign(petition_id, person_id, by=current_actor(), on=legal_today())
    except ValueError:
        return _assign_page(petition_id, {"person": _("Choose a person.")}), 422
    except BadInput as bad:
        return _assign_page(petition_id, bad.fields), 422
    flash(_("Given."), "success")
    return _back(petition_id)


def _reasons() -> list[dict[str, str]]:
    english = words.in_english()
    return [
        {"value": row["code"], "label": row["label_en"] if english else row["label_vi"]}
        for row in reference_rows("session_reasons")
    ]


@bp.get("/hop-don/<uuid:petition_id>/tiep-truc-tuyen")
@needs(Permission.SESSION_REQUEST)
def online_form(petition_id: UUID) -> ResponseReturnValue:
    """Why the matter should be heard online (NĐ 154/2026/NĐ-CP, Điều 20)."""
    page = _page(petition_id)
    return render_template(
        "petitions/inbox_online.html", **page_words(page), reasons=_reasons(), errors={}
    )


@bp.post("/hop-don/<uuid:petition_id>/tiep-truc-tuyen")
@needs(Permission.SESSION_REQUEST)
def ask_for_online(petition_id: UUID) -> ResponseReturnValue:
    """Put the petition on the list of those waiting for an online session."""
    code = request.form.get("reason_code", "")
    if code not in {row["value"] for row in _reasons()}:
        errors = {"reason_code": _("Choose one of the reasons of the decree.")}
        page = page_words(_page(petition_id))
        shown = render_template(
            "petitions/inbox_online.html", **page, reasons=_reasons(), errors=errors
        )
        return shown, 422
    operations.ask_for_online(petition_id, code, by=current_actor(), on=legal_today())
    flash(_("Asked for online reception. The petition is on the waiting list."), "success")
    return _back(petition_id)
