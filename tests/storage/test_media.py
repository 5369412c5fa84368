"""Media with the real programs: RTP made by ffmpeg, sorted by janus-pp-rec, remuxed, looked at."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from array import array
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from storage.media import (
    AUDIO_CLOCK_HZ,
    MediaToolFailed,
    MjrBroken,
    MjrParser,
    MjrTail,
    NotInMemory,
    TrackStatistics,
    audio_peaks,
    clean_child_env,
    is_tmpfs,
    probe,
    process_track,
    punch_hole,
    remux_person,
    require_tmpfs,
    run_tool,
    swap_in_use,
)
from storage.media.synthesis import SynthesisedPerson, synthesise_mjr

MEMORY = Path("/dev/shm")  # noqa: S108 - plaintext belongs on tmpfs; the folder below is our own
ON_DISK = Path(__file__).parent


@pytest.fixture
def scratch() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="tcd-media-", dir=MEMORY))
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="module")
def person() -> SynthesisedPerson:
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        return synthesise_mjr(440, "blue", 6, scratch=Path(place), label="Bà Lê Thị Ánh")


def kept(scratch: Path, name: str, data: bytes) -> Path:
    path = scratch / name
    path.write_bytes(data)
    return path


def decoded_samples(path: Path, scratch: Path) -> array[int]:
    raw = run_tool(
        [
            "ffmpeg",
            "-v",
            "error",
            "-i",
            str(path),
            "-f",
            "s16le",
            "-ac",
            "1",
            "-ar",
            "8000",
            "pipe:1",
        ],
        scratch=scratch,
        timeout_s=60,
    )
    return array("h", raw)


def loudness_at(samples: array[int], tone_hz: int) -> float:
    """Goertzel's share of one tone in the middle second, 1.0 for a pure tone."""
    middle = samples[len(samples) // 2 - 4000 : len(samples) // 2 + 4000]
    factor, one, two = 2 * math.cos(2 * math.pi * tone_hz / 8000), 0.0, 0.0
    for sample in middle:
        one, two = sample + factor * one - two, one
    power = one * one + two * two - factor * one * two
    return 2 * power / (len(middle) * sum(sample * sample for sample in middle))


def colour_of(path: Path, scratch: Path, at_s: float) -> tuple[int, int, int]:
    command = ["ffmpeg", "-v", "error", "-ss", str(at_s), "-i", str(path), "-frames:v", "1"]
    crop = ["-vf", "crop=iw:ih/2:0:0,scale=1:1", "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"]
    red, green, blue = run_tool([*command, *crop], scratch=scratch, timeout_s=60)
    return red, green, blue


def packet_times(path: Path, stream: str, scratch: Path) -> list[tuple[float, bool]]:
    """Time and whether it is a key frame, for each packet of a stream."""
    told = run_tool(
        [
            "ffprobe",
            "-v",
            "error",
            "-select_streams",
            stream,
            "-show_packets",
            "-of",
            "json",
            str(path),
        ],
        scratch=scratch,
        timeout_s=60,
    )
    return [(float(p["pts_time"]), "K" in p["flags"]) for p in json.loads(told)["packets"]]


# --- RTP by an independent sender ---


def captured_call(seconds: int) -> tuple[bytes, bytes]:
    """Track files of RTP that ffmpeg itself packs and sends in real time to this process."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
        one.settimeout(0.2)
    audio, audio_rtcp, video, video_rtcp = (one.getsockname()[1] for one in sockets)
    sender = subprocess.Popen(
        shlex.split(
            f"ffmpeg -v error -re -f lavfi -i sine=frequency=700:sample_rate=48000"
            f" -re -f lavfi -i color=c=lime:s=320x240:r=15"
            f" -t {seconds} -map 0:a -c:a libopus -b:a 24k -payload_type 111"
            f" -f rtp rtp://127.0.0.1:{audio}?rtcpport={audio_rtcp}"
            f" -t {seconds} -map 1:v -c:v libvpx -deadline realtime -g 15 -payload_type 96"
            f" -f rtp rtp://127.0.0.1:{video}?rtcpport={video_rtcp}"
        ),
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    tracks = {audio: _Capture("a", "opus"), video: _Capture("v", "vp8")}
    while sender.poll() is None:
        for one in (sockets[0], sockets[2]):
            one.setblocking(False)
            try:
                while True:
                    tracks[one.getsockname()[1]].take(one.recv(65536))
            except BlockingIOError:
                time.sleep(0.002)
    assert sender.returncode == 0
    for one in sockets:
        one.close()
    return tracks[audio].file(), tracks[video].file()


class _Capture:
    def __init__(self, media: str, codec: str) -> None:
        told = json.dumps({"t": media, "c": codec, "s": 1, "u": 2}).encode()
        self.parts = [b"MJR00002", struct.pack(">H", len(told)), told]
        self.began: float | None = None

    def take(self, rtp: bytes) -> None:
        now = time.monotonic()
        self.began = self.began or now
        self.parts.append(
            b"MEET" + struct.pack(">IH", round((now - self.began) * 1000), len(rtp)) + rtp
        )

    def file(self) -> bytes:
        return b"".join(self.parts)


def test_call_sent_by_another_program_becomes_a_file_with_its_tone_and_colour(scratch):
    audio_mjr, video_mjr = captured_call(seconds=4)
    for data, clock in ((audio_mjr, 48_000), (video_mjr, 90_000)):
        parser, statistics = MjrParser(), TrackStatistics(clock)
        for packet in parser.feed(data):
            statistics.add(packet)
        summary = statistics.summary()
        assert parser.torn == 0
        assert summary is not None
        assert summary.lost == 0
        assert summary.duration_ms == pytest.approx(4_000, abs=500)
    audio = process_track(kept(scratch, "a.mjr", audio_mjr))
    video = process_track(kept(scratch, "v.mjr", video_mjr))
    made = remux_person(scratch / "person.webm", video=video, audio=audio)
    found = probe(made.path, scratch=scratch)
    assert found.codecs == ("opus", "vp8")
    assert (found.width, found.height) == (320, 240)
    assert found.duration_s == pytest.approx(4, abs=0.6)
    assert loudness_at(decoded_samples(made.path, scratch), 700) > 0.8
    red, green, blue = colour_of(made.path, scratch, at_s=2)
    assert green > 200
    assert max(red, blue) < 60


# --- what we synthesise ---


def test_synthesised_person_has_tone_colour_length_and_frequent_key_frames(scratch, person):
    audio = process_track(kept(scratch, "a.mjr", person.audio_mjr))
    video = process_track(kept(scratch, "v.mjr", person.video_mjr))
    made = remux_person(scratch / "p.webm", video=video, audio=audio)
    assert probe(made.path, scratch=scratch).duration_s == pytest.approx(6, abs=0.1)
    samples = decoded_samples(made.path, scratch)
    assert loudness_at(samples, 440) > 0.8
    assert loudness_at(samples, 700) < 0.1
    red, green, blue = colour_of(made.path, scratch, at_s=3)
    assert blue > 200
    assert max(red, green) < 60
    keys = [at for at, is_key in packet_times(made.path, "v", scratch) if is_key]
    assert keys[0] == 0
    assert max(b - a for a, b in pairwise(keys)) <= 2.1


def test_synthesised_tracks_are_whole_and_say_how_loud_they_are(person):
    parser = MjrParser()
    packets = parser.feed(person.audio_mjr)
    assert parser.torn == 0
    assert {packet.level_dbov for packet in packets} == {20}
    assert len(packets) == pytest.approx(300, abs=2)


def test_index_lies_in_front_of_the_media(scratch, person):
    video = process_track(kept(scratch, "v.mjr", person.video_mjr))
    data = remux_person(scratch / "p.webm", video=video).path.read_bytes()
    cues, cluster = bytes.fromhex("1C53BB6B"), bytes.fromhex("1F43B675")
    mentioned = data.index(cues)  # in the table of contents
    assert mentioned < data.index(cues, mentioned + 1) < data.index(cluster)


@pytest.mark.parametrize(
    ("video_ms", "audio_ms", "starts"),
    [(300, 0, (0.3, 0.0)), (1_000, 1_250, (0.0, 0.25)), (5_000, 5_000, (0.0, 0.0))],
)
def test_later_track_begins_later_and_the_earlier_one_is_zero(
    scratch, person, video_ms, audio_ms, starts
):
    audio = process_track(kept(scratch, "a.mjr", person.audio_mjr))
    video = process_track(kept(scratch, "v.mjr", person.video_mjr))
    made = remux_person(
        scratch / "p.webm",
        video=video,
        audio=audio,
        video_offset_ms=video_ms,
        audio_offset_ms=audio_ms,
    )
    assert made.offset_ms == min(video_ms, audio_ms)
    assert packet_times(made.path, "v", scratch)[0][0] == pytest.approx(starts[0], abs=0.002)
    assert packet_times(made.path, "a", scratch)[0][0] == pytest.approx(starts[1], abs=0.002)


@pytest.mark.parametrize("only", ["audio", "video"])
def test_person_with_one_track_is_playable(scratch, person, only):
    track = process_track(kept(scratch, "t.mjr", getattr(person, f"{only}_mjr")))
    made = remux_person(scratch / "p.webm", **{only: track})
    assert probe(made.path, scratch=scratch).codecs == (("opus",) if only == "audio" else ("vp8",))


def test_person_without_any_track_is_a_programming_error(scratch):
    with pytest.raises(ValueError, match="sound or picture"):
        remux_person(scratch / "p.webm")


def repacked(mjr: bytes, change) -> bytes:
    """The file with each (arrival, RTP packet) changed; None drops the packet."""
    end = 10 + int.from_bytes(mjr[8:10], "big")
    parts, position = [mjr[:end]], end
    while position < len(mjr):
        arrival, length = struct.unpack_from(">IH", mjr, position + 4)
        rtp = mjr[position + 10 : position + 10 + length]
        position += 10 + length
        if kept_frame := change(arrival, rtp):
            arrival, rtp = kept_frame
            parts.append(b"MEET" + struct.pack(">IH", arrival, len(rtp)) + rtp)
    return b"".join(parts)


@pytest.mark.parametrize(
    "late",
    [
        lambda arrival: 500 if arrival > 3_000 else 0,
        lambda arrival: 2_400 if arrival > 4_000 else 0,
        lambda arrival: arrival // 20,
        lambda arrival: 200 * (arrival // 1_500),
    ],
    ids=["half-a-second-at-once", "seconds-at-once", "five-percent-steadily", "again-and-again"],
)
def test_sound_of_a_sender_whose_clock_loses_time_keeps_the_length_it_arrived_in(
    scratch, person, late
):
    slipped = repacked(person.audio_mjr, lambda arrival, rtp: (arrival + late(arrival), rtp))
    statistics = TrackStatistics(AUDIO_CLOCK_HZ)
    for packet in MjrParser().feed(slipped):
        statistics.add(packet)
    lost_ms = late(6_000)
    assert statistics.summary().drift_ms == pytest.approx(lost_ms, abs=30)
    made = process_track(kept(scratch, "a.mjr", slipped))
    assert probe(made, scratch=scratch).duration_s == pytest.approx(6 + lost_ms / 1000, abs=0.06)
    assert [path.name for path in scratch.iterdir() if "repaired" in path.name] == []


def test_lost_seconds_of_sound_leave_the_rest_in_its_place(scratch, person):
    lossy = repacked(
        person.audio_mjr, lambda arrival, rtp: None if 2_000 <= arrival < 4_000 else (arrival, rtp)
    )
    made = process_track(kept(scratch, "a.mjr", lossy))
    assert probe(made, scratch=scratch).duration_s == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("missing", [1, 9, 500])
def test_torn_picture_of_a_killed_server_still_plays(scratch, person, missing):
    made = process_track(kept(scratch, "v.mjr.tmp", person.video_mjr[:-missing]))
    assert made.name == "v.webm"
    assert probe(made, scratch=scratch).duration_s == pytest.approx(6, abs=0.5)


def test_file_that_is_no_track_is_refused_before_any_program_sees_it(scratch):
    with pytest.raises(MjrBroken):
        process_track(kept(scratch, "x.mjr", b"\x00" * 100))
    with pytest.raises(MjrBroken):
        process_track(kept(scratch, "y.mjr", b"MJR00002"))
    told = json.dumps({"t": "d", "c": "text", "s": 1, "u": 2}).encode()
    with pytest.raises(MjrBroken) as caught:
        process_track(kept(scratch, "z.mjr", b"MJR00002" + struct.pack(">H", len(told)) + told))
    assert "data" in caught.value.what


def test_track_is_never_processed_on_a_disk(person, tmp_path):
    if is_tmpfs(tmp_path):
        tmp_path = ON_DISK
    with pytest.raises(NotInMemory):
        process_track(tmp_path / "a.mjr")


def test_waveform_shows_where_it_is_loud_and_where_silent(scratch):
    loud = scratch / "half.opus"
    source = "sine=frequency=300:sample_rate=48000,volume=4,volume=0:enable='gte(t,1)'"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-t", "2"]
    run_tool([*command, "-c:a", "libopus", str(loud)], scratch=scratch, timeout_s=30)
    peaks = audio_peaks(loud, scratch=scratch)
    assert len(peaks) == pytest.approx(20, abs=1)
    assert min(peaks[:9]) > 30
    assert max(peaks[11:]) < 5
    assert len(audio_peaks(loud, scratch=scratch, per_second=50)) == pytest.approx(100, abs=2)


def test_broken_media_file_is_told_with_the_programs_own_words(scratch):
    broken = kept(scratch, "broken.webm", b"not media")
    with pytest.raises(MediaToolFailed) as caught:
        probe(broken, scratch=scratch)
    assert caught.value.tool == "ffprobe"
    assert "Invalid data" in caught.value.detail
    with pytest.raises(MediaToolFailed):
        audio_peaks(broken, scratch=scratch)


# --- following a file that grows ---


def test_growing_file_is_given_in_whole_packets_through_its_rename(scratch, person):
    path = scratch / "track.mjr.tmp"
    data, step = person.video_mjr, 4096  # the media server's writes appear in such steps
    taken = b""
    with path.open("wb", buffering=0) as writer:
        tail = MjrTail(path)
        assert tail.poll() == b""
        for start in range(0, len(data), step):
            writer.write(data[start : start + step])
            piece = tail.poll()
            taken += piece
            assert MjrParser().feed(taken) is not None
            assert tail.offset == len(taken)
            assert not tail.finished
        path.rename(scratch / "track.mjr")
    assert tail.poll() == b""
    assert tail.finished
    assert tail.path == scratch / "track.mjr"
    assert taken == data
    assert tail.torn == 0
    tail.close()


def test_every_piece_of_a_growing_file_ends_with_a_whole_packet(scratch, person):
    path = kept(scratch, "t.mjr", person.audio_mjr[:20_001])
    tail = MjrTail(path)
    parser = MjrParser()
    parser.feed(tail.poll())
    assert parser.torn == 0
    assert parser.whole == tail.offset
    assert tail.torn == 20_001 - tail.offset > 0
    tail.close()


def test_follower_that_starts_again_goes_on_where_it_was(scratch, person):
    path = kept(scratch, "t.mjr", person.audio_mjr[:30_000])
    first = MjrTail(path)
    beginning = first.poll()
    first.close()
    with path.open("ab") as file:
        file.write(person.audio_mjr[30_000:])
    second = MjrTail(path, offset=len(beginning))
    assert beginning + second.poll() == person.audio_mjr
    second.close()


def test_long_file_is_given_in_pieces_of_bounded_size(scratch, person):
    path = kept(scratch, "t.mjr", person.video_mjr)
    tail = MjrTail(path)
    pieces = []
    while piece := tail.poll(limit=1):
        pieces.append(piece)
    assert max(map(len, pieces)) <= 1 << 17
    assert b"".join(pieces) == person.video_mjr
    tail.close()


def test_damaged_growing_file_is_noticed(scratch):
    path = kept(scratch, "t.mjr", b"MJR00002" + struct.pack(">H", 2) + b"{}" + b"XXXX")
    tail = MjrTail(path)
    with pytest.raises(MjrBroken):
        tail.poll()
    tail.close()


# --- memory ---


def test_hole_gives_memory_back_while_the_writer_goes_on(scratch):
    path = scratch / "t"
    with path.open("wb", buffering=0) as writer:
        writer.write(b"a" * 1_000_000)
        before = path.stat().st_blocks
        with path.open("r+b") as file:
            punch_hole(file.fileno(), 0, 900_000)
        writer.write(b"b" * 10)
    assert path.stat().st_size == 1_000_010
    assert path.stat().st_blocks < before / 5
    data = path.read_bytes()
    assert data[900_000:1_000_000] == b"a" * 100_000
    assert data[-10:] == b"b" * 10
    assert data[:4096] == bytes(4096)


def test_hole_never_touches_a_page_that_is_only_partly_behind(scratch):
    path = kept(scratch, "t", b"a" * 20_000)
    with path.open("r+b") as file:
        punch_hole(file.fileno(), 0, 100)
        punch_hole(file.fileno(), 4_000, 4_100)
        assert path.read_bytes() == b"a" * 20_000
        punch_hole(file.fileno(), 1, 9_000)
    assert path.read_bytes() == b"a" * 4096 + bytes(4096) + b"a" * (20_000 - 8192)


def test_hole_in_what_cannot_have_one_is_an_error(scratch):
    path = kept(scratch, "t", b"a" * 20_000)
    with path.open("rb") as read_only, pytest.raises(OSError, match="Bad file descriptor"):
        punch_hole(read_only.fileno(), 0, 20_000)


def test_only_memory_is_taken_for_memory(scratch):
    assert is_tmpfs(scratch)
    require_tmpfs(scratch)
    assert not is_tmpfs(ON_DISK)
    with pytest.raises(NotInMemory, match="tmpfs"):
        require_tmpfs(ON_DISK)
    with pytest.raises(NotInMemory, match="no directory"):
        require_tmpfs(scratch / "nowhere")
    with pytest.raises(FileNotFoundError):
        is_tmpfs(scratch / "nowhere")


def test_swap_on_a_disk_is_noticed():
    lines = Path("/proc/swaps").read_text().splitlines()[1:]
    assert swap_in_use() is any(not line.startswith("/dev/zram") for line in lines)


# --- children ---


def test_child_sees_nothing_of_our_environment(scratch, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "do-not-tell")
    told = run_tool(["env"], scratch=scratch, timeout_s=10).decode().split()
    assert {line.split("=")[0] for line in told} == {"PATH", "LANG", "HOME", "TMPDIR"}
    assert f"TMPDIR={scratch}" in told
    with pytest.raises(NotInMemory):
        clean_child_env(ON_DISK)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


LINGERING = "sleep 300 & echo $! > child; echo $$ > parent; wait"


@pytest.mark.parametrize("reason", ["time", "request"])
def test_program_that_takes_too_long_or_is_cancelled_dies_with_its_children(scratch, reason):
    asked_at = time.monotonic() + 0.3

    def stopped() -> bool:
        return reason == "request" and time.monotonic() > asked_at

    with pytest.raises(MediaToolFailed) as caught:
        run_tool(["sh", "-c", LINGERING], scratch=scratch, timeout_s=1, stopped=stopped)
    assert ("took too long" if reason == "time" else "stopped") in caught.value.detail
    for name in ("child", "parent"):
        pid = int((scratch / name).read_text())
        deadline = time.monotonic() + 5
        while is_running(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not is_running(pid)
    assert os.getpgid(0) != pid


def test_failing_program_is_told_with_its_exit_and_words(scratch):
    with pytest.raises(MediaToolFailed) as caught:
        run_tool(["sh", "-c", "echo no good >&2; exit 3"], scratch=scratch, timeout_s=10)
    assert caught.value.detail == "exit 3: no good"
