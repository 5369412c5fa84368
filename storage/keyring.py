"""Keys: one root key wraps key-encryption keys, these wrap data keys, data keys seal objects.

A key-encryption key (KEK) stands for a family, a retention class and a year, so that destroying it
shreds exactly what was due. Only wrapped keys are stored; a wrapped key is bound by its associated
data to what it is for, so moving it to another record makes it useless.

A wrapped key is `version | nonce | AES-256-GCM`; a personal field is
`version | length of kid | kid | nonce | AES-256-GCM`. Key ids are public.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from workflows.errors import DomainError

KEY_SIZE = 32
NONCE_SIZE = 12
TAG_SIZE = 16
VERSION = 1
INDEX_SIZE = 16
INDEX_VERSION = 1
CACHE_S = 60  # after a KEK is destroyed or replaced, every process has forgotten it this much later
PERSONAL_CLASS = "standing"
ROOT_SUFFIX = ".key"


class Family(StrEnum):
    """What kind of thing a KEK protects. Families never share a KEK."""

    RECORDINGS = "recordings"
    PERSONAL = "personal"
    PETITIONS = "petitions"
    DENUNCIATIONS = "denunciations"
    DOCUMENTS = "documents"
    INDEX = "index"


class UnsafeKeyStorage(RuntimeError):
    """The root key lies where others could read it, or is not there. Stops the start."""


class RootKeyMissing(UnsafeKeyStorage):
    """There is no root key yet, or no longer: `flask keys init` or `flask keys recover`."""


class KeyUnusable(DomainError):
    """A wrapped key or field does not open: another record's, another key's, or changed."""

    def __init__(self, kid: str) -> None:
        super().__init__(
            "Không mở được dữ liệu mã hóa vì khóa không khớp. Báo quản trị kiểm tra kho khóa."
        )
        self.kid = kid


class KeyDestroyed(DomainError):
    """The KEK was destroyed on purpose: what it protected cannot be read by anybody any more."""

    def __init__(self, kid: str) -> None:
        super().__init__(
            "Dữ liệu này đã được tiêu hủy theo thời hạn lưu giữ nên không mở lại được. "
            "Xem giấy chứng nhận tiêu hủy."
        )
        self.kid = kid


class DataKey(bytes):
    """32 secret bytes that do not show themselves in logs and tracebacks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "DataKey(<secret>)"

    __str__ = __repr__


@dataclass(frozen=True)
class WrappedKey:
    """A data key as it is stored: who wrapped it, and the wrapped bytes."""

    kid: str
    blob: bytes


@dataclass(frozen=True)
class KeyContext:
    """What a data key is for: `purpose` such as "master", and the id of the object it seals."""

    purpose: str
    object_id: str

    def __post_init__(self) -> None:
        if not self.purpose or not self.object_id or "|" in self.purpose + self.object_id:
            raise ValueError("purpose and object id are not empty and hold no '|'")

    def bound_to(self, kid: str) -> bytes:
        """The associated data under which `kid` wraps."""
        return f"tcd-key|v{VERSION}|{self.purpose}|{self.object_id}|{kid}".encode()


@dataclass(frozen=True)
class KekRow:
    """A wrapped KEK as a row keeps it; `wrapped` is None once it was destroyed."""

    kid: str
    family: str
    klass: str
    year: int
    generation: int
    root_id: str
    wrapped: bytes | None = field(repr=False)

    @property
    def context(self) -> KeyContext:
        """What binds the wrapped KEK to this very row."""
        place = f"{self.family}/{self.klass}/{self.year}/{self.generation}"
        return KeyContext("kek", f"{self.kid}/{place}")


class KeyRows(Protocol):
    """Where wrapped KEKs are kept. Each call commits by itself, apart from any business change."""

    def current_kek(self, family: str, klass: str, year: int) -> KekRow | None:
        """The KEK of highest generation, living or destroyed, if any."""
        ...

    def add_kek(self, row: KekRow) -> KekRow:
        """Keep the row and give it back, or the one that another process kept just before.

        (family, klass, year, generation) is unique.
        """
        ...

    def get(self, kid: str) -> KekRow | None:
        """The row of this KEK, living or destroyed."""
        ...


