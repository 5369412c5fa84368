"""Pages of cases: the list, one case from commune to province, its links and working papers."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception import deadline_words
from reception.access import current_actor, needs
from reception.cases import (
    conflict_views,
    delivery_views,
    file_views,
    operations,
    search_views,
    track,
    track_views,
    words,
)
from reception.cases.blueprint import bp
from reception.cases.operations import CasePage
from reception.cases.timeline import (
    Moment,
    X,
    drawn,
    level_of,
    meetings_as_moments,
    steps_as_moments,
    terms_to_come,
)
from reception.clock import LOCAL, legal_today
from storage.database import reading
from storage.models import Deadline, ProcedureRun, Unit
from storage.queries.cases import PAGE, CaseFilter
from storage.queries.units import communes
from workflows.access import Permission, holds
from workflows.errors import BadInput

__all__ = [
    "bp",
    "conflict_views",
    "delivery_views",
    "file_views",
    "search_views",
    "track_views",
]


FILE_REQUESTS = (Permission.CASE_RETRIEVE, Permission.CASE_RETRIEVE_APPROVE)
"""Whoever asks to read case files, or decides about it, is shown the way to the requests."""


def _filter() -> CaseFilter:
    page = request.args.get("trang", "1")
    state = request.args.get("trang-thai", "open")
    return CaseFilter(
        state=state if state in ("open", "closed", "") else "open",
        kind=request.args.get("loai", "")[:20],
        commune=request.args.get("xa", "")[:20],
        text=request.args.get("tim", "").strip()[:120],
        page=int(page) if page.isdigit() and 0 < int(page) < 100_000 else 1,
    )


def _list_url(asked: CaseFilter, page: int) -> str:
    args = {
        "trang-thai": asked.state,
        "loai": asked.kind,
        "xa": asked.commune,
        "tim": asked.text,
    }
    kept = {name: value for name, value in args.items() if value or name == "trang-thai"}
    return url_for("cases.index", **kept, trang=page)


@bp.get("/vu-viec")
@needs(Permission.CASE_SEE)
def index() -> ResponseReturnValue:
    """The cases this person may know of, newest first."""
    asked = _filter()
    found = operations.read_list(current_actor(), asked)
    today = legal_today()
    with reading() as work:
        places = [(unit.code, unit.full_name) for unit in communes(work.db_session)]
    last = max(1, -(-found.total // PAGE))
    return render_template(
        "cases/index.html",
        found=found,
        asked=asked,
        filtered=asked != CaseFilter(page=asked.page),
        places=places,
        kinds=words.KINDS,
        asks_for_files=any(holds(current_actor(), asked) for asked in FILE_REQUESTS),
        left=lambda term: deadline_words.left(term.last_day_on, today),
        pages={
            "label": _("Pages of cases"),
            "previous": _list_url(asked, asked.page - 1) if asked.page > 1 else None,
            "next": _list_url(asked, asked.page + 1) if asked.page < last else None,
            "items": [],
        },
    )


# --- one case ------------------------------------------------------------------------------------


def _moments(page: CasePage, today: date) -> list[Moment]:
    outcome = {
        (run.id, term.ended_by, term.met_on): words.outcome_tag(term, today)
        for term, run in page.terms
        if term.met_on is not None and term.name not in words.BACKGROUND
    }
    petitions = {one.petition.id: one.petition for one in page.petitions}
    done = steps_as_moments(
        page.steps,
        petitions,
        page.own_units,
        english=words.in_english(),
        outcome=outcome,
        reason_of=words.reason_of,
    )
    meetings = [
        (meeting, unit, meeting.starts_at.astimezone(LOCAL).date())
        for meeting, unit in page.meetings
    ]
    return [
        *done,
        *meetings_as_moments(meetings, today),
        *terms_to_come(
            [pair for pair in page.terms if pair[0].name not in words.BACKGROUND],
            _where_due(page),
            today,
            lambda term: words.outcome_tag(term, today),
        ),
    ]


def _where_due(page: CasePage) -> dict[UUID, Unit]:
    """The unit that each track waits for: whoever holds the petition, or settles the case."""
    holders = {one.petition.id: one.petition.holder_unit_id for one in page.petitions}
    found = {}
    for _term, run in page.terms:
        key = holders.get(run.petition_id, run.unit_id) if run.petition_id else run.unit_id
        if key in page.units_by_id:
            found[run.id] = page.units_by_id[key]
    return found


def _running(page: CasePage) -> Deadline | None:
    """The term that counts now: the nearest that still runs and is not suspended."""
    running = (term for term, _ in page.terms if term.met_on is None)
    return next((term for term in running if not page.stands_still(term)), None)


def _levels(page: CasePage) -> list[dict[str, Any]]:
    return [
        {
            "level": level_of(unit),
            "name": unit.full_name,
            "detail": words.level_detail(page, unit),
            "tag": words.holder_tag() if unit.id == page.case.holder_unit_id else None,
        }
        for unit, _ in sorted(page.units, key=lambda pair: X[level_of(pair[0])])
    ]


def _worth_telling(page: CasePage) -> list[tuple[Deadline, ProcedureRun]]:
    """Terms of the matter; those that only watch over it are told of when they were missed."""
    return [
        (term, run)
        for term, run in page.terms
        if term.name not in words.BACKGROUND or (term.met_on or date.max) > term.last_day_on
    ]


def _why(page: CasePage, term: Deadline, today: date) -> dict[str, Any]:
    return deadline_words.why(term, page.holidays, today, page.pauses.get(term.id, ()))


def _page_words(page: CasePage) -> dict[str, Any]:
    today = legal_today()
    running = _running(page)
    terms = _worth_telling(page)
    return {
        "page": page,
        "case": page.case,
        "knots": drawn(_moments(page, today)),
        "levels": _levels(page),
        "running": running,
        "due": deadline_words.left(running.last_day_on, today) if running else None,
        "why_due": _why(page, running, today) if running else None,
        "long_day": deadline_words.long_day,
        "terms": [(term, words.outcome_tag(term, today)) for term, _ in reversed(terms)],
        "term_counts": words.term_counts(terms, today),
        "documents": [(paper, unit, level_of(unit)) for paper, unit in page.documents],
        "petitions": [(one, words.link_line(one)) for one in page.petitions],
        "log": words.log_lines(page.log) if page.log is not None else None,
        "state_line": words.state_line(page),
        "kinds": words.KINDS,
        "note_kinds": words.NOTE_KINDS,
        "errors": {},
        "typed": "",
    }


@bp.get("/vu-viec/<uuid:case_id>")
@needs(Permission.CASE_SEE)
def show(case_id: UUID) -> ResponseReturnValue:
    """One case from commune to province."""
    page = operations.read_case(case_id, current_actor())
    if page.closed:
        state = words.state_line(page)
        return render_template("cases/closed.html", page=page, case=page.case, state=state)
    run, choices = track.choices(case_id, current_actor(), on=legal_today())
    done = {one.step.event for one in page.steps if run is not None and one.run.id == run.id}
    possible = [
        c for c in choices if not c.reason and c.event not in done & track_views.DATED_BY_PROOF
    ]
    return render_template(
        "cases/show.html",
        **_page_words(page),
        track=[(c.event, words.choice_label(c), c.source) for c in possible],
        track_impossible=[(words.choice_label(c), c.reason) for c in choices if c.reason],
    )


@bp.post("/vu-viec/<uuid:case_id>/ghi-chu")
@needs(Permission.CASE_DRAFT_SEE)
def add_note(case_id: UUID) -> ResponseReturnValue:
    """Write a working paper that stays with this level."""
    kind, body = request.form.get("kind", "note"), request.form.get("body", "")[:8000]
    try:
        operations.add_note(case_id, kind, body, by=current_actor())
    except BadInput as bad:
        shown = _page_words(operations.read_case(case_id, current_actor()))
        shown |= {"errors": bad.fields, "typed": body}
        return render_template("cases/show.html", **shown), 422
    flash(_("Kept for your own unit."), "success")
    return redirect(url_for(".show", case_id=case_id, _anchor="giay-to-noi-bo"), code=303)


@bp.get("/vu-viec/<uuid:case_id>/bo-noi/<uuid:link_id>")
@needs(Permission.CASE_LINK)
def undo_link_form(case_id: UUID, link_id: UUID) -> ResponseReturnValue:
    """Ask why a link is taken back."""
    case, link, petition = operations.link_to_undo(case_id, link_id, by=current_actor())
    return render_template(
        "cases/undo_link.html", case=case, link=link, petition=petition, errors={}, typed=""
    )


@bp.post("/vu-viec/<uuid:case_id>/bo-noi/<uuid:link_id>")
@needs(Permission.CASE_LINK)
def undo_link(case_id: UUID, link_id: UUID) -> ResponseReturnValue:
    """Take a link back; the row stays with its reason."""
    actor, reason = current_actor(), request.form.get("reason", "")[:2000]
    try:
        petition_id = operations.take_link_back(case_id, link_id, reason, by=actor)
    except BadInput as bad:
        case, link, petition = operations.link_to_undo(case_id, link_id, by=actor)
        return render_template(
            "cases/undo_link.html",
            case=case,
            link=link,
            petition=petition,
            errors=bad.fields,
            typed=reason,
        ), 422
    flash(_("The link was taken back."), "success")
    return redirect(url_for("petitions.inbox_petition", petition_id=petition_id), code=303)


@bp.route("/vu-viec/<uuid:case_id>/ten", methods=["GET", "POST"])
@needs(Permission.CASE_LINK)
def rename(case_id: UUID) -> ResponseReturnValue:
    """Give the case a title that tells the matter."""
    page = operations.read_case(case_id, current_actor())
    if request.method == "GET":
        return render_template(
            "cases/rename.html", case=page.case, title=page.case.title, errors={}
        )
    title = request.form.get("title", "")
    try:
        operations.rename(case_id, title, by=current_actor())
    except BadInput as bad:
        return render_template(
            "cases/rename.html", case=page.case, title=title, errors=bad.fields
        ), 422
    return redirect(url_for(".show", case_id=case_id), code=303)
