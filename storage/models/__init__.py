"""Every record the system keeps."""

from storage.models.base import Base, new_id, utc_now
from storage.models.cases import (
    Case,
    CaseLink,
    CaseNote,
    CaseUnit,
    Decision,
    Enforcement,
    Involvement,
    IssuedDocument,
    Transfer,
)
from storage.models.ledger import (
    AuditLeaf,
    AuditNode,
    AuditTree,
    Checkpoint,
    DailyFact,
    Job,
    MonthlyFact,
    Notice,
    OutboxMessage,
    OutboxReceipt,
    ReportSnapshot,
    ScheduledTask,
)
from storage.models.people import (
    Account,
    KeyDestruction,
    KeyEncryptionKey,
    LoginSession,
    Person,
    PersonNameToken,
    Post,
    RateBucket,
)
from storage.models.petitions import (
    Attachment,
    DenouncerIdentity,
    DenunciationVault,
    DigitisedDocument,
    Petition,
    PetitionAssessment,
    PetitionDraft,
    PetitionIdentifier,
    PetitionParty,
    PetitionRequest,
    SearchCounter,
    SearchDocument,
    UnrelatedPetition,
)
from storage.models.recordings import (
    LiveChunk,
    MediaServer,
    PlayableCopy,
    PlaybackGrant,
    PlaybackOpening,
    Recording,
    SealedObject,
    Segment,
    Track,
)
from storage.models.sessions import (
    AgendaItem,
    Conclusion,
    Marker,
    MediaJoin,
    Minutes,
    Participant,
    PresenceEvent,
    ReceptionSession,
    SessionPoint,
    Ticket,
    Visit,
)
from storage.models.steps import Deadline, DeadlineChange, ProcedureRun, ProcedureStep
from storage.models.units import (
    Field,
    FormerUnit,
    Holiday,
    HolidayYear,
    LegalRule,
    Setting,
    Unit,
    UnitGeometry,
    UnitType,
)

__all__ = [
    "Account", "AgendaItem", "Attachment", "AuditLeaf", "AuditNode", "AuditTree", "Base", "Case",
    "CaseLink", "CaseNote", "CaseUnit", "Checkpoint", "Conclusion", "DailyFact", "Deadline",
    "DeadlineChange", "Decision", "DenouncerIdentity", "DenunciationVault", "DigitisedDocument",
    "Enforcement", "Field", "FormerUnit", "Holiday", "HolidayYear", "Involvement",
    "IssuedDocument", "Job",
    "KeyDestruction",
    "KeyEncryptionKey", "LegalRule", "LiveChunk", "LoginSession", "Marker", "MediaJoin",
    "MediaServer", "Minutes", "MonthlyFact", "Notice",
    "OutboxMessage", "OutboxReceipt", "Participant", "Person", "PersonNameToken", "Petition",
    "PetitionAssessment", "PetitionDraft", "PetitionIdentifier", "PetitionParty",
    "PetitionRequest", "PlayableCopy",
    "PlaybackGrant",
    "PlaybackOpening", "Post", "PresenceEvent", "ProcedureRun", "ProcedureStep", "RateBucket",
    "ReceptionSession", "Recording", "ReportSnapshot", "ScheduledTask", "SealedObject",
    "SearchCounter", "SearchDocument", "Segment", "SessionPoint", "Setting", "Ticket",
    "Track", "Transfer", "Unit", "UnitGeometry", "UnitType", "UnrelatedPetition", "Visit",
    "new_id", "utc_now",
]  # fmt: skip
