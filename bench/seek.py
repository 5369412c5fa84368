"""How soon the picture stands after a jump in a long recording, in a real Chromium.

    script/in-netns python bench/seek.py [--minutes 60] [--people 3] [--seeks 60]

Makes a recording of looped synthesised tracks through the real sealer and the real jobs, opens it
in the player and jumps to random places. Prints one JSON line a figure: `value` in `unit`, with
`reference` (the same jumps in the same files served plain and whole by the same server, measured
in the same run), their `ratio`, the `bar` and whether it was `met`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from flask import Flask, send_from_directory
from playwright.sync_api import Page, sync_playwright

from reception import create_app
from reception.access import public
from reception.recordings import operations
from reception.recordings.rehearsal import Presence, Stretch, rehearse
from reception.settings import settings
from storage.database import reading
from storage.media.mjr import FRAME_HEAD, MjrParser, header_end
from storage.models import PlayableCopy, SealedObject
from storage.runtime import runtime
from storage.sealed import open_object
from tests.conftest import fill, make_settings
from tests.support import recordings as made
from tests.support.browsers import CHROMIUM, FLAGS
from tests.support.factories import Factories
from tests.support.server import log_in_cookie, served
from workflows.access import Role

LOOP_S = 60
BAR_MS = 500
CLOCK_HZ = {"a": 48_000, "v": 90_000}
JUMP = """(at) => new Promise((done) => {
  const root = document.getElementById('player');
  root.addEventListener('player:painted', ({ detail }) => done(detail.ms), { once: true });
  root.player.seek(at);
})"""
PLAIN_JUMP = """(at) => {
  const jump = (video) => new Promise((done) => {
    const began = performance.now();
    video.addEventListener('seeked', () => done(performance.now() - began), { once: true });
    video.currentTime = at / 1000;
  });
  const all = [...document.querySelectorAll('video')].map(jump);
  return Promise.all(all).then((times) => Math.max(...times));
}"""


def say(name: str, value: float, unit: str, **more: object) -> None:
    """One figure as one line."""
    figure = {"bench": "seek", "name": name, "value": round(value, 1), "unit": unit, **more}
    print(json.dumps({**figure, "load": round(os.getloadavg()[0], 1)}), flush=True)


def looped(mjr: bytes, times: int, length_ms: int) -> bytes:
    """The same track over and over: arrival, RTP time and packet counters go on."""
    parser = MjrParser()
    parser.feed(mjr)
    if parser.header is None:
        raise ValueError("a track begins with a header")
    start = header_end(mjr)
    frames = list(_frames(mjr, start))
    step = CLOCK_HZ[parser.header.media[0]] * length_ms // 1000
    parts = [mjr[:start]]
    for turn in range(times):
        for number, (arrival, rtp) in enumerate(frames):
            (stamp,) = struct.unpack_from(">I", rtp, 4)
            parts += [
                FRAME_HEAD.pack(b"MEET", arrival + turn * length_ms, len(rtp)),
                rtp[:2],
                struct.pack(
                    ">HI",
                    (65_500 + turn * len(frames) + number) % 65_536,
                    (stamp + turn * step) % (1 << 32),
                ),
                rtp[8:],
            ]
    return b"".join(parts)


def _frames(mjr: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    while position < len(mjr):
        _, arrival, size = FRAME_HEAD.unpack_from(mjr, position)
        position += FRAME_HEAD.size
        yield arrival, mjr[position : position + size]
        position += size


def record(people: int, minutes: int) -> made.SealedRecording:
    """A sealed recording of `minutes`, everybody present all the time."""
    factories = Factories()
    meeting_id, participants, chair = made.make_meeting(factories, made.Plan())
    presences = []
    for number in range(people):
        colour, tone = made.LOOKS[number]
        short = made.synthesise_mjr(
            tone, colour, LOOP_S, scratch=_scratch(), size="640x480", label=f"Nguoi {number + 1}"
        )
        presences.append(
            Presence(
                participants[number],
                looped(short.audio_mjr, minutes * 60 // LOOP_S, LOOP_S * 1000),
                looped(short.video_mjr, minutes * 60 // LOOP_S, LOOP_S * 1000),
                made.STARTED,
            )
        )
    began = time.monotonic()
    recording_id = rehearse(
        settings(), meeting_id, [Stretch(tuple(presences), timedelta(minutes=minutes))]
    )
    say("record, seal and master", time.monotonic() - began, "s", minutes=minutes, people=people)
    return made.SealedRecording(recording_id, meeting_id, participants, chair)


def _scratch() -> Path:
    return Path(tempfile.mkdtemp(dir=runtime().spool_dir))


def plain_copies(app: Flask, folder: Path) -> list[str]:
    """The same files unencrypted beside the player: what a plain web server would give."""
    names = []
    with reading() as work:
        rows = [
            row
            for _, row in work.db_session.query(PlayableCopy, SealedObject).filter(
                SealedObject.id == PlayableCopy.sealed_object_id
            )
        ]
    for number, row in enumerate(rows):
        with (folder / f"{number}.webm").open("wb") as file:
            for part in open_object(row).iter_all():
                file.write(part)
        names.append(f"{number}.webm")

    @app.get("/bench/<name>")
    @public
    def plain(name: str) -> Any:
        return send_from_directory(folder, name, conditional=True)

    @app.get("/bench")
    @public
    def page() -> str:
        tags = (f'<video src="/bench/{name}" preload="auto"></video>' for name in names)
        return "<!doctype html><title>bench</title>" + "".join(tags)

    return names


@contextmanager
def browser_page(app: Flask, recorded: made.SealedRecording) -> Iterator[tuple[Page, Page]]:
    """The player, and a page with the plain files."""
    chair = Factories().officer(Role.PROVINCIAL_CHAIR)
    operations.ask_for_playback(
        recorded.recording_id, by=chair.actor, reason="Đo tốc độ", document_number="",
        closed_parts=False,
    )  # fmt: skip
    token = operations.open_recording(recorded.recording_id, by=chair.actor)
    with served(app) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, chromium_sandbox=False, args=list(FLAGS)
        )
        context = browser.new_context(base_url=url, viewport={"width": 1366, "height": 900})
        context.add_cookies([log_in_cookie(app, chair, url)])  # type: ignore[list-item]  # a plain dict
        sealed, plain = context.new_page(), context.new_page()
        plain.goto("/bench")
        sealed.goto(f"/ban-ghi/xem/{token}")
        sealed.wait_for_selector("#player[data-ready]")
        sealed.evaluate(JUMP, 0)
        yield sealed, plain
        browser.close()


def measure(sealed: Page, plain: Page, places: list[int]) -> None:
    """Jump to the same places in the player and in the plain files."""
    times = {"sealed": [], "plain": []}  # type: dict[str, list[float]]
    plain.bring_to_front()
    for at in places:
        times["plain"].append(plain.evaluate(PLAIN_JUMP, at))
    sealed.bring_to_front()
    for at in places:
        times["sealed"].append(sealed.evaluate(JUMP, at))
    for name, part in (("p50", 0.5), ("p95", 0.95)):
        value, reference = (_part(times[kind], part) for kind in ("sealed", "plain"))
        say(
            f"seek {name}", value, "ms", reference=round(reference, 1),
            ratio=round(value / reference, 2), bar=BAR_MS, met=value <= BAR_MS, seeks=len(places),
        )  # fmt: skip


def _part(values: list[float], part: float) -> float:
    return statistics.quantiles(values, n=100)[round(part * 100) - 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--people", type=int, default=3, choices=(1, 2, 3))
    parser.add_argument("--seeks", type=int, default=60)
    asked = parser.parse_args()
    root = Path(tempfile.mkdtemp(dir=made.TMPFS, prefix="bench-"))
    try:
        run(root, asked.minutes, asked.people, asked.seeks)
    finally:
        shutil.rmtree(root)


def run(root: Path, minutes: int, people: int, seeks: int) -> None:
    """Everything below one folder on tmpfs."""
    fill(f"sqlite:///{root}/tcd.db")
    app = create_app(make_settings(root))
    (root / "plain").mkdir()
    with app.app_context():
        recorded = record(people, minutes)
    names = plain_copies(app, root / "plain")
    size = sum((root / "plain" / name).stat().st_size for name in names)
    say("size of the copies", size / 1e6, "MB", files=len(names))
    chosen = random.Random(7)  # places to jump to, not secrets
    places = [chosen.randrange(2_000, minutes * 60_000 - 5_000) for _ in range(seeks)]
    with browser_page(app, recorded) as (sealed, plain):
        measure(sealed, plain, places)


if __name__ == "__main__":
    main()
