"""Puts a sound track back on the clock of its arrival, for the copy that people play.

A starved sender loses time on its RTP clock; played by that clock the sound runs ahead of the
picture. `janus-pp-rec -S 100` mends jumps of seconds but was measured to leave a step of 0.5 s
and a steady slip of 5 % as they were, so it is done here: silence is put in where time was lost,
and quiet frames are left out where the sender's clock ran fast. The original is never touched.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storage.media.mjr import FRAME, FRAME_HEAD, MjrPacket, MjrParser, header_end
from storage.media.tracks import LEAD_WINDOW_MS, TrackStatistics

FRAME_MS = 20
TICKS_PER_MS = 48
AHEAD_MS = 5_000  # a delay that is made good within this time is jitter, not lost time
TOLERANCE_MS = 40
QUIET_DBOV = 50
PATIENCE_MS = 100  # beyond this a frame is left out though somebody speaks
_RESTART_MS = 10_000  # a jump of the RTP clock beyond this is a new sender's clock
_RTP_FIXED = struct.Struct(">BBHI")


@dataclass(frozen=True)
class Repair:
    """What the playable copy differs by: silence put in, sound left out."""

    inserted_ms: int
    dropped_ms: int


@dataclass(frozen=True)
class _Frame:
    """A packet, where its RTP bytes lie in the file, and how late it is by its own clock."""

    packet: MjrPacket
    start: int
    end: int
    ticks: int  # of RTP time since the first packet

    @property
    def late_ms(self) -> int:
        return self.packet.arrival_ms - self.ticks // TICKS_PER_MS


def repair_audio(mjr: bytes) -> tuple[bytes, Repair]:
    """The track with counters as if the sender's clock had been right. Raises MjrBroken.

    It begins where `TrackSummary.lead_ms` says, not where its first, perhaps late, packet arrived.
    """
    frames = list(_frames(mjr))
    if not frames:
        return mjr, Repair(0, 0)
    parts = [mjr[: frames[0].start - FRAME_HEAD.size]]
    lateness = min_ahead(frames)
    shift_ms = frames[0].late_ms + _lead_ms(frames)
    inserted = dropped = 0
    for frame, least in zip(frames, lateness, strict=True):
        behind = least - shift_ms
        if behind >= TOLERANCE_MS:
            steps = behind // FRAME_MS
            inserted += steps
            shift_ms += steps * FRAME_MS
        elif behind <= -TOLERANCE_MS and _may_go(frame.packet, behind):
            dropped += 1
            shift_ms -= FRAME_MS
            continue
        parts += _restamped(mjr, frame, frames[0], inserted - dropped)
    return b"".join(parts), Repair(inserted * FRAME_MS, dropped * FRAME_MS)


def _lead_ms(frames: Sequence[_Frame]) -> int:
    statistics = TrackStatistics(TICKS_PER_MS * 1000)
    for frame in frames:
        statistics.add(frame.packet)
        if frame.packet.arrival_ms > frames[0].packet.arrival_ms + LEAD_WINDOW_MS:
            break
    summary = statistics.summary()
    return summary.lead_ms if summary else 0


def _may_go(packet: MjrPacket, behind_ms: int) -> bool:
    level = packet.level_dbov
    return (level is not None and level >= QUIET_DBOV) or behind_ms <= -PATIENCE_MS


def min_ahead(frames: Sequence[_Frame]) -> list[int]:
    """For each frame the least lateness among those that arrive within the next seconds."""
    least = [0] * len(frames)
    waiting: deque[int] = deque()  # later frames, lateness falling towards the far end
    for index in range(len(frames) - 1, -1, -1):
        late = frames[index].late_ms
        while waiting and frames[waiting[0]].late_ms >= late:
            waiting.popleft()
        waiting.appendleft(index)
        while frames[waiting[-1]].packet.arrival_ms > frames[index].packet.arrival_ms + AHEAD_MS:
            waiting.pop()
        least[index] = frames[waiting[-1]].late_ms
    return least


def _frames(mjr: bytes) -> Iterator[_Frame]:
    """The packets with a clock that never wraps and goes on through a change of sender."""
    clock, parser = _Clock(), MjrParser()
    position = header_end(mjr)
    parser.feed(mjr[:position])
    while position + FRAME_HEAD.size <= len(mjr):
        length = FRAME_HEAD.unpack_from(mjr, position)[2]
        end = position + FRAME_HEAD.size + length
        for packet in parser.feed(mjr[position:end]):
            yield _Frame(packet, position + FRAME_HEAD.size, end, clock.elapsed(packet))
        position = end


class _Clock:
    """RTP time since the first packet."""

    def __init__(self) -> None:
        self._latest: MjrPacket | None = None
        self._ticks = 0

    def elapsed(self, packet: MjrPacket) -> int:
        if self._latest is not None:
            self._ticks += self._step(packet, self._latest)
        self._latest = packet
        return self._ticks

    def _step(self, packet: MjrPacket, latest: MjrPacket) -> int:
        step = (packet.timestamp - latest.timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
        arrived = packet.arrival_ms - latest.arrival_ms
        restarted = abs(step // TICKS_PER_MS - arrived) > _RESTART_MS
        if packet.ssrc != latest.ssrc or restarted:
            return max(arrived, FRAME_MS) * TICKS_PER_MS
        return step


def _restamped(mjr: bytes, frame: _Frame, first: _Frame, steps: int) -> tuple[bytes, bytes, bytes]:
    """The frame `steps` places later; counters follow, so that the sorter fills with silence."""
    lead, kind, _, _ = _RTP_FIXED.unpack_from(mjr, frame.start)
    ticks = frame.ticks + steps * FRAME_MS * TICKS_PER_MS
    head = _RTP_FIXED.pack(
        lead,
        kind,
        (frame.packet.sequence + steps) % (1 << 16),
        (first.packet.timestamp + ticks) % (1 << 32),
    )
    rest = first.packet.ssrc.to_bytes(4, "big") + mjr[frame.start + 12 : frame.end]
    size = frame.end - frame.start
    return FRAME_HEAD.pack(FRAME, frame.packet.arrival_ms, size), head, rest
