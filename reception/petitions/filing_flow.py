"""The way through the wizard: which pages a draft needs, what is missing, what it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from reception.petitions.filing_forms import (
    FORMS,
    AboutForm,
    BehalfForm,
    ContactForm,
    DecisionsForm,
    Known,
    PaperForm,
    PlaceForm,
    SendForm,
    StoryForm,
    SupportForm,
    read_date,
)
from reception.petitions.filing_operations import Draft, DraftFile, Route, find, receiving_unit
from reception.petitions.front_operations import rule_on
from reception.petitions.steps import NewPetition
from storage.identities import PersonData


def pages_of(draft: Draft) -> tuple[str, ...]:
    """The pages this draft needs, in order; the last one is reading over and sending."""
    return tuple(page for page in FORMS if page in _ALWAYS or _ASKED[page](draft))


_ALWAYS = ("nguoi-gui", "loai-don", "cach-viet", "o-dau", "ho-tro", "xem-lai")
_ASKED: dict[str, Callable[[Draft], bool]] = {
    "lien-lac": lambda d: d.for_whom != "anonymous",
    "gui-thay": lambda d: d.for_whom in ("other", "organisation", "group"),
    "gui-ve-ai": lambda d: not d.on_paper or d.kind == "denunciation",
    "chuyen-gi": lambda d: not d.on_paper,
    "anh-don": lambda d: d.on_paper,
    "quyet-dinh": lambda d: d.kind in ("complaint", "unclassified") and not d.on_paper,
}


def page_after(draft: Draft, page: str) -> str:
    """Where to go on to."""
    pages = pages_of(draft)
    if page not in pages:
        return pages[0]
    return pages[min(pages.index(page) + 1, len(pages) - 1)]


def page_before(draft: Draft, page: str) -> str | None:
    """Where the back link leads; None on the first page."""
    pages = pages_of(draft)
    place = pages.index(page) if page in pages else 0
    return pages[place - 1] if place else None


def known_of(draft: Draft, today: date) -> Known:
    """What the forms may ask about this draft."""
    return Known(
        kind=draft.kind,
        today=today,
        find=find,
        parts=draft.parts,
        for_whom=draft.for_whom,
    )


def missing_pages(draft: Draft, today: date) -> tuple[str, ...]:
    """The pages before the last one that are unanswered or no longer hold."""
    known = known_of(draft, today)
    return tuple(page for page in pages_of(draft)[:-1] if not _holds(draft, page, known))


def _holds(draft: Draft, page: str, known: Known) -> bool:
    if page not in draft.answers:
        return False
    form = FORMS[page].of(draft.of(page))
    form.check(known)
    return not form.errors


# --- what it becomes -----------------------------------------------------------------------------


def route_of(draft: Draft) -> Route:
    """What decides where this draft goes."""
    about, place = AboutForm.of(draft.of("gui-ve-ai")), PlaceForm.of(draft.of("o-dau"))
    return Route(
        kind=draft.kind,
        second_round=draft.kind == "complaint" and draft.of("loai-don").get("round") == "2",
        about_leader=about.leader != "no",
        about_unit=_uuid(about.unit),
        place_unit=_uuid(place.unit),
    )


def as_petition(
    draft: Draft, form: SendForm, *, today: date, account_id: UUID | None
) -> NewPetition:
    """The petition that this draft becomes when it is sent."""
    about, place = AboutForm.of(draft.of("gui-ve-ai")), PlaceForm.of(draft.of("o-dau"))
    support = SupportForm.of(draft.of("ho-tro"))
    behalf = BehalfForm.of(draft.of("gui-thay"))
    anonymous = draft.for_whom == "anonymous"
    signed = form.signing in ("photo", "digital")
    return NewPetition(
        kind=draft.kind,
        round=int(draft.of("loai-don").get("round") or 1),
        received_on=today,
        receiving_unit_id=receiving_unit(route_of(draft)).id,
        idempotency_key=f"draft:{draft.id}",
        respondent=about.respondent,
        respondent_unit_id=_uuid(about.unit),
        place_unit_id=_uuid(place.unit),
        place_text=place.place_text,
        happened_on=read_date(place.happened_on),
        submitter=None if anonymous else _submitter(draft),
        for_whom="self" if anonymous else draft.for_whom,
        on_behalf_of=_on_behalf_of(draft, behalf),
        anonymous=anonymous,
        group_size=behalf.group_size() if draft.for_whom == "group" else 1,
        representatives=tuple(_person(row) for row in behalf.named())
        if draft.for_whom == "group"
        else (),
        signing=form.signing,
        signed_on=today if signed else None,
        wants_online=support.online == "yes",
        support_needs=_support_needs(support),
        protection_requested=support.protection == "yes",
        account_id=account_id,
        attachment_ids=tuple(file.id for file in _in_order(draft.files)),
        **_words(draft),
    )


def _words(draft: Draft) -> dict[str, Any]:
    """Title, content, wish and earlier papers, from the page that was used."""
    if draft.on_paper:
        summary = PaperForm.of(draft.of("anh-don")).summary
        return {"title": summary, "content": summary}
    story = StoryForm.of(draft.of("chuyen-gi"))
    earlier = DecisionsForm.of(draft.of("quyet-dinh"))
    decisions = [dict(row) for row in earlier.named()]
    if decisions and earlier.got_on:
        decisions[0]["got_on"] = earlier.got_on
    return {
        "title": _title(draft, decisions),
        "content": story.content,
        "wish": story.wish,
        "earlier_decisions": tuple(decisions),
    }


def _title(draft: Draft, decisions: list[dict[str, str]]) -> str:
    """What a complaint is called: after the paper, else after the body. Others name themselves."""
    if draft.kind != "complaint":
        return ""
    paper = decisions[0] if decisions else {}
    if paper.get("number"):
        day = f" ngày {paper['date']}" if paper.get("date") else ""
        return f"Khiếu nại văn bản {paper['number']}{day}"
    respondent = AboutForm.of(draft.of("gui-ve-ai")).respondent
    return f"Khiếu nại việc của {respondent}"[:110] if respondent else ""


def limitation_length(on: date) -> int:
    """How many days there are for a first complaint."""
    return rule_on("KN1", "limitation", on).length


def limitation_day(draft: Draft) -> date | None:
    """The last day for a first complaint about the decision named; None when nothing says."""
    form = DecisionsForm.of(draft.of("quyet-dinh"))
    if draft.kind != "complaint" or draft.of("loai-don").get("round") == "2":
        return None
    got_on = read_date(form.got_on) if form.any == "yes" else None
    return got_on + timedelta(days=limitation_length(got_on)) if got_on else None


def _in_order(files: tuple[DraftFile, ...]) -> list[DraftFile]:
    order = ("signed_petition", "digital_petition", "authority", "evidence")
    return sorted(files, key=lambda file: order.index(file.part))


def _uuid(text: str) -> UUID | None:
    return UUID(text) if text else None


def _submitter(draft: Draft) -> PersonData:
    form = ContactForm.of(draft.of("lien-lac"))
    return PersonData(
        name=form.name,
        salutation=form.salutation,
        birth_year=form.birth_year,
        citizen_id=form.citizen_id,
        phone=form.phone,
        email=form.email,
        address=form.address,
        unit_id=_uuid(form.unit),
    )


def _person(row: Mapping[str, str]) -> PersonData:
    return PersonData(name=row["name"], phone=row["phone"], citizen_id=row["citizen_id"])


def _on_behalf_of(draft: Draft, behalf: BehalfForm) -> str:
    if draft.for_whom not in ("other", "organisation"):
        return ""
    return f"{behalf.name} ({behalf.relation})" if behalf.relation else behalf.name


SUPPORT_WORDS = {
    "hearing": "Nghe kém",
    "sight": "Nhìn kém",
    "walking": "Đi lại khó",
    "reading": "Cần người đọc, viết giúp",
    "interpreter": "Cần phiên dịch",
    "companion": "Cần người thân đi cùng",
}


def _support_needs(form: SupportForm) -> str:
    needs = [SUPPORT_WORDS[need] for need in form.support if need in SUPPORT_WORDS]
    return "; ".join([*needs, *([form.support_text] if form.support_text else [])])
