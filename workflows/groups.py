"""Several people with one matter (nhiều người cùng một nội dung) and who speaks for them."""

from dataclasses import dataclass

LARGE_GROUP = 5
"""From this many people on, reports count a large group (đoàn đông người): TT 06/2025/TT-TTCP."""

_MANY = 10


@dataclass(frozen=True, slots=True)
class RepresentativeRule:
    """How many may speak. Source: Luật Tiếp công dân 42/2013/QH13, Điều 29."""

    at_least: int
    at_most: int
    sentence: str


def representatives(people: int) -> RepresentativeRule | None:
    """The rule for a group of `people`; None when everybody speaks for themselves."""
    if people < LARGE_GROUP:
        return None
    if people <= _MANY:
        return RepresentativeRule(1, 2, "Từ 5 đến 10 người: cử 1 hoặc 2 người đại diện.")
    return RepresentativeRule(1, 5, "Trên 10 người: cử không quá 5 người đại diện.")


def is_large_group(people: int) -> bool:
    """Whether reports count this visit as a large group."""
    return people >= LARGE_GROUP
