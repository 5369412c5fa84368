"""Cases: what an officer may see of them, what hangs on them, and which letters look alike.

What levels share: identity, status, issued documents. Drafts, verification and opinions are asked
for unit by unit. A letter that the reader may not open leaves no trace here, not even a number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, select, tuple_
from sqlalchemy.orm import Session

from storage.identities import names_of, open_field
from storage.models import (
    Account,
    AgendaItem,
    AuditLeaf,
    Case,
    CaseLink,
    CaseNote,
    CaseUnit,
    Deadline,
    Involvement,
    IssuedDocument,
    Petition,
    PetitionIdentifier,
    ProcedureRun,
    ProcedureStep,
    ReceptionSession,
    SearchDocument,
    Transfer,
    Unit,
    UnrelatedPetition,
)
from storage.queries.inbox import readable_cases, units_at, visible_petitions
from storage.queries.units import path_of
from storage.subjects import case_subject, petition_subjects
from workflows.access import Actor, Permission, Subject, UnitPath, decide, holds, reach
from workflows.cases import LinkKind
from workflows.duplicates import (
    Comparison,
    Fingerprint,
    Identifier,
    IdentifierKind,
    Verdict,
    compare,
    weight,
)
from workflows.folding import fold, fold_key
from workflows.kinds import PetitionKind
from workflows.secrecy import Secrecy

PAGE = 50
SHARED_STATES = ("signed", "issued")
"""Documents that every level of a case may read; the others stay where they are written."""

_LOCKED = or_(Case.kind == "denunciation", Case.secrecy == "compartment")
_COMMONPLACE = 2_000  # an identifier named by so many letters tells nothing
_CANDIDATES = 20
_HINTS = 3


# --- who may see what ----------------------------------------------------------------------------


def visible_cases(visible_to: Actor) -> ColumnElement[bool]:
    """The filter that leaves the cases this person may know of, no more and no fewer."""
    seen = reach(visible_to, Permission.CASE_SEE)
    assigned = _assigned(visible_to) if seen.assigned else false()
    shared = exists().where(
        CaseUnit.case_id == Case.id, CaseUnit.unit_id.in_(units_at(seen.shared))
    )
    reached = or_(Case.holder_unit_id.in_(units_at(seen.units, seen.trees)), shared, assigned)
    open_ones = and_(Case.secrecy == "normal", Case.kind != "denunciation")
    return and_(
        reached,
        or_(
            open_ones,
            and_(
                Case.secrecy == "restricted",
                _by_post(visible_to, "restricted", or_(assigned, _readable(visible_to))),
            ),
            and_(
                _LOCKED,
                Case.secrecy != "off_system",
                _by_post(visible_to, "compartment", _unredacted(visible_to, assigned)),
            ),
        ),
        not_(_named(visible_to, "conflicted")),
        not_(_side_in_a_letter(visible_to)),
    )


def _readable(actor: Actor) -> ColumnElement[bool]:
    """Whether leave to read the file counts for this person: only a role that reads by leave."""
    if not reach(actor, Permission.PETITION_SEE).reading:
        return false()
    return readable_cases(actor, Case.id)


def _side_in_a_letter(actor: Actor) -> ColumnElement[bool]:
    """Whoever is a side in one letter of the matter is a side in the whole of it."""
    if actor.person_id is None:
        return false()
    return exists().where(
        Petition.case_id == Case.id,
        Involvement.petition_id == Petition.id,
        Involvement.part == "conflicted",
        Involvement.person_id == actor.person_id,
        Involvement.ended_at.is_(None),
    )


def _by_post(visible_to: Actor, secrecy: str, assigned: ColumnElement[bool]) -> ColumnElement[bool]:
    paths = [
        path
        for path in visible_to.unit_paths
        if decide(
            visible_to,
            Permission.CASE_SEE,
            Subject(unit_path=path, secrecy=Secrecy(secrecy)),
        )
    ]
    known = _named(visible_to, "identity") if secrecy == "compartment" else false()
    return or_(Case.holder_unit_id.in_(units_at(paths)), known, assigned)


def _unredacted(visible_to: Actor, assigned: ColumnElement[bool]) -> ColumnElement[bool]:
    """What being named for it opens, asked of the rule itself."""
    if visible_to.person_id is None:
        return false()
    subject = Subject(
        unit_path=(uuid4().hex,),
        kind=PetitionKind.DENUNCIATION,
        secrecy=Secrecy.COMPARTMENT,
        assigned_to=frozenset({visible_to.person_id}),
    )
    return assigned if decide(visible_to, Permission.CASE_SEE, subject) else false()


def _named(actor: Actor, part: str) -> ColumnElement[bool]:
    if actor.person_id is None:
        return false()
    return exists().where(
        Involvement.case_id == Case.id,
        Involvement.part == part,
        Involvement.person_id == actor.person_id,
        Involvement.ended_at.is_(None),
    )


def _assigned(actor: Actor) -> ColumnElement[bool]:
    handles = exists().where(
        Petition.case_id == Case.id,
        Petition.assigned_to == actor.person_id,
        Petition.assigned_to.is_not(None),
    )
    return or_(_named(actor, "assigned"), handles)


# --- the list ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CaseFilter:
    """What the person asked to see. `state` is "open", "closed" or empty for all."""

    state: str = "open"
    kind: str = ""
    commune: str = ""
    text: str = ""
    page: int = 1


@dataclass(frozen=True)
class CaseRow:
    """A line of the list; `petitions` counts only those the reader may open."""

    case: Case
    holder: str
    place: str
    petitions: int
    due: Deadline | None


@dataclass(frozen=True)
class CaseList:
    """One page of cases and how many there are."""

    rows: tuple[CaseRow, ...]
    total: int


def cases(db_session: Session, *, visible_to: Actor, asked: CaseFilter) -> CaseList:
    """A page of at most 50 cases, newest first."""
    wanted = and_(visible_cases(visible_to), *_asked(asked))
    total = db_session.scalar(select(func.count()).select_from(Case).where(wanted)) or 0
    found = db_session.scalars(
        select(Case)
        .where(wanted)
        .order_by(Case.opened_on.desc(), Case.id.desc())
        .limit(PAGE)
        .offset(PAGE * (asked.page - 1))
    ).all()
    return CaseList(tuple(_rows(db_session, found, visible_to)), total)


def _asked(asked: CaseFilter) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [exists().where(Petition.case_id == Case.id)]
    if asked.state:
        is_open = Case.closed_on.is_(None)
        wanted.append(is_open if asked.state == "open" else not_(is_open))
    if asked.kind:
        wanted.append(Case.kind == asked.kind)
    if asked.commune:
        wanted.append(Case.place_unit_id.in_(select(Unit.id).where(Unit.code == asked.commune)))
    if asked.text.strip():
        wanted.append(_with_words(asked.text.strip()))
    return wanted


def _with_words(text: str) -> ColumnElement[bool]:
    document = exists().where(
        SearchDocument.case_id == Case.id,
        SearchDocument.folded.contains(fold(text), autoescape=True),
    )
    return or_(Case.code.startswith(text.upper(), autoescape=True), document)


def _rows(db_session: Session, found: Sequence[Case], visible_to: Actor) -> Iterable[CaseRow]:
    ids = [case.id for case in found]
    units = {case.holder_unit_id for case in found}
    units |= {case.place_unit_id for case in found if case.place_unit_id}
    names = {
        key: name
        for key, name in db_session.execute(
            select(Unit.id, Unit.full_name).where(Unit.id.in_(units))
        )
    }
    counts = _petition_counts(db_session, ids, visible_to)
    terms = _next_terms(db_session, ids)
    for case in found:
        place = case.place_unit_id or case.holder_unit_id
        yield CaseRow(
            case, names[case.holder_unit_id], names[place], counts.get(case.id, 0),
            terms.get(case.id),
        )  # fmt: skip


def _petition_counts(
    db_session: Session, case_ids: Sequence[UUID], visible_to: Actor
) -> dict[UUID, int]:
    rows = db_session.execute(
        select(Petition.case_id, func.count())
        .where(Petition.case_id.in_(case_ids), visible_petitions(visible_to))
        .group_by(Petition.case_id)
    ).all()
    return {key: number for key, number in rows if key is not None}


def _next_terms(db_session: Session, case_ids: Sequence[UUID]) -> dict[UUID, Deadline]:
    """The nearest running term of the case's own track or of its petitions."""
    of_case = func.coalesce(ProcedureRun.case_id, Petition.case_id)
    rows = db_session.execute(
        select(of_case, Deadline)
        .select_from(ProcedureRun)
        .join(Deadline, Deadline.run_id == ProcedureRun.id)
        .outerjoin(Petition, Petition.id == ProcedureRun.petition_id)
        .where(of_case.in_(case_ids), Deadline.met_on.is_(None))
        .order_by(Deadline.last_day_on.desc(), Deadline.name.desc())
    ).all()
    return {key: term for key, term in rows}


