"""The visible clock of the demonstration: legal dates and gates in minutes instead of weeks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import abort, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception.access import current_actor, public
from reception.accounts.forms import safe_next
from reception.clock import LOCAL, legal_now, move_clock
from reception.sessions.blueprint import bp
from reception.sessions.ready_operations import Readiness
from reception.settings import settings
from storage.database import reading
from storage.queries.calendar import holiday_table
from workflows.calendar import add_working_days

STEPS = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "30d": timedelta(days=30)}


@bp.post("/trinh-dien/dong-ho", endpoint="move_demo_clock")
@bp.post("/dong-ho-trai-nghiem", endpoint="jump_demo_clock")
@public
def move_demo_clock() -> ResponseReturnValue:
    """Move the legal clock by a step, to an instant, or back to real time."""
    if not settings().allows_demo_clock:
        abort(404)
    move_clock(to=_target(), by=current_actor().account_id)
    return redirect(safe_next(request.form.get("next")) or "/", code=303)


def _target() -> datetime | None:
    step, to = request.form.get("step", ""), request.form.get("to", "")
    if step == "reset":
        return None
    if to:
        return _instant(to)
    if step == "5w":
        return _working_days_on(5)
    if step not in STEPS:
        abort(400)
    return legal_now() + STEPS[step]


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        abort(400)
    return moment if moment.tzinfo else moment.replace(tzinfo=LOCAL)


def _working_days_on(days: int) -> datetime:
    now = legal_now().astimezone(LOCAL)
    with reading() as work:
        last = add_working_days(now.date(), days, holiday_table(work.db_session))
    return datetime.combine(last, now.timetz())


def jumps(page: Readiness) -> tuple[dict[str, Any], ...]:
    """Instants worth jumping to on the page of the gates, those ahead only."""
    meeting, now = page.sitting.meeting, legal_now()
    start = meeting.starts_at.astimezone(LOCAL)
    test_day = next(v.gate.due_on for v in page.gates if v.gate.name == "link-test")
    offered = [
        (_("the last day for the link test, 08:00"), _morning(test_day, start)),
        (_("65 minutes before it starts"), start - timedelta(minutes=65)),
        (_("5 minutes before it starts"), start - timedelta(minutes=5)),
    ]
    return tuple(
        {"label": label, "to": to.isoformat()}
        for label, to in offered
        if to is not None and to > now
    )


def _morning(day: Any, start: datetime) -> datetime | None:
    return (
        None
        if day is None
        else start.replace(year=day.year, month=day.month, day=day.day, hour=8, minute=0)
    )
