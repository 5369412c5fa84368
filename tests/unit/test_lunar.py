"""The lunar calendar against published days: new year, the Hùng Kings' day, leap months."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.lunar import LunarDate, lunar_date


@pytest.mark.parametrize(
    ("on", "year"),
    [
        (date(1985, 1, 21), 1985),  # a month before China's that year
        (date(2007, 2, 17), 2007),  # a day before China's that year
        (date(2023, 1, 22), 2023),
        (date(2024, 2, 10), 2024),
        (date(2025, 1, 29), 2025),
        (date(2026, 2, 17), 2026),
        (date(2027, 2, 6), 2027),
        (date(2028, 1, 26), 2028),
    ],
)
def test_lunar_new_year_falls_on_the_published_day(on, year):
    assert lunar_date(on) == LunarDate(day=1, month=1, year=year)
    assert lunar_date(on - timedelta(days=1)).month == 12


@pytest.mark.parametrize(
    "on",
    [
        date(2023, 4, 29),
        date(2024, 4, 18),
        date(2025, 4, 7),
        date(2026, 4, 26),
        date(2027, 4, 16),
    ],
)
def test_hung_kings_day_is_the_tenth_of_the_third_month(on):
    assert (lunar_date(on).day, lunar_date(on).month) == (10, 3)


def test_leap_months_carry_the_number_of_the_month_before():
    assert lunar_date(date(2023, 3, 22)) == LunarDate(1, 2, 2023, leap=True)
    assert lunar_date(date(2025, 7, 25)) == LunarDate(1, 6, 2025, leap=True)
    assert str(lunar_date(date(2025, 7, 25))) == "1/6 nhuận"
    assert str(lunar_date(date(2026, 12, 3))) == "25/10"


@given(st.dates(date(1960, 1, 1), date(2080, 1, 1)))
def test_the_day_after_is_the_next_lunar_day_or_the_first_of_a_month(on):
    today, tomorrow = lunar_date(on), lunar_date(on + timedelta(days=1))
    if tomorrow.day == 1:
        assert today.day in (29, 30)
    else:
        assert tomorrow == LunarDate(today.day + 1, today.month, today.year, today.leap)
