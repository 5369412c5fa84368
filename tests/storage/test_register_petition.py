"""Registering a petition: what is kept, what is locked away, and once only."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import MetaData, Table, inspect, select, text

from reception.petitions.steps import (
    NewPetition,
    Registered,
    keep_searchable,
    look_up_index,
    register_petition,
)
from storage.database import reading, unit_of_work
from storage.identities import PersonData, open_denouncer, open_denunciation, prepare_vault
from storage.models import (
    Attachment,
    Deadline,
    OutboxMessage,
    Petition,
    PetitionIdentifier,
    PetitionParty,
    SealedObject,
    SearchDocument,
)
from storage.runtime import runtime
from storage.steps import run_of, state_from_steps, steps_of
from tests.support.factories import COMMUNE, Factories
from workflows.access import Role
from workflows.codes import parse_code
from workflows.errors import Conflict

DAY = date(2026, 11, 23)
SENDER = PersonData(
    name="Nguyễn Thị Hồng Gấm", citizen_id="075180001234", phone="0918 234 567", address="Ấp 3"
)


def _new(factories: Factories, **changes: object) -> NewPetition:
    base = NewPetition(
        kind="complaint",
        content="Quyết định 2318/QĐ-UBND thu hồi thửa đất số 105, tờ bản đồ 12 của gia đình tôi.",
        received_on=DAY,
        receiving_unit_id=factories.unit_id(COMMUNE),
        place_unit_id=factories.unit_id(COMMUNE),
        idempotency_key=uuid4().hex,
        submitter=SENDER,
        signing="photo",
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # names are checked by replace


def _register(new: NewPetition) -> Registered:
    prepare_vault()
    with unit_of_work() as work:
        return register_petition(work, new, by=None)


def test_signed_petition_is_received_and_its_clock_runs(app: Flask, factories: Factories) -> None:
    done = _register(_new(factories))
    petition = done.petition
    assert parse_code(petition.code) == petition.code
    assert petition.code.startswith("KN-")
    assert (petition.state, petition.clock_starts_on) == ("RECEIVED", DAY)
    with reading() as work:
        run = run_of(work, "PET", petition_id=petition.id)
        assert state_from_steps(steps_of(work, run.id)) == petition.state
        terms = {term.name: term for term in work.db_session.query(Deadline)}
    assert terms["acceptance-notice"].last_day_on == date(2026, 12, 3)
    assert petition.due_on == date(2026, 12, 3)


def test_unsigned_petition_waits_and_no_clock_runs(app: Flask, factories: Factories) -> None:
    petition = _register(_new(factories, signing="at_unit")).petition
    assert (petition.state, petition.clock_starts_on) == ("AWAITING_SIGNATURE", None)
    assert petition.due_on is None


def test_same_key_is_one_petition_and_shows_no_second_part(
    app: Flask, factories: Factories
) -> None:
    new = _new(factories)
    first, again = _register(new), _register(new)
    assert first.created
    assert not again.created
    assert again.second_part == ""
    assert again.petition.id == first.petition.id


def test_only_a_keyed_hash_of_the_second_part_is_kept(app: Flask, factories: Factories) -> None:
    done = _register(_new(factories))
    assert done.petition.look_up_hash == look_up_index(done.petition.code, done.second_part.lower())
    with reading() as work:
        for row in work.db_session.execute(text("SELECT * FROM petition")):
            assert done.second_part not in [str(value) for value in row]


def test_search_and_duplicates_know_a_complaint(app: Flask, factories: Factories) -> None:
    done = _register(_new(factories, respondent="UBND xã Long Phước"))
    with reading() as work:
        document = work.db_session.query(SearchDocument).one()
        found = {(row.kind, row.value) for row in work.db_session.query(PetitionIdentifier)}
    assert "thua dat so 105" in document.folded
    assert ("decision", "2318/qd-ubnd") in found
    assert ("plot", "12/105") in found
    assert {kind for kind, _ in found} >= {"name", "phone", "citizen_id"}
    assert not any("918234567" in value for _, value in found)
    assert "Gấm" not in document.exact
    assert done.petition.search_id == document.search_id


def test_unread_letter_of_unknown_kind_is_not_searchable(app: Flask, factories: Factories) -> None:
    petition = _register(_new(factories, kind="unclassified")).petition
    with unit_of_work() as work:
        assert work.db_session.query(SearchDocument).count() == 0
        row = work.get(Petition, petition.id)
        row.kind = "complaint"
        keep_searchable(work, row)
        keep_searchable(work, row)
        assert work.db_session.query(SearchDocument).count() == 1


# The number is long: row ids are random and hold any four digits now and then.
WORDS = (
    "Khuyên",
    "Quách",
    "0909 111",
    "Xuyến",
    "chiếm đoạt",
    "777300777",
    "075190009999",
    "thù lao",
)


def _denunciation(factories: Factories) -> NewPetition:
    return _new(
        factories,
        kind="denunciation",
        title="Quách Văn Đoạt chiếm đoạt tiền",
        content="Ông Quách Văn Đoạt chiếm đoạt tiền hỗ trợ theo 777300777/QĐ-UBND.",
        wish="Trả lại thù lao",
        respondent="Quách Văn Đoạt",
        place_text="Chợ quán bà Xuyến",
        on_behalf_of="Bà Khuyên",
        support_needs="Cần người dịch cho Khuyên",
        earlier_decisions=({"number": "777300777/QĐ-UBND", "date": "", "body": "UBND"},),
        representatives=(PersonData(name="Lê Khuyên", phone="0909 111 222"),),
        submitter=PersonData(name="Trần Thị Khuyên", citizen_id="075190009999"),
    )


def test_denunciation_leaves_no_word_outside_the_vault(app: Flask, factories: Factories) -> None:
    _register(_denunciation(factories))
    with reading() as work:
        for table in inspect(runtime().engine).get_table_names():
            for row in work.db_session.execute(
                select(Table(table, MetaData(), autoload_with=runtime().engine))
            ):
                said = " ".join(
                    value.decode("utf-8", "ignore") if isinstance(value, bytes) else str(value)
                    for value in row
                )
                assert not [word for word in WORDS if word.lower() in said.lower()], table


def test_denunciation_opens_from_the_vault(app: Flask, factories: Factories) -> None:
    by = factories.officer(Role.COMMUNE_CHAIR, COMMUNE).account_id
    petition = _register(_denunciation(factories)).petition
    assert petition.title == "Đơn tố cáo (nội dung được giữ kín)"
    with unit_of_work() as work:
        content, parties = open_denunciation(work, petition.id, by=by, reason="kiểm thử")
        identity = json.loads(open_denouncer(work, petition.id, by=by, reason="kiểm thử"))
    assert "chiếm đoạt" in content
    assert json.loads(parties)["respondent"] == "Quách Văn Đoạt"
    assert identity["submitter"]["name"] == "Trần Thị Khuyên"
    assert identity["representatives"][0]["phone"] == "0909 111 222"


def test_account_of_a_denouncer_is_not_named_in_the_audit_log(
    app: Flask, factories: Factories
) -> None:
    account = factories.officer(Role.CITIZEN).account_id
    prepare_vault()
    with unit_of_work() as work:
        register_petition(work, replace(_denunciation(factories), account_id=account), by=account)
    with reading() as work:
        rows = work.db_session.execute(
            text("SELECT actor_id, body FROM audit_leaf WHERE action != 'account_created'")
        ).all()
    assert rows
    assert not [row for row in rows if account.hex in f"{row[0]} {row[1]}".replace("-", "")]


def test_request_for_protection_locks_any_letter_away(app: Flask, factories: Factories) -> None:
    petition = _register(_new(factories, kind="unclassified", protection_requested=True)).petition
    assert petition.secrecy == "compartment"
    assert petition.content is None
    assert petition.submitter_id is None


def test_representatives_are_parties(app: Flask, factories: Factories) -> None:
    petition = _register(
        _new(
            factories,
            for_whom="group",
            group_size=7,
            representatives=(PersonData(name="Lê Ba"), PersonData(name="Vũ Tư")),
        )
    ).petition
    with reading() as work:
        parts = [row.part for row in work.db_session.query(PetitionParty)]
    assert parts == ["representative"] * 2
    assert petition.group_size == 7


def test_attachment_of_another_petition_is_refused(app: Flask, factories: Factories) -> None:
    owner = _register(_new(factories)).petition
    with unit_of_work() as work:
        stored = work.add(
            SealedObject(
                bucket="files", name="x", version_id="1", format="f", segment_size=1, kid="k",
                wrapped_key=b"", associated_data="a", plain_size=1, plain_sha256=b"", sealed_size=1,
                sealed_sha256=b"", media_type="image/jpeg",
            )
        )  # fmt: skip
        work.flush()
        taken = work.add(
            Attachment(
                petition_id=owner.id, part="evidence", file_name_sealed=b"", size_bytes=1,
                media_type="image/jpeg", sealed_object_id=stored.id,
            )
        )  # fmt: skip
        work.flush()
        attachment_id = taken.id
    with pytest.raises(Conflict):
        _register(_new(factories, attachment_ids=(attachment_id,)))


def test_outbox_says_only_which_petition_and_unit(app: Flask, factories: Factories) -> None:
    petition = _register(_denunciation(factories)).petition
    with reading() as work:
        message = work.db_session.query(OutboxMessage).one()
    assert set(message.payload) == {"petition_id", "unit_id"}
    assert message.subject_id == petition.id
