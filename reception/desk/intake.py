"""What one visit at the desk consists of, as plain values: the form reads, operations keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from storage.identities import PersonData

KINDS = ("complaint", "denunciation", "recommendation", "information")
OUTCOMES = ("petition", "oral_guidance", "papers_received", "refused")
PAPER_FORMS = ("copy", "certified", "original", "photo", "file")


@dataclass(frozen=True)
class Paper:
    """One paper handed over: its name, what it is (copy, original ...) and how many sheets."""

    name: str
    form: str
    sheets: int


@dataclass(frozen=True, kw_only=True)
class Intake:
    """One visit: who, about what, and how it ended. `key` makes a double submit one line."""

    key: str
    outcome: str
    kind: str
    visitor: PersonData
    content: str
    ticket_id: UUID | None = None
    person_id: UUID | None = None
    identity_checked: bool = False
    field_code: str | None = None
    decision: str = ""
    place_unit_id: UUID | None = None
    place_text: str = ""
    people: int = 1
    settled_by: str = ""
    within_jurisdiction: bool | None = None
    # a petition is taken
    signed: bool = True
    respondent: str = ""
    wants_online: bool = False
    protection: bool = False
    different_matter: bool = False
    representatives: tuple[str, ...] = field(default_factory=tuple)
    # oral guidance, or a refusal with its reason
    answer: str = ""
    guided_to: str = ""
    ground: str = ""
    # papers
    papers: tuple[Paper, ...] = field(default_factory=tuple)
    petition_id: UUID | None = None

    @property
    def masked(self) -> bool:
        """Whether content and visitor belong in the vault: a denunciation, or protection asked."""
        return self.kind == "denunciation" or (self.outcome == "petition" and self.protection)
