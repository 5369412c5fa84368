"""The sealer beside a media server: what lands on tmpfs leaves it encrypted within seconds.

One process per media server. It tails the growing track files, seals a chunk every two seconds,
writes it durably to a spool of sealed bytes, punches holes behind it, and uploads in order. The
database only hears about it: sealing goes on without one. A restart continues from the spool.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
import signal
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from config import Settings
from reception.recordings.alarms import SEALING, SPACE, STORE, Alarms, of_segment
from reception.recordings.jobs import join_of
from storage.database import Work, reading, unit_of_work
from storage.keyring import Family, Keyring, WrappedKey
from storage.media import punch_hole, require_tmpfs
from storage.models import LiveChunk, MediaJoin, MediaServer, Recording, Segment, Track
from storage.models.base import new_id, utc_now
from storage.objects import Bucket, StoreUnavailable
from storage.recordings import (
    GENESIS,
    Slice,
    TrackHashes,
    build_chunk,
    chunk_name,
    open_chunk,
    seal_chunk,
    segment_key_context,
)
from storage.runtime import runtime
from storage.sealed import OPEN_CLASS
from workflows.errors import DomainError, Unavailable

log = logging.getLogger(__name__)

TICK_S = 0.25
CHUNK_S = 2.0
HEAD_EVERY = timedelta(seconds=60)
QUIET_S = 3.0  # a file that did not grow for so long after the end is finished
SLICE_LIMIT = 8 * 1024 * 1024
LOW_SPACE = 0.15  # alarm when less than this part of the spool is free
SLOW_STORE_S = 10.0  # a sealed chunk that waits longer for the store raises the alarm
RETRY_S = (1.0, 60.0)  # first and longest pause before a segment that did not open is tried again
SEALED_DIR = "sealing"
AWAY = (Unavailable, OperationalError, InterfaceError)
"""The store or the database does not answer: no segment's own trouble."""


@dataclass(frozen=True)
class SegmentSpec:
    """What the sealer must know of a segment; kept beside the sealed spool for restarts."""

    segment_id: UUID
    recording_id: UUID
    room: str
    kid: str
    wrapped_key: bytes

    def dump(self) -> str:
        return json.dumps(
            {
                "segment": str(self.segment_id),
                "recording": str(self.recording_id),
                "room": self.room,
                "kid": self.kid,
                "wrapped_key": self.wrapped_key.hex(),
            }
        )

    @classmethod
    def load(cls, text: str) -> SegmentSpec:
        data = json.loads(text)
        return cls(
            UUID(data["segment"]),
            UUID(data["recording"]),
            data["room"],
            data["kid"],
            bytes.fromhex(data["wrapped_key"]),
        )


@dataclass
class Entry:
    """A line of the ledger: one sealed chunk. `version_id` is empty until the store has it."""

    number: int
    chain_hash: bytes
    sealed_size: int
    sealed_sha256: bytes
    slices: list[Slice]
    sealed_at: datetime
    final: bool = False
    version_id: str = ""
    told: bool = False


