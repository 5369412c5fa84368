"""The papers of the desk as PDF: receipt ND154-02/TCD and notice of refusal ND154-01/TCD.

Layout after NĐ 30/2020/NĐ-CP, Phụ lục I (A4, Tinos 13-14 pt, margins 20/20/30/20 mm); headings and
order after the forms of NĐ 154/2026/NĐ-CP. A PDF is made after the line has been written, sealed
into the store and tied to its row in a transaction of its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from jinja2 import Environment, FileSystemLoader
from sqlalchemy import select
from weasyprint import CSS, HTML

from config import PROJECT
from reception.clock import LOCAL
from reception.desk.places import ensure_at
from storage.database import Work, reading, unit_of_work
from storage.identities import open_field, seal_field
from storage.keyring import Family
from storage.models import DenunciationVault, IssuedDocument, Petition, SealedObject, Visit
from storage.objects import Bucket
from storage.queries.conflicts import sides_among
from storage.sealed import read_object, seal_object
from storage.subjects import petition_subject
from workflows.access import Actor, Permission, ensure_allowed
from workflows.errors import NotFound, Unavailable
from workflows.secrecy import Secrecy

RECEIPT = "ND154-02/TCD"
REFUSAL = "ND154-01/TCD"
TEMPLATES = {RECEIPT: "desk/papers/receipt.html", REFUSAL: "desk/papers/refusal.html"}
TITLES = {
    RECEIPT: "Giấy biên nhận thông tin, tài liệu",
    REFUSAL: "Thông báo từ chối tiếp công dân",
}
FILE_NAMES = {RECEIPT: "giay-bien-nhan", REFUSAL: "thong-bao-tu-choi"}
Fields = dict[str, Any]


def long_day(on: date) -> str:
    """A day as documents write it: ngày 05 tháng 02 năm 2026.

    One digit gets a zero before it for days, and for January and February (NĐ 30/2020/NĐ-CP).
    """
    month = f"{on.month:02d}" if on.month < 3 else str(on.month)
    return f"ngày {on.day:02d} tháng {month} năm {on.year}"


def moment(at: datetime) -> str:
    """An instant as the receipt writes it: 09 giờ 42 phút ngày ..."""
    local = at.astimezone(LOCAL)
    return f"{local:%H} giờ {local:%M} phút, {long_day(local.date())}"


@lru_cache(maxsize=1)
def _templates() -> Environment:
    """An environment of its own: papers are made by jobs and tests without a web request."""
    return Environment(
        loader=FileSystemLoader(PROJECT / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def make_pdf(form: str, fields: Fields) -> bytes:
    """The paper as PDF bytes."""
    page = _templates().get_template(TEMPLATES[form]).render(**fields)
    paper = HTML(string=page, url_fetcher=_nothing_from_outside)
    pdf: bytes = paper.write_pdf(stylesheets=[CSS(string=_sheet())])
    return pdf


@lru_cache(maxsize=1)
def _sheet() -> str:
    return (PROJECT / "templates/desk/papers/sheet.css").read_text(encoding="utf-8")


def _nothing_from_outside(url: str) -> Any:
    raise ValueError(f"a paper fetches nothing: {url}")


def keep_paper(
    work: Work, visit: Visit, form: str, fields: Fields, *, by: UUID, petition_id: UUID | None
) -> IssuedDocument:
    """Put the row of a paper beside its line; the PDF follows after the transaction.

    A receipt takes the number of its line in the book, so it has no second sequence. A notice
    waits as a draft for its number, signature and stamp. Nothing of a masked line is kept here.
    """
    receipt = form == RECEIPT
    document = work.add(
        IssuedDocument(
            form=form,
            title=TITLES[form],
            visit_id=visit.id,
            petition_id=petition_id,
            unit_id=visit.unit_id,
            book=form if receipt else None,
            book_year=visit.book_year if receipt else None,
            book_number=visit.number if receipt else None,
            number=f"{visit.number}/BN" if receipt else "",
            state="issued" if receipt else "draft",
            issued_on=visit.on if receipt else None,
            drafted_by=by,
        )
    )
    if visit.secrecy != Secrecy.COMPARTMENT.value:
        text = json.dumps(fields, ensure_ascii=False)
        document.fields_sealed = seal_field("issued_document", "fields", document.id, text)
    work.audit("desk_paper_made", document, by=by, form=form, visit=visit.id)
    return document


def seal_paper(document_id: UUID, fields: Fields | None = None) -> SealedObject:
    """Make the PDF of a paper and seal it into the store, once. Raises StoreUnavailable.

    `fields` are given for a masked line, whose words are nowhere else.
    """
    with reading() as work:
        document = work.get(IssuedDocument, document_id)
        if document.sealed_object_id:
            return work.get(SealedObject, document.sealed_object_id)
        sealed = document.fields_sealed
    if fields is None and sealed is None:
        raise Unavailable(
            "Giấy này không lưu lại nội dung vì thuộc tố cáo và lần in đầu chưa xong. "
            "Viết tay theo mẫu, ký rồi giao cho người dân."
        )
    masked = sealed is None
    words = (
        fields
        if fields is not None
        else json.loads(open_field("issued_document", "fields", document_id, sealed))
    )
    row = seal_object(
        make_pdf(document.form, words),
        bucket=Bucket.FILES,
        family=Family.DENUNCIATIONS if masked else Family.DOCUMENTS,
        purpose="desk-paper",
        media_type="application/pdf",
    )
    return _tie(document_id, row)


def _tie(document_id: UUID, row: SealedObject) -> SealedObject:
    """The first PDF of a paper stays; one made at the same moment is not used."""
    with unit_of_work() as work:
        document = work.get_for_update(IssuedDocument, document_id)
        if document.sealed_object_id:
            return work.get(SealedObject, document.sealed_object_id)
        work.add(row)
        work.flush()
        document.sealed_object_id = row.id
    return row


@dataclass(frozen=True)
class OpenedPaper:
    """A paper to look at or print."""

    pdf: bytes
    file_name: str


def open_paper(document_id: UUID, *, by: Actor) -> OpenedPaper:
    """The PDF of a paper of one's own desk; who opened it enters the audit log.

    A paper of a masked line opens only for the officer who received the visitor, and no longer
    when the petition itself is closed to that officer.
    """
    with unit_of_work() as work:
        document = work.get(IssuedDocument, document_id)
        visit = work.get(Visit, document.visit_id) if document.visit_id else None
        if visit is None:
            raise NotFound
        ensure_at(work, by, Permission.BOOK_SEE, visit.unit_id)
        if visit.secrecy == Secrecy.COMPARTMENT.value and visit.received_by != by.account_id:
            raise NotFound
        if visit.petition_id and sides_among(work.db_session, by, [visit.petition_id]):
            raise NotFound
        _ensure_not_locked_since(work, by, document, visit)
        work.audit("desk_paper_opened", document, by=by.account_id, form=document.form)
        name = f"{FILE_NAMES[document.form]}-{visit.number}-{visit.book_year}.pdf"
    return OpenedPaper(read_object(seal_paper(document_id)), name)


def _ensure_not_locked_since(work: Work, by: Actor, paper: IssuedDocument, visit: Visit) -> None:
    """A paper made before its petition was locked away is as closed as the petition is now."""
    locked_at = work.db_session.scalar(
        select(DenunciationVault.created_at).where(
            DenunciationVault.petition_id == visit.petition_id
        )
    )
    if locked_at is not None and visit.petition_id is not None and paper.created_at < locked_at:
        petition = work.get(Petition, visit.petition_id)
        ensure_allowed(by, Permission.PETITION_SEE, petition_subject(work.db_session, petition))


@dataclass(frozen=True)
class Head:
    """Who issues a paper, as its head names the body (cơ quan ban hành)."""

    above: str
    body: str
    place: str
    spoken: str


def head_of(*, kind: str, name: str, full_name: str, province: str) -> Head:
    """The issuing body in capitals: of a commune its People's Committee."""
    if kind == "commune":
        spoken = f"Ủy ban nhân dân {full_name[:1].lower()}{full_name[1:]}"
        return Head("ỦY BAN NHÂN DÂN", full_name.upper(), name, spoken)
    above = f"ỦY BAN NHÂN DÂN {province.upper()}"
    if kind == "province":
        return Head(above, "BAN TIẾP CÔNG DÂN", name, f"Ban Tiếp công dân {full_name}")
    return Head(above, full_name.upper(), province, full_name)
