"""One real Chromium per participant, each with a camera and a microphone of its own.

    with participants(tmp_path, ["red", "blue"]) as people:
        people["red"].page.goto(...)

Camera and microphone are files, and files belong to a browser process: hence one process each.
The picture is one flat colour and the sound one tone, so that a recording can be told apart.
Small and slow pictures keep three browsers within two cores.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT, FRAMES_PER_S = 320, 240, 15
LOOP_S = 4
FLAGS = (
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--deny-permission-prompts",  # what is not granted below is refused, as by a person
    "--autoplay-policy=no-user-gesture-required",
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--mute-audio",
    # One flat colour has nothing to lose by the cheapest path through the browser.
    "--disable-extensions",
    "--disable-component-update",
    "--no-first-run",
)


@dataclass(frozen=True)
class Look:
    """What a participant shows and says."""

    colour: str  # as ffmpeg names it
    rgb: tuple[int, int, int]
    tone_hz: int


LOOKS = {
    "red": Look("0xD02020", (0xD0, 0x20, 0x20), 440),
    "green": Look("0x20A040", (0x20, 0xA0, 0x40), 660),
    "blue": Look("0x2040D0", (0x20, 0x40, 0xD0), 880),
}


@dataclass
class Participant:
    """A browser of one person. `start_afresh` gives a page that knows nothing of the last one."""

    name: str
    look: Look
    browser: Browser
    context: BrowserContext
    page: Page

    def start_afresh(
        self, *, base_url: str | None = None, devices: Sequence[str] = ("camera", "microphone")
    ) -> Page:
        """Close every page and cookie; `devices` are those the person allows."""
        self.context.close()
        self.context = _new_context(self.browser, base_url, devices)
        self.page = self.context.new_page()
        return self.page


def make_camera(path: Path, look: Look) -> Path:
    """A looped picture file in the colour of `look`, with a bar that moves."""
    size, length = f"{WIDTH}x{HEIGHT}", str(LOOP_S)
    picture = f"color=c={look.colour}:s={size}:r={FRAMES_PER_S}"
    bar = f"color=c=white:s=16x{HEIGHT // 6}:r={FRAMES_PER_S}"
    # Grain as of a real camera: a flat picture is so small that its file would hardly grow.
    graph = f"[0][1]overlay=x='mod(t*{WIDTH}/{LOOP_S},{WIDTH})':y=0,noise=c0s=8:c0f=t"
    _ffmpeg(
        "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", bar, "-filter_complex", graph,
        "-t", length, "-pix_fmt", "yuv420p", str(path),
    )  # fmt: skip
    return path


def make_microphone(path: Path, look: Look) -> Path:
    """A looped sound file with the look's tone, four fifths of every second.

    The pauses make it pass for speech: a steady tone is noise to a browser, which takes it out.
    """
    tone = f"sine=frequency={look.tone_hz}:sample_rate=48000"
    words = "volume=4*lt(mod(t\\,1)\\,0.8):eval=frame"
    _ffmpeg("-f", "lavfi", "-i", tone, "-af", words, "-t", str(LOOP_S), "-ac", "1", str(path))
    return path


def flags_of(folder: Path, name: str, look: Look) -> list[str]:
    """Command line flags that give a browser the camera and microphone of `look`."""
    camera = make_camera(folder / f"{name}.y4m", look)
    microphone = make_microphone(folder / f"{name}.wav", look)
    return [
        *FLAGS,
        f"--use-file-for-fake-video-capture={camera}",
        f"--use-file-for-fake-audio-capture={microphone}",
    ]


@contextlib.contextmanager
def participants(
    folder: Path, names: Sequence[str] = ("red", "blue"), *, base_url: str | None = None
) -> Iterator[dict[str, Participant]]:
    """A browser for each name of LOOKS; all are closed at the end, whatever happened."""
    with sync_playwright() as playwright, contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(participant(playwright, folder, name, base_url=base_url))
            for name in names
        }


@contextlib.contextmanager
def participant(
    playwright: Playwright, folder: Path, name: str, *, base_url: str | None = None
) -> Iterator[Participant]:
    """One browser process with one page, in Vietnamese, allowed to use camera and microphone."""
    folder.mkdir(parents=True, exist_ok=True)
    look = LOOKS[name]
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM,
        headless=True,
        chromium_sandbox=False,
        args=flags_of(folder, name, look),
    )
    try:
        context = _new_context(browser, base_url, ("camera", "microphone"))
        yield Participant(name, look, browser, context, context.new_page())
    finally:
        browser.close()


def _new_context(browser: Browser, base_url: str | None, devices: Sequence[str]) -> BrowserContext:
    return browser.new_context(
        base_url=base_url,
        locale="vi-VN",
        viewport={"width": 1280, "height": 800},
        permissions=list(devices),
    )


def _ffmpeg(*arguments: str) -> None:
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *arguments]
    subprocess.run(command, check=True, capture_output=True)
