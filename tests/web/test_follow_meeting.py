"""The way from following a petition into the room of its online reception."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from storage.database import reading
from storage.identities import PersonData
from storage.models import Petition
from tests.support.factories import Factories
from tests.support.meetings import (
    HEARD,
    Cast,
    end,
    local,
    make_ready,
    open_without_media,
    schedule,
    set_clock,
    token_of,
)

PHONE_END = "2417"


@pytest.fixture
def cast(factories: Factories) -> Cast:
    sender = PersonData(name="Điểu Minh", phone=f"090 000 {PHONE_END}")
    day = date(2026, 11, 20)
    return Cast.gather(factories, submitter=sender, received_on=day, signed_on=day)


@pytest.fixture
def meeting_id(factories: Factories, cast: Cast) -> UUID:
    made = schedule(factories, cast)
    make_ready(made, cast)
    set_clock(local(25))
    return made


def code_of(cast: Cast) -> str:
    with reading() as work:
        return work.get(Petition, cast.petition_id).code


def followed(client: FlaskClient, cast: Cast) -> str:
    """The page of the petition after proving to be its sender."""
    code = code_of(cast)
    client.post("/tra-cuu", data={"code": code, "second": PHONE_END})
    answer = client.get(f"/tra-cuu/{code}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def link_in(page: str) -> str | None:
    found = re.search(r'href="(/vao-phong/[0-9a-f]+)"', page)
    return found[1] if found else None


def test_sender_reads_day_place_and_when_the_room_opens(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    page = followed(client, cast)
    assert "08:00 thứ Năm 26/11/2026" in page
    assert "Hội trường" in page
    assert "Nút “Vào phòng tiếp dân” hiện ở đây lúc 06:00 ngày 26/11" in page
    assert 'data-testid="join-room"' not in page


def test_way_of_the_petition_tells_the_session_and_what_may_follow(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    page = followed(client, cast)
    way = page[page.index("Đơn đã đi đến đâu") :]
    words = ("Đã nhận đơn", "Thứ Năm 26/11/2026", "Xác minh, đối thoại", "Khiếu nại lần hai")
    places = [way.index(each) for each in words]
    assert places == sorted(places)
    assert "Buổi tiếp</text>" in page


def test_machine_may_be_tried_before_the_room_opens(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    link = link_in(followed(client, cast))
    assert link == f"/vao-phong/{token_of(meeting_id)}"
    assert "Phòng chờ mở lúc 06:00" in client.get(link).get_data(as_text=True)


def test_open_room_is_one_press_away_for_the_proven_sender(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    set_clock(local(26, 7))
    page = followed(client, cast)
    assert 'data-testid="join-room"' in page
    assert "Vào phòng tiếp dân" in page
    link = link_in(page)
    assert link is not None
    joining = client.get(link)
    assert joining.status_code == 200
    assert 'data-testid="enter"' in joining.get_data(as_text=True)


def test_without_proof_neither_meeting_nor_link_is_told(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    code = code_of(cast)
    wrong = client.post("/tra-cuu", data={"code": code, "second": "0000"})
    shown = client.get(f"/tra-cuu/{code}", follow_redirects=True)
    for answer in (wrong, shown):
        page = answer.get_data(as_text=True)
        assert link_in(page) is None
        assert "26/11/2026" not in page


def test_sender_of_another_petition_gets_no_link(
    client: FlaskClient, cast: Cast, meeting_id: UUID, factories: Factories
) -> None:
    followed(client, cast)
    sender = PersonData(name="Thị Mai", phone=f"090 111 {PHONE_END}")
    other = Cast.gather(factories, submitter=sender)
    assert link_in(followed(client, other)) is None


def test_link_is_gone_after_the_session_has_ended(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    open_without_media(meeting_id, cast)
    assert link_in(followed(client, cast)) is not None
    with client.application.app_context():
        end(meeting_id, cast, HEARD)
    page = followed(client, cast)
    assert link_in(page) is None
    assert "Vào phòng tiếp dân" not in page


def test_link_is_gone_when_the_session_never_opened(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    set_clock(local(26, 12, 1))
    assert link_in(followed(client, cast)) is None


def test_who_has_to_come_to_the_point_is_told_so(
    client: FlaskClient, cast: Cast, factories: Factories
) -> None:
    made = schedule(factories, cast, home_link_proposal=None)
    make_ready(made, cast)
    set_clock(local(26, 7))
    page = followed(client, cast)
    assert "sớm nửa giờ, mang theo căn cước" in page
    assert "Hội trường" in page
    assert 'data-testid="join-room"' not in page
    link = link_in(page)
    assert link is not None
    assert 'data-testid="enter"' not in client.get(link).get_data(as_text=True)
