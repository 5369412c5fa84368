"""The whole system as processes of its own: web, worker, sealer and media server, as in production.

    with running_system(tmp_path, database_url=…, store=…) as system:
        page.goto(system.url)

Needs an own network (`script/in-netns`), because the media server never offers loopback.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from storage.keyring import create_root_key
from tests.support.janus import RunningJanus, free_port, running_janus

PROJECT = Path(__file__).resolve().parents[2]
TMPFS = Path("/dev/shm")  # noqa: S108  # recordings belong on tmpfs; the folder below is our own
START_WITHIN_S = 40.0


@dataclass
class RunningSystem:
    """Addresses, settings and processes of one running system."""

    url: str
    environment: dict[str, str]
    janus: RunningJanus
    directory: Path
    spool: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        """Start a process of the application; its output goes to a log of its own."""
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *command],
                cwd=PROJECT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def start_web(self) -> None:
        self.start(
            "web", "-m", "gunicorn", "--worker-class", "gthread", "--threads", "12",
            "--bind", self.url.removeprefix("http://"), "--no-control-socket", "wsgi:app",
        )  # fmt: skip

    def start_sealer(self) -> None:
        self.start("sealer", "-m", "flask", "run-sealer")

    def start_worker(self) -> None:
        self.start("worker", "-m", "flask", "run-worker")

    def kill(self, name: str) -> None:
        """As a power cut would."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    @contextlib.contextmanager
    def held(self, name: str) -> Iterator[None]:
        """The process stands still, as on a machine that has no time for it."""
        self.processes[name].send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.processes[name].send_signal(signal.SIGCONT)

    def flask(self, *words: str) -> str:
        """Run a command of the application; its standard output. Fails with its error text."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", *words],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"flask {' '.join(words)}: {done.stderr[-2000:]}"
        return done.stdout

    def log(self, name: str) -> str:
        """What a process said."""
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def await_web(self) -> None:
        """Until the first page answers."""
        until = time.monotonic() + START_WITHIN_S
        while time.monotonic() < until:
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.url}/dang-nhap", timeout=2).close()
                return
            time.sleep(0.2)
        raise TimeoutError(self.log("web")[-3000:])

    def stop(self) -> None:
        """End every process by its own id."""
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment(root: Path, janus: RunningJanus, url: str) -> dict[str, str]:
    keys = root / "keys"
    create_root_key(keys)
    return {
        **{k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")},
        "APP_PROFILE": "demo",
        "FLASK_APP": "wsgi",
        "PYTHONPATH": str(PROJECT),
        "SECRET_KEY": "end-to-end-secret-key-of-the-cookies",
        "DATA_DIR": str(root / "data"),
        "KEY_DIR": str(keys),
        "PUBLIC_URL": url,
        "COOKIE_SECURE": "0",
        **janus.environment,
        "SPOOL_DIR": str(janus.spool),
    }


@contextlib.contextmanager
def running_system(root: Path, back_ends: Mapping[str, str]) -> Iterator[RunningSystem]:
    """Migrated and filled with the reference data; everything ends with the block."""
    url = f"http://127.0.0.1:{free_port()}"
    spool = Path(tempfile.mkdtemp(prefix="tcd-system-", dir=TMPFS))
    rooms = spool / "rooms"
    rooms.mkdir(mode=0o700)
    root.mkdir(parents=True, exist_ok=True)
    with running_janus(root / "janus", spool=rooms) as janus:
        environment = {**_environment(root, janus, url), **back_ends, "SPOOL_DIR": str(spool)}
        system = RunningSystem(url, environment, janus, root, spool)
        try:
            system.flask("database", "upgrade")
            system.flask("seed", "reference")
            system.start_sealer()
            system.start_worker()
            system.start_web()
            system.await_web()
            yield system
        finally:
            system.stop()
            shutil.rmtree(spool, ignore_errors=True)
