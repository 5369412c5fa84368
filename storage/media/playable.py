"""From tracks to what a browser plays: sorted packets, one file a person, waveform. No transcoding.

All paths are on tmpfs, decrypted there by the caller and removed by the caller.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from storage.media.mjr import MjrBroken, MjrHeader, MjrParser
from storage.media.processes import MediaToolFailed, run_tool, started
from storage.media.repair import repair_audio
from storage.media.tmpfs import require_tmpfs

PEAK_RATE_HZ = 8_000
_SUFFIX = {"audio": ".opus", "video": ".webm"}


@dataclass(frozen=True)
class Remuxed:
    """A person's file and where its zero lies, in ms from the zero the offsets were given in."""

    path: Path
    offset_ms: int


@dataclass(frozen=True)
class Probe:
    """What a media file holds. `duration_s` is None if the file does not say."""

    duration_s: float | None
    codecs: tuple[str, ...]
    width: int | None
    height: int | None


def read_header(path: Path) -> MjrHeader:
    """The header of a track file. Raises MjrBroken when there is none."""
    parser = MjrParser()
    with path.open("rb") as file:
        parser.feed(file.read(1 << 16))
    if parser.header is None:
        raise MjrBroken(0, "no header")
    return parser.header


def process_track(
    mjr: Path,
    *,
    timeout_s: float = 600,
    stopped: Callable[[], bool] = lambda: False,
) -> Path:
    """Sort a track's packets into a file beside it: `.opus` for sound, `.webm` for picture.

    Sound is repaired against the arrival clock. Raises MediaToolFailed, MjrBroken.
    """
    require_tmpfs(mjr.parent)
    media = read_header(mjr).media
    if media not in _SUFFIX:
        raise MjrBroken(0, f"no playable form of {media}")
    target = mjr.with_name(mjr.name.split(".mjr")[0] + _SUFFIX[media])
    with _on_arrival_clock(mjr, media) as source:
        run_tool(
            ["janus-pp-rec", "-o", "-d", "3", str(source), str(target)],
            scratch=mjr.parent,
            timeout_s=timeout_s,
            stopped=stopped,
        )
    if not target.exists() or target.stat().st_size == 0:
        raise MediaToolFailed("janus-pp-rec", "made no file")
    return target


@contextmanager
def _on_arrival_clock(mjr: Path, media: str) -> Iterator[Path]:
    """The track itself, or a repaired copy of a sound track that is gone afterwards."""
    if media != "audio":
        yield mjr
        return
    copy = mjr.with_name(mjr.name.split(".mjr")[0] + ".repaired.mjr")
    try:
        copy.write_bytes(repair_audio(mjr.read_bytes())[0])
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def remux_person(
    target: Path,
    *,
    video: Path | None = None,
    audio: Path | None = None,
    video_offset_ms: int = 0,
    audio_offset_ms: int = 0,
    timeout_s: float = 600,
    stopped: Callable[[], bool] = lambda: False,
) -> Remuxed:
    """Put a person's sound and picture into one WebM on one zero, index in front, not re-encoded.

    Offsets say when each track begins; the earlier one becomes the file's zero.
    """
    given = [
        (path, offset)
        for path, offset in ((video, video_offset_ms), (audio, audio_offset_ms))
        if path
    ]
    if not given:
        raise ValueError("a person has sound or picture")
    require_tmpfs(target.parent)
    zero = min(offset for _, offset in given)
    streams = []
    for path, offset in given:
        source = ffmpeg.input(str(path), itsoffset=f"{(offset - zero) / 1000:.3f}")
        streams.append(source.video if path is video else source.audio)
    output = ffmpeg.output(
        *streams, str(target), c="copy", f="webm", cues_to_front=1, cluster_time_limit=2000
    )
    command = _command(output)
    run_tool(command, scratch=target.parent, timeout_s=timeout_s, stopped=stopped)
    return Remuxed(target, zero)


def _command(output: Any) -> list[str]:
    """The command line, quiet, asking nothing."""
    quiet = output.global_args("-hide_banner", "-nostdin", "-loglevel", "error", "-y")
    return [str(word) for word in ffmpeg.compile(quiet)]


def probe(path: Path, *, scratch: Path, timeout_s: float = 60) -> Probe:
    """Look into a media file. Raises MediaToolFailed."""
    told = json.loads(
        run_tool(
            ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)],
            scratch=scratch,
            timeout_s=timeout_s,
        )
    )
    streams = told.get("streams", [])
    picture: dict[str, Any] = next((s for s in streams if s.get("codec_type") == "video"), {})
    duration = told.get("format", {}).get("duration")
    return Probe(
        duration_s=float(duration) if duration else None,
        codecs=tuple(sorted(stream.get("codec_name", "") for stream in streams)),
        width=picture.get("width"),
        height=picture.get("height"),
    )


def audio_peaks(path: Path, *, scratch: Path, per_second: int = 10) -> list[int]:
    """The loudest sample of each stretch as 0 to 100: what the waveform draws."""
    output = ffmpeg.output(ffmpeg.input(str(path)).audio, "pipe:", f="s16le", ac=1, ar=PEAK_RATE_HZ)
    peaks: list[int] = []
    stretch = 2 * PEAK_RATE_HZ // per_second
    with started(_command(output), scratch=scratch) as process:
        if process.stdout is None:
            raise MediaToolFailed("ffmpeg", "no output")
        while data := process.stdout.read(stretch):
            samples = array("h", data[: len(data) // 2 * 2])
            peaks.append(_percent(samples))
        if process.wait():
            raise MediaToolFailed("ffmpeg", f"exit {process.returncode}")
    return peaks


def _percent(samples: array[int]) -> int:
    if not samples:
        return 0
    return round(min(max(max(samples), -min(samples)), 32767) * 100 / 32767)
