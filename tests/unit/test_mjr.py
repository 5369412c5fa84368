"""The track file format, on bytes made by hand: any cut, any damage, any counter wrap."""

from __future__ import annotations

import json
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.media import (
    AUDIO_CLOCK_HZ,
    Gap,
    MjrBroken,
    MjrPacket,
    MjrParser,
    TrackStatistics,
    read_mjr,
)
from storage.media.repair import Repair, repair_audio

LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"


def header(**changes: object) -> bytes:
    told = {"t": "a", "c": "opus", "s": 1_000_000, "u": 1_080_000, "x": {"3": LEVEL_URI}} | changes
    data = json.dumps(told).encode()
    return b"MJR00002" + struct.pack(">H", len(data)) + data


def rtp(
    sequence: int = 1, timestamp: int = 0, payload: bytes = b"opus", first: int = 0x80
) -> bytes:
    return struct.pack(">BBHII", first, 0x80 | 111, sequence, timestamp, 7) + payload


def frame(arrival_ms: int, packet: bytes) -> bytes:
    return b"MEET" + struct.pack(">IH", arrival_ms, len(packet)) + packet


def packet(arrival_ms: int, sequence: int, timestamp: int) -> MjrPacket:
    return MjrPacket(
        arrival_ms=arrival_ms,
        sequence=sequence % 65536,
        timestamp=timestamp % (1 << 32),
        marker=False,
        payload_type=111,
        ssrc=7,
        payload=b"xxxx",
        level_dbov=None,
    )


FILE = header() + b"".join(
    frame(20 * i, rtp(sequence=i, timestamp=960 * i, payload=bytes([i]) * (10 + i)))
    for i in range(8)
)


def test_header_tells_media_codec_and_when_the_first_packet_was_written():
    parser = MjrParser()
    assert parser.feed(header()) == []
    assert parser.header is not None
    assert (parser.header.media, parser.header.codec) == ("audio", "opus")
    assert parser.header.first_written_us == 1_080_000
    assert parser.header.clock_hz == 48_000
    assert parser.header.audio_level_id == 3


def test_sound_file_without_a_map_has_the_usual_loudness_extension():
    parser = MjrParser()
    parser.feed(header(x={}))
    assert parser.header is not None
    assert parser.header.audio_level_id == 1


def test_video_header_has_the_video_clock():
    parser = MjrParser()
    parser.feed(header(t="v", c="vp8", x={}))
    assert parser.header is not None
    assert parser.header.clock_hz == 90_000
    assert parser.header.audio_level_id is None


@given(cuts=st.lists(st.integers(0, len(FILE)), max_size=10))
def test_pieces_of_any_size_give_the_same_packets(cuts):
    edges = [0, *sorted(cuts), len(FILE)]
    pieces = [FILE[a:b] for a, b in pairwise(edges)]
    packets = list(read_mjr(pieces))
    assert [found.sequence for found in packets] == list(range(8))
    assert [found.arrival_ms for found in packets] == [20 * i for i in range(8)]
    assert packets[7].payload == bytes([7]) * 17


@given(end=st.integers(0, len(FILE)))
def test_torn_tail_loses_only_the_packet_it_tears(end):
    parser = MjrParser()
    before = parser.feed(FILE[:end])
    assert parser.whole + parser.torn == end
    after = parser.feed(FILE[end:])
    assert parser.torn == 0
    assert parser.whole == len(FILE)
    assert len(before) + len(after) == 8
    assert parser.whole == len(FILE)


@pytest.mark.parametrize("start", [b"MJR00001", b"RIFF", b"\x00"])
def test_file_of_another_kind_is_refused_at_once(start):
    with pytest.raises(MjrBroken) as caught:
        MjrParser().feed(start)
    assert caught.value.offset == 0


@pytest.mark.parametrize("json_text", [b"{}", b"[]", b"not json", b'{"t":"q","c":"x","s":1,"u":1}'])
def test_header_that_is_none_is_refused(json_text):
    with pytest.raises(MjrBroken):
        MjrParser().feed(b"MJR00002" + struct.pack(">H", len(json_text)) + json_text)


