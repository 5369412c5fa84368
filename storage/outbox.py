"""Delivering the outbox: each message once, what fails again after a growing pause.

The one channel so far is the notice inside the system: its row, the receipt and the mark "sent"
commit together, so nothing is ever told twice. A channel to the outside writes receipts of its own
name and looks for messages without one; it needs the message's idempotency key on the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from storage.database import Work, reading, unit_of_work
from storage.models import Notice, OutboxMessage, OutboxReceipt
from storage.runtime import runtime

NOTICE = "notice"
AT_ONCE = 50
LONGEST_PAUSE = timedelta(hours=1)

Recipients = Callable[[Work, OutboxMessage], Iterable[UUID]]
"""Whose accounts a message is for, decided on the record as it is now; none is an answer too."""


def deliver_some(recipients: Recipients) -> int:
    """Deliver what is due, oldest first; returns how many messages were looked at."""
    waits = (OutboxMessage.sent_at.is_(None), OutboxMessage.not_before_at <= runtime().now())
    with reading() as work:  # an idle system takes no write lock
        if work.db_session.scalar(select(OutboxMessage.id).where(*waits).limit(1)) is None:
            return 0
    with unit_of_work() as work:
        due = work.db_session.scalars(
            select(OutboxMessage)
            .where(*waits)
            .order_by(OutboxMessage.not_before_at, OutboxMessage.id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        for message in due:
            _deliver(work, message, recipients)
        return len(due)


def _deliver(work: Work, message: OutboxMessage, recipients: Recipients) -> None:
    now = runtime().now()
    if _answered(work, message):
        message.sent_at = now
        return
    try:
        with work.db_session.begin_nested():
            told = _give_notice(work, message, set(recipients(work, message)))
    except Exception as error:  # noqa: BLE001  # one bad message must not hold up the others
        message.attempts += 1
        message.error = type(error).__name__  # never its words: they may hold what was written
        pause = timedelta(seconds=2 ** min(message.attempts, 12))
        message.not_before_at = now + min(pause, LONGEST_PAUSE)
        return
    message.attempts += 1
    message.sent_at, message.error = now, ""
    outcome = "delivered" if told else "nobody"
    work.add(
        OutboxReceipt(
            message_id=message.id, channel=NOTICE, outcome=outcome, detail=str(told) if told else ""
        )
    )


def _answered(work: Work, message: OutboxMessage) -> bool:
    found = work.db_session.scalar(
        select(OutboxReceipt.id)
        .where(OutboxReceipt.message_id == message.id, OutboxReceipt.channel == NOTICE)
        .limit(1)
    )
    return found is not None


def _give_notice(work: Work, message: OutboxMessage, accounts: set[UUID]) -> int:
    for account_id in sorted(accounts):
        work.add(
            Notice(
                account_id=account_id,
                message_id=message.id,
                topic=message.topic,
                subject_kind=message.subject_kind,
                subject_id=message.subject_id,
            )
        )
    work.flush()
    return len(accounts)
