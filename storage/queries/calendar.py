"""The holiday table as the rules want it, from the rows an office may edit."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import Holiday, HolidayYear
from workflows.calendar import DayKind, DayOff, HolidayTable

_KEPT = "holiday_table"


def holiday_table(db_session: Session) -> HolidayTable:
    """Every covered year and its special days; a year without a row is not covered.

    Read once per transaction: a step asks for it several times.
    """
    known = db_session.info.get(_KEPT)
    if isinstance(known, HolidayTable):
        return known
    table = _read(db_session)
    db_session.info[_KEPT] = table
    return table


def _read(db_session: Session) -> HolidayTable:
    years = db_session.scalars(select(HolidayYear.year)).all()
    rows = db_session.scalars(select(Holiday).order_by(Holiday.on)).all()
    return HolidayTable.from_rows(
        (
            DayOff(row.on, DayKind(row.kind), row.name, source=row.source, confirmed=row.confirmed)
            for row in rows
        ),
        years=years,
    )
