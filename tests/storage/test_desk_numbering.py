"""The book and the queue number without gaps and doubles, however many officers work at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date

from flask import Flask
from sqlalchemy import select

from reception.desk import operations, queue
from reception.desk.intake import Intake
from storage.database import reading
from storage.identities import PersonData
from storage.models import Ticket, Visit
from storage.models.base import utc_now
from tests.support.factories import COMMUNE, OTHER_COMMUNE, Factories, Officer
from workflows.access import Role

TODAY = date(2026, 11, 23)
EACH = 6


def _together(app: Flask, *work: Callable[[], None]) -> None:
    """Run every piece at once, each in a thread with an application context of its own."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(work))

    def run(piece: Callable[[], None]) -> None:
        with app.app_context():
            start.wait()
            try:
                piece()
            except BaseException as error:  # noqa: BLE001 - shown by the test below
                errors.append(error)

    threads = [threading.Thread(target=run, args=(piece,)) for piece in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def _intake(key: str) -> Intake:
    return Intake(
        key=key,
        outcome="oral_guidance",
        kind="information",
        visitor=PersonData(name="Nguyễn Thị Ánh"),
        content="Hỏi lịch chi trả",
        answer="Đến thứ Hai tuần sau",
    )


def _guide(officer: Officer, unit: str, factories: Factories, name: str) -> Callable[[], None]:
    unit_id = factories.unit_id(unit)

    def work() -> None:
        for round_number in range(EACH):
            operations.finish(
                _intake(f"{name}-{round_number}"),
                unit_id=unit_id,
                by=officer.actor,
                today=TODAY,
                now=utc_now(),
            )

    return work


def test_two_officers_at_once_number_the_book_without_gaps(
    app_on_both: Flask, factories: Factories
) -> None:
    officers = [factories.officer(Role.COMMUNE_OFFICER, COMMUNE, f"Cán bộ {n}") for n in (1, 2)]
    neighbour = factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    _together(
        app_on_both,
        *(_guide(officer, COMMUNE, factories, f"k{n}") for n, officer in enumerate(officers)),
        _guide(neighbour, OTHER_COMMUNE, factories, "k-neighbour"),
    )
    with reading() as work:
        numbers = {
            unit: list(
                work.db_session.scalars(
                    select(Visit.number)
                    .where(Visit.unit_id == factories.unit_id(unit))
                    .order_by(Visit.number)
                )
            )
            for unit in (COMMUNE, OTHER_COMMUNE)
        }
    assert numbers[COMMUNE] == list(range(1, 2 * EACH + 1))
    assert numbers[OTHER_COMMUNE] == list(range(1, EACH + 1))


def test_one_visit_sent_by_two_requests_at_once_is_one_line(
    app_on_both: Flask, factories: Factories
) -> None:
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    unit_id = factories.unit_id(COMMUNE)
    created: list[bool] = []

    def send() -> None:
        done = operations.finish(
            _intake("same"), unit_id=unit_id, by=officer.actor, today=TODAY, now=utc_now()
        )
        created.append(done.created)

    _together(app_on_both, send, send, send)
    assert sorted(created) == [False, False, True]
    with reading() as work:
        assert list(work.db_session.scalars(select(Visit.number))) == [1]


def test_tickets_given_at_once_are_all_different_and_nobody_is_called_twice(
    app_on_both: Flask, factories: Factories
) -> None:
    officers = [factories.officer(Role.COMMUNE_OFFICER, COMMUNE, f"Cán bộ {n}") for n in (1, 2)]
    unit_id = factories.unit_id(COMMUNE)

    def give() -> None:
        for _ in range(EACH):
            queue.give_number(unit_id, need="", by=officers[0].actor, today=TODAY)

    _together(app_on_both, give, give)
    called: list[str] = []

    def call(officer: Officer) -> Callable[[], None]:
        return lambda: called.append(
            queue.call_next(unit_id, by=officer.actor, now=utc_now(), today=TODAY)
        )

    _together(app_on_both, *(call(officer) for officer in officers))
    with reading() as work:
        numbers = list(work.db_session.scalars(select(Ticket.number).order_by(Ticket.number)))
    assert numbers == list(range(1, 2 * EACH + 1))
    assert sorted(called) == ["A001", "A002"]


def test_the_book_begins_anew_each_year(app: Flask, factories: Factories) -> None:
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    unit_id = factories.unit_id(COMMUNE)
    for key, day in (("a", TODAY), ("b", date(2026, 12, 31)), ("c", date(2027, 1, 4))):
        done = operations.finish(
            _intake(key), unit_id=unit_id, by=officer.actor, today=day, now=utc_now()
        )
    assert done.number == 1
