"""Pages of the paper post: a batch of envelopes, its printed list, photos."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from reception.access import current_actor, needs
from reception.clock import legal_today
from reception.desk import post
from reception.desk.blueprint import bp, here
from reception.desk.forms import EnvelopeForm
from reception.desk.places import Place, own_places
from reception.errors import wants_json
from reception.settings import settings
from workflows.access import Permission
from workflows.errors import BadInput, DomainError


@bp.get("/don-buu-dien")
@needs(Permission.POST_BATCH)
def post_batch() -> ResponseReturnValue:
    """A batch of 20 rows; without a name a new one begins."""
    place = here(Permission.POST_BATCH)
    if not request.args.get("dot"):
        target = url_for("desk.post_batch", tai=place.code, dot=post.new_batch(legal_today()))
        return redirect(target)
    return _page(place, post.batch_named(request.args["dot"]), {})


def _page(place: Place, batch: str, forms: dict[int, EnvelopeForm]) -> str:
    actor = current_actor()
    kept = {row.row: row for row in post.batch_of(place.unit_id, batch, by=actor)}
    return render_template(
        "desk/post.html",
        place=place,
        places=own_places(actor, Permission.POST_BATCH),
        batch=batch,
        rows=range(1, post.ROWS + 1),
        kinds=post.KINDS,
        kept=kept,
        forms=forms,
        batches=post.recent_batches(place.unit_id, by=actor, today=legal_today()),
        max_mb=settings().upload_limit_bytes // 1024 // 1024,
    )


@bp.post("/don-buu-dien")
@needs(Permission.POST_BATCH)
def post_save() -> ResponseReturnValue:
    """Keep every filled row on its own; wrong ones stay on the page with what was typed."""
    place = here(Permission.POST_BATCH)
    batch = post.batch_named(request.form.get("dot", ""))
    rows = [EnvelopeForm.read(request.form, row) for row in range(1, post.ROWS + 1)]
    touched = {form.row: form for form in rows if form.touched}
    codes = {row: _save(place, batch, form) for row, form in touched.items()}
    if wants_json():
        return {
            "rows": {
                row: {"code": codes[row], "errors": form.errors} for row, form in touched.items()
            }
        }
    wrong = {row: form for row, form in touched.items() if form.errors}
    if wrong:
        return _page(place, batch, wrong), 422
    if codes:
        flash(_("%(count)s letters were kept.", count=len(codes)), "success")
    return redirect(url_for("desk.post_batch", tai=place.code, dot=batch), code=303)


def _save(place: Place, batch: str, form: EnvelopeForm) -> str:
    """The code of the row's petition; empty when something stands in its way."""
    if form.errors:
        return ""
    try:
        envelope = post.Envelope(
            row=form.row,
            kind=form.typed["kind"],
            summary=form.typed["summary"],
            sender=form.typed["sender"],
            address=form.typed["address"],
            anonymous=bool(form.typed["anonymous"]),
            postmark_on=form.postmark_on,
            forwarded_by=form.typed["forwarded_by"],
            forwarded_number=form.typed["forwarded_number"],
            photo=_photo(request.files.get(f"photo-{form.row}")),
        )
        return post.save_envelope(
            place.unit_id, batch, envelope, by=current_actor(), today=legal_today()
        )
    except BadInput as bad:
        form.errors.update(bad.fields)
    except DomainError as error:
        form.errors["row"] = error.message
    return ""


def _photo(file: FileStorage | None) -> post.Photo | None:
    if file is None or not file.filename:
        return None
    data = file.read(settings().upload_limit_bytes + 1)
    if len(data) > settings().upload_limit_bytes:
        raise BadInput({"photo": _("This photo is too large. Take it again at lower quality.")})
    return post.Photo(data, file.filename[:200])


@bp.post("/don-buu-dien/<uuid:petition_id>/anh")
@needs(Permission.POST_BATCH)
def post_photo_add(petition_id: UUID) -> ResponseReturnValue:
    """Add the photo of an envelope later."""
    try:
        photo = _photo(request.files.get("photo"))
        if photo is None:
            raise BadInput({"photo": _("Choose the photo of the envelope first.")})
        batch = post.add_photo(petition_id, photo, by=current_actor())
        flash(_("The photo of the envelope was kept."), "success")
    except BadInput as bad:
        flash(" ".join(bad.fields.values()), "error")
        batch = request.form.get("dot", "")
    return redirect(url_for("desk.post_batch", dot=batch), code=303)


@bp.get("/don-buu-dien/<uuid:petition_id>/anh")
@needs(Permission.POST_BATCH)
def post_photo(petition_id: UUID) -> ResponseReturnValue:
    """The photo of an envelope."""
    data, media_type = post.photo_of(petition_id, by=current_actor())
    return data, 200, {"Content-Type": media_type}


@bp.get("/don-buu-dien/in")
@needs(Permission.POST_BATCH)
def post_list() -> ResponseReturnValue:
    """The list of a batch, to print and to sign for."""
    place = here(Permission.POST_BATCH)
    batch = post.batch_named(request.args.get("dot", ""))
    rows = post.batch_of(place.unit_id, batch, by=current_actor())
    return render_template("desk/post_list.html", place=place, batch=batch, rows=rows)
