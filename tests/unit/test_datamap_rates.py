"""Rates per 10,000 inhabitants, steps of the ramp, and the legend."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.datamap.rates import (
    Breaks,
    PetitionFact,
    cases_once,
    decimal_comma,
    legend,
    legend_label,
    pretty_breaks,
    rate,
)

BREAKS = Breaks((1.0, 2.0, 3.5, 5.5))


def petition(case: str, unit: str, day: int) -> PetitionFact:
    return PetitionFact(case, unit, "land", date(2026, 10, day))


def test_a_second_petition_about_the_same_matter_elsewhere_is_not_counted_again():
    facts = [petition("v1", "26368", 9), petition("v1", "26383", 20), petition("v2", "26368", 12)]
    assert [(f.case, f.unit) for f in cases_once(facts)] == [("v1", "26368"), ("v2", "26368")]


def test_the_earliest_petition_decides_where_a_case_counts_whatever_the_order():
    facts = [petition("v1", "b", 9), petition("v1", "a", 9), petition("v1", "c", 10)]
    assert cases_once(facts) == cases_once(reversed(facts)) == [petition("v1", "a", 9)]


def test_a_rate_is_cases_per_ten_thousand_inhabitants():
    assert rate(77, 93_006) == pytest.approx(8.279, abs=0.001)


@pytest.mark.parametrize("population", [0, None])
def test_no_inhabitants_known_means_no_rate(population):
    assert rate(5, population) is None


@pytest.mark.parametrize(
    ("value", "step"), [(0, 0), (0.94, 0), (0.96, 1), (1.0, 1), (3.44, 2), (3.5, 3), (99, 4)]
)
def test_the_step_agrees_with_the_rate_as_it_is_shown(value, step):
    assert BREAKS.step_of(value) == step


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 500), max_size=60))
def test_breaks_always_rise_and_leave_five_steps(rates):
    limits = pretty_breaks(rates).limits
    assert len(limits) == 4
    assert all(low < high for low, high in pairwise(limits))


def test_breaks_are_round_and_do_not_move_with_one_more_month():
    year = [k / 25 for k in range(1, 201)]
    assert pretty_breaks(year).limits == (1.0, 4.0, 6.5, 7.5)
    assert pretty_breaks([*year, 2.2, 1.7, 0.8, 4.1]) == pretty_breaks(year)


def test_small_rates_are_shown_with_two_decimals():
    breaks = pretty_breaks([0.11, 0.23, 0.24, 0.26, 0.42, 0.6] * 5)
    assert breaks.places == 2
    assert legend_label(legend(breaks, [])[0]).startswith("từ 0,")


def test_the_legend_reads_from_dark_to_light_and_counts_units():
    items = legend(BREAKS, [0, 1, 1, 4], suppressed=6, not_reported=1)
    assert [legend_label(item) for item in items[:5]] == [
        "từ 5,5 trở lên",
        "3,5 – 5,4",
        "2,0 – 3,4",
        "1,0 – 1,9",
        "dưới 1,0",
    ]
    assert [item.units for item in items] == [1, 0, 0, 2, 1, 6, 1]
    assert [item.kind for item in items[5:]] == ["suppressed", "not_reported"]


def test_hatchings_that_do_not_occur_are_not_in_the_legend():
    assert len(legend(BREAKS, [0, 1])) == 5


def test_numbers_are_written_with_a_decimal_comma():
    assert (decimal_comma(2.43, places=2), decimal_comma(None)) == ("2,43", "–")
