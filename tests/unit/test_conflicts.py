"""Who may say that somebody stands too close to a matter, and who may take it back."""

from uuid import UUID

import pytest

from workflows.conflicts import (
    GROUNDS,
    Claim,
    Ground,
    Part,
    ensure_liftable,
    ensure_recordable,
)
from workflows.errors import BadInput, StepNotAllowed

ME, OTHER = UUID(int=1), UUID(int=2)


def test_every_ground_belongs_to_exactly_one_part():
    listed = [ground for grounds in GROUNDS.values() for ground in grounds]
    assert sorted(listed) == sorted(Ground)


@pytest.mark.parametrize("about", [ME, OTHER])
def test_a_conflict_is_said_of_oneself_and_of_others(about):
    claim = Claim(Part.CONFLICTED, Ground.RELATIVE, about)
    ensure_recordable(claim, by=ME, in_compartment=False)
    assert claim.words == "Là người thân thích của một bên"


def test_a_ground_of_another_part_is_refused():
    with pytest.raises(BadInput):
        ensure_recordable(Claim(Part.OWN_ACT, Ground.RELATIVE, OTHER), by=ME, in_compartment=False)


def test_leave_to_know_the_denouncer_needs_a_compartment_a_decision_and_somebody_else():
    given = Claim(Part.IDENTITY, Ground.DECISION, OTHER, "12/QĐ-UBND")
    ensure_recordable(given, by=ME, in_compartment=True)
    assert given.words.endswith("Văn bản 12/QĐ-UBND")
    with pytest.raises(StepNotAllowed, match="giữ kín"):
        ensure_recordable(given, by=ME, in_compartment=False)
    with pytest.raises(StepNotAllowed, match="không tự cho mình"):
        ensure_recordable(given, by=OTHER, in_compartment=True)
    with pytest.raises(BadInput):
        ensure_recordable(Claim(Part.IDENTITY, Ground.DECISION, OTHER), by=ME, in_compartment=True)


def test_nobody_clears_themself_and_lifting_has_a_reason():
    ensure_liftable(about=OTHER, by=ME, reason="Không phải người thân")
    with pytest.raises(StepNotAllowed, match="không tự gỡ"):
        ensure_liftable(about=ME, by=ME, reason="Không phải người thân")
    with pytest.raises(BadInput):
        ensure_liftable(about=OTHER, by=ME, reason=" ")
