"""The law's states in plain words, for the person who sent the petition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from reception.clock import LOCAL
from reception.petitions.front_operations import rule_on
from storage.models import Deadline, Unit
from storage.queries.following import Following, Meeting, Stage
from workflows.lunar import lunar_date
from workflows.procedures.loader import procedure


def office(unit: Unit) -> str:
    """Who receives: the People's Committee of a place, or the body by its own name."""
    if unit.kind == "commune":
        return f"UBND {unit.full_name[0].lower()}{unit.full_name[1:]}"
    return f"UBND {unit.full_name}" if unit.kind == "province" else unit.full_name


# (what happened, what it means for the sender)
STAGES: dict[str, tuple[Any, Any]] = {
    "PET.AWAITING_SIGNATURE": (
        _l("Sent, waiting for your signature"),
        _l("Sign or put your fingerprint at the commune; the days are counted from then on."),
    ),
    "PET.RECEIVED": (
        _l("Received"),
        _l("Officers read the petition and check the papers. If something is missing they ask."),
    ),
    "PET.CLASSIFIED": (
        _l("Read and sorted"),
        _l("It is clear what kind of petition it is and who has to answer."),
    ),
    "PET.PROPOSED": (
        _l("Laid before the person who decides"),
        _l("The officer has proposed to take the matter up."),
    ),
    "PET.ACCEPTED": (_l("Taken up"), _l("You get a written notice of it.")),
    "PET.DECLINED": (
        _l("Not taken up"),
        _l("The written notice says why, and what you can do about it."),
    ),
    "PET.FILED": (_l("Kept on file"), _l("It does not meet what the law asks of a petition.")),
    "PET.MERGED": (
        _l("Joined with your earlier petition"),
        _l("The same matter is being handled already; follow the earlier petition."),
    ),
    "PET.GUIDED": (
        _l("You have been shown the right place"),
        _l("Another body has to answer this; the letter says which one."),
    ),
    "PET.TRANSFERRED": (
        _l("Passed on to the body that has to answer"),
        _l("You do not have to send it again."),
    ),
    "PET.RETURNED": (_l("Returned to the body that sent it"), ""),
    "PET.TO_INVESTIGATION": (_l("Passed on to the investigating body"), ""),
    "PET.TO_INSPECTION": (_l("Used as information for an inspection"), ""),
    "PET.ANSWERED": (_l("Answered"), _l("The answer has been sent to you in writing.")),
    "PET.WITHDRAWN": (_l("Petition withdrawn"), _l("You have withdrawn the petition.")),
    "PET.CLOSED": (_l("Finished"), _l("The result is in your hands.")),
    "KN1.ACCEPTED": (_l("Settlement begins"), ""),
    "KN1.VERIFYING": (
        _l("Being verified"),
        _l("Officers examine papers and the place, and may ask you to come."),
    ),
    "KN1.REPORTED": (_l("Verification is done"), ""),
    "KN1.DIALOGUE_CALLED": (_l("Invited to a dialogue"), _l("You have got an invitation.")),
    "KN1.DIALOGUE_DONE": (_l("The dialogue has been held"), ""),
    "KN1.SUSPENDED": (
        _l("Paused"),
        _l("The written order says why; the days are not counted meanwhile."),
    ),
    "KN1.TERMINATED": (_l("Ended without a decision"), _l("The written order says why.")),
    "KN1.DECIDED": (_l("Decided"), _l("The decision is being sent to you.")),
    "KN1.SENT": (
        _l("Decision sent"),
        _l("If you do not agree you may complain a second time or go to court."),
    ),
    "KN1.EFFECTIVE": (_l("The decision is in force"), ""),
    "KN1.ENFORCING": (_l("The decision is being carried out"), ""),
    "KN1.CLOSED": (_l("Finished"), ""),
    "KN1.REJECTED": (
        _l("Not taken up"),
        _l("The written notice says why, and what you can do about it."),
    ),
    "KN1.SECOND_ROUND": (
        _l("You have complained a second time"),
        _l("The level above looks at the first decision; follow the second complaint."),
    ),
    "KN1.IN_COURT": (_l("The matter is in court"), ""),
    "KN2.SENT": (
        _l("Decision sent"),
        _l("This is the second decision. If you do not agree you may go to court."),
    ),
    "KN2.PUBLISHED": (_l("The decision has been made public"), ""),
    "KP.REPLIED": (_l("Taken up"), _l("You have been told so in writing.")),
    "KP.NEEDS_TIME": (
        _l("More time is needed"),
        _l("You have been told in writing why, and until when."),
    ),
    "KP.REFUSED": (
        _l("Not taken up"),
        _l("The written notice says why, and what you can do about it."),
    ),
}

