"""Destroying a KEK, and with it for ever whatever its data keys sealed.

One person asks, another does it. Refused: while a term runs, under legal hold, for keys of open
matters and of personal fields, and for the key that still wraps. The wrapped KEK is overwritten in
the database file too; copies of it in keyring backups lapse `BACKUP_DAYS` later, and the
certificate says on which day. It works although a lock still keeps the sealed bytes in the store.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storage.audit import canonical, sign_text
from storage.database import Work, reading, unit_of_work
from storage.keyring import CACHE_S, Family
from storage.models import Account, KeyDestruction, KeyEncryptionKey
from storage.objects import Bucket
from storage.retention import LOCAL, PERMANENT, Term, held_under
from storage.runtime import runtime
from storage.sealed import OPEN_CLASS
from storage.wrapped import count_under, kek_rows
from workflows.errors import DomainError, NotFound

BACKUP_DAYS = 35
"""Keyring backups are kept no longer than this."""
CERTIFICATE_LOCK = timedelta(days=3650)
ORIGIN = "tiep-cong-dan/destruction"
_FIELD_FAMILIES = (Family.PERSONAL, Family.INDEX)


class DestructionRefused(DomainError):
    """This KEK may not be destroyed, or not now, or not by this person."""


def ask(work: Work, kid: str, *, reason: str, by: UUID, today: date) -> KeyDestruction:
    """The first person's part. Raises DestructionRefused, NotFound."""
    ensure_destroyable(work.db_session, kid, today)
    if open_request(work.db_session, kid) is not None:
        raise DestructionRefused("Khóa này đã có đề nghị hủy đang chờ người thứ hai.")
    if not reason.strip():
        raise DestructionRefused("Ghi lý do và số văn bản phê duyệt tiêu hủy.")
    asked = work.add(KeyDestruction(kid=kid, reason=reason.strip(), asked_by=by))
    work.audit("key_destruction_asked", asked, by=by, kid=kid)
    return asked


def withdraw(work: Work, kid: str, *, by: UUID) -> None:
    """Take an open request back. Raises NotFound."""
    asked = open_request(work.db_session, kid)
    if asked is None:
        raise NotFound
    asked.state = "withdrawn"
    work.audit("key_destruction_withdrawn", asked, by=by, kid=kid)


def open_request(db_session: Session, kid: str) -> KeyDestruction | None:
    """The request that waits for a second person."""
    return db_session.scalar(
        select(KeyDestruction).where(KeyDestruction.kid == kid, KeyDestruction.state == "asked")
    )


def destroy(kid: str, *, by: UUID, today: date) -> KeyDestruction:
    """The second person's part: nothing opens what hung on this KEK any more.

    Raises DestructionRefused, NotFound. Afterwards `certify` writes the certificate to the store.
    """
    with unit_of_work() as work:
        row = work.get_for_update(KeyEncryptionKey, kid)
        asked = open_request(work.db_session, kid)
        if asked is None:
            raise NotFound
        if not _are_two_people(work.db_session, asked.asked_by, by):
            raise DestructionRefused("Người thứ hai phải khác người đề nghị hủy khóa.")
        ensure_destroyable(work.db_session, kid, today)
        now = runtime().now()
        asked.state, asked.decided_by, asked.decided_at = "done", by, now
        asked.unreadable = dict(count_under(work.db_session, [kid]))
        _overwrite_what_is_freed(work.db_session)
        asked.last_copy_lapses_on = now.astimezone(LOCAL).date() + timedelta(days=BACKUP_DAYS)
        row.wrapped, row.destroyed_at = None, now
        work.audit("key_destroyed", asked, by=by, kid=kid, unreadable=asked.unreadable)
    runtime().keyring.forget()
    scrub()
    return asked


def _are_two_people(db_session: Session, first: UUID, second: UUID) -> bool:
    """Different accounts, and not of one person."""
    people = [db_session.get_one(Account, account).person_id for account in (first, second)]
    return first != second and (people[0] is None or people[0] != people[1])


def _overwrite_what_is_freed(db_session: Session) -> None:
    connection = db_session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def scrub() -> None:
    """Leave no old copy of a wrapped KEK in the database's own files.

    SQLite overwrites what it frees (`secure_delete`) and its log is emptied; PostgreSQL gives the
    dead row's room back for overwriting. Copies made outside, backups above all, lapse later.
    """
    engine = runtime().engine
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    if engine.dialect.name != "sqlite":
        with autocommit.connect() as connection:
            connection.execute(text("VACUUM key_encryption_key"))
        return
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()


def due(db_session: Session, today: date) -> list[KeyEncryptionKey]:
    """KEKs that may be destroyed because their term ended: a proposal, carried out by nobody.

    Source: Luật Lưu trữ 33/2024/QH15: destruction is decided by people, never automatic.
    """
    return [
        row
        for row in kek_rows(db_session)
        if Term(row.klass, row.year).last_day is not None
        and not _why_not(db_session, row, today)
        and count_under(db_session, [row.kid])
    ]


