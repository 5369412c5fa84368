"""After the end of a session: masters checked against the live hashes, playable copies, manifest.

Safe to run twice: what an earlier attempt finished is found in the rows and kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reception.recordings.checks import verify_job
from reception.recordings.steps import segments_of
from storage.audit import canonical
from storage.database import reading, unit_of_work
from storage.jobs import Handler, JobRun
from storage.keyring import Family, WrappedKey
from storage.media import (
    MediaToolFailed,
    MjrBroken,
    MjrParser,
    TrackStatistics,
    TrackSummary,
    audio_peaks,
    probe,
    process_track,
    remux_person,
)
from storage.models import (
    LiveChunk,
    PlayableCopy,
    PresenceEvent,
    Recording,
    SealedObject,
    Segment,
    Track,
)
from storage.models.base import utc_now
from storage.objects import Bucket
from storage.recordings import ChunkBroken, chunk_name, read_chain, segment_key_context
from storage.runtime import runtime
from storage.sealed import SealedSpool, open_object, seal_object

MASTER_LOCK = timedelta(days=365)
MANIFEST_VERSION = 1


@dataclass
class _MasterTrack:
    """A track while its master is being written."""

    spool: SealedSpool
    parser: MjrParser
    statistics: TrackStatistics | None = None

    def take(self, data: bytes) -> None:
        self.spool.write(data)
        for packet in self.parser.feed(data):
            if self.statistics is None and self.parser.header is not None:
                self.statistics = TrackStatistics(self.parser.header.clock_hz)
            if self.statistics is not None:
                self.statistics.add(packet)

    @property
    def summary(self) -> TrackSummary | None:
        return self.statistics.summary() if self.statistics else None

    @property
    def began_at(self) -> datetime | None:
        """When the first packet arrived, less what it was late.

        The arrival is the header's field `u`, microseconds since 1970.
        """
        header, summary = self.parser.header, self.summary
        if header is None:
            return None
        arrived = datetime.fromtimestamp(header.first_written_us / 1_000_000, tz=UTC)
        return arrived + timedelta(milliseconds=summary.lead_ms if summary else 0)


def master(run: JobRun) -> None:
    """Make masters, playable copies and the manifest of one recording."""
    recording_id = UUID(run.payload["recording"])
    with reading() as work:
        segments = segments_of(work.db_session, recording_id)
    for done, segment in enumerate(segments):
        run.progress(done * 2, len(segments) * 2 + 1, "Kiểm tra bản gốc")
        _master_segment(segment)
        run.progress(done * 2 + 1, len(segments) * 2 + 1, "Tạo bản xem")
        _make_copies(segment)
    run.progress(len(segments) * 2, len(segments) * 2 + 1, "Lập bản kê")
    _finish(run, recording_id)


# --- masters -------------------------------------------------------------------------------------


def segment_key(segment: Segment) -> bytes:
    """The chunk key of a segment."""
    return runtime().keyring.unwrap(
        WrappedKey(segment.kid, segment.wrapped_key), segment_key_context(segment.id)
    )


def chunk_fetcher(segment: Segment) -> Callable[[int], bytes | None]:
    """Gives sealed chunks by number from the store itself; the index rows are not needed."""
    prefix = chunk_name(segment.recording_id, segment.id, 0).rsplit("/", 1)[0] + "/"
    newest = {}
    for found in runtime().store.list(Bucket.CHUNKS, prefix):
        newest.setdefault(int(found.name.rsplit("/", 1)[1]), found)

    def fetch(number: int) -> bytes | None:
        found = newest.get(number)
        if found is None:
            return None
        return runtime().store.open_range(
            Bucket.CHUNKS, found.name, found.version_id, 0, found.size
        )

    return fetch


def _master_segment(segment: Segment) -> None:
    with reading() as work:
        tracks = _tracks(work.db_session, segment.id)
    if all(track.master_object_id for track in tracks):
        return
    writing: dict[str, _MasterTrack] = {}
    folder = runtime().data_dir / "work" / str(segment.id)
    try:
        _copy_chunks(segment, writing, folder)
        for track in tracks:
            _check_against_live(track, writing)
        _keep_masters(segment, writing)
    finally:
        for track_writer in writing.values():
            track_writer.spool.discard()
        shutil.rmtree(folder, ignore_errors=True)


def _tracks(db_session: Session, segment_id: UUID) -> list[Track]:
    return list(
        db_session.scalars(
            select(Track).where(Track.segment_id == segment_id).order_by(Track.file_name)
        )
    )


def _copy_chunks(segment: Segment, writing: dict[str, _MasterTrack], folder: Path) -> None:
    """One pass over the chain: every slice goes into its track's master, sealed at once."""
    head, final, count = None, False, 0
    chain = read_chain(
        segment_key(segment),
        chunk_fetcher(segment),
        recording_id=segment.recording_id,
        segment_id=segment.id,
    )
    for chunk in chain:
        for piece, body in zip(chunk.slices, chunk.bodies, strict=True):
            if piece.file not in writing:
                spool = SealedSpool(folder, family=Family.RECORDINGS, purpose="master")
                writing[piece.file] = _MasterTrack(spool, MjrParser())
            writing[piece.file].take(body)
        head, final, count = chunk.chain_hash, chunk.final, count + 1
    if not final or head != segment.chain_head:
        raise ChunkBroken(count, "chuỗi mảnh không trọn vẹn")


