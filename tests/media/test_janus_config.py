"""What Janus is told, and that it obeys: listeners, plug-ins, rooms, secrets."""

from __future__ import annotations

import dataclasses
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from reception.janus_config import (
    JanusConfigError,
    JanusSettings,
    media_interface,
    protected_folders,
    write_config,
)
from tests.support.janus import PROJECT, RunningJanus

SETTINGS = JanusSettings(
    token_secret="t" * 32,
    admin_key='a"\\' + "a" * 32,
    admin_secret="s" * 32,
    recordings_dir=Path("/run/recordings"),
)


def test_files_that_hold_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "janus"
    folder.mkdir(mode=0o755)
    (folder / "janus.jcfg").touch(mode=0o644)
    paths = write_config(folder, SETTINGS)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert paths.command == [
        "/usr/bin/janus", f"--configs-folder={folder}", f"--config={folder / 'janus.jcfg'}",
    ]  # fmt: skip


def test_nothing_of_debians_open_defaults_is_left(tmp_path: Path) -> None:
    write_config(tmp_path, SETTINGS)
    text = "\n".join(path.read_text() for path in tmp_path.iterdir())
    for published in ("janusoverlord", "room-1234", "adminpwd", "supersecret", "snakeoil"):
        assert published not in text
    (disabled,) = re.findall(r"plugins: \{\n\tdisable = \"(.*)\"", text)
    installed = Path("/usr/lib").glob("*/janus/plugins/libjanus_*.so")
    assert set(disabled.split(",")) == {path.name for path in installed} - {"libjanus_videoroom.so"}


def test_a_secret_with_quotes_stays_one_value(tmp_path: Path) -> None:
    write_config(tmp_path, SETTINGS)
    text = (tmp_path / "janus.plugin.videoroom.jcfg").read_text()
    assert 'admin_key = "a\\"\\\\' + "a" * 32 + '"' in text


@pytest.mark.parametrize("name", ["token_secret", "admin_key", "admin_secret"])
def test_short_or_missing_secrets_are_refused_by_name(name: str) -> None:
    with pytest.raises(JanusConfigError, match=name.upper()):
        dataclasses.replace(SETTINGS, **{name: "short"})  # type: ignore[arg-type]  # always text


def test_secrets_stay_out_of_logs() -> None:
    assert "tttt" not in repr(SETTINGS)


def test_a_line_break_cannot_smuggle_settings_in(tmp_path: Path) -> None:
    smuggled = dataclasses.replace(SETTINGS, interface='eth0"\n}\nadmin: {')
    with pytest.raises(JanusConfigError, match="control character"):
        write_config(tmp_path, smuggled)


def test_media_goes_over_the_interface_that_is_not_loopback() -> None:
    assert media_interface() == "media0"


@pytest.mark.parametrize(
    ("spool", "left_out"),
    [("/dev/spool", "/dev"), ("/run/tiep-cong-dan", ""), ("/srv/spool", "/srv")],
)
def test_only_the_folder_with_the_recordings_is_open_to_janus(spool: str, left_out: str) -> None:
    folders = protected_folders(Path(spool))
    assert left_out not in folders
    assert {"/etc", "/var", "/usr", "/root"} <= set(folders)


def test_listens_on_loopback_only(janus: RunningJanus) -> None:
    listening = subprocess.run(["ss", "-Hltn"], check=True, capture_output=True, text=True).stdout
    ports = {janus.settings.ws_port, janus.settings.http_port}
    local = [line.split()[3] for line in listening.splitlines()]
    ours = {address for address in local if int(address.rpartition(":")[2]) in ports}
    assert ours == {f"127.0.0.1:{port}" for port in ports}
    for port in ports | {7088, 7188, 8088, 8188}:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("10.77.0.1", port), timeout=1)


def test_offers_the_video_room_and_nothing_else(janus: RunningJanus) -> None:
    info = janus.gateway.info()
    assert set(info["plugins"]) == {"janus.plugin.videoroom"}
    assert set(info["transports"]) == {"janus.transport.http", "janus.transport.websockets"}
    assert info["auth_token"] is True
    assert not info.get("dependencies")


def test_no_request_is_heard_without_a_token(janus: RunningJanus) -> None:
    pool = urllib3.PoolManager(retries=False)
    body = {"janus": "create", "transaction": "x"}
    answer = pool.request("POST", janus.http_url, json=body).json()
    assert answer["error"]["code"] == 403
    admin = janus.http_url.replace("/janus", "/admin")
    assert pool.request("POST", admin, json=body).status == 404
    pool.clear()


def test_secrets_are_not_on_the_command_line(janus: RunningJanus) -> None:
    command = Path(f"/proc/{janus.process.pid}/cmdline").read_text()
    assert command.startswith("/usr/bin/janus")
    for secret in (janus.settings.token_secret, janus.settings.admin_key):
        assert secret not in command
        assert secret not in janus.log


def test_a_missing_secret_stops_the_start_and_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reception.janus_config", "run", "--dir", str(tmp_path)]
    done = subprocess.run(
        [*command, "--recordings", str(tmp_path)],
        cwd=PROJECT,
        env={},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "JANUS_TOKEN_SECRET" in done.stderr
