"""Locking a letter away that turned out to be a denunciation: the vault keeps it, its traces close.

Public names: lock_away, leave_open_cases, LOCKED_REASON. Nothing here commits. Every word that an
officer wrote about the letter in the open goes into the vault beside it; agendas, book lines,
papers, minutes, recordings, links and search keep nothing that tells who or what.
Source: Luật Tố cáo 25/2018/QH14, Điều 8, 47-58; NĐ 154/2026/NĐ-CP, Điều 12.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, or_, select

from reception.cases.steps import (
    close_file_requests,
    first_petition_id,
    keep_case_searchable,
    leave_case,
    undo_link,
)
from reception.desk.steps import mask_lines
from reception.petitions.steps import DENUNCIATION_TITLE, keep_searchable
from reception.petitions.uploads import seal_as_denunciation
from reception.recordings.steps import close_recordings
from reception.sessions.steps import forget_sender
from storage.database import Work
from storage.identities import forget_person, keep_denunciation, open_field, read_person, seal_field
from storage.models import (
    Account,
    AgendaItem,
    Attachment,
    Case,
    CaseLink,
    DeadlineChange,
    DenunciationVault,
    DigitisedDocument,
    Involvement,
    IssuedDocument,
    Person,
    Petition,
    PetitionAssessment,
    PetitionParty,
    PetitionRequest,
    ProcedureRun,
    ProcedureStep,
    SealedObject,
    Transfer,
    UnrelatedPetition,
    Visit,
)
from storage.models.base import utc_now
from storage.models.steps import Deadline
from workflows.cases import LinkKind
from workflows.kinds import PetitionKind
from workflows.secrecy import Secrecy

LOCKED_REASON = "Đơn được giữ kín"
_WORDS = "officer_words"


def lock_away(work: Work, petition: Petition, *, keeper: UUID | None) -> None:
    """Move what names people or tells the matter into the vault; the rows keep nothing of it.

    Whoever found out that it is a denunciation keeps it in hand, unless somebody has it already.
    Call `identities.prepare_vault()` before the transaction.
    """
    people = _people(work, petition)
    if petition.secrecy != Secrecy.COMPARTMENT.value:
        _into_the_vault(work, petition)
        petition.assigned_to = petition.assigned_to or keeper
        petition.secrecy = Secrecy.COMPARTMENT.value
    petition.title, petition.kind = DENUNCIATION_TITLE, PetitionKind.DENUNCIATION.value
    work.flush()
    forget_sender(work, petition.id, title=DENUNCIATION_TITLE)
    close_recordings(work, petition.id, reason=LOCKED_REASON)
    if petition.case_id is not None:
        close_file_requests(work, petition.case_id, reason=LOCKED_REASON)
    keep_searchable(work, petition)
    _forget_people(work, people)


def _into_the_vault(work: Work, petition: Petition) -> None:
    vaulted = select(DenunciationVault.id).where(DenunciationVault.petition_id == petition.id)
    words = _close_words(work, petition)
    if work.db_session.scalar(vaulted) is None:
        keep_denunciation(
            work,
            petition.id,
            content=petition.content or "",
            parties=_json({**_parties(petition), _WORDS: words}),
            identity=_json(_identity(work, petition)),
        )
    _empty(work, petition)
    _lock_files(work, petition)


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, default=str)


def _parties(petition: Petition) -> dict[str, object]:
    return {
        "respondent": petition.respondent,
        "respondent_unit_id": petition.respondent_unit_id,
        "wish": petition.wish,
        "place_text": petition.place_text,
        "happened_on": petition.happened_on,
        "earlier_decisions": petition.earlier_decisions,
        "title": petition.title,
    }


def _identity(work: Work, petition: Petition) -> dict[str, object]:
    sender = work.db_session.get(Person, petition.submitter_id) if petition.submitter_id else None
    others = work.db_session.scalars(
        select(Person)
        .join(PetitionParty, PetitionParty.person_id == Person.id)
        .where(PetitionParty.petition_id == petition.id)
        .order_by(Person.id)
    )
    return {
        "submitter": asdict(read_person(sender)) if sender else None,
        "submitter_id": petition.submitter_id,
        "account_id": petition.account_id,
        "on_behalf_of": open_field(
            "petition", "on_behalf_of", petition.id, petition.on_behalf_of_sealed
        ),
        "representatives": [asdict(read_person(person)) for person in others],
        "support_needs": petition.support_needs,
    }


def _people(work: Work, petition: Petition) -> set[UUID]:
    """Everybody who stands on the petition itself: sender, representatives, owners."""
    found = set(
        work.db_session.scalars(
            select(PetitionParty.person_id).where(PetitionParty.petition_id == petition.id)
        )
    )
    found |= set(
        work.db_session.scalars(
            select(Visit.person_id).where(
                Visit.petition_id == petition.id, Visit.person_id.is_not(None)
            )
        )
    )
    return found | ({petition.submitter_id} if petition.submitter_id else set())


def _empty(work: Work, petition: Petition) -> None:
    petition.content = petition.wish = petition.respondent = None
    petition.submitter_id = petition.account_id = petition.respondent_unit_id = None
    petition.on_behalf_of_sealed = petition.happened_on = None
    petition.place_text = petition.support_needs = ""
    petition.earlier_decisions = []
    gone = (
        delete(PetitionParty).where(PetitionParty.petition_id == petition.id),
        delete(Involvement).where(
            Involvement.petition_id == petition.id, Involvement.part == "owner"
        ),
        delete(UnrelatedPetition).where(
            or_(
                UnrelatedPetition.petition_id == petition.id,
                UnrelatedPetition.other_id == petition.id,
            )
        ),
    )
    for statement in gone:
        work.db_session.execute(statement)
    mask_lines(work, petition.id)
    _forget_actor(work, petition)
    work.flush()


def _forget_actor(work: Work, petition: Petition) -> None:
    """A step that the sender took while signed in names the account no more."""
    citizens = select(Account.id).where(Account.kind == "citizen")
    for step in work.db_session.scalars(
        select(ProcedureStep).where(
            ProcedureStep.run_id.in_(_runs(petition)), ProcedureStep.actor_id.in_(citizens)
        )
    ):
        step.actor_id = None


def _forget_people(work: Work, people: Iterable[UUID]) -> None:
    """Take people out of the desk's look-up whom nothing else in the system names."""
    for person_id in sorted(people):
        forget_person(work, person_id)


