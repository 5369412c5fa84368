"""Checkpoints outside the database: signed, time-stamped by `openssl ts`, locked, compared."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text

from reception import keeping
from reception.worker import sequence_all
from storage import health
from storage.audit import AuditBroken, verify
from storage.checkpoints import (
    PREFIX,
    checkpoint_if_due,
    checkpoint_now,
    compare_with_outside,
    deposit_waiting,
    outside_notes,
    signing_key,
)
from storage.database import reading, unit_of_work
from storage.models import Checkpoint
from storage.objects import Bucket, ObjectLocked
from storage.runtime import configure, runtime
from storage.timestamps import Authority, NoStamp, StampWrong, check_stamp
from tests.support.tsa import RunningAuthority, make_authority, running_authority


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[RunningAuthority]:
    with running_authority(tmp_path / "tsa") as running:
        yield running


def _events(number: int) -> None:
    with unit_of_work() as work:
        for at in range(number):
            work.audit("tested", kind="test", by=None, number=at)
    sequence_all()


def _ask(running: RunningAuthority) -> None:
    configure(replace(runtime(), authority=Authority(running.url, running.roots)))


def test_checkpoint_is_time_stamped_and_openssl_agrees(
    app_on_both: Flask, authority: RunningAuthority, tmp_path: Path
) -> None:
    _ask(authority)
    _events(5)
    began = datetime.now(UTC).replace(microsecond=0)
    point = checkpoint_now()
    assert point.time_stamp is not None
    known = Authority(authority.url, authority.roots).certificates()
    moment = check_stamp(point.time_stamp, point.note.encode(), known)
    assert began - timedelta(seconds=1) <= moment <= datetime.now(UTC) + timedelta(seconds=1)
    (tmp_path / "note").write_text(point.note, encoding="utf-8")
    (tmp_path / "stamp.tsr").write_bytes(point.time_stamp)
    told = subprocess.run(
        ["openssl", "ts", "-verify", "-data", str(tmp_path / "note"), "-in",
         str(tmp_path / "stamp.tsr"), "-CAfile", str(authority.roots)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Verification: OK" in told.stdout + told.stderr
    stored = {found.name for found in runtime().store.list(Bucket.AUDIT, PREFIX)}
    assert {point.name, point.name.replace(".txt", ".tsr")} <= stored
    for found in runtime().store.list(Bucket.AUDIT, PREFIX):
        with pytest.raises(ObjectLocked):
            runtime().store.delete(Bucket.AUDIT, found.name, found.version_id)


def test_time_stamp_of_another_text_or_another_authority_is_refused(
    authority: RunningAuthority, tmp_path: Path
) -> None:
    known = Authority(authority.url, authority.roots)
    stamp = known.stamp(b"this text")
    with pytest.raises(StampWrong):
        check_stamp(stamp, b"another text", known.certificates())
    with pytest.raises(StampWrong):
        check_stamp(stamp[:-20], b"this text", known.certificates())
    stranger = make_authority(tmp_path / "stranger")
    with pytest.raises(StampWrong):
        Authority(authority.url, stranger).stamp(b"this text")


def test_authority_that_is_away_delays_the_stamp_and_nothing_else(
    app: Flask, authority: RunningAuthority
) -> None:
    _ask(authority)
    authority.broken = True
    with pytest.raises(NoStamp):
        Authority(authority.url, authority.roots).stamp(b"x")
    _events(3)
    point = checkpoint_now()
    assert point.time_stamp is None
    assert outside_notes() == [point.note]
    authority.broken = False
    assert deposit_waiting() == 1
    with reading() as work:
        kept = work.get(Checkpoint, point.id)
    assert kept.time_stamp is not None
    assert kept.version_id == point.version_id
    assert deposit_waiting() == 0


def test_without_an_authority_nobody_is_asked(app: Flask) -> None:
    _events(1)
    assert checkpoint_now().time_stamp is None
    assert deposit_waiting() == 0


def test_checkpoint_is_made_each_hour_in_which_something_happened(app: Flask) -> None:
    assert checkpoint_if_due() is None  # nothing happened yet
    _events(2)
    first = checkpoint_if_due()
    assert first is not None
    assert first.size == 2
    _events(2)
    assert checkpoint_if_due() is None  # an hour has not passed
    later = datetime.now(UTC) + timedelta(minutes=61)
    configure(replace(runtime(), now=lambda: later))
    second = checkpoint_if_due()
    assert second is not None
    assert second.size == 4


def test_many_starting_at_once_agree_on_one_signing_key(app: Flask) -> None:
    with ThreadPoolExecutor(12) as crew:
        keys = list(crew.map(lambda _: signing_key().private_bytes_raw(), range(48)))
    assert len(set(keys)) == 1
    [path] = [path for path in runtime().key_dir.iterdir() if path.suffix == ".pem"]
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(PermissionError):
        signing_key()


# --- what meddling leaves behind -----------------------------------------------------------------

TAMPERING = {
    "deleted": "DELETE FROM audit_leaf WHERE tree_index = 3",
    "deleted at the end": "DELETE FROM audit_leaf WHERE tree_index = 8",
    "body edited": (
        "UPDATE audit_leaf SET body = replace(body, 'number', 'nombre') WHERE tree_index = 3"
    ),
    "column edited": "UPDATE audit_leaf SET action = 'other' WHERE tree_index = 3",
    "time edited": "UPDATE audit_leaf SET at = '2020-01-01 00:00:00' WHERE tree_index = 3",
    "hash edited": (
        "UPDATE audit_leaf SET leaf_hash = (SELECT leaf_hash FROM audit_leaf AS o "
        "WHERE o.tree_index = 4) WHERE tree_index = 3"
    ),
    "taken out of the tree": "UPDATE audit_leaf SET tree_index = NULL WHERE tree_index = 3",
    "reordered": (
        "UPDATE audit_leaf SET tree_index = CASE tree_index WHEN 3 THEN 104 ELSE 103 END "
        "WHERE tree_index IN (3, 4)"
    ),
    "inserted": (
        "INSERT INTO audit_leaf (at, action, object_kind, body, leaf_hash, tree_index) "
        "SELECT at, action, object_kind, body, leaf_hash, 9 FROM audit_leaf WHERE tree_index = 3"
    ),
    "node edited": (
        "UPDATE audit_node SET hash = (SELECT hash FROM audit_node AS o WHERE o.level = 0 "
        "AND o.position = 0) WHERE level = 1 AND position = 1"
    ),
    "node deleted": "DELETE FROM audit_node WHERE level = 2 AND position = 0",
    "node inserted": (
        "INSERT INTO audit_node (level, position, hash) "
        "SELECT 3, 7, hash FROM audit_node WHERE level = 0 AND position = 0"
    ),
    "size lowered": "UPDATE audit_tree SET size = 7",
    "size raised": "UPDATE audit_tree SET size = 12",
}


@pytest.mark.parametrize("meddling", TAMPERING, ids=str)
def test_any_meddling_with_the_tables_is_found(app_on_both: Flask, meddling: str) -> None:
    _events(9)
    with reading() as work:
        assert verify(work.db_session).size == 9
    with unit_of_work() as work:
        work.db_session.execute(text(TAMPERING[meddling]))
    with reading() as work, pytest.raises(AuditBroken):
        verify(work.db_session)
    assert app_on_both.test_cli_runner().invoke(args=["audit", "verify"]).exit_code == 1


def _set_back(app: Flask, before: Path) -> None:
    """Put an older copy of the database in the place of the present one."""
    from storage.database import db

    db.engine.dispose()
    runtime().engine.dispose()
    database = Path(app.extensions["settings"].database_url.removeprefix("sqlite:///"))
    for path in database.parent.glob("tcd.db-*"):
        path.unlink()
    shutil.copy(before, database)


def test_older_database_put_back_is_found_at_start_on_the_health_page_and_by_verify(
    app: Flask, tmp_path: Path
) -> None:
    _events(6)
    checkpoint_now()
    with unit_of_work() as work:
        work.db_session.execute(text("SELECT 1"))
    before = tmp_path / "older.db"
    with runtime().engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql(f"VACUUM INTO '{before}'")
        connection.exec_driver_sql("BEGIN")
    assert keeping.compare_at_start()
    _events(4)
    checkpoint_now()
    _set_back(app, before)

    with reading() as work:
        assert verify(work.db_session, signing_key().public_key()).size == 6  # it looks whole
    assert not keeping.compare_at_start()
    health.OUTSIDE._kept = None
    [finding] = [found for found in health.look(with_worm=False) if found.name == "audit"]
    assert (finding.state, finding.why) == (health.BAD, "set_back")
    told = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert told.exit_code == 1
    assert "10 dòng" in told.output
    alone = app.test_cli_runner().invoke(args=["audit", "verify", "--database-only"])
    assert alone.exit_code == 0

    _events(30)  # grown beyond the newest note: another root at its size
    assert not keeping.compare_at_start()
    assert app.test_cli_runner().invoke(args=["audit", "verify"]).exit_code == 1


def test_log_rewritten_by_whoever_holds_the_database_disagrees_with_locked_storage(
    app_on_both: Flask,
) -> None:
    _events(5)
    checkpoint_now()
    with unit_of_work() as work:
        for statement in (
            "DELETE FROM checkpoint",
            "DELETE FROM audit_node",
            "DELETE FROM audit_leaf",
            "UPDATE audit_tree SET size = 0",
        ):
            work.db_session.execute(text(statement))
    _events(8)
    notes = outside_notes()
    with reading() as work:
        assert verify(work.db_session, signing_key().public_key()).size == 8
    with reading() as work, pytest.raises(AuditBroken, match="bên ngoài"):
        verify(work.db_session, signing_key().public_key(), outside=notes)
    with reading() as work, pytest.raises(AuditBroken, match="viết lại"):
        compare_with_outside(work.db_session, notes)


def test_note_that_somebody_put_into_the_store_is_no_checkpoint(app: Flask) -> None:
    _events(2)
    point = checkpoint_now()
    forged = point.note.replace("\n2\n", "\n3\n")
    runtime().store.put(Bucket.AUDIT, f"{PREFIX}000000000003-x.txt", forged.encode())
    with reading() as work, pytest.raises(AuditBroken, match="chữ ký"):
        verify(work.db_session, signing_key().public_key(), outside=outside_notes())
    assert not keeping.compare_at_start()


def test_verify_sees_one_moment_while_others_write(app_on_both: Flask) -> None:
    _events(2500)

    def write_more(_done: int, _total: int) -> None:
        _events(3)

    with reading() as work:
        found = verify(work.db_session, progress=write_more)
    assert found.size == 2500
    with reading() as work:
        assert verify(work.db_session).size > 2500
    with reading() as work:
        assert work.db_session.scalars(select(Checkpoint)).all() == []
