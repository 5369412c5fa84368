"""Who may do what: role × unit tree × assignment × secrecy × conflict, denied by default.

Public names: Role, Permission, UnitPath, Post, Actor, Subject, Decision, Reach, decide,
ensure_allowed, holds, reach. Sources: NĐ 154/2026/NĐ-CP, Điều 12; Luật Tố cáo 25/2018/QH14,
Điều 8, 56; Luật Tiếp công dân 42/2013/QH13 as amended by Luật 136/2025/QH15.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, Flag, StrEnum, auto
from types import MappingProxyType
from uuid import UUID

from workflows.errors import NotAllowed
from workflows.kinds import PetitionKind
from workflows.secrecy import Secrecy

UnitPath = tuple[str, ...]
"""Unit codes from the top down: ("75",) the province, ("75", "26041") one of its communes."""

PersonId = UUID
ROOT: UnitPath = ()


class Role(StrEnum):
    """What a post lets its holder do; labels stand in storage/reference/roles.csv."""

    CITIZEN = "citizen"
    COMMUNE_OFFICER = "commune_officer"  # công chức tiếp công dân xã
    COMMUNE_ADVISORY = "commune_advisory"  # đơn vị tham mưu xã
    COMMUNE_CHAIR = "commune_chair"  # Chủ tịch UBND xã
    PETITION_HANDLER = "petition_handler"  # chuyên viên xử lý đơn của sở, Ban TCD
    APPROVING_LEADER = "approving_leader"  # lãnh đạo duyệt
    DEPARTMENT_HEAD = "department_head"  # giám đốc sở
    BOARD_HEAD = "board_head"  # Trưởng Ban Tiếp công dân
    BOARD_OFFICER = "board_officer"  # công chức Ban Tiếp công dân
    OFFICE_REPRESENTATIVE = "office_representative"  # đại diện các cơ quan tại Trụ sở
    PROVINCIAL_INSPECTOR = "provincial_inspector"  # thanh tra viên
    VERIFIER = "verifier"  # người xác minh
    PROVINCIAL_CHAIR = "provincial_chair"  # Chủ tịch UBND tỉnh
    PROVINCIAL_OFFICE = "provincial_office"  # Văn phòng UBND tỉnh
    CLERK = "clerk"  # văn thư
    POINT_TECHNICIAN = "point_technician"  # kỹ thuật điểm cầu
    ADMINISTRATOR = "administrator"  # quản trị hệ thống
    LOG_AUDITOR = "log_auditor"  # giám sát nhật ký


class Permission(StrEnum):
    """One verb each. A page asks for one, the operation decides it on the real record."""

    PETITION_FILE = "petition.file"
    PETITION_FOLLOW = "petition.follow"  # the citizen's own view: stage and issued documents
    PETITION_SEE = "petition.see"
    PETITION_EDIT = "petition.edit"
    PETITION_CHECK_IDENTITY = "petition.check_identity"
    PETITION_CLASSIFY = "petition.classify"
    PETITION_PROPOSE = "petition.propose"
    PETITION_APPROVE = "petition.approve"  # a second person signs off a draft
    PETITION_ACCEPT = "petition.accept"
    PETITION_FORWARD = "petition.forward"
    PETITION_RECEIVE = "petition.receive"  # take over what another unit forwarded
    PETITION_RETURN = "petition.return"
    PETITION_GUIDE = "petition.guide"
    PETITION_KEEP_ON_FILE = "petition.keep_on_file"
    PETITION_REPORT_RESULT = "petition.report_result"
    PETITION_WITHDRAW = "petition.withdraw"
    PETITION_UNDO = "petition.undo"
    PETITION_ASSIGN = "petition.assign"
    PETITION_COUNT = "petition.count"  # status and numbers only, no content
    ATTACHMENT_SEE = "attachment.see"
    ATTACHMENT_ADD = "attachment.add"
    DENOUNCER_IDENTITY_SEE = "denouncer.identity_see"
    DENUNCIATION_REDACTED_SEE = "denunciation.redacted_see"
    DESK_INTAKE = "desk.intake"
    DESK_REFUSE = "desk.refuse"
    DESK_RECEIPT = "desk.receipt"  # 02/TCD, papers handed over
    DESK_QUEUE = "desk.queue"
    POST_BATCH = "post.batch"
    BOOK_SEE = "book.see"
    BOOK_WRITE = "book.write"
    CASE_SEE = "case.see"  # what levels share: identity, status, issued documents
    CASE_DRAFT_SEE = "case.draft_see"  # drafts, verification, opinions of the own level
    CASE_OPEN = "case.open"
    CASE_LINK = "case.link"
    CASE_CONFLICT_RECORD = "case.conflict_record"  # who must stay away from a matter
    IDENTITY_GRANT = "denouncer.identity_grant"  # decide who may know the denouncer
    CASE_RETRIEVE = "case.retrieve"  # an inspector asks for the file with a reason
    CASE_RETRIEVE_APPROVE = "case.retrieve_approve"
    DOCUMENT_DRAFT = "document.draft"
    DOCUMENT_NUMBER = "document.number"  # number, seal, issue
    DOCUMENT_SCAN = "document.scan"
    COMPLAINT_VERIFY = "complaint.verify"
    COMPLAINT_DECIDE = "complaint.decide"
    SESSION_REQUEST = "session.request"
    SESSION_SEE = "session.see"
    SESSION_SCHEDULE = "session.schedule"
    SESSION_NOTIFY = "session.notify"
    SESSION_CHAIR = "session.chair"
    SESSION_JOIN = "session.join"
    SESSION_ADMIT = "session.admit"
    SESSION_TEST_POINT = "session.test_point"
    SESSION_MINUTES = "session.minutes"
    SESSION_CONCLUDE = "session.conclude"
    SESSION_HOME_LINK = "session.home_link"
    RECORDING_LIST = "recording.list"
    RECORDING_REQUEST = "recording.request"
    RECORDING_APPROVE = "recording.approve"
    RECORDING_PLAY = "recording.play"
    RECORDING_VERIFY = "recording.verify"
    RECORDING_EXPORT = "recording.export"
    RECORDING_SIGN = "recording.sign"
    SEARCH = "search"
    AUDIT_READ = "audit.read"
    ACCESS_LOG_SEE = "access_log.see"  # who opened this one record
    DATAMAP_SEE = "datamap.see"
    DATAMAP_PUBLISH = "datamap.publish"
    DATAMAP_IMPORT = "datamap.import"
    REPORT_SEE = "report.see"
    REPORT_BUILD = "report.build"
    REPORT_SIGN = "report.sign"
    OVERDUE_SEE = "overdue.see"
    EXCHANGE_RUN = "exchange.run"
    ACCOUNT_MANAGE = "account.manage"
    UNIT_MANAGE = "unit.manage"
    CALENDAR_MANAGE = "calendar.manage"
    SETTINGS_MANAGE = "settings.manage"
    KEYS_MANAGE = "keys.manage"
    HEALTH_SEE = "health.see"
    JOBS_SEE = "jobs.see"
    NOTICE_SEE = "notice.see"  # one's own notices and tasks


class Scope(Flag):
    """How far a grant reaches from the post that carries it."""

    OWN = auto()  # the citizen's own records
    ASSIGNED = auto()  # records given to this person by name
    UNIT = auto()  # records of exactly the post's unit
    TREE = auto()  # records of the post's unit and all below it
    SHARED = auto()  # records of a case that the post's unit shares
    READING = auto()  # records of a case whose file this person may read for a term
    NAMED = auto()  # records whose denouncer this person may know, by a decision
    ANYWHERE = auto()  # not about one unit's records
    PUBLIC = auto()  # may be asked for with no post at all


_STAFF = {Permission.NOTICE_SEE: Scope.ANYWHERE}
_MAP = {Permission.DATAMAP_SEE: Scope.ANYWHERE}  # small counts stay hidden beyond PETITION_COUNT
_UNIT = Scope.UNIT | Scope.ASSIGNED
_SEEN = Scope.UNIT | Scope.ASSIGNED | Scope.SHARED
_TREE = Scope.TREE | Scope.ASSIGNED | Scope.SHARED


def _all(permissions: str, scope: Scope) -> dict[Permission, Scope]:
    """The named permissions, one scope; names are split at white space."""
    return {Permission[name]: scope for name in permissions.split()}


_DESK = "DESK_INTAKE DESK_REFUSE DESK_RECEIPT DESK_QUEUE POST_BATCH BOOK_SEE BOOK_WRITE"
_HANDLING = (
    "PETITION_EDIT PETITION_CHECK_IDENTITY PETITION_CLASSIFY PETITION_PROPOSE PETITION_RECEIVE"
    " PETITION_GUIDE PETITION_KEEP_ON_FILE PETITION_REPORT_RESULT PETITION_WITHDRAW PETITION_UNDO"
    " PETITION_FORWARD ATTACHMENT_ADD CASE_DRAFT_SEE CASE_OPEN CASE_LINK DOCUMENT_DRAFT"
    " DOCUMENT_SCAN SESSION_REQUEST ACCESS_LOG_SEE"
)
_READING = "PETITION_SEE ATTACHMENT_SEE CASE_SEE RECORDING_LIST"
_ASKING = {  # ask for a recording with a reason; a grant then names the person on the recording
    Permission.RECORDING_REQUEST: _SEEN,
    Permission.RECORDING_PLAY: Scope.ASSIGNED,
}
_SESSION_WORK = "SESSION_SCHEDULE SESSION_NOTIFY SESSION_TEST_POINT SESSION_ADMIT SESSION_MINUTES"
_LEADING = (
    "PETITION_APPROVE PETITION_ACCEPT PETITION_RETURN PETITION_ASSIGN PETITION_FORWARD"
    " PETITION_WITHDRAW PETITION_UNDO CASE_DRAFT_SEE CASE_OPEN CASE_LINK COMPLAINT_DECIDE"
    " SESSION_REQUEST SESSION_SCHEDULE SESSION_CHAIR SESSION_ADMIT SESSION_CONCLUDE"
    " SESSION_HOME_LINK DESK_REFUSE BOOK_SEE RECORDING_APPROVE RECORDING_PLAY RECORDING_VERIFY"
    " CASE_RETRIEVE_APPROVE REPORT_SEE REPORT_SIGN ACCESS_LOG_SEE DOCUMENT_DRAFT"
)
_OVERVIEW = "PETITION_COUNT OVERDUE_SEE REPORT_SEE"
_IDENTITY_BY_DECISION = {Permission.DENOUNCER_IDENTITY_SEE: Scope.NAMED}
_IDENTITY_OF_OWN = {
    Permission.DENOUNCER_IDENTITY_SEE: Scope.NAMED | Scope.UNIT,
    Permission.IDENTITY_GRANT: Scope.UNIT,
}
_CONFLICTS_HERE = {Permission.CASE_CONFLICT_RECORD: Scope.UNIT}
_CONFLICTS_BELOW = {Permission.CASE_CONFLICT_RECORD: Scope.TREE}  # also about a commune's own head
_JOINING = {**_all("SESSION_SEE SESSION_JOIN", _SEEN), Permission.SEARCH: Scope.ANYWHERE}

_GRANTS: dict[Role, dict[Permission, Scope]] = {
    Role.CITIZEN: {
        **_all("PETITION_FILE SESSION_REQUEST DATAMAP_SEE", Scope.PUBLIC),
        **_all(
            "PETITION_FOLLOW ATTACHMENT_ADD ATTACHMENT_SEE PETITION_WITHDRAW SESSION_SEE"
            " SESSION_JOIN RECORDING_REQUEST",
            Scope.OWN,
        ),
        Permission.NOTICE_SEE: Scope.ANYWHERE,
    },
    Role.COMMUNE_OFFICER: {
        **_STAFF,
        **_JOINING,
        **_IDENTITY_BY_DECISION,
        **_ASKING,
        **_all(_DESK, Scope.UNIT),
        **_all(_HANDLING, _UNIT),
        **_all(_READING, _SEEN),
        **_all("SESSION_ADMIT SESSION_MINUTES SESSION_TEST_POINT", _SEEN),
        **_MAP,
        **_all(_OVERVIEW, Scope.UNIT),
    },
    Role.COMMUNE_ADVISORY: {
        **_STAFF,
        **_JOINING,
        **_IDENTITY_BY_DECISION,
        **_ASKING,
        **_all(_HANDLING, _UNIT),
        **_all(_READING, _SEEN),
        **_all(_SESSION_WORK, _UNIT),
        **_all("BOOK_SEE POST_BATCH REPORT_BUILD", Scope.UNIT),
        **_MAP,
        **_all(_OVERVIEW, Scope.UNIT),
    },
    Role.COMMUNE_CHAIR: {
        **_STAFF,
        **_CONFLICTS_HERE,
        **_JOINING,
        **_all(_READING, _SEEN),
        **_all(_LEADING, _UNIT),
        **_IDENTITY_OF_OWN,
        **_MAP,
        **_all(_OVERVIEW, Scope.UNIT),
    },
    Role.PETITION_HANDLER: {
        **_STAFF,
        **_JOINING,
        **_IDENTITY_BY_DECISION,
        **_ASKING,
        **_all(_HANDLING, Scope.ASSIGNED),
        **_all("PETITION_SEE ATTACHMENT_SEE CASE_SEE RECORDING_LIST", _SEEN),
        **_all("PETITION_RECEIVE POST_BATCH BOOK_SEE", Scope.UNIT),
        **_all(_SESSION_WORK, _UNIT),
        **_all("REPORT_BUILD", Scope.UNIT),
        **_MAP,
        **_all(_OVERVIEW, Scope.UNIT),
    },
    Role.APPROVING_LEADER: {
        **_STAFF,
        **_CONFLICTS_HERE,
        **_JOINING,
        **_all(_READING, _SEEN),
        **_all(
            "PETITION_APPROVE PETITION_FORWARD PETITION_RETURN PETITION_GUIDE PETITION_ASSIGN"
            " PETITION_KEEP_ON_FILE PETITION_UNDO CASE_DRAFT_SEE CASE_LINK ACCESS_LOG_SEE",
            _UNIT,
        ),
        **_MAP,
        **_all(_OVERVIEW, Scope.UNIT),
    },
    Role.DEPARTMENT_HEAD: {
        **_STAFF,
        **_CONFLICTS_HERE,
        **_JOINING,
        **_all(_READING, _SEEN),
        **_all(_LEADING, _UNIT),
        **_IDENTITY_OF_OWN,
        **_MAP,
        **_all(_OVERVIEW, Scope.UNIT),
    },
    Role.BOARD_HEAD: {
        **_STAFF,
        **_CONFLICTS_BELOW,
        **_JOINING,
        **_IDENTITY_BY_DECISION,
        **_all(_DESK, Scope.UNIT),
        **_all(_READING, _TREE),
        **_all(_HANDLING, _UNIT),
        **_all(
            "PETITION_APPROVE PETITION_ASSIGN PETITION_RETURN SESSION_CHAIR SESSION_CONCLUDE"
            " SESSION_HOME_LINK RECORDING_APPROVE RECORDING_VERIFY CASE_RETRIEVE_APPROVE"
            " RECORDING_PLAY",
            _UNIT,
        ),
        **_all(_SESSION_WORK, _TREE),
        **_all("SESSION_SEE SESSION_JOIN", _TREE),
        **_all("REPORT_BUILD REPORT_SIGN EXCHANGE_RUN", Scope.TREE),
        **_MAP,
        **_all(_OVERVIEW, Scope.TREE),
    },
    Role.BOARD_OFFICER: {
        **_STAFF,
        **_JOINING,
        **_IDENTITY_BY_DECISION,
        **_ASKING,
        **_all(_DESK, Scope.UNIT),
        **_all(_READING, _TREE),
        **_all(_HANDLING, _UNIT),
        **_all(_SESSION_WORK, _TREE),
        **_all("SESSION_SEE SESSION_JOIN", _TREE),
        **_all("REPORT_BUILD EXCHANGE_RUN", Scope.TREE),
        **_MAP,
        **_all(_OVERVIEW, Scope.TREE),
    },
    Role.OFFICE_REPRESENTATIVE: {
        **_STAFF,
        **_JOINING,
        **_all("DESK_INTAKE DESK_QUEUE BOOK_SEE BOOK_WRITE", Scope.UNIT),
        **_all(_READING, _UNIT),
    },
    Role.PROVINCIAL_INSPECTOR: {
        **_STAFF,
        **_JOINING,
        **_all("PETITION_SEE ATTACHMENT_SEE CASE_DRAFT_SEE", Scope.ASSIGNED | Scope.READING),
        **_all("RECORDING_PLAY RECORDING_VERIFY RECORDING_EXPORT", Scope.ASSIGNED),
        **_all("CASE_SEE RECORDING_LIST ACCESS_LOG_SEE", Scope.TREE | Scope.ASSIGNED),
        **_all("CASE_RETRIEVE RECORDING_REQUEST", Scope.TREE),
        **_all("COMPLAINT_VERIFY DENUNCIATION_REDACTED_SEE DOCUMENT_DRAFT", Scope.ASSIGNED),
        **_IDENTITY_BY_DECISION,
        **_MAP,
        **_all(_OVERVIEW, Scope.TREE),
    },
    Role.VERIFIER: {
        **_STAFF,
        **_JOINING,
        **_all(
            "PETITION_SEE ATTACHMENT_SEE CASE_SEE CASE_DRAFT_SEE COMPLAINT_VERIFY DOCUMENT_DRAFT"
            " DENUNCIATION_REDACTED_SEE RECORDING_LIST RECORDING_PLAY",
            Scope.ASSIGNED,
        ),
    },
    Role.PROVINCIAL_CHAIR: {
        **_STAFF,
        **_CONFLICTS_BELOW,
        **_JOINING,
        **_all(_READING, _TREE),
        **_all(_LEADING, _UNIT),
        **_IDENTITY_OF_OWN,
        **_all("DATAMAP_PUBLISH", Scope.TREE),
        **_MAP,
        **_all(_OVERVIEW, Scope.TREE),
    },
    Role.PROVINCIAL_OFFICE: {
        **_STAFF,
        **_JOINING,
        **_all("PETITION_SEE ATTACHMENT_SEE CASE_SEE CASE_DRAFT_SEE", Scope.ASSIGNED),
        **_all("DOCUMENT_DRAFT PETITION_PROPOSE", Scope.ASSIGNED),
        **_MAP,
        **_all(_OVERVIEW, Scope.TREE),
    },
    Role.CLERK: {
        **_STAFF,
        **_all("POST_BATCH PETITION_RECEIVE", Scope.UNIT),
        **_all("DOCUMENT_NUMBER DOCUMENT_SCAN RECORDING_SIGN", _UNIT),
    },
    Role.POINT_TECHNICIAN: {
        **_STAFF,
        **_all("SESSION_TEST_POINT", _SEEN),
    },
    Role.ADMINISTRATOR: {
        **_STAFF,
        **_all(
            "ACCOUNT_MANAGE UNIT_MANAGE CALENDAR_MANAGE SETTINGS_MANAGE KEYS_MANAGE HEALTH_SEE"
            " JOBS_SEE DATAMAP_IMPORT",
            Scope.ANYWHERE,
        ),
    },
    Role.LOG_AUDITOR: {
        **_STAFF,
        **_all("AUDIT_READ RECORDING_VERIFY HEALTH_SEE", Scope.ANYWHERE),
    },
}

GRANTS: Mapping[Role, Mapping[Permission, Scope]] = MappingProxyType(
    {role: MappingProxyType(grants) for role, grants in _GRANTS.items()}
)
"""What each role holds at all. Whatever is not in it is refused."""

COMPARTMENT_HEADS = frozenset({Role.COMMUNE_CHAIR, Role.DEPARTMENT_HEAD, Role.PROVINCIAL_CHAIR})
"""Heads who see a denunciation of their own competence without being named for it."""

_CONTENT_FREE = frozenset(
    {
        Permission.PETITION_COUNT,
        Permission.DATAMAP_SEE,
        Permission.REPORT_SEE,
        Permission.REPORT_BUILD,
        Permission.REPORT_SIGN,
        Permission.OVERDUE_SEE,
        Permission.RECORDING_SIGN,
        Permission.DOCUMENT_NUMBER,
        Permission.PETITION_RECEIVE,
        Permission.POST_BATCH,
        Permission.SESSION_TEST_POINT,
        Permission.NOTICE_SEE,
        Permission.CASE_RETRIEVE,
        Permission.RECORDING_REQUEST,
    }
)
"""Permissions that show no content of one petition, so a compartment does not close them."""

_SECOND_PERSON = frozenset(
    {
        Permission.PETITION_APPROVE,
        Permission.RECORDING_APPROVE,
        Permission.CASE_RETRIEVE_APPROVE,
    }
)
"""Nobody may give these on what they drafted or asked for themselves."""

_VERIFYING = frozenset({Permission.COMPLAINT_VERIFY, Permission.DOCUMENT_DRAFT})

_KEPT_BY_FIRST_LEVEL = frozenset({Permission.CASE_SEE, Permission.PETITION_COUNT})
"""What a body keeps while its own decision is under a second complaint."""

_LEADERS = COMPARTMENT_HEADS | {Role.APPROVING_LEADER, Role.BOARD_HEAD}

_REDACTED_ROLES = frozenset({Role.VERIFIER, Role.PROVINCIAL_INSPECTOR})
"""Who works on a denunciation from the copy without the denouncer (Luật Tố cáo, Điều 56)."""

_UNREDACTED = frozenset(
    {Permission.PETITION_SEE, Permission.ATTACHMENT_SEE, Permission.RECORDING_PLAY}
)
"""What would show a denouncer's name, handwriting, face or voice."""


