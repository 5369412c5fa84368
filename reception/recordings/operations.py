"""What people do with a recording: ask for it, give leave, open it, check it, take it out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from reception.recordings import playback
from storage.database import Work, reading, unit_of_work
from storage.integrity import (
    Check,
    Progress,
    check_recording,
    ensure_unbroken,
    kept_check,
    sealed_bytes_of,
)
from storage.models import (
    Account,
    PlaybackGrant,
    PlaybackOpening,
    ReceptionSession,
    Recording,
    Unit,
)
from storage.models.base import utc_now
from storage.queries.recordings import (
    OpeningRow,
    RecordingRow,
    WaitingRequest,
    grant_held,
    grants_of,
    openings_of,
    recordings_seen,
    requests_waiting,
)
from storage.queries.timeline import Timeline, timeline
from storage.subjects import recording_subject
from workflows.access import (
    Actor,
    Decision,
    Permission,
    Subject,
    decide,
    ensure_allowed,
)
from workflows.codes import CodeKind, make_code
from workflows.errors import BadInput, Conflict, DomainError, NotAllowed, NotFound

GRANT_DAYS = 7
LONGEST_GRANT_DAYS = 30
BY_ROLE_FOR = timedelta(days=1)
FORGOTTEN_AFTER = timedelta(minutes=30)
INLINE_CHECK_BYTES = 64 * 1024 * 1024
"""Up to here a check runs while the page waits; beyond it a job does it."""


class NotPlayableYet(DomainError):
    """The session still runs, or its playable copies are being made."""

    def __init__(self) -> None:
        super().__init__(
            "Bản xem chưa sẵn sàng. Bản gốc đang được niêm phong; chờ ít phút rồi mở lại trang này."
        )


OWN_REQUEST = "Bạn không thể tự duyệt yêu cầu của chính mình. Hãy nhờ người khác duyệt."


class NoGrant(DomainError):
    """Nobody gave leave to play yet."""

    def __init__(self) -> None:
        super().__init__("Bạn chưa có quyền mở bản ghi này. Gửi yêu cầu xem kèm lý do.")


@dataclass(frozen=True)
class RecordingPage:
    """All that the page of one recording shows to one person."""

    recording: Recording
    meeting: ReceptionSession
    unit_name: str
    chair: str
    subject: Subject
    may_see: bool
    may_ask: bool
    may_play_by_role: bool
    may_approve: bool
    may_verify: bool
    may_see_log: bool
    grant: PlaybackGrant | None
    grants: list[tuple[PlaybackGrant, str, str]]
    openings: list[OpeningRow]
    check: dict[str, object] | None
    check_is_small: bool
    manifest_sha256: str


def list_recordings(by: Actor, *, page: int) -> tuple[list[RecordingRow], bool]:
    """Recordings this person may see or ask for."""
    with reading() as work:
        return recordings_seen(work.db_session, by, page=page)


def list_waiting(by: Actor) -> list[WaitingRequest]:
    """Requests this person may decide."""
    with reading() as work:
        return requests_waiting(work.db_session, by)


def show_recording(recording_id: UUID, *, by: Actor) -> RecordingPage:
    """The page of a recording. Raises NotAllowed (hidden) for who may neither see nor ask."""
    with reading() as work:
        recording = work.get(Recording, recording_id)
        subject = recording_subject(work.db_session, recording)
        seen = decide(by, Permission.RECORDING_LIST, subject)
        _ensure_may_know(seen, by, subject)
        meeting = work.get(ReceptionSession, recording.reception_session_id)
        may_see_log = bool(decide(by, Permission.ACCESS_LOG_SEE, subject))
        grant = grant_held(work.db_session, recording_id, by.account_id)
        grants = grants_of(work.db_session, recording_id)
        may_approve = bool(decide(by, Permission.RECORDING_APPROVE, subject))
        shows_all = may_see_log or may_approve
        return RecordingPage(
            recording=recording,
            meeting=meeting,
            unit_name=work.get(Unit, recording.unit_id).full_name,
            chair=work.get(Account, meeting.presiding_id).display_name,
            subject=subject,
            may_see=bool(seen),
            may_ask=bool(decide(by, Permission.RECORDING_REQUEST, subject)),
            may_play_by_role=_plays_by_role(by, subject),
            may_approve=may_approve,
            may_verify=bool(decide(by, Permission.RECORDING_VERIFY, subject)),
            may_see_log=may_see_log,
            grant=grant,
            grants=[row for row in grants if shows_all or row[0].account_id == by.account_id],
            openings=openings_of(work.db_session, recording_id) if shows_all or grant else [],
            check=kept_check(recording),
            check_is_small=sealed_bytes_of(work.db_session, recording_id) <= INLINE_CHECK_BYTES,
            manifest_sha256=recording.manifest_sha256.hex() if recording.manifest_sha256 else "",
        )


def _ensure_may_know(seen: Decision, by: Actor, subject: Subject) -> None:
    """Who may at least ask for it may know that it exists."""
    asking = decide(by, Permission.RECORDING_REQUEST, subject)
    if not seen and not asking:
        raise NotAllowed(replace(seen, hidden=True))


def _plays_by_role(by: Actor, subject: Subject) -> bool:
    """Whether the post alone opens it: the leaders of the unit that holds it."""
    return bool(decide(by, Permission.RECORDING_PLAY, replace(subject, assigned_to=frozenset())))


# --- asking and giving leave ---------------------------------------------------------------------


def ask_for_playback(
    recording_id: UUID, *, by: Actor, reason: str, document_number: str, closed_parts: bool
) -> PlaybackGrant:
    """Ask with a reason; a second person decides. A leader of the unit opens it by the post.

    Asking twice gives the request that waits already. Raises NotAllowed, BadInput.
    """
    if not reason.strip():
        raise BadInput({"reason": "Viết lý do cần xem, ví dụ: xác minh nội dung giao việc."})
    if by.account_id is None:
        raise NoGrant
    with unit_of_work() as work:
        recording = work.get_for_update(Recording, recording_id)
        subject = recording_subject(work.db_session, recording)
        by_role = _plays_by_role(by, subject)
        if not by_role:
            ensure_allowed(by, Permission.RECORDING_REQUEST, subject)
        waiting = _waiting_request(work, recording_id, by.account_id)
        if waiting is not None and not by_role:
            return waiting
        grant = work.add(
            PlaybackGrant(
                code=make_code(CodeKind.REQUEST, secrets.token_bytes(5)),
                recording_id=recording_id,
                account_id=by.account_id,
                reason=reason.strip(),
                document_number=document_number.strip(),
                closed_parts=closed_parts or by_role,
            )
        )
        if by_role:
            _give(grant, until=utc_now() + BY_ROLE_FOR, by=None, reason="")
        action = "playback_opened_by_post" if by_role else "playback_asked"
        work.audit(action, grant, by=by.account_id, recording=recording_id, code=grant.code)
        return grant


def _waiting_request(work: Work, recording_id: UUID, account_id: UUID) -> PlaybackGrant | None:
    return work.db_session.scalars(
        select(PlaybackGrant)
        .where(
            PlaybackGrant.recording_id == recording_id,
            PlaybackGrant.account_id == account_id,
            PlaybackGrant.state == "asked",
        )
        .limit(1)
    ).one_or_none()


def _give(grant: PlaybackGrant, *, until: datetime, by: UUID | None, reason: str) -> None:
    grant.state, grant.expires_at = "approved", until
    grant.decided_by, grant.decided_at, grant.decision_reason = by, utc_now(), reason


def approve_playback(
    grant_id: UUID, *, by: Actor, days: int = GRANT_DAYS, closed_parts: bool = False
) -> PlaybackGrant:
    """Give leave for some days. Never on one's own request. Raises NotAllowed, Conflict."""
    if not 1 <= days <= LONGEST_GRANT_DAYS:
        raise BadInput({"days": f"Chọn từ 1 đến {LONGEST_GRANT_DAYS} ngày."})
    with unit_of_work() as work:
        grant = _to_decide(work, grant_id, by)
        grant.closed_parts = grant.closed_parts and closed_parts
        _give(grant, until=utc_now() + timedelta(days=days), by=by.account_id, reason="")
        work.audit(
            "playback_approved", grant, by=by.account_id, recording=grant.recording_id, days=days
        )
        return grant


