"""Recovery shares: any two of three sheets of paper make the root key again; one tells nothing.

A share is 22 groups of four letters or digits (base 32, no case, spaces and dashes as one likes):
`version | number | id of the root key | fingerprint of the key | Shamir share | check sum`. The
shares are shown once, when the key is made, and stored nowhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from Crypto.Protocol.SecretSharing import Shamir

from workflows.errors import DomainError

SHARES = 3
NEEDED = 2
_VERSION = 1
_HALF = 16  # Shamir's shares are of 16 bytes: a root key takes two runs
_ID = re.compile(r"root-(\d{20})-([0-9a-f]{8})")
_MARK_SIZE, _CHECK_SIZE = 5, 4
_SIZE = 1 + 1 + 8 + 4 + _MARK_SIZE + 2 * _HALF + _CHECK_SIZE
_LOOK_ALIKE = str.maketrans({"0": "O", "1": "I", "8": "B"})


class ShareUnreadable(DomainError):
    """What was typed is not a share: a letter is wrong, or some are missing."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"Mảnh thứ {number} gõ chưa đúng: so lại từng nhóm bốn ký tự với bản giấy."
        )


class SharesDisagree(DomainError):
    """Too few shares, twice the same, or shares of different keys."""

    def __init__(self) -> None:
        super().__init__(
            "Cần hai mảnh khác nhau của cùng một khóa gốc. Xem lại số mảnh và ngày in trên giấy."
        )


@dataclass(frozen=True)
class RootSecret:
    """A root key outside its store: only while it is made, shared out or recovered."""

    root_id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class _Share:
    number: int
    root_id: str
    mark: bytes
    halves: tuple[bytes, bytes] = field(repr=False)


def split(secret: RootSecret) -> list[str]:
    """Three shares of a new root key, each as it is printed."""
    halves = [
        Shamir.split(NEEDED, SHARES, secret.key[at : at + _HALF], ssss=False) for at in (0, _HALF)
    ]
    return [
        _print(_Share(first[0], secret.root_id, _mark(secret.key), (first[1], second[1])))
        for first, second in zip(*halves, strict=True)
    ]


def combine(typed: Iterable[str]) -> RootSecret:
    """The root key of which these are shares. Raises ShareUnreadable, SharesDisagree."""
    shares = [_read(text, number) for number, text in enumerate(typed, start=1)]
    kept = {share.number: share for share in shares}
    if len(kept) < NEEDED or len({(share.root_id, share.mark) for share in shares}) != 1:
        raise SharesDisagree
    chosen = list(kept.values())[:NEEDED]
    key = b"".join(
        Shamir.combine([(share.number, share.halves[half]) for share in chosen], ssss=False)
        for half in (0, 1)
    )
    if _mark(key) != chosen[0].mark:
        raise SharesDisagree
    return RootSecret(chosen[0].root_id, key)


def _mark(key: bytes) -> bytes:
    """Tells whether a key is the right one; says nothing about its 256 bits."""
    return hashlib.sha256(b"tcd-root-mark|" + key).digest()[:_MARK_SIZE]


def _check(data: bytes) -> bytes:
    return hashlib.sha256(b"tcd-share|" + data).digest()[:_CHECK_SIZE]


def _print(share: _Share) -> str:
    found = _ID.fullmatch(share.root_id)
    if found is None:
        raise ValueError(f"a root key with this id has no shares: {share.root_id}")
    data = bytes([_VERSION, share.number]) + int(found[1]).to_bytes(8, "big")
    data += bytes.fromhex(found[2]) + share.mark + b"".join(share.halves)
    letters = base64.b32encode(data + _check(data)).decode()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def _read(text: str, number: int) -> _Share:
    letters = re.sub(r"[^0-9A-Z]", "", text.upper()).translate(_LOOK_ALIKE)
    try:
        data = base64.b32decode(letters)
    except binascii.Error:
        raise ShareUnreadable(number) from None
    body, check = data[:-_CHECK_SIZE], data[-_CHECK_SIZE:]
    if len(data) != _SIZE or check != _check(body) or body[0] != _VERSION:
        raise ShareUnreadable(number)
    mark, halves = body[14 : 14 + _MARK_SIZE], body[14 + _MARK_SIZE :]
    return _Share(
        number=body[1],
        root_id=f"root-{int.from_bytes(body[2:10], 'big'):020d}-{body[10:14].hex()}",
        mark=mark,
        halves=(halves[:_HALF], halves[_HALF:]),
    )