@dataclass(frozen=True, slots=True)
class Post:
    """One person in one role at one unit (vị trí công tác), in force today."""

    role: Role
    unit_path: UnitPath


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `posts` are those in force on the day; a visitor without log-in has none."""

    account_id: UUID | None
    person_id: PersonId | None
    posts: tuple[Post, ...] = ()

    @property
    def is_citizen(self) -> bool:
        """Nobody's officer: a citizen, or somebody not logged in."""
        return all(post.role is Role.CITIZEN for post in self.posts)

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(post.role for post in self.posts)

    @property
    def unit_paths(self) -> tuple[UnitPath, ...]:
        return tuple(dict.fromkeys(p.unit_path for p in self.posts if p.role is not Role.CITIZEN))


VISITOR = Actor(account_id=None, person_id=None, posts=(Post(Role.CITIZEN, ROOT),))
"""Somebody who has not logged in."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked about; built from the record itself, never from the request.

    `conflicted` people are a side (denounced, or otherwise barred) and see nothing;
    `conflicted_units` decided what is now under a second complaint: they keep the shared status
    only; `act_complained_of_by` officials neither verify nor draft in a first complaint.
    `identity_for` may know the denouncer, by a decision. `owners` are the citizen, the
    representative, the lawyer. `level_units` share the case; of a reception session they are the
    units of its points. `assigned_to` of a recording are those with a playback grant in force.
    `readers` may read the file for a term, by leave of the unit that holds it; a compartment stays
    closed to them. `drafted_by` may not approve.
    """

    unit_path: UnitPath = ROOT
    kind: PetitionKind | None = None
    secrecy: Secrecy = Secrecy.NORMAL
    assigned_to: frozenset[PersonId] = field(default_factory=frozenset)
    conflicted: frozenset[PersonId] = field(default_factory=frozenset)
    conflicted_units: frozenset[UnitPath] = field(default_factory=frozenset)
    act_complained_of_by: frozenset[PersonId] = field(default_factory=frozenset)
    identity_for: frozenset[PersonId] = field(default_factory=frozenset)
    owners: frozenset[PersonId] = field(default_factory=frozenset)
    level_units: frozenset[UnitPath] = field(default_factory=frozenset)
    readers: frozenset[PersonId] = field(default_factory=frozenset)
    drafted_by: PersonId | None = None

    @property
    def in_compartment(self) -> bool:
        """A denunciation, or what was put under the same lock."""
        return self.kind is PetitionKind.DENUNCIATION or self.secrecy is Secrecy.COMPARTMENT