def refuse_playback(grant_id: UUID, *, by: Actor, reason: str) -> PlaybackGrant:
    """Say no, and why. Raises NotAllowed, Conflict, BadInput."""
    if not reason.strip():
        raise BadInput({"decision_reason": "Viết lý do từ chối để người hỏi biết cần bổ sung gì."})
    with unit_of_work() as work:
        grant = _to_decide(work, grant_id, by)
        grant.state, grant.decision_reason = "refused", reason.strip()
        grant.decided_by, grant.decided_at = by.account_id, utc_now()
        work.audit("playback_refused", grant, by=by.account_id, recording=grant.recording_id)
        return grant


def revoke_playback(grant_id: UUID, *, by: Actor, reason: str) -> PlaybackGrant:
    """Take leave back; who is watching is stopped at the next 2 MiB."""
    with unit_of_work() as work:
        grant = work.get_for_update(PlaybackGrant, grant_id)
        recording = work.get(Recording, grant.recording_id)
        subject = recording_subject(work.db_session, recording)
        ensure_allowed(by, Permission.RECORDING_APPROVE, subject)
        if grant.state != "approved":
            raise Conflict()
        grant.state, grant.decision_reason = "revoked", reason.strip()
        work.audit("playback_revoked", grant, by=by.account_id, recording=grant.recording_id)
        return grant


