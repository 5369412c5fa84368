"""The rules in the reader's language: who, when, on what ground, what is still uncertain."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from textwrap import wrap
from typing import Any

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from reception.deadline_words import long_day
from storage.reference import rows
from workflows.calendar import DayKind, DayUnit
from workflows.procedures.engine import CLOCK_START, STEP_DAY
from workflows.procedures.guards import GUARDS
from workflows.procedures.model import (
    PREVIOUS,
    SAME,
    SYSTEM,
    DeadlineRule,
    Document,
    InForce,
    Procedure,
    State,
    Transition,
)

ORDER = ("SES", "PET", "KN1", "KN2", "TC", "BV", "KP")
LINE = 21
"""Letters that fit into one line of a box of the picture."""


DAY_KINDS: dict[str, Any] = {
    DayKind.PUBLIC.value: _l("Public holiday"),
    DayKind.SUBSTITUTE.value: _l("Day off in lieu"),
    DayKind.SWAPPED_OFF.value: _l("Day off by a swap"),
    DayKind.SWAPPED_WORKING.value: _l("Weekend day worked in lieu"),
}


def day_name(on: date) -> str:
    """`Thứ Ba 24/11/2026`."""
    name = long_day(on)
    return name[0].upper() + name[1:]


def _english() -> bool:
    return str(get_locale()) == "en"


def label(thing: Procedure | Transition | DeadlineRule | Document) -> str:
    return thing.label_en if _english() else thing.label_vi


def state_label(state: State) -> str:
    return state.label_en if _english() else state.label_vi


def lines(text: str) -> list[str]:
    """A label in at most two lines for a box; the last line is cut."""
    found = wrap(text, LINE)
    return found if len(found) <= 2 else [found[0], f"{found[1][: LINE - 1]}…"]


def summary(one: Procedure) -> dict[str, Any]:
    """A procedure in a line: how much it holds and how much of it is uncertain."""
    return {
        "code": one.code,
        "label": label(one),
        "states": len(one.states),
        "moves": len(one.transitions),
        "terms": len(one.deadlines),
        "uncertain": len(_questions_of(one)),
    }


def questions(procedures: Iterable[Procedure]) -> list[dict[str, Any]]:
    """Every question once, with the rules that wait for its answer."""
    asked: dict[str, dict[str, Any]] = {}
    for one in procedures:
        for question, where in _questions_of(one):
            row = asked.setdefault(question, {"question": question, "where": []})
            line = f"{one.code} · {where}"
            if line not in row["where"]:
                row["where"].append(line)
    return list(asked.values())


def _questions_of(one: Procedure) -> list[tuple[str, str]]:
    marked: list[Any] = [*one.transitions, *one.deadlines, *one.documents.values()]
    found = [(rule.question, label(rule)) for rule in marked if rule.question]
    return found + [(clock.question, clock.label_vi) for clock in one.clocks if clock.question]


def law_days(one: Procedure, on: date) -> list[dict[str, Any]]:
    """The days on which the law of this procedure changed, newest first."""
    changes = one.law_changes()
    current = max((day for day in changes if day <= on), default=None)
    return [{"on": day, "current": day == current} for day in reversed(changes)]


def move_rows(one: Procedure, on: date) -> list[dict[str, Any]]:
    """The lines of the table, numbered as the arrows of the picture."""
    held = (move for move in one.transitions if move.holds_on(on))
    return [_move_row(one, number, move) for number, move in enumerate(held, start=1)]


def _move_row(one: Procedure, number: int, move: Transition) -> dict[str, Any]:
    terms = [rule for rule in one.deadlines if rule.name in move.starts]
    return {
        "number": number,
        "name": label(move),
        "event": move.event,
        "origins": ", ".join(state_label(one.states[code]) for code in move.origins),
        "to": _target(one, move),
        "actors": ", ".join(role_name(role) for role in move.actors),
        "guard": GUARDS[move.guard].sentence if move.guard else "",
        "terms": sorted({label(rule) for rule in terms}),
        "papers": [label(one.documents[code]) for code in move.documents],
        "spawns": move.spawns,
        **in_force(move),
    }


def _target(one: Procedure, move: Transition) -> str:
    if move.to == SAME:
        return _("stays as it is")
    if move.to == PREVIOUS:
        return _("back to the state before")
    return state_label(one.states[move.to])


def term_rows(one: Procedure, on: date) -> list[dict[str, Any]]:
    """The terms in force on that day, each with its clause."""
    held = (rule for rule in one.deadlines if rule.holds_on(on))
    return [
        {
            "name": label(rule),
            "event": rule.name,
            "length": _length(rule),
            "longer": _longer(rule),
            "anchor": _anchor(one, rule),
            **in_force(rule),
        }
        for rule in held
    ]


def _length(rule: DeadlineRule) -> str:
    return _counted(rule.length, rule.unit)


def _counted(number: int, unit: DayUnit) -> str:
    if unit is DayUnit.WORKING:
        return ngettext("%(num)s working day", "%(num)s working days", number)
    if unit is DayUnit.HOUR:
        return ngettext("%(num)s hour", "%(num)s hours", number)
    return ngettext("%(num)s day", "%(num)s days", number)


def _longer(rule: DeadlineRule) -> list[str]:
    found = []
    if rule.length_complex:
        found.append(_("complex: %(length)s", length=_counted(rule.length_complex, rule.unit)))
    if rule.length_remote:
        found.append(_("remote area: %(length)s", length=_counted(rule.length_remote, rule.unit)))
    if rule.length_remote_complex:
        both = _counted(rule.length_remote_complex, rule.unit)
        found.append(_("remote and complex: %(length)s", length=both))
    if rule.extension_days:
        found.append(
            _(
                "extension: %(length)s, at most %(times)s times",
                length=_counted(rule.extension_days, rule.unit),
                times=rule.most_extensions,
            )
        )
    return found


def _anchor(one: Procedure, rule: DeadlineRule) -> str:
    names = {move.event: label(move) for move in one.transitions}
    known = {**_outside(), **names}
    day = known.get(rule.anchor, rule.anchor)
    return _("counted back from: %(day)s", day=day) if rule.before else day


def _outside() -> dict[str, str]:
    """Days that no step of the procedure itself sets."""
    return {
        CLOCK_START: _("the day the clock starts"),
        STEP_DAY: _("the day of the step"),
        "receive": _("the day of receipt"),
        "decision_known": _("the day the decision became known"),
        "dialogue": _("the day of the dialogue"),
        "reception_session": _("the day of the session"),
        "result": _("the day of the result"),
        "receive_first_decision": _("the day the first decision was received"),
        "first_term_expired": _("the day the first term expired"),
        "receive_repeat": _("the day the repeat denunciation was received"),
        "receive_overdue": _("the day the letter about the delay was received"),
    }


def paper_rows(one: Procedure) -> list[dict[str, Any]]:
    """The documents the procedure makes, with form and source."""
    return [
        {
            "name": label(paper),
            "form": paper.form,
            "source": paper.source,
            "question": paper.question,
        }
        for paper in one.documents.values()
    ]


def in_force(rule: InForce) -> dict[str, Any]:
    return {
        "source": rule.source,
        "since": rule.effective_from,
        "until": rule.effective_to,
        "question": rule.question,
    }


def role_name(role: str) -> str:
    """What people call a role."""
    if role == SYSTEM:
        return _("the system")
    vietnamese, english = _role_names()[role]
    return english if _english() else vietnamese


@lru_cache(maxsize=1)
def _role_names() -> dict[str, tuple[str, str]]:
    return {row["code"]: (row["name_vi"], row["name_en"]) for row in rows("roles")}
