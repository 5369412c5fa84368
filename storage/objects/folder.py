"""The object store of a single machine: a folder.

Locks here are advisory. Versions are written once, made read-only and never opened for writing
again, and this program refuses to delete what is locked or held; but whoever owns the disk can. Use
a store with object lock where evidence must withstand its own administrator.

Layout: `<root>/<bucket>/<name>@/<version>` with `<version>.lock` beside it once locked or held. "@"
cannot occur in a name, so folders of objects are told from folders of names.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from storage.objects.contract import (
    Bucket,
    MeteredSource,
    ObjectInfo,
    ObjectLocked,
    ObjectMissing,
    ObjectStat,
    StoreFull,
    StoreUnavailable,
    WormStrength,
    checked_name,
    whole_second,
)
from storage.sealing import Readable

_PIECE = 1024 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class _Locks:
    """What stands in the file beside a version."""

    until: datetime | None = None
    held: bool = False

    @classmethod
    def read(cls, path: Path) -> _Locks:
        try:
            kept = json.loads(path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return cls()
        until = kept["until"]
        return cls(datetime.fromisoformat(until) if until else None, kept["held"])

    def dump(self) -> bytes:
        until = self.until.isoformat() if self.until else None
        return json.dumps({"until": until, "held": self.held}).encode()


class FolderStore:
    """Keeps objects under `root`, whole or not at all. Any number of processes may share it."""

    worm_strength = WormStrength.ADVISORY

    def __init__(self, root: Path, *, now: Callable[[], datetime] = _now) -> None:
        self._root = root
        self._incoming = root / ".incoming"
        self._now = now
        self._incoming.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(
        self, bucket: Bucket, name: str, source: Readable | bytes, *, length: int | None = None
    ) -> ObjectInfo:
        """See ObjectStore. Raises StoreFull when the disk is."""
        folder = self._folder(bucket, name)
        metered = MeteredSource(source, length)
        version_id = f"{time.time_ns():016x}{secrets.token_hex(6)}"
        arriving = self._incoming / version_id
        with _disk_errors(metered), _removed_on_failure(arriving):
            _write_durably(arriving, metered)
            self._move_in(arriving, folder / version_id)
        return ObjectInfo(bucket, name, version_id, metered.size, metered.sha256)

    def open_range(
        self, bucket: Bucket, name: str, version_id: str, offset: int, length: int
    ) -> bytes:
        """See ObjectStore."""
        path = self._existing(bucket, name, version_id)
        with _disk_errors(), path.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), length, offset)

    def stat(self, bucket: Bucket, name: str, version_id: str) -> ObjectStat:
        """See ObjectStore."""
        return _stat(bucket, name, self._existing(bucket, name, version_id))

    def delete(self, bucket: Bucket, name: str, version_id: str) -> None:
        """See ObjectStore."""
        try:
            path = self._existing(bucket, name, version_id)
        except ObjectMissing:
            return
        with _disk_errors(), _exclusive(path.parent):
            locks = _Locks.read(_beside(path))
            if locks.held or (locks.until and locks.until > self._now()):
                raise ObjectLocked(name, locks.until)
            path.unlink(missing_ok=True)
            _beside(path).unlink(missing_ok=True)
            _sync_folder(path.parent)
        with contextlib.suppress(OSError):  # other versions are still there
            path.parent.rmdir()

    def lock(self, bucket: Bucket, name: str, version_id: str, until: datetime) -> None:
        """See ObjectStore."""
        until = whole_second(until)
        path = self._existing(bucket, name, version_id)
        with _disk_errors(), _exclusive(path.parent):
            locks = _Locks.read(_beside(path))
            if locks.until and until < locks.until and locks.until > self._now():
                raise ObjectLocked(name, locks.until)
            self._write_locks(path, _Locks(until, locks.held))

    def read_lock(self, bucket: Bucket, name: str, version_id: str) -> datetime | None:
        """See ObjectStore."""
        return _Locks.read(_beside(self._existing(bucket, name, version_id))).until

    def hold(self, bucket: Bucket, name: str, version_id: str, *, on: bool) -> None:
        """See ObjectStore."""
        path = self._existing(bucket, name, version_id)
        with _disk_errors(), _exclusive(path.parent):
            self._write_locks(path, _Locks(_Locks.read(_beside(path)).until, on))

    def read_hold(self, bucket: Bucket, name: str, version_id: str) -> bool:
        """See ObjectStore."""
        return _Locks.read(_beside(self._existing(bucket, name, version_id))).held

    def list(self, bucket: Bucket, prefix: str = "") -> Iterator[ObjectStat]:
        """See ObjectStore."""
        if ".." in prefix:
            raise ValueError(f"not a beginning of names: {prefix!r}")
        base = self._root / bucket
        found = []
        for folder in (base / prefix.rpartition("/")[0]).glob("**/*@"):
            name = folder.relative_to(base).as_posix()[:-1]
            if name.startswith(prefix):
                found.append((name, folder))
        for name, folder in sorted(found):
            yield from _versions(bucket, name, folder)

    def _folder(self, bucket: Bucket, name: str) -> Path:
        return self._root / bucket / f"{checked_name(name)}@"

    def _existing(self, bucket: Bucket, name: str, version_id: str) -> Path:
        path = self._folder(bucket, name) / version_id
        if not version_id.isalnum() or not path.is_file():
            raise ObjectMissing(bucket, name, version_id)
        return path

    def _move_in(self, arriving: Path, place: Path) -> None:
        try:
            _make_folders(place.parent)
            arriving.rename(place)
        except FileNotFoundError:  # a deletion took the empty folder between the two steps
            _make_folders(place.parent)
            arriving.rename(place)
        _sync_folder(place.parent)

    def _write_locks(self, path: Path, locks: _Locks) -> None:
        arriving = self._incoming / f"{path.name}-{secrets.token_hex(6)}"
        dumped = locks.dump()
        with _removed_on_failure(arriving):
            _write_durably(arriving, MeteredSource(dumped, None))
            arriving.rename(_beside(path))
        _sync_folder(path.parent)


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _stat(bucket: Bucket, name: str, path: Path) -> ObjectStat:
    found = path.stat()
    stored_at = datetime.fromtimestamp(found.st_mtime, UTC)
    return ObjectStat(bucket, name, path.name, found.st_size, stored_at)


def _versions(bucket: Bucket, name: str, folder: Path) -> Iterator[ObjectStat]:
    for path in sorted(folder.iterdir(), reverse=True):
        if path.name.isalnum():
            with contextlib.suppress(FileNotFoundError):  # deleted while listing
                yield _stat(bucket, name, path)


def _write_durably(path: Path, source: MeteredSource) -> None:
    """Write, make read-only and force to disk; afterwards only the name is missing."""
    with path.open("xb", buffering=0) as file:
        while piece := source.read(_PIECE):
            view = memoryview(piece)
            while view:
                view = view[file.write(view) :]
        os.fchmod(file.fileno(), 0o400)
        os.fsync(file.fileno())


def _make_folders(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """One process at a time changes the locks of an object or deletes it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _disk_errors(source: MeteredSource | None = None) -> Iterator[None]:
    """Turn a full disk into StoreFull, other trouble of the disk into StoreUnavailable."""
    try:
        yield
    except OSError as error:
        if source and source.failure is error:
            raise
        kind = StoreFull if error.errno in _FULL else StoreUnavailable
        raise kind(str(error)) from error
