"""Sealed objects: a file goes in encrypted from its first byte and comes out range by range.

Sealing and uploading happen outside transactions; the row is added with the change it belongs to.
An object whose row never came is swept later: nothing points to it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from io import BytesIO
from typing import Protocol

from storage.keyring import KeyContext, WrappedKey
from storage.models import SealedObject
from storage.models.base import new_id
from storage.objects import Bucket, open_sealed
from storage.runtime import runtime
from storage.sealing import SEGMENT_SIZE, SealedReader, SealingSource

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
    object_id = new_id()
    key, wrapped = runtime().keyring.new_data_key(
        family, klass, runtime().now().year, KeyContext(purpose, str(object_id))
    )
    binding = f"tcd-object|v1|{purpose}|{object_id}"
    hashed = _HashedSource(BytesIO(source) if isinstance(source, bytes) else source)
    sealing = SealingSource(hashed, key, binding.encode())
    name = f"{purpose}/{object_id}"
    info = runtime().store.put(bucket, name, sealing)
    if lock_until is not None:
        runtime().store.lock(bucket, name, info.version_id, lock_until)
    return SealedObject(
        id=object_id,
        bucket=bucket.value,
        name=name,
        version_id=info.version_id,
        format=FORMAT,
        segment_size=SEGMENT_SIZE,
        kid=wrapped.kid,
        wrapped_key=wrapped.blob,
        associated_data=binding,
        plain_size=sealing.plain_size,
        plain_sha256=hashed.sha256.digest(),
        sealed_size=info.size,
        sealed_sha256=bytes.fromhex(info.sha256),
        media_type=media_type,
        retention_until_at=lock_until,
    )


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
