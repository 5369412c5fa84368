"""Cases per 10,000 inhabitants, and the five steps of the map's colour ramp.

Statistics count cases (vụ việc), never letters: petitions about one matter filed in several
communes or by several people are one case.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import floor, log10

INHABITANTS = 10_000
STEPS = 5
SMALLEST_LIMIT = 0.01
SHARES = (0.15, 0.5, 0.8, 0.93)
"""Shares of units below each break: the darkest step stays rare and so says something."""


@dataclass(frozen=True)
class PetitionFact:
    """What counting needs of one petition; dates are local."""

    case: str
    unit: str
    field: str
    received_on: date


@dataclass(frozen=True)
class Breaks:
    """Rising lower limits of the steps above the first: step k starts at `limits[k - 1]`."""

    limits: tuple[float, ...]

    @property
    def places(self) -> int:
        """Decimals to show: one, or two where the steps are narrow."""
        return 1 if all(round(limit, 1) == limit for limit in self.limits) else 2

    def step_of(self, rate: float) -> int:
        """0 for the lightest step. A rate shown as equal to a limit belongs to the higher step."""
        return bisect_right(self.limits, round(rate, self.places))


def cases_once(petitions: Iterable[PetitionFact]) -> list[PetitionFact]:
    """One fact per case: its earliest petition decides place, field and date.

    Of petitions received on the same day the one of the smallest unit code counts, so that the
    answer does not depend on the order given.
    """
    first: dict[str, PetitionFact] = {}
    for fact in petitions:
        known = first.get(fact.case)
        if known is None or _age(fact) < _age(known):
            first[fact.case] = fact
    return sorted(first.values(), key=lambda fact: (*_age(fact), fact.case))


def rate(count: int, population: int | None) -> float | None:
    """Cases per 10,000 inhabitants; None where the population is unknown or zero."""
    return count * INHABITANTS / population if population else None


def pretty_breaks(rates: Iterable[float]) -> Breaks:
    """Round limits from the rates of a long stretch, to be kept and used for all its periods.

    Take every unit in every month (or quarter, or year) of a long stretch: breaks that moved with
    each period would let a colour mean something else each time. Units without cases are left
    out. Limits are multiples of half a power of ten, at least 0.01, and rise.
    """
    ordered = sorted(value for value in rates if value > 0) or [1.0]
    limits: list[float] = []
    for share in SHARES:
        limit = _pretty(ordered[min(int(share * len(ordered)), len(ordered) - 1)])
        while limits and limit <= limits[-1]:
            limit = _next_pretty(limit)
        limits.append(limit)
    return Breaks(tuple(limits))


@dataclass(frozen=True)
class LegendItem:
    """One line of the legend. `kind`: under, between, over, suppressed or not_reported.

    `low` and `high` are the first and last rate of the step as shown with `places` decimals.
    """

    kind: str
    step: int | None
    low: float | None
    high: float | None
    units: int
    places: int = 1

    @property
    def below(self) -> float | None:
        """The limit the step stays under, None for the darkest."""
        return None if self.high is None else round(self.high + 0.1**self.places, self.places)


def legend(
    breaks: Breaks, steps: Sequence[int], *, suppressed: int = 0, not_reported: int = 0
) -> tuple[LegendItem, ...]:
    """Darkest step first, as the drawing reads; then the two hatchings if they occur."""
    limits = breaks.limits
    last = len(limits)
    items = [
        LegendItem(
            "over" if k == last else "between" if k else "under",
            step=k,
            low=limits[k - 1] if k else None,
            high=_just_below(limits[k], breaks.places) if k < last else None,
            units=steps.count(k),
            places=breaks.places,
        )
        for k in range(last, -1, -1)
    ]
    if suppressed:
        items.append(LegendItem("suppressed", None, None, None, suppressed))
    if not_reported:
        items.append(LegendItem("not_reported", None, None, None, not_reported))
    return tuple(items)


def legend_label(item: LegendItem, *, threshold: int = 3) -> str:
    """The Vietnamese words of a legend line, for exports and print."""
    low, high = (decimal_comma(value, places=item.places) for value in (item.low, item.high))
    match item.kind:
        case "over":
            return f"từ {low} trở lên"
        case "between":
            return low if low == high else f"{low} – {high}"
        case "under":
            return f"dưới {decimal_comma(item.below, places=item.places)}"
        case "suppressed":
            return f"không nêu số (dưới {threshold} vụ hoặc để giữ kín số bên cạnh)"
        case _:
            return "chưa gửi số liệu"


def decimal_comma(value: float | None, *, places: int = 1) -> str:
    """Vietnamese notation: 2,4; a dash where there is no value."""
    return "–" if value is None else f"{value:.{places}f}".replace(".", ",")


def _age(fact: PetitionFact) -> tuple[date, str, str]:
    return fact.received_on, fact.unit, fact.field


def _just_below(limit: float, places: int) -> float:
    return round(limit - 0.1**places, places)


def _pretty(value: float) -> float:
    """The nearest multiple of half a power of ten."""
    step = _pretty_step(value)
    return max(SMALLEST_LIMIT, round(round(value / step) * step, 2))


def _next_pretty(value: float) -> float:
    return round(value + _pretty_step(value), 2)


def _pretty_step(value: float) -> float:
    return max(SMALLEST_LIMIT, 0.5 * 10.0 ** floor(log10(max(value, SMALLEST_LIMIT))))
