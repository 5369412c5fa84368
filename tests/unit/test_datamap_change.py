"""A period beside the year before, and the months that stand out."""

import pytest

from workflows.datamap.alarms import alarms, c2_score
from workflows.datamap.change import change, change_legend

QUIET = [4, 5, 6, 5, 4, 5, 6]


@pytest.mark.parametrize(
    ("count", "before", "percent", "step"),
    [
        (77, 52, 48, 4),
        (24, 20, 20, 4),
        (110, 100, 10, 3),
        (100, 100, 0, 2),
        (93, 100, -7, 2),
        (92, 100, -8, 1),
        (80, 100, -20, 0),
        (12, 0, None, 4),
    ],
)
def test_the_step_says_how_steeply_a_number_changed(count, before, percent, step):
    found = change(count, before)
    assert (found.percent, found.step) == (percent, step)


def test_few_cases_are_told_in_cases():
    found = change(3, 1)
    assert (found.difference, found.few) == (2, True)


def test_a_hidden_number_has_no_change():
    assert change(None, 12) is None
    assert change(12, None) is None


def test_the_legend_names_every_unit_once():
    found = [change(77, 52), change(3, 1), change(100, 100)]
    items = change_legend(found, suppressed=4, not_reported=1)
    assert sum(item.units for item in items) == 8
    assert [item.step for item in items[:5]] == [4, 3, 2, 1, 0]


def test_a_month_far_above_its_own_usual_is_named_with_the_usual_range():
    (alarm,) = alarms({"a": [*QUIET, 5, 5, 21], "b": [*QUIET, 5, 5, 6]})
    assert (alarm.code, alarm.count) == ("a", 21)
    assert alarm.low <= 5 <= alarm.high < 21


def test_the_strongest_alarm_stands_first():
    found = alarms({"a": [*QUIET, 5, 5, 20], "b": [*QUIET, 5, 5, 40]})
    assert [alarm.code for alarm in found] == ["b", "a"]


def test_a_rise_of_the_last_two_months_does_not_hide_itself():
    rising = [*QUIET, 15, 18, 21]
    assert c2_score(rising) == c2_score([*QUIET, 5, 5, 21])
    assert c2_score([*QUIET, 20, 20, 20, 5, 5, 21]) < c2_score([*QUIET, 5, 5, 5, 5, 5, 21])


def test_a_handful_of_cases_raises_no_alarm():
    assert alarms({"a": [0] * 9 + [4]}) == ()
    assert [alarm.code for alarm in alarms({"a": [0] * 9 + [5]})] == ["a"]


def test_too_short_a_history_raises_no_alarm():
    assert c2_score([5] * 8 + [30]) is None
    assert alarms({"a": [5] * 8 + [30]}) == ()
