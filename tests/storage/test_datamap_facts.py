"""The months of the map are the sums of the days, however the days came about."""

from __future__ import annotations

from collections import Counter
from datetime import date

from flask import Flask
from sqlalchemy import select

from storage.database import reading, unit_of_work
from storage.facts import count_case_closed, count_case_opened, rebuild_monthly_facts
from storage.models import Case, MonthlyFact
from storage.models.base import new_id
from tests.support.factories import COMMUNE, OTHER_COMMUNE, Factories


def _case(factories: Factories, number: int, **facts: object) -> Case:
    unit = factories.unit_id(str(facts.pop("unit", COMMUNE)))
    given = {"kind": "complaint", "field_code": "land-price", "opened_on": date(2026, 10, 5)}
    return Case(
        id=new_id(),
        search_id=number,
        code=f"VV-{number}",
        title="Việc đền bù",
        place_unit_id=unit,
        holder_unit_id=unit,
        people=2,
        **{**given, **facts},
    )


def _months() -> Counter[tuple[object, ...]]:
    with reading() as work:
        rows = work.db_session.scalars(select(MonthlyFact)).all()
    return Counter(
        {
            (
                row.field_code,
                row.kind,
                row.month_on,
                row.unit_id,
                row.closed,
                row.people,
            ): row.opened
            for row in rows
            if row.opened or row.closed
        }
    )


def test_a_case_counts_in_its_field_the_field_above_and_in_all(
    app_on_both: Flask, factories: Factories
) -> None:
    with unit_of_work() as work:
        count_case_opened(work, _case(factories, 1))
    fields = {key[0]: (key[2], count) for key, count in _months().items()}
    month = (date(2026, 10, 1), 1)
    assert fields == {"land-price": month, "land": month, "": month}


def test_a_case_without_a_field_counts_in_all_fields_only(
    app_on_both: Flask, factories: Factories
) -> None:
    with unit_of_work() as work:
        count_case_opened(work, _case(factories, 1, field_code=None))
    assert [key[0] for key in _months()] == [""]


def test_months_counted_one_by_one_equal_the_months_counted_anew(
    app_on_both: Flask, factories: Factories
) -> None:
    cases = [
        _case(factories, 1),
        _case(factories, 2, opened_on=date(2026, 10, 31), closed_on=date(2026, 11, 2)),
        _case(factories, 3, unit=OTHER_COMMUNE, field_code="tax", kind="feedback"),
        _case(factories, 4, field_code=None, kind="recommendation"),
    ]
    with unit_of_work() as work:
        for case in cases:
            count_case_opened(work, case)
            count_case_closed(work, case)
        count_case_opened(work, cases[0], times=-1)
    counted = _months()
    with unit_of_work() as work:
        rebuild_monthly_facts(work.db_session)
    assert _months() == counted
    assert sum(n for key, n in counted.items() if key[0] == "") == 3
