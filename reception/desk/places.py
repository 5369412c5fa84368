"""At whose desk somebody works: the unit is taken from the posts, never from the address alone."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from storage.database import Work, reading
from storage.models import Unit
from storage.queries import desk as queries
from storage.subjects import unit_subject
from workflows.access import Actor, Permission, ensure_allowed
from workflows.errors import NotFound


@dataclass(frozen=True)
class Place:
    """A reception place (địa điểm tiếp công dân) as pages and papers name it."""

    unit_id: UUID
    code: str
    kind: str
    name: str
    full_name: str

    @property
    def is_commune(self) -> bool:
        """Whether matters mostly happen in this very unit."""
        return self.kind == "commune"


def place_of(unit: Unit) -> Place:
    """The unit in the words of the desk."""
    return Place(unit.id, unit.code, unit.kind, unit.name, unit.full_name)


def own_places(actor: Actor, permission: Permission) -> list[Place]:
    """Every place this person may work at with the permission; a picker shows from two on."""
    with reading() as work:
        units = queries.own_units(work.db_session, visible_to=actor, permission=permission)
        return [place_of(unit) for unit in units]


def own_place(actor: Actor, permission: Permission, code: str = "") -> Place:
    """The place with this code, or the first one. Raises NotFound for somebody else's."""
    for place in own_places(actor, permission):
        if code in ("", place.code):
            return place
    raise NotFound


def ensure_at(work: Work, actor: Actor, permission: Permission, unit_id: UUID) -> None:
    """Decide on the unit itself. Raises NotAllowed, hidden for another unit."""
    ensure_allowed(actor, permission, unit_subject(work.db_session, unit_id))
