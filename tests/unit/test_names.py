"""Old commune names lead to today's units, on the real table."""

import csv
from pathlib import Path

import pytest

from workflows.names import UnitName, find_units, is_ambiguous

FOLDER = Path(__file__).parents[2] / "storage" / "reference"


def table(name):
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


NAMES = [
    *(
        UnitName(row["code"], row["full_name"])
        for row in table("unit_types.csv")
        if not row["valid_to"] and row["code"] != "75"
    ),
    *(
        UnitName(
            row["new_code"],
            row["old_full_name"],
            former=True,
            district=row["old_district"],
            partly=row["extent"] == "part",
        )
        for row in table("former_units.csv")
    ),
]


def first(query):
    return find_units(query, NAMES)[0].code


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Long Thành", "26368"),
        ("phuong long thanh", "26368"),
        ("Xã Tam An, huyện Long Thành", "26383"),
        ("tam an", "26383"),
        ("xã Tam An huyện Long Thành", "26383"),
        ("Phú Hoà", "26221"),
        ("phường Bửu Long", "26041"),
        ("Bình Sơn, Long Thành", "26368"),
        ("Bình Sơn, thị xã Phước Long", "25220"),
        ("thị trấn Vĩnh An", "26170"),
    ],
)
def test_what_people_call_the_place_finds_todays_unit(query, code):
    assert first(query) == code


def test_a_name_that_was_there_twice_is_ambiguous_until_the_district_is_named():
    both = find_units("xã Bình Sơn", NAMES)
    assert {m.code for m in both[:2]} == {"26368", "25220"}
    assert is_ambiguous(both)
    assert not is_ambiguous(find_units("xã Bình Sơn, huyện Long Thành", NAMES))


def test_a_commune_that_was_split_offers_both_parts():
    found = find_units("Xuân Tâm", NAMES)
    assert {m.code for m in found} == {"26359", "26446"}
    assert all(m.through.partly for m in found)


def test_every_unit_is_found_by_its_own_full_name():
    for name in NAMES[:95]:
        assert first(name.full_name) == name.code


def test_every_former_commune_is_found_with_its_district():
    for name in NAMES[95:]:
        found = find_units(f"{name.full_name}, {name.district}", NAMES)
        assert name.code in {m.code for m in found[:2]}


@pytest.mark.parametrize("query", ["", "x", "  ", "Hogwarts"])
def test_nothing_is_found_for_nothing(query):
    assert find_units(query, NAMES) == ()


def test_each_unit_is_offered_once_and_the_list_is_short():
    found = find_units("tân", NAMES, limit=5)
    assert len(found) == 5
    assert len({m.code for m in found}) == 5
