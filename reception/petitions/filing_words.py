"""Words of the citizen's pages: names of kinds, steps and help, and the answers read back."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from reception.petitions.filing_flow import pages_of
from reception.petitions.filing_forms import (
    AboutForm,
    BehalfForm,
    ContactForm,
    DecisionsForm,
    PlaceForm,
    SupportForm,
)
from reception.petitions.filing_operations import Draft

STEP_OF = {
    "nguoi-gui": 1,
    "lien-lac": 1,
    "gui-thay": 1,
    "loai-don": 2,
    "cach-viet": 2,
    "gui-ve-ai": 2,
    "chuyen-gi": 3,
    "anh-don": 3,
    "o-dau": 3,
    "quyet-dinh": 3,
    "giay-to": 3,
    "ho-tro": 4,
    "xem-lai": 5,
}
STEPS = 5

PAGE_NAMES = {
    "nguoi-gui": _l("For whom"),
    "lien-lac": _l("Name and address"),
    "gui-thay": _l("On behalf of"),
    "loai-don": _l("Kind of petition"),
    "cach-viet": _l("Written"),
    "gui-ve-ai": _l("About whom"),
    "chuyen-gi": _l("The story"),
    "anh-don": _l("Photos of the signed petition"),
    "o-dau": _l("Where and when"),
    "quyet-dinh": _l("Earlier papers"),
    "ho-tro": _l("Help needed"),
}
"""What a page asks for, in a word or two: to name those that are still empty."""

KIND_LABELS = {
    "complaint": _l("Complaint"),
    "denunciation": _l("Denunciation"),
    "recommendation": _l("Recommendation"),
    "feedback": _l("Feedback"),
    "mixed": _l("Several matters in one petition"),
    "unclassified": _l("Kind to be settled by an officer"),
}
FOR_WHOM_LABELS = {
    "self": _l("For myself"),
    "other": _l("For another person"),
    "organisation": _l("For an organisation"),
    "group": _l("For several people"),
    "anonymous": _l("Without giving a name"),
}
SUPPORT_LABELS = {
    "hearing": _l("I am hard of hearing"),
    "sight": _l("I see badly"),
    "walking": _l("I find it hard to walk"),
    "reading": _l("I need somebody to read and write for me"),
    "interpreter": _l("I need an interpreter"),
    "companion": _l("I would like to bring a relative"),
}
LEADER_LABELS = {"yes": _l("Yes"), "no": _l("No"), "unknown": _l("I do not know")}


def kind_label(kind: str, round_number: str | int = "") -> str:
    """The kind in words; a complaint with its round."""
    if kind == "complaint" and str(round_number) == "1":
        return str(_("First complaint"))
    if kind == "complaint" and str(round_number) == "2":
        return str(_("Second complaint"))
    return str(KIND_LABELS.get(kind, kind))


def masked(number: str) -> str:
    """An identity number for reading back: its middle covered."""
    plain = number.replace(" ", "")
    return f"{plain[:3]} ••• {plain[-3:]}" if len(plain) > 6 else plain


def review(draft: Draft, address_of: Any) -> list[tuple[str, list[dict[str, str]]]]:
    """Every answer as rows with the page that changes it. `address_of(page)` gives its address."""
    pages = pages_of(draft)
    groups = (
        (_("Who sends it"), _who_rows(draft)),
        (_("The matter"), _matter_rows(draft)),
        (_("Help"), _help_rows(draft)),
    )
    return [
        (
            str(title),
            [
                {"key": str(key), "value": value or "–", "change": address_of(page)}
                for page, key, value in rows
                if page in pages or page == "giay-to"
            ],
        )
        for title, rows in groups
    ]


Rows = list[tuple[str, Any, str]]


def _who_rows(draft: Draft) -> Rows:
    contact = ContactForm.of(draft.of("lien-lac"))
    rows: Rows = [
        ("nguoi-gui", _("For whom"), str(FOR_WHOM_LABELS.get(draft.for_whom, ""))),
        ("lien-lac", _("Full name"), f"{contact.salutation} {contact.name}".strip()),
        ("lien-lac", _("Year of birth, identity number"), _born(contact)),
        ("lien-lac", _("Address"), _address(contact)),
        ("lien-lac", _("Telephone"), contact.phone),
    ]
    if draft.for_whom in ("other", "organisation", "group"):
        rows.append(("gui-thay", _("On behalf of"), _behalf(draft)))
    return rows


def _born(contact: ContactForm) -> str:
    parts = (contact.birth_year, masked(contact.citizen_id))
    return " · ".join(part for part in parts if part)


def _address(contact: ContactForm) -> str:
    return ", ".join(part for part in (contact.address, contact.unit_text) if part)


def _behalf(draft: Draft) -> str:
    form = BehalfForm.of(draft.of("gui-thay"))
    if draft.for_whom == "group":
        names = ", ".join(row["name"] for row in form.named())
        people = _("%(count)s people", count=form.size or "?")
        return f"{people} ({names})" if names else str(people)
    return ", ".join(part for part in (form.name, form.relation) if part)


def _matter_rows(draft: Draft) -> Rows:
    about, place = AboutForm.of(draft.of("gui-ve-ai")), PlaceForm.of(draft.of("o-dau"))
    kind = kind_label(draft.kind, draft.of("loai-don").get("round", ""))
    where = ", ".join(part for part in (place.place_text, place.unit_text) if part)
    respondent = ", ".join(dict.fromkeys(p for p in (about.respondent, about.unit_text) if p))
    return [
        ("loai-don", _("Kind of petition"), kind),
        (
            "cach-viet",
            _("Written"),
            str(_("On paper, photographed") if draft.on_paper else _("Here")),
        ),
        ("gui-ve-ai", _("About whom"), respondent),
        ("chuyen-gi", _("The story"), draft.of("chuyen-gi").get("content", "")),
        ("chuyen-gi", _("What I ask for"), draft.of("chuyen-gi").get("wish", "")),
        ("anh-don", _("The petition is about"), draft.of("anh-don").get("summary", "")),
        ("o-dau", _("Where"), where),
        ("o-dau", _("Since when"), place.happened_on),
        ("quyet-dinh", _("Earlier papers"), _papers(draft)),
        ("giay-to", _("Enclosed"), _enclosed(draft)),
    ]


def _papers(draft: Draft) -> str:
    form = DecisionsForm.of(draft.of("quyet-dinh"))
    if form.any == "no":
        return str(_("None"))
    return "; ".join(_paper(row) for row in form.named())


def _paper(row: dict[str, str]) -> str:
    number, day = row["number"], row["date"]
    named = str(_("%(number)s of %(day)s", number=number, day=day)) if number and day else ""
    return ", ".join(part for part in (named or number or day, row["body"]) if part)


def _enclosed(draft: Draft) -> str:
    if not draft.files:
        return str(_("No files"))
    names = ", ".join(file.name for file in draft.files)
    return f"{_('%(count)s files', count=len(draft.files))}: {names}"


def _help_rows(draft: Draft) -> Rows:
    form = SupportForm.of(draft.of("ho-tro"))
    needs = [str(SUPPORT_LABELS[need]) for need in form.support if need in SUPPORT_LABELS]
    if form.support_text:
        needs.append(form.support_text)
    answers = {"yes": str(_("Yes")), "no": str(_("No"))}
    rows: Rows = [
        ("ho-tro", _("Reception on screen"), answers.get(form.online, "")),
        ("ho-tro", _("Help needed"), "; ".join(needs) or str(_("None"))),
    ]
    if draft.kind in ("denunciation", "unclassified"):
        rows.append(("ho-tro", _("Protection of identity"), answers.get(form.protection, "")))
    return rows
