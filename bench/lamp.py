"""How soon the recording lamp is lit after a session opens, and red after the bytes stop.

    script/in-netns python bench/lamp.py [--times 5]

Opens reception sessions in a real Chromium on the running system (web, sealer, worker, Janus) and
reads the lamp of the chair's page. Prints one JSON line a figure: `value` in `unit`, the `bar`,
whether it was `met`, and as `reference` of the first what the media server itself needed in the
same run to write its first bytes (their `ratio` tells what sealing and the page add). The worst of
all openings counts, not the mean: an alarm that is late once is late.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from flask import Flask
from playwright.sync_api import Page

from config import read_settings
from reception import create_app
from reception.accounts.operations import open_login
from tests.support.browsers import Participant, participants
from tests.support.factories import Factories
from tests.support.meetings import Cast, end, local, make_ready, schedule, set_clock
from tests.support.system import RunningSystem, running_system

LIT_BAR_S, ALARM_BAR_S = 3.0, 5.0
NOTE_CHANGES = """addEventListener("DOMContentLoaded", () => {
  const lamp = document.querySelector("[data-lamp]");
  if (!lamp) return;
  window.lampAt = {};
  const note = () => (window.lampAt[lamp.dataset.state] ??= Date.now());
  note();
  new MutationObserver(note).observe(lamp, { attributes: true, attributeFilter: ["data-state"] });
});"""


def say(name: str, value: float, unit: str, **more: object) -> None:
    """One figure as one line."""
    line = {"bench": "lamp", "name": name, "value": round(value, 2), "unit": unit, **more}
    print(json.dumps(line), flush=True)


class FirstBytes:
    """Notes when the media server has written the first bytes of a room that is new."""

    def __init__(self, rooms: Path) -> None:
        self._rooms, self._known = rooms, set(rooms.rglob("*.mjr*"))
        self.at: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._stop.wait(0.02) and self.at is None:
            fresh = set(self._rooms.rglob("*.mjr*")) - self._known
            if any(path.stat().st_size for path in fresh if path.exists()):
                self.at = time.time()

    def end(self) -> float | None:
        self._stop.set()
        self._thread.join()
        return self.at


def chair_page(app: Flask, system: RunningSystem, person: Participant, cast: Cast) -> Page:
    """A browser in which the chair has logged in, noting what the lamp does."""
    page = person.start_afresh(base_url=system.url)
    token = open_login(cast.chair.account_id, user_agent="bench", lasts=timedelta(hours=1))
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]  # the default interface has it
    value = signer.dumps({"_user_id": token, "_fresh": True})
    person.context.add_cookies([{"name": "tcd", "value": value, "url": system.url}])
    person.context.add_init_script(NOTE_CHANGES)
    return page


def ready_session(factories: Factories, cast: Cast, number: int) -> UUID:
    """A session through its gates, two minutes before it begins."""
    set_clock(local(17))
    meeting_id = schedule(factories, cast, idempotency_key=f"lamp {number}", visits=())
    make_ready(meeting_id, cast)
    set_clock(local(26, 7, 58))
    return meeting_id


def until(page: Page, state: str, within_s: float = 60) -> float:
    """When the page's lamp took on this state, in seconds of the wall clock."""
    page.wait_for_selector(f'[data-lamp][data-state="{state}"]', timeout=within_s * 1000)
    return float(page.evaluate(f"window.lampAt[{state!r}]")) / 1000


def open_once(page: Page, meeting_id: UUID, rooms: Path) -> tuple[float, float]:
    """(seconds to the light, seconds to the media server's first bytes) after the click."""
    page.goto(f"/phien/{meeting_id}/vao")
    page.get_by_test_id("notice").check()
    page.get_by_test_id("enter").click()
    page.get_by_test_id("notice-given").check()
    first = FirstBytes(rooms)
    clicked = time.time()
    page.get_by_test_id("open-session").click()
    lit = until(page, "lit")
    return lit - clicked, (first.end() or lit) - clicked


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that stands still."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def alarm_after(page: Page, pid: int) -> float:
    """Seconds from the moment this process stands still to the red lamp."""
    page.wait_for_timeout(5000)
    page.evaluate("delete window.lampAt.silent")
    with stopped(pid):
        began = time.time()
        red = until(page, "silent")
    page.wait_for_selector('[data-lamp][data-state="lit"]', timeout=90_000)
    return red - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-lamp-") as folder:
        root = Path(folder)
        back_ends = {"DATABASE_URL": f"sqlite:///{root}/tcd.db", "OBJECT_STORE": "folder"}
        with (
            running_system(root / "system", back_ends) as system,
            participants(root / "people", ["red"]) as people,
        ):
            app = create_app(read_settings(system.environment))
            with app.app_context():
                measure(app, system, people["red"], asked.times)


def measure(app: Flask, system: RunningSystem, person: Participant, times: int) -> None:
    """Every opening on the same system, one after another."""
    factories = Factories()
    cast = Cast.gather(factories)
    rooms = system.spool / "rooms"
    lit: list[float] = []
    first: list[float] = []
    alarms: dict[str, list[float]] = {"media server": [], "sealer": []}
    for number in range(times):
        meeting_id = ready_session(factories, cast, number)
        page = chair_page(app, system, person, cast)
        light, bytes_at = open_once(page, meeting_id, rooms)
        lit.append(light)
        first.append(bytes_at)
        for name, pid in (
            ("media server", system.janus.process.pid),
            ("sealer", system.processes["sealer"].pid),
        ):
            alarms[name].append(alarm_after(page, pid))
        end(meeting_id, cast, nobody="Đo đèn ghi")
    report(lit, first, alarms)


def report(lit: list[float], first: list[float], alarms: dict[str, list[float]]) -> None:
    reference = statistics.median(first)
    for name, value in (("lit, median", statistics.median(lit)), ("lit, worst", max(lit))):
        say(
            name, value, "s", reference=round(reference, 2), ratio=round(value / reference, 2),
            bar=LIT_BAR_S, met=value <= LIT_BAR_S, times=len(lit),
        )  # fmt: skip
    for name, values in alarms.items():
        say(
            f"alarm after the {name} stops, worst", max(values), "s", bar=ALARM_BAR_S,
            met=max(values) <= ALARM_BAR_S, median=round(statistics.median(values), 2),
            times=len(values),
        )  # fmt: skip


if __name__ == "__main__":
    main()
