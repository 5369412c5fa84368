"""Registering a petition, whatever way it came: one step that online filing, desk and post share.

Public names: NewPetition, Registered, register_petition, keep_searchable, is_locked_away,
look_up_index, DENUNCIATION_TITLE. Nothing here commits.

A denunciation, and any letter whose sender asks for protection, goes into the vault as a whole:
`content` is the text, `parties` and `identity` are JSON objects (see `_parties`, `_identity`). Its
row keeps a neutral title, the unit of the place, and nothing that names a person.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storage.database import Work, is_duplicate
from storage.identities import (
    PersonData,
    keep_denunciation,
    keep_person,
    phone_index,
    seal_field,
)
from storage.models import (
    Account,
    Attachment,
    Involvement,
    LegalRule,
    Person,
    Petition,
    PetitionIdentifier,
    PetitionParty,
    ProcedureRun,
    SearchCounter,
    SearchDocument,
    Unit,
)
from storage.models.base import new_id
from storage.runtime import runtime
from storage.steps import record, start_run
from storage.subjects import kind_of
from workflows.codes import ALPHABET, CodeKind, make_code
from workflows.duplicates import Identifier, IdentifierKind, extract, named
from workflows.errors import Conflict
from workflows.folding import fold, fold_key
from workflows.kinds import Round
from workflows.procedures.guards import Facts
from workflows.secrecy import Secrecy, is_searchable, secrecy_for

DENUNCIATION_TITLE = "Đơn tố cáo (nội dung được giữ kín)"
PROTECTED_TITLE = "Đơn có yêu cầu giữ bí mật (nội dung được giữ kín)"
SECOND_PART_LENGTH = 6
_TITLE_LENGTH = 110

PREFIX = {
    "complaint": CodeKind.COMPLAINT,
    "denunciation": CodeKind.DENUNCIATION,
    "recommendation": CodeKind.FEEDBACK,
    "feedback": CodeKind.FEEDBACK,
}
SIGNED = ("photo", "digital", "paper")


@dataclass(frozen=True, kw_only=True)
class NewPetition:
    """Everything a petition starts with. Dates are legal local dates.

    Give `submitter` (what was typed) or `submitter_id` (a person known already), neither for an
    anonymous letter. `idempotency_key` makes a double submit one petition. `earlier_decisions` are
    dicts of number, date and body. `postal` must not name people: envelope, postmark, number of
    the forwarding body. An empty `title` is made from the first words of the content.
    """

    kind: str
    content: str
    received_on: date
    receiving_unit_id: UUID
    idempotency_key: str
    round: int = 1
    channel: str = "online"
    title: str = ""
    wish: str = ""
    field_code: str | None = None
    respondent: str = ""
    respondent_unit_id: UUID | None = None
    earlier_decisions: tuple[dict[str, str], ...] = ()
    place_unit_id: UUID | None = None
    place_text: str = ""
    happened_on: date | None = None
    holder_unit_id: UUID | None = None
    submitter: PersonData | None = None
    submitter_id: UUID | None = None
    for_whom: str = "self"
    on_behalf_of: str = ""
    anonymous: bool = False
    group_size: int = 1
    representatives: tuple[PersonData, ...] = ()
    signing: str = "none"
    signed_on: date | None = None
    wants_online: bool = False
    support_needs: str = ""
    protection_requested: bool = False
    postal: dict[str, Any] | None = None
    assigned_to: UUID | None = None
    account_id: UUID | None = None
    attachment_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Registered:
    """The petition; `second_part` is readable now and never again, empty when nothing was made.

    `run` is what its further steps hang on, given when it was created now.
    """

    petition: Petition
    second_part: str
    created: bool
    run: ProcedureRun | None = None


def register_petition(work: Work, new: NewPetition, *, by: UUID | None) -> Registered:
    """Keep a new petition and take its first step, in the caller's transaction.

    Call `identities.prepare_vault()` before opening the transaction when `is_locked_away(new)`.
    Raises StepNotAllowed, CalendarGap, Conflict (an attachment that belongs elsewhere).
    """
    known = _by_key(work.db_session, new.idempotency_key)
    if known is not None:
        return Registered(known, "", created=False)
    second_part = _second_part()
    try:
        with work.db_session.begin_nested():
            petition = _keep(work, new, second_part)
    except IntegrityError as error:
        known = _by_key(work.db_session, new.idempotency_key)
        if known is None or not is_duplicate(error, "idempotency_key"):
            raise
        return Registered(known, "", created=False)
    _take_attachments(work, petition, new.attachment_ids)
    _keep_people_and_words(work, petition, new)
    run = _first_step(work, petition, new, by=_named_actor(new, by))
    return Registered(petition, second_part, created=True, run=run)


def is_locked_away(new: NewPetition) -> bool:
    """Whether this letter goes into the vault: a denunciation, or protection is asked for."""
    return new.kind == "denunciation" or new.protection_requested


def look_up_index(code: str, second_part: str) -> bytes:
    """What is kept of the second part: a keyed hash, useless without the keyring."""
    typed = "".join(char for char in second_part.upper() if char.isalnum())
    plain = typed.translate(str.maketrans("ILO", "110"))
    return runtime().fields.blind_index("petition", "look_up", f"{code}|{plain}")


def keep_searchable(work: Work, petition: Petition) -> None:
    """Write, or write anew, what search and duplicate hints know of a petition.

    For a petition that must not be searched, or whose kind nobody has settled, it removes
    everything instead: an unread letter may be a denunciation.
    """
    _forget_words(work, petition.id)
    _write_words(work, petition)


def _write_words(work: Work, petition: Petition) -> None:
    if petition.kind == "unclassified" or not is_searchable(Secrecy(petition.secrecy)):
        return
    text = _words_of(work.db_session, petition)
    work.add(
        SearchDocument(
            search_id=petition.search_id, petition_id=petition.id, exact=text, folded=fold(text)
        )
    )
    for kind, value in sorted(_identifiers(work.db_session, petition, text)):
        work.add(PetitionIdentifier(kind=kind, value=value, petition_id=petition.id))
    work.flush()


# --- the row and what stands beside it -----------------------------------------------------------


def _by_key(db_session: Session, key: str) -> Petition | None:
    return db_session.scalar(select(Petition).where(Petition.idempotency_key == key))


def _second_part() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(SECOND_PART_LENGTH))


def _named_actor(new: NewPetition, by: UUID | None) -> UUID | None:
    """Nobody, when naming the account would name the denouncer in the audit log."""
    return None if is_locked_away(new) and by == new.account_id else by


def _keep(work: Work, new: NewPetition, second_part: str) -> Petition:
    locked = is_locked_away(new)
    code = make_code(PREFIX.get(new.kind, CodeKind.PETITION), secrets.token_bytes(8))
    petition = Petition(
        id=new_id(),
        search_id=next_search_id(work, "petition"),
        code=code,
        kind=new.kind,
        round=new.round,
        title=_title(new),
        field_code=new.field_code,
        place_unit_id=new.place_unit_id,
        channel=new.channel,
        receiving_unit_id=new.receiving_unit_id,
        holder_unit_id=new.holder_unit_id or new.receiving_unit_id,
        for_whom=new.for_whom,
        anonymous=new.anonymous,
        group_size=new.group_size,
        secrecy=_secrecy(new).value,
        signing=new.signing,
        signed_on=new.signed_on,
        wants_online=new.wants_online,
        protection_requested=new.protection_requested,
        received_on=new.received_on,
        assigned_to=new.assigned_to,
        postal=new.postal,
        look_up_hash=look_up_index(code, second_part),
        idempotency_key=new.idempotency_key,
        state="START",
    )
    if not locked:
        _open_fields(work, petition, new)
    work.add(petition)
    work.flush()
    return petition


def _open_fields(work: Work, petition: Petition, new: NewPetition) -> None:
    """What only an unlocked petition keeps in its row."""
    petition.content = new.content or None
    petition.wish = new.wish or None
    petition.respondent = new.respondent or None
    petition.respondent_unit_id = new.respondent_unit_id
    petition.earlier_decisions = list(new.earlier_decisions)
    petition.place_text = new.place_text
    petition.happened_on = new.happened_on
    petition.support_needs = new.support_needs
    petition.account_id = new.account_id
    petition.submitter_id = new.submitter_id or _keep_submitter(work, new)
    if new.on_behalf_of:
        petition.on_behalf_of_sealed = seal_field(
            "petition", "on_behalf_of", petition.id, new.on_behalf_of
        )


def _keep_submitter(work: Work, new: NewPetition) -> UUID | None:
    return keep_person(work, new.submitter).id if new.submitter else None


def next_search_id(work: Work, kind: str) -> int:
    """A fresh small integer that the search index addresses a record by."""
    counter = SearchCounter(kind=kind)
    work.db_session.add(counter)
    work.flush()
    return counter.id


def _secrecy(new: NewPetition) -> Secrecy:
    if is_locked_away(new):
        return Secrecy.COMPARTMENT
    kind = kind_of(new.kind)
    return secrecy_for(kind) if kind else Secrecy.NORMAL


def _title(new: NewPetition) -> str:
    if is_locked_away(new):
        return DENUNCIATION_TITLE if new.kind == "denunciation" else PROTECTED_TITLE
    if new.title.strip():
        return new.title.strip()
    first = new.content.strip().partition("\n")[0].partition(". ")[0].strip()
    if not first:
        return "Đơn gửi bằng ảnh chụp, tệp đính kèm"
    if len(first) <= _TITLE_LENGTH:
        return first
    return first[:_TITLE_LENGTH].rsplit(" ", 1)[0] + "…"


def _take_attachments(work: Work, petition: Petition, ids: Iterable[UUID]) -> None:
    for position, attachment_id in enumerate(ids):
        attachment = work.get_for_update(Attachment, attachment_id)
        if attachment.petition_id is not None or attachment.removed_at is not None:
            raise Conflict("Có tệp đã thuộc về đơn khác. Tải lại trang, gỡ tệp đó rồi gửi lại.")
        attachment.petition_id, attachment.draft_id = petition.id, None
        attachment.position = position
    work.flush()


def _keep_people_and_words(work: Work, petition: Petition, new: NewPetition) -> None:
    if is_locked_away(new):
        keep_denunciation(
            work,
            petition.id,
            content=new.content,
            parties=json.dumps(_parties(new), ensure_ascii=False, default=str),
            identity=json.dumps(_identity(work, new), ensure_ascii=False, default=str),
        )
        return
    for data in new.representatives:
        person = keep_person(work, data)
        work.add(PetitionParty(petition_id=petition.id, person_id=person.id, part="representative"))
    _own(work, petition, new.account_id)
    work.flush()
    _write_words(work, petition)


def _own(work: Work, petition: Petition, account_id: UUID | None) -> None:
    """Whoever filed while signed in may follow the petition after signing in again."""
    account = work.db_session.get(Account, account_id) if account_id else None
    if account is not None and account.person_id is not None and account.kind == "citizen":
        work.add(
            Involvement(
                petition_id=petition.id,
                person_id=account.person_id,
                part="owner",
                reason="filed while signed in",
            )
        )


def _parties(new: NewPetition) -> dict[str, Any]:
    """Who and what is denounced, as the vault keeps it; dates are ISO."""
    return {
        "respondent": new.respondent,
        "respondent_unit_id": new.respondent_unit_id,
        "wish": new.wish,
        "place_text": new.place_text,
        "happened_on": new.happened_on,
        "earlier_decisions": list(new.earlier_decisions),
    }


def _identity(work: Work, new: NewPetition) -> dict[str, Any]:
    """Who denounces, as the vault keeps it: `submitter` and `representatives` are PersonData."""
    submitter = asdict(new.submitter) if new.submitter else None
    return {
        "submitter": submitter,
        "submitter_id": new.submitter_id,
        "account_id": new.account_id,
        "on_behalf_of": new.on_behalf_of,
        "representatives": [asdict(person) for person in new.representatives],
        "support_needs": new.support_needs,
    }


# --- the first step ------------------------------------------------------------------------------


def _first_step(
    work: Work, petition: Petition, new: NewPetition, *, by: UUID | None
) -> ProcedureRun:
    run = start_run(work, "PET", unit_id=petition.holder_unit_id, petition_id=petition.id)
    signed = new.signing in SIGNED
    event = "receive" if signed or new.anonymous else "await_signature"
    facts = Facts(
        kind=kind_of(new.kind),
        round=Round.SECOND if new.round == 2 else Round.FIRST,
        signed=signed,
        anonymous=new.anonymous,
        protection_requested=new.protection_requested,
    )
    record(
        work,
        run,
        event,
        on=new.received_on,
        facts=facts,
        by=by,
        unit_id=new.receiving_unit_id,
        remote=_is_remote(work.db_session, new.place_unit_id),
    )
    petition.clock_starts_on = _clock_start(work.db_session, event, new.received_on)
    work.audit(
        "petition_registered",
        petition,
        by=by,
        channel=new.channel,
        unit=new.receiving_unit_id,
        attachments=len(new.attachment_ids),
    )
    work.tell(
        "petition_registered",
        petition,
        {"petition_id": str(petition.id), "unit_id": str(petition.receiving_unit_id)},
        key=f"petition_registered:{petition.id}",
    )
    return run


def clock_rule(db_session: Session, event: str, on: date) -> LegalRule | None:
    """The rule that says from which step a petition's time counts, in force on a day."""
    name = (
        "clock-start-online-unsigned"
        if event == "await_signature"
        else ("clock-start-online-signed")
    )
    return db_session.scalar(
        select(LegalRule)
        .where(
            LegalRule.code == name,
            LegalRule.effective_from_on <= on,
            or_(LegalRule.effective_to_on.is_(None), LegalRule.effective_to_on >= on),
        )
        .order_by(LegalRule.effective_from_on.desc())
    )


