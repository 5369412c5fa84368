"""The reference tables agree with themselves, with the rules, and with known days."""

import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from workflows.access import Role
from workflows.calendar import DayKind, DayOff, HolidayTable, add_working_days, is_working_day
from workflows.gates import REASONS
from workflows.lunar import lunar_date
from workflows.procedures import procedure

FOLDER = Path(__file__).parents[2] / "storage" / "reference"


def rows(name):
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def holidays():
    days = [
        DayOff(date.fromisoformat(row["on"]), DayKind(row["kind"]), row["name_vi"], row["source"])
        for row in rows("holidays.csv")
    ]
    return HolidayTable.from_rows(days, years=[int(r["year"]) for r in rows("holiday_years.csv")])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.csv")), ids=lambda path: path.name)
def test_every_table_is_described_and_every_row_has_its_source(path):
    assert path.name in (FOLDER / "SOURCES.md").read_text(encoding="utf-8")
    table = rows(path.name)
    assert table
    if path.name not in {"hexagons.csv", "holiday_years.csv"}:
        assert all(row["source"].strip() for row in table)
    assert all(None not in row and None not in row.values() for row in table)


def test_one_province_and_95_communes_of_which_33_are_wards_today():
    units = rows("units.csv")
    assert [u["code"] for u in units if not u["parent_code"]] == ["75"]
    assert len({u["code"] for u in units}) == 96
    today = [t for t in rows("unit_types.csv") if not t["valid_to"]]
    assert Counter(t["kind"] for t in today) == {"city": 1, "ward": 33, "commune": 62}


def test_on_1_july_2025_there_were_23_wards_in_a_province():
    then = [t for t in rows("unit_types.csv") if t["valid_from"] == "2025-07-01"]
    assert Counter(t["kind"] for t in then) == {"province": 1, "ward": 23, "commune": 72}


def test_the_types_of_a_unit_follow_each_other_without_a_gap():
    by_code = {}
    for row in rows("unit_types.csv"):
        by_code.setdefault(row["code"], []).append(row)
    assert set(by_code) == {u["code"] for u in rows("units.csv")}
    changed = [history for history in by_code.values() if len(history) > 1]
    assert len(changed) == 11
    for old, new in changed:
        last = date.fromisoformat(old["valid_to"])
        assert last + timedelta(days=1) == date.fromisoformat(new["valid_from"])


def test_population_and_area_of_the_communes_make_up_the_province():
    province, *communes = rows("units.csv")
    assert sum(int(u["population"]) for u in communes) == int(province["population"])
    total = sum(float(u["area_km2"]) for u in communes)
    assert total == pytest.approx(float(province["area_km2"]), abs=1)


def test_places_are_given_to_a_hundredth_of_a_degree_and_no_finer():
    for unit in rows("units.csv"):
        assert all(len(unit[axis].split(".")[1]) == 2 for axis in ("lat", "lon"))


def test_every_former_commune_leads_to_a_unit_of_today_and_one_was_split():
    links = rows("former_units.csv")
    assert len(links) == 271
    assert {link["new_code"] for link in links} == {
        u["code"] for u in rows("units.csv") if u["parent_code"]
    }
    former = Counter((link["old_code"], link["old_province_code"]) for link in links)
    assert [key for key, count in former.items() if count > 1] == [("26449", "75")]


def test_departments_hang_under_the_province_and_some_act_for_it():
    departments = rows("departments.csv")
    assert {d["parent_code"] for d in departments} == {"75"}
    acting = {d["code"] for d in departments if d["acts_for"] == "75"}
    assert acting == {"75-VPUB", "75-BTCD", "75-TTRA"}
    assert all(d["confirmed"] == "no" for d in departments)


def test_fields_are_a_tree_mapped_to_the_columns_of_the_statistics():
    fields = rows("fields.csv")
    codes = {f["code"] for f in fields}
    assert len(codes) == len(fields)
    assert all(f["parent_code"] in codes | {""} for f in fields)
    assert {f["complaint_column"] for f in fields} == {"land", "policy", "other"}
    assert {f["denunciation_column"] for f in fields} == {
        "administrative",
        "corruption",
        "judicial",
        "other",
    }
    assert {f["recommendation_column"] for f in fields} == {"land", "policy", "other"}


