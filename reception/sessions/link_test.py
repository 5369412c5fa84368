"""The link test: a browser sends itself sound and picture through the media server.

The room records nothing and holds nobody else. Its secrets are derived from its id, so nothing has
to be kept between the two requests; a lost browser leaves an empty room that the next restart of
the media server clears.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import uuid
from dataclasses import dataclass
from pathlib import Path

from config import Settings
from reception.media_gateway import JoinTicket, MediaGateway, MediaRefused, MediaRoom
from workflows.errors import Unavailable


@dataclass(frozen=True)
class LinkTest:
    """One test under way."""

    room: MediaRoom
    gateway: MediaGateway

    @classmethod
    def begin(cls, settings: Settings, gateway: MediaGateway) -> LinkTest:
        """Make the room. Raises MediaServerDown."""
        room = _room(settings, str(uuid.uuid4()))
        gateway.create_room(room)
        return cls(room, gateway)

    @property
    def room_id(self) -> str:
        return self.room.room_id

    def tickets(self) -> list[JoinTicket]:
        """One to send, one to receive."""
        return [self.gateway.join_ticket(self.room, display_id="link-test") for _ in range(2)]

    @staticmethod
    def end(settings: Settings, gateway: MediaGateway, room_id: str) -> None:
        """Close the room of a test. A room that is not one has another secret and stays."""
        with contextlib.suppress(MediaRefused, Unavailable, ValueError):
            gateway.destroy_room(_room(settings, str(uuid.UUID(room_id))))


def _room(settings: Settings, room_id: str) -> MediaRoom:
    def derived(what: str) -> str:
        words = f"link-test|{what}|{room_id}".encode()
        return hmac.new(settings.secret_key.encode(), words, hashlib.sha256).hexdigest()

    return MediaRoom(
        room_id=room_id,
        recordings_dir=Path(),
        secret=derived("secret"),
        pin=derived("pin"),
        publishers=2,
        recorded=False,
    )