SAME_WORDS = {"KN2": "KN1", "KP": "PET"}
"""Procedures whose states, unless named above, mean the same to the sender as those of another."""


def words_of(name: str, state: str, fallback: str) -> tuple[str, str]:
    """A state in plain words; the name of the law when there are none yet."""
    alike = STAGES.get(f"{SAME_WORDS.get(name, name)}.{state}", (fallback, ""))
    title, text = STAGES.get(f"{name}.{state}", alike)
    return str(title), str(text)


def label_of(found: Following, term: Deadline) -> str:
    """What a term is for, in the reader's language; its row keeps the Vietnamese words."""
    locale = get_locale()
    if locale is None or locale.language == "vi":
        return term.label
    codes = dict.fromkeys(stage.procedure for stage in found.stages)
    rules = (rule for code in codes for rule in procedure(code).deadlines)
    return next((rule.label_en for rule in rules if rule.name == term.name), term.label)


def standing_words(found: Following) -> tuple[str, str]:
    """Where the petition stands now."""
    name = found.stages[-1].procedure if found.stages else "PET"
    return words_of(name, found.state, found.state_label)


def tone_of(found: Following, today: date) -> dict[str, str]:
    """The status tag: icon, word and colour."""
    title, _text = standing_words(found)
    if found.is_late(today):
        return {"text": str(_("Late")), "tone": "late", "icon": "alert"}
    if found.final:
        return {"text": title, "tone": "ok", "icon": "check"}
    icon = "pen" if found.state == "AWAITING_SIGNATURE" else "clock"
    return {"text": title, "tone": "wait" if icon == "pen" else "info", "icon": icon}


def timeline(found: Following, today: date) -> list[dict[str, Any]]:
    """What has happened, oldest first; then the days that count, and what may follow."""
    items = [_event(stage) for stage in found.stages]
    if found.final:
        return items
    if items:
        items[-1]["state"] = "cur"
    coming = [_meeting_ahead(meeting) for meeting in found.meetings]
    if found.next_term is not None:
        coming.append(_term_ahead(found, found.next_term, late=found.is_late(today)))
    items += [item for _day, item in sorted(coming, key=lambda ahead: ahead[0])]
    return items + _after_that(found, today)


def _meeting_ahead(meeting: Meeting) -> tuple[date, dict[str, Any]]:
    day = meeting.starts_at.astimezone(LOCAL).date()
    title = _("Reception on screen") if meeting.online else _("Reception in person")
    return day, {
        "date": _sentence(day_words(day)),
        "title": str(title),
        "text": "",
        "state": "next",
    }


def _term_ahead(found: Following, term: Deadline, *, late: bool) -> tuple[date, dict[str, Any]]:
    words = str(_("At the latest %(day)s", day=day_words(term.last_day_on)))
    text = str(_("This day has passed.")) if late else ""
    item = {
        "date": words,
        "title": label_of(found, term),
        "text": text,
        "state": "bad" if late else "next",
    }
    return term.last_day_on, item


def _after_that(found: Following, today: date) -> list[dict[str, Any]]:
    """The steps still ahead of a complaint; fewer once its settlement has begun."""
    if found.state in ("EFFECTIVE", "ENFORCING"):
        return []
    settling = bool(found.stages) and found.stages[-1].procedure != "PET"
    return [
        {"date": item["bubble"], "title": item["title"], "text": item["text"], "state": "next"}
        for item in _later_items(found, today)[1 if settling else 0 :]
    ]


