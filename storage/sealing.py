"""The encrypted stream format of every object: Tink's AES-GCM-HKDF streaming, byte for byte.

A sealed object is `header | segment 0 | segment 1 | ...`:

* header: one byte with the header's own length, a salt as long as the key, a nonce prefix of 7;
* segment key: HKDF-SHA256(data key, salt, info = associated data), so an object moved to another
  record decrypts to nothing;
* segment i: AES-GCM under nonce `prefix | i as 32 bits big endian | 1 if last, else 0`. All are
  `segment_size` bytes long but the last; segment 0 shares its bytes with the header.

Anyone with the data key can read the objects with Google's Tink library alone. Unlike Tink, the
reader takes the number of segments from the object's size and so refuses appended bytes.

One data key seals one object version: the format cannot tell two valid objects under one key apart.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from enum import StrEnum
from types import TracebackType
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from workflows.errors import DomainError

Buffer = bytes | bytearray | memoryview

SEGMENT_SIZE = 256 * 1024
KEY_SIZE = 32
TAG_SIZE = 16
PREFIX_SIZE = 7
MAX_SEGMENTS = 1 << 32
BATCH_SEGMENTS = 16  # segments fetched at once when a whole object is read
FORMAT = "tink-aes-gcm-hkdf-streaming-v1"  # stored beside every object


class Sink(Protocol):
    """Where sealed bytes go; must be done with the buffer when `write` returns."""

    def write(self, data: memoryview, /) -> object: ...


class Readable(Protocol):
    """Where plaintext comes from; b"" means the end."""

    def read(self, size: int, /) -> bytes: ...


class Breakage(StrEnum):
    """What is wrong with a sealed object, as far as mathematics can tell."""

    CUT = "cut"
    APPENDED = "appended"
    WRONG_BINDING = "wrong-binding"
    CHANGED = "changed"


_EXPLANATIONS = {
    Breakage.CUT: "Tệp niêm phong bị cắt ngắn.",
    Breakage.APPENDED: "Tệp niêm phong bị nối thêm dữ liệu.",
    Breakage.WRONG_BINDING: "Tệp niêm phong không thuộc hồ sơ này hoặc khóa không đúng.",
    Breakage.CHANGED: "Tệp niêm phong đã bị thay đổi.",
}


class SealBroken(DomainError):
    """A sealed object is not what was sealed: `what` happened to it, seen in `segment`."""

    def __init__(self, what: Breakage, *, segment: int | None = None) -> None:
        super().__init__(
            f"{_EXPLANATIONS[what]} Không dùng bản này; báo quản trị để đối chiếu bản sao lưu."
        )
        self.what = what
        self.segment = segment


class Layout:
    """Where everything lies in a sealed object; sizes and offsets in bytes."""

    def __init__(self, *, segment_size: int = SEGMENT_SIZE, key_size: int = KEY_SIZE) -> None:
        if key_size not in (16, 32):
            raise ValueError("a data key has 16 or 32 bytes")
        self.header_size = 1 + key_size + PREFIX_SIZE
        if segment_size <= self.header_size + TAG_SIZE:
            raise ValueError("segment_size leaves no room beside header and tag")
        self.segment_size = segment_size
        self.key_size = key_size
        self.first_room = segment_size - self.header_size - TAG_SIZE
        self.room = segment_size - TAG_SIZE

    def segments_of(self, sealed_size: int) -> int:
        """How many segments an object of this size has. Raises SealBroken if it cannot exist."""
        count = -(-sealed_size // self.segment_size)
        if count == 0 or count > MAX_SEGMENTS:
            raise SealBroken(Breakage.CUT if count == 0 else Breakage.APPENDED)
        last = sealed_size - (count - 1) * self.segment_size
        smallest = self.header_size + TAG_SIZE if count == 1 else TAG_SIZE + 1
        if last < smallest:
            raise SealBroken(Breakage.CUT, segment=count - 1)
        return count

    def plain_size(self, sealed_size: int) -> int:
        """Bytes of plaintext in a sealed object of this size."""
        return sealed_size - self.header_size - TAG_SIZE * self.segments_of(sealed_size)

    def sealed_size(self, plain_size: int) -> int:
        """Bytes that `plain_size` bytes of plaintext take when sealed."""
        beyond_first = max(0, plain_size - self.first_room)
        segments = 1 + -(-beyond_first // self.room)
        return self.header_size + plain_size + TAG_SIZE * segments

    def segment_at(self, plain_offset: int) -> int:
        """The segment that holds this plaintext offset."""
        return (plain_offset + self.header_size) // self.room

    def plain_start(self, segment: int) -> int:
        """Plaintext offset at which a segment begins."""
        return 0 if segment == 0 else segment * self.room - self.header_size

    def sealed_start(self, segment: int) -> int:
        """Object offset at which a segment's ciphertext begins."""
        return self.header_size if segment == 0 else segment * self.segment_size


