"""What an officer does with the queue: give a number, call, note an absence. No names anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from reception.desk.places import Place, ensure_at, place_of
from reception.desk.steps import lock_unit
from storage.database import Work, reading, unit_of_work
from storage.models import Ticket
from storage.queries import desk as queries
from workflows.access import Actor, Permission
from workflows.errors import BadInput, Conflict, NotFound

NEEDS = ("elderly", "disabled", "hearing", "pregnant", "child", "merit", "far")
"""Why somebody is called before others, or needs help; an empty need is the ordinary queue."""


def label(number: int) -> str:
    """A number as it is called and shown: A017."""
    return f"A{number:03d}"


def give_number(unit_id: UUID, *, need: str, by: Actor, today: date) -> str:
    """Give the next number of the day; somebody with a need goes first. Returns the label."""
    if need and need not in NEEDS:
        raise BadInput({"need": "Chọn lý do ưu tiên trong danh sách."})
    with unit_of_work() as work:
        ensure_at(work, by, Permission.DESK_QUEUE, unit_id)
        lock_unit(work, unit_id)
        number = queries.highest_number(work.db_session, unit_id, today) + 1
        ticket = work.add(
            Ticket(unit_id=unit_id, on=today, number=number, need=need, priority=bool(need))
        )
        work.audit("ticket_given", ticket, by=by.account_id, unit=unit_id, number=number)
    return label(number)


def call_next(unit_id: UUID, *, by: Actor, now: datetime, today: date) -> str:
    """Call who is next to this officer's desk; empty when nobody waits.

    Raises Conflict while another number still stands at the desk: each visit ends in the book or
    in an absence, so that no line of the book is forgotten.
    """
    with unit_of_work() as work:
        ensure_at(work, by, Permission.DESK_QUEUE, unit_id)
        lock_unit(work, unit_id)
        current = _at_desk(work, unit_id, today, by)
        if current is not None:
            raise Conflict(
                f"Số {label(current.number)} đang ở quầy của bạn. "
                "Ghi sổ lượt này, hoặc bấm Vắng mặt, rồi gọi số tiếp."
            )
        ticket = queries.next_waiting(work.db_session, unit_id, today)
        if ticket is None:
            return ""
        _call(work, ticket, by, now)
        return label(ticket.number)


def _at_desk(work: Work, unit_id: UUID, today: date, by: Actor) -> Ticket | None:
    if by.account_id is None:
        return None
    return queries.ticket_at_desk(work.db_session, unit_id, today, by.account_id)


def _call(work: Work, ticket: Ticket, by: Actor, now: datetime) -> None:
    ticket.state, ticket.called_at, ticket.served_by = "called", now, by.account_id
    work.audit("ticket_called", ticket, by=by.account_id, number=ticket.number)


def mark_absent(ticket_id: UUID, *, by: Actor) -> None:
    """Nobody came: the number leaves the desk and may be called again later."""
    with unit_of_work() as work:
        ticket = _own_ticket(work, ticket_id, by)
        if ticket.state not in ("waiting", "called", "serving"):
            raise Conflict("Số này đã xong lượt. Tải lại trang để thấy hàng chờ mới.")
        ticket.state, ticket.served_by = "absent", None
        work.audit("ticket_absent", ticket, by=by.account_id, number=ticket.number)


def call_again(ticket_id: UUID, *, by: Actor, now: datetime, today: date) -> str:
    """The absent one came after all, or another officer's number is taken over the desk."""
    with unit_of_work() as work:
        ticket = _own_ticket(work, ticket_id, by)
        if ticket.state not in ("absent", "waiting"):
            raise Conflict("Số này đã được gọi. Tải lại trang để thấy hàng chờ mới.")
        if _at_desk(work, ticket.unit_id, today, by) is not None:
            raise Conflict("Còn một số đang ở quầy của bạn. Ghi sổ lượt đó rồi gọi lại số này.")
        _call(work, ticket, by, now)
        return label(ticket.number)


def _own_ticket(work: Work, ticket_id: UUID, by: Actor) -> Ticket:
    """The number, locked; always after its unit, so that two officers never wait for each other."""
    unit_id = work.get(Ticket, ticket_id).unit_id
    ensure_at(work, by, Permission.DESK_QUEUE, unit_id)
    lock_unit(work, unit_id)
    return work.get_for_update(Ticket, ticket_id)


@dataclass(frozen=True)
class Queue:
    """The day's queue as one desk sees it."""

    current: Ticket | None = None
    elsewhere: list[Ticket] = field(default_factory=list)
    waiting: list[Ticket] = field(default_factory=list)
    absent: list[Ticket] = field(default_factory=list)
    average_s: int | None = None

    @property
    def current_label(self) -> str:
        return label(self.current.number) if self.current else ""


def queue_of(unit_id: UUID, *, by: Actor, today: date) -> Queue:
    """Who waits, who stands where, and how long a visit took on average today."""
    with reading() as work:
        ensure_at(work, by, Permission.DESK_INTAKE, unit_id)
        tickets = queries.tickets_of(work.db_session, unit_id, today)
    mine = [t for t in tickets if t.served_by == by.account_id and t.state in ("called", "serving")]
    return Queue(
        current=mine[-1] if mine else None,
        elsewhere=[t for t in tickets if t.state in ("called", "serving") and t not in mine],
        waiting=sorted(
            (t for t in tickets if t.state == "waiting"), key=lambda t: (not t.priority, t.number)
        ),
        absent=[t for t in tickets if t.state == "absent"],
        average_s=_average_s(tickets),
    )


def _average_s(tickets: list[Ticket]) -> int | None:
    """Mean time from the call to the line in the book, in seconds; None before the first."""
    times = [
        (ticket.done_at - ticket.called_at).total_seconds()
        for ticket in tickets
        if ticket.state == "done" and ticket.called_at and ticket.done_at
    ]
    return round(sum(times) / len(times)) if times else None


@dataclass(frozen=True)
class Board:
    """What hangs in the waiting room: numbers and nothing else."""

    place: Place
    serving: list[str]
    waiting: list[str]
    absent: list[str]


def board_of(code: str, *, today: date) -> Board:
    """The public number board of a unit. Raises NotFound for an unknown unit.

    Source: NĐ 154/2026/NĐ-CP, Điều 12: names and addresses of citizens are secret.
    """
    with reading() as work:
        unit = queries.unit_with_code(work.db_session, code)
        if unit is None:
            raise NotFound
        tickets = queries.tickets_of(work.db_session, unit.id, today)
    called = [t for t in tickets if t.state in ("called", "serving")]
    waiting = [t for t in tickets if t.state == "waiting"]
    newest_first = sorted(called, key=lambda t: str(t.called_at), reverse=True)
    return Board(
        place=place_of(unit),
        serving=[label(t.number) for t in newest_first],
        waiting=[
            label(t.number) for t in sorted(waiting, key=lambda t: (not t.priority, t.number))
        ],
        absent=[label(t.number) for t in tickets if t.state == "absent"],
    )


__all__ = [
    "NEEDS",
    "Board",
    "Queue",
    "board_of",
    "call_again",
    "call_next",
    "give_number",
    "label",
    "mark_absent",
    "queue_of",
]
