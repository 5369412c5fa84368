"""What troubles a recorder: one alarm per cause, with when it began and when it was last seen.

A cause ends only when what it names has worked again; nothing else clears it, so a trouble that
comes and goes within seconds stays in sight of the room and of the health page.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from storage.models.base import utc_now

STORE = "store"  # sealed chunks wait: the recording goes on
SPACE = "space"  # the spool is nearly full
SEALING = "sealing"  # nothing can be sealed now: no session may open
STOPS_SEALING = frozenset({SEALING})


def of_segment(segment_id: UUID, doing: str = "") -> str:
    """The cause that one segment alone is in trouble, with what of it fails."""
    return f"segment:{segment_id}" + (f":{doing}" if doing else "")


@dataclass(frozen=True)
class Alarm:
    """One trouble. `sentence` may hold {since}, the local time at which it began."""

    cause: str
    sentence: str
    began_at: datetime
    seen_at: datetime

    def text(self, zone: ZoneInfo) -> str:
        """The sentence for the person who looks."""
        return self.sentence.replace("{since}", f"{self.began_at.astimezone(zone):%H:%M:%S}")


class Alarms:
    """The troubles of one recorder; used by several threads."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._lock = threading.Lock()
        self._standing: dict[str, Alarm] = {}

    def raised(self, cause: str, sentence: str) -> bool:
        """Note that it is so now; returns whether it is new."""
        now = utc_now()
        with self._lock:
            known = self._standing.get(cause)
            self._standing[cause] = (
                replace(known, sentence=sentence, seen_at=now)
                if known
                else Alarm(cause, sentence, now, now)
            )
        return known is None

    def over(self, cause: str) -> None:
        """Note that it works again."""
        with self._lock:
            self._standing.pop(cause, None)

    def over_for(self, segment_id: UUID) -> None:
        """Note that a segment is closed: nothing about it matters any more."""
        own = of_segment(segment_id)
        for alarm in self.standing():
            if alarm.cause.startswith(own):
                self.over(alarm.cause)

    def standing(self) -> list[Alarm]:
        """Every trouble that is not over, oldest first."""
        with self._lock:
            return sorted(self._standing.values(), key=lambda alarm: alarm.began_at)

    def segments(self) -> set[UUID]:
        """The segments that are in trouble of their own."""
        parts = [alarm.cause.split(":") for alarm in self.standing()]
        return {UUID(words[1]) for words in parts if words[0] == "segment"}

    def words(self, segment_id: UUID | None = None) -> str:
        """What to tell about one segment, or about the whole recorder."""
        return " ".join(alarm.text(self._zone) for alarm in self._about(segment_id))

    def _about(self, segment_id: UUID | None) -> Iterable[Alarm]:
        if segment_id is None:
            return self.standing()
        own = of_segment(segment_id)
        return [
            a
            for a in self.standing()
            if a.cause.startswith(own) or not a.cause.startswith("segment:")
        ]

    def rows(self) -> list[dict[str, Any]]:
        """The troubles as the database keeps them."""
        return [
            {
                "cause": alarm.cause,
                "text": alarm.text(self._zone),
                "began_at": alarm.began_at.isoformat(),
                "seen_at": alarm.seen_at.isoformat(),
            }
            for alarm in self.standing()
        ]


def stops_sealing(rows: Iterable[dict[str, Any]]) -> bool:
    """Whether a recorder with these troubles could seal nothing of a session that opens now."""
    return any(row["cause"] in STOPS_SEALING for row in rows)
