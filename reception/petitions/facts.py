"""What is known of a petition when a step is tried: built here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.database import Work
from storage.models import (
    CaseLink,
    IssuedDocument,
    Petition,
    PetitionAssessment,
    ProcedureRun,
    ProcedureStep,
)
from storage.steps import run_of, steps_of
from storage.subjects import kind_of
from workflows.cases import LinkKind
from workflows.kinds import Round
from workflows.procedures.guards import Facts

SIGNED = ("photo", "digital", "paper")
RESULT_FORMS = ("answer",)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the officer says in the form of the step itself."""

    reason: str = ""
    signed_now: bool = False
    new_facts: bool = False
    in_writing: bool = False
    part: bool = False
    document_number: str = ""


NOTHING_SAID = Said()


@dataclass(frozen=True)
class Dossier:
    """A petition with the rows its facts are read from."""

    petition: Petition
    run: ProcedureRun
    steps: list[ProcedureStep]
    assessment: PetitionAssessment | None
    repeats: bool
    has_result: bool

    @property
    def events(self) -> list[str]:
        """What was done and not taken back, in order."""
        undone = {step.undoes_id for step in self.steps}
        return [step.event for step in self.steps if step.id not in undone]

    @property
    def competent_here(self) -> bool:
        """Whether the unit that holds the petition was found competent for it."""
        found = self.assessment
        return found is not None and found.competent_unit_id == self.petition.holder_unit_id


def dossier_of(work: Work, petition: Petition) -> Dossier:
    """Everything the procedure asks about a petition."""
    run = run_of(work, "PET", petition_id=petition.id)
    return Dossier(
        petition,
        run,
        steps_of(work, run.id),
        newest_assessment(work.db_session, petition.id),
        _repeats(work.db_session, petition),
        _has_result(work.db_session, petition.id),
    )


def newest_assessment(db_session: Session, petition_id: UUID) -> PetitionAssessment | None:
    """What the officer who classified last found."""
    return db_session.scalar(
        select(PetitionAssessment)
        .where(PetitionAssessment.petition_id == petition_id)
        .order_by(PetitionAssessment.created_at.desc(), PetitionAssessment.id.desc())
        .limit(1)
    )


def facts_of(dossier: Dossier, said: Said = NOTHING_SAID) -> Facts:
    """The facts that the guards of the petition procedure ask for."""
    petition, found, events = dossier.petition, dossier.assessment, dossier.events
    kind = kind_of(petition.kind)
    return Facts(
        kind=kind,
        round=Round.SECOND if petition.round == 2 else Round.FIRST,
        kind_confirmed="classify" in events,
        signed=_signed(petition) or "sign" in events or said.signed_now,
        anonymous=petition.anonymous,
        protection_requested=petition.protection_requested,
        identity_checked="check_identity" in events,
        guided_before="guide" in events,
        competent=dossier.competent_here,
        duplicate=dossier.repeats,
        new_facts=said.new_facts,
        part_withdrawn=said.part,
        withdrawal_in_writing=said.in_writing,
        reason_given=bool(said.reason.strip()),
        result_document=dossier.has_result or bool(said.document_number.strip()),
        eligible=found is not None and found.eligible,
        clear_evidence=found is not None and found.clear_evidence,
        copied_to_competent_body=found is not None and found.copied_to_competent_body,
        forwarded_by_elected_body_or_press=found is not None and found.from_elected_body_or_press,
        criminal_signs=found is not None and found.criminal_signs,
        many_places_or_delegated=found is not None and found.many_places,
    )


def _signed(petition: Petition) -> bool:
    return petition.signing in SIGNED or petition.signed_on is not None


def _repeats(db_session: Session, petition: Petition) -> bool:
    """Whether an officer confirmed that the same person sent the same matter before."""
    found = db_session.scalars(
        select(CaseLink.id).where(
            CaseLink.petition_id == petition.id,
            CaseLink.kind == LinkKind.REPEAT.value,
            CaseLink.undone_at.is_(None),
        )
    )
    return found.first() is not None


def _has_result(db_session: Session, petition_id: UUID) -> bool:
    found = db_session.scalars(
        select(IssuedDocument.id).where(
            IssuedDocument.petition_id == petition_id,
            IssuedDocument.form.in_(RESULT_FORMS),
            IssuedDocument.state.in_(("signed", "issued")),
        )
    )
    return found.first() is not None


__all__ = ["NOTHING_SAID", "Dossier", "Said", "dossier_of", "facts_of", "newest_assessment"]
