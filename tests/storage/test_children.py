"""Outside programs such as ffmpeg get no secret of ours, in the environment or as files."""

from __future__ import annotations

import ast
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reception import janus_config
from storage.keyring import FileRootKey, create_root_key
from storage.media.processes import started
from tests.support.commands import PROJECT

TMPFS = Path("/dev/shm")  # noqa: S108  # children work on tmpfs, in tests too
SECRETS = (
    "SECRET_KEY",
    "DATABASE_URL",
    "MINIO_SECRET_KEY",
    "JANUS_TOKEN_SECRET",
    "JANUS_ADMIN_SECRET",
    "PKCS11_PIN_FILE",
    "KEY_DIR",
    "AWS_SECRET_ACCESS_KEY",
    "SOMETHING_NOBODY_THOUGHT_OF",
)
ENDLESS = ("-re", "-f", "lavfi", "-i", "anullsrc", "-t", "60", "-f", "null", "-")


@pytest.fixture
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=TMPFS) as place:
        yield Path(place)


def _environment_of(pid: int) -> dict[str, str]:
    """What the kernel says that the running program was given."""
    until = time.monotonic() + 20
    while not (raw := Path(f"/proc/{pid}/environ").read_bytes()) and time.monotonic() < until:
        time.sleep(0.01)
    pairs = (pair.split("=", 1) for pair in raw.decode().split("\0") if pair)
    return {name: value for name, value in pairs}


def _await_program(pid: int, name: str) -> None:
    until = time.monotonic() + 20
    while name not in Path(f"/proc/{pid}/exe").readlink().name and time.monotonic() < until:
        time.sleep(0.01)


def test_running_ffmpeg_knows_no_secret(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, f"secret-{name}")
    with started(["ffmpeg", "-nostdin", "-loglevel", "error", *ENDLESS], scratch=scratch) as child:
        _await_program(child.pid, "ffmpeg")
        given = _environment_of(child.pid)
    assert set(given) == {"PATH", "LANG", "HOME", "TMPDIR"}
    assert not any("secret" in value for value in given.values())
    assert given["TMPDIR"] == given["HOME"] == str(scratch)


def test_running_ffmpeg_holds_no_file_of_ours(scratch: Path, tmp_path: Path) -> None:
    create_root_key(tmp_path / "keys")
    root = FileRootKey(tmp_path / "keys")
    key_file = next((tmp_path / "keys").glob("*.key"))
    with key_file.open("rb") as held:
        os.set_inheritable(held.fileno(), True)
        with started(
            ["ffmpeg", "-nostdin", "-loglevel", "error", *ENDLESS], scratch=scratch
        ) as child:
            _await_program(child.pid, "ffmpeg")
            files = [path.readlink() for path in Path(f"/proc/{child.pid}/fd").iterdir()]
    assert root.current_id() in key_file.name
    assert files
    assert not any(str(path).startswith(str(tmp_path)) for path in files)


class _Replaced(Exception):
    """Stands for the process that would have become the media server."""


def test_media_server_is_given_no_secret_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, str] = {}

    def become(_path: str, _arguments: list[str], environment: dict[str, str]) -> None:
        given.update(environment)
        raise _Replaced

    for name in SECRETS:
        monkeypatch.setenv(name, f"secret-{name}-" + "x" * 32)
    monkeypatch.setenv("JANUS_ADMIN_KEY", "k" * 40)
    monkeypatch.setattr(janus_config, "harden_process", lambda: None)
    monkeypatch.setattr(os, "execve", become)
    with pytest.raises(_Replaced):
        janus_config.main(["run", "--dir", str(tmp_path / "janus"), "--recordings", str(tmp_path)])
    assert set(given) <= {"PATH", "HOME", "LANG", "TZ"}
    assert "PATH" in given


ALLOWED = PROJECT / "storage/media/processes.py"
STARTERS = {"subprocess", "multiprocessing", "pty"}
OS_STARTERS = ("system", "popen", "exec", "spawn", "posix_spawn", "fork")


def _starts_programs(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in STARTERS]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in STARTERS:
            found.append(str(node.module))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            called = (node.value.id, node.attr)
            if called[0] == "os" and called[1].startswith(OS_STARTERS):
                found.append(".".join(called))
            if called[0] == "ffmpeg" and called[1].startswith("run"):
                found.append(".".join(called))
    return found


def test_programs_are_started_in_one_place_only() -> None:
    assert _starts_programs(ALLOWED) == ["subprocess"]
    for folder in ("storage", "reception", "workflows"):
        for path in sorted((PROJECT / folder).rglob("*.py")):
            if path == PROJECT / "reception/janus_config.py":
                assert _starts_programs(path) == ["os.execve"]  # tested above
            elif path != ALLOWED:
                assert _starts_programs(path) == [], path
