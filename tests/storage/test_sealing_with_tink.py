"""Google's Tink reads what we seal and we read what it seals; both refuse the same attacks."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Callable

import pytest
import tink

from storage.sealing import Layout, SealBroken, SealedReader, open_bytes, seal_bytes
from tests.support.tink_peer import tink_primitive

AD = b"tcd-rec|v1|0190c0de|audio|1"
KEY_SIZES = (16, 32)
SEGMENT_SIZES = (4096, 64 * 1024, 256 * 1024, 1024 * 1024)


class _KeptBuffer(io.BytesIO):
    """Tink closes what it writes to; the bytes are still wanted."""

    kept = b""

    def close(self) -> None:
        if not self.closed:
            self.kept = self.getvalue()
        super().close()


def tink_seal(key: bytes, plain: bytes, segment_size: int, ad: bytes = AD) -> bytes:
    sink = _KeptBuffer()
    with tink_primitive(key, segment_size).new_encrypting_stream(sink, ad) as stream:
        stream.write(plain)
    return sink.kept


def tink_open(key: bytes, sealed: bytes, segment_size: int, ad: bytes = AD) -> bytes:
    source = io.BytesIO(sealed)
    with tink_primitive(key, segment_size).new_decrypting_stream(source, ad) as stream:
        return stream.read()


def lengths_around_every_boundary(layout: Layout) -> list[int]:
    first, room = layout.first_room, layout.room
    edges = [first + number * room for number in range(3)]
    return [0, 1, *(edge + by for edge in edges for by in (-1, 0, 1)), edges[2] + room // 3]


@pytest.mark.parametrize("segment_size", SEGMENT_SIZES)
@pytest.mark.parametrize("key_size", KEY_SIZES)
def test_tink_and_we_read_each_other_around_every_boundary(key_size, segment_size):
    key = os.urandom(key_size)
    layout = Layout(segment_size=segment_size, key_size=key_size)
    for length in lengths_around_every_boundary(layout):
        plain = os.urandom(length)
        ours = seal_bytes(key, plain, AD, segment_size=segment_size)
        theirs = tink_seal(key, plain, segment_size)
        assert len(ours) == len(theirs) == layout.sealed_size(length)
        assert layout.plain_size(len(ours)) == length
        assert tink_open(key, ours, segment_size) == plain
        assert open_bytes(key, theirs, AD, segment_size=segment_size) == plain
        reader = SealedReader(
            lambda offset, size, held=theirs: held[offset : offset + size],
            len(theirs),
            key,
            AD,
            segment_size=segment_size,
        )
        for _ in range(12):
            start, size = random.randint(0, length), random.randint(0, length)
            assert reader.read(start, size) == plain[start : start + size]


def _swap(pieces: list[bytes]) -> list[bytes]:
    return [pieces[0], pieces[2], pieces[1], *pieces[3:]]


def _flip(position: int) -> Callable[[list[bytes]], list[bytes]]:
    def change(pieces: list[bytes]) -> list[bytes]:
        whole = bytearray(b"".join(pieces))
        whole[position] ^= 1
        return [bytes(whole)]

    return change


ATTACKS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "cut at a segment": lambda pieces: pieces[:-1],
    "cut inside a segment": lambda pieces: [*pieces[:-1], pieces[-1][:-1]],
    "cut inside the first": lambda pieces: [pieces[0][:50]],
    "first dropped": lambda pieces: pieces[1:],
    "middle dropped": lambda pieces: [pieces[0], *pieces[2:]],
    "swapped": _swap,
    "doubled": lambda pieces: [pieces[0], pieces[1], *pieces[1:]],
    "length byte flipped": _flip(0),
    "salt flipped": _flip(1),
    "header flipped": _flip(20),
    "cipher text flipped": _flip(2 * 4096 + 7),
    "tag flipped": _flip(-1),
}


@pytest.mark.parametrize("seal", [seal_bytes, None], ids=["our object", "tink's object"])
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
@pytest.mark.parametrize("key_size", KEY_SIZES)
def test_both_refuse_an_object_that_was_meddled_with(key_size, attack, seal):
    key = os.urandom(key_size)
    layout = Layout(segment_size=4096, key_size=key_size)
    plain = os.urandom(layout.first_room + 2 * layout.room)
    whole = seal(key, plain, AD, segment_size=4096) if seal else tink_seal(key, plain, 4096)
    pieces = [whole[i : i + 4096] for i in range(0, len(whole), 4096)]
    meddled = b"".join(ATTACKS[attack](pieces))
    assert meddled != whole
    with pytest.raises(SealBroken):
        open_bytes(key, meddled, AD, segment_size=4096)
    with pytest.raises(tink.TinkError):
        tink_open(key, meddled, 4096)


@pytest.mark.parametrize("key_size", KEY_SIZES)
def test_both_refuse_a_segment_of_another_object_under_the_same_key(key_size):
    key = os.urandom(key_size)
    layout = Layout(segment_size=4096, key_size=key_size)
    plain = os.urandom(layout.first_room + 2 * layout.room)
    ours = seal_bytes(key, plain, AD, segment_size=4096)
    theirs = tink_seal(key, plain, 4096)
    spliced = ours[:4096] + theirs[4096:8192] + ours[8192:]
    with pytest.raises(SealBroken):
        open_bytes(key, spliced, AD, segment_size=4096)
    with pytest.raises(tink.TinkError):
        tink_open(key, spliced, 4096)


@pytest.mark.parametrize("length", [0, 1, 5000])
def test_both_refuse_another_records_name(length):
    key = os.urandom(32)
    plain = os.urandom(length)
    with pytest.raises(SealBroken):
        open_bytes(key, tink_seal(key, plain, 4096), AD + b"x", segment_size=4096)
    with pytest.raises(tink.TinkError):
        tink_open(key, seal_bytes(key, plain, AD + b"x", segment_size=4096), 4096)


@pytest.mark.parametrize("extra", [17, 100, 4096])
def test_bytes_behind_a_full_last_segment_are_refused_where_tink_lets_them_pass(extra):
    key = os.urandom(32)
    layout = Layout(segment_size=4096)
    sealed = seal_bytes(key, os.urandom(layout.first_room + layout.room), AD, segment_size=4096)
    longer = sealed + os.urandom(extra)
    assert tink_open(key, longer, 4096) == tink_open(key, sealed, 4096)
    with pytest.raises(SealBroken):
        open_bytes(key, longer, AD, segment_size=4096)
