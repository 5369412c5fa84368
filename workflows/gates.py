"""The gates before an online reception session, as facts in and sentences out.

Public names: PointFacts, SessionFacts, Gate, session_gates, denunciation_gate, recorder_gate,
readiness, ensure_may_open, Reason, REASONS. Lengths of time come from the rules of SES, so a change
of law changes them in one place. Source: NĐ 154/2026/NĐ-CP, Điều 18, 20, 23.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from workflows.calendar import HolidayTable
from workflows.errors import GateNotMet, RecorderNotRunning
from workflows.kinds import PetitionKind
from workflows.procedures import Deadline, deadline, procedure
from workflows.procedures.sentences import vietnamese_day

RECORDER = "recorder-running"
DENUNCIATION = "denunciation"


@dataclass(frozen=True, slots=True)
class PointFacts:
    """One reception point (điểm cầu). Days are local; `connected_at` is the first connection."""

    name: str
    notified_on: date | None = None
    link_tested_on: date | None = None
    connected_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What is known of a session. `starts_on` is the local day of the aware `starts_at`."""

    starts_on: date
    starts_at: datetime
    points: tuple[PointFacts, ...]
    kinds: frozenset[PetitionKind] = frozenset()
    protection_requested: bool = False
    secrecy_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition. `due_on`/`due_at` say by when, `waiting_for` names the points missing."""

    name: str
    label_vi: str
    label_en: str
    met: bool
    sentence: str
    source: str
    due_on: date | None = None
    due_at: datetime | None = None
    waiting_for: tuple[str, ...] = ()


def session_gates(facts: SessionFacts, holidays: HolidayTable) -> tuple[Gate, Gate, Gate]:
    """Notice of the points, link test, connection; in the order in which they fall due."""
    return (
        _day_gate("points-notice", facts, holidays, {p.name: p.notified_on for p in facts.points}),
        _day_gate("link-test", facts, holidays, {p.name: p.link_tested_on for p in facts.points}),
        _connection_gate(facts, holidays),
    )


def denunciation_gate(facts: SessionFacts) -> Gate:
    """A denunciation goes online only without a request for protection and with secrecy ensured."""
    concerned = PetitionKind.DENUNCIATION in facts.kinds
    met = not concerned or (facts.secrecy_confirmed and not facts.protection_requested)
    return Gate(
        name=DENUNCIATION,
        label_vi="Điều kiện tiếp tố cáo trực tuyến",
        label_en="Denunciations online",
        met=met,
        sentence=(
            "Được tiếp trực tuyến."
            if met
            else "Tố cáo có yêu cầu bảo vệ, hoặc chưa chắc giữ được bí mật: "
            "không tiếp trực tuyến, mời tiếp trực tiếp."
        ),
        source="NĐ 154/2026/NĐ-CP, Điều 20",
    )


def recorder_gate(*, recorder_running: bool) -> Gate:
    """A session is open only while it is being recorded."""
    return Gate(
        name=RECORDER,
        label_vi="Máy ghi đang chạy",
        label_en="Recorder running",
        met=recorder_running,
        sentence=(
            "Máy ghi đang chạy."
            if recorder_running
            else "Máy ghi chưa chạy nên chưa mở được phiên. Bật máy ghi, chờ đèn ghi sáng."
        ),
        source="NĐ 154/2026/NĐ-CP, Điều 18, 24",
    )


def readiness(
    facts: SessionFacts, holidays: HolidayTable, *, recorder_running: bool
) -> tuple[Gate, ...]:
    """Every gate of the "ready" screen, those still closed first."""
    gates = (
        *session_gates(facts, holidays),
        denunciation_gate(facts),
        recorder_gate(recorder_running=recorder_running),
    )
    return tuple(sorted(gates, key=lambda gate: gate.met))


def ensure_may_open(gates: Iterable[Gate]) -> None:
    """Raises RecorderNotRunning or GateNotMet naming the closed gates."""
    closed = [gate for gate in gates if not gate.met]
    if not closed:
        return
    if [gate.name for gate in closed] == [RECORDER]:
        raise RecorderNotRunning
    raise GateNotMet(
        "Chưa mở được phiên. " + " ".join(gate.sentence for gate in closed),
        gates=tuple(gate.name for gate in closed),
    )


def _term(name: str, facts: SessionFacts, holidays: HolidayTable) -> Deadline:
    return deadline(procedure("SES"), name, on=facts.starts_on, holidays=holidays)


def _day_gate(
    name: str, facts: SessionFacts, holidays: HolidayTable, days: dict[str, date | None]
) -> Gate:
    term = _term(name, facts, holidays)
    late = tuple(point for point, day in days.items() if day is None or day > term.last_day)
    met = bool(days) and not late
    by_when = f"chậm nhất {vietnamese_day(term.last_day)}"
    return Gate(
        name=name,
        label_vi=term.label_vi,
        label_en=term.label_en,
        met=met,
        sentence=_gate_sentence(term.label_vi, by_when, late, has_points=bool(days)),
        source=term.source,
        due_on=term.last_day,
        waiting_for=late,
    )


def _connection_gate(facts: SessionFacts, holidays: HolidayTable) -> Gate:
    term = _term("points-connected", facts, holidays)
    due_at = facts.starts_at - timedelta(hours=term.length)
    late = tuple(p.name for p in facts.points if p.connected_at is None or p.connected_at > due_at)
    by_when = f"chậm nhất {term.length} giờ trước giờ mở"
    return Gate(
        name="points-connected",
        label_vi=term.label_vi,
        label_en=term.label_en,
        met=bool(facts.points) and not late,
        sentence=_gate_sentence(term.label_vi, by_when, late, has_points=bool(facts.points)),
        source=term.source,
        due_on=term.last_day,
        due_at=due_at,
        waiting_for=late,
    )


def _gate_sentence(label: str, by_when: str, late: tuple[str, ...], *, has_points: bool) -> str:
    if not has_points:
        return "Chưa chọn điểm cầu nào. Chọn điểm cầu trung tâm và các điểm cầu thành phần."
    if not late:
        return f"{label}: đạt, {by_when}."
    return f"{label}: {by_when}; còn thiếu {', '.join(late)}."


@dataclass(frozen=True, slots=True)
class Reason:
    """One clause of NĐ 154/2026/NĐ-CP, Điều 20: when the head may decide to receive online."""

    code: str
    clause: int
    label_vi: str
    label_en: str
    for_denunciation: bool = False
    effective_from: date = date(2026, 7, 1)
    source: str = "NĐ 154/2026/NĐ-CP, Điều 20"


REASONS: tuple[Reason, ...] = (
    Reason(
        "complex-multi-agency",
        1,
        "Khiếu nại, kiến nghị, phản ánh phức tạp, liên quan nhiều cơ quan",
        "Complex matter that concerns several bodies",
    ),
    Reason(
        "hard-to-travel",
        2,
        "Người ở xa, người khuyết tật, người cao tuổi có nguyện vọng tiếp trực tuyến",
        "Remote, disabled or elderly people who wish it",
    ),
    Reason(
        "disaster-epidemic-security",
        3,
        "Thiên tai, dịch bệnh, an ninh trật tự",
        "Disaster, epidemic, security",
    ),
    Reason(
        "complex-denunciation",
        4,
        "Tố cáo phức tạp, người tố cáo không yêu cầu bảo vệ bí mật và giữ được bí mật",
        "Complex denunciation, no protection asked, secrecy ensured",
        for_denunciation=True,
    ),
    Reason(
        "other",
        5,
        "Trường hợp khác do người đứng đầu quyết định",
        "Other cases decided by the head",
    ),
)


def reasons_for(kind: PetitionKind, *, on: date) -> tuple[Reason, ...]:
    """The reasons that may be chosen for a letter of `kind` on `on`."""
    denunciation = kind is PetitionKind.DENUNCIATION
    return tuple(
        reason
        for reason in REASONS
        if reason.effective_from <= on and reason.for_denunciation == denunciation
    )
