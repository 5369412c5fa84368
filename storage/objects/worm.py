"""Proof that a store keeps what is locked: tried at every start, shown on the health page."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from storage.objects.contract import (
    Bucket,
    ObjectInfo,
    ObjectLocked,
    ObjectStore,
    WormStrength,
    whole_second,
)

_PREFIX = "selftest/"
_LOCK_S = 120  # long enough for a slow store, short enough to leave nothing behind


@dataclass(frozen=True)
class WormReport:
    """What the store did. `failures` names each promise it broke; empty means all were kept."""

    strength: WormStrength
    failures: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every promise was kept."""
        return not self.failures


def worm_selftest(
    store: ObjectStore,
    bucket: Bucket = Bucket.ORIGINALS,
    *,
    now: datetime | None = None,
    lock_s: int = _LOCK_S,
) -> WormReport:
    """Store a few bytes, lock them and try to break the lock in every way the program could.

    Leaves one small locked object; the next run after its lock ends removes it. Raises
    StoreUnavailable if the store does not answer at all.
    """
    now = now or datetime.now(UTC)
    _sweep(store, bucket, now)
    marker = secrets.token_bytes(32)
    kept = store.put(bucket, f"{_PREFIX}{secrets.token_hex(16)}", marker)
    until = whole_second(now + timedelta(seconds=lock_s))
    store.lock(bucket, kept.name, kept.version_id, until)
    checks: dict[str, Callable[[], bool]] = {
        "lock-reads-back": lambda: store.read_lock(bucket, kept.name, kept.version_id) == until,
        "delete-refused": lambda: _refused(
            lambda: store.delete(bucket, kept.name, kept.version_id)
        ),
        "shortening-refused": lambda: _refused(
            lambda: store.lock(bucket, kept.name, kept.version_id, now + timedelta(seconds=30))
        ),
        "still-readable": lambda: _readable(store, kept, marker),
    }
    failures = tuple(promise for promise, holds in checks.items() if not holds())
    return WormReport(store.worm_strength, failures)


def _refused(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except ObjectLocked:
        return True
    return False


def _readable(store: ObjectStore, kept: ObjectInfo, marker: bytes) -> bool:
    held = {found.version_id for found in store.list(kept.bucket, kept.name)}
    if kept.version_id not in held:
        return False
    read = store.open_range(kept.bucket, kept.name, kept.version_id, 0, len(marker))
    return read == marker


def _sweep(store: ObjectStore, bucket: Bucket, now: datetime) -> None:
    for found in list(store.list(bucket, _PREFIX)):
        until = store.read_lock(bucket, found.name, found.version_id)
        if until is None or until < now:
            store.delete(bucket, found.name, found.version_id)