def _check_against_live(track: Track, writing: dict[str, _MasterTrack]) -> None:
    """A master counts only if its plaintext hash equals the one kept while recording."""
    made = writing.get(track.file_name)
    if made is None or made.spool.sha256.digest() != track.plain_sha256:
        raise ChunkBroken(0, f"bản gốc {track.file_name} không khớp mã băm lúc ghi")


def _keep_masters(segment: Segment, writing: dict[str, _MasterTrack]) -> None:
    lock_until = utc_now() + MASTER_LOCK
    objects = {
        file: made.spool.store(
            bucket=Bucket.ORIGINALS, media_type="application/x-mjr", lock_until=lock_until
        )
        for file, made in sorted(writing.items())
    }
    with unit_of_work() as work:
        for track in _tracks(work.db_session, segment.id):
            if track.master_object_id is not None:
                continue
            made = writing[track.file_name]
            work.add(objects[track.file_name])
            work.flush()
            track.master_object_id = objects[track.file_name].id
            track.first_arrival_at = made.began_at
            _describe(track, made.summary)


def _describe(track: Track, summary: TrackSummary | None) -> None:
    if summary is None:
        return
    track.last_arrival_ms = summary.last_arrival_ms
    track.drift_ms = summary.worst_drift_ms
    track.lost_packets = summary.lost
    track.gaps = [{"from_ms": gap.from_ms, "to_ms": gap.to_ms} for gap in summary.gaps]


# --- playable copies -----------------------------------------------------------------------------


def recording_zero(db_session: Session, recording_id: UUID) -> datetime | None:
    """The instant of the first packet of the whole recording: offset 0 of every copy."""
    return db_session.scalar(
        select(func.min(Track.first_arrival_at))
        .join(Segment, Segment.id == Track.segment_id)
        .where(Segment.recording_id == recording_id)
    )


def join_of(file_name: str) -> str:
    """The media id of the presence a track file belongs to."""
    return file_name.partition("-user-")[2].rsplit("-", 3)[0]


def _presences(tracks: list[Track]) -> Iterator[tuple[str, list[Track]]]:
    for join in sorted({join_of(t.file_name) for t in tracks if t.participant_id}):
        yield join, [t for t in tracks if join_of(t.file_name) == join]


