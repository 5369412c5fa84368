"""What is typed about the calendar of days off."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from reception.clock import LOCAL
from reception.procedures import operations
from workflows.access import Actor
from workflows.calendar import DayKind
from workflows.errors import BadInput, DomainError

FIRST_YEAR, LAST_YEAR = 2000, 2100


@dataclass
class YearForm:
    """A year and the number of the decision that fixed its days off."""

    year: int
    decision: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> YearForm:
        typed = data.get("year", "")
        year = int(typed) if typed.isdecimal() else 0
        return cls(
            year=min(max(year, FIRST_YEAR), LAST_YEAR),
            decision=data.get("decision", "").strip()[:300],
        )


@dataclass
class DayForm:
    """One special day to be entered, changed or taken out."""

    on: str = ""
    kind: str = ""
    name: str = ""
    decision: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> DayForm:
        form = cls(
            on=data.get("on", "").strip()[:10],
            kind=data.get("kind", ""),
            name=data.get("name", "").strip()[:120],
            decision=data.get("day_decision", "").strip()[:300],
        )
        if form.day is None:
            form.errors["on"] = _("Write the day as day/month/year, such as 25/11/2026.")
        if form.kind not in {*DayKind, "remove"}:
            form.errors["kind"] = _("Choose what the day is.")
        return form

    @property
    def day(self) -> date | None:
        try:
            return datetime.strptime(self.on, "%d/%m/%Y").replace(tzinfo=LOCAL).date()
        except ValueError:
            return None

    @property
    def year(self) -> int:
        return self.day.year if self.day else 0

    def refused(self, wrong: DomainError) -> None:
        """Put what the operation says beside the field it speaks of."""
        fields = dict(wrong.fields) if isinstance(wrong, BadInput) else {"on": wrong.message}
        if "decision" in fields:
            fields["day_decision"] = fields.pop("decision")
        self.errors = fields

    def apply(self, *, by: Actor) -> None:
        """Do it. Raises BadInput, NotFound."""
        if self.day is None:
            return
        if self.kind == "remove":
            operations.remove_day(self.day, self.decision, by=by)
        else:
            operations.set_day(self.day, DayKind(self.kind), self.name, self.decision, by=by)
