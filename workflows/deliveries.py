"""How a decision reaches the person it is about, and what proves that it did.

The second complaint's term runs from the day the decision was received, so sending and receiving
are days of their own, each with a proof. Source: Luật Khiếu nại 02/2011/QH13, Điều 32, 33, 41.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from workflows.errors import BadInput

SHORTEST_REFERENCE = 3


class Way(StrEnum):
    """How the decision goes out."""

    POST = "post"
    BY_HAND = "by_hand"
    ELECTRONIC = "electronic"


class Proof(StrEnum):
    """What shows that it arrived."""

    POST_NOTICE = "post_notice"
    SIGNED_BOOK = "signed_book"
    MINUTES = "minutes"
    ELECTRONIC_RECEIPT = "electronic_receipt"


WAYS: Mapping[Way, str] = {
    Way.POST: "Thư bảo đảm",
    Way.BY_HAND: "Giao trực tiếp",
    Way.ELECTRONIC: "Gửi điện tử",
}
PROOFS: Mapping[Proof, str] = {
    Proof.POST_NOTICE: "Giấy báo phát của bưu điện",
    Proof.SIGNED_BOOK: "Sổ giao nhận có chữ ký",
    Proof.MINUTES: "Biên bản giao nhận",
    Proof.ELECTRONIC_RECEIPT: "Báo đã nhận trên hệ thống",
}
"""The words that stay in the file."""


@dataclass(frozen=True, slots=True)
class Sending:
    """The day it went out (local), the way, and the number that traces it."""

    on: date
    way: Way
    reference: str = ""

    @property
    def words(self) -> str:
        return _words(WAYS[self.way], self.reference)

    def check(self, *, decided_on: date, today: date) -> None:
        """Raises BadInput for a day before the decision or to come, or a missing number."""
        errors = _day_between(
            "sent_on", self.on, decided_on, today, "Ngày gửi không thể trước ngày ra quyết định."
        )
        if self.way is Way.POST and len(self.reference.strip()) < SHORTEST_REFERENCE:
            errors["reference"] = "Ghi số hiệu bưu gửi trên biên lai để còn tra được."
        if errors:
            raise BadInput(errors)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The day it was received (local) and the paper that proves it."""

    on: date
    proof: Proof
    reference: str = ""

    @property
    def words(self) -> str:
        return _words(PROOFS[self.proof], self.reference)

    def check(self, *, sent_on: date, today: date) -> None:
        """Raises BadInput for a day before it was sent or to come, or a proof without a number."""
        errors = _day_between(
            "received_on", self.on, sent_on, today, "Ngày nhận không thể trước ngày gửi."
        )
        if len(self.reference.strip()) < SHORTEST_REFERENCE:
            errors["proof_reference"] = "Ghi số, trang của giấy tờ chứng minh đã nhận."
        if errors:
            raise BadInput(errors)


def _words(what: str, reference: str) -> str:
    return f"{what}, số {reference.strip()}" if reference.strip() else what


def _day_between(name: str, day: date, first: date, today: date, too_early: str) -> dict[str, str]:
    if day < first:
        return {name: too_early}
    if day > today:
        return {name: "Ngày này chưa đến. Ghi ngày đã gửi, đã nhận thật."}
    return {}
