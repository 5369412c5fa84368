"""Who comes: found by identity number or phone, with what was asked and answered before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from reception.desk.places import ensure_at
from storage.database import reading, unit_of_work
from storage.identities import PersonData, digits, find_people, open_field, read_person
from storage.models import IssuedDocument, Person, Visit
from storage.queries import desk as queries
from storage.queries.desk import KnownPetition
from workflows.access import Actor, Permission
from workflows.deadlines import remaining
from workflows.duplicates import Fingerprint, compare, extract
from workflows.procedures.loader import procedure


def looks_like_phone(typed: str) -> bool:
    """A phone has 10 digits and a leading 0, or 84 and 9 digits; identity numbers do not."""
    number = digits(typed)
    return (len(number) == 10 and number.startswith("0")) or (
        len(number) == 11 and number.startswith("84")
    )


@dataclass(frozen=True)
class Found:
    """A person who came before, as the officer chooses among several."""

    person_id: UUID
    data: PersonData


def find(typed: str, unit_id: UUID, *, by: Actor) -> list[Found]:
    """People with this identity number or phone, each once; the look-up enters the audit log."""
    with unit_of_work() as work:
        ensure_at(work, by, Permission.DESK_INTAKE, unit_id)
        found = _found(work.db_session, typed)
        work.audit(
            "visitor_looked_up",
            kind="unit",
            object_id=unit_id,
            by=by.account_id,
            people=[person.person_id for person in found],
        )
    return found


def _found(db_session: Session, typed: str) -> list[Found]:
    if len(digits(typed) or typed.strip()) < 6:
        return []
    by_phone = looks_like_phone(typed)
    people = find_people(
        db_session, citizen_id="" if by_phone else typed, phone=typed if by_phone else ""
    )
    newest: dict[bytes, Person] = {}
    for person in people:
        newest.setdefault(person.citizen_id_index or person.id.bytes, person)
    return [Found(person.id, read_person(person)) for person in newest.values()]


@dataclass(frozen=True)
class PetitionLine:
    """A petition in the visitor's history. `same` says why it looks like what is typed now."""

    petition_id: UUID
    code: str
    kind: str
    title: str
    received_on: date
    channel: str
    holder: str
    state: str
    live: bool
    due_on: date | None
    remaining: str
    answer: str
    same: tuple[str, ...] = ()


@dataclass(frozen=True)
class VisitLine:
    """An earlier visit at this desk and what was answered."""

    on: date
    outcome: str
    kind: str
    answer: str
    number: int
    officer: str


@dataclass(frozen=True)
class History:
    """What this officer may know about the person at the desk, newest first."""

    petitions: tuple[PetitionLine, ...] = ()
    visits: tuple[VisitLine, ...] = ()

    @property
    def live(self) -> tuple[PetitionLine, ...]:
        """Petitions that nobody has answered yet: a second one about the same is not needed."""
        return tuple(line for line in self.petitions if line.live)

    @property
    def entries(self) -> list[PetitionLine | VisitLine]:
        """Petitions and visits in one line of time, newest first."""
        entries: list[PetitionLine | VisitLine] = [*self.petitions, *self.visits]
        return sorted(
            entries,
            key=lambda line: line.on if isinstance(line, VisitLine) else line.received_on,
            reverse=True,
        )


def history_of(person_id: UUID, typed: str, *, by: Actor, today: date) -> History:
    """Earlier visits and petitions; `typed` are the words of the present matter to compare with."""
    with reading() as work:
        person = work.get(Person, person_id)
        ids = queries.same_person(work.db_session, person)
        visits = queries.visits_of_people(work.db_session, visible_to=by, person_ids=ids)
        officers = queries.account_names(work.db_session, (v.received_by for v in visits))
        return History(
            petitions=tuple(_petition_lines(work.db_session, ids, typed, by, today)),
            visits=tuple(_visit_line(v, officers) for v in visits if v.outcome != "petition"),
        )


def _visit_line(visit: Visit, officers: dict[UUID, str]) -> VisitLine:
    return VisitLine(
        on=visit.on,
        outcome=visit.outcome,
        kind=visit.kind,
        answer=open_field("visit", "answer", visit.id, visit.answer_sealed),
        number=visit.number,
        officer=officers.get(visit.received_by, ""),
    )


def _petition_lines(
    db_session: Session, person_ids: Sequence[UUID], typed: str, by: Actor, today: date
) -> Iterable[PetitionLine]:
    known = queries.petitions_of_people(db_session, visible_to=by, person_ids=person_ids)
    ids = [found.petition.id for found in known]
    papers = queries.issued_for(db_session, ids)
    named = queries.identifiers_of(db_session, ids)
    mine = Fingerprint(extract(typed))
    for found in known:
        theirs = Fingerprint(named.get(found.petition.id, frozenset()))
        yield _petition_line(
            found, papers.get(found.petition.id), compare(mine, theirs, {}).same, today
        )


def _petition_line(
    known: KnownPetition, paper: IssuedDocument | None, same: tuple[str, ...], today: date
) -> PetitionLine:
    """An own petition shows its title; of another level's, status and issued papers are shared."""
    petition = known.petition
    state = procedure("PET").states[petition.state]
    live = not state.final
    answer = f"{paper.title} {paper.number}".strip() if paper else ""
    return PetitionLine(
        petition_id=petition.id,
        code=petition.code,
        kind=petition.kind,
        title=petition.title if known.own else "",
        received_on=petition.received_on,
        channel=petition.channel,
        holder=known.holder.full_name,
        state=state.label_vi,
        live=live,
        due_on=petition.due_on if live else None,
        remaining=remaining(petition.due_on, today) if live and petition.due_on else "",
        answer=answer,
        same=same,
    )


def masked_number(number: str) -> str:
    """An identity number as the screen shows it: 0750 ···· 4821."""
    plain = number.replace(" ", "")
    return f"{plain[:4]} ···· {plain[-4:]}" if len(plain) >= 9 else plain


def masked_phone(number: str) -> str:
    """A phone as the screen shows it: 0913 ··· 206."""
    plain = digits(number)
    return f"{plain[:4]} ··· {plain[-3:]}" if len(plain) >= 9 else plain


def ticket_minutes(since: datetime, now: datetime) -> int:
    """Whole minutes somebody has been waiting; never negative."""
    return max(0, int((now - since).total_seconds() // 60))
