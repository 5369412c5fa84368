"""The S3 server of tests and of `script/server --full`: started, provisioned, ended.

    python -m tools.minio.server run --data DIR --port N --credentials FILE
    python -m tools.minio.server env --port N --credentials FILE    settings for the application

`run` stays in the foreground and ends the server with itself. Production installs its own server;
this module only shows what it must be given: an account that is not root, without bypass rights.
"""

from __future__ import annotations

import argparse
import contextlib
import json
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
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType

import urllib3
from minio import Minio, MinioAdmin
from minio.credentials.providers import StaticProvider

from storage.objects import MinioStore, minio_client, provision_buckets
from storage.objects.s3 import BUCKET_PREFIX

PROJECT = Path(__file__).resolve().parents[2]
POLICY = "tcd-application"
_BUCKET_ACTIONS = (
    "s3:GetBucketLocation",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:ListBucketMultipartUploads",
    "s3:GetBucketVersioning",
    "s3:GetBucketObjectLockConfiguration",
)
_OBJECT_ACTIONS = (
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:GetObjectRetention",
    "s3:PutObjectRetention",
    "s3:GetObjectLegalHold",
    "s3:PutObjectLegalHold",
)


class ServerTrouble(RuntimeError):
    """The server is missing or does not start; the message says what to do."""


@dataclass(frozen=True)
class Credentials:
    """The server's root account, used to provision only, and the application's own."""

    root_user: str = "tcd-root"
    root_password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    app_user: str = "tcd-app"
    app_password: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @classmethod
    def kept_in(cls, path: Path) -> Credentials:
        """Read the accounts, or make them on the first start, readable by the owner only."""
        if path.exists():
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        made = cls()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(made), file, indent=1)
        return made


def binary() -> Path:
    """The server program as script/bootstrap built or found it. Raises ServerTrouble."""
    built = PROJECT / ".tools" / "bin" / "minio"
    found = str(built) if built.exists() else shutil.which("minio")
    if found is None:
        raise ServerTrouble("There is no object store program: run script/bootstrap first")
    return Path(found)


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(data_dir: Path, port: int, accounts: Credentials, log: Path) -> subprocess.Popen[bytes]:
    """Start the server on 127.0.0.1 and wait until it answers. Raises ServerTrouble."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log.open("ab") as output:
        server = subprocess.Popen(  # noqa: S603 - our own program, no word of a stranger
            [binary(), "server", "--quiet", "--address", f"127.0.0.1:{port}", data_dir],
            env=_server_environment(accounts),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_ready(server, port, log)
    except BaseException:
        stop(server)
        raise
    return server


def _server_environment(accounts: Credentials) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": os.environ.get("HOME", "/"),
        "MINIO_ROOT_USER": accounts.root_user,
        "MINIO_ROOT_PASSWORD": accounts.root_password,
        "MINIO_UPDATE": "off",
        "MINIO_BROWSER": "off",
        # The lifecycle rule for stale parts is refused by MinIO: the server sweeps them itself.
        "MINIO_API_STALE_UPLOADS_EXPIRY": "24h",
        "MINIO_API_STALE_UPLOADS_CLEANUP_INTERVAL": "6h",
    }


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    pool = urllib3.PoolManager(retries=False, timeout=1)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise ServerTrouble(f"The object store ended at once; see {log}")
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            if pool.request("GET", f"http://127.0.0.1:{port}/minio/health/ready").status == 200:
                return
        time.sleep(0.1)
    raise ServerTrouble(f"The object store did not answer within 60 s; see {log}")


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server that `start` gave, gently, then for good."""
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def provision(endpoint: str, accounts: Credentials, prefix: str = BUCKET_PREFIX) -> None:
    """Make buckets with object lock and the application's account. Safe to repeat."""
    provision_buckets(_root_client(endpoint, accounts), prefix)
    admin = MinioAdmin(
        endpoint=endpoint,
        credentials=StaticProvider(accounts.root_user, accounts.root_password),
        secure=False,
    )
    admin.policy_add(POLICY, policy=_policy(prefix))
    admin.user_add(accounts.app_user, accounts.app_password)
    admin.policy_set(POLICY, user=accounts.app_user)


