"""What an administrator does with keys: hold a recording, ask for a destruction, carry it out."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from storage import shredding
from storage.checkpoints import signing_key
from storage.database import reading, unit_of_work
from storage.models import KeyDestruction, Recording
from storage.retention import hold_recording
from workflows.access import Actor, Permission, ensure_allowed
from workflows.errors import NotFound


def ask_for_destruction(by: Actor, kid: str, *, reason: str, today: date) -> KeyDestruction:
    """The first of two people asks that a KEK be destroyed."""
    ensure_allowed(by, Permission.KEYS_MANAGE)
    with unit_of_work() as work:
        return shredding.ask(work, kid, reason=reason, by=_account(by), today=today)


def withdraw_request(by: Actor, kid: str) -> None:
    """Take an open request back."""
    ensure_allowed(by, Permission.KEYS_MANAGE)
    with unit_of_work() as work:
        shredding.withdraw(work, kid, by=_account(by))


def carry_out_destruction(by: Actor, kid: str, *, today: date) -> KeyDestruction:
    """The second person destroys the KEK; the signed certificate goes to locked storage."""
    ensure_allowed(by, Permission.KEYS_MANAGE)
    done = shredding.destroy(kid, by=_account(by), today=today)
    return shredding.certify(done.id, signing_key())


def destruction_waiting(kid: str) -> KeyDestruction | None:
    """The request that waits for a second person."""
    with reading() as work:
        return shredding.open_request(work.db_session, kid)


def hold(by: Actor, code: str, *, on: bool, reason: str) -> None:
    """Put a recording under legal hold, or lift it. Raises NotFound."""
    ensure_allowed(by, Permission.KEYS_MANAGE)
    with reading() as work:
        found = work.db_session.scalar(select(Recording.id).where(Recording.code == code.upper()))
    if found is None:
        raise NotFound
    hold_recording(found, on=on, reason=reason, by=_account(by))


def _account(by: Actor) -> UUID:
    if by.account_id is None:
        raise NotFound
    return by.account_id