# --- one case ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LinkedPetition:
    """A petition of the case as the reader may see it, with the link that holds it."""

    petition: Petition
    link: CaseLink
    receiving: str


def linked_petitions(db_session: Session, case: Case, *, visible_to: Actor) -> list[LinkedPetition]:
    """Petitions that hang on the case by a live link, oldest first; hidden ones leave no gap."""
    rows = db_session.execute(
        select(Petition, CaseLink, Unit.full_name)
        .join(CaseLink, CaseLink.petition_id == Petition.id)
        .join(Unit, Unit.id == Petition.receiving_unit_id)
        .where(
            CaseLink.case_id == case.id,
            CaseLink.undone_at.is_(None),
            visible_petitions(visible_to),
        )
        .order_by(CaseLink.created_at, CaseLink.id)
    ).all()
    subjects = petition_subjects(db_session, (petition for petition, _, _ in rows))
    return [
        LinkedPetition(petition, link, unit)
        for petition, link, unit in rows
        if decide(visible_to, Permission.PETITION_SEE, subjects[petition.id])
    ]


def has_letters_beyond(db_session: Session, case: Case, seen: Sequence[UUID]) -> bool:
    """Whether the file holds letters that this reader may not open, of those that may be told of.

    A denunciation, or whatever is locked like one, is never told of.
    """
    rows = db_session.scalars(
        select(Petition.id)
        .join(CaseLink, CaseLink.petition_id == Petition.id)
        .where(
            CaseLink.case_id == case.id,
            CaseLink.undone_at.is_(None),
            Petition.id.not_in(seen),
            Petition.secrecy.in_(("normal", "restricted")),
            Petition.kind != "denunciation",
        )
        .limit(1)
    )
    return rows.first() is not None


