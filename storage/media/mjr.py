"""Janus' `.mjr` track files: each RTP packet with the time of its arrival.

A file is `MJR00002`, a header (16-bit length, JSON), then frames: `MEET`, milliseconds since the
first packet on the server's monotonic clock (32 bits), length (16 bits), RTP packet. All numbers
are big endian. The file only grows; while open its name ends in `.tmp`.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workflows.errors import DomainError

AUDIO_CLOCK_HZ = 48_000
VIDEO_CLOCK_HZ = 90_000
"""RTP clocks of Opus and of every video codec."""

MAGIC = b"MJR00002"
FRAME = b"MEET"
FRAME_HEAD = struct.Struct(">4sIH")
AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
# Janus 1.1 writes no map into the file; browsers offer the loudness as their first extension.
_USUAL_LEVEL_ID = 1
_RTP_HEAD = struct.Struct(">BBHII")
_ONE_BYTE_PROFILE = 0xBEDE
_MEDIA = {"a": "audio", "v": "video", "d": "data"}


class MjrBroken(DomainError):
    """The bytes at `offset` are not what a media server writes there."""

    def __init__(self, offset: int, what: str) -> None:
        super().__init__(
            "Tệp ghi âm, ghi hình bị hỏng. Giữ nguyên tệp này và báo quản trị để đối chiếu."
        )
        self.offset, self.what = offset, what


@dataclass(frozen=True)
class MjrHeader:
    """What the file says of itself. Align tracks by `first_written_us`, never by `created_us`."""

    media: str  # "audio", "video" or "data"
    codec: str
    created_us: int  # microseconds since 1970, UTC, by the server's clock
    first_written_us: int
    extensions: dict[int, str] = field(default_factory=dict)

    @property
    def clock_hz(self) -> int:
        """The rate of the RTP timestamps."""
        return AUDIO_CLOCK_HZ if self.media == "audio" else VIDEO_CLOCK_HZ

    @property
    def audio_level_id(self) -> int | None:
        """The RTP extension that carries the loudness; the usual one if the file maps none."""
        if not self.extensions:
            return _USUAL_LEVEL_ID if self.media == "audio" else None
        wanted = (key for key, uri in self.extensions.items() if uri == AUDIO_LEVEL_URI)
        return next(wanted, None)

    @classmethod
    def parse(cls, data: bytes) -> MjrHeader:
        """Read the JSON. Raises ValueError, KeyError or TypeError if it is not a header."""
        told = json.loads(data)
        extensions = {int(key): str(uri) for key, uri in told.get("x", {}).items()}
        return cls(
            media=_MEDIA[told["t"]],
            codec=str(told["c"]),
            created_us=int(told["s"]),
            first_written_us=int(told["u"]),
            extensions=extensions,
        )


@dataclass(frozen=True, slots=True)
class MjrPacket:
    """One RTP packet. `level_dbov` is 0 (loudest) to 127 (silence), if the packet says."""

    arrival_ms: int
    sequence: int
    timestamp: int
    marker: bool
    payload_type: int
    ssrc: int
    payload: bytes
    level_dbov: int | None


class MjrParser:
    """Takes the bytes of a file in any pieces and gives packets as they become whole."""

    def __init__(self) -> None:
        self.header: MjrHeader | None = None
        self._rest = b""
        self._taken = 0

    @property
    def torn(self) -> int:
        """Bytes at the end that are not yet, or never became, a whole packet."""
        return len(self._rest)

    @property
    def whole(self) -> int:
        """Bytes from the beginning of the file up to the last whole packet."""
        return self._taken

    def feed(self, data: bytes | memoryview) -> list[MjrPacket]:
        """The packets that these bytes complete. Raises MjrBroken."""
        self._rest += bytes(data)
        position = 0 if self.header else self._take_header()
        packets = []
        while self.header and (end := _frame_end(self._rest, position, self._taken)):
            packet = self._packet(position, end)
            if packet:
                packets.append(packet)
            self._taken += end - position
            position = end
        self._rest = self._rest[position:]
        return packets

    def _take_header(self) -> int:
        end = header_end(self._rest)
        if not end:
            return 0
        try:
            self.header = MjrHeader.parse(self._rest[len(MAGIC) + 2 : end])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MjrBroken(len(MAGIC), "header") from error
        self._taken = end
        return end

    def _packet(self, start: int, end: int) -> MjrPacket | None:
        _, arrival_ms, _ = FRAME_HEAD.unpack_from(self._rest, start)
        rtp = self._rest[start + FRAME_HEAD.size : end]
        level_id = self.header.audio_level_id if self.header else None
        return parse_rtp(arrival_ms, rtp, level_id)


def header_end(data: bytes) -> int:
    """Where the first frame begins, 0 while that is not known. Raises MjrBroken."""
    if not MAGIC.startswith(data[: len(MAGIC)]):
        raise MjrBroken(0, "magic")
    if len(data) < len(MAGIC) + 2:
        return 0
    end = len(MAGIC) + 2 + int.from_bytes(data[len(MAGIC) : len(MAGIC) + 2], "big")
    return end if len(data) >= end else 0


def _frame_end(data: bytes, start: int, file_offset: int) -> int:
    """Where the frame at `start` ends, 0 while it is torn. Raises MjrBroken."""
    if not FRAME.startswith(data[start : start + len(FRAME)]):
        raise MjrBroken(file_offset, "frame")
    if len(data) < start + FRAME_HEAD.size:
        return 0
    end: int = start + FRAME_HEAD.size + FRAME_HEAD.unpack_from(data, start)[2]
    return end if len(data) >= end else 0


def parse_rtp(arrival_ms: int, rtp: bytes, level_id: int | None) -> MjrPacket | None:
    """The packet, or None for bytes that are no RTP: a hostile sender must not stop the reading."""
    if len(rtp) < _RTP_HEAD.size or rtp[0] >> 6 != 2:
        return None
    first, second, sequence, timestamp, ssrc = _RTP_HEAD.unpack_from(rtp)
    start = _RTP_HEAD.size + 4 * (first & 0x0F)
    level = None
    if first & 0x10:
        if len(rtp) < start + 4:
            return None
        profile, words = struct.unpack_from(">HH", rtp, start)
        level = _level(profile, rtp[start + 4 : start + 4 + 4 * words], level_id)
        start += 4 + 4 * words
    padding = rtp[-1] if first & 0x20 else 0
    if len(rtp) < start + padding:
        return None
    return MjrPacket(
        arrival_ms=arrival_ms,
        sequence=sequence,
        timestamp=timestamp,
        marker=bool(second & 0x80),
        payload_type=second & 0x7F,
        ssrc=ssrc,
        payload=rtp[start : len(rtp) - padding],
        level_dbov=level,
    )


def _level(profile: int, extensions: bytes, level_id: int | None) -> int | None:
    """The loudness among the header extensions (RFC 8285 one-byte form, RFC 6464)."""
    if level_id is None or profile != _ONE_BYTE_PROFILE:
        return None
    position = 0
    while position + 1 < len(extensions):
        number, length = extensions[position] >> 4, (extensions[position] & 0x0F) + 1
        if number == 15:
            return None
        if number == level_id:
            return extensions[position + 1] & 0x7F
        position += 1 if number == 0 else 1 + length
    return None


def read_mjr(pieces: Iterable[bytes | memoryview]) -> Iterator[MjrPacket]:
    """All packets of a finished file given in pieces, e.g. `SealedReader.iter_all()`."""
    parser = MjrParser()
    for piece in pieces:
        yield from parser.feed(piece)


class MjrTail:
    """Follows a growing file by its open descriptor, so the rename at its end does not matter.

    `poll` gives new bytes cut behind a whole packet; `offset` is how far it has given. To go on
    after a restart, pass the offset that was reached.
    """

    def __init__(self, path: Path, *, offset: int = 0) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.offset = offset

    def poll(self, limit: int = 1 << 20) -> bytes:
        """New whole packets, at most about `limit` bytes; b"" if none. Raises MjrBroken."""
        data = os.pread(self._descriptor, max(limit, 1 << 17), self.offset)
        end = 0
        if self.offset == 0:
            end = header_end(data)
            if not end:
                return b""
        while end < len(data) and (after := _frame_end(data, end, self.offset + end)):
            end = after
        self.offset += end
        return data[:end]

    @property
    def path(self) -> Path:
        """The file's name of this moment."""
        return Path(os.readlink(f"/proc/self/fd/{self._descriptor}"))

    @property
    def finished(self) -> bool:
        """Whether the media server has closed the file, as the lost `.tmp` tells."""
        return not self.path.name.removesuffix(" (deleted)").endswith(".tmp")

    @property
    def torn(self) -> int:
        """Bytes behind the last whole packet: lost for good if the server was killed."""
        return os.fstat(self._descriptor).st_size - self.offset

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)
