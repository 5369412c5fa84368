"""What the desk's page shows around one visit: counts, notices to send, lists to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from reception.desk.places import ensure_at
from reception.desk.queue import label
from storage.database import Work, reading, unit_of_work
from storage.models import IssuedDocument, Ticket, Visit
from storage.queries import desk as queries
from storage.queries.calendar import holiday_table
from storage.queries.units import find_by_name
from workflows.access import Actor, Permission
from workflows.calendar import add_working_days
from workflows.errors import BadInput, Conflict, NotFound
from workflows.groups import LARGE_GROUP, representatives
from workflows.secrecy import Secrecy


def notice_due(work: Work, refused_on: date) -> date:
    """Last day on which the written notice of refusal is still in time.

    Working days from the day the ground is established (NĐ 154/2026/NĐ-CP, Điều 4.3); the number
    of days is a rule row. Raises CalendarGap, and NotFound when no rule is in force.
    """
    rules = queries.rules_in_force(work.db_session, "refusal-notice", refused_on)
    if not rules:
        raise NotFound
    return add_working_days(refused_on, int(rules[-1].value), holiday_table(work.db_session))


@dataclass(frozen=True)
class NoticeToSend:
    """A drafted refusal notice that has not gone out, with its last day."""

    document_id: UUID
    number: int
    refused_on: date
    due_on: date


@dataclass(frozen=True)
class Notice:
    """A drafted refusal notice on its way to be signed, numbered and sent."""

    document_id: UUID
    number: int
    refused_on: date
    due_on: date
    state: str


def notice_of(document_id: UUID, *, by: Actor) -> Notice:
    """A refusal notice of one's own desk. Raises NotFound for any other paper."""
    with reading() as work:
        document, visit = _notice(work, document_id, by)
        return Notice(
            document.id, visit.number, visit.on, notice_due(work, visit.on), document.state
        )


def _notice(work: Work, document_id: UUID, by: Actor) -> tuple[IssuedDocument, Visit]:
    document = work.get(IssuedDocument, document_id)
    if document.form != "ND154-01/TCD" or document.visit_id is None:
        raise NotFound
    ensure_at(work, by, Permission.DESK_REFUSE, document.unit_id)
    return document, work.get(Visit, document.visit_id)


def record_sent(document_id: UUID, *, number: str, on: date, by: Actor) -> None:
    """The signed notice went out: its number and day. Raises Conflict when that is recorded."""
    with unit_of_work() as work:
        _, visit = _notice(work, document_id, by)
        document = work.get_for_update(IssuedDocument, document_id)
        if document.state != "draft":
            raise Conflict("Thông báo này đã ghi là gửi rồi. Về trang quầy để xem việc còn lại.")
        if on < visit.on:
            raise BadInput({"on": "Ngày gửi không thể trước ngày từ chối tiếp."})
        document.state, document.number, document.issued_on = "issued", number, on
        work.audit("refusal_notice_sent", document, by=by.account_id, on=on)


@dataclass(frozen=True)
class Today:
    """What the book says about today and this month, computed when asked."""

    day: queries.Counts
    month: queries.Counts
    next_line: int
    notices: tuple[NoticeToSend, ...]


def today_of(unit_id: UUID, *, by: Actor, today: date) -> Today:
    """Counts of the day and the month, the next line, and notices that wait to be sent."""
    with reading() as work:
        ensure_at(work, by, Permission.BOOK_SEE, unit_id)
        db_session = work.db_session
        large = int(_value(work, "large-group", today, "5"))

        def count(first: date) -> queries.Counts:
            return queries.count_lines(
                db_session, visible_to=by, unit_id=unit_id, first=first, last=today, large=large
            )

        return Today(
            day=count(today),
            month=count(today.replace(day=1)),
            next_line=queries.last_line(db_session, unit_id, today.year) + 1,
            notices=tuple(
                NoticeToSend(document.id, visit.number, visit.on, notice_due(work, visit.on))
                for document, visit in queries.notices_to_send(db_session, unit_id)
            ),
        )


def _value(work: Work, code: str, today: date, otherwise: str) -> str:
    rules = queries.rules_in_force(work.db_session, code, today)
    return rules[-1].value if rules else otherwise


@dataclass(frozen=True)
class Choice:
    """An entry of a list to choose from; `note` is shown beside it."""

    value: str
    label_vi: str
    label_en: str
    note: str = ""
    written: bool = False


def grounds_on(today: date) -> list[Choice]:
    """Grounds of refusal in force; `written` ones need a notice within the days of the rule."""
    with reading() as work:
        return [
            Choice(
                rule.code,
                rule.label_vi,
                rule.label_en or rule.label_vi,
                note=f"Điều {rule.detail.get('article', '')}, {rule.detail.get('point', '')}",
                written=rule.value == "yes",
            )
            for rule in queries.rules_in_force(work.db_session, "refusal", today)
        ]


def fields_on(today: date) -> list[tuple[Choice, list[Choice]]]:
    """Fields of matters in force: each main field with what belongs to it."""
    with reading() as work:
        rows = queries.fields(work.db_session, today)
    tree: dict[str, list[Choice]] = {}
    heads: list[Choice] = []
    for row in rows:
        choice = Choice(row.code, row.label_vi, row.label_en)
        if row.parent_code is None:
            heads.append(choice)
        tree.setdefault(row.parent_code or row.code, []).append(choice)
    return [(head, tree[head.value]) for head in heads]


def places_named(text: str) -> list[dict[str, str]]:
    """Units whose present or former name is meant, for the field that offers them."""
    with reading() as work:
        return [
            {"value": str(unit.id), "label": unit.full_name, "detail": note}
            for unit, note in find_by_name(work.db_session, text)
        ]


@dataclass(frozen=True)
class GroupRule:
    """From how many to how many people a sentence about representatives holds."""

    first: int
    last: int
    sentence: str


def group_rules() -> list[GroupRule]:
    """What the page says of a large group (Luật Tiếp công dân 42/2013/QH13, Điều 29)."""
    rules = []
    for first, last in ((LARGE_GROUP, 10), (11, 1_000_000)):
        found = representatives(first)
        if found is not None:
            rules.append(GroupRule(first, last, found.sentence))
    return rules


@dataclass(frozen=True)
class Ended:
    """The visit that has just been written, for the strip above the next one."""

    visit_id: UUID
    number: int
    outcome: str
    masked: bool
    petition_code: str
    documents: tuple[IssuedDocument, ...]
    ticket: str


def ended_visit(visit_id: UUID, *, by: Actor) -> Ended:
    """What was written, to the officer who wrote it. Raises NotFound for anybody else."""
    with reading() as work:
        visit = work.get(Visit, visit_id)
        ensure_at(work, by, Permission.DESK_INTAKE, visit.unit_id)
        if visit.received_by != by.account_id:
            raise NotFound
        petitions = queries.petitions_by_id(work.db_session, [visit.petition_id])
        ticket = work.db_session.get(Ticket, visit.ticket_id) if visit.ticket_id else None
        return Ended(
            visit.id,
            visit.number,
            visit.outcome,
            visit.secrecy == Secrecy.COMPARTMENT.value,
            next((row.code for row in petitions.values()), ""),
            tuple(queries.documents_of_visits(work.db_session, [visit.id])),
            label(ticket.number) if ticket else "",
        )
