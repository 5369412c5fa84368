"""What this process runs with: settings, engine, keys and the object store, set once at start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

if TYPE_CHECKING:
    from storage.keyring import FieldCipher, Keyring
    from storage.objects import ObjectStore
    from storage.timestamps import Authority


@dataclass(frozen=True)
class Runtime:
    """The outside world as `storage/` sees it; made by the app factory."""

    engine: Engine
    keyring: Keyring
    fields: FieldCipher
    store: ObjectStore
    spool_dir: Path
    data_dir: Path
    key_dir: Path
    now: Callable[[], datetime]  # real UTC
    legal_now: Callable[[], datetime]  # moved by the demo clock; for legal dates and gates only
    authority: Authority | None = None  # time-stamps of checkpoints


class NotConfigured(RuntimeError):
    """Storage was used before the app factory configured it."""


_current: list[Runtime] = []


def configure(new: Runtime) -> None:
    """Set the runtime of this process; the newest one counts."""
    _current[:] = [new]


def runtime() -> Runtime:
    """The runtime of this process. Raises NotConfigured before `configure`."""
    if not _current:
        raise NotConfigured("storage is used before configure()")
    return _current[0]
