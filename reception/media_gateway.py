"""The media server behind a small contract, so that the rest never speaks Janus.

A *room* of the media server is one recorded segment of a reception session: own id, own secret,
own folder on tmpfs. After a restart of the media server, or when a session closes its doors, the
session goes on in a new room; ids are never used twice.

Tokens carry no identity and cannot be revoked before they expire, and a browser may claim any
participant id that is free. Therefore: give every join a new participant id (`join_ticket` does),
remember which person got it, and let `expel_strangers` remove whoever came with another one.
Neither a room's secret nor the admin key is ever sent to a browser.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import stat
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import urllib3

from config import Settings
from workflows.errors import DomainError, Unavailable

PLUGIN = "janus.plugin.videoroom"
VIDEO_BITRATE_BPS = 600_000
KEYFRAME_EVERY_S = 5  # seek steps of the playable copies; more often costs picture quality
CORE_TOKEN_LIFE = timedelta(hours=12)  # must outlive the session: an expired one cuts the call
ROOM_TOKEN_LIFE = timedelta(seconds=90)  # checked at the join only
_OWN_TOKEN_LIFE = timedelta(seconds=60)
_NO_SUCH_ROOM, _ROOM_EXISTS, _NO_SUCH_PARTICIPANT = 426, 427, 428


class MediaServerDown(Unavailable):
    """The media server does not answer; a session may still be held in person."""

    def __init__(self) -> None:
        super().__init__(
            "Máy chủ hình và tiếng chưa trả lời nên chưa kết nối được các điểm cầu. "
            "Đơn, sổ và biên bản vẫn dùng được; chờ một phút rồi thử lại, "
            "hoặc chuyển sang tiếp trực tiếp."
        )


class MediaRefused(DomainError):
    """The media server refused a request of ours; `code` and `reason` are its own words."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(
            "Máy chủ hình và tiếng không nhận yêu cầu này. "
            "Tải lại trang; nếu vẫn lỗi, báo quản trị kỹ thuật."
        )
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"media server refused: {self.code} {self.reason}"


class RoomGone(MediaRefused):
    """The room is not there, usually because the media server was restarted: open a new segment."""


@dataclass(frozen=True)
class MediaRoom:
    """One recorded segment on the media server. Keep `secret` and `pin` on the server side."""

    room_id: str
    recordings_dir: Path
    secret: str = field(repr=False)
    pin: str = field(repr=False)
    publishers: int = 12
    recorded: bool = True  # only the test of a line is not

    @classmethod
    def new(cls, spool: Path, *, publishers: int = 12) -> MediaRoom:
        """A room that never was: random id, secret and pin, own folder below `spool`."""
        room_id = str(uuid.uuid4())
        return cls(
            room_id=room_id,
            recordings_dir=spool / room_id,
            secret=secrets.token_urlsafe(32),
            pin=secrets.token_urlsafe(16),
            publishers=publishers,
        )


def make_room_folder(folder: Path) -> None:
    """Make the folder of a room before Janus would make it readable to everybody.

    Where the installation shares the folder of rooms with the media server's group (setgid), the
    room is open to that group; else to this user alone.
    """
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.parent.stat().st_mode & stat.S_ISGID:
        folder.chmod(0o2770)  # after mkdir, whose mode the umask of the service would cut


@dataclass(frozen=True)
class MediaParticipant:
    """Somebody present in a room. `display_id` was sent by the browser: never trust it."""

    participant_id: str
    display_id: str
    publishing: bool
    talking: bool


