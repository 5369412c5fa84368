"""The device check in a real browser: it tells, never throws, and never holds up."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.media.conftest import PageServer
from tests.media.recordings import wait_until
from tests.support.browsers import Participant

pytestmark = pytest.mark.media


def open_page(
    browsers: dict[str, Participant], server: PageServer, devices: tuple[str, ...]
) -> Page:
    page = browsers["red"].start_afresh(base_url=server.url, devices=devices)
    page.goto("/")
    page.wait_for_selector("body[data-ready]", state="attached")
    page.evaluate(
        """() => {
          window.check = new DeviceCheck();
          check.addEventListener("level", ({ detail }) => (window.level = detail.level));
        }"""
    )
    return page


def started(page: Page, wanted: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = page.evaluate(
        """async (wanted) => {
          const { stream, audioTrouble, videoTrouble } = await check.start(wanted ?? undefined);
          const kinds = stream.getTracks().map(({ kind }) => kind).sort();
          return { kinds, audioTrouble, videoTrouble };
        }""",
        wanted,
    )
    return dict(answer)


def test_everything_works_and_is_handed_over_open(
    browsers: dict[str, Participant], page_server: PageServer
) -> None:
    page = open_page(browsers, page_server, ("camera", "microphone"))
    assert page.evaluate("check.permissions()") == {"audio": "granted", "video": "granted"}
    assert started(page) == {"kinds": ["audio", "video"], "audioTrouble": "", "videoTrouble": ""}
    devices = page.evaluate("check.devices()")
    assert all(devices[kind] for kind in ("cameras", "microphones"))
    page.mouse.click(5, 5)
    wait_until(lambda: page.evaluate("window.level > 0.15 && check.heard()"), said="a sound")
    assert page.evaluate("check.playTone()") == ""
    states = "check.handOver().getTracks().map(({ readyState }) => readyState)"
    assert page.evaluate(states) == ["live", "live"]


@pytest.mark.parametrize(
    ("allowed", "kinds", "audio", "video"),
    [
        (("microphone",), ["audio"], "", "refused"),
        (("camera",), ["video"], "refused", ""),
        ((), [], "refused", "refused"),
    ],
)
def test_one_refused_device_never_costs_the_other(
    browsers: dict[str, Participant],
    page_server: PageServer,
    allowed: tuple[str, ...],
    kinds: list[str],
    audio: str,
    video: str,
) -> None:
    page = open_page(browsers, page_server, allowed)
    assert started(page) == {"kinds": kinds, "audioTrouble": audio, "videoTrouble": video}


def test_an_unknown_device_is_missing_and_a_stopped_check_lets_go(
    browsers: dict[str, Participant], page_server: PageServer
) -> None:
    page = open_page(browsers, page_server, ("camera", "microphone"))
    answer = started(page, {"videoDeviceId": "no such camera"})
    assert answer == {"kinds": ["audio"], "audioTrouble": "", "videoTrouble": "missing"}
    page.evaluate("check.start().then(({ stream }) => { window.opened = stream; check.stop(); })")
    wait_until(
        lambda: page.evaluate("window.opened?.getTracks().every((t) => t.readyState === 'ended')")
    )


def test_a_page_without_https_says_so(
    browsers: dict[str, Participant], page_server: PageServer
) -> None:
    page = open_page(browsers, page_server, ())
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    page.reload()
    page.wait_for_selector("body[data-ready]", state="attached")
    page.evaluate("window.check = new DeviceCheck()")
    assert started(page) == {"kinds": [], "audioTrouble": "insecure", "videoTrouble": "insecure"}
    assert page.evaluate("check.devices()") == {"cameras": [], "microphones": [], "speakers": []}
