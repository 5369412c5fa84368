"""Render Janus' own configuration and run it: Debian's files are open by default and never used.

What is closed here: demo rooms, the published admin secret, listeners on every address, every
plugin but the video room, every transport but WebSocket and HTTP on loopback, event handlers and
loggers. See docs/decisions for the facts behind each line.

    python -m reception.janus_config run --dir DIR --recordings DIR

writes the files into DIR and becomes Janus in the foreground. The secrets come from the
environment (JANUS_TOKEN_SECRET, JANUS_ADMIN_KEY, JANUS_ADMIN_SECRET), never from the command line,
where every user of the machine could read them.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import resource
import shutil
import socket
import stat
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

SECRET_LENGTH = 32
SESSION_TIMEOUT_S = 30
KEPT_LIBRARIES = {
    "plugins": {"libjanus_videoroom.so"},
    "transports": {"libjanus_http.so", "libjanus_websockets.so"},
    "loggers": frozenset[str](),
    "events": frozenset[str](),
}
# Janus refuses to record below these; the one holding the recordings is left out.
PROTECTED_FOLDERS = (
    "/bin", "/boot", "/dev", "/etc", "/home", "/initrd", "/lib", "/lib32", "/lib64", "/opt",
    "/proc", "/root", "/sbin", "/srv", "/sys", "/usr", "/var",
)  # fmt: skip
_GET_FLAGS, _GET_ADDRESS = 0x8913, 0x8915  # SIOCGIFFLAGS, SIOCGIFADDR of Linux
_UP, _LOOPBACK = 0x1, 0x8


class JanusConfigError(RuntimeError):
    """Janus cannot be configured on this machine; the message says what is missing."""


@dataclass(frozen=True)
class JanusSettings:
    """What differs between one Janus and the next. Ports listen on 127.0.0.1 only."""

    token_secret: str = field(repr=False)
    admin_key: str = field(repr=False)
    admin_secret: str = field(repr=False)
    recordings_dir: Path
    ws_port: int = 8188
    http_port: int = 8088
    rtp_ports: tuple[int, int] = (20000, 20400)
    interface: str = ""  # empty: the first that is up, not loopback and has IPv4
    public_address: str = ""  # set behind 1:1 address translation
    debug_level: int = 3

    def __post_init__(self) -> None:
        for name in ("token_secret", "admin_key", "admin_secret"):
            if len(getattr(self, name)) < SECRET_LENGTH:
                raise JanusConfigError(f"JANUS_{name.upper()} needs {SECRET_LENGTH} characters")


@dataclass(frozen=True)
class ConfigPaths:
    """Where the rendered files lie; `command` runs Janus on them in the foreground."""

    directory: Path
    main: Path

    @property
    def command(self) -> list[str]:
        """The exact command line; Janus stays in the foreground and logs to its output."""
        janus = shutil.which("janus") or "/usr/bin/janus"
        return [janus, f"--configs-folder={self.directory}", f"--config={self.main}"]


def write_config(directory: Path, settings: JanusSettings) -> ConfigPaths:
    """Write every file Janus reads into `directory` (0700, files 0600: they hold secrets)."""
    directory = directory.resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    files = {
        "janus.jcfg": _core(settings),
        "janus.plugin.videoroom.jcfg": _video_room(settings),
        "janus.transport.http.jcfg": _http(settings),
        "janus.transport.websockets.jcfg": _websockets(settings),
    }
    for name, text in files.items():
        _write_private(directory / name, text)
    return ConfigPaths(directory, directory / "janus.jcfg")


def media_interface() -> str:
    """The first interface Janus can offer to a browser: up, not loopback, with an IPv4 address.

    Raises JanusConfigError when there is none: Janus skips loopback and no call would connect.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            if _carries_media(probe, name):
                return name
    raise JanusConfigError("no network interface besides loopback is up with an IPv4 address")


def _carries_media(probe: socket.socket, name: str) -> bool:
    request = struct.pack("256s", name.encode()[:15])
    try:
        reply = fcntl.ioctl(probe, _GET_FLAGS, request)
        fcntl.ioctl(probe, _GET_ADDRESS, request)
    except OSError:  # gone since listed, or without an address
        return False
    (flags,) = struct.unpack("H", reply[16:18])
    return bool(flags & _UP) and not flags & _LOOPBACK


def _core(settings: JanusSettings) -> str:
    libraries = library_folder()
    general = {
        "plugins_folder": str(libraries / "plugins"),
        "transports_folder": str(libraries / "transports"),
        "events_folder": str(libraries / "events"),
        "loggers_folder": str(libraries / "loggers"),
        "debug_level": settings.debug_level,
        "debug_timestamps": True,
        "debug_colors": False,
        "server_name": "tiep-cong-dan",
        "admin_secret": settings.admin_secret,
        "token_auth": True,
        "token_auth_secret": settings.token_secret,
        "session_timeout": SESSION_TIMEOUT_S,
        "reclaim_session_timeout": SESSION_TIMEOUT_S,
        "recordings_tmp_ext": "tmp",
        "event_loops": 2,
        "hide_dependencies": True,
        "protected_folders": protected_folders(settings.recordings_dir),
    }
    nat: dict[str, object] = {
        "full_trickle": True,
        "ignore_mdns": True,
        "nice_debug": False,
        "ice_enforce_list": settings.interface or media_interface(),
    }
    if settings.public_address:
        nat |= {"nat_1_1_mapping": settings.public_address, "keep_private_host": True}
    low, high = settings.rtp_ports
    return _render(
        {
            "general": general,
            "certificates": {},
            "media": {"rtp_port_range": f"{low}-{high}", "slowlink_threshold": 0},
            "nat": nat,
            "plugins": {"disable": _unwanted(libraries, "plugins")},
            "transports": {"disable": _unwanted(libraries, "transports")},
            "loggers": {"disable": _unwanted(libraries, "loggers")},
            "events": {"broadcast": False, "disable": _unwanted(libraries, "events")},
        }
    )


