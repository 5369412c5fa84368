"""Public codes that cannot be guessed and survive being read out over the telephone.

A code is a two-letter kind, seven random base-32 characters and one check character:
`KN-5V9T-3N7Q`. The alphabet leaves out I, L, O and U; a typed I or L is read as 1, an O as 0.
The check character finds every single wrong character and every swap of two characters.
"""

from collections.abc import Iterable
from enum import StrEnum

from workflows.errors import BadCode

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_CHARACTERS = 7
_BODY = RANDOM_CHARACTERS + 1
_LOOK_ALIKES = str.maketrans({"I": "1", "L": "1", "O": "0"})
_FIELD = 0b100101  # x^5 + x^2 + 1: arithmetic in GF(32), one element per character


class CodeKind(StrEnum):
    """What a public code names; the value is its prefix."""

    COMPLAINT = "KN"
    DENUNCIATION = "TC"
    FEEDBACK = "PA"  # recommendations (kiến nghị) and feedback (phản ánh) share one prefix
    PETITION = "DT"  # a letter whose kind is not settled yet
    CASE = "VV"
    RECEPTION_SESSION = "PH"
    REQUEST = "YC"


def make_code(kind: CodeKind, random_bytes: bytes) -> str:
    """A new code of `kind` from at least five random bytes (35 bits are used)."""
    if len(random_bytes) < 5:
        raise ValueError("5 random bytes are needed")
    number = int.from_bytes(random_bytes[:5], "big")
    body = "".join(ALPHABET[number >> 5 * i & 31] for i in range(RANDOM_CHARACTERS))
    return _written(kind, body + _check(kind, body))


def parse_code(typed: str) -> str:
    """The code as it is kept, from what a person typed. Raises BadCode."""
    letters = "".join(c for c in typed.upper() if c.isalnum())
    kind = _kind_of(letters[:2])
    body = letters[2:].translate(_LOOK_ALIKES)
    if len(body) != _BODY or any(c not in ALPHABET for c in body):
        raise BadCode
    if _check(kind, body[:-1]) != body[-1]:
        raise BadCode
    return _written(kind, body)


def code_kind(code: str) -> CodeKind:
    """What `code` names. Raises BadCode."""
    return _kind_of(parse_code(code)[:2])


def _kind_of(prefix: str) -> CodeKind:
    try:
        return CodeKind(prefix)
    except ValueError:
        raise BadCode from None


def _written(kind: CodeKind, body: str) -> str:
    return f"{kind.value}-{body[:4]}-{body[4:]}"


def _check(kind: CodeKind, body: str) -> str:
    """The character that makes the weighted sum over GF(32) zero; the kind is part of the sum."""
    prefix = (ord(letter) - ord("A") for letter in kind.value)
    return ALPHABET[_weighted_sum([*prefix, *(ALPHABET.index(c) for c in body)])]


def _weighted_sum(values: Iterable[int]) -> int:
    total = 0
    for value in values:  # Horner: position i is multiplied by a different power of x
        total = _times_x(total ^ value)
    return total


def _times_x(value: int) -> int:
    doubled = value << 1
    return doubled ^ _FIELD if doubled & 32 else doubled
