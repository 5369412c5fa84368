"""Which media server a session speaks to: one of the pool, pinned by its segment."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from config import Settings
from reception.media_gateway import JanusGateway, MediaGateway, MediaRoom
from reception.recordings.steps import choose_media_server, new_room
from storage.models import MediaServer, Segment
from workflows.errors import RecorderNotRunning


@dataclass
class MediaPool:
    """Gateways by media server. `nearest` is the one this process was configured with."""

    settings: Settings
    nearest: MediaGateway
    _others: dict[str, MediaGateway] = field(default_factory=dict)

    def of(self, server: MediaServer) -> MediaGateway:
        """The gateway to a media server; all servers of a pool share their secrets."""
        if server.http_url == self.settings.janus_http_url:
            return self.nearest
        if server.http_url not in self._others:
            self._others[server.http_url] = JanusGateway(
                http_url=server.http_url,
                ws_url=server.ws_url,
                admin_key=self.settings.janus_admin_key,
                token_secret=self.settings.janus_token_secret,
            )
        return self._others[server.http_url]

    def of_segment(self, db_session: Session, segment: Segment) -> MediaGateway:
        """The gateway to the server a segment is recorded on."""
        server = db_session.get(MediaServer, segment.media_server)
        return self.nearest if server is None else self.of(server)

    def choose(self, db_session: Session, *, people: int) -> tuple[MediaServer, MediaRoom]:
        """A server with room and sealer, and a new room on it. Raises RecorderNotRunning."""
        server = choose_media_server(db_session)
        return server, new_room(server, publishers=max(6, 2 * people))

    def is_up(self, db_session: Session) -> bool:
        """Whether a session could find its media server now."""
        try:
            server = choose_media_server(db_session)
        except RecorderNotRunning:
            return self.nearest.is_up()
        return self.of(server).is_up()
