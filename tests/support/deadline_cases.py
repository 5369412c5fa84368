"""The worked cases of terms: dates reckoned by hand from the law, one line each with its source."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from workflows.calendar import HolidayTable
from workflows.deadlines import Suspension, last_day
from workflows.procedures.model import Deadline

TABLE = Path(__file__).resolve().parents[1] / "unit" / "deadline_cases.csv"


@dataclass(frozen=True)
class Case:
    """A term asked for, and the day it ends on or the name of the refusal."""

    procedure: str
    event: str
    on: date
    options: dict[str, Any]
    answer: str
    source: str

    def reckoned(self, holidays: HolidayTable) -> Deadline:
        """What the rules say."""
        return last_day(self.procedure, self.event, self.on, holidays, **self.options)

    def __str__(self) -> str:
        chosen = "".join(f" {name}" for name in self.options)
        return f"{self.procedure} {self.event} {self.on}{chosen}"


def cases() -> list[Case]:
    """Every line of the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [
            Case(
                row["procedure"],
                row["event"],
                date.fromisoformat(row["on"]),
                _options(row["options"]),
                row["last_day"],
                row["source"],
            )
            for row in csv.DictReader(file)
        ]


def _options(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        if name == "suspended":
            since, until = (date.fromisoformat(day) for day in value.split(":"))
            found.setdefault("suspensions", []).append(Suspension(since, until))
        elif name == "extensions":
            found["extensions"] = int(value)
        else:
            found[{"complex": "complex_case", "many-places": "many_places"}.get(name, name)] = True
    return found
