"""Pages of the book: by period, for print, as a spreadsheet, and the correction of a line."""

from __future__ import annotations

import secrets
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception.access import current_actor, needs
from reception.clock import legal_today
from reception.desk import visit_book
from reception.desk.blueprint import bp, here
from reception.desk.forms import CorrectionForm, PeriodForm
from reception.desk.places import own_places
from storage.models.base import utc_now
from workflows.access import Permission, holds

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/so-tiep-dan")
@needs(Permission.BOOK_SEE)
def book() -> ResponseReturnValue:
    """The book of a period, page by page."""
    return _book("desk/book.html", "book_read", whole=False)


@bp.get("/so-tiep-dan/in")
@needs(Permission.BOOK_SEE)
def book_print() -> ResponseReturnValue:
    """The book of a period for A4 across."""
    return _book("desk/book_print.html", "book_printed", whole=True)


def _book(template: str, action: str, *, whole: bool) -> ResponseReturnValue:
    place, actor = here(Permission.BOOK_SEE), current_actor()
    period = PeriodForm.read(request.args, today=legal_today())
    page = visit_book.read_book(
        place.unit_id,
        first=period.first,
        last=period.last,
        page=None if whole else period.page,
        by=actor,
        action=action,
    )
    return render_template(
        template,
        place=place,
        places=own_places(actor, Permission.BOOK_SEE),
        period=period,
        page=page,
        headings=visit_book.HEADINGS,
        may_correct=holds(actor, Permission.BOOK_WRITE),
    )


@bp.get("/so-tiep-dan.xlsx")
@needs(Permission.BOOK_SEE)
def book_xlsx() -> ResponseReturnValue:
    """The book of a period as a spreadsheet."""
    place = here(Permission.BOOK_SEE)
    period = PeriodForm.read(request.args, today=legal_today())
    data = visit_book.export_book(
        place, first=period.first, last=period.last, by=current_actor(), at=utc_now()
    )
    name = f"so-tiep-cong-dan-{place.code}-{period.first:%Y%m%d}-{period.last:%Y%m%d}.xlsx"
    return (
        data,
        200,
        {
            "Content-Type": XLSX,
            "Content-Disposition": f'attachment; filename="{name}"',
        },
    )


@bp.get("/so-tiep-dan/<uuid:visit_id>/sua")
@needs(Permission.BOOK_WRITE)
def book_correct(visit_id: UUID) -> ResponseReturnValue:
    """The form that corrects a line by a new edition."""
    found = visit_book.correctable(visit_id, by=current_actor())
    form = CorrectionForm(found.values, "")
    return _correction_page(found, form)


def _correction_page(found: visit_book.Correctable, form: CorrectionForm) -> str:
    return render_template(
        "desk/correct.html",
        found=found,
        form=form,
        key=request.form.get("key") or secrets.token_urlsafe(12),
    )


@bp.post("/so-tiep-dan/<uuid:visit_id>/sua")
@needs(Permission.BOOK_WRITE)
def book_correct_submit(visit_id: UUID) -> ResponseReturnValue:
    """Write the new edition."""
    form = CorrectionForm.read(request.form)
    if form.errors:
        return _correction_page(visit_book.correctable(visit_id, by=current_actor()), form), 422
    visit_book.correct_line(
        visit_id,
        form.values,
        reason=form.reason,
        key=request.form.get("key", ""),
        by=current_actor(),
    )
    flash(_("The line was corrected. The earlier wording stays in the book."), "success")
    return redirect(url_for("desk.book"), code=303)