def _policy(prefix: str) -> dict[str, object]:
    """What the application may do: neither bypass a lock nor touch buckets and accounts."""
    buckets = f"arn:aws:s3:::{prefix}*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": list(_BUCKET_ACTIONS), "Resource": [buckets]},
            {"Effect": "Allow", "Action": list(_OBJECT_ACTIONS), "Resource": [f"{buckets}/*"]},
        ],
    }


def _root_client(endpoint: str, accounts: Credentials) -> Minio:
    return minio_client(endpoint, accounts.root_user, accounts.root_password, secure=False)


@dataclass
class RunningMinio:
    """A provisioned server on loopback. `process` may be killed and `restart`ed by a test."""

    data_dir: Path
    port: int
    accounts: Credentials
    process: subprocess.Popen[bytes]

    @property
    def endpoint(self) -> str:
        """Host and port, as the application's setting wants them."""
        return f"127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """The environment with which the application uses this server."""
        return application_settings(self.port, self.accounts)

    def client(self) -> Minio:
        """A client with the application's account."""
        return minio_client(
            self.endpoint, self.accounts.app_user, self.accounts.app_password, secure=False
        )

    def root_client(self) -> Minio:
        """A client with the server's root account: what a hostile administrator would use."""
        return _root_client(self.endpoint, self.accounts)

    def store(self) -> MinioStore:
        """The object store over this server."""
        return MinioStore(self.client)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start again on the same data and port."""
        self.process = start(self.data_dir, self.port, self.accounts, _log_of(self.data_dir))


@contextlib.contextmanager
def running_minio(data_dir: Path | None = None) -> Iterator[RunningMinio]:
    """A provisioned server of one's own, gone at the end, with its data if `data_dir` is None."""
    with tempfile.TemporaryDirectory(prefix="tcd-minio-") as scratch:
        place = data_dir or Path(scratch) / "data"
        accounts, port = Credentials(), free_port()
        process = start(place, port, accounts, _log_of(place))
        running = RunningMinio(place, port, accounts, process)
        try:
            provision(running.endpoint, accounts)
            yield running
        finally:
            stop(running.process)


def _log_of(data_dir: Path) -> Path:
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    return data_dir.parent / f"{data_dir.name}.log"


def application_settings(port: int, accounts: Credentials) -> dict[str, str]:
    """The environment with which the application uses a server of this module."""
    return {
        "OBJECT_STORE": "minio",
        "MINIO_ENDPOINT": f"127.0.0.1:{port}",
        "MINIO_ACCESS_KEY": accounts.app_user,
        "MINIO_SECRET_KEY": accounts.app_password,
        "MINIO_SECURE": "0",
    }


def run_in_foreground(data_dir: Path, port: int, accounts: Credentials) -> int:
    """Serve until the server ends or this process is told to; the server's exit code."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(1)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, give_up)  # while it starts: `start` then ends the server
    server = start(data_dir, port, accounts, _log_of(data_dir))

    def pass_on(number: int, _frame: FrameType | None) -> None:
        server.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    provision(f"127.0.0.1:{port}", accounts)
    print(f"Object store ready on 127.0.0.1:{port}", flush=True)
    return server.wait()


def main() -> int:
    """Run the command line above."""
    parser = argparse.ArgumentParser(prog="tools.minio.server", description="The S3 server.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("run", "env"):
        command = commands.add_parser(name)
        command.add_argument("--port", type=int, required=True)
        command.add_argument("--credentials", type=Path, required=True)
        if name == "run":
            command.add_argument("--data", type=Path, required=True)
    asked = parser.parse_args()
    accounts = Credentials.kept_in(asked.credentials)
    if asked.command == "run":
        return run_in_foreground(asked.data, asked.port, accounts)
    for name, value in application_settings(asked.port, accounts).items():
        print(f"{name}={value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
