"""What will have happened in the demonstration: where, when, about what, how far it has come.

Deterministic: the same day gives the same plans. Around Long Thành a project stirs more and more
people: the one hot spot.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from reception.demo.matters import MONTH_WEIGHT, Matter, new_matter
from reception.demo.staff import COMMUNE_C, WARD_A, WARD_B
from storage.database import reading
from storage.models import Unit
from storage.queries.units import communes

MONTHS = 36
SEED = 20261123
HOT_UNITS = (("26368", 50), ("26383", 20), ("26389", 14), ("26413", 16))
"""Long Thành with its neighbours An Phước, Bình An and Long Phước."""
HOT_DAYS = 150
STAFFED_DAYS = 60
STAFFED_SHARE = 0.25  # what came lately lies with the communes that have demonstration log-ins
RECENT_DAYS = 45
TRANSFERABLE_FROM = date(2026, 7, 1)
"""From this day a complaint may be passed on, too: Luật 136/2025/QH15."""


@dataclass(frozen=True)
class Plan:
    """One case to be: where, when, what, how many letters, how far it has come.

    `at_board` says that the letter came to the province's reception board, which passes it on.
    """

    number: int
    unit: Unit
    on: date
    matter: Matter
    letters: int
    fate: str
    at_board: bool = False


def plans(count: int, today: date) -> Iterator[Plan]:
    """What will have happened, oldest first."""
    chance = random.Random(SEED)
    with reading() as work:
        units = list(communes(work.db_session))
    by_code = {unit.code: unit for unit in units}
    weights = [(unit.population or 10_000) ** 0.9 for unit in units]
    days = sorted(_day(chance, today) for _ in range(count))
    for number, on in enumerate(days):
        hot = chance.random() < _heat(today, on)
        unit = by_code[_weighted(chance, HOT_UNITS)] if hot else chance.choices(units, weights)[0]
        if (today - on).days < STAFFED_DAYS and chance.random() < STAFFED_SHARE:
            unit = by_code[chance.choice((WARD_A, WARD_B, COMMUNE_C))]
        matter = new_matter(chance, on=on, unit_name=unit.full_name, hot=hot)
        at_board = _at_board(chance, matter, on, today)
        fate = "transferred" if at_board else _fate(chance, on, today)
        if fate == "transferred" and not _may_travel(matter, on):
            fate = "done"
        yield Plan(number, unit, on, matter, _letters(chance, matter), fate, at_board)


def _heat(today: date, on: date) -> float:
    """The share of that day's cases which the project around Long Thành brings; it grows."""
    age = (today - on).days
    return 0.0 if age >= HOT_DAYS else 0.08 + 0.28 * (1 - age / HOT_DAYS) ** 2


def _weighted(chance: random.Random, weighted: tuple[tuple[str, int], ...]) -> str:
    return chance.choices([word for word, _ in weighted], [weight for _, weight in weighted])[0]


def _at_board(chance: random.Random, matter: Matter, on: date, today: date) -> bool:
    share = 0.22 if (today - on).days < RECENT_DAYS else 0.08
    return _may_travel(matter, on) and chance.random() < share


def _may_travel(matter: Matter, on: date) -> bool:
    """Whether the law lets another body pass this letter on."""
    if matter.anonymous or matter.kind == "denunciation":
        return False
    return matter.kind != "complaint" or on >= TRANSFERABLE_FROM


def _day(chance: random.Random, today: date) -> date:
    """A working day of the last 36 months, by season, a little more each year."""
    while True:
        on = today - timedelta(days=chance.randint(1, MONTHS * 30))
        growth = 1 - (today - on).days / (MONTHS * 30) * 0.25
        if on.weekday() < 5 and chance.random() < MONTH_WEIGHT[on.month - 1] / 1.3 * growth:
            return on


def _letters(chance: random.Random, matter: Matter) -> int:
    if matter.kind == "denunciation" or matter.anonymous:
        return 1
    return chance.choices((1, 2, 3), (82, 14, 4))[0]


def _fate(chance: random.Random, on: date, today: date) -> str:
    """How far a case has come: old ones are mostly done, a few are late on purpose."""
    age = (today - on).days
    if age < 3:
        return "received"
    if age < 12:
        return chance.choices(("received", "classified", "proposed"), (30, 45, 25))[0]
    if age < 60:
        return chance.choices(
            ("classified", "accepted", "transferred", "guided", "done", "received"),
            (10, 42, 16, 8, 20, 4),
        )[0]
    return chance.choices(("done", "accepted", "guided", "transferred", "filed"), (78, 6, 7, 6, 3))[
        0
    ]
