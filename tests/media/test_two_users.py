"""The pages and the sealer run as one user, the media server as another: both must reach a room."""

from __future__ import annotations

import os
import stat
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reception.janus_config import open_to_group
from reception.media_gateway import make_room_folder
from reception.sealer import TailedFile
from tests.support.janus import TMPFS

PAGES, MEDIA = 61801, 61802  # no such accounts: the kernel only knows numbers


@pytest.fixture
def rooms() -> Iterator[Path]:
    """The folder of rooms as the units of an installation make it."""
    with tempfile.TemporaryDirectory(prefix="tcd-two-", dir=TMPFS) as name:
        folder = Path(name) / "rooms"
        Path(name).chmod(0o711)
        folder.mkdir()
        os.chown(folder, PAGES, MEDIA)
        folder.chmod(0o2770)
        yield folder


def _as(uid: int, groups: list[int], umask: int, act: Callable[[], None]) -> None:
    """Run `act` in a child process of that user; fails as it does."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups(groups)
            os.setgid(uid)
            os.setuid(uid)
            os.umask(umask)
            act()
        except BaseException:  # noqa: BLE001  # told to the parent, whose test fails by it
            os.write(writing, traceback.format_exc().encode()[-4000:])
            os._exit(1)
        os._exit(0)
    os.close(writing)
    told = os.read(reading, 4000).decode()
    os.close(reading)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, told


def _as_pages(act: Callable[[], None]) -> None:
    _as(PAGES, [PAGES, MEDIA], 0o077, act)


def test_media_server_writes_where_the_pages_made_the_room_and_the_sealer_empties_it(
    rooms: Path,
) -> None:
    room = rooms / "room"
    track = room / "videoroom-audio-0.mjr"

    def record() -> None:
        open_to_group(rooms)
        track.write_bytes(b"x" * 8192)

    def seal() -> None:
        tailed = TailedFile(track)
        assert len(tailed.pending()) == 8192
        tailed.sealed_to(8192)
        tailed.close()
        track.unlink()
        room.rmdir()

    _as_pages(lambda: make_room_folder(room))
    _as(MEDIA, [MEDIA], 0o027, record)
    assert stat.S_IMODE(track.stat().st_mode) == 0o660
    assert track.stat().st_gid == MEDIA
    _as_pages(seal)
    assert not room.exists()


def test_nobody_else_reads_a_room(rooms: Path) -> None:
    room = rooms / "room"
    _as_pages(lambda: make_room_folder(room))
    assert room.stat().st_mode & 0o007 == 0

    def look() -> None:
        with pytest.raises(PermissionError):
            list(room.iterdir())

    _as(61803, [61803], 0o077, look)


def test_one_user_alone_keeps_the_room_to_itself(tmp_path: Path) -> None:
    make_room_folder(tmp_path / "rooms" / "room")
    assert stat.S_IMODE((tmp_path / "rooms" / "room").stat().st_mode) == 0o700
