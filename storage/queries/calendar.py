"""The holiday table as the rules want it, from the rows an office may edit."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import Holiday, HolidayYear
from workflows.calendar import DayKind, DayOff, HolidayTable

_KEPT = "holiday_table"


def holiday_table(db_session: Session) -> HolidayTable:
    """Every confirmed year and its special days; any other year is not covered.

    Read once per transaction: a step asks for it several times.
    """
    known = db_session.info.get(_KEPT)
    if isinstance(known, HolidayTable):
        return known
    table = _read(db_session)
    db_session.info[_KEPT] = table
    return table


def forget_holidays(db_session: Session) -> None:
    """Let the next reading of this transaction see what was just written."""
    db_session.info.pop(_KEPT, None)


def _read(db_session: Session) -> HolidayTable:
    years = db_session.execute(select(HolidayYear.year, HolidayYear.confirmed)).all()
    rows = db_session.scalars(select(Holiday).order_by(Holiday.on)).all()
    return HolidayTable.from_rows(
        (
            DayOff(row.on, DayKind(row.kind), row.name, source=row.source, confirmed=row.confirmed)
            for row in rows
        ),
        years=(year for year, confirmed in years if confirmed),
        proposed=(year for year, confirmed in years if not confirmed),
    )
