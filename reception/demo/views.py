"""Pages of the demonstration alone: the style page."""

from __future__ import annotations

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from reception.access import public
from storage.database import reading
from storage.queries.units import find_by_name

bp = Blueprint("demo", __name__)
SHELLS = ("public", "staff", "room")


@bp.get("/phong-cach")
@public
def style_page() -> ResponseReturnValue:
    """Every part of every page, in every state."""
    shell = request.args.get("shell", "public")
    return render_template("shared/styleguide.html", shell=shell if shell in SHELLS else SHELLS[0])


@bp.get("/phong-cach/xa")
@public
def style_units() -> ResponseReturnValue:
    """What the style page's combo box offers."""
    with reading() as work:
        found = find_by_name(work.db_session, request.args.get("q", ""))
    return jsonify(
        [
            {"value": unit.code, "label": unit.full_name, "detail": note, "cap": bool(note)}
            for unit, note in found
        ]
    )
