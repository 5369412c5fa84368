"""The Vietnamese answer to "vì sao ngày này?": start, length, end and the article."""

from datetime import date, timedelta

from workflows.calendar import DayUnit
from workflows.procedures.model import Deadline

COMPLEX = "vụ việc phức tạp đã có văn bản xác định"
REMOTE = "vùng sâu, vùng xa"

UNIT_NAMES = {
    DayUnit.WORKING: "ngày làm việc",
    DayUnit.CALENDAR: "ngày",
    DayUnit.HOUR: "giờ",
}
_COUNTED_FROM = "tính từ sau"
_WEEKDAYS = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")


def vietnamese_day(on: date) -> str:
    """`thứ Năm 26/11/2026`."""
    return f"{_WEEKDAYS[on.weekday()]} {on:%d/%m/%Y}"


def sentence_of(term: Deadline, *, extra_days: int = 0, stopped_days: int = 0) -> str:
    """Why the term ends on its last day. `extra_days` (part of the length) were added by decisions
    of extension; `stopped_days` were left out because the matter was suspended."""
    told = _back(term) if term.before else _ahead(term, extra_days, stopped_days)
    note = " Cách tính này cần xác nhận." if term.needs_confirmation else ""
    return f"{told} Căn cứ {term.source}.{note}"


def because_in(sentence: str) -> str:
    """Why a kept term has its longer length, as its sentence says; empty for the usual length."""
    counted = sentence.partition(_COUNTED_FROM)[2].partition(" Căn cứ ")[0]
    return counted.partition(" (")[2].partition(")")[0]


def _back(term: Deadline) -> str:
    return (
        f"{term.label_vi}: chậm nhất {vietnamese_day(term.last_day)}, "
        f"ít nhất {_length(term, term.length)} trước {vietnamese_day(term.start_on)}."
    )


def _ahead(term: Deadline, extra_days: int, stopped_days: int) -> str:
    base = _length(term, term.length - extra_days)
    because = f" ({term.because})" if term.because else ""
    extra = f", gia hạn thêm {_length(term, extra_days)}" if extra_days else ""
    stopped = f", không tính {_length(term, stopped_days)} tạm đình chỉ" if stopped_days else ""
    return (
        f"{term.label_vi}: {_COUNTED_FROM} {vietnamese_day(term.start_on)}, {base}{because}{extra}"
        f"{stopped}, hết {vietnamese_day(term.last_day)}{_moved(term, stopped_days)}."
    )


def _moved(term: Deadline, stopped_days: int) -> str:
    """A term of days that would have ended on a day off says so."""
    if term.unit is not DayUnit.CALENDAR:
        return ""
    counted = term.start_on + timedelta(days=term.length + stopped_days)
    if counted == term.last_day:
        return ""
    return f" vì {vietnamese_day(counted)} là ngày nghỉ"


def _length(term: Deadline, days: int) -> str:
    return f"{days:02d} {UNIT_NAMES[term.unit]}"
