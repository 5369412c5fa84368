"""The book of visits ND154-03/TCD: read by period, printed, exported, corrected, never deleted.

Columns after Mẫu 03/TCD of NĐ 154/2026/NĐ-CP. Every reading enters the audit log, because the book
names people; a line about a denunciation names nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from io import BytesIO
from uuid import UUID

import xlsxwriter

from reception.desk.places import Place, ensure_at
from reception.desk.steps import MASKED_CONTENT, NewLine, write_edition
from storage.database import Work, unit_of_work
from storage.identities import open_field
from storage.models import Petition, Visit
from storage.models.base import new_id
from storage.queries import desk as queries
from storage.queries.conflicts import sides_among
from workflows.access import Actor, Permission
from workflows.errors import BadInput, Conflict, NotFound
from workflows.procedures.loader import procedure
from workflows.secrecy import Secrecy

HEADINGS = (
    "STT",
    "Ngày tiếp",
    "Họ tên, địa chỉ",
    "CCCD/Hộ chiếu của công dân",
    "Tóm tắt nội dung vụ việc",
    "Phân loại đơn (KN/TC/KN, PA)",
    "Số người có đơn cùng một nội dung",
    "Cơ quan, tổ chức, đơn vị đã giải quyết",
    "Thuộc thẩm quyền giải quyết (x)",
    "Hướng dẫn (số văn bản)",
    "Thụ lý / chuyển đơn (số văn bản)",
    "Theo dõi quá trình, kết quả giải quyết",
    "Ghi chú",
)
"""The 13 columns of the form, in its order."""

SHORT_KINDS = {
    "complaint": "KN",
    "denunciation": "TC",
    "recommendation": "KN, PA",
    "feedback": "KN, PA",
    "information": "",
    "mixed": "KN, TC",
}
WIDTHS = (5, 11, 28, 16, 42, 10, 9, 20, 9, 26, 22, 24, 26)
MOST_EXPORTED = 20_000


@dataclass(frozen=True)
class BookLine:
    """One line of the book as people read it, in the order of the columns."""

    visit_id: UUID
    number: int
    edition: int
    on: date
    visitor: str
    identity_paper: str
    content: str
    kind: str
    people: int
    settled_by: str
    within: str
    guidance: str
    acceptance: str
    follow_up: str
    remark: str
    masked: bool
    correction: str

    @property
    def cells(self) -> tuple[object, ...]:
        """The 13 columns."""
        return (
            self.number,
            f"{self.on:%d/%m/%Y}",
            self.visitor,
            self.identity_paper,
            self.content,
            self.kind,
            self.people,
            self.settled_by,
            self.within,
            self.guidance,
            self.acceptance,
            self.follow_up,
            self.remark,
        )


@dataclass(frozen=True)
class BookPage:
    """Lines of a period with what they add up to."""

    lines: list[BookLine]
    counts: queries.Counts
    pages: int


def read_book(
    unit_id: UUID, *, first: date, last: date, page: int | None, by: Actor, action: str
) -> BookPage:
    """Lines of a period, opened for somebody who may read this unit's book.

    `page` counts from 1; None is the whole period, up to 20,000 lines. The reading is audited
    under `action`. Raises NotAllowed, hidden for another unit.
    """
    with unit_of_work() as work:
        ensure_at(work, by, Permission.BOOK_SEE, unit_id)
        counts = queries.count_lines(
            work.db_session, visible_to=by, unit_id=unit_id, first=first, last=last, large=5
        )
        if page is None and counts.visits > MOST_EXPORTED:
            raise BadInput({"tu": "Kỳ này có hơn 20.000 dòng. Chọn kỳ ngắn hơn rồi xuất lại."})
        visits = queries.book_lines(
            work.db_session,
            visible_to=by,
            unit_id=unit_id,
            first=first,
            last=last,
            limit=queries.PAGE if page else None,
            offset=(page - 1) * queries.PAGE if page else 0,
        )
        lines = _opened(work, visits, by)
        work.audit(
            action,
            kind="unit",
            object_id=unit_id,
            by=by.account_id,
            first=first,
            last=last,
            lines=len(lines),
        )
    return BookPage(lines, counts, max(1, -(-counts.visits // queries.PAGE)))


def _opened(work: Work, visits: Sequence[Visit], by: Actor) -> list[BookLine]:
    """The lines in the clear; of a matter in which the reader is a side only that they exist."""
    petitions = queries.petitions_by_id(work.db_session, (visit.petition_id for visit in visits))
    own_matters = sides_among(work.db_session, by, petitions)
    lines = (
        (visit, _line(visit, petitions.get(visit.petition_id) if visit.petition_id else None))
        for visit in visits
    )
    return [
        _without_words(line) if visit.petition_id in own_matters else line for visit, line in lines
    ]


def _without_words(line: BookLine) -> BookLine:
    return replace(
        line,
        visitor=CONFLICTED,
        content=MASKED_CONTENT,
        **dict.fromkeys(_TELLING, ""),
        masked=True,
    )


_TELLING = (
    "identity_paper", "settled_by", "guidance", "acceptance", "follow_up", "remark", "correction",
)  # fmt: skip
CONFLICTED = "Bạn là một bên trong vụ việc này"


def _open(visit: Visit, column: str) -> str:
    return open_field("visit", column, visit.id, getattr(visit, f"{column}_sealed"))


def _line(visit: Visit, petition: Petition | None) -> BookLine:
    masked = visit.secrecy == Secrecy.COMPARTMENT.value
    answer = _open(visit, "answer")
    follow_up = [visit.follow_up] if visit.follow_up else []
    if petition is not None and not masked:
        follow_up.append(procedure("PET").states[petition.state].label_vi)
    return BookLine(
        visit_id=visit.id,
        number=visit.number,
        edition=visit.edition,
        on=visit.on,
        visitor=_open(visit, "visitor"),
        identity_paper=_open(visit, "identity_paper"),
        content=_open(visit, "content"),
        kind=SHORT_KINDS.get(visit.kind, ""),
        people=visit.people,
        settled_by=visit.settled_by,
        within="x" if visit.within_jurisdiction else "",
        guidance=_with_answer(visit, answer),
        acceptance=visit.acceptance,
        follow_up="; ".join(follow_up),
        remark=_remark(visit, answer),
        masked=masked,
        correction=visit.corrects_reason,
    )


def _with_answer(visit: Visit, answer: str) -> str:
    if visit.outcome != "oral_guidance" or not answer:
        return visit.guidance
    return ". ".join(part for part in (visit.guidance, answer) if part)


def _remark(visit: Visit, answer: str) -> str:
    parts = [visit.remark]
    if visit.outcome == "refused" and answer:
        parts.append(answer)
    if visit.edition > 1:
        parts.append(f"Sửa lần {visit.edition - 1}: {visit.corrects_reason}")
    return ". ".join(part for part in parts if part)


# --- export --------------------------------------------------------------------------------------


_ONLY_WORDS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
"""What visitors say becomes neither formula nor link: a link may lead to somebody's file server."""


