"""What was chosen above the map, and what was typed on the switch of the public layer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as made
from datetime import date

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from reception.datamap.figures import current_year
from workflows.datamap.periods import Period, parse_period, span
from workflows.datamap.suppression import PUBLIC_KINDS, TOTAL
from workflows.errors import BadInput
from workflows.kinds import PetitionKind

VALUES = {"ty-le": "rate", "so-sanh": "change", "so-vu": "count"}
SHAPES = {"o": "schematic", "luc-giac": "hexagon", "dia-gioi": "borders", "bang": "table"}
SIZES = {"vua": "fit", "to": "large"}
KINDS = {
    "khieu-nai": PetitionKind.COMPLAINT,
    "kien-nghi": PetitionKind.RECOMMENDATION,
    "phan-anh": PetitionKind.FEEDBACK,
}
"""Never denunciations, nor mixed letters that may still hold one."""

SORTS = ("ten", "so-vu", "ty-le", "truoc", "thay-doi", "da-xong")
LONGEST_MONTHS = 60


@dataclass(frozen=True)
class MapFilter:
    """One picture: which cases, which months, how drawn, which unit opened. In the address."""

    period: Period
    field: str = TOTAL
    kind: str = ""
    value: str = "ty-le"
    shape: str = ""
    unit: str = ""
    sort: str = ""
    size: str = ""
    page: int = 1
    typed: Mapping[str, str] = made(default_factory=dict)
    errors: Mapping[str, str] = made(default_factory=dict)

    @classmethod
    def read(
        cls,
        data: MultiDict[str, str],
        *,
        today: date,
        fields: Collection[str],
        units: Collection[str],
    ) -> MapFilter:
        """What the address asks for; whatever cannot be used is told in `errors`."""
        errors: dict[str, str] = {}
        period = _period(data, today, errors)
        return cls(
            period=period,
            field=_one_of(data, "linh-vuc", (TOTAL, *fields), errors),
            kind=_one_of(data, "loai", ("", *KINDS), errors),
            value=_one_of(data, "xem", VALUES, errors) or "ty-le",
            shape=_one_of(data, "hinh", SHAPES, errors),
            unit=_one_of(data, "don-vi", units, errors),
            sort=_one_of(data, "xep", [*SORTS, *(f"-{name}" for name in SORTS)], errors),
            size=_one_of(data, "co", SIZES, errors),
            page=max(1, data.get("trang", 1, type=int)),
            typed={name: data.get(name, "") for name in ("ky", "tu", "den")},
            errors=errors,
        )

    @property
    def kinds(self) -> tuple[PetitionKind, ...]:
        """The kinds that are counted."""
        chosen = KINDS.get(self.kind)
        return tuple(sorted(PUBLIC_KINDS)) if chosen is None else (chosen,)

    def address(self, **changes: str | Period | int) -> dict[str, str]:
        """The words of an address for this picture with changes; defaults are left out."""
        changed = replace(self, **changes)  # type: ignore[arg-type]  # names of own fields
        words = {
            "ky": changed.period.code,
            "linh-vuc": changed.field,
            "loai": changed.kind,
            "xem": "" if changed.value == "ty-le" else changed.value,
            "hinh": changed.shape,
            "don-vi": changed.unit,
            "xep": changed.sort,
            "co": changed.size,
        }
        return {name: word for name, word in words.items() if word}


def _one_of(
    data: MultiDict[str, str], name: str, known: Collection[str], errors: dict[str, str]
) -> str:
    word = data.get(name, "").strip()
    if not word or word in known:
        return word
    errors[name] = (
        _("Denunciations are not on the map. Choose complaints, recommendations or feedback.")
        if name == "loai"
        else _("“%(word)s” is not known here. Choose from the list.", word=word[:40])
    )
    return ""


def _period(data: MultiDict[str, str], today: date, errors: dict[str, str]) -> Period:
    """The stretch chosen from the list, or from one month to another."""
    first, last = data.get("tu", ""), data.get("den", "")
    code = f"{first or last}..{last or first}" if first or last else data.get("ky", "")
    if not code:
        return current_year(today)
    try:
        period = parse_period(code)
    except BadInput as error:
        errors["ky"] = error.fields["period"]
        return current_year(today)
    if period.first_on > today:
        errors["ky"] = _("This stretch has not begun yet. Choose an earlier one.")
        return current_year(today)
    if period.length > LONGEST_MONTHS:
        errors["ky"] = _("Choose at most %(count)s months.", count=LONGEST_MONTHS)
        return current_year(today)
    return span(period, period)


@dataclass(frozen=True)
class PublicFilter:
    """A quarter and a broad field: all that the public layer knows."""

    quarter: str
    field: str = TOTAL
    shape: str = ""
    unit: str = ""

    @classmethod
    def read(
        cls, data: MultiDict[str, str], *, fields: Collection[str], units: Collection[str]
    ) -> PublicFilter:
        """What the address asks for; a quarter without a kept table gives way to the newest."""
        ignored: dict[str, str] = {}
        return cls(
            quarter=data.get("ky", ""),
            field=_one_of(data, "linh-vuc", fields, ignored),
            shape=_one_of(data, "hinh", ("o", "luc-giac", "dia-gioi"), ignored),
            unit=_one_of(data, "don-vi", units, ignored),
        )

    def address(self, **changes: str) -> dict[str, str]:
        """The words of an address for this picture with changes."""
        changed = replace(self, **changes)
        words = {
            "ky": changed.quarter,
            "linh-vuc": changed.field,
            "hinh": changed.shape,
            "don-vi": changed.unit,
        }
        return {name: word for name, word in words.items() if word}


@dataclass
class SwitchForm:
    """Turning the public layer on or off, with the reason that enters the audit log."""

    on: bool = False
    reason: str = ""
    errors: dict[str, str] = made(default_factory=dict)

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> SwitchForm:
        form = cls(on=data.get("on") == "1", reason=data.get("reason", "").strip())
        if len(form.reason) < 10:
            form.errors["reason"] = _("Write the reason in a sentence of at least 10 characters.")
        if len(form.reason) > 500:
            form.errors["reason"] = _("Write at most 500 characters.")
        return form
