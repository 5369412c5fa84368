"""Terms against the table of worked cases, and what must hold of every term whatever the day."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.reference import rows
from tests.support.deadline_cases import Case, cases
from workflows import errors
from workflows.calendar import (
    DayKind,
    DayOff,
    DayUnit,
    HolidayTable,
    add_calendar_days,
    add_working_days,
    calendar_days_before,
    is_working_day,
    working_days_before,
)
from workflows.deadlines import Suspension, extended, extension, last_day
from workflows.procedures import load_all
from workflows.procedures.model import Deadline, DeadlineRule

CASES = cases()
DAYS = [
    DayOff(date.fromisoformat(r["on"]), DayKind(r["kind"]), r["name_vi"], source=r["source"])
    for r in rows("holidays")
]
YEARS = [int(row["year"]) for row in rows("holiday_years") if row["confirmed"] == "yes"]
HOLIDAYS = HolidayTable.from_rows(DAYS, years=YEARS)
TERMS = [(p.code, rule) for p in load_all().values() for rule in p.deadlines]
FORWARD = [(code, rule) for code, rule in TERMS if not rule.before]

ASKED = (
    *("acceptance-notice", "settle", "second-complaint", "send-decision", "effective"),
    *("dialogue-notice", "points-notice", "link-test", "initial", "transfer", "reply"),
    *("notify-acceptance", "send-conclusion", "enforcement-instruction"),
)
"""Terms that operators ask for by name on the command line."""

terms, forward = st.sampled_from(TERMS), st.sampled_from(FORWARD)
days = st.dates(date(2026, 1, 1), date(2027, 6, 30))
lengths = st.integers(1, 90)


def reckon(code: str, rule: DeadlineRule, on: date, **options: bool) -> Deadline | None:
    """The term on that day, None where this version of the rule does not hold or another comes
    first."""
    if not rule.holds_on(on) or rule.guard:
        return None
    return last_day(code, rule.name, on, HOLIDAYS, **options)


# --- the table


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_worked_case_ends_on_the_day_reckoned_by_hand(case: Case) -> None:
    if not case.answer[0].isdigit():
        with pytest.raises(getattr(errors, case.answer)):
            case.reckoned(HOLIDAYS)
        return
    found = case.reckoned(HOLIDAYS)
    assert found.last_day.isoformat() == case.answer
    assert f"{found.last_day:%d/%m/%Y}" in found.sentence


@pytest.mark.parametrize("case", [c for c in CASES if c.answer[0].isdigit()], ids=str)
def test_the_clause_of_a_worked_case_is_the_one_the_term_cites(case: Case) -> None:
    cited = case.reckoned(HOLIDAYS).source
    article = case.source.split("; ")[0].split(" (trước")[0]
    law, _, number = article.partition(", Điều ")
    assert law in cited
    assert number.split(".")[0] in re.findall(r"\d+[a-z]?", cited.replace(law, "")) or not number


def test_the_table_is_broad_and_lies_on_both_sides_of_the_two_boundaries() -> None:
    assert len(CASES) >= 80
    assert {case.procedure for case in CASES} == {"SES", "PET", "KN1", "KN2", "TC", "KP"}
    ends = [date.fromisoformat(c.answer) for c in CASES if c.answer[0].isdigit()]
    starts = [case.on for case in CASES]
    for boundary in (date(2026, 7, 1), date(2027, 1, 1)):
        assert sum(on < boundary for on in starts) >= 15
        assert sum(on >= boundary for on in starts) >= 10
        assert any(
            case.on < boundary <= end
            for case, end in zip([c for c in CASES if c.answer[0].isdigit()], ends, strict=True)
        )
    assert all(case.source for case in CASES)
    asked = {(case.procedure, case.event) for case in CASES}
    for event in ASKED:
        assert any(event == named for _, named in asked), event


# --- what always holds


@given(term=forward, on=days, later=st.integers(1, 60))
def test_a_later_start_never_ends_earlier_under_one_version_of_the_law(
    term: tuple[str, DeadlineRule], on: date, later: int
) -> None:
    code, rule = term
    first, second = reckon(code, rule, on), reckon(code, rule, on + timedelta(later))
    if first and second:
        assert first.last_day <= second.last_day


@given(term=terms, on=days)
def test_every_term_ends_on_a_working_day_and_says_why_with_its_clause(
    term: tuple[str, DeadlineRule], on: date
) -> None:
    found = reckon(*term, on)
    if found is None:
        return
    if found.unit is not DayUnit.HOUR:
        assert is_working_day(found.last_day, HOLIDAYS)
    assert found.source in found.sentence
    assert f"{on:%d/%m/%Y}" in found.sentence
    assert f"{found.last_day:%d/%m/%Y}" in found.sentence
    assert found.needs_confirmation == ("cần xác nhận" in found.sentence)


@given(term=forward, on=days, remote=st.booleans(), hard=st.booleans())
def test_a_remote_area_or_a_complex_case_never_shortens_a_term(
    term: tuple[str, DeadlineRule], on: date, remote: bool, hard: bool
) -> None:
    usual, longer = reckon(*term, on), reckon(*term, on, remote=remote, complex_case=hard)
    if usual and longer:
        assert usual.last_day <= longer.last_day
        assert bool(longer.because) == (longer.length > usual.length)


@given(on=days, length=lengths)
def test_working_days_take_at_least_as_long_as_days(on: date, length: int) -> None:
    assert add_working_days(on, length, HOLIDAYS) >= add_calendar_days(on, length, HOLIDAYS)


@given(on=days, length=st.integers(1, 30))
def test_counting_back_undoes_counting_on(on: date, length: int) -> None:
    end = add_working_days(on, length, HOLIDAYS)
    back = working_days_before(end, length, HOLIDAYS)
    assert back == on if is_working_day(on, HOLIDAYS) else back < on
    assert add_working_days(back, length, HOLIDAYS) == end
    notice = calendar_days_before(on, length, HOLIDAYS)
    assert (on - notice).days >= length


def _plain(on: date, length: int, unit: DayUnit = DayUnit.CALENDAR) -> Deadline:
    """A term of its own, for what is not about one clause."""
    add = add_working_days if unit is DayUnit.WORKING else add_calendar_days
    term = last_day("KN1", "settle", date(2026, 9, 7), HOLIDAYS)
    end = add(on, length, HOLIDAYS)
    return replace(term, start_on=on, length=length, unit=unit, last_day=end)


@given(on=days, length=lengths, since=st.integers(1, 90), lasts=st.integers(1, 60))
def test_a_suspension_of_n_days_inside_the_term_moves_its_end_by_n(
    on: date, length: int, since: int, lasts: int
) -> None:
    begin = on + timedelta(min(since, length))
    pause = Suspension(begin, begin + timedelta(lasts))
    moved = extended(_plain(on, length), suspensions=[pause], holidays=HOLIDAYS)
    assert moved.last_day == add_calendar_days(on, length + lasts, HOLIDAYS)
    assert f"không tính {lasts:02d} ngày tạm đình chỉ" in moved.sentence


@given(on=days, length=lengths, gap=st.integers(0, 30), lasts=st.integers(1, 30))
def test_a_suspension_after_the_end_or_before_the_start_changes_nothing(
    on: date, length: int, gap: int, lasts: int
) -> None:
    base = _plain(on, length)
    late = base.last_day + timedelta(1 + gap)
    early = on - timedelta(gap + lasts)
    pauses = [
        Suspension(late, late + timedelta(lasts)),
        Suspension(early, early + timedelta(lasts + 1)),
    ]
    assert extended(base, suspensions=pauses, holidays=HOLIDAYS).last_day == base.last_day


@given(on=days, length=lengths, one=st.integers(0, 40), other=st.integers(0, 40))
def test_extensions_add_up_and_never_shorten(on: date, length: int, one: int, other: int) -> None:
    base = _plain(on, length)
    once = extended(base, extra_days=one, holidays=HOLIDAYS)
    both = extended(base, extra_days=one + other, holidays=HOLIDAYS)
    assert base.last_day <= once.last_day <= both.last_day
    assert both.last_day == add_calendar_days(on, length + one + other, HOLIDAYS)


@given(
    on=days,
    length=st.integers(1, 20),
    unit=st.sampled_from([DayUnit.WORKING, DayUnit.CALENDAR]),
    pauses=st.lists(st.tuples(st.integers(-5, 60), st.integers(1, 20)), max_size=4),
)
def test_more_suspension_never_means_less_time(
    on: date, length: int, unit: DayUnit, pauses: list[tuple[int, int]]
) -> None:
    spans = [
        Suspension(on + timedelta(begin), on + timedelta(begin + lasts)) for begin, lasts in pauses
    ]
    base, ends = _plain(on, length, unit), []
    for number in range(len(spans) + 1):
        ends.append(extended(base, suspensions=spans[:number], holidays=HOLIDAYS).last_day)
    assert ends == sorted(ends)
    assert ends[0] == base.last_day


@given(on=st.dates(date(2026, 5, 15), date(2026, 8, 15)))
def test_the_law_of_the_first_day_counts_on_both_sides_of_july_2026(on: date) -> None:
    term = last_day("KN1", "acceptance-notice", on, HOLIDAYS)
    old = on < date(2026, 7, 1)
    assert (term.length, term.unit) == ((10, DayUnit.CALENDAR) if old else (7, DayUnit.WORKING))
    assert ("136/2025" in term.source) is not old


@given(rule=st.sampled_from([rule for _, rule in FORWARD]), times=st.integers(0, 4))
def test_no_term_is_extended_more_often_than_its_rule_allows(
    rule: DeadlineRule, times: int
) -> None:
    if times > rule.most_extensions:
        with pytest.raises(errors.StepNotAllowed):
            extension(rule, times)
    else:
        assert extension(rule, times) == times * rule.extension_days


def test_a_year_that_is_only_proposed_is_an_error_that_says_so() -> None:
    half = HolidayTable.from_rows(DAYS, years=[2026], proposed=[2027])
    with pytest.raises(errors.CalendarGap, match="mới là đề xuất") as gap:
        last_day("KN1", "settle", date(2026, 12, 10), half)
    assert (gap.value.year, gap.value.proposed) == (2027, True)


def test_a_term_moved_to_a_day_that_is_then_suspended_waits_until_the_order_to_continue() -> None:
    base = _plain(date(2026, 6, 5), 30)  # Sunday 05/07, moved to Monday 06/07
    pause = Suspension(date(2026, 7, 6), date(2026, 7, 9))
    assert extended(base, suspensions=[pause], holidays=HOLIDAYS).last_day == date(2026, 7, 9)
