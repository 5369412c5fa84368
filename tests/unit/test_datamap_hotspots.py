"""Gi* and the groups it finds, against values worked out by hand."""

import pytest

from workflows.datamap.hotspots import adjusted_chances, gi_star, hotspots, upper_tail

CHAIN = {"a": ["b"], "b": ["a", "c"], "c": ["b", "d"], "d": ["c"]}


def grid(size: int) -> dict[str, list[str]]:
    return {
        f"{x},{y}": [
            f"{x + dx},{y + dy}"
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
            if 0 <= x + dx < size and 0 <= y + dy < size
        ]
        for x in range(size)
        for y in range(size)
    }


def test_scores_of_four_units_in_a_row_equal_those_worked_out_by_hand():
    # Mean 2, spread √3; ends weigh 2: √3·√(4/3) = 2; middle ones weigh 3: √3·√(3/3) = √3.
    scores = gi_star({"a": 1, "b": 1, "c": 1, "d": 5}, CHAIN)
    assert scores == pytest.approx({"a": -1, "b": -(3**0.5), "c": 1 / 3**0.5, "d": 1})


def test_equal_rates_everywhere_are_no_hot_spot():
    assert set(gi_star(dict.fromkeys(CHAIN, 2.0), CHAIN).values()) == {0.0}


def test_adjusted_chances_equal_the_published_procedure():
    assert adjusted_chances([0.01, 0.04, 0.03, 0.02]) == pytest.approx([0.04] * 4)
    assert adjusted_chances([0.001, 0.5, 0.9]) == pytest.approx([0.003, 0.75, 0.9])


def test_a_score_of_1_96_leaves_two_and_a_half_percent_above():
    assert upper_tail(1.959964) == pytest.approx(0.025, abs=1e-6)


def test_a_block_of_high_rates_is_one_hot_spot_around_its_middle():
    neighbours = grid(8)
    rates = {code: 1.0 + int(code[0]) % 2 * 0.2 for code in neighbours}
    rates |= {"3,3": 9.0, "3,4": 8.0, "4,3": 8.5, "2,3": 8.0, "3,2": 7.5}
    found = hotspots(rates, neighbours)
    assert [spot.number for spot in found] == [1]
    assert "3,3" in found[0].codes
    assert "7,7" not in found[0].codes


def test_two_separate_blocks_are_numbered_with_the_strongest_first():
    neighbours = grid(9)
    rates = dict.fromkeys(neighbours, 1.0)
    rates |= dict.fromkeys(["1,1", "1,0", "0,1", "0,0"], 8.0)
    rates |= dict.fromkeys(["7,7", "7,8", "8,7", "8,8"], 9.0)
    first, second = hotspots(rates, neighbours)
    assert "7,7" in first.codes
    assert "1,1" in second.codes
    assert first.z > second.z


def test_units_without_a_rate_neither_count_nor_appear():
    neighbours = grid(6)
    rates: dict[str, float | None] = dict.fromkeys(neighbours, 1.0)
    rates |= {"2,2": 9.0, "2,3": 9.0, "3,2": 9.0, "3,3": None}
    assert all("3,3" not in spot.codes for spot in hotspots(rates, neighbours))
    without = {k: [n for n in v if n != "3,3"] for k, v in neighbours.items() if k != "3,3"}
    assert hotspots(rates, neighbours) == hotspots(
        {k: v for k, v in rates.items() if v is not None}, without
    )


def test_too_few_units_give_no_hot_spot():
    assert hotspots({"a": 1.0, "b": 1.0, "c": 1.0, "d": 50.0}, CHAIN) == ()
