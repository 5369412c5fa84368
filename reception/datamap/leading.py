"""The whole province in one number and a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from reception.datamap.figures import Figures
from reception.datamap.wording import change_words, period_words, total_words, untold
from reception.templating import num
from workflows.datamap.change import Change
from workflows.datamap.periods import Period
from workflows.datamap.suppression import TOTAL


@dataclass(frozen=True)
class Headline:
    """The one large number above the map, and the sentence that says what it is."""

    number: str
    words: str
    below: str
    rising: bool | None


def headline_of(figures: Figures, value: str, field_label: str, period: Period) -> Headline:
    """The whole province in one number."""
    totals, changed = figures.layer.totals, figures.total_change
    what = _("cases (%(field)s)", field=field_label.lower()) if field_label else _("cases")
    when = period_words(period)
    count = total_words(figures)
    trend = "" if changed is None else _trend(changed)
    rising = changed.difference > 0 if changed and changed.difference else None
    below = count + (f", {trend}" if trend else "")
    if value == "so-sanh":
        return Headline(
            change_words(changed),
            _("%(what)s, %(when)s against the year before", what=what, when=when),
            _(
                "%(cases)s, %(before)s the year before",
                cases=count,
                before=num(figures.before.get(TOTAL)),
            ),
            rising,
        )
    if value == "so-vu":
        number = untold() if totals.count is None else num(totals.count)
        return Headline(number, _("%(what)s, %(when)s", what=what, when=when), trend, rising)
    return Headline(
        num(totals.rate, 2),
        _("%(what)s per 10,000 inhabitants, %(when)s", what=what, when=when),
        below,
        rising,
    )


def _trend(changed: Change) -> str:
    if changed.difference == 0:
        return _("the same as the year before")
    if changed.percent is None:
        return ""
    many = num(abs(changed.percent))
    if changed.difference > 0:
        return _("up %(many)s %%", many=many)
    return _("down %(many)s %%", many=many)
