"""An attacker with paper and pencil must not work out a hidden small number."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.datamap.suppression import (
    THRESHOLD,
    TOTAL,
    Key,
    NotForPublic,
    PublicTable,
    ensure_public_kinds,
    protected_table,
)
from workflows.kinds import PetitionKind

Row = list[Fraction]


def linear_attack(table: PublicTable) -> dict[Key, Fraction]:
    """Every hidden number that the table's sums determine, by exact elimination."""
    hidden = sorted(key for key, count in table.shown.items() if count is None)
    reduced = _reduced([_equation(line, table, hidden) for line in _sums(table)])
    found: dict[Key, Fraction] = {}
    for row in reduced:
        involved = [k for k, factor in enumerate(row[:-1]) if factor]
        if len(involved) == 1:
            found[hidden[involved[0]]] = row[-1] / row[involved[0]]
    return found


def _sums(table: PublicTable) -> list[list[tuple[Key, int]]]:
    units = sorted({unit for unit, _ in table.shown})
    fields = sorted({field for _, field in table.shown})
    rows = [[((u, f), -1 if f == TOTAL else 1) for f in fields] for u in units]
    columns = [[((u, f), -1 if u == TOTAL else 1) for u in units] for f in fields]
    return [*rows, *columns]


def _equation(line: list[tuple[Key, int]], table: PublicTable, hidden: list[Key]) -> Row:
    factors = dict(line)
    right = -sum(sign * (table.shown[key] or 0) for key, sign in line)
    unknown = [Fraction(factors.get(key, 0)) for key in hidden]
    return [*unknown, Fraction(right)]


def _reduced(rows: list[Row]) -> list[Row]:
    """Gauss–Jordan: a number that is determined stands alone in its row."""
    done: list[Row] = []
    for column in range(len(rows[0]) - 1):
        pivot = next((row for row in rows if row[column]), None)
        if pivot is None:
            continue
        rows = [row for row in rows if row is not pivot]
        pivot = [value / pivot[column] for value in pivot]
        rows = [_less(row, pivot, column) for row in rows]
        done = [*(_less(row, pivot, column) for row in done), pivot]
    return done


def _less(row: Row, pivot: Row, column: int) -> Row:
    return [a - row[column] * b for a, b in zip(row, pivot, strict=True)] if row[column] else row


def possible_values(table: PublicTable, units: list[str], fields: list[str], most: int):
    """All tables of whole non-negative numbers up to `most` that agree with what is shown."""
    values: dict[Key, set[int]] = {key: set() for key in table.shown}
    inner = list(product(units, fields))
    choices = [range(most + 1) if table.shown[key] is None else [table.shown[key]] for key in inner]
    for numbers in product(*choices):
        full = with_totals(dict(zip(inner, numbers, strict=True)))
        if all(count is None or full[key] == count for key, count in table.shown.items()):
            for key, number in full.items():
                values[key].add(number)
    return values


def with_totals(counts: dict[Key, int]) -> dict[Key, int]:
    full: dict[Key, int] = {}
    for (unit, field), count in counts.items():
        for key in product((unit, TOTAL), (field, TOTAL)):
            full[key] = full.get(key, 0) + count
    return full


@st.composite
def tables(draw: st.DrawFn, most_units: int = 7, most_fields: int = 5, largest: int = 9):
    units = [f"u{k}" for k in range(draw(st.integers(1, most_units)))]
    fields = [f"f{k}" for k in range(draw(st.integers(1, most_fields)))]
    number = st.one_of(st.integers(0, 3), st.integers(0, largest))
    return units, fields, {key: draw(number) for key in product(units, fields)}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(tables())
def test_no_small_number_can_be_recovered_from_the_sums(made):
    units, fields, counts = made
    found = linear_attack(protected_table(counts, units=units, fields=fields))
    true = with_totals(counts)
    assert {key for key in found if true[key] < THRESHOLD} == set()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(tables(most_units=2, most_fields=3, largest=4))
def test_no_small_number_is_the_only_one_that_fits(made):
    units, fields, counts = made
    table = protected_table(counts, units=units, fields=fields)
    values = possible_values(table, units, fields, most=5)
    for key, number in with_totals(counts).items():
        if number < THRESHOLD:
            assert len(values[key]) > 1, key


