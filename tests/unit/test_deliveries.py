"""When a decision went out, when it was received, and what proves both."""

from datetime import date

import pytest

from workflows.deliveries import PROOFS, WAYS, Proof, Receipt, Sending, Way
from workflows.errors import BadInput

DECIDED, TODAY = date(2026, 11, 16), date(2026, 11, 23)


def test_every_way_and_every_proof_has_its_words():
    assert set(WAYS) == set(Way)
    assert set(PROOFS) == set(Proof)
    assert Sending(TODAY, Way.POST, "RR1").words == "Thư bảo đảm, số RR1"
    assert Sending(TODAY, Way.BY_HAND).words == "Giao trực tiếp"


@pytest.mark.parametrize("day", [DECIDED, TODAY])
def test_the_days_of_decision_and_today_are_days_of_sending(day):
    Sending(day, Way.BY_HAND).check(decided_on=DECIDED, today=TODAY)


@pytest.mark.parametrize(
    ("sending", "field"),
    [
        (Sending(date(2026, 11, 15), Way.BY_HAND), "sent_on"),
        (Sending(date(2026, 11, 24), Way.BY_HAND), "sent_on"),
        (Sending(TODAY, Way.POST), "reference"),
    ],
)
def test_impossible_sending_is_refused_with_its_field(sending, field):
    with pytest.raises(BadInput) as refused:
        sending.check(decided_on=DECIDED, today=TODAY)
    assert set(refused.value.fields) == {field}


def test_a_decision_is_not_received_before_it_was_sent_nor_without_proof():
    Receipt(TODAY, Proof.SIGNED_BOOK, "trang 12").check(sent_on=TODAY, today=TODAY)
    with pytest.raises(BadInput) as refused:
        Receipt(DECIDED, Proof.MINUTES).check(sent_on=TODAY, today=TODAY)
    assert set(refused.value.fields) == {"received_on", "proof_reference"}
