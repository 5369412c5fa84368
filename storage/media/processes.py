"""Outside programs on plaintext media: no secrets in, nothing on disk, always ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from storage.media.tmpfs import require_tmpfs
from workflows.errors import DomainError

_STEP_S = 0.2
_KEPT_OUTPUT = 2_000


class MediaToolFailed(DomainError):
    """A program ended with an error, took too long or was told to stop; `detail` for the log."""

    def __init__(self, tool: str, detail: str) -> None:
        super().__init__(
            "Chưa xử lý được bản ghi. Hệ thống sẽ thử lại; nếu vẫn lỗi thì báo quản trị."
        )
        self.tool, self.detail = tool, detail


def clean_child_env(scratch: Path) -> dict[str, str]:
    """All that a child process gets of the environment: nothing of ours, and scratch in memory.

    Raises NotInMemory unless `scratch` is on tmpfs.
    """
    require_tmpfs(scratch)
    place = str(scratch)
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": place,
        "TMPDIR": place,
    }


def run_tool(
    arguments: Sequence[str],
    *,
    scratch: Path,
    timeout_s: float,
    stopped: Callable[[], bool] = lambda: False,
    pass_fds: Sequence[int] = (),
) -> bytes:
    """Run a program to its end and give its standard output.

    `pass_fds` are open files of ours it may read, for data that has no name. It runs in a process
    group of its own that is killed when time is up, when `stopped` says so or when an exception
    passes. Raises MediaToolFailed.
    """
    with started(arguments, scratch=scratch, pass_fds=pass_fds) as process:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                output, errors = process.communicate(timeout=_STEP_S)
                break
            except subprocess.TimeoutExpired:
                _check_patience(arguments[0], deadline, stopped)
    if process.returncode:
        told = errors[-_KEPT_OUTPUT:].decode("utf-8", "replace").strip()
        raise MediaToolFailed(arguments[0], f"exit {process.returncode}: {told}")
    return bytes(output)


def _check_patience(tool: str, deadline: float, stopped: Callable[[], bool]) -> None:
    if stopped():
        raise MediaToolFailed(tool, "stopped on request")
    if time.monotonic() > deadline:
        raise MediaToolFailed(tool, "took too long")


@contextmanager
def started(
    arguments: Sequence[str], *, scratch: Path, pass_fds: Sequence[int] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """A running program with clean environment; its whole group is dead afterwards."""
    process = subprocess.Popen(  # noqa: S603 - our own program; file names are paths of ours
        list(arguments),
        env=clean_child_env(scratch),
        cwd=scratch,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=tuple(pass_fds),
    )
    try:
        yield process
    finally:
        _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
