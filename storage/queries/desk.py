"""Reads of the desk: whose desk, the queue, the repeat visitor's history, the book, the post."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from storage.models import (
    Account,
    Attachment,
    CaseUnit,
    Field,
    IssuedDocument,
    LegalRule,
    Person,
    Petition,
    PetitionIdentifier,
    Ticket,
    Unit,
    Visit,
)
from storage.queries.conflicts import side_in
from workflows.access import Actor, Permission, Reach, UnitPath, reach
from workflows.duplicates import Identifier, IdentifierKind
from workflows.secrecy import Secrecy

PAGE = 50
HISTORY = 12
COMPARABLE = (
    IdentifierKind.DECISION,
    IdentifierKind.DAY,
    IdentifierKind.PLOT,
    IdentifierKind.MONEY,
)
"""Kinds of identifiers whose kept value reads as it was written."""


def _paths(paths: Iterable[UnitPath]) -> list[str]:
    return ["/".join(path) for path in paths]


# --- whose desk ----------------------------------------------------------------------------------


def own_units(db_session: Session, *, visible_to: Actor, permission: Permission) -> list[Unit]:
    """Units at whose desk this person works, in the order of the posts."""
    reachable = reach(visible_to, permission).units
    paths = [path for path in visible_to.unit_paths if path in reachable]
    found = db_session.scalars(select(Unit).where(Unit.path.in_(_paths(paths)))).all()
    return sorted(found, key=lambda unit: _paths(paths).index(unit.path))


def unit_with_code(db_session: Session, code: str) -> Unit | None:
    """Today's unit with this code: what the public number board is asked for."""
    return db_session.scalar(select(Unit).where(Unit.code == code, Unit.valid_to_on.is_(None)))


def fields(db_session: Session, on: date) -> list[Field]:
    """Fields of matters in force on a day, in the order of the tree."""
    return list(
        db_session.scalars(
            select(Field)
            .where(
                Field.valid_from_on <= on,
                or_(Field.valid_to_on.is_(None), Field.valid_to_on >= on),
            )
            .order_by(Field.position)
        )
    )


def rules_in_force(db_session: Session, prefix: str, on: date) -> list[LegalRule]:
    """Rules whose code is `prefix`, or begins with it and a dot, on a day."""
    return list(
        db_session.scalars(
            select(LegalRule)
            .where(
                or_(LegalRule.code == prefix, LegalRule.code.startswith(f"{prefix}.")),
                LegalRule.effective_from_on <= on,
                or_(LegalRule.effective_to_on.is_(None), LegalRule.effective_to_on >= on),
            )
            .order_by(LegalRule.source, LegalRule.code)
        )
    )


# --- the queue -----------------------------------------------------------------------------------


def tickets_of(db_session: Session, unit_id: UUID, on: date) -> list[Ticket]:
    """Every number of a unit's day in the order in which it was given."""
    return list(
        db_session.scalars(
            select(Ticket).where(Ticket.unit_id == unit_id, Ticket.on == on).order_by(Ticket.number)
        )
    )


def highest_number(db_session: Session, unit_id: UUID, on: date) -> int:
    """The last number given out on a day; 0 before the first."""
    found = db_session.scalar(
        select(func.max(Ticket.number)).where(Ticket.unit_id == unit_id, Ticket.on == on)
    )
    return found or 0


def next_waiting(db_session: Session, unit_id: UUID, on: date) -> Ticket | None:
    """Who is called next: priority first, then the order of arrival."""
    return db_session.scalar(
        select(Ticket)
        .where(Ticket.unit_id == unit_id, Ticket.on == on, Ticket.state == "waiting")
        .order_by(Ticket.priority.desc(), Ticket.number)
        .limit(1)
    )