NOTHING = Subject()
"""For permissions that are not about a record (search box, own notices, health)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether; and for a refusal a Vietnamese sentence for the person who was refused."""

    allowed: bool
    reason: str = ""
    hidden: bool = False  # answer as if there were no such record

    def __bool__(self) -> bool:
        return self.allowed


YES = Decision(allowed=True)


class _Refusal(Enum):
    NO_ROLE = "Vai trò của bạn không có quyền này. Nếu cần, hãy hỏi người phụ trách đơn vị."
    CONFLICT = (
        "Bạn hoặc cơ quan của bạn là một bên trong vụ việc này nên không được xem hay xử lý. "
        "Vụ việc do cấp trên giao người khác."
    )
    OWN_ACT = (
        "Đơn khiếu nại chính việc làm của bạn nên bạn không được xác minh hay soạn thảo. "
        "Hãy báo lãnh đạo giao người khác."
    )
    COMPARTMENT = "Nội dung này chỉ người được giao mới mở được. Liên hệ lãnh đạo đơn vị nếu cần."
    REDACTED = "Bạn được xem bản đã che thông tin người tố cáo. Hãy mở bản đó."
    OFF_SYSTEM = "Hồ sơ có bí mật nhà nước, chỉ xử lý bản giấy ngoài hệ thống theo chế độ mật."
    RESTRICTED = (
        "Nội dung này chỉ người được giao và lãnh đạo đơn vị mở được. Hãy đề nghị được giao việc."
    )
    ELSEWHERE = "Hồ sơ thuộc đơn vị khác. Hãy liên hệ đơn vị đang giữ hồ sơ."
    OWN_DRAFT = "Bạn không thể tự duyệt phần do chính mình soạn. Hãy trình người khác duyệt."

    def decision(self, *, hidden: bool = False) -> Decision:
        return Decision(allowed=False, reason=self.value, hidden=hidden)


