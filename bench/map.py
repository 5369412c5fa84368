"""How long the map's numbers take for province × field × 36 months on a million petitions.

    python bench/map.py [--petitions 1000000] [--rounds 60] [--postgres]

Makes daily facts as that many petitions would leave them (36 months, every commune, field and
kind), adds them up by month, and asks the data address of the running application in this process,
log-in included. Prints one JSON line a figure: `value` in ms, the `reference` measured in the same
run (a bare SQL statement that reads the daily facts once) and the `ratio` of both.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import create_engine, insert, select, text
from sqlalchemy.orm import Session

from reception import create_app
from storage.database import engine_options, prepare_engine
from storage.facts import rebuild_monthly_facts
from storage.models import DailyFact, Field, Unit
from storage.models.base import utc_now
from tests.conftest import fill, make_settings
from tests.support.factories import Factories
from tools.postgres.server import running_postgres
from workflows.access import Role
from workflows.kinds import PetitionKind

BAR_MS = 100
DAYS = 36 * 30
BARE_SCAN = "SELECT unit_id, sum(opened) FROM daily_fact GROUP BY unit_id"


def say(name: str, value: float, unit: str, **more: object) -> None:
    """One figure as a JSON line."""
    figure = {"bench": "map", "name": name, "value": round(value, 1), "unit": unit, **more}
    print(json.dumps(figure), flush=True)


def facts(
    petitions: int, units: list[UUID], fields: list[str], today: date
) -> list[dict[str, object]]:
    """Rows of daily facts; land matters are as common as they are, the rest even."""
    chance = random.Random(36)
    weights = [4 if field.startswith("land") else 1 for field in fields]
    kinds = [kind.value for kind in PetitionKind]
    cells = Counter(
        zip(
            (today - timedelta(days=chance.randrange(DAYS)) for _ in range(petitions)),
            chance.choices(units, k=petitions),
            chance.choices(fields, weights, k=petitions),
            chance.choices(kinds, [5, 1, 3, 3, 1], k=petitions),
            strict=True,
        )
    )
    now = utc_now()
    return [
        {
            "on": on,
            "unit_id": unit,
            "field_code": field,
            "kind": kind,
            "opened": count,
            "closed": count // 2,
            "people": count,
            "updated_at": now,
        }
        for (on, unit, field, kind), count in cells.items()
    ]


def prepare(url: str, petitions: int, today: date) -> None:
    """Fill the database; how long adding up by month took is a figure too."""
    engine = prepare_engine(create_engine(url, **engine_options(url)))
    with Session(engine) as db_session:
        db_session.connection(execution_options={"writes": True})
        units = list(db_session.scalars(select(Unit.id).where(Unit.kind == "commune")))
        fields = list(db_session.scalars(select(Field.code)))
        rows = facts(petitions, units, fields, today)
        for start in range(0, len(rows), 20_000):
            db_session.execute(insert(DailyFact), rows[start : start + 20_000])
        began = time.perf_counter()
        months = rebuild_monthly_facts(db_session)
        say("add up by month", time.perf_counter() - began, "s", days=len(rows), months=months)
        db_session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()


def timed(work: Callable[[], object], rounds: int) -> tuple[list[float], float]:
    """Milliseconds of each round, sorted, and the processor's mean; two rounds warm up."""
    for _ in range(2):
        work()
    taken = []
    processor = time.process_time()
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken), (time.process_time() - processor) * 1000 / rounds


def measure(url: str, root: Path, rounds: int, name: str) -> None:
    """The data address for every broad field in turn, and the whole page."""
    app = create_app(make_settings(root, DATABASE_URL=url))
    with app.app_context():
        from storage.database import db

        client = app.test_client()
        people = Factories()
        people.log_in(client, people.officer(Role.PROVINCIAL_CHAIR))
        with Session(db.engine) as db_session:
            fields = list(db_session.scalars(select(Field.code).where(Field.parent_code.is_(None))))
            scans, _ = timed(lambda: db_session.execute(text(BARE_SCAN)).all(), max(5, rounds // 6))
        chance = random.Random(7)

        def ask(path: str) -> None:
            field = chance.choice(["", *fields])
            answer = client.get(f"{path}?linh-vuc={field}")
            assert answer.status_code == 200, answer.status

        scan = statistics.median(scans)
        say(f"{name}: bare scan of the daily facts", scan, "ms")
        for what, path in (("data", "/ban-do/du-lieu"), ("page", "/ban-do")):
            taken, processor = timed(lambda path=path: ask(path), rounds)
            p95 = taken[int(len(taken) * 0.95) - 1]
            say(
                f"{name}: {what}, province × field × 36 months, p95",
                p95,
                "ms",
                p50=round(statistics.median(taken), 1),
                processor_mean=round(processor, 1),
                reference=round(scan, 1),
                ratio=round(p95 / scan, 2),
                **({"bar": BAR_MS, "met": p95 <= BAR_MS} if what == "data" else {}),
            )
        db.engine.dispose()


@contextmanager
def database(root: Path, *, postgres: bool) -> Iterator[str]:
    """A fresh migrated database with the reference data."""
    if not postgres:
        url = f"sqlite:///{root}/tcd.db"
        fill(url)
        yield url
        return
    with running_postgres() as server:
        server.create("tcd_bench")
        fill(server.url("tcd_bench"))
        yield server.url("tcd_bench")


def main() -> None:
    """Run once on SQLite, or on PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--petitions", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tcd-bench-") as folder:
        root = Path(folder)
        with database(root, postgres=asked.postgres) as url:
            prepare(url, asked.petitions, utc_now().date())
            measure(url, root, asked.rounds, "PostgreSQL" if asked.postgres else "SQLite")


if __name__ == "__main__":
    main()
