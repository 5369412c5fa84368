"""The procedures as the law has them, on both sides of 01/07/2026."""

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
        ("KN1", "send-decision", date(2026, 8, 27), date(2026, 9, 3)),
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


def test_a_longer_term_says_why_and_a_last_day_off_says_what_it_was():
    long = deadline(
        procedure("KN1"), "settle", on=date(2026, 8, 4), holidays=HOLIDAYS,
        remote=True, complex_case=True,
    )  # fmt: skip
    assert "60 ngày (vụ việc phức tạp đã có văn bản xác định; vùng sâu, vùng xa)" in long.sentence
    plain = deadline(procedure("KN1"), "settle", on=date(2026, 8, 3), holidays=HOLIDAYS)
    assert "hết thứ Năm 03/09/2026 vì thứ Tư 02/09/2026 là ngày nghỉ." in plain.sentence


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
    assert taken.procedure_version == "PET/2026-07-01+r2"


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


def test_each_kind_of_letter_opens_the_track_of_its_own_when_accepted():
    for change, spawned in (
        ({"round": Round.SECOND}, "KN2"),
        ({"kind": PetitionKind.DENUNCIATION}, "TC"),
        ({"kind": PetitionKind.FEEDBACK}, ""),  # answered as the petition it is
    ):
        facts = replace(COMPLAINT, **change)
        standing = walk("PET", ["receive", "check_identity", "classify", "propose"], facts=facts)
        assert take("PET", "accept", standing, facts=facts).spawns == spawned


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
    assert [(o.allowed, o.transition.guard) for o in offers] == [(True, "second_complaint")]


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


def test_a_first_term_that_expired_opens_the_way_to_the_second_complaint():
    waiting = walk("KN1", ["accept", "assign"], facts=Facts(), on=date(2026, 9, 1))
    with pytest.raises(StepNotAllowed, match="chưa hết"):
        take("KN1", "second_complaint", waiting, facts=Facts(), on=date(2026, 9, 20))
    late = Facts(first_term_expired=True)
    told = take("KN1", "term_expired", waiting, facts=late, on=date(2026, 10, 1))
    assert [(t.name, t.last_day) for t in told.deadlines] == [
        ("second-complaint", date(2026, 11, 2))  # 31/10 is a Saturday
    ]
    assert take("KN1", "second_complaint", waiting, facts=late).to_state == "SECOND_ROUND"


def test_a_second_complaint_filed_too_late_is_refused_in_words():
    sent = Standing(state="SENT")
    with pytest.raises(StepNotAllowed, match="quá thời hạn khiếu nại lần hai"):
        take("KN1", "second_complaint", sent, facts=Facts(second_complaint_late=True))
    assert take("KN1", "second_complaint", sent, facts=Facts()).to_state == "SECOND_ROUND"


@pytest.mark.parametrize("code", ["KN1", "KN2"])
def test_an_authorisation_needs_certifying_until_the_end_of_2026(code):
    open_case, plain = Standing(state="VERIFYING"), Facts(authorisation_written=True)
    with pytest.raises(StepNotAllowed, match="công chứng"):
        take(code, "register_authorisation", open_case, facts=plain, on=date(2026, 12, 31))
    certified = replace(plain, authorisation_certified=True)
    for facts, on in ((certified, date(2026, 12, 31)), (plain, date(2027, 1, 1))):
        taken = take(code, "register_authorisation", open_case, facts=facts, on=on)
        assert taken.to_state == "VERIFYING"
    assert taken.procedure_version.startswith(f"{code}/2027-01-01")


# --- second complaints


def test_a_second_complaint_is_never_decided_without_a_dialogue():
    facts = Facts(report_filed=True)
    standing = walk("KN2", ["accept", "assign", "report"], facts=facts)
    with pytest.raises(StepNotAllowed, match="bắt buộc đối thoại"):
        take("KN2", "decide", standing, facts=facts)
    held = replace(facts, dialogue_held=True)
    for event in ("call_dialogue", "hold_dialogue", "decide"):
        standing = after(standing, take("KN2", event, standing, facts=held))
    assert standing.state == "DECIDED"


