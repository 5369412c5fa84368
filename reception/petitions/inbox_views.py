"""The inbox: the list by deadline, the preview, a petition's page, its files."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

from flask import current_app, g, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception import deadline_words
from reception.access import current_actor, needs
from reception.clock import legal_today
from reception.petitions import inbox_operations as operations
from reception.petitions import inbox_words as words
from reception.petitions.blueprint import bp
from reception.petitions.inbox_forms import NOT_ELIGIBLE, filter_args, read_filter
from reception.petitions.inbox_pages import (
    InboxPage,
    PetitionPage,
    chosen_rows,
    read_inbox,
    read_petition,
)
from storage.database import reading
from storage.models import Deadline
from storage.queries.calendar import holiday_table
from storage.queries.inbox import GROUPS, PAGE, InboxFilter, Row, waiting
from storage.queries.units import communes
from workflows.access import Permission, holds
from workflows.errors import BadInput

DENSITY = "mat-do"


class _Counts(dict[str, int]):
    """Numbers beside the entries of the rail, counted only when a page shows the rail."""

    def get(self, key: str, default: Any = None) -> Any:
        if key == "petitions.inbox" and key not in self:
            with reading() as work:
                self[key] = waiting(work.db_session, visible_to=current_actor())
        return super().get(key, default)


@bp.before_app_request
def _offer_counts() -> None:
    g.setdefault("nav_counts", _Counts())


def _chosen() -> UUID | None:
    try:
        return UUID(request.args.get("don", ""))
    except ValueError:
        return None


def why(term: Deadline | None) -> dict[str, Any] | None:
    """The strip of days of a term, for the macro."""
    if term is None:
        return None
    with reading() as work:
        holidays = holiday_table(work.db_session)
    return deadline_words.why(term, holidays, legal_today())


def _pages(asked: InboxFilter, total: int) -> dict[str, Any]:
    last = max(1, -(-total // PAGE))
    here = asked.page
    return {
        "label": _("Pages of the inbox"),
        "previous": _list_url(asked, page=here - 1) if here > 1 else None,
        "next": _list_url(asked, page=here + 1) if here < last else None,
        "items": [],
        "more": max(0, total - here * PAGE),
    }


def _list_url(asked: InboxFilter, **changes: Any) -> str:
    kept = {"don": changes.pop("don")} if changes.get("don") else {}
    args = filter_args(asked, **changes)
    return url_for("petitions.inbox", **args, **kept)


def step_url(petition_id: UUID) -> Any:
    """Where the form of each step of a petition stands."""

    def url(event: str) -> str:
        if event in ("classify", "reclassify"):
            return url_for("petitions.classify_form", petition_id=petition_id)
        if event == "transfer":
            return url_for("petitions.forward_form", petition_id=petition_id)
        return url_for("petitions.step_form", petition_id=petition_id, event=event)

    return url


def page_words(page: PetitionPage) -> dict[str, Any]:
    """What the templates of a petition need besides the page itself."""
    url = step_url(page.petition.id)
    term = page.terms[0] if page.terms else None
    return {
        "page": page,
        "petition": page.petition,
        "kind_line": words.kind_line(page.petition),
        "kind_class": words.KIND_CLASS.get(page.petition.kind, ""),
        "state_tag": words.state_tag(page.petition),
        "steps": words.steps_as_items(page.choices.possible, url),
        "routine": words.steps_as_items(page.choices.routine, url),
        "impossible_steps": [(words.label(c), c.reason) for c in page.choices.impossible],
        "due": deadline_words.left(term.last_day_on, legal_today()) if term else None,
        "why_due": why(term),
        "may": {permission.name: True for permission in page.may},
        "channels": words.CHANNELS,
        "parts": words.PARTS,
        "link_words": words.LINKS,
        "grounds": NOT_ELIGIBLE,
        "step_name": words.step_name,
    }


def _list_words(page: InboxPage, asked: InboxFilter) -> dict[str, Any]:
    today = legal_today()
    with reading() as work:
        places = [(unit.code, unit.full_name) for unit in communes(work.db_session)]
    return {
        "list": page,
        "asked": asked,
        "filtered": asked != InboxFilter(page=asked.page),
        "groups": [
            (name, words.GROUPS[name], [r for r in page.inbox.rows if r.group == name])
            for name in GROUPS
        ],
        "left": lambda term: deadline_words.left(term.last_day_on, today),
        "short_day": deadline_words.short_day,
        "why_of": lambda term: deadline_words.why(term, page.holidays, today) if term else None,
        "list_url": lambda **changes: _list_url(asked, **changes),
        "full_url": lambda petition_id: url_for(
            "petitions.inbox_petition", petition_id=petition_id
        ),
        "pages": _pages(asked, page.inbox.total),
        "places": places,
        "kinds": words.KINDS,
        "kind_class_of": words.KIND_CLASS,
        "states": [(code, words.STATES[code][0]) for code in words.FILTER_STATES],
        "tag_of": words.state_tag,
        "sender_of": words.sender_line,
        "desk_url": _desk_url(),
        "dense": request.cookies.get(DENSITY) == "gon",
    }


def _desk_url() -> str:
    """Where a petition is taken in, for those who work at a desk."""
    known = "desk.desk" in current_app.view_functions
    return url_for("desk.desk") if known and holds(current_actor(), Permission.DESK_INTAKE) else ""


@bp.get("/hop-don")
@needs(Permission.PETITION_SEE)
def inbox() -> ResponseReturnValue:
    """Petitions of every channel by deadline, with a preview of the chosen one."""
    asked = read_filter(request.args)
    page = read_inbox(current_actor(), asked, _chosen(), today=legal_today())
    beside = page_words(page.preview) if page.preview else {}
    wanted = "inbox_preview" if request.headers.get("X-Part") == "preview" else "inbox"
    return render_template(f"petitions/{wanted}.html", **_list_words(page, asked), **beside)


@bp.get("/hop-don/danh-sach")
@needs(Permission.PETITION_SEE)
def inbox_print() -> ResponseReturnValue:
    """The chosen petitions as a list to print, with nothing of a sealed one."""
    chosen = chosen_rows(current_actor(), request.args.getlist("don")[:PAGE], today=legal_today())
    return render_template("petitions/inbox_print.html", rows=[_print_row(row) for row in chosen])


def _print_row(row: Row) -> list[Any]:
    due = row.petition.due_on
    return [
        {"text": row.petition.code, "th": True},
        deadline_words.short_day(due) if due else "–",
        {"text": row.petition.title, "small": row.place},
        words.sender_line(row),
        str(words.state_tag(row.petition)["text"]),
    ]


@bp.get("/hop-don/mat-do/<word>")
@needs(Permission.PETITION_SEE)
def inbox_density(word: str) -> ResponseReturnValue:
    """Choose how dense the rows are; kept in a cookie of this browser."""
    response = inbox_redirect()
    if word in ("vua", "gon"):
        response.set_cookie(DENSITY, word, max_age=31536000, samesite="Lax", httponly=True)
    return response


def inbox_redirect() -> Any:
    """Back to the list with its filter."""
    args = {name: value for name, value in request.args.items() if name != "word"}
    return redirect(url_for("petitions.inbox", **args), code=303)


@bp.get("/hop-don/<uuid:petition_id>")
@needs(Permission.PETITION_SEE)
def inbox_petition(petition_id: UUID) -> ResponseReturnValue:
    """A petition with everything an officer needs to decide the next step."""
    page = read_petition(petition_id, current_actor(), today=legal_today())
    return render_template("petitions/inbox_petition.html", **page_words(page))


@bp.get("/hop-don/<uuid:petition_id>/tep/<uuid:attachment_id>")
@needs(Permission.ATTACHMENT_SEE)
def inbox_file(petition_id: UUID, attachment_id: UUID) -> ResponseReturnValue:
    """An attachment, decrypted for this answer alone."""
    file = operations.attachment(petition_id, attachment_id, by=current_actor())
    response = send_file(
        BytesIO(file.data),
        mimetype=file.media_type,
        as_attachment=request.args.get("tai") == "1",
        download_name=file.name,
        conditional=False,
        etag=False,
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@bp.get("/hop-don/<uuid:petition_id>/vi-sao")
@needs(Permission.PETITION_SEE)
def inbox_why(petition_id: UUID) -> ResponseReturnValue:
    """Every running term of a petition, day by day, with its legal source."""
    page = read_petition(petition_id, current_actor(), today=legal_today())
    return render_template(
        "petitions/inbox_why.html",
        **page_words(page),
        terms=[
            (term, why(term), deadline_words.left(term.last_day_on, legal_today()))
            for term in page.terms
        ],
    )


@bp.route("/hop-don/<uuid:petition_id>/noi-dung", methods=["GET", "POST"])
@needs(Permission.PETITION_SEE)
def inbox_sealed(petition_id: UUID) -> ResponseReturnValue:
    """A sealed letter: asked for with a reason, shown once, never kept in the browser."""
    page = read_petition(petition_id, current_actor(), today=legal_today())
    identity = request.values.get("phan") == "nguoi-gui"
    shown = {**page_words(page), "identity": identity, "opened": None, "errors": {}}
    if request.method == "GET":
        return render_template("petitions/inbox_sealed.html", **shown)
    try:
        opened = operations.open_sealed(
            petition_id,
            identity=identity,
            reason=request.form.get("reason", ""),
            by=current_actor(),
        )
    except BadInput as bad:
        return render_template(
            "petitions/inbox_sealed.html", **{**shown, "errors": bad.fields}
        ), 422
    return render_template(
        "petitions/inbox_sealed.html",
        **{**shown, "opened": opened, "rows": words.sealed_rows(opened.parties or opened.identity)},
    )
