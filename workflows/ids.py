"""Time-ordered identifiers (UUID version 7, RFC 9562) from a given instant and given randomness."""

from uuid import UUID

RANDOM_BYTES = 10


def uuid7(unix_ms: int, random_bytes: bytes) -> UUID:
    """A version 7 UUID for `unix_ms` (milliseconds since 1970, UTC) and 10 random bytes.

    Later milliseconds sort later. The caller supplies the clock and the randomness.
    """
    if not 0 <= unix_ms < 1 << 48:
        raise ValueError("unix_ms does not fit in 48 bits")
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"{RANDOM_BYTES} random bytes are needed")
    noise = int.from_bytes(random_bytes, "big")
    high = unix_ms << 16 | 0x7000 | (noise >> 68)
    low = 0b10 << 62 | (noise & ((1 << 62) - 1))
    return UUID(int=high << 64 | low)