def decide(actor: Actor, permission: Permission, subject: Subject = NOTHING) -> Decision:
    """Whether `actor` may; `reason` is a sentence for the person who was refused.

    A refusal about a compartment or another unit's record is `hidden`: even that the record
    exists is not said, least of all to the person it is about.
    """
    posts = [post for post in actor.posts if permission in GRANTS[post.role]]
    if not posts:
        return _Refusal.NO_ROLE.decision()
    reaching = [post for post in posts if _reaches(post, actor, permission, subject)]
    refusal = _barred(actor, permission, subject)
    if not refusal and not reaching:
        return _Refusal.ELSEWHERE.decision(hidden=True)
    refusal = refusal or _closed(reaching, actor, permission, subject)
    if refusal is None:
        return YES
    if subject.in_compartment and refusal is not _Refusal.REDACTED:
        return _Refusal.COMPARTMENT.decision(hidden=True)
    return refusal.decision()


def ensure_allowed(actor: Actor, permission: Permission, subject: Subject = NOTHING) -> None:
    """Raises NotAllowed, carrying the decision, when `decide` refuses."""
    decision = decide(actor, permission, subject)
    if not decision.allowed:
        raise NotAllowed(decision)


def holds(actor: Actor, permission: Permission) -> bool:
    """Whether any post of `actor` carries the permission at all: what menus and routes ask."""
    return any(permission in GRANTS[post.role] for post in actor.posts)