def _to_decide(work: Work, grant_id: UUID, by: Actor) -> PlaybackGrant:
    grant = work.get_for_update(PlaybackGrant, grant_id)
    recording = work.get(Recording, grant.recording_id)
    asker = work.get(Account, grant.account_id)
    if asker.id == by.account_id:  # also where an account stands for no person
        raise NotAllowed(Decision(allowed=False, reason=OWN_REQUEST))
    subject = replace(recording_subject(work.db_session, recording), drafted_by=asker.person_id)
    ensure_allowed(by, Permission.RECORDING_APPROVE, subject)
    if grant.state != "asked":
        raise Conflict("Yêu cầu này đã có người quyết định. Tải lại trang để xem kết quả.")
    return grant


# --- opening -------------------------------------------------------------------------------------


def open_recording(recording_id: UUID, *, by: Actor) -> str:
    """Begin to watch; returns the token of this opening. One audit leaf, never one per range.

    Raises NotAllowed, NoGrant, NotPlayableYet, RecordingBroken.
    """
    token = secrets.token_urlsafe(32)
    with unit_of_work() as work:
        recording = work.get(Recording, recording_id)
        subject = recording_subject(work.db_session, recording)
        grant = grant_held(work.db_session, recording_id, by.account_id)
        if grant is None:
            _ensure_may_know(decide(by, Permission.RECORDING_LIST, subject), by, subject)
            raise NoGrant
        ensure_allowed(by, Permission.RECORDING_PLAY, subject)
        ensure_unbroken(recording)
        if recording.playable_at is None:
            raise NotPlayableYet
        _close_forgotten(work)
        opening = work.add(
            PlaybackOpening(
                grant_id=grant.id,
                recording_id=recording_id,
                account_id=grant.account_id,
                token_hash=playback.token_hash(token),
            )
        )
        work.audit(
            "recording_opened", recording, by=by.account_id, opening=opening.id, request=grant.code
        )
    return token


def close_opening(token: str, *, by: Actor) -> None:
    """End an opening; a second leaf sums up what was read. Doing it twice changes nothing."""
    with reading() as work:
        found = work.db_session.scalar(
            select(PlaybackOpening.id).where(
                PlaybackOpening.token_hash == playback.token_hash(token),
                PlaybackOpening.account_id == by.account_id,
            )
        )
    if found is None:
        return
    playback.COUNTER.write(found)
    playback.READERS.forget(found)
    with unit_of_work() as work:
        _close(work, work.get_for_update(PlaybackOpening, found))