def export_book(unit: Place, *, first: date, last: date, by: Actor, at: datetime) -> bytes:
    """The book of a period as XLSX with the headings of the form, made in memory only."""
    page = read_book(unit.unit_id, first=first, last=last, page=None, by=by, action="book_exported")
    out = BytesIO()
    with xlsxwriter.Workbook(out, _ONLY_WORDS) as book:
        book.set_properties({"title": "Sổ tiếp công dân", "created": at.replace(tzinfo=None)})
        _fill_sheet(book, page.lines, unit, f"Từ {first:%d/%m/%Y} đến {last:%d/%m/%Y}")
    return out.getvalue()


def _fill_sheet(book: xlsxwriter.Workbook, lines: list[BookLine], unit: Place, period: str) -> None:
    sheet = book.add_worksheet("Sổ tiếp công dân")
    font = {"font_name": "Times New Roman", "font_size": 11}
    title = book.add_format({**font, "bold": True, "font_size": 14, "align": "center"})
    plain = book.add_format({**font, "align": "center"})
    head = book.add_format(
        {
            **font,
            "bold": True,
            "border": 1,
            "text_wrap": True,
            "align": "center",
            "valign": "vcenter",
        }
    )
    cell = book.add_format({**font, "border": 1, "text_wrap": True, "valign": "top"})
    sheet.merge_range(0, 0, 0, 12, "SỔ TIẾP CÔNG DÂN", title)
    sheet.merge_range(1, 0, 1, 12, f"{unit.full_name}. {period}", plain)
    sheet.merge_range(2, 0, 2, 12, "Mẫu số 03/TCD, NĐ 154/2026/NĐ-CP", plain)
    for column, (heading, width) in enumerate(zip(HEADINGS, WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write(3, column, heading, head)
        sheet.write(4, column, f"({column + 1})", head)
    for row, line in enumerate(lines, start=5):
        for column, value in enumerate(line.cells):
            sheet.write(row, column, value, cell)
    sheet.freeze_panes(5, 0)
    sheet.repeat_rows(3, 4)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


# --- correction ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Correctable:
    """A line with the words that may be corrected and every edition it has had."""

    line: BookLine
    values: dict[str, str]
    editions: list[BookLine]


def correctable(visit_id: UUID, *, by: Actor) -> Correctable:
    """The newest edition of a line, to be corrected. Raises NotAllowed, hidden elsewhere."""
    with unit_of_work() as work:
        visit = work.get(Visit, visit_id)
        ensure_at(work, by, Permission.BOOK_WRITE, visit.unit_id)
        editions = queries.editions_of(work.db_session, visit)
        lines = _opened(work, editions, by)
        _ensure_no_side(work, visit, by)
        if lines[-1].masked:  # a line that became a denunciation hides its earlier wording too
            lines = lines[-1:]
        work.audit("book_line_opened", visit, by=by.account_id)
        return Correctable(lines[-1], _values(editions[-1]), lines)


def _ensure_no_side(work: Work, visit: Visit, by: Actor) -> None:
    """Nobody rewrites the line about a matter in which they are a side. Raises NotFound."""
    if visit.petition_id and sides_among(work.db_session, by, [visit.petition_id]):
        raise NotFound


def _values(visit: Visit) -> dict[str, str]:
    within = {True: "yes", False: "no", None: ""}[visit.within_jurisdiction]
    return {
        "visitor": _open(visit, "visitor"),
        "identity_paper": _open(visit, "identity_paper"),
        "content": _open(visit, "content"),
        "kind": visit.kind,
        "people": str(visit.people),
        "settled_by": visit.settled_by,
        "within": within,
        "guidance": visit.guidance,
        "acceptance": visit.acceptance,
        "follow_up": visit.follow_up,
        "remark": visit.remark,
    }


def correct_line(
    visit_id: UUID, values: dict[str, str], *, reason: str, key: str, by: Actor
) -> UUID:
    """Write a new edition of a line; the old one stays in the book. Returns the new edition's id.

    Raises Conflict when somebody else has corrected the line meanwhile.
    """
    with unit_of_work() as work:
        old = work.get_for_update(Visit, visit_id)
        ensure_at(work, by, Permission.BOOK_WRITE, old.unit_id)
        _ensure_no_side(work, old, by)
        done = queries.visit_with_key(work.db_session, _correction_key(old, key))
        if done is not None:
            return done.id
        if queries.editions_of(work.db_session, old)[-1].id != old.id:
            raise Conflict
        if by.account_id is None:
            raise Conflict
        line = _corrected(old, values, _correction_key(old, key))
        return write_edition(work, old, line, reason=reason, by=by.account_id).id


def _correction_key(old: Visit, key: str) -> str:
    return f"correct:{old.id}:{key or new_id()}"


def _corrected(old: Visit, values: dict[str, str], key: str) -> NewLine:
    known = {**_values(old), **values}
    line = NewLine(
        unit_id=old.unit_id,
        on=old.on,
        kind=known["kind"] or old.kind,
        outcome=old.outcome,
        content=known["content"],
        visitor=known["visitor"],
        received_by=old.received_by,
        idempotency_key=key,
        identity_paper=known["identity_paper"],
        answer=_open(old, "answer"),
        field_code=old.field_code,
        people=int(known["people"]),
        settled_by=known["settled_by"],
        within_jurisdiction={"yes": True, "no": False}.get(known["within"]),
        guidance=known["guidance"],
        acceptance=known["acceptance"],
        follow_up=known["follow_up"],
        remark=known["remark"],
    )
    return replace(
        line,
        refusal_ground=old.refusal_ground,
        ticket_id=old.ticket_id,
        reception_session_id=old.reception_session_id,
        petition_id=old.petition_id,
        person_id=old.person_id,
        mode=old.mode,
        by_head=old.by_head,
        delegated=old.delegated,
        secrecy=old.secrecy,
    )
