"""Writing a line of the 13-column book (sổ tiếp công dân, ND154-03/TCD).

Public names: NewLine, write_line, mask_lines, MASKED_VISITOR, MASKED_CONTENT. Nothing here commits.
The desk and the end of a reception session write their lines through the same step.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from storage.database import Work
from storage.identities import seal_field
from storage.models import IssuedDocument, Unit, Visit
from storage.models.base import new_id
from storage.queries import desk as queries
from workflows.secrecy import Secrecy

MASKED_VISITOR = "Người tố cáo (danh tính được giữ kín)"
MASKED_CONTENT = "Nội dung được giữ kín"
MASKED_ACCEPTANCE = "Đã nhận đơn"


@dataclass(frozen=True, kw_only=True)
class NewLine:
    """One visit (lượt tiếp) as it enters the book. `on` is the legal local date.

    `visitor` is name and address as the book shows them. `answer` is what was told to the visitor.
    A denunciation, or a line of secrecy "compartment", keeps neither visitor nor content.
    """

    unit_id: UUID
    on: date
    kind: str
    outcome: str
    content: str
    visitor: str
    received_by: UUID
    idempotency_key: str
    identity_paper: str = ""
    answer: str = ""
    field_code: str | None = None
    people: int = 1
    settled_by: str = ""
    within_jurisdiction: bool | None = None
    guidance: str = ""
    acceptance: str = ""
    follow_up: str = ""
    remark: str = ""
    refusal_ground: str = ""
    ticket_id: UUID | None = None
    reception_session_id: UUID | None = None
    petition_id: UUID | None = None
    person_id: UUID | None = None
    mode: str = "in_person"
    by_head: bool = False
    delegated: bool = False
    secrecy: str = Secrecy.NORMAL.value

    @property
    def masked(self) -> bool:
        """Whether the book must not say who came and why."""
        return self.kind == "denunciation" or self.secrecy == Secrecy.COMPARTMENT.value


PLAIN = (
    "unit_id",
    "on",
    "kind",
    "outcome",
    "received_by",
    "idempotency_key",
    "field_code",
    "people",
    "settled_by",
    "within_jurisdiction",
    "guidance",
    "acceptance",
    "follow_up",
    "remark",
    "refusal_ground",
    "ticket_id",
    "reception_session_id",
    "petition_id",
    "mode",
    "by_head",
    "delegated",
)


def lock_unit(work: Work, unit_id: UUID) -> None:
    """Let one officer of a unit number at a time, until the unit of work ends.

    On SQLite the write lock does it already; on PostgreSQL rows that point at the unit stay free.
    """
    work.db_session.execute(
        select(Unit.id).where(Unit.id == unit_id).with_for_update(key_share=True)
    )


def write_line(work: Work, line: NewLine, *, by: UUID) -> Visit:
    """Append a line under the next number of the unit's book of that year.

    Numbers have no gap and no double: the number is taken in the transaction that writes the line.
    """
    lock_unit(work, line.unit_id)
    number = queries.last_line(work.db_session, line.unit_id, line.on.year) + 1
    visit = _kept(line, number=number, edition=1)
    work.add(visit)
    work.audit(
        "visit_entered",
        visit,
        by=by,
        unit=line.unit_id,
        book_year=line.on.year,
        number=number,
        outcome=line.outcome,
        petition=None if line.masked else line.petition_id,
    )
    return visit


def write_edition(work: Work, old: Visit, line: NewLine, *, reason: str, by: UUID) -> Visit:
    """Correct a line: a new edition under the same number; the old one stays as it was."""
    visit = _kept(line, number=old.number, edition=old.edition + 1)
    visit.book_year, visit.corrects_reason = old.book_year, reason
    work.add(visit)
    work.audit(
        "visit_corrected", visit, by=by, unit=line.unit_id, number=old.number, edition=visit.edition
    )
    return visit


def _kept(line: NewLine, *, number: int, edition: int) -> Visit:
    """The row with its personal columns sealed to its own id."""
    row_id = new_id()
    visitor = MASKED_VISITOR if line.masked else line.visitor
    content = MASKED_CONTENT if line.masked else line.content
    answer = "" if line.masked else line.answer
    paper = "" if line.masked else line.identity_paper

    def sealed(column: str, text: str) -> bytes:
        return seal_field("visit", column, row_id, text)

    return Visit(
        id=row_id,
        book_year=line.on.year,
        number=number,
        edition=edition,
        person_id=None if line.masked else line.person_id,
        secrecy=Secrecy.COMPARTMENT.value if line.masked else line.secrecy,
        visitor_sealed=sealed("visitor", visitor),
        content_sealed=sealed("content", content),
        identity_paper_sealed=sealed("identity_paper", paper) if paper else None,
        answer_sealed=sealed("answer", answer) if answer else None,
        **{name: getattr(line, name) for name in PLAIN if name != "settled_by"},
        settled_by="" if line.masked else line.settled_by,
    )


def mask_lines(work: Work, petition_id: UUID) -> None:
    """Take visitor and matter of a petition that was locked away out of the book's lines.

    The words lie in the vault; number, day and outcome stay, so that the book has no gap.
    Source: Luật Tố cáo 25/2018/QH14, Điều 8, 56.
    """
    for visit in work.db_session.scalars(select(Visit).where(Visit.petition_id == petition_id)):
        visit.secrecy, visit.person_id = Secrecy.COMPARTMENT.value, None
        visit.visitor_sealed = seal_field("visit", "visitor", visit.id, MASKED_VISITOR)
        visit.content_sealed = seal_field("visit", "content", visit.id, MASKED_CONTENT)
        visit.identity_paper_sealed = visit.answer_sealed = None
        visit.settled_by = visit.guidance = visit.follow_up = visit.remark = ""
        if visit.corrects_reason:
            visit.corrects_reason = MASKED_CONTENT
        _forget_papers(work, visit.id)
        if visit.outcome == "petition":
            visit.acceptance = MASKED_ACCEPTANCE


def _forget_papers(work: Work, visit_id: UUID) -> None:
    """What was filled into a receipt or notice of the visit; the printed paper stays sealed."""
    for paper in work.db_session.scalars(
        select(IssuedDocument).where(IssuedDocument.visit_id == visit_id)
    ):
        paper.fields_sealed = None


__all__ = [
    "MASKED_CONTENT",
    "MASKED_VISITOR",
    "NewLine",
    "lock_unit",
    "mask_lines",
    "write_edition",
    "write_line",
]
