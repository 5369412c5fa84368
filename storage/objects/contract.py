"""What every object store promises. Objects arrive sealed: no store is trusted with secrets."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from storage.sealing import SEGMENT_SIZE, Readable, SealedReader
from workflows.errors import DomainError, Unavailable

_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_LONGEST_NAME = 900


class Bucket(StrEnum):
    """The kinds of objects, kept apart because their locks differ."""

    ORIGINALS = "originals"  # masters and manifests: locked for years
    CHUNKS = "chunks"  # live chunks: short lock, deleted after the masters are verified
    FILES = "files"  # attachments, scans, issued documents
    AUDIT = "audit"  # checkpoints and time-stamps


class WormStrength(StrEnum):
    """Who keeps a locked object from being deleted."""

    SERVER = "server"  # the store refuses whoever asks through its interface
    ADVISORY = "advisory"  # this program refuses; the owner of the disk is not stopped


@dataclass(frozen=True)
class ObjectInfo:
    """What was just stored. `sha256` (hexadecimal) was taken from the bytes on their way in."""

    bucket: Bucket
    name: str
    version_id: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ObjectStat:
    """What the store says it holds; `stored_at` is its own clock, aware UTC."""

    bucket: Bucket
    name: str
    version_id: str
    size: int
    stored_at: datetime


class ObjectMissing(DomainError):
    """The store has no such version of this object."""

    def __init__(self, bucket: Bucket, name: str, version_id: str) -> None:
        super().__init__("Kho không còn tệp này. Báo quản trị để khôi phục từ bản sao lưu.")
        self.bucket, self.name, self.version_id = bucket, name, version_id


class ObjectLocked(DomainError):
    """Deleting or shortening was refused: the object is locked until `until` or held."""

    def __init__(self, name: str, until: datetime | None) -> None:
        super().__init__(
            "Tệp đang được khóa lưu giữ nên không xóa và không rút ngắn thời hạn được. "
            "Chờ hết thời hạn khóa hoặc gỡ lệnh giữ rồi thử lại."
        )
        self.name, self.until = name, until


class StoreUnavailable(Unavailable):
    """The store does not answer or refuses; what is recorded waits in the spool."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "Kho lưu trữ đang không nhận hoặc không trả tệp. Việc ghi hình vẫn chạy tiếp; "
            "chờ ít phút rồi thử lại, nếu vẫn vậy thì báo quản trị."
        )
        self.detail = detail


class StoreFull(StoreUnavailable):
    """The store has no room left; nothing was stored."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.message = "Kho lưu trữ đã đầy. Báo quản trị thêm dung lượng rồi thử lại."


class SourceTooShort(DomainError):
    """The source ended before the promised length; nothing was stored."""

    def __init__(self, promised: int, got: int) -> None:
        super().__init__("Tệp gửi lên bị đứt giữa chừng. Gửi lại tệp này.")
        self.promised, self.got = promised, got


class ObjectStore(Protocol):
    """Versioned objects with locks. Every method may raise StoreUnavailable."""

    worm_strength: WormStrength

    def put(
        self, bucket: Bucket, name: str, source: Readable | bytes, *, length: int | None = None
    ) -> ObjectInfo:
        """Store a new version, whole or not at all; durable when this returns.

        Names are paths of letters, digits, ".", "_" and "-". A name must not be the folder of
        another one ("a" beside "a/b"): MinIO would leave the longer out of its lists.

        `length` may be unknown; given, exactly so many bytes are taken (else SourceTooShort).
        An error of the source passes through and nothing is stored.
        """
        ...

    def open_range(
        self, bucket: Bucket, name: str, version_id: str, offset: int, length: int
    ) -> bytes:
        """The bytes [offset, offset + length), fewer beyond the end. Raises ObjectMissing."""
        ...

    def stat(self, bucket: Bucket, name: str, version_id: str) -> ObjectStat:
        """What is held. Raises ObjectMissing."""
        ...

    def delete(self, bucket: Bucket, name: str, version_id: str) -> None:
        """Remove this version for good; one that is gone already is fine. Raises ObjectLocked."""
        ...

    def lock(self, bucket: Bucket, name: str, version_id: str, until: datetime) -> None:
        """Refuse deletion until then (UTC, kept to the second, rounded up), proven by reading back.

        A lock may be extended, never shortened: that raises ObjectLocked.
        """
        ...

    def read_lock(self, bucket: Bucket, name: str, version_id: str) -> datetime | None:
        """The end of the lock as the store tells it, past or not; None if there never was one."""
        ...

    def hold(self, bucket: Bucket, name: str, version_id: str, *, on: bool) -> None:
        """Set or lift the legal hold: while it is on, deletion is refused without end."""
        ...

    def read_hold(self, bucket: Bucket, name: str, version_id: str) -> bool:
        """Whether the legal hold is on."""
        ...

    def list(self, bucket: Bucket, prefix: str = "") -> Iterator[ObjectStat]:
        """Every version of every object whose name starts with `prefix`: by name, newest first."""
        ...


class MeteredSource:
    """Counts and hashes what a store takes in, and stops at the promised length."""

    def __init__(self, source: Readable | bytes, length: int | None) -> None:
        self._source = io.BytesIO(source) if isinstance(source, bytes) else source
        self._promised = len(source) if length is None and isinstance(source, bytes) else length
        self._digest = hashlib.sha256()
        self.size = 0
        self.failure: Exception | None = None  # what the source itself raised

    @property
    def promised(self) -> int | None:
        """The length if it is known beforehand."""
        return self._promised

    def read(self, size: int = -1) -> bytes:
        """Up to `size` more bytes. Raises SourceTooShort at an end before the promised length."""
        if self._promised is not None:
            left = self._promised - self.size
            size = left if size < 0 else min(size, left)
        if size == 0:
            return b""
        data = self._read_source(size)
        self._digest.update(data)
        self.size += len(data)
        if not data and self._promised is not None:
            raise SourceTooShort(self._promised, self.size)
        return data

    def _read_source(self, size: int) -> bytes:
        try:
            return self._source.read(size)
        except Exception as error:
            self.failure = error
            raise

    @property
    def sha256(self) -> str:
        """SHA-256 of everything read so far, hexadecimal."""
        return self._digest.hexdigest()


def checked_name(name: str) -> str:
    """`name` if it is safe as a key and as a path. Raises ValueError."""
    if len(name) > _LONGEST_NAME or not all(map(_SEGMENT.fullmatch, name.split("/"))):
        raise ValueError(f"not a name for an object: {name!r}")
    return name


def whole_second(moment: datetime) -> datetime:
    """`moment` in UTC rounded up to a full second, as locks are kept."""
    if moment.tzinfo is None:
        raise ValueError("a lock ends at an aware time")
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=0) + timedelta(seconds=1 if utc.microsecond else 0)


def open_sealed(
    store: ObjectStore,
    bucket: Bucket,
    name: str,
    version_id: str,
    *,
    key: bytes,
    associated_data: bytes,
    segment_size: int = SEGMENT_SIZE,
) -> SealedReader:
    """A reader over a sealed object, its end proven. Raises SealBroken, ObjectMissing."""
    size = store.stat(bucket, name, version_id).size

    def read_range(offset: int, length: int) -> bytes:
        return store.open_range(bucket, name, version_id, offset, length)

    reader = SealedReader(read_range, size, key, associated_data, segment_size=segment_size)
    reader.check_end()
    return reader
