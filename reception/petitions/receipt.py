"""Papers for the sender: the receipt as an A5 slip, and the petition to print and sign."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import segno
from flask import render_template, url_for
from flask_babel import gettext as _

from config import PROJECT
from reception.clock import legal_today
from reception.petitions.filing_forms import AboutForm, ContactForm, PlaceForm, StoryForm
from reception.petitions.filing_operations import Draft
from reception.petitions.filing_words import kind_label
from reception.petitions.following_words import Plan, day_words, office, plan_of
from reception.settings import settings
from reception.templating import asset
from storage.database import reading
from storage.queries.following import Following, following, petition_by_code
from storage.queries.units import province
from workflows.errors import NotFound

FONT_FOLDER = PROJECT / "static" / "dist"


@dataclass(frozen=True)
class Slip:
    """Everything the receipt says. `sender` stays empty for a denunciation."""

    code: str
    second_part: str
    by_phone: bool
    unit: str
    office: str
    committee: bool
    province: str
    sender: str
    kind: str
    about: str
    files: int
    received_at: datetime
    waits_for_signature: bool
    answer_by: date | None
    answer_by_words: str
    link: str
    plan: Plan

    @property
    def qr(self) -> str:
        """The look-up address as an SVG picture; without the second part."""
        code = segno.make(self.link, error="m", micro=False)
        return str(code.svg_data_uri(scale=4, border=2, dark="#1f2328"))


def slip_of(kept: dict[str, Any]) -> Slip:
    """The receipt of a petition just sent. Raises NotFound."""
    with reading() as work:
        petition = petition_by_code(work.db_session, kept["code"])
        if petition is None:
            raise NotFound
        found = following(work.db_session, petition.id)
    return _slip(found, kept)


def _slip(found: Following, kept: dict[str, Any]) -> Slip:
    petition = found.petition
    plan = plan_of(found, legal_today())
    home = province()
    link = settings().public_url + url_for("petitions.look_up", ma=petition.code)
    return Slip(
        code=petition.code,
        second_part=str(kept.get("second_part", "")),
        by_phone=bool(kept.get("phone_given")),
        unit=found.receiving_unit.full_name,
        office=office(found.receiving_unit),
        committee=found.receiving_unit.kind in ("commune", "province"),
        province=home.full_name if home else "",
        sender=str(kept.get("name", "")),
        kind=kind_label(petition.kind, petition.round),
        about=petition.title,
        files=int(kept.get("files", 0)),
        received_at=petition.submitted_at,
        waits_for_signature=found.state == "AWAITING_SIGNATURE",
        answer_by=plan.answer_by,
        answer_by_words=day_words(plan.answer_by) if plan.answer_by else "",
        link=link,
        plan=plan,
    )


def slip_pdf(slip: Slip) -> bytes:
    """The receipt on one A5 page."""
    return _write(render_template("petitions/print/slip.html", slip=slip, fonts=font_faces()))


def petition_pdf(draft: Draft, unit: str, today: date) -> bytes:
    """The petition as typed so far, on A4, with room for a signature."""
    page = render_template(
        "petitions/print/petition.html",
        kind=kind_label(draft.kind),
        title=_petition_title(draft.kind),
        unit=unit,
        contact=ContactForm.of(draft.of("lien-lac")),
        about=AboutForm.of(draft.of("gui-ve-ai")),
        story=StoryForm.of(draft.of("chuyen-gi")),
        place=PlaceForm.of(draft.of("o-dau")),
        papers=draft.of("quyet-dinh").get("decisions", []),
        files=draft.files,
        today=today,
        fonts=font_faces(),
    )
    return _write(page)


def _petition_title(kind: str) -> str:
    titles = {
        "complaint": _("COMPLAINT"),
        "denunciation": _("DENUNCIATION"),
        "recommendation": _("RECOMMENDATION"),
        "feedback": _("FEEDBACK"),
    }
    return str(titles.get(kind, _("PETITION")))


def font_faces() -> str:
    """@font-face rules with the fonts inside: Latin first, Vietnamese letters from the second."""
    rules = []
    for subset, family in (("latin", "Viet Latin"), ("vietnamese", "Viet Marks")):
        for weight in (400, 700):
            name = asset(f"be-vietnam-pro-{subset}-{weight}-normal.woff2").rsplit("/", 1)[-1]
            data = base64.b64encode(Path(FONT_FOLDER, name).read_bytes()).decode()
            rules.append(
                f'@font-face{{font-family:"{family}";font-weight:{weight};'
                f"src:url(data:font/woff2;base64,{data})}}"
            )
    return "".join(rules)


def _write(page: str) -> bytes:
    """Only what stands in the page itself is read: no file, no network."""
    from weasyprint import HTML  # slow to import; only these pages need it
    from weasyprint.urls import URLFetcher

    fetcher = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    written: bytes = HTML(string=page, url_fetcher=fetcher).write_pdf()
    return written