def _make_copies(segment: Segment) -> None:
    with reading() as work:
        tracks = _tracks(work.db_session, segment.id)
        made = set(
            work.db_session.scalars(
                select(PlayableCopy.join).where(PlayableCopy.segment_id == segment.id)
            )
        )
        zero = recording_zero(work.db_session, segment.recording_id)
    scratch = runtime().spool_dir / "work" / str(segment.id)
    for join, own in _presences(tracks):
        if join in made or zero is None:
            continue
        scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            _make_copy(segment, join, own, zero, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _make_copy(
    segment: Segment, join: str, tracks: list[Track], zero: datetime, scratch: Path
) -> None:
    """Decrypt one presence's tracks into memory, remux, seal; nothing is re-encoded."""
    audio, video = _of_media(tracks, "audio"), _of_media(tracks, "video")
    sound = _processed(audio, scratch) if audio else None
    picture = _processed(video, scratch) if video else None
    if sound is None and picture is None:
        return
    remuxed = remux_person(
        scratch / "person.webm",
        video=picture,
        audio=sound,
        video_offset_ms=_offset(video, zero),
        audio_offset_ms=_offset(audio, zero),
    )
    seen = probe(remuxed.path, scratch=scratch)
    peaks = audio_peaks(remuxed.path, scratch=scratch) if sound else []
    with remuxed.path.open("rb") as file:
        row = seal_object(
            file,
            bucket=Bucket.FILES,
            family=Family.RECORDINGS,
            purpose="playable",
            media_type="video/webm" if picture else "audio/webm",
        )
    with unit_of_work() as work:
        work.add(row)
        work.flush()
        work.add(
            PlayableCopy(
                segment_id=segment.id,
                join=join,
                participant_id=tracks[0].participant_id,
                sealed_object_id=row.id,
                offset_ms=remuxed.offset_ms,
                duration_ms=round((seen.duration_s or 0) * 1000),
                has_audio=sound is not None,
                has_video=picture is not None,
                peaks=peaks,
            )
        )


def _of_media(tracks: list[Track], media: str) -> Track | None:
    """The track of this kind; of a renegotiated one the file that holds most."""
    own = [t for t in tracks if t.media == media and t.first_arrival_at]
    return max(own, key=lambda t: t.plain_size, default=None)


def _offset(track: Track | None, zero: datetime) -> int:
    if track is None or track.first_arrival_at is None:
        return 0
    return round((track.first_arrival_at - zero).total_seconds() * 1000)


def _processed(track: Track, scratch: Path) -> Path | None:
    """The track's master, decrypted on tmpfs and put in order; None when it holds no media."""
    with reading() as work:
        row = work.get(SealedObject, track.master_object_id)
    path = scratch / track.file_name
    with path.open("wb") as file:
        for part in open_object(row).iter_all():
            file.write(part)
    try:
        return process_track(path)
    except (MediaToolFailed, MjrBroken):
        return None  # a track that never got a packet: told in the manifest, nothing to play
    finally:
        path.unlink()


# --- manifest ------------------------------------------------------------------------------------


def build_manifest(db_session: Session, recording: Recording) -> dict[str, object]:
    """What was recorded, how it is sealed, and the whole chain; ids only, no names."""
    return {
        "version": MANIFEST_VERSION,
        "recording": recording.id,
        "code": recording.code,
        "reception_session": recording.reception_session_id,
        "started_at": recording.started_at,
        "ended_at": recording.ended_at,
        "segments": [
            _segment_entry(db_session, segment) for segment in segments_of(db_session, recording.id)
        ],
        "presence": [
            {"at": event.at, "kind": event.kind, "participant": event.participant_id}
            for event in db_session.scalars(
                select(PresenceEvent)
                .where(PresenceEvent.reception_session_id == recording.reception_session_id)
                .order_by(PresenceEvent.at, PresenceEvent.id)
            )
        ],
    }


def _segment_entry(db_session: Session, segment: Segment) -> dict[str, object]:
    chunks = db_session.scalars(
        select(LiveChunk).where(LiveChunk.segment_id == segment.id).order_by(LiveChunk.number)
    )
    return {
        "segment": segment.id,
        "seq": segment.seq,
        "cause": segment.cause,
        "secrecy": segment.secrecy,
        "media_server": segment.media_server,
        "started_at": segment.started_at,
        "ended_at": segment.ended_at,
        "chain_head": segment.chain_head,
        "chunks": [
            {
                "number": chunk.number,
                "name": chunk.name,
                "sealed_size": chunk.sealed_size,
                "sealed_sha256": chunk.sealed_sha256,
                "chain_hash": chunk.chain_hash,
            }
            for chunk in chunks
        ],
        "tracks": [_track_entry(db_session, track) for track in _tracks(db_session, segment.id)],
    }


def _track_entry(db_session: Session, track: Track) -> dict[str, object]:
    row = db_session.get(SealedObject, track.master_object_id) if track.master_object_id else None
    return {
        "file": track.file_name,
        "participant": track.participant_id,
        "media": track.media,
        "codec": track.codec,
        "began_at": track.first_arrival_at,
        "last_arrival_ms": track.last_arrival_ms,
        "plain_size": track.plain_size,
        "plain_sha256": track.plain_sha256,
        "drift_ms": track.drift_ms,
        "lost_packets": track.lost_packets,
        "gaps": track.gaps,
        "master": None
        if row is None
        else {
            "name": row.name,
            "version_id": row.version_id,
            "sealed_size": row.sealed_size,
            "sealed_sha256": row.sealed_sha256,
        },
    }


def _finish(run: JobRun, recording_id: UUID) -> None:
    with reading() as work:
        recording = work.get(Recording, recording_id)
        manifest = build_manifest(work.db_session, recording)
        length = _duration_ms(work.db_session, recording_id)
    body = canonical(manifest).encode()
    row = seal_object(
        body,
        bucket=Bucket.ORIGINALS,
        family=Family.RECORDINGS,
        purpose="manifest",
        media_type="application/json",
        lock_until=utc_now() + MASTER_LOCK,
    )
    with run.finishing() as work:
        recording = work.get_for_update(Recording, recording_id)
        work.add(row)
        work.flush()
        recording.manifest_object_id = row.id
        recording.manifest_sha256 = row.plain_sha256
        recording.state = "sealed"
        recording.sealed_at = recording.playable_at = utc_now()
        recording.duration_ms = length
        work.audit("recording_sealed", recording, by=None, manifest_sha256=row.plain_sha256)
        work.enqueue(
            "sessions.recording_sealed",
            {"reception_session": str(recording.reception_session_id)},
            dedupe=f"sealed:{recording.id}",
        )
        # Whoever asks to watch finds the answer there: everything as read back from the store.
        work.enqueue(
            "recordings.verify",
            {"recording": str(recording.id)},
            dedupe=f"verify:{recording.id}",
        )


def _duration_ms(db_session: Session, recording_id: UUID) -> int:
    ends = db_session.execute(
        select(PlayableCopy.offset_ms, PlayableCopy.duration_ms)
        .join(Segment, Segment.id == PlayableCopy.segment_id)
        .where(Segment.recording_id == recording_id)
    ).all()
    return max((offset + duration for offset, duration in ends), default=0)


HANDLERS: dict[str, Handler] = {
    "recordings.master": master,
    "recordings.verify": verify_job,
}