@dataclass(frozen=True)
class JoinTicket:
    """All that a browser needs to join once. Answer it with `Cache-Control: no-store`."""

    ws_url: str
    core_token: str = field(repr=False)
    room_token: str = field(repr=False)
    room: str
    pin: str = field(repr=False)
    participant_id: str
    display_id: str
    ice_servers: tuple[Mapping[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The body that `static/src/room/media-client.js` expects."""
        return asdict(self) | {"ice_servers": [dict(server) for server in self.ice_servers]}


class MediaGateway(Protocol):
    """What the application asks of a media server. Every call may raise MediaServerDown."""

    def is_up(self) -> bool:
        """Whether the media server answers now."""

    def info(self) -> Mapping[str, Any]:
        """Name, version and settings the media server tells about itself."""

    def create_room(self, room: MediaRoom) -> None:
        """Open a room that records every track from its first packet. Safe to repeat."""

    def destroy_room(self, room: MediaRoom) -> None:
        """Close the room and its files; nothing happens when it is gone already."""

    def list_participants(self, room: MediaRoom) -> tuple[MediaParticipant, ...]:
        """Who is in the room. Raises RoomGone."""

    def kick(self, room: MediaRoom, participant_id: str) -> bool:
        """Remove a participant; False when nobody of that id was there."""

    def moderate(self, room: MediaRoom, participant_id: str, *, mid: str, mute: bool) -> None:
        """Stop or restart the relaying of one track (its `mid`). A muted track is not recorded."""

    def expel_strangers(self, room: MediaRoom, *, known: Iterable[str]) -> tuple[str, ...]:
        """Remove everyone whose participant id is not `known`; returns whom."""

    def join_ticket(
        self, room: MediaRoom, *, display_id: str, core_life: timedelta = CORE_TOKEN_LIFE
    ) -> JoinTicket:
        """Permission to join once, under a new participant id."""


def signed_token(secret: str, realm: str, descriptors: Iterable[str], *, expires_at_s: int) -> str:
    """Janus' signed token: expiry (Unix seconds), realm and descriptors under HMAC-SHA1.

    SHA-1 is what the media server checks; as HMAC with 32 random bytes it holds.
    """
    plain = ",".join([str(expires_at_s), realm, *descriptors])
    if ":" in plain or plain.count(",") != 1 + len(list(descriptors)):
        raise ValueError("a token field holds a comma or a colon")
    digest = hmac.new(secret.encode(), plain.encode(), hashlib.sha1).digest()
    return f"{plain}:{base64.b64encode(digest).decode()}"


class JanusGateway:
    """MediaGateway on Janus' HTTP interface (loopback only). Safe to share between threads."""

    def __init__(
        self,
        *,
        http_url: str,
        ws_url: str,
        admin_key: str,
        token_secret: str,
        ice_servers: tuple[Mapping[str, Any], ...] = (),
        timeout_s: float = 3.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`http_url` is the loopback interface, e.g. http://127.0.0.1:8088/janus; `ws_url` is what
        browsers use. `now` gives Unix seconds in real UTC: the media server compares with its own.
        """
        self._url = http_url.rstrip("/")
        self._ws_url = ws_url
        self._admin_key = admin_key
        self._token_secret = token_secret
        self._ice_servers = ice_servers
        self._now = now
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=1.0, read=timeout_s), retries=False
        )

    def close(self) -> None:
        """Let go of the kept connections."""
        self._pool.clear()

    def is_up(self) -> bool:
        try:
            self._post(self._url, {"janus": "ping"})
        except MediaServerDown:
            return False
        return True

    def info(self) -> Mapping[str, Any]:
        return self._post(self._url, {"janus": "info"})

    def create_room(self, room: MediaRoom) -> None:
        if room.recorded:
            make_room_folder(room.recordings_dir)
        try:
            self._ask(_room_request(room) | {"admin_key": self._admin_key})
        except MediaRefused as refusal:
            if refusal.code != _ROOM_EXISTS:
                raise
            # A repeated request; with another secret it is not our room, and this is refused.
            request = {"request": "enable_recording", "room": room.room_id}
            self._ask(request | {"record": room.recorded} | {"secret": room.secret})

    def destroy_room(self, room: MediaRoom) -> None:
        try:
            self._ask({"request": "destroy", "room": room.room_id, "secret": room.secret})
        except RoomGone:
            return

    def list_participants(self, room: MediaRoom) -> tuple[MediaParticipant, ...]:
        request = {"request": "listparticipants", "room": room.room_id, "secret": room.secret}
        answer = self._ask(request)
        present = answer.get("participants", ())
        return tuple(_participant(entry) for entry in present if not entry.get("dummy"))

    def kick(self, room: MediaRoom, participant_id: str) -> bool:
        request = {"request": "kick", "room": room.room_id, "secret": room.secret}
        try:
            self._ask(request | {"id": participant_id})
        except RoomGone:
            raise
        except MediaRefused as refusal:
            if refusal.code == _NO_SUCH_PARTICIPANT:
                return False
            raise
        return True

    def moderate(self, room: MediaRoom, participant_id: str, *, mid: str, mute: bool) -> None:
        request = {"request": "moderate", "room": room.room_id, "secret": room.secret}
        self._ask(request | {"id": participant_id, "mid": mid, "mute": mute})

    def expel_strangers(self, room: MediaRoom, *, known: Iterable[str]) -> tuple[str, ...]:
        present = {entry.participant_id for entry in self.list_participants(room)}
        strangers = sorted(present - set(known))
        return tuple(stranger for stranger in strangers if self.kick(room, stranger))

    def mint_core_token(self, life: timedelta = CORE_TOKEN_LIFE) -> str:
        """Lets a browser speak to the media server at all, for the whole of `life`."""
        return self._token("janus", PLUGIN, life)

    def mint_room_token(self, room: MediaRoom, life: timedelta = ROOM_TOKEN_LIFE) -> str:
        """Lets its holder into `room`, when shown within `life`."""
        return self._token(PLUGIN, f"room={room.room_id}", life)

    def join_ticket(
        self, room: MediaRoom, *, display_id: str, core_life: timedelta = CORE_TOKEN_LIFE
    ) -> JoinTicket:
        return JoinTicket(
            ws_url=self._ws_url,
            core_token=self.mint_core_token(core_life),
            room_token=self.mint_room_token(room),
            room=room.room_id,
            pin=room.pin,
            participant_id=str(uuid.uuid4()),
            display_id=display_id,
            ice_servers=self._ice_servers,
        )

    def _token(self, realm: str, descriptor: str, life: timedelta) -> str:
        expires_at_s = int(self._now() + life.total_seconds())
        return signed_token(self._token_secret, realm, [descriptor], expires_at_s=expires_at_s)

    def _ask(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send one request to the video room plug-in through a session of its own."""
        token = self.mint_core_token(_OWN_TOKEN_LIFE)
        with self._plugin_url(token) as url:
            answer = self._post(url, {"janus": "message", "token": token, "body": request})
        data: Mapping[str, Any] = answer["plugindata"]["data"]
        if "error_code" in data:
            raise _refusal(data["error_code"], data.get("error", ""))
        return data

    @contextmanager
    def _plugin_url(self, token: str) -> Iterator[str]:
        created = self._post(self._url, {"janus": "create", "token": token})
        session_url = f"{self._url}/{created['data']['id']}"
        try:
            attached = self._post(
                session_url, {"janus": "attach", "token": token, "plugin": PLUGIN}
            )
            yield f"{session_url}/{attached['data']['id']}"
        finally:
            self._forget(session_url, token)

    def _forget(self, session_url: str, token: str) -> None:
        try:
            self._post(session_url, {"janus": "destroy", "token": token})
        except (MediaServerDown, MediaRefused):
            return  # the media server drops it by itself after its timeout

    def _post(self, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
        message = json.dumps({**body, "transaction": secrets.token_hex(8)})
        try:
            reply = self._pool.request(
                "POST", url, body=message, headers={"Content-Type": "application/json"}
            )
            answer: dict[str, Any] = json.loads(reply.data)
        except (urllib3.exceptions.HTTPError, ValueError) as problem:
            raise MediaServerDown from problem
        if answer.get("janus") == "error":
            raise _refusal(answer["error"]["code"], answer["error"]["reason"])
        return answer


def _room_request(room: MediaRoom) -> dict[str, Any]:
    return {
        "request": "create",
        "room": room.room_id,
        "permanent": False,
        "is_private": True,
        "secret": room.secret,
        "pin": room.pin,
        "signed_tokens": True,
        "require_pvtid": True,
        "publishers": room.publishers,
        "bitrate": VIDEO_BITRATE_BPS,
        "bitrate_cap": True,
        "fir_freq": KEYFRAME_EVERY_S,
        "audiocodec": "opus",
        "videocodec": "vp8",
        "opus_fec": True,
        "audiolevel_ext": True,
        "audiolevel_event": True,
        "audio_active_packets": 25,  # half a second
        "audio_level_average": 50,  # dB below the loudest: a quiet voice counts as talking
        "notify_joining": True,
        # A browser must connect its receiving side while its room token lives; with nobody else
        # in the room yet it can do so only to an empty publisher of the room itself.
        "dummy_publisher": True,
        "dummy_streams": [{"codec": "opus"}, {"codec": "vp8"}],
        "record": room.recorded,
        "lock_record": True,  # has effect only together with the secret
        **({"rec_dir": str(room.recordings_dir)} if room.recorded else {}),
    }


def _participant(entry: Mapping[str, Any]) -> MediaParticipant:
    return MediaParticipant(
        participant_id=str(entry["id"]),
        display_id=str(entry.get("display", "")),
        publishing=bool(entry.get("publisher", False)),
        talking=bool(entry.get("talking", False)),
    )


def _refusal(code: int, reason: str) -> MediaRefused:
    kind = RoomGone if code == _NO_SUCH_ROOM else MediaRefused
    return kind(code, reason)


def gateway_of(settings: Settings) -> JanusGateway:
    """The gateway to the media server that the settings name."""
    return JanusGateway(
        http_url=settings.janus_http_url,
        ws_url=settings.janus_ws_url,
        admin_key=settings.janus_admin_key,
        token_secret=settings.janus_token_secret,
    )
