"""Units, their names through time, and reference data with validity dates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, Created, Identified, one_of, utc_now

UNIT_KINDS = (
    "province",
    "commune",
    "department",
    "public_service",
    "office",
    "reception_board",
    "inspectorate",
    "party_body",
    "assembly_office",
)


class Unit(Identified, Base):
    """A body in the tree: province, commune, department or office.

    A code alone is ambiguous after the 2025 mergers, so it goes with its scheme and dates.
    """

    __tablename__ = "unit"
    __table_args__ = (
        UniqueConstraint("code", "scheme", "valid_from_on"),
        one_of("kind", *UNIT_KINDS),
    )

    code: Mapped[str] = mapped_column(index=True)
    scheme: Mapped[str]
    kind: Mapped[str]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"), index=True)
    path: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    full_name: Mapped[str]
    folded_name: Mapped[str] = mapped_column(index=True)
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    area_km2: Mapped[float | None]
    population: Mapped[int | None]
    population_as_of: Mapped[str | None]
    remote: Mapped[bool | None]
    short_name: Mapped[str] = mapped_column(default="")
    acts_for_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    confirmed: Mapped[bool] = mapped_column(default=True)
    valid_from_on: Mapped[date]
    valid_to_on: Mapped[date | None]


class UnitType(Identified, Base):
    """What a unit was called, and from when: an old paper keeps "Xã Long Thành"."""

    __tablename__ = "unit_type"
    __table_args__ = (UniqueConstraint("unit_id", "valid_from_on"),)

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    type: Mapped[str]
    full_name: Mapped[str]
    valid_from_on: Mapped[date]
    valid_to_on: Mapped[date | None]
    source: Mapped[str]


class FormerUnit(Identified, Base):
    """A commune before the merger and the unit of today that took it over."""

    __tablename__ = "former_unit"
    __table_args__ = (UniqueConstraint("old_code", "unit_id"),)

    old_code: Mapped[str]
    old_full_name: Mapped[str]
    folded_name: Mapped[str] = mapped_column(index=True)
    old_district: Mapped[str]
    old_province: Mapped[str]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    how: Mapped[str]
    source: Mapped[str]


class UnitGeometry(Identified, Created, Base):
    """Drawn shapes of all units of a province: a computed schematic or imported borders."""

    __tablename__ = "unit_geometry"
    __table_args__ = (UniqueConstraint("province_code", "view", "version"),)

    province_code: Mapped[str]
    view: Mapped[str]
    version: Mapped[int]
    valid_from_on: Mapped[date]
    source: Mapped[str]
    data: Mapped[dict[str, Any]]


class Holiday(Base):
    """A day off, a substitute day off, or a working day swapped in."""

    __tablename__ = "holiday"
    __table_args__ = (one_of("kind", "public", "substitute", "swapped_off", "swapped_working"),)

    on: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    source: Mapped[str]
    confirmed: Mapped[bool]


class HolidayYear(Base):
    """A year whose days off are known; a year without a row is an error, never "no holidays"."""

    __tablename__ = "holiday_year"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    decision: Mapped[str]
    confirmed: Mapped[bool]


class Field(Base):
    """A field of matters (lĩnh vực); a tree of any depth."""

    __tablename__ = "field"

    code: Mapped[str] = mapped_column(primary_key=True)
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("field.code"))
    label_vi: Mapped[str]
    label_en: Mapped[str]
    complaint_column: Mapped[str]
    denunciation_column: Mapped[str]
    recommendation_column: Mapped[str]
    position: Mapped[int]
    valid_from_on: Mapped[date]
    valid_to_on: Mapped[date | None]


class LegalRule(Identified, Base):
    """A rule as a row with dates; `needs_confirmation` shows as "cần xác nhận"."""

    __tablename__ = "legal_rule"
    __table_args__ = (UniqueConstraint("code", "effective_from_on"),)

    code: Mapped[str]
    value: Mapped[str]
    label_vi: Mapped[str]
    label_en: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    effective_from_on: Mapped[date]
    effective_to_on: Mapped[date | None]
    source: Mapped[str]
    needs_confirmation: Mapped[bool]


class Setting(Base):
    """A switch the province turns itself: the public map, the demo clock."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
    changed_by: Mapped[UUID | None]


Index("ix_holiday_kind_on", Holiday.kind, Holiday.on)