def _sentence(words: str) -> str:
    """With a capital at the beginning."""
    return words[0].upper() + words[1:]


def _event(stage: Stage) -> dict[str, Any]:
    title, text = words_of(stage.procedure, stage.state, stage.event)
    return {"date": _sentence(day_words(stage.on)), "title": title, "text": text, "state": "done"}


_WEEKDAYS = (
    _l("Monday"),
    _l("Tuesday"),
    _l("Wednesday"),
    _l("Thursday"),
    _l("Friday"),
    _l("Saturday"),
    _l("Sunday"),
)


def day_words(day: date) -> str:
    """`Thursday 26/11/2026` in the reader's language."""
    return f"{_WEEKDAYS[day.weekday()]} {day:%d/%m/%Y}"


@dataclass(frozen=True)
class Plan:
    """What happens next, and until when somebody owes an answer."""

    items: list[dict[str, Any]]
    answer_by: date | None
    calm: str


def plan_of(found: Following, today: date) -> Plan:
    """The next steps after sending, each with its clause."""
    if found.state == "AWAITING_SIGNATURE":
        return _plan_unsigned(found, today)
    term = found.next_term
    items = [
        {
            "bubble": str(_("Today")),
            "now": True,
            "title": str(_("The petition has arrived")),
            "text": str(
                _(
                    "%(unit)s reads it and checks the papers. If something is missing, "
                    "an officer asks you.",
                    unit=office(found.receiving_unit),
                )
            ),
        }
    ]
    if term is not None:
        items.append(_term_item(found, term))
    items += _later_items(found, today)
    calm = str(_("You do not have to do anything now. When there is a result it is sent to you."))
    return Plan(items, term.last_day_on if term else None, calm)


def _plan_unsigned(found: Following, today: date) -> Plan:
    items = [
        {
            "bubble": str(_("Now")),
            "now": True,
            "title": str(_("Sign at %(unit)s", unit=office(found.receiving_unit))),
            "text": str(
                _(
                    "Bring your identity card and this code. The officer prints the petition, "
                    "reads it to you, and you sign or put your fingerprint."
                )
            ),
        },
        {
            "bubble": str(_("From then on")),
            "title": str(_("The days for an answer are counted")),
            "text": str(_("You then get a slip with the last day for the answer.")),
            "law": str(_("The day on which counting starts still has to be confirmed.")),
        },
    ]
    calm = str(_("The petition is kept safely, but it counts only once it is signed."))
    return Plan([*items, *_later_items(found, today)], None, calm)


def _term_item(found: Following, term: Deadline) -> dict[str, Any]:
    return {
        "date": term.last_day_on,
        "lunar": str(lunar_date(term.last_day_on)),
        "title": str(_("At the latest: %(what)s", what=label_of(found, term))),
        "text": str(_("Yes or no, you get it in writing; a no says why and where to turn.")),
        "law": term.sentence,
    }


def _later_items(found: Following, today: date) -> list[dict[str, Any]]:
    if found.petition.kind != "complaint":
        return []
    settling = "KN2" if found.petition.round == 2 else "KN1"
    settle, second = rule_on(settling, "settle", today), rule_on("KN1", "second-complaint", today)
    items = [
        {
            "bubble": str(_("%(days)s days after that", days=settle.length)),
            "title": str(_("Verification, dialogue, decision")),
            "text": str(
                _(
                    "Counted from the day it is taken up; a complex matter at most %(days)s days, "
                    "and you are told in writing.",
                    days=settle.length_complex,
                )
            ),
            "law": settle.source,
        }
    ]
    if found.petition.round == 1:
        items.append(
            {
                "bubble": str(_("If you disagree")),
                "title": str(_("Complain a second time, or go to court")),
                "text": str(
                    _("You have %(days)s days from the decision for it.", days=second.length)
                ),
                "law": second.source,
            }
        )
    return items
