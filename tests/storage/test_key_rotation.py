"""Rotation: every data key under a new KEK, whatever breaks it off, and nothing lost."""

from __future__ import annotations

import signal
import time
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from reception.services import root_place
from storage.database import reading, unit_of_work
from storage.identities import (
    keep_denunciation,
    open_denouncer,
    open_denunciation,
    prepare_vault,
)
from storage.keyring import (
    DataKey,
    Family,
    Keyring,
    KeyUnusable,
    create_root_key,
)
from storage.keyrows import DatabaseKeyRows
from storage.models import AuditLeaf, KeyEncryptionKey, SealedObject
from storage.objects import Bucket
from storage.runtime import runtime
from storage.sealed import read_object, seal_object
from storage.wrapped import (
    SEALED_OBJECTS,
    Place,
    count_under,
    held_keys,
    kek_rows,
    move_keys,
    rewrap_keks,
    rotate,
    stale_keks,
)
from tests.support.commands import environment_of, flask, started_flask
from tests.support.factories import Factories
from tests.support.held_keys import a_petition, many_sealed_objects
from workflows.access import Role
from workflows.errors import Unavailable


def _all_open(keys: dict[UUID, DataKey]) -> None:
    """Every row still opens to the key it was made with."""
    with reading() as work:
        rows = held_keys(
            work.db_session, SEALED_OBJECTS, SEALED_OBJECTS.table.c.name.startswith("bulk/")
        )
    assert {row.row_id: runtime().keyring.unwrap(row.wrapped, row.context) for row in rows} == keys


def _by_kid() -> dict[str, int]:
    with reading() as work:
        found = work.db_session.execute(
            select(SealedObject.kid, func.count()).group_by(SealedObject.kid)
        )
        return {kid: number for kid, number in found}


def test_rotation_moves_every_kind_of_key_and_all_still_opens(
    app_on_both: Flask, factories: Factories
) -> None:
    keys = many_sealed_objects(30) | many_sealed_objects(5, klass="15-years", year=2020)
    kept = seal_object(
        b"noi dung", bucket=Bucket.FILES, family=Family.PETITIONS, purpose="attachment",
        media_type="text/plain",
    )  # fmt: skip
    petition_id = a_petition(factories)
    prepare_vault()
    with unit_of_work() as work:
        work.add(kept)
        keep_denunciation(work, petition_id, content="c", parties="p", identity="Lê Thị Tố")
    with reading() as work:
        before = {row.kid for row in kek_rows(work.db_session)}
    shown: list[tuple[int, int]] = []
    done = rotate(lambda *step: shown.append(step))
    assert shown[-1] == (done.moved, done.moved)
    assert len(done.new) == 4  # recordings twice, petitions, denunciations
    assert not done.resumed
    with reading() as work:
        assert count_under(work.db_session, sorted(before)) == {}
        kept = work.get(SealedObject, kept.id)
    _all_open(keys)
    assert read_object(kept) == b"noi dung"
    officer = factories.officer(Role.PROVINCIAL_INSPECTOR)
    with unit_of_work() as work:
        told = open_denunciation(work, petition_id, by=officer.account_id, reason="thử")
        assert told == ("c", "p")
        assert open_denouncer(work, petition_id, by=officer.account_id, reason="thử") == "Lê Thị Tố"


def test_second_rotation_makes_a_third_generation(app: Flask) -> None:
    keys = many_sealed_objects(3)
    rotate()
    rotate()
    with reading() as work:
        assert [row.generation for row in kek_rows(work.db_session) if row.family == "recordings"][
            -1
        ] == 3
    _all_open(keys)


def test_rotation_of_nothing_does_nothing(app: Flask) -> None:
    done = rotate()
    assert (done.new, done.moved, done.resumed) == ([], 0, False)


def test_row_that_changed_meanwhile_keeps_what_the_other_wrote(app: Flask) -> None:
    many_sealed_objects(1)
    with reading() as work:
        [old] = held_keys(work.db_session, SEALED_OBJECTS)
    move_keys(SEALED_OBJECTS, [old], Place("recordings", "15-years", 2026))
    with reading() as work:
        [moved] = held_keys(work.db_session, SEALED_OBJECTS)
    move_keys(SEALED_OBJECTS, [old], Place("recordings", "30-years", 2026))  # read before the move
    with reading() as work:
        [after] = held_keys(work.db_session, SEALED_OBJECTS)
    assert after == moved