def undone_links(db_session: Session, case: Case, *, visible_to: Actor) -> list[LinkedPetition]:
    """Links that were taken back, newest first; those of hidden letters are not told of."""
    rows = db_session.execute(
        select(Petition, CaseLink, Unit.full_name)
        .join(CaseLink, CaseLink.petition_id == Petition.id)
        .join(Unit, Unit.id == Petition.receiving_unit_id)
        .where(
            CaseLink.case_id == case.id,
            CaseLink.undone_at.is_not(None),
            visible_petitions(visible_to),
        )
        .order_by(CaseLink.undone_at.desc(), CaseLink.id)
    ).all()
    return [LinkedPetition(petition, link, unit) for petition, link, unit in rows]


def units_of(db_session: Session, case: Case) -> list[tuple[Unit, CaseUnit]]:
    """The units that take part in the case, in the order they came in."""
    rows = db_session.execute(
        select(Unit, CaseUnit)
        .join(CaseUnit, CaseUnit.unit_id == Unit.id)
        .where(CaseUnit.case_id == case.id)
        .order_by(CaseUnit.since_on, Unit.path)
    ).all()
    return [(unit, taking_part) for unit, taking_part in rows]


@dataclass(frozen=True)
class TakenStep:
    """A step of a track of the case with the unit that took it."""

    step: ProcedureStep
    run: ProcedureRun
    unit: Unit


