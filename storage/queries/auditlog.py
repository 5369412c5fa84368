"""The audit log as a list: filtered by record, person, action and day; newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from storage.models import (
    Account,
    AuditLeaf,
    Case,
    Petition,
    PlaybackGrant,
    ReceptionSession,
    Recording,
)

PAGE = 50


@dataclass(frozen=True)
class LogFilter:
    """What to show. `record` is an id or a public code, `who` a log-in or part of a staff name."""

    record: str = ""
    who: str = ""
    action: str = ""
    from_at: datetime | None = None
    to_at: datetime | None = None
    before: int | None = None


@dataclass(frozen=True)
class LogLine:
    """A leaf with the name of who acted; citizens are never named here."""

    leaf: AuditLeaf
    who: str


def log_lines(db_session: Session, asked: LogFilter) -> tuple[list[LogLine], int | None]:
    """A page of the log, and the id to go on before; None at its end."""
    query = select(AuditLeaf).order_by(AuditLeaf.id.desc()).limit(PAGE + 1)
    for condition in _conditions(db_session, asked):
        query = query.where(condition)
    leaves = list(db_session.scalars(query))
    more = leaves[PAGE - 1].id if len(leaves) > PAGE else None
    leaves = leaves[:PAGE]
    names = _names(db_session, leaves)
    return [LogLine(leaf, names.get(leaf.actor_id, "")) for leaf in leaves], more


def _conditions(db_session: Session, asked: LogFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.record:
        found.append(AuditLeaf.object_id.in_(_record_ids(db_session, asked.record)))
    if asked.who:
        found.append(AuditLeaf.actor_id.in_(_account_ids(asked.who)))
    if asked.action:
        found.append(AuditLeaf.action == asked.action)
    if asked.from_at:
        found.append(AuditLeaf.at >= asked.from_at)
    if asked.to_at:
        found.append(AuditLeaf.at < asked.to_at)
    if asked.before:
        found.append(AuditLeaf.id < asked.before)
    return found


def _record_ids(db_session: Session, typed: str) -> list[UUID]:
    """The record of an id or of any public code; a recording also by its session's code."""
    try:
        return [UUID(typed.strip())]
    except ValueError:
        pass
    code = typed.strip().upper()
    ids: list[UUID] = []
    for model in (Petition, Case, Recording, ReceptionSession, PlaybackGrant):
        ids += db_session.scalars(select(model.id).where(model.code == code))
    return ids


def _account_ids(typed: str) -> ColumnElement[UUID]:
    words = typed.strip()
    named = or_(
        Account.login == words.lower(),
        Account.display_name.icontains(words, autoescape=True),
    )
    return select(Account.id).where(Account.kind == "staff", named)  # type: ignore[return-value]  # used inside IN


def _names(db_session: Session, leaves: Sequence[AuditLeaf]) -> dict[UUID | None, str]:
    ids = {leaf.actor_id for leaf in leaves if leaf.actor_id}
    rows = db_session.execute(
        select(Account.id, Account.display_name).where(Account.id.in_(ids), Account.kind == "staff")
    )
    return {key: name for key, name in rows}


def actions_known(db_session: Session) -> list[str]:
    """Every action that the newest part of the log holds, in order of name."""
    newest = select(AuditLeaf.action).order_by(AuditLeaf.id.desc()).limit(20_000).subquery()
    return sorted(db_session.scalars(select(newest.c.action).distinct()))


def waiting_for_the_tree(db_session: Session) -> tuple[int, datetime | None]:
    """How many leaves wait for the sequencer, and since when the oldest does."""
    number, oldest = db_session.execute(
        select(func.count(), func.min(AuditLeaf.at)).where(AuditLeaf.tree_index.is_(None))
    ).one()
    return int(number), oldest
