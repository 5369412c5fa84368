"""The search page: one box, results by rank, and a way on when nothing is found."""

from __future__ import annotations

from datetime import timedelta

from flask import current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception.access import current_actor, needs
from reception.cases.blueprint import bp
from reception.cases.search_operations import find
from reception.petitions.inbox_words import KINDS, STATES
from reception.security import limit
from storage.queries.search import NEWEST, PAGE, Hit
from workflows.access import Permission

LONGEST = 200
MOST_A_MINUTE = 60
PLACES = {
    "petition": ("petitions.inbox_petition", "petition_id"),
    "case": ("cases.show", "case_id"),
}


@bp.get("/tim")
@needs(Permission.SEARCH)
def search() -> ResponseReturnValue:
    """Petitions and cases by words with or without marks, by name, code or decision number."""
    typed = request.args.get("q", "").strip()[:LONGEST]
    page = max(1, request.args.get("trang", 1, type=int))
    any_word = request.args.get("gan") == "1"
    actor = current_actor()
    limit("search", str(actor.account_id), most=MOST_A_MINUTE, within=timedelta(minutes=1))
    found = find(actor, typed, page=page, any_word=any_word)
    last = max(1, -(-found.total // PAGE))
    return render_template(
        "cases/search.html",
        typed=typed,
        found=found,
        any_word=any_word,
        newest=NEWEST,
        address=_address,
        kind_words=_kind,
        state_words=_state,
        pages={
            "previous": _page(typed, page - 1, any_word) if page > 1 else None,
            "next": _page(typed, page + 1, any_word) if page < last else None,
        },
        page=page,
        last=last,
    )


def _page(typed: str, page: int, any_word: bool) -> str:
    return url_for(".search", q=typed, trang=page, gan=1 if any_word else None)


def _address(hit: Hit) -> str:
    """Where a result leads; empty when its page is not part of this installation."""
    endpoint, key = PLACES[hit.kind]
    return url_for(endpoint, **{key: hit.id}) if endpoint in current_app.view_functions else ""


def _kind(hit: Hit) -> str:
    return str(KINDS.get(hit.petition_kind, hit.petition_kind))


def _state(hit: Hit) -> dict[str, str]:
    if hit.kind == "case":
        open_case = {"text": _("Case open"), "tone": "info", "icon": "folder"}
        return (
            open_case
            if hit.state == "open"
            else {"text": _("Case closed"), "tone": "ok", "icon": "check"}
        )
    text, tone, icon = STATES[hit.state]
    return {"text": str(text), "tone": tone, "icon": icon}
