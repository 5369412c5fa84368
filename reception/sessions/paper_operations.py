"""Papers beside the faces: who may look at what in the room, and what the desk shows everybody.

Staff see the attachments that their post opens, a sender the own ones; what the desk shows is seen
by all inside, that one page and no other, for as long as it is shown. A denunciation's papers are
shown to nobody. Which paper was opened by whom, and which page was shown when, stays as events.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from reception.sessions import facts, steps
from reception.sessions.presence import DESK, INSIDE
from storage.database import Work, reading, unit_of_work
from storage.identities import open_field
from storage.models import (
    Attachment,
    Marker,
    Participant,
    Petition,
    PresenceEvent,
    ReceptionSession,
    SealedObject,
)
from storage.pages import page_picture
from storage.queries import sessions as queries
from storage.queries.sessions import HEARD_PARTS, LIVE
from storage.runtime import runtime
from storage.sealed import read_object
from storage.subjects import petition_subject
from workflows.access import VISITOR, Actor, Permission, decide
from workflows.errors import Conflict, NotFound, Unavailable
from workflows.secrecy import Secrecy

KEPT_S, KEPT_PAGES = 60.0, 12
WAIT_S = 3.0


@dataclass(frozen=True)
class Paper:
    """An attachment as the viewer lists it."""

    id: UUID
    name: str
    pages: int
    visit: int
    heard: str


@dataclass(frozen=True)
class Asker:
    """Who asks for papers: a participant, and the log-in if there is one."""

    participant_id: UUID
    actor: Actor = VISITOR


def name_of(attachment: Attachment) -> str:
    """The file's own name."""
    return open_field("attachment", "file_name", attachment.id, attachment.file_name_sealed)


# --- who may see what ----------------------------------------------------------------------------


def _inside(work: Work, meeting_id: UUID, asker: Asker) -> Participant:
    """The participant, in the room or at its desk. Raises NotFound."""
    me = work.get(Participant, asker.participant_id)
    if me.reception_session_id != meeting_id or not (me.part in DESK or me.state in INSIDE):
        raise NotFound
    return me


def _locked(petition: Petition) -> bool:
    """A denunciation, or a matter kept outside the system: never before the room."""
    closed = (Secrecy.COMPARTMENT.value, Secrecy.OFF_SYSTEM.value)
    return petition.kind == "denunciation" or petition.secrecy in closed


def _may_see(work: Work, me: Participant, petition: Petition, actor: Actor) -> bool:
    if actor is VISITOR:
        own = me.petition_id == petition.id and me.part in HEARD_PARTS
        return own and not _locked(petition)
    subject = petition_subject(work.db_session, petition)
    return bool(decide(actor, Permission.ATTACHMENT_SEE, subject))


def papers(meeting_id: UUID, asker: Asker) -> tuple[Paper, ...]:
    """What this person may open beside the faces, in the order of the agenda."""
    with reading() as work:
        me = _inside(work, meeting_id, asker)
        sitting = queries.sitting(work.db_session, work.get(ReceptionSession, meeting_id))
        return tuple(_papers(work, sitting, me, asker.actor))


def _papers(work: Work, sitting: queries.Sitting, me: Participant, actor: Actor) -> Iterator[Paper]:
    for item in sitting.agenda:
        petition = sitting.petitions.get(item.petition_id) if item.petition_id else None
        if petition is None or not _may_see(work, me, petition, actor):
            continue
        for row in queries.attachments_of(work.db_session, petition.id):
            yield Paper(row.id, name_of(row), row.pages or 1, item.seq, sitting.heard_in(item))


def _on_the_agenda(
    work: Work, meeting_id: UUID, attachment_id: UUID
) -> tuple[Attachment, Petition]:
    """The attachment of a petition that this session hears. Raises NotFound."""
    found = work.get(Attachment, attachment_id)
    heard = queries.petition_ids_of(work.db_session, meeting_id)
    if found.removed_at is not None or found.petition_id not in heard:
        raise NotFound
    return found, work.get(Petition, found.petition_id)


def open_paper(meeting_id: UUID, attachment_id: UUID, asker: Asker) -> int:
    """Open a paper for oneself; kept as an event and an audit leaf. Returns its pages."""
    with unit_of_work() as work:
        me = _inside(work, meeting_id, asker)
        paper, petition = _on_the_agenda(work, meeting_id, attachment_id)
        if not _may_see(work, me, petition, asker.actor):
            raise NotFound
        if not _has_opened(work, me, attachment_id):
            steps.tell_presence(
                work, meeting_id, "paper_opened", of=me.id, attachment=str(paper.id)
            )
            work.audit(
                "attachment_opened",
                paper,
                by=asker.actor.account_id,
                petition=petition.id,
                participant=me.id,
            )
        return paper.pages or 1


def _has_opened(work: Work, me: Participant, attachment_id: UUID) -> bool:
    events = work.db_session.query(PresenceEvent).filter(
        PresenceEvent.participant_id == me.id, PresenceEvent.kind == "paper_opened"
    )
    return any(event.detail.get("attachment") == str(attachment_id) for event in events)


# --- pages ---------------------------------------------------------------------------------------


