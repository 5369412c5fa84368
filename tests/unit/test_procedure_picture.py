"""The picture of a procedure: every state and every move is there, and no box hides another."""

from datetime import date
from itertools import combinations

import pytest

from workflows.procedures import load_all, procedure
from workflows.procedures.model import PREVIOUS, SAME
from workflows.procedures.picture import HEIGHT, MARGIN, WIDTH, picture

NEW, OLD = date(2027, 2, 1), date(2026, 6, 30)
CODES = sorted(load_all())


@pytest.mark.parametrize("code", CODES)
def test_every_state_and_every_move_is_in_the_picture(code):
    drawn = picture(procedure(code), on=NEW)
    assert {node.state.code for node in drawn.nodes} == set(procedure(code).states)
    told = {number for arrow in drawn.arrows for number in arrow.numbers}
    told |= {number for node in drawn.nodes for number in node.marks}
    assert told == set(range(1, len(drawn.moves) + 1))


@pytest.mark.parametrize("code", CODES)
def test_boxes_lie_apart_and_inside_the_picture(code):
    drawn = picture(procedure(code), on=NEW)
    for one, other in combinations(drawn.nodes, 2):
        assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT
    for node in drawn.nodes:
        assert MARGIN <= node.x <= drawn.width - WIDTH - MARGIN
        assert MARGIN <= node.y <= drawn.height - HEIGHT - MARGIN


@pytest.mark.parametrize("code", CODES)
def test_an_arrow_leads_from_the_state_it_leaves_to_the_one_it_reaches(code):
    drawn = picture(procedure(code), on=NEW)
    for arrow in drawn.arrows:
        for number in arrow.numbers:
            move = drawn.moves[number - 1]
            assert arrow.origin in move.origins
            assert arrow.target == move.to not in (SAME, PREVIOUS)


def test_the_picture_of_an_earlier_day_has_the_moves_of_that_day():
    old, new = picture(procedure("KN1"), on=OLD), picture(procedure("KN1"), on=NEW)
    assert "SUSPENDED" not in {node.state.code for node in old.nodes}
    assert "SUSPENDED" in {node.state.code for node in new.nodes}
    before = picture(procedure("SES"), on=OLD)
    assert [node.state.code for node in before.nodes] == ["START"]
    assert before.arrows == ()
