"""Counting attempts: a window that slides, so that its border gives nobody a second helping."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from reception import security
from reception.security import TooManyAttempts, limit, wait_seconds

WINDOW = timedelta(minutes=10)


class Clock:
    """A clock the test sets; seconds after a border between two windows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.after_s = 0.0
        border = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
        monkeypatch.setattr(security, "utc_now", lambda: border + timedelta(seconds=self.after_s))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def attempts(count: int) -> None:
    for _ in range(count):
        limit("thử", "một người", most=8, within=WINDOW)


def test_ninth_attempt_is_refused_and_says_how_long(app: Flask, clock: Clock) -> None:
    attempts(8)
    with pytest.raises(TooManyAttempts) as refused:
        attempts(1)
    assert refused.value.wait_s == 675


def test_border_between_two_windows_gives_no_second_helping(app: Flask, clock: Clock) -> None:
    clock.after_s = -2
    attempts(7)
    clock.after_s = 1
    attempts(1)
    with pytest.raises(TooManyAttempts):
        attempts(1)


def test_waiting_as_told_is_enough(app: Flask, clock: Clock) -> None:
    clock.after_s = -5
    attempts(8)
    clock.after_s = 3
    with pytest.raises(TooManyAttempts) as refused:
        attempts(1)
    clock.after_s += refused.value.wait_s
    attempts(1)


def test_another_key_counts_for_itself(app: Flask, clock: Clock) -> None:
    attempts(8)
    limit("thử", "người khác", most=8, within=WINDOW)


@pytest.mark.parametrize("earlier", range(0, 9))
@pytest.mark.parametrize("current", range(1, 10))
@pytest.mark.parametrize("elapsed_s", [0, 1, 299, 599])
def test_after_the_told_wait_one_more_fits(earlier: int, current: int, elapsed_s: int) -> None:
    wait_s = wait_seconds(earlier, current, 8, elapsed_s, 600)
    at_s = elapsed_s + wait_s
    if not wait_s:
        assert earlier * (1 - elapsed_s / 600) + current <= 8
    elif at_s < 600:
        assert earlier * (1 - at_s / 600) + current + 1 <= 8
    else:
        assert min(current, 8) * (1 - (at_s - 600) / 600) + 1 <= 8
