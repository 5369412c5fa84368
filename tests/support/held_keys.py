"""Many rows with wrapped data keys, as years of objects leave them; nothing lies in the store."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import insert

from reception.cases.steps import open_case
from reception.petitions.steps import NewPetition, register_petition
from storage.database import unit_of_work
from storage.keyring import DataKey, Family, KeyContext
from storage.models import SealedObject
from storage.models.base import new_id
from storage.runtime import runtime
from tests.support.factories import PROVINCE, Factories


def many_sealed_objects(
    number: int, *, klass: str = "open", year: int = 2026, family: str = Family.RECORDINGS
) -> dict[UUID, DataKey]:
    """Rows of sealed objects, and the data key of each."""
    keys: dict[UUID, DataKey] = {}
    rows = []
    for _ in range(number):
        object_id = new_id()
        keys[object_id], wrapped = runtime().keyring.new_data_key(
            family, klass, year, KeyContext("bulk", str(object_id))
        )
        rows.append(
            {
                "id": object_id,
                "bucket": "files",
                "name": f"bulk/{object_id}",
                "version_id": "1",
                "format": "tink-aes256-gcm-hkdf-v1",
                "segment_size": 262144,
                "kid": wrapped.kid,
                "wrapped_key": wrapped.blob,
                "associated_data": f"tcd-object|v1|bulk|{object_id}",
                "plain_size": 0,
                "plain_sha256": bytes(32),
                "sealed_size": 56,
                "sealed_sha256": bytes(32),
            }
        )
    with unit_of_work() as work:
        work.db_session.execute(insert(SealedObject), rows)
    return keys


def a_petition(factories: Factories, unit: str = PROVINCE) -> UUID:
    """A petition with a case of its own, for keys to belong to."""
    with unit_of_work() as work:
        new = NewPetition(
            kind="complaint",
            content="Khiếu nại quyết định thu hồi đất",
            received_on=date(2026, 11, 2),
            receiving_unit_id=factories.unit_id(unit),
            place_unit_id=factories.unit_id(unit),
            signing="paper",
            idempotency_key=uuid4().hex,
        )
        petition = register_petition(work, new, by=None).petition
        if petition.case_id is None:
            open_case(work, petition, on=new.received_on, by=None)
        return petition.id
