"""Joining from home: proposed by who schedules, decided by the head; until then at the point."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from storage.database import reading
from storage.models import AuditLeaf, ReceptionSession
from tests.support.factories import PROVINCE, Factories
from tests.support.meetings import (
    Cast,
    make_ready,
    open_without_media,
    participant,
    set_clock,
    sitting,
    token_of,
    wait_outside,
)
from tests.support.meetings import local as at
from tests.web.test_sessions_schedule import typed
from workflows.access import Role

WHY = "Người cao tuổi ở xa"


@pytest.fixture
def proposed(client: FlaskClient, factories: Factories, cast: Cast) -> UUID:
    """Ready for tomorrow; the officer who scheduled it proposed joining from home."""
    form = typed(factories, cast, home_link="1", home_link_reason=WHY)
    assert factories.log_in(client, cast.clerk).post("/phien/moi", data=form).status_code == 303
    with reading() as work:
        meeting_id = work.db_session.scalars(select(ReceptionSession.id)).one()
    make_ready(meeting_id, cast)
    set_clock(at(26, 7))
    return meeting_id


def decide(page: FlaskClient, meeting_id: UUID, decision: str, reason: str = WHY) -> int:
    data = {"decision": decision, "reason": reason}
    return page.post(f"/phien/{meeting_id}/du-tu-nha", data=data).status_code


def enters(client: FlaskClient, meeting_id: UUID) -> bool:
    """Whether the personal link leads into the waiting room from anywhere."""
    visitor = client.application.test_client()
    url = f"/vao-phong/{token_of(meeting_id)}"
    return visitor.post(url, data={"notice": "1"}).status_code == 303


def actions() -> list[tuple[str, UUID | None]]:
    with reading() as work:
        rows = work.db_session.execute(
            select(AuditLeaf.action, AuditLeaf.actor_id)
            .where(AuditLeaf.action.startswith("home_link_"))
            .order_by(AuditLeaf.id)
        )
        return [(action, actor) for action, actor in rows]


def test_what_the_scheduling_officer_ticks_is_only_a_proposal(
    client: FlaskClient, factories: Factories, cast: Cast, proposed: UUID
) -> None:
    meeting = sitting(proposed).meeting
    assert (meeting.home_link_proposal, meeting.home_link_reason) == (WHY, None)
    assert not enters(client, proposed)
    shown = factories.log_in(client, cast.clerk).get(f"/phien/{proposed}/chuan-bi")
    assert f"Đề nghị: {WHY}." in shown.get_data(as_text=True)
    assert "/du-tu-nha" not in shown.get_data(as_text=True)


@pytest.mark.parametrize("decision", ["allow", "take_back"])
def test_officer_of_the_board_is_refused(
    client: FlaskClient, factories: Factories, cast: Cast, proposed: UUID, decision: str
) -> None:
    assert decide(factories.log_in(client, cast.clerk), proposed, decision) == 403
    assert sitting(proposed).meeting.home_link_reason is None


def test_head_of_another_unit_is_refused(
    client: FlaskClient, factories: Factories, cast: Cast, proposed: UUID
) -> None:
    other = factories.officer(Role.COMMUNE_CHAIR, "26119")
    assert decide(factories.log_in(client, other), proposed, "allow") == 404
    assert not enters(client, proposed)


def test_head_allows_it_with_a_reason_and_the_link_works_from_home(
    client: FlaskClient, factories: Factories, cast: Cast, proposed: UUID
) -> None:
    head = factories.log_in(client, factories.officer(Role.BOARD_HEAD, PROVINCE, "Phạm Thị Lan"))
    assert 'data-testid="home-allow"' in head.get(f"/phien/{proposed}/chuan-bi").get_data(True)
    assert decide(head, proposed, "allow", " ") == 303
    assert not enters(client, proposed)
    assert decide(head, proposed, "allow") == 303
    assert enters(client, proposed)
    shown = head.get(f"/phien/{proposed}/chuan-bi").get_data(as_text=True)
    assert f"Được dự từ nhà: {WHY}" in shown
    assert "Phạm Thị Lan" in shown
    assert [action for action, _ in actions()] == ["home_link_proposed", "home_link_allowed"]


def test_head_takes_it_back_and_who_waits_at_home_is_asked_to_come(
    client: FlaskClient, factories: Factories, cast: Cast, proposed: UUID
) -> None:
    head = factories.log_in(client.application.test_client(), cast.chair)
    decide(head, proposed, "allow")
    token = wait_outside(client, proposed)
    assert decide(head, proposed, "take_back", "Có yêu cầu giữ bí mật") == 303
    assert participant(proposed, "citizen").state == "invited"
    assert not enters(client, proposed)
    text = client.get(f"/vao-phong/{token}").get_data(as_text=True)
    assert "cán bộ ở đó đã chuẩn bị sẵn máy" in text
    shown = head.get(f"/phien/{proposed}/chuan-bi").get_data(as_text=True)
    assert "Không cho dự từ nhà: Có yêu cầu giữ bí mật" in shown
    assert actions()[-1] == ("home_link_taken_back", cast.chair.account_id)


def test_once_the_session_is_open_nothing_is_changed(
    client: FlaskClient, factories: Factories, cast: Cast, proposed: UUID
) -> None:
    head = factories.log_in(client, cast.chair)
    decide(head, proposed, "allow")
    open_without_media(proposed, cast)
    assert decide(head, proposed, "take_back") == 409
    assert sitting(proposed).meeting.home_link_reason == WHY


def test_head_who_schedules_decides_with_it(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    form = typed(factories, cast, home_link="1", home_link_reason=WHY)
    assert factories.log_in(client, cast.chair).post("/phien/moi", data=form).status_code == 303
    with reading() as work:
        meeting = work.db_session.scalars(select(ReceptionSession)).one()
    assert meeting.home_link_reason == WHY
    assert meeting.home_link_decided_by == cast.chair.account_id
