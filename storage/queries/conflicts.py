"""What is recorded about people who stand close to a case, and of whom it can be recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from storage.models import (
    Account,
    AuditLeaf,
    Case,
    CaseUnit,
    Involvement,
    Petition,
    Post,
    Unit,
)
from workflows.access import Actor, UnitPath

CONFLICT_PARTS = ("conflicted", "own_act", "identity")


@dataclass(frozen=True)
class Recorded:
    """A record about a person, with who made it and who ended it; `code` of a single letter."""

    row: Involvement
    name: str
    code: str
    recorded_by: str
    lifted_by: str


@dataclass(frozen=True)
class Candidate:
    """A member of staff whom the case can concern."""

    person_id: UUID
    name: str
    title: str
    unit: str


def recorded(db_session: Session, case: Case) -> list[Recorded]:
    """Records on the case and on its letters: those in force first, then the newest."""
    letters = {
        key: code
        for key, code in db_session.execute(
            select(Petition.id, Petition.code).where(Petition.case_id == case.id)
        )
    }
    rows = db_session.scalars(
        select(Involvement)
        .where(
            or_(Involvement.case_id == case.id, Involvement.petition_id.in_(letters)),
            Involvement.part.in_(CONFLICT_PARTS),
        )
        .order_by(Involvement.ended_at.is_not(None), Involvement.created_at.desc(), Involvement.id)
    ).all()
    names = _names(db_session, {row.person_id for row in rows})
    doers = _doers(db_session, [row.id for row in rows])
    return [
        Recorded(
            row,
            names.get(row.person_id, ""),
            letters.get(row.petition_id, "") if row.petition_id else "",
            doers.get((row.id, "involvement_recorded"), ""),
            doers.get((row.id, "involvement_lifted"), ""),
        )
        for row in rows
    ]


def _names(db_session: Session, people: set[UUID]) -> dict[UUID, str]:
    rows = db_session.execute(
        select(Account.person_id, Account.display_name)
        .where(Account.person_id.in_(people))
        .order_by(Account.created_at.desc(), Account.id)
    )
    return {person: name for person, name in rows if person is not None}


def _doers(db_session: Session, ids: list[UUID]) -> dict[tuple[Any, str], str]:
    rows = db_session.execute(
        select(AuditLeaf.object_id, AuditLeaf.action, Account.display_name)
        .join(Account, Account.id == AuditLeaf.actor_id)
        .where(AuditLeaf.object_kind == "involvement", AuditLeaf.object_id.in_(ids))
    )
    return {(key, action): name for key, action, name in rows}


def may_speak_of(
    db_session: Session, by_paths: Sequence[UnitPath], person_id: UUID | None, *, on: date
) -> bool:
    """Whether whoever sits at `by_paths` may bar this person, or undo what they recorded.

    A commune speaks of its own people alone: it can neither shut a superior out nor take back what
    a superior recorded.
    """
    if _above_communes(db_session, by_paths):
        return True
    theirs = db_session.scalars(
        select(Unit.path)
        .join(Post, Post.unit_id == Unit.id)
        .join(Account, Account.id == Post.account_id)
        .where(
            Account.person_id == person_id,
            Post.from_on <= on,
            or_(Post.to_on.is_(None), Post.to_on >= on),
        )
    ).all()
    own = tuple("/".join(path) + "/" for path in by_paths)
    return bool(theirs) and all(f"{path}/".startswith(own) for path in theirs)


def _above_communes(db_session: Session, by_paths: Sequence[UnitPath]) -> bool:
    paths = ["/".join(path) for path in by_paths]
    kinds = set(db_session.scalars(select(Unit.kind).where(Unit.path.in_(paths))))
    return bool(kinds - {"commune"})


def recorder_of(db_session: Session, involvement_id: UUID) -> UUID | None:
    """The person who recorded this row."""
    return db_session.scalar(
        select(Account.person_id)
        .join(AuditLeaf, AuditLeaf.actor_id == Account.id)
        .where(
            AuditLeaf.object_kind == "involvement",
            AuditLeaf.object_id == involvement_id,
            AuditLeaf.action == "involvement_recorded",
        )
    )


def candidates(
    db_session: Session, case: Case, *, by_paths: Sequence[UnitPath], on: date
) -> list[Candidate]:
    """Staff at a level of the case or above it of whom one may speak, by unit and name."""
    levels = select(CaseUnit.unit_id).where(CaseUnit.case_id == case.id)
    here = or_(
        Unit.id.in_(levels),
        Unit.id == case.holder_unit_id,
        Unit.acts_for_id.in_(levels),
        Unit.kind.not_in(("commune",)),
    )
    rows = db_session.execute(
        select(Account.person_id, Account.display_name, Post.title, Unit.full_name)
        .join(Post, Post.account_id == Account.id)
        .join(Unit, Unit.id == Post.unit_id)
        .where(
            Account.active,
            Account.kind == "staff",
            Account.person_id.is_not(None),
            Post.from_on <= on,
            or_(Post.to_on.is_(None), Post.to_on >= on),
            here,
        )
        .order_by(Unit.kind != "commune", Unit.full_name, Account.display_name, Account.id)
    )
    found: dict[UUID, Candidate] = {}
    for person_id, name, title, unit in rows:
        if person_id is not None:
            found.setdefault(person_id, Candidate(person_id, name, title, unit))
    if _above_communes(db_session, by_paths):
        return list(found.values())
    return [
        one for one in found.values() if may_speak_of(db_session, by_paths, one.person_id, on=on)
    ]


def side_in(
    actor: Actor,
    petition_id: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None],
    case_id: InstrumentedAttribute[UUID | None] | None = None,
) -> ColumnElement[bool]:
    """Whether this person is a side in the letter of the row, or in its case."""
    if actor.person_id is None:
        return false()
    about = [Involvement.petition_id == petition_id]
    if case_id is not None:
        about.append(Involvement.case_id == case_id)
    return exists().where(
        Involvement.part == "conflicted",
        Involvement.person_id == actor.person_id,
        Involvement.ended_at.is_(None),
        or_(*about),
    )


def sides_among(db_session: Session, actor: Actor, petition_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these letters this person is a side in, by the letter or by its case."""
    ids = set(petition_ids)
    if actor.person_id is None or not ids:
        return set()
    wanted = side_in(actor, Petition.id, Petition.case_id)
    return set(db_session.scalars(select(Petition.id).where(Petition.id.in_(ids), wanted)))
