"""Whether a recording is still what was sealed: store, keys, chain, manifest and audit log agree.

Four records made at different times by different processes are held against each other: the
objects in the store, the hashes kept while recording, the manifest, and the leaves of the audit
log. Whoever changes one of them is found by the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.audit import leaf_hash
from storage.database import reading
from storage.keyring import WrappedKey
from storage.models import (
    AuditLeaf,
    LiveChunk,
    PlayableCopy,
    Recording,
    SealedObject,
    Segment,
    Track,
)
from storage.objects import Bucket, StoreUnavailable
from storage.recordings import chunk_name, read_chain, segment_key_context
from storage.runtime import runtime
from storage.sealed import open_object
from workflows.errors import DomainError

PIECE = 4 * 1024 * 1024
Progress = Callable[[int, int], None]


class RecordingBroken(DomainError):
    """The last check found that a recording is not what was sealed: it is neither played nor
    exported."""

    def __init__(self) -> None:
        super().__init__(
            "Bản ghi không khớp niêm phong nên không mở và không xuất. "
            "Xem chi tiết kiểm tra và báo quản trị để đối chiếu bản sao lưu."
        )


@dataclass
class Check:
    """What was looked at and what was wrong; `failures` are sentences that name no one."""

    chunks: int = 0
    chunks_deleted: int = 0
    segments: int = 0
    masters: int = 0
    copies: int = 0
    bytes_read: int = 0
    audit_waiting: bool = False
    failures: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.failures

    def dump(self) -> str:
        """As it is kept beside the recording."""
        return json.dumps({"ok": self.ok, **asdict(self)}, ensure_ascii=False)


def kept_check(recording: Recording) -> dict[str, Any] | None:
    """The last check of a recording; None when nobody has checked it."""
    if not recording.check_result:
        return None
    kept: dict[str, Any] = json.loads(recording.check_result)
    return kept


def ensure_unbroken(recording: Recording) -> None:
    """Raises RecordingBroken after a failed check."""
    kept = kept_check(recording)
    if recording.state == "broken" or (kept is not None and not kept["ok"]):
        raise RecordingBroken


def sealed_bytes_of(db_session: Session, recording_id: UUID) -> int:
    """How much a check reads."""
    masters = _sum(
        db_session,
        select(func.sum(SealedObject.sealed_size))
        .join(Track, Track.master_object_id == SealedObject.id)
        .join(Segment, Segment.id == Track.segment_id)
        .where(Segment.recording_id == recording_id),
    )
    copies = _sum(
        db_session,
        select(func.sum(SealedObject.sealed_size))
        .join(PlayableCopy, PlayableCopy.sealed_object_id == SealedObject.id)
        .join(Segment, Segment.id == PlayableCopy.segment_id)
        .where(Segment.recording_id == recording_id),
    )
    chunks = _sum(
        db_session,
        select(func.sum(LiveChunk.sealed_size))
        .join(Segment, Segment.id == LiveChunk.segment_id)
        .where(Segment.recording_id == recording_id, LiveChunk.deleted_at.is_(None)),
    )
    return masters + copies + chunks


def _sum(db_session: Session, query: Any) -> int:
    return int(db_session.scalar(query) or 0)


@dataclass
class _Rows:
    """Everything a check compares, read before the store is asked for anything."""

    recording: Recording
    segments: list[Segment]
    tracks: dict[UUID, list[tuple[Track, SealedObject | None]]]
    chunks: dict[UUID, list[LiveChunk]]
    copies: list[SealedObject]
    manifest: SealedObject | None
    leaves: list[AuditLeaf]

    @classmethod
    def read(cls, db_session: Session, recording_id: UUID) -> _Rows:
        recording = db_session.get_one(Recording, recording_id)
        segments = list(
            db_session.scalars(
                select(Segment).where(Segment.recording_id == recording_id).order_by(Segment.seq)
            )
        )
        ids = [segment.id for segment in segments]
        rows = cls(recording, segments, {}, {}, [], None, [])
        for track, master in db_session.execute(
            select(Track, SealedObject)
            .outerjoin(SealedObject, SealedObject.id == Track.master_object_id)
            .where(Track.segment_id.in_(ids))
            .order_by(Track.file_name)
        ):
            rows.tracks.setdefault(track.segment_id, []).append((track, master))
        for chunk in db_session.scalars(
            select(LiveChunk).where(LiveChunk.segment_id.in_(ids)).order_by(LiveChunk.number)
        ):
            rows.chunks.setdefault(chunk.segment_id, []).append(chunk)
        rows.copies = list(
            db_session.scalars(
                select(SealedObject)
                .join(PlayableCopy, PlayableCopy.sealed_object_id == SealedObject.id)
                .where(PlayableCopy.segment_id.in_(ids))
                .order_by(SealedObject.id)
            )
        )
        if recording.manifest_object_id is not None:
            rows.manifest = db_session.get(SealedObject, recording.manifest_object_id)
        rows.leaves = list(
            db_session.scalars(
                select(AuditLeaf)
                .where(AuditLeaf.object_id.in_([recording_id, *ids]))
                .order_by(AuditLeaf.id)
            )
        )
        return rows


def check_recording(recording_id: UUID, progress: Progress = lambda done, total: None) -> Check:
    """Look at everything that is kept of a recording. Raises StoreUnavailable, never on damage.

    Reads each object once; takes seconds per gigabyte. `progress` is told bytes done and total.
    """
    with reading() as work:  # closed again before the store is read
        rows = _Rows.read(work.db_session, recording_id)
        total = max(1, sealed_bytes_of(work.db_session, recording_id))
    check = Check(segments=len(rows.segments))
    manifest = _check_manifest(rows, check)
    for segment in rows.segments:
        _guard(check, partial(_check_chain, segment, rows, manifest, check))
        progress(check.bytes_read, total)
        for track, master in rows.tracks.get(segment.id, []):
            _guard(check, partial(_check_master, track, master, manifest, check))
            progress(check.bytes_read, total)
    for copy in rows.copies:
        _guard(check, partial(_check_copy, copy, check))
        progress(check.bytes_read, total)
    progress(total, total)
    return check


def _guard(check: Check, step: Callable[[], None]) -> None:
    """A broken seal, a missing object or a lost key is a finding, not an end of the check."""
    try:
        step()
    except StoreUnavailable:
        raise
    except DomainError as error:
        check.failures.append(error.message)


# --- manifest and audit log ----------------------------------------------------------------------


def _check_manifest(rows: _Rows, check: Check) -> dict[str, Any]:
    """The manifest's content, once store, row and audit leaf agree about it; else empty."""
    found: list[dict[str, Any]] = []

    def step() -> None:
        if rows.manifest is None:
            check.failures.append("Bản ghi chưa có bản kê niêm phong.")
            return
        body = b"".join(bytes(part) for part in open_object(rows.manifest).iter_all())
        check.bytes_read += rows.manifest.sealed_size
        digest = hashlib.sha256(body).digest()
        if not rows.recording.manifest_sha256 == rows.manifest.plain_sha256 == digest:
            check.failures.append("Bản kê niêm phong không khớp mã băm đã ghi.")
        _check_leaf(rows, check, "recording_sealed", "manifest_sha256", digest.hex())
        found.append(json.loads(body))

    _guard(check, step)
    return found[0] if found else {}


