"""Ranges of a sealed copy: what is asked is decrypted, no more than 2 MiB at once."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from reception.recordings import operations, playback
from reception.recordings.playback import MOST_AT_ONCE, OutOfRange, wanted_span
from storage.database import reading
from storage.models import PlayableCopy, PlaybackOpening, SealedObject
from storage.objects import Bucket
from storage.runtime import runtime
from storage.sealed import read_object
from tests.support.factories import Factories, Officer
from tests.support.recordings import SealedRecording
from workflows.access import Role
from workflows.errors import NotFound

SIZE = 5_000_000


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-", 0, MOST_AT_ONCE - 1),
        ("bytes=10-19", 10, 19),
        ("bytes=4999999-", 4_999_999, 4_999_999),
        ("bytes=100-99999999", 100, 100 + MOST_AT_ONCE - 1),
        ("bytes=-500", SIZE - 500, SIZE - 1),
        ("bytes=-99999999", 0, MOST_AT_ONCE - 1),
    ],
)
def test_range_is_answered_with_at_most_two_mebibytes(header: str, first: int, last: int) -> None:
    span = wanted_span(header, SIZE)
    assert (span.first, span.last, span.whole) == (first, last, False)


@pytest.mark.parametrize(
    "header", [None, "", "bytes=", "bytes=-", "items=0-5", "bytes=9-3", "bytes=0-1,4-5"]
)
def test_header_that_is_no_single_range_counts_as_none(header: str | None) -> None:
    assert wanted_span(header, SIZE).whole


@pytest.mark.parametrize("header", ["bytes=5000000-", "bytes=5000000-6000000", "bytes=-0"])
def test_range_behind_the_end_is_refused(header: str) -> None:
    with pytest.raises(OutOfRange):
        wanted_span(header, SIZE)


@given(st.integers(0, SIZE - 1), st.integers(0, SIZE * 2))
def test_span_begins_where_asked_and_stays_within_the_file(first: int, more: int) -> None:
    span = wanted_span(f"bytes={first}-{first + more}", SIZE)
    assert span.first == first
    assert first <= span.last < SIZE
    assert span.length <= min(MOST_AT_ONCE, more + 1)


def _opened(people: Factories, recorded: SealedRecording) -> tuple[Officer, str]:
    chair = people.officer(Role.PROVINCIAL_CHAIR)
    operations.ask_for_playback(
        recorded.recording_id, by=chair.actor, reason="Đối chiếu biên bản",
        document_number="", closed_parts=False,
    )  # fmt: skip
    return chair, operations.open_recording(recorded.recording_id, by=chair.actor)


def _a_copy() -> tuple[UUID, SealedObject]:
    with reading() as work:
        row = work.db_session.execute(
            select(PlayableCopy.id, SealedObject)
            .join(SealedObject, SealedObject.id == PlayableCopy.sealed_object_id)
            .order_by(SealedObject.plain_size.desc())
        ).first()
    assert row is not None
    return row[0], row[1]


def test_ranges_join_to_the_whole_file(
    recorded_app: Flask, recorded: SealedRecording, people: Factories
) -> None:
    chair, token = _opened(people, recorded)
    copy_id, row = _a_copy()
    copy = playback.open_copy(token, copy_id, account_id=chair.account_id)
    size = copy.reader.plain_size
    parts = [
        b"".join(playback.read_span(copy, wanted_span(f"bytes={at}-{at + 4_999}", size)))
        for at in range(0, size, 5_000)
    ]
    assert b"".join(parts) == read_object(row)
    assert b"".join(playback.read_span(copy, wanted_span(None, size))) == read_object(row)


def test_small_range_fetches_only_the_segments_it_touches(
    recorded_app: Flask,
    recorded: SealedRecording,
    people: Factories,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chair, token = _opened(people, recorded)
    copy_id, _ = _a_copy()
    copy = playback.open_copy(token, copy_id, account_id=chair.account_id)
    asked: list[int] = []
    whole = runtime().store.open_range

    def counted(bucket: Bucket, name: str, version_id: str, offset: int, length: int) -> bytes:
        asked.append(length)
        return whole(bucket, name, version_id, offset, length)

    monkeypatch.setattr(runtime().store, "open_range", counted)
    b"".join(playback.read_span(copy, wanted_span("bytes=1000-1999", copy.reader.plain_size)))
    assert len(asked) == 1
    assert asked[0] <= 256 * 1024


def test_copy_of_another_opening_or_person_is_not_found(
    recorded_app: Flask, recorded: SealedRecording, people: Factories
) -> None:
    chair, token = _opened(people, recorded)
    stranger = people.officer(Role.PROVINCIAL_CHAIR, name="Người khác")
    copy_id, _ = _a_copy()
    for wrong_token, wrong_copy, account in (
        (token, copy_id, stranger.account_id),
        ("x" * 43, copy_id, chair.account_id),
        (token, UUID(int=7), chair.account_id),
    ):
        with pytest.raises(NotFound):
            playback.open_copy(wrong_token, wrong_copy, account_id=account)


def test_revoked_grant_stops_an_opening_at_its_next_range(
    recorded_app: Flask, recorded: SealedRecording, people: Factories
) -> None:
    chair, token = _opened(people, recorded)
    copy_id, _ = _a_copy()
    opening, grant = playback.ensure_open(token, account_id=chair.account_id)
    playback.open_copy(token, copy_id, account_id=chair.account_id)
    other = people.officer(Role.PROVINCIAL_CHAIR, name="Người thu hồi")
    operations.revoke_playback(grant.id, by=other.actor, reason="Hết việc")
    with pytest.raises(playback.PlaybackEnded):
        playback.open_copy(token, copy_id, account_id=chair.account_id)
    assert playback.READERS.get((opening.id, copy_id)) is None


def test_what_was_read_is_counted_once_and_summed_up_at_the_end(
    recorded_app: Flask, recorded: SealedRecording, people: Factories
) -> None:
    chair, token = _opened(people, recorded)
    copy_id, _ = _a_copy()
    copy = playback.open_copy(token, copy_id, account_id=chair.account_id)
    for at in range(3):
        b"".join(playback.read_span(copy, wanted_span(f"bytes={at * 100}-{at * 100 + 99}", 10_000)))
    operations.close_opening(token, by=chair.actor)
    operations.close_opening(token, by=chair.actor)
    with reading() as work:
        opening = work.db_session.scalars(select(PlaybackOpening)).one()
    assert (opening.bytes_served, opening.ranges) == (300, 3)
    assert opening.closed_at is not None
    with pytest.raises(playback.OpeningClosed):
        playback.open_copy(token, copy_id, account_id=chair.account_id)


def test_reader_who_turns_away_takes_no_more_pieces(
    recorded_app: Flask,
    recorded: SealedRecording,
    people: Factories,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(playback, "FIRST_PIECE", 1_000)
    monkeypatch.setattr(playback, "PIECE", 2_000)
    chair, token = _opened(people, recorded)
    copy_id, _ = _a_copy()
    copy = playback.open_copy(token, copy_id, account_id=chair.account_id)
    pieces = playback.read_span(copy, wanted_span("bytes=0-9999", copy.reader.plain_size))
    assert [len(next(pieces)), len(next(pieces))] == [1_000, 2_000]
    del pieces
    operations.close_opening(token, by=chair.actor)
    with reading() as work:
        assert work.db_session.scalars(select(PlaybackOpening)).one().bytes_served == 3_000
