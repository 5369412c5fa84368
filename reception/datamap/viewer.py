"""How much of the map somebody sees: every number, or small ones of other communes hidden."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from storage.models import Unit
from storage.queries.units import path_of
from workflows.access import GRANTS, Actor, Decision, Permission, Role, UnitPath, decide, reach
from workflows.access import Subject as SubjectOf
from workflows.errors import NotAllowed


@dataclass(frozen=True)
class Viewer:
    """`whole` sees every number; else exact numbers of the communes in `own` only."""

    whole: bool
    own: frozenset[str]

    def sees(self, code: str) -> bool:
        """Whether small numbers of this commune are shown."""
        return self.whole or code in self.own


EVERYTHING = Viewer(whole=True, own=frozenset())
"""The command line: whoever runs it reads the database anyway."""


def may_enter(actor: Actor) -> bool:
    """Whether a post at an office carries the internal map; a citizen has the public one only."""
    return any(
        Permission.DATAMAP_SEE in GRANTS[post.role]
        for post in actor.posts
        if post.role is not Role.CITIZEN
    )


def ensure_may_enter(actor: Actor) -> None:
    """Raises NotAllowed for citizens (as if there were no such page) and posts without the map."""
    if not may_enter(actor):
        raise NotAllowed(
            Decision(
                allowed=False,
                reason="Vai trò của bạn không có bản đồ dữ liệu. Nếu cần, hãy hỏi lãnh đạo đơn vị.",
                hidden=actor.is_citizen,
            )
        )


def viewer_of(actor: Actor, province_path: UnitPath, units: Iterable[Unit]) -> Viewer:
    """What the actor's leave to count petitions reaches."""
    counted = reach(actor, Permission.PETITION_COUNT)
    if any(province_path[: len(top)] == top for top in counted.trees):
        return EVERYTHING
    own = {
        unit.code
        for unit in units
        if decide(actor, Permission.PETITION_COUNT, SubjectOf(unit_path=path_of(unit)))
    }
    return Viewer(whole=False, own=frozenset(own))