def _clock_start(db_session: Session, event: str, on: date) -> date | None:
    """The day counting starts; None while the rule waits for the signature."""
    rule = clock_rule(db_session, event, on)
    return on if rule is None or rule.value == "receive" else None


def _is_remote(db_session: Session, unit_id: UUID | None) -> bool:
    return unit_id is not None and db_session.get_one(Unit, unit_id).remote


# --- search and duplicates -----------------------------------------------------------------------


def _forget_words(work: Work, petition_id: UUID) -> None:
    for model in (SearchDocument, PetitionIdentifier):
        for row in work.db_session.scalars(select(model).where(model.petition_id == petition_id)):
            work.db_session.delete(row)
    work.flush()


def _words_of(db_session: Session, petition: Petition) -> str:
    place = db_session.get(Unit, petition.place_unit_id) if petition.place_unit_id else None
    earlier = (" ".join(str(value) for value in row.values()) for row in petition.earlier_decisions)
    parts = (
        petition.code,
        petition.title,
        petition.content,
        petition.wish,
        petition.respondent,
        petition.place_text,
        place.full_name if place else "",
        *earlier,
    )
    return "\n".join(part for part in parts if part)


def _identifiers(db_session: Session, petition: Petition, text: str) -> set[tuple[str, str]]:
    """Kind and value of everything that tells matters apart; people's data as keyed hashes."""
    found = set(extract(text)) | set(_submitter_identifiers(db_session, petition))
    if petition.respondent:
        found.add(named(IdentifierKind.NAME, petition.respondent))
    return {(found_one.kind.value, _kept_value(found_one)) for found_one in found}


def _submitter_identifiers(db_session: Session, petition: Petition) -> Iterable[Identifier]:
    person = db_session.get(Person, petition.submitter_id) if petition.submitter_id else None
    if person is None:
        return
    if person.citizen_id_index:
        yield Identifier(IdentifierKind.CITIZEN_ID, person.citizen_id_index.hex())
    if person.phone_index:
        yield Identifier(IdentifierKind.PHONE, person.phone_index.hex())


def _kept_value(identifier: Identifier) -> str:
    """Names and numbers of people are kept as keyed hashes, everything else as it reads."""
    if identifier.kind is IdentifierKind.NAME:
        name = fold_key(identifier.value)
        return runtime().fields.blind_index("petition_identifier", "name", name).hex()
    if identifier.kind is IdentifierKind.PHONE and len(identifier.value) <= 10:
        return (phone_index("0" + identifier.value[-9:]) or b"").hex()
    return identifier.value


__all__ = [
    "DENUNCIATION_TITLE",
    "NewPetition",
    "Registered",
    "clock_rule",
    "is_locked_away",
    "keep_searchable",
    "look_up_index",
    "next_search_id",
    "register_petition",
]
