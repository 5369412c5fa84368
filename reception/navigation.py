"""The one navigation: what this person's role uses, with counts that need attention."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import current_app, g, request, url_for
from flask_babel import lazy_gettext as _l

from reception.access import current_actor
from storage.database import reading
from storage.queries.units import by_path
from workflows.access import Permission, Role, holds


@dataclass(frozen=True)
class Item:
    """A place in the rail."""

    endpoint: str
    label: Any
    icon: str
    permission: Permission
    section: Any = ""


ITEMS = (
    Item("petitions.inbox", _l("Inbox"), "inbox", Permission.PETITION_SEE),
    Item("desk.desk", _l("Reception desk"), "desk", Permission.DESK_INTAKE),
    Item("desk.post_batch", _l("Paper post"), "post", Permission.POST_BATCH),
    Item("desk.book", _l("Reception book"), "book", Permission.BOOK_SEE),
    Item("sessions.board", _l("Online sessions"), "camera", Permission.SESSION_SEE),
    Item("cases.index", _l("Cases"), "folder", Permission.CASE_SEE),
    Item("recordings.index", _l("Recordings"), "record", Permission.RECORDING_LIST),
    Item("cases.outgoing", _l("Decisions to send"), "send", Permission.DOCUMENT_NUMBER),
    Item("cases.search", _l("Search"), "search", Permission.SEARCH),
    Item("datamap.show", _l("Data map"), "map", Permission.DATAMAP_SEE, _l("Follow")),
    Item("procedures.index", _l("Procedures"), "scale", Permission.NOTICE_SEE, _l("Follow")),
    Item(
        "procedures.calendar",
        _l("Days off"),
        "calendar",
        Permission.CALENDAR_MANAGE,
        _l("System"),
    ),
    Item("administration.audit", _l("Audit log"), "audit", Permission.AUDIT_READ, _l("System")),
    Item("administration.health", _l("Health"), "health", Permission.HEALTH_SEE, _l("System")),
)


def nav_items() -> list[dict[str, Any]]:
    """The rail's entries for this person; empty for a citizen."""
    actor = current_actor()
    if actor.is_citizen:
        return []
    known = current_app.view_functions
    # What everybody may do as a citizen is no reason for a place in an officer's rail.
    on_duty = replace(actor, posts=tuple(p for p in actor.posts if p.role is not Role.CITIZEN))
    counts: dict[str, int] = g.get("nav_counts", {})
    here = _entry_of(request.endpoint or "")
    return [
        {
            "label": item.label,
            "url": url_for(item.endpoint),
            "icon": item.icon,
            "count": counts.get(item.endpoint),
            "current": item.endpoint == here,
            "section": item.section,
        }
        for item in ITEMS
        if item.endpoint in known and holds(on_duty, item.permission)
    ]


def _entry_of(endpoint: str) -> str:
    """The one entry a page belongs to: itself, its namesake in the area, else the area's first."""
    area, _, name = endpoint.partition(".")
    own = [item.endpoint for item in ITEMS if item.endpoint.partition(".")[0] == area]
    if endpoint in own:
        return endpoint
    word = name.split("_")[0]
    namesakes = [entry for entry in own if entry.partition(".")[2].split("_")[0] == word]
    return (namesakes or own or [""])[0]


def place_name() -> str:
    """The unit this person works at, for the bar; empty for a citizen."""
    actor = current_actor()
    if actor.is_citizen or not actor.unit_paths:
        return ""
    if "place_name" not in g:
        with reading() as work:
            unit = by_path(work.db_session, actor.unit_paths[0])
        g.place_name = unit.full_name if unit else ""
    return str(g.place_name)
