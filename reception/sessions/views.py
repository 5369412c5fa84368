"""Pages of reception sessions. Each module registers its own endpoints on the blueprint."""

from __future__ import annotations

from reception.sessions import (
    clock_views,
    conclusion_views,
    conduct_views,
    join_views,
    minutes_views,
    paper_views,
    ready_views,
    room_views,
    schedule_views,
)
from reception.sessions.blueprint import bp

__all__ = [
    "bp",
    "clock_views",
    "conclusion_views",
    "conduct_views",
    "join_views",
    "minutes_views",
    "paper_views",
    "ready_views",
    "room_views",
    "schedule_views",
]
