"""Keeps processes running: one that ends is started again, after a pause that grows.

The end of one never ends another; all end together when they are told to.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

GRACE_S = 25.0
"""How long a process may take to end by itself; a worker finishes its job first."""


class Stopped(SystemExit):
    """Somebody asked this program to end; raised in the main thread wherever it is."""

    def __init__(self) -> None:
        super().__init__(0)


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Within, SIGTERM, SIGINT and SIGHUP raise Stopped once, so that `finally` runs everywhere."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def ask(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:  # a function, not SIG_IGN: that would be inherited by children
            signal.signal(number, lambda *_: None)
        raise Stopped

    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True)
class Pauses:
    """Seconds before a process starts again; after a steady life the first pause counts anew."""

    first_s: float = 0.5
    longest_s: float = 30.0
    steady_s: float = 20.0

    def after(self, pause_s: float, *, lived_s: float) -> float:
        """The next pause, `pause_s` being the one before (0 at first)."""
        if pause_s == 0 or lived_s >= self.steady_s:
            return self.first_s
        return min(pause_s * 2, self.longest_s)


@dataclass
class Kept:
    """One process that is kept running."""

    name: str
    command: Sequence[str]
    ready_word: str
    ready: threading.Event = field(default_factory=threading.Event)
    child: subprocess.Popen[str] | None = None


class Supervisor:
    """Starts processes, restarts those that end, and ends them all."""

    def __init__(
        self, env: Mapping[str, str], cwd: Path, *, pauses: Pauses | None = None, wide: int = 8
    ) -> None:
        self._env, self._cwd, self._wide = dict(env), cwd, wide
        self._pauses = pauses or Pauses()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._kept: dict[str, Kept] = {}
        self._threads: list[threading.Thread] = []

    def keep(self, name: str, command: Sequence[str], *, ready_word: str = "") -> None:
        """Run `command` from now on; `ready_word` is what it prints when it can be used."""
        kept = self._kept[name] = Kept(name, command, ready_word)
        thread = threading.Thread(target=self._keep_running, args=(kept,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def wait_ready(self, name: str, timeout_s: float) -> bool:
        """Whether it printed its word in time."""
        return self._kept[name].ready.wait(timeout_s)

    def pid(self, name: str) -> int | None:
        """The process id of the child that runs now."""
        child = self._kept[name].child
        return child.pid if child is not None and child.poll() is None else None

    def stop(self) -> None:
        """End every process, gently and then for good; returns when none is left."""
        self._stopping.set()
        with self._lock:
            children = [kept.child for kept in self._kept.values() if kept.child is not None]
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        until = time.monotonic() + GRACE_S
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=max(0.0, until - time.monotonic()))
            _end_group(child.pid)
        for thread in self._threads:
            thread.join(timeout=5)

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- one process ---------------------------------------------------------------------------

    def _keep_running(self, kept: Kept) -> None:
        pause_s = 0.0
        while True:
            began = time.monotonic()
            child = self._start(kept)
            if child is None:
                return
            code = child.wait()
            _end_group(child.pid)  # what it started must not hold its port
            if self._stopping.is_set():
                return
            pause_s = self._pauses.after(pause_s, lived_s=time.monotonic() - began)
            self._say(kept.name, f"ended with {code}; starts again in {pause_s:g} s")
            if self._stopping.wait(pause_s):
                return

    def _start(self, kept: Kept) -> subprocess.Popen[str] | None:
        with self._lock:  # so that nothing is born after `stop` has looked
            if self._stopping.is_set():
                return None
            kept.child = subprocess.Popen(  # noqa: S603  # our own list, no shell
                kept.command,
                env=self._env,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # a Ctrl-C reaches the supervisor alone
            )
        threading.Thread(target=self._pass_on, args=(kept, kept.child), daemon=True).start()
        return kept.child

    def _pass_on(self, kept: Kept, child: subprocess.Popen[str]) -> None:
        if child.stdout is None:
            return
        with child.stdout as lines:
            for line in lines:
                self._say(kept.name, line.rstrip("\n"))
                if kept.ready_word and kept.ready_word in line:
                    kept.ready.set()

    def _say(self, name: str, line: str) -> None:
        sys.stdout.write(f"{time.strftime('%H:%M:%S')} {name:<{self._wide}}| {line}\n")
        sys.stdout.flush()


def _end_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def run_to_end(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> int:
    """Run one command to its end; when this program is stopped meanwhile, end it as well."""
    child = subprocess.Popen(command, env=dict(env), cwd=cwd)  # noqa: S603  # our own list, no shell
    try:
        return child.wait()
    except BaseException:
        child.terminate()
        try:
            child.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        raise
