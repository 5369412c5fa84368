"""Reception: visits and tickets at the desk, online sessions between several points."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, Created, Identified, one_of, utc_now

PARTICIPANT_STATES = ("invited", "waiting", "admitted", "in_room", "dropped", "left", "refused")
PARTS = (
    "chair", "clerk", "officer", "citizen", "representative", "interpreter", "technician", "guest",
)  # fmt: skip


class ReceptionSession(Identified, Created, Base):
    """A session between a central and component points. Source: NĐ 154/2026/NĐ-CP, Điều 16-24.

    Joining from home is proposed with its reason by who schedules; `home_link_reason` stands only
    while the head allows it, `home_link_refusal` tells why the head does not.
    """

    __tablename__ = "reception_session"
    __table_args__ = (
        one_of("kind", "regular", "periodic", "ad_hoc"),
        one_of("mode", "online", "in_person"),
        CheckConstraint("planned_end_at > starts_at", name="ends_after_start"),
        CheckConstraint("mode <> 'online' OR reason_code <> ''", name="online_has_reason"),
    )

    code: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    kind: Mapped[str]
    mode: Mapped[str] = mapped_column(default="online")
    reason_code: Mapped[str] = mapped_column(default="")
    reason_text: Mapped[str] = mapped_column(default="")
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    presiding_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    clerk_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    starts_at: Mapped[datetime] = mapped_column(index=True)
    planned_end_at: Mapped[datetime]
    state: Mapped[str]
    notified_on: Mapped[date | None]
    tested_on: Mapped[date | None]
    points_connected_at: Mapped[datetime | None]
    notice_given_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    self_recording: Mapped[str] = mapped_column(default="allowed")
    self_recording_reason: Mapped[str] = mapped_column(default="")
    home_link_proposal: Mapped[str | None]
    home_link_reason: Mapped[str | None]
    home_link_refusal: Mapped[str | None]
    home_link_decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    home_link_decided_at: Mapped[datetime | None]
    secrecy_confirmed: Mapped[bool] = mapped_column(default=False)
    protection_requested: Mapped[bool] = mapped_column(default=False)
    incident_note_sealed: Mapped[bytes | None]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class SessionPoint(Identified, Base):
    """A reception point (điểm cầu): central or component."""

    __tablename__ = "session_point"
    __table_args__ = (
        one_of("kind", "central", "component"),
        UniqueConstraint("reception_session_id", "seat"),
    )

    reception_session_id: Mapped[UUID] = mapped_column(ForeignKey("reception_session.id"))
    kind: Mapped[str]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    name: Mapped[str]
    place: Mapped[str] = mapped_column(default="")
    contact: Mapped[str] = mapped_column(default="")
    seat: Mapped[int]
    notified_at: Mapped[datetime | None]
    tested_at: Mapped[datetime | None]
    tested_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    test_result: Mapped[dict[str, Any] | None]
    connected_at: Mapped[datetime | None]


class Participant(Identified, Base):
    """Somebody of a session; whoever drops comes back as the same person."""

    __tablename__ = "participant"
    __table_args__ = (one_of("part", *PARTS), one_of("state", *PARTICIPANT_STATES))

    reception_session_id: Mapped[UUID] = mapped_column(
        ForeignKey("reception_session.id"), index=True
    )
    point_id: Mapped[UUID] = mapped_column(ForeignKey("session_point.id"))
    part: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    petition_id: Mapped[UUID | None] = mapped_column(ForeignKey("petition.id"), index=True)
    name_sealed: Mapped[bytes]
    join_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    state: Mapped[str] = mapped_column(default="invited")
    notice_seen_at: Mapped[datetime | None]
    waiting_at: Mapped[datetime | None]
    admitted_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    identity_checked_at: Mapped[datetime | None]
    hand_raised_at: Mapped[datetime | None]
    speaking_since_at: Mapped[datetime | None]
    audio_only: Mapped[bool] = mapped_column(default=False)
    device_check: Mapped[dict[str, Any] | None]
    line: Mapped[dict[str, Any] | None]


class MediaJoin(Base):
    """One ticket into a media room: which person the tracks under this id belong to."""

    __tablename__ = "media_join"

    media_id: Mapped[str] = mapped_column(primary_key=True)
    participant_id: Mapped[UUID] = mapped_column(ForeignKey("participant.id"), index=True)
    segment_id: Mapped[UUID] = mapped_column(ForeignKey("segment.id"), index=True)
    issued_at: Mapped[datetime] = mapped_column(default=utc_now)


class AgendaItem(Identified, Base):
    """One visit planned in a session."""

    __tablename__ = "agenda_item"
    __table_args__ = (UniqueConstraint("reception_session_id", "seq"),)

    reception_session_id: Mapped[UUID] = mapped_column(ForeignKey("reception_session.id"))
    seq: Mapped[int]
    petition_id: Mapped[UUID | None] = mapped_column(ForeignKey("petition.id"), index=True)
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("case.id"), index=True)
    title: Mapped[str]
    planned_minutes: Mapped[int]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class PresenceEvent(Identified, Base):
    """Who waited, came, dropped, returned and left, and when."""

    __tablename__ = "presence_event"

    reception_session_id: Mapped[UUID] = mapped_column(
        ForeignKey("reception_session.id"), index=True
    )
    participant_id: Mapped[UUID | None] = mapped_column(ForeignKey("participant.id"))
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=utc_now)
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Marker(Identified, Base):
    """A time-coded note: minutes are drafted from markers and jump to them."""

    __tablename__ = "marker"

    reception_session_id: Mapped[UUID] = mapped_column(
        ForeignKey("reception_session.id"), index=True
    )
    agenda_item_id: Mapped[UUID | None] = mapped_column(ForeignKey("agenda_item.id"))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    kind: Mapped[str]
    text_sealed: Mapped[bytes]
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    idempotency_key: Mapped[str] = mapped_column(unique=True)


class Minutes(Identified, Created, Base):
    """Minutes (biên bản): each saved text is a version that stays."""

    __tablename__ = "minutes"
    __table_args__ = (
        UniqueConstraint("reception_session_id", "edition"),
        one_of("state", "draft", "read_back", "signed"),
    )

    reception_session_id: Mapped[UUID] = mapped_column(ForeignKey("reception_session.id"))
    edition: Mapped[int]
    state: Mapped[str] = mapped_column(default="draft")
    body_sealed: Mapped[bytes]
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("issued_document.id"))


class Conclusion(Identified, Created, Base):
    """Thông báo kết luận việc tiếp công dân (Luật Tiếp công dân; NĐ 154/2026, Điều 25)."""

    __tablename__ = "conclusion"

    reception_session_id: Mapped[UUID] = mapped_column(
        ForeignKey("reception_session.id"), index=True
    )
    body_sealed: Mapped[bytes]
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("issued_document.id"))


class Ticket(Identified, Created, Base):
    """A number in the queue of a reception place; the board shows numbers, never names."""

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("unit_id", "on", "number"),
        one_of("state", "waiting", "called", "serving", "done", "absent"),
    )

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    on: Mapped[date]
    number: Mapped[int]
    need: Mapped[str] = mapped_column(default="")
    priority: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="waiting")
    called_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    served_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class Visit(Identified, Created, Base):
    """Lượt tiếp: one line of the 13-column book ND154-03/TCD; corrected by a new edition."""

    __tablename__ = "visit"
    __table_args__ = (
        UniqueConstraint("unit_id", "book_year", "number", "edition"),
        one_of("outcome", "petition", "oral_guidance", "refused", "papers_received", "heard"),
        CheckConstraint("people >= 1", name="people_positive"),
    )

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    book_year: Mapped[int]
    number: Mapped[int]
    edition: Mapped[int] = mapped_column(default=1)
    on: Mapped[date]
    ticket_id: Mapped[UUID | None] = mapped_column(ForeignKey("ticket.id"))
    reception_session_id: Mapped[UUID | None] = mapped_column(ForeignKey("reception_session.id"))
    petition_id: Mapped[UUID | None] = mapped_column(ForeignKey("petition.id"), index=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    mode: Mapped[str] = mapped_column(default="in_person")
    received_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    by_head: Mapped[bool] = mapped_column(default=False)
    delegated: Mapped[bool] = mapped_column(default=False)
    visitor_sealed: Mapped[bytes]
    identity_paper_sealed: Mapped[bytes | None]
    content_sealed: Mapped[bytes]
    answer_sealed: Mapped[bytes | None]
    kind: Mapped[str]
    field_code: Mapped[str | None] = mapped_column(ForeignKey("field.code"))
    secrecy: Mapped[str] = mapped_column(default="normal")
    people: Mapped[int] = mapped_column(default=1)
    settled_by: Mapped[str] = mapped_column(default="")
    within_jurisdiction: Mapped[bool | None]
    guidance: Mapped[str] = mapped_column(default="")
    acceptance: Mapped[str] = mapped_column(default="")
    follow_up: Mapped[str] = mapped_column(default="")
    remark: Mapped[str] = mapped_column(default="")
    outcome: Mapped[str]
    refusal_ground: Mapped[str] = mapped_column(default="")
    corrects_reason: Mapped[str] = mapped_column(default="")
    idempotency_key: Mapped[str] = mapped_column(unique=True)


Index("ix_visit_unit_on", Visit.unit_id, Visit.on)
