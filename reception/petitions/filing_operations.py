"""What a citizen does while filing: begin, save, come back, add files, send.

A draft is found by a secret link alone; everything typed is sealed. Sending turns it into one
petition however often it is pressed, and empties the draft but for the receipt.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reception.petitions.steps import NewPetition, is_locked_away, register_petition
from reception.petitions.uploads import (
    MOST_FILES,
    BadFile,
    CheckedFile,
    add_attachment,
    forget_stored,
    seal_as_denunciation,
    seal_file,
)
from storage.database import Work, reading, unit_of_work
from storage.identities import open_field, prepare_vault, seal_field
from storage.jobs import enqueue
from storage.models import Attachment, PetitionDraft, SealedObject, Unit
from storage.models.base import new_id, utc_now
from storage.queries.places import Found, find_places
from workflows.errors import Conflict, DomainError, NotFound

DRAFT_LIVES = timedelta(days=30)
RECEIPT_LIVES = timedelta(hours=24)
FORGET_JOB = "petitions.forget_draft"
UPLOAD_PARTS = ("evidence", "signed_petition", "digital_petition", "authority")


class DraftExpired(DomainError):
    """The draft was not sent within its thirty days, or its receipt page has closed."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__(
            "Trang phiếu này đã đóng. Dùng mã đơn trên phiếu để xem đơn đang ở bước nào."
            if sent
            else "Bản nháp này đã quá 30 ngày nên được xóa để giữ kín thông tin. "
            "Hãy bắt đầu đơn mới."
        )
        self.sent = sent


