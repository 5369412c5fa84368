"""The supervisor with real child processes: what ends starts again, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.demo.supervise import Pauses, Supervisor

PROJECT = Path(__file__).resolve().parents[2]
SLEEPER = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]
QUICK = Pauses(first_s=0.05, longest_s=0.4, steady_s=60)


def _until(told: Callable[[], bool], within_s: float = 10) -> None:
    end = time.monotonic() + within_s
    while not told():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_killed_process_starts_again_and_the_others_never_notice(tmp_path: Path) -> None:
    with Supervisor(os.environ, tmp_path, pauses=QUICK) as supervisor:
        supervisor.keep("janus", SLEEPER, ready_word="ready")
        supervisor.keep("web", SLEEPER, ready_word="ready")
        assert supervisor.wait_ready("janus", 10)
        assert supervisor.wait_ready("web", 10)
        killed, other = supervisor.pid("janus"), supervisor.pid("web")
        assert killed
        os.kill(killed, signal.SIGKILL)
        _until(lambda: supervisor.pid("janus") not in (None, killed))
        assert supervisor.pid("web") == other


def test_pause_grows_to_its_limit_and_begins_anew_after_a_steady_life() -> None:
    pauses = Pauses(first_s=1, longest_s=5, steady_s=20)
    grown = [0.0]
    for _ in range(4):
        grown.append(pauses.after(grown[-1], lived_s=0.1))
    assert grown[1:] == [1, 2, 4, 5]
    assert pauses.after(5, lived_s=21) == 1


def test_process_that_ends_at_once_is_not_started_in_a_rush(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    fails = [sys.executable, "-S", "-c", f"open({str(marks)!r}, 'a').write('x')"]
    with Supervisor(os.environ, tmp_path, pauses=Pauses(0.2, 5, 60)) as supervisor:
        supervisor.keep("web", fails)
        _until(lambda: marks.exists() and len(marks.read_text()) >= 2)
        time.sleep(1.0)
        assert len(marks.read_text()) <= 4


def test_stop_ends_children_and_grandchildren_also_the_deaf_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.demo.supervise.GRACE_S", 0.5)
    deaf = textwrap.dedent("""
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        open("pids", "w").write(str(child.pid))
        print("ready", flush=True)
        time.sleep(60)
    """)
    supervisor = Supervisor(os.environ, tmp_path, pauses=QUICK)
    supervisor.keep("worker", [sys.executable, "-c", deaf], ready_word="ready")
    assert supervisor.wait_ready("worker", 10)
    pid, grandchild = supervisor.pid("worker"), int((tmp_path / "pids").read_text())
    assert pid
    supervisor.stop()
    _until(lambda: not _alive(pid) and not _alive(grandchild))


PREPARING = """
import os, sys
from pathlib import Path
from tools.demo.supervise import Supervisor, run_to_end, stopped_by_signals
with stopped_by_signals(), Supervisor(os.environ, Path(".")) as store:
    store.keep("minio", [sys.executable, "-c", "import time; print('ready', flush=True); \
time.sleep(60)"], ready_word="ready")
    assert store.wait_ready("minio", 10)
    print("store", store.pid("minio"), flush=True)
    run_to_end([sys.executable, "-c",
                "import os, time; print('seed', os.getpid(), flush=True); time.sleep(60)"],
               os.environ, Path("."))
"""


def test_stop_while_preparing_ends_the_store_and_the_seed(tmp_path: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", PREPARING],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout
    pids: dict[str, int] = {}
    while len(pids) < 2:
        words = program.stdout.readline().split()
        if words and words[0] in ("store", "seed"):
            pids[words[0]] = int(words[1])
    program.send_signal(signal.SIGTERM)
    assert program.wait(timeout=15) == 0
    program.stdout.close()
    assert not any(_alive(pid) for pid in pids.values())