def picture(meeting_id: UUID, attachment_id: UUID, page: int, asker: Asker) -> bytes:
    """One page as a JPEG: of a paper opened before, or the page that is shown to all.

    Raises NotFound, PageUnreadable, StoreUnavailable.
    """
    with reading() as work:
        me = _inside(work, meeting_id, asker)
        paper, petition = _on_the_agenda(work, meeting_id, attachment_id)
        if not 1 <= page <= (paper.pages or 1):
            raise NotFound
        shown = shown_in(work, meeting_id)
        is_shown = shown is not None and (shown.id, shown.page) == (attachment_id, page)
        opened = _may_see(work, me, petition, asker.actor) and _has_opened(work, me, paper.id)
        if not (is_shown or opened):
            raise NotFound
        sealed = work.get(SealedObject, paper.sealed_object_id)
        media_type = paper.media_type
    return _drawn(sealed, media_type, page)


_drawn_pages: dict[tuple[UUID, int], tuple[float, bytes]] = {}
_drawn_lock = threading.Lock()
_drawing = threading.BoundedSemaphore(2)  # a slow paper must not take every thread of the pages


def _drawn(sealed: SealedObject, media_type: str, page: int) -> bytes:
    """The picture, kept in memory for a minute: a page that is shown is asked for by everybody."""
    now = time.monotonic()
    with _drawn_lock:
        for key, (at, _) in list(_drawn_pages.items()):
            if now - at > KEPT_S:
                del _drawn_pages[key]
        known = _drawn_pages.get((sealed.id, page))
    if known is not None:
        return known[1]
    if not _drawing.acquire(timeout=WAIT_S):
        raise Unavailable("Nhiều trang đang được mở cùng lúc. Chờ vài giây rồi mở lại trang này.")
    try:
        made = page_picture(read_object(sealed), media_type, page, scratch=runtime().spool_dir)
    finally:
        _drawing.release()
    with _drawn_lock:
        if len(_drawn_pages) < KEPT_PAGES:
            _drawn_pages[sealed.id, page] = (now, made)
    return made


# --- shown to all --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """The page that everybody inside sees at this moment."""

    id: UUID
    page: int
    pages: int
    name: str


def shown_in(work: Work, meeting_id: UUID) -> Shown | None:
    """What the desk shows everybody; nothing of a matter locked away since."""
    event = queries.newest_presence(work.db_session, meeting_id, ("paper_shown", "paper_hidden"))
    if event is None or event.kind == "paper_hidden":
        return None
    paper = work.get(Attachment, UUID(event.detail["attachment"]))
    if paper.removed_at is not None or paper.petition_id is None:
        return None
    if _locked(work.get(Petition, paper.petition_id)):
        return None
    return Shown(paper.id, int(event.detail["page"]), paper.pages or 1, name_of(paper))


def _at_desk(work: Work, meeting_id: UUID, by: Actor) -> ReceptionSession:
    meeting = steps.lock(work, meeting_id)
    if by.account_id not in (meeting.presiding_id, meeting.clerk_id):
        facts.ensure_runs(work.db_session, by, Permission.SESSION_ADMIT, meeting)
    if meeting.state not in LIVE:
        raise Conflict("Mở phiên rồi mới cho cả phòng xem giấy tờ được.")
    return meeting


def show(meeting_id: UUID, attachment_id: UUID, page: int, *, by: Actor) -> None:
    """Show one page to everybody inside; the first time it is noted in the minutes.

    Raises Conflict for a denunciation's papers, NotFound for what one may not open oneself.
    """
    with unit_of_work() as work:
        _at_desk(work, meeting_id, by)
        paper, petition = _on_the_agenda(work, meeting_id, attachment_id)
        if not decide(by, Permission.ATTACHMENT_SEE, petition_subject(work.db_session, petition)):
            raise NotFound
        if _locked(petition):
            raise Conflict("Giấy tờ của đơn tố cáo được giữ kín, không cho cả phòng xem.")
        if not 1 <= page <= (paper.pages or 1):
            raise NotFound
        steps.tell_presence(work, meeting_id, "paper_shown", attachment=str(paper.id), page=page)
        _note_once(work, meeting_id, paper, by)


def _note_once(work: Work, meeting_id: UUID, paper: Attachment, by: Actor) -> None:
    key = f"shown:{meeting_id}:{paper.id}"
    if work.db_session.query(Marker.id).filter(Marker.idempotency_key == key).first():
        return
    running = queries.running_item(work.db_session, meeting_id)
    steps.add_marker(
        work,
        meeting_id,
        kind="document",
        text=f"Trình giấy tờ: {name_of(paper)}.",
        key=key,
        by=by.account_id,
        agenda_item_id=running.id if running else None,
    )
    work.audit("paper_shown_to_all", paper, by=by.account_id, reception_session=meeting_id)


def hide(meeting_id: UUID, *, by: Actor) -> None:
    """Stop showing."""
    with unit_of_work() as work:
        meeting = steps.lock(work, meeting_id)
        if by.account_id not in (meeting.presiding_id, meeting.clerk_id):
            facts.ensure_runs(work.db_session, by, Permission.SESSION_ADMIT, meeting)
        if shown_in(work, meeting_id) is not None:
            steps.tell_presence(work, meeting_id, "paper_hidden")
