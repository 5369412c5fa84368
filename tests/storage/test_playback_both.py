"""A recording sealed, checked and played on both pairs of back ends."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from reception.recordings import operations, playback
from reception.recordings.playback import wanted_span
from storage.database import reading
from storage.integrity import check_recording
from storage.models import PlayableCopy, PlaybackOpening
from storage.objects import Bucket
from storage.runtime import runtime
from tests.support.factories import Factories
from tests.support.recordings import sealed_recording, spool_on_tmpfs
from workflows.access import Role


def test_recording_is_sealed_checked_and_played(app_on_both: Flask, factories: Factories) -> None:
    with spool_on_tmpfs():
        recorded = sealed_recording(factories)
    assert check_recording(recorded.recording_id).failures == []
    chair = factories.officer(Role.PROVINCIAL_CHAIR)
    operations.ask_for_playback(
        recorded.recording_id, by=chair.actor, reason="Đối chiếu biên bản", document_number="",
        closed_parts=False,
    )  # fmt: skip
    token = operations.open_recording(recorded.recording_id, by=chair.actor)
    with reading() as work:
        copies = work.db_session.scalars(select(PlayableCopy.id)).all()
    for copy_id in copies:
        copy = playback.open_copy(token, copy_id, account_id=chair.account_id)
        size = copy.reader.plain_size
        begin = b"".join(playback.read_span(copy, wanted_span("bytes=0-3", size)))
        end = b"".join(playback.read_span(copy, wanted_span(f"bytes={size - 10}-", size)))
        assert begin == b"\x1a\x45\xdf\xa3"
        assert len(end) == 10
    operations.close_opening(token, by=chair.actor)
    with reading() as work:
        opening = work.db_session.scalars(select(PlaybackOpening)).one()
    assert (opening.bytes_served, opening.ranges) == (14 * len(copies), 2 * len(copies))


def test_store_is_given_nothing_that_can_be_played(
    app_on_both: Flask, factories: Factories
) -> None:
    with spool_on_tmpfs():
        sealed_recording(factories)
    store = runtime().store
    seen = 0
    for bucket in (Bucket.ORIGINALS, Bucket.CHUNKS, Bucket.FILES):
        for found in store.list(bucket):
            data = store.open_range(bucket, found.name, found.version_id, 0, found.size)
            assert b"MJR00002" not in data
            assert b"OpusHead" not in data
            seen += 1
    assert seen >= 9