def _video_room(settings: JanusSettings) -> str:
    general = {
        "admin_key": settings.admin_key,
        "lock_rtp_forward": True,
        "string_ids": True,
        "events": False,
    }
    return _render({"general": general})


def _http(settings: JanusSettings) -> str:
    general = {
        "json": "compact",
        "base_path": "/janus",
        "http": True,
        "ip": "127.0.0.1",
        "port": settings.http_port,
        "https": False,
        "events": False,
    }
    # No page may read an answer of this listener: Janus' own default lets every origin.
    closed = {"allow_origin": "https://invalid.invalid"}
    return _render(
        {"general": general, "admin": {"admin_http": False, "admin_https": False}, "cors": closed}
    )


def _websockets(settings: JanusSettings) -> str:
    general = {
        "json": "compact",
        "ws": True,
        "ws_ip": "127.0.0.1",
        "ws_port": settings.ws_port,
        "wss": False,
        "events": False,
        "pingpong_trigger": 10,
        "pingpong_timeout": 10,
    }
    return _render({"general": general, "admin": {"admin_ws": False, "admin_wss": False}})


def library_folder() -> Path:
    """Where Debian keeps Janus' plug-ins on this architecture."""
    for folder in sorted(Path("/usr/lib").glob("*/janus")):
        if (folder / "plugins" / "libjanus_videoroom.so").exists():
            return folder
    raise JanusConfigError("janus is not installed (its video room plug-in was not found)")


def protected_folders(recordings_dir: Path) -> list[str]:
    """Folders in which Janus must refuse to write, whatever a request says."""
    recordings = recordings_dir.resolve()
    return [name for name in PROTECTED_FOLDERS if not recordings.is_relative_to(name)]


def _unwanted(libraries: Path, kind: str) -> str:
    found = {path.name for path in (libraries / kind).glob("libjanus_*.so")}
    return ",".join(sorted(found - KEPT_LIBRARIES[kind]))


def _render(sections: Mapping[str, Mapping[str, object]]) -> str:
    blocks = []
    for name, entries in sections.items():
        lines = [f"\t{key} = {_value(value)}" for key, value in entries.items()]
        blocks.append("\n".join([f"{name}: {{", *lines, "}"]))
    return "\n".join(blocks) + "\n"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    if not text.isprintable():
        raise JanusConfigError("a setting of Janus holds a control character")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)  # an old file could have wider permissions
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def harden_process() -> None:
    """Recordings readable by the owner only, and no memory image with media in it."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def open_to_group(recordings: Path) -> None:
    """Let the sealer, another user, empty the tracks where the folder of rooms is shared."""
    if recordings.stat().st_mode & stat.S_ISGID:
        os.umask(0o007)


def _port(environment_name: str, default: int) -> int:
    """The port of a loopback address; a public one belongs to the proxy before Janus."""
    url = urlsplit(os.environ.get(environment_name, ""))
    return url.port if url.port and url.hostname in ("127.0.0.1", "localhost") else default


def _port_range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reception.janus_config")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, purpose in (("write", "write the files"), ("run", "write the files, become Janus")):
        command = commands.add_parser(name, help=purpose)
        command.add_argument("--dir", type=Path, required=True, help="where the files go (0700)")
        command.add_argument("--recordings", type=Path, required=True, help="folder on tmpfs")
        command.add_argument("--ws-port", type=int, default=_port("JANUS_WS_URL", 8188))
        command.add_argument("--http-port", type=int, default=_port("JANUS_HTTP_URL", 8088))
        command.add_argument("--rtp-ports", type=_port_range, default=(20000, 20400))
        command.add_argument("--interface", default="")
        command.add_argument("--public-address", default="")
    return parser


def _settings(arguments: argparse.Namespace) -> JanusSettings:
    return JanusSettings(
        token_secret=os.environ.get("JANUS_TOKEN_SECRET", ""),
        admin_key=os.environ.get("JANUS_ADMIN_KEY", ""),
        admin_secret=os.environ.get("JANUS_ADMIN_SECRET", ""),
        recordings_dir=arguments.recordings,
        ws_port=arguments.ws_port,
        http_port=arguments.http_port,
        rtp_ports=arguments.rtp_ports,
        interface=arguments.interface,
        public_address=arguments.public_address,
    )


def _clean_environment() -> dict[str, str]:
    """What the media server gets: its secrets stand in its own files, ours it never sees."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of `python -m reception.janus_config`; does not return from `run`."""
    arguments = _parser().parse_args(argv)
    harden_process()
    try:
        paths = write_config(arguments.dir, _settings(arguments))
    except JanusConfigError as problem:
        print(f"janus: {problem}", file=sys.stderr)
        return 2
    print(f"janus: configuration in {paths.directory}", flush=True)
    if arguments.command == "run":
        arguments.recordings.mkdir(mode=0o700, parents=True, exist_ok=True)
        open_to_group(arguments.recordings)
        os.execve(paths.command[0], paths.command, _clean_environment())  # noqa: S606  # our own list, no shell
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