def asks_for_no_name(permission: Permission) -> bool:
    """Whether somebody may come with it who has not logged in: only what is open to the public.

    Whatever a citizen may do with the own records means nothing before it is known who that is.
    """
    return Scope.PUBLIC in GRANTS[Role.CITIZEN].get(permission, Scope.OWN)


def _barred(actor: Actor, permission: Permission, subject: Subject) -> _Refusal | None:
    """What no role can overcome: a side in the matter, one's own act, one's own draft."""
    person = actor.person_id
    if person is not None and person in subject.conflicted:
        return _Refusal.CONFLICT
    if permission not in _KEPT_BY_FIRST_LEVEL and _is_first_level(actor, subject):
        return _Refusal.CONFLICT
    if permission in _VERIFYING and person in subject.act_complained_of_by:
        return _Refusal.OWN_ACT
    if permission in _SECOND_PERSON and person is not None and person == subject.drafted_by:
        return _Refusal.OWN_DRAFT
    return None


def _is_first_level(actor: Actor, subject: Subject) -> bool:
    return any(path in subject.conflicted_units for path in actor.unit_paths)


def _closed(
    posts: Iterable[Post], actor: Actor, permission: Permission, subject: Subject
) -> _Refusal | None:
    """What secrecy closes even to a role that reaches the unit."""
    if permission in _CONTENT_FREE:
        return None
    if subject.secrecy is Secrecy.OFF_SYSTEM:
        return _Refusal.OFF_SYSTEM
    if subject.in_compartment:
        return _outside_compartment(posts, actor, permission, subject)
    if subject.secrecy is Secrecy.RESTRICTED:
        named = _named(actor, subject) or actor.person_id in subject.readers
        known = named or _is_at(posts, _LEADERS, subject)
        return None if known else _Refusal.RESTRICTED
    return None


