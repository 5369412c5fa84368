"""What a citizen types, one small dataclass per page of the wizard.

A form is read from the page or from the draft, checks itself against what is known of the draft,
and gives back plain answers to keep. Sentences are shown beside the field they belong to.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, ClassVar, Self

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from storage.queries.places import Found, Place
from workflows.groups import representatives

KINDS = ("complaint", "denunciation", "recommendation", "feedback", "unclassified")
FOR_WHOM = ("self", "other", "organisation", "group", "anonymous")
SUPPORT = ("hearing", "sight", "walking", "reading", "interpreter", "companion")
SIGNING = ("photo", "digital", "at_unit")
MOST_REPRESENTATIVES = 5
MOST_DECISIONS = 5
STORY_LENGTH = 20_000
_CITIZEN_ID = re.compile(r"^(?:\d{12}|\d{9}|[A-Z]\d{7,8})$")
_PHONE = re.compile(r"^0\d{9,10}$")
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")


@dataclass(frozen=True)
class Known:
    """What a form may ask about while it checks itself."""

    kind: str
    today: date
    find: Callable[[str, bool], Found]
    parts: Mapping[str, int]  # how many files of each part the draft has
    for_whom: str = "self"


def read_date(text: str) -> date | None:
    """A day as people type it, 5/3/2026 or 05.03.2026. Raises ValueError."""
    if not text:
        return None
    found = re.fullmatch(r"\s*(\d{1,2})[/.\-\s]+(\d{1,2})[/.\-\s]+(\d{4})\s*", text)
    if found is None:
        raise ValueError(text)
    day, month, year = (int(part) for part in found.groups())
    return date(year, month, day)


def _no_such_day(text: str) -> str:
    """What is wrong with a day that was typed."""
    found = re.match(r"\s*(\d{1,2})[/.\-\s]+(\d{1,2})[/.\-\s]+(\d{4})\s*$", text)
    if found and 1 <= int(found[2]) <= 12 and 1 <= int(found[3]) <= 9999:
        days = monthrange(int(found[3]), int(found[2]))[1]
        sentence = _("Month %(month)s has only %(days)s days.", month=int(found[2]), days=days)
        return str(sentence)
    return str(_("Write the day as day/month/year, such as 25/11/2026."))


def _plain(text: str) -> str:
    return re.sub(r"[\s.\-]", "", text).upper()


def is_phone(text: str) -> bool:
    """Whether this can be a telephone number of Vietnam; +84 and dots are understood."""
    return bool(_PHONE.fullmatch(re.sub(r"^\+?84", "0", _plain(text))))


@dataclass
class PageForm:
    """One page. `errors` maps a field to its sentence."""

    page: ClassVar[str] = ""
    order: ClassVar[tuple[str, ...]] = ()
    """Field ids from top to bottom where the dataclass has them in another order."""
    errors: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> Self:
        """What was typed, spaces at the ends dropped."""
        return cls(**{name: _typed(data, name, many) for name, many in cls._names()})

    @classmethod
    def of(cls, answers: Mapping[str, Any]) -> Self:
        """What was kept."""
        return cls(**{name: answers[name] for name, _many in cls._names() if name in answers})

    @classmethod
    def _names(cls) -> list[tuple[str, bool]]:
        skipped = ("errors", "choices")
        return [(f.name, "list" in str(f.type)) for f in fields(cls) if f.name not in skipped]

    def answers(self) -> dict[str, Any]:
        """What to keep."""
        return {name: getattr(self, name) for name, _many in self._names()}

    def check(self, known: Known) -> None:
        """Fill `errors`."""

    def errors_in_order(self) -> list[tuple[str, str]]:
        """The errors as their fields follow each other on the page, for the summary at its top."""
        places = {name: place for place, name in enumerate(self.order or self._fields())}
        return sorted(self.errors.items(), key=lambda error: places.get(error[0], len(places)))

    @classmethod
    def _fields(cls) -> tuple[str, ...]:
        return tuple(field.name for field in fields(cls))

    def _need(self, name: str, sentence: str) -> bool:
        if getattr(self, name):
            return True
        self.errors.setdefault(name, sentence)
        return False

    def _choice(self, name: str, allowed: tuple[str, ...], sentence: str) -> bool:
        if getattr(self, name) in allowed:
            return True
        self.errors[name] = sentence
        return False

    def _day(self, name: str, known: Known) -> date | None:
        try:
            day = read_date(getattr(self, name))
        except ValueError:
            self.errors[name] = _no_such_day(getattr(self, name))
            return None
        if day is not None and day > known.today:
            self.errors[name] = _("This day has not come yet. Look at the year once more.")
        return day


def _typed(data: MultiDict[str, str], name: str, many: bool) -> Any:
    values = [value.strip() for value in data.getlist(name)]
    if many:
        return values
    return next((value for value in values if value), "")


@dataclass
class _WithUnit(PageForm):
    """A page with one unit: chosen from the list, or typed and understood without a script."""

    unit: str = ""
    unit_text: str = ""
    choices: list[Place] = field(default_factory=list, compare=False)

    def _settle_unit(self, known: Known, *, needed: bool, bodies: bool = False) -> None:
        if not self.unit_text:
            self.unit = ""
            if needed:
                self.errors["unit_text"] = _("Write the commune or ward; an old name will do.")
            return
        found = known.find(self.unit_text, bodies)
        by_id = {str(place.unit_id): place for place in found.places}
        if self.unit in by_id:
            self._take(by_id[self.unit])
        elif found.certain:
            self._take(found.places[0])
        else:
            self._ask(found.places, needed=needed or not bodies)

    def _take(self, place: Place) -> None:
        self.unit, self.unit_text = str(place.unit_id), place.name

    def _ask(self, places: tuple[Place, ...], *, needed: bool) -> None:
        self.unit = ""
        self.choices = list(places)
        if places:
            self.errors["unit_text"] = _("Several places have this name. Choose the right one.")
        elif needed:
            self.errors["unit_text"] = _(
                "We know no place of this name here. Try the name of the ward or the old commune."
            )


# --- who -----------------------------------------------------------------------------------------


@dataclass
class WhoForm(PageForm):
    """For whom the petition is."""

    page: ClassVar[str] = "nguoi-gui"
    for_whom: str = ""

    def check(self, known: Known) -> None:
        self._choice("for_whom", FOR_WHOM, _("Choose for whom you send this petition."))
        if self.for_whom == "anonymous" and known.kind == "complaint":
            self.errors["for_whom"] = _(
                "A complaint needs the name of the person concerned. Choose another answer."
            )


@dataclass
class ContactForm(_WithUnit):
    """The person who sends."""

    page: ClassVar[str] = "lien-lac"
    order: ClassVar[tuple[str, ...]] = (
        "name",
        "citizen_id",
        "birth_year",
        "phone",
        "email",
        "address",
        "unit_text",
    )
    salutation: str = ""
    name: str = ""
    birth_year: str = ""
    citizen_id: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    elsewhere: str = ""

    def check(self, known: Known) -> None:
        self._need("name", _("Write your full name as on your identity card."))
        self._need("address", _("Write house number, street, hamlet or quarter."))
        self._check_numbers(known)
        if self.email and not _EMAIL.fullmatch(self.email):
            self.errors["email"] = _("This e-mail address looks incomplete. Check it once more.")
        if self.elsewhere:
            self.unit = self.unit_text = ""
        else:
            self._settle_unit(known, needed=True)

    def _check_numbers(self, known: Known) -> None:
        if self.birth_year and not _plausible_year(self.birth_year, known.today):
            self.errors["birth_year"] = _("Write the year with four digits, such as 1958.")
        if self.citizen_id and not _CITIZEN_ID.fullmatch(_plain(self.citizen_id)):
            self.errors["citizen_id"] = _(
                "An identity number has 12 digits, an old one 9, a passport a letter and digits."
            )
        if self.phone and not is_phone(self.phone):
            self.errors["phone"] = _("A telephone number has 10 digits and begins with 0.")


def _plausible_year(text: str, today: date) -> bool:
    return text.isdigit() and 1900 <= int(text) <= today.year


@dataclass
class BehalfForm(PageForm):
    """Whom the sender speaks for: another person, an organisation, or a group."""

    page: ClassVar[str] = "gui-thay"
    order: ClassVar[tuple[str, ...]] = ("size", "rep_name", "name", "relation", "files")
    name: str = ""
    relation: str = ""
    size: str = ""
    representatives: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> Self:
        form = super().read(data)
        columns = [data.getlist(f"rep_{part}") for part in ("name", "phone", "citizen_id")]
        rows = zip(*columns, strict=False)
        form.representatives = [
            {"name": name.strip(), "phone": phone.strip(), "citizen_id": number.strip()}
            for name, phone, number in rows
        ][:MOST_REPRESENTATIVES]
        return form

    def named(self) -> list[dict[str, str]]:
        """The representatives that were written down."""
        return [row for row in self.representatives if row["name"]]

    def check(self, known: Known) -> None:
        if known.for_whom == "group":
            self._check_group()
        elif known.for_whom == "organisation":
            self._need("name", _("Write the name of the organisation."))
            self._need("relation", _("Write your post in the organisation."))
        else:
            self._need("name", _("Write the full name of the person you speak for."))
            self._need("relation", _("Write what you are to that person."))

    def _check_group(self) -> None:
        if not self.size.isdigit() or not 2 <= int(self.size) <= 100_000:
            self.errors["size"] = _("Write how many people send this together, 2 or more.")
            return
        rule = representatives(int(self.size))
        others = len(self.named())
        if rule and others + 1 > rule.at_most:
            self.errors["rep_name"] = _(
                "%(rule)s You are one of them, so name at most %(most)s others.",
                rule=rule.sentence,
                most=rule.at_most - 1,
            )
        for row in self.named():
            if row["phone"] and not is_phone(row["phone"]):
                self.errors["rep_name"] = _("A telephone number has 10 digits and begins with 0.")

    def group_size(self) -> int:
        """How many people stand behind the petition of a group."""
        return max(int(self.size), 1) if self.size.isdigit() else 1


# --- about what ----------------------------------------------------------------------------------


@dataclass
class KindForm(PageForm):
    """What kind it is, confirmed by the sender; an officer decides in the end."""

    page: ClassVar[str] = "loai-don"
    kind: str = ""
    round: str = ""

    def check(self, known: Known) -> None:
        self._choice("kind", KINDS, _("Choose what fits best; a wrong choice does no harm."))
        if self.kind != "complaint":
            self.round = ""
        elif self.round not in ("1", "2"):
            self.errors["round"] = _("Say whether a first decision has been made already.")


@dataclass
class AboutForm(_WithUnit):
    """Whose decision or act it is about."""

    page: ClassVar[str] = "gui-ve-ai"
    order: ClassVar[tuple[str, ...]] = ("respondent", "unit_text", "leader")
    respondent: str = ""
    leader: str = ""

    def check(self, known: Known) -> None:
        if known.kind == "complaint":
            self._need(
                "respondent", _("Write which body or person made the decision or did the act.")
            )
        if known.kind == "denunciation":
            self._need("respondent", _("Write whom you denounce, with the post if you know it."))
            self._choice("leader", ("yes", "no", "unknown"), _("Choose one of the three answers."))
        self._settle_unit(known, needed=False, bodies=True)


# --- what and where ------------------------------------------------------------------------------


@dataclass
class WayForm(PageForm):
    """Whether the story is typed here or stands on a paper already."""

    page: ClassVar[str] = "cach-viet"
    way: str = ""

    def check(self, known: Known) -> None:
        self._choice("way", ("type", "photo"), _("Choose how you want to tell it."))


@dataclass
class StoryForm(PageForm):
    """What happened and what the sender asks for."""

    page: ClassVar[str] = "chuyen-gi"
    content: str = ""
    wish: str = ""

    def check(self, known: Known) -> None:
        if len(self.content) < 20:
            self.errors["content"] = _("Tell in a few sentences what happened.")
        elif len(self.content) > STORY_LENGTH:
            self.errors["content"] = _(
                "This is longer than the form can keep. Send the long text as a PDF or photos "
                "and write the main points here."
            )
        if len(self.wish) > 4000:
            self.errors["wish"] = _("Write the main wish in fewer words.")


@dataclass
class PaperForm(PageForm):
    """A photograph of a petition already written and signed: it is the whole petition."""

    page: ClassVar[str] = "anh-don"
    order: ClassVar[tuple[str, ...]] = ("files", "summary")
    summary: str = ""

    def check(self, known: Known) -> None:
        self._need("summary", _("Write in one sentence what the petition is about."))
        if len(self.summary) > 200:
            self.errors["summary"] = _("One sentence is enough here.")
        if not known.parts.get("signed_petition"):
            self.errors["files"] = _("Send at least one photo of the signed petition.")


@dataclass
class PlaceForm(_WithUnit):
    """Where and when."""

    page: ClassVar[str] = "o-dau"
    place_text: str = ""
    happened_on: str = ""

    def check(self, known: Known) -> None:
        self._settle_unit(known, needed=True)
        self._day("happened_on", known)


@dataclass
class DecisionsForm(PageForm):
    """Papers that were issued about the matter before."""

    page: ClassVar[str] = "quyet-dinh"
    order: ClassVar[tuple[str, ...]] = ("any", "paper_number", "paper_date", "got_on", "files")
    any: str = ""
    got_on: str = ""
    decisions: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> Self:
        form = super().read(data)
        columns = [data.getlist(f"paper_{part}") for part in ("number", "date", "body")]
        form.decisions = [
            {"number": number.strip(), "date": day.strip(), "body": body.strip()}
            for number, day, body in zip(*columns, strict=False)
        ][:MOST_DECISIONS]
        return form

    def named(self) -> list[dict[str, str]]:
        """The papers that were written down."""
        return [row for row in self.decisions if any_of(row)] if self.any == "yes" else []

    def check(self, known: Known) -> None:
        self._choice("any", ("yes", "no"), _("Choose yes or no."))
        if self.any != "yes":
            self.decisions, self.got_on = [], ""
            return
        if not self.named():
            self.errors["paper_number"] = _("Write at least the number, the day or the body.")
        for row in self.named():
            try:
                read_date(row["date"])
            except ValueError:
                self.errors["paper_date"] = _(
                    "Write the day as day/month/year, such as 25/11/2026."
                )
        self._day("got_on", known)


def any_of(row: Mapping[str, str]) -> bool:
    """Whether anything was written in a row."""
    return any(row.values())


# --- help and sending ----------------------------------------------------------------------------


@dataclass
class SupportForm(PageForm):
    """Online reception, help that is needed, and for a denunciation protection."""

    page: ClassVar[str] = "ho-tro"
    order: ClassVar[tuple[str, ...]] = ("protection", "online", "support", "support_text")
    online: str = ""
    support: list[str] = field(default_factory=list)
    support_text: str = ""
    protection: str = ""

    def check(self, known: Known) -> None:
        self._choice("online", ("yes", "no"), _("Choose yes or no."))
        self.support = [need for need in self.support if need in SUPPORT]
        if known.kind in ("denunciation", "unclassified"):
            self._choice("protection", ("yes", "no"), _("Choose yes or no."))
        else:
            self.protection = ""
        if self.protection == "yes" and self.online == "yes":
            self.errors["online"] = _(
                "With protection of your identity, officers receive you in person, not on screen. "
                "Choose “no” here, or no protection below."
            )


@dataclass
class SendForm(PageForm):
    """How it is signed, and the sender's word that it is true."""

    page: ClassVar[str] = "xem-lai"
    order: ClassVar[tuple[str, ...]] = (
        "missing",
        "signing",
        "signed_file",
        "digital_file",
        "truthful",
    )
    signing: str = ""
    truthful: str = ""

    def check(self, known: Known) -> None:
        ways = (*SIGNING, "none") if known.for_whom == "anonymous" else SIGNING
        if self._choice("signing", ways, _("Choose how you sign.")):
            self._check_signature(known)
        self._need("truthful", _("Tick this line when what you tell is true."))

    def _check_signature(self, known: Known) -> None:
        if self.signing == "photo" and not known.parts.get("signed_petition"):
            self.errors["signed_file"] = _(
                "There is no photo of the signed petition yet. Send it, or choose to sign later."
            )
        if self.signing == "digital" and not known.parts.get("digital_petition"):
            self.errors["digital_file"] = _(
                "There is no digitally signed PDF yet. Send it, or choose another way."
            )


FORMS: dict[str, type[PageForm]] = {
    form.page: form
    for form in (
        WhoForm,
        ContactForm,
        BehalfForm,
        KindForm,
        WayForm,
        AboutForm,
        StoryForm,
        PaperForm,
        PlaceForm,
        DecisionsForm,
        SupportForm,
        SendForm,
    )
}
