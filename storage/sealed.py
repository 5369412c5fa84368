"""Sealed objects: a file goes in encrypted from its first byte and comes out range by range.

Sealing and uploading happen outside transactions; the row is added with the change it belongs to.
An object whose row never came is swept later: nothing points to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Protocol
from uuid import UUID

from storage.keyring import KeyContext, WrappedKey
from storage.models import SealedObject
from storage.models.base import new_id
from storage.objects import Bucket, open_sealed
from storage.runtime import runtime
from storage.sealing import SEGMENT_SIZE, SealedReader, SealingSource, SealingWriter

FORMAT = "tink-aes256-gcm-hkdf-v1"
OPEN_CLASS = "open"
"""Class of what belongs to a case that is not completed yet."""


class Source(Protocol):
    """What can be read piece by piece."""

    def read(self, size: int, /) -> bytes: ...


class _HashedSource:
    """Takes the plaintext's SHA-256 on its way into the seal."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.sha256 = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        self.sha256.update(data)
        return data


@dataclass(frozen=True)
class _Seal:
    """What a new object is sealed with."""

    object_id: UUID
    purpose: str
    key: bytes
    wrapped: WrappedKey

    @classmethod
    def new(cls, family: str, klass: str, purpose: str) -> _Seal:
        object_id = new_id()
        key, wrapped = runtime().keyring.new_data_key(
            family, klass, runtime().now().year, KeyContext(purpose, str(object_id))
        )
        return cls(object_id, purpose, key, wrapped)

    @property
    def binding(self) -> str:
        return f"tcd-object|v1|{self.purpose}|{self.object_id}"

    def put(
        self,
        sealed: Source,
        *,
        bucket: Bucket,
        media_type: str,
        lock_until: datetime | None,
        plain: Callable[[], tuple[int, bytes]],
    ) -> SealedObject:
        """Upload, lock, and describe. `plain` gives size and SHA-256 once all was read."""
        name = f"{self.purpose}/{self.object_id}"
        info = runtime().store.put(bucket, name, sealed)
        if lock_until is not None:
            runtime().store.lock(bucket, name, info.version_id, lock_until)
        plain_size, plain_sha256 = plain()
        return SealedObject(
            id=self.object_id,
            bucket=bucket.value,
            name=name,
            version_id=info.version_id,
            format=FORMAT,
            segment_size=SEGMENT_SIZE,
            kid=self.wrapped.kid,
            wrapped_key=self.wrapped.blob,
            associated_data=self.binding,
            plain_size=plain_size,
            plain_sha256=plain_sha256,
            sealed_size=info.size,
            sealed_sha256=bytes.fromhex(info.sha256),
            media_type=media_type,
            retention_until_at=lock_until,
        )


def seal_object(
    source: Source | bytes,
    *,
    bucket: Bucket,
    family: str,
    purpose: str,
    media_type: str,
    klass: str = OPEN_CLASS,
    lock_until: datetime | None = None,
) -> SealedObject:
    """Encrypt `source` into the store; returns a row that the caller adds to its transaction.

    A key of its own per object; associated data binds the object to its id and purpose. Raises
    StoreUnavailable.
    """
    seal = _Seal.new(family, klass, purpose)
    hashed = _HashedSource(BytesIO(source) if isinstance(source, bytes) else source)
    sealing = SealingSource(hashed, seal.key, seal.binding.encode())
    return seal.put(
        sealing,
        bucket=bucket,
        media_type=media_type,
        lock_until=lock_until,
        plain=lambda: (sealing.plain_size, hashed.sha256.digest()),
    )


class SealedSpool:
    """An object written piece by piece: it rests on disk sealed, then goes to the store whole."""

    def __init__(self, folder: Path, *, family: str, purpose: str, klass: str = OPEN_CLASS) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._seal = _Seal.new(family, klass, purpose)
        self._path = folder / f"{self._seal.object_id}.sealed"
        self._file = self._path.open("w+b")
        self._writer = SealingWriter(self._file, self._seal.key, self._seal.binding.encode())
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Seal the next piece."""
        self.sha256.update(data)
        self._writer.write(data)

    def store(
        self, *, bucket: Bucket, media_type: str, lock_until: datetime | None = None
    ) -> SealedObject:
        """Finish and upload; returns the row. Raises StoreUnavailable."""
        self._writer.close()
        self._file.seek(0)
        return self._seal.put(
            self._file,
            bucket=bucket,
            media_type=media_type,
            lock_until=lock_until,
            plain=lambda: (self._writer.plain_size, self.sha256.digest()),
        )

    def discard(self) -> None:
        """Remove the sealed bytes from disk."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def open_object(row: SealedObject) -> SealedReader:
    """A reader over the object, its end proven. Raises SealBroken, ObjectMissing, KeyDestroyed."""
    purpose = row.associated_data.split("|")[2]
    key = runtime().keyring.unwrap(
        WrappedKey(row.kid, row.wrapped_key), KeyContext(purpose, str(row.id))
    )
    return open_sealed(
        runtime().store,
        Bucket(row.bucket),
        row.name,
        row.version_id,
        key=key,
        associated_data=row.associated_data.encode(),
        segment_size=row.segment_size,
    )


def read_object(row: SealedObject) -> bytes:
    """The whole plaintext of a small object."""
    return b"".join(bytes(part) for part in open_object(row).iter_all())