def steps_of_case(db_session: Session, case: Case, petition_ids: Sequence[UUID]) -> list[TakenStep]:
    """Steps of the case's own tracks and of these petitions, oldest first."""
    rows = db_session.execute(
        select(ProcedureStep, ProcedureRun, Unit)
        .join(ProcedureRun, ProcedureRun.id == ProcedureStep.run_id)
        .join(Unit, Unit.id == ProcedureStep.unit_id)
        .where(or_(ProcedureRun.case_id == case.id, ProcedureRun.petition_id.in_(petition_ids)))
        .order_by(ProcedureStep.on, ProcedureStep.at, ProcedureStep.seq)
    ).all()
    return [TakenStep(step, run, unit) for step, run, unit in rows]


def terms_of_case(
    db_session: Session, case: Case, petition_ids: Sequence[UUID]
) -> list[tuple[Deadline, ProcedureRun]]:
    """Terms of the case and of these petitions that stood on their own, nearest first.

    Terms that a step replaced by a new one of the same name, or that an undo took back, are left
    out: they were neither kept nor broken.
    """
    rows = db_session.execute(
        select(Deadline, ProcedureRun)
        .join(ProcedureRun, ProcedureRun.id == Deadline.run_id)
        .where(
            or_(ProcedureRun.case_id == case.id, ProcedureRun.petition_id.in_(petition_ids)),
            Deadline.ended_by != "undo",
        )
        .order_by(Deadline.last_day_on, Deadline.created_at, Deadline.id)
    ).all()
    starts = {(term.run_id, term.name, term.step_id) for term, _ in rows}
    events = _events_of(db_session, [term.step_id for term, _ in rows])
    renewed = {(run_id, name, *events[step_id]) for run_id, name, step_id in starts}
    return [
        (term, run)
        for term, run in rows
        if (term.run_id, term.name, term.ended_by, term.met_on) not in renewed
        or events[term.step_id] == (term.ended_by, term.met_on)
    ]


def _events_of(db_session: Session, step_ids: Sequence[UUID]) -> dict[UUID, tuple[str, Any]]:
    rows = db_session.execute(
        select(ProcedureStep.id, ProcedureStep.event, ProcedureStep.on).where(
            ProcedureStep.id.in_(step_ids)
        )
    )
    return {key: (event, on) for key, event, on in rows}


def transfers_of(
    db_session: Session, petition_ids: Sequence[UUID]
) -> list[tuple[Transfer, str, str]]:
    """Transfers of these petitions with the names of both bodies, oldest first."""
    sender, target = Unit.__table__.alias("sender"), Unit.__table__.alias("target")
    rows = db_session.execute(
        select(Transfer, sender.c.full_name, target.c.full_name)
        .join(sender, sender.c.id == Transfer.from_unit_id)
        .outerjoin(target, target.c.id == Transfer.to_unit_id)
        .where(Transfer.petition_id.in_(petition_ids))
        .order_by(Transfer.sent_on, Transfer.id)
    ).all()
    return [(transfer, source, name or transfer.to_body) for transfer, source, name in rows]


def documents_of(
    db_session: Session, case: Case, petition_ids: Sequence[UUID], *, visible_to: Actor
) -> list[tuple[IssuedDocument, Unit]]:
    """Issued documents of the case, and the drafts of the reader's own level; newest first."""
    own = drafting_units(db_session, case, visible_to=visible_to)
    rows = db_session.execute(
        select(IssuedDocument, Unit)
        .join(Unit, Unit.id == IssuedDocument.unit_id)
        .where(
            or_(IssuedDocument.case_id == case.id, IssuedDocument.petition_id.in_(petition_ids)),
            or_(
                IssuedDocument.petition_id.is_(None),
                IssuedDocument.petition_id.in_(petition_ids),
            ),
            or_(
                IssuedDocument.state.in_(SHARED_STATES),
                and_(
                    IssuedDocument.state != "withdrawn",
                    IssuedDocument.unit_id.in_([unit.id for unit in own]),
                ),
            ),
        )
        .order_by(
            func.coalesce(IssuedDocument.issued_on, func.date(IssuedDocument.created_at)).desc(),
            IssuedDocument.id.desc(),
        )
    ).all()
    return [(document, unit) for document, unit in rows]


