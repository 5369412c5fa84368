"""The smaller rules: secrecy, competence, cases, groups, terms after their start, errors."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.access import Role
from workflows.calendar import DayKind, DayOff, DayUnit, HolidayTable, add_working_days
from workflows.cases import Link, LinkKind, count_cases, ensure_linkable, joins, visible_links
from workflows.competence import Level, Respondent, is_competent, propose_competence
from workflows.deadlines import (
    Suspension,
    Urgency,
    days_left,
    extended,
    is_stopped,
    remaining,
    urgency,
)
from workflows.errors import (
    BadInput,
    Conflict,
    DomainError,
    NotFound,
    OutsideJurisdiction,
    RecorderNotRunning,
    StepNotAllowed,
)
from workflows.groups import is_large_group, representatives
from workflows.kinds import PetitionKind, Round
from workflows.procedures import Deadline, deadline, procedure
from workflows.secrecy import (
    Secrecy,
    covered_name,
    is_public_countable,
    is_searchable,
    secrecy_for,
    strictest,
)

PROVINCE, COMMUNE, DEPARTMENT = ("75",), ("75", "26041"), ("75", "75-SNNMT")
K, R = PetitionKind, Respondent
HOLIDAYS = HolidayTable.from_rows(
    [DayOff(date(2026, 11, 24), DayKind.PUBLIC, "Ngày Văn hóa Việt Nam")], years=[2026, 2027]
)

# --- secrecy


@pytest.mark.parametrize(
    ("kind", "closed_room", "state_secret", "level"),
    [
        (K.COMPLAINT, False, False, Secrecy.NORMAL),
        (K.COMPLAINT, True, False, Secrecy.RESTRICTED),
        (K.DENUNCIATION, False, False, Secrecy.COMPARTMENT),
        (K.DENUNCIATION, True, False, Secrecy.COMPARTMENT),
        (K.FEEDBACK, False, True, Secrecy.OFF_SYSTEM),
    ],
)
def test_the_kind_of_a_letter_sets_the_least_secrecy(kind, closed_room, state_secret, level):
    assert secrecy_for(kind, closed_room=closed_room, state_secret=state_secret) is level


def test_a_case_is_as_closed_as_its_most_closed_part():
    assert strictest() is Secrecy.NORMAL
    assert strictest(Secrecy.NORMAL, Secrecy.COMPARTMENT, Secrecy.RESTRICTED) is Secrecy.COMPARTMENT


def test_a_denunciation_enters_neither_search_nor_a_public_count():
    assert not is_searchable(Secrecy.COMPARTMENT)
    assert not is_searchable(Secrecy.OFF_SYSTEM)
    assert is_searchable(Secrecy.RESTRICTED)
    assert not is_public_countable(K.DENUNCIATION, Secrecy.NORMAL)
    assert is_public_countable(K.COMPLAINT, Secrecy.NORMAL)


def test_a_queue_shows_a_number_and_no_name():
    assert covered_name(17) == "Người đến tiếp số 17"


# --- competence


@pytest.mark.parametrize(
    ("kind", "respondent", "round_", "of", "level", "path", "role"),
    [
        (K.COMPLAINT, R.COMMUNE, Round.FIRST, COMMUNE, Level.COMMUNE, COMMUNE, Role.COMMUNE_CHAIR),
        (
            K.COMPLAINT,
            R.COMMUNE,
            Round.SECOND,
            COMMUNE,
            Level.PROVINCE,
            PROVINCE,
            Role.PROVINCIAL_CHAIR,
        ),
        (
            K.COMPLAINT,
            R.DEPARTMENT,
            Round.FIRST,
            DEPARTMENT,
            Level.DEPARTMENT,
            DEPARTMENT,
            Role.DEPARTMENT_HEAD,
        ),
        (
            K.COMPLAINT,
            R.DEPARTMENT,
            Round.SECOND,
            DEPARTMENT,
            Level.PROVINCE,
            PROVINCE,
            Role.PROVINCIAL_CHAIR,
        ),
        (
            K.COMPLAINT,
            R.PROVINCE,
            Round.FIRST,
            PROVINCE,
            Level.PROVINCE,
            PROVINCE,
            Role.PROVINCIAL_CHAIR,
        ),
        (K.COMPLAINT, R.PROVINCE, Round.SECOND, PROVINCE, Level.OUTSIDE, None, None),
        (
            K.DENUNCIATION,
            R.COMMUNE_STAFF,
            Round.FIRST,
            COMMUNE,
            Level.COMMUNE,
            COMMUNE,
            Role.COMMUNE_CHAIR,
        ),
        (
            K.DENUNCIATION,
            R.COMMUNE_LEADER,
            Round.FIRST,
            COMMUNE,
            Level.PROVINCE,
            PROVINCE,
            Role.PROVINCIAL_CHAIR,
        ),
        (
            K.DENUNCIATION,
            R.DEPARTMENT_LEADER,
            Round.FIRST,
            DEPARTMENT,
            Level.PROVINCE,
            PROVINCE,
            Role.PROVINCIAL_CHAIR,
        ),
        (K.DENUNCIATION, R.PROVINCE_LEADER, Round.FIRST, PROVINCE, Level.OUTSIDE, None, None),
        (K.FEEDBACK, R.COMMUNE, Round.FIRST, COMMUNE, Level.COMMUNE, COMMUNE, Role.COMMUNE_CHAIR),
        (K.COMPLAINT, R.ELSEWHERE, Round.FIRST, COMMUNE, Level.OUTSIDE, None, None),
    ],
)
def test_a_letter_belongs_to_the_body_the_law_names(
    kind, respondent, round_, of, level, path, role
):
    proposal = propose_competence(kind, respondent, of, round_=round_)
    assert (proposal.level, proposal.unit_path, proposal.role) == (level, path, role)
    assert proposal.source
    assert is_competent(proposal, of) is (path == of)


@given(kind=st.sampled_from([k for k in K if k is not K.MIXED]), respondent=st.sampled_from(R))
def test_there_is_a_proposal_with_a_source_for_every_letter(kind, respondent):
    for round_ in Round:
        proposal = propose_competence(kind, respondent, COMMUNE, round_=round_)
        assert proposal.sentence.endswith(".")
        assert proposal.source


def test_a_mixed_letter_is_split_first():
    with pytest.raises(ValueError, match="split"):
        propose_competence(K.MIXED, R.COMMUNE, COMMUNE, round_=Round.FIRST)


# --- cases

A, B, C, CASE, OTHER = (UUID(int=n) for n in range(1, 6))


def test_three_letters_in_one_case_count_once():
    links = [
        Link(A, CASE, LinkKind.SAME_MATTER),
        Link(B, CASE, LinkKind.REPEAT),
        Link(C, CASE, LinkKind.SECOND_ROUND),
    ]
    assert count_cases([A, B, C], links) == 1


def test_a_related_matter_and_an_undone_link_count_apart():
    links = [
        Link(A, CASE, LinkKind.SAME_MATTER),
        Link(B, CASE, LinkKind.RELATED),
        Link(C, CASE, LinkKind.SAME_MATTER, undone=True),
    ]
    assert count_cases([A, B, C], links) == 3
    assert not joins(LinkKind.RELATED)


@given(
    st.lists(
        st.builds(
            Link,
            st.sampled_from([A, B, C]),
            st.sampled_from([CASE, OTHER]),
            st.sampled_from(LinkKind),
            st.booleans(),
        ),
        max_size=6,
    )
)
def test_cases_are_never_more_than_letters(links):
    assert 1 <= count_cases([A, B, C], links) <= 3


@pytest.mark.parametrize(
    ("kind", "compartment", "allowed"),
    [
        (K.COMPLAINT, False, True),
        (K.DENUNCIATION, True, True),
        (K.DENUNCIATION, False, False),
        (K.COMPLAINT, True, False),
    ],
)
def test_a_denunciation_stays_in_a_case_of_its_own(kind, compartment, allowed):
    if allowed:
        ensure_linkable(kind, case_in_compartment=compartment)
    else:
        with pytest.raises(StepNotAllowed) as refused:
            ensure_linkable(kind, case_in_compartment=compartment)
        assert refused.value.rule == "compartment"


def test_a_link_to_a_hidden_letter_leaves_no_trace():
    links = [Link(A, CASE, LinkKind.SAME_MATTER), Link(B, CASE, LinkKind.SAME_MATTER)]
    assert [link.petition_id for link in visible_links(links, {A}.__contains__)] == [A]


# --- groups


@pytest.mark.parametrize(
    ("people", "at_most"), [(1, None), (4, None), (5, 2), (10, 2), (11, 5), (300, 5)]
)
def test_a_group_sends_as_many_representatives_as_the_law_allows(people, at_most):
    rule = representatives(people)
    assert (rule and rule.at_most) == at_most
    assert is_large_group(people) is (at_most is not None)


# --- terms after their start


def term(unit=DayUnit.WORKING, length=7, start=date(2026, 11, 2), *, before=False):
    return Deadline(
        name="t",
        label_vi="Hạn",
        label_en="Term",
        start_on=start,
        last_day=start,
        length=length,
        unit=unit,
        before=before,
        source="s",
        rule_from=start,
        sentence="",
        needs_confirmation=False,
    )


def test_an_extension_is_counted_in_the_unit_of_the_term():
    assert extended(term(), extra_days=3, holidays=HOLIDAYS).last_day == date(2026, 11, 16)
    calendar = term(DayUnit.CALENDAR, 30)
    assert extended(calendar, extra_days=30, holidays=HOLIDAYS).last_day == date(2027, 1, 1)


def test_suspended_days_are_left_out_and_only_counted_days_are_given_back():
    pause = Suspension(date(2026, 11, 5), date(2026, 11, 10))  # Thu to Mon: 3 working, 5 days
    assert extended(term(), suspensions=[pause], holidays=HOLIDAYS).last_day == date(2026, 11, 16)
    calendar = term(DayUnit.CALENDAR, 10)
    assert extended(calendar, suspensions=[pause], holidays=HOLIDAYS).last_day == date(2026, 11, 17)


def test_days_suspended_before_the_start_or_after_the_end_give_nothing_back():
    around = [
        Suspension(date(2026, 10, 1), date(2026, 11, 3)),
        Suspension(date(2026, 12, 1), date(2026, 12, 10)),
    ]
    assert extended(term(), suspensions=around, holidays=HOLIDAYS).last_day == date(2026, 11, 11)


def test_a_suspension_that_still_runs_stops_the_clock():
    assert is_stopped([Suspension(date(2026, 11, 5))])
    assert not is_stopped([Suspension(date(2026, 11, 5), date(2026, 11, 6))])
    still = extended(term(), suspensions=[Suspension(date(2026, 11, 5))], holidays=HOLIDAYS)
    assert still.last_day == date(2026, 11, 11)


def test_a_notice_before_a_day_is_not_extended():
    with pytest.raises(ValueError, match="counted back"):
        extended(term(before=True), extra_days=1, holidays=HOLIDAYS)


@given(since=st.integers(1, 20), length=st.integers(1, 20), term_length=st.integers(1, 15))
def test_suspension_gives_back_exactly_the_working_days_it_took(since, length, term_length):
    start = date(2026, 3, 2)
    base = term(length=term_length, start=start)
    begin = add_working_days(start, since, HOLIDAYS)
    end = add_working_days(begin, length, HOLIDAYS)
    longer = extended(base, suspensions=[Suspension(begin, end)], holidays=HOLIDAYS)
    given_back = length if since <= term_length else 0
    assert longer.last_day == add_working_days(start, term_length + given_back, HOLIDAYS)


@pytest.mark.parametrize(
    ("last_day", "group", "words"),
    [
        (date(2026, 11, 18), Urgency.OVERDUE, "Quá 5 ngày"),
        (date(2026, 11, 23), Urgency.TODAY, "Hôm nay"),
        (date(2026, 11, 26), Urgency.THIS_WEEK, "Còn 3 ngày"),
        (date(2026, 11, 29), Urgency.THIS_WEEK, "Còn 6 ngày"),
        (date(2026, 11, 30), Urgency.LATER, "Còn 7 ngày"),
    ],
)
def test_the_inbox_groups_by_how_near_the_last_day_is(last_day, group, words):
    today = date(2026, 11, 23)
    assert urgency(last_day, today) is group
    assert remaining(last_day, today) == words
    assert days_left(last_day, today) == (last_day - today).days


def test_a_real_term_can_be_extended():
    real = deadline(procedure("PET"), "acceptance-notice", on=date(2026, 11, 16), holidays=HOLIDAYS)
    assert extended(real, holidays=HOLIDAYS).last_day == real.last_day


# --- errors


@pytest.mark.parametrize(
    "error",
    [
        NotFound(),
        Conflict(),
        RecorderNotRunning(),
        OutsideJurisdiction("Đơn thuộc phường khác.", competent_unit="26041"),
        BadInput({"where": "Chưa chọn xã, phường."}),
    ],
)
def test_every_refusal_is_a_sentence_for_the_person(error):
    assert isinstance(error, DomainError)
    assert error.message.endswith(".")
    assert str(error) == error.message


def test_bad_input_keeps_a_sentence_for_each_field():
    error = BadInput({"where": "Chưa chọn xã, phường.", "what": "Chưa ghi sự việc."})
    assert error.fields["what"] == "Chưa ghi sự việc."
    assert "Chưa chọn xã, phường." in error.message
