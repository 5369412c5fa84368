"""Retention, legal hold and destruction: the due goes for ever, the held and the running stay."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from reception.administration import key_operations
from storage.audit import check_text
from storage.checkpoints import signing_key
from storage.database import reading, unit_of_work
from storage.integrity import check_recording
from storage.keyring import KeyContext, KeyDestroyed, WrappedKey
from storage.models import (
    AgendaItem,
    AuditLeaf,
    Case,
    KeyDestruction,
    KeyEncryptionKey,
    Petition,
    Recording,
    SealedObject,
    Segment,
)
from storage.objects import Bucket, ObjectLocked
from storage.retention import (
    extend_open_locks,
    hold_recording,
    objects_of,
    settle_petition_keys,
    settle_recordings,
)
from storage.runtime import runtime
from storage.sealed import read_object
from storage.shredding import ORIGIN, DestructionRefused, due
from storage.wrapped import count_under, kek_rows, rotate
from tests.support.factories import Factories, Officer
from tests.support.held_keys import a_petition, many_sealed_objects
from tests.support.recordings import SealedRecording, sealed_recording, spool_on_tmpfs
from workflows.access import Role
from workflows.errors import NotAllowed, NotFound

TODAY = date(2026, 11, 23)
REASON = "QĐ 15/QĐ-UBND về tiêu hủy tài liệu hết giá trị"


def _case_of(factories: Factories, recorded: SealedRecording, seq: int = 1) -> UUID:
    """The case of a petition that was heard in the recorded session."""
    petition_id = a_petition(factories)
    with unit_of_work() as work:
        case_id = work.get(Petition, petition_id).case_id
        assert case_id is not None
        work.add(
            AgendaItem(
                reception_session_id=recorded.meeting_id,
                seq=seq,
                petition_id=petition_id,
                title="Vụ thu hồi đất",
                planned_minutes=30,
            )
        )
    return case_id


def _complete(case_id: UUID, year: int | None, code: str = "") -> None:
    with unit_of_work() as work:
        case = work.get(Case, case_id)
        case.completed_year, case.retention_code = year, code
        case.closed_on = date(year, 6, 1) if year else None


def _places(recording_id: UUID) -> set[tuple[str, int]]:
    """Class and year of every KEK that the keys of a recording hang on."""
    with reading() as work:
        recording = work.get(Recording, recording_id)
        kids = {row.kid for row in objects_of(work.db_session, recording)}
        kids |= set(
            work.db_session.scalars(select(Segment.kid).where(Segment.recording_id == recording_id))
        )
        return {(row.klass, row.year) for row in kek_rows(work.db_session) if row.kid in kids}


def _manifest(recording_id: UUID) -> SealedObject:
    with reading() as work:
        found = work.get(Recording, recording_id).manifest_object_id
        return work.get(SealedObject, found)


@pytest.fixture
def two(app: Flask, factories: Factories) -> tuple[Officer, Officer]:
    return factories.officer(Role.ADMINISTRATOR), factories.officer(Role.ADMINISTRATOR)


def _kek(klass: str, year: int) -> str:
    with reading() as work:
        return [
            row.kid
            for row in kek_rows(work.db_session)
            if (row.family, row.klass, row.year) == ("recordings", klass, year)
        ][-1]


def test_from_sealing_to_destruction_with_one_recording_held(
    app_on_both: Flask, factories: Factories
) -> None:
    with spool_on_tmpfs():
        held, due = sealed_recording(factories), sealed_recording(factories)
    cases = [_case_of(factories, held), _case_of(factories, due)]
    assert settle_recordings(TODAY) == []
    for case_id in cases:
        _complete(case_id, 2005)
    assert set(settle_recordings(TODAY)) == {held.recording_id, due.recording_id}
    assert settle_recordings(TODAY) == []
    assert _places(held.recording_id) == _places(due.recording_id) == {("15-years", 2005)}
    assert check_recording(due.recording_id).failures == []
    kid = _kek("15-years", 2005)

    first, second = (factories.officer(Role.ADMINISTRATOR) for _ in range(2))
    with unit_of_work() as work:
        recording = work.get(Recording, held.recording_id)
        recording.legal_hold = True
        code = recording.code
    with pytest.raises(DestructionRefused, match=code):
        key_operations.ask_for_destruction(first.actor, kid, reason=REASON, today=TODAY)
    key_operations.hold(first.actor, code, on=True, reason="CV 12 của Tòa án")
    assert {klass for klass, _ in _places(held.recording_id)} == {"hold"}
    manifest = _manifest(held.recording_id)
    assert runtime().store.read_hold(Bucket(manifest.bucket), manifest.name, manifest.version_id)

    key_operations.ask_for_destruction(first.actor, kid, reason=REASON, today=TODAY)
    with pytest.raises(DestructionRefused, match="khác người"):
        key_operations.carry_out_destruction(first.actor, kid, today=TODAY)
    done = key_operations.carry_out_destruction(second.actor, kid, today=TODAY)

    assert check_recording(held.recording_id).failures == []
    lost = _manifest(due.recording_id)
    with pytest.raises(KeyDestroyed):
        read_object(lost)
    stored = runtime().store.stat(Bucket(lost.bucket), lost.name, lost.version_id)
    assert stored.size == lost.sealed_size  # the lock keeps bytes that nobody can read
    assert done.unreadable["segment"] == 1
    assert done.unreadable["sealed_object"] >= 4
    assert done.last_copy_lapses_on is not None
    assert done.last_copy_lapses_on >= datetime.now(UTC).date() + timedelta(days=34)
    kept = runtime().store.open_range(Bucket.AUDIT, done.name, done.version_id, 0, 10_000)
    assert kept.decode() == done.note
    check_text(done.note, ORIGIN, signing_key().public_key())
    for told in (kid, REASON, str(done.last_copy_lapses_on)):
        assert told in done.note
    with pytest.raises(ObjectLocked):
        runtime().store.delete(Bucket.AUDIT, done.name, done.version_id)


def test_wrapped_key_is_gone_from_the_database_file(
    app: Flask, two: tuple[Officer, Officer]
) -> None:
    many_sealed_objects(3, klass="15-years", year=2005)
    kid = _kek("15-years", 2005)
    with reading() as work:
        wrapped = work.get(KeyEncryptionKey, kid).wrapped
    assert wrapped is not None
    _shred(two, kid)
    folder = Path(app.extensions["settings"].database_url.removeprefix("sqlite:///"))
    for path in folder.parent.glob("tcd.db*"):
        assert wrapped not in path.read_bytes(), path.name


def _shred(two: tuple[Officer, Officer], kid: str) -> KeyDestruction:
    key_operations.ask_for_destruction(two[0].actor, kid, reason=REASON, today=TODAY)
    return key_operations.carry_out_destruction(two[1].actor, kid, today=TODAY)


def test_destroyed_key_opens_nothing_and_leaves_a_leaf(
    app: Flask, two: tuple[Officer, Officer]
) -> None:
    many_sealed_objects(2, klass="15-years", year=2005)
    kid = _kek("15-years", 2005)
    done = _shred(two, kid)
    assert done.unreadable == {"sealed_object": 2}
    with reading() as work:
        row = work.db_session.scalars(select(SealedObject).limit(1)).one()
        leaf = work.db_session.scalars(
            select(AuditLeaf).where(AuditLeaf.action == "key_destroyed")
        ).one()
    assert leaf.actor_id == two[1].account_id
    with pytest.raises(KeyDestroyed):
        runtime().keyring.unwrap(
            WrappedKey(row.kid, row.wrapped_key), KeyContext("bulk", str(row.id))
        )
    with pytest.raises(DestructionRefused, match="đã hủy rồi"):
        key_operations.ask_for_destruction(two[0].actor, kid, reason=REASON, today=TODAY)


@pytest.mark.parametrize(
    ("klass", "year", "why"),
    [
        ("15-years", 2015, "31/12/2030"),
        ("15-years", 2011, "31/12/2026"),
        ("permanent", 1990, "lưu vĩnh viễn"),
        ("open", 2020, "chưa kết thúc"),
        ("hold", 2020, "bị giữ"),
        ("15-years", 2026, "đang dùng"),
    ],
)
def test_key_whose_term_runs_is_not_destroyed(
    app: Flask, two: tuple[Officer, Officer], klass: str, year: int, why: str
) -> None:
    keys = many_sealed_objects(1, klass=klass, year=year)
    with pytest.raises(DestructionRefused, match=why):
        key_operations.ask_for_destruction(
            two[0].actor, _kek(klass, year), reason=REASON, today=TODAY
        )
    assert len(keys) == 1


def test_last_day_of_a_term_is_kept_and_the_next_is_not(
    app: Flask, two: tuple[Officer, Officer]
) -> None:
    many_sealed_objects(1, klass="15-years", year=2011)
    kid = _kek("15-years", 2011)
    with pytest.raises(DestructionRefused):
        key_operations.ask_for_destruction(
            two[0].actor, kid, reason=REASON, today=date(2026, 12, 31)
        )
    key_operations.ask_for_destruction(two[0].actor, kid, reason=REASON, today=date(2027, 1, 1))


def test_object_under_hold_alone_is_enough_to_refuse(
    app: Flask, two: tuple[Officer, Officer]
) -> None:
    many_sealed_objects(1, klass="15-years", year=2005)
    with unit_of_work() as work:
        work.db_session.scalars(select(SealedObject)).one().legal_hold = True
    with pytest.raises(DestructionRefused, match="bulk/"):
        key_operations.ask_for_destruction(
            two[0].actor, _kek("15-years", 2005), reason=REASON, today=TODAY
        )


def test_hold_set_between_asking_and_doing_stops_the_second_person(
    app: Flask, two: tuple[Officer, Officer]
) -> None:
    many_sealed_objects(1, klass="15-years", year=2005)
    kid = _kek("15-years", 2005)
    key_operations.ask_for_destruction(two[0].actor, kid, reason=REASON, today=TODAY)
    with unit_of_work() as work:
        work.db_session.scalars(select(SealedObject)).one().legal_hold = True
    with pytest.raises(DestructionRefused):
        key_operations.carry_out_destruction(two[1].actor, kid, today=TODAY)
    with reading() as work:
        assert work.get(KeyEncryptionKey, kid).wrapped is not None


def test_personal_and_index_keys_are_never_destroyed_by_class(
    app: Flask, two: tuple[Officer, Officer]
) -> None:
    with reading() as work:
        kids = [row.kid for row in kek_rows(work.db_session) if row.family in ("personal", "index")]
    assert len(kids) == 2
    for kid in kids:
        with pytest.raises(DestructionRefused, match="dữ liệu cá nhân"):
            key_operations.ask_for_destruction(two[0].actor, kid, reason=REASON, today=TODAY)


def test_only_who_manages_keys_asks_and_reason_and_key_must_exist(
    app: Flask, factories: Factories, two: tuple[Officer, Officer]
) -> None:
    many_sealed_objects(1, klass="15-years", year=2005)
    kid = _kek("15-years", 2005)
    for role in (Role.LOG_AUDITOR, Role.PROVINCIAL_CHAIR, Role.CLERK):
        with pytest.raises(NotAllowed):
            key_operations.ask_for_destruction(
                factories.officer(role).actor, kid, reason=REASON, today=TODAY
            )
    with pytest.raises(DestructionRefused, match="lý do"):
        key_operations.ask_for_destruction(two[0].actor, kid, reason="  ", today=TODAY)
    with pytest.raises(NotFound):
        key_operations.ask_for_destruction(two[0].actor, "kek-none", reason=REASON, today=TODAY)
    with pytest.raises(NotFound):
        key_operations.carry_out_destruction(two[1].actor, kid, today=TODAY)


def test_one_person_with_two_accounts_is_still_one_person(
    app: Flask, two: tuple[Officer, Officer]
) -> None:
    from storage.models import Account

    many_sealed_objects(1, klass="15-years", year=2005)
    kid = _kek("15-years", 2005)
    with unit_of_work() as work:
        work.get(Account, two[1].account_id).person_id = two[0].person_id
    key_operations.ask_for_destruction(two[0].actor, kid, reason=REASON, today=TODAY)
    with pytest.raises(DestructionRefused, match="khác người"):
        key_operations.carry_out_destruction(two[1].actor, kid, today=TODAY)


def test_database_itself_refuses_one_person_in_both_parts(
    app_on_both: Flask, factories: Factories
) -> None:
    many_sealed_objects(1, klass="15-years", year=2005)
    officer = factories.officer(Role.ADMINISTRATOR)
    key_operations.ask_for_destruction(
        officer.actor, _kek("15-years", 2005), reason=REASON, today=TODAY
    )

    def decide_alone() -> None:
        with unit_of_work() as work:
            asked = work.db_session.scalars(select(KeyDestruction)).one()
            asked.decided_by = officer.account_id
            work.flush()

    with pytest.raises(IntegrityError):
        decide_alone()


def test_withdrawn_request_cannot_be_carried_out(app: Flask, two: tuple[Officer, Officer]) -> None:
    many_sealed_objects(1, klass="15-years", year=2005)
    kid = _kek("15-years", 2005)
    key_operations.ask_for_destruction(two[0].actor, kid, reason=REASON, today=TODAY)
    with pytest.raises(DestructionRefused, match="đang chờ"):
        key_operations.ask_for_destruction(two[1].actor, kid, reason=REASON, today=TODAY)
    key_operations.withdraw_request(two[1].actor, kid)
    with pytest.raises(NotFound):
        key_operations.carry_out_destruction(two[1].actor, kid, today=TODAY)


def test_key_left_behind_by_a_rotation_may_go_once_nobody_remembers_it(
    app: Flask, two: tuple[Officer, Officer]
) -> None:
    keys = many_sealed_objects(2, klass="15-years", year=2026)
    old = _kek("15-years", 2026)
    rotate()
    with pytest.raises(DestructionRefused, match="chờ hai phút"):
        key_operations.ask_for_destruction(two[0].actor, old, reason=REASON, today=TODAY)
    with unit_of_work() as work:
        newer = work.get(KeyEncryptionKey, _kek("15-years", 2026))
        newer.created_at -= timedelta(minutes=5)
    done = _shred(two, old)
    assert done.unreadable == {}
    with reading() as work:
        assert count_under(work.db_session, [old]) == {}
        rows = work.db_session.scalars(select(SealedObject)).all()
    for row in rows:
        opened = runtime().keyring.unwrap(
            WrappedKey(row.kid, row.wrapped_key), KeyContext("bulk", str(row.id))
        )
        assert opened == keys[row.id]


def test_what_is_due_is_listed_and_waits_for_people(
    app: Flask, two: tuple[Officer, Officer]
) -> None:
    for klass, year in (
        ("15-years", 2005),
        ("15-years", 2015),
        ("permanent", 1990),
        ("open", 2020),
    ):
        many_sealed_objects(1, klass=klass, year=year)
    kid = _kek("15-years", 2005)
    with reading() as work:
        assert [row.kid for row in due(work.db_session, TODAY)] == [kid]
    key_operations.ask_for_destruction(two[0].actor, kid, reason=REASON, today=TODAY)
    listed = app.test_cli_runner().invoke(args=["keys", "due"])
    assert kid in listed.output
    assert "chờ người thứ hai" in listed.output
    with unit_of_work() as work:
        held = work.db_session.scalars(select(SealedObject).where(SealedObject.kid == kid)).one()
        held.legal_hold = True
    with reading() as work:
        assert due(work.db_session, TODAY) == []
        assert work.get(KeyEncryptionKey, kid).wrapped is not None


# --- classes -------------------------------------------------------------------------------------


def test_recording_of_two_cases_waits_for_both_and_takes_the_longer_term(
    recorded_app: Flask, recorded: SealedRecording, people: Factories
) -> None:
    with recorded_app.app_context():
        short, long = _case_of(people, recorded, 1), _case_of(people, recorded, 2)
        _complete(short, 2026)
        assert settle_recordings(TODAY) == []
        _complete(long, 2025, "70-years")
        assert settle_recordings(TODAY) == [recorded.recording_id]
        assert _places(recorded.recording_id) == {("70-years", 2025)}
        with reading() as work:
            recording = work.get(Recording, recorded.recording_id)
            masters = [
                row for row in objects_of(work.db_session, recording) if row.retention_until_at
            ]
        assert (recording.retention_code, recording.completed_year) == ("70-years", 2025)
        for row in masters:
            until = runtime().store.read_lock(Bucket(row.bucket), row.name, row.version_id)
            assert until == row.retention_until_at == datetime(2095, 12, 31, 17, tzinfo=UTC)
        assert masters


def test_reopened_case_brings_its_recording_back_to_the_open_class(
    recorded_app: Flask, recorded: SealedRecording, people: Factories
) -> None:
    with recorded_app.app_context():
        case_id = _case_of(people, recorded)
        _complete(case_id, 2026)
        settle_recordings(TODAY)
        _complete(case_id, None)
        assert settle_recordings(TODAY) == [recorded.recording_id]
        assert {klass for klass, _ in _places(recorded.recording_id)} == {"open"}
        assert check_recording(recorded.recording_id).failures == []


def test_hold_and_release_bring_keys_and_store_back_where_they_were(
    recorded_app: Flask, recorded: SealedRecording, people: Factories
) -> None:
    with recorded_app.app_context():
        before = _places(recorded.recording_id)
        hold_recording(recorded.recording_id, on=True, reason="CV 12", by=None)
        assert {klass for klass, _ in _places(recorded.recording_id)} == {"hold"}
        manifest = _manifest(recorded.recording_id)
        where = (Bucket(manifest.bucket), manifest.name, manifest.version_id)
        assert manifest.legal_hold
        assert runtime().store.read_hold(*where)
        _complete(_case_of(people, recorded), 2005)
        assert settle_recordings(TODAY) == []  # a held recording keeps its class
        hold_recording(recorded.recording_id, on=False, reason="CV 13", by=None)
        assert _places(recorded.recording_id) == before
        assert not runtime().store.read_hold(*where)
        assert settle_recordings(TODAY) == [recorded.recording_id]


def test_lock_of_an_open_matter_is_extended_before_it_ends(
    recorded_app: Flask, recorded: SealedRecording
) -> None:
    with recorded_app.app_context():
        manifest = _manifest(recorded.recording_id)
        assert manifest.retention_until_at is not None
        early = manifest.retention_until_at - timedelta(days=100)
        assert extend_open_locks(early) == 0
        late = manifest.retention_until_at - timedelta(days=80)
        assert extend_open_locks(late) > 0
        longer = _manifest(recorded.recording_id).retention_until_at
        assert longer is not None
        assert longer > manifest.retention_until_at + timedelta(days=200)
        where = (Bucket(manifest.bucket), manifest.name, manifest.version_id)
        kept = runtime().store.read_lock(*where)
        assert kept is not None
        assert abs(kept - longer) < timedelta(seconds=2)


def test_attachments_and_vault_follow_their_case(app: Flask, factories: Factories) -> None:
    from storage.identities import keep_denunciation, prepare_vault
    from storage.models import Attachment

    petition_id = a_petition(factories)
    [object_id] = many_sealed_objects(1, family="petitions")
    prepare_vault()
    with unit_of_work() as work:
        keep_denunciation(work, petition_id, content="c", parties="p", identity="i")
        work.add(
            Attachment(
                petition_id=petition_id,
                part="evidence",
                file_name_sealed=b"x",
                media_type="text/plain",
                size_bytes=1,
                sealed_object_id=object_id,
            )
        )
        case_id = work.get(Petition, petition_id).case_id
    assert case_id is not None
    assert settle_petition_keys(TODAY) == 0
    _complete(case_id, 2026)
    assert settle_petition_keys(TODAY) == 3
    assert settle_petition_keys(TODAY) == 0
    with reading() as work:
        kid = work.get(SealedObject, object_id).kid
        row = work.get(KeyEncryptionKey, kid)
        assert (row.family, row.klass, row.year) == ("petitions", "15-years", 2026)
    _complete(case_id, None)
    assert settle_petition_keys(TODAY) == 3
