"""The list “look here”: where to look first and why, each in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from reception.datamap.figures import Figures
from reception.templating import num
from workflows.datamap.periods import Period

LETTERS = "ABCDEFGHIJ"

MOST_ALARMS = 6

SPARK = (92.0, 40.0)


@dataclass(frozen=True)
class Look:
    """A sentence that says where to look and why."""

    mark: str
    kind: str
    code: str
    title: str
    detail: str
    text: str
    spark: str
    usual: tuple[float, float] | None


def places_to_look(
    figures: Figures, names: Mapping[str, str], months: Sequence[Period]
) -> list[Look]:
    """Where to look: communes far above their own usual, then hot spots, each in a sentence."""
    month = months[-1].label()
    found = [
        Look(
            mark=LETTERS[k],
            kind="look",
            code=alarm.code,
            title=names[alarm.code],
            detail=_(
                "%(count)s cases in %(month)s, usually %(usual)s",
                count=num(alarm.count),
                month=month,
                usual=f"{num(alarm.low)}\u00a0–\u00a0{num(alarm.high)}",
            ),
            text=_(
                "Far above its own usual month. Open the cases: do they share a cause,"
                " or a project?"
            ),
            **_spark(_until(figures, alarm.code, months[-1]), alarm.low, alarm.high),
        )
        for k, alarm in enumerate(figures.alarms[:MOST_ALARMS])
    ]
    return found + [_hot_look(spot.number, spot.codes, names) for spot in figures.hotspots]


def _until(figures: Figures, code: str, last: Period) -> list[int]:
    """The months of a unit up to the one that stands out."""
    pairs = zip(figures.months, figures.series[code], strict=True)
    return [count for month, count in pairs if month.first_on <= last.first_on]


def _hot_look(number: int, codes: Sequence[str], names: Mapping[str, str]) -> Look:
    return Look(
        mark=str(number),
        kind="hot",
        code=codes[0],
        title=_("Hot spot %(number)s", number=number),
        detail=ngettext("%(num)s commune", "%(num)s communes", len(codes)),
        text=_(
            "%(names)s: high together, more than chance explains (under 5 %% by chance).",
            names=", ".join(names[code] for code in codes),
        ),
        spark="",
        usual=None,
    )


def _spark(series: Sequence[int], low: int, high: int) -> dict[str, Any]:
    """Thirteen months as a small line, with the band of the usual."""
    points = list(series)[-13:]
    if len(points) < 2:
        return {"spark": "", "usual": None}
    top = max([*points, high, 1])
    width, height = SPARK
    step = (width - 8) / max(len(points) - 1, 1)

    def down(value: float) -> float:
        return round(height - 4 - value / top * (height - 8), 1)

    line = " ".join(f"{4 + k * step:.1f},{down(value)}" for k, value in enumerate(points))
    return {"spark": line, "usual": (down(high), round(down(low) - down(high), 1))}