def test_who_stays_away_from_the_dialogue_without_reason_does_not_stop_the_decision():
    called = Standing(state="DIALOGUE_CALLED")
    with pytest.raises(StepNotAllowed, match="không có lý do"):
        take("KN2", "absent_from_dialogue", called, facts=Facts())
    absent = Facts(absent_without_reason=True, report_filed=True)
    gone = after(called, take("KN2", "absent_from_dialogue", called, facts=absent))
    assert take("KN2", "decide", gone, facts=absent).to_state == "DECIDED"


def test_a_second_decision_starts_sending_publication_and_effect():
    standing = Standing(state="DIALOGUE_DONE")
    decided = take("KN2", "decide", standing, facts=Facts(dialogue_held=True), on=date(2026, 8, 3))
    assert {t.name: t.last_day for t in decided.deadlines} == {
        "send-decision": date(2026, 8, 10),
        "publish": date(2026, 8, 18),
        "effective": date(2026, 9, 3),  # 02/09 is a holiday
    }


# --- denunciations

TEAM = Facts(kind=PetitionKind.DENUNCIATION, team_size=2, team_without_conflict=True)


def test_a_denunciation_runs_from_acceptance_to_a_redacted_publication():
    facts = replace(TEAM, report_filed=True, identity_removed=True, result_document=True)
    events = ["accept", "notify", "form_team", "report", "conclude", "send", "handle", "publish"]
    assert walk("TC", [*events, "close"], facts=facts).state == "CLOSED"


@pytest.mark.parametrize(
    "change", [{"team_size": 1}, {"team_without_conflict": False}], ids=["alone", "conflict"]
)
def test_a_team_of_one_or_with_a_conflict_of_interest_is_refused(change):
    accepted = walk("TC", ["accept"], facts=TEAM)
    with pytest.raises(StepNotAllowed, match="ít nhất 02 người"):
        take("TC", "form_team", accepted, facts=replace(TEAM, **change))


@pytest.mark.parametrize(
    ("document", "complex_case", "especially", "taken", "allowed"),
    [
        (False, True, True, 0, False),
        (True, False, False, 0, False),
        (True, True, False, 0, True),
        (True, True, False, 1, False),
        (True, True, True, 1, True),
        (True, True, True, 2, False),
    ],
)
def test_a_denunciation_is_extended_once_or_when_especially_complex_twice(
    document, complex_case, especially, taken, allowed
):
    facts = Facts(
        extension_document=document,
        complex_document=complex_case,
        especially_complex=especially,
        extensions_taken=taken,
    )
    verifying = Standing(state="VERIFYING")
    if allowed:
        assert take("TC", "extend", verifying, facts=facts).extended == ("settle",)
    else:
        with pytest.raises(StepNotAllowed, match="quyết định gia hạn"):
            take("TC", "extend", verifying, facts=facts)


def test_a_withdrawn_denunciation_goes_on_in_the_three_cases_of_the_decree():
    withdrawn = Facts(withdrawal_in_writing=True)
    with pytest.raises(StepNotAllowed, match="Vẫn giải quyết tiếp"):
        take("TC", "withdraw", Standing(state="VERIFYING"), facts=withdrawn)
    clear = replace(withdrawn, no_ground_to_continue=True)
    ended = take("TC", "withdraw", Standing(state="VERIFYING"), facts=clear)
    assert (ended.to_state, ended.ended[0]) == ("TERMINATED", "settle")
    with pytest.raises(StepNotAllowed):
        take("TC", "withdraw", Standing(state="CONCLUDED"), facts=clear)


def test_an_anonymous_denunciation_with_evidence_becomes_information_for_inspection():
    facts = Facts(kind=PetitionKind.DENUNCIATION, anonymous=True, clear_evidence=True)
    initial = walk("TC", ["take_in"], facts=facts)
    assert take("TC", "to_inspection", initial, facts=facts).to_state == "TO_INSPECTION"


def test_initial_handling_starts_one_term_of_its_own_length():
    received = Standing(dates={"receive": date(2026, 11, 16)})
    many = replace(TEAM, many_places_or_delegated=True)
    for facts, last in ((TEAM, date(2026, 11, 26)), (many, date(2026, 12, 1))):
        taken = take("TC", "take_in", received, facts=facts, on=date(2026, 11, 16))
        assert {t.name: t.last_day for t in taken.deadlines} == {
            "initial": last,
            "transfer": date(2026, 11, 23),
        }


