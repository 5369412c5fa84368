"""One matter, one case (vụ việc): how letters join it, and why it is counted once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from workflows.errors import StepNotAllowed
from workflows.kinds import PetitionKind


class LinkKind(StrEnum):
    """How a letter belongs to a case, or a case to another."""

    SAME_MATTER = "same_matter"  # cùng nội dung, người khác hoặc nơi khác chuyển
    REPEAT = "repeat"  # cùng người, cùng nội dung, gửi lại
    SECOND_ROUND = "second_round"  # khiếu nại lần hai, tố cáo tiếp
    RELATED = "related"  # liên quan: another case, counted apart


_INSIDE = frozenset({LinkKind.SAME_MATTER, LinkKind.REPEAT, LinkKind.SECOND_ROUND})

LABELS_VI = {
    LinkKind.SAME_MATTER: "Cùng một vụ việc",
    LinkKind.REPEAT: "Đơn gửi lại",
    LinkKind.SECOND_ROUND: "Lần hai",
    LinkKind.RELATED: "Việc liên quan",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A letter in a case. An undone link stays, with `undone` set, and counts for nothing."""

    petition_id: UUID
    case_id: UUID
    kind: LinkKind
    undone: bool = False


def joins(kind: LinkKind) -> bool:
    """Whether a link of this kind makes the letter part of the case, so that it counts once."""
    return kind in _INSIDE


def count_cases(petitions: Iterable[UUID], links: Iterable[Link]) -> int:
    """How many cases the letters make up: every case once, every unlinked letter as one.

    Source: TT 06/2025/TT-TTCP, form 02/XLD, column 5 (vụ việc ≤ đơn).
    """
    case_of = {link.petition_id: link.case_id for link in links if _counts(link)}
    return len({case_of.get(petition, petition) for petition in petitions})


def _counts(link: Link) -> bool:
    return joins(link.kind) and not link.undone


def ensure_linkable(kind: PetitionKind, *, case_in_compartment: bool) -> None:
    """A denunciation stays in a case of its own compartment. Raises StepNotAllowed.

    Source: Luật Tố cáo 25/2018/QH14, Điều 8: what would show the denouncer is not spread.
    """
    denunciation = kind is PetitionKind.DENUNCIATION
    if denunciation and not case_in_compartment:
        raise StepNotAllowed(
            "Đơn tố cáo không nối vào vụ việc mở. Mở vụ việc riêng trong phạm vi được giữ kín.",
            rule="compartment",
        )
    if case_in_compartment and not denunciation:
        raise StepNotAllowed(
            "Vụ việc này được giữ kín, không nối thêm đơn khác loại. Mở vụ việc riêng.",
            rule="compartment",
        )


def visible_links(links: Iterable[Link], may_see: Callable[[UUID], bool]) -> tuple[Link, ...]:
    """The links whose letter the viewer may see: a hidden letter leaves no trace, not a gap."""
    return tuple(link for link in links if may_see(link.petition_id))
