"""The wizard: one thing per page, saved at each, without a script just as well."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import (
    Response,
    abort,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import (
    session as cookie,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage, MultiDict

from reception.access import current_actor, public
from reception.clock import LOCAL, legal_today
from reception.petitions import filing_flow as flow
from reception.petitions import filing_operations as operations
from reception.petitions import receipt
from reception.petitions.blueprint import bp
from reception.petitions.filing_forms import FORMS, KINDS, PageForm, SendForm
from reception.petitions.filing_operations import Draft, DraftExpired, EditedElsewhere
from reception.petitions.filing_words import (
    FOR_WHOM_LABELS,
    KIND_LABELS,
    LEADER_LABELS,
    PAGE_NAMES,
    STEP_OF,
    STEPS,
    SUPPORT_LABELS,
    kind_label,
    review,
)
from reception.petitions.following_words import office
from reception.petitions.uploads import ACCEPT, BadFile, check_file
from reception.security import TooManyAttempts, limit
from reception.settings import settings
from workflows.errors import CalendarGap, Conflict
from workflows.groups import representatives

UPLOADS_PER_ADDRESS = 300
"""In an hour: a help desk photographs the papers of many people through one address."""
SAVES_PER_ADDRESS = 1500
"""In five minutes: some twenty people who write without a pause behind one address."""
log = logging.getLogger(__name__)

PART_OF_PAGE = {"anh-don": "signed_petition", "gui-thay": "authority"}
HOUR = timedelta(hours=1)


@bp.app_errorhandler(DraftExpired)
def _expired(error: DraftExpired) -> ResponseReturnValue:
    cookie.pop("draft", None)
    return render_template("petitions/expired.html", message=error.message, sent=error.sent), 410


def _address() -> str:
    return request.remote_addr or ""


def _account() -> UUID | None:
    actor = current_actor()
    return actor.account_id if actor.is_citizen else None


def _to(token: str, page: str, **more: str) -> Response:
    if page in FORMS:
        return redirect(url_for(".page", token=token, page=page, **more), code=303)
    return redirect(url_for(f".{page}", token=token, **more), code=303)


# --- beginning and coming back -------------------------------------------------------------------


@bp.post("/don/moi")
@public
def begin() -> ResponseReturnValue:
    """Begin a petition of the kind the guide led to."""
    limit("filing", _address(), most=40, within=HOUR)
    kind = request.form.get("kind", "unclassified")
    if kind not in KINDS:
        abort(400)
    rounds = {"1": 1, "2": 2}
    token = operations.start_draft(
        kind=kind, round_number=rounds.get(request.form.get("round", ""), 0), account_id=_account()
    )
    cookie["draft"] = token
    return _to(token, "nguoi-gui")


@bp.get("/don/moi/<token>")
@public
def resume(token: str) -> ResponseReturnValue:
    """The link to come back by: to the page where one stopped."""
    draft = operations.open_draft(token)
    cookie["draft"] = token
    if draft.receipt is not None:
        return _to(token, "received")
    reached = draft.page if draft.page in FORMS else "nguoi-gui"
    onward = flow.page_after(draft, reached) if reached in draft.answers else reached
    return _to(token, onward)


@bp.get("/don/moi/<token>/de-sau")
@public
def later(token: str) -> ResponseReturnValue:
    """How to come back to an unfinished petition."""
    draft = operations.open_draft(token)
    link = settings().public_url + url_for(".resume", token=token)
    return render_template("petitions/later.html", draft=draft, link=link)


# --- the pages -----------------------------------------------------------------------------------


@bp.get("/don/moi/<token>/<page>")
@public
def page(token: str, page: str) -> ResponseReturnValue:
    """One page of the wizard."""
    if page not in FORMS:
        abort(404)
    draft = operations.open_draft(token)
    if draft.receipt is not None:
        return _to(token, "received")
    cookie["draft"] = token
    if page == "xem-lai":
        return _show_review(draft, _signing_form(draft))
    typed = draft.typing.get(page)
    form = FORMS[page].read(MultiDict(typed)) if typed else FORMS[page].of(draft.of(page))
    return _show(draft, page, form)


@bp.post("/don/moi/<token>/<page>")
@public
def save(token: str, page: str) -> ResponseReturnValue:
    """Keep one page and go on; with nothing lost when something needs another look."""
    if page not in FORMS:
        abort(404)
    if page == "xem-lai":
        return _send(token)
    form = FORMS[page].read(request.form)
    draft, refused = _take_files(token, PART_OF_PAGE.get(page, "evidence"), "files")
    if request.form.get("action") == "upload":
        operations.keep_typing(token, page, _typed())
        return _show(draft, page, form, refused) if refused else _to(token, page)
    if request.form.get("action") == "add":
        return _show(draft, page, _with_row(form))
    form.check(flow.known_of(draft, legal_today()))
    form.errors.update(refused)
    if form.errors:
        return _show(draft, page, form)
    try:
        draft = operations.save_page(token, page, form.answers(), seen=request.form.get("seen", ""))
    except EditedElsewhere as error:
        return _show(operations.open_draft(token), page, form, notice=error.message), 409
    back = request.args.get("sua") == "1" and page not in ("loai-don", "nguoi-gui", "cach-viet")
    return _to(token, "xem-lai" if back else flow.page_after(draft, page))


@bp.post("/don/moi/<token>/<page>/luu")
@public
def keep(token: str, page: str) -> ResponseReturnValue:
    """Keep what is being typed; asked by the page itself every few seconds."""
    if page not in FORMS:
        abort(404)
    limit("autosave", _address(), most=SAVES_PER_ADDRESS, within=timedelta(minutes=5))
    at = operations.keep_typing(token, page, _typed())
    return jsonify(saved_at=f"{at.astimezone(LOCAL):%H:%M}")


def _typed() -> dict[str, list[str]]:
    skipped = ("csrf_token", "action", "seen", "truthful")
    return {name: request.form.getlist(name) for name in request.form if name not in skipped}


def _with_row(form: PageForm) -> PageForm:
    """The form with one empty row more, for those without a script."""
    for name, columns in (
        ("representatives", ("name", "phone", "citizen_id")),
        ("decisions", ("number", "date", "body")),
    ):
        rows = getattr(form, name, None)
        if rows is not None:
            rows.append(dict.fromkeys(columns, ""))
    return form


def _show(
    draft: Draft,
    page: str,
    form: PageForm,
    refused: dict[str, str] | None = None,
    *,
    notice: str = "",
) -> ResponseReturnValue:
    form.errors.update(refused or {})
    body = render_template(f"petitions/filing/{page}.html", **_context(draft, page, form, notice))
    return (body, 422) if form.errors else body


def _context(draft: Draft, page: str, form: Any, notice: str = "") -> dict[str, Any]:
    before = flow.page_before(draft, page)
    back = url_for(".page", token=draft.token, page=before) if before else url_for(".guide")
    if request.args.get("sua") == "1":
        back = url_for(".page", token=draft.token, page="xem-lai")
    return {
        "draft": draft,
        "page": page,
        "form": form,
        "errors": form.errors_in_order(),
        "notice": notice,
        "back": back,
        "step": STEP_OF[page],
        "steps": STEPS,
        "seen": draft.seen(page),
        "kind_words": kind_label(draft.kind, draft.of("loai-don").get("round", "")),
        "kind_labels": KIND_LABELS,
        "for_whom_labels": FOR_WHOM_LABELS,
        "support_labels": SUPPORT_LABELS,
        "leader_labels": LEADER_LABELS,
        "representative_rule": _representative_rule(form),
        "saved_at": f"{draft.updated_at.astimezone(LOCAL):%H:%M}" if draft.answers else "",
        "accept": ACCEPT,
        "max_mb": settings().upload_limit_bytes // 1024 // 1024,
    }


def _representative_rule(form: Any) -> str:
    size = getattr(form, "size", "")
    rule = representatives(int(size)) if size and str(size).isdigit() else None
    return rule.sentence if rule else ""


# --- files ---------------------------------------------------------------------------------------


def _take_files(token: str, part: str, field: str) -> tuple[Draft, dict[str, str]]:
    """Keep every file of a field that can be taken; the sentences of those that cannot."""
    refused: list[str] = []
    for uploaded in _chosen(request.files.getlist(field)):
        try:
            _take(token, uploaded, part)
        except (BadFile, TooManyAttempts) as error:  # what was typed stays on the page
            refused.append(error.message)
    return operations.open_draft(token), {field: " ".join(refused)} if refused else {}


def _chosen(files: Iterable[FileStorage]) -> list[FileStorage]:
    return [file for file in files if file.filename]


def _take(token: str, uploaded: FileStorage, part: str) -> operations.DraftFile:
    limit("upload", token, most=200, within=HOUR)
    limit("upload-address", _address(), most=UPLOADS_PER_ADDRESS, within=HOUR)
    checked = check_file(
        uploaded.stream, uploaded.filename or "", limit=settings().upload_limit_bytes
    )
    return operations.add_file(token, checked, part=part)


@bp.post("/don/moi/<token>/tep")
@public
def upload(token: str) -> ResponseReturnValue:
    """One file sent while its owner goes on writing."""
    part = request.form.get("part", "")
    files = _chosen(request.files.getlist("file"))
    if part not in operations.UPLOAD_PARTS or len(files) != 1:
        abort(400)
    kept = _take(token, files[0], part)
    return jsonify(
        id=str(kept.id),
        name=kept.name,
        size=kept.size_bytes,
        remove=url_for(".remove_file", token=token, attachment_id=kept.id),
    ), 201


@bp.post("/don/moi/<token>/tep/<uuid:attachment_id>/xoa")
@public
def remove_file(token: str, attachment_id: UUID) -> ResponseReturnValue:
    """Take a file out again."""
    operations.remove_file(token, attachment_id)
    if request.accept_mimetypes.best == "application/json":
        return jsonify(removed=True)
    page = request.form.get("page", "")
    if page in FORMS:
        operations.keep_typing(token, page, _typed())
    return _to(token, page if page in FORMS else "files")


@bp.get("/don/moi/<token>/giay-to")
@public
def files(token: str) -> ResponseReturnValue:
    """The enclosed papers, to add or take out."""
    draft = operations.open_draft(token)
    return render_template(
        "petitions/filing/giay-to.html", **_context(draft, "giay-to", PageForm())
    )


@bp.post("/don/moi/<token>/giay-to")
@public
def files_save(token: str) -> ResponseReturnValue:
    """Keep the chosen files and go back to reading over."""
    draft, refused = _take_files(token, "evidence", "files")
    if refused:
        context = _context(draft, "giay-to", PageForm(errors=refused))
        return render_template("petitions/filing/giay-to.html", **context), 422
    return _to(token, "files" if request.form.get("action") == "upload" else "xem-lai")


# --- reading over, signing, sending --------------------------------------------------------------


def _signing_form(draft: Draft) -> SendForm:
    kept = SendForm.of(draft.of("xem-lai"))
    typed = draft.typing.get("xem-lai", {}).get("signing", [""])
    return SendForm(signing=_settled_signing(draft) or kept.signing or typed[0])


def _settled_signing(draft: Draft) -> str:
    """The way of signing when there is nothing to choose."""
    if draft.on_paper:
        return "photo"
    return "none" if draft.for_whom == "anonymous" else ""


def _show_review(
    draft: Draft, form: SendForm, status: int = 200, *, notice: str = ""
) -> ResponseReturnValue:
    missing = flow.missing_pages(draft, legal_today())
    context = _context(draft, "xem-lai", form, notice)
    body = render_template(
        "petitions/filing/xem-lai.html",
        **context,
        groups=review(draft, lambda page: _change_address(draft, page)),
        missing=[
            (STEP_OF[name], PAGE_NAMES[name], _change_address(draft, name)) for name in missing
        ],
        unit=operations.receiving_unit(flow.route_of(draft)),
        settled=_settled_signing(draft),
        office=office,
        limitation=flow.limitation_day(draft),
        limitation_days=flow.limitation_length(legal_today()),
    )
    return body, status


def _change_address(draft: Draft, page: str) -> str:
    if page == "giay-to":
        return url_for(".files", token=draft.token)
    return url_for(".page", token=draft.token, page=page, sua="1")


def _send(token: str) -> ResponseReturnValue:
    """Sign and send; pressed twice it is one petition."""
    draft = operations.open_draft(token)
    if draft.receipt is not None:
        return _to(token, "received")
    form = SendForm.read(request.form)
    draft, refused = _take_files(token, "signed_petition", "signed_file")
    draft, also = _take_files(token, "digital_petition", "digital_file")
    if request.form.get("action") == "upload" and not refused | also:
        operations.keep_typing(token, "xem-lai", _typed())
        return _to(token, "xem-lai")
    form.check(flow.known_of(draft, legal_today()))
    form.errors.update(refused | also)
    if flow.missing_pages(draft, legal_today()):
        form.errors["missing"] = str(_("Some pages before this one are not filled in yet."))
    if form.errors:
        return _show_review(draft, form, 422)
    limit("send", _address(), most=30, within=HOUR)
    new = flow.as_petition(draft, form, today=legal_today(), account_id=_account())
    try:
        operations.send(token, new)
    except CalendarGap as gap:  # the office has to enter a calendar; its citizens cannot
        log.error("petition waits for the calendar of a year", extra={"year": gap.year})
        return _show_review(draft, form, 503, notice=_not_countable(draft))
    cookie.pop("draft", None)
    return _to(token, "received")


def _not_countable(draft: Draft) -> str:
    sentence = _(
        "The petition could not be sent yet: the office has not entered the days off needed to "
        "count the day of the answer. Nothing is lost, it is kept until %(day)s. Send it again "
        "later, call for help, or hand it in at the commune.",
        day=f"{draft.expires_at.astimezone(LOCAL):%d/%m/%Y}",
    )
    return str(sentence)


@bp.get("/don/moi/<token>/da-nhan")
@public
def received(token: str) -> ResponseReturnValue:
    """The petition has arrived: its code, what happens next and by when."""
    draft = operations.open_draft(token)
    if draft.receipt is None:
        return _to(token, "resume")
    slip = receipt.slip_of(draft.receipt)
    return render_template("petitions/received.html", draft=draft, slip=slip)


@bp.get("/don/moi/<token>/phieu.pdf")
@public
def receipt_pdf(token: str) -> ResponseReturnValue:
    """The receipt as an A5 page to print or keep."""
    draft = operations.open_draft(token)
    if draft.receipt is None:
        raise Conflict("Đơn chưa gửi nên chưa có phiếu. Gửi đơn rồi tải phiếu.")
    slip = receipt.slip_of(draft.receipt)
    return _pdf(receipt.slip_pdf(slip), f"phieu-{slip.code}.pdf")


@bp.get("/don/moi/<token>/don-de-in.pdf")
@public
def printable(token: str) -> ResponseReturnValue:
    """The petition as typed, to print, sign by hand and photograph."""
    draft = operations.open_draft(token)
    if draft.receipt is not None:
        raise Conflict("Đơn này đã gửi rồi nên bản nháp không còn.")
    unit = operations.receiving_unit(flow.route_of(draft))
    return _pdf(receipt.petition_pdf(draft, office(unit), legal_today()), "don.pdf")


def _pdf(data: bytes, name: str) -> Response:
    response = Response(data, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


@bp.get("/don-vi")
@public
def units() -> ResponseReturnValue:
    """Units for the place fields, as JSON: what was typed may be an old name."""
    limit("units", _address(), most=600, within=timedelta(minutes=5))
    typed = request.args.get("q", "")[:80]
    found = operations.find(typed, request.args.get("loai") == "co-quan")
    several = len(found.places) > 1 and not found.certain
    caption = str(_("Several places have this name")) if several else ""
    return jsonify(
        [
            {
                "value": str(place.unit_id),
                "label": place.name,
                "detail": str(_("Old name: %(name)s", name=place.former)) if place.former else "",
                "cap": caption if number == 0 else "",
            }
            for number, place in enumerate(found.places)
        ]
    )
