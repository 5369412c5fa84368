"""What was written to be told is told: once, to whoever may know, again after a failure."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from flask import Flask
from sqlalchemy import func, select

from reception.delivery import recipients
from storage.database import Work, reading, unit_of_work
from storage.models import Notice, OutboxMessage, OutboxReceipt, Petition
from storage.outbox import deliver_some
from storage.runtime import configure, runtime
from tests.support.factories import Factories
from tests.support.meetings import COMMUNE, OTHER_COMMUNE, petition
from workflows.access import Role


def _told() -> dict[UUID, list[str]]:
    told: dict[UUID, list[str]] = {}
    with reading() as work:
        for notice in work.db_session.scalars(select(Notice)):
            told.setdefault(notice.account_id, []).append(notice.topic)
    return told


def _deliver_all() -> None:
    while deliver_some(recipients):
        pass


def _messages() -> list[OutboxMessage]:
    with reading() as work:
        return list(work.db_session.scalars(select(OutboxMessage)))


def _receipts() -> list[str]:
    with reading() as work:
        return list(work.db_session.scalars(select(OutboxReceipt.outcome)))


def test_officers_of_the_unit_are_told_of_a_new_petition_once(
    app_on_both: Flask, factories: Factories
) -> None:
    own = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    petition(factories, holder_unit_id=factories.unit_id(COMMUNE))
    _deliver_all()
    assert _told() == {own.account_id: ["petition_registered"]}
    assert _receipts() == ["delivered"]
    assert all(message.sent_at for message in _messages())
    with unit_of_work() as work:  # as if a crash had lost the mark but not the notice
        work.db_session.scalars(select(OutboxMessage)).one().sent_at = None
    _deliver_all()
    assert _told() == {own.account_id: ["petition_registered"]}


def test_two_workers_at_once_tell_each_message_once(
    app_on_both: Flask, factories: Factories
) -> None:
    own = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    for _ in range(5):
        petition(factories, holder_unit_id=factories.unit_id(COMMUNE))
    workers = [threading.Thread(target=_deliver_all) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert _told() == {own.account_id: ["petition_registered"] * 5}
    assert _receipts() == ["delivered"] * 5


def test_denunciation_is_told_to_nobody_who_may_not_see_it(
    app: Flask, factories: Factories
) -> None:
    factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    petition(factories, kind="denunciation", holder_unit_id=factories.unit_id(COMMUNE))
    _deliver_all()
    assert _told() == {}
    assert _receipts() == ["nobody"]


def test_petition_that_somebody_took_up_needs_no_notice(app: Flask, factories: Factories) -> None:
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    petition_id = petition(factories, holder_unit_id=factories.unit_id(COMMUNE))
    with unit_of_work() as work:
        work.get(Petition, petition_id).assigned_to = officer.person_id
    _deliver_all()
    assert _told() == {}


def test_paper_added_later_is_told_to_the_one_who_handles_it(
    app: Flask, factories: Factories
) -> None:
    handler = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    petition_id = petition(factories, holder_unit_id=factories.unit_id(COMMUNE))
    with unit_of_work() as work:
        row = work.get(Petition, petition_id)
        row.assigned_to = handler.person_id
        work.tell(
            "petition_supplemented",
            row,
            {"petition_id": str(petition_id), "unit_id": str(row.holder_unit_id)},
        )
    _deliver_all()
    assert _told() == {handler.account_id: ["petition_supplemented"]}


def test_message_that_fails_waits_longer_each_time_and_holds_up_no_other(
    app: Flask, factories: Factories
) -> None:
    own = factories.officer(Role.COMMUNE_OFFICER, COMMUNE)
    bad = petition(factories, holder_unit_id=factories.unit_id(COMMUNE))
    petition(factories, holder_unit_id=factories.unit_id(COMMUNE))
    before = runtime()

    def failing(work: Work, message: OutboxMessage) -> Iterable[UUID]:
        if message.subject_id == bad:
            raise ValueError("secret words of a letter")
        return recipients(work, message)

    now, pauses = before.now(), []
    for _ in range(4):
        configure(replace(before, now=lambda at=now: at))
        deliver_some(failing)
        waiting = next(message for message in _messages() if message.sent_at is None)
        pauses.append(waiting.not_before_at - now)
        now = waiting.not_before_at
    assert pauses == [timedelta(seconds=seconds) for seconds in (2, 4, 8, 16)]
    assert "secret" not in waiting.error
    assert _told() == {own.account_id: ["petition_registered"]}
    configure(replace(before, now=lambda at=now: at))
    _deliver_all()
    configure(before)
    with reading() as work:
        assert work.db_session.scalar(select(func.count()).select_from(Notice)) == 2
