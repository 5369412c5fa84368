"""What an officer does with notices: look, open one, put all away."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import update

from storage.database import reading, unit_of_work
from storage.models import Notice
from storage.queries.notices import NoticeLine, own_notices, unread_count
from storage.runtime import runtime
from workflows.access import Actor
from workflows.errors import NotFound


def _account(actor: Actor) -> UUID:
    if actor.account_id is None:
        raise NotFound
    return actor.account_id


def notices_of(actor: Actor) -> tuple[Sequence[NoticeLine], int]:
    """One's own newest notices and how many are unread."""
    account_id = _account(actor)
    with reading() as work:
        return own_notices(work.db_session, account_id), unread_count(work.db_session, account_id)


def waiting_for(actor: Actor) -> int:
    """How many notices this person has not read; none for a visitor."""
    if actor.account_id is None:
        return 0
    with reading() as work:
        return unread_count(work.db_session, actor.account_id)


def mark_read(actor: Actor, notice_id: UUID | None = None) -> None:
    """Put one notice away, or all of one's own; another's is left alone."""
    own = Notice.account_id == _account(actor)
    which = own if notice_id is None else own & (Notice.id == notice_id)
    with unit_of_work() as work:
        work.db_session.execute(
            update(Notice).where(which, Notice.read_at.is_(None)).values(read_at=runtime().now())
        )
