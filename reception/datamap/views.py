"""Pages of the map. Who may see which number is decided in the operations."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from reception.access import current_actor, needs
from reception.clock import legal_now, legal_today
from reception.datamap import operations, pages, public_views
from reception.datamap.blueprint import bp
from reception.datamap.export import data_document, spreadsheet, text_table
from reception.datamap.forms import SHAPES, MapFilter
from reception.datamap.operations import Choices, Question
from reception.datamap.printing import PAPERS, map_pdf
from reception.datamap.wording import month_options, period_options, period_words
from workflows.access import VISITOR, Permission, holds

View = TypeVar("View", bound=Callable[..., Any])


def inside(view: View) -> View:
    """Send a visitor to the log-in: the leave to see a map reaches citizens for the public one."""

    @wraps(view)
    def guarded(*args: object, **kwargs: object) -> object:
        if current_actor() is VISITOR and request.method == "GET":
            return redirect(url_for("accounts.log_in", next=request.full_path.rstrip("?")))
        return view(*args, **kwargs)

    return guarded  # type: ignore[return-value]  # same call signature as `view`


def read_filter(known: Choices) -> MapFilter:
    """What the address asks for."""
    return MapFilter.read(
        request.args, today=legal_today(), fields=known.field_codes, units=known.unit_codes
    )


def question_of(filter_: MapFilter) -> Question:
    """The cases that are asked about."""
    return Question(filter_.field, filter_.kinds, filter_.period)


def _picture() -> tuple[Choices, MapFilter, operations.Picture]:
    """What may be chosen, what was asked for, and its figures as this person may see them."""
    known = operations.choices()
    filter_ = read_filter(known)
    picture = operations.picture(
        question_of(filter_),
        shape=SHAPES.get(filter_.shape, ""),
        visible_to=current_actor(),
        known=known,
        today=legal_today(),
    )
    return known, filter_, picture


@bp.get("/ban-do")
@needs(Permission.DATAMAP_SEE)
@inside
def show() -> ResponseReturnValue:
    """The internal map with its table and, once chosen, one commune opened."""
    known, filter_, picture = _picture()
    opened = (
        operations.open_unit(question_of(filter_), picture.figures, filter_.unit, known=known)
        if filter_.unit
        else None
    )
    page = pages.internal_page(
        filter_,
        picture,
        known,
        opened,
        legal_today(),
        may_publish=holds(current_actor(), Permission.DATAMAP_PUBLISH),
    )
    body = render_template(
        "datamap/show.html",
        page=page,
        fields=pages.field_options(known),
        kinds=pages.kind_options(),
        periods=period_options(picture.figures.months, filter_.period, legal_today()),
        months=month_options(picture.figures.months),
        as_of=legal_now(),
    )
    return body, 422 if filter_.errors else 200


@bp.get("/ban-do/du-lieu")
@needs(Permission.DATAMAP_SEE)
@inside
def data() -> ResponseReturnValue:
    """The same numbers for scripts, with every month of the slider."""
    _known, filter_, picture = _picture()
    if filter_.errors:
        return jsonify(error=" ".join(filter_.errors.values()), status=422), 422
    return jsonify(
        data_document(
            filter_, picture.figures, as_of=legal_now(), played=request.args.get("chay") == "1"
        )
    )


@bp.get("/ban-do/so-lieu.<any(csv, xlsx):kind>")
@needs(Permission.DATAMAP_SEE)
@inside
def export(kind: str) -> ResponseReturnValue:
    """The table as a file: the same numbers, hidden where they are hidden."""
    known, filter_, picture = _picture()
    make = spreadsheet if kind == "xlsx" else text_table
    content, mime = make(filter_, picture, known, as_of=legal_now())
    name = f"ban-do-{filter_.period.code.replace('..', '_')}.{kind}"
    return Response(
        content,
        mimetype=mime,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@bp.get("/ban-do/danh-sach")
@needs(Permission.DATAMAP_SEE)
@inside
def case_list() -> ResponseReturnValue:
    """The cases behind one commune's number, as far as this person may see them."""
    known = operations.choices()
    filter_ = read_filter(known)
    found = operations.list_cases(
        question_of(filter_),
        filter_.unit,
        page=filter_.page,
        visible_to=current_actor(),
        known=known,
        today=legal_today(),
    )
    return render_template(
        "datamap/cases.html",
        found=found,
        filter=filter_,
        field_label=pages.field_labels(known).get(filter_.field, ""),
        kind_label=pages.kind_labels().get(filter_.kind, ""),
        period_label=period_words(filter_.period),
        kind_names=pages.case_kinds(),
        case_url=pages.case_url,
        page_links=pages.page_links(filter_, found),
    )


@bp.get("/ban-do/in.pdf")
@needs(Permission.DATAMAP_SEE)
@inside
def print_map() -> ResponseReturnValue:
    """The map on one sheet, A3 or A4, with its table behind."""
    known, filter_, picture = _picture()
    paper = request.args.get("kho", "a4")
    content = map_pdf(
        paper if paper in PAPERS else "a4",
        page=pages.internal_page(filter_, picture, known, None, legal_today()),
        field_label=pages.field_labels(known).get(filter_.field, ""),
        as_of=legal_now(),
    )
    return Response(
        content,
        mimetype="application/pdf",
        headers={"Content-Disposition": f'inline; filename="ban-do-{paper}.pdf"'},
    )


__all__ = ["bp", "public_views"]
