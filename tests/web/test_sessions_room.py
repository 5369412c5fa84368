"""The running session: what each page is told, what the desk may do, what stays in the book."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from reception.media_gateway import (
    JanusGateway,
    MediaGateway,
    MediaParticipant,
    MediaRoom,
    MediaServerDown,
)
from reception.sessions import conduct_operations, room_watch
from reception.sessions.media import MediaPool
from reception.settings import settings
from storage.database import reading, unit_of_work
from storage.identities import open_field
from storage.models import AuditLeaf, Participant, Segment, Visit
from storage.models.base import utc_now
from tests.support.factories import Factories
from tests.support.meetings import (
    Cast,
    light_lamp,
    make_ready,
    open_without_media,
    participant,
    recording_of,
    schedule,
    sitting,
    token_of,
)
from workflows.access import Role


@pytest.fixture
def meeting_id(open_meeting: UUID) -> UUID:
    return open_meeting


@pytest.fixture
def segment_id(meeting_id: UUID) -> UUID:
    with reading() as work:
        return work.db_session.query(Segment).one().id


def told(client: FlaskClient, meeting_id: UUID, token: str = "", query: str = "") -> dict[str, Any]:
    headers = {"X-Join-Token": token} if token else {}
    answer = client.get(f"/phien/{meeting_id}/tinh-trang{query}", headers=headers)
    assert answer.status_code == 200
    return dict(answer.get_json())


def let_in(meeting_id: UUID, cast: Cast, part: str = "citizen") -> Participant:
    person = participant(meeting_id, part)
    conduct_operations.admit(meeting_id, person.id, papers_seen=True, by=cast.clerk.actor)
    return person


def test_lamp_is_lit_by_sealed_bytes_alone(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID, segment_id: UUID
) -> None:
    page = factories.log_in(client, cast.chair)
    assert told(page, meeting_id)["lamp"]["state"] == "waiting"
    light_lamp(segment_id)
    lamp = told(page, meeting_id)["lamp"]
    assert (lamp["state"], lamp["chunks"], lamp["sealed_bytes"]) == ("lit", 12, 480_000)
    light_lamp(segment_id, seconds_ago=6)
    assert told(page, meeting_id)["lamp"]["state"] == "silent"


def test_stopped_recording_is_noted_once_and_nobody_is_invited_to_speak(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID, segment_id: UUID
) -> None:

    person = let_in(meeting_id, cast)
    light_lamp(segment_id, seconds_ago=7)
    page = factories.log_in(client, cast.chair)
    for _ in range(2):
        room_watch._watched.clear()
        state = told(page, meeting_id)
    assert [m["kind"] for m in state["markers"]].count("recorder") == 1
    answer = page.post(f"/phien/{meeting_id}/nguoi/{person.id}/moi-noi")
    assert answer.status_code == 409
    assert participant(meeting_id, "citizen").speaking_since_at is None
    say = told(client, meeting_id, token_of(meeting_id))["say"]
    assert "chờ bản ghi hoạt động lại" in say["head"]


def test_media_server_that_is_down_is_said(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    assert told(factories.log_in(client, cast.chair), meeting_id)["media"] == "down"


class _HangingGateway(JanusGateway):
    """A media server that takes the question and never answers."""

    def __init__(self) -> None:
        self.asked, self.answer = threading.Event(), threading.Event()

    def list_participants(self, room: MediaRoom) -> tuple[MediaParticipant, ...]:
        self.asked.set()
        self.answer.wait(60)
        raise MediaServerDown


class _HangingPool(MediaPool):
    def of_segment(self, db_session: Session, segment: Segment) -> MediaGateway:
        return self.nearest


def test_page_hears_of_the_recording_while_the_media_server_hangs(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    room_watch._watched.clear()
    gateway = _HangingGateway()
    with client.application.app_context():
        room_watch.watch(meeting_id, pool=_HangingPool(settings(), gateway))
    looking = room_watch._looking[meeting_id]
    assert gateway.asked.is_set()
    assert looking.is_alive()
    gateway.answer.set()
    looking.join()
    assert room_watch.media_is_down(meeting_id)


def test_names_are_told_only_of_those_inside(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    token = token_of(meeting_id)
    assert told(client, meeting_id, token)["participants"] == []
    let_in(meeting_id, cast)
    names = {p["name"] for p in told(client, meeting_id, token)["participants"]}
    assert names == {"Điểu Minh"}
    with unit_of_work() as work:
        chair = work.get(Participant, participant(meeting_id, "chair").id)
        chair.state, chair.last_seen_at = "in_room", utc_now()
    names = {p["name"] for p in told(client, meeting_id, token)["participants"]}
    assert names == {"Điểu Minh", "Lê Minh Khôi"}


def test_citizens_see_no_titles_no_notes_and_no_waiting_list(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    let_in(meeting_id, cast)
    conduct_operations.add_note(
        meeting_id, kind="note", text="Nội bộ", key="k1", item_id=None, by=cast.clerk.actor
    )
    state = told(client, meeting_id, token_of(meeting_id))
    assert state["markers"] == []
    assert state["waiting"] is None
    assert "parts" not in state
    assert [item["title"] for item in state["agenda"]] == [""]


def test_people_on_one_camera_are_named_on_its_plate(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    from reception.sessions import ready_operations

    made = schedule(factories, cast, idempotency_key="one camera")
    make_ready(made, cast)
    ready_operations.check_identity(made, participant(made, "citizen").id, by=cast.commune.actor)
    open_without_media(made, cast)
    officer = next(p for p in sitting(made).participants if p.account_id == cast.commune.account_id)
    with unit_of_work() as work:
        row = work.get(Participant, officer.id)
        row.state, row.last_seen_at = "in_room", utc_now()
    state = told(factories.log_in(client, cast.commune), made)
    names = {p["name"] for p in state["participants"]}
    assert {"Điểu Minh", "Nguyễn Văn Phúc"} <= names


def test_dropped_participant_comes_back_as_the_same_person(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    person = let_in(meeting_id, cast)
    token = token_of(meeting_id)
    told(client, meeting_id, token, "?media=connected&mic=off&camera=on&loss=0.4&rtt=58")
    assert participant(meeting_id, "citizen").state == "in_room"
    told(client, meeting_id, token, "?media=reconnecting")
    assert participant(meeting_id, "citizen").state == "dropped"
    told(client, meeting_id, token, "?media=connected")
    back = participant(meeting_id, "citizen")
    assert (back.id, back.state) == (person.id, "in_room")
    feed = told(factories.log_in(client, cast.chair), meeting_id)["markers"]
    assert [line["kind"] for line in feed if line["name"] == "Điểu Minh"] == ["dropped", "returned"]


def test_silent_page_counts_as_dropped(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    from datetime import timedelta

    person = let_in(meeting_id, cast)
    with unit_of_work() as work:
        row = work.get(Participant, person.id)
        row.state, row.last_seen_at = "in_room", utc_now() - timedelta(seconds=7)
    room_watch._watched.clear()
    told(factories.log_in(client, cast.chair), meeting_id)
    assert participant(meeting_id, "citizen").state == "dropped"


def test_nobody_loses_the_line_by_a_break(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    from datetime import timedelta

    token = token_of(meeting_id)
    let_in(meeting_id, cast)
    told(client, meeting_id, token, "?media=connected")
    chair = factories.log_in(client, cast.chair)
    chair.post(f"/phien/{meeting_id}/tam-nghi")
    told(client, meeting_id, token, "?media=reconnecting")
    with unit_of_work() as work:
        row = work.get(Participant, participant(meeting_id, "citizen").id)
        row.last_seen_at = utc_now() - timedelta(seconds=7)
    room_watch._watched.clear()
    state = told(chair, meeting_id)
    assert participant(meeting_id, "citizen").state == "in_room"
    assert "dropped" not in [line["kind"] for line in state["markers"]]


def test_agenda_of_the_desk_names_who_is_heard(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    agenda = told(factories.log_in(client, cast.chair), meeting_id)["parts"]["agenda"]
    assert "<b>Điểu Minh</b>" in agenda
    assert "Điểu Minh" in told(client, meeting_id)["parts"]["left"]


def test_hand_waits_in_the_queue_until_invited(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID, segment_id: UUID
) -> None:
    light_lamp(segment_id)
    person = let_in(meeting_id, cast)
    token = token_of(meeting_id)
    headers = {"X-Join-Token": token}
    assert (
        client.post(f"/phien/{meeting_id}/gio-tay", json={"up": "1"}, headers=headers).status_code
        == 200
    )
    assert told(client, meeting_id, token)["me"] == {
        "id": str(person.id),
        "part": "citizen",
        "state": "admitted",
        "desk": False,
        "may_speak": False,
        "hand": True,
    }
    page = factories.log_in(client, cast.clerk)
    assert "Điểu Minh" in told(page, meeting_id)["parts"]["hands"]
    assert page.post(f"/phien/{meeting_id}/nguoi/{person.id}/moi-noi").status_code == 303
    me = told(client, meeting_id, token)["me"]
    assert (me["may_speak"], me["hand"]) == (True, False)
    page.post(f"/phien/{meeting_id}/tat-micro")
    assert told(client, meeting_id, token)["me"]["may_speak"] is False


def test_hand_is_not_raised_from_the_waiting_room(client: FlaskClient, meeting_id: UUID) -> None:
    headers = {"X-Join-Token": token_of(meeting_id)}
    answer = client.post(f"/phien/{meeting_id}/gio-tay", json={"up": "1"}, headers=headers)
    assert answer.status_code == 409


def test_marker_sent_twice_is_one_note(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.clerk)
    data = {"kind": "task", "text": "  Sở đo lại   ranh 6 thửa ", "key": "once"}
    for _ in range(2):
        assert page.post(f"/phien/{meeting_id}/moc", data=data).status_code == 303
    texts = [m["text"] for m in told(page, meeting_id)["markers"]]
    assert texts.count("Sở đo lại ranh 6 thửa") == 1


def test_empty_marker_says_what_to_do(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.clerk)
    answer = page.post(
        f"/phien/{meeting_id}/moc", data={"text": " "}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 422
    assert "Ghi nội dung" in answer.get_json()["error"]


def test_note_of_a_citizen_or_point_officer_is_refused(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.commune)
    assert page.post(f"/phien/{meeting_id}/moc", data={"text": "x"}).status_code == 403


def test_finished_visit_is_a_line_of_the_book(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.clerk)
    item = sitting(meeting_id).agenda[0]
    url = f"/phien/{meeting_id}/luot/{item.id}"
    assert page.post(f"{url}/xong").status_code == 409
    assert page.post(f"{url}/bat-dau").status_code == 303
    for _ in range(2):
        assert page.post(f"{url}/xong", data={"answer": "Sở đo lại"}).status_code == 303
    with reading() as work:
        (line,) = work.db_session.query(Visit).all()
    assert (line.number, line.mode, line.by_head, line.outcome) == (1, "online", True, "heard")
    assert line.on.isoformat() == "2026-11-26"
    assert line.petition_id == cast.petition_id
    visitor = open_field("visit", "visitor", line.id, line.visitor_sealed)
    assert visitor == "Điểu Minh, Thôn 3"


def test_pause_ends_the_segment_and_keeps_everybody_s_place(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID, segment_id: UUID
) -> None:
    let_in(meeting_id, cast)
    page = factories.log_in(client, cast.chair)
    assert page.post(f"/phien/{meeting_id}/tam-nghi").status_code == 303
    with reading() as work:
        assert work.get(Segment, segment_id).ended_at is not None
    assert sitting(meeting_id).meeting.state == "PAUSED"
    assert participant(meeting_id, "citizen").state == "admitted"
    headers = {"X-Join-Token": token_of(meeting_id), "Accept": "application/json"}
    assert client.post(f"/phien/{meeting_id}/ve", headers=headers).status_code == 503


def test_resuming_needs_a_recorder(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.chair)
    page.post(f"/phien/{meeting_id}/tam-nghi")
    answer = page.post(f"/phien/{meeting_id}/tiep-tuc", headers={"Accept": "application/json"})
    assert answer.status_code in (409, 503)
    assert sitting(meeting_id).meeting.state == "PAUSED"


def test_clerk_keeps_the_desk_but_does_not_end_the_session(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    answer = factories.log_in(client, cast.clerk).post(
        f"/phien/{meeting_id}/ket-thuc", data={"confirm": "kết thúc"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("typed", ["", "ket thuc", "kết thúcc"])
def test_end_needs_the_words_of_confirmation(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID, typed: str
) -> None:
    answer = factories.log_in(client, cast.chair).post(
        f"/phien/{meeting_id}/ket-thuc", data={"confirm": typed}
    )
    assert answer.status_code == 422
    assert sitting(meeting_id).meeting.state == "OPEN"


def test_end_closes_recording_and_links_and_drafts_the_minutes(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    let_in(meeting_id, cast)
    page = factories.log_in(client, cast.chair)
    item = sitting(meeting_id).agenda[0]
    page.post(f"/phien/{meeting_id}/luot/{item.id}/bat-dau")
    page.post(f"/phien/{meeting_id}/moc", data={"kind": "task", "text": "Đo lại ranh", "key": "a"})
    answer = page.post(f"/phien/{meeting_id}/ket-thuc", data={"confirm": " Kết  thúc "})
    assert answer.status_code == 303
    held = sitting(meeting_id)
    assert held.meeting.state == "ENDED"
    assert all(p.state in ("left", "invited") for p in held.participants)
    recording = recording_of(meeting_id)
    assert recording is not None
    assert recording.state == "closing"
    with reading() as work:
        assert work.db_session.query(Visit).count() == 1
    text = page.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Đo lại ranh" in text
    assert "Điểu Minh" in text


def test_turning_in_person_keeps_book_notes_and_incident(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    page = factories.log_in(client, cast.chair)
    url = f"/phien/{meeting_id}/tiep-truc-tiep"
    assert page.post(url, data={"note": " "}).status_code == 409
    assert page.post(url, data={"note": "Mất đường truyền cả hai xã"}).status_code == 303
    held = sitting(meeting_id)
    assert held.meeting.state == "IN_PERSON"
    assert (
        open_field(
            "reception_session", "incident_note", meeting_id, held.meeting.incident_note_sealed
        )
        == "Mất đường truyền cả hai xã"
    )
    item = held.agenda[0]
    page.post(f"/phien/{meeting_id}/luot/{item.id}/bat-dau")
    page.post(f"/phien/{meeting_id}/luot/{item.id}/xong", data={"answer": "Đã hẹn"})
    with reading() as work:
        assert work.db_session.query(Visit).one().mode == "in_person"
    page.post(f"/phien/{meeting_id}/ket-thuc", data={"confirm": "kết thúc"})
    minutes = page.get(f"/phien/{meeting_id}/bien-ban").get_data(as_text=True)
    assert "Mất đường truyền cả hai xã" in minutes


def test_request_to_stay_unknown_reaches_the_desk(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    let_in(meeting_id, cast)
    headers = {"X-Join-Token": token_of(meeting_id)}
    answer = client.post(
        f"/phien/{meeting_id}/can-giup", json={"what": "protection"}, headers=headers
    )
    assert answer.status_code == 200
    feed = told(factories.log_in(client, cast.chair), meeting_id)["parts"]["feed"]
    assert "xin giữ kín danh tính" in feed


def test_desk_is_not_shown_to_points_and_the_point_page_not_to_the_chair(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    assert 'data-view="desk"' in factories.log_in(client, cast.chair).get(
        f"/phien/{meeting_id}/phong"
    ).get_data(as_text=True)
    page = factories.log_in(client, cast.commune)
    page.post(f"/phien/{meeting_id}/vao", data={"notice": "1", "camera": "ok"})
    assert 'data-view="seat"' in page.get(f"/phien/{meeting_id}/phong").get_data(as_text=True)


def test_officer_of_another_commune_gets_404_everywhere(
    client: FlaskClient, factories: Factories, meeting_id: UUID
) -> None:
    page = factories.log_in(client, factories.officer(Role.COMMUNE_OFFICER, "26119"))
    for path in ("chuan-bi", "phong", "tinh-trang", "bien-ban", "vao"):
        assert page.get(f"/phien/{meeting_id}/{path}").status_code == 404


def test_what_happens_is_audited_without_names(
    client: FlaskClient, cast: Cast, meeting_id: UUID
) -> None:
    let_in(meeting_id, cast)
    with reading() as work:
        leaves = work.db_session.query(AuditLeaf).all()
    actions = {leaf.action for leaf in leaves}
    assert {"reception_session_scheduled", "participant_admitted", "SES.open"} <= actions
    mine = [
        leaf.body for leaf in leaves if leaf.object_kind in ("participant", "reception_session")
    ]
    assert not any("Minh" in body or "Khôi" in body for body in mine)
