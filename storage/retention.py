"""How long what is sealed must stay: retention class, lock end and legal hold.

While a matter is open its keys hang on KEKs of the class "open" and locks are extended as they
near their end. When every case a recording belongs to is completed, its keys move to the class of
its retention term and the year of completion, and its lock reaches to the end of that term. A legal
hold moves the keys to a class of its own, so that destroying what is due never takes the held.

Sources: Luật Lưu trữ 33/2024/QH15; TT 10/2022/TT-BNV (terms run from the year in which the work is
finished). The number of years is the rule row "retention-completed", marked "cần xác nhận".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from storage.database import reading, unit_of_work
from storage.keyring import Family
from storage.models import (
    AgendaItem,
    Attachment,
    Case,
    KeyEncryptionKey,
    LegalRule,
    Petition,
    PlayableCopy,
    Recording,
    SealedObject,
    Segment,
    Track,
)
from storage.objects import Bucket
from storage.runtime import runtime
from storage.sealed import OPEN_CLASS
from storage.wrapped import (
    BATCH,
    DENOUNCERS,
    SEALED_OBJECTS,
    SEGMENTS,
    VAULTS,
    Holder,
    Place,
    held_keys,
    move_keys,
)
from workflows.errors import DomainError

HOLD_CLASS = "hold"
PERMANENT = "permanent"
RULE = "retention-completed"
EXTEND_BEFORE = timedelta(days=90)
EXTEND_BY = timedelta(days=365)
LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


class NoRetentionRule(DomainError):
    """The table of legal rules does not say how long a completed matter is kept."""

    def __init__(self, on: date) -> None:
        super().__init__(
            f"Chưa có thời hạn lưu hồ sơ áp dụng ngày {on:%d/%m/%Y}. "
            "Nạp lại danh mục quy định rồi chạy lại."
        )


@dataclass(frozen=True)
class Term:
    """A retention class and the year it counts from; the year of "open" is the year of sealing."""

    klass: str
    year: int

    @property
    def years(self) -> int | None:
        """How many years are kept after `year`; None when there is no end."""
        number, _, unit = self.klass.partition("-")
        return int(number) if unit == "years" and number.isdecimal() else None

    @property
    def last_day(self) -> date | None:
        """The last local day on which it must still be there; None when there is no end."""
        return None if self.years is None else date(self.year + self.years, 12, 31)

    @property
    def lock_end(self) -> datetime | None:
        """The instant at which the lock may end."""
        if self.last_day is None:
            return None
        after = self.last_day + timedelta(days=1)
        return datetime(after.year, after.month, after.day, tzinfo=LOCAL).astimezone(UTC)


def completed_term(db_session: Session, case: Case, on: date) -> Term:
    """The term of a completed case: its own code, else the rule. Raises NoRetentionRule."""
    if case.completed_year is None:
        raise ValueError("the case is not completed")
    if case.retention_code:
        return Term(case.retention_code, case.completed_year)
    years = db_session.scalar(
        select(LegalRule.value).where(
            LegalRule.code == RULE,
            LegalRule.effective_from_on <= on,
            or_(LegalRule.effective_to_on.is_(None), LegalRule.effective_to_on >= on),
        )
    )
    if years is None:
        raise NoRetentionRule(on)
    return Term(f"{int(years)}-years", case.completed_year)


# --- what a recording consists of ----------------------------------------------------------------


def objects_of(db_session: Session, recording: Recording) -> list[SealedObject]:
    """Masters, playable copies, manifest and certificate."""
    segments = select(Segment.id).where(Segment.recording_id == recording.id)
    ids = set(
        db_session.scalars(select(Track.master_object_id).where(Track.segment_id.in_(segments)))
    )
    ids |= set(
        db_session.scalars(
            select(PlayableCopy.sealed_object_id).where(PlayableCopy.segment_id.in_(segments))
        )
    )
    ids |= {recording.manifest_object_id, recording.certificate_object_id}
    return list(
        db_session.scalars(
            select(SealedObject).where(SealedObject.id.in_(ids)).order_by(SealedObject.id)
        )
    )


def cases_of(db_session: Session, recording: Recording) -> list[Case | None]:
    """The case of each visit heard in the recorded session; None for one that has no case yet."""
    rows = db_session.execute(
        select(AgendaItem.case_id, Petition.case_id)
        .outerjoin(Petition, Petition.id == AgendaItem.petition_id)
        .where(AgendaItem.reception_session_id == recording.reception_session_id)
        .order_by(AgendaItem.seq)
    )
    ids = [own or petitions for own, petitions in rows]
    return [None if case_id is None else db_session.get(Case, case_id) for case_id in ids]


def term_of(db_session: Session, recording: Recording, on: date) -> Term:
    """Where a recording stands: open until every case is completed, then the longest term."""
    cases = cases_of(db_session, recording)
    terms = [
        completed_term(db_session, case, on)
        for case in cases
        if case is not None and case.completed_year is not None
    ]
    if not cases or len(terms) < len(cases):
        return Term(OPEN_CLASS, recording.started_at.astimezone(LOCAL).year)
    return max(terms, key=lambda term: (term.last_day or date.max, term.year))


def _put_recording(recording: Recording, place: Place) -> None:
    with reading() as work:
        segment_keys = held_keys(
            work.db_session, SEGMENTS, SEGMENTS.table.c.recording_id == recording.id
        )
        ids = [row.id for row in objects_of(work.db_session, recording)]
        object_keys = held_keys(work.db_session, SEALED_OBJECTS, SEALED_OBJECTS.table.c.id.in_(ids))
    move_keys(SEGMENTS, segment_keys, place)
    move_keys(SEALED_OBJECTS, object_keys, place)


# --- completed and reopened matters --------------------------------------------------------------


def settle_recordings(on: date) -> list[UUID]:
    """Bring recordings to the class of their matter; which were changed. Safe to run at any time.

    Keys and lock change first, the row last: broken off half way, the next run does it again.
    """
    with reading() as work:
        wanted = [
            (recording, term)
            for recording in work.db_session.scalars(
                select(Recording)
                .where(Recording.state == "sealed", Recording.legal_hold.is_(False))
                .order_by(Recording.id)
            )
            if (term := term_of(work.db_session, recording, on)) != _kept_term(recording)
        ]
    for recording, term in wanted:
        _settle(recording, term)
    return [recording.id for recording, _ in wanted]


def _kept_term(recording: Recording) -> Term:
    year = recording.completed_year or recording.started_at.astimezone(LOCAL).year
    return Term(recording.retention_code, year)


def _settle(recording: Recording, term: Term) -> None:
    _put_recording(recording, Place(Family.RECORDINGS, term.klass, term.year))
    if term.lock_end is not None:
        _lock_objects(recording, term.lock_end)
    with unit_of_work() as work:
        kept = work.get_for_update(Recording, recording.id)
        kept.retention_code = term.klass
        kept.completed_year = None if term.klass == OPEN_CLASS else term.year
        work.audit("recording_class_changed", kept, by=None, retention=term.klass, year=term.year)


def _lock_objects(recording: Recording, until: datetime) -> None:
    """Extend the locks of what is locked at all; a lock that reaches further stays."""
    with reading() as work:
        rows = [row for row in objects_of(work.db_session, recording) if row.retention_until_at]
    _extend(rows, until)


def _extend(rows: Sequence[SealedObject], until: datetime) -> None:
    store = runtime().store
    for row in rows:
        kept = store.read_lock(Bucket(row.bucket), row.name, row.version_id)
        if kept is None or kept < until:
            store.lock(Bucket(row.bucket), row.name, row.version_id, until)
        with unit_of_work() as work:
            work.get(SealedObject, row.id).retention_until_at = max(until, kept or until)


def extend_open_locks(now: datetime) -> int:
    """Extend by a year what has no end yet and whose lock nears its own; how many objects."""
    with reading() as work:
        recordings = work.db_session.scalars(
            select(Recording).where(
                or_(
                    Recording.retention_code.in_((OPEN_CLASS, PERMANENT)),
                    Recording.legal_hold,
                )
            )
        )
        rows = [
            row
            for recording in recordings
            for row in objects_of(work.db_session, recording)
            if row.retention_until_at and row.retention_until_at < now + EXTEND_BEFORE
        ]
    _extend(rows, now + EXTEND_BY)
    return len(rows)


def settle_petition_keys(on: date) -> int:
    """Bring the keys of attachments and of denunciations to the class of their case; how many."""
    moved = 0
    for holder in (SEALED_OBJECTS, VAULTS, DENOUNCERS):
        with reading() as work:
            wanted = _misplaced(work.db_session, holder, on)
        for place, ids in wanted.items():
            for start in range(0, len(ids), BATCH):
                some = holder.table.c.id.in_(ids[start : start + BATCH])
                with reading() as work:
                    keys = held_keys(work.db_session, holder, some)
                move_keys(holder, keys, place)
                moved += len(keys)
    return moved


def _misplaced(db_session: Session, holder: Holder, on: date) -> dict[Place, list[UUID]]:
    """Rows whose KEK is not of the class of their case, by where they belong."""
    table, kek = holder.table, KeyEncryptionKey
    query = select(table.c.id, Case, kek).select_from(table).join(kek, kek.kid == table.c.kid)
    if holder is SEALED_OBJECTS:
        query = query.join(Attachment, Attachment.sealed_object_id == table.c.id)
        query = query.join(Petition, Petition.id == Attachment.petition_id)
    else:
        query = query.join(Petition, Petition.id == table.c.petition_id)
    completed = Case.completed_year.is_not(None)
    rows = db_session.execute(
        query.join(Case, Case.id == Petition.case_id).where(
            kek.klass != HOLD_CLASS,
            or_(
                completed & ((kek.klass == OPEN_CLASS) | (kek.year != Case.completed_year)),
                ~completed & (kek.klass != OPEN_CLASS),
            ),
        )
    )
    found: dict[Place, list[UUID]] = {}
    for row_id, case, key in rows:
        open_term = Term(OPEN_CLASS, on.year)
        term = completed_term(db_session, case, on) if case.completed_year else open_term
        found.setdefault(Place(key.family, term.klass, term.year), []).append(row_id)
    return found


# --- legal hold ----------------------------------------------------------------------------------


def hold_recording(recording_id: UUID, *, on: bool, reason: str, by: UUID | None) -> None:
    """Set or lift the legal hold of a recording: store, keys and row, in the order that is safe.

    Held, its keys stand on KEKs of the class "hold", which no destruction of a class takes.
    Setting begins with the row, so that nothing destroys it meanwhile; lifting ends with it.
    """
    if on:
        _mark_held(recording_id, on=True, reason=reason, by=by)
    with reading() as work:
        recording = work.get(Recording, recording_id)
        rows = objects_of(work.db_session, recording)
    for row in rows:
        runtime().store.hold(Bucket(row.bucket), row.name, row.version_id, on=on)
    term = Term(HOLD_CLASS, runtime().now().year) if on else _kept_term(recording)
    _put_recording(recording, Place(Family.RECORDINGS, term.klass, term.year))
    if not on:
        _mark_held(recording_id, on=False, reason=reason, by=by)


def _mark_held(recording_id: UUID, *, on: bool, reason: str, by: UUID | None) -> None:
    with unit_of_work() as work:
        recording = work.get_for_update(Recording, recording_id)
        recording.legal_hold = on
        for row in objects_of(work.db_session, recording):
            row.legal_hold = on
        action = "recording_held" if on else "recording_released"
        work.audit(action, recording, by=by, reason=reason)


def held_under(db_session: Session, kid: str) -> list[str]:
    """Codes of the recordings under legal hold whose keys hang on this KEK, and other held ones."""
    codes = set(
        db_session.scalars(
            select(Recording.code)
            .join(Segment, Segment.recording_id == Recording.id)
            .where(Recording.legal_hold, Segment.kid == kid)
        )
    )
    objects = db_session.scalars(
        select(SealedObject).where(SealedObject.kid == kid, SealedObject.legal_hold)
    )
    return sorted(codes | {_owner(db_session, row) for row in objects})


def _owner(db_session: Session, row: SealedObject) -> str:
    """The code of the recording an object belongs to, else its own name in the store."""
    segment = select(Track.segment_id).where(Track.master_object_id == row.id)
    copies = select(PlayableCopy.segment_id).where(PlayableCopy.sealed_object_id == row.id)
    code = db_session.scalar(
        select(Recording.code)
        .join(Segment, Segment.recording_id == Recording.id)
        .where(
            or_(
                Segment.id.in_(segment),
                Segment.id.in_(copies),
                Recording.manifest_object_id == row.id,
                Recording.certificate_object_id == row.id,
            )
        )
        .limit(1)
    )
    return code or row.name
