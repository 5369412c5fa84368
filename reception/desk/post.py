"""Paper post in batches of 20: one envelope a row, each kept on its own, as often as it is sent.

A letter is received on the day it is entered; the postmark says when it was sent. A wrong row never
holds back the others.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from uuid import UUID

from reception.desk.places import ensure_at
from reception.petitions.steps import NewPetition, is_locked_away, register_petition
from storage.database import Work, reading, unit_of_work
from storage.identities import PersonData, names_of, prepare_vault, seal_field
from storage.keyring import Family
from storage.models import Attachment, Petition, SealedObject
from storage.models.base import new_id
from storage.objects import Bucket
from storage.queries import desk as queries
from storage.sealed import read_object, seal_object
from workflows.access import Actor, Permission
from workflows.errors import BadInput, NotFound
from workflows.secrecy import Secrecy

ROWS = 20
KINDS = ("complaint", "denunciation", "recommendation", "feedback", "unclassified")
REMEMBERED = timedelta(days=31)
MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)


@dataclass(frozen=True)
class Photo:
    """The picture of an envelope as it was sent."""

    data: bytes
    file_name: str


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """One row: who wrote, what the envelope says, and what the letter is about."""

    row: int
    kind: str
    summary: str
    sender: str = ""
    address: str = ""
    anonymous: bool = False
    postmark_on: date | None = None
    forwarded_by: str = ""
    forwarded_number: str = ""
    photo: Photo | None = None


def new_batch(today: date) -> str:
    """A name for a batch: the day and six random characters."""
    return f"{today:%Y%m%d}-{secrets.token_hex(3)}"


def batch_named(text: str) -> str:
    """The batch's name as it was given out. Raises NotFound for anything else."""
    if not re.fullmatch(r"\d{8}-[0-9a-f]{6}", text):
        raise NotFound
    return text


def _prefix(unit_id: UUID, batch: str) -> str:
    return f"post:{unit_id}:{batch}:"


def media_type_of(data: bytes) -> str:
    """What a picture is by its first bytes, whatever its name says. Raises BadInput."""
    for start, media_type in MAGIC:
        if data.startswith(start):
            return media_type
    raise BadInput(
        {"photo": "Tệp này không phải ảnh JPG, PNG hay PDF. Chụp lại phong bì rồi chọn lại."}
    )


def save_envelope(unit_id: UUID, batch: str, envelope: Envelope, *, by: Actor, today: date) -> str:
    """Keep one envelope as a petition; sent again it is the same petition. Returns its code.

    Raises BadInput for the photo, NotAllowed, StepNotAllowed, StoreUnavailable.
    """
    new = _petition(unit_id, batch, envelope, today)
    with reading() as work:
        ensure_at(work, by, Permission.POST_BATCH, unit_id)
    if is_locked_away(new):
        prepare_vault()
    sealed = _seal_photo(envelope.photo, locked=is_locked_away(new))
    with unit_of_work() as work:
        ensure_at(work, by, Permission.POST_BATCH, unit_id)
        petition = register_petition(work, new, by=by.account_id).petition
        if sealed and envelope.photo:
            _keep_photo(work, petition, sealed, envelope.photo, by=by.account_id)
        return petition.code


def _petition(unit_id: UUID, batch: str, envelope: Envelope, today: date) -> NewPetition:
    sender = PersonData(name=envelope.sender, address=envelope.address)
    postmark = envelope.postmark_on.isoformat() if envelope.postmark_on else ""
    return NewPetition(
        kind=envelope.kind,
        content=envelope.summary,
        received_on=today,
        receiving_unit_id=unit_id,
        idempotency_key=f"{_prefix(unit_id, batch)}{envelope.row}",
        channel="post",
        submitter=None if envelope.anonymous else sender,
        anonymous=envelope.anonymous,
        signing="none" if envelope.anonymous else "paper",
        postal={
            "batch": batch,
            "row": envelope.row,
            "postmark_on": postmark,
            "forwarded_by": envelope.forwarded_by,
            "forwarded_number": envelope.forwarded_number,
        },
    )


def _seal_photo(photo: Photo | None, *, locked: bool) -> SealedObject | None:
    """Handwriting on the envelope of a denunciation names its writer: another family of keys."""
    if photo is None:
        return None
    return seal_object(
        photo.data,
        bucket=Bucket.FILES,
        family=Family.DENUNCIATIONS if locked else Family.PETITIONS,
        purpose="attachment",
        media_type=media_type_of(photo.data),
    )


