"""The inbox: petitions of every channel that an officer may see, by their nearest deadline.

What `visible_petitions` lets through is exactly what `decide` allows, so a count never tells of a
letter that its reader may not open; the page asks `decide` again for every row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from storage.identities import names_of, people_named
from storage.models import (
    Account,
    Case,
    CaseFileRequest,
    CaseUnit,
    Deadline,
    Involvement,
    Petition,
    Post,
    ProcedureRun,
    SearchDocument,
    Transfer,
    Unit,
)
from storage.subjects import file_leave_in_force, petition_subjects
from workflows.access import Actor, Permission, Subject, UnitPath, decide, reach
from workflows.folding import fold
from workflows.kinds import PetitionKind
from workflows.procedures.loader import procedure
from workflows.secrecy import Secrecy

PAGE = 50
GROUPS = ("late", "today", "week", "later", "none")
_LOCKED = or_(Petition.kind == "denunciation", Petition.secrecy == "compartment")


# --- who may see what ----------------------------------------------------------------------------


def units_at(paths: Iterable[UnitPath], trees: Iterable[UnitPath] = ()) -> Select[UUID]:
    """Ids of the units at these paths, and of all below the `trees`."""
    tops = ["/".join(path) for path in trees]
    below = [Unit.path.startswith(f"{top}/", autoescape=True) for top in tops]
    exact = Unit.path.in_(["/".join(path) for path in paths] + tops)
    return select(Unit.id).where(or_(exact, *below))


def visible_petitions(visible_to: Actor) -> ColumnElement[bool]:
    """The filter that leaves the petitions this person may open, no more and no fewer."""
    seen = reach(visible_to, Permission.PETITION_SEE)
    assigned = _involved(visible_to, "assigned") if seen.assigned else false()
    reading = readable_cases(visible_to, Petition.case_id) if seen.reading else false()
    reached = or_(
        Petition.holder_unit_id.in_(units_at(seen.units, seen.trees)),
        _shared_with(seen.shared),
        assigned,
        reading,
    )
    normal = and_(Petition.secrecy == "normal", Petition.kind != "denunciation")
    return and_(
        reached,
        or_(
            normal,
            _restricted(visible_to, or_(assigned, reading)),
            _in_compartment(visible_to, assigned),
        ),
        not_(_involved(visible_to, "conflicted")),
    )


def readable_cases(
    actor: Actor, case_id: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None]
) -> ColumnElement[bool]:
    """The unit that holds the case gave this person leave to read its file, and it still counts."""
    if actor.account_id is None:
        return false()
    return exists().where(
        CaseFileRequest.case_id == case_id,
        CaseFileRequest.account_id == actor.account_id,
        *file_leave_in_force(),
    )


def _shared_with(paths: frozenset[UnitPath]) -> ColumnElement[bool]:
    """Its case is shared by one of these units, or one of them received it first."""
    units = units_at(paths)
    in_case = exists().where(CaseUnit.case_id == Petition.case_id, CaseUnit.unit_id.in_(units))
    received = and_(Petition.secrecy == "normal", Petition.receiving_unit_id.in_(units))
    return or_(in_case, received)


def _restricted(visible_to: Actor, assigned: ColumnElement[bool]) -> ColumnElement[bool]:
    leading = [path for path in visible_to.unit_paths if _sees(visible_to, path, "restricted")]
    return and_(
        Petition.secrecy == "restricted",
        Petition.kind != "denunciation",
        or_(assigned, Petition.holder_unit_id.in_(units_at(leading))),
    )


def _in_compartment(visible_to: Actor, assigned: ColumnElement[bool]) -> ColumnElement[bool]:
    heads = [path for path in visible_to.unit_paths if _sees(visible_to, path, "compartment")]
    by_name = assigned if _sees_plain_when_assigned(visible_to) else false()
    return and_(
        _LOCKED,
        Petition.secrecy != "off_system",
        or_(
            Petition.holder_unit_id.in_(units_at(heads)),
            _involved(visible_to, "identity"),
            by_name,
        ),
    )


def _sees(actor: Actor, path: UnitPath, secrecy: str) -> bool:
    """Whether the post at `path` opens such letters there; asked of the rule itself."""
    subject = Subject(unit_path=path, secrecy=Secrecy(secrecy))
    return decide(actor, Permission.PETITION_SEE, subject).allowed


def _sees_plain_when_assigned(actor: Actor) -> bool:
    """Verifiers and inspectors work from the redacted copy (Luật Tố cáo 25/2018/QH14, Điều 56)."""
    if actor.person_id is None:
        return False
    subject = Subject(
        unit_path=(uuid4().hex,),
        kind=PetitionKind.DENUNCIATION,
        secrecy=Secrecy.COMPARTMENT,
        assigned_to=frozenset({actor.person_id}),
    )
    return decide(actor, Permission.PETITION_SEE, subject).allowed


def _involved(actor: Actor, part: str) -> ColumnElement[bool]:
    """Whether this person is named for the petition or its case."""
    if actor.person_id is None:
        return false()
    named = exists().where(
        Involvement.part == part,
        Involvement.person_id == actor.person_id,
        Involvement.ended_at.is_(None),
        or_(Involvement.petition_id == Petition.id, Involvement.case_id == Petition.case_id),
    )
    return or_(named, Petition.assigned_to == actor.person_id) if part == "assigned" else named


# --- the list ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class InboxFilter:
    """What the person asked to see. `everywhere` also shows what other units hold."""

    mine: bool = False
    kind: str = ""
    commune: str = ""
    state: str = ""
    text: str = ""
    everywhere: bool = False
    page: int = 1


@dataclass(frozen=True)
class Row:
    """A line of the inbox, with words ready to be shown and nothing of a sealed letter."""

    petition: Petition
    group: str
    submitter: str
    place: str
    term: Deadline | None
    case_code: str


@dataclass(frozen=True)
class Inbox:
    """One page of the inbox and the counts of the whole."""

    rows: tuple[Row, ...]
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def open_states() -> list[str]:
    """States in which somebody still has something to do."""
    return [state.code for state in procedure("PET").states.values() if not state.final]


def inbox(db_session: Session, *, visible_to: Actor, asked: InboxFilter, today: date) -> Inbox:
    """A page of at most 50 petitions by deadline, and how many there are in each group."""
    wanted = and_(visible_petitions(visible_to), *_asked(db_session, visible_to, asked))
    group = _group(today)
    counted = db_session.execute(
        select(group, func.count()).select_from(Petition).where(wanted).group_by(group)
    ).all()
    found = db_session.execute(
        select(Petition, group)
        .where(wanted)
        .order_by(Petition.due_on.is_(None), Petition.due_on, Petition.received_on, Petition.id)
        .limit(PAGE)
        .offset(PAGE * (asked.page - 1))
    ).all()
    subjects = petition_subjects(db_session, (petition for petition, _ in found))
    allowed = [
        (petition, name)
        for petition, name in found
        if decide(visible_to, Permission.PETITION_SEE, subjects[petition.id])
    ]
    return Inbox(tuple(_rows(db_session, allowed)), {name: number for name, number in counted})


def waiting(db_session: Session, *, visible_to: Actor) -> int:
    """How many open petitions lie at the person's own unit or were given to them by name."""
    wanted = and_(visible_petitions(visible_to), *_asked(db_session, visible_to, InboxFilter()))
    return db_session.scalar(select(func.count()).select_from(Petition).where(wanted)) or 0


