"""The notice of conclusion (thông báo kết luận việc tiếp công dân) after a session.

Drafted from the tasks that the chair gave, written visit by visit, issued with a number by whoever
presides; each sender is given the part about the own petition and no other. It is not the
conclusion of a denunciation's content. Source: NĐ 154/2026/NĐ-CP, Điều 25; the number of days is a
local target, marked so in the rule.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from reception.sessions import facts, minutes_operations, steps
from storage.database import Work, reading, unit_of_work
from storage.identities import open_field, seal_field
from storage.keyring import Family
from storage.models import (
    AgendaItem,
    Conclusion,
    Deadline,
    IssuedDocument,
    ReceptionSession,
    SealedObject,
)
from storage.models.base import new_id
from storage.objects import Bucket
from storage.queries import sessions as queries
from storage.sealed import open_object, seal_object
from storage.steps import open_deadlines, run_of
from storage.subjects import minutes_subject
from workflows.access import Actor, Permission, decide, ensure_allowed
from workflows.errors import BadInput, Conflict, NotFound
from workflows.secrecy import Secrecy

FORM = "conclusion"
TITLE = "Thông báo kết luận việc tiếp công dân"
AFTER_THE_END = ("ENDED", "MINUTED", "SEALED", "RECORDED", "CONCLUDED")
LONGEST_NUMBER = 60


_LOCKED = (Secrecy.COMPARTMENT.value, Secrecy.OFF_SYSTEM.value)
_LOCKED_TEXT = "Nội dung được giữ kín; người gửi đơn được trả lời riêng."


@dataclass(frozen=True)
class Point:
    """What was concluded about one visit; `item_id` is empty for what concerns them all."""

    item_id: str
    heading: str
    text: str


@dataclass(frozen=True)
class ConclusionPage:
    """The notice as it stands, with what is still to come before it can be issued."""

    sitting: queries.Sitting
    points: tuple[Point, ...]
    edition: int
    document: IssuedDocument | None
    due: Deadline | None
    may_write: bool
    may_issue: bool

    @property
    def meeting(self) -> ReceptionSession:
        return self.sitting.meeting

    @property
    def waits_for(self) -> str:
        """The step before the notice that is still open: minutes, seal, or none."""
        return {"ENDED": "minutes", "MINUTED": "seal", "SEALED": "seal"}.get(self.meeting.state, "")

    def only(self, item_id: UUID) -> ConclusionPage:
        """The same notice with the part about one visit alone, as its sender receives it."""
        kept = tuple(point for point in self.points if point.item_id == str(item_id))
        if not kept:
            raise NotFound
        return ConclusionPage(
            self.sitting, kept, self.edition, self.document, self.due, may_write=False,
            may_issue=False,
        )  # fmt: skip


# --- reading -------------------------------------------------------------------------------------


def page(meeting_id: UUID, *, by: Actor) -> ConclusionPage:
    """The newest draft or the issued notice. Raises NotFound before the session has ended."""
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        subject = minutes_subject(work.db_session, meeting)
        ensure_allowed(by, Permission.SESSION_SEE, subject)
        if meeting.state not in AFTER_THE_END or meeting.ended_at is None:
            raise NotFound("Chưa có thông báo kết luận: phiên chưa kết thúc.")
        return _page(work, meeting, by)


def _page(work: Work, meeting: ReceptionSession, by: Actor) -> ConclusionPage:
    sitting = queries.sitting(work.db_session, meeting)
    editions = queries.conclusions_of(work.db_session, meeting.id)
    newest = editions[0] if editions else None
    document = (
        work.get(IssuedDocument, newest.document_id) if newest and newest.document_id else None
    )
    writes = document is None and minutes_operations.may_write(work, meeting, by)
    return ConclusionPage(
        sitting=sitting,
        points=_closed_now(sitting, _points_of(newest)) if newest else _drafted(work, sitting),
        edition=len(editions),
        document=document,
        due=_due(work, meeting.id),
        may_write=writes,
        may_issue=writes and meeting.state == "RECORDED" and _may_issue(work, meeting, by),
    )


def _may_issue(work: Work, meeting: ReceptionSession, by: Actor) -> bool:
    subject = minutes_subject(work.db_session, meeting)
    return bool(decide(by, Permission.SESSION_CONCLUDE, subject))


def _points_of(conclusion: Conclusion) -> tuple[Point, ...]:
    body = open_field("conclusion", "body", conclusion.id, conclusion.body_sealed)
    return tuple(Point(**point) for point in json.loads(body))


def _due(work: Work, meeting_id: UUID) -> Deadline | None:
    run = run_of(work, "SES", reception_session_id=meeting_id)
    return next((d for d in open_deadlines(work, run.id) if d.name == "conclusion"), None)


def _closed_now(sitting: queries.Sitting, points: Sequence[Point]) -> tuple[Point, ...]:
    """The saved points without what was locked away after they were written."""
    locked = {
        str(item.id): item
        for item in sitting.agenda
        if item.petition_id in sitting.petitions
        and sitting.petitions[item.petition_id].secrecy in _LOCKED
    }
    return tuple(
        Point(point.item_id, locked[point.item_id].title, _LOCKED_TEXT)
        if point.item_id in locked
        else point
        for point in points
    )


def _drafted(work: Work, sitting: queries.Sitting) -> tuple[Point, ...]:
    """One point for each visit that was heard, with the tasks given in it."""
    tasks = [m for m in queries.markers_of(work.db_session, sitting.meeting.id) if m.kind == "task"]

    def given(item_id: UUID | None) -> str:
        return "\n".join(queries.marker_text(m) for m in tasks if m.agenda_item_id == item_id)

    answered = steps.outcomes(work.db_session, sitting)
    heard = [
        Point(str(item.id), _heading(sitting, item), given(item.id))
        for item in sitting.agenda
        if item.id in answered and answered[item.id].heard
    ]
    common = given(None)
    return (*heard, *((Point("", "Việc giao chung", common),) if common else ()))


def _heading(sitting: queries.Sitting, item: AgendaItem) -> str:
    heard = sitting.heard_in(item)
    return f"{heard}: {item.title}" if heard else item.title


# --- writing -------------------------------------------------------------------------------------


def save(meeting_id: UUID, points: Sequence[Point], *, edition: int, by: Actor) -> None:
    """Save a new edition over `edition`. Raises Conflict when somebody saved meanwhile."""
    with unit_of_work() as work:
        now = _writing(work, meeting_id, by)
        if now.edition != edition:
            raise Conflict
        if now.points != tuple(points) or edition == 0:
            _keep(work, meeting_id, points, by)


def _writing(work: Work, meeting_id: UUID, by: Actor) -> ConclusionPage:
    meeting = steps.lock(work, meeting_id)
    ensure_allowed(by, Permission.SESSION_SEE, minutes_subject(work.db_session, meeting))
    if meeting.state not in AFTER_THE_END:
        raise NotFound("Chưa có thông báo kết luận: phiên chưa kết thúc.")
    now = _page(work, meeting, by)
    if now.document is not None:
        raise Conflict("Thông báo đã ban hành nên không sửa được nữa.")
    if not now.may_write:
        facts.ensure_runs(work.db_session, by, Permission.SESSION_MINUTES, meeting)
    return now


def _keep(work: Work, meeting_id: UUID, points: Sequence[Point], by: Actor) -> Conclusion:
    row_id = new_id()
    body = json.dumps([asdict(point) for point in points], ensure_ascii=False)
    row = work.add(
        Conclusion(
            id=row_id,
            reception_session_id=meeting_id,
            body_sealed=seal_field("conclusion", "body", row_id, body),
        )
    )
    work.audit("conclusion_saved", row, by=by.account_id, reception_session=meeting_id)
    return row


# --- issuing -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Papers:
    """The notice as PDF: the whole for the file, and the part of each visit for its sender."""

    whole: bytes
    parts: Mapping[UUID, bytes]


def ensure_complete(shown: ConclusionPage, number: str) -> None:
    """Every visit has its conclusion and the notice its number. Raises BadInput."""
    errors = {}
    if not number.strip() or len(number.strip()) > LONGEST_NUMBER:
        errors["number"] = "Ghi số, ký hiệu của thông báo, ví dụ 45/TB-BTCD."
    if not shown.points or any(not point.text.strip() for point in shown.points):
        errors["text"] = "Ghi kết luận cho từng lượt đã tiếp rồi lưu, sau đó mới ban hành."
    if errors:
        raise BadInput(errors)


def parts_told(shown: ConclusionPage) -> tuple[AgendaItem, ...]:
    """Visits whose sender is given the own part; a matter that is locked away is told on paper."""
    petitions = shown.sitting.petitions
    written = {point.item_id for point in shown.points}
    return tuple(
        item
        for item in shown.sitting.agenda
        if str(item.id) in written
        and item.petition_id in petitions
        and petitions[item.petition_id].secrecy != Secrecy.COMPARTMENT.value
    )


def issue(
    meeting_id: UUID, papers: Papers, *, number: str, edition: int, by: Actor, now: datetime
) -> None:
    """Issue the notice: the step, the document, and for each sender the own part.

    `papers` were made from `edition`; Conflict when somebody saved meanwhile. Raises BadInput,
    StepNotAllowed, StoreUnavailable.
    """
    sealed = {key: _seal(pdf) for key, pdf in ((None, papers.whole), *papers.parts.items())}
    with unit_of_work() as work:
        shown = _writing(work, meeting_id, by)
        meeting = shown.meeting
        facts.ensure_runs(work.db_session, by, Permission.SESSION_CONCLUDE, meeting)
        if shown.edition != edition:
            raise Conflict
        ensure_complete(shown, number)
        on = facts.local_day(now)
        steps.move(
            work, shown.sitting, "conclude", on=on, facts=facts.move_facts(shown.sitting), by=by,
            starts_on=facts.local_day(meeting.starts_at),
        )  # fmt: skip
        newest = queries.conclusions_of(work.db_session, meeting_id)
        kept = newest[0] if newest else _keep(work, meeting_id, shown.points, by)
        whole = _document(work, shown, sealed[None], number=number, on=on, by=by)
        kept.document_id = whole.id
        for item in parts_told(shown):
            part = _document(work, shown, sealed[item.id], number=number, on=on, by=by, item=item)
            work.tell(
                "session.conclusion",
                part,
                {"petition": str(item.petition_id), "document": str(part.id)},
                key=f"conclusion:{item.id}",
            )


def _seal(pdf: bytes) -> SealedObject:
    return seal_object(
        pdf,
        bucket=Bucket.FILES,
        family=Family.DOCUMENTS,
        purpose="conclusion",
        media_type="application/pdf",
    )


def _document(
    work: Work,
    shown: ConclusionPage,
    sealed: SealedObject,
    *,
    number: str,
    on: date,
    by: Actor,
    item: AgendaItem | None = None,
) -> IssuedDocument:
    work.add(sealed)
    work.flush()
    petition = shown.sitting.petitions.get(item.petition_id) if item and item.petition_id else None
    document = work.add(
        IssuedDocument(
            reception_session_id=shown.meeting.id,
            petition_id=petition.id if petition else None,
            case_id=petition.case_id if petition else None,
            unit_id=shown.meeting.unit_id,
            form=FORM,
            title=TITLE,
            number=number.strip(),
            state="issued",
            issued_on=on,
            drafted_by=by.account_id,
            approved_by=by.account_id,
            sealed_object_id=sealed.id,
        )
    )
    work.audit("conclusion_issued", document, by=by.account_id, reception_session=shown.meeting.id)
    return document


def issued_pdf(shown: ConclusionPage, item_id: UUID | None) -> bytes | None:
    """The sealed PDF of an issued notice, whole or one visit's part; None while it is a draft."""
    if shown.document is None:
        return None
    with reading() as work:
        document = shown.document
        if item_id is not None:
            item = next((i for i in shown.sitting.agenda if i.id == item_id), None)
            found = queries.part_of_conclusion(work.db_session, shown.meeting.id, item)
            if found is None:
                return None
            document = found
        row = work.get(SealedObject, document.sealed_object_id)
    return b"".join(bytes(part) for part in open_object(row).iter_all())
