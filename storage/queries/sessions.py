"""Reception sessions: the board, one session with its people, and who waits for one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select, true
from sqlalchemy.orm import Session

from storage.identities import names_of, open_field
from storage.models import (
    Account,
    AgendaItem,
    Attachment,
    Conclusion,
    IssuedDocument,
    Marker,
    Minutes,
    Participant,
    Petition,
    PetitionParty,
    Post,
    PresenceEvent,
    ReceptionSession,
    SessionPoint,
    Unit,
)
from storage.queries.conflicts import side_in
from workflows.access import Actor, Permission, Reach, UnitPath, reach
from workflows.procedures import procedure

PAGE = 50
LIVE = ("OPEN", "PAUSED", "CLOSED_ROOM")
COMING = ("REQUESTED", "SCREENED", "SCHEDULED", "NOTIFIED", "TESTED", "READY")
TO_FINISH = ("IN_PERSON", "ENDED", "MINUTED", "SEALED", "RECORDED")
OVER = ("CONCLUDED", "CANCELLED", "DIVERTED_IN_PERSON", "REFUSED")
HEARD_PARTS = ("citizen", "representative")
_REPRESENTING = ("representative", "authorised_person")


def _unit_within(reaching: Reach, column: ColumnElement[str]) -> ColumnElement[bool]:
    """Units a post reaches by itself: exactly its own, or all below it."""
    if reaching.everything:
        return true()
    exact = ["/".join(path) for path in (*reaching.units, *reaching.trees)]
    below = [column.startswith("/".join(path) + "/") for path in reaching.trees]
    return or_(false(), column.in_(exact), *below)


def _visible(visible_to: Actor) -> ColumnElement[bool]:
    """Sessions of one's own unit, of a point of one's unit, or to which one is invited."""
    seen = reach(visible_to, Permission.SESSION_SEE)
    tested = reach(visible_to, Permission.SESSION_TEST_POINT)
    holding = select(Unit.id).where(
        or_(_unit_within(seen, Unit.__table__.c.path), _unit_within(tested, Unit.__table__.c.path))
    )
    shared = ["/".join(path) for path in seen.shared | tested.shared]
    at_a_point = (
        select(SessionPoint.reception_session_id)
        .join(Unit, Unit.id == SessionPoint.unit_id)
        .where(Unit.path.in_(shared))
    )
    named = select(Participant.reception_session_id).where(
        Participant.account_id == visible_to.account_id, Participant.account_id.is_not(None)
    )
    about_own_matter = (
        select(AgendaItem.reception_session_id)
        .join(Petition, Petition.id == AgendaItem.petition_id)
        .where(side_in(visible_to, Petition.id, Petition.case_id))
    )
    return and_(
        or_(
            ReceptionSession.unit_id.in_(holding),
            ReceptionSession.id.in_(at_a_point),
            ReceptionSession.id.in_(named),
        ),
        ReceptionSession.id.not_in(about_own_matter),
    )


@dataclass(frozen=True)
class BoardRow:
    """One session on the board."""

    meeting: ReceptionSession
    unit_name: str
    presiding: str
    points: tuple[SessionPoint, ...]
    visits: int


def board(
    db_session: Session,
    *,
    visible_to: Actor,
    states: Sequence[str],
    newest_first: bool = False,
    page: int = 1,
) -> list[BoardRow]:
    """Sessions in the given states, by their day; at most a page of them."""
    order = ReceptionSession.starts_at.desc() if newest_first else ReceptionSession.starts_at
    found = db_session.execute(
        select(ReceptionSession, Unit.full_name, Account.display_name)
        .join(Unit, Unit.id == ReceptionSession.unit_id)
        .join(Account, Account.id == ReceptionSession.presiding_id)
        .where(_visible(visible_to), ReceptionSession.state.in_(states))
        .order_by(order, ReceptionSession.id)
        .limit(PAGE)
        .offset(PAGE * (page - 1))
    ).all()
    ids = [row[0].id for row in found]
    points = _points_by_meeting(db_session, ids)
    visits = _visits_by_meeting(db_session, ids)
    return [
        BoardRow(meeting, unit, leader, points.get(meeting.id, ()), visits.get(meeting.id, 0))
        for meeting, unit, leader in found
    ]


def visible_ids(
    db_session: Session, meeting_ids: Sequence[UUID], *, visible_to: Actor
) -> Sequence[UUID]:
    """Which of these sessions this person may open."""
    return db_session.scalars(
        select(ReceptionSession.id).where(
            ReceptionSession.id.in_(meeting_ids), _visible(visible_to)
        )
    ).all()


def board_counts(db_session: Session, *, visible_to: Actor) -> dict[str, int]:
    """How many visible sessions stand in each state."""
    rows = db_session.execute(
        select(ReceptionSession.state, func.count())
        .where(_visible(visible_to))
        .group_by(ReceptionSession.state)
    ).all()
    return {state: number for state, number in rows}


def _points_by_meeting(
    db_session: Session, ids: Iterable[UUID]
) -> dict[UUID, tuple[SessionPoint, ...]]:
    rows = db_session.scalars(
        select(SessionPoint)
        .where(SessionPoint.reception_session_id.in_(list(ids)))
        .order_by(SessionPoint.seat)
    ).all()
    found: dict[UUID, tuple[SessionPoint, ...]] = {}
    for row in rows:
        found[row.reception_session_id] = (*found.get(row.reception_session_id, ()), row)
    return found


def _visits_by_meeting(db_session: Session, ids: Iterable[UUID]) -> dict[UUID, int]:
    rows = db_session.execute(
        select(AgendaItem.reception_session_id, func.count())
        .where(AgendaItem.reception_session_id.in_(list(ids)))
        .group_by(AgendaItem.reception_session_id)
    ).all()
    return {meeting_id: number for meeting_id, number in rows}


@dataclass(frozen=True)
class Sitting:
    """A session with everything that belongs to it, in seating and agenda order."""

    meeting: ReceptionSession
    unit: Unit
    points: tuple[SessionPoint, ...]
    participants: tuple[Participant, ...]
    agenda: tuple[AgendaItem, ...]
    petitions: dict[UUID, Petition] = field(default_factory=dict)
    names: dict[UUID, str] = field(default_factory=dict)

    def point(self, point_id: UUID) -> SessionPoint:
        """The point with this id."""
        return next(point for point in self.points if point.id == point_id)

    def at(self, point_id: UUID) -> tuple[Participant, ...]:
        """Who sits at a point, in seating order."""
        return tuple(person for person in self.participants if person.point_id == point_id)

    def of_account(self, account_id: UUID | None) -> Participant | None:
        """The participant who logs in with this account."""
        if account_id is None:
            return None
        return next((p for p in self.participants if p.account_id == account_id), None)

    def heard_in(self, item: AgendaItem) -> str:
        """Who is heard in a visit, as on the name plates; empty when nobody was invited for it."""
        names = [
            self.names[person.id]
            for person in self.participants
            if person.petition_id == item.petition_id is not None and person.part in HEARD_PARTS
        ]
        return ", ".join(names)

    @property
    def central(self) -> SessionPoint:
        """The central point (điểm cầu trung tâm)."""
        return next(point for point in self.points if point.kind == "central")

    @property
    def presiding(self) -> Participant | None:
        """The leader who presides, as a participant."""
        return self.of_account(self.meeting.presiding_id)


def sitting(db_session: Session, meeting: ReceptionSession) -> Sitting:
    """Everything of one session; decide access before."""
    points = db_session.scalars(
        select(SessionPoint)
        .where(SessionPoint.reception_session_id == meeting.id)
        .order_by(SessionPoint.seat)
    ).all()
    seats = {point.id: point.seat for point in points}
    participants = sorted(
        db_session.scalars(
            select(Participant).where(Participant.reception_session_id == meeting.id)
        ).all(),
        key=lambda person: (seats[person.point_id], person.id),
    )
    agenda = db_session.scalars(
        select(AgendaItem)
        .where(AgendaItem.reception_session_id == meeting.id)
        .order_by(AgendaItem.seq)
    ).all()
    ids = [item.petition_id for item in agenda if item.petition_id]
    petitions = db_session.scalars(select(Petition).where(Petition.id.in_(ids))).all()
    return Sitting(
        meeting=meeting,
        unit=db_session.get_one(Unit, meeting.unit_id),
        points=tuple(points),
        participants=tuple(participants),
        agenda=tuple(agenda),
        petitions={petition.id: petition for petition in petitions},
        names={person.id: name_of(person) for person in participants},
    )


def name_of(participant: Participant) -> str:
    """The name on the plate."""
    return open_field("participant", "name", participant.id, participant.name_sealed)


def participant_by_hash(db_session: Session, join_hash: bytes) -> Participant | None:
    """Who holds the personal link with this hash."""
    return db_session.scalar(select(Participant).where(Participant.join_hash == join_hash))


def markers_of(db_session: Session, meeting_id: UUID) -> Sequence[Marker]:
    """Notes taken while the session ran, in order."""
    return db_session.scalars(
        select(Marker)
        .where(Marker.reception_session_id == meeting_id)
        .order_by(Marker.at, Marker.id)
    ).all()


def marker_text(marker: Marker) -> str:
    """The words of a note."""
    return open_field("marker", "text", marker.id, marker.text_sealed)


def presence_of(
    db_session: Session, meeting_id: UUID, kinds: Sequence[str] = ()
) -> Sequence[PresenceEvent]:
    """Who came, dropped, returned and left, in order."""
    query = select(PresenceEvent).where(PresenceEvent.reception_session_id == meeting_id)
    if kinds:
        query = query.where(PresenceEvent.kind.in_(kinds))
    return db_session.scalars(query.order_by(PresenceEvent.at, PresenceEvent.id)).all()


def newest_presence(
    db_session: Session, meeting_id: UUID, kinds: Sequence[str]
) -> PresenceEvent | None:
    """The last event of these kinds."""
    return db_session.scalar(
        select(PresenceEvent)
        .where(PresenceEvent.reception_session_id == meeting_id, PresenceEvent.kind.in_(kinds))
        .order_by(PresenceEvent.at.desc(), PresenceEvent.id.desc())
        .limit(1)
    )


def petition_ids_of(db_session: Session, meeting_id: UUID) -> frozenset[UUID]:
    """The petitions that a session hears."""
    rows = db_session.scalars(
        select(AgendaItem.petition_id).where(
            AgendaItem.reception_session_id == meeting_id, AgendaItem.petition_id.is_not(None)
        )
    )
    return frozenset(row for row in rows if row is not None)


def running_item(db_session: Session, meeting_id: UUID) -> AgendaItem | None:
    """The visit that is being heard."""
    return db_session.scalar(
        select(AgendaItem)
        .where(
            AgendaItem.reception_session_id == meeting_id,
            AgendaItem.started_at.is_not(None),
            AgendaItem.ended_at.is_(None),
        )
        .order_by(AgendaItem.seq)
        .limit(1)
    )


def attachments_of(db_session: Session, petition_id: UUID) -> Sequence[Attachment]:
    """The files of a petition in their order; decide access before."""
    return db_session.scalars(
        select(Attachment)
        .where(Attachment.petition_id == petition_id, Attachment.removed_at.is_(None))
        .order_by(Attachment.position, Attachment.id)
    ).all()


def newest_minutes(db_session: Session, meeting_id: UUID) -> Minutes | None:
    """The last saved edition of the minutes."""
    return db_session.scalar(
        select(Minutes)
        .where(Minutes.reception_session_id == meeting_id)
        .order_by(Minutes.edition.desc())
        .limit(1)
    )


def editions_of(db_session: Session, meeting_id: UUID) -> Sequence[Minutes]:
    """Every saved edition of the minutes, newest first."""
    return db_session.scalars(
        select(Minutes)
        .where(Minutes.reception_session_id == meeting_id)
        .order_by(Minutes.edition.desc())
    ).all()


def conclusions_of(db_session: Session, meeting_id: UUID) -> Sequence[Conclusion]:
    """Every saved edition of the notice of conclusion, newest first."""
    return db_session.scalars(
        select(Conclusion)
        .where(Conclusion.reception_session_id == meeting_id)
        .order_by(Conclusion.created_at.desc(), Conclusion.id.desc())
    ).all()


def part_of_conclusion(
    db_session: Session, meeting_id: UUID, item: AgendaItem | None
) -> IssuedDocument | None:
    """The part of an issued notice that was given to the sender heard in this visit."""
    if item is None or item.petition_id is None:
        return None
    return db_session.scalar(
        select(IssuedDocument).where(
            IssuedDocument.reception_session_id == meeting_id,
            IssuedDocument.petition_id == item.petition_id,
            IssuedDocument.form == "conclusion",
        )
    )


@dataclass(frozen=True)
class Waiting:
    """A petition whose sender wishes to be received online."""

    petition: Petition
    submitter: str
    unit: Unit


def waiting_for_online(
    db_session: Session, *, visible_to: Actor, limit: int = PAGE
) -> list[Waiting]:
    """Petitions that ask for an online reception and stand on no live agenda, oldest first.

    What lies in a compartment is shown only to whom it is assigned, and without a name.
    """
    seen = reach(visible_to, Permission.PETITION_SEE)
    rows = db_session.execute(
        select(Petition, Unit)
        .join(Unit, Unit.id == Petition.holder_unit_id)
        .where(
            _petition_within(seen),
            not_(side_in(visible_to, Petition.id, Petition.case_id)),
            or_(Petition.wants_online, Petition.online_requested_on.is_not(None)),
            Petition.state.not_in(_final_states()),
            Petition.id.not_in(_on_live_agenda()),
        )
        .order_by(Petition.received_on, Petition.id)
        .limit(limit)
    ).all()
    names = names_of(db_session, (p.submitter_id for p, _ in rows if p.submitter_id))
    return [
        Waiting(
            petition, names.get(petition.submitter_id, "") if petition.submitter_id else "", unit
        )
        for petition, unit in rows
    ]


def _final_states() -> list[str]:
    return [state.code for state in procedure("PET").states.values() if state.final]


def _on_live_agenda() -> ColumnElement[UUID | None]:
    return (
        select(AgendaItem.petition_id)
        .join(ReceptionSession, ReceptionSession.id == AgendaItem.reception_session_id)
        .where(AgendaItem.petition_id.is_not(None), ReceptionSession.state.in_((*COMING, *LIVE)))
        .scalar_subquery()
    )


def _petition_within(seen: Reach) -> ColumnElement[bool]:
    within = _unit_within(seen, Unit.__table__.c.path)
    if seen.person_id is None:
        return and_(within, Petition.secrecy == "normal")
    assigned = Petition.assigned_to == seen.person_id
    return or_(and_(within, Petition.secrecy == "normal"), assigned)


def petition_by_code(db_session: Session, code: str) -> Petition | None:
    """The petition with this public code; decide access before showing anything of it."""
    return db_session.scalar(select(Petition).where(Petition.code == code))


def people_of_petition(db_session: Session, petition: Petition) -> list[tuple[UUID, str]]:
    """Who is invited for a petition: (person, part); nobody by name out of a compartment."""
    if petition.submitter_id is None:
        return []
    parties = db_session.scalars(
        select(PetitionParty)
        .where(PetitionParty.petition_id == petition.id, PetitionParty.part.in_(_REPRESENTING))
        .order_by(PetitionParty.id)
    ).all()
    return [(petition.submitter_id, "citizen")] + [
        (party.person_id, "representative")
        for party in parties
        if party.person_id != petition.submitter_id
    ]


@dataclass(frozen=True)
class StaffMember:
    """An account with the post it holds at a unit."""

    account: Account
    role: str
    title: str


def staff_at(
    db_session: Session, path: UnitPath, *, on: date, roles: Sequence[str] = ()
) -> list[StaffMember]:
    """Active staff who work for a unit on a day; those of an office work for what it acts for."""
    acted_for = Unit.__table__.alias("acted_for")
    query = (
        select(Account, Post)
        .join(Post, Post.account_id == Account.id)
        .join(Unit, Unit.id == Post.unit_id)
        .outerjoin(acted_for, acted_for.c.id == Unit.acts_for_id)
        .where(
            Account.active,
            Account.kind == "staff",
            func.coalesce(acted_for.c.path, Unit.path) == "/".join(path),
            Post.from_on <= on,
            or_(Post.to_on.is_(None), Post.to_on >= on),
        )
        .order_by(Account.display_name, Account.id, Post.id)
    )
    if roles:
        query = query.where(Post.role.in_(roles))
    return [
        StaffMember(account, post.role, post.title)
        for account, post in db_session.execute(query).all()
    ]


def meetings_of_petition(
    db_session: Session, petition_id: UUID
) -> Sequence[tuple[Participant, ReceptionSession, SessionPoint]]:
    """Invitations that go out for a petition, newest session first; cancelled ones left out."""
    rows = db_session.execute(
        select(Participant, ReceptionSession, SessionPoint)
        .join(ReceptionSession, ReceptionSession.id == Participant.reception_session_id)
        .join(SessionPoint, SessionPoint.id == Participant.point_id)
        .where(Participant.petition_id == petition_id, ReceptionSession.state != "CANCELLED")
        .order_by(ReceptionSession.starts_at.desc(), Participant.id)
    ).all()
    return [(row[0], row[1], row[2]) for row in rows]
