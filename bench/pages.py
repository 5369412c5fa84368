"""How long pages take, how heavy the first one is, how soon it is painted on a slow line.

    script/in-netns .venv/bin/python bench/pages.py --cases 300

Starts the whole system on SQLite and the folder store with the demonstration's data. Prints JSON
lines: the figure, the reference measured in the same run (a page that does nothing), the ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import urllib3
from playwright.sync_api import BrowserContext, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.support.browsers import CHROMIUM, FLAGS
from tests.support.system import RunningSystem, running_system

SLOW_4G = {"latency": 150, "downloadThroughput": 1_638_400 / 8, "uploadThroughput": 750_000 / 8}
PUBLIC = ("/", "/gui-don", "/tra-cuu", "/dang-nhap")
STAFF = (
    ("Trần Thị Mai", ("/hop-don", "/vu-viec", "/quay", "/phien", "/so-tiep-dan", "/ban-do")),
    ("Nguyễn Hữu Phước", ("/tim?q=den+bu", "/ban-ghi")),
)
ROUNDS = 25


def say(**figures: Any) -> None:
    """One JSON line."""
    print(json.dumps(figures, ensure_ascii=False), flush=True)


def _times(pool: urllib3.PoolManager, url: str, headers: dict[str, str]) -> list[float]:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = pool.request("GET", url, headers=headers, redirect=False)
        taken.append((time.perf_counter() - began) * 1000)
        assert answer.status in (200, 302, 404), (url, answer.status)
    return sorted(taken)


def _cookies(context: BrowserContext) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{c['name']}={c['value']}" for c in context.cookies())}


def measure_pages(system: RunningSystem, contexts: dict[str, BrowserContext]) -> None:
    """Median and 95th percentile of each page, beside the liveness page."""
    pool = urllib3.PoolManager(retries=False)
    nothing = statistics.median(_times(pool, f"{system.url}/song", {}))
    say(what="reference", page="/song", p50_ms=round(nothing, 1))
    asked = [("", page, {}) for page in PUBLIC]
    asked += [(who, page, _cookies(contexts[who])) for who, pages in STAFF for page in pages]
    for who, page, headers in asked:
        taken = _times(pool, system.url + page, headers)
        say(
            what="page",
            page=page,
            as_=who,
            p50_ms=round(statistics.median(taken), 1),
            p95_ms=round(taken[int(len(taken) * 0.95) - 1], 1),
            ratio=round(statistics.median(taken) / nothing, 1),
        )


def measure_first_page(system: RunningSystem, context: BrowserContext) -> None:
    """Bytes over the line and largest contentful paint of the first page, cold, on slow 4G."""
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", {"offline": False, **SLOW_4G})
    received: list[int] = []
    line.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(system.url, wait_until="networkidle")
    painted = page.evaluate(
        """() => new Promise(done => new PerformanceObserver(list =>
             done(list.getEntries().at(-1).startTime))
             .observe({ type: "largest-contentful-paint", buffered: true }))"""
    )
    say(what="first page", bytes=sum(received), bar_bytes=150 * 1024)
    say(what="first page", lcp_ms=round(painted), bar_ms=1500, line="1.6 Mbit/s, 150 ms")


def main() -> None:
    """Run everything once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=300)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tcd-bench-") as folder:
        root = Path(folder)
        back_ends = {"DATABASE_URL": f"sqlite:///{root}/tcd.db", "OBJECT_STORE": "folder"}
        with running_system(root, back_ends) as system, sync_playwright() as playwright:
            system.flask("seed", "demo", "--cases", str(asked.cases))
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, chromium_sandbox=False, args=list(FLAGS)
            )
            contexts = {}
            for who, _ in STAFF:
                contexts[who] = browser.new_context(base_url=system.url)
                page = contexts[who].new_page()
                page.goto("/dang-nhap")
                page.locator(".demo-logins").get_by_role("button", name=who).click()
                page.wait_for_load_state()
            measure_pages(system, contexts)
            measure_first_page(system, browser.new_context(base_url=system.url))
            browser.close()


if __name__ == "__main__":
    main()
