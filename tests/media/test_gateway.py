"""Tokens, tickets and the gateway's manners when the media server is away."""

from __future__ import annotations

import dataclasses
import json
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from reception.media_gateway import (
    JanusGateway,
    MediaGateway,
    MediaRefused,
    MediaRoom,
    MediaServerDown,
    signed_token,
)
from tests.support.janus import RunningJanus, free_port

NOW_S = 1_800_000_000


@pytest.fixture
def away() -> JanusGateway:
    return JanusGateway(
        http_url=f"http://127.0.0.1:{free_port()}/janus",
        ws_url="wss://media.example/janus-ws",
        admin_key="the-admin-key",
        token_secret="secret",
        now=lambda: NOW_S,
    )


def test_token_is_expiry_realm_and_descriptors_under_a_signature() -> None:
    token = signed_token("secret", "janus", ["janus.plugin.videoroom"], expires_at_s=1_800_000_000)
    # As computed by: openssl dgst -sha1 -hmac secret -binary | base64
    assert token == "1800000000,janus,janus.plugin.videoroom:zPm/xOEn0v9cOn0lYlqikmKIXLM="


@pytest.mark.parametrize("bad", ["room=a,room=b", "room=a:b"])
def test_token_field_cannot_bring_a_second_one_along(bad: str) -> None:
    with pytest.raises(ValueError, match="comma or a colon"):
        signed_token("secret", "janus", [bad], expires_at_s=NOW_S)


def test_ticket_holds_what_a_browser_needs_and_no_secret_of_ours(away: JanusGateway) -> None:
    room = MediaRoom.new(Path("/spool"))
    ticket = away.join_ticket(room, display_id="central", core_life=timedelta(hours=6))
    sent = json.dumps(ticket.as_json())
    assert ticket.core_token.startswith(f"{NOW_S + 6 * 3600},janus,janus.plugin.videoroom:")
    assert ticket.room_token.startswith(f"{NOW_S + 90},janus.plugin.videoroom,room={room.room_id}:")
    assert uuid.UUID(ticket.participant_id).version == 4
    assert room.secret not in sent
    assert "the-admin-key" not in sent
    assert str(room.recordings_dir) not in sent
    for kept_quiet in (ticket.core_token, ticket.room_token, room.pin, room.secret):
        assert kept_quiet not in repr(ticket) + repr(room)


def test_every_ticket_has_an_id_of_its_own_and_every_room_too(away: JanusGateway) -> None:
    rooms = [MediaRoom.new(Path("/spool")) for _ in range(2)]
    tickets = [away.join_ticket(rooms[0], display_id="central") for _ in range(2)]
    assert tickets[0].participant_id != tickets[1].participant_id
    for name in ("room_id", "recordings_dir", "secret", "pin"):
        assert getattr(rooms[0], name) != getattr(rooms[1], name)


def test_a_media_server_that_is_away_is_said_in_words_that_help(
    away: JanusGateway, tmp_path: Path
) -> None:
    gateway: MediaGateway = away
    assert gateway.is_up() is False
    room = MediaRoom.new(tmp_path)
    with pytest.raises(MediaServerDown) as down:
        gateway.create_room(room)
    assert "tiếp trực tiếp" in down.value.message
    with pytest.raises(MediaServerDown):
        gateway.list_participants(room)
    with pytest.raises(MediaServerDown):
        gateway.kick(room, "anybody")


def test_a_room_is_made_once_and_is_empty_at_first(janus: RunningJanus) -> None:
    gateway = janus.gateway
    room = MediaRoom.new(janus.spool)
    gateway.create_room(room)
    assert gateway.list_participants(room) == ()
    gateway.create_room(room)  # a repeated request of a web page changes nothing
    assert gateway.expel_strangers(room, known=[]) == ()
    gateway.destroy_room(room)
    gateway.destroy_room(room)
    gateway.close()


def test_a_room_of_the_same_id_with_another_secret_is_not_taken_for_ours(
    janus: RunningJanus,
) -> None:
    gateway = janus.gateway
    room = MediaRoom.new(janus.spool)
    gateway.create_room(room)
    with pytest.raises(MediaRefused, match="433"):
        gateway.create_room(dataclasses.replace(room, secret="another"))
    gateway.close()