def _keep_photo(
    work: Work, petition: Petition, sealed: SealedObject, photo: Photo, *, by: UUID | None
) -> None:
    """One photo an envelope: a repeat of the same row changes nothing."""
    if petition.id in queries.envelopes_of(work.db_session, [petition.id]):
        return
    attachment_id = new_id()
    work.add(sealed)
    work.flush()
    work.add(
        Attachment(
            id=attachment_id,
            petition_id=petition.id,
            part="envelope",
            file_name_sealed=seal_field("attachment", "file_name", attachment_id, photo.file_name),
            media_type=sealed.media_type,
            size_bytes=len(photo.data),
            sealed_object_id=sealed.id,
        )
    )
    work.audit("envelope_photo_added", petition, by=by, attachment=attachment_id)


def add_photo(petition_id: UUID, photo: Photo, *, by: Actor) -> str:
    """Add the photo of an envelope later. Returns the name of the batch."""
    with reading() as work:
        petition = _own(work, petition_id, by)
        locked = petition.secrecy == Secrecy.COMPARTMENT.value
    sealed = _seal_photo(photo, locked=locked)
    with unit_of_work() as work:
        petition = _own(work, petition_id, by)
        if sealed:
            _keep_photo(work, petition, sealed, photo, by=by.account_id)
    return str((petition.postal or {}).get("batch", ""))


def _own(work: Work, petition_id: UUID, by: Actor) -> Petition:
    petition = work.get(Petition, petition_id)
    if petition.channel != "post":
        raise NotFound
    ensure_at(work, by, Permission.POST_BATCH, petition.receiving_unit_id)
    return petition


def photo_of(petition_id: UUID, *, by: Actor) -> tuple[bytes, str]:
    """The picture of an envelope and its media type; never of a denunciation's."""
    with unit_of_work() as work:
        petition = _own(work, petition_id, by)
        found = queries.envelopes_of(work.db_session, [petition.id]).get(petition.id)
        if found is None or petition.secrecy == Secrecy.COMPARTMENT.value:
            raise NotFound
        sealed = work.get(SealedObject, found.sealed_object_id)
        work.audit("envelope_photo_opened", petition, by=by.account_id, attachment=found.id)
    return read_object(sealed), found.media_type


@dataclass(frozen=True)
class KeptEnvelope:
    """A row that is a petition now, as the batch and its list show it."""

    petition_id: UUID
    row: int
    code: str
    kind: str
    sender: str
    title: str
    received_on: date
    postmark_on: date | None
    forwarded_by: str
    forwarded_number: str
    has_photo: bool
    masked: bool


def batch_of(unit_id: UUID, batch: str, *, by: Actor) -> list[KeptEnvelope]:
    """What is kept of a batch, row by row. Raises NotAllowed, hidden for another unit."""
    with reading() as work:
        ensure_at(work, by, Permission.POST_BATCH, unit_id)
        petitions = queries.batch_rows(
            work.db_session, visible_to=by, unit_id=unit_id, prefix=_prefix(unit_id, batch)
        )
        names = names_of(work.db_session, [p.submitter_id for p in petitions if p.submitter_id])
        photos = queries.envelopes_of(work.db_session, [p.id for p in petitions])
        rows = [_kept(petition, names, petition.id in photos) for petition in petitions]
    return sorted(rows, key=lambda row: row.row)


def _kept(petition: Petition, names: dict[UUID, str], has_photo: bool) -> KeptEnvelope:
    postal = petition.postal or {}
    masked = petition.secrecy == Secrecy.COMPARTMENT.value
    sender = names.get(petition.submitter_id, "") if petition.submitter_id else ""
    return KeptEnvelope(
        petition_id=petition.id,
        row=int(postal.get("row", 0)),
        code=petition.code,
        kind=petition.kind,
        sender="" if masked else sender,
        title=petition.title,
        received_on=petition.received_on,
        postmark_on=date.fromisoformat(postal["postmark_on"])
        if postal.get("postmark_on")
        else None,
        forwarded_by=str(postal.get("forwarded_by", "")),
        forwarded_number=str(postal.get("forwarded_number", "")),
        has_photo=has_photo,
        masked=masked,
    )


@dataclass(frozen=True)
class Batch:
    """A batch of the last month: its name, day and number of letters."""

    name: str
    on: date
    letters: int
    without_photo: int


def recent_batches(unit_id: UUID, *, by: Actor, today: date) -> list[Batch]:
    """Batches of the last 31 days, newest first."""
    with reading() as work:
        ensure_at(work, by, Permission.POST_BATCH, unit_id)
        petitions = queries.post_since(
            work.db_session, visible_to=by, unit_id=unit_id, since=today - REMEMBERED
        )
        photos = queries.envelopes_of(work.db_session, [p.id for p in petitions])

    def name_of(petition: Petition) -> str:
        return str((petition.postal or {}).get("batch", ""))

    in_order = sorted((p for p in petitions if name_of(p)), key=name_of, reverse=True)
    batches = [(name, list(rows)) for name, rows in groupby(in_order, key=name_of)]
    return [
        Batch(name, rows[0].received_on, len(rows), sum(row.id not in photos for row in rows))
        for name, rows in batches
    ]
