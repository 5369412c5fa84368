"""Papers in the room: the list, one page as a picture, and what the desk shows to all."""

from __future__ import annotations

from uuid import UUID

from flask import make_response, request
from flask.typing import ResponseReturnValue

from reception.access import current_actor, needs, public
from reception.sessions import paper_operations
from reception.sessions.blueprint import bp
from reception.sessions.join_views import TOKEN_HEADER, asking_participant
from reception.sessions.paper_operations import Asker
from workflows.access import VISITOR, Permission


def _asker(meeting_id: UUID) -> Asker:
    """Who asks; a personal link opens the own papers alone, whoever is logged in beside it."""
    by_link = bool(request.headers.get(TOKEN_HEADER))
    actor = VISITOR if by_link else current_actor()
    return Asker(asking_participant(meeting_id), actor)


@bp.get("/phien/<uuid:meeting_id>/ho-so")
@public
def papers(meeting_id: UUID) -> ResponseReturnValue:
    """The papers this person may open beside the faces."""
    listed = paper_operations.papers(meeting_id, _asker(meeting_id))
    return {
        "papers": [
            {
                "id": str(paper.id),
                "name": paper.name,
                "pages": paper.pages,
                "visit": paper.visit,
                "heard": paper.heard,
            }
            for paper in listed
        ]
    }


@bp.post("/phien/<uuid:meeting_id>/ho-so/<uuid:attachment_id>/mo")
@public
def open_paper(meeting_id: UUID, attachment_id: UUID) -> ResponseReturnValue:
    """Open a paper for oneself."""
    return {"pages": paper_operations.open_paper(meeting_id, attachment_id, _asker(meeting_id))}


@bp.get("/phien/<uuid:meeting_id>/ho-so/<uuid:attachment_id>/<int:page>.jpg")
@public
def paper_page(meeting_id: UUID, attachment_id: UUID, page: int) -> ResponseReturnValue:
    """One page, drawn in memory; never kept by the browser."""
    body = paper_operations.picture(meeting_id, attachment_id, page, _asker(meeting_id))
    response = make_response(body)
    response.headers["Content-Type"] = "image/jpeg"
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/phien/<uuid:meeting_id>/ho-so/<uuid:attachment_id>/cho-xem")
@needs(Permission.SESSION_ADMIT)
def show_paper(meeting_id: UUID, attachment_id: UUID) -> ResponseReturnValue:
    """Show a page to everybody in the room."""
    data = request.get_json(silent=True) or request.form
    page = str(data.get("page", "1"))
    number = int(page) if page.isdecimal() and len(page) < 5 else 0
    paper_operations.show(meeting_id, attachment_id, number, by=current_actor())
    return {"ok": True}


@bp.post("/phien/<uuid:meeting_id>/ho-so/thoi-xem")
@needs(Permission.SESSION_ADMIT)
def hide_paper(meeting_id: UUID) -> ResponseReturnValue:
    """Stop showing."""
    paper_operations.hide(meeting_id, by=current_actor())
    return {"ok": True}