def test_criminal_signs_pass_a_part_on_and_the_rest_runs_on():
    taken = take("TC", "pass_to_investigation", Standing(state="VERIFYING"), facts=Facts(
        criminal_signs=True
    ))  # fmt: skip
    assert (taken.to_state, taken.stops_clock) == ("VERIFYING", False)


def test_a_repeat_denunciation_is_reviewed_in_twenty_days_and_goes_back_when_upheld():
    sent = Standing(state="SENT", dates={"receive_repeat": date(2026, 11, 23)})
    review = take("TC", "repeat_denunciation", sent, facts=Facts())
    assert [(t.name, t.last_day) for t in review.deadlines] == [("review", date(2026, 12, 14))]
    upheld = take("TC", "uphold", after(sent, review), facts=Facts(reason_given=True))
    assert (upheld.to_state, upheld.ended) == ("SENT", ("review",))


def test_a_superior_asks_about_a_delay_in_five_and_five_working_days():
    late = Facts(term_passed=True, reason_given=True)
    told = Standing(state="VERIFYING", dates={"receive_overdue": date(2026, 11, 23)})
    asked = take("TC", "overdue_denunciation", told, facts=late)
    assert [(t.name, t.last_day) for t in asked.deadlines] == [
        ("overdue-request", date(2026, 12, 1))
    ]
    reported = take("TC", "ask_report", told, facts=late, on=date(2026, 12, 1))
    assert [t.last_day for t in reported.deadlines] == [date(2026, 12, 8)]


def test_protection_runs_beside_the_denunciation_and_starts_by_word_of_mouth_when_urgent():
    asked = Facts(protection_requested=True)
    opened = take("TC", "protect", Standing(state="VERIFYING"), facts=asked)
    assert (opened.to_state, opened.spawns) == ("VERIFYING", "BV")
    urgent = walk("BV", ["request_urgent", "protect"], facts=Facts())
    assert urgent.state == "PROTECTED"
    with pytest.raises(StepNotAllowed, match="bổ sung văn bản sau"):
        take("BV", "request", Standing(), facts=Facts())


# --- recommendations and feedback


@pytest.mark.parametrize(
    ("event", "state"),
    [
        ("take_up", "REPLIED"),
        ("need_time", "NEEDS_TIME"),
        ("refuse", "REFUSED"),
        ("transfer", "TRANSFERRED"),
    ],
)
def test_ten_working_days_end_with_one_of_four_answers(event, state):
    facts = Facts(kind=PetitionKind.FEEDBACK, reason_given=True)
    received = take("KP", "receive", Standing(), facts=facts, on=date(2026, 11, 16))
    assert [(t.name, t.last_day) for t in received.deadlines] == [("reply", date(2026, 12, 1))]
    standing = walk("KP", ["receive", "classify"], facts=facts)
    told = take("KP", event, standing, facts=facts)
    assert (told.to_state, told.ended) == (state, ("reply",))


def test_the_term_of_the_answer_itself_is_marked_as_a_local_target():
    term = deadline(procedure("KP"), "answer", on=date(2026, 9, 1), holidays=HOLIDAYS)
    assert term.needs_confirmation
    assert "luật không định số ngày" in term.sentence


# --- every procedure


@pytest.mark.parametrize("code", ["SES", "PET", "KN1", "KN2", "TC", "BV", "KP"])
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
    assert rules.version_on(date(2010, 1, 1)) == "PET/none+r2"
    assert rules.version_on(date(2018, 1, 1)) == "PET/2014-07-01+r2"
    assert rules.version_on(NEW) == "PET/2026-07-01+r2"


@given(
    code=st.sampled_from(["SES", "PET", "KN1", "KN2", "TC", "BV", "KP"]),
    picks=st.lists(st.integers(0, 40), max_size=30),
    known=st.sets(st.sampled_from([f for f in Facts.__slots__ if f not in {"kind", "round"}])),
    kind=st.sampled_from([None, *PetitionKind]),
)
def test_however_one_walks_a_record_only_stands_where_the_file_says(code, picks, known, kind):
    rules, flags = procedure(code), dict.fromkeys(known, True)
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
