"""What somebody with a link, or the wrong post, tries in a running reception session."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.petitions import inbox_operations
from reception.petitions.handling_steps import Finding
from reception.sessions import conduct_operations
from storage.database import reading, unit_of_work
from storage.models import AgendaItem, Participant, Petition
from tests.support.factories import COMMUNE, Factories
from tests.support.meetings import (
    Cast,
    make_ready,
    participant,
    schedule,
    set_clock,
    sitting,
    token_of,
)
from tests.support.meetings import local as at
from workflows.access import Role
from workflows.kinds import PetitionKind


@pytest.fixture
def meeting_id(open_meeting: UUID) -> UUID:
    return open_meeting


def _strict(text: str) -> object:
    """JSON as a browser reads it: NaN and Infinity are no numbers there."""

    def refuse(word: str) -> object:
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("loss", ["nan", "inf", "-inf", "1e999"])
def test_number_that_is_none_does_not_break_the_page_of_everybody(
    client: FlaskClient, cast: Cast, meeting_id: UUID, loss: str
) -> None:
    conduct_operations.admit(
        meeting_id, participant(meeting_id, "citizen").id, papers_seen=True, by=cast.clerk.actor
    )
    headers = {"X-Join-Token": token_of(meeting_id)}
    answer = client.get(
        f"/phien/{meeting_id}/tinh-trang?media=connected&loss={loss}&rtt={loss}", headers=headers
    )
    assert answer.status_code == 200
    _strict(answer.get_data(as_text=True))


@pytest.mark.parametrize("word", ["nan", "inf"])
def test_number_that_is_none_is_not_kept_of_a_device(
    client: FlaskClient, factories: Factories, cast: Cast, word: str
) -> None:
    made = schedule(factories, cast)
    make_ready(made, cast)
    set_clock(at(26, 7))
    answer = client.post(
        f"/vao-phong/{token_of(made)}", data={"notice": "1", "camera": "ok", "loss": word}
    )
    assert answer.status_code == 303
    assert "loss" not in (participant(made, "citizen").device_check or {})


def test_who_was_sent_out_does_not_come_back_with_the_common_room(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    person = participant(meeting_id, "citizen")
    conduct_operations.admit(meeting_id, person.id, papers_seen=True, by=cast.clerk.actor)
    with unit_of_work() as work:
        row = work.get(Participant, person.id)
        row.state = "in_room"
    from reception.sessions.blueprint import pool

    with client.application.test_request_context():
        conduct_operations.send_out(meeting_id, person.id, by=cast.clerk.actor, pool=pool())
    assert (
        client.post(f"/vao-phong/{token_of(meeting_id)}", data={"notice": "1"}).status_code == 303
    )
    again = participant(meeting_id, "citizen")
    assert again.state == "waiting"
    assert again.admitted_at is None, "reopening the common room lets in whoever was admitted"


def test_technician_of_a_point_does_not_vouch_for_papers(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    made = schedule(factories, cast)
    citizen = participant(made, "citizen")
    technician = factories.officer(Role.POINT_TECHNICIAN, COMMUNE)
    page = factories.log_in(client, technician)
    answer = page.post(f"/phien/{made}/giay-to/{citizen.id}", data={"point": str(citizen.point_id)})
    assert answer.status_code in (403, 404)
    assert participant(made, "citizen").identity_checked_at is None
    officer = factories.log_in(client, cast.commune)
    answer = officer.post(
        f"/phien/{made}/giay-to/{citizen.id}", data={"point": str(citizen.point_id)}
    )
    assert answer.status_code == 303
    assert participant(made, "citizen").identity_checked_at is not None


def test_letter_found_to_be_a_denunciation_leaves_no_name_in_its_session(
    factories: Factories, cast: Cast
) -> None:
    made = schedule(factories, cast)
    with unit_of_work() as work:
        petition = work.get(Petition, cast.petition_id)
        petition.kind = "unclassified"
    chair = factories.officer(Role.BOARD_OFFICER)
    with reading() as work:
        seen = inbox_operations.Seen(work.get(Petition, cast.petition_id).version)
    inbox_operations.classify(
        cast.petition_id,
        Finding(kind=PetitionKind.DENUNCIATION),
        seen,
        by=chair.actor,
        on=at(18).date(),
    )
    with reading() as work:
        titles = work.db_session.scalars(select(AgendaItem.title)).all()
        invited = work.db_session.scalars(
            select(Participant).where(Participant.petition_id == cast.petition_id)
        ).all()
    assert titles == ["Đơn tố cáo (nội dung được giữ kín)"]
    assert "Điểu Minh" not in sitting(made).names.values()
    assert [person.person_id for person in invited] == [None]


def test_id_that_is_none_is_not_found_instead_of_a_fault(
    client: FlaskClient, factories: Factories
) -> None:
    cast = Cast.gather(factories)
    meeting_id = schedule(factories, cast)
    page = factories.log_in(client, cast.clerk)
    answer = page.post(f"/phien/{meeting_id}/nguoi-du", data={"name": "A", "point": "x"})
    assert answer.status_code == 404
