"""Hot spots: groups of neighbouring units whose rates are high together, beyond chance.

Getis–Ord Gi* with the unit itself and its neighbours weighing one each; many units are tested at
once, so the list is cut by the procedure of Benjamini and Hochberg. Sources: Ord and Getis, "Local
spatial autocorrelation statistics", Geographical Analysis 27(4), 1995; Benjamini and Hochberg,
"Controlling the false discovery rate", J. R. Statist. Soc. B 57(1), 1995.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import erfc, sqrt

FALSE_SHARE = 0.05
FEWEST_UNITS = 8
"""With fewer units the score's normal approximation says nothing."""

Neighbours = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Hotspot:
    """One group, numbered from 1 with the strongest first."""

    number: int
    codes: tuple[str, ...]
    z: float


def hotspots(
    rates: Mapping[str, float | None], neighbours: Neighbours, *, false_share: float = FALSE_SHARE
) -> tuple[Hotspot, ...]:
    """Connected groups of hot units; at most `false_share` of the units is expected to be wrong.

    Units without a rate are left out, as if they were not on the map.
    """
    known = {code: rate for code, rate in rates.items() if rate is not None}
    if len(known) < FEWEST_UNITS:
        return ()
    scores = gi_star(known, neighbours)
    codes = sorted(scores)
    chances = adjusted_chances([upper_tail(scores[code]) for code in codes])
    hot = {code for code, q in zip(codes, chances, strict=True) if q <= false_share}
    groups = sorted(_groups(hot, neighbours), key=lambda group: -max(scores[c] for c in group))
    return tuple(
        Hotspot(k, tuple(sorted(group)), max(scores[code] for code in group))
        for k, group in enumerate(groups, start=1)
    )


def gi_star(rates: Mapping[str, float], neighbours: Neighbours) -> dict[str, float]:
    """Gi* of every unit as a standard score; all zero when the rates do not vary."""
    count = len(rates)
    mean = sum(rates.values()) / count
    spread = sqrt(max(sum(rate**2 for rate in rates.values()) / count - mean**2, 0.0))
    scores: dict[str, float] = {}
    for code in rates:
        around = {code, *neighbours.get(code, ())} & rates.keys()
        weight = len(around)
        excess = sum(rates[other] for other in sorted(around)) - mean * weight
        # The square of a weight of one is one: both sums of the formula equal `weight`.
        scale = spread * sqrt((count * weight - weight**2) / (count - 1)) if count > 1 else 0.0
        scores[code] = excess / scale if scale > 1e-12 else 0.0
    return scores


def upper_tail(z: float) -> float:
    """Chance of a standard normal value above `z`."""
    return erfc(z / sqrt(2)) / 2


def adjusted_chances(chances: Sequence[float]) -> list[float]:
    """Benjamini–Hochberg adjusted values, in the order given."""
    count = len(chances)
    order = sorted(range(count), key=lambda k: chances[k], reverse=True)
    adjusted = [1.0] * count
    smallest = 1.0
    for rank, k in zip(range(count, 0, -1), order, strict=True):
        smallest = min(smallest, chances[k] * count / rank)
        adjusted[k] = smallest
    return adjusted


def _groups(codes: set[str], neighbours: Neighbours) -> list[set[str]]:
    left = set(codes)
    groups: list[set[str]] = []
    while left:
        group, waiting = set[str](), [min(left)]
        while waiting:
            code = waiting.pop()
            group.add(code)
            waiting.extend(left.intersection(neighbours.get(code, ())) - group)
        groups.append(group)
        left -= group
    return groups
