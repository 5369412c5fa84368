"""The real Debian Janus with our own configuration, on free ports, recording to tmpfs.

    with running_janus(tmp_path) as janus:
        room = MediaRoom.new(janus.spool)
        janus.gateway.create_room(room)

Janus never offers loopback to a browser: run what uses this under `script/in-netns`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reception.janus_config import JanusSettings
from reception.media_gateway import JanusGateway

PROJECT = Path(__file__).resolve().parents[2]
TMPFS = Path("/dev/shm")  # noqa: S108  # recordings belong on tmpfs; the folder below is our own
START_WITHIN_S = 10.0


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RunningJanus:
    """One Janus process and all that is needed to talk to it."""

    settings: JanusSettings
    spool: Path
    directory: Path
    process: subprocess.Popen[bytes]

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.settings.http_port}/janus"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.settings.ws_port}"

    @property
    def log(self) -> str:
        return (self.directory / "janus.log").read_text(errors="replace")

    @property
    def environment(self) -> dict[str, str]:
        """The settings of the application that belong to this Janus."""
        return {
            "JANUS_HTTP_URL": self.http_url,
            "JANUS_WS_URL": self.ws_url,
            "JANUS_TOKEN_SECRET": self.settings.token_secret,
            "JANUS_ADMIN_KEY": self.settings.admin_key,
            "JANUS_ADMIN_SECRET": self.settings.admin_secret,
            "SPOOL_DIR": str(self.spool),
        }

    @property
    def gateway(self) -> JanusGateway:
        return JanusGateway(
            http_url=self.http_url,
            ws_url=self.ws_url,
            admin_key=self.settings.admin_key,
            token_secret=self.settings.token_secret,
        )

    def kill(self) -> None:
        """As a power cut would: no chance to close a file or tell anybody."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def start_again(self) -> None:
        """The same settings and ports, as the service manager does after a crash."""
        self.process = _start(self.settings, self.directory)
        _await_answer(self)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()


@contextlib.contextmanager
def running_janus(directory: Path, *, spool: Path | None = None) -> Iterator[RunningJanus]:
    """A Janus that answers; stopped, and its folder on tmpfs removed, at the end."""
    own_spool = spool is None
    spool = spool or Path(tempfile.mkdtemp(prefix="tcd-spool-", dir=TMPFS))
    settings = JanusSettings(
        token_secret=secrets.token_hex(32),
        admin_key=secrets.token_hex(32),
        admin_secret=secrets.token_hex(32),
        recordings_dir=spool,
        ws_port=free_port(),
        http_port=free_port(),
    )
    janus = RunningJanus(settings, spool, directory, _start(settings, directory))
    try:
        _await_answer(janus)
        yield janus
    finally:
        janus.stop()
        if own_spool:
            shutil.rmtree(spool, ignore_errors=True)


def _start(settings: JanusSettings, directory: Path) -> subprocess.Popen[bytes]:
    """Start Janus the way production does: by the command line of `reception.janus_config`."""
    low, high = settings.rtp_ports
    command = [
        sys.executable, "-m", "reception.janus_config", "run",
        "--dir", str(directory / "janus"), "--recordings", str(settings.recordings_dir),
        "--ws-port", str(settings.ws_port), "--http-port", str(settings.http_port),
        "--rtp-ports", f"{low}-{high}",
    ]  # fmt: skip
    own = {
        "JANUS_TOKEN_SECRET": settings.token_secret,
        "JANUS_ADMIN_KEY": settings.admin_key,
        "JANUS_ADMIN_SECRET": settings.admin_secret,
    }
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "janus.log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=PROJECT, env=os.environ | own, stdout=log, stderr=subprocess.STDOUT
        )


def _await_answer(janus: RunningJanus) -> None:
    end = time.monotonic() + START_WITHIN_S
    gateway = janus.gateway
    while not gateway.is_up():
        if janus.process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"Janus did not start:\n{janus.log}")
        time.sleep(0.05)
    gateway.close()
