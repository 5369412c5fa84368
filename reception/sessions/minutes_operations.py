"""Minutes (biên bản): drafted from the notes, edited by the clerk, read back, signed.

Each saved text is an edition that stays. No form is fixed by law for an online session, so the
text is sections that the office edits freely. Source: NĐ 154/2026/NĐ-CP, Điều 17, 25.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from reception.clock import LOCAL
from reception.recordings import steps as recordings
from reception.sessions import facts, steps
from reception.sessions.steps import Outcome
from storage.database import Work, reading, unit_of_work
from storage.identities import open_field, seal_field
from storage.models import (
    AgendaItem,
    Marker,
    Minutes,
    ReceptionSession,
    Recording,
    SessionPoint,
)
from storage.models.base import new_id
from storage.queries import sessions as queries
from storage.subjects import minutes_subject
from workflows.access import Actor, Permission, decide, ensure_allowed
from workflows.errors import Conflict, NotFound

CAME = ("admitted", "joined", "returned")
"""What is noted of somebody who was let in or connected; being seated at the desk is neither."""

MEANT = ("note", "task", "document", "help", "incident")
HAPPENED = ("recorder", "pause", "resume", "closed", "incident", "opened")


@dataclass(frozen=True)
class Section:
    """A heading and its text."""

    heading: str
    text: str


@dataclass(frozen=True)
class MinutesPage:
    """The minutes as they stand, with what may be done."""

    sitting: queries.Sitting
    minutes: Minutes
    sections: tuple[Section, ...]
    editions: tuple[Minutes, ...]
    recording: Recording | None
    lamp: recordings.Lamp
    outcomes: Mapping[UUID | None, Outcome]
    may_edit: bool
    may_read_back: bool


# --- drafting ------------------------------------------------------------------------------------


def draft(work: Work, sitting: queries.Sitting, *, by: Actor) -> Minutes:
    """The first edition, from agenda, notes and presence. Part of ending the session."""
    return _keep(work, sitting.meeting, _drafted(work, sitting), edition=1, by=by)


def _keep(
    work: Work,
    meeting: ReceptionSession,
    sections: Sequence[Section],
    *,
    edition: int,
    by: Actor,
    state: str = "draft",
) -> Minutes:
    row_id = new_id()
    body = json.dumps([vars(section) for section in sections], ensure_ascii=False)
    minutes = work.add(
        Minutes(
            id=row_id,
            reception_session_id=meeting.id,
            edition=edition,
            state=state,
            body_sealed=seal_field("minutes", "body", row_id, body),
            author_id=by.account_id,
        )
    )
    work.audit(
        "minutes_saved", minutes, by=by.account_id, reception_session=meeting.id, edition=edition
    )
    return minutes


def sections_of(minutes: Minutes) -> tuple[Section, ...]:
    """The words of an edition."""
    body = open_field("minutes", "body", minutes.id, minutes.body_sealed)
    return tuple(Section(**section) for section in json.loads(body))


def _drafted(work: Work, sitting: queries.Sitting) -> list[Section]:
    markers = queries.markers_of(work.db_session, sitting.meeting.id)
    started = recordings.recording_started_at(work.db_session, sitting.meeting.id)
    shift = (
        sitting.meeting.opened_at - started
        if sitting.meeting.opened_at and started
        else timedelta()
    )
    words = _Words(markers, shift)
    answered = steps.outcomes(work.db_session, sitting)
    return [
        Section("Thời gian, địa điểm", _when_and_where(sitting)),
        Section("Thành phần tham dự", _who(sitting, _came(work, sitting))),
        Section("Quy định khi tiếp", _rules(sitting)),
        *(
            Section(_item_heading(sitting, item), words.of_item(item, answered.get(item.id)))
            for item in sitting.agenda
        ),
        Section("Diễn biến khác", words.happened(answered.get(None))),
        Section("Kết luận của người chủ trì", words.tasks()),
        Section("Ghi âm, ghi hình", _recorded(work, sitting)),
    ]


class _Words:
    """The notes as lines with the local time of the session."""

    def __init__(self, markers: Sequence[Marker], shift: timedelta) -> None:
        self._markers, self._shift = markers, shift

    def _lines(self, chosen: Iterable[Marker]) -> str:
        return "\n".join(
            f"{(marker.at + self._shift).astimezone(LOCAL):%H:%M} – {queries.marker_text(marker)}"
            for marker in chosen
        )

    def of_item(self, item: AgendaItem, outcome: Outcome | None) -> str:
        """What is on record of a visit: whether it was heard, and what was noted in it."""
        found = [m for m in self._markers if m.agenda_item_id == item.id and m.kind in MEANT]
        return "\n".join(part for part in (_heard(outcome), self._lines(found)) if part)

    def happened(self, nobody: Outcome | None) -> str:
        loose = [
            marker
            for marker in self._markers
            if marker.kind in HAPPENED or (marker.kind in MEANT and marker.agenda_item_id is None)
        ]
        why = f"Không tiếp ai trong phiên này. Lý do: {nobody.reason}" if nobody else ""
        told = "\n".join(part for part in (why, self._lines(loose)) if part)
        return told or "Không ghi nhận diễn biến khác."

    def tasks(self) -> str:
        tasks = self._lines(m for m in self._markers if m.kind == "task")
        return tasks or "Không ghi nhận việc nào được giao."


def _heard(outcome: Outcome | None) -> str:
    if outcome is None:
        return "Chưa ghi kết quả của lượt này."
    return "Đã tiếp." if outcome.heard else f"Không tiếp trong phiên này. Lý do: {outcome.reason}"


def _clock(moment: datetime | None) -> str:
    return f"{moment.astimezone(LOCAL):%H:%M ngày %d/%m/%Y}" if moment else "chưa ghi"


def _when_and_where(sitting: queries.Sitting) -> str:
    meeting = sitting.meeting
    how = "trực tuyến" if meeting.mode == "online" else "đã chuyển sang tiếp trực tiếp"
    opened = (
        f"Mở lúc {_clock(meeting.opened_at)}, kết thúc lúc {_clock(meeting.ended_at)}; "
        if meeting.opened_at
        else f"Phiên trực tuyến không mở; kết thúc lúc {_clock(meeting.ended_at)}; "
    )
    places = "\n".join(_place(point) for point in sitting.points)
    return f"{opened}hình thức: {how}.\n{places}"


def _place(point: SessionPoint) -> str:
    place = f": {point.place}" if point.place else ""
    return f"- {point.name}{place}{'' if point.connected_at else ' (chưa báo đã kết nối)'}"


def _came(work: Work, sitting: queries.Sitting) -> frozenset[UUID]:
    """Who is known to have been there: let in, connected, or with papers compared at a point.

    Whoever opened the session presided over it. Waiting outside, or a seat at the desk, is not
    having been there.
    """
    told = queries.presence_of(work.db_session, sitting.meeting.id, CAME)
    found = {event.participant_id for event in told}
    found |= {p.id for p in sitting.participants if p.identity_checked_at is not None}
    if sitting.presiding is not None and sitting.meeting.ended_at is not None:
        found.add(sitting.presiding.id)
    return frozenset(key for key in found if key is not None)


def _who(sitting: queries.Sitting, came: frozenset[UUID]) -> str:
    lines = []
    for point in sitting.points:
        here = [p for p in sitting.at(point.id) if p.id in came]
        names = ", ".join(sitting.names[p.id] + (f" ({p.title})" if p.title else "") for p in here)
        lines.append(f"{point.name}: {names or 'không ghi nhận người dự'}.")
    return "\n".join(lines)


def _rules(sitting: queries.Sitting) -> str:
    meeting = sitting.meeting
    own = (
        "được phép"
        if meeting.self_recording == "allowed"
        else f"không được phép, lý do: {meeting.self_recording_reason}"
    )
    notice = (
        f"Lúc {_clock(meeting.notice_given_at)}, chủ trì đã thông báo phiên được ghi âm, ghi hình "
        "và lưu theo quy định. "
        if meeting.notice_given_at
        else ""
    )
    return f"{notice}Người dự tự ghi âm, ghi hình: {own}."


def _item_heading(sitting: queries.Sitting, item: AgendaItem) -> str:
    heard = sitting.heard_in(item)
    return f"Lượt {item.seq}: {f'{heard} – ' if heard else ''}{item.title}"


def _recorded(work: Work, sitting: queries.Sitting) -> str:
    recording = _recording_of(work, sitting.meeting.id)
    if recording is None:
        return "Phiên không có bản ghi."
    segments = recordings.segments_of(work.db_session, recording.id)
    sealed = sum(segment.chunks for segment in segments)
    told = f"Bản ghi {recording.code}, {len(segments)} đoạn; "
    if not sealed:
        return f"{told}đến lúc lập biên bản chưa có phần nào được niêm phong."
    return f"{told}{sealed} phần đã niêm phong bằng mã hóa và mã băm ngay trong khi ghi."


def _recording_of(work: Work, meeting_id: UUID) -> Recording | None:
    return (
        work.db_session.query(Recording)
        .filter(Recording.reception_session_id == meeting_id)
        .one_or_none()
    )


# --- after the session ---------------------------------------------------------------------------


def page(meeting_id: UUID, *, by: Actor) -> MinutesPage:
    """The newest edition for those who saw the session. Raises NotFound before it has ended.

    What was said about a matter that is locked away stays in its compartment.
    """
    with reading() as work:
        meeting = work.get(ReceptionSession, meeting_id)
        subject = minutes_subject(work.db_session, meeting)
        ensure_allowed(by, Permission.SESSION_SEE, subject)
        minutes = queries.newest_minutes(work.db_session, meeting_id)
        if minutes is None:
            raise NotFound("Chưa có biên bản: phiên chưa kết thúc.")
        may = may_write(work, meeting, by)
        sitting = queries.sitting(work.db_session, meeting)
        return MinutesPage(
            sitting=sitting,
            outcomes=steps.outcomes(work.db_session, sitting),
            minutes=minutes,
            sections=sections_of(minutes),
            editions=tuple(queries.editions_of(work.db_session, meeting_id)),
            recording=_recording_of(work, meeting_id),
            lamp=recordings.lamp(work.db_session, meeting_id),
            may_edit=may and minutes.state == "draft" and meeting.state == "ENDED",
            may_read_back=may and meeting.state == "ENDED",
        )


def may_write(work: Work, meeting: ReceptionSession, by: Actor) -> bool:
    """Whether this person writes what stays of the session: who runs it, or keeps its minutes."""
    if not facts.runs_meeting(work.db_session, by, meeting):
        return False
    subject = minutes_subject(work.db_session, meeting)
    asked = (Permission.SESSION_MINUTES, Permission.SESSION_CHAIR)
    return by.account_id == meeting.clerk_id or any(decide(by, p, subject) for p in asked)


def _writing(work: Work, meeting_id: UUID, by: Actor) -> tuple[ReceptionSession, Minutes]:
    meeting = steps.lock(work, meeting_id)
    if by.account_id not in (meeting.presiding_id, meeting.clerk_id):
        facts.ensure_runs(work.db_session, by, Permission.SESSION_MINUTES, meeting)
        subject = minutes_subject(work.db_session, meeting)
        ensure_allowed(by, Permission.SESSION_MINUTES, subject)
    newest = queries.newest_minutes(work.db_session, meeting_id)
    if newest is None:
        raise NotFound("Chưa có biên bản: phiên chưa kết thúc.")
    return meeting, newest


def save(meeting_id: UUID, sections: Sequence[Section], *, edition: int, by: Actor) -> None:
    """Save a new edition over `edition`. Raises Conflict when somebody saved meanwhile."""
    with unit_of_work() as work:
        meeting, newest = _writing(work, meeting_id, by)
        if newest.edition != edition:
            raise Conflict
        if newest.state != "draft":
            raise Conflict("Biên bản đã đọc lại và xác nhận nên không sửa được nữa.")
        if sections_of(newest) != tuple(sections):
            _keep(work, meeting, sections, edition=edition + 1, by=by)


def confirm_read_back(meeting_id: UUID, *, by: Actor, now: datetime) -> None:
    """The minutes were read back and those present agreed; the session moves on."""
    with unit_of_work() as work:
        meeting, newest = _writing(work, meeting_id, by)
        sitting = queries.sitting(work.db_session, meeting)
        newest.state = "read_back"
        steps.move(
            work,
            sitting,
            "minute",
            on=facts.local_day(now),
            facts=facts.move_facts(sitting, minutes_read_back=True),
            by=by,
            starts_on=facts.local_day(meeting.starts_at),
        )
        steps.go_on_when_sealed(work, sitting, on=facts.local_day(now))


def confirm_signed(meeting_id: UUID, *, by: Actor) -> None:
    """The paper minutes carry the signatures."""
    with unit_of_work() as work:
        _, newest = _writing(work, meeting_id, by)
        if newest.state != "read_back":
            raise Conflict("Đọc lại biên bản cho người dự nghe trước, rồi mới ký.")
        newest.state = "signed"
        work.audit("minutes_signed", newest, by=by.account_id, reception_session=meeting_id)