def drafting_units(db_session: Session, case: Case, *, visible_to: Actor) -> list[Unit]:
    """Units of the case whose drafts, verification and opinions this person may read."""
    return [
        unit
        for unit, _ in units_of(db_session, case)
        if decide(
            visible_to,
            Permission.CASE_DRAFT_SEE,
            drafts_subject(db_session, case, unit, visible_to),
        )
    ]


def drafts_subject(db_session: Session, case: Case, unit: Unit, visible_to: Actor) -> Subject:
    """The working papers of one level: being assigned elsewhere in the case does not reach them.

    An inspector to whom the case itself was given reads those of every level.
    """
    whole = case_subject(db_session, case)
    here = path_of(unit)
    at_home = here in visible_to.unit_paths
    reaches_all = holds(visible_to, Permission.CASE_RETRIEVE)
    named = whole.assigned_to if at_home else _given_the_case(db_session, case)
    return changed(
        whole,
        unit_path=here,
        level_units=frozenset[UnitPath](),
        assigned_to=named if at_home or reaches_all else frozenset[UUID](),
    )


def _given_the_case(db_session: Session, case: Case) -> frozenset[UUID]:
    rows = db_session.scalars(
        select(Involvement.person_id).where(
            Involvement.case_id == case.id,
            Involvement.part == "assigned",
            Involvement.ended_at.is_(None),
        )
    )
    return frozenset(rows)


@dataclass(frozen=True)
class Note:
    """A working paper in the clear."""

    note: CaseNote
    unit: Unit
    author: str
    body: str


def notes_of(db_session: Session, case: Case, *, visible_to: Actor) -> list[Note]:
    """Drafts, verification and opinions of the levels this person belongs to, newest first."""
    own = drafting_units(db_session, case, visible_to=visible_to)
    rows = db_session.execute(
        select(CaseNote, Unit, Account.display_name)
        .join(Unit, Unit.id == CaseNote.unit_id)
        .join(Account, Account.id == CaseNote.author_id)
        .where(CaseNote.case_id == case.id, CaseNote.unit_id.in_([unit.id for unit in own]))
        .order_by(CaseNote.created_at.desc(), CaseNote.id.desc())
    ).all()
    return [
        Note(note, unit, author, open_field("case_note", "body", note.id, note.body_sealed))
        for note, unit, author in rows
    ]


def meetings_of(
    db_session: Session, case: Case, petition_ids: Sequence[UUID]
) -> list[tuple[ReceptionSession, Unit]]:
    """Reception sessions that have the case or one of these petitions on the agenda."""
    on_agenda = select(AgendaItem.reception_session_id).where(
        or_(AgendaItem.case_id == case.id, AgendaItem.petition_id.in_(petition_ids))
    )
    rows = db_session.execute(
        select(ReceptionSession, Unit)
        .join(Unit, Unit.id == ReceptionSession.unit_id)
        .where(ReceptionSession.id.in_(on_agenda), ReceptionSession.state != "CANCELLED")
        .order_by(ReceptionSession.starts_at, ReceptionSession.id)
    ).all()
    return [(meeting, unit) for meeting, unit in rows]


# --- who looked ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Access:
    """A line of the access log; ids only, never words of the matter."""

    at: datetime
    actor_id: UUID | None
    name: str
    action: str
    object_kind: str
    body: str


