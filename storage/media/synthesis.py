"""Recordings of people who are not there, for the demonstration and for tests.

Sound and picture are really encoded (Opus, VP8) and packed as a browser would send them and as the
media server would write them: a tone and a plain colour with a running clock on it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from storage.media.mjr import (
    AUDIO_CLOCK_HZ,
    AUDIO_LEVEL_URI,
    FRAME,
    FRAME_HEAD,
    MAGIC,
    VIDEO_CLOCK_HZ,
)
from storage.media.processes import run_tool

AUDIO_TYPE, VIDEO_TYPE = 111, 96
_OPUS_FRAME_MS = 20
_OPUS_SAMPLES = AUDIO_CLOCK_HZ * _OPUS_FRAME_MS // 1000
_LEVEL_ID = 1
_LEVEL_DBOV = 20
_PAYLOAD = 1_180  # bytes of media in a packet
_IVF_HEAD, _IVF_FRAME_HEAD = 32, 12
_DRAWN = "drawtext=font=Tinos:fontsize=30:fontcolor=white:box=1:boxcolor=black@0.6:x=(w-tw)/2"


@dataclass(frozen=True)
class SynthesisedPerson:
    """Both track files of one person."""

    audio_mjr: bytes
    video_mjr: bytes


def synthesise_mjr(
    tone_hz: int,
    colour: str,
    seconds: float,
    *,
    scratch: Path,
    started_at_us: int = 1_763_870_400_000_000,
    video_late_ms: int = 0,
    size: str = "320x240",
    frames_per_second: int = 15,
    label: str = "",
) -> SynthesisedPerson:
    """A person who hums one tone before a wall of one colour (an ffmpeg colour name).

    `video_late_ms` is how much later than the sound the picture begins. Key frames every 2 s.
    """
    audio = [
        _Media(index * _OPUS_FRAME_MS, index * _OPUS_SAMPLES, [packet])
        for index, packet in enumerate(_opus_packets(_encode_tone(tone_hz, seconds, scratch)))
    ]
    picture = _encode_colour(colour, seconds, size, frames_per_second, label, scratch)
    video = [
        _Media(
            index * 1000 // frames_per_second,
            index * VIDEO_CLOCK_HZ // frames_per_second,
            list(_vp8_payloads(frame, index)),
        )
        for index, frame in enumerate(_ivf_frames(picture))
    ]
    return SynthesisedPerson(
        _mjr("a", "opus", audio, AUDIO_TYPE, started_at_us, {_LEVEL_ID: AUDIO_LEVEL_URI}),
        _mjr("v", "vp8", video, VIDEO_TYPE, started_at_us + video_late_ms * 1000, {}),
    )


@dataclass(frozen=True)
class _Media:
    """An encoded frame: when it arrives, its RTP time, and its payloads."""

    arrival_ms: int
    timestamp: int
    payloads: list[bytes]


def _ffmpeg(source: str, options: list[str], scratch: Path, seconds: float) -> bytes:
    command = [
        "ffmpeg",
        "-hide_banner",
        "-nostdin",
        "-loglevel",
        "error",
        "-f",
        "lavfi",
        "-i",
        source,
    ]
    return run_tool(
        [*command, "-t", str(seconds), *options, "pipe:1"],
        scratch=scratch,
        timeout_s=60 + 10 * seconds,
    )


def _encode_tone(tone_hz: int, seconds: float, scratch: Path) -> bytes:
    options = ["-ac", "1", "-c:a", "libopus", "-b:a", "24k", "-frame_duration", str(_OPUS_FRAME_MS)]
    return _ffmpeg(
        f"sine=frequency={tone_hz}:sample_rate={AUDIO_CLOCK_HZ},volume=4",
        [*options, "-f", "ogg"],
        scratch,
        seconds,
    )


def _encode_colour(
    colour: str, seconds: float, size: str, rate: int, label: str, scratch: Path
) -> bytes:
    safe = "".join(letter for letter in label if letter.isalnum() or letter == " ")
    source = f"color=c={colour}:s={size}:r={rate},{_DRAWN}:y=h-50:text='%{{pts\\:hms}}'"
    if safe:
        source += f",{_DRAWN}:y=h-90:text='{safe}'"
    options = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "300k"]
    options += ["-g", str(2 * rate), "-auto-alt-ref", "0", "-error-resilient", "1"]
    return _ffmpeg(source, [*options, "-pix_fmt", "yuv420p", "-f", "ivf"], scratch, seconds)


def _ivf_frames(ivf: bytes) -> Iterator[bytes]:
    position = _IVF_HEAD
    while position < len(ivf):
        size = int.from_bytes(ivf[position : position + 4], "little")
        position += _IVF_FRAME_HEAD
        yield ivf[position : position + size]
        position += size


def _opus_packets(ogg: bytes) -> Iterator[bytes]:
    """The packets of an Ogg file, without its two header packets."""
    packets, packet, position = 0, b"", 0
    while position < len(ogg):
        lacing = ogg[position + 27 : position + 27 + ogg[position + 26]]
        position += 27 + len(lacing)
        for size in lacing:
            packet += ogg[position : position + size]
            position += size
            if size < 255:
                packets += 1
                if packets > 2:
                    yield packet
                packet = b""


def _vp8_payloads(frame: bytes, index: int) -> Iterator[bytes]:
    """Cut a frame into payloads with the descriptor a browser sends (RFC 7741)."""
    picture = struct.pack(">H", 0x8000 | (index & 0x7FFF))
    for start in range(0, len(frame), _PAYLOAD):
        beginning = 0x10 if start == 0 else 0
        yield bytes([0x80 | beginning, 0x80]) + picture + frame[start : start + _PAYLOAD]


def _mjr(
    media: str,
    codec: str,
    frames: list[_Media],
    payload_type: int,
    first_us: int,
    extensions: dict[int, str],
) -> bytes:
    """The file the media server would have written, packet counters wrapping on the way."""
    told: dict[str, object] = {"t": media, "c": codec, "s": first_us - 80_000, "u": first_us}
    if extensions:
        told["x"] = {str(number): uri for number, uri in extensions.items()}
    header = json.dumps(told).encode()
    parts = [MAGIC, struct.pack(">H", len(header)), header]
    sequence, base = 65_500, 0xFFFF_0000
    for frame in frames:
        for number, payload in enumerate(frame.payloads, start=1):
            rtp = _rtp(
                payload,
                payload_type=payload_type,
                marker=media == "v" and number == len(frame.payloads),
                sequence=sequence % 65_536,
                timestamp=(base + frame.timestamp) % (1 << 32),
                level=_LEVEL_DBOV if extensions else None,
            )
            parts += [FRAME_HEAD.pack(FRAME, frame.arrival_ms, len(rtp)), rtp]
            sequence += 1
    return b"".join(parts)


def _rtp(
    payload: bytes,
    *,
    payload_type: int,
    marker: bool,
    sequence: int,
    timestamp: int,
    level: int | None,
) -> bytes:
    first = 0x80 | (0x10 if level is not None else 0)
    second = payload_type | (0x80 if marker else 0)
    head = struct.pack(">BBHII", first, second, sequence, timestamp, 0x7E57)
    if level is not None:
        head += struct.pack(">HHBBxx", 0xBEDE, 1, _LEVEL_ID << 4, 0x80 | level)
    return head + payload
