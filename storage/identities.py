"""Personal data: sealed fields of people, blind look-up, and the vault of denunciations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from storage.database import Work
from storage.keyring import Family, KeyContext, WrappedKey, open_text, seal_text
from storage.models import (
    Account,
    DenouncerIdentity,
    DenunciationVault,
    Involvement,
    Participant,
    Person,
    PersonNameToken,
    Petition,
    PetitionParty,
    Visit,
)
from storage.models.base import new_id
from storage.runtime import runtime
from workflows.folding import words

TABLE = "person"


@dataclass(frozen=True)
class PersonData:
    """A person in the clear: what was typed or shown, never logged. All fields may be empty."""

    name: str = ""
    salutation: str = ""
    birth_year: str = ""
    citizen_id: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    unit_id: UUID | None = None


def digits(text: str) -> str:
    """Only the digits: identity numbers and phones are compared without spaces and dots."""
    return "".join(char for char in text if char.isdigit())


def _seal(column: str, row_id: UUID, text: str) -> bytes | None:
    return runtime().fields.encrypt(TABLE, column, row_id, text) if text else None


def _index(column: str, text: str) -> bytes | None:
    return runtime().fields.blind_index(TABLE, column, text) if text else None


def citizen_id_index(typed: str) -> bytes | None:
    """Blind index of an identity number."""
    return _index("citizen_id", digits(typed) or typed.strip())


def phone_index(typed: str) -> bytes | None:
    """Blind index of a phone number; +84 and a leading zero are the same."""
    number = digits(typed)
    return _index("phone", "0" + number[2:] if number.startswith("84") else number)


def name_tokens(name: str) -> set[bytes]:
    """Blind index of each folded syllable, so a name is found with or without diacritics."""
    return {runtime().fields.blind_index(TABLE, "name_token", word) for word in words(name)}


def keep_person(work: Work, data: PersonData, *, searchable: bool = True) -> Person:
    """Seal a new person into the database. Denouncers are never kept here."""
    row_id = new_id()
    person = Person(id=row_id, name_sealed=b"")
    _fill(person, data)
    work.add(person)
    work.flush()
    if searchable:
        _keep_tokens(work, row_id, data.name)
    return person


def change_person(work: Work, person: Person, data: PersonData) -> None:
    """Replace the fields of a person."""
    _fill(person, data)
    for token in work.db_session.scalars(
        select(PersonNameToken).where(PersonNameToken.person_id == person.id)
    ):
        work.db_session.delete(token)
    work.flush()
    _keep_tokens(work, person.id, data.name)


def forget_person(work: Work, person_id: UUID) -> bool:
    """Remove a person whom nothing names any more: row, blind indexes and name tokens.

    For a denouncer, whose identity stands in the vault alone. Says whether the person is gone.
    """
    uses: tuple[InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None], ...] = (
        Petition.submitter_id,
        Petition.assigned_to,
        PetitionParty.person_id,
        Visit.person_id,
        Participant.person_id,
        Involvement.person_id,
        Account.person_id,
    )
    work.flush()
    if any(work.db_session.scalar(select(exists().where(use == person_id))) for use in uses):
        return False
    tokens = delete(PersonNameToken).where(PersonNameToken.person_id == person_id)
    work.db_session.execute(tokens)
    work.db_session.execute(delete(Person).where(Person.id == person_id))
    return True


def _keep_tokens(work: Work, person_id: UUID, name: str) -> None:
    for token in sorted(name_tokens(name)):
        work.db_session.add(PersonNameToken(token_index=token, person_id=person_id))


def _fill(person: Person, data: PersonData) -> None:
    person.salutation = data.salutation
    person.name_sealed = runtime().fields.encrypt(TABLE, "name", person.id, data.name)
    person.birth_year_sealed = _seal("birth_year", person.id, data.birth_year)
    person.citizen_id_sealed = _seal("citizen_id", person.id, data.citizen_id)
    person.citizen_id_index = citizen_id_index(data.citizen_id) if data.citizen_id else None
    person.phone_sealed = _seal("phone", person.id, data.phone)
    person.phone_index = phone_index(data.phone) if data.phone else None
    person.email_sealed = _seal("email", person.id, data.email)
    person.address_sealed = _seal("address", person.id, data.address)
    person.unit_id = data.unit_id


def _open(column: str, row_id: UUID, sealed: bytes | None) -> str:
    return runtime().fields.decrypt(TABLE, column, row_id, sealed) if sealed else ""


def person_name(person: Person) -> str:
    """The name alone: what lists need."""
    return _open("name", person.id, person.name_sealed)


def read_person(person: Person) -> PersonData:
    """Every field in the clear."""
    return PersonData(
        name=person_name(person),
        salutation=person.salutation,
        birth_year=_open("birth_year", person.id, person.birth_year_sealed),
        citizen_id=_open("citizen_id", person.id, person.citizen_id_sealed),
        phone=_open("phone", person.id, person.phone_sealed),
        email=_open("email", person.id, person.email_sealed),
        address=_open("address", person.id, person.address_sealed),
        unit_id=person.unit_id,
    )


def find_people(db_session: Session, *, citizen_id: str = "", phone: str = "") -> list[Person]:
    """People with this identity number, else with this phone."""
    for column, index in (
        (Person.citizen_id_index, citizen_id_index(citizen_id) if citizen_id.strip() else None),
        (Person.phone_index, phone_index(phone) if phone.strip() else None),
    ):
        if index is not None:
            found = db_session.scalars(
                select(Person).where(column == index).order_by(Person.created_at.desc())
            ).all()
            if found:
                return list(found)
    return []


def people_named(db_session: Session, name: str, limit: int = 500) -> list[UUID]:
    """Ids of people whose name holds every syllable typed, newest first."""
    tokens = name_tokens(name)
    if not tokens:
        return []
    return list(
        db_session.scalars(
            select(PersonNameToken.person_id)
            .where(PersonNameToken.token_index.in_(tokens))
            .group_by(PersonNameToken.person_id)
            .having(func.count() == len(tokens))
            .order_by(PersonNameToken.person_id.desc())
            .limit(limit)
        )
    )


# --- sealed text that belongs to a record --------------------------------------------------------


def seal_field(table: str, column: str, row_id: UUID, text: str) -> bytes:
    """Seal a text into a column of a record."""
    return runtime().fields.encrypt(table, column, row_id, text)


def open_field(table: str, column: str, row_id: UUID, sealed: bytes | None) -> str:
    """Open a sealed text; empty for nothing."""
    return runtime().fields.decrypt(table, column, row_id, sealed) if sealed else ""


# --- denunciations -------------------------------------------------------------


def _vault_key(purpose: str, petition_id: UUID) -> tuple[bytes, WrappedKey]:
    return runtime().keyring.new_data_key(
        Family.DENUNCIATIONS,
        "open",
        runtime().now().year,
        KeyContext(purpose, str(petition_id)),
    )


def prepare_vault() -> None:
    """Make the year's key of denunciations; call before opening the transaction."""
    runtime().keyring.prepare(Family.DENUNCIATIONS, "open", runtime().now().year)


