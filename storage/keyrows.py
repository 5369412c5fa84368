"""Wrapped key-encryption keys as database rows; each call commits by itself."""

from __future__ import annotations

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from storage.keyring import KekRow
from storage.models import KeyEncryptionKey
from workflows.errors import Unavailable


def _value(row: KeyEncryptionKey) -> KekRow:
    return KekRow(
        kid=row.kid,
        family=row.family,
        klass=row.klass,
        year=row.year,
        generation=row.generation,
        root_id=row.root_id,
        wrapped=row.wrapped,
    )


def _begin_writing(db_session: Session) -> None:
    try:
        db_session.connection(execution_options={"writes": True})
    except OperationalError as error:
        if "locked" not in str(error.orig):
            raise
        raise Unavailable(
            "Hệ thống đang bận ghi nên chưa tạo được khóa của năm. Chờ vài giây rồi thử lại."
        ) from error


class DatabaseKeyRows:
    """The KeyRows that `Keyring` asks for, over an engine of its own transactions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def current_kek(self, family: str, klass: str, year: int) -> KekRow | None:
        """The KEK of highest generation, living or destroyed, if any."""
        with Session(self._engine) as db_session:
            row = db_session.scalars(
                select(KeyEncryptionKey)
                .where(
                    KeyEncryptionKey.family == family,
                    KeyEncryptionKey.klass == klass,
                    KeyEncryptionKey.year == year,
                )
                .order_by(KeyEncryptionKey.generation.desc())
                .limit(1)
            ).one_or_none()
            return _value(row) if row else None

    def add_kek(self, row: KekRow) -> KekRow:
        """Keep the row and give it back, or the one another process kept just before.

        Raises Unavailable when the write lock could not be had within its time-out.
        """
        with Session(self._engine) as db_session:
            _begin_writing(db_session)
            db_session.add(
                KeyEncryptionKey(
                    kid=row.kid,
                    family=row.family,
                    klass=row.klass,
                    year=row.year,
                    generation=row.generation,
                    root_id=row.root_id,
                    wrapped=row.wrapped,
                )
            )
            try:
                db_session.commit()
            except IntegrityError:
                db_session.rollback()
                return self._twin(row)
        return row

    def _twin(self, row: KekRow) -> KekRow:
        with Session(self._engine) as db_session:
            return _value(
                db_session.scalars(
                    select(KeyEncryptionKey).where(
                        KeyEncryptionKey.family == row.family,
                        KeyEncryptionKey.klass == row.klass,
                        KeyEncryptionKey.year == row.year,
                        KeyEncryptionKey.generation == row.generation,
                    )
                ).one()
            )

    def get(self, kid: str) -> KekRow | None:
        """The row of this KEK, living or destroyed."""
        with Session(self._engine) as db_session:
            row = db_session.get(KeyEncryptionKey, kid)
            return _value(row) if row else None
