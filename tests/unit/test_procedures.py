"""The three procedures as the law has them, on both sides of 01/07/2026."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.calendar import DayKind, DayOff, HolidayTable
from workflows.errors import StepNotAllowed, UnknownProcedure
from workflows.kinds import PetitionKind, Round
from workflows.procedures import (
    GUARDS,
    Facts,
    Standing,
    available,
    clock_start,
    deadline,
    load_all,
    procedure,
    step,
)
from workflows.procedures.drawing import draw

HOLIDAYS = HolidayTable.from_rows(
    [
        DayOff(date(2026, 9, 1), DayKind.PUBLIC, "Quốc khánh"),
        DayOff(date(2026, 9, 2), DayKind.PUBLIC, "Quốc khánh"),
        DayOff(date(2026, 11, 24), DayKind.PUBLIC, "Ngày Văn hóa Việt Nam"),
        DayOff(date(2027, 1, 1), DayKind.PUBLIC, "Tết Dương lịch"),
    ],
    years=[2026, 2027],
)
NEW, OLD = date(2026, 11, 23), date(2026, 6, 25)
COMPLAINT = Facts(
    kind=PetitionKind.COMPLAINT, signed=True, eligible=True, competent=True, identity_checked=True
)


def walk(code, events, *, facts, on=NEW, roles=None):
    """Take the events one after another on one day; the standing after the last."""
    rules, standing = procedure(code), Standing()
    for event in events:
        taken = step(rules, event, standing, on=on, facts=facts, holidays=HOLIDAYS, roles=roles)
        standing = after(standing, taken)
    return standing


def after(standing, taken):
    moved = taken.to_state != taken.from_state
    return replace(
        standing,
        state=taken.to_state,
        previous_state=taken.from_state if moved else standing.previous_state,
        dates={**standing.dates, taken.event: taken.on},
    )


def take(code, event, standing, *, facts, on=NEW):
    return step(procedure(code), event, standing, on=on, facts=facts, holidays=HOLIDAYS)


# --- terms


@pytest.mark.parametrize(
    ("code", "name", "on", "last"),
    [
        ("PET", "acceptance-notice", date(2026, 11, 16), date(2026, 11, 26)),
        ("PET", "acceptance-notice", date(2026, 11, 23), date(2026, 12, 3)),
        ("PET", "acceptance-notice", date(2026, 6, 25), date(2026, 7, 6)),  # old law, Sunday
        ("PET", "acceptance-notice", date(2026, 6, 30), date(2026, 7, 10)),  # last day of it
        ("PET", "acceptance-notice", date(2026, 7, 1), date(2026, 7, 10)),  # first day of new
        ("PET", "initial", date(2026, 11, 16), date(2026, 11, 26)),
        ("PET", "transfer", date(2026, 11, 16), date(2026, 11, 23)),
        ("PET", "reply", date(2026, 11, 16), date(2026, 12, 1)),
        ("PET", "unhandled-flag", date(2026, 11, 16), date(2026, 12, 31)),
        ("KN1", "acceptance-notice", date(2026, 11, 16), date(2026, 11, 26)),
        ("KN1", "settle", date(2026, 12, 1), date(2026, 12, 31)),
        ("KN1", "dialogue-notice", date(2026, 11, 26), date(2026, 11, 20)),
        ("KN1", "send", date(2026, 8, 27), date(2026, 9, 3)),
        ("KN1", "limitation", date(2026, 8, 25), date(2026, 11, 23)),
        ("SES", "points-notice", date(2026, 11, 26), date(2026, 11, 18)),
        ("SES", "link-test", date(2026, 11, 26), date(2026, 11, 25)),
        ("SES", "points-connected", date(2026, 11, 26), date(2026, 11, 26)),
        ("SES", "refusal-notice", date(2026, 11, 23), date(2026, 11, 27)),
    ],
)
def test_a_term_ends_on_the_day_the_law_gives(code, name, on, last):
    assert deadline(procedure(code), name, on=on, holidays=HOLIDAYS).last_day == last


@pytest.mark.parametrize(
    ("remote", "complex_case", "days"),
    [(False, False, 30), (False, True, 45), (True, False, 45), (True, True, 60)],
)
def test_first_settlement_takes_30_45_or_60_days(remote, complex_case, days):
    term = deadline(
        procedure("KN1"),
        "settle",
        on=date(2026, 9, 7),
        holidays=HOLIDAYS,
        remote=remote,
        complex_case=complex_case,
    )
    assert term.length == days
    assert "Điều 28" in term.source


def test_the_reason_of_a_day_names_start_length_end_and_article():
    term = deadline(procedure("PET"), "acceptance-notice", on=date(2026, 11, 16), holidays=HOLIDAYS)
    assert term.sentence == (
        "Thông báo thụ lý hoặc không thụ lý: tính từ sau thứ Hai 16/11/2026, 07 ngày làm việc, "
        "hết thứ Năm 26/11/2026. Căn cứ Luật Khiếu nại 02/2011/QH13, Điều 27, 36.1, "
        "sửa đổi bởi Luật 136/2025/QH15."
    )
    assert term.rule_from == date(2026, 7, 1)


def test_a_term_counted_back_says_by_when():
    term = deadline(procedure("SES"), "points-notice", on=date(2026, 11, 26), holidays=HOLIDAYS)
    assert "chậm nhất thứ Tư 18/11/2026" in term.sentence
    hour = deadline(procedure("SES"), "points-connected", on=date(2026, 11, 26), holidays=HOLIDAYS)
    assert "01 giờ trước thứ Năm 26/11/2026" in hour.sentence


def test_denunciation_handled_in_many_places_has_ten_working_days():
    facts = Facts(kind=PetitionKind.DENUNCIATION, many_places_or_delegated=True)
    term = deadline(
        procedure("PET"), "initial", on=date(2026, 11, 16), holidays=HOLIDAYS, facts=facts
    )
    assert (term.length, term.last_day) == (10, date(2026, 12, 1))


def test_a_term_unknown_on_that_day_is_refused_in_words():
    with pytest.raises(UnknownProcedure, match="chưa có quy định"):
        deadline(procedure("SES"), "points-notice", on=OLD, holidays=HOLIDAYS)
    with pytest.raises(UnknownProcedure, match="KN9"):
        procedure("KN9")


# --- where the clock starts


def test_a_petition_received_before_the_boundary_keeps_the_old_term_when_classified_after_it():
    standing = walk("PET", ["receive"], facts=COMPLAINT, on=date(2026, 6, 29))
    taken = take("PET", "classify", standing, facts=COMPLAINT, on=date(2026, 7, 2))
    (term,) = taken.deadlines
    assert (term.length, term.last_day) == (10, date(2026, 7, 9))
    assert taken.procedure_version == "PET/2026-07-01+r1"


def test_an_unsigned_online_petition_starts_its_clock_when_signed_and_says_it_needs_confirming():
    unsigned = replace(COMPLAINT, signed=False)
    standing = walk("PET", ["await_signature"], facts=unsigned, on=date(2026, 11, 16))
    assert standing.state == "AWAITING_SIGNATURE"
    assert clock_start(procedure("PET"), standing, on=NEW) is None
    signed = take("PET", "sign", standing, facts=COMPLAINT, on=date(2026, 11, 20))
    assert {term.start_on for term in signed.deadlines} == {date(2026, 11, 20)}
    (clock,) = procedure("PET").clocks
    assert clock.needs_confirmation


def test_waiting_for_a_signature_starts_no_term():
    unsigned = replace(COMPLAINT, signed=False)
    assert take("PET", "await_signature", Standing(), facts=unsigned).deadlines == ()


def test_the_receiving_unit_gets_its_own_term_after_a_transfer():
    elsewhere = replace(COMPLAINT, competent=False)
    sent = walk("PET", ["receive", "classify", "transfer"], facts=elsewhere, on=date(2026, 11, 2))
    arrived = take("PET", "receive_transfer", sent, facts=elsewhere, on=date(2026, 11, 16))
    assert arrived.to_state == "RECEIVED"
    notice = next(t for t in arrived.deadlines if t.name == "acceptance-notice")
    assert notice.last_day == date(2026, 11, 26)


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        (PetitionKind.COMPLAINT, {"acceptance-notice", "unhandled-flag"}),
        (PetitionKind.DENUNCIATION, {"initial", "transfer", "unhandled-flag"}),
        (PetitionKind.RECOMMENDATION, {"reply", "unhandled-flag"}),
        (PetitionKind.FEEDBACK, {"reply", "unhandled-flag"}),
    ],
)
def test_each_kind_starts_its_own_terms(kind, terms):
    taken = take("PET", "receive", Standing(), facts=replace(COMPLAINT, kind=kind))
    assert {term.name for term in taken.deadlines} == terms


# --- petitions


def test_a_first_complaint_goes_from_receipt_to_its_own_procedure():
    standing = walk("PET", ["receive", "check_identity", "classify", "propose"], facts=COMPLAINT)
    taken = take("PET", "accept", standing, facts=COMPLAINT)
    assert (taken.to_state, taken.spawns) == ("ACCEPTED", "KN1")
    assert "acceptance-notice" in taken.ended


def test_a_second_complaint_is_accepted_without_opening_the_first_round():
    second = replace(COMPLAINT, round=Round.SECOND)
    standing = walk("PET", ["receive", "classify", "propose"], facts=second)
    assert take("PET", "accept", standing, facts=second).spawns == ""


def test_a_complaint_for_another_body_may_be_transferred_only_since_july_2026():
    elsewhere = replace(COMPLAINT, competent=False)
    old = walk("PET", ["receive", "classify"], facts=elsewhere, on=OLD)
    with pytest.raises(StepNotAllowed, match="Trước ngày 01/07/2026"):
        take("PET", "transfer", old, facts=elsewhere, on=OLD)
    assert take("PET", "guide", old, facts=elsewhere, on=OLD).to_state == "GUIDED"
    assert take("PET", "transfer", old, facts=elsewhere, on=NEW).to_state == "TRANSFERRED"


def test_guidance_is_given_once():
    again = replace(COMPLAINT, competent=False, guided_before=True)
    standing = walk("PET", ["receive", "classify"], facts=again)
    with pytest.raises(StepNotAllowed, match="Chỉ hướng dẫn một lần") as refused:
        take("PET", "guide", standing, facts=again)
    assert refused.value.rule == "guide_once"


def test_a_denunciation_also_sent_to_the_competent_body_is_not_transferred():
    facts = replace(
        COMPLAINT,
        kind=PetitionKind.DENUNCIATION,
        competent=False,
        copied_to_competent_body=True,
    )
    standing = walk("PET", ["receive", "classify"], facts=facts)
    with pytest.raises(StepNotAllowed, match="không chuyển nữa"):
        take("PET", "transfer", standing, facts=facts)


def test_an_anonymous_denunciation_with_evidence_goes_to_inspection_and_not_on_file():
    facts = Facts(kind=PetitionKind.DENUNCIATION, anonymous=True, clear_evidence=True)
    standing = walk("PET", ["receive", "classify"], facts=facts)
    with pytest.raises(StepNotAllowed):
        take("PET", "keep_on_file", standing, facts=facts)
    with pytest.raises(StepNotAllowed):
        take("PET", "propose", standing, facts=facts)
    assert take("PET", "to_inspection", standing, facts=facts).to_state == "TO_INSPECTION"


def test_undo_goes_back_one_state_and_needs_a_reason():
    elsewhere = replace(COMPLAINT, competent=False)
    standing = walk("PET", ["receive", "classify", "guide"], facts=elsewhere)
    with pytest.raises(StepNotAllowed, match="ghi lý do"):
        take("PET", "undo", standing, facts=elsewhere)
    undone = take("PET", "undo", standing, facts=replace(elsewhere, reason_given=True))
    assert undone.to_state == "CLASSIFIED"


def test_undo_without_a_step_before_is_refused():
    alone = Standing(state="CLASSIFIED")
    with pytest.raises(StepNotAllowed, match="Không có bước nào"):
        take("PET", "undo", alone, facts=replace(COMPLAINT, reason_given=True))


def test_forwarded_petition_cannot_be_accepted_again():
    standing = Standing(state="TRANSFERRED")
    with pytest.raises(StepNotAllowed, match="Đã chuyển đơn") as refused:
        take("PET", "accept", standing, facts=COMPLAINT)
    assert refused.value.rule == "no-transition"


def test_an_event_nobody_knows_is_refused():
    with pytest.raises(UnknownProcedure, match="fly"):
        take("PET", "fly", Standing(), facts=COMPLAINT)


def test_only_the_roles_of_the_row_may_take_the_step():
    standing = walk("PET", ["receive", "classify", "propose"], facts=COMPLAINT)
    with pytest.raises(StepNotAllowed, match="do người khác làm") as refused:
        step(
            procedure("PET"),
            "accept",
            standing,
            on=NEW,
            facts=COMPLAINT,
            holidays=HOLIDAYS,
            roles=["commune_officer"],
        )
    assert refused.value.rule.startswith("actor:")
    assert walk("PET", ["receive"], facts=COMPLAINT, roles=["board_officer"]).state == "RECEIVED"


def test_the_inbox_lists_what_can_be_done_and_why_the_rest_cannot():
    elsewhere = replace(COMPLAINT, competent=False)
    offers = {
        o.transition.event: o
        for o in available(procedure("PET"), "CLASSIFIED", on=NEW, facts=elsewhere)
    }
    assert offers["transfer"].allowed
    assert offers["guide"].allowed
    assert not offers["propose"].allowed
    assert offers["propose"].reason.startswith("Chỉ đề xuất thụ lý")
    assert "đủ điều kiện xử lý" in offers["keep_on_file"].reason


def test_one_event_with_two_rows_is_offered_once_as_the_row_that_fits():
    second = replace(COMPLAINT, round=Round.SECOND)
    offers = [
        o
        for o in available(procedure("PET"), "PROPOSED", on=NEW, facts=second)
        if o.transition.event == "accept"
    ]
    assert [(o.allowed, o.transition.guard) for o in offers] == [(True, "other_track")]


# --- reception sessions

READY_FACTS = Facts(
    kind=PetitionKind.COMPLAINT,
    reason_code="complex-multi-agency",
    points_set=True,
    points_notified=True,
    links_tested=True,
    all_points_connected=True,
    gates_met=True,
    recorder_running=True,
    recording_notice_given=True,
    identities_checked=True,
    chair_present=True,
    minutes_read_back=True,
    recordings_sealed=True,
    book_entry=True,
    incident_note=True,
)
TO_READY = ["request", "classify", "schedule", "notify", "link_test", "connect_points"]


def test_a_session_runs_from_request_to_conclusion():
    events = [*TO_READY, "open", "end", "minute", "seal", "record", "conclude"]
    assert walk("SES", events, facts=READY_FACTS).state == "CONCLUDED"


def test_online_sessions_do_not_exist_before_july_2026():
    with pytest.raises(StepNotAllowed, match="25/06/2026") as refused:
        take("SES", "request", Standing(), facts=READY_FACTS, on=OLD)
    assert refused.value.rule == "effective-dates"


@pytest.mark.parametrize(
    "missing",
    [
        "recorder_running",
        "recording_notice_given",
        "gates_met",
        "identities_checked",
        "chair_present",
    ],
)
def test_a_session_does_not_open_while_one_condition_is_missing(missing):
    standing = walk("SES", TO_READY, facts=READY_FACTS)
    with pytest.raises(StepNotAllowed, match="Chưa mở được phiên"):
        take("SES", "open", standing, facts=replace(READY_FACTS, **{missing: False}))
    assert take("SES", "open", standing, facts=READY_FACTS).to_state == "OPEN"


def test_a_denunciation_with_protection_asked_is_diverted_never_scheduled_online():
    asked = replace(
        READY_FACTS,
        kind=PetitionKind.DENUNCIATION,
        secrecy_confirmed=True,
        protection_requested=True,
    )
    standing = walk("SES", ["request", "classify"], facts=asked)
    with pytest.raises(StepNotAllowed, match="tiếp trực tiếp"):
        take("SES", "schedule", standing, facts=asked)
    assert take("SES", "divert", standing, facts=asked).to_state == "DIVERTED_IN_PERSON"


def test_scheduling_starts_the_four_terms_counted_back_from_the_day_of_the_session():
    standing = walk("SES", ["request", "classify"], facts=READY_FACTS)
    planned = replace(standing, dates={"reception_session": date(2026, 12, 17)})
    taken = take("SES", "schedule", planned, facts=READY_FACTS)
    assert {term.name: term.last_day for term in taken.deadlines} == {
        "schedule-publication": date(2026, 12, 10),
        "points-notice": date(2026, 12, 10),
        "link-test": date(2026, 12, 16),
        "points-connected": date(2026, 12, 17),
    }


@pytest.mark.parametrize(
    "state", ["SCHEDULED", "NOTIFIED", "TESTED", "READY", "OPEN", "PAUSED", "CLOSED_ROOM"]
)
def test_a_session_can_turn_in_person_from_every_live_state_with_an_incident_note(state):
    standing = Standing(state=state)
    taken = take("SES", "turn_in_person", standing, facts=READY_FACTS)
    assert taken.to_state == "IN_PERSON"
    assert [d.code for d in taken.documents] == ["incident-note"]
    with pytest.raises(StepNotAllowed, match="Ghi lại sự việc"):
        take("SES", "turn_in_person", standing, facts=replace(READY_FACTS, incident_note=False))


def test_a_session_that_turned_in_person_keeps_minutes_seal_and_book():
    standing = walk("SES", [*TO_READY, "open", "turn_in_person", "end"], facts=READY_FACTS)
    for event in ("minute", "seal", "record"):
        standing = after(standing, take("SES", event, standing, facts=READY_FACTS))
    assert standing.state == "RECORDED"


def test_a_paused_closed_room_resumes_as_a_closed_room_and_only_while_recorded():
    asked = replace(READY_FACTS, protection_requested=True)
    standing = walk("SES", [*TO_READY, "open"], facts=READY_FACTS)
    standing = after(standing, take("SES", "closed_room", standing, facts=asked))
    standing = after(standing, take("SES", "pause", standing, facts=asked))
    with pytest.raises(StepNotAllowed, match="Máy ghi chưa chạy lại"):
        take("SES", "resume", standing, facts=replace(asked, recorder_running=False))
    resumed = take("SES", "resume", standing, facts=asked)
    assert resumed.to_state == "CLOSED_ROOM"
    with pytest.raises(StepNotAllowed, match="phòng kín"):
        take("SES", "reopen", after(standing, resumed), facts=asked)


# --- first complaints


def test_a_dialogue_owed_comes_before_the_decision():
    differ = Facts(views_differ=True, report_filed=True)
    standing = walk("KN1", ["accept", "assign", "report"], facts=differ)
    with pytest.raises(StepNotAllowed, match="phải đối thoại"):
        take("KN1", "decide", standing, facts=differ)
    for event in ("call_dialogue", "hold_dialogue"):
        standing = after(standing, take("KN1", event, standing, facts=differ))
    held = replace(differ, dialogue_held=True)
    assert take("KN1", "decide", standing, facts=held).to_state == "DECIDED"


def test_determining_a_case_complex_needs_a_document_and_lengthens_the_term():
    standing = walk("KN1", ["accept"], facts=Facts(), on=date(2026, 7, 9))
    with pytest.raises(StepNotAllowed, match="văn bản xác định"):
        take("KN1", "determine_complex", standing, facts=Facts())
    taken = take("KN1", "determine_complex", standing, facts=Facts(complex_document=True), on=NEW)
    (term,) = taken.deadlines
    assert (term.name, term.length, term.last_day) == ("settle", 45, date(2026, 8, 24))


def test_suspension_stops_the_clock_and_resuming_goes_back_to_where_it_was():
    ground = Facts(suspension_ground=True, report_filed=True)
    standing = walk("KN1", ["accept", "assign"], facts=ground)
    stopped = take("KN1", "suspend", standing, facts=ground)
    assert stopped.stops_clock
    assert [t.name for t in stopped.deadlines] == ["suspension-notice"]
    resumed = take("KN1", "resume", after(standing, stopped), facts=ground)
    assert (resumed.to_state, resumed.restarts_clock) == ("VERIFYING", True)


def test_suspension_did_not_exist_before_july_2026():
    with pytest.raises(StepNotAllowed) as refused:
        take("KN1", "suspend", Standing(state="VERIFYING"), facts=Facts(), on=OLD)
    assert refused.value.rule == "effective-dates"


def test_a_decision_is_sent_and_the_second_complaint_runs_from_its_receipt():
    facts = Facts(report_filed=True)
    standing = walk(
        "KN1", ["accept", "assign", "report", "decide", "send"], facts=facts, on=date(2026, 8, 27)
    )
    taken = take("KN1", "receive_decision", standing, facts=facts, on=date(2026, 9, 3))
    (term,) = taken.deadlines
    assert (term.last_day, term.needs_confirmation) == (date(2026, 10, 5), True)


# --- every procedure


@pytest.mark.parametrize("code", ["KN1", "PET", "SES"])
def test_every_row_has_words_in_both_languages(code):
    rules = procedure(code)
    rows = [*rules.states.values(), *rules.transitions, *rules.deadlines, *rules.documents.values()]
    assert all(row.label_vi.strip() and row.label_en.strip() for row in rows)


def test_every_guard_is_used_and_speaks_to_the_person_refused():
    used = {t.guard for p in load_all().values() for t in p.transitions}
    used |= {d.guard for p in load_all().values() for d in p.deadlines}
    assert set(GUARDS) == used - {""}
    assert all(guard.sentence.endswith(".") for guard in GUARDS.values())


def test_a_rule_set_has_a_name_for_every_day():
    rules = procedure("PET")
    assert rules.version_on(date(2010, 1, 1)) == "PET/none+r1"
    assert rules.version_on(date(2018, 1, 1)) == "PET/2014-07-01+r1"
    assert rules.version_on(NEW) == "PET/2026-07-01+r1"


@given(
    code=st.sampled_from(["KN1", "PET", "SES"]),
    picks=st.lists(st.integers(0, 40), max_size=30),
    flags=st.dictionaries(
        st.sampled_from([f for f in Facts.__slots__ if f not in {"kind", "round"}]),
        st.booleans(),
    ),
    kind=st.sampled_from([None, *PetitionKind]),
)
def test_however_one_walks_a_record_only_stands_where_the_file_says(code, picks, flags, kind):
    rules = procedure(code)
    texts = {n: "x" if flags.pop(n, False) else "" for n in ("reason_code", "refusal_ground")}
    facts = Facts(kind=kind, **flags, **texts)
    standing = Standing(dates={"reception_session": date(2026, 12, 17)})
    for pick in picks:
        offers = available(rules, standing.state, on=NEW, facts=facts)
        if not offers:
            assert rules.states[standing.state].final
            break
        offer = offers[pick % len(offers)]
        if not offer.allowed or (
            offer.transition.to == "@previous" and not standing.previous_state
        ):
            with pytest.raises(StepNotAllowed):
                take(code, offer.transition.event, standing, facts=facts)
            continue
        standing = after(standing, take(code, offer.transition.event, standing, facts=facts))
        assert standing.state in rules.states


def test_a_procedure_is_drawn_as_it_stands_on_a_day():
    new, old = (draw(procedure("PET"), on=day) for day in (NEW, OLD))
    assert new.startswith("stateDiagram-v2\n")
    assert "    [*] --> RECEIVED: Tiếp nhận đơn\n" in new
    assert "    GUIDED --> CLASSIFIED" not in new
    assert "    GUIDED --> GUIDED: Hủy bước vừa làm (về bước trước)\n" in new
    assert "    GUIDED --> [*]\n" in new
    assert new == old
    assert "[*] -->" not in draw(procedure("SES"), on=OLD)
