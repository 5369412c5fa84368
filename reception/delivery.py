"""Whom a message of the outbox is for, and the worker's thread that delivers it.

Decided on the real record at the moment of delivery: whoever may not see a petition is not told
that it exists, and what somebody has taken up meanwhile needs no notice any more.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import or_, select

from reception.accounts.operations import actor_of
from reception.clock import legal_today
from storage.database import Work
from storage.models import (
    Account,
    OutboxMessage,
    Petition,
    Post,
    ReceptionSession,
    SessionPoint,
    Unit,
)
from storage.outbox import AT_ONCE, deliver_some
from storage.queries.inbox import open_transfer
from storage.subjects import petition_subject, reception_session_subject
from workflows.access import Permission, Subject, decide
from workflows.errors import Unavailable

log = logging.getLogger(__name__)
LOOK_S = 2.0
WAITS_FOR_SOMEBODY = ("RECEIVED", "AWAITING_SIGNATURE")
"""States in which a petition lies in the inbox of its unit and nobody has begun."""


def recipients(work: Work, message: OutboxMessage) -> Iterable[UUID]:
    """The accounts that a message is for; empty for a topic that concerns nobody inside."""
    if message.subject_kind == Petition.__tablename__:
        return _about_petition(work, message)
    if message.topic == "session.points_notice":
        return _about_point(work, message)
    return ()


def _about_petition(work: Work, message: OutboxMessage) -> Iterable[UUID]:
    petition = work.db_session.get(Petition, message.subject_id)
    unit = message.payload.get("unit_id")
    if petition is None or not unit:
        return ()
    if _taken_up(work, message, petition):
        return ()
    subject = petition_subject(work.db_session, petition)
    return _allowed(work, _handlers(work, petition, unit), Permission.PETITION_SEE, subject)


def _taken_up(work: Work, message: OutboxMessage, petition: Petition) -> bool:
    """Whether what the message asks for has begun already."""
    if message.topic == "petition_registered":
        return petition.assigned_to is not None or petition.state not in WAITS_FOR_SOMEBODY
    if message.topic == "petition_forwarded":
        waits = open_transfer(work.db_session, petition.id)
        return waits is None or str(waits.to_unit_id) != message.payload["unit_id"]
    return False


def _handlers(work: Work, petition: Petition, unit: str) -> Iterable[Account]:
    """The officer it was given to, else everybody of the unit."""
    if petition.assigned_to is None:
        return _officers(work, UUID(unit))
    given_to = Account.person_id == petition.assigned_to
    return work.db_session.scalars(select(Account).where(given_to, Account.active)).all()


def _about_point(work: Work, message: OutboxMessage) -> Iterable[UUID]:
    point = work.db_session.get(SessionPoint, message.subject_id)
    if point is None:
        return ()
    meeting = work.get(ReceptionSession, point.reception_session_id)
    subject = reception_session_subject(work.db_session, meeting)
    return _allowed(work, _officers(work, point.unit_id), Permission.SESSION_SEE, subject)


def _officers(work: Work, unit_id: UUID) -> Iterable[Account]:
    """Whoever holds a post today at the unit, or at a body that acts for it."""
    today = legal_today()
    here = select(Unit.id).where(or_(Unit.id == unit_id, Unit.acts_for_id == unit_id))
    posts = select(Post.account_id).where(
        Post.unit_id.in_(here),
        Post.from_on <= today,
        or_(Post.to_on.is_(None), Post.to_on >= today),
    )
    return work.db_session.scalars(
        select(Account).where(Account.id.in_(posts), Account.kind == "staff", Account.active)
    ).all()


def _allowed(
    work: Work, accounts: Iterable[Account], permission: Permission, subject: Subject
) -> list[UUID]:
    today = legal_today()
    return [
        account.id
        for account in accounts
        if decide(actor_of(work.db_session, account, today)[0], permission, subject)
    ]


def deliver_forever(stop: threading.Event) -> None:
    """The worker's thread: what was written is told within seconds."""
    while not stop.is_set():
        looked_at = 0
        try:
            looked_at = deliver_some(recipients)
        except Unavailable:
            log.warning("the database is away; messages wait")
        except Exception:
            log.exception("messages could not be delivered; it is tried again")
        if looked_at < AT_ONCE:
            stop.wait(LOOK_S)
