"""The filter of the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from reception.clock import LOCAL
from storage.queries.auditlog import LogFilter


@dataclass
class LogForm:
    """What was typed above the log; empty fields filter nothing."""

    record: str = ""
    who: str = ""
    action: str = ""
    day: str = ""
    before: int | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> LogForm:
        before = data.get("truoc", "")
        form = cls(
            record=data.get("ho-so", "").strip()[:80],
            who=data.get("ai", "").strip()[:80],
            action=data.get("viec", "").strip()[:80],
            day=data.get("ngay", "").strip()[:10],
            before=int(before) if before.isdecimal() else None,
        )
        if form.day and form.chosen_day is None:
            form.errors["ngay"] = _("Write the day as day/month/year, such as 25/11/2026.")
        return form

    @property
    def chosen_day(self) -> date | None:
        """The local day, None when nothing sensible was typed."""
        for pattern in ("%d/%m/%Y", "%Y-%m-%d"):
            try:
                return datetime.strptime(self.day, pattern).replace(tzinfo=LOCAL).date()
            except ValueError:
                continue
        return None

    def filter(self) -> LogFilter:
        """As the query wants it; a day is local, from midnight to midnight."""
        day = self.chosen_day
        start = datetime.combine(day, time.min, tzinfo=LOCAL) if day else None
        return LogFilter(
            record=self.record,
            who=self.who,
            action=self.action,
            from_at=start,
            to_at=start + timedelta(days=1) if start else None,
            before=self.before,
        )
