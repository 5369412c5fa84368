"""The gates before an online session, on the days around 26/11/2026."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.calendar import DayKind, DayOff, HolidayTable
from workflows.errors import GateNotMet, RecorderNotRunning
from workflows.gates import (
    REASONS,
    PointFacts,
    SessionFacts,
    denunciation_gate,
    ensure_may_open,
    readiness,
    reasons_for,
    session_gates,
)
from workflows.kinds import PetitionKind

HOLIDAYS = HolidayTable.from_rows(
    [DayOff(date(2026, 11, 24), DayKind.PUBLIC, "Ngày Văn hóa Việt Nam")], years=[2026]
)
STARTS_AT = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)  # 08:00 in Vietnam
IN_TIME = PointFacts(
    name="Xã Bom Bo",
    notified_on=date(2026, 11, 18),
    link_tested_on=date(2026, 11, 25),
    connected_at=STARTS_AT - timedelta(hours=1),
)
FACTS = SessionFacts(
    starts_on=date(2026, 11, 26),
    starts_at=STARTS_AT,
    points=(IN_TIME, replace(IN_TIME, name="Trụ sở")),
    kinds=frozenset({PetitionKind.COMPLAINT}),
)


def with_point(**changes):
    return replace(FACTS, points=(FACTS.points[1], replace(IN_TIME, **changes)))


def test_all_three_gates_are_met_on_their_last_moment():
    gates = session_gates(FACTS, HOLIDAYS)
    assert [gate.met for gate in gates] == [True, True, True]
    assert [gate.due_on for gate in gates] == [
        date(2026, 11, 18),
        date(2026, 11, 25),
        date(2026, 11, 26),
    ]
    assert gates[2].due_at == STARTS_AT - timedelta(hours=1)
    assert {gate.source for gate in gates} == {"NĐ 154/2026/NĐ-CP, Điều 23"}


@pytest.mark.parametrize(
    ("change", "closed"),
    [
        ({"notified_on": date(2026, 11, 19)}, 0),
        ({"notified_on": None}, 0),
        ({"link_tested_on": date(2026, 11, 26)}, 1),
        ({"link_tested_on": None}, 1),
        ({"connected_at": STARTS_AT - timedelta(minutes=59)}, 2),
        ({"connected_at": None}, 2),
    ],
)
def test_one_late_point_closes_its_gate_and_is_named(change, closed):
    gates = session_gates(with_point(**change), HOLIDAYS)
    assert [gate.met for gate in gates] == [index != closed for index in range(3)]
    assert gates[closed].waiting_for == ("Xã Bom Bo",)
    assert "Xã Bom Bo" in gates[closed].sentence


def test_a_session_without_points_meets_no_gate():
    gates = session_gates(replace(FACTS, points=()), HOLIDAYS)
    assert not any(gate.met for gate in gates)
    assert "Chưa chọn điểm cầu" in gates[0].sentence


@pytest.mark.parametrize(
    ("kind", "asked", "ensured", "met"),
    [
        (PetitionKind.COMPLAINT, True, False, True),
        (PetitionKind.DENUNCIATION, False, True, True),
        (PetitionKind.DENUNCIATION, True, True, False),
        (PetitionKind.DENUNCIATION, False, False, False),
    ],
)
def test_a_denunciation_goes_online_only_unprotected_and_with_secrecy(kind, asked, ensured, met):
    facts = replace(
        FACTS, kinds=frozenset({kind}), protection_requested=asked, secrecy_confirmed=ensured
    )
    gate = denunciation_gate(facts)
    assert gate.met is met
    assert ("mời tiếp trực tiếp" in gate.sentence) is not met


def test_a_session_opens_when_all_gates_are_met_and_the_recorder_runs():
    ensure_may_open(readiness(FACTS, HOLIDAYS, recorder_running=True))


def test_a_session_cannot_open_without_a_running_recorder():
    with pytest.raises(RecorderNotRunning, match="Máy ghi chưa chạy"):
        ensure_may_open(readiness(FACTS, HOLIDAYS, recorder_running=False))


def test_closed_gates_are_named_when_opening_is_refused():
    late = with_point(connected_at=None)
    with pytest.raises(GateNotMet, match="còn thiếu Xã Bom Bo") as refused:
        ensure_may_open(readiness(late, HOLIDAYS, recorder_running=False))
    assert set(refused.value.gates) == {"points-connected", "recorder-running"}


def test_the_ready_screen_lists_what_is_missing_first():
    gates = readiness(with_point(connected_at=None), HOLIDAYS, recorder_running=True)
    assert [gate.met for gate in gates] == [False, True, True, True, True]


def test_there_are_five_reasons_and_one_is_for_denunciations():
    assert [reason.clause for reason in REASONS] == [1, 2, 3, 4, 5]
    on = date(2026, 11, 23)
    assert [r.code for r in reasons_for(PetitionKind.DENUNCIATION, on=on)] == [
        "complex-denunciation"
    ]
    assert len(reasons_for(PetitionKind.COMPLAINT, on=on)) == 4
    assert reasons_for(PetitionKind.COMPLAINT, on=date(2026, 6, 30)) == ()


@given(
    notified=st.dates(date(2026, 11, 2), date(2026, 11, 30)),
    earlier=st.integers(0, 10),
)
def test_an_earlier_notice_never_closes_a_gate(notified, earlier):
    sooner = notified - timedelta(days=earlier)
    met = session_gates(with_point(notified_on=notified), HOLIDAYS)[0].met
    assert session_gates(with_point(notified_on=sooner), HOLIDAYS)[0].met >= met
