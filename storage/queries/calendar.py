"""The holiday table as the rules want it, from the rows an office may edit."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import Holiday, HolidayYear
from workflows.calendar import DayKind, DayOff, HolidayTable


def holiday_table(db_session: Session) -> HolidayTable:
    """Every covered year and its special days; a year without a row is not covered."""
    years = db_session.scalars(select(HolidayYear.year)).all()
    rows = db_session.scalars(select(Holiday).order_by(Holiday.on)).all()
    return HolidayTable.from_rows(
        (
            DayOff(row.on, DayKind(row.kind), row.name, source=row.source, confirmed=row.confirmed)
            for row in rows
        ),
        years=years,
    )
