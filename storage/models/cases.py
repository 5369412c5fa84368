"""Cases (vụ việc): everything of every level about one matter."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, Created, Identified, one_of

LINK_KINDS = ("same_matter", "repeat", "second_round", "related")
DOCUMENT_STATES = ("draft", "approved", "signed", "issued", "withdrawn")


class Case(Identified, Created, Base):
    """One matter, from commune to province. Statistics count cases, never letters twice."""

    __tablename__ = "case"
    __table_args__ = (one_of("secrecy", "normal", "restricted", "compartment", "off_system"),)

    search_id: Mapped[int] = mapped_column(unique=True)
    code: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    kind: Mapped[str]
    field_code: Mapped[str | None] = mapped_column(ForeignKey("field.code"))
    place_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    holder_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    secrecy: Mapped[str] = mapped_column(default="normal")
    people: Mapped[int] = mapped_column(default=1)
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]
    completed_year: Mapped[int | None]
    retention_code: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


Index("ix_case_place_opened", Case.place_unit_id, Case.opened_on)


class CaseLink(Identified, Created, Base):
    """Why a petition hangs on a case; proposed, confirmed by an officer, reversible."""

    __tablename__ = "case_link"
    __table_args__ = (one_of("kind", *LINK_KINDS),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    petition_id: Mapped[UUID] = mapped_column(ForeignKey("petition.id"), index=True)
    kind: Mapped[str]
    proposed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    reason: Mapped[str]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    undo_reason: Mapped[str] = mapped_column(default="")


class CaseUnit(Base):
    """A level that takes part in a case: it shares identity, status and issued documents."""

    __tablename__ = "case_unit"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True, index=True)
    since_on: Mapped[date]


class Involvement(Identified, Created, Base):
    """Why one person stands closer to a record, or must stay away from it.

    `assigned` works on it, `identity` may know the denouncer by a decision, `conflicted` is a side,
    `own_act` is the official whose act is complained of, `owner` is the citizen or representative.
    """

    __tablename__ = "involvement"
    __table_args__ = (
        one_of("part", "assigned", "identity", "conflicted", "own_act", "owner"),
        UniqueConstraint("petition_id", "case_id", "person_id", "part"),
    )

    petition_id: Mapped[UUID | None] = mapped_column(ForeignKey("petition.id"), index=True)
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("case.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    part: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]


class CaseFileRequest(Identified, Created, Base):
    """An inspector's request to read the whole file of a case, and the leave that came of it.

    Asked with a reason, the number of the paper that asks and the days needed; decided by the unit
    that holds the case. In force while approved and not expired; taken back at any time.
    """

    __tablename__ = "case_file_request"
    __table_args__ = (
        one_of("state", "asked", "approved", "refused", "revoked"),
        CheckConstraint("reason <> ''", name="has_reason"),
        CheckConstraint("document_number <> ''", name="has_document"),
        CheckConstraint("days BETWEEN 1 AND 90", name="days_limited"),
        CheckConstraint("decided_by IS NULL OR decided_by <> account_id", name="two_people"),
        CheckConstraint("state <> 'approved' OR expires_at IS NOT NULL", name="approved_ends"),
    )

    code: Mapped[str] = mapped_column(unique=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    reason: Mapped[str]
    document_number: Mapped[str]
    days: Mapped[int]
    state: Mapped[str] = mapped_column(default="asked")
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(default="")
    expires_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class CaseNote(Identified, Created, Base):
    """Draft, verification or opinion: stays with the level that made it."""

    __tablename__ = "case_note"
    __table_args__ = (one_of("kind", "draft", "verification", "opinion", "note"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    kind: Mapped[str]
    body_sealed: Mapped[bytes]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))


class IssuedDocument(Identified, Created, Base):
    """A paper of the file: form with its instrument, number, state and the sealed PDF."""

    __tablename__ = "issued_document"
    __table_args__ = (
        one_of("state", *DOCUMENT_STATES),
        UniqueConstraint("unit_id", "book", "book_year", "book_number"),
    )

    petition_id: Mapped[UUID | None] = mapped_column(ForeignKey("petition.id"), index=True)
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("case.id"), index=True)
    reception_session_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("reception_session.id"), index=True
    )
    visit_id: Mapped[UUID | None] = mapped_column(ForeignKey("visit.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    form: Mapped[str]
    title: Mapped[str]
    book: Mapped[str | None]
    book_year: Mapped[int | None]
    book_number: Mapped[int | None]
    number: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="draft")
    fields_sealed: Mapped[bytes | None]
    issued_on: Mapped[date | None]
    drafted_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    sealed_object_id: Mapped[UUID | None] = mapped_column(ForeignKey("sealed_object.id"))
    signature_state: Mapped[str] = mapped_column(default="unsigned")
    check_code: Mapped[str | None] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Transfer(Identified, Created, Base):
    """A petition handed from one body to another (chuyển đơn), with its receipt.

    To a unit of this system, or in words to a body outside it (`to_body`); taken back by an undo.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        CheckConstraint("to_unit_id IS NOT NULL OR to_body <> ''", name="goes_somewhere"),
    )

    petition_id: Mapped[UUID] = mapped_column(ForeignKey("petition.id"), index=True)
    from_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    to_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"), index=True)
    to_body: Mapped[str] = mapped_column(default="")
    reason: Mapped[str]
    sent_on: Mapped[date]
    sent_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    received_on: Mapped[date | None]
    received_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("issued_document.id"))
    result: Mapped[str] = mapped_column(default="")
    taken_back_at: Mapped[datetime | None]


class Decision(Identified, Created, Base):
    """A settlement decision or conclusion of a level, with what it orders."""

    __tablename__ = "decision"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    round: Mapped[int]
    number: Mapped[str]
    on: Mapped[date]
    outcome: Mapped[str]
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("issued_document.id"))
    amounts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Enforcement(Identified, Created, Base):
    """What has been carried out of a decision."""

    __tablename__ = "enforcement"

    decision_id: Mapped[UUID] = mapped_column(ForeignKey("decision.id"), index=True)
    on: Mapped[date]
    what: Mapped[str]
    money_million_vnd: Mapped[Decimal | None] = mapped_column(Numeric(16, 3))
    land_m2: Mapped[Decimal | None] = mapped_column(Numeric(16, 2))
    people: Mapped[int | None]
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("issued_document.id"))
