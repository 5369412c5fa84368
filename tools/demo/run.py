"""The demonstration: settings made once, back ends, schema, seed, then every process.

Ends with whatever it started when it is told to stop.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tools.demo.supervise import Supervisor, run_to_end, stopped_by_signals
from tools.minio.server import Credentials, application_settings
from tools.postgres.server import running_postgres

PROJECT = Path(__file__).resolve().parents[2]
START_S = 120.0
SECRETS = (
    "SECRET_KEY",
    "JANUS_TOKEN_SECRET",
    "JANUS_ADMIN_KEY",
    "JANUS_ADMIN_SECRET",
    "PG_PASSWORD",
)


def _instance(full: bool) -> str:
    """A name of this checkout's demonstration, so that two of them never share anything."""
    digest = hashlib.sha256(str(PROJECT).encode()).hexdigest()[:8]
    return f"tiep-cong-dan-{digest}{'-full' if full else ''}"


def _secrets(folder: Path) -> dict[str, str]:
    path = folder / "secrets.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    made = {name: kept.get(name) or secrets.token_urlsafe(36) for name in SECRETS}
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(made, file, indent=1)
    return made


def _settings(var: Path, instance: str, port: int) -> dict[str, str]:
    keys = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local/share")) / instance / "keys"
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        **_secrets(var),
        "APP_PROFILE": "demo",
        "FLASK_APP": "wsgi",
        "DATABASE_URL": f"sqlite:///{var}/tcd.db",
        "OBJECT_STORE": "folder",
        "DATA_DIR": str(var / "data"),
        "KEY_DIR": str(keys),
        "SPOOL_DIR": f"/dev/shm/{instance}",  # noqa: S108  # recordings belong on tmpfs
        "JANUS_HTTP_URL": f"http://127.0.0.1:{port + 88}/janus",
        "JANUS_WS_URL": f"ws://127.0.0.1:{port + 188}",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "COOKIE_SECURE": "0",
        "PYTHONPATH": str(PROJECT),
        "PYTHONWARNINGS": "",
    }


@contextlib.contextmanager
def _full_back_ends(var: Path, instance: str, env: dict[str, str], port: int) -> Iterator[None]:
    """PostgreSQL and MinIO, started before anything needs them."""
    credentials = var / "minio.json"
    accounts = Credentials.kept_in(credentials)
    data = Path("/var/lib/postgresql") / instance if os.geteuid() == 0 else var / "postgres"
    with running_postgres(
        data, port=port + 32, password=env["PG_PASSWORD"], durable=True
    ) as postgres:
        with contextlib.suppress(Exception):  # it is there already
            postgres.create(instance)
        env["DATABASE_URL"] = postgres.url(instance)
        env.update(application_settings(port + 90, accounts))
        with Supervisor(os.environ, PROJECT) as supervisor:
            supervisor.keep(
                "minio",
                [
                    sys.executable, "-m", "tools.minio.server", "run",
                    "--data", str(var / "minio"), "--port", str(port + 90),
                    "--credentials", str(credentials),
                ],
                ready_word="Object store ready",
            )  # fmt: skip
            if not supervisor.wait_ready("minio", START_S):
                raise SystemExit("the object store did not start")
            yield


def _ensure_interface() -> None:
    """The media server needs an address that is not loopback: make a pair where there is none."""
    shown = subprocess.run(
        ["ip", "-4", "-brief", "address", "show", "up"],  # noqa: S607  # a system program
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if any(line.split()[0] != "lo" for line in shown.splitlines() if line.strip()):
        return
    for words in (
        "link add media0 type veth peer name media1",
        "address add 10.77.0.1/24 dev media0",
        "link set media0 up",
        "link set media1 up",
    ):
        subprocess.run(["ip", *words.split()], check=True)  # noqa: S603, S607  # fixed words


def _flask(env: dict[str, str], *words: str) -> None:
    if run_to_end([sys.executable, "-m", "flask", *words], {**os.environ, **env}, PROJECT):
        raise SystemExit(f"flask {' '.join(words)} failed")


def _processes(env: dict[str, str], port: int) -> dict[str, list[str]]:
    spool = env["SPOOL_DIR"]
    modules = {
        "janus": f"reception.janus_config run --dir {spool}/janus --recordings {spool}/rooms",
        "sealer": "flask run-sealer",
        "worker": "flask run-worker",
        "web": "gunicorn --worker-class gthread --workers 1 --threads 12 "
        f"--bind 127.0.0.1:{port} --no-control-socket --worker-tmp-dir /dev/shm wsgi:app",
    }
    return {name: [sys.executable, "-m", *words.split()] for name, words in modules.items()}


def _supervise(env: dict[str, str], port: int) -> None:
    """Keep every process running until this one is told to stop."""
    with Supervisor({**os.environ, **env}, PROJECT) as supervisor:
        for name, command in _processes(env, port).items():
            supervisor.keep(name, command)
        print(f"\n  Mở / open:  {env['PUBLIC_URL']}/\n", flush=True)
        threading.Event().wait()


def main() -> int:
    """Run the command line above."""
    parser = argparse.ArgumentParser(prog="tools.demo.run")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--prepare-only", action="store_true", help="stop after the seed")
    asked = parser.parse_args()
    instance = _instance(asked.full)
    var = PROJECT / "var" / ("full" if asked.full else "demo")
    var.mkdir(parents=True, exist_ok=True, mode=0o700)
    env = _settings(var, instance, asked.port)
    Path(env["SPOOL_DIR"]).mkdir(exist_ok=True, mode=0o700)
    started = time.monotonic()
    # The handlers come first: whoever stops the preparation also ends what it has started.
    with stopped_by_signals(), contextlib.ExitStack() as stack:
        _ensure_interface()
        if asked.full:
            stack.enter_context(_full_back_ends(var, instance, env, asked.port))
        _flask(env, "database", "upgrade")
        _flask(env, "seed", "reference")
        _flask(env, "seed", "demo")
        print(f"ready after {time.monotonic() - started:.0f} s", flush=True)
        if not asked.prepare_only:
            _supervise(env, asked.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