class RootKey(Protocol):
    """What protects the KEKs: a file, or a device that never gives its key away."""

    def current_id(self) -> str:
        """The id of the root key that wraps from now on."""
        ...

    def wrap(self, secret: bytes, context: KeyContext) -> bytes:
        """Wrap under the current root key."""
        ...

    def unwrap(self, root_id: str, blob: bytes, context: KeyContext) -> bytes:
        """Unwrap with that root key. Raises KeyUnusable."""
        ...


def _wrap(key: bytes, secret: bytes, associated_data: bytes) -> bytes:
    nonce = os.urandom(NONCE_SIZE)
    return bytes([VERSION]) + nonce + AESGCM(key).encrypt(nonce, secret, associated_data)


def _unwrap(key: bytes, kid: str, blob: bytes, associated_data: bytes) -> bytes:
    if len(blob) < 1 + NONCE_SIZE + TAG_SIZE or blob[0] != VERSION:
        raise KeyUnusable(kid)
    nonce, sealed = blob[1 : 1 + NONCE_SIZE], blob[1 + NONCE_SIZE :]
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated_data)
    except InvalidTag:
        raise KeyUnusable(kid) from None


def _derive(key: bytes, label: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_SIZE, salt=None, info=label.encode()).derive(key)


def new_root_id() -> str:
    """An id for a new root key; later ones sort after earlier ones."""
    return f"root-{time.time_ns():020d}-{secrets.token_hex(4)}"


def create_root_key(directory: Path) -> str:
    """Make a new root key file, readable by its owner alone, and give its id. It becomes current.

    Older root keys stay: they still open what they wrapped. This one has no recovery shares.
    """
    root_id = new_root_id()
    install_root_key(directory, root_id, secrets.token_bytes(KEY_SIZE))
    return root_id


