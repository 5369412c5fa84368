"""What a person does with a case: look at it, write a working paper, take a link back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from reception.cases.steps import keep_case_searchable, undo_link
from storage.database import Work, reading, unit_of_work
from storage.identities import names_of, seal_field
from storage.models import (
    Case,
    CaseFileRequest,
    CaseLink,
    CaseNote,
    CaseUnit,
    Deadline,
    IssuedDocument,
    Petition,
    ProcedureRun,
    ReceptionSession,
    Recording,
    Transfer,
    Unit,
)
from storage.models.base import new_id, utc_now
from storage.queries import case_files
from storage.queries import cases as queries
from storage.queries.calendar import holiday_table
from storage.queries.case_files import FileRequest
from storage.queries.cases import (
    Access,
    CaseFilter,
    CaseList,
    LinkedPetition,
    Note,
    TakenStep,
)
from storage.queries.sessions import visible_ids
from storage.subjects import case_subject, petition_subject
from storage.terms import suspensions_of
from workflows.access import Actor, Permission, decide, ensure_allowed
from workflows.calendar import HolidayTable
from workflows.deadlines import Suspension, is_stopped
from workflows.errors import BadInput, NotFound
from workflows.secrecy import Secrecy

LOOK = timedelta(minutes=10)
"""One leaf of the audit log tells of all looks of one person within this time."""


@dataclass(frozen=True)
class CasePage:
    """Everything the page of a case shows, as far as this reader may know it."""

    case: Case
    units: tuple[tuple[Unit, CaseUnit], ...]
    units_by_id: dict[UUID, Unit]
    own_units: frozenset[UUID]
    petitions: tuple[LinkedPetition, ...]
    undone: tuple[LinkedPetition, ...]
    names: dict[UUID, str]
    steps: tuple[TakenStep, ...]
    terms: tuple[tuple[Deadline, ProcedureRun], ...]
    transfers: tuple[tuple[Transfer, str, str], ...]
    documents: tuple[tuple[IssuedDocument, Unit], ...]
    meetings: tuple[tuple[ReceptionSession, Unit], ...]
    notes: tuple[Note, ...]
    log: tuple[Access, ...] | None
    pauses: dict[UUID, tuple[Suspension, ...]]
    holidays: HolidayTable
    holder: str
    closed: bool
    leave: CaseFileRequest | None
    requests: tuple[FileRequest, ...]
    open_meetings: frozenset[UUID]
    recordings: dict[UUID, Recording]
    may_link: bool
    may_draft: bool
    may_write: bool
    may_ask: bool
    may_approve: bool

    def stands_still(self, term: Deadline) -> bool:
        """Whether a term is suspended now: it is neither near nor late."""
        return term.met_on is None and is_stopped(self.pauses.get(term.id, ()))


def read_list(actor: Actor, asked: CaseFilter) -> CaseList:
    """A page of the cases this person may know of."""
    with reading() as work:
        return queries.cases(work.db_session, visible_to=actor, asked=asked)


def read_case(case_id: UUID, actor: Actor) -> CasePage:
    """The page of a case; the look is audited. Raises NotFound, NotAllowed."""
    with reading() as work:
        case = work.get(Case, case_id)
        ensure_allowed(actor, Permission.CASE_SEE, case_subject(work.db_session, case))
        page = _gather(work, case, actor)
    _note_look(page, actor)
    return page


def _gather(work: Work, case: Case, actor: Actor) -> CasePage:
    found = work.db_session
    petitions = queries.linked_petitions(found, case, visible_to=actor)
    ids = [one.petition.id for one in petitions]
    units = queries.units_of(found, case)
    own = queries.drafting_units(found, case, visible_to=actor)
    steps = queries.steps_of_case(found, case, ids)
    subject = case_subject(found, case)
    by_id = {unit.id: unit for unit, _ in units} | {one.unit.id: one.unit for one in steps}
    by_id.setdefault(case.holder_unit_id, work.get(Unit, case.holder_unit_id))
    sees_log = decide(actor, Permission.ACCESS_LOG_SEE, subject)
    approves = bool(decide(actor, Permission.CASE_RETRIEVE_APPROVE, subject))
    asks = not subject.in_compartment and bool(decide(actor, Permission.CASE_RETRIEVE, subject))
    meetings = queries.meetings_of(found, case, ids)
    held = [meeting.id for meeting, _ in meetings]
    terms = tuple(queries.terms_of_case(found, case, ids))
    return CasePage(
        case=case,
        units=tuple(units),
        units_by_id=by_id,
        own_units=frozenset(unit.id for unit in own),
        petitions=tuple(petitions),
        undone=tuple(queries.undone_links(found, case, visible_to=actor)),
        names=names_of(
            found, (p.petition.submitter_id for p in petitions if p.petition.submitter_id)
        ),
        steps=tuple(steps),
        terms=terms,
        pauses=suspensions_of(work, (term.id for term, _ in terms)),
        transfers=tuple(queries.transfers_of(found, ids)),
        documents=tuple(queries.documents_of(found, case, ids, visible_to=actor)),
        meetings=tuple(meetings),
        notes=tuple(queries.notes_of(found, case, visible_to=actor)),
        log=tuple(queries.access_log(found, case, ids)) if sees_log else None,
        holidays=holiday_table(found),
        holder=by_id[case.holder_unit_id].full_name,
        closed=not petitions
        and not subject.in_compartment
        and queries.has_letters_beyond(found, case, ids),
        leave=case_files.leave_held(found, case.id, actor.account_id),
        requests=_requests(work, case, actor, everybody=approves or bool(sees_log), own=asks),
        open_meetings=frozenset(visible_ids(found, held, visible_to=actor)),
        recordings=case_files.recordings_by_meeting(found, held, visible_to=actor),
        may_link=bool(decide(actor, Permission.CASE_LINK, subject)),
        may_draft=bool(own),
        may_write=any(_writes_for(work, case, unit, actor) for unit in own),
        may_ask=asks,
        may_approve=approves,
    )


def _requests(
    work: Work, case: Case, actor: Actor, *, everybody: bool, own: bool
) -> tuple[FileRequest, ...]:
    """Who asked to read this file: all for the unit that holds it, else what one asked oneself."""
    if not everybody and not own:
        return ()
    only = None if everybody else actor.account_id
    return tuple(case_files.requests_of(work.db_session, case.id, account_id=only))


def _writes_for(work: Work, case: Case, unit: Unit, actor: Actor) -> bool:
    """Whether this person works at that level; leave to read the file is no leave to write."""
    subject = queries.drafts_subject(work.db_session, case, unit, actor)
    return bool(decide(actor, Permission.CASE_DRAFT_SEE, replace(subject, readers=frozenset())))


def _senders(petitions: list[LinkedPetition]) -> list[UUID]:
    return [one.petition.submitter_id for one in petitions if one.petition.submitter_id]


def _note_look(page: CasePage, actor: Actor) -> None:
    """One leaf for the looks of a few minutes; whoever reads by leave leaves one each time."""
    if actor.account_id is None:
        return
    case = page.case
    with unit_of_work() as work:
        if page.leave is not None:
            work.audit(
                "case_file_opened",
                kind="case",
                object_id=case.id,
                by=actor.account_id,
                request=page.leave.code,
            )
            return
        since = utc_now() - LOOK
        seen = queries.looked_lately(
            work.db_session, "case", case.id, by=actor.account_id, since=since
        )
        if not seen:
            work.audit("case_viewed", kind="case", object_id=case.id, by=actor.account_id)


# --- working papers ------------------------------------------------------------------------------

NOTE_KINDS = ("draft", "verification", "opinion", "note")


def add_note(case_id: UUID, kind: str, body: str, *, by: Actor) -> None:
    """Keep a draft, a verification or an opinion; it stays with the level that wrote it.

    Raises NotAllowed for somebody whose unit takes no part in the case.
    """
    if kind not in NOTE_KINDS or len(body.strip()) < 3:
        raise BadInput({"body": "Viết nội dung ghi chú trước khi lưu."})
    with unit_of_work() as work:
        case = work.get(Case, case_id)
        unit = _own_unit(work, case, by)
        _ensure_not_own_act(work, case, kind, by)
        if by.account_id is None:
            raise NotFound
        key = new_id()
        note = work.add(
            CaseNote(
                id=key,
                case_id=case.id,
                unit_id=unit.id,
                kind=kind,
                body_sealed=seal_field("case_note", "body", key, body.strip()),
                author_id=by.account_id,
            )
        )
        work.audit("case_note_written", note, by=by.account_id, case=case.id, unit=unit.id)


DRAFTING = frozenset({"draft", "verification"})
"""Working papers that an official whose act is complained of does not write."""


def _ensure_not_own_act(work: Work, case: Case, kind: str, by: Actor) -> None:
    """Whose act is complained of neither verifies nor drafts. Raises NotAllowed with the reason."""
    officials = case_subject(work.db_session, case).act_complained_of_by
    if kind in DRAFTING and by.person_id in officials:
        ensure_allowed(by, Permission.DOCUMENT_DRAFT, case_subject(work.db_session, case))


def _own_unit(work: Work, case: Case, by: Actor) -> Unit:
    """The level of the case that this person writes for."""
    ensure_allowed(by, Permission.CASE_SEE, case_subject(work.db_session, case))
    own = queries.drafting_units(work.db_session, case, visible_to=by)
    at_home = [unit for unit in own if tuple(unit.path.split("/")) in by.unit_paths]
    if not at_home:
        holder = work.get(Unit, case.holder_unit_id)
        subject = queries.drafts_subject(work.db_session, case, holder, by)
        ensure_allowed(by, Permission.CASE_DRAFT_SEE, replace(subject, readers=frozenset()))
        return holder
    return at_home[0]


# --- links ---------------------------------------------------------------------------------------


def link_to_undo(case_id: UUID, link_id: UUID, *, by: Actor) -> tuple[Case, CaseLink, Petition]:
    """The link this person may take back. Raises NotFound, NotAllowed."""
    with reading() as work:
        return _link(work, case_id, link_id, by)


def take_link_back(case_id: UUID, link_id: UUID, reason: str, *, by: Actor) -> UUID:
    """Undo a link with its reason; the row stays. Returns the petition's id."""
    if len(reason.strip()) < 5:
        raise BadInput({"reason": "Ghi lý do bỏ mối nối, để người sau hiểu."})
    with unit_of_work() as work:
        _, link, petition = _link(work, case_id, link_id, by)
        locked = petition.secrecy != Secrecy.NORMAL.value
        undo_link(work, link, by=by.account_id, reason="" if locked else reason.strip())
        return petition.id


def _link(work: Work, case_id: UUID, link_id: UUID, by: Actor) -> tuple[Case, CaseLink, Petition]:
    link = work.get(CaseLink, link_id)
    if link.case_id != case_id:
        raise NotFound
    case, petition = work.get(Case, case_id), work.get(Petition, link.petition_id)
    ensure_allowed(by, Permission.CASE_LINK, petition_subject(work.db_session, petition))
    return case, link, petition


def rename(case_id: UUID, title: str, *, by: Actor) -> None:
    """Give the case a title that tells the matter, not one letter of it."""
    if not 5 <= len(title.strip()) <= 160:
        raise BadInput({"title": "Tên vụ việc dài từ 5 đến 160 ký tự."})
    with unit_of_work() as work:
        case = work.get_for_update(Case, case_id)
        ensure_allowed(by, Permission.CASE_LINK, case_subject(work.db_session, case))
        if Secrecy(case.secrecy) is Secrecy.COMPARTMENT:
            raise BadInput({"title": "Vụ việc được giữ kín không đổi tên."})
        case.title = title.strip()
        keep_case_searchable(work, case)
        work.audit("case_renamed", case, by=by.account_id)
