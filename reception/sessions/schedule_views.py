"""The board of sessions, scheduling one, its people, moving and cancelling it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from reception.access import current_actor, needs
from reception.clock import legal_now, legal_today
from reception.sessions import ready_operations, schedule_operations
from reception.sessions.blueprint import (
    bp,
    kind_words,
    part_words,
    pool,
    staff_door,
    state_tag,
)
from reception.sessions.forms import ScheduleForm, WhenForm, id_from, prefilled
from storage.database import reading
from storage.models.sessions import PARTS
from storage.queries import sessions as queries
from workflows.access import Permission, holds
from workflows.errors import BadInput, GateNotMet
from workflows.gates import REASONS

TABS = {
    "sap-toi": (*queries.COMING, *queries.LIVE),
    "can-hoan-tat": queries.TO_FINISH,
    "da-xong": queries.OVER,
}
INVITABLE = tuple(part for part in PARTS if part not in ("chair",))


@bp.get("/phien")
@needs(Permission.SESSION_SEE)
def board() -> ResponseReturnValue:
    """Sessions this person may know of, by day, each with its next step."""
    away = staff_door()
    if away is not None:
        return away
    tab = request.args.get("muc", "sap-toi")
    states = TABS.get(tab, TABS["sap-toi"])
    page = max(1, request.args.get("trang", 1, type=int))
    actor = current_actor()
    with reading() as work:
        rows = queries.board(
            work.db_session,
            visible_to=actor,
            states=states,
            newest_first=tab != "sap-toi",
            page=page,
        )
        counts = queries.board_counts(work.db_session, visible_to=actor)
    return render_template(
        "sessions/board.html",
        rows=rows,
        tab=tab,
        page=page,
        full=len(rows) == queries.PAGE,
        tabs={name: sum(counts.get(s, 0) for s in held) for name, held in TABS.items()},
        may_schedule=holds(actor, Permission.SESSION_SCHEDULE),
        state_tag=state_tag,
        kinds=kind_words(),
    )


def _form_page(form: ScheduleForm, *, refused: str = "", status: int = 200) -> ResponseReturnValue:
    offered = schedule_operations.choices(current_actor(), today=legal_today())
    page = render_template(
        "sessions/new.html",
        form=form,
        offered=offered,
        options=_options(offered),
        refused=refused,
    )
    return page, status


def _options(offered: schedule_operations.Choices) -> dict[str, Any]:
    """What the lists of the form offer."""
    english = str(get_locale()) == "en"
    return {
        "kinds": [{"value": code, "label": words} for code, words in kind_words().items()],
        "reasons": [
            (
                reason.code,
                _("Clause %(number)s", number=reason.clause)
                + ": "
                + (reason.label_en if english else reason.label_vi),
            )
            for reason in REASONS
        ],
        "leaders": [_staff_option(member) for member in offered.leaders],
        "clerks": [_staff_option(member) for member in offered.clerks],
        "units": [(unit.id, unit.full_name) for unit in offered.units],
    }


def _staff_option(member: queries.StaffMember) -> tuple[UUID, str]:
    name = member.account.display_name
    shown = member.title and member.title not in name
    return member.account.id, f"{name} · {member.title}" if shown else name


@bp.get("/phien/moi")
@needs(Permission.SESSION_SCHEDULE)
def new() -> ResponseReturnValue:
    """The empty form; ?don=CODE puts a petition on the agenda."""
    offered = schedule_operations.choices(current_actor(), today=legal_today())
    leader = offered.leaders[0].account.id if len(offered.leaders) == 1 else ""
    form = prefilled(
        offered.earliest,
        central=str(offered.unit.id),
        codes=request.args.get("don", ""),
        presiding=str(leader),
        title=_("Online reception of citizens"),
    )
    return _form_page(form)


@bp.post("/phien/moi")
@needs(Permission.SESSION_SCHEDULE)
def create() -> ResponseReturnValue:
    """Schedule the session; sent twice it is one session."""
    form = ScheduleForm.read(request.form)
    more, missing = schedule_operations.petition_ids_by_code(current_actor(), form.code_list)
    if missing:
        form.errors["codes"] = _("No petition found for: %(codes)s.", codes=", ".join(missing))
    if form.errors:
        return _form_page(form, status=422)
    try:
        meeting_id = schedule_operations.schedule_session(
            form.plan(more_visits=more), by=current_actor(), today=legal_today()
        )
    except BadInput as bad:
        form.errors.update(bad.fields)
        return _form_page(form, status=422)
    except GateNotMet as closed:
        return _form_page(form, refused=closed.message, status=409)
    return redirect(url_for(".ready", meeting_id=meeting_id), code=303)


@bp.get("/phien/<uuid:meeting_id>/nguoi-du")
@needs(Permission.SESSION_SCHEDULE)
def people(meeting_id: UUID) -> ResponseReturnValue:
    """Who sits at which point."""
    return _people_page(meeting_id)


def _people_page(
    meeting_id: UUID, *, errors: dict[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    sitting, staff = schedule_operations.people_page(
        meeting_id, by=current_actor(), today=legal_today()
    )
    page = render_template(
        "sessions/people.html",
        sitting=sitting,
        staff_options={
            point_id: [_staff_option(member) for member in members]
            for point_id, members in staff.items()
        },
        part_options=[(part, part_words()[part]) for part in INVITABLE],
        part_words=part_words(),
        errors=errors or {},
        typed=request.form,
    )
    return page, status


@bp.post("/phien/<uuid:meeting_id>/nguoi-du")
@needs(Permission.SESSION_SCHEDULE)
def invite(meeting_id: UUID) -> ResponseReturnValue:
    """Add somebody to a point."""
    data = request.form
    account, name = data.get("account", ""), data.get("name", "").strip()
    if not account and not name:
        return _people_page(
            meeting_id, errors={"name": _("Choose an account or write a name.")}, status=422
        )
    try:
        schedule_operations.invite(
            meeting_id,
            point_id=id_from(data.get("point", "")),
            part=data.get("part", "officer") if data.get("part") in INVITABLE else "officer",
            name=name,
            title=data.get("title", "").strip(),
            account_id=id_from(account) if account else None,
            by=current_actor(),
        )
    except BadInput as bad:
        return _people_page(meeting_id, errors=dict(bad.fields), status=422)
    return redirect(url_for(".people", meeting_id=meeting_id), code=303)


@bp.post("/phien/<uuid:meeting_id>/nguoi-du/<uuid:participant_id>")
@needs(Permission.SESSION_SCHEDULE)
def change_person(meeting_id: UUID, participant_id: UUID) -> ResponseReturnValue:
    """Seat somebody elsewhere, or take the invitation back."""
    actor = current_actor()
    try:
        if request.form.get("remove"):
            schedule_operations.withdraw_invitation(meeting_id, participant_id, by=actor)
        else:
            point_id = id_from(request.form.get("point", ""))
            schedule_operations.move_seat(meeting_id, participant_id, point_id=point_id, by=actor)
    except BadInput as bad:
        return _people_page(meeting_id, errors=dict(bad.fields), status=422)
    return redirect(url_for(".people", meeting_id=meeting_id), code=303)


@bp.get("/phien/<uuid:meeting_id>/doi-lich")
@needs(Permission.SESSION_SCHEDULE)
def change_day(meeting_id: UUID) -> ResponseReturnValue:
    """Another day, or no session at all."""
    return _change_page(meeting_id, WhenForm(starts="08:00", ends="10:00"))


def _change_page(meeting_id: UUID, form: WhenForm, status: int = 200) -> ResponseReturnValue:
    page = ready_operations.readiness(meeting_id, by=current_actor(), pool=pool(), now=legal_now())
    offered = schedule_operations.choices(current_actor(), today=legal_today())
    if not form.on:
        form.on = f"{offered.earliest:%d/%m/%Y}"
    html = render_template(
        "sessions/change_day.html", page=page, form=form, earliest=offered.earliest
    )
    return html, status


@bp.post("/phien/<uuid:meeting_id>/doi-lich")
@needs(Permission.SESSION_SCHEDULE)
def reschedule(meeting_id: UUID) -> ResponseReturnValue:
    """Move the session to another day."""
    form = WhenForm.read(request.form)
    if form.errors:
        return _change_page(meeting_id, form, 422)
    try:
        schedule_operations.reschedule(
            meeting_id,
            starts_at=form.starts_at,
            ends_at=form.ends_at,
            reason=form.reason,
            by=current_actor(),
            today=legal_today(),
        )
    except BadInput as bad:
        form.errors.update(bad.fields)
        return _change_page(meeting_id, form, 422)
    return redirect(url_for(".ready", meeting_id=meeting_id), code=303)


@bp.post("/phien/<uuid:meeting_id>/huy")
@needs(Permission.SESSION_SCHEDULE)
def cancel(meeting_id: UUID) -> ResponseReturnValue:
    """Cancel the session with a reason."""
    reason = request.form.get("reason", "").strip()
    if not reason:
        form = WhenForm(starts="08:00", ends="10:00")
        form.errors["cancel_reason"] = _("Write why, so that everybody invited understands.")
        return _change_page(meeting_id, form, 422)
    schedule_operations.cancel(meeting_id, reason=reason, by=current_actor(), today=legal_today())
    return redirect(url_for(".board"), code=303)
