"""Procedures as they ran: every step is a row that stays; the history is the state."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.models.base import Base, Created, Identified, one_of, utc_now


class ProcedureRun(Identified, Created, Base):
    """One procedure (SES, PET, KN1 ...) over one reception session, petition or case.

    `state` is a copy of what the steps say, written only by `record()`.
    """

    __tablename__ = "procedure_run"
    __table_args__ = (
        CheckConstraint(
            "(petition_id IS NOT NULL AND reception_session_id IS NULL AND case_id IS NULL) OR "
            "(petition_id IS NULL AND reception_session_id IS NOT NULL AND case_id IS NULL) OR "
            "(petition_id IS NULL AND reception_session_id IS NULL AND case_id IS NOT NULL)",
            name="one_subject",
        ),
        UniqueConstraint("petition_id", "procedure"),
        UniqueConstraint("reception_session_id", "procedure"),
        UniqueConstraint("case_id", "procedure", "round"),
    )

    procedure: Mapped[str]
    round: Mapped[int] = mapped_column(default=1)
    petition_id: Mapped[UUID | None] = mapped_column(ForeignKey("petition.id"))
    reception_session_id: Mapped[UUID | None] = mapped_column(ForeignKey("reception_session.id"))
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("case.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    state: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    # Read at most once per transaction, however many steps it takes.
    steps: Mapped[list[ProcedureStep]] = relationship(order_by="ProcedureStep.seq")
    deadlines: Mapped[list[Deadline]] = relationship(
        order_by="(Deadline.last_day_on, Deadline.name)"
    )

    __mapper_args__ = {"version_id_col": version}


class ProcedureStep(Identified, Base):
    """What somebody did, when, by which version of the rule; undo is another row."""

    __tablename__ = "procedure_step"
    __table_args__ = (UniqueConstraint("run_id", "seq"),)

    run_id: Mapped[UUID] = mapped_column(ForeignKey("procedure_run.id"))
    seq: Mapped[int]
    event: Mapped[str]
    from_state: Mapped[str]
    to_state: Mapped[str]
    procedure_version: Mapped[str]
    on: Mapped[date]
    at: Mapped[datetime] = mapped_column(default=utc_now)
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    reason: Mapped[str] = mapped_column(default="")
    internal_reason_sealed: Mapped[bytes | None]
    source: Mapped[str]
    undoes_id: Mapped[UUID | None] = mapped_column(ForeignKey("procedure_step.id"))


class Deadline(Identified, Created, Base):
    """A term: its base, and the changes that a document justifies."""

    __tablename__ = "deadline"
    __table_args__ = (one_of("day_unit", "working", "calendar", "hour"),)

    run_id: Mapped[UUID] = mapped_column(ForeignKey("procedure_run.id"), index=True)
    step_id: Mapped[UUID] = mapped_column(ForeignKey("procedure_step.id"))
    name: Mapped[str]
    start_on: Mapped[date]
    base_last_day_on: Mapped[date]
    last_day_on: Mapped[date]
    length: Mapped[int]
    day_unit: Mapped[str]
    before: Mapped[bool] = mapped_column(default=False)
    label: Mapped[str]
    rule_from_on: Mapped[date]
    sentence: Mapped[str]
    source: Mapped[str]
    needs_confirmation: Mapped[bool] = mapped_column(default=False)
    met_on: Mapped[date | None]
    ended_by: Mapped[str] = mapped_column(default="")
    step: Mapped[ProcedureStep] = relationship(lazy="raise")


class DeadlineChange(Identified, Created, Base):
    """An extension or a suspension of a term, with the document that allows it."""

    __tablename__ = "deadline_change"
    __table_args__ = (one_of("kind", "extension", "suspension", "complex"),)

    deadline_id: Mapped[UUID] = mapped_column(ForeignKey("deadline.id"), index=True)
    kind: Mapped[str]
    from_on: Mapped[date]
    to_on: Mapped[date | None]
    days: Mapped[int | None]
    document_id: Mapped[UUID] = mapped_column(ForeignKey("issued_document.id"))
    reason: Mapped[str]


Index("ix_deadline_last_day_met", Deadline.last_day_on, Deadline.met_on)
