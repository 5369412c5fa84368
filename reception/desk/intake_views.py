"""The one screen of a visit: who came, about what, how it ended."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from reception.access import current_actor, needs
from reception.clock import LOCAL, legal_today
from reception.desk import drafts, operations, overview, papers, queue, visitors
from reception.desk.blueprint import bp, here
from reception.desk.forms import IntakeForm, NoticeForm, Typed, id_of, only_draft_fields
from reception.desk.places import Place, own_places
from reception.errors import wants_json
from reception.security import limit
from storage.identities import PersonData
from storage.models.base import utc_now
from workflows.access import Permission
from workflows.errors import BadInput

VISITOR_FIELDS = ("name", "salutation", "birth_year", "citizen_id", "phone", "address")
SECOND_PART = "desk_second_part"
MOST_LOOK_UPS = 200
"""Of one officer within ten minutes, whichever page shows what was found."""


def _blank(place: Place) -> Typed:
    """A new visit: what is nearly always right stands there already."""
    typed: Typed = MultiDict({"key": secrets.token_urlsafe(18), "people": "1", "signed": "1"})
    if place.is_commune:
        typed["place"], typed["place_text"] = str(place.unit_id), place.full_name
    return typed


def _typed(place: Place) -> tuple[Typed, str]:
    """The unfinished visit of this officer and when it was kept, or a blank one."""
    kept = drafts.newest_draft(place.unit_id, by=current_actor(), now=utc_now())
    if kept is None:
        return _blank(place), ""
    return MultiDict(kept[0]), kept[1].astimezone(LOCAL).strftime("%H:%M")


def _history(typed: Typed) -> visitors.History:
    person_id = id_of(typed.get("person"))
    if person_id is None:
        return visitors.History()
    words = f"{typed.get('content', '')}\n{typed.get('decision', '')}"
    return visitors.history_of(person_id, words, by=current_actor(), today=legal_today())


def _page(form: IntakeForm, place: Place, saved_at: str = "") -> str:
    actor, today = current_actor(), legal_today()
    line_up = queue.queue_of(place.unit_id, by=actor, today=today)
    if line_up.current:
        form.typed["ticket"] = str(line_up.current.id)
    g.nav_counts = {"desk.desk": len(line_up.waiting)}
    return render_template(
        "desk/desk.html",
        form=form,
        place=place,
        places=own_places(actor, Permission.DESK_INTAKE),
        queue=line_up,
        now_utc=utc_now(),
        today=overview.today_of(place.unit_id, by=actor, today=today),
        history=_history(form.typed),
        found=_choice(form, place),
        grounds=overview.grounds_on(today),
        fields=overview.fields_on(today),
        group_rules=overview.group_rules(),
        saved_at=saved_at,
        ended=_ended(),
        **_second_part(),
    )


def _choice(form: IntakeForm, place: Place) -> list[visitors.Found]:
    """The people to choose from, looked up and noted like any search: a draft is typed freely."""
    looked_for = form.text("find")
    return _people(looked_for, place) if looked_for and not form.text("person") else []


def _people(looked_for: str, place: Place) -> list[visitors.Found]:
    actor = current_actor()
    limit("desk-find", str(actor.account_id), most=MOST_LOOK_UPS, within=timedelta(minutes=10))
    return visitors.find(looked_for, place.unit_id, by=actor)


def _ended() -> overview.Ended | None:
    visit_id = id_of(request.args.get("xong"))
    return overview.ended_visit(visit_id, by=current_actor()) if visit_id else None


def _second_part() -> dict[str, Any]:
    """The follow-up code's second part is shown once, then forgotten."""
    if not request.args.get("xong"):
        return {"second_part": ""}
    return {"second_part": cookie.pop(SECOND_PART, "")}


@bp.get("/quay")
@needs(Permission.DESK_INTAKE)
def desk() -> ResponseReturnValue:
    """Queue, visitor and intake on one screen."""
    place = here(Permission.DESK_INTAKE)
    typed, saved_at = _typed(place)
    return _page(IntakeForm(typed), place, saved_at)


@bp.post("/quay")
@needs(Permission.DESK_INTAKE)
def finish() -> ResponseReturnValue:
    """End the visit; the book, the counts and the papers follow by themselves."""
    place = here(Permission.DESK_INTAKE)
    form = IntakeForm.read(request.form)
    if not form.errors:
        try:
            done = operations.finish(
                form.intake(),
                unit_id=place.unit_id,
                by=current_actor(),
                today=legal_today(),
                now=utc_now(),
            )
            return _after(done, place)
        except BadInput as bad:
            form.errors.update(bad.fields)
    return _again(form, place)


def _after(done: operations.Finished, place: Place) -> ResponseReturnValue:
    if done.second_part:
        cookie[SECOND_PART] = done.second_part
    if done.papers_failed:
        flash(
            _("The line is in the book. The paper could not be made yet: open it again later."),
            "warning",
        )
    target = url_for("desk.desk", tai=place.code, xong=done.visit_id)
    if wants_json():
        return {"next": target, "line": done.number}, 201
    return redirect(target, code=303)


