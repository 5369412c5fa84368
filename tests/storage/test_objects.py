"""One contract, two stores: the folder of a single machine and a real S3 server."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from minio.commonconfig import GOVERNANCE
from minio.error import S3Error
from minio.retention import Retention

from storage.objects import (
    Bucket,
    FolderStore,
    MinioStore,
    ObjectLocked,
    ObjectMissing,
    ObjectStore,
    SourceTooShort,
    StoreFull,
    StoreUnavailable,
    WormStrength,
    minio_client,
    open_sealed,
    worm_selftest,
)
from storage.sealing import SealBroken, SealingSource
from tests.support.minio import RunningMinio, running_minio
from tools.minio.server import PROJECT, free_port

KEY = bytes(range(32))
FAR = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["folder", "minio"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "folder":
        yield FolderStore(tmp_path / "store")
    else:
        yield request.getfixturevalue("minio").store()


@pytest.fixture
def name() -> str:
    return f"test/{uuid.uuid4()}/track-1"


def read_all(store: ObjectStore, bucket: Bucket, name: str, version_id: str) -> bytes:
    size = store.stat(bucket, name, version_id).size
    return store.open_range(bucket, name, version_id, 0, size)


def in_seconds(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_what_is_put_comes_back_with_its_hash(store, name, size):
    data = os.urandom(size)
    info = store.put(Bucket.FILES, name, data)
    assert (info.bucket, info.name, info.size) == (Bucket.FILES, name, size)
    assert info.sha256 == hashlib.sha256(data).hexdigest()
    assert read_all(store, Bucket.FILES, name, info.version_id) == data
    found = store.stat(Bucket.FILES, name, info.version_id)
    assert found.size == size
    assert abs(found.stored_at - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("size", [0, 5, 8 * 1024 * 1024, 9 * 1024 * 1024 + 1])
def test_stream_of_unknown_length_is_stored_whole(store, name, size):
    data = os.urandom(size)
    info = store.put(Bucket.ORIGINALS, name, io.BytesIO(data))
    assert info.size == size
    assert info.sha256 == hashlib.sha256(data).hexdigest()
    assert read_all(store, Bucket.ORIGINALS, name, info.version_id) == data


def test_sealed_stream_goes_in_and_any_range_comes_out(store, name):
    plain = os.urandom(3 * 1024 * 1024 + 5)
    info = store.put(Bucket.ORIGINALS, name, SealingSource(io.BytesIO(plain), KEY, b"rec|1"))
    where = (store, Bucket.ORIGINALS, name, info.version_id)
    reader = open_sealed(*where, key=KEY, associated_data=b"rec|1")
    assert reader.plain_size == len(plain)
    assert reader.read(1_000_000, 700_000) == plain[1_000_000:1_700_000]
    assert b"".join(map(bytes, reader.iter_all())) == plain
    assert plain[:64] not in read_all(store, Bucket.ORIGINALS, name, info.version_id)
    with pytest.raises(SealBroken):
        open_sealed(*where, key=KEY, associated_data=b"rec|2")


def test_ranges_are_exact_and_short_beyond_the_end(store, name):
    info = store.put(Bucket.CHUNKS, name, b"0123456789")

    def ranged(offset: int, length: int) -> bytes:
        return store.open_range(Bucket.CHUNKS, name, info.version_id, offset, length)

    assert ranged(0, 4) == b"0123"
    assert ranged(4, 3) == b"456"
    assert ranged(8, 100) == b"89"
    assert ranged(10, 5) == b""
    assert ranged(3, 0) == b""


def test_every_put_is_a_version_of_its_own(store, name):
    first = store.put(Bucket.FILES, name, b"first")
    second = store.put(Bucket.FILES, name, b"second")
    assert first.version_id != second.version_id
    assert read_all(store, Bucket.FILES, name, first.version_id) == b"first"
    assert [found.version_id for found in store.list(Bucket.FILES, name)] == [
        second.version_id,
        first.version_id,
    ]
    store.delete(Bucket.FILES, name, second.version_id)
    assert read_all(store, Bucket.FILES, name, first.version_id) == b"first"


def test_listing_is_by_name_and_only_below_the_prefix(store, name):
    for suffix in ("b/2", "a", "bc", "b/1"):
        store.put(Bucket.AUDIT, f"{name}/{suffix}", b"x")
    found = list(store.list(Bucket.AUDIT, f"{name}/b"))
    assert [item.name for item in found] == [f"{name}/{suffix}" for suffix in ("b/1", "b/2", "bc")]
    assert all(item.size == 1 for item in found)
    assert list(store.list(Bucket.AUDIT, f"{name}/none/")) == []


def test_deleted_version_is_gone_and_deleting_again_is_fine(store, name):
    info = store.put(Bucket.CHUNKS, name, b"x")
    store.delete(Bucket.CHUNKS, name, info.version_id)
    store.delete(Bucket.CHUNKS, name, info.version_id)
    with pytest.raises(ObjectMissing):
        store.stat(Bucket.CHUNKS, name, info.version_id)
    with pytest.raises(ObjectMissing):
        store.open_range(Bucket.CHUNKS, name, info.version_id, 0, 1)
    assert list(store.list(Bucket.CHUNKS, name)) == []


def test_unknown_version_is_missing_everywhere(store, name):
    store.put(Bucket.FILES, name, b"x")
    unknown = str(uuid.uuid4())
    with pytest.raises(ObjectMissing):
        store.stat(Bucket.FILES, name, unknown)
    with pytest.raises(ObjectMissing):
        store.lock(Bucket.FILES, name, unknown, FAR)
    with pytest.raises(ObjectMissing):
        store.hold(Bucket.FILES, name, unknown, on=True)


def test_locked_version_cannot_be_deleted_nor_its_lock_shortened(store, name):
    info = store.put(Bucket.ORIGINALS, name, b"evidence")
    version = (Bucket.ORIGINALS, name, info.version_id)
    assert store.read_lock(*version) is None
    until = in_seconds(600)
    store.lock(*version, until)
    kept = store.read_lock(*version)
    assert until <= kept < until + timedelta(seconds=1)
    with pytest.raises(ObjectLocked) as caught:
        store.delete(*version)
    assert caught.value.until == kept
    with pytest.raises(ObjectLocked):
        store.lock(*version, in_seconds(300))
    store.lock(*version, in_seconds(1200))
    assert store.read_lock(*version) > kept
    assert read_all(store, *version) == b"evidence"


def test_lock_survives_new_versions_of_the_same_name(store, name):
    first = store.put(Bucket.ORIGINALS, name, b"evidence")
    store.lock(Bucket.ORIGINALS, name, first.version_id, in_seconds(600))
    second = store.put(Bucket.ORIGINALS, name, b"newer")
    assert store.read_lock(Bucket.ORIGINALS, name, second.version_id) is None
    store.delete(Bucket.ORIGINALS, name, second.version_id)
    assert read_all(store, Bucket.ORIGINALS, name, first.version_id) == b"evidence"


def test_version_can_be_deleted_once_its_lock_has_ended(store, name):
    info = store.put(Bucket.CHUNKS, name, b"x")
    version = (Bucket.CHUNKS, name, info.version_id)
    store.lock(*version, in_seconds(1))
    with pytest.raises(ObjectLocked):
        store.delete(*version)
    time.sleep(2.5)
    store.delete(*version)
    with pytest.raises(ObjectMissing):
        store.stat(*version)


def test_held_version_cannot_be_deleted_until_the_hold_is_lifted(store, name):
    info = store.put(Bucket.ORIGINALS, name, b"x")
    version = (Bucket.ORIGINALS, name, info.version_id)
    assert store.read_hold(*version) is False
    store.hold(*version, on=True)
    assert store.read_hold(*version) is True
    with pytest.raises(ObjectLocked):
        store.delete(*version)
    store.hold(*version, on=False)
    assert store.read_hold(*version) is False
    store.delete(*version)
    assert list(store.list(Bucket.ORIGINALS, name)) == []


def test_source_that_fails_leaves_no_object(store, name):
    class Failing:
        def __init__(self) -> None:
            self.left = 9 * 1024 * 1024

        def read(self, size: int) -> bytes:
            if self.left <= 0:
                raise ConnectionError("line lost")
            self.left -= size
            return bytes(size)

    with pytest.raises(ConnectionError, match="line lost"):
        store.put(Bucket.FILES, name, Failing())
    assert list(store.list(Bucket.FILES, name)) == []


def test_source_shorter_than_promised_leaves_no_object(store, name):
    with pytest.raises(SourceTooShort):
        store.put(Bucket.FILES, name, io.BytesIO(b"12345"), length=6)
    assert list(store.list(Bucket.FILES, name)) == []


def test_only_the_promised_length_is_taken(store, name):
    source = io.BytesIO(b"0123456789")
    assert store.put(Bucket.FILES, name, source, length=4).size == 4
    assert source.read() == b"456789"


@pytest.mark.parametrize("bad", ["", "/x", "a//b", "../x", "a/../b", ".hidden", "a b", "đơn", "x@"])
def test_names_that_could_escape_are_refused(store, bad):
    with pytest.raises(ValueError, match="name"):
        store.put(Bucket.FILES, bad, b"x")


def test_naive_lock_end_is_refused(store, name):
    info = store.put(Bucket.FILES, name, b"x")
    with pytest.raises(ValueError, match="aware"):
        store.lock(Bucket.FILES, name, info.version_id, datetime(2030, 1, 1))  # noqa: DTZ001 - the case


def test_many_threads_share_one_store(store, name):
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            data = bytes([number]) * 50_000
            info = store.put(Bucket.CHUNKS, f"{name}/{number}", data)
            assert read_all(store, Bucket.CHUNKS, info.name, info.version_id) == data
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(list(store.list(Bucket.CHUNKS, f"{name}/"))) == 12


def test_selftest_finds_a_good_store_good_and_cleans_up_after_itself(store):
    report = worm_selftest(store, lock_s=31)
    assert report.ok
    assert report.failures == ()
    assert len(list(store.list(Bucket.ORIGINALS, "selftest/"))) == 1


def test_selftest_names_what_a_lax_store_fails_to_refuse(tmp_path):
    class Lax(FolderStore):
        """A store that accepts locks and ignores them, as one real S3 look-alike does."""

        def delete(self, bucket: Bucket, name: str, version_id: str) -> None:
            for path in (tmp_path / bucket).glob(f"**/{version_id}*"):
                path.unlink()

        def lock(self, bucket: Bucket, name: str, version_id: str, until: datetime) -> None:
            return

    report = worm_selftest(Lax(tmp_path))
    assert not report.ok
    assert set(report.failures) == {
        "lock-reads-back",
        "delete-refused",
        "shortening-refused",
        "still-readable",
    }


def test_selftest_removes_what_an_earlier_run_left(tmp_path):
    moment = [datetime(2026, 11, 23, tzinfo=UTC)]
    folder = FolderStore(tmp_path, now=lambda: moment[0])
    worm_selftest(folder, now=moment[0])
    moment[0] += timedelta(days=1)
    worm_selftest(folder, now=moment[0])
    assert len(list(folder.list(Bucket.ORIGINALS))) == 1


# --- the folder alone ---


def test_folder_keeps_versions_read_only_and_says_that_its_locks_are_advice(tmp_path):
    folder = FolderStore(tmp_path)
    info = folder.put(Bucket.FILES, "a/b", b"x")
    [path] = [path for path in tmp_path.glob("files/**/*") if path.name == info.version_id]
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert folder.worm_strength is WormStrength.ADVISORY


def test_full_disk_is_said_clearly_and_leaves_nothing(tmp_path, monkeypatch):
    folder = FolderStore(tmp_path)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("storage.objects.folder.os.fsync", full)
    with pytest.raises(StoreFull) as caught:
        folder.put(Bucket.FILES, "a", b"x")
    assert "đầy" in caught.value.message
    assert list(folder.list(Bucket.FILES)) == []
    assert list((tmp_path / ".incoming").iterdir()) == []


def test_folder_emptied_by_deletion_takes_new_versions(tmp_path):
    folder = FolderStore(tmp_path)
    for _ in range(3):
        info = folder.put(Bucket.CHUNKS, "a/b", b"x")
        folder.delete(Bucket.CHUNKS, "a/b", info.version_id)
    assert list((tmp_path / "chunks" / "a").iterdir()) == []


# --- the server alone ---


def test_application_account_can_neither_bypass_nor_manage(minio: RunningMinio, name):
    ours, bucket = minio.client(), "tcd-originals"
    info = minio.store().put(Bucket.ORIGINALS, name, b"x")
    with pytest.raises(S3Error, match="AccessDenied"):
        ours.make_bucket(bucket_name="tcd-other")
    with pytest.raises(S3Error, match="AccessDenied"):
        ours.remove_bucket(bucket_name=bucket)
    minio.root_client().set_object_retention(
        bucket_name=bucket,
        object_name=name,
        config=Retention(GOVERNANCE, FAR),
        version_id=info.version_id,
    )
    with pytest.raises(StoreUnavailable) as caught:
        minio.store().read_lock(Bucket.ORIGINALS, name, info.version_id)
    assert "can be bypassed" in caught.value.detail


def test_even_root_cannot_delete_what_is_locked(minio: RunningMinio, name):
    store = minio.store()
    info = store.put(Bucket.ORIGINALS, name, b"x")
    store.lock(Bucket.ORIGINALS, name, info.version_id, in_seconds(600))
    with pytest.raises(S3Error):
        minio.root_client().remove_object(
            bucket_name="tcd-originals", object_name=name, version_id=info.version_id
        )
    assert store.stat(Bucket.ORIGINALS, name, info.version_id).size == 1


def test_large_lock_holds_on_an_upload_in_parts(minio: RunningMinio, name):
    store = minio.store()
    info = store.put(Bucket.ORIGINALS, name, io.BytesIO(bytes(17 * 1024 * 1024)))
    store.lock(Bucket.ORIGINALS, name, info.version_id, in_seconds(600))
    with pytest.raises(ObjectLocked):
        store.delete(Bucket.ORIGINALS, name, info.version_id)


def test_each_process_makes_a_client_of_its_own(minio: RunningMinio, name):
    made: list[int] = []

    def connect():
        made.append(os.getpid())
        return minio.client()

    store = MinioStore(connect)
    store.put(Bucket.FILES, name, b"x")
    store.put(Bucket.FILES, name, b"y")
    assert made == [os.getpid()]
    child = os.fork()
    if child == 0:
        try:
            info = store.put(Bucket.FILES, name, b"z")
            read = store.open_range(Bucket.FILES, name, info.version_id, 0, 1)
            os._exit(0 if read == b"z" and len(made) == 2 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_server_that_is_down_is_said_to_be_and_keeps_all_after_a_kill(tmp_path):
    with running_minio(tmp_path / "data") as server:
        store = server.store()
        info = store.put(Bucket.ORIGINALS, "a", b"acknowledged")
        until = in_seconds(600)
        store.lock(Bucket.ORIGINALS, "a", info.version_id, until)
        server.kill()
        with pytest.raises(StoreUnavailable) as caught:
            store.put(Bucket.ORIGINALS, "b", b"x")
        assert "Kho lưu trữ" in caught.value.message
        server.restart()
        assert read_all(store, Bucket.ORIGINALS, "a", info.version_id) == b"acknowledged"
        assert store.read_lock(Bucket.ORIGINALS, "a", info.version_id) >= until


def test_wrong_account_is_told_from_a_missing_object(minio: RunningMinio):
    stranger = MinioStore(
        lambda: minio_client(minio.endpoint, "tcd-app", "wrong-password", secure=False)
    )
    with pytest.raises(StoreUnavailable):
        stranger.put(Bucket.FILES, "a", b"x")


def test_server_command_serves_the_settings_it_prints_and_ends_when_told(tmp_path):
    port, keys = free_port(), tmp_path / "keys" / "minio.json"
    common = ["--port", str(port), "--credentials", str(keys)]
    command = [sys.executable, "-m", "tools.minio.server"]
    server = subprocess.Popen(
        [*command, "run", "--data", str(tmp_path / "data"), *common],
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        text=True,
    )
    assert server.stdout is not None
    try:
        assert "ready" in server.stdout.readline()
        told = subprocess.run(
            [*command, "env", *common], capture_output=True, check=True, cwd=PROJECT, text=True
        ).stdout
        given = dict(line.split("=", 1) for line in told.splitlines())
        assert keys.stat().st_mode & 0o777 == 0o600
        store = MinioStore(
            lambda: minio_client(
                given["MINIO_ENDPOINT"],
                given["MINIO_ACCESS_KEY"],
                given["MINIO_SECRET_KEY"],
                secure=given["MINIO_SECURE"] == "1",
            )
        )
        info = store.put(Bucket.FILES, "a", b"x")
        assert read_all(store, Bucket.FILES, "a", info.version_id) == b"x"
    finally:
        server.terminate()
        assert server.wait(timeout=20) == 0
        server.stdout.close()
    with pytest.raises(StoreUnavailable):
        store.stat(Bucket.FILES, "a", info.version_id)