class EditedElsewhere(Conflict):
    """The same page was saved in another window meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "Trang này vừa được sửa ở cửa sổ khác. Nội dung ông/bà vừa gõ còn ở đây: "
            "đọc lại rồi bấm Lưu lần nữa."
        )


@dataclass(frozen=True)
class DraftFile:
    """A file of a draft or petition, as its sender sees it."""

    id: UUID
    name: str
    part: str
    media_type: str
    size_bytes: int
    pages: int | None


@dataclass(frozen=True)
class Draft:
    """An unfinished petition in the clear, for the page that is being made."""

    id: UUID
    token: str
    page: str
    answers: dict[str, dict[str, Any]]
    typing: dict[str, dict[str, list[str]]]
    files: tuple[DraftFile, ...]
    receipt: dict[str, Any] | None
    updated_at: datetime
    expires_at: datetime

    def of(self, page: str) -> dict[str, Any]:
        """What was answered on a page."""
        return self.answers.get(page, {})

    @property
    def kind(self) -> str:
        """The kind chosen so far."""
        return str(self.of("loai-don").get("kind") or "unclassified")

    @property
    def for_whom(self) -> str:
        """For whom, or "anonymous"."""
        return str(self.of("nguoi-gui").get("for_whom", ""))

    @property
    def on_paper(self) -> bool:
        """Whether the whole petition is a photograph of paper."""
        return self.of("cach-viet").get("way") == "photo"

    @property
    def parts(self) -> dict[str, int]:
        """How many files of each part there are."""
        return Counter(file.part for file in self.files)

    def seen(self, page: str) -> str:
        """A mark of what a page held when it was shown."""
        kept = json.dumps(self.of(page), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(kept.encode()).hexdigest()[:16]


# --- beginning, opening, saving ------------------------------------------------------------------


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def start_draft(*, kind: str, round_number: int, account_id: UUID | None) -> str:
    """Begin a petition; returns the secret that leads back to it."""
    token = secrets.token_urlsafe(24)
    draft_id = new_id()
    answers = {"loai-don": {"kind": kind, "round": str(round_number) if round_number else ""}}
    expires_at = utc_now() + DRAFT_LIVES
    with unit_of_work() as work:
        work.add(
            PetitionDraft(
                id=draft_id,
                token_hash=_hash(token),
                account_id=account_id if kind != "denunciation" else None,
                channel="online",
                page="nguoi-gui",
                data_sealed=_seal(draft_id, {"answers": answers}),
                expires_at=expires_at,
            )
        )
        _forget_at(work, draft_id, expires_at)
    return token


def _forget_at(work: Work, draft_id: UUID, at: datetime) -> None:
    enqueue(
        work.db_session,
        FORGET_JOB,
        {"draft_id": str(draft_id)},
        dedupe_key=f"{FORGET_JOB}:{draft_id}:{at:%Y%m%d%H%M}",
        run_after_at=at + timedelta(minutes=1),
    )


def _seal(draft_id: UUID, data: Mapping[str, Any]) -> bytes:
    text = json.dumps(data, ensure_ascii=False, default=str)
    return seal_field("petition_draft", "data", draft_id, text)


def _open(row: PetitionDraft) -> dict[str, Any]:
    opened: dict[str, Any] = json.loads(
        open_field("petition_draft", "data", row.id, row.data_sealed)
    )
    return opened


def open_draft(token: str) -> Draft:
    """The draft of this secret. Raises NotFound for an unknown one, DraftExpired."""
    with reading() as work:
        return _draft(work.db_session, _row(work, token), token)


def _row(work: Work, token: str, *, for_update: bool = False) -> PetitionDraft:
    query = select(PetitionDraft).where(PetitionDraft.token_hash == _hash(token))
    if for_update:
        query = query.with_for_update()
    row = work.db_session.scalar(query)
    if row is None:
        raise NotFound
    if row.expires_at <= utc_now():
        raise DraftExpired(sent=row.petition_id is not None)
    return row


def _draft(db_session: Session, row: PetitionDraft, token: str) -> Draft:
    data = _open(row)
    return Draft(
        id=row.id,
        token=token,
        page=row.page,
        answers=data.get("answers", {}),
        typing=data.get("typing", {}),
        files=_files(db_session, row.id),
        receipt=data.get("receipt"),
        updated_at=row.updated_at,
        expires_at=row.expires_at,
    )


def _files(db_session: Session, draft_id: UUID) -> tuple[DraftFile, ...]:
    rows = db_session.scalars(
        select(Attachment)
        .where(Attachment.draft_id == draft_id, Attachment.removed_at.is_(None))
        .order_by(Attachment.created_at, Attachment.id)
    )
    return tuple(as_file(row) for row in rows)


def as_file(row: Attachment) -> DraftFile:
    """A file with its name in the clear."""
    name = open_field("attachment", "file_name", row.id, row.file_name_sealed)
    return DraftFile(row.id, name, row.part, row.media_type, row.size_bytes, row.pages)


def _open_for_change(work: Work, token: str) -> tuple[PetitionDraft, dict[str, Any]]:
    row = _row(work, token, for_update=True)
    if row.petition_id is not None:
        raise Conflict("Đơn này đã gửi rồi. Muốn bổ sung, tra cứu đơn bằng mã rồi gửi thêm.")
    return row, _open(row)


def save_page(token: str, page: str, answers: dict[str, Any], *, seen: str) -> Draft:
    """Keep one page. Raises EditedElsewhere when it no longer holds what was shown."""
    with unit_of_work() as work:
        row, data = _open_for_change(work, token)
        before = _draft(work.db_session, row, token)
        if seen and seen != before.seen(page) and answers != before.of(page):
            raise EditedElsewhere
        data.setdefault("answers", {})[page] = answers
        data.get("typing", {}).pop(page, None)
        row.page = page
        if page == "loai-don" and answers.get("kind") == "denunciation":
            row.account_id = None
        _write(row, data)
        work.flush()
        return _draft(work.db_session, row, token)


def keep_typing(token: str, page: str, typed: dict[str, list[str]]) -> datetime:
    """Keep what is being typed, unchecked; the page shows it again after a break."""
    with unit_of_work() as work:
        row, data = _open_for_change(work, token)
        data.setdefault("typing", {})[page] = typed
        _write(row, data)
        return row.updated_at


def _write(row: PetitionDraft, data: dict[str, Any]) -> None:
    row.data_sealed = _seal(row.id, data)
    row.updated_at = utc_now()


# --- files ---------------------------------------------------------------------------------------


def add_file(token: str, file: CheckedFile, *, part: str) -> DraftFile:
    """Seal a checked file and keep it with the draft. Raises BadFile, StoreUnavailable."""
    draft = open_draft(token)
    if draft.receipt is not None:
        raise Conflict("Đơn này đã gửi rồi. Muốn bổ sung, tra cứu đơn bằng mã rồi gửi thêm.")
    if len(draft.files) >= MOST_FILES:
        raise BadFile(file.name, f"một đơn gửi kèm nhiều nhất {MOST_FILES} tệp.")
    if part == "digital_petition" and not file.signed:
        raise BadFile(file.name, "tệp PDF này chưa có chữ ký số. Ký số rồi gửi lại.")
    sealed = seal_file(file, locked_away=draft.kind == "denunciation")
    with unit_of_work() as work:
        _open_for_change(work, token)
        return as_file(add_attachment(work, sealed, file, part=part, draft_id=draft.id))


def remove_file(token: str, attachment_id: UUID) -> None:
    """Take a file out of the draft; its sealed bytes go too."""
    with unit_of_work() as work:
        row, _data = _open_for_change(work, token)
        attachment = work.get_for_update(Attachment, attachment_id)
        if attachment.draft_id != row.id:
            raise NotFound
        sealed = work.get(SealedObject, attachment.sealed_object_id)
        work.db_session.delete(attachment)
        work.flush()
        work.db_session.delete(sealed)
    forget_stored(sealed)


# --- sending -------------------------------------------------------------------------------------


def find(text: str, bodies: bool) -> Found:
    """Units that a typed name may mean."""
    with reading() as work:
        return find_places(work.db_session, text, bodies=bodies)


@dataclass(frozen=True)
class Route:
    """What decides where a petition goes first."""

    kind: str
    second_round: bool
    about_leader: bool
    about_unit: UUID | None
    place_unit: UUID | None


def receiving_unit(route: Route) -> Unit:
    """Where the petition goes first. Whoever receives it may still transfer it.

    A second complaint, and a denunciation of a leader or of nobody knows whom, go to the province
    (Luật Khiếu nại, Điều 21; Luật Tố cáo, Điều 13), everything else to the body it is about.
    """
    with reading() as work:
        db_session = work.db_session
        province = db_session.scalars(select(Unit).where(Unit.kind == "province")).one()
        if route.second_round or (route.kind == "denunciation" and route.about_leader):
            return province
        body = db_session.get(Unit, route.about_unit) if route.about_unit else None
        if body is not None and body.kind in ("commune", "department"):
            return body
        here = db_session.get(Unit, route.place_unit) if route.place_unit else None
        return here or province


def send(token: str, new: NewPetition) -> Draft:
    """Turn the draft into one petition; a second press finds the first."""
    if is_locked_away(new):
        prepare_vault()
    with unit_of_work() as work:
        row = _row(work, token, for_update=True)
        if row.petition_id is None:
            _register(work, row, new)
        return _draft(work.db_session, row, token)


def _register(work: Work, row: PetitionDraft, new: NewPetition) -> None:
    if is_locked_away(new):
        _lock_files(work, row.id)
    done = register_petition(work, new, by=new.account_id)
    row.petition_id = done.petition.id
    row.expires_at = utc_now() + RECEIPT_LIVES
    row.account_id = None if is_locked_away(new) else new.account_id
    receipt = {
        "code": done.petition.code,
        "second_part": done.second_part,
        "name": "" if is_locked_away(new) else _addressed(new),
        "phone_given": bool(new.submitter and new.submitter.phone) and not is_locked_away(new),
        "files": len(new.attachment_ids),
    }
    _write(row, {"receipt": receipt})
    _forget_at(work, row.id, row.expires_at)
    work.flush()


def _addressed(new: NewPetition) -> str:
    """The sender as the receipt writes it."""
    if new.submitter is None:
        return ""
    return f"{new.submitter.salutation} {new.submitter.name}".strip()


def _lock_files(work: Work, draft_id: UUID) -> None:
    """Files sent before anybody knew that it is a denunciation change to its keys."""
    query = (
        select(SealedObject)
        .join(Attachment, Attachment.sealed_object_id == SealedObject.id)
        .where(Attachment.draft_id == draft_id)
    )
    for sealed in work.db_session.scalars(query):
        seal_as_denunciation(sealed, now=utc_now())


# --- forgetting ----------------------------------------------------------------------------------


def expired_files(draft_id: UUID) -> list[SealedObject]:
    """Sealed files that still belong to a draft whose time is over."""
    with reading() as work:
        row = work.db_session.get(PetitionDraft, draft_id)
        if row is None or row.expires_at > utc_now():
            return []
        return list(
            work.db_session.scalars(
                select(SealedObject)
                .join(Attachment, Attachment.sealed_object_id == SealedObject.id)
                .where(Attachment.draft_id == draft_id)
            )
        )


def empty_draft(work: Work, draft_id: UUID) -> None:
    """Drop what an expired draft holds; its row stays so that the link can say what happened."""
    row = work.db_session.get(PetitionDraft, draft_id)
    if row is None or row.expires_at > utc_now():
        return
    for attachment in work.db_session.scalars(
        select(Attachment).where(Attachment.draft_id == draft_id)
    ):
        sealed = work.get(SealedObject, attachment.sealed_object_id)
        work.db_session.delete(attachment)
        work.flush()
        work.db_session.delete(sealed)
    _write(row, {})
    row.account_id = None
