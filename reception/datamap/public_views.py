"""The public layer, and the switch that only the chair of the province turns."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception.access import current_actor, needs, public
from reception.clock import legal_today
from reception.datamap import operations, public_pages, publication
from reception.datamap.blueprint import bp
from reception.datamap.export import public_table_text
from reception.datamap.forms import SHAPES, PublicFilter, SwitchForm
from reception.datamap.operations import Choices
from reception.datamap.publication import NotOpen, PublicPicture
from workflows.access import Permission


def _read(known: Choices) -> PublicFilter:
    return PublicFilter.read(request.args, fields=known.roots, units=known.unit_codes)


def _public(known: Choices, filter_: PublicFilter) -> PublicPicture:
    return publication.public_picture(
        quarter=filter_.quarter,
        field=filter_.field,
        shape=SHAPES.get(filter_.shape, ""),
        known=known,
        today=legal_today(),
    )


@bp.get("/ban-do-cong-khai")
@public
def public_map() -> ResponseReturnValue:
    """The map for everybody: closed quarters, broad fields, small numbers hidden."""
    known = operations.choices()
    filter_ = _read(known)
    try:
        picture = _public(known, filter_)
    except NotOpen:
        return render_template("datamap/public_closed.html"), 404
    page = public_pages.public_page(filter_, picture, known, endpoint=".public_map")
    return render_template("datamap/public.html", page=page)


@bp.get("/ban-do-cong-khai/so-lieu.csv")
@public
def public_csv() -> ResponseReturnValue:
    """The shown table as open data."""
    known = operations.choices()
    picture = _public(known, _read(known))
    name = f"ban-do-{picture.layer.period.code}.csv"
    return Response(
        public_table_text(picture),
        mimetype="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@bp.get("/ban-do/cong-khai")
@needs(Permission.DATAMAP_PUBLISH)
def publication_page() -> ResponseReturnValue:
    """The switch: how it stands, what the public would see, and why it was turned."""
    publication.ensure_may_publish(current_actor())
    return render_template(
        "datamap/publication.html", switch=publication.switch(), form=SwitchForm()
    )


@bp.post("/ban-do/cong-khai")
@needs(Permission.DATAMAP_PUBLISH)
def switch_public_map() -> ResponseReturnValue:
    """Turn the public layer on or off."""
    form = SwitchForm.read(request.form)
    if form.errors:
        page = render_template("datamap/publication.html", switch=publication.switch(), form=form)
        return page, 422
    publication.set_switch(
        on=form.on,
        reason=form.reason,
        by=current_actor(),
        known=operations.choices(),
        today=legal_today(),
    )
    flash(_("The public map is on.") if form.on else _("The public map is off."), "success")
    return redirect(url_for(".publication_page"), code=303)


@bp.get("/ban-do/cong-khai/xem-truoc")
@needs(Permission.DATAMAP_PUBLISH)
def preview() -> ResponseReturnValue:
    """The public page as others would see it."""
    known = operations.choices()
    filter_ = _read(known)
    picture = publication.preview(
        quarter=filter_.quarter,
        field=filter_.field,
        shape=SHAPES.get(filter_.shape, ""),
        by=current_actor(),
        known=known,
        today=legal_today(),
    )
    page = public_pages.public_page(filter_, picture, known, endpoint=".preview")
    return render_template("datamap/public.html", page=page, is_preview=True)
