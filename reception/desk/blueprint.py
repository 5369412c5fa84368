"""The one blueprint of the area, and what its pages share."""

from __future__ import annotations

from flask import Blueprint, request

from reception.access import current_actor
from reception.desk import words
from reception.desk.places import Place, own_place
from reception.desk.queue import label
from reception.desk.visitors import masked_number, masked_phone, ticket_minutes
from workflows.access import Permission

bp = Blueprint("desk", __name__)


def here(permission: Permission) -> Place:
    """The place this page is about: `tai` of the address, else the first own one."""
    return own_place(current_actor(), permission, request.values.get("tai", "").strip())


@bp.context_processor
def _words() -> dict[str, object]:
    return {
        "words": words,
        "ticket_label": label,
        "masked_number": masked_number,
        "masked_phone": masked_phone,
        "ticket_minutes": ticket_minutes,
    }
