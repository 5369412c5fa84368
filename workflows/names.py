"""Finding today's unit from what people call the place, old commune names included.

Names are compared folded (Hòa = Hoà = hoa). Fifteen former names occur twice in the first province
and lead to different units, so a former district in the query decides between them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from unicodedata import normalize

from workflows.folding import fold_key

_TYPES = re.compile(
    r"^(?:xa|phuong|thi tran|tt|p|x|dac khu|thanh pho|tp|tinh|huyen|thi xa|tx|h)\s+"
)
_DISTRICT_TYPES = ("huyen", "thi xa", "thanh pho", "tx", "tp", "h")
_MIN_LETTERS = 2


@dataclass(frozen=True, slots=True)
class UnitName:
    """One name that leads to a unit. `district` is the former district of a former name."""

    code: str
    full_name: str
    former: bool = False
    district: str = ""
    partly: bool = False  # only a part of the former commune went to this unit


@dataclass(frozen=True, slots=True)
class Match:
    """A unit that may be meant, and through which name. Higher `rank` is nearer."""

    code: str
    through: UnitName
    rank: int


def find_units(query: str, names: Iterable[UnitName], *, limit: int = 8) -> tuple[Match, ...]:
    """The units that `query` may mean, nearest first; each unit at most once.

    Understands "Tam An", "xã Tam An", "tam an, long thành" and "Xã Tam An, huyện Long Thành".
    """
    wanted = _Query.of(query)
    if len(wanted.name) < _MIN_LETTERS:
        return ()
    best: dict[str, Match] = {}
    for name in names:
        rank = wanted.rank(name)
        if rank and (name.code not in best or rank > best[name.code].rank):
            best[name.code] = Match(name.code, name, rank)
    ordered = sorted(best.values(), key=lambda m: (-m.rank, m.through.full_name, m.code))
    return tuple(ordered[:limit])


def is_ambiguous(matches: Iterable[Match]) -> bool:
    """Whether the nearest rank is shared, so that a person must choose."""
    ranks = [match.rank for match in matches]
    return len(ranks) > 1 and ranks[0] == ranks[1]


@dataclass(frozen=True, slots=True)
class _Query:
    name: str
    type_: str
    district: str
    spelt: str  # the name with its marks, which tell Lộc Thạnh from Lộc Thành

    @classmethod
    def of(cls, query: str) -> "_Query":
        first, _, rest = query.partition(",")
        if not rest:
            first, rest = _split_at_district(query)
        folded = fold_key(first)
        bare = bare_name(folded)
        return cls(
            name=bare,
            type_=folded.removesuffix(bare).strip(),
            district=bare_name(fold_key(rest.split(",")[0])),
            spelt=_spelling(first, words=len(bare.split())),
        )

    def rank(self, name: UnitName) -> int:
        """0 for no match; exact names, a fitting type and a fitting district count more."""
        folded = fold_key(name.full_name)
        bare = bare_name(folded)
        nearness = 40 if bare == self.name else 20 if bare.startswith(self.name) else 0
        nearness = nearness or (10 if f" {self.name}" in f" {bare}" else 0)
        if not nearness:
            return 0
        return nearness + self._extra(name, folded)

    def _extra(self, name: UnitName, folded: str) -> int:
        extra = 0 if name.former else 4
        extra += 3 if _spelling(name.full_name, words=len(self.spelt.split())) == self.spelt else 0
        extra += 2 if self.type_ and folded.startswith(f"{self.type_} ") else 0
        district = bare_name(fold_key(name.district))
        if self.district and district:
            extra += 16 if self.district in district else -8
        return extra


def bare_name(folded: str) -> str:
    """A folded name without "xã", "phường", "huyện" and the like in front."""
    return _TYPES.sub("", folded)


def _spelling(name: str, *, words: int) -> str:
    """The last `words` words in lower case, marks kept."""
    return " ".join(normalize("NFC", name).lower().split()[-words:])


def _split_at_district(query: str) -> tuple[str, str]:
    """ "xã Tam An huyện Long Thành" without a comma."""
    for type_ in _DISTRICT_TYPES[:3]:
        before, found, after = fold_key(query).partition(f" {type_} ")
        if found and before:
            return before, after
    return query, ""
