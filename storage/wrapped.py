"""Every row that keeps a wrapped data key, and moving such keys from one KEK to another.

Moving a key opens and wraps it anew; the sealed bytes in the store never change. A move writes
only where the row still holds what was read, so it may be broken off and begun again at any time,
and several may run at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, bindparam, func, select, update
from sqlalchemy.orm import Session

from storage.database import reading, unit_of_work
from storage.keyring import KekRow, KeyContext, Keyring, WrappedKey
from storage.models import (
    DenouncerIdentity,
    DenunciationVault,
    KeyEncryptionKey,
    SealedObject,
    Segment,
)
from storage.models.base import Base
from storage.recordings import segment_key_context
from storage.runtime import runtime

BATCH = 500
Progress = Callable[[int, int], None]


def _silent(done: int, total: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True)
class Place:
    """Where a KEK stands: family, retention class and year."""

    family: str
    klass: str
    year: int


@dataclass(frozen=True)
class Holder:
    """A table whose rows keep a data key; `told_by` is the column that names what it is for."""

    table: Table
    told_by: str
    context: Callable[[UUID, Any], KeyContext]

    @property
    def column(self) -> ColumnElement[str]:
        """The column with the id of the KEK."""
        return self.table.c.kid


def _table(model: type[Base]) -> Table:
    assert isinstance(model.__table__, Table)  # noqa: S101 - every record is a table
    return model.__table__


SEALED_OBJECTS = Holder(
    _table(SealedObject),
    "associated_data",
    lambda row_id, told: KeyContext(str(told).split("|")[2], str(row_id)),
)
SEGMENTS = Holder(_table(Segment), "id", lambda row_id, _told: segment_key_context(row_id))
VAULTS = Holder(
    _table(DenunciationVault),
    "petition_id",
    lambda _row, told: KeyContext("denunciation", str(told)),
)
DENOUNCERS = Holder(
    _table(DenouncerIdentity), "petition_id", lambda _row, told: KeyContext("denouncer", str(told))
)
HOLDERS = (SEALED_OBJECTS, SEGMENTS, VAULTS, DENOUNCERS)


@dataclass(frozen=True)
class HeldKey:
    """One row's data key, as it was read."""

    row_id: UUID
    wrapped: WrappedKey
    context: KeyContext


def count_under(db_session: Session, kids: Sequence[str]) -> dict[str, int]:
    """How many data keys hang on these KEKs, by table; tables with none are left out."""
    counts = {
        holder.table.name: db_session.scalar(
            select(func.count()).select_from(holder.table).where(holder.column.in_(kids))
        )
        for holder in HOLDERS
    }
    return {name: int(count) for name, count in counts.items() if count}


def kek_rows(db_session: Session) -> list[KeyEncryptionKey]:
    """Every KEK, by place and generation."""
    return list(
        db_session.scalars(
            select(KeyEncryptionKey).order_by(
                KeyEncryptionKey.family,
                KeyEncryptionKey.klass,
                KeyEncryptionKey.year,
                KeyEncryptionKey.generation,
            )
        )
    )


def held_keys(db_session: Session, holder: Holder, *where: ColumnElement[bool]) -> list[HeldKey]:
    """The data keys of these rows, in order of id."""
    table = holder.table
    rows = db_session.execute(
        select(table.c.id, table.c.kid, table.c.wrapped_key, table.c[holder.told_by])
        .where(*where)
        .order_by(table.c.id)
    )
    return [
        HeldKey(row_id, WrappedKey(kid, blob), holder.context(row_id, told))
        for row_id, kid, blob, told in rows
    ]


def _batches(holder: Holder, kids: Sequence[str]) -> Iterator[list[HeldKey]]:
    """All keys under these KEKs, some at a time; each row is met once, moved or not."""
    last: UUID | None = None
    while True:
        after = () if last is None else (holder.table.c.id > last,)
        with reading() as work:
            found = _first(work.db_session, holder, holder.column.in_(kids), *after)
        if not found:
            return
        yield found
        last = found[-1].row_id


def _first(db_session: Session, holder: Holder, *where: ColumnElement[bool]) -> list[HeldKey]:
    ids = select(holder.table.c.id).where(*where).order_by(holder.table.c.id).limit(BATCH)
    chosen = db_session.scalars(ids).all()
    return held_keys(db_session, holder, holder.table.c.id.in_(chosen)) if chosen else []


