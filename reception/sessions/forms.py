"""What was typed on the pages of reception sessions."""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from reception.clock import LOCAL
from reception.sessions.schedule_operations import Plan, PlannedPoint, PlannedVisit
from reception.sessions.visits import NOBODY_HEARD, Answer
from workflows.errors import NotFound

COMPONENTS = 6
KINDS = ("regular", "periodic", "ad_hoc")
_DAY = re.compile(r"^\s*(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})\s*$")
_TIME = re.compile(r"^\s*(\d{1,2})[:hg.](\d{2})?\s*$")


def parse_day(typed: str) -> date | None:
    """dd/mm/yyyy as people write it; None when it is no day."""
    found = _DAY.match(typed)
    if found is None:
        return None
    day, month, year = (int(part) for part in found.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None


def parse_time(typed: str) -> time | None:
    """08:00, 8h or 8h30; None when it is no time."""
    found = _TIME.match(typed)
    if found is None:
        return None
    hour, minute = int(found.group(1)), int(found.group(2) or 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def at(day: date, clock: time) -> datetime:
    """The instant of a local day and time, in UTC."""
    return datetime.combine(day, clock, LOCAL).astimezone(UTC)


def _uuid(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


def new_key() -> str:
    """A key that makes a form sent twice one record."""
    return secrets.token_urlsafe(16)


@dataclass
class WhenForm:
    """Day, start and end of a session."""

    on: str = ""
    starts: str = ""
    ends: str = ""
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> WhenForm:
        form = cls(
            on=data.get("on", "").strip(),
            starts=data.get("starts", "").strip(),
            ends=data.get("ends", "").strip(),
            reason=data.get("reason", "").strip(),
        )
        form.errors = when_errors(form.on, form.starts, form.ends)
        if not form.reason:
            form.errors["reason"] = _("Write why, so that everybody invited understands.")
        return form

    @property
    def starts_at(self) -> datetime:
        return _instant(self.on, self.starts)

    @property
    def ends_at(self) -> datetime:
        return _instant(self.on, self.ends)


def _instant(on: str, clock: str) -> datetime:
    day, moment = parse_day(on), parse_time(clock)
    if day is None or moment is None:
        raise ValueError("asked for the instant of a form with errors")
    return at(day, moment)


def when_errors(on: str, starts: str, ends: str) -> dict[str, str]:
    """Sentences for a day and times that cannot be read."""
    errors: dict[str, str] = {}
    if parse_day(on) is None:
        errors["on"] = _("Enter the day, such as 26/11/2026.")
    first, last = parse_time(starts), parse_time(ends)
    if first is None:
        errors["starts"] = _("Enter the hour it starts, such as 08:00.")
    if last is None:
        errors["ends"] = _("Enter the hour it should end, such as 10:00.")
    elif first is not None and last <= first:
        errors["ends"] = _("The end must be later than the start.")
    return errors


@dataclass
class ScheduleForm:
    """A session as it is typed; everything stays when something must be corrected."""

    title: str = ""
    kind: str = "periodic"
    reason_code: str = ""
    reason_text: str = ""
    on: str = ""
    starts: str = "08:00"
    ends: str = "10:00"
    central: str = ""
    central_place: str = ""
    central_contact: str = ""
    components: list[dict[str, str]] = field(default_factory=list)
    visits: list[str] = field(default_factory=list)
    seats: dict[str, str] = field(default_factory=dict)
    codes: str = ""
    presiding: str = ""
    clerk: str = ""
    interpreter: str = ""
    minutes: str = "25"
    self_recording: str = "allowed"
    self_recording_reason: str = ""
    home_link: str = ""
    home_link_reason: str = ""
    secrecy_confirmed: bool = False
    mode: str = "online"
    idempotency_key: str = field(default_factory=new_key)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> ScheduleForm:
        plain = {
            name: data.get(name, "").strip()
            for name in _PLAIN
            if name in data or name in ("reason_text", "codes", "interpreter")
        }
        form = cls(
            **plain,
            components=[
                {
                    "unit": data.get(f"component_{n}", ""),
                    "place": data.get(f"component_place_{n}", "").strip(),
                    "contact": data.get(f"component_contact_{n}", "").strip(),
                }
                for n in range(1, COMPONENTS + 1)
            ],
            visits=data.getlist("visit"),
            seats={
                key.removeprefix("seat_"): value
                for key, value in data.items()
                if key.startswith("seat_")
            },
            secrecy_confirmed=bool(data.get("secrecy_confirmed")),
        )
        form._check()
        return form

    def _check(self) -> None:
        self.errors.update(when_errors(self.on, self.starts, self.ends))
        self._require("title", self.title, _("Give the session a name."))
        self._require("reason_code", self.reason_code, _("Choose why it is held online."))
        self._require("presiding", _uuid(self.presiding), _("Choose who presides."))
        self._require("central", _uuid(self.central), _("Choose the central point."))
        if not self.chosen_components:
            self.errors["component_1"] = _("Choose at least one component point.")
        if self.self_recording == "forbidden":
            self._require(
                "self_recording_reason",
                self.self_recording_reason,
                _("Write why people may not record by themselves: it is read out."),
            )
        if self.home_link:
            self._require(
                "home_link_reason",
                self.home_link_reason,
                _("Write why people should be able to join from home in this session."),
            )
        if self.kind not in KINDS:
            self.errors["kind"] = _("Choose the kind of session.")
        if not self.minutes.isdigit() or not 5 <= int(self.minutes) <= 240:
            self.errors["minutes"] = _("Enter a number of minutes between 5 and 240.")

    def _require(self, name: str, value: object, sentence: str) -> None:
        if not value:
            self.errors[name] = sentence

    @property
    def chosen_components(self) -> list[dict[str, str]]:
        return [point for point in self.components if _uuid(point["unit"])]

    @property
    def code_list(self) -> list[str]:
        return [code for code in re.split(r"[\s,;]+", self.codes) if code]

    def plan(self, *, more_visits: list[UUID]) -> Plan:
        """The plan of a form without errors."""
        chosen = [UUID(visit) for visit in self.visits if _uuid(visit)]
        chosen += [visit for visit in more_visits if visit not in chosen]
        clerk = _uuid(self.clerk)
        return Plan(
            title=self.title,
            kind=self.kind,
            reason_code=self.reason_code,
            reason_text=self.reason_text,
            starts_at=_instant(self.on, self.starts),
            planned_end_at=_instant(self.on, self.ends),
            central=PlannedPoint(UUID(self.central), self.central_place, self.central_contact),
            components=tuple(
                PlannedPoint(UUID(p["unit"]), p["place"], p["contact"])
                for p in self.chosen_components
            ),
            visits=tuple(
                PlannedVisit(visit, self.seats.get(str(visit), "own")) for visit in chosen
            ),
            presiding_id=UUID(self.presiding),
            clerk_id=clerk,
            idempotency_key=self.idempotency_key or new_key(),
            self_recording=self.self_recording,
            self_recording_reason=self.self_recording_reason,
            home_link_proposal=self.home_link_reason if self.home_link else None,
            secrecy_confirmed=self.secrecy_confirmed,
            interpreter=self.interpreter,
            minutes_per_visit=int(self.minutes),
            mode=self.mode if self.mode in ("online", "in_person") else "online",
        )


_PLAIN = (
    "title",
    "kind",
    "reason_code",
    "reason_text",
    "on",
    "starts",
    "ends",
    "central",
    "central_place",
    "central_contact",
    "codes",
    "presiding",
    "clerk",
    "interpreter",
    "minutes",
    "self_recording",
    "self_recording_reason",
    "home_link",
    "home_link_reason",
    "mode",
    "idempotency_key",
)


def prefilled(day: date, **values: Any) -> ScheduleForm:
    """An empty form for a likely day."""
    form = ScheduleForm(on=f"{day:%d/%m/%Y}", **values)
    form.components = [{"unit": "", "place": "", "contact": ""} for _n in range(COMPONENTS)]
    return form


NOT_HEARD_REASONS = {
    "absent": "Người dân không đến.",
    "postponed": "Hết giờ, chuyển sang phiên sau.",
}
"""Usual reasons why a visit was not heard, as they are kept with the visit."""


@dataclass(frozen=True)
class EndForm:
    """What the chair answered at the end: the words of confirmation, and each visit."""

    confirm: str
    answers: dict[UUID, Answer]
    nobody: str

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> EndForm:
        return cls(
            confirm=data.get("confirm", ""),
            answers={
                item_id: _answer(chosen, data.get(f"why_{item_id}", ""))
                for name, chosen in data.items()
                if chosen and (item_id := _uuid(name.removeprefix("outcome_"))) is not None
            },
            nobody=data.get(NOBODY_HEARD, "").strip()[:500],
        )


def _answer(chosen: str, typed: str) -> Answer:
    if chosen == "heard":
        return Answer(heard=True)
    return Answer(heard=False, reason=NOT_HEARD_REASONS.get(chosen, typed.strip()[:500]))


def device_words(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a browser said about its devices: known words and numbers only."""
    words = {
        name: str(data[name])[:20]
        for name in ("camera", "microphone", "speaker", "media")
        if data.get(name)
    }
    numbers = {
        name: float(data[name])
        for name in ("loss", "rtt_ms", "kbps_up", "kbps_down")
        if _is_number(data.get(name))
    }
    return {**words, **numbers}


def _is_number(value: object) -> bool:
    try:
        return math.isfinite(float(str(value)))
    except ValueError:
        return False


def id_from(typed: str) -> UUID:
    """The id a hidden field or a list carries. Raises NotFound for anything else."""
    try:
        return UUID(typed)
    except ValueError:
        raise NotFound from None
