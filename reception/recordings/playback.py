"""Ranges of a playable copy: only what was asked for is fetched and decrypted.

A reader lives in this process for as long as the opening is used, so its end is proven once. The
grant is asked anew at each request: a revoked or expired one stops the picture within 2 MiB.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from storage.database import reading, unit_of_work
from storage.models import PlayableCopy, PlaybackGrant, PlaybackOpening, SealedObject, Segment
from storage.models.base import utc_now
from storage.sealed import open_object
from storage.sealing import SealedReader
from workflows.errors import DomainError, NotFound, Unavailable

MOST_AT_ONCE = 2 * 1024 * 1024
FIRST_PIECE = 128 * 1024
PIECE = 512 * 1024
KEPT_READERS = 128
COUNT_EVERY_S = 5.0
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class PlaybackEnded(DomainError):
    """The grant ran out or was withdrawn while somebody was watching."""

    def __init__(self) -> None:
        super().__init__(
            "Quyền xem đã hết hạn hoặc đã bị thu hồi. Nếu còn cần xem, gửi yêu cầu mới kèm lý do."
        )


class OpeningClosed(DomainError):
    """The person closed this opening; watching on is a new one."""

    def __init__(self) -> None:
        super().__init__("Lần mở này đã đóng. Bấm mở lại; lần mở mới cũng được ghi vào nhật ký.")


class OutOfRange(DomainError):
    """The bytes asked for lie behind the end; `size` is the length of the file."""

    def __init__(self, size: int) -> None:
        super().__init__("Đoạn được hỏi nằm ngoài tệp. Tải lại trang xem.")
        self.size = size


@dataclass(frozen=True)
class Span:
    """The bytes [first, last] of a file of `size` bytes; `whole` when no range was asked for."""

    first: int
    last: int
    size: int
    whole: bool

    @property
    def length(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Copy:
    """An open playable copy: its type, and a reader whose end is proven."""

    opening_id: UUID
    media_type: str
    reader: SealedReader


def token_hash(token: str) -> bytes:
    """What is kept of a playback token."""
    return hashlib.sha256(token.encode()).digest()


def wanted_span(header: str | None, size: int) -> Span:
    """The span to answer with: at most 2 MiB of what was asked (RFC 9110, 14.1.2).

    A header that is not one valid range counts as none. Raises OutOfRange.
    """
    asked = _RANGE.fullmatch((header or "").strip())
    begin, end = asked.groups() if asked else ("", "")
    if _is_no_range(begin, end):
        return Span(0, max(0, size - 1), size, whole=True)
    first = int(begin) if begin else max(0, size - int(end))
    last = min(int(end), size - 1) if begin and end else size - 1
    if first > last:
        raise OutOfRange(size)
    return Span(first, min(last, first + MOST_AT_ONCE - 1), size, whole=False)


def _is_no_range(begin: str, end: str) -> bool:
    """Nothing asked, or an end before its beginning, which is to be ignored."""
    return not (begin or end) or bool(begin and end and int(end) < int(begin))


def read_span(copy: Copy, span: Span) -> Iterator[bytes]:
    """The bytes of a span, a small piece first, so that a picture stands soon after a jump.

    The first piece is read at once: a broken seal is told before anything is sent. Whoever jumps
    again takes no more pieces, and those are then neither fetched nor decrypted.
    """
    pieces = _pieces(copy, span)
    first = next(pieces, b"")
    return chain((first,), pieces)


def _pieces(copy: Copy, span: Span) -> Iterator[bytes]:
    at, served, asked_at = span.first, 0, span.first
    try:
        while at <= span.last:
            if at - asked_at >= MOST_AT_ONCE:  # a long answer must not outlive the leave
                _open_now(PlaybackOpening.id == copy.opening_id)
                asked_at = at
            length = min(FIRST_PIECE if at == span.first else PIECE, span.last + 1 - at)
            data = copy.reader.read(at, length)
            served += length
            yield data
            at += length
    finally:
        COUNTER.add(copy.opening_id, served)


# --- from token to reader ------------------------------------------------------------------------


class _Readers:
    """The readers of this process, newest last; the least used one goes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers: OrderedDict[tuple[UUID, UUID], Copy] = OrderedDict()

    def get(self, key: tuple[UUID, UUID]) -> Copy | None:
        with self._lock:
            found = self._readers.get(key)
            if found is not None:
                self._readers.move_to_end(key)
            return found

    def put(self, key: tuple[UUID, UUID], copy: Copy) -> None:
        with self._lock:
            self._readers[key] = copy
            while len(self._readers) > KEPT_READERS:
                self._readers.popitem(last=False)

    def forget(self, opening_id: UUID) -> None:
        with self._lock:
            for key in [key for key in self._readers if key[0] == opening_id]:
                del self._readers[key]


