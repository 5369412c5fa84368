"""Plaintext rests in memory only: what counts as memory, and how to give it back in pieces."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_TMPFS_MAGIC = 0x01021994
_RAMFS_MAGIC = 0x858458F6
_KEEP_SIZE = 0x01
_PUNCH_HOLE = 0x02
_PAGE = os.sysconf("SC_PAGE_SIZE")
_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
_libc.statfs.argtypes = (ctypes.c_char_p, ctypes.c_void_p)


class NotInMemory(RuntimeError):
    """Plaintext would rest on a disk here. Stops the start or the job, never only warns."""


def is_tmpfs(path: Path) -> bool:
    """Whether files below `path` live in memory."""
    # The kernel's struct statfs begins with the type as a long; 512 bytes hold the rest anywhere.
    answer = (ctypes.c_long * 64)()
    if _libc.statfs(os.fsencode(path), answer) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(path))
    return (answer[0] & 0xFFFFFFFF) in (_TMPFS_MAGIC, _RAMFS_MAGIC)


def require_tmpfs(path: Path) -> None:
    """Refuse a place for plaintext that is missing or on a disk. Raises NotInMemory."""
    if not path.is_dir():
        raise NotInMemory(f"Không có thư mục {path} / {path} is no directory")
    if not is_tmpfs(path):
        raise NotInMemory(f"{path} phải nằm trên tmpfs / {path} must be on tmpfs")


def swap_in_use() -> bool:
    """Whether the machine could write memory to a disk: pages of a tmpfs may be swapped."""
    lines = Path("/proc/swaps").read_text(encoding="utf-8").splitlines()
    return any(not line.startswith("/dev/zram") for line in lines[1:])


def punch_hole(descriptor: int, offset: int, length: int) -> None:
    """Give back the memory of [offset, offset + length) of a file; its size stays.

    Only whole pages inside the range are given back, so a page that is still being written into
    is never touched. The descriptor must be open for writing.
    """
    start = -(-offset // _PAGE) * _PAGE
    end = (offset + length) // _PAGE * _PAGE
    if end <= start:
        return
    mode = _PUNCH_HOLE | _KEEP_SIZE
    if _libc.fallocate(descriptor, mode, start, end - start) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
