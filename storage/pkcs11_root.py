"""The root key in a device: PKCS#11, AES-256-GCM, the key marked as never leaving it.

The device is found by module, token and a file with its PIN. Wrapping binds to the same context as
the file provider does, so that a wrapped key moved to another record is refused by the device.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any, Protocol, cast

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import (
    DeviceRemoved,
    EncryptedDataInvalid,
    FunctionFailed,
    GeneralError,
    NoSuchKey,
    NoSuchToken,
    PKCS11Error,
    SessionHandleInvalid,
    UserAlreadyLoggedIn,
    UserNotLoggedIn,
)
from pkcs11.mechanisms import GCMParams

from storage.keyring import (
    NONCE_SIZE,
    TAG_SIZE,
    VERSION,
    KeyContext,
    KeyUnusable,
    RootKeyMissing,
    UnsafeKeyStorage,
    refuse_others,
)
from storage.recovery import RootSecret

ID_PREFIX = "root-"
_REFUSED = (EncryptedDataInvalid, FunctionFailed, GeneralError)
_CUT_OFF = (SessionHandleInvalid, UserNotLoggedIn, DeviceRemoved)


class _DeviceKey(Protocol):
    """What the library's secret keys can do; its own types do not say so."""

    def encrypt(self, data: bytes, *, mechanism: Mechanism, mechanism_param: GCMParams) -> bytes:
        """Let the device encrypt."""
        ...

    def decrypt(self, data: bytes, *, mechanism: Mechanism, mechanism_param: GCMParams) -> bytes:
        """Let the device decrypt."""
        ...


class DeviceRootKey:
    """Root keys as secret objects of one token; the newest label is current.

    Safe between threads: a device does one thing at a time. A process that was forked opens the
    device anew. Raises UnsafeKeyStorage when module, token, PIN or key is missing.
    """

    def __init__(self, module: Path, token_label: str, pin_file: Path) -> None:
        refuse_others(pin_file, stat.S_ISREG)
        self._module, self._token_label = module, token_label
        self._pin = pin_file.read_text(encoding="utf-8").strip()
        self._lock = threading.RLock()
        self._opened: tuple[int, pkcs11.Session] | None = None
        if not self.ids():
            raise RootKeyMissing(f"Thiết bị không có khóa gốc / no root key in {token_label}")

    def ids(self) -> list[str]:
        """The root keys that the device holds."""
        with self._lock:
            try:
                return device_root_ids(self._device())
            except _CUT_OFF:
                self._opened = None
                return device_root_ids(self._device())

    def current_id(self) -> str:
        """See RootKey."""
        return max(self.ids())

    def wrap(self, secret: bytes, context: KeyContext) -> bytes:
        """See RootKey."""
        with self._lock:
            root_id = self.current_id()
            nonce = os.urandom(NONCE_SIZE)
            sealed = self._key(root_id).encrypt(secret, **_gcm(nonce, context.bound_to(root_id)))
        return bytes([VERSION]) + nonce + bytes(sealed)

    def unwrap(self, root_id: str, blob: bytes, context: KeyContext) -> bytes:
        """See RootKey."""
        if len(blob) < 1 + NONCE_SIZE + TAG_SIZE or blob[0] != VERSION:
            raise KeyUnusable(root_id)
        nonce, sealed = blob[1 : 1 + NONCE_SIZE], blob[1 + NONCE_SIZE :]
        try:
            with self._lock:
                key = self._key(root_id)
                return bytes(key.decrypt(sealed, **_gcm(nonce, context.bound_to(root_id))))
        except _REFUSED:
            raise KeyUnusable(root_id) from None

    def _key(self, root_id: str) -> _DeviceKey:
        try:
            return _find(self._device(), root_id)
        except _CUT_OFF:  # pulled and put back, or logged out: open it anew
            self._opened = None
            return _find(self._device(), root_id)

    def _device(self) -> pkcs11.Session:
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                found = open_device(
                    self._module, self._token_label, self._pin, forked=self._opened is not None
                )
                self._opened = (os.getpid(), found)
            return self._opened[1]


def open_device(
    module: Path, token_label: str, pin: str, *, forked: bool = False, writes: bool = False
) -> pkcs11.Session:
    """Log in to a token. Raises UnsafeKeyStorage saying what is missing."""
    try:
        library = pkcs11.lib(str(module))
        if forked:
            library.reinitialize()
        token = library.get_token(token_label=token_label)
        try:
            return token.open(user_pin=pin, rw=writes)
        except UserAlreadyLoggedIn:  # one log-in counts for the whole process
            return token.open(rw=writes)
    except NoSuchToken:
        raise UnsafeKeyStorage(f"Không thấy thiết bị {token_label} / no such token") from None
    except (PKCS11Error, RuntimeError) as error:
        raise UnsafeKeyStorage(
            f"Không mở được thiết bị khóa / device does not open: {type(error).__name__}"
        ) from None


def install_in_device(device: pkcs11.Session, secret: RootSecret) -> None:
    """Put a root key into a token opened for writing, so that it never comes out again.

    It came from outside because its recovery shares had to be made first. Raises UnsafeKeyStorage
    when the device holds it already.
    """
    if secret.root_id in device_root_ids(device):
        raise UnsafeKeyStorage(f"Thiết bị đã có khóa {secret.root_id} / already in the device")
    device.create_object(
        {
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.KEY_TYPE: KeyType.AES,
            Attribute.VALUE: secret.key,
            Attribute.LABEL: secret.root_id,
            Attribute.TOKEN: True,
            Attribute.PRIVATE: True,
            Attribute.SENSITIVE: True,
            Attribute.EXTRACTABLE: False,
            Attribute.MODIFIABLE: False,
            Attribute.ENCRYPT: True,
            Attribute.DECRYPT: True,
        }
    )


def device_root_ids(device: pkcs11.Session) -> list[str]:
    """The labels of the root keys in a token."""
    wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: KeyType.AES}
    labels = [str(found[Attribute.LABEL]) for found in device.get_objects(wanted)]
    return sorted(label for label in labels if label.startswith(ID_PREFIX))


def _gcm(nonce: bytes, associated_data: bytes) -> dict[str, Any]:
    parameters = GCMParams(nonce, associated_data, TAG_SIZE * 8)
    return {"mechanism": Mechanism.AES_GCM, "mechanism_param": parameters}


def _find(device: pkcs11.Session, root_id: str) -> _DeviceKey:
    try:
        found = device.get_key(object_class=ObjectClass.SECRET_KEY, label=root_id)
    except NoSuchKey:
        raise KeyUnusable(root_id) from None
    return cast(_DeviceKey, found)
