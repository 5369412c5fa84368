"""Where the root key lives, a directory of files or a device: opened, filled, recovered here."""

from __future__ import annotations

import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from storage.keyring import (
    KEY_SIZE,
    ROOT_SUFFIX,
    FileRootKey,
    KekRow,
    KeyContext,
    KeyUnusable,
    RootKey,
    RootKeyMissing,
    UnsafeKeyStorage,
    install_root_key,
    new_root_id,
    refuse_others,
    refuse_shared_place,
    unwrap_with,
)
from storage.pkcs11_root import DeviceRootKey, device_root_ids, install_in_device, open_device
from storage.recovery import RootSecret


@dataclass(frozen=True)
class Device:
    """A PKCS#11 device: its library, its token, and the file that holds its PIN."""

    module: Path
    token_label: str
    pin_file: Path

    def pin(self) -> str:
        """The PIN. Raises UnsafeKeyStorage when others could read it."""
        refuse_others(self.pin_file, stat.S_ISREG)
        return self.pin_file.read_text(encoding="utf-8").strip()


@dataclass(frozen=True)
class RootPlace:
    """What the settings say about the root key; `device` is None for the file provider."""

    directory: Path
    forbidden: tuple[Path, ...]
    device: Device | None = None

    def open(self) -> RootKey:
        """The provider. Raises UnsafeKeyStorage, RootKeyMissing."""
        if self.device is None:
            return FileRootKey(self.directory, forbidden=self.forbidden)
        refuse_shared_place(self.device.pin_file.resolve(), self.forbidden)
        return DeviceRootKey(self.device.module, self.device.token_label, self.device.pin_file)

    def ids(self) -> list[str]:
        """The root keys that are there, oldest first."""
        if self.device is None:
            return sorted(
                path.name.removesuffix(ROOT_SUFFIX)
                for path in self.directory.glob(f"*{ROOT_SUFFIX}")
            )
        opened = open_device(self.device.module, self.device.token_label, self.device.pin())
        try:
            return device_root_ids(opened)
        finally:
            opened.close()

    def install(self, secret: RootSecret) -> None:
        """Put a root key in its place. Raises UnsafeKeyStorage, FileExistsError."""
        if self.device is None:
            self._install_file(secret)
            return
        refuse_shared_place(self.device.pin_file.resolve(), self.forbidden)
        opened = open_device(
            self.device.module, self.device.token_label, self.device.pin(), writes=True
        )
        try:
            install_in_device(opened, secret)
        finally:
            opened.close()

    def _install_file(self, secret: RootSecret) -> None:
        refuse_shared_place(self.directory.resolve(), self.forbidden)
        if self.directory.exists():
            refuse_others(self.directory, stat.S_ISDIR)
        install_root_key(self.directory, secret.root_id, secret.key)


def new_root_secret() -> RootSecret:
    """A root key that lies nowhere yet; share it out, install it, forget it."""
    return RootSecret(new_root_id(), secrets.token_bytes(KEY_SIZE))


def opens(secret: RootSecret, row: KekRow) -> bool:
    """Whether a recovered root key opens this KEK, which it wrapped."""
    if row.wrapped is None or row.root_id != secret.root_id:
        return False
    try:
        unwrap_with(secret.key, row.root_id, row.wrapped, row.context)
    except KeyUnusable:
        return False
    return True


class NoRootKey:
    """Stands where a root key is still to be made or recovered; everything else it refuses."""

    def current_id(self) -> str:
        """See RootKey."""
        raise RootKeyMissing("Chưa có khóa gốc / no root key yet: flask keys init | recover")

    def wrap(self, secret: bytes, context: KeyContext) -> bytes:
        """See RootKey."""
        raise UnsafeKeyStorage(self.current_id())

    def unwrap(self, root_id: str, blob: bytes, context: KeyContext) -> bytes:
        """See RootKey."""
        raise UnsafeKeyStorage(self.current_id())