def move_keys(holder: Holder, keys: Sequence[HeldKey], place: Place) -> None:
    """Put these keys under the current KEK of a place, in one short transaction."""
    ring = runtime().keyring
    ring.prepare(place.family, place.klass, place.year)
    fresh = [
        ring.rewrap(
            key.wrapped, key.context, family=place.family, klass=place.klass, year=place.year
        )
        for key in keys
    ]
    moved = [
        {
            "row": key.row_id,
            "old_kid": key.wrapped.kid,
            "old_blob": key.wrapped.blob,
            "new_kid": new.kid,
            "new_blob": new.blob,
        }
        for key, new in zip(keys, fresh, strict=True)
        if key.wrapped.kid != new.kid
    ]
    if moved:
        with unit_of_work() as work:
            work.db_session.connection().execute(_move(holder.table), moved)


def _move(table: Table) -> Any:
    return (
        update(table)
        .where(
            table.c.id == bindparam("row"),
            table.c.kid == bindparam("old_kid"),
            table.c.wrapped_key == bindparam("old_blob"),
        )
        .values(kid=bindparam("new_kid"), wrapped_key=bindparam("new_blob"))
    )


# --- rotation ------------------------------------------------------------------------------------


@dataclass
class Rotation:
    """What a rotation did: new KEKs by id, data keys moved, and whether it took up an old one."""

    resumed: bool = False
    new: list[str] = field(default_factory=list)
    moved: int = 0


def stale_keks(db_session: Session) -> dict[str, Place]:
    """Living KEKs that are no longer current and still carry data keys: a rotation broken off."""
    places: dict[Place, list[KeyEncryptionKey]] = {}
    for row in kek_rows(db_session):
        if row.wrapped is not None:
            places.setdefault(Place(row.family, row.klass, row.year), []).append(row)
    old = {row.kid: place for place, rows in places.items() for row in rows[:-1]}
    used = {kid for holder in HOLDERS for kid in _used(db_session, holder, list(old))}
    return {kid: place for kid, place in old.items() if kid in used}


def _used(db_session: Session, holder: Holder, kids: Sequence[str]) -> set[str]:
    return set(db_session.scalars(select(holder.column).where(holder.column.in_(kids)).distinct()))


def rotate(progress: Progress = _silent) -> Rotation:
    """New KEKs for every place that carries data keys, and every data key under them.

    When one was broken off before, that one is finished and no new one begun. Personal fields
    and blind indexes keep their KEKs: they are not wrapped keys.
    """
    with reading() as work:
        stale = stale_keks(work.db_session)
        used = {kid for holder in HOLDERS for kid in _all_used(work.db_session, holder)}
        current = {row.kid: row for row in kek_rows(work.db_session) if row.kid in used}
    done = Rotation(resumed=bool(stale))
    if not stale:
        stale = {
            kid: Place(row.family, row.klass, row.year)
            for kid, row in current.items()
            if row.wrapped is not None
        }
        done.new = _new_generations(set(stale.values()))
    _move_all(stale, done, progress)
    with unit_of_work() as work:
        work.audit(
            "keys_rotated",
            kind="key_encryption_key",
            by=None,
            new=done.new,
            moved=done.moved,
            resumed=done.resumed,
        )
    return done


def _all_used(db_session: Session, holder: Holder) -> set[str]:
    return set(db_session.scalars(select(holder.column).distinct()))


def _new_generations(places: set[Place]) -> list[str]:
    ring = runtime().keyring
    ordered = sorted(places, key=lambda place: (place.family, place.klass, place.year))
    made = [ring.rotate(place.family, place.klass, place.year) for place in ordered]
    with unit_of_work() as work:
        work.audit("keys_rotation_begun", kind="key_encryption_key", by=None, new=made)
    return made


def _move_all(stale: dict[str, Place], done: Rotation, progress: Progress) -> None:
    with reading() as work:
        total = sum(count_under(work.db_session, list(stale)).values())
    progress(0, total)
    for holder in HOLDERS:
        for batch in _batches(holder, list(stale)):
            for place in {stale[key.wrapped.kid] for key in batch}:
                move_keys(holder, [key for key in batch if stale[key.wrapped.kid] == place], place)
            done.moved += len(batch)
            progress(min(done.moved, total), total)


def rewrap_keks(ring: Keyring, progress: Progress = _silent) -> int:
    """Put every living KEK under the current root key; how many were not yet.

    May be broken off and begun again. `ring` knows the old root key and the new one.
    """
    with reading() as work:
        rows = [
            KekRow(
                row.kid, row.family, row.klass, row.year, row.generation, row.root_id, row.wrapped
            )
            for row in kek_rows(work.db_session)
            if row.wrapped is not None and row.root_id != ring.root_id
        ]
    for done, row in enumerate(rows):
        moved = ring.rewrapped_kek(row)
        with unit_of_work() as work:
            kept = work.get_for_update(KeyEncryptionKey, row.kid)
            if kept.wrapped == row.wrapped:
                kept.root_id, kept.wrapped = moved.root_id, moved.wrapped
        progress(done + 1, len(rows))
    return len(rows)
