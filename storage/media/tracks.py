"""What can be told of a track from its packets alone: length, loss, gaps, drift, loudness."""

from __future__ import annotations

from dataclasses import dataclass, field

from storage.media.mjr import MjrPacket

GAP_MS = 1_000  # silence of the line for so long is a gap worth telling
LEAD_WINDOW_MS = 2_000
LEAD_AT_MOST_MS = 2_000  # more is no late packet but a clock that jumped
_SEQUENCES = 1 << 16
_TIMESTAMPS = 1 << 32


@dataclass(frozen=True)
class Gap:
    """Nothing arrived between these two moments, in ms since the track's first packet."""

    from_ms: int
    to_ms: int


@dataclass(frozen=True)
class TrackSummary:
    """The figures kept with a track. Times in ms by the server's arrival clock.

    `drift_ms` is arrival minus RTP time at the end: positive when the sender's clock lost time.
    `worst_drift_ms` is the largest such difference, with its sign. `mean_level_dbov` is 0 to 127.
    `lead_ms` (0 or less) is how much before its first arrival the track began: the first packet is
    often late (a browser's first picture takes longest), the least late one of two seconds is not.
    """

    packets: int
    payload_bytes: int
    first_arrival_ms: int
    last_arrival_ms: int
    lost: int
    drift_ms: int
    worst_drift_ms: int
    gaps: tuple[Gap, ...]
    mean_level_dbov: int | None
    lead_ms: int = 0

    @property
    def duration_ms(self) -> int:
        """From the first to the last arrival."""
        return self.last_arrival_ms - self.first_arrival_ms


def _step(new: int, old: int, size: int) -> int:
    """The signed distance from `old` to `new` on a counter that wraps at `size`."""
    distance = (new - old) % size
    return distance - size if distance >= size // 2 else distance


@dataclass
class TrackStatistics:
    """Adds up packets in order of arrival; cheap enough to run while a session is recorded."""

    clock_hz: int
    gap_ms: int = GAP_MS
    _packets: int = 0
    _payload_bytes: int = 0
    _first: MjrPacket | None = None
    _latest: MjrPacket | None = None
    _highest: int = 0  # sequence numbers counted on from the first packet's
    _sequence: int = 0
    _elapsed: int = 0  # RTP ticks since the first packet
    _seen: set[int] = field(default_factory=set)
    _missing: int = 0
    _drift_ms: int = 0
    _worst_ms: int = 0
    _least_ms: int = 0  # among the packets of the first seconds
    _gaps: list[Gap] = field(default_factory=list)
    _level_sum: int = 0
    _levels: int = 0

    def add(self, packet: MjrPacket) -> None:
        """Take the next packet to have arrived."""
        self._packets += 1
        self._payload_bytes += len(packet.payload)
        if packet.level_dbov is not None:
            self._level_sum += packet.level_dbov
            self._levels += 1
        if self._first is None or self._latest is None:
            self._first = packet
        else:
            self._follow(packet, self._latest, self._first)
        self._latest = packet

    def _follow(self, packet: MjrPacket, latest: MjrPacket, first: MjrPacket) -> None:
        if packet.arrival_ms - latest.arrival_ms >= self.gap_ms:
            self._gaps.append(Gap(latest.arrival_ms, packet.arrival_ms))
        self._count_sequence(packet, latest)
        self._elapsed += _step(packet.timestamp, latest.timestamp, _TIMESTAMPS)
        rtp_ms = self._elapsed * 1000 // self.clock_hz
        self._drift_ms = packet.arrival_ms - first.arrival_ms - rtp_ms
        if abs(self._drift_ms) > abs(self._worst_ms):
            self._worst_ms = self._drift_ms
        if packet.arrival_ms <= first.arrival_ms + LEAD_WINDOW_MS and packet.ssrc == first.ssrc:
            self._least_ms = min(self._least_ms, self._drift_ms)

    def _count_sequence(self, packet: MjrPacket, latest: MjrPacket) -> None:
        """Numbers skipped are missing until they arrive late."""
        self._sequence += _step(packet.sequence, latest.sequence, _SEQUENCES)
        if self._sequence > self._highest:
            self._missing += self._sequence - self._highest - 1
            self._seen.update(range(self._highest + 1, self._sequence))
            self._highest = self._sequence
        elif self._sequence in self._seen:
            self._seen.discard(self._sequence)
            self._missing -= 1
        if len(self._seen) > _SEQUENCES:
            self._seen = {number for number in self._seen if number > self._highest - _SEQUENCES}

    def summary(self) -> TrackSummary | None:
        """The figures so far; None before the first packet."""
        if self._first is None or self._latest is None:
            return None
        return TrackSummary(
            packets=self._packets,
            payload_bytes=self._payload_bytes,
            first_arrival_ms=self._first.arrival_ms,
            last_arrival_ms=self._latest.arrival_ms,
            lost=self._missing,
            drift_ms=self._drift_ms,
            worst_drift_ms=self._worst_ms,
            gaps=tuple(self._gaps),
            mean_level_dbov=self._level_sum // self._levels if self._levels else None,
            lead_ms=self._least_ms if self._least_ms >= -LEAD_AT_MOST_MS else 0,
        )
