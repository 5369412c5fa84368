"""Pages that show the rules as they are: every procedure as states, arrows and lines of law."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception.access import current_actor, needs
from reception.clock import legal_today
from reception.procedures import operations, words
from reception.procedures.forms import DayForm, YearForm
from storage.database import reading
from storage.queries.rules import rules_to_confirm
from workflows.access import Permission
from workflows.errors import BadInput, Conflict, NotFound
from workflows.procedures.loader import load_all
from workflows.procedures.model import Procedure
from workflows.procedures.picture import HEIGHT, WIDTH, picture

bp = Blueprint("procedures", __name__)


@bp.get("/quy-trinh")
@needs(Permission.NOTICE_SEE)
def index() -> ResponseReturnValue:
    """Every procedure, and every point the province must still confirm."""
    with reading() as work:
        rows = rules_to_confirm(work.db_session, legal_today())
    return render_template(
        "procedures/index.html",
        procedures=[words.summary(one) for one in _in_order()],
        questions=words.questions(_in_order()),
        rules=rows,
        label=words.label,
    )


@bp.get("/quy-trinh/<code>")
@needs(Permission.NOTICE_SEE)
def show(code: str) -> ResponseReturnValue:
    """One procedure by the rules in force on a day: the picture and its twin in tables."""
    found = load_all().get(code.upper())
    if found is None:
        abort(404)
    on = _day(request.args.get("ngay", "")) or legal_today()
    return render_template(
        "procedures/show.html",
        procedure=found,
        title=words.label(found),
        on=on,
        days=words.law_days(found, on),
        drawing=picture(found, on=on),
        box=(WIDTH, HEIGHT),
        states={s.code: words.state_label(s) for s in found.states.values()},
        moves=words.move_rows(found, on),
        terms=words.term_rows(found, on),
        papers=words.paper_rows(found),
        lines=words.lines,
    )


@bp.get("/lich-nghi")
@needs(Permission.CALENDAR_MANAGE)
def calendar() -> ResponseReturnValue:
    """The days off of a year, and what an officer may do with them."""
    return _calendar_page(_year(request.args.get("nam", "")) or legal_today().year)


@bp.post("/lich-nghi/de-xuat")
@needs(Permission.CALENDAR_MANAGE)
def propose_year() -> ResponseReturnValue:
    """Write the proposal of a year."""
    form = YearForm.read(request.form)
    return _changed_year(form, lambda: operations.propose_year(form.year, by=current_actor()))


@bp.post("/lich-nghi/xac-nhan")
@needs(Permission.CALENDAR_MANAGE)
def confirm_year() -> ResponseReturnValue:
    """Put a proposed year in force."""
    form = YearForm.read(request.form)
    return _changed_year(
        form, lambda: operations.confirm_year(form.year, form.decision, by=current_actor())
    )


@bp.post("/lich-nghi/ngay")
@needs(Permission.CALENDAR_MANAGE)
def change_day() -> ResponseReturnValue:
    """Enter, change or take out one special day."""
    form = DayForm.read(request.form)
    if form.errors:
        return _calendar_page(form.year or legal_today().year, day_form=form), 422
    try:
        form.apply(by=current_actor())
    except (BadInput, NotFound) as wrong:
        form.refused(wrong)
        return _calendar_page(form.year, day_form=form), 422
    flash(_("Saved."), "success")
    return redirect(url_for(".calendar", nam=form.year), code=303)


def _changed_year(form: YearForm, change: Callable[[], object]) -> ResponseReturnValue:
    try:
        change()
    except (BadInput, Conflict, NotFound) as wrong:
        form.errors = {"decision": wrong.message}
        return _calendar_page(form.year, year_form=form), 422
    flash(_("Saved."), "success")
    return redirect(url_for(".calendar", nam=form.year), code=303)


def _calendar_page(
    year: int, *, year_form: YearForm | None = None, day_form: DayForm | None = None
) -> str:
    kept, days = operations.calendar_of(year, by=current_actor())
    return render_template(
        "procedures/calendar.html",
        year=year,
        kept=kept,
        days=days,
        kinds=words.DAY_KINDS,
        day_name=words.day_name,
        year_form=year_form or YearForm(year),
        day_form=day_form or DayForm(),
    )


def _year(typed: str) -> int | None:
    return int(typed) if typed.isdecimal() and 2000 <= int(typed) <= 2100 else None


def _in_order() -> list[Procedure]:
    """As the work goes: session, petition, complaints, denunciation with protection, feedback."""
    loaded = load_all()
    first = [code for code in words.ORDER if code in loaded]
    return [loaded[code] for code in (*first, *sorted(set(loaded) - set(first)))]


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None
