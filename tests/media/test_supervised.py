"""The demonstration under its supervisor: the media server is killed and comes back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from config import Settings
from tests.support.janus import TMPFS, free_port

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
from tools.demo import run
from tools.demo.supervise import stopped_by_signals
port, environment = int(sys.argv[1]), json.loads(sys.argv[2])
with stopped_by_signals():
    run._supervise(environment, port)
"""


def _environment(settings: Settings, spool: str, port: int) -> dict[str, str]:
    return {
        "APP_PROFILE": "demo",
        "FLASK_APP": "wsgi",
        "SECRET_KEY": settings.secret_key,
        "DATABASE_URL": settings.database_url,
        "OBJECT_STORE": "folder",
        "DATA_DIR": str(settings.data_dir),
        "KEY_DIR": str(settings.key_dir),
        "SPOOL_DIR": spool,
        "JANUS_HTTP_URL": f"http://127.0.0.1:{free_port()}/janus",
        "JANUS_WS_URL": f"ws://127.0.0.1:{free_port()}",
        "JANUS_TOKEN_SECRET": settings.janus_token_secret,
        "JANUS_ADMIN_KEY": settings.janus_admin_key,
        "JANUS_ADMIN_SECRET": settings.janus_admin_secret,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "COOKIE_SECURE": "0",
        "PYTHONPATH": str(PROJECT),
    }


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # http of 127.0.0.1
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _until(told: Callable[[], bool], within_s: float, said: Path) -> None:
    end = time.monotonic() + within_s
    while not told():
        assert time.monotonic() < end, said.read_text()[-3000:]
        time.sleep(0.1)


def _children(pid: int) -> dict[int, str]:
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    pids = [int(word) for file in listed for word in file.read_text().split()]
    return {
        pid: Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in pids
    }


def test_killed_media_server_returns_and_the_rest_goes_on(
    settings: Settings, tmp_path: Path
) -> None:
    log, port = tmp_path / "log", free_port()
    with tempfile.TemporaryDirectory(prefix="tcd-demo-", dir=TMPFS) as spool:
        environment = _environment(settings, spool, port)
        info = environment["JANUS_HTTP_URL"] + "/info"
        page = environment["PUBLIC_URL"] + "/song"
        with log.open("wb") as output:
            program = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(port), json.dumps(environment)],
                cwd=PROJECT, env={**os.environ, "PYTHONPATH": str(PROJECT)},
                stdout=output, stderr=output,
            )  # fmt: skip
        _until(lambda: _answers(info) and _answers(page), 60, log)
        before = _children(program.pid)
        (killed,) = [pid for pid, line in before.items() if "janus.jcfg" in line]
        os.kill(killed, signal.SIGKILL)
        _until(lambda: not Path(f"/proc/{killed}").exists() and _answers(info), 20, log)
        after = _children(program.pid)
        assert _answers(page)
        assert set(before) - {killed} < set(after), "only the media server was started anew"
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=40) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in after)
