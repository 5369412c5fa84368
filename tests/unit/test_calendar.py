"""How days are counted, on the holidays around the end of 2026."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.calendar import (
    DayKind,
    DayOff,
    DayUnit,
    HolidayTable,
    add_calendar_days,
    add_working_days,
    calendar_days_before,
    explain_days,
    is_working_day,
    working_days_before,
    working_days_between,
)
from workflows.errors import CalendarGap

HOLIDAYS = HolidayTable.from_rows(
    [
        DayOff(date(2026, 1, 1), DayKind.PUBLIC, "Tết Dương lịch"),
        DayOff(date(2026, 8, 22), DayKind.SWAPPED_WORKING, "Làm bù cho ngày 31/08"),
        DayOff(date(2026, 8, 31), DayKind.SWAPPED_OFF, "Nghỉ hoán đổi"),
        DayOff(date(2026, 9, 1), DayKind.PUBLIC, "Quốc khánh"),
        DayOff(date(2026, 9, 2), DayKind.PUBLIC, "Quốc khánh"),
        DayOff(date(2026, 11, 24), DayKind.PUBLIC, "Ngày Văn hóa Việt Nam"),
    ],
    years=[2026],
)
days_of_2026 = st.dates(date(2026, 2, 1), date(2026, 11, 30))


def test_seven_working_days_from_16_november_jump_over_the_holiday_of_the_24th():
    assert add_working_days(date(2026, 11, 16), 7, HOLIDAYS) == date(2026, 11, 26)


def test_day_of_the_event_is_day_zero():
    assert add_working_days(date(2026, 11, 16), 1, HOLIDAYS) == date(2026, 11, 17)
    assert add_calendar_days(date(2026, 3, 2), 10, HOLIDAYS) == date(2026, 3, 12)


@pytest.mark.parametrize(
    ("start", "days", "last"),
    [
        (date(2026, 6, 25), 10, date(2026, 7, 6)),  # 05/07 is a Sunday
        (date(2026, 8, 1), 30, date(2026, 9, 3)),  # 31/08 swapped off, 01 and 02/09 holidays
        (date(2026, 8, 12), 10, date(2026, 8, 22)),  # a Saturday, but one that is worked
    ],
)
def test_last_calendar_day_off_moves_to_the_next_working_day(start, days, last):
    assert add_calendar_days(start, days, HOLIDAYS) == last


def test_five_working_days_before_a_session_on_26_november_end_on_the_18th():
    assert working_days_before(date(2026, 11, 26), 5, HOLIDAYS) == date(2026, 11, 18)


def test_notice_given_on_17_november_is_six_working_days_early():
    assert working_days_between(date(2026, 11, 17), date(2026, 11, 26), HOLIDAYS) == 6
    assert working_days_between(date(2026, 11, 26), date(2026, 11, 17), HOLIDAYS) == -6


def test_calendar_days_before_never_end_on_a_day_off():
    assert calendar_days_before(date(2026, 11, 26), 5, HOLIDAYS) == date(2026, 11, 20)


def test_swapped_saturday_is_a_working_day_and_swapped_monday_is_not():
    assert is_working_day(date(2026, 8, 22), HOLIDAYS)
    assert not is_working_day(date(2026, 8, 31), HOLIDAYS)


def test_a_year_missing_from_the_table_is_an_error_not_a_year_without_holidays():
    with pytest.raises(CalendarGap, match="2027"):
        add_working_days(date(2026, 12, 30), 3, HOLIDAYS)
    with pytest.raises(CalendarGap, match="2025"):
        working_days_before(date(2026, 1, 2), 2, HOLIDAYS)


def test_a_term_of_no_days_is_refused():
    with pytest.raises(ValueError, match="at least one day"):
        add_working_days(date(2026, 3, 2), 0, HOLIDAYS)


def test_strip_of_days_counts_seven_and_says_why_the_others_do_not_count():
    cells = explain_days(date(2026, 11, 16), date(2026, 11, 26), HOLIDAYS)
    assert [(c.weekday, c.number, c.reason) for c in cells] == [
        ("T2", 0, ""),
        ("T3", 1, ""),
        ("T4", 2, ""),
        ("T5", 3, ""),
        ("T6", 4, ""),
        ("T7", None, "Thứ Bảy"),
        ("CN", None, "Chủ nhật"),
        ("T2", 5, ""),
        ("T3", None, "Ngày Văn hóa Việt Nam"),
        ("T4", 6, ""),
        ("T5", 7, ""),
    ]
    assert [c.on.day for c in cells if c.is_last] == [26]
    assert [c.on.day for c in cells if c.is_special] == [24]


def test_strip_runs_backwards_for_a_notice_before_a_day():
    cells = explain_days(date(2026, 11, 26), date(2026, 11, 18), HOLIDAYS)
    assert cells[0].number == 0
    assert (cells[-1].on, cells[-1].number) == (date(2026, 11, 18), 5)


def test_calendar_strip_counts_days_off_too():
    cells = explain_days(date(2026, 11, 20), date(2026, 11, 23), HOLIDAYS, unit=DayUnit.CALENDAR)
    assert [c.number for c in cells] == [0, 1, 2, 3]


def test_suspended_days_of_the_strip_are_not_counted_and_say_so():
    stopped = {date(2026, 11, 18), date(2026, 11, 19)}
    cells = explain_days(
        date(2026, 11, 16),
        date(2026, 11, 23),
        HOLIDAYS,
        unit=DayUnit.CALENDAR,
        stopped=stopped,
    )
    assert [c.number for c in cells] == [0, 1, None, None, 2, 3, 4, 5]
    assert [c.on for c in cells if c.is_stopped] == sorted(stopped)
    assert {c.reason for c in cells if c.is_stopped} == {"Tạm đình chỉ"}


@given(start=days_of_2026, length=st.integers(1, 20))
def test_a_term_ends_on_a_working_day_and_holds_exactly_its_length(start, length):
    last = add_working_days(start, length, HOLIDAYS)
    assert is_working_day(last, HOLIDAYS)
    assert working_days_between(start, last, HOLIDAYS) == length
    assert explain_days(start, last, HOLIDAYS)[-1].number == length


@given(event=days_of_2026, length=st.integers(1, 20))
def test_counting_back_is_the_latest_day_that_leaves_enough(event, length):
    last = working_days_before(event, length, HOLIDAYS)
    reached = working_days_between(last, event, HOLIDAYS) + is_working_day(last, HOLIDAYS)
    assert reached - is_working_day(event, HOLIDAYS) == length
    assert is_working_day(last, HOLIDAYS)


@given(start=days_of_2026, length=st.integers(1, 20))
def test_a_later_start_never_ends_earlier(start, length):
    tomorrow = start + timedelta(days=1)
    assert add_working_days(start, length, HOLIDAYS) <= add_working_days(tomorrow, length, HOLIDAYS)
    assert add_calendar_days(start, length, HOLIDAYS) <= add_calendar_days(
        tomorrow, length, HOLIDAYS
    )
