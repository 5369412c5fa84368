"""How long it takes to put 100,000 data keys under new KEKs.

    python bench/keys.py [--rows 100000] [--postgres]

Prints one JSON line: keys a second of `flask keys rotate`, beside opening and wrapping as many keys
without a database, measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.audit import application
from storage.database import reading
from storage.keyring import Family
from storage.runtime import runtime
from storage.wrapped import SEALED_OBJECTS, held_keys, rotate
from tests.support.held_keys import many_sealed_objects


def ciphers_alone(rows: int) -> float:
    """Seconds to open and wrap this many keys."""
    with reading() as work:
        held = held_keys(work.db_session, SEALED_OBJECTS)
    before = time.perf_counter()
    for key in held[:rows]:
        runtime().keyring.rewrap(
            key.wrapped, key.context, family=Family.RECORDINGS, klass="open", year=2026
        )
    return time.perf_counter() - before


def measure(rows: int, backend: str) -> None:
    """Make the rows, rotate, say."""
    for start in range(0, rows, 10_000):
        many_sealed_objects(min(10_000, rows - start))
    alone = ciphers_alone(rows)
    before = time.perf_counter()
    done = rotate()
    spent = time.perf_counter() - before
    assert done.moved == rows
    figure = {
        "bench": "keys",
        "name": "rotate",
        "value": round(rows / spent),
        "unit": "keys/s",
        "backend": backend,
        "rows": rows,
        "seconds": round(spent, 1),
        "reference": round(rows / alone),
        "beside": "opening and wrapping without a database",
        "ratio": round(alone / spent, 3),
    }
    print(json.dumps(figure), flush=True)


def main() -> None:
    """One run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="tcd-bench-") as place,
        application(Path(place), postgres=asked.postgres),
    ):
        measure(asked.rows, "postgresql" if asked.postgres else "sqlite")


if __name__ == "__main__":
    main()
