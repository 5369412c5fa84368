"""The front door: home, the guide to the kinds of petition, the calendar and the standing pages."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from reception.access import public
from reception.clock import LOCAL, legal_now
from reception.petitions import (
    filing_views,
    front_operations,
    handling_views,
    inbox_views,
    look_up_views,
)
from reception.petitions.blueprint import bp
from reception.petitions.filing_operations import Draft, DraftExpired, open_draft
from reception.petitions.following_words import office
from workflows.errors import NotFound
from workflows.lunar import lunar_date

# Answers of the guide: what people say, and the kind and round it leads to.
ANSWERS: dict[str, tuple[str, int]] = {
    "bi-thiet": ("complaint", 0),
    "bao-sai-trai": ("denunciation", 0),
    "gop-y": ("recommendation", 0),
    "su-co": ("feedback", 0),
    "chua-ro": ("unclassified", 0),
}
ROUNDS = {"chua": 1, "roi": 2}


@bp.app_context_processor
def _help_line() -> dict[str, Any]:
    """The telephone of the reception office, once the office has entered it."""
    return {"help_line": front_operations.help_line()}


def _leaf(reception: Any) -> dict[str, Any]:
    start, end = reception.starts_at.astimezone(LOCAL), reception.ends_at.astimezone(LOCAL)
    tag = (
        {"text": _l("On screen"), "tone": "info", "icon": "screen"}
        if reception.online
        else {"text": _l("In person"), "tone": "", "icon": "user"}
    )
    return {
        "date": start.date(),
        "lunar": str(lunar_date(start.date())),
        "title": office(reception.unit),
        "detail": f"{start:%H:%M}–{end:%H:%M}",
        "tag": tag,
    }


def unfinished() -> Draft | None:
    """The draft this browser has begun and not sent, if it still lives."""
    token = cookie.get("draft")
    if not token:
        return None
    try:
        draft = open_draft(token)
    except (NotFound, DraftExpired):
        cookie.pop("draft", None)
        return None
    return draft if draft.receipt is None else None


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    """Two doors: send a petition, look one up."""
    return render_template(
        "petitions/home.html",
        receptions=[_leaf(row) for row in front_operations.coming(legal_now(), limit=3)],
        unfinished=unfinished(),
    )


@bp.get("/lich-tiep")
@public
def reception_calendar() -> ResponseReturnValue:
    """Public receptions of all offices, by day; a place narrows it down."""
    typed = request.args.get("xa", "").strip()
    found = front_operations.calendar(legal_now(), typed)
    return render_template(
        "petitions/calendar.html",
        typed=typed,
        unit=found.unit,
        places=found.places,
        receptions=[_leaf(row) for row in found.receptions],
    )


@bp.get("/gui-don")
@public
def guide() -> ResponseReturnValue:
    """Which kind is it, in people's own words."""
    answer, first = request.args.get("viec", ""), request.args.get("lan", "")
    asked = "viec" in request.args or "tiep" in request.args
    if answer == "bi-thiet" and first not in ROUNDS:
        return render_template("petitions/guide_round.html", asked="tiep" in request.args)
    if answer in ANSWERS:
        kind, _round = ANSWERS[answer]
        return render_template(
            "petitions/guide_result.html",
            kind=kind,
            answer=answer,
            round=ROUNDS.get(first, 0) if kind == "complaint" else 0,
            terms=front_operations.guide_terms(legal_now().astimezone(LOCAL).date()),
        )
    page = render_template("petitions/guide.html", asked=asked)
    return (page, 422) if asked else page


@bp.get("/tro-giup")
@public
def help_page() -> ResponseReturnValue:
    """Help, interpreters, support."""
    return render_template("pages/help.html")


@bp.get("/quyen-cua-nguoi-gui-don")
@public
def rights_page() -> ResponseReturnValue:
    """What the person who files may ask for."""
    return render_template("pages/rights.html")


@bp.get("/giu-kin-thong-tin")
@public
def privacy_page() -> ResponseReturnValue:
    """How information is kept private."""
    return render_template("pages/privacy.html")


__all__ = ["bp", "filing_views", "handling_views", "inbox_views", "look_up_views"]
