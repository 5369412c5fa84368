"""Personal links and the waiting room: who gets how far, and what they are told."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask.testing import FlaskClient

from reception.sessions import conduct_operations, ready_operations, steps
from tests.support.factories import Factories
from tests.support.meetings import (
    HEARD,
    Cast,
    end,
    make_ready,
    open_without_media,
    participant,
    schedule,
    set_clock,
    sitting,
    token_of,
    wait_outside,
)
from tests.support.meetings import local as at


@pytest.fixture
def meeting_id(ready_meeting: UUID) -> UUID:
    return ready_meeting


def test_personal_link_opens_the_page_and_lets_it_use_the_camera(
    client: FlaskClient, meeting_id: UUID
) -> None:
    answer = client.get(f"/vao-phong/{token_of(meeting_id)}")
    assert answer.status_code == 200
    assert "camera=(self)" in answer.headers["Permissions-Policy"]
    text = answer.get_data(as_text=True)
    assert "Điểu Minh" in text
    assert "Chưa ai khác nhìn thấy" in text


def test_unknown_link_is_not_found(client: FlaskClient, meeting_id: UUID) -> None:
    assert client.get("/vao-phong/0123456789abcdef0123456789abcdef").status_code == 404


def test_guessing_links_is_slowed_down(client: FlaskClient, meeting_id: UUID) -> None:
    answers = [client.get(f"/vao-phong/{number:032x}").status_code for number in range(32)]
    assert answers[0] == 404
    assert answers[-1] == 429


def test_link_of_another_session_opens_nothing_here(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    set_clock(at(17))
    other = schedule(factories, cast, idempotency_key="another", visits=(), interpreter="Thị Hương")
    token = token_of(other, "interpreter")
    headers = {"X-Join-Token": token}
    assert client.get(f"/phien/{meeting_id}/tinh-trang", headers=headers).status_code == 404
    assert client.post(f"/phien/{meeting_id}/ve", headers=headers).status_code == 404
    assert client.get(f"/phien/{other}/tinh-trang", headers=headers).status_code == 200


def test_stranger_without_a_link_is_told_nothing(client: FlaskClient, meeting_id: UUID) -> None:
    assert client.get(f"/phien/{meeting_id}/tinh-trang").status_code == 404
    assert client.post(f"/phien/{meeting_id}/ve").status_code == 404


def test_staff_who_are_not_invited_do_not_come_in(
    client: FlaskClient, factories: Factories, meeting_id: UUID
) -> None:
    from workflows.access import Role

    other = factories.officer(Role.BOARD_OFFICER)
    page = factories.log_in(client, other)
    assert page.get(f"/phien/{meeting_id}/phong").status_code == 404
    assert page.post(f"/phien/{meeting_id}/ve").status_code == 404


def test_before_the_doors_open_the_page_says_when(client: FlaskClient, meeting_id: UUID) -> None:
    set_clock(at(26, 5, 59))
    token = token_of(meeting_id)
    text = client.get(f"/vao-phong/{token}").get_data(as_text=True)
    assert "Phòng chờ mở lúc 06:00 ngày 26/11/2026" in text
    assert 'data-testid="enter"' not in text
    answer = client.post(f"/vao-phong/{token}", data={"notice": "1"})
    assert answer.status_code == 409
    set_clock(at(26, 6, 1))
    assert 'data-testid="enter"' in client.get(f"/vao-phong/{token}").get_data(as_text=True)


def test_nobody_goes_in_without_having_seen_the_notice_of_recording(
    client: FlaskClient, meeting_id: UUID
) -> None:
    token = token_of(meeting_id)
    answer = client.post(f"/vao-phong/{token}", data={"camera": "ok"})
    assert answer.status_code == 409
    assert participant(meeting_id, "citizen").notice_seen_at is None
    wait_outside(client, meeting_id)
    seen = participant(meeting_id, "citizen")
    assert seen.notice_seen_at is not None
    assert seen.state == "waiting"


def test_refused_camera_means_taking_part_by_sound(client: FlaskClient, meeting_id: UUID) -> None:
    token = token_of(meeting_id)
    data = {"notice": "1", "camera": "refused", "microphone": "ok"}
    assert client.post(f"/vao-phong/{token}", data=data).status_code == 303
    person = participant(meeting_id, "citizen")
    assert person.audio_only
    assert person.device_check == {"camera": "refused", "microphone": "ok"}


def test_waiting_room_shows_no_names(client: FlaskClient, meeting_id: UUID) -> None:
    token = wait_outside(client, meeting_id)
    text = client.get(f"/vao-phong/{token}/phong").get_data(as_text=True)
    assert "phòng chờ" in text
    assert "Lê Minh Khôi" not in text
    state = client.get(
        f"/phien/{meeting_id}/tinh-trang", headers={"X-Join-Token": token}
    ).get_json()
    assert state["participants"] == []
    assert state["agenda"] == []
    assert state["me"]["state"] == "waiting"


def test_without_leave_to_join_from_home_one_is_asked_to_come(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    made = schedule(factories, cast, home_link_proposal=None, idempotency_key="at the point")
    make_ready(made, cast)
    set_clock(at(26, 7))
    token = token_of(made)
    text = client.get(f"/vao-phong/{token}").get_data(as_text=True)
    assert "cán bộ ở đó đã chuẩn bị sẵn máy" in text
    assert client.post(f"/vao-phong/{token}", data={"notice": "1"}).status_code == 409
    ready_operations.check_identity(made, participant(made, "citizen").id, by=cast.commune.actor)
    assert client.post(f"/vao-phong/{token}", data={"notice": "1"}).status_code == 303


def test_citizen_is_let_in_only_after_the_papers_were_seen(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    wait_outside(client, meeting_id)
    person = participant(meeting_id, "citizen")
    clerk = factories.log_in(client, cast.clerk)
    url = f"/phien/{meeting_id}/nguoi/{person.id}/cho-vao"
    assert clerk.post(url).status_code == 409
    assert clerk.post(url, data={"papers": "1"}).status_code == 303
    person = participant(meeting_id, "citizen")
    assert person.state == "admitted"
    assert person.identity_checked_at is not None


def test_officer_of_a_point_lets_nobody_in(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    wait_outside(client, meeting_id)
    person = participant(meeting_id, "citizen")
    answer = factories.log_in(client, cast.commune).post(
        f"/phien/{meeting_id}/nguoi/{person.id}/cho-vao", data={"papers": "1"}
    )
    assert answer.status_code == 403
    assert participant(meeting_id, "citizen").state == "waiting"


def test_no_ticket_before_admission(client: FlaskClient, cast: Cast, meeting_id: UUID) -> None:
    token = wait_outside(client, meeting_id)
    open_without_media(meeting_id, cast)
    headers = {"X-Join-Token": token, "Accept": "application/json"}
    answer = client.post(f"/phien/{meeting_id}/ve", headers=headers)
    assert answer.status_code == 403
    assert "phòng chờ" in answer.get_json()["error"]


def test_ticket_while_the_media_server_is_down_is_asked_for_again_later(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    token = wait_outside(client, meeting_id)
    open_without_media(meeting_id, cast)
    person = participant(meeting_id, "citizen")
    conduct_operations.admit(meeting_id, person.id, papers_seen=True, by=cast.clerk.actor)
    headers = {"X-Join-Token": token, "Accept": "application/json"}
    answer = client.post(f"/phien/{meeting_id}/ve", headers=headers)
    assert answer.status_code == 503
    assert "vẫn dùng được" in answer.get_json()["error"]


def test_after_the_end_the_link_leads_to_a_friendly_page(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    token = wait_outside(client, meeting_id)
    open_without_media(meeting_id, cast)
    with client.application.app_context():
        end(meeting_id, cast, HEARD)
    for path in (f"/vao-phong/{token}", f"/vao-phong/{token}/phong"):
        answer = client.get(path)
        assert answer.status_code == 410
        assert "Phiên đã kết thúc" in answer.get_data(as_text=True)
    headers = {"X-Join-Token": token}
    assert client.post(f"/phien/{meeting_id}/ve", headers=headers).status_code == 410


def test_session_never_opened_is_over_in_the_evening(client: FlaskClient, meeting_id: UUID) -> None:
    set_clock(at(26, 12, 1))
    assert client.get(f"/vao-phong/{token_of(meeting_id)}").status_code == 410


def test_invitations_are_told_to_whoever_follows_the_petition(
    cast: Cast, meeting_id: UUID, client: FlaskClient
) -> None:
    from storage.database import reading

    with reading() as work:
        (invitation,) = steps.invitations_of(work.db_session, cast.petition_id, now=at(26, 7))
    assert invitation.starts_at == at(26)
    assert invitation.point == sitting(meeting_id).points[1].name
    assert client.get(invitation.path).status_code == 200


def test_clerk_and_chair_go_straight_to_the_desk(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.clerk)
    answer = page.post(f"/phien/{meeting_id}/vao", data={"notice": "1"})
    assert answer.headers["Location"].endswith("/phong")
    text = page.get(answer.headers["Location"]).get_data(as_text=True)
    assert 'data-view="desk"' in text
    assert "Trước khi mở phiên" in text