def _check_leaf(rows: _Rows, check: Check, action: str, key: str, expected: str) -> None:
    """The newest leaf of this action must be unchanged and say the same."""
    leaves = [leaf for leaf in rows.leaves if leaf.action == action]
    if not leaves:
        check.failures.append(f"Nhật ký không có dòng {action} của bản ghi.")
        return
    newest = leaves[-1]
    if leaf_hash(newest.body) != newest.leaf_hash:
        check.failures.append(f"Dòng nhật ký {action} đã bị sửa.")
    elif json.loads(newest.body)["detail"].get(key) != expected:
        check.failures.append(f"Nhật ký {action} ghi mã băm khác.")
    check.audit_waiting = check.audit_waiting or newest.tree_index is None


# --- live chunks ---------------------------------------------------------------------------------


def _check_chain(segment: Segment, rows: _Rows, manifest: dict[str, Any], check: Check) -> None:
    name = f"đoạn {segment.seq}"
    listed = _entry(manifest.get("segments", []), "segment", str(segment.id))
    head = segment.chain_head.hex() if segment.chain_head else ""
    if listed.get("chain_head") != head:
        check.failures.append(f"Đầu chuỗi của {name} không khớp bản kê.")
    _check_head_leaf(segment, rows, check, head)
    chunks = rows.chunks.get(segment.id, [])
    _check_listed_chunks(chunks, listed, check, name)
    check.chunks += len(chunks)
    kept = [chunk for chunk in chunks if chunk.deleted_at is None]
    check.chunks_deleted += len(chunks) - len(kept)
    if kept and len(kept) == len(chunks):
        _read_whole_chain(segment, kept, check, name)