def access_log(
    db_session: Session, case: Case, petition_ids: Sequence[UUID], *, limit: int = PAGE
) -> list[Access]:
    """Who opened the case or these petitions, and who was refused, newest first."""
    ids = [case.id, *petition_ids]
    refused = and_(
        AuditLeaf.action == "refused",
        or_(*(AuditLeaf.body.contains(str(key)) for key in ids)),
    )
    opened = and_(
        AuditLeaf.object_kind.in_(("case", "petition", "attachment", "denunciation_vault")),
        AuditLeaf.object_id.in_(ids),
    )
    rows = db_session.execute(
        select(AuditLeaf, Account.display_name)
        .outerjoin(Account, Account.id == AuditLeaf.actor_id)
        .where(or_(opened, refused))
        .order_by(AuditLeaf.id.desc())
        .limit(limit)
    ).all()
    return [
        Access(leaf.at, leaf.actor_id, name or "", leaf.action, leaf.object_kind, leaf.body)
        for leaf, name in rows
    ]


def looked_lately(
    db_session: Session, kind: str, object_id: UUID, *, by: UUID, since: datetime
) -> bool:
    """Whether this account opened the record after `since`: one leaf tells of one look."""
    return bool(
        db_session.scalar(
            select(
                exists().where(
                    AuditLeaf.object_kind == kind,
                    AuditLeaf.object_id == object_id,
                    AuditLeaf.actor_id == by,
                    AuditLeaf.action == f"{kind}_viewed",
                    AuditLeaf.at > since,
                )
            )
        )
    )


# --- letters that look alike ---------------------------------------------------------------------


@dataclass(frozen=True)
class Hint:
    """Why a letter may be about the same matter as another, or as a case."""

    petition: Petition
    case: Case | None
    comparison: Comparison
    submitter: str


def related(db_session: Session, petition: Petition, *, visible_to: Actor) -> list[Hint]:
    """At most three hints, strongest first: one for each case. Never out of or into a compartment.

    Hints that an officer answered before, and letters the reader may not open, are left out.
    """
    if Secrecy(petition.secrecy) not in (Secrecy.NORMAL, Secrecy.RESTRICTED):
        return []
    mine = _identifiers_of(db_session, [petition.id])[petition.id]
    seen_in = _frequencies(db_session, mine)
    found = _candidates(db_session, petition, mine, seen_in, visible_to)
    hints = _compared(db_session, petition, found, seen_in)
    return _one_for_each_case(hints)[:_HINTS]


def _identifiers_of(db_session: Session, ids: Sequence[UUID]) -> dict[UUID, frozenset[Identifier]]:
    rows = db_session.scalars(
        select(PetitionIdentifier).where(PetitionIdentifier.petition_id.in_(ids))
    )
    found: dict[UUID, set[Identifier]] = defaultdict(set, {key: set() for key in ids})
    for row in rows:
        found[row.petition_id].add(Identifier(IdentifierKind(row.kind), row.value))
    return {key: frozenset(values) for key, values in found.items()}


def _keys(identifiers: Iterable[Identifier]) -> ColumnElement[bool]:
    pairs = [(one.kind.value, one.value) for one in identifiers]
    return tuple_(PetitionIdentifier.kind, PetitionIdentifier.value).in_(pairs)


def _frequencies(db_session: Session, identifiers: frozenset[Identifier]) -> dict[str, int]:
    if not identifiers:
        return {}
    rows = db_session.execute(
        select(PetitionIdentifier.kind, PetitionIdentifier.value, func.count())
        .where(_keys(identifiers))
        .group_by(PetitionIdentifier.kind, PetitionIdentifier.value)
    ).all()
    return {Identifier(IdentifierKind(kind), value).key: number for kind, value, number in rows}


def _candidates(
    db_session: Session,
    petition: Petition,
    mine: frozenset[Identifier],
    seen_in: dict[str, int],
    visible_to: Actor,
) -> list[Petition]:
    """Letters that name the same rare things, the heaviest first."""
    telling = [one for one in mine if 1 < seen_in.get(one.key, 0) <= _COMMONPLACE]
    if not telling:
        return []
    rows = db_session.execute(
        select(PetitionIdentifier.petition_id, PetitionIdentifier.kind, PetitionIdentifier.value)
        .where(_keys(telling), PetitionIdentifier.petition_id != petition.id)
        .order_by(PetitionIdentifier.petition_id)
    ).all()
    scores: dict[UUID, float] = defaultdict(float)
    for key, kind, value in rows:
        scores[key] += weight(Identifier(IdentifierKind(kind), value), seen_in)
    best = sorted(scores, key=lambda key: (-scores[key], key))[:_CANDIDATES]
    return _allowed(db_session, petition, best, visible_to)


