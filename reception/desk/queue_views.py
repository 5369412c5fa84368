"""Pages of the queue: give, call, absent; and the public number board."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception.access import current_actor, needs, public
from reception.clock import legal_today
from reception.desk import queue
from reception.desk.blueprint import bp, here
from storage.models.base import utc_now
from workflows.access import Permission
from workflows.errors import Conflict


def _back() -> ResponseReturnValue:
    return redirect(url_for("desk.desk", tai=request.values.get("tai") or None), code=303)


@bp.post("/quay/so")
@needs(Permission.DESK_QUEUE)
def give_number() -> ResponseReturnValue:
    """Give the next number with one press; `need` puts somebody first."""
    place = here(Permission.DESK_QUEUE)
    given = queue.give_number(
        place.unit_id,
        need=request.form.get("need", ""),
        by=current_actor(),
        today=legal_today(),
    )
    flash(_("Number %(number)s was given.", number=given), "success")
    return _back()


@bp.post("/quay/goi")
@needs(Permission.DESK_QUEUE)
def call_next() -> ResponseReturnValue:
    """Call who is next to this desk."""
    place = here(Permission.DESK_QUEUE)
    try:
        called = queue.call_next(
            place.unit_id, by=current_actor(), now=utc_now(), today=legal_today()
        )
    except Conflict as busy:
        flash(busy.message, "warning")
        return _back()
    if not called:
        flash(_("Nobody is waiting."), "info")
    return _back()


@bp.post("/quay/so/<uuid:ticket_id>/vang")
@needs(Permission.DESK_QUEUE)
def mark_absent(ticket_id: UUID) -> ResponseReturnValue:
    """Nobody answered the call."""
    queue.mark_absent(ticket_id, by=current_actor())
    return _back()


@bp.post("/quay/so/<uuid:ticket_id>/goi-lai")
@needs(Permission.DESK_QUEUE)
def call_again(ticket_id: UUID) -> ResponseReturnValue:
    """Call an absent or a waiting number out of turn."""
    try:
        queue.call_again(ticket_id, by=current_actor(), now=utc_now(), today=legal_today())
    except Conflict as busy:
        flash(busy.message, "warning")
    return _back()


@bp.get("/quay/bang/<unit>")
@public
def board(unit: str) -> ResponseReturnValue:
    """The screen of the waiting room: numbers, never names."""
    return render_template("desk/board.html", board=queue.board_of(unit, today=legal_today()))
