"""Petitions (đơn), what came with them, and the vault of denunciations."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, Counter, Created, Identified, one_of, utc_now

KINDS = ("complaint", "denunciation", "recommendation", "feedback", "mixed", "unclassified")
CHANNELS = ("online", "desk", "post", "reception_session", "forwarded")
SECRECY = ("normal", "restricted", "compartment", "off_system")
SIGNING = ("photo", "digital", "at_unit", "paper", "none")
FOR_WHOM = ("self", "other", "organisation", "group")


class Petition(Identified, Created, Base):
    """Any letter of a citizen. `state` is a copy that only `record()` writes.

    A denunciation keeps its content and parties in `DenunciationVault` alone: here `title`
    holds a neutral sentence, and content, respondent and submitter stay empty.
    """

    __tablename__ = "petition"
    __table_args__ = (
        one_of("kind", *KINDS),
        one_of("channel", *CHANNELS),
        one_of("secrecy", *SECRECY),
        one_of("signing", *SIGNING),
        one_of("for_whom", *FOR_WHOM),
        CheckConstraint("group_size >= 1", name="group_size_positive"),
        CheckConstraint("round BETWEEN 1 AND 2", name="round_known"),
        CheckConstraint(
            "secrecy NOT IN ('compartment', 'off_system') OR (content IS NULL "
            "AND submitter_id IS NULL AND respondent IS NULL)",
            name="denunciation_only_in_vault",
        ),
    )

    search_id: Mapped[int] = mapped_column(unique=True)
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    round: Mapped[int] = mapped_column(default=1)
    field_code: Mapped[str | None] = mapped_column(ForeignKey("field.code"))
    title: Mapped[str]
    content: Mapped[str | None]
    wish: Mapped[str | None]
    respondent: Mapped[str | None]
    respondent_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    earlier_decisions: Mapped[list[Any]] = mapped_column(default=list)
    place_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"), index=True)
    place_text: Mapped[str] = mapped_column(default="")
    happened_on: Mapped[date | None]
    channel: Mapped[str]
    receiving_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    holder_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    submitter_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    for_whom: Mapped[str] = mapped_column(default="self")
    on_behalf_of_sealed: Mapped[bytes | None]
    anonymous: Mapped[bool] = mapped_column(default=False)
    group_size: Mapped[int] = mapped_column(default=1)
    secrecy: Mapped[str] = mapped_column(default="normal")
    signing: Mapped[str] = mapped_column(default="none")
    signed_on: Mapped[date | None]
    wants_online: Mapped[bool] = mapped_column(default=False)
    support_needs: Mapped[str] = mapped_column(default="")
    online_requested_on: Mapped[date | None]
    online_reason: Mapped[str] = mapped_column(default="")
    protection_requested: Mapped[bool] = mapped_column(default=False)
    submitted_at: Mapped[datetime] = mapped_column(default=utc_now)
    received_on: Mapped[date]
    clock_starts_on: Mapped[date | None]
    due_on: Mapped[date | None]
    assigned_to: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    look_up_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    state: Mapped[str]
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("case.id"), index=True)
    postal: Mapped[dict[str, Any] | None]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


Index("ix_petition_holder_state_due", Petition.holder_unit_id, Petition.state, Petition.due_on)
Index("ix_petition_place_received", Petition.place_unit_id, Petition.received_on)


class DenunciationVault(Identified, Created, Base):
    """Identity, content and parties of one denunciation under a key of its own.

    Never joined by search, duplicates, notices, exports, the map or job payloads.
    Source: Luật Tố cáo 25/2018/QH14, Điều 8, 47-58.
    """

    __tablename__ = "denunciation_vault"

    petition_id: Mapped[UUID] = mapped_column(ForeignKey("petition.id"), unique=True)
    kid: Mapped[str]
    wrapped_key: Mapped[bytes]
    content_sealed: Mapped[bytes]
    parties_sealed: Mapped[bytes]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class DenouncerIdentity(Identified, Created, Base):
    """Who denounces, under a key of its own; every read is audited with a reason."""

    __tablename__ = "denouncer_identity"

    petition_id: Mapped[UUID] = mapped_column(ForeignKey("petition.id"), unique=True)
    kid: Mapped[str]
    wrapped_key: Mapped[bytes]
    identity_sealed: Mapped[bytes]


class PetitionParty(Identified, Base):
    """A further person on a petition: representative, authorised person, member of the group."""

    __tablename__ = "petition_party"
    __table_args__ = (
        UniqueConstraint("petition_id", "person_id"),
        one_of("part", "complainant", "representative", "authorised_person", "member"),
    )

    petition_id: Mapped[UUID] = mapped_column(ForeignKey("petition.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    part: Mapped[str]


class PetitionIdentifier(Base):
    """A fact that tells matters apart: decision number, plot, date, sum. Not for denunciations."""

    __tablename__ = "petition_identifier"

    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    petition_id: Mapped[UUID] = mapped_column(
        ForeignKey("petition.id"), primary_key=True, index=True
    )


class PetitionDraft(Identified, Created, Base):
    """An unfinished petition: everything typed is sealed; found again by a secret link."""

    __tablename__ = "petition_draft"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    channel: Mapped[str]
    page: Mapped[str]
    data_sealed: Mapped[bytes]
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    petition_id: Mapped[UUID | None] = mapped_column(ForeignKey("petition.id"))
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Attachment(Identified, Created, Base):
    """A file that came with a petition; sealed from its first byte."""

    __tablename__ = "attachment"
    __table_args__ = (
        one_of("part", "signed_petition", "evidence", "envelope", "digital_petition", "authority"),
        CheckConstraint(
            "petition_id IS NOT NULL OR draft_id IS NOT NULL", name="belongs_somewhere"
        ),
    )

    petition_id: Mapped[UUID | None] = mapped_column(ForeignKey("petition.id"), index=True)
    draft_id: Mapped[UUID | None] = mapped_column(ForeignKey("petition_draft.id"), index=True)
    part: Mapped[str]
    file_name_sealed: Mapped[bytes]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    pages: Mapped[int | None]
    sealed_object_id: Mapped[UUID] = mapped_column(ForeignKey("sealed_object.id"))
    position: Mapped[int] = mapped_column(default=0)
    removed_at: Mapped[datetime | None]


class PetitionRequest(Identified, Created, Base):
    """What the sender asks of the officer in charge: to withdraw, in part or whole, or to hurry.

    It changes nothing by itself; an officer answers it with a step of the procedure.
    """

    __tablename__ = "petition_request"
    __table_args__ = (
        one_of("kind", "withdraw", "withdraw_part", "hurry"),
        one_of("state", "open", "done", "refused"),
    )

    petition_id: Mapped[UUID] = mapped_column(ForeignKey("petition.id"), index=True)
    kind: Mapped[str]
    asked_on: Mapped[date]
    reason_sealed: Mapped[bytes | None]
    attachment_id: Mapped[UUID | None] = mapped_column(ForeignKey("attachment.id"))
    state: Mapped[str] = mapped_column(default="open")
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    answer: Mapped[str] = mapped_column(default="")


class PetitionAssessment(Identified, Created, Base):
    """What an officer found when classifying; the newest row counts, the older ones stay.

    `respondent` is the kind of body or person complained of and stays empty for a denunciation.
    `competent_unit_id` None means a body outside this system.
    """

    __tablename__ = "petition_assessment"
    __table_args__ = (
        CheckConstraint("eligible OR not_eligible_ground <> ''", name="refusal_has_ground"),
    )

    petition_id: Mapped[UUID] = mapped_column(ForeignKey("petition.id"), index=True)
    on: Mapped[date]
    assessed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    eligible: Mapped[bool]
    not_eligible_ground: Mapped[str] = mapped_column(default="")
    respondent: Mapped[str] = mapped_column(default="")
    competent_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    competence_sentence: Mapped[str] = mapped_column(default="")
    competence_source: Mapped[str] = mapped_column(default="")
    needs_confirmation: Mapped[bool] = mapped_column(default=False)
    clear_evidence: Mapped[bool] = mapped_column(default=False)
    copied_to_competent_body: Mapped[bool] = mapped_column(default=False)
    from_elected_body_or_press: Mapped[bool] = mapped_column(default=False)
    criminal_signs: Mapped[bool] = mapped_column(default=False)
    many_places: Mapped[bool] = mapped_column(default=False)


class UnrelatedPetition(Identified, Created, Base):
    """An officer looked at a hint and said that two petitions are not about one matter."""

    __tablename__ = "unrelated_petition"
    __table_args__ = (UniqueConstraint("petition_id", "other_id"),)

    petition_id: Mapped[UUID] = mapped_column(ForeignKey("petition.id"))
    other_id: Mapped[UUID] = mapped_column(ForeignKey("petition.id"), index=True)
    decided_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))


class DigitisedDocument(Identified, Created, Base):
    """A scanned paper: picture, recognised text, confidence and where the paper lies."""

    __tablename__ = "digitised_document"

    petition_id: Mapped[UUID | None] = mapped_column(ForeignKey("petition.id"), index=True)
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("case.id"), index=True)
    sealed_object_id: Mapped[UUID] = mapped_column(ForeignKey("sealed_object.id"))
    title: Mapped[str]
    paper_reference: Mapped[str]
    pages: Mapped[int]
    text_sealed: Mapped[bytes | None]
    confidence: Mapped[float | None]
    checked_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class SearchCounter(Base):
    """Hands out the small integers that the search index addresses records by."""

    __tablename__ = "search_counter"

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    kind: Mapped[str]


class SearchDocument(Base):
    """What may be searched of a petition or case: as written and folded. Never a denunciation."""

    __tablename__ = "search_document"

    search_id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False)
    petition_id: Mapped[UUID | None] = mapped_column(ForeignKey("petition.id"), unique=True)
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("case.id"), unique=True)
    exact: Mapped[str]
    folded: Mapped[str]
