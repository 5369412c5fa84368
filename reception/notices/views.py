"""The page behind the bell."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from reception.access import current_actor, needs
from reception.notices import operations
from storage.queries.notices import NoticeLine
from workflows.access import Permission, holds
from workflows.errors import Unavailable

bp = Blueprint("notices", __name__)

TOPICS: dict[str, Any] = {
    "petition_registered": _l("A new petition waits in the inbox"),
    "petition_forwarded": _l("A petition was forwarded to your unit"),
    "petition_supplemented": _l("The sender added a paper to a petition"),
    "petition_withdraw_asked": _l("The sender asks to withdraw a petition"),
    "petition_hurry_asked": _l("The sender reminds you: the answer is late"),
    "session.points_notice": _l("Your unit is a point of an online session"),
}


@bp.app_context_processor
def _bell() -> dict[str, Any]:
    """The bell of the staff pages; a database that is away leaves it out."""
    actor = current_actor()
    if not actor.posts or actor.is_citizen or not holds(actor, Permission.NOTICE_SEE):
        return {}
    try:
        count = operations.waiting_for(actor)
    except Unavailable:
        return {}
    return {"notices_url": url_for("notices.index"), "notices_count": count}


def _target(line: NoticeLine) -> str:
    if line.petition_id is not None:
        return url_for("petitions.inbox_petition", petition_id=line.petition_id)
    if line.meeting_id is not None:
        return url_for("sessions.ready", meeting_id=line.meeting_id)
    return ""


@bp.get("/thong-bao")
@needs(Permission.NOTICE_SEE)
def index() -> ResponseReturnValue:
    """One's own notices, the unread first."""
    lines, unread = operations.notices_of(current_actor())
    return render_template(
        "notices/index.html",
        lines=[
            {
                "notice": line.notice,
                "words": TOPICS.get(line.notice.topic, _l("Something happened to a record")),
                "code": line.code,
                "target": _target(line),
            }
            for line in lines
        ],
        unread=unread,
    )


@bp.post("/thong-bao/da-doc")
@needs(Permission.NOTICE_SEE)
def read_all() -> ResponseReturnValue:
    """Put every notice away."""
    operations.mark_read(current_actor())
    return redirect(url_for(".index"), code=303)


@bp.post("/thong-bao/<uuid:notice_id>/mo")
@needs(Permission.NOTICE_SEE)
def open_one(notice_id: UUID) -> ResponseReturnValue:
    """Put a notice away and go to its record."""
    actor = current_actor()
    lines, _unread = operations.notices_of(actor)
    operations.mark_read(actor, notice_id)
    target = next((_target(line) for line in lines if line.notice.id == notice_id), "")
    return redirect(target or url_for(".index"), code=303)