def _close(work: Work, opening: PlaybackOpening) -> None:
    if opening.closed_at is not None:
        return
    opening.closed_at = utc_now()
    work.audit(
        "recording_closed",
        kind="recording",
        object_id=opening.recording_id,
        by=opening.account_id,
        opening=opening.id,
        bytes=opening.bytes_served,
        ranges=opening.ranges,
        last_read_at=opening.last_read_at,
    )


def _close_forgotten(work: Work) -> None:
    """Sum up openings that nobody closed: a browser that died says no goodbye."""
    before = utc_now() - FORGOTTEN_AFTER
    forgotten = work.db_session.scalars(
        select(PlaybackOpening)
        .where(PlaybackOpening.closed_at.is_(None), PlaybackOpening.opened_at < before)
        .order_by(PlaybackOpening.opened_at)
        .limit(50)
    )
    for opening in forgotten:
        if opening.last_read_at is None or opening.last_read_at < before:
            _close(work, opening)


@dataclass(frozen=True)
class PlayerPage:
    """What the player shows: the page of the recording, its timeline, the grant and the token."""

    page: RecordingPage
    grant: PlaybackGrant
    opening: PlaybackOpening
    timeline: Timeline


def show_player(token: str, *, by: Actor) -> PlayerPage:
    """The player behind a token. Raises NotFound, PlaybackEnded, RecordingBroken."""
    opening, grant = playback.ensure_open(token, account_id=by.account_id)
    page = show_recording(opening.recording_id, by=by)
    ensure_unbroken(page.recording)
    with reading() as work:
        recording = work.get(Recording, opening.recording_id)
        line = timeline(work.db_session, recording, closed_parts=grant.closed_parts)
    return PlayerPage(page, grant, opening, line)


# --- integrity -----------------------------------------------------------------------------------


def verify_recording(
    recording_id: UUID, *, by: Actor, progress: Progress = lambda done, total: None
) -> Check | None:
    """Check a recording now when it is small, else let a job do it (then None).

    Raises NotAllowed, StoreUnavailable, NotPlayableYet.
    """
    with reading() as work:
        recording = work.get(Recording, recording_id)
        subject = recording_subject(work.db_session, recording)
        ensure_allowed(by, Permission.RECORDING_VERIFY, subject)
        if recording.state not in ("sealed", "broken"):
            raise NotPlayableYet
        small = sealed_bytes_of(work.db_session, recording_id) <= INLINE_CHECK_BYTES
    if small:
        return verify_now(recording_id, by=by.account_id, progress=progress)
    with unit_of_work() as work:
        work.enqueue(
            "recordings.verify",
            {"recording": str(recording_id)},
            by=by.account_id,
            dedupe=f"verify:{recording_id}",
        )
    return None


def verify_now(
    recording_id: UUID, *, by: UUID | None, progress: Progress = lambda done, total: None
) -> Check:
    """Check a recording and keep the result; the job and the command line call this."""
    check = check_recording(recording_id, progress)
    with unit_of_work() as work:
        keep_check(work, recording_id, check, by=by)
    return check


def keep_check(work: Work, recording_id: UUID, check: Check, *, by: UUID | None) -> None:
    """Write what a check found beside the recording; a failure closes it for everybody."""
    recording = work.get_for_update(Recording, recording_id)
    recording.checked_at, recording.check_result = utc_now(), check.dump()
    work.audit(
        "recording_checked",
        recording,
        by=by,
        ok=check.ok,
        chunks=check.chunks,
        masters=check.masters,
        failures=len(check.failures),
    )


def recording_of(grant_id: UUID) -> UUID:
    """The recording a request is about. Raises NotFound."""
    with reading() as work:
        return work.get(PlaybackGrant, grant_id).recording_id


def recording_of_token(token: str, *, by: Actor) -> UUID:
    """The recording that was opened with a token, even when the grant has ended since."""
    with reading() as work:
        found = work.db_session.scalar(
            select(PlaybackOpening.recording_id).where(
                PlaybackOpening.token_hash == playback.token_hash(token),
                PlaybackOpening.account_id == by.account_id,
            )
        )
    if found is None:
        raise NotFound()
    return found


def page_of_token(token: str, *, by: Actor) -> RecordingPage:
    """The page of the recording behind a token whose grant has ended."""
    return show_recording(recording_of_token(token, by=by), by=by)