def _check_head_leaf(segment: Segment, rows: _Rows, check: Check, head: str) -> None:
    heads = [
        leaf
        for leaf in rows.leaves
        if leaf.action == "recording_chain_head" and leaf.object_id == segment.id
    ]
    if not heads or json.loads(heads[-1].body)["detail"].get("head") != head:
        check.failures.append(f"Đầu chuỗi của đoạn {segment.seq} không khớp nhật ký.")
    elif any(leaf_hash(leaf.body) != leaf.leaf_hash for leaf in heads):
        check.failures.append(f"Dòng nhật ký về chuỗi của đoạn {segment.seq} đã bị sửa.")


def _check_listed_chunks(
    chunks: list[LiveChunk], listed: dict[str, Any], check: Check, name: str
) -> None:
    kept = [(c.number, c.sealed_sha256.hex(), c.chain_hash.hex()) for c in chunks]
    told = [(c["number"], c["sealed_sha256"], c["chain_hash"]) for c in listed.get("chunks", [])]
    if kept != told:
        check.failures.append(f"Danh sách mảnh của {name} không khớp bản kê.")


def _read_whole_chain(segment: Segment, kept: list[LiveChunk], check: Check, name: str) -> None:
    key = runtime().keyring.unwrap(
        WrappedKey(segment.kid, segment.wrapped_key), segment_key_context(segment.id)
    )

    def fetch(number: int) -> bytes | None:
        if number >= len(kept):
            return None
        chunk = kept[number]
        where = chunk_name(segment.recording_id, segment.id, number)
        sealed = runtime().store.open_range(
            Bucket.CHUNKS, where, chunk.version_id, 0, chunk.sealed_size
        )
        check.bytes_read += len(sealed)
        if hashlib.sha256(sealed).digest() != chunk.sealed_sha256:
            check.failures.append(f"Mảnh {number} của {name} trong kho đã thay đổi.")
        return sealed

    head, final = None, False
    for chunk in read_chain(key, fetch, recording_id=segment.recording_id, segment_id=segment.id):
        head, final = chunk.chain_hash, chunk.final
    if not final or head != segment.chain_head:
        check.failures.append(f"Chuỗi mảnh của {name} không trọn vẹn.")


def _entry(entries: list[dict[str, Any]], key: str, value: str) -> dict[str, Any]:
    return next((entry for entry in entries if entry.get(key) == value), {})


# --- masters and copies --------------------------------------------------------------------------


def _check_master(
    track: Track, master: SealedObject | None, manifest: dict[str, Any], check: Check
) -> None:
    listed: dict[str, Any] = {}
    for segment in manifest.get("segments", []):
        listed = listed or _entry(segment.get("tracks", []), "file", track.file_name)
    if master is None:
        check.failures.append(f"Luồng {track.media} thiếu bản gốc.")
        return
    check.masters += 1
    if _stored_sha256(master, check) != master.sealed_sha256:
        check.failures.append(f"Bản gốc {_short(track)} trong kho đã thay đổi.")
        return
    digest = _plain_sha256(master)
    told = (listed.get("plain_sha256"), (listed.get("master") or {}).get("sealed_sha256"))
    if digest != track.plain_sha256:
        check.failures.append(f"Bản gốc {_short(track)} không khớp mã băm tính lúc đang ghi.")
    if told != (track.plain_sha256.hex(), master.sealed_sha256.hex()):
        check.failures.append(f"Bản gốc {_short(track)} không khớp bản kê.")


def _short(track: Track) -> str:
    return f"{track.media} …{track.file_name[-28:]}"


def _check_copy(copy: SealedObject, check: Check) -> None:
    check.copies += 1
    if _stored_sha256(copy, check) != copy.sealed_sha256:
        check.failures.append("Một bản xem trong kho đã thay đổi.")


def _stored_sha256(row: SealedObject, check: Check) -> bytes:
    """SHA-256 of the object as the store gives it, piece by piece."""
    digest = hashlib.sha256()
    store = runtime().store
    for offset in range(0, row.sealed_size, PIECE):
        part = store.open_range(
            Bucket(row.bucket),
            row.name,
            row.version_id,
            offset,
            min(PIECE, row.sealed_size - offset),
        )
        digest.update(part)
        check.bytes_read += len(part)
    return digest.digest()


def _plain_sha256(row: SealedObject) -> bytes:
    digest = hashlib.sha256()
    for part in open_object(row).iter_all():
        digest.update(part)
    return digest.digest()