def _allowed(
    db_session: Session, petition: Petition, ids: Sequence[UUID], visible_to: Actor
) -> list[Petition]:
    answered = exists().where(
        or_(
            and_(
                UnrelatedPetition.petition_id == petition.id,
                UnrelatedPetition.other_id == Petition.id,
            ),
            and_(
                UnrelatedPetition.other_id == petition.id,
                UnrelatedPetition.petition_id == Petition.id,
            ),
        )
    )
    elsewhere = or_(Petition.case_id.is_(None), Petition.case_id.not_in(_own_cases(petition)))
    rows = db_session.scalars(
        select(Petition)
        .where(
            Petition.id.in_(ids),
            visible_petitions(visible_to),
            Petition.secrecy.in_(("normal", "restricted")),
            Petition.kind != "denunciation",
            elsewhere,
            not_(answered),
        )
        .order_by(Petition.received_on, Petition.id)
    ).all()
    subjects = petition_subjects(db_session, rows)
    return [row for row in rows if decide(visible_to, Permission.PETITION_SEE, subjects[row.id])]


def _own_cases(petition: Petition) -> Any:
    """Cases on which the petition hangs already, by whatever kind of link."""
    return select(CaseLink.case_id).where(
        CaseLink.petition_id == petition.id, CaseLink.undone_at.is_(None)
    )


def _compared(
    db_session: Session, petition: Petition, others: Sequence[Petition], seen_in: dict[str, int]
) -> list[Hint]:
    everyone = [petition, *others]
    identifiers = _identifiers_of(db_session, [one.id for one in everyone])
    names = names_of(db_session, (one.submitter_id for one in everyone if one.submitter_id))
    units = _codes_of(db_session, {one.place_unit_id for one in everyone if one.place_unit_id})
    prints = {
        one.id: Fingerprint(
            identifiers[one.id],
            frozenset({fold_key(names[one.submitter_id])} if one.submitter_id else ()),
            one.field_code or "",
            units.get(one.place_unit_id, "") if one.place_unit_id else "",
            one.kind,
        )
        for one in everyone
    }
    known = {
        case.id: case
        for case in db_session.scalars(
            select(Case).where(Case.id.in_({one.case_id for one in others if one.case_id}))
        )
    }
    return [
        Hint(
            one,
            known.get(one.case_id) if one.case_id else None,
            compare(prints[petition.id], prints[one.id], seen_in),
            names.get(one.submitter_id, "") if one.submitter_id else "",
        )
        for one in others
    ]


def _codes_of(db_session: Session, ids: set[UUID]) -> dict[UUID, str]:
    rows = db_session.execute(select(Unit.id, Unit.code).where(Unit.id.in_(ids)))
    return {key: code for key, code in rows}


def _one_for_each_case(hints: Sequence[Hint]) -> list[Hint]:
    strongest = sorted(
        (hint for hint in hints if hint.comparison.verdict is not Verdict.NONE),
        key=lambda hint: (-hint.comparison.score, hint.petition.received_on, hint.petition.id),
    )
    shown: dict[UUID, Hint] = {}
    for hint in strongest:
        shown.setdefault(hint.case.id if hint.case else hint.petition.id, hint)
    return list(shown.values())


def link_kinds_for(petition: Petition) -> tuple[LinkKind, ...]:
    """How a petition may hang on a case; a second round is for complaints and denunciations."""
    if petition.kind in ("complaint", "denunciation"):
        return (LinkKind.SAME_MATTER, LinkKind.REPEAT, LinkKind.SECOND_ROUND, LinkKind.RELATED)
    return (LinkKind.SAME_MATTER, LinkKind.REPEAT, LinkKind.RELATED)
