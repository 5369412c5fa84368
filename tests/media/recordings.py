"""Reads a recorded track back: what colour is it, what tone, how long?"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy

RATE_HZ = 8000


def wait_until(what: Callable[[], object], *, within_s: float = 15.0, said: str = "") -> None:
    """Ask again until `what` is true; a test fails with `said` when it never becomes so."""
    end = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < end, f"not within {within_s} s: {said or what}"
        time.sleep(0.1)


def playable(track: Path, folder: Path) -> Path:
    """The track as a file that players understand, made by janus-pp-rec."""
    made = folder / f"{track.name}{'.opus' if '-audio-' in track.name else '.webm'}"
    command = ["janus-pp-rec", "-f", made.suffix[1:], str(track), str(made)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-800:]
    return made


def packets(track: Path) -> int:
    """How many packets the track holds."""
    return track.read_bytes().count(b"MEET")


def tone_hz(sound: Path, *, below_hz: float = RATE_HZ / 2) -> float:
    """The strongest frequency of the middle of a sound file, of those below `below_hz`."""
    command = ["ffmpeg", "-v", "error", "-i", str(sound), "-f", "s16le", "-ac", "1"]
    done = subprocess.run([*command, "-ar", str(RATE_HZ), "-"], check=True, capture_output=True)
    samples = numpy.frombuffer(done.stdout, dtype="<i2").astype(float)
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    loudness = numpy.abs(numpy.fft.rfft(middle * numpy.hanning(len(middle))))
    heard = loudness[: int(below_hz * len(middle) / RATE_HZ)]
    return float(numpy.argmax(heard) * RATE_HZ / len(middle))


def colour(picture: Path) -> tuple[int, ...]:
    """The mean colour of the lower half of the first whole picture."""
    graph = "crop=iw:ih/2:0:ih/2,scale=1:1:flags=area"
    command = ["ffmpeg", "-v", "error", "-i", str(picture), "-frames:v", "1", "-vf", graph]
    done = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], check=True, capture_output=True
    )
    return tuple(done.stdout[:3])


def is_near(seen: tuple[int, ...] | list[int], wanted: tuple[int, ...], *, by: int = 40) -> bool:
    """Whether two colours are the same but for what cameras and codecs do to them."""
    return all(abs(one - other) <= by for one, other in zip(seen, wanted, strict=True))