class SegmentCipher:
    """Seals and opens single segments of one object. Made with `fresh` or from a read header."""

    def __init__(self, key: bytes, associated_data: bytes, header: bytes, layout: Layout) -> None:
        if len(header) != layout.header_size or header[0] != layout.header_size:
            raise SealBroken(Breakage.CHANGED, segment=0)
        self.header = header
        self._prefix = header[-PREFIX_SIZE:]
        salt = header[1:-PREFIX_SIZE]
        kdf = HKDF(algorithm=SHA256(), length=len(key), salt=salt, info=associated_data)
        self._aead = AESGCM(kdf.derive(key))

    @classmethod
    def fresh(cls, key: bytes, associated_data: bytes, layout: Layout) -> SegmentCipher:
        """A cipher with new salt and prefix; for sealing."""
        header = bytes([layout.header_size]) + os.urandom(layout.header_size - 1)
        return cls(key, associated_data, header, layout)

    def _nonce(self, segment: int, last: bool) -> bytes:
        return self._prefix + segment.to_bytes(4, "big") + (b"\x01" if last else b"\x00")

    def seal(self, segment: int, plain: Buffer, into: Buffer, *, last: bool) -> None:
        """Encrypt one segment; `into` is exactly 16 bytes longer than `plain`."""
        self._aead.encrypt_into(self._nonce(segment, last), plain, None, into)

    def open(self, segment: int, sealed: Buffer, into: Buffer, *, last: bool) -> bool:
        """Decrypt one segment into a buffer 16 bytes shorter; False if it is not authentic."""
        try:
            self._aead.decrypt_into(self._nonce(segment, last), sealed, None, into)
        except InvalidTag:
            return False
        return True


class SealingWriter:
    """Seals a stream of unknown length into `sink`, in constant memory.

    Nothing is a valid object before `close`. As a context manager it closes on success only, so a
    failed source never leaves an object that reads as complete. The sink stays open.
    """

    def __init__(
        self, sink: Sink, key: bytes, associated_data: bytes, segment_size: int = SEGMENT_SIZE
    ) -> None:
        self._layout = Layout(segment_size=segment_size, key_size=len(key))
        self._cipher = SegmentCipher.fresh(key, associated_data, self._layout)
        self._sink = sink
        self._held = memoryview(bytearray(self._layout.room))
        self._held_size = 0
        self._out = memoryview(bytearray(segment_size))
        self._segment = 0
        self._closed = False
        self.plain_size = 0
        self.sealed_size = 0

    @property
    def _room(self) -> int:
        return self._layout.room if self._segment else self._layout.first_room

    def write(self, data: Buffer) -> int:
        """Seal more bytes. The final full segment waits: only more bytes or `close` can mark it."""
        if self._closed:
            raise ValueError("write to a closed SealingWriter")
        view = memoryview(data).cast("B")
        size = len(view)
        while len(view):
            view = view[self._take(view) :]
        self.plain_size += size
        return size

    def _take(self, view: memoryview) -> int:
        """Use up the beginning of `view`; at least one more byte is known to exist."""
        room = self._room
        if self._held_size == room:
            self._emit(self._held[:room], last=False)
            return 0
        if self._held_size == 0 and len(view) > room:
            self._emit(view[:room], last=False)  # straight from the caller's buffer
            return room
        taken = min(room - self._held_size, len(view))
        self._held[self._held_size : self._held_size + taken] = view[:taken]
        self._held_size += taken
        return taken

    def _emit(self, plain: memoryview, *, last: bool) -> None:
        if self._segment == MAX_SEGMENTS - 1 and not last:
            raise ValueError("too long for one sealed object")
        start = 0
        if self._segment == 0:
            start = self._layout.header_size
            self._out[:start] = self._cipher.header
        end = start + len(plain) + TAG_SIZE
        self._cipher.seal(self._segment, plain, self._out[start:end], last=last)
        self._sink.write(self._out[:end])
        self.sealed_size += end
        self._segment += 1
        self._held_size = 0

    def close(self) -> None:
        """Seal the last segment. Closing twice does nothing."""
        if not self._closed:
            self._closed = True
            self._emit(self._held[: self._held_size], last=True)

    def __enter__(self) -> SealingWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        self._closed = True


