"""What several areas do with a case: open it, join it, leave it, let a level in, close it.

Nothing here commits and nothing here decides who may: the operation has asked before.
"""

from __future__ import annotations

import secrets
from datetime import date
from uuid import UUID

from sqlalchemy import exists, or_, select

from reception.petitions.steps import next_search_id
from storage.database import Work
from storage.facts import recounted
from storage.models import (
    Case,
    CaseFileRequest,
    CaseLink,
    CaseUnit,
    Involvement,
    Petition,
    ProcedureRun,
    SearchDocument,
)
from storage.models.base import new_id, utc_now
from storage.search import case_words
from storage.subjects import kind_of
from workflows.cases import LinkKind, ensure_linkable, joins
from workflows.codes import CodeKind, make_code
from workflows.errors import Conflict
from workflows.folding import fold
from workflows.kinds import PetitionKind
from workflows.procedures.loader import procedure
from workflows.secrecy import Secrecy, is_searchable

ROOT_REASON = "Đơn đầu tiên của vụ việc"
_MORE_PEOPLE = frozenset({LinkKind.SAME_MATTER})


def open_case(work: Work, petition: Petition, *, on: date, by: UUID | None) -> Case:
    """The petition's case: the one it hangs on already, else a new one that it starts."""
    if petition.case_id is not None:
        return work.get(Case, petition.case_id)
    case = Case(
        id=new_id(),
        search_id=next_search_id(work, "case"),
        code=make_code(CodeKind.CASE, secrets.token_bytes(8)),
        title=petition.title,
        kind=petition.kind,
        field_code=petition.field_code,
        place_unit_id=petition.place_unit_id,
        holder_unit_id=petition.holder_unit_id,
        secrecy=petition.secrecy,
        people=petition.group_size,
        opened_on=on,
    )
    work.add(case)
    work.flush()
    with recounted(work, case):
        _hang(work, petition, case, LinkKind.SAME_MATTER, ROOT_REASON, by=by)
    let_level_in(work, case, petition.holder_unit_id, on=on)
    _write_words(work, case)
    work.audit("case_opened", case, by=by, petition=petition.id)
    return case


def join_case(
    work: Work, petition: Petition, case: Case, kind: LinkKind, *, reason: str, on: date, by: UUID
) -> None:
    """Hang the petition on a case; the case it had alone before counts no more.

    Raises StepNotAllowed for a link that would cross a compartment.
    """
    _ensure_fitting(petition, case)
    if _linked_already(work, petition, case):
        return
    if joins(kind):
        leave_case(work, petition, by=by, reason="Nối vào vụ việc khác")
    with recounted(work, case):
        if kind in _MORE_PEOPLE:
            case.people = petition.group_size + (case.people if _has_petitions(work, case) else 0)
        _hang(work, petition, case, kind, reason, by=by)
        if joins(kind):
            case.closed_on = case.completed_year = None
    let_level_in(work, case, petition.holder_unit_id, on=on)
    keep_case_searchable(work, case)
    work.audit("case_joined", case, by=by, petition=petition.id, link=kind.value)


def leave_case(work: Work, petition: Petition, *, by: UUID | None, reason: str) -> None:
    """Undo the links that make the petition part of a case; the rows stay."""
    if petition.case_id is None:
        return
    case = work.get_for_update(Case, petition.case_id)
    links = _live_links(work, petition, case)
    with recounted(work, case):
        for link in links:
            link.undone_at, link.undone_by, link.undo_reason = utc_now(), by, reason
        _keep_barred(work, petition, case)
        petition.case_id = None
        work.flush()
        if {link.kind for link in links} & _MORE_PEOPLE and _has_petitions(work, case):
            case.people = max(1, case.people - petition.group_size)
    work.audit("case_left", case, by=by, petition=petition.id)


def _keep_barred(work: Work, petition: Petition, case: Case) -> None:
    """Whoever is a side in the case stays one in a letter that leaves it.

    Without this the person complained of could open a denunciation taken out of the case.
    """
    rows = work.db_session.scalars(
        select(Involvement).where(
            or_(Involvement.case_id == case.id, Involvement.petition_id == petition.id),
            Involvement.part.in_(("conflicted", "own_act")),
            Involvement.ended_at.is_(None),
        )
    ).all()
    known = {(row.person_id, row.part) for row in rows if row.petition_id == petition.id}
    for row in rows:
        if (row.person_id, row.part) in known:
            continue
        known.add((row.person_id, row.part))
        work.add(
            Involvement(
                petition_id=petition.id,
                person_id=row.person_id,
                part=row.part,
                reason=row.reason,
            )
        )
    work.flush()


def undo_link(work: Work, link: CaseLink, *, by: UUID | None, reason: str) -> None:
    """Take one link back; a petition that was part of the case leaves it."""
    if link.undone_at is not None:
        raise Conflict("Mối nối này đã được bỏ. Tải lại trang để xem tình trạng mới.")
    petition = work.get_for_update(Petition, link.petition_id)
    if joins(LinkKind(link.kind)):
        leave_case(work, petition, by=by, reason=reason)
        return
    link.undone_at, link.undone_by, link.undo_reason = utc_now(), by, reason
    work.audit("case_left", work.get(Case, link.case_id), by=by, petition=petition.id)


