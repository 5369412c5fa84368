"""Who must stay away from a case: recorded, declared by oneself, lifted. Everything is audited.

What is recorded counts from the same moment: pages, lists, search and recordings ask these rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from storage.database import Work, reading, unit_of_work
from storage.models import Case, Involvement, Petition
from storage.models.base import utc_now
from storage.queries.conflicts import (
    CONFLICT_PARTS,
    Candidate,
    Recorded,
    candidates,
    may_speak_of,
    recorded,
    recorder_of,
)
from storage.subjects import case_subject
from workflows.access import Actor, Permission, Subject, decide, ensure_allowed
from workflows.conflicts import Claim, Ground, Part, ensure_liftable, ensure_recordable
from workflows.errors import BadInput, Conflict, NotFound, StepNotAllowed

_KEPT_FROM_WORK = frozenset({Part.CONFLICTED, Part.OWN_ACT})
"""Parts whose holder can no longer have the letters of the case on the own table."""


@dataclass(frozen=True)
class ConflictPage:
    """What the page shows; rows and people only to whoever may record."""

    case: Case
    rows: tuple[Recorded, ...]
    people: tuple[Candidate, ...]
    may_record: bool
    may_grant_identity: bool


def read_page(case_id: UUID, actor: Actor, *, today: date) -> ConflictPage:
    """The page for one reader. Raises NotFound, NotAllowed."""
    with reading() as work:
        case, subject = _case(work, case_id, actor)
        may = bool(decide(actor, Permission.CASE_CONFLICT_RECORD, subject))
        identity = subject.in_compartment and bool(
            decide(actor, Permission.IDENTITY_GRANT, subject)
        )
        shown = may or identity
        return ConflictPage(
            case=case,
            rows=tuple(recorded(work.db_session, case)) if shown else (),
            people=tuple(candidates(work.db_session, case, by_paths=actor.unit_paths, on=today))
            if shown
            else (),
            may_record=may,
            may_grant_identity=identity,
        )


def record_conflict(case_id: UUID, claim: Claim, *, by: Actor, today: date) -> None:
    """Record a conflict, an own act or leave to know the denouncer; a double click does it once.

    Raises NotAllowed, BadInput for a person who has nothing to do with the case, StepNotAllowed.
    """
    with unit_of_work() as work:
        case, subject = _case(work, case_id, by)
        identity = claim.part is Part.IDENTITY
        ensure_allowed(
            by,
            Permission.IDENTITY_GRANT if identity else Permission.CASE_CONFLICT_RECORD,
            subject,
        )
        known = {
            one.person_id
            for one in candidates(work.db_session, case, by_paths=by.unit_paths, on=today)
        }
        if claim.about not in known:
            raise BadInput({"person": "Chọn một người đang công tác ở cấp có vụ việc này."})
        if identity and claim.about in subject.conflicted:
            raise BadInput({"person": "Người này đang bị ghi nhận là một bên của vụ việc."})
        _keep(work, case, subject, claim, by=by)


def declare_own(case_id: UUID, ground: Ground, *, by: Actor) -> None:
    """Say of oneself that one is a side in the matter; from now on it is closed to this person."""
    if by.person_id is None:
        raise NotFound
    with unit_of_work() as work:
        case, subject = _case(work, case_id, by)
        claim = Claim(Part.CONFLICTED, ground, by.person_id)
        _keep(work, case, subject, claim, by=by)


def lift(case_id: UUID, involvement_id: UUID, reason: str, *, by: Actor, today: date) -> None:
    """End a record; the row stays. Raises NotAllowed, BadInput, StepNotAllowed, Conflict."""
    with unit_of_work() as work:
        case, subject = _case(work, case_id, by)
        row = work.get_for_update(Involvement, involvement_id)
        if not _about(work, row, case) or row.part not in CONFLICT_PARTS:
            raise NotFound
        identity = row.part == Part.IDENTITY.value
        ensure_allowed(
            by,
            Permission.IDENTITY_GRANT if identity else Permission.CASE_CONFLICT_RECORD,
            subject,
        )
        ensure_liftable(about=row.person_id, by=_person(by), reason=reason)
        recorder = recorder_of(work.db_session, row.id)
        if not may_speak_of(work.db_session, by.unit_paths, recorder, on=today):
            raise StepNotAllowed(
                "Ghi nhận này do cấp trên lập. Gửi lý do để nơi đã ghi nhận xem xét và gỡ.",
                rule="lifted-by-the-recorder's-level",
            )
        if row.ended_at is not None:
            raise Conflict("Ghi nhận này đã được gỡ. Tải lại trang để xem tình trạng mới.")
        row.ended_at = utc_now()
        kept = "" if subject.in_compartment else reason.strip()
        work.audit(
            "involvement_lifted", row, by=by.account_id, case=case.id, part=row.part, reason=kept
        )


def _case(work: Work, case_id: UUID, actor: Actor) -> tuple[Case, Subject]:
    case = work.get(Case, case_id)
    subject = case_subject(work.db_session, case)
    ensure_allowed(actor, Permission.CASE_SEE, subject)
    return case, subject


def _person(by: Actor) -> UUID:
    if by.person_id is None:
        raise NotFound
    return by.person_id


def _about(work: Work, row: Involvement, case: Case) -> bool:
    """Whether the record is of this case or of one of its letters."""
    if row.petition_id is None:
        return row.case_id == case.id
    return work.get(Petition, row.petition_id).case_id == case.id


def _keep(work: Work, case: Case, subject: Subject, claim: Claim, *, by: Actor) -> None:
    ensure_recordable(claim, by=_person(by), in_compartment=subject.in_compartment)
    if _known(work, case, claim):
        return
    row = work.add(
        Involvement(
            case_id=case.id, person_id=claim.about, part=claim.part.value, reason=claim.words
        )
    )
    work.flush()
    freed = _take_off_the_table(work, case, claim) if claim.part in _KEPT_FROM_WORK else []
    work.audit(
        "involvement_recorded",
        row,
        by=by.account_id,
        case=case.id,
        part=claim.part.value,
        person=claim.about,
        unassigned=freed,
    )


def _known(work: Work, case: Case, claim: Claim) -> bool:
    found = select(Involvement.id).where(
        Involvement.case_id == case.id,
        Involvement.person_id == claim.about,
        Involvement.part == claim.part.value,
        Involvement.ended_at.is_(None),
    )
    return work.db_session.scalars(found).first() is not None


def _take_off_the_table(work: Work, case: Case, claim: Claim) -> Sequence[UUID]:
    """Work that the person had in hand falls back to the unit; leave to know the denouncer ends.

    Otherwise a letter would wait, unseen, on the table of somebody who may not open it.
    """
    letters = work.db_session.scalars(
        select(Petition).where(Petition.case_id == case.id, Petition.assigned_to == claim.about)
    ).all()
    for letter in letters:
        letter.assigned_to = None
    ended = {"assigned", Part.IDENTITY.value} if claim.part is Part.CONFLICTED else {"assigned"}
    ids = select(Petition.id).where(Petition.case_id == case.id)
    for row in work.db_session.scalars(
        select(Involvement).where(
            (Involvement.case_id == case.id) | Involvement.petition_id.in_(ids),
            Involvement.person_id == claim.about,
            Involvement.part.in_(ended),
            Involvement.ended_at.is_(None),
        )
    ):
        row.ended_at = utc_now()
    return [letter.id for letter in letters]