class _Collector:
    """A sink that keeps what it is given, for small objects and for pulling."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def write(self, data: memoryview, /) -> None:
        self.buffer += data

    def take(self, size: int) -> bytes:
        taken = bytes(memoryview(self.buffer)[:size])
        del self.buffer[:size]
        return taken


def seal_bytes(
    key: bytes, data: Buffer, associated_data: bytes, *, segment_size: int = SEGMENT_SIZE
) -> bytes:
    """Seal a small object in memory. Salt and nonces are fresh: no two calls give equal bytes."""
    collector = _Collector()
    with SealingWriter(collector, key, associated_data, segment_size) as writer:
        writer.write(data)
    return bytes(collector.buffer)


def open_bytes(
    key: bytes, sealed: bytes, associated_data: bytes, *, segment_size: int = SEGMENT_SIZE
) -> bytes:
    """The whole plaintext of a sealed object in memory. Raises SealBroken."""
    view = memoryview(sealed)
    reader = SealedReader(
        lambda offset, length: view[offset : offset + length],
        len(sealed),
        key,
        associated_data,
        segment_size=segment_size,
    )
    return reader.read(0, reader.plain_size)


class SealingSource:
    """Seals while being read: what an uploader pulls from. Reads ahead one segment, no more."""

    def __init__(
        self,
        readable: Readable,
        key: bytes,
        associated_data: bytes,
        segment_size: int = SEGMENT_SIZE,
    ) -> None:
        self._readable = readable
        self._ready = _Collector()
        self._writer = SealingWriter(self._ready, key, associated_data, segment_size)
        self._step = segment_size
        self._ended = False

    @property
    def plain_size(self) -> int:
        """Plaintext bytes taken so far; the whole when everything is read."""
        return self._writer.plain_size

    def read(self, size: int = -1) -> bytes:
        """Up to `size` sealed bytes, all that remain if negative; b"" at the end."""
        while not self._ended and (size < 0 or len(self._ready.buffer) < size):
            self._pull()
        return self._ready.take(len(self._ready.buffer) if size < 0 else size)

    def _pull(self) -> None:
        plain = self._readable.read(self._step)
        if plain:
            self._writer.write(plain)
        else:
            self._writer.close()
            self._ended = True


class SealedReader:
    """Reads any range of a sealed object, fetching and decrypting only the segments it touches.

    `read_range(offset, length)` returns exactly those bytes of the object, whose size is
    `sealed_size` as the store tells it. A range proves only itself: call `check_end` once when a
    record is opened, which proves the length.
    """

    def __init__(
        self,
        read_range: Callable[[int, int], Buffer],
        sealed_size: int,
        key: bytes,
        associated_data: bytes,
        *,
        segment_size: int = SEGMENT_SIZE,
    ) -> None:
        self._layout = Layout(segment_size=segment_size, key_size=len(key))
        self._read_range = read_range
        self._sealed_size = sealed_size
        self._key = key
        self._associated_data = associated_data
        self._segments = self._layout.segments_of(sealed_size)
        self._known_cipher: SegmentCipher | None = None
        self._end_checked = False
        self.plain_size = self._layout.plain_size(sealed_size)

    def check_end(self) -> None:
        """Prove that the object ends where it was closed. Raises SealBroken. Cheap; done once."""
        if not self._end_checked:
            self._open_span(self._segments - 1, self._segments - 1)
            self._end_checked = True

    def read(self, offset: int, length: int) -> bytes:
        """Plaintext [offset, offset + length), shorter at the end. Raises SealBroken."""
        if offset < 0 or length < 0:
            raise ValueError("offset and length are not negative")
        end = min(offset + length, self.plain_size)
        if end <= offset:
            self.check_end()  # also what proves an empty object
            return b""
        first = self._layout.segment_at(offset)
        last = self._layout.segment_at(end - 1)
        skip = offset - self._layout.plain_start(first)
        return bytes(self._open_span(first, last)[skip : skip + end - offset])

    def iter_all(self) -> Iterator[memoryview]:
        """All plaintext in order, in bounded memory. Each piece is good until the next is asked."""
        self.check_end()
        batch = min(BATCH_SEGMENTS, self._segments)
        plain = memoryview(bytearray(batch * self._layout.segment_size))
        for first in range(0, self._segments, BATCH_SEGMENTS):
            piece = self._open_span(first, min(first + BATCH_SEGMENTS, self._segments) - 1, plain)
            yield piece
            piece.release()  # late use is an error, never other people's bytes

    def _open_span(self, first: int, last: int, into: memoryview | None = None) -> memoryview:
        """Decrypt segments first..last with one fetch, into the beginning of a buffer if given."""
        cipher = self._cipher()
        start = self._layout.sealed_start(first)
        sealed = self._fetch(start, self._sealed_end(last) - start)
        size = len(sealed) - TAG_SIZE * (last - first + 1)
        plain = memoryview(bytearray(size)) if into is None else into[:size]
        taken = done = 0
        for segment in range(first, last + 1):
            size = self._sealed_end(segment) - self._layout.sealed_start(segment)
            piece = sealed[taken : taken + size]
            if not cipher.open(
                segment,
                piece,
                plain[done : done + size - TAG_SIZE],
                last=segment == self._segments - 1,
            ):
                raise SealBroken(self._diagnose(segment, piece), segment=segment)
            taken += size
            done += size - TAG_SIZE
        return plain

    def _sealed_end(self, segment: int) -> int:
        return min((segment + 1) * self._layout.segment_size, self._sealed_size)

    def _fetch(self, offset: int, length: int) -> memoryview:
        data = memoryview(self._read_range(offset, length)).cast("B")
        if len(data) != length:
            raise SealBroken(Breakage.CUT if len(data) < length else Breakage.APPENDED)
        return data

    def _cipher(self) -> SegmentCipher:
        if self._known_cipher is None:
            header = bytes(self._fetch(0, self._layout.header_size))
            self._known_cipher = SegmentCipher(
                self._key, self._associated_data, header, self._layout
            )
        return self._known_cipher

    def _diagnose(self, segment: int, sealed: memoryview) -> Breakage:
        """Say what is wrong with a segment that is not authentic; only reached on failure."""
        is_last = segment == self._segments - 1
        if self._opens(segment, sealed, last=not is_last):
            return Breakage.CUT if is_last else Breakage.APPENDED
        for other in {0, self._segments - 1} - {segment}:
            start = self._layout.sealed_start(other)
            piece = self._fetch(start, self._sealed_end(other) - start)
            if self._opens(other, piece, last=False) or self._opens(other, piece, last=True):
                return Breakage.CHANGED
        return Breakage.WRONG_BINDING

    def _opens(self, segment: int, sealed: memoryview, *, last: bool) -> bool:
        scratch = bytearray(len(sealed) - TAG_SIZE)
        return self._cipher().open(segment, sealed, scratch, last=last)