def install_root_key(directory: Path, root_id: str, key: bytes) -> None:
    """Write a root key as a file of its owner's alone. Raises FileExistsError."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(
        directory / f"{root_id}{ROOT_SUFFIX}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400
    )
    with os.fdopen(handle, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())


class FileRootKey:
    """Root keys as files `<id>.key` in a directory of their owner's alone; the newest is current.

    `forbidden` are folders that get copied, backed up or published: data and source code. Raises
    UnsafeKeyStorage when the place is not safe or holds no key.
    """

    def __init__(self, directory: Path, *, forbidden: Iterable[Path] = ()) -> None:
        directory = directory.resolve()
        refuse_shared_place(directory, forbidden)
        refuse_others(directory, stat.S_ISDIR)
        self._directory = directory
        self._keys = _read_root_keys(directory)
        if not self._keys:
            raise RootKeyMissing(f"Không có khóa gốc / no root key in {directory}")

    def current_id(self) -> str:
        """See RootKey."""
        return max(self._keys)

    def wrap(self, secret: bytes, context: KeyContext) -> bytes:
        """See RootKey."""
        root_id = self.current_id()
        return _wrap(self._keys[root_id], secret, context.bound_to(root_id))

    def unwrap(self, root_id: str, blob: bytes, context: KeyContext) -> bytes:
        """See RootKey."""
        if root_id not in self._keys:  # another process may have changed the root key meanwhile
            self._keys = _read_root_keys(self._directory) or self._keys
        if root_id not in self._keys:
            raise KeyUnusable(root_id)
        return unwrap_with(self._keys[root_id], root_id, blob, context)


def unwrap_with(key: bytes, root_id: str, blob: bytes, context: KeyContext) -> bytes:
    """Unwrap with a root key that is at hand. Raises KeyUnusable."""
    return _unwrap(key, root_id, blob, context.bound_to(root_id))


def refuse_shared_place(directory: Path, forbidden: Iterable[Path]) -> None:
    """Raises UnsafeKeyStorage when the directory lies in one that is copied or published."""
    for folder in forbidden:
        if directory.is_relative_to(folder.resolve()):
            raise UnsafeKeyStorage(
                f"Khóa gốc không được nằm trong {folder} / root key inside {folder}: {directory}"
            )


def refuse_others(path: Path, is_right_kind: Callable[[int], bool]) -> None:
    """Raises UnsafeKeyStorage unless the path is its owner's alone."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        raise RootKeyMissing(f"Không có {path} / {path} is missing") from None
    if not is_right_kind(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise UnsafeKeyStorage(
            f"Chỉ chủ sở hữu được đọc {path} / {path} must be its owner's and readable by no other"
        )


def _read_root_keys(directory: Path) -> dict[str, bytes]:
    return {
        path.name.removesuffix(ROOT_SUFFIX): _read_root_key(path)
        for path in sorted(directory.glob(f"*{ROOT_SUFFIX}"))
    }


def _read_root_key(path: Path) -> bytes:
    refuse_others(path, stat.S_ISREG)
    key = path.read_bytes()
    if len(key) != KEY_SIZE:
        raise UnsafeKeyStorage(f"Khóa gốc hỏng / not a root key of {KEY_SIZE} bytes: {path}")
    return key


class _Recent:
    """Secrets kept for a short time, so that a destroyed key is soon forgotten everywhere."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: dict[tuple[object, ...], tuple[float, object]] = {}
        self._lock = threading.Lock()

    def get(self, *key: object) -> object | None:
        with self._lock:
            until, value = self._kept.get(key, (0.0, None))
            if until > time.monotonic():
                return value
            self._kept.pop(key, None)
            return None

    def put(self, value: object, *key: object) -> None:
        with self._lock:
            self._kept[key] = (time.monotonic() + self._seconds, value)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


class Keyring:
    """Makes, wraps and unwraps data keys. One per process; safe between threads.

    A KEK's first use stores its row through `rows`, in a transaction of its own: call `prepare`
    before opening a writing transaction on SQLite, which knows one writer at a time.
    """

    def __init__(self, root: RootKey, rows: KeyRows, *, cache_s: float = CACHE_S) -> None:
        self._root = root
        self._rows = rows
        self._current = _Recent(cache_s)
        self._opened = _Recent(cache_s)

    def new_data_key(
        self, family: str, klass: str, year: int, context: KeyContext
    ) -> tuple[DataKey, WrappedKey]:
        """A fresh data key for one object version, and the form in which it is stored."""
        key = DataKey(secrets.token_bytes(KEY_SIZE))
        return key, self._wrap(key, family, klass, year, context)

    def unwrap(self, wrapped: WrappedKey, context: KeyContext) -> DataKey:
        """The data key. Raises KeyUnusable if it is not this object's, KeyDestroyed if shredded."""
        kek = self._kek(wrapped.kid)
        return DataKey(_unwrap(kek, wrapped.kid, wrapped.blob, context.bound_to(wrapped.kid)))

    def rewrap(
        self, wrapped: WrappedKey, context: KeyContext, *, family: str, klass: str, year: int
    ) -> WrappedKey:
        """The same data key under the current KEK of that family, class and year."""
        return self._wrap(self.unwrap(wrapped, context), family, klass, year, context)

    def prepare(self, family: str, klass: str, year: int) -> str:
        """Make sure that the KEK exists; its id."""
        return self._current_row(family, klass, year).kid

    def rotate(self, family: str, klass: str, year: int) -> str:
        """Put a new KEK in the place of the current one; its id. Older wraps open as before."""
        return self._add_after(self._rows.current_kek(family, klass, year), family, klass, year).kid

    def forget(self) -> None:
        """Drop every secret this process remembers; other processes do within CACHE_S."""
        self._current.clear()
        self._opened.clear()

    def rewrapped_kek(self, row: KekRow) -> KekRow:
        """The same living KEK under the current root key."""
        if row.wrapped is None:
            raise KeyDestroyed(row.kid)
        kek = self._root.unwrap(row.root_id, row.wrapped, row.context)
        moved = replace(row, root_id=self._root.current_id())
        return replace(moved, wrapped=self._root.wrap(kek, moved.context))

    @property
    def root_id(self) -> str:
        """The id of the root key that wraps from now on."""
        return self._root.current_id()

    def derived(self, kid: str, label: str) -> bytes:
        """A key for one other use, derived from a KEK, so that the KEK itself only wraps."""
        found = self._opened.get(kid, label)
        if not isinstance(found, bytes):
            found = _derive(self._kek(kid), label)
            self._opened.put(found, kid, label)
        return found

    def _wrap(
        self, key: bytes, family: str, klass: str, year: int, context: KeyContext
    ) -> WrappedKey:
        kid = self._current_row(family, klass, year).kid
        return WrappedKey(kid, _wrap(self._kek(kid), key, context.bound_to(kid)))

    def _current_row(self, family: str, klass: str, year: int) -> KekRow:
        found = self._current.get(family, klass, year)
        if isinstance(found, KekRow):
            return found
        row = self._rows.current_kek(family, klass, year)
        if row is None or row.wrapped is None:
            return self._add_after(row, family, klass, year)
        self._current.put(row, family, klass, year)
        return row

    def _add_after(self, last: KekRow | None, family: str, klass: str, year: int) -> KekRow:
        unwrapped = KekRow(
            kid=f"kek-{secrets.token_hex(8)}",
            family=family,
            klass=klass,
            year=year,
            generation=last.generation + 1 if last else 1,
            root_id=self._root.current_id(),
            wrapped=None,
        )
        wrapped = self._root.wrap(secrets.token_bytes(KEY_SIZE), unwrapped.context)
        row = self._rows.add_kek(replace(unwrapped, wrapped=wrapped))
        self._current.put(row, family, klass, year)
        return row

    def _kek(self, kid: str) -> bytes:
        found = self._opened.get(kid)
        if not isinstance(found, bytes):
            found = self._open_kek(kid)
            self._opened.put(found, kid)
        return found

    def _open_kek(self, kid: str) -> bytes:
        row = self._rows.get(kid)
        if row is None:
            raise KeyUnusable(kid)
        if row.wrapped is None:
            raise KeyDestroyed(kid)
        return self._root.unwrap(row.root_id, row.wrapped, row.context)


def seal_text(key: bytes, text: str, bound_to: str) -> bytes:
    """Encrypt a short text under a data key of its own, bound to where it stands."""
    return _wrap(key, text.encode(), f"tcd-text|v{VERSION}|{bound_to}".encode())


def open_text(key: bytes, sealed: bytes, bound_to: str) -> str:
    """What `seal_text` sealed. Raises KeyUnusable."""
    associated_data = f"tcd-text|v{VERSION}|{bound_to}".encode()
    return _unwrap(key, "data-key", sealed, associated_data).decode()


class FieldCipher:
    """Personal columns: encrypted, bound to table, column and row; and their blind index.

    `year` gives the year whose KEK encrypts from now on. Decryption finds the KEK in the field.
    """

    def __init__(self, keyring: Keyring, *, year: Callable[[], int]) -> None:
        self._keyring = keyring
        self._year = year

    def prepare(self) -> None:
        """Make the KEKs that this year's fields and the index need; call before transactions."""
        self._keyring.prepare(Family.PERSONAL, PERSONAL_CLASS, self._year())
        self._keyring.prepare(Family.INDEX, f"v{INDEX_VERSION}", 0)

    def encrypt(self, table: str, column: str, row_id: object, text: str) -> bytes:
        """The bytes to store for `text`. Equal texts give different bytes."""
        kid = self._keyring.prepare(Family.PERSONAL, PERSONAL_CLASS, self._year())
        sealed = _wrap(self._key(kid), text.encode(), _place(table, column, row_id))
        return bytes([VERSION, len(kid)]) + kid.encode("ascii") + sealed[1:]

    def decrypt(self, table: str, column: str, row_id: object, sealed: bytes) -> str:
        """The text. Raises KeyUnusable if moved or changed, KeyDestroyed if shredded."""
        kid = field_kid(sealed)
        blob = bytes([VERSION]) + sealed[2 + len(kid) :]
        return _unwrap(self._key(kid), kid, blob, _place(table, column, row_id)).decode()

    def blind_index(self, table: str, column: str, value: str) -> bytes:
        """16 bytes equal for equal values (Unicode form, case and outer spaces aside).

        Not reversible without the keyring, though a leaked index key would reverse short numbers.
        """
        kid = self._keyring.prepare(Family.INDEX, f"v{INDEX_VERSION}", 0)
        key = self._keyring.derived(kid, f"tcd-index|v{INDEX_VERSION}|{table}.{column}")
        folded = unicodedata.normalize("NFC", value).casefold().strip()
        return hmac.new(key, folded.encode(), hashlib.sha256).digest()[:INDEX_SIZE]

    def _key(self, kid: str) -> bytes:
        return self._keyring.derived(kid, f"tcd-field|v{VERSION}")


def field_kid(sealed: bytes) -> str:
    """The id of the KEK that a stored field needs. Raises KeyUnusable if it is no field."""
    if len(sealed) < 2 or sealed[0] != VERSION or len(sealed) < 2 + sealed[1]:
        raise KeyUnusable("unknown")
    return sealed[2 : 2 + sealed[1]].decode("ascii", "replace")


def _place(table: str, column: str, row_id: object) -> bytes:
    return f"tcd-field|v{VERSION}|{table}.{column}|{row_id}".encode()
