"""The PostgreSQL of tests and of `script/server --full`: a cluster of its own on a spare port.

It runs as the user `postgres` when started by root (the server refuses root), listens on loopback
alone and asks for a password. Production uses the province's own server.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

ROLE = "tcd"


class ServerTrouble(RuntimeError):
    """The database server cannot be started; the message says why."""


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if not found:
        raise ServerTrouble("PostgreSQL is not installed: run script/bootstrap")
    return found[0].parent


def _run(*command: str | Path) -> None:
    """Run a server command as the user the server accepts."""
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        words = ["runuser", "-u", "postgres", "--", *words]
    done = subprocess.run(words, capture_output=True, text=True, cwd="/", check=False)  # noqa: S603  # our own list, no shell
    if done.returncode:
        raise ServerTrouble(f"{words[-1]}: {done.stderr.strip() or done.stdout.strip()}")


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class RunningPostgres:
    """A running cluster; `url(name)` is how the application reaches a database in it."""

    port: int
    password: str

    def url(self, name: str) -> str:
        """SQLAlchemy address of a database."""
        return f"postgresql+psycopg://{ROLE}:{self.password}@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str) -> None:
        """Run one administrative statement outside a transaction."""
        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=ROLE,
            password=self.password,
            dbname="postgres",
            autocommit=True,
        ) as connection:
            connection.execute(statement.encode())

    def create(self, name: str, *, template: str = "template1") -> None:
        """Make a database, a copy of `template`."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    def drop(self, name: str) -> None:
        """Remove a database and whoever is still connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _initialise(data: Path, password: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".pw") as handed_over:
        handed_over.write(password)
        handed_over.flush()
        if os.geteuid() == 0:
            shutil.chown(handed_over.name, "postgres")
        _run(
            _binaries() / "initdb",
            "--username", ROLE,
            "--pwfile", handed_over.name,
            "--auth", "scram-sha-256",
            "--encoding", "UTF8",
            "--locale", "C.UTF-8",
            "--pgdata", data,
        )  # fmt: skip


def _own(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)


@contextlib.contextmanager
def running_postgres(
    data: Path | None = None, *, port: int | None = None, password: str = "", durable: bool = False
) -> Iterator[RunningPostgres]:
    """A cluster in `data` (kept), or in a temporary folder that is gone afterwards."""
    scratch = None if data else Path(tempfile.mkdtemp(prefix="tcd-pg-"))
    if scratch:
        scratch.chmod(0o711)
    place = data or Path(f"{scratch}/data")
    password = password or secrets.token_urlsafe(24)
    _own(place)
    if not any(place.iterdir()):
        _initialise(place, password)
    running = RunningPostgres(port or free_port(), password)
    options = f"-c listen_addresses=127.0.0.1 -p {running.port} -c unix_socket_directories={place}"
    if not durable:
        options += " -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
    control = _binaries() / "pg_ctl"
    log = place / "server.log"
    try:  # whoever is stopped while it starts still ends it
        _run(control, "-D", place, "-w", "-t", "30", "-l", log, "-o", options, "start")
        yield running
    finally:
        if (place / "postmaster.pid").exists():
            _run(control, "-D", place, "-w", "-m", "fast", "stop")
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)
