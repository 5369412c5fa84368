"""The player in a real browser: people in step, seek anywhere, pictures really decoded.

Run in a network of its own: `script/in-netns .venv/bin/pytest tests/e2e/test_player.py`.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect, sync_playwright

from reception.recordings import operations
from tests.conftest import make_settings
from tests.support.browsers import CHROMIUM, FLAGS
from tests.support.factories import Factories
from tests.support.recordings import LOOKS, Plan, SealedRecording, make_template
from tests.support.server import log_in_cookie, served
from workflows.access import Role

pytestmark = pytest.mark.e2e

# The first person all the time; the second drops between 12 s and 17 s; a pause of 4 s; all again.
PLAN = Plan(
    stretches=(((0, 0.0, 24.0), (1, 0.5, 11.5), (1, 17.0, 7.0)), ((0, 0.0, 8.0), (1, 0.4, 7.0))),
    pause_s=4.0,
    markers=((5.0, "statement", "Trình bày"), (20.0, "decision", "Giao việc")),
)
RGB = {"red": (255, 0, 0), "green": (0, 128, 0)}
SEEK_BAR_MS = 500
IN_STEP_MS = 80

STATE = """() => {
  const player = document.getElementById('player').player;
  const position = player.clock.position;
  return {
    position,
    voices: [...player.voices.values()].flat()
      .filter((voice) => voice.covers(position) && voice.element)
      .map(({ element, copy }) => ({
        ready: element.readyState,
        kind: element.tagName,
        drift: position - copy.from - element.currentTime * 1000,
      })),
  };
}"""
SEEK = """(at) => new Promise((done) => {
  const root = document.getElementById('player');
  root.addEventListener('player:painted', ({ detail }) => done(detail.ms), { once: true });
  root.player.seek(at);
})"""
COLOURS = """() => [...document.querySelectorAll('.qv')].map((tile) => {
  const video = tile.querySelector('video');
  if (!video) return null;
  const canvas = Object.assign(document.createElement('canvas'), { width: 8, height: 8 });
  const paper = canvas.getContext('2d');
  paper.drawImage(video, 0, 0, 8, 8);
  return [...paper.getImageData(1, 1, 1, 1).data].slice(0, 3);
})"""


@pytest.fixture(scope="module")
def template(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[tuple[Flask, SealedRecording]]:
    from reception import create_app
    from storage.database import db

    made = make_template(tmp_path_factory.mktemp("player") / "data", sqlite_template, PLAN)
    app = create_app(make_settings(made.folder))
    yield app, made.recording
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def player(template: tuple[Flask, SealedRecording]) -> Iterator[Page]:
    """An inspector whose request was approved presses “open” on the page of the recording."""
    app, recorded = template
    people = Factories()
    inspector = people.officer(Role.PROVINCIAL_INSPECTOR, name="Đặng Thu Hà")
    chair = people.officer(Role.PROVINCIAL_CHAIR, name="Trần Văn Bình")
    grant = operations.ask_for_playback(
        recorded.recording_id, by=inspector.actor, reason="Xác minh nội dung giao việc",
        document_number="", closed_parts=False,
    )  # fmt: skip
    operations.approve_playback(grant.id, by=chair.actor)
    with served(app) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, chromium_sandbox=False, args=list(FLAGS)
        )
        context = browser.new_context(base_url=url, locale="vi-VN")
        context.add_cookies([log_in_cookie(app, inspector, url)])  # type: ignore[list-item]  # a plain dict
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"/ban-ghi/{recorded.recording_id}")
        page.get_by_role("button", name="Mở bản ghi").click()
        page.wait_for_selector("#player[data-ready]")
        _seek(page, 0)
        yield page
        browser.close()
        assert errors == []


def _seek(page: Page, at: float) -> float:
    taken: float = page.evaluate(SEEK, at)
    return taken


def test_seeking_anywhere_paints_the_picture_of_that_place(player: Page) -> None:
    times = []
    for at in (20_000, 3_000, 23_000, 8_000, 31_000, 1_000, 10_500, 34_000, 18_500, 500):
        times.append(_seek(player, at))
        state = player.evaluate(STATE)
        assert state["voices"], f"nobody is heard at {at}"
        for voice in state["voices"]:
            assert voice["ready"] >= 2, f"no picture decoded at {at}"
            assert abs(voice["drift"]) <= IN_STEP_MS, f"out of step at {at}: {voice}"
    print(json.dumps({"seek_ms": [round(t) for t in times], "p50": statistics.median(times)}))
    assert statistics.median(times) <= SEEK_BAR_MS


def test_each_tile_shows_its_own_person(player: Page) -> None:
    _seek(player, 6_000)
    seen = player.evaluate(COLOURS)
    for (colour, _), rgb in zip(LOOKS[:2], seen, strict=True):
        assert all(abs(a - b) < 70 for a, b in zip(rgb, RGB[colour], strict=True)), (colour, rgb)


def test_person_who_dropped_leaves_a_tile_that_says_so(player: Page) -> None:
    _seek(player, 14_000)
    player.wait_for_timeout(250)
    assert player.locator(".qv.none .off").inner_text() == "tạm rời phiên"
    assert player.locator(".qv video").count() == 1


def test_playing_moves_everybody_in_step_across_the_pause(player: Page) -> None:
    _seek(player, 20_000)
    player.keyboard.press("Space")
    player.wait_for_timeout(2500)
    state = player.evaluate(STATE)
    assert 21_500 < state["position"] < 23_500
    assert len(state["voices"]) == 2
    for voice in state["voices"]:
        assert abs(voice["drift"]) <= IN_STEP_MS
    player.wait_for_timeout(2500)
    in_pause = player.evaluate(STATE)
    assert in_pause["voices"] == []
    player.wait_for_timeout(4000)
    after = player.evaluate(STATE)
    assert after["position"] > 28_000
    assert len(after["voices"]) == 2
    player.keyboard.press("Space")
    stopped = player.evaluate(STATE)["position"]
    player.wait_for_timeout(300)
    assert player.evaluate(STATE)["position"] == stopped


def test_keys_and_marks_jump(player: Page) -> None:
    _seek(player, 1_000)
    player.keyboard.press("m")
    assert abs(player.evaluate(STATE)["position"] - 5_000) < 60
    player.keyboard.press("l")
    assert abs(player.evaluate(STATE)["position"] - 15_000) < 60
    player.keyboard.press("j")
    player.keyboard.press("ArrowLeft")
    assert player.evaluate(STATE)["position"] < 60
    player.get_by_role("button", name="08:00:20").click()
    assert abs(player.evaluate(STATE)["position"] - 20_000) < 60
    assert "cur" in str(player.locator("[data-mark]", has_text="Giao việc").get_attribute("class"))


def test_picture_switched_off_is_still_heard(player: Page) -> None:
    _seek(player, 6_000)
    player.locator(".lr input").nth(1).uncheck()
    expect(player.locator(".qv")).to_have_count(1)
    player.wait_for_timeout(600)
    kinds = sorted(voice["kind"] for voice in player.evaluate(STATE)["voices"])
    assert kinds == ["AUDIO", "VIDEO"]
    player.locator(".lr input").nth(1).check()
    expect(player.locator(".qv video")).to_have_count(2)


def test_viewer_stands_over_every_picture(player: Page) -> None:
    for mark in player.locator(".qv .wm").all():
        assert "Đặng Thu Hà" in str(mark.text_content())