# --- words that officers wrote -------------------------------------------------------------------


def _runs(petition: Petition) -> Any:
    """The petition's own procedure, and those of its case when it is the only letter there."""
    own = [ProcedureRun.petition_id == petition.id]
    if petition.case_id is not None:
        alone = ~exists().where(Petition.case_id == petition.case_id, Petition.id != petition.id)
        own.append((ProcedureRun.case_id == petition.case_id) & alone)
    return select(ProcedureRun.id).where(or_(*own))


def _close_words(work: Work, petition: Petition) -> list[str]:
    """Empty every open text about the letter; returns what stood there, for the vault."""
    found = [
        *_steps(work, petition),
        *_taken(work, select(Transfer).where(Transfer.petition_id == petition.id),
                ("reason", "result")),
        *_taken(work, select(CaseLink).where(CaseLink.petition_id == petition.id),
                ("reason", "undo_reason")),
        *_taken(work, select(PetitionRequest).where(PetitionRequest.petition_id == petition.id),
                ("answer",)),
        *_taken(work,
                select(PetitionAssessment).where(PetitionAssessment.petition_id == petition.id),
                ("respondent", "competence_sentence", "competence_source")),
        *_taken(work, select(DeadlineChange).join(
            Deadline, Deadline.id == DeadlineChange.deadline_id
        ).where(Deadline.run_id.in_(_runs(petition))), ("reason",)),
        *_papers(work, petition),
    ]  # fmt: skip
    return list(dict.fromkeys(text for text in found if text))


def _taken(work: Work, rows: Any, columns: tuple[str, ...]) -> list[str]:
    found = []
    for row in work.db_session.scalars(rows):
        for column in columns:
            found.append(getattr(row, column))
            setattr(row, column, "")
    return found