def rows_of(
    db_session: Session, ids: Sequence[UUID], *, visible_to: Actor, today: date
) -> list[Row]:
    """Rows of these petitions as far as they may be seen, by deadline."""
    found = db_session.execute(
        select(Petition, _group(today))
        .where(Petition.id.in_(ids), visible_petitions(visible_to))
        .order_by(Petition.due_on.is_(None), Petition.due_on, Petition.received_on, Petition.id)
        .limit(PAGE)
    ).all()
    subjects = petition_subjects(db_session, (petition for petition, _ in found))
    allowed = [
        (petition, name)
        for petition, name in found
        if decide(visible_to, Permission.PETITION_SEE, subjects[petition.id])
    ]
    return list(_rows(db_session, allowed))


def _group(today: date) -> ColumnElement[str]:
    week_end = today + timedelta(days=6 - today.weekday())
    return case(
        (Petition.due_on.is_(None), "none"),
        (Petition.due_on < today, "late"),
        (Petition.due_on == today, "today"),
        (Petition.due_on <= week_end, "week"),
        else_="later",
    )


def _asked(db_session: Session, visible_to: Actor, asked: InboxFilter) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [_state(asked.state)]
    if asked.mine:
        wanted.append(Petition.assigned_to == visible_to.person_id)
    elif not asked.everywhere:
        own = Petition.holder_unit_id.in_(units_at(visible_to.unit_paths))
        wanted.append(or_(own, Petition.assigned_to == visible_to.person_id))
    if asked.kind:
        wanted.append(Petition.kind == asked.kind)
    if asked.commune:
        place = select(Unit.id).where(Unit.code == asked.commune)
        wanted.append(Petition.place_unit_id.in_(place))
    if asked.text.strip():
        wanted.append(_with_words(db_session, asked.text.strip()))
    return wanted


