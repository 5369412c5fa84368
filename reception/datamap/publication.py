"""The public layer: off until the chair of the province switches it on; then fixed tables only.

A table is made once for a closed quarter, commune × broad field, small numbers hidden so that
nothing can be subtracted, and kept as it is: later facts change no number the public has seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reception.datamap import drawings
from reception.datamap.drawings import Drawing
from reception.datamap.operations import Choices, home
from storage.database import Work, reading, unit_of_work
from storage.models import Account, ReportSnapshot, Setting
from storage.models.base import utc_now
from storage.queries import datamap as queries
from storage.queries.units import path_of
from workflows.access import Actor, Permission, Subject, ensure_allowed
from workflows.datamap.layer import CountRow, Layer, public_table, published_layer
from workflows.datamap.periods import Period, parse_period, quarter_of
from workflows.datamap.rates import Breaks, pretty_breaks, rate
from workflows.datamap.suppression import PUBLIC_KINDS, TOTAL, PublicTable
from workflows.errors import BadInput, NotFound

SETTING = "public_map"
QUARTERS = 4
"""How many closed quarters are published when the layer is switched on."""


class NotOpen(NotFound):
    """The public layer is off."""

    def __init__(self) -> None:
        super().__init__("Bản đồ công khai chưa mở. Khi mở, bản đồ sẽ ở đúng địa chỉ này.")


@dataclass(frozen=True)
class Switch:
    """Whether the layer is on, since when, by whom and why."""

    on: bool
    at: datetime | None = None
    by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class PublicPicture:
    """What the public sees of one quarter and field, and the quarters there are."""

    layer: Layer
    drawing: Drawing
    quarters: tuple[Period, ...]
    published_at: datetime | None
    names: Mapping[str, str]


def _row(db_session: Session) -> Setting | None:
    return db_session.get(Setting, SETTING)


def is_on(db_session: Session) -> bool:
    """Whether the public may look."""
    row = _row(db_session)
    return bool(row and row.value.get("on"))


def switch() -> Switch:
    """The switch as it stands."""
    with reading() as work:
        row = _row(work.db_session)
        if row is None:
            return Switch(on=False)
        by = work.db_session.get(Account, row.changed_by) if row.changed_by else None
        return Switch(
            on=bool(row.value.get("on")),
            at=row.changed_at,
            by=by.display_name if by else "",
            reason=str(row.value.get("reason", "")),
        )


def ensure_may_publish(actor: Actor) -> None:
    """Raises NotAllowed: only the chair of the province switches."""
    ensure_allowed(actor, Permission.DATAMAP_PUBLISH, Subject(unit_path=path_of(home())))


def set_switch(*, on: bool, reason: str, by: Actor, known: Choices, today: date) -> None:
    """Turn the public layer on or off. Raises NotAllowed, BadInput."""
    ensure_may_publish(by)
    if len(reason.strip()) < 10:
        raise BadInput({"reason": "Ghi lý do bằng một câu từ 10 ký tự để lưu vào nhật ký."})
    made = _tables_missing(known, today) if on else {}
    with unit_of_work() as work:
        row = _row(work.db_session)
        if row is None:
            row = work.add(Setting(key=SETTING, value={}))
        row.value = {"on": on, "reason": reason.strip()}
        row.changed_at, row.changed_by = utc_now(), by.account_id
        _keep(work, made, by.account_id)
        work.audit(
            "public_map_opened" if on else "public_map_closed",
            kind="setting",
            by=by.account_id,
            reason=reason.strip(),
            quarters=sorted(made),
        )


def publish_closed_quarters(*, known: Choices, today: date) -> list[str]:
    """While the layer is on: make the tables of quarters that have closed. Safe to run again."""
    with reading() as work:
        if not is_on(work.db_session):
            return []
    made = _tables_missing(known, today)
    if made:
        with unit_of_work() as work:
            _keep(work, made, None)
            work.audit("public_map_published", kind="setting", by=None, quarters=sorted(made))
    return sorted(made)


def _keep(work: Work, made: Mapping[str, PublicTable], by: UUID | None) -> None:
    kept = set(
        work.db_session.scalars(
            select(ReportSnapshot.period).where(ReportSnapshot.form == queries.PUBLIC_FORM)
        )
    )
    for code, table in made.items():
        # Published once: a second table of the same quarter could be subtracted from the first.
        if code not in kept:
            work.add(
                ReportSnapshot(
                    form=queries.PUBLIC_FORM,
                    unit_id=home().id,
                    period=code,
                    figures={"rows": table.to_json()},
                    state="published",
                )
            )


def closed_quarters(today: date) -> list[Period]:
    """The newest closed quarters, newest first."""
    quarters = [quarter_of(today).previous()]
    while len(quarters) < QUARTERS:
        quarters.append(quarters[-1].previous())
    return quarters


def _tables_missing(known: Choices, today: date) -> dict[str, PublicTable]:
    with reading() as work:
        kept = {row.period for row in queries.published_tables(work.db_session)}
    missing = [quarter for quarter in closed_quarters(today) if quarter.code not in kept]
    return {quarter.code: _table_of(quarter, known) for quarter in missing}


def _table_of(quarter: Period, known: Choices) -> PublicTable:
    """Made from scratch: commune × broad field of one quarter, nothing else."""
    codes = {unit.id: unit.code for unit in known.units}
    with reading() as work:
        counts = queries.field_counts(
            work.db_session, fields=known.roots, kinds=PUBLIC_KINDS, period=quarter
        )
    return public_table(
        [
            CountRow(codes[row.unit_id], row.field_code, row.kind, row.opened)
            for row in counts
            if row.unit_id in codes
        ],
        units=known.unit_codes,
        period=quarter,
        fields=known.roots,
    )


def public_picture(
    *, quarter: str, field: str, shape: str, known: Choices, today: date
) -> PublicPicture:
    """What anybody may see. Raises NotOpen while the layer is off or nothing was published."""
    with reading() as work:
        if not is_on(work.db_session):
            raise NotOpen
        kept = queries.published_tables(work.db_session)
        if not kept:
            raise NotOpen
        chosen = next((row for row in kept if row.period == quarter), kept[0])
        tables = {row.period: _read(row) for row in kept}
        drawing = _drawing(work.db_session, shape, parse_period(chosen.period), known)
    return _picture(tables, chosen.period, field, drawing, known, published_at=chosen.as_of_at)


def preview(
    *, quarter: str, field: str, shape: str, by: Actor, known: Choices, today: date
) -> PublicPicture:
    """The same page for the chair before it is public; nothing is kept. Raises NotAllowed."""
    ensure_may_publish(by)
    with reading() as work:
        tables = {row.period: _read(row) for row in queries.published_tables(work.db_session)}
    wanted = [period.code for period in closed_quarters(today)]
    code = quarter if quarter in {*wanted, *tables} else wanted[0]
    if code not in tables:
        tables[code] = _table_of(parse_period(code), known)
    with reading() as work:
        drawing = _drawing(work.db_session, shape, parse_period(code), known)
    listed = sorted({*wanted, *tables}, reverse=True)
    return _picture(tables, code, field, drawing, known, published_at=None, listed=listed)


def _read(row: ReportSnapshot) -> PublicTable:
    return PublicTable.from_json((unit, field, count) for unit, field, count in row.figures["rows"])


def _drawing(db_session: Session, shape: str, quarter: Period, known: Choices) -> Drawing:
    return drawings.drawing_for(db_session, home().code, shape, quarter.last_on, known.units)


def _picture(
    tables: Mapping[str, PublicTable],
    code: str,
    field: str,
    drawing: Drawing,
    known: Choices,
    *,
    published_at: datetime | None,
    listed: Sequence[str] = (),
) -> PublicPicture:
    units: dict[str, Any] = {unit.code: unit for unit in known.units}
    population = {unit.code: unit.population for unit in known.units if unit.population}
    layer = published_layer(
        units,
        tables[code],
        population,
        field,
        parse_period(code),
        breaks=_breaks(tables.values(), population, field),
    )
    quarters = tuple(parse_period(code) for code in listed or sorted(tables, reverse=True))
    names = {unit.code: unit.full_name for unit in known.units}
    return PublicPicture(layer, drawing, quarters, published_at, names)


def _breaks(tables: Any, population: Mapping[str, int], field: str) -> Breaks:
    """Limits from numbers that are shown anyway."""
    rates = (
        rate(count, population.get(unit))
        for table in tables
        for (unit, of), count in table.shown.items()
        if of == field and unit != TOTAL and count is not None
    )
    return pretty_breaks(value for value in rates if value is not None)
