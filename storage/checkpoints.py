"""Checkpoints leave the database: signed, time-stamped, in the locked bucket, with a witness.

A checkpoint states size and root of the audit tree. Once a note lies outside, neither editing the
log nor setting the database back goes unseen: `compare_with_outside` and `verify` find it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.audit import (
    TREE_ID,
    AuditBroken,
    canonical,
    make_checkpoint,
    read_checkpoint,
    root_at,
)
from storage.database import reading, unit_of_work
from storage.models import AuditTree, Checkpoint
from storage.objects import Bucket, ObjectStat
from storage.proofs import consistency_proof, inclusion_proof
from storage.runtime import runtime
from storage.timestamps import NoStamp, StampWrong

KEY_FILE = "audit-ed25519.pem"
LOCK = timedelta(days=365)
EVERY = timedelta(hours=1)
PREFIX = "checkpoints/"


def signing_key() -> Ed25519PrivateKey:
    """The key of checkpoints; made on first use, readable by its owner alone."""
    path = runtime().key_dir / KEY_FILE
    if not path.exists():
        _make_key(path)
    if path.stat().st_mode & 0o077:
        raise PermissionError(f"{KEY_FILE} must be readable by its owner alone")
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{KEY_FILE} is not an Ed25519 key")
    return key


def _make_key(path: Path) -> None:
    """Write a new key whole or not at all; of two processes the first one's stays."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    arriving = path.with_name(f".{KEY_FILE}-{secrets.token_hex(6)}")
    handle = os.open(arriving, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(arriving, path)
    finally:
        arriving.unlink()


def public_key_pem() -> str:
    """The public key of checkpoints, for whoever checks them elsewhere."""
    return (
        signing_key()
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


# --- making ------------------------------------------------------------------------------------


def checkpoint_now() -> Checkpoint:
    """Sign the tree as it is, have it time-stamped, lock it away."""
    with unit_of_work() as work:
        point = make_checkpoint(work.db_session, signing_key())
    return deposit(point.id)


def checkpoint_if_due() -> Checkpoint | None:
    """A checkpoint when the tree grew and the last is an hour old; any number of workers may ask.

    The tree's row is locked while they look, so only one makes it.
    """
    with unit_of_work() as work:
        tree = work.get_for_update(AuditTree, TREE_ID)
        last = work.db_session.scalar(
            select(Checkpoint).order_by(Checkpoint.created_at.desc()).limit(1)
        )
        grew = tree.size > (last.size if last else 0)
        if not grew or (last and runtime().now() - last.created_at < EVERY):
            return None
        point = make_checkpoint(work.db_session, signing_key())
    return deposit(point.id)


def deposit_waiting() -> int:
    """Lock away and time-stamp what could not be when it was made; how many were tried."""
    unfinished = Checkpoint.version_id == ""
    if runtime().authority is not None:
        unfinished = unfinished | Checkpoint.time_stamp.is_(None)
    with reading() as work:
        ids = work.db_session.scalars(
            select(Checkpoint.id).where(unfinished).order_by(Checkpoint.size.desc()).limit(24)
        ).all()
    for point_id in ids:
        deposit(point_id)
    return len(ids)


def deposit(checkpoint_id: UUID) -> Checkpoint:
    """Write note and time-stamp to the audit bucket, locked for a year; safe to run twice.

    Without an answer of the authority the note goes out alone and is stamped later.
    """
    with reading() as work:
        point = work.get(Checkpoint, checkpoint_id)
    stamp = point.time_stamp or _stamp(point.note)
    name = f"{PREFIX}{point.size:012d}-{point.id}"
    version = point.version_id or _lock_away(f"{name}.txt", point.note.encode())
    if stamp is not None and point.time_stamp is None:
        _lock_away(f"{name}.tsr", stamp)
    with unit_of_work() as work:
        kept = work.get_for_update(Checkpoint, checkpoint_id)
        kept.bucket, kept.name, kept.version_id = Bucket.AUDIT.value, f"{name}.txt", version
        kept.time_stamp = stamp
    return kept


def _stamp(note: str) -> bytes | None:
    authority = runtime().authority
    if authority is None:
        return None
    try:
        return authority.stamp(note.encode())
    except (NoStamp, StampWrong):
        return None


def _lock_away(name: str, data: bytes) -> str:
    store = runtime().store
    info = store.put(Bucket.AUDIT, name, data)
    store.lock(Bucket.AUDIT, name, info.version_id, runtime().now() + LOCK)
    return info.version_id


# --- comparing ---------------------------------------------------------------------------------


def outside_notes(*, newest_only: bool = False) -> list[str]:
    """The notes in locked storage, the newest first; the database is not asked."""
    notes = sorted(_stored_notes(), key=lambda found: found.name, reverse=True)
    store = runtime().store
    return [
        store.open_range(Bucket.AUDIT, note.name, note.version_id, 0, note.size).decode()
        for note in (notes[:1] if newest_only else notes)
    ]


def _stored_notes() -> Iterator[ObjectStat]:
    for found in runtime().store.list(Bucket.AUDIT, PREFIX):
        if found.name.endswith(".txt"):
            yield found


def compare_with_outside(db_session: Session, notes: list[str]) -> int:
    """Hold the tree against notes from outside; its size. Raises AuditBroken.

    Costs a few look-ups a note: done at every start. A database set back to an older state is
    shorter than the newest note; a rewritten one has another root at its size.
    """
    key = signing_key().public_key()
    tree = db_session.get(AuditTree, TREE_ID)
    size = tree.size if tree else 0
    for note in notes:
        _compare(db_session, size, note, key)
    return size


def _compare(db_session: Session, size: int, note: str, key: Ed25519PublicKey) -> None:
    try:
        told, root = read_checkpoint(note, key)
    except (InvalidSignature, ValueError):
        raise AuditBroken("chữ ký của điểm chốt bên ngoài không đúng") from None
    if told > size:
        raise AuditBroken(
            f"nhật ký chỉ có {size} dòng, điểm chốt bên ngoài đã ghi {told}: "
            "cơ sở dữ liệu bị lùi về bản cũ",
            size,
        )
    if root_at(db_session, told) != root:
        raise AuditBroken(f"nhật ký bị viết lại: gốc tại {told} dòng khác điểm chốt bên ngoài")


# --- witness -----------------------------------------------------------------------------------


def export_for_witness(folder: Path, *, since: int = 0) -> dict[str, Any]:
    """Write the newest checkpoint for a second level: note, time-stamp, public key, consistency.

    `since` is the size that the witness kept last; the proof shows that nothing before it changed.
    Raises AuditBroken when there is no checkpoint yet or the log is shorter than `since`.
    """
    with reading() as work:
        point = work.db_session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
        if point is None or point.size < since:
            raise AuditBroken(f"chưa có điểm chốt nào từ {since} dòng trở lên")
        proof = {
            "old_size": since,
            "old_root": root_at(work.db_session, since).hex(),
            "new_size": point.size,
            "new_root": point.root.hex(),
            "proof": [part.hex() for part in consistency_proof(work.db_session, since, point.size)],
        }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checkpoint.txt").write_text(point.note, encoding="utf-8")
    (folder / "consistency.json").write_text(canonical(proof), encoding="utf-8")
    (folder / "public-key.pem").write_text(public_key_pem(), encoding="ascii")
    if point.time_stamp:
        (folder / "checkpoint.tsr").write_bytes(point.time_stamp)
    return {"size": point.size, "since": since, "stamped": point.time_stamp is not None, **proof}


def proof_of_event(db_session: Session, leaf_index: int) -> tuple[Checkpoint, list[bytes]] | None:
    """The first checkpoint over a leaf and the path to its root; None until there is one."""
    point = db_session.scalar(
        select(Checkpoint)
        .where(Checkpoint.size > leaf_index)
        .order_by(Checkpoint.size, Checkpoint.created_at)
        .limit(1)
    )
    return None if point is None else (point, inclusion_proof(db_session, leaf_index, point.size))


def proof_document(body: str, index: int, point: Checkpoint, path: list[bytes]) -> dict[str, Any]:
    """Everything that `tools/verify_proof.py` needs to prove one event without this system."""
    return {
        "leaf": json.loads(body),
        "leaf_body": body,
        "leaf_index": index,
        "tree_size": point.size,
        "path": [part.hex() for part in path],
        "checkpoint": point.note,
        "time_stamp": point.time_stamp.hex() if point.time_stamp else None,
        "public_key": public_key_pem(),
    }
