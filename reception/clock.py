"""Two clocks: real UTC for audit, tokens, leases, log-in and media; a legal one for dates.

The demo clock moves only legal dates and the gates of reception sessions, so that somebody can
walk through five working days in minutes. It exists in the demo and test profiles alone.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from storage.database import unit_of_work
from storage.models import Setting
from storage.models.base import utc_now
from storage.runtime import runtime

KEY = "demo_clock"
LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


def shifted_now(engine: Engine) -> datetime:
    """This instant plus what the demo clock was moved by; aware UTC."""
    with Session(engine) as db_session:
        value = db_session.scalar(select(Setting.value).where(Setting.key == KEY))
    return utc_now() + timedelta(seconds=(value or {}).get("offset_s", 0))


def legal_now() -> datetime:
    """The instant that legal dates and session gates go by; aware UTC."""
    return runtime().legal_now()


def legal_today() -> date:
    """The local day that legal dates go by."""
    return legal_now().astimezone(LOCAL).date()


def move_clock(*, to: datetime | None, by: UUID | None) -> None:
    """Set the demo clock to `to` (aware), or back to real time with None."""
    offset = 0 if to is None else round((to - utc_now()).total_seconds())
    with unit_of_work() as work:
        row = work.db_session.get(Setting, KEY)
        if row is None:
            row = Setting(key=KEY, value={})
            work.db_session.add(row)
        row.value = {"offset_s": offset}
        row.changed_at, row.changed_by = utc_now(), by
        work.audit("demo_clock_moved", kind="setting", by=by, offset_s=offset)