def _again(form: IntakeForm, place: Place) -> ResponseReturnValue:
    if wants_json():
        return {"errors": form.errors}, 422
    if form.text("key"):
        drafts.keep_draft(
            place.unit_id, only_draft_fields(form.typed), by=current_actor(), now=utc_now()
        )
    return _page(form, place), 422


@bp.post("/quay/nhap")
@needs(Permission.DESK_INTAKE)
def keep_draft() -> ResponseReturnValue:
    """Keep what is typed; answers why an open petition looks like the same matter."""
    place = here(Permission.DESK_INTAKE)
    kept = drafts.keep_draft(
        place.unit_id, only_draft_fields(request.form), by=current_actor(), now=utc_now()
    )
    if not kept:
        return {"kept": False, "same": []}
    live = _history(request.form).live
    return {
        "kept": True,
        "at": utc_now().astimezone(LOCAL).strftime("%H:%M"),
        "same": [{"code": line.code, "why": ", ".join(line.same)} for line in live if line.same],
    }


@bp.post("/quay/tim")
@needs(Permission.DESK_INTAKE)
def find_visitor() -> ResponseReturnValue:
    """Look a visitor up by identity number or phone, choose among several, or clear the choice.

    A number never stands in an address or a log: it comes in the body and rests in the draft.
    """
    place = here(Permission.DESK_INTAKE)
    typed: Typed = MultiDict(only_draft_fields(request.form))
    chosen = id_of(request.form.get("choose"))
    if request.form.get("clear"):
        _forget_visitor(typed)
    else:
        _look_up(typed, place, chosen)
    drafts.keep_draft(place.unit_id, only_draft_fields(typed), by=current_actor(), now=utc_now())
    return redirect(url_for("desk.desk", tai=place.code), code=303)


def _forget_visitor(typed: Typed) -> None:
    for name in ("person", "find", "identity_checked", "petition", *VISITOR_FIELDS):
        typed.poplist(name)


def _look_up(typed: Typed, place: Place, chosen: UUID | None) -> None:
    looked_for = typed.get("find", "").strip()
    if not looked_for:  # Enter in another field asks for nobody
        return
    found = _people(looked_for, place)
    if chosen:
        found = [person for person in found if person.person_id == chosen]
    if len(found) == 1:
        _take(typed, found[0])
        return
    typed.poplist("person")
    if not found:
        phone = visitors.looks_like_phone(looked_for)
        typed["phone" if phone else "citizen_id"] = typed.pop("find").strip()
        flash(_("Nobody with this number came before. Enter the new visitor."), "info")


def _take(typed: Typed, found: visitors.Found) -> None:
    data: PersonData = found.data
    typed["person"] = str(found.person_id)
    for name in VISITOR_FIELDS:
        typed[name] = getattr(data, name)


@bp.post("/quay/bo")
@needs(Permission.DESK_INTAKE)
def start_over() -> ResponseReturnValue:
    """Give up what was typed and begin a new visit."""
    place = here(Permission.DESK_INTAKE)
    drafts.start_over(place.unit_id, by=current_actor())
    return redirect(url_for("desk.desk", tai=place.code), code=303)


@bp.get("/quay/noi")
@needs(Permission.DESK_INTAKE)
def places() -> ResponseReturnValue:
    """Units offered while a place is typed; old commune names are understood."""
    return overview.places_named(request.args.get("q", ""))


@bp.post("/quay/luot/<uuid:visit_id>/ma-moi")
@needs(Permission.DESK_INTAKE)
def new_second_part(visit_id: UUID) -> ResponseReturnValue:
    """Give the visitor a fresh second part of the code: the first answer got lost on its way."""
    cookie[SECOND_PART] = operations.new_second_part(visit_id, by=current_actor())
    return redirect(url_for("desk.desk", tai=request.values.get("tai"), xong=visit_id), code=303)


@bp.get("/quay/giay/<uuid:document_id>")
@needs(Permission.DESK_REFUSE)
def notice(document_id: UUID) -> ResponseReturnValue:
    """A refusal notice that waits to be sent."""
    found = overview.notice_of(document_id, by=current_actor())
    return render_template("desk/notice.html", notice=found, form=NoticeForm("", "", None))


@bp.post("/quay/giay/<uuid:document_id>")
@needs(Permission.DESK_REFUSE)
def notice_sent(document_id: UUID) -> ResponseReturnValue:
    """Record number and day of the notice that went out."""
    form = NoticeForm.read(request.form)
    if not form.errors and form.on:
        try:
            overview.record_sent(document_id, number=form.number, on=form.on, by=current_actor())
            flash(_("The refusal notice is recorded as sent."), "success")
            return redirect(url_for("desk.desk"), code=303)
        except BadInput as bad:
            form.errors.update(bad.fields)
    found = overview.notice_of(document_id, by=current_actor())
    return render_template("desk/notice.html", notice=found, form=form), 422


@bp.get("/quay/giay/<uuid:document_id>.pdf")
@needs(Permission.BOOK_SEE)
def paper(document_id: UUID) -> ResponseReturnValue:
    """A receipt or a notice as PDF."""
    opened = papers.open_paper(document_id, by=current_actor())
    headers = {"Content-Disposition": f'inline; filename="{opened.file_name}"'}
    return opened.pdf, 200, {"Content-Type": "application/pdf", **headers}
