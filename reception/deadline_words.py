"""How a term is shown: how much is left of it, and the strip that answers "vì sao ngày này?"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from storage.models import Deadline
from workflows.calendar import DayCell, DayUnit, HolidayTable, explain_days
from workflows.deadlines import Suspension, stopped_days

MOST_CELLS = 14
_HEAD, _TAIL = 4, 7
_SHORT_EN = {"T2": "Mo", "T3": "Tu", "T4": "We", "T5": "Th", "T6": "Fr", "T7": "Sa", "CN": "Su"}
_LONG_VI = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")
_LONG_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT_VI = tuple(_SHORT_EN)


def _vietnamese() -> bool:
    return str(get_locale()) == "vi"


def short_day(on: date) -> str:
    """`T5 26/11`."""
    weekday = _SHORT_VI[on.weekday()]
    return f"{weekday if _vietnamese() else _SHORT_EN[weekday]} {on:%d/%m}"


def long_day(on: date) -> str:
    """`thứ Năm 26/11/2026`."""
    return f"{(_LONG_VI if _vietnamese() else _LONG_EN)[on.weekday()]} {on:%d/%m/%Y}"


def left(last_day: date, today: date) -> dict[str, str]:
    """How much of a term is left, with the tone and the sign it is shown in."""
    days = (last_day - today).days
    if days < 0:
        text = ngettext("%(num)s day late", "%(num)s days late", -days)
        return {"text": text, "tone": "late", "icon": "alert"}
    if days == 0:
        return {"text": _("Today"), "tone": "now", "icon": "clock"}
    return {
        "text": ngettext("%(num)s day left", "%(num)s days left", days),
        "tone": "wait" if days <= 7 else "",
        "icon": "clock",
    }


def outcome(term: Deadline, today: date) -> dict[str, str]:
    """Whether a term was kept, broken or still runs."""
    if term.met_on is None:
        now = left(term.last_day_on, today)
        return {**now, "tone": "wait" if now["tone"] == "now" else now["tone"] or "wait"}
    early = (term.last_day_on - term.met_on).days
    if early < 0:
        text = ngettext("%(num)s day late", "%(num)s days late", -early)
        return {"text": text, "tone": "late", "icon": "alert"}
    text = ngettext("%(num)s day early", "%(num)s days early", early) if early else _("On the day")
    return {"text": text, "tone": "ok", "icon": "check-circle"}


def why(
    term: Deadline, holidays: HolidayTable, today: date, pauses: Sequence[Suspension] = ()
) -> dict[str, Any]:
    """The words of the macro `why_date`; `pauses` are the suspensions of the term.

    Raises CalendarGap for a year without a calendar.
    """
    unit = DayUnit(term.day_unit)
    stopped = stopped_days(pauses, until=term.last_day_on)
    cells = explain_days(term.start_on, term.last_day_on, holidays, unit=unit, stopped=stopped)
    return {
        "question": _("Why is the last day %(day)s?", day=long_day(term.last_day_on)),
        "sentence": term.sentence.partition(" Căn cứ ")[0],
        "days": [_cell(cell, today) for cell in _shortened(cells)],
        "note": _note(cells, unit),
        "basis": [(_("Basis"), term.source), (_("Changes"), _changes(term))],
    }


def _shortened(cells: tuple[DayCell, ...]) -> list[DayCell | None]:
    """A long term shows its first and last days; None stands for those between."""
    if len(cells) <= MOST_CELLS:
        return list(cells)
    return [*cells[:_HEAD], None, *cells[-_TAIL:]]


def _cell(cell: DayCell | None, today: date) -> dict[str, str]:
    if cell is None:
        return {"weekday": "", "day": "…", "text": "", "kind": "gap"}
    weekday = cell.weekday if _vietnamese() else _SHORT_EN[cell.weekday]
    kind, text = _kind(cell, today)
    return {"weekday": weekday, "day": str(cell.on.day), "text": text, "kind": kind}


def _kind(cell: DayCell, today: date) -> tuple[str, str]:
    if cell.is_stopped:
        return "off", _("paused")
    if cell.number is None:
        return "off", _("holiday") if cell.is_special else _("off")
    if cell.number == 0:
        return "start", _("start")
    if cell.is_last:
        return "end", str(cell.number)
    return ("today" if cell.on == today else "count"), str(cell.number)


def _note(cells: tuple[DayCell, ...], unit: DayUnit) -> str:
    stopped = sum(cell.is_stopped for cell in cells)
    usual = _usual_note(tuple(cell for cell in cells if not cell.is_stopped), unit)
    if not stopped:
        return usual
    paused = ngettext(
        "%(num)s day of suspension is not counted.",
        "%(num)s days of suspension are not counted.",
        stopped,
    )
    return f"{usual} {paused}"


def _usual_note(cells: tuple[DayCell, ...], unit: DayUnit) -> str:
    if unit is DayUnit.CALENDAR:
        return _("Every day counts; a last day off moves to the next working day.")
    special = [f"{c.on:%d/%m} ({c.reason})" for c in cells if c.number is None and c.is_special]
    if not special:
        return _("Saturdays and Sundays are not counted.")
    return _("Saturdays, Sundays and %(days)s are not counted.", days=", ".join(special))


def _changes(term: Deadline) -> str:
    words = []
    if term.base_last_day_on != term.last_day_on:
        words.append(_("First it was %(day)s.", day=f"{term.base_last_day_on:%d/%m/%Y}"))
    else:
        words.append(_("None. Not suspended."))
    if term.needs_confirmation:
        words.append(_("This way of counting needs confirmation."))
    return " ".join(words)
