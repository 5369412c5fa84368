"""What was typed at the desk, in the book and for the paper post."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from reception.desk.intake import KINDS, OUTCOMES, PAPER_FORMS, Intake, Paper
from reception.desk.post import KINDS as ENVELOPE_KINDS
from storage.identities import PersonData, digits

PAPER_ROWS = 12
MOST_PEOPLE = 100_000

DRAFT_FIELDS = (
    "key", "ticket", "person", "find", "name", "salutation", "birth_year", "citizen_id", "phone",
    "address", "identity_checked", "kind", "field", "content", "decision", "place", "place_text",
    "people", "settled_by", "within", "outcome", "signed", "respondent", "wants_online",
    "protection", "different_matter", "representatives", "answer", "guided_to", "ground", "reason",
    "paper_name", "paper_form", "paper_sheets", "petition",
)  # fmt: skip
"""Everything of the intake that a draft keeps; nothing else that is sent enters it."""

Typed = MultiDict[str, str]


def only_draft_fields(data: Typed) -> dict[str, list[str]]:
    """What a draft keeps of a request."""
    return {name: data.getlist(name) for name in DRAFT_FIELDS if data.getlist(name)}


def id_of(text: str | None) -> UUID | None:
    """A record's id out of a hidden field; None for anything else."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


def day_of(text: str) -> date | None:
    """dd/mm/yyyy, d/m/yyyy or yyyy-mm-dd as a date; None for anything else."""
    local = re.fullmatch(r"\s*(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\s*", text)
    iso = re.fullmatch(r"\s*(\d{4})-(\d{2})-(\d{2})\s*", text)
    try:
        if local:
            day, month, year = (int(part) for part in local.groups())
            return date(year, month, day)
        return date(*(int(part) for part in iso.groups())) if iso else None
    except ValueError:
        return None


@dataclass
class IntakeForm:
    """The one screen of a visit. `typed` is what the page shows again, whatever was wrong."""

    typed: Typed
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Typed) -> IntakeForm:
        form = cls(typed=MultiDict(data))
        form._check_visitor()
        form._check_matter()
        form._check_outcome()
        return form

    def text(self, name: str) -> str:
        """What was typed into a field, without spaces around it."""
        return self.typed.get(name, "").strip()

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.typed.get(name))

    def _need(self, name: str, sentence: str) -> None:
        if not self.text(name):
            self.errors[name] = sentence

    def _check_visitor(self) -> None:
        self._need("name", _("Enter the visitor's name."))
        birth_year = self.text("birth_year")
        if birth_year and not re.fullmatch(r"(19|20)\d\d", birth_year):
            self.errors["birth_year"] = _("Enter the year of birth with four digits, such as 1968.")
        phone = digits(self.text("phone"))
        if self.text("phone") and not 9 <= len(phone) <= 12:
            self.errors["phone"] = _("Enter 9 to 12 digits, or leave the phone empty.")
        paper = self.text("citizen_id")
        if paper and not re.fullmatch(r"[0-9A-Za-z .-]{6,20}", paper):
            self.errors["citizen_id"] = _(
                "Enter the number as it stands on the card or the passport, or leave it empty."
            )

    def _check_matter(self) -> None:
        if self.text("kind") not in KINDS:
            self.errors["kind"] = _("Choose what the visitor came about.")
        if len(self.text("content")) < 5:
            self.errors["content"] = _("Write what the visitor presents, in a few words.")
        if not 1 <= self.people <= MOST_PEOPLE:
            self.errors["people"] = _("Enter how many people share this matter, at least 1.")

    @property
    def people(self) -> int:
        """How many people share the matter; 0 for what is no number."""
        typed = digits(self.text("people"))
        return int(typed) if typed and len(typed) < 7 else 0

    def _check_outcome(self) -> None:
        checks = {
            "petition": self._check_petition,
            "oral_guidance": self._check_guidance,
            "papers_received": self._check_papers,
            "refused": self._check_refusal,
        }
        outcome = self.text("outcome")
        if outcome not in OUTCOMES:
            self.errors["outcome"] = _("Choose how the visit ended.")
            return
        checks[outcome]()
        self._check_sheets()

    def _check_petition(self) -> None:
        if self.text("kind") == "information":
            self.errors["kind"] = _(
                "A petition is a complaint, a denunciation, or a recommendation. "
                "Choose one, or record oral guidance."
            )
        self._need("address", _("A petition needs the address of the person who sends it."))

    def _check_guidance(self) -> None:
        self._need("answer", _("Write what you told the visitor: the next officer will read it."))

    def _check_refusal(self) -> None:
        self._need("ground", _("Choose the legal ground of the refusal."))
        self._need("reason", _("Write the reason as you explained it to the visitor."))

    def _check_papers(self) -> None:
        if not self.papers():
            self.errors["paper_name"] = _("Write at least one paper and its number of sheets.")

    def _check_sheets(self) -> None:
        names, sheets = self.typed.getlist("paper_name"), self.typed.getlist("paper_sheets")
        for name, count in zip(names, sheets, strict=False):
            if name.strip() and not 1 <= int(digits(count) or 0) <= 10_000:
                self.errors["paper_name"] = _("Each paper needs its number of sheets, at least 1.")

    def papers(self) -> tuple[Paper, ...]:
        """The papers of the table; rows without a name are left out."""
        rows = zip(
            self.typed.getlist("paper_name"),
            self.typed.getlist("paper_form"),
            self.typed.getlist("paper_sheets"),
            strict=False,
        )
        return tuple(
            Paper(name.strip(), form if form in PAPER_FORMS else "copy", int(digits(sheets) or 0))
            for name, form, sheets in rows
            if name.strip()
        )

    def visitor(self) -> PersonData:
        """Who came, as typed or as filled in from an earlier visit."""
        return PersonData(
            name=self.text("name"),
            salutation=self.text("salutation"),
            birth_year=self.text("birth_year"),
            citizen_id=self.text("citizen_id"),
            phone=self.text("phone"),
            address=self.text("address"),
        )

    def intake(self) -> Intake:
        """The visit as plain values; call it only without errors."""
        outcome = self.text("outcome")
        return Intake(
            key=self.text("key"),
            outcome=outcome,
            kind=self.text("kind"),
            visitor=self.visitor(),
            content=self.text("content"),
            ticket_id=id_of(self.typed.get("ticket")),
            person_id=id_of(self.typed.get("person")),
            identity_checked=self.ticked("identity_checked"),
            field_code=self.text("field") or None,
            decision=self.text("decision"),
            place_unit_id=id_of(self.typed.get("place")),
            place_text=self.text("place_text"),
            people=self.people,
            settled_by=self.text("settled_by"),
            within_jurisdiction={"yes": True, "no": False}.get(self.text("within")),
            signed=self.ticked("signed"),
            respondent=self.text("respondent"),
            wants_online=self.ticked("wants_online"),
            protection=self.ticked("protection"),
            different_matter=self.ticked("different_matter"),
            representatives=tuple(
                line.strip() for line in self.text("representatives").splitlines() if line.strip()
            ),
            answer=self.text("reason" if outcome == "refused" else "answer"),
            guided_to=self.text("guided_to"),
            ground=self.text("ground"),
            papers=self.papers() if outcome in ("petition", "papers_received") else (),
            petition_id=id_of(self.typed.get("petition")),
        )


