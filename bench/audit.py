"""What the audit log costs: 50 writers at once, and a pass over a million leaves.

    python bench/audit.py [--leaves 1000000] [--writers 50] [--seconds 10] [--postgres]

Prints one JSON line a figure. Writers commit one small row each time: first without a leaf (the
`reference` of the same run), then with its leaf while the sequencer puts leaves into the tree; the
`ratio` of both is what the log leaves of the throughput. The lag is how long the last leaf waited.
A pass is timed beside bare SHA-256 over the same bodies.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from flask import Flask
from sqlalchemy import func, select

from reception import create_app
from reception.worker import sequence_all
from storage.audit import verify
from storage.checkpoints import checkpoint_now, proof_of_event
from storage.database import reading, unit_of_work
from storage.models import AuditLeaf, OutboxMessage
from storage.models.base import new_id
from storage.runtime import runtime
from tests.conftest import fill, make_settings
from tests.support.long_log import write_long_log
from tools.postgres.server import running_postgres
from workflows.errors import Unavailable

BAR_RATIO = 0.8
BAR_LAG_S = 1.0
TURNS = 3


def say(name: str, value: float, unit: str, **more: object) -> None:
    """One figure as a JSON line."""
    figure = {"bench": "audit", "name": name, "value": round(value, 3), "unit": unit, **more}
    print(json.dumps(figure), flush=True)


@contextmanager
def application(root: Path, *, postgres: bool) -> Iterator[Flask]:
    """The application over an empty database with the reference data."""
    if not postgres:
        settings = make_settings(root)
        fill(settings.database_url)
        with create_app(settings).app_context() as context:
            yield context.app
        return
    with running_postgres() as server:
        server.create("bench")
        fill(server.url("bench"))
        with create_app(make_settings(root, DATABASE_URL=server.url("bench"))).app_context() as own:
            yield own.app


class Crew:
    """Writers that commit until time is up; how often they did, and were told to wait."""

    def __init__(self, *, with_leaf: bool) -> None:
        self.with_leaf = with_leaf
        self.done = self.refused = 0
        self.slowest_s = 0.0
        self.lags: list[float] = []
        self._lock = threading.Lock()

    def _write(self, until: float) -> None:
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                self._commit()
                done, refused = 1, 0
            except Unavailable:
                done, refused = 0, 1
            with self._lock:
                self.done += done
                self.refused += refused
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    def _commit(self) -> None:
        with unit_of_work() as work:
            row = work.add(
                OutboxMessage(
                    topic="bench",
                    subject_kind="bench",
                    subject_id=new_id(),
                    payload={},
                    idempotency_key=new_id().hex,
                )
            )
            if self.with_leaf:
                work.audit("bench_done", row, by=None, number=1)

    def run(self, writers: int, seconds: float) -> float:
        """Commits a second, in this turn."""
        before = self.done
        until = time.monotonic() + seconds
        threads = [threading.Thread(target=self._write, args=(until,)) for _ in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (self.done - before) / seconds


def sequencing(stop: threading.Event) -> None:
    """As the worker does."""
    while not stop.wait(0.5):
        try:
            sequence_all()
        except Unavailable:
            continue


def writers_at_once(writers: int, seconds: float, backend: str) -> None:
    """Throughput with and without the log, by turns, so that other load falls on both."""
    runtime().fields.prepare()
    bare, crew = Crew(with_leaf=False), Crew(with_leaf=True)
    part = seconds / TURNS
    turns = [(bare.run(writers, part), _logged(crew, writers, part)) for _ in range(TURNS)]
    reference, rate = (statistics.median(rates) for rates in zip(*turns, strict=True))
    say(
        "writers",
        rate,
        "commits/s",
        backend=backend,
        writers=writers,
        reference=round(reference, 1),
        beside="the same commits without a leaf",
        ratio=round(rate / reference, 3),
        bar=f"ratio >= {BAR_RATIO}",
        met=rate / reference >= BAR_RATIO,
        refused=crew.refused,
        slowest_s=round(crew.slowest_s, 3),
    )
    say(
        "lag-after-the-last",
        max(crew.lags),
        "s",
        backend=backend,
        bar=f"<= {BAR_LAG_S}",
        met=max(crew.lags) <= BAR_LAG_S,
    )
    with reading() as work:
        found = verify(work.db_session)
    assert (found.size, found.waiting) == (crew.done, 0)


def _logged(crew: Crew, writers: int, seconds: float) -> float:
    """One turn with leaves while the sequencer works; keeps how long the last leaf waited."""
    stop = threading.Event()
    sequencer = threading.Thread(target=sequencing, args=(stop,))
    sequencer.start()
    rate = crew.run(writers, seconds)
    ended = time.monotonic()
    while waiting() and time.monotonic() - ended < 60:
        time.sleep(0.02)
    crew.lags.append(time.monotonic() - ended)
    stop.set()
    sequencer.join()
    return rate


def waiting() -> int:
    """Leaves that are not yet in the tree."""
    with reading() as work:
        return int(
            work.db_session.scalar(
                select(func.count()).select_from(AuditLeaf).where(AuditLeaf.tree_index.is_(None))
            )
            or 0
        )


def passes(leaves: int, backend: str) -> None:
    """A pass over the whole log, and the proof of one event out of it."""
    write_long_log(leaves)
    checkpoint_now()
    before = time.perf_counter()
    with reading() as work:
        assert verify(work.db_session).size == leaves
    spent = time.perf_counter() - before
    body = b"\x00" + b"x" * 260
    before = time.perf_counter()
    for _ in range(leaves):
        hashlib.sha256(body).digest()
        hashlib.sha256(body[:65]).digest()
    bare = time.perf_counter() - before
    say(
        "verify",
        leaves / spent,
        "leaves/s",
        backend=backend,
        leaves=leaves,
        seconds=round(spent, 1),
        reference=round(leaves / bare),
        beside="bare SHA-256 of as many leaves and nodes",
        ratio=round(bare / spent, 3),
    )
    before = time.perf_counter()
    with reading() as work:
        found = proof_of_event(work.db_session, leaves // 3)
    assert found is not None
    say(
        "proof-of-one-event",
        (time.perf_counter() - before) * 1000,
        "ms",
        backend=backend,
        hashes=len(found[1]),
    )


def main() -> None:
    """Both measurements, each over a database of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leaves", type=int, default=1_000_000)
    parser.add_argument("--writers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    backend = "postgresql" if asked.postgres else "sqlite"
    for measure in (
        lambda: writers_at_once(asked.writers, asked.seconds, backend),
        lambda: passes(asked.leaves, backend),
    ):
        with (
            tempfile.TemporaryDirectory(prefix="tcd-bench-") as place,
            application(Path(place), postgres=asked.postgres),
        ):
            measure()


if __name__ == "__main__":
    main()
