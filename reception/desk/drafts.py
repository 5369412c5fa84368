"""Drafts of the desk: everything typed is kept on the server, sealed, until the line is written."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reception.desk.places import ensure_at
from storage.database import Work, reading, unit_of_work
from storage.identities import open_field, seal_field
from storage.models import PetitionDraft, Ticket
from storage.models.base import new_id
from storage.queries import desk as queries
from workflows.access import Actor, Permission
from workflows.errors import NotFound

LASTS = timedelta(hours=24)
LONGEST = 100_000
Words = dict[str, list[str]]


def line_key(unit_id: UUID, account_id: UUID | None, key: str) -> str:
    """What makes one intake one line, however often it is sent; nobody else can use it up."""
    return f"desk:{unit_id}:{account_id}:{key}"


def _token(unit_id: UUID, account_id: UUID | None, key: str) -> bytes:
    return hashlib.sha256(line_key(unit_id, account_id, key).encode()).digest()


def keep_draft(unit_id: UUID, words: Words, *, by: Actor, now: datetime) -> bool:
    """Keep what is typed; False when this visit already stands in the book.

    The first words about a number that was called say that somebody came: it is being served.
    """
    key = (words.get("key") or [""])[0]
    text = json.dumps(words, ensure_ascii=False)
    if not key or len(text) > LONGEST or by.account_id is None:
        raise NotFound
    with unit_of_work() as work:
        ensure_at(work, by, Permission.DESK_INTAKE, unit_id)
        if queries.visit_with_key(work.db_session, line_key(unit_id, by.account_id, key)):
            return False
        draft = _find(work.db_session, unit_id, by.account_id, key)
        if draft is None:
            _forget_expired(work, by.account_id, now)
            draft = work.add(_new(unit_id, by.account_id, key, now))
        draft.data_sealed = seal_field("petition_draft", "data", draft.id, text)
        draft.updated_at, draft.expires_at = now, now + LASTS
        _serve(work, unit_id, words, by)
    return True


def _new(unit_id: UUID, account_id: UUID, key: str, now: datetime) -> PetitionDraft:
    return PetitionDraft(
        id=new_id(),
        token_hash=_token(unit_id, account_id, key),
        account_id=account_id,
        unit_id=unit_id,
        channel="desk",
        page="intake",
        data_sealed=b"",
        updated_at=now,
        expires_at=now + LASTS,
    )


def _find(db_session: Session, unit_id: UUID, account_id: UUID, key: str) -> PetitionDraft | None:
    return db_session.scalar(
        select(PetitionDraft)
        .where(PetitionDraft.token_hash == _token(unit_id, account_id, key))
        .with_for_update()
    )


def _forget_expired(work: Work, account_id: UUID, now: datetime) -> None:
    work.db_session.execute(
        delete(PetitionDraft).where(
            PetitionDraft.account_id == account_id,
            PetitionDraft.channel == "desk",
            PetitionDraft.expires_at < now,
        )
    )


def _serve(work: Work, unit_id: UUID, words: Words, by: Actor) -> None:
    try:
        ticket_id = UUID((words.get("ticket") or [""])[0])
    except ValueError:
        return
    ticket = work.db_session.get(Ticket, ticket_id)
    if ticket and ticket.unit_id == unit_id and ticket.served_by == by.account_id:
        ticket.state = "serving" if ticket.state == "called" else ticket.state


def newest_draft(unit_id: UUID, *, by: Actor, now: datetime) -> tuple[Words, datetime] | None:
    """The unfinished visit of this officer at this desk and when it was last kept."""
    with reading() as work:
        draft = work.db_session.scalar(
            select(PetitionDraft)
            .where(
                PetitionDraft.account_id == by.account_id,
                PetitionDraft.unit_id == unit_id,
                PetitionDraft.channel == "desk",
                PetitionDraft.expires_at > now,
            )
            .order_by(PetitionDraft.updated_at.desc(), PetitionDraft.id.desc())
            .limit(1)
        )
        if draft is None:
            return None
        words = json.loads(open_field("petition_draft", "data", draft.id, draft.data_sealed))
    return words, draft.updated_at


def drop_drafts(work: Work, unit_id: UUID, account_id: UUID | None) -> None:
    """Forget what was typed at this desk by this officer: it is in the book, or was given up."""
    work.db_session.execute(
        delete(PetitionDraft).where(
            PetitionDraft.account_id == account_id,
            PetitionDraft.unit_id == unit_id,
            PetitionDraft.channel == "desk",
        )
    )


def start_over(unit_id: UUID, *, by: Actor) -> None:
    """Give up the unfinished visit."""
    with unit_of_work() as work:
        ensure_at(work, by, Permission.DESK_INTAKE, unit_id)
        drop_drafts(work, unit_id, by.account_id)
        work.audit("desk_draft_dropped", kind="unit", object_id=unit_id, by=by.account_id)
