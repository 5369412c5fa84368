"""Asking for a recording, leave by a second person, opening, ranges over HTTP, closed parts."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.recordings import operations
from storage.database import reading, unit_of_work
from storage.models import AuditLeaf, PlayableCopy, PlaybackGrant, Recording, Segment
from storage.models.base import utc_now
from tests.support.factories import COMMUNE, OTHER_COMMUNE, Factories, Officer
from tests.support.recordings import SealedRecording
from workflows.access import Role
from workflows.errors import NotAllowed

REASON = "Xác minh nội dung giao việc lúc 08:45"


@pytest.fixture
def inspector(recorded_app: Flask, people: Factories) -> Officer:
    return people.officer(Role.PROVINCIAL_INSPECTOR, name="Đặng Thu Hà")


@pytest.fixture
def chair(recorded_app: Flask, people: Factories) -> Officer:
    return people.officer(Role.PROVINCIAL_CHAIR, name="Trần Văn Bình")


def _ask(client: FlaskClient, recording_id: UUID, reason: str = REASON) -> PlaybackGrant:
    answer = client.post(f"/ban-ghi/{recording_id}/xin-xem", data={"reason": reason})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    with reading() as work:
        return work.db_session.scalars(
            select(PlaybackGrant).order_by(PlaybackGrant.created_at.desc(), PlaybackGrant.id.desc())
        ).first()  # type: ignore[return-value]  # it was just made


def _token(client: FlaskClient, recording_id: UUID) -> str:
    answer = client.post(f"/ban-ghi/{recording_id}/mo")
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"].rsplit("/", 1)[1]


def _copies() -> list[PlayableCopy]:
    with reading() as work:
        return list(work.db_session.scalars(select(PlayableCopy).order_by(PlayableCopy.offset_ms)))


def _data(page: str) -> dict[str, object]:
    found = re.search(r'id="player-data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, object] = json.loads(found.group(1))
    return data


def test_inspector_plays_after_a_second_person_said_yes(
    viewer: FlaskClient,
    recorded: SealedRecording,
    people: Factories,
    inspector: Officer,
    chair: Officer,
) -> None:
    people.log_in(viewer, inspector)
    grant = _ask(viewer, recorded.recording_id)
    refused = viewer.post(f"/ban-ghi/{recorded.recording_id}/mo")
    assert refused.status_code == 403
    assert "chưa có quyền" in refused.get_data(as_text=True)
    people.log_in(viewer, chair)
    assert REASON in viewer.get("/ban-ghi").get_data(as_text=True)
    answer = viewer.post(f"/ban-ghi/yeu-cau/{grant.id}/duyet", data={"days": "7"})
    assert answer.status_code == 303
    people.log_in(viewer, inspector)
    token = _token(viewer, recorded.recording_id)
    page = viewer.get(f"/ban-ghi/xem/{token}").get_data(as_text=True)
    assert grant.code in page
    assert "Ông Minh trình bày" in page
    assert len(_data(page)["lanes"]) == 2  # type: ignore[arg-type]  # a list


def test_range_over_http_is_exact_and_not_kept(
    viewer: FlaskClient, recorded: SealedRecording, people: Factories, chair: Officer
) -> None:
    people.log_in(viewer, chair)
    _ask(viewer, recorded.recording_id)
    token = _token(viewer, recorded.recording_id)
    url = f"/ban-ghi/luong/{token}/{_copies()[0].id}"
    whole = viewer.get(url)
    part = viewer.get(url, headers={"Range": "bytes=100-299"})
    beyond = viewer.get(url, headers={"Range": "bytes=99999999-"})
    head = viewer.head(url)
    assert whole.status_code == 200
    assert part.status_code == 206
    assert part.data == whole.data[100:300]
    assert part.headers["Content-Range"] == f"bytes 100-299/{len(whole.data)}"
    assert part.headers["Content-Type"] == "video/webm"
    assert part.headers["Accept-Ranges"] == "bytes"
    assert part.headers["Cache-Control"] == "no-store"
    assert beyond.status_code == 416
    assert beyond.headers["Content-Range"] == f"bytes */{len(whole.data)}"
    assert int(head.headers["Content-Length"]) == len(whole.data)
    assert whole.data[:4] == b"\x1a\x45\xdf\xa3"  # EBML


def test_opening_is_one_leaf_however_many_ranges_are_read(
    viewer: FlaskClient, recorded: SealedRecording, people: Factories, chair: Officer
) -> None:
    people.log_in(viewer, chair)
    _ask(viewer, recorded.recording_id)
    token = _token(viewer, recorded.recording_id)
    for at in range(8):
        viewer.get(
            f"/ban-ghi/luong/{token}/{_copies()[0].id}",
            headers={"Range": f"bytes={at * 50}-{at * 50 + 49}"},
        )
    viewer.post(f"/ban-ghi/luong/{token}/dong")
    with reading() as work:
        leaves = work.db_session.scalars(
            select(AuditLeaf).where(AuditLeaf.object_id == recorded.recording_id)
        ).all()
    actions = [leaf.action for leaf in leaves]
    assert actions.count("recording_opened") == 1
    closed = next(leaf for leaf in leaves if leaf.action == "recording_closed")
    assert json.loads(closed.body)["detail"]["ranges"] == 8
    assert REASON not in "".join(leaf.body for leaf in leaves)


def test_nobody_approves_the_own_request(
    viewer: FlaskClient, recorded: SealedRecording, people: Factories
) -> None:
    head = people.officer(Role.BOARD_OFFICER, name="Người tự hỏi")
    grant = operations.ask_for_playback(
        recorded.recording_id, by=head.actor, reason=REASON, document_number="", closed_parts=False
    )
    assert grant.state == "asked"
    with pytest.raises(NotAllowed):
        operations.approve_playback(grant.id, by=head.actor)


def test_leader_cannot_approve_a_request_made_under_the_own_name(
    recorded: SealedRecording, people: Factories, inspector: Officer, chair: Officer
) -> None:
    grant = operations.ask_for_playback(
        recorded.recording_id, by=inspector.actor, reason=REASON, document_number="",
        closed_parts=False,
    )  # fmt: skip
    with unit_of_work() as work:
        work.get(PlaybackGrant, grant.id).account_id = chair.account_id
    with pytest.raises(NotAllowed, match="tự duyệt"):
        operations.approve_playback(grant.id, by=chair.actor)


def test_refusal_needs_a_reason_and_shows_it(
    viewer: FlaskClient,
    recorded: SealedRecording,
    people: Factories,
    inspector: Officer,
    chair: Officer,
) -> None:
    people.log_in(viewer, inspector)
    grant = _ask(viewer, recorded.recording_id)
    people.log_in(viewer, chair)
    url = f"/ban-ghi/yeu-cau/{grant.id}/tu-choi"
    viewer.post(url, data={"decision_reason": ""})
    with reading() as work:
        assert work.get(PlaybackGrant, grant.id).state == "asked"
    viewer.post(url, data={"decision_reason": "Thiếu quyết định giao xác minh"})
    people.log_in(viewer, inspector)
    page = viewer.get(f"/ban-ghi/{recorded.recording_id}").get_data(as_text=True)
    assert "Thiếu quyết định giao xác minh" in page


def test_request_without_a_reason_keeps_what_was_typed(
    viewer: FlaskClient, recorded: SealedRecording, people: Factories, inspector: Officer
) -> None:
    people.log_in(viewer, inspector)
    answer = viewer.post(
        f"/ban-ghi/{recorded.recording_id}/xin-xem",
        data={"reason": "", "document_number": "12/QĐ-TTr"},
    )
    assert answer.status_code == 422
    assert "12/QĐ-TTr" in answer.get_data(as_text=True)


def test_asking_twice_is_one_request(
    viewer: FlaskClient, recorded: SealedRecording, people: Factories, inspector: Officer
) -> None:
    people.log_in(viewer, inspector)
    first = _ask(viewer, recorded.recording_id)
    second = _ask(viewer, recorded.recording_id, reason="Hỏi lại lần nữa cho chắc")
    assert first.id == second.id


def test_officer_of_another_commune_finds_nothing(
    viewer: FlaskClient, recorded: SealedRecording, people: Factories
) -> None:
    people.log_in(viewer, people.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE))
    for url in (f"/ban-ghi/{recorded.recording_id}", f"/ban-ghi/{recorded.recording_id}/xin-xem"):
        assert viewer.get(url).status_code == 404
    assert viewer.post(f"/ban-ghi/{recorded.recording_id}/mo").status_code == 404
    assert "BG-" not in viewer.get("/ban-ghi").get_data(as_text=True)


def test_commune_whose_point_took_part_sees_it_but_plays_nothing(
    viewer: FlaskClient, recorded: SealedRecording, people: Factories
) -> None:
    people.log_in(viewer, people.officer(Role.COMMUNE_OFFICER, COMMUNE))
    assert viewer.get(f"/ban-ghi/{recorded.recording_id}").status_code == 200
    assert viewer.post(f"/ban-ghi/{recorded.recording_id}/mo").status_code == 403


def test_expired_leave_ends_player_and_stream(
    viewer: FlaskClient, recorded: SealedRecording, people: Factories, chair: Officer
) -> None:
    people.log_in(viewer, chair)
    grant = _ask(viewer, recorded.recording_id)
    token = _token(viewer, recorded.recording_id)
    with unit_of_work() as work:
        work.get(PlaybackGrant, grant.id).expires_at = utc_now() - timedelta(seconds=1)
    page = viewer.get(f"/ban-ghi/xem/{token}")
    assert page.status_code == 403
    assert "hết hạn" in page.get_data(as_text=True)
    stream = viewer.get(f"/ban-ghi/luong/{token}/{_copies()[0].id}")
    assert stream.status_code == 400
    assert b"\x1a\x45\xdf\xa3" not in stream.data


def test_recording_that_is_still_being_sealed_says_when(
    viewer: FlaskClient, recorded: SealedRecording, people: Factories, chair: Officer
) -> None:
    people.log_in(viewer, chair)
    _ask(viewer, recorded.recording_id)
    with unit_of_work() as work:
        row = work.get(Recording, recorded.recording_id)
        row.playable_at, row.state = None, "closing"
    answer = viewer.post(f"/ban-ghi/{recorded.recording_id}/mo")
    assert answer.status_code == 409
    assert "chưa sẵn sàng" in answer.get_data(as_text=True)


def test_page_says_sealed_but_unsigned_and_keeps_the_check(
    viewer: FlaskClient, recorded: SealedRecording, people: Factories, chair: Officer
) -> None:
    people.log_in(viewer, chair)
    page = viewer.get(f"/ban-ghi/{recorded.recording_id}").get_data(as_text=True)
    assert "Đã niêm phong, chưa ký số" in page
    viewer.post(f"/ban-ghi/{recorded.recording_id}/kiem")
    page = viewer.get(f"/ban-ghi/{recorded.recording_id}").get_data(as_text=True)
    assert "Bản ghi nguyên vẹn" in page


def test_closed_part_is_neither_heard_nor_told_without_leave_for_it(
    closed_app: Flask, closed_recording: SealedRecording, people: Factories
) -> None:
    client = closed_app.test_client()
    inspector = people.officer(Role.PROVINCIAL_INSPECTOR)
    chair = people.officer(Role.PROVINCIAL_CHAIR, name="Trần Văn Bình")
    grant = operations.ask_for_playback(
        closed_recording.recording_id, by=inspector.actor, reason=REASON, document_number="",
        closed_parts=True,
    )  # fmt: skip
    operations.approve_playback(grant.id, by=chair.actor, closed_parts=False)
    people.log_in(client, inspector)
    token = _token(client, closed_recording.recording_id)
    page = client.get(f"/ban-ghi/xem/{token}").get_data(as_text=True)
    assert "Lời trong phòng kín" not in page
    assert "Phòng kín" in page
    with reading() as work:
        closed_copy = work.db_session.scalars(
            select(PlayableCopy)
            .join(Segment, Segment.id == PlayableCopy.segment_id)
            .where(Segment.secrecy == "restricted")
        ).first()
    assert closed_copy is not None
    assert str(closed_copy.id) not in page
    assert client.get(f"/ban-ghi/luong/{token}/{closed_copy.id}").status_code == 404


def test_leave_with_the_closed_part_lets_hear_it(
    closed_app: Flask, closed_recording: SealedRecording, people: Factories
) -> None:
    client = closed_app.test_client()
    people.log_in(client, people.officer(Role.PROVINCIAL_CHAIR))
    _ask(client, closed_recording.recording_id)
    token = _token(client, closed_recording.recording_id)
    page = client.get(f"/ban-ghi/xem/{token}").get_data(as_text=True)
    assert "Lời trong phòng kín" in page
    lanes = _data(page)["lanes"]
    assert isinstance(lanes, list)
    assert sorted(len(lane["copies"]) for lane in lanes) == [2, 3]
    away = [gap["cause"] for lane in lanes for gap in lane["gaps"]]
    assert sorted(away) == ["away", "recorder", "recorder"]


def test_inspector_may_ask_for_a_session_with_a_closed_part_without_its_title(
    closed_app: Flask, closed_recording: SealedRecording, people: Factories
) -> None:
    client = closed_app.test_client()
    people.log_in(client, people.officer(Role.PROVINCIAL_INSPECTOR))
    page = client.get("/ban-ghi").get_data(as_text=True)
    assert "Tiếp công dân định kỳ tháng 11" not in page
    assert "Phiên có phần phòng kín" in page
    shown = client.get(f"/ban-ghi/{closed_recording.recording_id}").get_data(as_text=True)
    assert "Tiếp công dân định kỳ tháng 11" not in shown
    assert "Xin xem" in shown
