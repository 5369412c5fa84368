"""Pages of supervision: the audit log, the health of the system, and two answers for machines."""

from __future__ import annotations

import json

from flask import Blueprint, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception.access import current_actor, needs, public
from reception.administration import words
from reception.administration.forms import LogForm
from reception.administration.operations import prove_event, read_log
from storage.health import BAD, OK, is_ready, look
from storage.models.base import utc_now
from workflows.access import Permission
from workflows.errors import NotFound

bp = Blueprint("administration", __name__)


@bp.get("/nhat-ky")
@needs(Permission.AUDIT_READ)
def audit() -> ResponseReturnValue:
    """The audit log, newest first, by record, person, action and day."""
    form = LogForm.read(request.args)
    lines, more, actions = read_log(current_actor(), form.filter())
    kept = {"ho-so": form.record, "ai": form.who, "viec": form.action, "ngay": form.day}
    asked = {name: value for name, value in kept.items() if value}
    return render_template(
        "administration/audit.html",
        form=form,
        lines=lines,
        actions=[(action, words.action_words(action)) for action in actions],
        action_words=words.action_words,
        kind_words=words.kind_words,
        detail=words.leaf_detail,
        older=url_for(".audit", **asked, truoc=more) if more else None,
        newest=url_for(".audit", **asked) if form.before else None,
        filtered=bool(asked),
    ), 422 if form.errors else 200


@bp.get("/nhat-ky/<int:leaf_id>/chung-minh")
@needs(Permission.AUDIT_READ)
def proof(leaf_id: int) -> ResponseReturnValue:
    """The proof that one event stands in the log unchanged."""
    return render_template(
        "administration/proof.html",
        proof=prove_event(current_actor(), leaf_id),
        action_words=words.action_words,
        kind_words=words.kind_words,
    )


@bp.get("/nhat-ky/<int:leaf_id>/chung-minh.json")
@needs(Permission.AUDIT_READ)
def proof_file(leaf_id: int) -> ResponseReturnValue:
    """The same as a file that is checked without this system."""
    document = prove_event(current_actor(), leaf_id).document()
    if document is None:
        raise NotFound(_("There is no checkpoint over this line yet. Come back in an hour."))
    answer = make_response(json.dumps(document, ensure_ascii=False, indent=1))
    answer.mimetype = "application/json"
    answer.headers["Content-Disposition"] = f'attachment; filename="chung-minh-{leaf_id}.json"'
    return answer


@bp.get("/suc-khoe")
@needs(Permission.HEALTH_SEE)
def health() -> ResponseReturnValue:
    """Every part of the system with what is wrong and what to do."""
    return _health_page(again=False)


@bp.post("/suc-khoe/thu-khoa")
@needs(Permission.HEALTH_SEE)
def health_again() -> ResponseReturnValue:
    """Try the lock against deletion once more."""
    return _health_page(again=True)


def _health_page(*, again: bool) -> ResponseReturnValue:
    found = look(again=again)
    return render_template(
        "administration/health.html",
        found=found,
        bad=sum(finding.state == BAD for finding in found),
        unclear=sum(finding.state not in (OK, BAD) for finding in found),
        part_words=words.PARTS,
        why_words=words.why_words,
        state_shown=words.state_shown,
        figures_shown=words.figures_shown,
        looked_at=utc_now(),
    )


@bp.get("/song")
@public
def alive() -> ResponseReturnValue:
    """Whether this process answers at all."""
    return {"ok": True}


@bp.get("/san-sang")
@public
def ready() -> ResponseReturnValue:
    """Whether this process can serve; says no more than yes or no."""
    ok = is_ready()
    return {"ok": ok}, 200 if ok else 503
