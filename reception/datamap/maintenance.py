"""Keeps the map up to date; safe to run at any time and twice. Seeding calls it too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from reception.datamap import drawings, publication
from reception.datamap.operations import choices, home
from storage.database import unit_of_work
from storage.facts import rebuild_daily_facts


def _nothing() -> None:
    """Nobody watches the progress."""


def refresh(*, today: date, step: Callable[[], None] = _nothing) -> dict[str, Any]:
    """Count every case anew, draw what changed, publish quarters that closed while it is public.

    `step` is called after each of the three parts. Raises Unavailable before the reference data.
    """
    province = home()
    with unit_of_work() as work:
        facts = rebuild_daily_facts(work.db_session)
        work.audit("map_facts_rebuilt", kind="daily_fact", by=None, rows=facts)
    step()
    drawn = drawings.refresh_schematic(province.code, today=today)
    step()
    published = publication.publish_closed_quarters(known=choices(), today=today)
    step()
    return {"facts": facts, "drawn": drawn, "published": published}