def _steps(work: Work, petition: Petition) -> list[str]:
    """Reasons of steps: sealed like an opinion, so that whoever has the letter still reads them."""
    found = []
    for step in work.db_session.scalars(
        select(ProcedureStep).where(ProcedureStep.run_id.in_(_runs(petition)))
    ):
        if not step.reason:
            continue
        found.append(step.reason)
        if step.internal_reason_sealed is None:
            step.internal_reason_sealed = seal_field(
                "procedure_step", "internal_reason", step.id, step.reason
            )
        step.reason = ""
    return found


def _papers(work: Work, petition: Petition) -> list[str]:
    """Papers of the file: what was filled in is forgotten, the sealed paper gets a closed key."""
    for paper in work.db_session.scalars(
        select(IssuedDocument).where(IssuedDocument.petition_id == petition.id)
    ):
        paper.fields_sealed = None
    titles = []
    for scan in work.db_session.scalars(
        select(DigitisedDocument).where(DigitisedDocument.petition_id == petition.id)
    ):
        titles.append(scan.title)
        scan.title, scan.text_sealed = DENUNCIATION_TITLE, None
    return titles


def _lock_files(work: Work, petition: Petition) -> None:
    """Put the keys of everything sealed about the letter under those of denunciations."""
    of_petition = (
        select(Attachment.sealed_object_id).where(Attachment.petition_id == petition.id),
        select(DigitisedDocument.sealed_object_id).where(
            DigitisedDocument.petition_id == petition.id
        ),
        select(IssuedDocument.sealed_object_id).where(
            IssuedDocument.petition_id == petition.id,
            IssuedDocument.sealed_object_id.is_not(None),
        ),
        select(IssuedDocument.sealed_object_id)
        .join(Visit, Visit.id == IssuedDocument.visit_id)
        .where(Visit.petition_id == petition.id, IssuedDocument.sealed_object_id.is_not(None)),
    )
    ids = {key for rows in of_petition for key in work.db_session.scalars(rows)}
    for one in work.db_session.scalars(select(SealedObject).where(SealedObject.id.in_(ids))):
        seal_as_denunciation(one, now=utc_now())


# --- cases ---------------------------------------------------------------------------------------


def leave_open_cases(work: Work, petition: Petition, *, by: UUID | None, known_as: str) -> None:
    """A denunciation hangs on no open case. A case of its own is locked together with it.

    `known_as` is the title that the letter had before: a case that it named gets another's.
    """
    left = work.db_session.get(Case, petition.case_id) if petition.case_id else None
    if left is not None and _others(work, petition):
        leave_case(work, petition, by=by, reason=LOCKED_REASON)
        _rename(work, left, known_as)
    _undo_related(work, petition, by=by)
    for item in work.db_session.scalars(
        select(AgendaItem).where(AgendaItem.petition_id == petition.id)
    ):
        item.case_id = petition.case_id
    work.flush()


def _rename(work: Work, case: Case, known_as: str) -> None:
    """The case goes on under the title of the letter that is first now; search follows."""
    first = first_petition_id(work, case)
    if case.title == known_as and first is not None:
        case.title = work.get(Petition, first).title
    keep_case_searchable(work, case)


def _undo_related(work: Work, petition: Petition, *, by: UUID | None) -> None:
    """Links to what is only related, from this letter and to the case that is locked with it."""
    mine = CaseLink.petition_id == petition.id
    to_mine = CaseLink.case_id == petition.case_id
    links = work.db_session.scalars(
        select(CaseLink).where(
            or_(mine, to_mine) if petition.case_id else mine,
            CaseLink.undone_at.is_(None),
            CaseLink.kind == LinkKind.RELATED.value,
        )
    ).all()
    for link in links:
        undo_link(work, link, by=by, reason=LOCKED_REASON)
        link.reason = ""


def _others(work: Work, petition: Petition) -> bool:
    others = select(Petition.id).where(
        Petition.case_id == petition.case_id, Petition.id != petition.id
    )
    return work.db_session.scalars(others).first() is not None


__all__ = ["LOCKED_REASON", "leave_open_cases", "lock_away"]
