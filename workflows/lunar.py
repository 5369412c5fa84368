"""The lunar date of a Vietnamese solar date, for calendar leaves: "25/10 âm lịch".

Computed from the sky: a lunar month begins on the day, in Vietnam's time (UTC+7), of the new
moon; the month that holds the winter solstice is the eleventh; in a year of thirteen months the
first month in which the sun enters no new sign (trung khí) repeats the number before it.
Positions follow the usual short series of Meeus, "Astronomical Algorithms", chapters 25 and 49;
good to a minute or two between 1900 and 2100, so a new moon very near midnight could fall on the
neighbouring day.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from math import floor, radians, sin

_UNIX_TO_JULIAN = 1721424.5  # Julian date of midnight UTC before ordinal day 0
_SYNODIC_MONTH = 29.530588861
_FIRST_NEW_MOON = 2451550.09766  # the new moon of January 2000, k = 0
_VIETNAM = 7 / 24  # days ahead of UTC
_DELTA_T = 70 / 86400  # dynamical minus universal time now, in days


@dataclass(frozen=True, slots=True)
class LunarDate:
    """A day, month and year of the lunar calendar; `leap` marks a repeated month (tháng nhuận)."""

    day: int
    month: int
    year: int
    leap: bool = False

    def __str__(self) -> str:
        leap = " nhuận" if self.leap else ""
        return f"{self.day}/{self.month}{leap}"


def lunar_date(on: date) -> LunarDate:
    """The lunar date of `on` in Vietnam, 1900 to 2100."""
    day = on.toordinal()
    k = round((day + _UNIX_TO_JULIAN - _FIRST_NEW_MOON) / _SYNODIC_MONTH) + 1
    while _month_start(k) > day:
        k -= 1
    month, leap, year = _month_name(k, on.year)
    return LunarDate(day=day - _month_start(k) + 1, month=month, year=year, leap=leap)


def _month_name(k: int, solar_year: int) -> tuple[int, bool, int]:
    """Number, leapness and lunar year of the month that begins with new moon `k`."""
    first = _eleventh_month(solar_year)
    year = solar_year
    if k < first:
        first, year = _eleventh_month(solar_year - 1), solar_year - 1
    leap_k = _leap_month(first, _eleventh_month(year + 1))
    offset = k - first
    if leap_k is not None and k >= leap_k:
        offset -= 1
    month = (10 + offset) % 12 + 1
    return month, k == leap_k, year + (offset >= 2)


@cache
def _eleventh_month(solar_year: int) -> int:
    """The new moon number of the month with the winter solstice of `solar_year`."""
    new_year = date(solar_year, 12, 31).toordinal()
    k = round((new_year + _UNIX_TO_JULIAN - _FIRST_NEW_MOON) / _SYNODIC_MONTH) + 1
    while _month_start(k) > new_year:
        k -= 1
    return k if _sign(_month_start(k)) < 9 else k - 1


@cache
def _leap_month(first: int, following: int) -> int | None:
    """The first month without a new sign, when thirteen months lie between two eleventh ones."""
    if following - first == 12:
        return None
    signs = [_sign(_month_start(k)) for k in range(first, following + 1)]
    return next(first + i for i in range(1, len(signs) - 1) if signs[i] == signs[i + 1])


@cache
def _month_start(k: int) -> int:
    """The ordinal day in Vietnam on which new moon `k` falls."""
    return floor(_new_moon(k) - _DELTA_T + _VIETNAM - _UNIX_TO_JULIAN)


def _sign(ordinal: int) -> int:
    """Which twelfth of its circle (0 = from the spring equinox) the sun is in as the day begins."""
    return floor(_sun_longitude(ordinal + _UNIX_TO_JULIAN - _VIETNAM + _DELTA_T) / 30) % 12


def _sun_longitude(julian: float) -> float:
    """Apparent longitude of the sun in degrees, 0 to 360, at a dynamical Julian date."""
    t = (julian - 2451545) / 36525
    mean = 280.46646 + 36000.76983 * t + 0.0003032 * t * t
    anomaly = radians(357.52911 + 35999.05029 * t - 0.0001537 * t * t)
    centre = (
        (1.914602 - 0.004817 * t) * sin(anomaly)
        + (0.019993 - 0.000101 * t) * sin(2 * anomaly)
        + 0.000289 * sin(3 * anomaly)
    )
    node = radians(125.04 - 1934.136 * t)
    return (mean + centre - 0.00569 - 0.00478 * sin(node)) % 360


def _new_moon(k: int) -> float:
    """Dynamical Julian date of new moon `k`."""
    t = k / 1236.85
    mean = _FIRST_NEW_MOON + _SYNODIC_MONTH * k + 0.00015437 * t * t
    e = 1 - 0.002516 * t
    sun = radians(2.5534 + 29.10535670 * k)
    moon = radians(201.5643 + 385.81693528 * k + 0.0107582 * t * t)
    latitude = radians(160.7108 + 390.67050284 * k - 0.0016118 * t * t)
    node = radians(124.7746 - 1.56375588 * k)
    return mean + (
        -0.40720 * sin(moon)
        + 0.17241 * e * sin(sun)
        + 0.01608 * sin(2 * moon)
        + 0.01039 * sin(2 * latitude)
        + 0.00739 * e * sin(moon - sun)
        - 0.00514 * e * sin(moon + sun)
        + 0.00208 * e * e * sin(2 * sun)
        - 0.00111 * sin(moon - 2 * latitude)
        - 0.00057 * sin(moon + 2 * latitude)
        + 0.00056 * e * sin(2 * moon + sun)
        - 0.00042 * sin(3 * moon)
        + 0.00042 * e * sin(sun + 2 * latitude)
        + 0.00038 * e * sin(sun - 2 * latitude)
        - 0.00024 * e * sin(2 * moon - sun)
        - 0.00017 * sin(node)
    )