def _outside_compartment(
    posts: Iterable[Post], actor: Actor, permission: Permission, subject: Subject
) -> _Refusal | None:
    if _is_at(posts, COMPARTMENT_HEADS, subject) or actor.person_id in subject.identity_for:
        return None
    if not _named(actor, subject):
        return _Refusal.COMPARTMENT
    # One post that may only see the redacted copy closes the plain one to its holder's others.
    redacted = any(post.role in _REDACTED_ROLES for post in posts)
    return _Refusal.REDACTED if redacted and permission in _UNREDACTED else None


def _is_at(posts: Iterable[Post], roles: frozenset[Role], subject: Subject) -> bool:
    return any(p.role in roles and p.unit_path == subject.unit_path for p in posts)


def _named(actor: Actor, subject: Subject) -> bool:
    person = actor.person_id
    return person is not None and (person in subject.assigned_to or person in subject.owners)


def _reaches(post: Post, actor: Actor, permission: Permission, subject: Subject) -> bool:
    scope = GRANTS[post.role][permission]
    return any(_TESTS[part](post, actor, subject) for part in _TESTS if part in scope)


def _below(path: UnitPath, top: UnitPath) -> bool:
    return path[: len(top)] == top


_TESTS: dict[Scope, Callable[[Post, Actor, Subject], bool]] = {
    Scope.PUBLIC: lambda post, actor, subject: True,
    Scope.ANYWHERE: lambda post, actor, subject: True,
    Scope.OWN: lambda post, actor, subject: actor.person_id in subject.owners,
    Scope.ASSIGNED: lambda post, actor, subject: actor.person_id in subject.assigned_to,
    Scope.READING: lambda post, actor, subject: actor.person_id in subject.readers,
    Scope.NAMED: lambda post, actor, subject: actor.person_id in subject.identity_for,
    Scope.UNIT: lambda post, actor, subject: post.unit_path == subject.unit_path,
    Scope.TREE: lambda post, actor, subject: _below(subject.unit_path, post.unit_path),
    Scope.SHARED: lambda post, actor, subject: post.unit_path in subject.level_units,
}


