"""Answers the command line: the numbers of one named layer and period."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from reception.datamap import operations, publication
from reception.datamap.forms import KINDS
from reception.datamap.operations import Choices, Question
from workflows.datamap.layer import Layer
from workflows.datamap.periods import Period
from workflows.datamap.suppression import PUBLIC_KINDS, TOTAL
from workflows.errors import BadInput
from workflows.kinds import PetitionKind

EVERY = ("cases", "all")
PUBLIC = "public"


def ask(layer: str, period: Period, *, today: date, as_of: datetime) -> dict[str, Any]:
    """The layer's numbers. Raises BadInput for an unknown name, NotOpen for a closed layer.

    Names: `cases`; a field code such as `land`; a kind such as `complaint`; both as
    `land:complaint`; `public` or `public:land` for what the public sees of a quarter.
    """
    known = operations.choices()
    if layer.split(":")[0] == PUBLIC:
        found = _public(layer, period, known, today)
    else:
        question = _question(layer, period, known)
        found = operations.whole_picture(question, known=known, today=today).figures.layer
    return _answer(layer, found, {unit.code: unit.full_name for unit in known.units}, as_of)


def _public(layer: str, period: Period, known: Choices, today: date) -> Layer:
    _, _, field = layer.partition(":")
    if field and field not in known.roots:
        raise _unknown(layer, known)
    picture = publication.public_picture(
        quarter=period.code, field=field or TOTAL, shape="", known=known, today=today
    )
    if picture.layer.period != period:
        listed = ", ".join(quarter.code for quarter in picture.quarters)
        raise BadInput({"period": f"Lớp công khai chỉ có các quý đã công bố: {listed}."})
    return picture.layer


def _question(layer: str, period: Period, known: Choices) -> Question:
    field, kinds = TOTAL, tuple(sorted(PUBLIC_KINDS))
    words = {**{kind.value: kind for kind in KINDS.values()}, **KINDS}
    for part in layer.split(":"):
        if part in words:
            kinds = (words[part],)
        elif part in known.field_codes:
            field = part
        elif part not in EVERY:
            raise _unknown(layer, known)
    return Question(field, kinds, period)


def _unknown(layer: str, known: Choices) -> BadInput:
    names = ", ".join((*EVERY, PUBLIC, *(kind.value for kind in KINDS.values()), *known.roots))
    if PetitionKind.DENUNCIATION.value in layer:
        return BadInput({"layer": "Tố cáo không có trên bản đồ. Chọn lớp khác: " + names})
    return BadInput({"layer": f"Không có lớp “{layer}”. Chọn một trong: {names}"})


def _answer(name: str, layer: Layer, names: dict[str, str], as_of: datetime) -> dict[str, Any]:
    return {
        "layer": name,
        "period": layer.period.code,
        "as_of": as_of.isoformat(timespec="seconds"),
        "cases": layer.totals.count,
        "rate": None if layer.totals.rate is None else round(layer.totals.rate, 4),
        "breaks": list(layer.breaks.limits),
        "units": [
            {
                "code": cell.code,
                "name": names[cell.code],
                "population": cell.population,
                "cases": cell.count,
                "rate": None if cell.rate is None else round(cell.rate, 4),
                "step": cell.step,
                "suppressed": cell.suppressed,
                "not_reported": cell.not_reported,
            }
            for cell in layer.cells
        ],
    }


def lines(answer: dict[str, Any]) -> list[str]:
    """The same for people: highest rate first."""
    units = sorted(answer["units"], key=lambda unit: (-(unit["rate"] or -1), unit["code"]))
    head = f"{answer['layer']} {answer['period']}: {_shown(answer)}"
    return [head, *(f"{unit['code']}  {unit['name']:<28} {_shown(unit)}" for unit in units)]


def _shown(row: dict[str, Any]) -> str:
    if row.get("not_reported"):
        return "no data"
    if row["cases"] is None:
        return "hidden"
    rate = "-" if row["rate"] is None else f"{row['rate']:.2f}"
    return f"{row['cases']:>7} cases  {rate:>8} per 10,000"