def _rotation_killed_half_way(app: Flask, number: int) -> dict[UUID, DataKey]:
    """Start the command, kill it once some but not all keys are moved, finish by running again."""
    keys = many_sealed_objects(number)
    [old] = _by_kid()
    environment = environment_of(app.extensions["settings"])
    running = started_flask(environment, "keys", "rotate")
    until = time.monotonic() + 120
    while _by_kid().get(old, 0) == number and time.monotonic() < until:
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.wait()
    left = _by_kid()
    assert 0 < left[old] < number
    with reading() as work:
        assert list(stale_keks(work.db_session)) == [old]
    _all_open(keys)
    again = flask(environment, "keys", "rotate")
    assert again.returncode == 0, again.stderr
    assert "dở dang" in again.stdout
    assert f"{left[old]}" in again.stdout
    [new] = _by_kid()
    assert new != old
    return keys


def test_rotation_killed_half_way_goes_on_where_it_was(app_on_both: Flask) -> None:
    _all_open(_rotation_killed_half_way(app_on_both, 6000))
    with reading() as work:
        begun = work.db_session.scalars(
            select(AuditLeaf).where(AuditLeaf.action == "keys_rotation_begun")
        ).all()
    assert len(begun) == 1


@pytest.mark.long
def test_hundred_thousand_keys_survive_a_killed_rotation(app_on_both: Flask) -> None:
    _all_open(_rotation_killed_half_way(app_on_both, 100_000))


def test_new_root_key_takes_over_every_kek(app_on_both: Flask) -> None:
    keys = many_sealed_objects(5)
    place = root_place(app_on_both.extensions["settings"])
    [old] = place.ids()
    done = app_on_both.test_cli_runner().invoke(args=["keys", "rotate", "--root"])
    assert done.exit_code == 0, done.output
    assert "Mảnh 3/3" in done.output
    newest = place.ids()[-1]
    assert newest != old
    with reading() as work:
        assert {row.root_id for row in kek_rows(work.db_session)} == {newest}
    _all_open(keys)  # this process began under the old root key
    (place.directory / f"{old}.key").unlink()
    fresh = Keyring(place.open(), DatabaseKeyRows(runtime().engine))
    with reading() as work:
        [first, *_] = held_keys(work.db_session, SEALED_OBJECTS)
    assert fresh.unwrap(first.wrapped, first.context) == keys[first.row_id]


def test_root_key_rotation_broken_off_is_finished_by_the_next(app: Flask) -> None:
    keys = many_sealed_objects(2) | many_sealed_objects(2, klass="15-years", year=2020)
    place = root_place(app.extensions["settings"])
    create_root_key(place.directory)
    ring = Keyring(place.open(), DatabaseKeyRows(runtime().engine))
    with pytest.raises(KeyboardInterrupt):
        rewrap_keks(ring, _stop_after_one)
    with reading() as work:
        assert len({row.root_id for row in kek_rows(work.db_session)}) == 2
    done = app.test_cli_runner().invoke(args=["keys", "rotate", "--root"])
    assert done.exit_code == 0, done.output
    assert len(place.ids()) == 2  # no third root key was made
    with reading() as work:
        assert {row.root_id for row in kek_rows(work.db_session)} == {place.ids()[-1]}
    _all_open(keys)


def _stop_after_one(_done: int, _total: int) -> None:
    raise KeyboardInterrupt


def test_kek_moved_under_a_root_key_opens_only_with_that_one(app: Flask) -> None:
    many_sealed_objects(1)
    with unit_of_work() as work:
        row = work.db_session.scalars(
            select(KeyEncryptionKey).where(KeyEncryptionKey.family == "recordings")
        ).one()
        row.root_id = "root-" + "0" * 20 + "-00000000"
    runtime().keyring.forget()
    with reading() as work:
        [held] = held_keys(work.db_session, SEALED_OBJECTS)
    with pytest.raises(KeyUnusable):
        runtime().keyring.unwrap(held.wrapped, held.context)


def test_new_years_key_waits_politely_while_somebody_else_writes(app: Flask) -> None:
    with unit_of_work() as work:
        work.audit("tested", kind="test", by=None)
        with pytest.raises(Unavailable, match="chưa tạo được khóa"):
            runtime().keyring.prepare("recordings", "open", 2031)
    assert runtime().keyring.prepare("recordings", "open", 2031)
