"""A period beside the same months of the year before, and the five steps of the change ramp.

Few cases make wild percentages: under `FEW` cases in both periods the difference is told in
cases and the unit keeps the neutral colour.
"""

from collections.abc import Collection
from dataclasses import dataclass

FEW = 10
SLIGHT, STEEP = 8, 20
"""Percent up or down from which a step begins; nearer to nothing counts as about the same."""

STEPS = 5
SAME = 2


@dataclass(frozen=True)
class Change:
    """`percent` is None when the year before had no case; `step` None where few cases are told.

    Step 0 fell most, 2 is about the same, 4 rose most.
    """

    difference: int
    percent: int | None
    step: int | None

    @property
    def few(self) -> bool:
        return self.step is None


def change(count: int | None, before: int | None) -> Change | None:
    """What changed; None when either number is hidden or missing."""
    if count is None or before is None:
        return None
    percent = round((count - before) * 100 / before) if before else None
    few = max(count, before) < FEW
    return Change(count - before, percent, None if few else _step(percent))


def _step(percent: int | None) -> int:
    """From nothing to many is as steep as can be."""
    if percent is None or percent >= STEEP:
        return STEPS - 1
    if percent >= SLIGHT:
        return SAME + 1
    if percent > -SLIGHT:
        return SAME
    return SAME - 1 if percent > -STEEP else 0


@dataclass(frozen=True)
class ChangeLegendItem:
    """`kind`: step, few, suppressed or not_reported."""

    kind: str
    step: int | None
    units: int


def change_legend(
    changes: Collection[Change], *, suppressed: int = 0, not_reported: int = 0
) -> tuple[ChangeLegendItem, ...]:
    """Steepest rise first; every unit stands in exactly one line."""
    steps = [item.step for item in changes]
    items = [ChangeLegendItem("step", k, steps.count(k)) for k in range(STEPS - 1, -1, -1)]
    for kind, units in (
        ("few", steps.count(None)),
        ("suppressed", suppressed),
        ("not_reported", not_reported),
    ):
        if units:
            items.append(ChangeLegendItem(kind, None, units))
    return tuple(items)