def ticket_at_desk(db_session: Session, unit_id: UUID, on: date, account_id: UUID) -> Ticket | None:
    """The number that stands at this officer's desk now."""
    return db_session.scalar(
        select(Ticket)
        .where(
            Ticket.unit_id == unit_id,
            Ticket.on == on,
            Ticket.served_by == account_id,
            Ticket.state.in_(("called", "serving")),
        )
        .order_by(Ticket.called_at.desc())
        .limit(1)
    )


# --- the book ------------------------------------------------------------------------------------


def newest_edition() -> ColumnElement[bool]:
    """Only the edition of a line that no later one corrects."""
    newer = aliased(Visit)
    return ~exists().where(
        newer.unit_id == Visit.unit_id,
        newer.book_year == Visit.book_year,
        newer.number == Visit.number,
        newer.edition > Visit.edition,
    )


def last_line(db_session: Session, unit_id: UUID, year: int) -> int:
    """Number of the last line of a unit's book of a year; 0 for an empty book."""
    found = db_session.scalar(
        select(func.max(Visit.number)).where(Visit.unit_id == unit_id, Visit.book_year == year)
    )
    return found or 0


def _in_book(
    visible_to: Actor, unit_id: UUID, first: date, last: date
) -> list[ColumnElement[bool]]:
    readable = _paths(reach(visible_to, Permission.BOOK_SEE).units)
    return [
        Visit.unit_id == unit_id,
        Visit.unit_id.in_(select(Unit.id).where(Unit.path.in_(readable))),
        Visit.on >= first,
        Visit.on <= last,
        newest_edition(),
    ]


def book_lines(
    db_session: Session,
    *,
    visible_to: Actor,
    unit_id: UUID,
    first: date,
    last: date,
    limit: int | None = PAGE,
    offset: int = 0,
) -> Sequence[Visit]:
    """Lines of a period in the order of the book, each in its newest edition."""
    return db_session.scalars(
        select(Visit)
        .where(*_in_book(visible_to, unit_id, first, last))
        .order_by(Visit.book_year, Visit.number)
        .limit(limit)
        .offset(offset)
    ).all()


@dataclass(frozen=True)
class Counts:
    """What the book of a period adds up to; nothing of it is ever typed."""

    visits: int
    people: int
    petitions: int
    oral: int
    refused: int
    papers: int
    groups: int


def count_lines(
    db_session: Session, *, visible_to: Actor, unit_id: UUID, first: date, last: date, large: int
) -> Counts:
    """Visits, people and outcomes of a period; `large` people make a large group."""

    def outcome(word: str) -> ColumnElement[int]:
        return func.count().filter(Visit.outcome == word)

    row = db_session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(Visit.people), 0),
            outcome("petition"),
            outcome("oral_guidance"),
            outcome("refused"),
            outcome("papers_received"),
            func.count().filter(Visit.people >= large),
        ).where(*_in_book(visible_to, unit_id, first, last))
    ).one()
    return Counts(*(int(value) for value in row))


def editions_of(db_session: Session, visit: Visit) -> list[Visit]:
    """Every edition of a line, the first one first."""
    return list(
        db_session.scalars(
            select(Visit)
            .where(
                Visit.unit_id == visit.unit_id,
                Visit.book_year == visit.book_year,
                Visit.number == visit.number,
            )
            .order_by(Visit.edition)
        )
    )


def visit_with_key(db_session: Session, key: str) -> Visit | None:
    """The line that this idempotency key has already written."""
    return db_session.scalar(select(Visit).where(Visit.idempotency_key == key))


def petitions_by_id(db_session: Session, ids: Iterable[UUID | None]) -> dict[UUID, Petition]:
    """Petitions that lines of the book point at."""
    wanted = {found for found in ids if found is not None}
    if not wanted:
        return {}
    rows = db_session.scalars(select(Petition).where(Petition.id.in_(wanted)))
    return {row.id: row for row in rows}


