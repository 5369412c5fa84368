"""Where to look first: units whose newest month lies far above their own usual.

The rule is C2 of the Early Aberration Reporting System: seven earlier points, the last two before
the newest one left out so that a slow rise does not hide itself. Source: Hutwagner, Thompson,
Seeman, Treadwell, "The bioterrorism preparedness and response Early Aberration Reporting System",
J. Urban Health 80(2 suppl. 1), 2003. Counts of complaints are small: the spread is never taken
smaller than that of a Poisson count, and a handful of cases raises no alarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

BASELINE = 7
LAG = 2
LIMIT = 3.0
FEWEST_CASES = 5
USUAL_SPREADS = 2.0
"""The usual range told to people reaches this many spreads to both sides."""


@dataclass(frozen=True)
class Alarm:
    """`count` in the newest month against the usual range from `low` to `high`."""

    code: str
    count: int
    low: int
    high: int
    score: float


def alarms(series: Mapping[str, Sequence[int]]) -> tuple[Alarm, ...]:
    """Units to look at, strongest first; each series is monthly, oldest first."""
    raised = [_alarm(code, counts) for code, counts in sorted(series.items())]
    found = [item for item in raised if item is not None and item.score > LIMIT]
    return tuple(sorted(found, key=lambda item: (-item.score, item.code)))


def c2_score(counts: Sequence[int]) -> float | None:
    """How many spreads the newest count lies above its baseline; None with too short a history."""
    usual = _usual(counts)
    if usual is None:
        return None
    mean, spread = usual
    return (counts[-1] - mean) / spread


def _usual(counts: Sequence[int]) -> tuple[float, float] | None:
    baseline = counts[-LAG - BASELINE - 1 : -LAG - 1]
    if len(baseline) < BASELINE:
        return None
    mean = sum(baseline) / BASELINE
    variance = sum((count - mean) ** 2 for count in baseline) / (BASELINE - 1)
    return mean, sqrt(max(variance, mean, 1.0))


def _alarm(code: str, counts: Sequence[int]) -> Alarm | None:
    usual, score = _usual(counts), c2_score(counts)
    if usual is None or score is None or counts[-1] < FEWEST_CASES:
        return None
    mean, spread = usual
    reach = USUAL_SPREADS * spread
    return Alarm(code, counts[-1], max(0, round(mean - reach)), round(mean + reach), score)