# --- what forbids it -----------------------------------------------------------------------------


def ensure_destroyable(db_session: Session, kid: str, today: date) -> None:
    """Raises DestructionRefused with the first reason against it, NotFound for an unknown key."""
    row = db_session.get(KeyEncryptionKey, kid)
    if row is None:
        raise NotFound
    reason = _why_not(db_session, row, today)
    if reason:
        raise DestructionRefused(reason)


def _why_not(db_session: Session, row: KeyEncryptionKey, today: date) -> str:
    """The first reason against destroying this KEK; empty when there is none."""
    return (
        _state_against(db_session, row)
        or _hold_against(db_session, row)
        or _term_against(db_session, row, today)
    )


def _state_against(db_session: Session, row: KeyEncryptionKey) -> str:
    if row.wrapped is None:
        return "Khóa này đã hủy rồi; xem giấy chứng nhận tiêu hủy."
    if row.family in _FIELD_FAMILIES:
        return "Khóa của dữ liệu cá nhân và chỉ mục không hủy theo lớp: nhiều bảng còn dùng."
    newer = db_session.scalar(
        select(KeyEncryptionKey.created_at).where(
            KeyEncryptionKey.family == row.family,
            KeyEncryptionKey.klass == row.klass,
            KeyEncryptionKey.year == row.year,
            KeyEncryptionKey.generation == row.generation + 1,
        )
    )
    now = runtime().now()
    if newer is None and row.year >= now.astimezone(LOCAL).year:
        return "Khóa này đang dùng để bọc khóa mới. Đổi khóa trước: flask keys rotate."
    if newer is not None and newer > now - timedelta(seconds=2 * CACHE_S):
        return "Khóa mới vừa thay; chờ hai phút để mọi tiến trình thôi dùng khóa cũ."
    return ""


def _hold_against(db_session: Session, row: KeyEncryptionKey) -> str:
    held = held_under(db_session, row.kid)
    if not held:
        return ""
    return (
        f"Còn {len(held)} bản ghi đang bị giữ theo yêu cầu pháp lý dưới khóa này "
        f"({', '.join(held[:5])}). Bọc lại khóa của chúng trước: flask keys hold MÃ-BẢN-GHI."
    )


def _term_against(db_session: Session, row: KeyEncryptionKey, today: date) -> str:
    if not count_under(db_session, [row.kid]):
        return ""
    term = Term(row.klass, row.year)
    if row.klass in (OPEN_CLASS, PERMANENT) or term.last_day is None:
        return "Dưới khóa này còn hồ sơ chưa kết thúc, bị giữ hoặc lưu vĩnh viễn."
    if today <= term.last_day:
        return f"Hồ sơ dưới khóa này còn phải lưu đến hết ngày {term.last_day:%d/%m/%Y}."
    return ""


# --- certificate ---------------------------------------------------------------------------------


def certify(destruction_id: UUID, key: Ed25519PrivateKey) -> KeyDestruction:
    """Sign the certificate and lock it in the audit bucket; safe to run twice."""
    with reading() as work:
        done = work.get(KeyDestruction, destruction_id)
        body = _certificate(work.db_session, done)
    if done.version_id:
        return done
    note = done.note or sign_text(ORIGIN, canonical(body), key)
    store = runtime().store
    name = f"destructions/{done.kid}.txt"
    info = store.put(Bucket.AUDIT, name, note.encode())
    store.lock(Bucket.AUDIT, name, info.version_id, runtime().now() + CERTIFICATE_LOCK)
    with unit_of_work() as work:
        kept = work.get_for_update(KeyDestruction, destruction_id)
        kept.note, kept.name, kept.version_id = note, name, info.version_id
    return kept


def _certificate(db_session: Session, done: KeyDestruction) -> dict[str, Any]:
    row = db_session.get_one(KeyEncryptionKey, done.kid)
    return {
        "what": "certificate of destruction of a key-encryption key",
        "kid": row.kid,
        "family": row.family,
        "class": row.klass,
        "year": row.year,
        "unreadable": done.unreadable,
        "reason": done.reason,
        "asked_by": _login(db_session, done.asked_by),
        "asked_at": done.created_at,
        "done_by": _login(db_session, done.decided_by),
        "destroyed_at": _instant(done.decided_at),
        "last_backup_copy_lapses_on": done.last_copy_lapses_on,
        "how": "the wrapped key was overwritten; sealed objects may stay and are unreadable",
    }


def _login(db_session: Session, account_id: UUID | None) -> str:
    return "" if account_id is None else db_session.get_one(Account, account_id).login or ""


def _instant(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds")