def account_names(db_session: Session, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Names of officers; staff names are public."""
    wanted = {found for found in ids if found is not None}
    if not wanted:
        return {}
    rows = db_session.execute(
        select(Account.id, Account.display_name).where(Account.id.in_(wanted))
    ).all()
    return {row[0]: row[1] for row in rows}


def documents_of_visits(db_session: Session, ids: Iterable[UUID]) -> list[IssuedDocument]:
    """Receipts and notices that hang on lines of the book."""
    return list(
        db_session.scalars(
            select(IssuedDocument)
            .where(IssuedDocument.visit_id.in_(list(ids)))
            .order_by(IssuedDocument.created_at, IssuedDocument.id)
        )
    )


def notices_to_send(db_session: Session, unit_id: UUID) -> list[tuple[IssuedDocument, Visit]]:
    """Refusal notices that were drafted at this desk and have not gone out yet, oldest first."""
    rows = db_session.execute(
        select(IssuedDocument, Visit)
        .join(Visit, Visit.id == IssuedDocument.visit_id)
        .where(
            IssuedDocument.unit_id == unit_id,
            IssuedDocument.form == "ND154-01/TCD",
            IssuedDocument.state == "draft",
        )
        .order_by(Visit.on, Visit.number)
    ).all()
    return [(row[0], row[1]) for row in rows]


# --- the repeat visitor --------------------------------------------------------------------------


def same_person(db_session: Session, person: Person) -> list[UUID]:
    """Ids under which this person was kept before: those with the same identity number."""
    if person.citizen_id_index is None:
        return [person.id]
    found = db_session.scalars(
        select(Person.id)
        .where(Person.citizen_id_index == person.citizen_id_index)
        .order_by(Person.id)
    )
    return list(found) or [person.id]


def visits_of_people(
    db_session: Session, *, visible_to: Actor, person_ids: Iterable[UUID]
) -> Sequence[Visit]:
    """Earlier visits at one's own desk, newest first."""
    own = _paths(reach(visible_to, Permission.BOOK_SEE).units)
    return db_session.scalars(
        select(Visit)
        .join(Unit, Unit.id == Visit.unit_id)
        .where(
            Visit.person_id.in_(list(person_ids)),
            Unit.path.in_(own),
            newest_edition(),
            not_(
                exists().where(
                    Petition.id == Visit.petition_id,
                    side_in(visible_to, Petition.id, Petition.case_id),
                )
            ),
        )
        .order_by(Visit.on.desc(), Visit.id.desc())
        .limit(HISTORY)
    ).all()


@dataclass(frozen=True)
class KnownPetition:
    """A petition of the visitor: everything of an own one, of a shared one what levels share."""

    petition: Petition
    holder: Unit
    own: bool


def petitions_of_people(
    db_session: Session, *, visible_to: Actor, person_ids: Iterable[UUID]
) -> list[KnownPetition]:
    """Petitions these people sent that the actor may know of, newest first.

    Never a denunciation: its sender stands in the vault alone.
    """
    ids = list(person_ids)
    own = _paths(reach(visible_to, Permission.BOOK_SEE).units)
    holder, receiver = aliased(Unit), aliased(Unit)
    rows = db_session.execute(
        select(Petition, holder, receiver.path)
        .join(holder, holder.id == Petition.holder_unit_id)
        .join(receiver, receiver.id == Petition.receiving_unit_id)
        .where(
            Petition.submitter_id.in_(ids),
            Petition.secrecy == Secrecy.NORMAL.value,
            not_(side_in(visible_to, Petition.id, Petition.case_id)),
            _shares(reach(visible_to, Permission.PETITION_SEE), holder.path, receiver.path),
        )
        .order_by(Petition.received_on.desc(), Petition.id.desc())
        .limit(HISTORY)
    ).all()
    return [KnownPetition(row[0], row[1], row[1].path in own or row[2] in own) for row in rows]


def _shares(
    scope: Reach, holder_path: InstrumentedAttribute[str], receiver_path: InstrumentedAttribute[str]
) -> ColumnElement[bool]:
    """Held here, received here, in a tree below, or of a case this unit takes part in."""
    here = _paths(scope.units | scope.shared)
    units_here = select(Unit.id).where(Unit.path.in_(here))
    cases = select(CaseUnit.case_id).where(CaseUnit.unit_id.in_(units_here))
    trees = [
        or_(holder_path == tree, holder_path.startswith(f"{tree}/", autoescape=True))
        for tree in _paths(scope.trees)
    ]
    return or_(
        holder_path.in_(here),
        receiver_path.in_(here),
        and_(Petition.case_id.is_not(None), Petition.case_id.in_(cases)),
        *trees,
    )


def identifiers_of(
    db_session: Session, petition_ids: Iterable[UUID]
) -> dict[UUID, frozenset[Identifier]]:
    """What these petitions name and can be compared with typed words."""
    found: dict[UUID, set[Identifier]] = {}
    kinds = [kind.value for kind in COMPARABLE]
    rows = db_session.scalars(
        select(PetitionIdentifier).where(
            PetitionIdentifier.petition_id.in_(list(petition_ids)),
            PetitionIdentifier.kind.in_(kinds),
        )
    )
    for row in rows:
        found.setdefault(row.petition_id, set()).add(
            Identifier(IdentifierKind(row.kind), row.value)
        )
    return {key: frozenset(value) for key, value in found.items()}


def issued_for(db_session: Session, petition_ids: Iterable[UUID]) -> dict[UUID, IssuedDocument]:
    """The newest paper issued on each petition: levels share it."""
    rows = db_session.scalars(
        select(IssuedDocument)
        .where(
            IssuedDocument.petition_id.in_(list(petition_ids)),
            IssuedDocument.state.in_(("signed", "issued")),
            IssuedDocument.visit_id.is_(None),
        )
        .order_by(IssuedDocument.created_at, IssuedDocument.id)
    )
    return {row.petition_id: row for row in rows if row.petition_id}


# --- paper post ----------------------------------------------------------------------------------


def batch_rows(
    db_session: Session, *, visible_to: Actor, unit_id: UUID, prefix: str
) -> Sequence[Petition]:
    """Petitions of one batch of paper post, in the order of their rows."""
    own = _paths(reach(visible_to, Permission.POST_BATCH).units)
    return db_session.scalars(
        select(Petition)
        .where(
            Petition.receiving_unit_id == unit_id,
            Petition.receiving_unit_id.in_(select(Unit.id).where(Unit.path.in_(own))),
            Petition.channel == "post",
            Petition.idempotency_key.startswith(prefix, autoescape=True),
        )
        .order_by(Petition.submitted_at, Petition.id)
    ).all()


def post_since(
    db_session: Session, *, visible_to: Actor, unit_id: UUID, since: date
) -> Sequence[Petition]:
    """Petitions that came by post since a day, newest first: the list of batches."""
    own = _paths(reach(visible_to, Permission.POST_BATCH).units)
    return db_session.scalars(
        select(Petition)
        .where(
            Petition.receiving_unit_id == unit_id,
            Petition.receiving_unit_id.in_(select(Unit.id).where(Unit.path.in_(own))),
            Petition.channel == "post",
            Petition.received_on >= since,
        )
        .order_by(Petition.submitted_at.desc(), Petition.id.desc())
    ).all()


def envelopes_of(db_session: Session, petition_ids: Iterable[UUID]) -> dict[UUID, Attachment]:
    """The photo of the envelope of each petition that has one."""
    rows = db_session.scalars(
        select(Attachment)
        .where(
            Attachment.petition_id.in_(list(petition_ids)),
            Attachment.part == "envelope",
            Attachment.removed_at.is_(None),
        )
        .order_by(Attachment.created_at, Attachment.id)
    )
    return {row.petition_id: row for row in rows if row.petition_id}
