"""Takes a recording out of the system: originals, copies and manifest with their hashes.

What leaves is plain: the folder it goes to belongs to whoever asked, and the taking out is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.database import reading, unit_of_work
from storage.integrity import ensure_unbroken
from storage.models import (
    PlayableCopy,
    Recording,
    SealedObject,
    Segment,
    Track,
)
from storage.sealed import open_object
from workflows.errors import Conflict, DomainError

Progress = Callable[[int, int], None]


class NotWhole(DomainError):
    """A file came out of the store with another hash than the one kept when it was sealed."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Tệp {name} không khớp mã băm đã niêm phong. Không dùng thư mục vừa xuất."
        )


@dataclass(frozen=True)
class Item:
    """One file to write, relative to the folder, with the sealed object it comes from."""

    path: Path
    row: SealedObject


@dataclass(frozen=True)
class Exported:
    """What was written."""

    folder: Path
    files: int
    size_bytes: int


def export_recording(
    recording_id: UUID,
    to: Path,
    *,
    by: UUID | None,
    progress: Progress = lambda done, total: None,
) -> Exported:
    """Write originals, copies, manifest.json and SHA256SUMS into a new or empty folder.

    Raises Conflict when the folder holds something, RecordingBroken, NotWhole, SealBroken.
    """
    with reading() as work:
        recording = work.get(Recording, recording_id)
        ensure_unbroken(recording)
        items = list(_items(work.db_session, recording))
    if to.exists() and any(to.iterdir()):
        raise Conflict(f"Thư mục {to} không trống. Chọn một thư mục mới.")
    total = sum(item.row.plain_size for item in items)
    done, sums = 0, []
    for item in items:
        sums.append(f"{_write(to, item)}  {item.path}")
        done += item.row.plain_size
        progress(done, total)
    (to / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")
    with unit_of_work() as work:
        work.audit(
            "recording_exported",
            work.get(Recording, recording_id),
            by=by,
            files=len(items),
            manifest_sha256=recording.manifest_sha256,
        )
    return Exported(to, len(items), total)


def _items(db_session: Session, recording: Recording) -> Iterator[Item]:
    if recording.manifest_object_id is not None:
        yield Item(
            Path("manifest.json"), db_session.get_one(SealedObject, recording.manifest_object_id)
        )
    masters = db_session.execute(
        select(Segment.seq, Track.file_name, SealedObject)
        .join(Segment, Segment.id == Track.segment_id)
        .join(SealedObject, SealedObject.id == Track.master_object_id)
        .where(Segment.recording_id == recording.id)
        .order_by(Segment.seq, Track.file_name)
    )
    for seq, name, row in masters:
        yield Item(Path("originals") / f"segment-{seq}" / name, row)
    copies = db_session.execute(
        select(Segment.seq, PlayableCopy, SealedObject)
        .join(Segment, Segment.id == PlayableCopy.segment_id)
        .join(SealedObject, SealedObject.id == PlayableCopy.sealed_object_id)
        .where(Segment.recording_id == recording.id)
        .order_by(Segment.seq, PlayableCopy.offset_ms, PlayableCopy.join)
    )
    for seq, copy, row in copies:
        yield Item(
            Path("playable") / f"segment-{seq}" / f"{copy.offset_ms:09d}-{copy.join}.webm", row
        )


def _write(folder: Path, item: Item) -> str:
    """Decrypt one object into its file; returns the SHA-256 of what was written."""
    target = folder / item.path
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    with target.open("xb") as file:
        for part in open_object(item.row).iter_all():
            digest.update(part)
            file.write(part)
    if digest.digest() != item.row.plain_sha256:
        raise NotWhole(str(item.path))
    return digest.hexdigest()