READERS = _Readers()


def open_copy(token: str, copy_id: UUID, *, account_id: UUID | None) -> Copy:
    """The copy behind a playback token, for the account that opened it.

    One small query decides each time. Raises NotFound, PlaybackEnded, OpeningClosed,
    SealBroken.
    """
    opening, grant = ensure_open(token, account_id=account_id)
    key = (opening.id, copy_id)
    known = READERS.get(key)
    if known is not None:
        return known
    row = _object_of(copy_id, opening.recording_id, closed_parts=grant.closed_parts)
    copy = Copy(opening.id, row.media_type, open_object(row))
    READERS.put(key, copy)
    return copy


def ensure_open(token: str, *, account_id: UUID | None) -> tuple[PlaybackOpening, PlaybackGrant]:
    """The opening of a token while its grant is in force.

    Raises NotFound, PlaybackEnded, OpeningClosed.
    """
    return _open_now(
        PlaybackOpening.token_hash == token_hash(token), PlaybackOpening.account_id == account_id
    )


def _open_now(*which: ColumnElement[bool]) -> tuple[PlaybackOpening, PlaybackGrant]:
    with reading() as work:
        row = work.db_session.execute(
            select(PlaybackOpening, PlaybackGrant)
            .join(PlaybackGrant, PlaybackGrant.id == PlaybackOpening.grant_id)
            .where(*which)
        ).one_or_none()
    if row is None:
        raise NotFound()
    opening, grant = row
    if opening.closed_at is not None:
        raise OpeningClosed
    if not is_in_force(grant, utc_now()):
        READERS.forget(opening.id)
        raise PlaybackEnded
    return opening, grant


def is_in_force(grant: PlaybackGrant, now: datetime) -> bool:
    """Approved and not run out."""
    return grant.state == "approved" and grant.expires_at is not None and grant.expires_at > now


def _object_of(copy_id: UUID, recording_id: UUID, *, closed_parts: bool) -> SealedObject:
    with reading() as work:
        row = work.db_session.execute(
            select(SealedObject, Segment.secrecy)
            .join(PlayableCopy, PlayableCopy.sealed_object_id == SealedObject.id)
            .join(Segment, Segment.id == PlayableCopy.segment_id)
            .where(PlayableCopy.id == copy_id, Segment.recording_id == recording_id)
        ).one_or_none()
    if row is None or (row.secrecy != "normal" and not closed_parts):
        raise NotFound()
    found: SealedObject = row[0]
    return found


# --- counting ------------------------------------------------------------------------------------


class _Counter:
    """What was read under each opening, written every few seconds instead of at every range."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[UUID, tuple[int, int]] = {}
        self._written_at: dict[UUID, float] = {}

    def add(self, opening_id: UUID, size: int) -> None:
        """Count a range; write when the last writing is long enough ago."""
        now = time.monotonic()
        with self._lock:
            size_before, ranges = self._waiting.get(opening_id, (0, 0))
            self._waiting[opening_id] = (size_before + size, ranges + 1)
            due = now - self._written_at.get(opening_id, 0.0) >= COUNT_EVERY_S
            if due:
                self._written_at[opening_id] = now
        if due:
            self.write(opening_id)

    def write(self, opening_id: UUID) -> None:
        """Add what waits to the row; while the database is busy it goes on waiting."""
        with self._lock:
            size, ranges = self._waiting.pop(opening_id, (0, 0))
        if not ranges:
            return
        try:
            with unit_of_work() as work:
                work.db_session.execute(
                    update(PlaybackOpening)
                    .where(PlaybackOpening.id == opening_id)
                    .values(
                        bytes_served=PlaybackOpening.bytes_served + size,
                        ranges=PlaybackOpening.ranges + ranges,
                        last_read_at=utc_now(),
                    )
                )
        except Unavailable:
            with self._lock:
                again_size, again = self._waiting.get(opening_id, (0, 0))
                self._waiting[opening_id] = (again_size + size, again + ranges)


COUNTER = _Counter()
