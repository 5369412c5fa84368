"""Who may do what, as tables: role × own, foreign and shared unit, secrecy, conflict."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.access import (
    COMPARTMENT_HEADS,
    GRANTS,
    NOTHING,
    VISITOR,
    Actor,
    Permission,
    Post,
    Role,
    Scope,
    Subject,
    asks_for_no_name,
    decide,
    ensure_allowed,
    holds,
    reach,
)
from workflows.errors import NotAllowed
from workflows.kinds import PetitionKind
from workflows.secrecy import Secrecy

PROVINCE, HERE, THERE = ("75",), ("75", "26041"), ("75", "25195")
DEPARTMENT = ("75", "75-SNNMT")
ME, SOMEBODY = UUID(int=1), UUID(int=2)
P = Permission

HOME = {
    Role.CITIZEN: (),
    Role.COMMUNE_OFFICER: HERE,
    Role.COMMUNE_ADVISORY: HERE,
    Role.COMMUNE_CHAIR: HERE,
    Role.PETITION_HANDLER: DEPARTMENT,
    Role.APPROVING_LEADER: DEPARTMENT,
    Role.DEPARTMENT_HEAD: DEPARTMENT,
    Role.BOARD_HEAD: PROVINCE,
    Role.BOARD_OFFICER: PROVINCE,
    Role.OFFICE_REPRESENTATIVE: ("75", "75-UBKT"),
    Role.PROVINCIAL_INSPECTOR: PROVINCE,
    Role.VERIFIER: DEPARTMENT,
    Role.PROVINCIAL_CHAIR: PROVINCE,
    Role.PROVINCIAL_OFFICE: PROVINCE,
    Role.CLERK: HERE,
    Role.POINT_TECHNICIAN: HERE,
    Role.ADMINISTRATOR: PROVINCE,
    Role.LOG_AUDITOR: PROVINCE,
}


def who(role, unit_path=None):
    """Somebody in `role`; like every person also a citizen."""
    home = HOME[role] if unit_path is None else unit_path
    return Actor(UUID(int=100), ME, (Post(role, home), Post(Role.CITIZEN, ())))


def letter(unit_path=HERE, **known):
    return Subject(unit_path=unit_path, kind=PetitionKind.COMPLAINT, **known)


def denunciation(unit_path=HERE, **known):
    return Subject(
        unit_path=unit_path,
        kind=PetitionKind.DENUNCIATION,
        secrecy=Secrecy.COMPARTMENT,
        **known,
    )


def mine(**known):
    return {"assigned_to": frozenset({ME}), **known}


def may(role, permission, subject=NOTHING):
    return decide(who(role), permission, subject).allowed


# --- the table of seeing a petition: own unit, elsewhere, shared case, assigned

SEES_PETITION = {
    #                            own    other  shared assigned
    Role.CITIZEN: (False, False, False, False),
    Role.COMMUNE_OFFICER: (True, False, True, True),
    Role.COMMUNE_ADVISORY: (True, False, True, True),
    Role.COMMUNE_CHAIR: (True, False, True, True),
    Role.PETITION_HANDLER: (True, False, True, True),
    Role.APPROVING_LEADER: (True, False, True, True),
    Role.DEPARTMENT_HEAD: (True, False, True, True),
    Role.BOARD_HEAD: (True, False, True, True),
    Role.BOARD_OFFICER: (True, False, True, True),
    Role.OFFICE_REPRESENTATIVE: (True, False, False, True),
    Role.PROVINCIAL_INSPECTOR: (False, False, False, True),
    Role.VERIFIER: (False, False, False, True),
    Role.PROVINCIAL_CHAIR: (True, False, True, True),
    Role.PROVINCIAL_OFFICE: (False, False, False, True),
    Role.CLERK: (False, False, False, False),
    Role.POINT_TECHNICIAN: (False, False, False, False),
    Role.ADMINISTRATOR: (False, False, False, False),
    Role.LOG_AUDITOR: (False, False, False, False),
}
PROVINCE_WIDE = {Role.BOARD_HEAD, Role.BOARD_OFFICER, Role.PROVINCIAL_CHAIR}


@pytest.mark.parametrize("role", Role)
def test_who_sees_an_ordinary_petition(role):
    own, other, shared, assigned = SEES_PETITION[role]
    home, abroad = HOME[role], ("79", "26734")
    assert may(role, P.PETITION_SEE, letter(home)) is own
    assert may(role, P.PETITION_SEE, letter((*home, "x"))) is (role in PROVINCE_WIDE)
    assert may(role, P.PETITION_SEE, letter(abroad)) is other
    shared_case = letter(abroad, level_units=frozenset({home}))
    assert may(role, P.PETITION_SEE, shared_case) is shared
    assert may(role, P.PETITION_SEE, letter(abroad, **mine())) is assigned


@pytest.mark.parametrize("role", Role)
def test_who_sees_a_denunciation(role):
    home = HOME[role]
    assert may(role, P.PETITION_SEE, denunciation(home)) is (role in COMPARTMENT_HEADS)
    assert not may(role, P.PETITION_SEE, denunciation((*home, "x")))
    assert not may(role, P.PETITION_SEE, denunciation(("79",), level_units=frozenset({home})))


@pytest.mark.parametrize(
    ("role", "plain", "redacted"),
    [
        (Role.COMMUNE_OFFICER, True, False),
        (Role.PETITION_HANDLER, True, False),
        (Role.VERIFIER, False, True),
        (Role.PROVINCIAL_INSPECTOR, False, True),
        (Role.CLERK, False, False),
        (Role.ADMINISTRATOR, False, False),
    ],
)
def test_who_is_assigned_to_a_denunciation_sees_it_plain_or_redacted(role, plain, redacted):
    subject = denunciation(HOME[role], **mine())
    assert may(role, P.PETITION_SEE, subject) is plain
    assert may(role, P.DENUNCIATION_REDACTED_SEE, subject) is redacted


@pytest.mark.parametrize("role", Role)
def test_the_denouncer_is_known_only_by_decision_or_to_the_competent_head(role):
    home = HOME[role]
    assert may(role, P.DENOUNCER_IDENTITY_SEE, denunciation(home)) is (role in COMPARTMENT_HEADS)
    by_decision = denunciation(home, identity_for=frozenset({ME}))
    may_be_named = P.DENOUNCER_IDENTITY_SEE in GRANTS[role]
    assert may(role, P.DENOUNCER_IDENTITY_SEE, by_decision) is may_be_named
    if role not in COMPARTMENT_HEADS:
        assert not may(role, P.DENOUNCER_IDENTITY_SEE, denunciation(home, **mine()))


@pytest.mark.parametrize("role", [Role.VERIFIER, Role.CLERK, Role.ADMINISTRATOR])
def test_some_roles_never_learn_who_denounced(role):
    named = denunciation(HOME[role], identity_for=frozenset({ME}), **mine())
    assert not may(role, P.DENOUNCER_IDENTITY_SEE, named)


@pytest.mark.parametrize("permission", [P.PETITION_SEE, P.ATTACHMENT_SEE, P.RECORDING_PLAY])
@pytest.mark.parametrize("other", [Role.PETITION_HANDLER, Role.BOARD_OFFICER, Role.CITIZEN])
def test_a_verifier_with_a_second_post_still_reads_the_redacted_copy(permission, other):
    both = Actor(UUID(int=9), ME, (Post(Role.VERIFIER, DEPARTMENT), Post(other, HOME[other])))
    refused = decide(both, permission, denunciation(DEPARTMENT, **mine()))
    assert "bản đã che" in refused.reason
    assert not refused.hidden


# --- the other rules


def test_the_administrator_sees_no_case_content_whatever_the_assignment():
    about_cases = [
        p
        for p in P
        if p.value.split(".")[0]
        in {"petition", "case", "attachment", "recording", "desk", "document", "book", "session"}
    ]
    assert len(about_cases) > 40
    for permission in set(about_cases) - set(GRANTS[Role.CITIZEN]):
        assert not may(Role.ADMINISTRATOR, permission, letter(PROVINCE, **mine()))


def test_the_log_auditor_reads_the_log_and_changes_nothing():
    assert may(Role.LOG_AUDITOR, P.AUDIT_READ)
    assert not may(Role.LOG_AUDITOR, P.ACCOUNT_MANAGE)
    assert not may(Role.LOG_AUDITOR, P.PETITION_SEE, letter())


def test_only_the_provincial_chair_opens_the_public_map():
    allowed = {role for role in Role if may(role, P.DATAMAP_PUBLISH, Subject(unit_path=PROVINCE))}
    assert allowed == {Role.PROVINCIAL_CHAIR}


@pytest.mark.parametrize(
    "permission", [P.DESK_INTAKE, P.BOOK_WRITE, P.PETITION_CLASSIFY, P.CASE_LINK]
)
def test_ward_officer_works_only_in_the_own_ward(permission):
    assert may(Role.COMMUNE_OFFICER, permission, letter(HERE))
    refused = decide(who(Role.COMMUNE_OFFICER), permission, letter(THERE))
    assert not refused
    assert refused.hidden


def test_drafts_and_opinions_stay_with_the_level_that_made_them():
    shared = letter(PROVINCE, level_units=frozenset({HERE, PROVINCE}))
    assert may(Role.COMMUNE_ADVISORY, P.CASE_SEE, shared)
    assert not may(Role.COMMUNE_ADVISORY, P.CASE_DRAFT_SEE, shared)


def test_the_body_under_a_second_complaint_keeps_the_status_and_nothing_else():
    appealed = letter(PROVINCE, level_units=frozenset({HERE}), conflicted_units=frozenset({HERE}))
    assert may(Role.COMMUNE_CHAIR, P.CASE_SEE, appealed)
    refused = decide(who(Role.COMMUNE_CHAIR), P.PETITION_SEE, appealed)
    assert "một bên" in refused.reason
    assert not refused.hidden


def test_a_denounced_chair_learns_nothing_not_even_that_there_is_something():
    against_me = denunciation(HERE, conflicted=frozenset({ME}))
    for permission in (P.PETITION_SEE, P.CASE_SEE, P.PETITION_COUNT, P.DENOUNCER_IDENTITY_SEE):
        refused = decide(who(Role.COMMUNE_CHAIR), permission, against_me)
        assert (refused.allowed, refused.hidden) == (False, True)
        assert "một bên" not in refused.reason


def test_an_official_complained_of_neither_verifies_nor_drafts_but_the_head_still_decides():
    own_act = letter(HERE, act_complained_of_by=frozenset({ME}))
    assert may(Role.COMMUNE_CHAIR, P.COMPLAINT_DECIDE, own_act)
    assert not may(Role.COMMUNE_CHAIR, P.DOCUMENT_DRAFT, own_act)
    assert not may(
        Role.VERIFIER, P.COMPLAINT_VERIFY, letter(**mine(), act_complained_of_by=frozenset({ME}))
    )


@pytest.mark.parametrize(
    "permission", [P.PETITION_APPROVE, P.RECORDING_APPROVE, P.CASE_RETRIEVE_APPROVE]
)
def test_nobody_approves_what_they_drafted_themselves(permission):
    refused = decide(who(Role.COMMUNE_CHAIR), permission, letter(HERE, drafted_by=ME))
    assert "tự duyệt" in refused.reason
    assert may(Role.COMMUNE_CHAIR, permission, letter(HERE, drafted_by=SOMEBODY))


def test_a_closed_room_is_for_the_assigned_and_the_leaders_of_the_unit():
    closed = letter(HERE, secrecy=Secrecy.RESTRICTED)
    assert may(Role.COMMUNE_CHAIR, P.RECORDING_PLAY, closed)
    assert not may(Role.COMMUNE_OFFICER, P.PETITION_SEE, closed)
    elsewhere = decide(who(Role.COMMUNE_OFFICER, THERE), P.PETITION_SEE, closed)
    assert elsewhere.hidden
    assigned = letter(HERE, secrecy=Secrecy.RESTRICTED, **mine())
    assert may(Role.COMMUNE_OFFICER, P.PETITION_SEE, assigned)


@pytest.mark.parametrize("role", Role)
def test_state_secrets_are_read_by_nobody_here(role):
    stub = letter(HOME[role], secrecy=Secrecy.OFF_SYSTEM, owners=frozenset({ME}), **mine())
    for permission in (P.PETITION_SEE, P.PETITION_FOLLOW, P.ATTACHMENT_SEE, P.RECORDING_PLAY):
        assert not may(role, permission, stub)


def test_an_inspector_asks_first_and_plays_only_what_was_granted():
    assert may(Role.PROVINCIAL_INSPECTOR, P.CASE_RETRIEVE, letter(HERE))
    assert not may(Role.PROVINCIAL_INSPECTOR, P.RECORDING_PLAY, letter(HERE))
    assert may(Role.PROVINCIAL_INSPECTOR, P.RECORDING_PLAY, letter(HERE, **mine()))


def test_a_citizen_follows_the_own_letter_and_no_other():
    own = letter(HERE, owners=frozenset({ME}))
    assert may(Role.CITIZEN, P.PETITION_FOLLOW, own)
    assert not may(Role.CITIZEN, P.PETITION_FOLLOW, letter(HERE, owners=frozenset({SOMEBODY})))
    assert not may(Role.CITIZEN, P.CASE_DRAFT_SEE, own)
    assert may(Role.CITIZEN, P.PETITION_FOLLOW, denunciation(HERE, owners=frozenset({ME})))


def test_a_visitor_may_file_and_nothing_that_needs_a_name():
    assert decide(VISITOR, P.PETITION_FILE)
    assert not decide(VISITOR, P.PETITION_FOLLOW, letter(HERE, owners=frozenset({ME})))
    assert VISITOR.is_citizen
    assert not decide(Actor(None, None), P.PETITION_FILE)


def test_what_a_citizen_does_with_own_records_asks_for_a_name_first():
    open_to_all = {permission for permission in P if asks_for_no_name(permission)}
    assert open_to_all == {P.PETITION_FILE, P.SESSION_REQUEST, P.DATAMAP_SEE}


def test_a_technician_tests_the_point_without_seeing_the_matter():
    assert may(Role.POINT_TECHNICIAN, P.SESSION_TEST_POINT, denunciation(HERE))
    assert not may(Role.POINT_TECHNICIAN, P.SESSION_SEE, letter(HERE))


def test_two_posts_add_up_and_do_not_mix():
    both = Actor(
        UUID(int=9), ME, (Post(Role.COMMUNE_OFFICER, HERE), Post(Role.COMMUNE_CHAIR, THERE))
    )
    assert decide(both, P.COMPLAINT_DECIDE, letter(THERE))
    assert not decide(both, P.COMPLAINT_DECIDE, letter(HERE))
    assert both.roles == {Role.COMMUNE_OFFICER, Role.COMMUNE_CHAIR}
    assert both.unit_paths == (HERE, THERE)
    assert not both.is_citizen


def test_a_refusal_is_raised_with_its_decision():
    with pytest.raises(NotAllowed, match="không có quyền") as refused:
        ensure_allowed(who(Role.CLERK), P.COMPLAINT_DECIDE, letter())
    assert not refused.value.decision.allowed
    ensure_allowed(who(Role.COMMUNE_CHAIR), P.COMPLAINT_DECIDE, letter())


def test_every_permission_is_held_by_somebody_and_every_role_has_its_grants():
    assert set(GRANTS) == set(Role)
    assert {p for grants in GRANTS.values() for p in grants} == set(P)


def test_menus_ask_whether_a_permission_is_held_at_all():
    assert holds(who(Role.COMMUNE_OFFICER), P.DESK_INTAKE)
    assert not holds(who(Role.ADMINISTRATOR), P.DESK_INTAKE)


# --- lists


def test_a_list_is_filtered_by_what_the_posts_reach():
    officer = reach(who(Role.COMMUNE_OFFICER), P.PETITION_SEE)
    assert (officer.units, officer.trees, officer.shared) == (
        frozenset({HERE}),
        frozenset(),
        frozenset({HERE}),
    )
    assert officer.assigned
    assert not officer.everything
    assert officer.compartments == frozenset()
    board = reach(who(Role.BOARD_OFFICER), P.PETITION_SEE)
    assert board.trees == frozenset({PROVINCE})
    chair = reach(who(Role.COMMUNE_CHAIR), P.PETITION_SEE)
    assert chair.compartments == frozenset({HERE})
    nobody = reach(who(Role.ADMINISTRATOR), P.PETITION_SEE)
    assert not any([nobody.units, nobody.trees, nobody.assigned, nobody.everything])


def in_reach(found, subject):
    by_unit = subject.unit_path in found.units or any(
        subject.unit_path[: len(top)] == top for top in found.trees
    )
    by_case = bool(subject.level_units & found.shared)
    by_name = found.assigned and found.person_id in subject.assigned_to
    by_owner = found.own and found.person_id in subject.owners
    by_leave = found.reading and found.person_id in subject.readers
    return found.everything or by_unit or by_case or by_name or by_owner or by_leave


paths = st.sampled_from([PROVINCE, HERE, THERE, DEPARTMENT, ("79",)])
people = st.frozensets(st.sampled_from([ME, SOMEBODY]))


@given(
    role=st.sampled_from(Role),
    home=paths,
    permission=st.sampled_from(P),
    subject=st.builds(
        Subject,
        unit_path=paths,
        kind=st.sampled_from(PetitionKind),
        secrecy=st.sampled_from(Secrecy),
        assigned_to=people,
        conflicted=people,
        conflicted_units=st.frozensets(paths, max_size=1),
        act_complained_of_by=people,
        identity_for=people,
        owners=people,
        level_units=st.frozensets(paths, max_size=2),
        readers=people,
        drafted_by=st.sampled_from([None, ME, SOMEBODY]),
    ),
)
def test_rules_that_hold_for_everybody(role, home, permission, subject):
    actor = who(role, home)
    decision = decide(actor, permission, subject)
    assert decision.allowed or decision.reason.endswith(".")
    if not decision.allowed:
        return
    held = {**GRANTS[Role.CITIZEN], **GRANTS[role]}
    assert permission in held
    assert ME not in subject.conflicted
    named_only = Scope.NAMED in held[permission]
    assert named_only or in_reach(reach(actor, permission), subject)
    if subject.in_compartment and permission is P.PETITION_SEE:
        head = role in COMPARTMENT_HEADS and home == subject.unit_path
        assert head or ME in subject.assigned_to | subject.owners | subject.identity_for
