"""Recorded media: reading what the media server wrote, and turning it into what people play."""

from storage.media.mjr import (
    AUDIO_CLOCK_HZ,
    VIDEO_CLOCK_HZ,
    MjrBroken,
    MjrHeader,
    MjrPacket,
    MjrParser,
    MjrTail,
    read_mjr,
)
from storage.media.playable import (
    Probe,
    Remuxed,
    audio_peaks,
    probe,
    process_track,
    remux_person,
)
from storage.media.processes import MediaToolFailed, clean_child_env, run_tool
from storage.media.tmpfs import NotInMemory, is_tmpfs, punch_hole, require_tmpfs, swap_in_use
from storage.media.tracks import Gap, TrackStatistics, TrackSummary

__all__ = [
    "AUDIO_CLOCK_HZ",
    "VIDEO_CLOCK_HZ",
    "Gap",
    "MediaToolFailed",
    "MjrBroken",
    "MjrHeader",
    "MjrPacket",
    "MjrParser",
    "MjrTail",
    "NotInMemory",
    "Probe",
    "Remuxed",
    "TrackStatistics",
    "TrackSummary",
    "audio_peaks",
    "clean_child_env",
    "is_tmpfs",
    "probe",
    "process_track",
    "punch_hole",
    "read_mjr",
    "remux_person",
    "require_tmpfs",
    "run_tool",
    "swap_in_use",
]
