"""Letters that may be about one matter, found by what they name, not by how they are worded.

Boilerplate makes whole texts alike, so only identifiers count: decision numbers, dates, plots and
sheets of the land map, sums, names, telephone and personal numbers. A rare identifier weighs more
(inverse document frequency, natural logarithm). An officer decides; nothing is merged by itself.
Letters under secrecy (`secrecy.is_searchable`) never enter.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import product
from math import log

from workflows.folding import fold, fold_key

STRONG, POSSIBLE = 25.0, 12.0
"""Scores from which on a pair is a strong hint, or worth a look (measured on 100,000 letters)."""

_COLLECTION = 100_000
_NEAR_PLOTS = 2
_NEAR_MONEY = 0.05


class IdentifierKind(StrEnum):
    DECISION = "decision"
    DAY = "day"
    PLOT = "plot"
    MONEY = "money"
    NAME = "name"
    PHONE = "phone"
    CITIZEN_ID = "citizen_id"  # a blind index, never the number itself


class Verdict(StrEnum):
    STRONG = "strong"
    POSSIBLE = "possible"
    NONE = "none"


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """Something named. `value` is normalised: equal things have equal values."""

    kind: IdentifierKind
    value: str

    @property
    def key(self) -> str:
        """How frequency tables and indexes name it: `decision:2318/qd-ubnd`."""
        return f"{self.kind.value}:{self.value}"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What one letter names. `submitters` are folded names; `field_code` and `commune` as kept."""

    identifiers: frozenset[Identifier]
    submitters: frozenset[str] = field(default_factory=frozenset)
    field_code: str = ""
    commune: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Why two letters look alike: Trùng, Liền kề, Khác, each a list of short Vietnamese notes."""

    score: float
    verdict: Verdict
    same: tuple[str, ...]
    near: tuple[str, ...]
    different: tuple[str, ...]


_DECISION = re.compile(r"\b(\d{1,5})\s*/\s*((?:\d{4}\s*/\s*)?[a-z]{2,}(?:\s*-\s*[a-z0-9]+)+)")
_DAY = re.compile(r"\b(\d{1,2})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*(\d{4})\b")
_DAY_WORDS = re.compile(r"\bngay\s+(\d{1,2})\s+thang\s+(\d{1,2})\s+nam\s+(\d{4})\b")
_PLOT = re.compile(
    r"\bthua(?:\s+dat)?(?:\s+so)?\s*:?\s*(\d{1,5})\s*[,;]?\s*(?:va\s+)?(?:thuoc\s+)?"
    r"to(?:\s+ban\s+do)?(?:\s+so)?\s*:?\s*(\d{1,4})"
)
_PLOT_REVERSED = re.compile(
    r"\bto(?:\s+ban\s+do)?(?:\s+so)?\s*:?\s*(\d{1,4})\s*[,;]?\s*"
    r"thua(?:\s+dat)?(?:\s+so)?\s*:?\s*(\d{1,5})"
)
_MONEY_WORDS = re.compile(r"\b(\d{1,3}(?:[.,]\d+)?|\d{4,6})\s*(trieu|ty)\b")
_MONEY_DIGITS = re.compile(r"\b(\d{1,3}(?:\.\d{3}){2,4})\s*(?:dong|vnd|d)\b")
_PHONE = re.compile(r"(?<!\d)(?:\+?84|0)(?:[ .-]?\d){9}(?!\d)")


def extract(text: str) -> frozenset[Identifier]:
    """The identifiers that a letter's text names."""
    folded = fold(text)
    found = (
        [Identifier(IdentifierKind.DECISION, value) for value in _decisions(folded)]
        + [Identifier(IdentifierKind.DAY, day.isoformat()) for day in _days(folded)]
        + [Identifier(IdentifierKind.PLOT, f"{sheet}/{plot}") for sheet, plot in _plots(folded)]
        + [Identifier(IdentifierKind.MONEY, str(sum_)) for sum_ in _sums(folded)]
        + [Identifier(IdentifierKind.PHONE, number) for number in _phones(folded)]
    )
    return frozenset(found)


def named(kind: IdentifierKind, value: str) -> Identifier:
    """An identifier from a field of the intake form rather than from the text."""
    if kind is IdentifierKind.PHONE:
        return Identifier(kind, "".join(c for c in value if c.isdigit())[-9:])
    return Identifier(kind, value if kind is IdentifierKind.CITIZEN_ID else fold_key(value))


def weight(identifier: Identifier, seen_in: Mapping[str, int]) -> float:
    """How much a shared identifier says; `seen_in` maps `Identifier.key` to how many letters."""
    return log(_COLLECTION / max(seen_in.get(identifier.key, 0), 2))


def score(one: Fingerprint, other: Fingerprint, seen_in: Mapping[str, int]) -> float:
    """The summed weight of what both letters name."""
    return sum(max(weight(i, seen_in), 0.0) for i in one.identifiers & other.identifiers)