@dataclass
class NoticeForm:
    """Number and day under which a refusal notice went out."""

    number: str
    day: str
    on: date | None
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Typed) -> NoticeForm:
        day = data.get("on", "").strip()
        form = cls(data.get("number", "").strip()[:40], day, day_of(day))
        if not form.number:
            form.errors["number"] = _("Enter the number that the clerk gave the notice.")
        if form.on is None:
            form.errors["on"] = _("Enter the day it was sent as day/month/year.")
        return form


@dataclass
class PeriodForm:
    """The period of the book that is shown; this month unless something else was asked for."""

    first: date
    last: date
    page: int = 1
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Typed, *, today: date) -> PeriodForm:
        first = day_of(data.get("tu", "")) or today.replace(day=1)
        last = day_of(data.get("den", "")) or today
        page = int(digits(data.get("trang", "")) or 1)
        form = cls(first, last, max(1, min(page, 100_000)))
        if data.get("tu") and not day_of(data["tu"]):
            form.errors["tu"] = _("Enter the first day as day/month/year.")
        if data.get("den") and not day_of(data["den"]):
            form.errors["den"] = _("Enter the last day as day/month/year.")
        if first > last:
            form.first, form.last = last, first
        return form


@dataclass
class CorrectionForm:
    """A new edition of a line: what the columns shall say from now on, and why."""

    values: dict[str, str]
    reason: str
    errors: dict[str, str] = field(default_factory=dict)

    FIELDS = (
        "visitor",
        "identity_paper",
        "content",
        "kind",
        "people",
        "settled_by",
        "within",
        "guidance",
        "acceptance",
        "follow_up",
        "remark",
    )

    @classmethod
    def read(cls, data: Typed) -> CorrectionForm:
        values = {name: data.get(name, "").strip() for name in cls.FIELDS if name in data}
        form = cls(values, data.get("reason", "").strip())
        if len(form.reason) < 5:
            form.errors["reason"] = _("Write why the line is corrected.")
        if "people" in values and not 1 <= int(digits(values["people"]) or 0) <= MOST_PEOPLE:
            form.errors["people"] = _("Enter how many people share this matter, at least 1.")
        for name, sentence in (
            ("visitor", _("Name and address cannot be empty.")),
            ("content", _("The content cannot be empty.")),
        ):
            if name in values and not values[name]:
                form.errors[name] = sentence
        return form


@dataclass
class EnvelopeForm:
    """One row of a batch of paper post; an untouched row is left alone."""

    row: int
    typed: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    FIELDS = (
        "kind",
        "sender",
        "address",
        "anonymous",
        "postmark",
        "forwarded_by",
        "forwarded_number",
        "summary",
    )
    TELLING = ("sender", "address", "postmark", "forwarded_number", "summary")

    @classmethod
    def read(cls, data: Typed, row: int) -> EnvelopeForm:
        form = cls(row, {name: data.get(f"{name}-{row}", "").strip() for name in cls.FIELDS})
        if not form.touched:
            return form
        if form.typed["kind"] not in ENVELOPE_KINDS:
            form.errors["kind"] = _("Choose the kind of the letter, or “not yet classified”.")
        if not form.typed["summary"]:
            form.errors["summary"] = _("Write in a few words what the letter is about.")
        if not form.typed["sender"] and not form.typed["anonymous"]:
            form.errors["sender"] = _("Enter the sender, or tick “anonymous”.")
        if form.typed["postmark"] and day_of(form.typed["postmark"]) is None:
            form.errors["postmark"] = _("Enter the postmark as day/month/year.")
        return form

    @property
    def touched(self) -> bool:
        """Whether anything of the row was filled in."""
        return any(self.typed.get(name) for name in self.TELLING)

    @property
    def postmark_on(self) -> date | None:
        """The day of the postmark, if it was readable."""
        return day_of(self.typed["postmark"])
