"""Checkpoints leave the database: signed by a key beside the root key, in the locked bucket."""

from __future__ import annotations

import os
from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from storage.database import reading, unit_of_work
from storage.models import Checkpoint
from storage.objects import Bucket
from storage.runtime import runtime

KEY_FILE = "audit-ed25519.pem"
LOCK = timedelta(days=365)


def signing_key() -> Ed25519PrivateKey:
    """The key of checkpoints; made on first use, readable by its owner alone."""
    path = runtime().key_dir / KEY_FILE
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
    if path.stat().st_mode & 0o077:
        raise PermissionError(f"{KEY_FILE} must be readable by its owner alone")
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{KEY_FILE} is not an Ed25519 key")
    return key


def deposit(checkpoint_id: UUID) -> None:
    """Write the note to the audit bucket and lock it for a year; safe to run twice."""
    with reading() as work:
        point = work.get(Checkpoint, checkpoint_id)
    if point.version_id:
        return
    store = runtime().store
    name = f"checkpoints/{point.size:012d}-{point.id}.txt"
    info = store.put(Bucket.AUDIT, name, point.note.encode())
    store.lock(Bucket.AUDIT, name, info.version_id, runtime().now() + LOCK)
    with unit_of_work() as work:
        kept = work.get(Checkpoint, checkpoint_id)
        kept.bucket, kept.name, kept.version_id = Bucket.AUDIT.value, name, info.version_id