def compare(one: Fingerprint, other: Fingerprint, seen_in: Mapping[str, int]) -> Comparison:
    """The pair with its score and the notes an officer reads before deciding."""
    total = score(one, other, seen_in)
    shared = sorted(one.identifiers & other.identifiers, key=_reading_order)
    return Comparison(
        score=round(total, 2),
        verdict=_verdict(total),
        same=tuple(_SAME_NOTES[i.kind].format(_shown(i)) for i in shared),
        near=tuple(_near(one, other)),
        different=tuple(_different(one, other)),
    )


def _reading_order(identifier: Identifier) -> tuple[int, str]:
    return list(IdentifierKind).index(identifier.kind), identifier.value


def _verdict(total: float) -> Verdict:
    if total >= STRONG:
        return Verdict.STRONG
    return Verdict.POSSIBLE if total >= POSSIBLE else Verdict.NONE


_SAME_NOTES = {
    IdentifierKind.DECISION: "số văn bản {}",
    IdentifierKind.DAY: "ngày {}",
    IdentifierKind.PLOT: "thửa đất {}",
    IdentifierKind.MONEY: "số tiền {}",
    IdentifierKind.NAME: "tên người trong đơn",
    IdentifierKind.PHONE: "số điện thoại",
    IdentifierKind.CITIZEN_ID: "số định danh",
}


def _shown(identifier: Identifier) -> str:
    if identifier.kind is IdentifierKind.DECISION:
        return identifier.value.upper().replace("QD", "QĐ")
    if identifier.kind is IdentifierKind.DAY:
        return f"{date.fromisoformat(identifier.value):%d/%m/%Y}"
    if identifier.kind is IdentifierKind.PLOT:
        sheet, plot = identifier.value.split("/")
        return f"{plot}, tờ bản đồ {sheet}"
    if identifier.kind is IdentifierKind.MONEY:
        return f"{int(identifier.value):,}".replace(",", ".") + " đồng"
    return identifier.value


def _of(letter: Fingerprint, kind: IdentifierKind) -> list[str]:
    return sorted(i.value for i in letter.identifiers if i.kind is kind)


def _near(one: Fingerprint, other: Fingerprint) -> Iterable[str]:
    for mine, theirs in product(_of(one, IdentifierKind.PLOT), _of(other, IdentifierKind.PLOT)):
        (sheet, plot), (their_sheet, their_plot) = mine.split("/"), theirs.split("/")
        apart = abs(int(plot) - int(their_plot))
        if sheet == their_sheet and 0 < apart <= _NEAR_PLOTS:
            yield f"thửa {plot} và thửa {their_plot}, tờ bản đồ {sheet}"
    for mine, theirs in product(_of(one, IdentifierKind.MONEY), _of(other, IdentifierKind.MONEY)):
        apart = abs(int(mine) - int(theirs))
        if 0 < apart <= _NEAR_MONEY * max(int(mine), int(theirs)):
            yield "số tiền chênh nhau không quá 5%"


def _different(one: Fingerprint, other: Fingerprint) -> Iterable[str]:
    if one.submitters and other.submitters and not one.submitters & other.submitters:
        yield "người gửi đơn"
    notes = {"commune": "nơi xảy ra", "field_code": "lĩnh vực", "kind": "loại đơn"}
    for attribute, note in notes.items():
        mine, theirs = getattr(one, attribute), getattr(other, attribute)
        if mine and theirs and mine != theirs:
            yield note
    for kind, note in {
        IdentifierKind.DECISION: "số văn bản",
        IdentifierKind.PLOT: "thửa đất",
        IdentifierKind.MONEY: "số tiền",
    }.items():
        both = _of(one, kind), _of(other, kind)
        if all(both) and not set(both[0]) & set(both[1]):
            yield note


def _decisions(folded: str) -> Iterable[str]:
    for number, rest in _DECISION.findall(folded):
        yield f"{int(number)}/{''.join(rest.split())}"


def _days(folded: str) -> Iterable[date]:
    for day, month, year in (*_DAY.findall(folded), *_DAY_WORDS.findall(folded)):
        try:
            yield date(int(year), int(month), int(day))
        except ValueError:
            continue  # a number that only looks like a date


def _plots(folded: str) -> Iterable[tuple[int, int]]:
    """Pairs of sheet and plot."""
    for plot, sheet in _PLOT.findall(folded):
        yield int(sheet), int(plot)
    for sheet, plot in _PLOT_REVERSED.findall(folded):
        yield int(sheet), int(plot)


def _sums(folded: str) -> Iterable[int]:
    """Sums in đồng."""
    for number, unit in _MONEY_WORDS.findall(folded):
        yield round(float(number.replace(",", ".")) * (10**9 if unit == "ty" else 10**6))
    for digits in _MONEY_DIGITS.findall(folded):
        yield int(digits.replace(".", ""))


def _phones(folded: str) -> Iterable[str]:
    """The nine digits after the leading 0 or +84."""
    for number in _PHONE.findall(folded):
        yield "".join(c for c in number if c.isdigit())[-9:]