def _state(state: str) -> ColumnElement[bool]:
    if state == "done":
        return Petition.state.not_in(open_states())
    return Petition.state == state if state else Petition.state.in_(open_states())


def _with_words(db_session: Session, text: str) -> ColumnElement[bool]:
    """By code, by the words of what may be searched, or by the sender's name."""
    words = fold(text)
    in_text = exists().where(
        SearchDocument.petition_id == Petition.id,
        SearchDocument.folded.contains(words, autoescape=True),
    )
    code = Petition.code.startswith(text.upper(), autoescape=True)
    return or_(code, in_text, Petition.submitter_id.in_(people_named(db_session, text)))


def _rows(db_session: Session, found: Sequence[tuple[Petition, str]]) -> Iterable[Row]:
    petitions = [petition for petition, _ in found]
    names = names_of(db_session, (p.submitter_id for p in petitions if p.submitter_id))
    places = unit_names(db_session, (p.place_unit_id or p.holder_unit_id for p in petitions))
    terms = next_terms(db_session, [p.id for p in petitions])
    cases = _case_codes(db_session, (p.case_id for p in petitions if p.case_id))
    for petition, group in found:
        yield Row(
            petition,
            group,
            names.get(petition.submitter_id, "") if petition.submitter_id else "",
            places.get(petition.place_unit_id or petition.holder_unit_id, ""),
            terms.get(petition.id),
            cases.get(petition.case_id, "") if petition.case_id else "",
        )


