"""Live recording: chunks that leave tmpfs sealed, and the masters checked against them.

Every two seconds one chunk per segment carries the new bytes ("slices") of all its tracks. A
chunk's plaintext is a header and the slices; the header holds the hash of the chunk before it, so
the chain proves order and completeness without the database. A chunk is sealed under the
segment's own key; its associated data binds it to recording, segment, number and previous hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from uuid import UUID

from storage.keyring import KeyContext
from storage.sealing import open_bytes, seal_bytes
from workflows.errors import DomainError

CHUNK_VERSION = 1
GENESIS = bytes(32)
"""What stands for the chunk before the first one."""


class ChunkBroken(DomainError):
    """A live chunk is missing, out of order or altered; `number` is the first bad one."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"Mảnh ghi số {number}: {what}. Báo bộ phận kỹ thuật kiểm tra bản ghi.")
        self.number = number


@dataclass(frozen=True)
class Slice:
    """New bytes of one track's file: `offset` in the file, `sha256` in hexadecimal."""

    file: str
    offset: int
    length: int
    sha256: str

    @classmethod
    def of(cls, file: str, offset: int, data: bytes) -> Slice:
        return cls(file, offset, len(data), hashlib.sha256(data).hexdigest())


@dataclass(frozen=True)
class Chunk:
    """An opened chunk. `chain_hash` is what the next chunk must name as its previous."""

    number: int
    previous: bytes
    sealed_at: str
    final: bool
    slices: tuple[Slice, ...]
    bodies: tuple[bytes, ...]
    chain_hash: bytes


def chunk_name(recording_id: UUID, segment_id: UUID, number: int) -> str:
    """Where a chunk lies in the chunk bucket."""
    return f"{recording_id}/{segment_id}/{number:08d}"


def segment_key_context(segment_id: UUID) -> KeyContext:
    """What binds the wrapped chunk key to its segment."""
    return KeyContext("live-chunks", str(segment_id))


def chunk_binding(recording_id: UUID, segment_id: UUID, number: int, previous: bytes) -> bytes:
    """Associated data of a chunk."""
    return f"tcd-chunk|v1|{recording_id}|{segment_id}|{number}|{previous.hex()}".encode()


def build_chunk(
    number: int,
    previous: bytes,
    pieces: Iterable[tuple[Slice, bytes]],
    *,
    sealed_at: str,
    final: bool,
) -> tuple[bytes, bytes]:
    """Plaintext of a chunk and its chain hash."""
    kept = list(pieces)
    header = json.dumps(
        {
            "v": CHUNK_VERSION,
            "number": number,
            "previous": previous.hex(),
            "sealed_at": sealed_at,
            "final": final,
            "slices": [asdict(piece) for piece, _ in kept],
        },
        sort_keys=True,
        separators=(",", ":"),
    ).encode()
    head = len(header).to_bytes(4, "big") + header
    # The slices are bound by their hashes in the header, so the chain need not hash them again.
    return head + b"".join(body for _, body in kept), hashlib.sha256(head).digest()


def seal_chunk(
    key: bytes, plain: bytes, *, recording_id: UUID, segment_id: UUID, number: int, previous: bytes
) -> bytes:
    """A chunk as it goes to the store; made once, then kept until the store has it."""
    return seal_bytes(key, plain, chunk_binding(recording_id, segment_id, number, previous))


def open_chunk(
    key: bytes, sealed: bytes, *, recording_id: UUID, segment_id: UUID, number: int, previous: bytes
) -> Chunk:
    """Open and check one chunk. Raises SealBroken, ChunkBroken."""
    plain = open_bytes(key, sealed, chunk_binding(recording_id, segment_id, number, previous))
    size = int.from_bytes(plain[:4], "big")
    head, body = plain[: 4 + size], memoryview(plain)[4 + size :]
    data = json.loads(head[4:])
    if data["number"] != number or data["previous"] != previous.hex():
        raise ChunkBroken(number, "không đúng thứ tự")
    slices = tuple(Slice(**piece) for piece in data["slices"])
    bodies: list[bytes] = []
    at = 0
    for piece in slices:
        part = bytes(body[at : at + piece.length])
        if hashlib.sha256(part).hexdigest() != piece.sha256:
            raise ChunkBroken(number, "nội dung không khớp mã băm")
        bodies.append(part)
        at += piece.length
    if at != len(body):
        raise ChunkBroken(number, "thừa nội dung")
    return Chunk(
        number=number,
        previous=previous,
        sealed_at=data["sealed_at"],
        final=data["final"],
        slices=slices,
        bodies=tuple(bodies),
        chain_hash=hashlib.sha256(head).digest(),
    )


def read_chain(
    key: bytes,
    fetch: Callable[[int], bytes | None],
    *,
    recording_id: UUID,
    segment_id: UUID,
) -> Iterator[Chunk]:
    """Every chunk of a segment in order, each checked against the one before it.

    `fetch(number)` gives a sealed chunk, None behind the last. Raises ChunkBroken, SealBroken.
    """
    number, previous = 0, GENESIS
    while True:
        sealed = fetch(number)
        if sealed is None:
            return
        chunk = open_chunk(
            key,
            sealed,
            recording_id=recording_id,
            segment_id=segment_id,
            number=number,
            previous=previous,
        )
        yield chunk
        number, previous = number + 1, chunk.chain_hash


class TrackHashes:
    """Running SHA-256 and size of each track's plaintext, fed slice by slice in order."""

    def __init__(self) -> None:
        self._hashes: dict[str, hashlib._Hash] = {}
        self.sizes: dict[str, int] = {}

    def add(self, number: int, piece: Slice, body: bytes) -> None:
        """Take the next slice of a file. Raises ChunkBroken when bytes before it are missing."""
        if self.sizes.get(piece.file, 0) != piece.offset:
            raise ChunkBroken(number, f"thiếu đoạn của luồng {piece.file}")
        self._hashes.setdefault(piece.file, hashlib.sha256()).update(body)
        self.sizes[piece.file] = piece.offset + piece.length

    def digest(self, file: str) -> bytes:
        """SHA-256 of what was added of a file so far."""
        return self._hashes[file].digest()

    @property
    def files(self) -> list[str]:
        return sorted(self.sizes)