def test_roles_are_those_of_the_access_rules():
    assert [row["code"] for row in rows("roles.csv")] == [role.value for role in Role]


def test_session_reasons_are_those_of_the_gates():
    assert [(r["code"], int(r["clause"]), r["label_vi"]) for r in rows("session_reasons.csv")] == [
        (reason.code, reason.clause, reason.label_vi) for reason in REASONS
    ]


def test_written_refusal_is_owed_for_two_grounds():
    written = [r["code"] for r in rows("refusal_grounds.csv") if r["written_notice"] == "yes"]
    assert written == ["law-9-3", "decree-4-h"]


def test_the_start_of_the_clock_says_what_the_procedure_says():
    rule = next(r for r in rows("legal_rules.csv") if r["code"] == "clock-start-online-unsigned")
    (clock,) = procedure("PET").clocks
    assert rule["needs_confirmation"] == "yes"
    assert clock.needs_confirmation
    assert rule["value"] in clock.events
    assert "await_signature" not in clock.events


def test_every_year_from_2023_to_2027_is_covered_and_names_its_decision():
    years = rows("holiday_years.csv")
    assert [y["year"] for y in years] == ["2023", "2024", "2025", "2026", "2027"]
    assert all("/" in y["decisions"] for y in years)
    for row in rows("holidays.csv"):
        assert row["on"][:4] in {y["year"] for y in years}


@pytest.mark.parametrize(
    ("year", "paid"), [(2023, 11), (2024, 11), (2025, 11), (2026, 12), (2027, 12)]
)
def test_a_year_has_its_paid_holidays_by_the_labour_code(year, paid):
    table = [r for r in rows("holidays.csv") if r["on"].startswith(str(year))]
    kinds = Counter(row["kind"] for row in table)
    assert kinds["public"] == paid
    assert kinds["swapped_off"] == kinds["swapped_working"]


def test_holidays_on_rest_days_are_made_up_and_swaps_name_each_other():
    table = {row["on"]: row for row in rows("holidays.csv")}
    for on, row in table.items():
        if row["swapped_with"]:
            assert table[row["swapped_with"]]["swapped_with"] == on
    for year in range(2023, 2028):
        mine = [r for r in table.values() if r["on"].startswith(str(year))]
        resting = [
            r for r in mine if r["kind"] == "public" and date.fromisoformat(r["on"]).weekday() >= 5
        ]
        assert len([r for r in mine if r["kind"] == "substitute"]) == len(resting)


def test_moving_holidays_agree_with_the_lunar_calendar():
    table = rows("holidays.csv")
    for row in (r for r in table if r["name_vi"] == "Giỗ Tổ Hùng Vương"):
        lunar = lunar_date(date.fromisoformat(row["on"]))
        assert (lunar.day, lunar.month) == (10, 3)
    tet = [
        lunar_date(date.fromisoformat(r["on"])) for r in table if r["name_vi"] == "Tết Nguyên đán"
    ]
    assert Counter((d.day, d.month) for d in tet)[(1, 1)] == 5


@pytest.mark.parametrize(
    ("on", "working"),
    [
        (date(2023, 9, 4), False),
        (date(2024, 4, 29), False),
        (date(2024, 5, 4), True),
        (date(2025, 4, 26), True),
        (date(2025, 5, 2), False),
        (date(2026, 1, 2), False),
        (date(2026, 1, 10), True),
        (date(2026, 8, 22), True),
        (date(2026, 8, 31), False),
        (date(2026, 11, 24), False),
        (date(2027, 2, 10), False),
        (date(2027, 2, 11), True),
    ],
)
def test_known_days_are_worked_or_not(on, working):
    assert is_working_day(on, holidays()) is working


def test_the_worked_example_of_the_inbox_holds_with_the_real_table():
    assert add_working_days(date(2026, 11, 16), 7, holidays()) == date(2026, 11, 26)
    assert add_working_days(date(2027, 2, 3), 7, holidays()) == date(2027, 2, 19)
