"""Cases and what the map adds up from them: one matter counts once, whatever hangs on it."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from reception.cases.steps import (
    follow_petition,
    join_case,
    move_case,
    open_case,
    settle_case,
    undo_link,
)
from reception.petitions.steps import NewPetition, next_search_id, register_petition
from storage.database import Work, reading, unit_of_work
from storage.facts import rebuild_daily_facts
from storage.identities import PersonData, prepare_vault
from storage.models import Case, CaseLink, DailyFact, Involvement, Petition
from storage.queries.cases import related, visible_cases
from storage.subjects import case_subject
from tests.support.factories import COMMUNE, OTHER_COMMUNE, Factories
from workflows.access import Permission, Role, decide
from workflows.cases import LinkKind
from workflows.errors import Conflict, StepNotAllowed

DAY = date(2026, 11, 23)
CONTENT = (
    "Không đồng ý Quyết định 2318/QĐ-UBND ngày 14/05/2026 thu hồi thửa đất số {}, "
    "tờ bản đồ số 42, bồi thường thiếu 214 triệu đồng."
)


def register(
    factories: Factories, *, at: str = COMMUNE, plot: int = 118, **changes: object
) -> UUID:
    """A petition about the plan of the commune, filed at some unit; returns its id."""
    prepare_vault()
    values: dict[str, object] = {
        "kind": "complaint",
        "content": CONTENT.format(plot),
        "received_on": DAY,
        "receiving_unit_id": factories.unit_id(at),
        "place_unit_id": factories.unit_id(COMMUNE),
        "field_code": "land-compensation",
        "idempotency_key": uuid4().hex,
        "submitter": PersonData(name="Trương Văn Lợi"),
        "signing": "photo",
        **changes,
    }
    with unit_of_work() as work:
        return register_petition(work, NewPetition(**values), by=None).petition.id  # type: ignore[arg-type]  # built by name


def facts() -> set[tuple[object, ...]]:
    with reading() as work:
        return {
            (row.on, row.unit_id, row.field_code, row.kind, row.opened, row.closed, row.people)
            for row in work.db_session.scalars(select(DailyFact))
        }


def rebuilt() -> set[tuple[object, ...]]:
    with unit_of_work() as work:
        rebuild_daily_facts(work.db_session)
    return facts()


def opened_in_all() -> int:
    with reading() as work:
        return sum(row.opened for row in work.db_session.scalars(select(DailyFact)))


def test_second_petition_of_one_matter_does_not_raise_the_number(
    app_on_both: Flask, factories: Factories
) -> None:
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    first, second = register(factories), register(factories, at=OTHER_COMMUNE, plot=119)
    with unit_of_work() as work:
        case = open_case(work, work.get(Petition, first), on=DAY, by=None)
    assert opened_in_all() == 1
    with unit_of_work() as work:
        _join(work, second, case.id, by=officer.account_id)
    assert opened_in_all() == 1
    assert facts() == rebuilt()
    with reading() as work:
        assert work.get(Case, case.id).people == 2


def _join(
    work: Work, petition_id: UUID, case_id: UUID, kind: LinkKind = LinkKind.SAME_MATTER, *, by: UUID
) -> None:
    petition, case = work.get(Petition, petition_id), work.get(Case, case_id)
    join_case(work, petition, case, kind, reason="cùng quyết định", on=DAY, by=by)


def test_case_that_lost_its_petition_to_another_counts_no_more(
    app_on_both: Flask, factories: Factories
) -> None:
    """Both communes opened a case before anybody saw that the matter is one."""
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    first, second = register(factories), register(factories, plot=119)
    with unit_of_work() as work:
        case = open_case(work, work.get(Petition, first), on=DAY, by=None)
        open_case(work, work.get(Petition, second), on=DAY, by=None)
    assert opened_in_all() == 2
    with unit_of_work() as work:
        _join(work, second, case.id, by=officer.account_id)
    assert opened_in_all() == 1
    assert facts() == rebuilt()


def test_every_change_of_a_case_keeps_the_facts_as_if_counted_anew(
    app_on_both: Flask, factories: Factories
) -> None:
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    first = register(factories, place_unit_id=None, group_size=5)
    second, third = register(factories), register(factories, kind="feedback")
    with unit_of_work() as work:
        case = open_case(work, work.get(Petition, first), on=date(2026, 10, 1), by=None)
        open_case(work, work.get(Petition, third), on=DAY, by=None)
        _join(work, second, case.id, LinkKind.REPEAT, by=officer.account_id)
        move_case(work, work.get(Case, case.id), to=factories.unit_id(OTHER_COMMUNE), on=DAY)
        petition = work.get(Petition, first)
        petition.field_code = "land"
        follow_petition(work, petition)
    assert facts() == rebuilt()
    with unit_of_work() as work:
        for key in (first, second):
            work.get(Petition, key).state = "FILED"
        settle_case(work, work.get(Case, case.id), on=DAY, by=None)
    assert sum(row[5] for row in facts()) == 1  # type: ignore[misc]  # the number of closed cases
    assert facts() == rebuilt()
    with unit_of_work() as work:
        work.get(Petition, first).state = "CLASSIFIED"
        settle_case(work, work.get(Case, case.id), on=DAY, by=None)
    assert sum(row[5] for row in facts()) == 0  # type: ignore[misc]  # open again
    assert facts() == rebuilt()


def test_related_matter_is_linked_but_counted_apart(app: Flask, factories: Factories) -> None:
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    first, second = register(factories), register(factories, plot=119)
    with unit_of_work() as work:
        case = open_case(work, work.get(Petition, first), on=DAY, by=None)
        _join(work, second, case.id, LinkKind.RELATED, by=officer.account_id)
        own = open_case(work, work.get(Petition, second), on=DAY, by=None)
    assert own.id != case.id
    assert opened_in_all() == 2


def test_undone_link_stays_as_a_row_and_can_be_made_again(app: Flask, factories: Factories) -> None:
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    first, second = register(factories), register(factories, plot=119)
    with unit_of_work() as work:
        case = open_case(work, work.get(Petition, first), on=DAY, by=None)
        _join(work, second, case.id, by=officer.account_id)
    with unit_of_work() as work:
        link = work.db_session.scalars(select(CaseLink).where(CaseLink.petition_id == second)).one()
        undo_link(work, link, by=officer.account_id, reason="khác thửa")
    with reading() as work:
        assert work.get(Petition, second).case_id is None
        assert work.get(CaseLink, link.id).undo_reason == "khác thửa"
        assert work.get(Case, case.id).people == 1
    with unit_of_work() as work, pytest.raises(Conflict):
        undo_link(work, work.get(CaseLink, link.id), by=officer.account_id, reason="lần nữa")
    with unit_of_work() as work:
        _join(work, second, case.id, by=officer.account_id)
    assert facts() == rebuilt()


def test_denunciation_joins_no_open_case_and_is_counted_under_its_own_kind(
    app: Flask, factories: Factories
) -> None:
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    first, secret = register(factories), register(factories, kind="denunciation")
    with unit_of_work() as work:
        case = open_case(work, work.get(Petition, first), on=DAY, by=None)
    with unit_of_work() as work, pytest.raises(StepNotAllowed):
        _join(work, secret, case.id, by=officer.account_id)
    with unit_of_work() as work:
        sealed = open_case(work, work.get(Petition, secret), on=DAY, by=None)
    assert (sealed.secrecy, sealed.kind) == ("compartment", "denunciation")
    assert {row[3] for row in facts()} == {"complaint", "denunciation"}


def test_hints_tell_same_near_and_different_and_never_a_denunciation(
    app: Flask, factories: Factories
) -> None:
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    first = register(factories, submitter=PersonData(name="Nguyễn Thị Ngọc Huỳnh"))
    second = register(factories, plot=119)
    register(factories, kind="denunciation", assigned_to=officer.person_id)
    with reading() as work:
        hints = related(work.db_session, work.get(Petition, second), visible_to=officer.actor)
    assert [hint.petition.id for hint in hints] == [first]
    assert "số văn bản 2318/QĐ-UBND" in hints[0].comparison.same
    assert hints[0].comparison.near == ("thửa 119 và thửa 118, tờ bản đồ 42",)
    assert "người gửi đơn" in hints[0].comparison.different


def test_hint_never_shows_what_the_reader_may_not_open(app: Flask, factories: Factories) -> None:
    stranger = factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    register(factories)
    mine = register(factories, at=OTHER_COMMUNE, plot=119)
    with reading() as work:
        petition = work.get(Petition, mine)
        assert related(work.db_session, petition, visible_to=stranger.actor) == []


def test_a_side_in_one_letter_is_a_side_in_the_whole_matter(
    app_on_both: Flask, factories: Factories
) -> None:
    officer = factories.officer(Role.BOARD_OFFICER)
    with unit_of_work() as work:
        unit_id = factories.unit_id("75")
        case = work.add(
            Case(
                search_id=next_search_id(work, "case"),
                code="VV-TEST-SIDE",
                title="Vụ việc",
                kind="complaint",
                holder_unit_id=unit_id,
                opened_on=date(2026, 11, 2),
            )
        )
        work.flush()
        petition = register_petition(
            work,
            NewPetition(
                kind="complaint",
                content="Khiếu nại quyết định thu hồi đất",
                received_on=date(2026, 11, 2),
                receiving_unit_id=unit_id,
                signing="paper",
                submitter=PersonData(name="Lê Thị A"),
                idempotency_key="side",
            ),
            by=None,
        ).petition
        petition.case_id = case.id
    with reading() as work:
        assert decide(officer.actor, Permission.CASE_SEE, case_subject(work.db_session, case))
        seen = work.db_session.scalars(select(Case.id).where(visible_cases(officer.actor))).all()
        assert case.id in seen
    with unit_of_work() as work:
        work.add(
            Involvement(petition_id=petition.id, person_id=officer.person_id, part="conflicted")
        )
    with reading() as work:
        assert not decide(officer.actor, Permission.CASE_SEE, case_subject(work.db_session, case))
        seen = work.db_session.scalars(select(Case.id).where(visible_cases(officer.actor))).all()
        assert case.id not in seen
