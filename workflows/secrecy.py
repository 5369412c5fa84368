"""How far a record may be known: levels, and what each level keeps out of shared places."""

from enum import StrEnum

from workflows.kinds import PetitionKind


class Secrecy(StrEnum):
    """From least to most closed."""

    NORMAL = "normal"  # by role and unit
    RESTRICTED = "restricted"  # closed room, privacy: assigned people and the unit's leaders
    COMPARTMENT = "compartment"  # denunciation: only people named for it
    OFF_SYSTEM = "off_system"  # contains state secrets: a stub only, handled outside


def secrecy_for(
    kind: PetitionKind, *, closed_room: bool = False, state_secret: bool = False
) -> Secrecy:
    """The least level a record must have.

    Source: Luật Tố cáo 25/2018/QH14, Điều 8, 56; NĐ 154/2026/NĐ-CP, Điều 12; Luật Bảo vệ bí mật
    nhà nước 117/2025/QH15 (state secrets stay outside this system).
    """
    if state_secret:
        return Secrecy.OFF_SYSTEM
    if kind is PetitionKind.DENUNCIATION:
        return Secrecy.COMPARTMENT
    return Secrecy.RESTRICTED if closed_room else Secrecy.NORMAL


_ORDER = tuple(Secrecy)


def strictest(*levels: Secrecy) -> Secrecy:
    """The most closed of `levels`; a case takes the level of its most closed part."""
    return max(levels, key=_ORDER.index, default=Secrecy.NORMAL)


def is_searchable(level: Secrecy) -> bool:
    """Whether content may enter search, duplicates, the classifier, notices and job payloads."""
    return level in (Secrecy.NORMAL, Secrecy.RESTRICTED)


def is_public_countable(kind: PetitionKind, level: Secrecy) -> bool:
    """Whether the record may be counted on a public layer: never a denunciation."""
    return kind is not PetitionKind.DENUNCIATION and level is Secrecy.NORMAL


def covered_name(person_number: int) -> str:
    """What stands for a citizen's name in queues and public calendars: a number, no initials.

    Source: NĐ 154/2026/NĐ-CP, Điều 12: name, address and handwriting of a citizen are secret.
    """
    return f"Người đến tiếp số {person_number}"
