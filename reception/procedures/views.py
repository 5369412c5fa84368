"""Pages that show the rules as they are: every procedure as states, arrows and lines of law."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from reception.access import needs
from reception.clock import legal_today
from reception.procedures import words
from storage.database import reading
from storage.queries.rules import rules_to_confirm
from workflows.access import Permission
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