@settings(max_examples=100, deadline=None, derandomize=True)
@given(tables())
def test_shown_numbers_are_true_and_never_small(made):
    units, fields, counts = made
    true = with_totals(counts)
    for key, shown in protected_table(counts, units=units, fields=fields).shown.items():
        assert shown is None or shown == true[key] >= THRESHOLD


def test_the_attack_does_recover_a_number_hidden_without_a_companion():
    counts = {("a", "land"): 2, ("a", "tax"): 9, ("b", "land"): 8, ("b", "tax"): 7}
    careless = {key: n if n >= THRESHOLD else None for key, n in with_totals(counts).items()}
    assert linear_attack(PublicTable(careless)) == {("a", "land"): 2}


def test_a_lone_small_number_takes_the_cheapest_companions_with_it():
    counts = {
        ("a", "land"): 2, ("a", "tax"): 5, ("a", "water"): 40,
        ("b", "land"): 30, ("b", "tax"): 60, ("b", "water"): 50,
        ("c", "land"): 4, ("c", "tax"): 6, ("c", "water"): 70,
    }  # fmt: skip
    table = protected_table(counts, units="abc", fields=["land", "tax", "water"])
    hidden = {key for key, count in table.shown.items() if count is None}
    assert hidden == {("a", "land"), ("a", "tax"), ("c", "land"), ("c", "tax")}


def test_a_table_without_small_numbers_is_published_whole():
    counts = {("a", "land"): 4, ("a", "tax"): 5, ("b", "land"): 6, ("b", "tax"): 3}
    assert dict(protected_table(counts, units="ab", fields=["land", "tax"]).shown) == with_totals(
        counts
    )


def test_two_hidden_numbers_whose_sum_gives_them_away_get_a_further_companion():
    # Only 1 + 1 and no other pair would do if both were known to be at least one; here the
    # total of two must not stand alone beside a column that fixes each of them.
    counts = {("a", "land"): 0, ("a", "tax"): 0, ("b", "land"): 9, ("b", "tax"): 9}
    table = protected_table(counts, units="ab", fields=["land", "tax"])
    values = possible_values(table, ["a", "b"], ["land", "tax"], most=12)
    assert len(values["a", "land"]) > 1


def test_a_whole_province_is_protected_within_seconds_and_keeps_most_large_numbers():
    units = [f"{k:02}" for k in range(95)]
    fields = [f"f{k}" for k in range(8)]
    counts = {
        (u, f): (7 * i * i + 13 * j + 5 * i * j) % 23
        for i, u in enumerate(units)
        for j, f in enumerate(fields)
    }
    table = protected_table(counts, units=units, fields=fields)
    large = {key for key, number in with_totals(counts).items() if number >= THRESHOLD}
    shown = {key for key in large if table.shown[key] is not None}
    assert len(shown) / len(large) > 0.9
    assert not {k for k in linear_attack(table) if with_totals(counts)[k] < THRESHOLD}


def test_a_published_table_reads_back_as_it_was_kept():
    table = protected_table({("a", "land"): 2, ("b", "land"): 9}, units="ab", fields=["land"])
    assert PublicTable.from_json(table.to_json()) == table


@pytest.mark.parametrize("kind", [PetitionKind.DENUNCIATION, PetitionKind.MIXED])
def test_denunciations_and_unsplit_letters_never_reach_a_public_layer(kind):
    with pytest.raises(NotForPublic, match="tố cáo"):
        ensure_public_kinds([PetitionKind.COMPLAINT, kind])


def test_complaints_recommendations_and_feedback_may_be_public():
    ensure_public_kinds(
        [PetitionKind.COMPLAINT, PetitionKind.RECOMMENDATION, PetitionKind.FEEDBACK]
    )


@pytest.mark.parametrize(("units", "fields"), [("", ["land"]), ("a", []), ("a", ["tax"])])
def test_a_table_that_cannot_hold_its_counts_is_refused(units, fields):
    with pytest.raises(ValueError, match="units and fields"):
        protected_table({("a", "land"): 5}, units=units, fields=fields)
