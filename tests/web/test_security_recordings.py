"""What somebody who may watch a little tries, to watch more."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.recordings import operations, playback
from storage.database import reading, unit_of_work
from storage.models import Account, AgendaItem, Involvement, PlayableCopy, PlaybackGrant, Recording
from tests.support.factories import Factories
from tests.support.meetings import petition
from tests.support.recordings import SealedRecording
from workflows.access import Role
from workflows.errors import NotAllowed


def _token(client: FlaskClient, recording_id: UUID) -> str:
    client.post(f"/ban-ghi/{recording_id}/xin-xem", data={"reason": "Xác minh nội dung"})
    return client.post(f"/ban-ghi/{recording_id}/mo").headers["Location"].rsplit("/", 1)[1]


def test_withdrawn_leave_stops_a_whole_file_that_is_being_sent(
    viewer: FlaskClient,
    recorded: SealedRecording,
    people: Factories,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chair = people.officer(Role.PROVINCIAL_CHAIR)
    people.log_in(viewer, chair)
    token = _token(viewer, recorded.recording_id)
    for size in ("MOST_AT_ONCE", "FIRST_PIECE", "PIECE"):
        monkeypatch.setattr(playback, size, 4096)
    with reading() as work:
        copy = work.db_session.scalars(select(PlayableCopy.id)).first()
    answer = viewer.get(f"/ban-ghi/luong/{token}/{copy}", buffered=False)
    parts = iter(answer.response)
    next(parts)
    with unit_of_work() as work:
        work.db_session.scalars(select(PlaybackGrant)).one().state = "revoked"
    with pytest.raises(playback.PlaybackEnded):
        for _part in parts:
            pass


def test_nobody_gives_leave_to_the_own_request_even_without_a_person(
    recorded: SealedRecording, people: Factories
) -> None:
    head = people.officer(Role.BOARD_HEAD)
    with unit_of_work() as work:
        work.get(Account, head.account_id).person_id = None
        grant = work.add(
            PlaybackGrant(
                code="YC-TEST-0000",
                recording_id=recorded.recording_id,
                account_id=head.account_id,
                reason="Xem",
                document_number="",
                closed_parts=True,
            )
        )
    from dataclasses import replace

    with pytest.raises(NotAllowed):
        operations.approve_playback(grant.id, by=replace(head.actor, person_id=None))


def test_who_is_denounced_does_not_open_the_recording_by_post(
    recorded: SealedRecording, people: Factories
) -> None:
    chair = people.officer(Role.PROVINCIAL_CHAIR)
    about = petition(people, received_on=date(2026, 11, 2))
    with unit_of_work() as work:
        recording = work.get(Recording, recorded.recording_id)
        work.add(
            AgendaItem(
                reception_session_id=recording.reception_session_id,
                seq=90,
                petition_id=about,
                title="Việc của chủ tịch",
                planned_minutes=20,
            )
        )
        work.add(Involvement(petition_id=about, person_id=chair.person_id, part="conflicted"))
    with pytest.raises(NotAllowed):
        operations.ask_for_playback(
            recorded.recording_id,
            by=chair.actor,
            reason="Xem",
            document_number="",
            closed_parts=True,
        )
    with pytest.raises(NotAllowed):
        operations.show_recording(recorded.recording_id, by=chair.actor)
