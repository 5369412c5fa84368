"""The sealed stream format: exact at every boundary and hard to fool; needs no other library.

How it agrees with Google's Tink stands in `test_sealing_with_tink.py`; what Tink once sealed is
kept here as vectors.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.sealing import (
    SEGMENT_SIZE,
    TAG_SIZE,
    Breakage,
    Layout,
    SealBroken,
    SealedReader,
    SealingSource,
    SealingWriter,
    SegmentCipher,
    open_bytes,
    seal_bytes,
)

KEY = bytes(range(32))
AD = b"tcd-rec|v1|0190c0de|audio|1"


def reader_of(
    sealed: bytes, *, key: bytes = KEY, ad: bytes = AD, segment_size: int = 4096
) -> SealedReader:
    return SealedReader(
        lambda offset, length: sealed[offset : offset + length],
        len(sealed),
        key,
        ad,
        segment_size=segment_size,
    )


# Sealed with Google's Tink (segments of 128 bytes) and kept: later readers must agree.
FROZEN = json.loads(Path(__file__).with_name("sealing_vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", FROZEN, ids=lambda vector: vector["name"])
def test_vectors_sealed_long_ago_still_open(vector):
    plain = open_bytes(
        bytes.fromhex(vector["key"]),
        bytes.fromhex(vector["sealed"]),
        vector["associated_data"].encode(),
        segment_size=vector["segment_size"],
    )
    assert plain == bytes.fromhex(vector["plain"])


class _KnownCipher(SegmentCipher):
    """Seals with the salt and prefix of a kept object, so that the bytes can be compared."""

    @classmethod
    def fresh(cls, key, associated_data, layout):
        return cls(key, associated_data, _KnownCipher.header, layout)


@pytest.mark.parametrize("vector", FROZEN, ids=lambda vector: vector["name"])
def test_writer_makes_the_very_bytes_of_the_vectors(vector, monkeypatch):
    sealed = bytes.fromhex(vector["sealed"])
    _KnownCipher.header = sealed[: sealed[0]]
    monkeypatch.setattr("storage.sealing.SegmentCipher", _KnownCipher)
    made = seal_bytes(
        bytes.fromhex(vector["key"]),
        bytes.fromhex(vector["plain"]),
        vector["associated_data"].encode(),
        segment_size=vector["segment_size"],
    )
    assert made == sealed


@pytest.mark.parametrize("vector", FROZEN, ids=lambda vector: vector["name"])
def test_vectors_under_another_name_do_not_open(vector):
    with pytest.raises(SealBroken):
        open_bytes(
            bytes.fromhex(vector["key"]),
            bytes.fromhex(vector["sealed"]),
            vector["associated_data"].encode() + b"|",
            segment_size=vector["segment_size"],
        )


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(st.binary(max_size=400), max_size=12),
    segment_size=st.integers(min_value=57, max_value=500),
    data=st.data(),
)
def test_any_way_of_writing_gives_back_any_range(pieces, segment_size, data):
    plain = b"".join(pieces)
    sink = io.BytesIO()
    with SealingWriter(sink, KEY, AD, segment_size) as writer:
        for piece in pieces:
            writer.write(piece)
    sealed = sink.getvalue()
    assert writer.plain_size == len(plain)
    assert writer.sealed_size == len(sealed)
    reader = reader_of(sealed, segment_size=segment_size)
    assert b"".join(map(bytes, reader.iter_all())) == plain
    start = data.draw(st.integers(0, len(plain) + 3))
    size = data.draw(st.integers(0, len(plain) + 3))
    assert reader.read(start, size) == plain[start : start + size]


@settings(max_examples=60, deadline=None)
@given(
    plain=st.binary(max_size=900),
    segment_size=st.integers(min_value=57, max_value=300),
    steps=st.lists(st.integers(1, 400), min_size=1, max_size=5),
)
def test_pulled_bytes_are_the_same_object_whatever_sizes_are_asked(plain, segment_size, steps):
    source = SealingSource(_Dribble(plain), KEY, AD, segment_size)
    pulled, turn = b"", 0
    while piece := source.read(steps[turn % len(steps)]):
        assert len(piece) <= steps[turn % len(steps)]
        pulled += piece
        turn += 1
    assert source.read() == b""
    assert source.plain_size == len(plain)
    assert open_bytes(KEY, pulled, AD, segment_size=segment_size) == plain


class _Dribble:
    """A source that never gives as much as it is asked for, as sockets and pipes do."""

    def __init__(self, data: bytes) -> None:
        self._rest = data

    def read(self, size: int) -> bytes:
        taken = self._rest[: max(1, size // 3)]
        self._rest = self._rest[len(taken) :]
        return taken


@settings(max_examples=150, deadline=None)
@given(
    length=st.integers(0, 700),
    position=st.integers(min_value=0),
    bit=st.integers(0, 7),
)
def test_no_flipped_bit_anywhere_survives_a_full_reading(length, position, bit):
    sealed = bytearray(seal_bytes(KEY, bytes(length), AD, segment_size=128))
    sealed[position % len(sealed)] ^= 1 << bit
    with pytest.raises(SealBroken):
        open_bytes(KEY, bytes(sealed), AD, segment_size=128)


@settings(max_examples=200, deadline=None)
@given(
    length=st.integers(0, 900),
    segment_size=st.sampled_from([64, 100, 128]),
    data=st.data(),
)
def test_no_other_arrangement_of_the_segments_reads_as_whole(length, segment_size, data):
    """Dropped, doubled, swapped or taken from a second object under the same key and name."""
    plain = os.urandom(length)
    own = seal_bytes(KEY, plain, AD, segment_size=segment_size)
    other = seal_bytes(KEY, plain, AD, segment_size=segment_size)
    pieces = [
        piece
        for sealed in (own, other)
        for piece in (sealed[i : i + segment_size] for i in range(0, len(sealed), segment_size))
    ]
    order = data.draw(st.lists(st.sampled_from(range(len(pieces))), min_size=1, max_size=12))
    arranged = b"".join(pieces[index] for index in order)
    if arranged in (own, other):
        assert open_bytes(KEY, arranged, AD, segment_size=segment_size) == plain
        return
    with pytest.raises(SealBroken):
        open_bytes(KEY, arranged, AD, segment_size=segment_size)


@settings(max_examples=150, deadline=None)
@given(length=st.integers(0, 700), cut=st.integers(min_value=1), extra=st.binary(max_size=300))
def test_no_beginning_of_an_object_reads_as_whole_nor_one_with_bytes_behind(length, cut, extra):
    sealed = seal_bytes(KEY, bytes(length), AD, segment_size=128)
    with pytest.raises(SealBroken):
        open_bytes(KEY, sealed[: -(1 + cut % len(sealed))], AD, segment_size=128)
    if extra:
        with pytest.raises(SealBroken):
            open_bytes(KEY, sealed + extra, AD, segment_size=128)


@settings(max_examples=100, deadline=None)
@given(
    keys=st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=2, unique=True),
    names=st.lists(st.binary(max_size=40), min_size=2, max_size=2, unique=True),
    length=st.integers(0, 300),
)
def test_only_its_own_key_and_name_open_an_object(keys, names, length):
    sealed = seal_bytes(keys[0], bytes(length), names[0], segment_size=128)
    assert open_bytes(keys[0], sealed, names[0], segment_size=128) == bytes(length)
    for key, name in ((keys[1], names[0]), (keys[0], names[1])):
        with pytest.raises(SealBroken):
            open_bytes(key, sealed, name, segment_size=128)


def sealed_in_segments(count: int) -> tuple[bytes, list[bytes]]:
    """An object of `count` exactly full segments of 4096 bytes, whole and in pieces."""
    layout = Layout(segment_size=4096)
    plain = os.urandom(layout.first_room + (count - 1) * layout.room)
    sealed = seal_bytes(KEY, plain, AD, segment_size=4096)
    return sealed, [sealed[i : i + 4096] for i in range(0, len(sealed), 4096)]


def test_another_records_name_opens_nothing():
    sealed, _ = sealed_in_segments(3)
    with pytest.raises(SealBroken) as caught:
        reader_of(sealed, ad=AD + b"x").read(0, 1)
    assert caught.value.what is Breakage.WRONG_BINDING


def test_another_key_opens_nothing():
    sealed, _ = sealed_in_segments(1)
    with pytest.raises(SealBroken) as caught:
        reader_of(sealed, key=bytes(32)).check_end()
    assert caught.value.what is Breakage.WRONG_BINDING


def test_object_cut_at_a_segment_boundary_is_named_cut():
    sealed, _ = sealed_in_segments(3)
    reader = reader_of(sealed[: 2 * 4096])
    with pytest.raises(SealBroken) as caught:
        reader.check_end()
    assert caught.value.what is Breakage.CUT
    assert caught.value.segment == 1


@pytest.mark.parametrize("missing", [1, 15, 16, 17, 4095])
def test_object_cut_inside_a_segment_is_refused(missing):
    sealed, _ = sealed_in_segments(3)
    with pytest.raises(SealBroken):
        reader_of(sealed[:-missing]).check_end()


@pytest.mark.parametrize("size", [0, 1, 39, 40, 55])
def test_object_shorter_than_any_sealed_object_is_named_cut(size):
    with pytest.raises(SealBroken) as caught:
        reader_of(bytes([40]) * size)
    assert caught.value.what is Breakage.CUT


@pytest.mark.parametrize("extra", [17, 100, 4096])
def test_bytes_appended_after_a_full_last_segment_are_refused_and_named(extra):
    sealed, _ = sealed_in_segments(2)
    longer = sealed + os.urandom(extra)
    with pytest.raises(SealBroken):
        reader_of(longer).check_end()
    with pytest.raises(SealBroken) as caught:
        open_bytes(KEY, longer, AD, segment_size=4096)
    assert caught.value.what is Breakage.APPENDED
    assert caught.value.segment == 1


@pytest.mark.parametrize("extra", [1, 16])
def test_a_few_bytes_appended_are_refused(extra):
    sealed, _ = sealed_in_segments(2)
    with pytest.raises(SealBroken):
        reader_of(sealed + bytes(extra)).check_end()


def test_dropped_segment_is_refused():
    _, pieces = sealed_in_segments(4)
    with pytest.raises(SealBroken):
        open_bytes(KEY, b"".join([pieces[0], pieces[2], pieces[3]]), AD, segment_size=4096)


def test_swapped_segments_are_refused_and_named_changed():
    _, pieces = sealed_in_segments(4)
    swapped = b"".join([pieces[0], pieces[2], pieces[1], pieces[3]])
    with pytest.raises(SealBroken) as caught:
        reader_of(swapped).read(4096, 10)
    assert caught.value.what is Breakage.CHANGED


def test_segment_of_another_object_under_the_same_key_is_refused():
    _, ours = sealed_in_segments(3)
    _, other = sealed_in_segments(3)
    with pytest.raises(SealBroken):
        open_bytes(KEY, b"".join([ours[0], other[1], ours[2]]), AD, segment_size=4096)


@pytest.mark.parametrize("position", [0, 1, 32, 33, 39])
def test_changed_header_is_refused(position):
    sealed = bytearray(sealed_in_segments(2)[0])
    sealed[position] ^= 1
    with pytest.raises(SealBroken):
        reader_of(bytes(sealed)).check_end()


def test_store_that_returns_fewer_bytes_than_it_promised_is_noticed():
    sealed, _ = sealed_in_segments(2)
    reader = SealedReader(
        lambda offset, length: sealed[offset : offset + length - 1],
        len(sealed),
        KEY,
        AD,
        segment_size=4096,
    )
    with pytest.raises(SealBroken) as caught:
        reader.read(0, 10)
    assert caught.value.what is Breakage.CUT


def test_range_read_fetches_only_the_segments_it_needs():
    plain = os.urandom(40 * SEGMENT_SIZE)
    sealed = seal_bytes(KEY, plain, AD)
    asked: list[tuple[int, int]] = []

    def read_range(offset: int, length: int) -> bytes:
        asked.append((offset, length))
        return sealed[offset : offset + length]

    reader = SealedReader(read_range, len(sealed), KEY, AD)
    offset = 20 * SEGMENT_SIZE
    assert reader.read(offset, 100) == plain[offset : offset + 100]
    assert sum(length for _, length in asked) <= 40 + 2 * SEGMENT_SIZE
    asked.clear()
    reader.check_end()
    reader.check_end()
    assert len(asked) == 1


def test_piece_kept_beyond_its_time_is_an_error_and_never_other_bytes():
    sealed = seal_bytes(KEY, bytes(100_000), AD, segment_size=4096)
    kept = list(reader_of(sealed).iter_all())
    assert len(kept) == 2
    for piece in kept:
        with pytest.raises(ValueError, match="released"):
            bytes(piece)


def test_failed_source_leaves_nothing_that_reads_as_complete():
    sink = io.BytesIO()

    def write_half_and_fail() -> None:
        with SealingWriter(sink, KEY, AD, 4096) as writer:
            writer.write(bytes(10_000))
            raise ConnectionError("camera gone")

    with pytest.raises(ConnectionError):
        write_half_and_fail()
    with pytest.raises(SealBroken):
        open_bytes(KEY, sink.getvalue(), AD, segment_size=4096)


def test_writing_after_the_end_is_a_programming_error():
    writer = SealingWriter(io.BytesIO(), KEY, AD)
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"late")


def test_same_plaintext_never_gives_the_same_bytes():
    first, second = (seal_bytes(KEY, b"same", AD) for _ in range(2))
    assert first != second
    assert len(first) == 40 + 4 + TAG_SIZE


@pytest.mark.parametrize("key", [b"", bytes(24), bytes(33)])
def test_key_of_a_wrong_length_is_refused(key):
    with pytest.raises(ValueError, match="16 or 32"):
        seal_bytes(key, b"x", AD)
