"""How long pages take, how heavy the first one is, how soon it is painted on a slow line.

    script/in-netns .venv/bin/python bench/pages.py --cases 300
    .venv/bin/python bench/pages.py --url http://127.0.0.1:8000

Starts the whole system on SQLite and the folder store with the demonstration's data, or measures
a demonstration that runs already. Prints JSON lines: the figure, the reference measured in the
same run (a page that does nothing), their ratio, the bar and whether it was met; first and last
how loaded the machine was.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3
from playwright.sync_api import Browser, BrowserContext, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.support.browsers import CHROMIUM, FLAGS
from tests.support.system import running_system

SLOW_4G = {"latency": 150, "downloadThroughput": 1_638_400 / 8, "uploadThroughput": 750_000 / 8}
PUBLIC = ("/", "/gui-don", "/tra-cuu", "/lich-tiep", "/dang-nhap")
STAFF = (
    ("Trần Thị Mai", ("/hop-don", "/vu-viec", "/quay", "/phien", "/so-tiep-dan")),
    ("Nguyễn Hữu Phước", ("/ban-do", "/ban-do/du-lieu?chay=1", "/tim?q=den+bu", "/ban-ghi")),
)
ROUNDS = 40
PAINTS = 5
BAR_BYTES, BAR_PAINT_MS, BAR_PAGE_MS = 150 * 1024, 1500, 300


def say(**figures: Any) -> None:
    """One JSON line."""
    print(json.dumps(figures, ensure_ascii=False), flush=True)


def say_load() -> None:
    """How many processes wanted the processors in the last minute."""
    say(what="load", one_minute=round(os.getloadavg()[0], 1), processors=os.cpu_count())


def _times(pool: urllib3.PoolManager, url: str, headers: dict[str, str]) -> list[float]:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = pool.request("GET", url, headers=headers, redirect=False)
        taken.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise SystemExit(f"{url} answered {answer.status}")
    return sorted(taken)


def _cookies(context: BrowserContext) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{c['name']}={c['value']}" for c in context.cookies())}


def measure_pages(url: str, contexts: dict[str, BrowserContext]) -> None:
    """Median and 95th percentile of each page, beside the liveness page."""
    pool = urllib3.PoolManager(retries=False)
    nothing = statistics.median(_times(pool, f"{url}/song", {}))
    say(what="reference", page="/song", p50_ms=round(nothing, 1))
    asked: list[tuple[str, str, dict[str, str]]] = [("", page, {}) for page in PUBLIC]
    asked += [(who, page, _cookies(contexts[who])) for who, pages in STAFF for page in pages]
    for who, page, headers in asked:
        taken = _times(pool, url + page, headers)
        p95 = taken[round(len(taken) * 0.95) - 1]
        say(
            what="page",
            page=page,
            as_=who,
            p50_ms=round(statistics.median(taken), 1),
            p95_ms=round(p95, 1),
            ratio=round(statistics.median(taken) / nothing, 1),
            bar_p95_ms=BAR_PAGE_MS,
            met=p95 <= BAR_PAGE_MS,
        )


def _first_page(browser: Browser, url: str) -> tuple[int, float]:
    """Bytes over the line and largest contentful paint in milliseconds, with nothing cached."""
    context = browser.new_context(viewport={"width": 360, "height": 780})
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", {"offline": False, **SLOW_4G})
    received: list[int] = []
    line.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(url, wait_until="networkidle")
    painted = page.evaluate(
        """() => new Promise(done => new PerformanceObserver(list =>
             done(list.getEntries().at(-1).startTime))
             .observe({ type: "largest-contentful-paint", buffered: true }))"""
    )
    context.close()
    return sum(received), painted


def measure_first_page(browser: Browser, url: str) -> None:
    """What a citizen's phone waits for: several cold visits, the middle one counts."""
    visits = [_first_page(browser, url) for _ in range(PAINTS)]
    size = max(size for size, _ in visits)
    painted = statistics.median(painted for _, painted in visits)
    say(what="first page", bytes=size, bar_bytes=BAR_BYTES, met=size <= BAR_BYTES)
    say(
        what="first page",
        lcp_ms=round(painted),
        all_ms=[round(painted) for _, painted in visits],
        bar_ms=BAR_PAINT_MS,
        met=painted <= BAR_PAINT_MS,
        line="1.6 Mbit/s, 150 ms",
    )


@contextlib.contextmanager
def _own_system(cases: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="tcd-bench-") as folder:
        root = Path(folder)
        back_ends = {"DATABASE_URL": f"sqlite:///{root}/tcd.db", "OBJECT_STORE": "folder"}
        with running_system(root, back_ends) as system:
            system.flask("seed", "demo", "--cases", str(cases))
            yield system.url


def _log_in(browser: Browser, url: str, who: str) -> BrowserContext:
    context = browser.new_context(base_url=url)
    page = context.new_page()
    page.goto("/dang-nhap")
    page.locator(".demo-logins").get_by_role("button", name=who).click()
    page.wait_for_load_state()
    page.close()
    return context


def main() -> None:
    """Run everything once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--url", help="a demonstration that runs already")
    asked = parser.parse_args()
    system = (
        contextlib.nullcontext(asked.url.rstrip("/")) if asked.url else _own_system(asked.cases)
    )
    with system as url, sync_playwright() as playwright:
        say_load()
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, chromium_sandbox=False, args=list(FLAGS)
        )
        measure_first_page(browser, url)
        measure_pages(url, {who: _log_in(browser, url, who) for who, _ in STAFF})
        browser.close()
        say_load()


if __name__ == "__main__":
    main()