@dataclass(frozen=True, slots=True)
class Reach:
    """What a query may return to an actor, as filters joined by OR; content rules come after.

    `units` exact paths, `trees` path prefixes, `shared` paths that may appear among a case's
    level units, `person_id` for assignment, leave to read and ownership, `compartments` paths whose
    denunciations are seen without being named for them, `everything` no filter at all.
    """

    units: frozenset[UnitPath]
    trees: frozenset[UnitPath]
    shared: frozenset[UnitPath]
    compartments: frozenset[UnitPath]
    person_id: PersonId | None
    assigned: bool
    reading: bool
    own: bool
    everything: bool


def reach(actor: Actor, permission: Permission) -> Reach:
    """The filters for a list of what `actor` may reach with `permission`."""
    held = [(p, GRANTS[p.role][permission]) for p in actor.posts if permission in GRANTS[p.role]]

    def paths(scope: Scope) -> frozenset[UnitPath]:
        return frozenset(post.unit_path for post, held_scope in held if scope in held_scope)

    def any_post(scope: Scope) -> bool:
        return any(scope in held_scope for _, held_scope in held)

    return Reach(
        units=paths(Scope.UNIT),
        trees=paths(Scope.TREE),
        shared=paths(Scope.SHARED),
        compartments=frozenset(p.unit_path for p, _ in held if p.role in COMPARTMENT_HEADS),
        person_id=actor.person_id,
        assigned=any_post(Scope.ASSIGNED),
        reading=any_post(Scope.READING),
        own=any_post(Scope.OWN),
        everything=any_post(Scope.ANYWHERE) or any_post(Scope.PUBLIC),
    )