def _write_durably(path: Path, data: bytes) -> None:
    """Write, sync, rename: after this returns the bytes survive a power cut."""
    arriving = path.with_suffix(".new")
    with arriving.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    arriving.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _open_track(path: Path) -> int:
    """A descriptor of the track. Raises OSError for anything but a plain file of this folder.

    The media server writes here as another user. A link it left would make us read, and punch
    holes into, a file that it cannot reach itself.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(path.name, flags, dir_fd=folder)
        found, place = os.fstat(descriptor), os.fstat(folder)
    finally:
        os.close(folder)
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_dev == place.st_dev:
        return descriptor
    os.close(descriptor)
    raise OSError(errno.ELOOP, "not a plain track file", str(path))


class TailedFile:
    """A growing track file on tmpfs, followed by its open descriptor through the rename."""

    def __init__(self, path: Path) -> None:
        self.name = path.name.removesuffix(".tmp")
        self.path = path
        self.descriptor = _open_track(path)
        self.offset = 0
        self.grew_at = time.monotonic()

    def pending(self, limit: int = SLICE_LIMIT) -> bytes:
        """The bytes behind the sealed offset, at most `limit`."""
        data = os.pread(self.descriptor, limit, self.offset)
        if data:
            self.grew_at = time.monotonic()
        return data

    def sealed_to(self, offset: int) -> None:
        """Give the memory of what is durably sealed back."""
        self.offset = offset
        punch_hole(self.descriptor, 0, offset)

    @property
    def finished(self) -> bool:
        """Renamed by the media server, or quiet for long enough."""
        renamed = self.path.suffix == ".tmp" and not self.path.exists()
        return renamed or time.monotonic() - self.grew_at > QUIET_S

    def close(self) -> None:
        os.close(self.descriptor)


@dataclass
class SegmentSealer:
    """Seals one segment: its files, its chain, its spool."""

    spec: SegmentSpec
    key: bytes
    tracks_dir: Path
    spool: Path
    chunk_lock: timedelta
    entries: list[Entry] = field(default_factory=list)
    files: dict[str, TailedFile] = field(default_factory=dict)
    hashes: TrackHashes = field(default_factory=TrackHashes)
    head: bytes = GENESIS
    ending: bool = False
    closed: bool = False
    head_told_at: datetime | None = None

    @classmethod
    def begin(
        cls, spec: SegmentSpec, key: bytes, tracks_dir: Path, spool: Path, *, chunk_lock: timedelta
    ) -> SegmentSealer:
        """Begin a segment, or continue it after a restart of the sealer.

        `chunk_lock` is how long the store refuses to delete a live chunk.
        """
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (spool / "segment.json").exists():
            _write_durably(spool / "segment.json", spec.dump().encode())
        sealer = cls(spec, key, tracks_dir, spool, chunk_lock)
        sealer._continue()
        return sealer

    # --- restart ------------------------------------------------------------------------------

    def _continue(self) -> None:
        """Rebuild the chain and the track hashes from what was sealed before."""
        for line in self._ledger_lines():
            self._replay(line)
        for entry in self.entries:
            chunk = open_chunk(
                self.key,
                self._sealed_bytes(entry),
                recording_id=self.spec.recording_id,
                segment_id=self.spec.segment_id,
                number=entry.number,
                previous=self.head,
            )
            for piece, body in zip(chunk.slices, chunk.bodies, strict=True):
                self.hashes.add(entry.number, piece, body)
            self.head = chunk.chain_hash
        self._adopt_orphan()
        self.closed = bool(self.entries) and self.entries[-1].final

    def _ledger_lines(self) -> Iterator[dict[str, object]]:
        ledger = self.spool / "ledger.jsonl"
        if not ledger.exists():
            return
        for line in ledger.read_text().splitlines():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:  # the last line was cut by a crash
                return

    def _replay(self, line: dict[str, object]) -> None:
        if "stored" in line:
            self.entries[int(str(line["stored"]))].version_id = str(line["version_id"])
            return
        slices = [Slice(**piece) for piece in line["slices"]]  # type: ignore[attr-defined]  # JSON list
        self.entries.append(
            Entry(
                number=int(str(line["number"])),
                chain_hash=bytes.fromhex(str(line["chain_hash"])),
                sealed_size=int(str(line["sealed_size"])),
                sealed_sha256=bytes.fromhex(str(line["sealed_sha256"])),
                slices=slices,
                sealed_at=datetime.fromisoformat(str(line["sealed_at"])),
                final=bool(line["final"]),
            )
        )

    def _sealed_bytes(self, entry: Entry) -> bytes:
        waiting = self.chunk_path(entry.number)
        if waiting.exists():
            return waiting.read_bytes()
        name = chunk_name(self.spec.recording_id, self.spec.segment_id, entry.number)
        return runtime().store.open_range(
            Bucket.CHUNKS, name, entry.version_id, 0, entry.sealed_size
        )

    def _adopt_orphan(self) -> None:
        """A chunk written just before a crash, before its ledger line: it is part of the chain."""
        number = len(self.entries)
        path = self.chunk_path(number)
        if not path.exists():
            return
        sealed = path.read_bytes()
        chunk = open_chunk(
            self.key,
            sealed,
            recording_id=self.spec.recording_id,
            segment_id=self.spec.segment_id,
            number=number,
            previous=self.head,
        )
        for piece, body in zip(chunk.slices, chunk.bodies, strict=True):
            self.hashes.add(number, piece, body)
        self._keep_entry(sealed, chunk.chain_hash, list(chunk.slices), chunk.sealed_at, chunk.final)

    def chunk_path(self, number: int) -> Path:
        """The sealed chunk while it waits for the store."""
        return self.spool / f"{number:08d}.sealed"

    # --- while the session runs ---------------------------------------------------------------

    @property
    def due(self) -> bool:
        """The first bytes and the last ones at once, between them a chunk every two seconds."""
        if self.ending or not self.entries:
            return True
        return (utc_now() - self.entries[-1].sealed_at).total_seconds() >= CHUNK_S

    def tick(self) -> bool:
        """Seal what is new; returns whether there was anything."""
        self._find_files()
        pieces: list[tuple[Slice, bytes]] = []
        for file in self.files.values():
            data = file.pending()
            if data:
                pieces.append((Slice.of(file.name, file.offset, data), data))
        finished = self.ending and not pieces and all(f.finished for f in self.files.values())
        if not pieces and not finished:
            return False
        self._seal(pieces, final=finished)
        return True

    def _find_files(self) -> None:
        if not self.tracks_dir.exists():
            return
        for path in sorted(self.tracks_dir.iterdir()):
            name = path.name.removesuffix(".tmp")
            if name.endswith(".mjr") and name not in self.files and not path.is_symlink():
                file = TailedFile(path)
                file.offset = self.hashes.sizes.get(name, 0)
                self.files[name] = file

    def _seal(self, pieces: list[tuple[Slice, bytes]], *, final: bool) -> None:
        number = len(self.entries)
        sealed_at = utc_now().isoformat()
        plain, chain_hash = build_chunk(number, self.head, pieces, sealed_at=sealed_at, final=final)
        sealed = seal_chunk(
            self.key,
            plain,
            recording_id=self.spec.recording_id,
            segment_id=self.spec.segment_id,
            number=number,
            previous=self.head,
        )
        _write_durably(self.chunk_path(number), sealed)
        for piece, body in pieces:
            self.hashes.add(number, piece, body)
        self._keep_entry(sealed, chain_hash, [piece for piece, _ in pieces], sealed_at, final)
        # Only now, with the sealed bytes durable, may the plaintext go.
        for piece, _ in pieces:
            self.files[piece.file].sealed_to(piece.offset + piece.length)
        self.closed = final

    def _keep_entry(
        self, sealed: bytes, chain_hash: bytes, slices: list[Slice], sealed_at: str, final: bool
    ) -> None:
        entry = Entry(
            number=len(self.entries),
            chain_hash=chain_hash,
            sealed_size=len(sealed),
            sealed_sha256=hashlib.sha256(sealed).digest(),
            slices=slices,
            sealed_at=datetime.fromisoformat(sealed_at),
            final=final,
        )
        self._ledger(
            {
                "number": entry.number,
                "chain_hash": chain_hash.hex(),
                "sealed_size": entry.sealed_size,
                "sealed_sha256": entry.sealed_sha256.hex(),
                "slices": [vars(piece) for piece in slices],
                "sealed_at": sealed_at,
                "final": final,
            }
        )
        self.entries.append(entry)
        self.head = chain_hash

    def _ledger(self, line: dict[str, object]) -> None:
        with (self.spool / "ledger.jsonl").open("a") as file:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())

    # --- to the store -------------------------------------------------------------------------

    def upload_next(self) -> bool:
        """Upload the oldest chunk the store does not have; returns whether there was one.

        Raises StoreUnavailable; the same bytes are sent again later.
        """
        entry = next((e for e in self.entries if not e.version_id), None)
        if entry is None:
            return False
        path = self.chunk_path(entry.number)
        name = chunk_name(self.spec.recording_id, self.spec.segment_id, entry.number)
        store = runtime().store
        info = store.put(Bucket.CHUNKS, name, path.read_bytes())
        store.lock(Bucket.CHUNKS, name, info.version_id, utc_now() + self.chunk_lock)
        self._ledger({"stored": entry.number, "version_id": info.version_id})
        entry.version_id = info.version_id
        path.unlink()
        return True

    @property
    def waiting(self) -> int:
        """Chunks sealed but not yet in the store."""
        return sum(not entry.version_id for entry in self.entries)

    @property
    def waits_since(self) -> datetime | None:
        """When the oldest of them was sealed."""
        return next((e.sealed_at for e in self.entries if not e.version_id), None)

    def forget_tracks(self) -> None:
        """Free the tmpfs of a closed segment."""
        for file in self.files.values():
            file.close()
        self.files.clear()
        shutil.rmtree(self.tracks_dir, ignore_errors=True)


@dataclass
class _Pause:
    """When a segment that did not open is tried again; each time later than before."""

    until: float = 0.0
    length_s: float = RETRY_S[0]

    def longer(self) -> None:
        self.until = time.monotonic() + self.length_s
        self.length_s = min(self.length_s * 2, RETRY_S[1])


class Sealer:
    """All segments of one media server; trouble of one never stops another."""

    PROOF_EVERY_S = 10.0

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        self.settings = settings
        self.keyring = keyring
        self.rooms_dir = settings.spool_dir / "rooms"
        self.sealed_dir = settings.data_dir / SEALED_DIR
        self.segments: dict[UUID, SegmentSealer] = {}
        self.lock = threading.RLock()
        self.alarms = Alarms(settings.time_zone)
        self._pauses: dict[UUID, _Pause] = {}
        self._store_failed = False
        self._proved_at = float("-inf")

    def prepare(self) -> None:
        """Refuse a spool that is not tmpfs; continue what a crash interrupted."""
        self.rooms_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.sealed_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        require_tmpfs(self.rooms_dir)
        for folder in sorted(path for path in self.sealed_dir.iterdir() if path.is_dir()):
            self._continue_segment(folder)

    def _continue_segment(self, folder: Path) -> None:
        try:
            spec = SegmentSpec.load((folder / "segment.json").read_text())
        except (OSError, ValueError, KeyError):
            log.exception("folder of a segment cannot be read", extra={"segment": folder.name})
            return
        try:
            self._begin_guarded(spec)
        except (Unavailable, SQLAlchemyError):
            log.warning("the database is away; the segment is continued later")

    def _begin(self, spec: SegmentSpec) -> SegmentSealer:
        key = self.keyring.unwrap(
            WrappedKey(spec.kid, spec.wrapped_key),
            segment_key_context(spec.segment_id),
        )
        sealer = SegmentSealer.begin(
            spec,
            key,
            self.rooms_dir / spec.room,
            self.sealed_dir / str(spec.segment_id),
            chunk_lock=timedelta(days=self.settings.chunk_lock_days),
        )
        with self.lock:
            self.segments[spec.segment_id] = sealer
        return sealer

    def _begin_guarded(self, spec: SegmentSpec) -> SegmentSealer | None:
        """The segment's sealer, or None with its alarm raised; tried again after a pause."""
        pause = self._pauses.setdefault(spec.segment_id, _Pause())
        if time.monotonic() < pause.until:
            return None
        with self._guarded(spec.segment_id):
            sealer = self._begin(spec)
            self._pauses.pop(spec.segment_id, None)
            return sealer
        pause.longer()
        return None

    @contextmanager
    def _guarded(self, segment_id: UUID, doing: str = "") -> Iterator[None]:
        """Whatever goes wrong inside raises the alarm of this segment alone; success ends it.

        Passes on what concerns all of them: a store or a database that is away.
        """
        cause = of_segment(segment_id, doing)
        try:
            yield
        except AWAY:
            raise
        except Exception as error:
            if self.alarms.raised(cause, _segment_trouble(error)):
                log.exception("segment in trouble: %s", cause)
        else:
            self.alarms.over(cause)

    def retry_all_now(self) -> None:
        """Try every segment that did not open in the next round, whatever its pause."""
        self._pauses.clear()

    # --- the loop -----------------------------------------------------------------------------

    def look_for_segments(self) -> None:
        """Learn from the database which segments began or ended. Raises when it is down."""
        with reading() as work:
            rows = work.db_session.scalars(
                select(Segment).where(
                    Segment.media_server == self.settings.media_server,
                    Segment.closed_at.is_(None),
                )
            ).all()
        for row in rows:
            sealer = self.segments.get(row.id) or self._begin_when_stored(row)
            if sealer is not None:
                sealer.ending = sealer.ending or row.ended_at is not None
        self._forget_troubles({row.id for row in rows} | set(self.segments))

    def _begin_when_stored(self, row: Segment) -> SegmentSealer | None:
        """Begin it; one that must first read its chunks back waits for the store alone."""
        try:
            return self._begin_guarded(
                SegmentSpec(row.id, row.recording_id, row.room, row.kid, row.wrapped_key)
            )
        except StoreUnavailable as error:
            self._store_failed = True
            self.alarms.raised(of_segment(row.id), _segment_trouble(error))
            return None

    def _forget_troubles(self, known: set[UUID]) -> None:
        """What was closed by other means needs no alarm any more."""
        for segment_id in self.alarms.segments() - known:
            self.alarms.over_for(segment_id)
            self._pauses.pop(segment_id, None)

    def seal_all(self) -> None:
        """One round of sealing over every open segment."""
        for sealer in list(self.segments.values()):
            if not sealer.closed and sealer.due:
                with self._guarded(sealer.spec.segment_id):
                    sealer.tick()

    def upload_all(self) -> None:
        """Send waiting chunks, in order within each segment. Raises StoreUnavailable at the end."""
        failed: StoreUnavailable | None = None
        for sealer in list(self.segments.values()):
            try:
                with self._guarded(sealer.spec.segment_id, "upload"):
                    self._upload(sealer)
            except StoreUnavailable as error:
                failed, self._store_failed = error, True
        if failed is not None:
            raise failed

    def _upload(self, sealer: SegmentSealer) -> None:
        while sealer.upload_next():
            self._store_failed = False

    def tell_database(self) -> None:
        """Write index rows, the lamp and the heartbeat. Raises when the database is down."""
        self._watch_store()
        self._prove_sealing()
        self.tell_segments()
        with unit_of_work() as work:
            self._beat(work)

    def _watch_store(self) -> None:
        """Raise or end the alarm of the store by what waits for it."""
        waiting = sum(sealer.waiting for sealer in self.segments.values())
        since = [s.waits_since for s in self.segments.values() if s.waits_since is not None]
        slow = since and (utc_now() - min(since)).total_seconds() > SLOW_STORE_S
        if waiting and (self._store_failed or slow):
            self.alarms.raised(
                STORE,
                "Kho lưu trữ không nhận dữ liệu từ {since}; "
                f"{waiting} mảnh đã niêm phong đang chờ gửi.",
            )
        else:
            self.alarms.over(STORE)

    def _prove_sealing(self) -> None:
        """Seal a chunk with a key of today, keep it durably and open it again, now and then.

        Without this an idle recorder would call itself ready although no session could be sealed.
        """
        if time.monotonic() - self._proved_at < self.PROOF_EVERY_S:
            return
        try:
            self._seal_proof()
        except AWAY:
            raise
        except Exception:
            if self.alarms.raised(SEALING, "Máy ghi không niêm phong được từ {since}."):
                log.exception("a chunk could not be sealed as a proof; no session may open")
        else:
            self._proved_at = time.monotonic()
            self.alarms.over(SEALING)

    def _seal_proof(self) -> None:
        proof_id, path = new_id(), self.sealed_dir / "proof"
        context = segment_key_context(proof_id)
        year = runtime().now().year
        _, wrapped = self.keyring.new_data_key(Family.RECORDINGS, OPEN_CLASS, year, context)
        key = self.keyring.unwrap(wrapped, context)
        plain, _ = build_chunk(0, GENESIS, [], sealed_at=utc_now().isoformat(), final=True)
        seal = partial(seal_chunk, recording_id=proof_id, segment_id=proof_id, number=0)
        _write_durably(path, seal(key, plain, previous=GENESIS))
        opened = partial(open_chunk, recording_id=proof_id, segment_id=proof_id, number=0)
        opened(key, path.read_bytes(), previous=GENESIS)

    def tell_segments(self) -> None:
        """Write index rows and the lamp; close what is sealed and stored to the end."""
        for sealer in list(self.segments.values()):
            with self._guarded(sealer.spec.segment_id, "tell"):
                with unit_of_work() as work:
                    self._tell_segment(work, sealer)
                if sealer.closed and not sealer.waiting:
                    self._finish_segment(sealer)
        self._tell_unopened()

    def _tell_unopened(self) -> None:
        """The lamp of a segment that never opened says why."""
        unopened = self.alarms.segments() - set(self.segments)
        if not unopened:
            return
        with unit_of_work() as work:
            for row in work.db_session.scalars(select(Segment).where(Segment.id.in_(unopened))):
                row.alarm = self.alarms.words(row.id)

    def _tell_segment(self, work: Work, sealer: SegmentSealer) -> None:
        row = work.get(Segment, sealer.spec.segment_id)
        fresh = [e for e in sealer.entries if e.version_id and not e.told]
        known = (
            set(
                work.db_session.scalars(
                    select(LiveChunk.number).where(
                        LiveChunk.segment_id == row.id, LiveChunk.number >= fresh[0].number
                    )
                )
            )
            if fresh
            else set()
        )
        for entry in fresh:
            if entry.number not in known:
                work.add(_index_row(sealer.spec, entry))
        for entry in fresh:
            entry.told = True
        self._light_lamp(row, sealer)
        self._tell_head(work, row, sealer)

    def _light_lamp(self, row: Segment, sealer: SegmentSealer) -> None:
        stored = [e for e in sealer.entries if e.version_id]
        row.chunks = len(stored)
        row.sealed_bytes = sum(e.sealed_size for e in stored)
        row.last_sealed_at = sealer.entries[-1].sealed_at if sealer.entries else None
        row.chain_head = sealer.head if sealer.entries else None
        row.unsealed_lag_ms = self._lag_ms(sealer)
        row.alarm = self.alarms.words(sealer.spec.segment_id)

    @staticmethod
    def _lag_ms(sealer: SegmentSealer) -> int | None:
        if not sealer.entries:
            return None
        return round((utc_now() - sealer.entries[-1].sealed_at).total_seconds() * 1000)

    @staticmethod
    def _tell_head(work: Work, row: Segment, sealer: SegmentSealer) -> None:
        """The chain head enters the audit log every minute and at the end of the segment."""
        now = utc_now()
        due = sealer.head_told_at is None or now - sealer.head_told_at >= HEAD_EVERY
        if sealer.entries and (due or sealer.closed):
            work.audit(
                "recording_chain_head",
                row,
                by=None,
                recording=row.recording_id,
                number=sealer.entries[-1].number,
                head=sealer.head,
            )
            sealer.head_told_at = now

    def _finish_segment(self, sealer: SegmentSealer) -> None:
        """Everything is sealed and stored: keep the tracks' hashes, let the worker go on."""
        with unit_of_work() as work:
            row = work.get(Segment, sealer.spec.segment_id)
            if row.closed_at is None:
                _keep_tracks(work, row, sealer)
                row.closed_at = utc_now()
                work.flush()
                _master_when_complete(work, row.recording_id)
        sealer.forget_tracks()
        with self.lock:
            del self.segments[sealer.spec.segment_id]
        self.alarms.over_for(sealer.spec.segment_id)
        shutil.rmtree(sealer.spool)

    def _beat(self, work: Work) -> None:
        space = shutil.disk_usage(self.rooms_dir)
        if space.free < space.total * LOW_SPACE:
            self.alarms.raised(SPACE, "Vùng đệm ghi sắp đầy.")
        else:
            self.alarms.over(SPACE)
        row = work.db_session.get(MediaServer, self.settings.media_server)
        if row is None:
            row = MediaServer(name=self.settings.media_server)
            work.db_session.add(row)
        row.http_url, row.ws_url = self.settings.janus_http_url, self.settings.janus_ws_url
        row.spool_dir = str(self.rooms_dir)
        row.spool_total_bytes, row.spool_free_bytes = space.total, space.free
        row.waiting_chunks = sum(s.waiting for s in self.segments.values())
        row.open_segments = len(self.segments)
        row.alarms, row.alarm = self.alarms.rows(), self.alarms.words()
        row.seen_at = utc_now()

    def run_until_stopped(self) -> None:
        """Seal, upload and tell until SIGTERM; each in its own thread, none waits for another."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.run(stop)

    def run(self, stop: threading.Event) -> None:
        """The same, until `stop` is set."""
        self.prepare()
        loops = [
            threading.Thread(target=self._loop, args=(stop, step, every), daemon=True)
            for step, every in (
                (self.look_for_segments, 0.5),
                (self.upload_all, 0.25),
                (self.tell_database, 0.5),
            )
        ]
        for loop in loops:
            loop.start()
        while not stop.wait(TICK_S):
            self.seal_all()
        for loop in loops:
            loop.join(timeout=10)

    def _loop(self, stop: threading.Event, step: object, every: float) -> None:
        while not stop.wait(every):
            try:
                step()  # type: ignore[operator]  # a bound method of this class
            except StoreUnavailable:
                log.warning("the store is away; sealed chunks wait beside the recorder")
            except (Unavailable, SQLAlchemyError):
                log.warning("the database is away; sealing goes on")
            except Exception:
                log.exception("a round of the sealer failed once; it tries again")


def _segment_trouble(error: Exception) -> str:
    """The sentence about one segment; a domain refusal in its own words."""
    told = error.message if isinstance(error, DomainError) else f"lỗi {type(error).__name__}."
    return f"Một đoạn ghi chưa niêm phong được: {told}"


def _index_row(spec: SegmentSpec, entry: Entry) -> LiveChunk:
    return LiveChunk(
        segment_id=spec.segment_id,
        number=entry.number,
        name=chunk_name(spec.recording_id, spec.segment_id, entry.number),
        version_id=entry.version_id,
        sealed_size=entry.sealed_size,
        sealed_sha256=entry.sealed_sha256,
        chain_hash=entry.chain_hash,
        slices=[vars(piece) for piece in entry.slices],
    )


def _keep_tracks(work: Work, row: Segment, sealer: SegmentSealer) -> None:
    for file in sealer.hashes.files:
        work.add(
            Track(
                segment_id=row.id,
                participant_id=_person_behind(work, file),
                media="audio" if "-audio-" in file else "video",
                codec="opus" if "-audio-" in file else "vp8",
                file_name=file,
                plain_size=sealer.hashes.sizes[file],
                plain_sha256=sealer.hashes.digest(file),
            )
        )


def _person_behind(work: Work, file: str) -> UUID | None:
    """Whose track a file is: the media id in its name was given to exactly one participant."""
    join = work.db_session.get(MediaJoin, join_of(file))
    return join.participant_id if join else None


def _master_when_complete(work: Work, recording_id: UUID) -> None:
    recording = work.get(Recording, recording_id)
    still_open = work.db_session.scalar(
        select(Segment.id)
        .where(Segment.recording_id == recording_id, Segment.closed_at.is_(None))
        .limit(1)
    )
    if recording.state == "closing" and still_open is None:
        work.enqueue(
            "recordings.master", {"recording": str(recording_id)}, dedupe=f"master:{recording_id}"
        )
