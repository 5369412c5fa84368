"""Makes people, accounts and records for tests, through the same doors the application uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import select

from reception.accounts.operations import actor_of, open_login
from storage.database import reading, unit_of_work
from storage.identities import PersonData, keep_person
from storage.models import Account, Post, Unit
from storage.models.base import utc_now
from workflows.access import Actor, Role

PROVINCE = "75"
COMMUNE = "26041"
OTHER_COMMUNE = "26068"


@dataclass(frozen=True)
class Officer:
    """A staff account as the tests need it."""

    account_id: UUID
    person_id: UUID
    actor: Actor


class Factories:
    """Short words for what a test prepares."""

    def unit_id(self, code: str) -> UUID:
        """Id of today's unit with this code."""
        with reading() as work:
            return work.db_session.scalars(select(Unit.id).where(Unit.code == code)).one()

    def officer(self, role: Role, unit_code: str = PROVINCE, name: str = "") -> Officer:
        """A staff member with one post, from before the earliest day a test uses."""
        label = name or f"{role.value} {unit_code}"
        with unit_of_work() as work:
            person = keep_person(work, PersonData(name=label))
            account = work.add(
                Account(
                    kind="staff",
                    person_id=person.id,
                    login=f"{role.value}.{unit_code}.{person.id.hex[-10:]}",
                    display_name=label,
                )
            )
            work.flush()
            unit = work.db_session.scalars(select(Unit).where(Unit.code == unit_code)).one()
            work.add(
                Post(
                    account_id=account.id,
                    role=role.value,
                    unit_id=unit.id,
                    title=label,
                    from_on=date(2020, 1, 1),
                )
            )
        with reading() as work:
            actor, _ = actor_of(work.db_session, account, utc_now().date())
        return Officer(account.id, person.id, actor)

    def log_in(self, client: FlaskClient, officer: Officer) -> FlaskClient:
        """Give the client a live log-in of this officer."""
        token = open_login(officer.account_id, user_agent="test", lasts=timedelta(hours=8))
        with client.session_transaction() as cookie:
            cookie["_user_id"] = token
            cookie["_fresh"] = True
        return client
