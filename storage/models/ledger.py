"""What proves and what drives: audit log, jobs, outbox, reports, facts for the map."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, Counter, Created, Identified, one_of, utc_now

Hash = LargeBinary(32)


class AuditLeaf(Base):
    """One event, committed with the business change; `body` is canonical JSON, never changed.

    `tree_index` is given by the one fenced sequencer; until then the leaf waits.
    """

    __tablename__ = "audit_leaf"

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None] = mapped_column(index=True)
    action: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[UUID | None]
    body: Mapped[str]
    leaf_hash: Mapped[bytes] = mapped_column(Hash)
    tree_index: Mapped[int | None] = mapped_column(Counter, unique=True)


Index("ix_audit_leaf_object", AuditLeaf.object_kind, AuditLeaf.object_id)
Index(
    "ix_audit_leaf_waiting",
    AuditLeaf.id,
    sqlite_where=AuditLeaf.tree_index.is_(None),
    postgresql_where=AuditLeaf.tree_index.is_(None),
)


class AuditNode(Base):
    """Hash of a complete subtree of the RFC 6962 tree."""

    __tablename__ = "audit_node"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(Hash)


class AuditTree(Base):
    """The one row that fences the sequencer and holds the size of the tree."""

    __tablename__ = "audit_tree"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(Counter, default=0)
    fence: Mapped[int] = mapped_column(Counter, default=0)
    holder: Mapped[str] = mapped_column(default="")
    lease_until_at: Mapped[datetime | None]


class Checkpoint(Identified, Created, Base):
    """A signed statement of the tree's size and root (C2SP note, Ed25519)."""

    __tablename__ = "checkpoint"

    size: Mapped[int] = mapped_column(Counter)
    root: Mapped[bytes] = mapped_column(Hash)
    note: Mapped[str]
    bucket: Mapped[str] = mapped_column(default="")
    name: Mapped[str] = mapped_column(default="")
    version_id: Mapped[str] = mapped_column(default="")
    time_stamp: Mapped[bytes | None]


class Job(Identified, Created, Base):
    """Work for later: lease and fencing by attempt, progress, cancel. The payload is ids only."""

    __tablename__ = "job"
    __table_args__ = (
        one_of("state", "queued", "running", "done", "failed", "cancelled"),
        Index(
            "uq_job_live_dedupe",
            "dedupe_key",
            unique=True,
            sqlite_where=text("dedupe_key IS NOT NULL AND state IN ('queued', 'running')"),
            postgresql_where=text("dedupe_key IS NOT NULL AND state IN ('queued', 'running')"),
        ),
        Index("ix_job_claim", "state", "run_after_at"),
    )

    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="queued")
    attempt: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=5)
    run_after_at: Mapped[datetime] = mapped_column(default=utc_now)
    lease_until_at: Mapped[datetime | None]
    worker: Mapped[str] = mapped_column(default="")
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int] = mapped_column(default=0)
    progress_text: Mapped[str] = mapped_column(default="")
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str] = mapped_column(default="")
    dedupe_key: Mapped[str | None]
    asked_by: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]


class OutboxMessage(Identified, Created, Base):
    """Something to be told to the outside, written with the change it tells of."""

    __tablename__ = "outbox_message"

    topic: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    payload: Mapped[dict[str, Any]]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    not_before_at: Mapped[datetime] = mapped_column(default=utc_now)
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")


Index(
    "ix_outbox_message_waiting",
    OutboxMessage.not_before_at,
    sqlite_where=OutboxMessage.sent_at.is_(None),
    postgresql_where=OutboxMessage.sent_at.is_(None),
)


class OutboxReceipt(Identified, Created, Base):
    """What a channel answered: the log of deliveries."""

    __tablename__ = "outbox_receipt"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("outbox_message.id"), index=True)
    channel: Mapped[str]
    outcome: Mapped[str]
    detail: Mapped[str] = mapped_column(default="")


class Notice(Identified, Created, Base):
    """A message as it waits for one officer inside the system; once per message and account."""

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("message_id", "account_id"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    message_id: Mapped[UUID] = mapped_column(ForeignKey("outbox_message.id"))
    topic: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    read_at: Mapped[datetime | None]


Index("ix_notice_account_id_read_at", Notice.account_id, Notice.read_at)


class ScheduledTask(Base):
    """Work that comes back by the clock: when it ran, when it runs next, who holds it now.

    `fence` grows with each taking over, so that a worker that froze writes nothing later.
    """

    __tablename__ = "scheduled_task"

    name: Mapped[str] = mapped_column(primary_key=True)
    next_run_at: Mapped[datetime]
    last_run_at: Mapped[datetime | None]
    last_ok_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")
    holder: Mapped[str] = mapped_column(default="")
    fence: Mapped[int] = mapped_column(default=0)
    lease_until_at: Mapped[datetime | None]


class ReportSnapshot(Identified, Created, Base):
    """A statutory report frozen as it was asked: any cell can be re-asked later."""

    __tablename__ = "report_snapshot"

    form: Mapped[str]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    period: Mapped[str]
    as_of_at: Mapped[datetime] = mapped_column(default=utc_now)
    figures: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="draft")


class DailyFact(Base):
    """Cases opened and closed per day, place, field and kind: what the map adds up."""

    __tablename__ = "daily_fact"
    __table_args__ = (UniqueConstraint("on", "unit_id", "field_code", "kind"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    on: Mapped[date] = mapped_column(index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    field_code: Mapped[str]
    kind: Mapped[str]
    opened: Mapped[int] = mapped_column(default=0)
    closed: Mapped[int] = mapped_column(default=0)
    people: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class MonthlyFact(Base):
    """Daily facts added up by month, for a field with all fields below it; "" is all fields.

    Kept in step by `storage.facts`, so that the map reads one field in one short range.
    """

    __tablename__ = "monthly_fact"
    __table_args__ = {"sqlite_with_rowid": False}

    field_code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    month_on: Mapped[date] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    opened: Mapped[int] = mapped_column(default=0)
    closed: Mapped[int] = mapped_column(default=0)
    people: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
