"""Flash and beep on the wall clock, put into a participant's own camera and microphone.

The camera flashes white in its upper half, the microphone beeps high, both at every even second
of the machine's clock. Every browser of a test marks the same moments, so a recording tells by
itself how far sound and picture, and one person and another, lie apart.

    mark_by_wall_clock(page)            # before the page opens its devices
    flashes(file), beeps(file)          # seconds in the file
"""

from __future__ import annotations

import math
import re
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy
from playwright.sync_api import Page

EVERY_S = 2.0
RATE_HZ = 8000
BEEP_HZ = 2500
_STEP_S = 0.01

# The device is opened as ever and its refusals stay its own; only what it gives passes through a
# canvas and a mixer, as through any program between a camera and a browser.
_SCRIPT = """
(() => {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const LENGTH_MS = 300, EVERY_MS = 2000;
  const lit = () => Date.now() % EVERY_MS < LENGTH_MS;

  function handOver(given, made) {
    made.getSettings = () => given.getSettings();
    const stop = made.stop.bind(made);
    made.stop = () => { given.stop(); stop(); };
    return made;
  }

  async function flashing(track) {
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = new MediaStream([track]);
    await video.play();
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    const pen = canvas.getContext("2d");
    const draw = () => {
      pen.drawImage(video, 0, 0);
      if (!lit()) return;
      pen.fillStyle = "white";
      pen.fillRect(0, 0, canvas.width, canvas.height / 2);
    };
    draw();
    setInterval(draw, 1000 / 15);
    return handOver(track, canvas.captureStream(15).getVideoTracks()[0]);
  }

  function beeping(track) {
    const mixer = new AudioContext();
    const out = mixer.createMediaStreamDestination();
    mixer.createMediaStreamSource(new MediaStream([track])).connect(out);
    const tone = new OscillatorNode(mixer, { frequency: BEEP_HZ });
    const gain = new GainNode(mixer, { gain: 0 });
    tone.connect(gain).connect(out);
    tone.start();
    let planned = 0;
    setInterval(() => {
      const next = Math.ceil(Date.now() / EVERY_MS) * EVERY_MS;
      if (next === planned || next - Date.now() > 900) return;
      planned = next;
      const at = mixer.currentTime + (next - Date.now()) / 1000;
      gain.gain.setValueAtTime(0.15, at);
      gain.gain.setValueAtTime(0, at + LENGTH_MS / 1000);
    }, 200);
    return handOver(track, out.stream.getAudioTracks()[0]);
  }

  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const given = await open(wanted);
    const made = [];
    for (const track of given.getTracks()) {
      made.push(track.kind === "video" ? await flashing(track) : beeping(track));
    }
    return new MediaStream(made);
  };
})();
""".replace("BEEP_HZ", str(BEEP_HZ))


def mark_by_wall_clock(page: Page) -> None:
    """From the next page on, what this page's devices give carries the marks."""
    page.add_init_script(_SCRIPT)


def flashes(file: Path) -> list[float]:
    """When the upper half turns white, in seconds of the file."""
    graph = (
        "crop=iw:ih/2:0:0,scale=8:8:flags=area,signalstats,"
        "metadata=print:key=lavfi.signalstats.YAVG:file=-"
    )
    told = _ffmpeg("-copyts", "-i", str(file), "-an", "-vf", graph, "-f", "null", "/dev/null")
    found = re.findall(r"pts_time:([\d.]+)\s+lavfi\.signalstats\.YAVG=([\d.]+)", told.decode())
    times, light = [float(t) for t, _ in found], numpy.array([float(y) for _, y in found])
    return _onsets(times, light)


def beeps(file: Path) -> list[float]:
    """When the high tone begins, in seconds of the file; gaps count with their true length."""
    raw = _ffmpeg(
        "-i", str(file), "-vn", "-ac", "1", "-ar", str(RATE_HZ),
        "-af", "aresample=async=1:first_pts=0", "-f", "s16le", "-",
    )  # fmt: skip
    samples = numpy.frombuffer(raw, dtype="<i2").astype(float)
    step = int(RATE_HZ * _STEP_S)
    frames = samples[: len(samples) // step * step].reshape(-1, step)
    turning = numpy.exp(-2j * numpy.pi * BEEP_HZ * numpy.arange(step) / RATE_HZ)
    loud = numpy.abs(frames @ turning)
    return _onsets([number * _STEP_S for number in range(len(loud))], loud)


def _onsets(times: Sequence[float], level: numpy.ndarray) -> list[float]:
    """Where the level rises past the middle of its range; a mark lasts 0.3 s, so one a second."""
    middle = (numpy.percentile(level, 5) + numpy.percentile(level, 97)) / 2
    found: list[float] = []
    for before, now, at in zip(level, level[1:], times[1:], strict=False):
        if before < middle <= now and (not found or at - found[-1] > EVERY_S / 2):
            found.append(at)
    return found


def phase(times: Sequence[float]) -> float:
    """Where within the two seconds the marks lie, as the middle of them all, 0 ≤ phase < 2.

    Middle rather than mean: one stalled second of a loaded machine is not a lasting offset.
    """
    turned = [math.tau * t / EVERY_S for t in times]
    towards = math.atan2(sum(map(math.sin, turned)), sum(map(math.cos, turned)))
    near = towards / math.tau * EVERY_S
    return (near + statistics.median(apart(t, near) for t in times)) % EVERY_S


def apart(one: float, other: float) -> float:
    """Signed distance of two moments within the two seconds, −1 … 1 s."""
    return (one - other + EVERY_S / 2) % EVERY_S - EVERY_S / 2


def _ffmpeg(*arguments: str) -> bytes:
    command = ["ffmpeg", "-v", "error", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout
