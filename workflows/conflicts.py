"""Who stands too close to a matter: grounds, who may say so, and who may take it back.

Sources: Luật Tiếp công dân 42/2013/QH13, Điều 8; Luật Khiếu nại 02/2011/QH13, Điều 11, 29; Luật Tố
cáo 25/2018/QH14, Điều 8, 56; NĐ 31/2019/NĐ-CP, Điều 10.3 (whoever verifies has no interest).
"""

from dataclasses import dataclass
from enum import StrEnum

from workflows.access import PersonId
from workflows.errors import BadInput, StepNotAllowed


class Part(StrEnum):
    """What is recorded about a person on a case; each opens or closes something else."""

    CONFLICTED = "conflicted"  # a side in the matter: sees nothing of it
    OWN_ACT = "own_act"  # whose act is complained of: neither verifies nor drafts
    IDENTITY = "identity"  # may know the denouncer, by a decision


class Ground(StrEnum):
    """Why; the words stand in GROUNDS."""

    DENOUNCED = "denounced"
    RELATIVE = "relative"
    INTEREST = "interest"
    TOOK_PART = "took_part"
    OWN_DECISION = "own_decision"
    DECISION = "decision"


GROUNDS: dict[Part, dict[Ground, str]] = {
    Part.CONFLICTED: {
        Ground.DENOUNCED: "Là người bị khiếu nại, bị tố cáo",
        Ground.RELATIVE: "Là người thân thích của một bên",
        Ground.INTEREST: "Có quyền, lợi ích liên quan đến vụ việc",
        Ground.TOOK_PART: "Đã tham gia giải quyết ở lần trước",
    },
    Part.OWN_ACT: {
        Ground.OWN_DECISION: "Ban hành quyết định hoặc có hành vi bị khiếu nại",
    },
    Part.IDENTITY: {
        Ground.DECISION: "Được giao việc cần biết người tố cáo",
    },
}
"""The grounds of each part, in the words that are shown and kept."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody wants recorded. `document` is the number of the decision behind it."""

    part: Part
    ground: Ground
    about: PersonId
    document: str = ""

    @property
    def words(self) -> str:
        """The reason as it is kept: ground and document, never words of the matter."""
        ground = GROUNDS[self.part][self.ground]
        return f"{ground}. Văn bản {self.document}" if self.document else ground


def ensure_recordable(claim: Claim, *, by: PersonId, in_compartment: bool) -> None:
    """Raises BadInput, StepNotAllowed with a sentence that says what to do instead.

    Who may record at all is decided before; of oneself anybody who sees the case may say it.
    """
    if claim.ground not in GROUNDS[claim.part]:
        raise BadInput({"ground": "Chọn lý do đúng với loại ghi nhận."})
    if claim.part is not Part.IDENTITY:
        return
    if not in_compartment:
        raise StepNotAllowed(
            "Chỉ vụ việc tố cáo được giữ kín mới có danh sách người được biết người tố cáo.",
            rule="identity-only-in-compartment",
        )
    if len(claim.document.strip()) < 3:
        raise BadInput({"document": "Ghi số quyết định cho phép biết người tố cáo."})
    if claim.about == by:
        raise StepNotAllowed(
            "Bạn không tự cho mình biết người tố cáo. Người có thẩm quyền khác phải quyết định.",
            rule="identity-by-somebody-else",
        )


def ensure_liftable(*, about: PersonId, by: PersonId, reason: str) -> None:
    """Nobody clears themself; whoever lifts says why. Raises StepNotAllowed, BadInput."""
    if about == by:
        raise StepNotAllowed(
            "Bạn không tự gỡ ghi nhận về chính mình. Hãy báo lãnh đạo hoặc cấp trên xem xét.",
            rule="nobody-clears-themself",
        )
    if len(reason.strip()) < 5:
        raise BadInput({"reason": "Ghi vì sao gỡ, ví dụ “đã xác minh không phải người thân”."})