def test_damage_between_packets_is_named_by_its_offset():
    whole = header() + frame(0, rtp())
    with pytest.raises(MjrBroken) as caught:
        MjrParser().feed(whole + b"MEEK" + bytes(20))
    assert caught.value.offset == len(whole)


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"short",
        bytes(12),
        rtp(first=0x90),
        rtp(first=0x90) + b"\xbe",
        rtp(first=0xA0) + b"\xff",
    ],
)
def test_packet_that_is_no_rtp_is_passed_over(junk):
    file = header() + frame(0, junk) + frame(20, rtp(sequence=9))
    assert [found.sequence for found in MjrParser().feed(file)] == [9]


def test_padding_sources_and_marker_are_understood():
    body = struct.pack(">BBHII", 0xA2, 0x80 | 96, 5, 6, 7) + bytes(8) + b"media" + b"\x00\x00\x03"
    [found] = MjrParser().feed(header() + frame(0, body))
    assert found.payload == b"media"
    assert found.marker is True
    assert found.payload_type == 96


@pytest.mark.parametrize(
    ("extensions", "level"),
    [
        (b"\x30\x94\x00\x00", 20),
        (b"\x00\x30\x14\x00", 20),
        (b"\x11\xaa\xbb\x30\x7f\x00\x00\x00", 127),
        (b"\x10\xaa\x00\x00", None),
        (b"\xf0\x00\x30\x14", None),
    ],
)
def test_loudness_is_read_from_the_mapped_extension(extensions, level):
    body = struct.pack(">HH", 0xBEDE, len(extensions) // 4) + extensions + b"opus"
    [found] = MjrParser().feed(header() + frame(0, rtp(first=0x90, payload=body)))
    assert found.level_dbov == level
    assert found.payload == b"opus"


def test_loudness_is_unknown_when_the_call_did_not_negotiate_it():
    body = struct.pack(">HH", 0xBEDE, 1) + b"\x30\x94\x00\x00" + b"opus"
    [found] = MjrParser().feed(header(x={}) + frame(0, rtp(first=0x90, payload=body)))
    assert found.level_dbov is None


# --- figures of a track ---


def summary_of(packets: list[MjrPacket]):
    statistics = TrackStatistics(AUDIO_CLOCK_HZ)
    for found in packets:
        statistics.add(found)
    summary = statistics.summary()
    assert summary is not None
    return summary


def steady(count: int, *, sequence: int = 0, timestamp: int = 0) -> list[MjrPacket]:
    return [packet(20 * i, sequence + i, timestamp + 960 * i) for i in range(count)]


def test_steady_track_has_length_and_nothing_wrong():
    found = summary_of(steady(101))
    assert (found.packets, found.payload_bytes, found.duration_ms) == (101, 404, 2000)
    assert (found.lost, found.drift_ms, found.worst_drift_ms, found.gaps) == (0, 0, 0, ())


def test_no_packet_no_summary():
    assert TrackStatistics(AUDIO_CLOCK_HZ).summary() is None


def test_counters_that_wrap_are_no_loss_and_no_drift():
    found = summary_of(steady(200, sequence=65_480, timestamp=(1 << 32) - 50_000))
    assert (found.lost, found.worst_drift_ms) == (0, 0)


def test_missing_packets_are_counted_across_the_wrap():
    packets = steady(100, sequence=65_500)
    del packets[30:40]
    assert summary_of(packets).lost == 10


def test_late_packet_is_not_lost_and_a_repeated_one_counts_once():
    packets = steady(50)
    packets.insert(25, packets.pop(20))
    packets.insert(30, packets[22])
    assert summary_of(packets).lost == 0


def test_pause_of_the_line_is_a_gap_with_its_limits():
    packets = [p for p in steady(300) if not 2_000 < p.arrival_ms < 4_500]
    assert summary_of(packets).gaps == (Gap(2_000, 4_500),)


def test_sender_whose_clock_loses_time_drifts():
    slow = [packet(20 * i, i, 912 * i) for i in range(501)]  # 5 % of every second is missing
    found = summary_of(slow)
    assert found.drift_ms == found.worst_drift_ms == 500


def test_late_first_packet_tells_when_the_track_really_began():
    late = [packet(130, 0, 0), *(packet(40 + 20 * i, i, 960 * i) for i in range(5, 60))]
    assert summary_of(late).lead_ms == -90
    assert summary_of(steady(100)).lead_ms == 0


def test_clock_that_jumps_at_the_start_is_no_late_packet():
    jumped = [packet(0, 0, 0), *(packet(20 * i, i, 960 * i + 48 * 60_000) for i in range(1, 50))]
    assert summary_of(jumped).lead_ms == 0


def test_short_delay_shows_as_worst_but_not_as_final_drift():
    packets = steady(101)
    late = packets[50]
    packets[50] = packet(late.arrival_ms + 15, late.sequence, late.timestamp)
    found = summary_of(packets)
    assert (found.drift_ms, found.worst_drift_ms) == (0, 15)


# --- sound back on the clock of its arrival ---


def sound(arrivals: list[tuple[int, int]], *, level: int = 10, ssrc: int = 7) -> bytes:
    """A file of 20 ms packets given as (arrival, place on the sender's clock)."""
    parts = [header(x={"1": LEVEL_URI})]
    for number, (arrival, place) in enumerate(arrivals):
        extension = struct.pack(">HHBBxx", 0xBEDE, 1, 0x10, level)
        head = struct.pack(
            ">BBHII", 0x90, 111, (65_530 + number) % 65_536, (place * 960 - 9_600) % (1 << 32), ssrc
        )
        parts.append(frame(arrival, head + extension + b"opus"))
    return b"".join(parts)


def repaired(arrivals: list[tuple[int, int]], **how: int) -> tuple[list[int], Repair]:
    """Where each packet stands afterwards, in ms, and what was done."""
    mjr, repair = repair_audio(sound(arrivals, **how))
    packets = MjrParser().feed(mjr)
    first = packets[0]
    places = [((p.timestamp - first.timestamp) % (1 << 32)) // 48 for p in packets]
    numbers = [(p.sequence - first.sequence) % 65_536 for p in packets]
    assert numbers == [place // 20 for place in places]
    return places, repair


def test_good_sound_is_left_as_it_is():
    arrivals = [(20 * i, i) for i in range(300)]
    assert repair_audio(sound(arrivals)) == (sound(arrivals), Repair(0, 0))


def test_delay_that_is_made_good_soon_is_no_lost_time():
    stalled = [(20 * i if not 100 <= i < 140 else 2_800, i) for i in range(300)]
    places, repair = repaired(stalled)
    assert repair == Repair(0, 0)
    assert places == [20 * i for i in range(300)]


def test_lost_time_becomes_silence_exactly_where_it_was_lost():
    places, repair = repaired([(20 * i + (600 if i >= 100 else 0), i) for i in range(200)])
    assert repair == Repair(600, 0)
    assert places[99:101] == [1_980, 2_600]


def test_sound_whose_first_packet_was_late_begins_before_it():
    """Neither silence is put in nor sound left out: only the place of the whole changes."""
    late = [(120 if i == 0 else 20 * i if i >= 6 else 120, i) for i in range(200)]
    places, repair = repaired(late)
    assert repair == Repair(0, 0)
    assert places == [20 * i for i in range(200)]


def test_fast_clock_loses_quiet_frames_and_spares_speech_while_it_can():
    fast = [(int(19.95 * i), i) for i in range(1_500)]  # 75 ms too much after half a minute
    places, repair = repaired(fast, level=120)
    assert repair.inserted_ms == 0
    assert abs(places[-1] - fast[-1][0]) <= 60
    assert repaired(fast, level=10)[1] == Repair(0, 0)
    much_too_fast = [(int(19 * i), i) for i in range(1_500)]
    places, _ = repaired(much_too_fast, level=10)
    assert abs(places[-1] - much_too_fast[-1][0]) <= 240


def test_clock_that_starts_anew_goes_on_where_it_was():
    arrivals = [(20 * i, i if i < 100 else 5_000_000 + i) for i in range(200)]
    places, _ = repaired(arrivals)
    assert places == [20 * i for i in range(200)]


def test_torn_sound_and_sound_without_packets_are_kept_as_far_as_they_go():
    whole = sound([(20 * i, i) for i in range(10)])
    assert len(MjrParser().feed(repair_audio(whole[:-3])[0])) == 9
    assert repair_audio(header()) == (header(), Repair(0, 0))
    with pytest.raises(MjrBroken):
        repair_audio(whole + b"damage" + bytes(20))
