"""The worked cases of terms, with the calendar as the database keeps it, on both back ends."""

from __future__ import annotations

from flask import Flask

from storage.database import reading
from storage.queries.calendar import holiday_table
from tests.support.deadline_cases import cases
from workflows.errors import DomainError


def _told(case, holidays) -> str:
    try:
        return case.reckoned(holidays).last_day.isoformat()
    except DomainError as refused:
        return type(refused).__name__


def test_every_worked_case_holds_with_the_calendar_of_the_database(app_on_both: Flask) -> None:
    with reading() as work:
        holidays = holiday_table(work.db_session)
    table = cases()
    assert len(table) >= 80
    assert [_told(case, holidays) for case in table] == [case.answer for case in table]
