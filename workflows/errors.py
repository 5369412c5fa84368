"""Refusals in the words of the domain.

Every error carries `message`: one Vietnamese sentence for the person at the screen that says what
to do next. The web layer turns a class into a status, never the other way round.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflows.access import Decision


class DomainError(Exception):
    """The parent of every refusal that a person can do something about."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class StepNotAllowed(DomainError):
    """The procedure has no such step from here, or its guard refuses; `rule` names the guard."""

    def __init__(self, message: str, *, rule: str = "") -> None:
        super().__init__(message)
        self.rule = rule


class UnknownProcedure(DomainError):
    """No procedure, event or deadline has this name."""


class BadProcedure(DomainError):
    """A procedure file contradicts itself; the loader says where. Stops the start, not a user."""


class OutsideJurisdiction(DomainError):
    """The unit is not competent; `competent_unit` is the code of the one that is, if known."""

    def __init__(self, message: str, *, competent_unit: str = "") -> None:
        super().__init__(message)
        self.competent_unit = competent_unit


class CalendarGap(DomainError):
    """The holiday table does not cover `year`: no day may be counted there.

    `proposed`: the days off of that year are known as a proposal that nobody has confirmed yet.
    """

    def __init__(self, year: int, *, proposed: bool = False) -> None:
        super().__init__(
            f"Lịch nghỉ năm {year} mới là đề xuất. Nhờ quản trị xác nhận, "
            "ghi số văn bản quy định ngày nghỉ, rồi thử lại."
            if proposed
            else f"Chưa có lịch nghỉ năm {year}. "
            "Nhờ quản trị nhập lịch nghỉ của năm này rồi thử lại."
        )
        self.year = year
        self.proposed = proposed


class GateNotMet(DomainError):
    """A gate before an online session is closed; `gates` are the names of those still closed."""

    def __init__(self, message: str, *, gates: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.gates = gates


class NotAllowed(DomainError):
    """Access was refused; `decision` keeps the reason for the audit log."""

    def __init__(self, decision: "Decision") -> None:
        super().__init__(decision.reason)
        self.decision = decision


class NotFound(DomainError):
    """Nothing by that key, or nothing that this person may know of. Both read the same."""

    def __init__(
        self, message: str = "Không tìm thấy. Xem lại mã hoặc đường dẫn rồi thử lại."
    ) -> None:
        super().__init__(message)


class Conflict(DomainError):
    """Somebody else saved first (optimistic lock), or the same thing was sent twice."""

    def __init__(
        self,
        message: str = (
            "Người khác vừa lưu thay đổi ở đây. Tải lại trang, "
            "xem phần mới rồi làm lại phần của mình."
        ),
    ) -> None:
        super().__init__(message)


class BadInput(DomainError):
    """What was typed cannot be used; `fields` maps each field to its own sentence."""

    def __init__(self, fields: Mapping[str, str], message: str = "") -> None:
        super().__init__(message or "Có chỗ cần sửa: " + " ".join(fields.values()))
        self.fields = dict(fields)


class Unavailable(DomainError):
    """A part of the system is down; the sentence says what still works."""


class RecorderNotRunning(GateNotMet):
    """A reception session cannot open without a running recorder (NĐ 154/2026/NĐ-CP, Điều 18)."""

    def __init__(self) -> None:
        super().__init__(
            "Máy ghi chưa chạy nên chưa mở được phiên. Bật máy ghi, chờ đèn ghi sáng rồi mở lại.",
            gates=("recorder-running",),
        )


class BadCode(DomainError):
    """A public code was mistyped: wrong length, letter or check character."""

    def __init__(self) -> None:
        super().__init__(
            "Mã chưa đúng. Xem lại mã trên phiếu xác nhận, ví dụ KN-5V9T-3N7Q, rồi gõ lại."
        )
