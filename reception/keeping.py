"""What the system does for its evidence by itself: checkpoints, locks and classes that follow.

Everything here may run any number of times, in any number of workers at once.
"""

from __future__ import annotations

import logging

from reception.clock import legal_today
from storage.audit import AuditBroken
from storage.checkpoints import (
    checkpoint_if_due,
    compare_with_outside,
    deposit_waiting,
    outside_notes,
)
from storage.database import reading
from storage.objects import StoreUnavailable
from storage.retention import extend_open_locks, settle_petition_keys, settle_recordings
from storage.runtime import runtime

log = logging.getLogger(__name__)


def compare_at_start() -> bool:
    """Hold the log against the newest checkpoint outside the database; False is an alarm.

    A database that was set back or rewritten is told loudly, and stands on the health page; the
    system goes on, because people wait and what is recorded must be sealed.
    """
    try:
        notes = outside_notes(newest_only=True)
        with reading() as work:
            compare_with_outside(work.db_session, notes)
    except AuditBroken as broken:
        log.critical("audit log does not agree with locked storage: %s", broken.message)
        return False
    except StoreUnavailable:
        log.warning("the store does not answer; the audit log was not compared")
    return True


def keep_checkpoints() -> None:
    """A checkpoint each hour in which something happened; late time-stamps are asked for again."""
    checkpoint_if_due()
    deposit_waiting()


def keep_classes() -> None:
    """Keys and locks follow their matters; locks of what has no end yet are extended."""
    today = legal_today()
    settle_recordings(today)
    settle_petition_keys(today)
    extend_open_locks(runtime().now())
