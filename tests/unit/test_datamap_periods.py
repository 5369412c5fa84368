"""Months, quarters, years and ranges on the map's slider."""

from datetime import date
from itertools import pairwise

import pytest

from workflows.datamap.periods import (
    last_months,
    month,
    month_of,
    parse_period,
    quarter,
    quarter_of,
    span,
    year,
)
from workflows.errors import BadInput


@pytest.mark.parametrize(
    ("code", "first_on", "last_on", "label"),
    [
        ("2026-10", date(2026, 10, 1), date(2026, 10, 31), "10/2026"),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29), "2/2028"),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31), "quý IV/2026"),
        ("2026", date(2026, 1, 1), date(2026, 12, 31), "2026"),
        ("2025-12..2026-02", date(2025, 12, 1), date(2026, 2, 28), "12/2025 – 2/2026"),
    ],
)
def test_a_code_names_its_days_and_reads_back(code, first_on, last_on, label):
    period = parse_period(code)
    assert (period.first_on, period.last_on) == (first_on, last_on)
    assert (period.code, period.label()) == (code, label)


@pytest.mark.parametrize(
    "code", ["2026-13", "2026-Q5", "26-10", "", "tháng 10", "2026-10-01", "0001", "٢٠٢٦"]
)
def test_an_unreadable_code_is_answered_with_what_to_write(code):
    with pytest.raises(BadInput, match="2026-Q4"):
        parse_period(code)


def test_three_months_of_a_quarter_are_that_quarter():
    assert parse_period("2026-12..2026-10") == quarter(2026, 4)
    assert quarter(2026, 4).is_quarter
    assert not parse_period("2026-09..2026-11").is_quarter
    assert not month(2026, 10).is_quarter


def test_the_previous_stretch_ends_the_day_before_and_the_following_begins_the_day_after():
    assert month(2026, 1).previous() == month(2025, 12)
    assert quarter(2026, 4).following() == quarter(2027, 1)
    assert year(2026).previous() == year(2025)


def test_the_same_months_of_last_year_keep_february_whole():
    assert parse_period("2029-02").same_last_year().last_on == date(2028, 2, 29)


def test_the_slider_stops_at_every_month_once():
    stops = last_months(36, until=date(2026, 11, 22))
    assert (len(stops), stops[0].code, stops[-1].code) == (36, "2023-12", "2026-11")
    assert all(a.following() == b for a, b in pairwise(stops))


def test_a_period_contains_both_of_its_ends():
    period = month_of(date(2026, 10, 9))
    assert period.contains(date(2026, 10, 1))
    assert period.contains(date(2026, 10, 31))
    assert not period.contains(date(2026, 11, 1))


def test_a_quarter_is_closed_only_after_its_last_day():
    period = quarter_of(date(2026, 10, 9))
    assert not period.is_closed(date(2026, 12, 31))
    assert period.is_closed(date(2027, 1, 1))


def test_a_span_covers_both_periods_and_lists_its_months():
    period = span(quarter(2026, 2), month(2026, 2))
    assert period.code == "2026-02..2026-06"
    assert [m.code for m in period.months()][::4] == ["2026-02", "2026-06"]