def close_file_requests(work: Work, case_id: UUID, *, reason: str) -> None:
    """End every request to read a case that held a letter which is locked away now.

    The requests keep who asked and when; their words told of the matter.
    """
    for row in work.db_session.scalars(
        select(CaseFileRequest).where(CaseFileRequest.case_id == case_id)
    ):
        row.reason = row.decision_reason = reason
        if row.state in ("asked", "approved"):
            row.state = "revoked" if row.state == "approved" else "refused"


def let_level_in(work: Work, case: Case, unit_id: UUID, *, on: date) -> None:
    """Make a unit part of the case: it shares identity, status and issued documents."""
    if work.db_session.get(CaseUnit, (case.id, unit_id)) is None:
        work.add(CaseUnit(case_id=case.id, unit_id=unit_id, since_on=on))
        work.flush()


def move_case(work: Work, case: Case, *, to: UUID, on: date) -> None:
    """The unit `to` handles the case from now on."""
    with recounted(work, case):
        case.holder_unit_id = to
    let_level_in(work, case, to, on=on)


def follow_petition(work: Work, petition: Petition) -> None:
    """Bring the case's kind, field, place and secrecy up to date after its petition changed.

    Only the petition that started the case speaks for it.
    """
    case = work.db_session.get(Case, petition.case_id) if petition.case_id else None
    if case is None or first_petition_id(work, case) != petition.id:
        return
    with recounted(work, case):
        case.kind, case.secrecy = petition.kind, petition.secrecy
        case.field_code, case.place_unit_id = petition.field_code, petition.place_unit_id
        case.title = petition.title
    keep_case_searchable(work, case)


def first_petition_id(work: Work, case: Case) -> UUID | None:
    """The petition that started the case, of those that are part of it now."""
    return work.db_session.scalar(
        select(CaseLink.petition_id)
        .where(
            CaseLink.case_id == case.id,
            CaseLink.undone_at.is_(None),
            CaseLink.kind.in_([kind.value for kind in LinkKind if joins(kind)]),
        )
        .order_by(CaseLink.created_at, CaseLink.id)
        .limit(1)
    )


def settle_case(work: Work, case: Case, *, on: date, by: UUID | None) -> None:
    """Close the case when all its petitions and procedures have ended; open it again when not."""
    done = _all_done(work, case)
    if done == (case.closed_on is not None):
        return
    with recounted(work, case):
        case.closed_on = on if done else None
        case.completed_year = on.year if done else None
    work.audit("case_closed" if done else "case_reopened", case, by=by)


def keep_case_searchable(work: Work, case: Case) -> None:
    """Write what search knows of a case; nothing of one in a compartment."""
    for old in work.db_session.scalars(
        select(SearchDocument).where(SearchDocument.case_id == case.id)
    ):
        work.db_session.delete(old)
    work.flush()
    _write_words(work, case)


def _write_words(work: Work, case: Case) -> None:
    if case.kind == "unclassified" or not is_searchable(Secrecy(case.secrecy)):
        return
    text = case_words(work.db_session, case)
    work.add(
        SearchDocument(search_id=case.search_id, case_id=case.id, exact=text, folded=fold(text))
    )
    work.flush()


def _hang(
    work: Work, petition: Petition, case: Case, kind: LinkKind, reason: str, *, by: UUID | None
) -> None:
    work.add(
        CaseLink(
            case_id=case.id,
            petition_id=petition.id,
            kind=kind.value,
            proposed_by=by,
            reason=reason,
        )
    )
    if joins(kind):
        petition.case_id = case.id
    work.flush()


def _live_links(work: Work, petition: Petition, case: Case) -> list[CaseLink]:
    links = work.db_session.scalars(
        select(CaseLink).where(
            CaseLink.case_id == case.id,
            CaseLink.petition_id == petition.id,
            CaseLink.undone_at.is_(None),
        )
    )
    return [link for link in links if joins(LinkKind(link.kind))]


def _linked_already(work: Work, petition: Petition, case: Case) -> bool:
    """A double click: the petition hangs on this case by a live link."""
    found = work.db_session.scalars(
        select(CaseLink.id).where(
            CaseLink.case_id == case.id,
            CaseLink.petition_id == petition.id,
            CaseLink.undone_at.is_(None),
        )
    )
    return found.first() is not None


def _ensure_fitting(petition: Petition, case: Case) -> None:
    in_compartment = Secrecy(case.secrecy) is Secrecy.COMPARTMENT
    kind = kind_of(petition.kind) or PetitionKind.RECOMMENDATION
    if Secrecy(petition.secrecy) is Secrecy.COMPARTMENT:
        kind = PetitionKind.DENUNCIATION
    ensure_linkable(kind, case_in_compartment=in_compartment)


def _has_petitions(work: Work, case: Case) -> bool:
    return bool(work.db_session.scalar(select(exists().where(Petition.case_id == case.id))))


def _all_done(work: Work, case: Case) -> bool:
    """Whether nothing of the case is open. An accepted petition ends with the track it started."""
    states = set(work.db_session.scalars(select(Petition.state).where(Petition.case_id == case.id)))
    tracks = work.db_session.execute(
        select(ProcedureRun.procedure, ProcedureRun.state).where(ProcedureRun.case_id == case.id)
    ).all()
    running = [track for track in tracks if not procedure(track[0]).states[track[1]].final]
    still_open = {state for state in states if not procedure("PET").states[state].final}
    if tracks and not running:
        still_open.discard("ACCEPTED")
    return bool(states) and not still_open and not running
