"""Filing on both pairs of back ends: sealed at rest, and one petition however it is pressed."""

from __future__ import annotations

import threading
from datetime import date

from flask import Flask
from sqlalchemy import select

from reception.petitions import filing_operations as operations
from reception.petitions.steps import NewPetition
from reception.petitions.uploads import CheckedFile
from storage.database import reading
from storage.identities import PersonData
from storage.models import Petition, SealedObject
from storage.objects import Bucket
from storage.runtime import runtime
from storage.sealed import read_object
from tests.support.factories import COMMUNE, Factories

SECRET = b"chu ky cua ba Huynh tren giay " * 40


def _draft_with_a_file() -> str:
    token = operations.start_draft(kind="complaint", round_number=1, account_id=None)
    operations.add_file(token, CheckedFile("đơn.pdf", "application/pdf", SECRET), part="evidence")
    return token


def test_file_rests_sealed_in_the_store(app_on_both: Flask) -> None:
    _draft_with_a_file()
    store = runtime().store
    with reading() as work:
        name = work.db_session.scalars(select(SealedObject)).one().name
    (resting,) = store.list(Bucket.FILES, name)  # the store is shared with other tests
    blob = store.open_range(Bucket.FILES, resting.name, resting.version_id, 0, resting.size)
    assert SECRET[:24] not in blob
    with reading() as work:
        assert read_object(work.db_session.scalars(select(SealedObject)).one()) == SECRET


def test_four_presses_at_once_make_one_petition(app_on_both: Flask, factories: Factories) -> None:
    token = _draft_with_a_file()
    draft = operations.open_draft(token)
    unit = factories.unit_id(COMMUNE)
    new = NewPetition(
        kind="complaint",
        content="Phường tính giá đất thấp.",
        received_on=date(2026, 11, 23),
        receiving_unit_id=unit,
        idempotency_key=f"draft:{draft.id}",
        submitter=PersonData(name="Nguyễn Thị Ngọc Huỳnh"),
        signing="photo",
        attachment_ids=tuple(file.id for file in draft.files),
    )
    codes: list[str] = []

    def press() -> None:
        sent = operations.send(token, new)
        assert sent.receipt is not None
        codes.append(sent.receipt["code"])

    presses = [threading.Thread(target=press) for _ in range(4)]
    for one in presses:
        one.start()
    for one in presses:
        one.join()
    with reading() as work:
        (petition,) = work.db_session.scalars(select(Petition)).all()
    assert codes == [petition.code] * 4
