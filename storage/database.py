"""The database: one engine, one unit of work for everything that is written.

Writing units of work take the write lock at once on SQLite (BEGIN IMMEDIATE), so a reader
never has to upgrade and fail; reads are deferred. No network, file or cipher work on big data
belongs inside one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from storage.audit import make_leaf
from storage.jobs import enqueue
from storage.models.base import Base, new_id
from storage.models.ledger import OutboxMessage
from storage.runtime import runtime
from workflows.errors import Conflict, NotFound, Unavailable

_Record = TypeVar("_Record", bound=Base)

db = SQLAlchemy(model_class=Base)

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
)


def engine_options(url: str) -> dict[str, Any]:
    """Options of the engine for `url`: time-outs that let nobody wait for ever.

    Values of a statement stay out of its error message: they are people's words.
    """
    if url.startswith("sqlite"):
        return {
            "hide_parameters": True,
            "connect_args": {"timeout": 5, "check_same_thread": False},
        }
    return {
        "hide_parameters": True,
        "pool_pre_ping": True,
        "pool_size": 10,
        "max_overflow": 10,
        "connect_args": {
            "connect_timeout": 5,
            "options": "-c idle_in_transaction_session_timeout=15s -c timezone=UTC -c jit=off",
        },
    }


def prepare_engine(engine: Engine) -> Engine:
    """Make SQLite behave: own BEGIN, foreign keys, WAL. PostgreSQL needs nothing."""
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine, "connect")
    def _connect(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None
        for pragma in _SQLITE_PRAGMAS:
            dbapi_connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


class Work:
    """One unit of work: a database session and what every business change brings with it."""

    def __init__(self, db_session: Session) -> None:
        self.db_session = db_session

    def add(self, record: _Record) -> _Record:
        """Put a new record in; its id is known at once."""
        if getattr(record, "id", ...) is None:
            record.id = new_id()  # type: ignore[attr-defined]  # every Identified has it
        self.db_session.add(record)
        return record

    def get(self, model: type[_Record], key: object) -> _Record:
        """The record with this key. Raises NotFound."""
        record = self.db_session.get(model, key)
        if record is None:
            raise NotFound()
        return record

    def get_for_update(self, model: type[_Record], key: object) -> _Record:
        """The record, locked until the unit of work ends. Raises NotFound."""
        record = self.db_session.get(model, key, with_for_update=True, populate_existing=True)
        if record is None:
            raise NotFound()
        return record

    def flush(self) -> None:
        """Send what is pending, so that constraints speak now."""
        self.db_session.flush()

    def audit(
        self,
        action: str,
        record: Base | None = None,
        *,
        by: UUID | None,
        kind: str = "",
        object_id: UUID | None = None,
        **detail: object,
    ) -> None:
        """Write the audit leaf of this change; it commits with the change or not at all."""
        if record is not None:
            self.db_session.flush()
            kind, object_id = record.__tablename__, getattr(record, "id", None)
        self.db_session.add(
            make_leaf(
                action,
                object_kind=kind,
                object_id=object_id,
                actor_id=by,
                at=runtime().now(),
                detail=detail,
            )
        )

    def enqueue(
        self,
        kind: str,
        payload: dict[str, Any],
        *,
        by: UUID | None = None,
        dedupe: str | None = None,
    ) -> None:
        """Put a job into the table within this transaction; the payload holds ids only."""
        enqueue(self.db_session, kind, payload, asked_by=by, dedupe_key=dedupe)

    def tell(
        self, topic: str, record: Base, payload: dict[str, Any], *, key: str | None = None
    ) -> None:
        """Put a message to the outside into the outbox within this transaction."""
        self.db_session.flush()
        subject_id: UUID = record.id  # type: ignore[attr-defined]  # only Identified records
        self.db_session.add(
            OutboxMessage(
                topic=topic,
                subject_kind=record.__tablename__,
                subject_id=subject_id,
                payload=payload,
                idempotency_key=key or f"{topic}:{new_id()}",
            )
        )


@contextmanager
def unit_of_work() -> Iterator[Work]:
    """A writing transaction: commits at the end, rolls back on any error.

    Raises Conflict when somebody else changed the same record meanwhile, Unavailable when the
    write lock could not be had within its time-out.
    """
    # A new year's key is made in a transaction of its own, before the write lock is taken.
    runtime().fields.prepare()
    with Session(runtime().engine, expire_on_commit=False) as db_session:
        try:
            db_session.connection(execution_options={"writes": True})
            yield Work(db_session)
            db_session.commit()
        except StaleDataError as error:
            raise Conflict() from error
        except OperationalError as error:
            if "locked" not in str(error.orig):
                raise
            raise Unavailable(
                "Hệ thống đang bận ghi. Chưa có gì bị mất, chờ vài giây rồi bấm lại."
            ) from error


@contextmanager
def reading() -> Iterator[Work]:
    """A reading transaction: whatever it holds is rolled back at the end."""
    with Session(runtime().engine, expire_on_commit=False) as db_session:
        yield Work(db_session)
        # What was read stays readable; a rollback would empty it.
        db_session.expunge_all()
        db_session.rollback()


def is_duplicate(error: IntegrityError, column: str) -> bool:
    """Whether a unique rule on `column` was broken: a retry or a double click."""
    text = str(error.orig)
    return column in text and ("UNIQUE" in text or "unique" in text)