def keep_denunciation(
    work: Work, petition_id: UUID, *, content: str, parties: str, identity: str
) -> None:
    """Lock content, parties and the denouncer's identity away, each record under its own key."""
    key, wrapped = _vault_key("denunciation", petition_id)
    work.add(
        DenunciationVault(
            petition_id=petition_id,
            kid=wrapped.kid,
            wrapped_key=wrapped.blob,
            content_sealed=seal_text(key, content, f"content|{petition_id}"),
            parties_sealed=seal_text(key, parties, f"parties|{petition_id}"),
        )
    )
    key, wrapped = _vault_key("denouncer", petition_id)
    work.add(
        DenouncerIdentity(
            petition_id=petition_id,
            kid=wrapped.kid,
            wrapped_key=wrapped.blob,
            identity_sealed=seal_text(key, identity, f"identity|{petition_id}"),
        )
    )


def open_denunciation(work: Work, petition_id: UUID, *, by: UUID, reason: str) -> tuple[str, str]:
    """Content and parties; the reading is audited in this transaction. Decide access first."""
    row = work.db_session.scalars(
        select(DenunciationVault).where(DenunciationVault.petition_id == petition_id)
    ).one()
    key = runtime().keyring.unwrap(
        WrappedKey(row.kid, row.wrapped_key), KeyContext("denunciation", str(petition_id))
    )
    work.audit("denunciation_opened", row, by=by, petition=petition_id, reason=reason)
    return (
        open_text(key, row.content_sealed, f"content|{petition_id}"),
        open_text(key, row.parties_sealed, f"parties|{petition_id}"),
    )


def open_denouncer(work: Work, petition_id: UUID, *, by: UUID, reason: str) -> str:
    """Who denounced; the reading and its reason are audited. Decide access first.

    Source: Luật Tố cáo 25/2018/QH14, Điều 8, 56.
    """
    row = work.db_session.scalars(
        select(DenouncerIdentity).where(DenouncerIdentity.petition_id == petition_id)
    ).one()
    key = runtime().keyring.unwrap(
        WrappedKey(row.kid, row.wrapped_key), KeyContext("denouncer", str(petition_id))
    )
    work.audit("denouncer_identity_opened", row, by=by, petition=petition_id, reason=reason)
    return open_text(key, row.identity_sealed, f"identity|{petition_id}")


def names_of(db_session: Session, person_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names of several people at once, for a page of a list."""
    ids = set(person_ids)
    if not ids:
        return {}
    people = db_session.scalars(select(Person).where(Person.id.in_(ids)))
    return {person.id: person_name(person) for person in people}