def _case_codes(db_session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    rows = db_session.execute(select(Case.id, Case.code).where(Case.id.in_(set(ids)))).all()
    return {key: code for key, code in rows}


def unit_names(db_session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Full names of several units at once."""
    rows = db_session.execute(select(Unit.id, Unit.full_name).where(Unit.id.in_(set(ids)))).all()
    return {key: name for key, name in rows}


def next_terms(db_session: Session, petition_ids: Sequence[UUID]) -> dict[UUID, Deadline]:
    """The nearest term of each petition that still runs; of an accepted one also its case's."""
    of_case = and_(ProcedureRun.case_id == Petition.case_id, Petition.state == "ACCEPTED")
    rows = db_session.execute(
        select(Petition.id, Deadline)
        .join(ProcedureRun, or_(ProcedureRun.petition_id == Petition.id, of_case))
        .join(Deadline, Deadline.run_id == ProcedureRun.id)
        .where(Petition.id.in_(petition_ids), Deadline.met_on.is_(None))
        .order_by(Deadline.last_day_on.desc(), Deadline.name.desc())
    ).all()
    return {petition_id: term for petition_id, term in rows}


# --- what another unit sent here -----------------------------------------------------------------


@dataclass(frozen=True)
class Incoming:
    """A petition on its way here; its title is neutral when its content is sealed."""

    transfer: Transfer
    petition: Petition
    from_name: str
    to_path: UnitPath


def incoming(db_session: Session, *, visible_to: Actor) -> list[Incoming]:
    """Petitions that another unit sent to the person's unit and that nobody received yet."""
    receiving = reach(visible_to, Permission.PETITION_RECEIVE)
    sender, target = Unit.__table__.alias("sender"), Unit.__table__.alias("target")
    rows = db_session.execute(
        select(Transfer, Petition, sender.c.full_name, target.c.path)
        .join(Petition, Petition.id == Transfer.petition_id)
        .join(sender, sender.c.id == Transfer.from_unit_id)
        .join(target, target.c.id == Transfer.to_unit_id)
        .where(
            Transfer.to_unit_id.in_(units_at(receiving.units, receiving.trees)),
            Transfer.received_on.is_(None),
            Transfer.taken_back_at.is_(None),
            not_(_involved(visible_to, "conflicted")),
        )
        .order_by(Transfer.sent_on, Transfer.id)
        .limit(PAGE)
    ).all()
    return [
        Incoming(transfer, petition, name, tuple(path.split("/")))
        for transfer, petition, name, path in rows
    ]


def open_transfer(db_session: Session, petition_id: UUID) -> Transfer | None:
    """The transfer of a petition that was sent and neither received nor taken back."""
    return db_session.scalar(
        select(Transfer)
        .where(
            Transfer.petition_id == petition_id,
            Transfer.received_on.is_(None),
            Transfer.taken_back_at.is_(None),
        )
        .order_by(Transfer.sent_on.desc(), Transfer.id.desc())
        .limit(1)
    )


# --- people and units to choose from ------------------------------------------------------------


@dataclass(frozen=True)
class Colleague:
    """A member of staff to whom work can be given."""

    person_id: UUID
    name: str
    title: str
    open_petitions: int


def colleagues(db_session: Session, unit_id: UUID, *, on: date) -> list[Colleague]:
    """Who handles petitions at a unit on a day, with how much each has on the table."""
    at = select(Unit.id).where(or_(Unit.id == unit_id, Unit.acts_for_id == unit_id))
    load = (
        select(func.count())
        .where(Petition.assigned_to == Account.person_id, Petition.state.in_(open_states()))
        .correlate(Account)
        .scalar_subquery()
    )
    rows = db_session.execute(
        select(Account.person_id, Account.display_name, Post.title, Post.role, load)
        .join(Post, Post.account_id == Account.id)
        .where(
            Account.active,
            Account.kind == "staff",
            Account.person_id.is_not(None),
            Post.unit_id.in_(at),
            Post.from_on <= on,
            or_(Post.to_on.is_(None), Post.to_on >= on),
        )
        .order_by(Account.display_name, Account.id, Post.id)
    ).all()
    found: dict[UUID, Colleague] = {}
    for person_id, name, title, role, number in rows:
        if person_id is not None and role in _HANDLERS:
            found.setdefault(person_id, Colleague(person_id, name, title, number))
    return list(found.values())


_HANDLERS = (
    "commune_officer",
    "commune_advisory",
    "petition_handler",
    "board_officer",
    "board_head",
    "provincial_office",
)


def bodies(db_session: Session) -> list[tuple[str, list[Unit]]]:
    """Units that can be competent: the province, its departments, its communes, by level."""
    rows = db_session.scalars(
        select(Unit)
        .where(Unit.kind.in_(("province", "department", "commune")), Unit.valid_to_on.is_(None))
        .order_by(Unit.folded_name, Unit.id)
    ).all()
    return [
        (kind, [unit for unit in rows if unit.kind == kind])
        for kind in ("province", "department", "commune")
    ]
