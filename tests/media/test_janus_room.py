"""Two real browsers in a recorded room of the real media server."""

from __future__ import annotations

import signal
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from reception.media_gateway import MediaRefused, MediaRoom, MediaServerDown, RoomGone
from tests.media.conftest import Sitting
from tests.media.recordings import colour, is_near, packets, playable, tone_hz, wait_until
from tests.support.browsers import LOOKS

pytestmark = pytest.mark.media


def join(page: Page) -> str:
    return str(page.evaluate("join()")["id"])


def sees(page: Page, other: str, look: str) -> bool:
    picture = page.evaluate("id => looksLike(id)", other)
    return bool(picture and picture["time"] > 0 and is_near(picture["rgb"], LOOKS[look].rgb))


def join_both(sitting: Sitting) -> tuple[Page, str, Page, str]:
    red, blue = sitting.open_page("red"), sitting.open_page("blue")
    red_id, blue_id = join(red), join(blue)
    wait_until(lambda: sees(red, blue_id, "blue"), said="red sees blue")
    wait_until(lambda: sees(blue, red_id, "red"), said="blue sees red")
    return red, red_id, blue, blue_id


def notes(page: Page, name: str) -> list[dict[str, Any]]:
    return [note for note in page.evaluate("notes") if note["name"] == name]


def state(page: Page) -> str:
    return str(page.evaluate("room.state"))


def refusal(page: Page, action: str, argument: object = None) -> dict[str, Any]:
    """How the media server refuses `action`, an async JavaScript function of `argument`."""
    answer = page.evaluate(f"argument => refusalOf(() => ({action})(argument))", argument)
    assert answer is not None, "the media server agreed"
    return dict(answer)


JOIN_ANYHOW = """async (ticket) => {
  window.room = new Room({ freshTicket: async () => null });
  await room.connect(ticket);
}"""

ASK_PLUGIN = """async ({ ticket, message }) => {
  const link = new JanusLink(() => {});
  await link.open(ticket);
  try {
    const handle = await PluginHandle.attach(link, { onEvent: () => {} });
    await handle.ask(message, { until: () => true });
  } finally {
    link.close();
  }
}"""


def test_two_people_see_each_other_and_their_tracks_are_kept_apart(
    sitting: Sitting, tmp_path: Path
) -> None:
    red, red_id, _, blue_id = join_both(sitting)
    time.sleep(3)
    started = red.evaluate("id => looksLike(id)", blue_id)["time"]
    wait_until(lambda: red.evaluate("id => looksLike(id)", blue_id)["time"] > started + 0.5)
    present = {entry.participant_id for entry in sitting.gateway.list_participants(sitting.room)}
    assert present == {red_id, blue_id}

    sitting.gateway.destroy_room(sitting.room)
    wait_until(
        lambda: all(name.endswith(".mjr") for name in sitting.files()),
        within_s=5,
        said="files closed after the room was destroyed",
    )

    assert len(sitting.files()) == 4
    for person, look in ((red_id, LOOKS["red"]), (blue_id, LOOKS["blue"])):
        (sound,) = sitting.room.recordings_dir.glob(f"*-user-{person}-*-audio-*.mjr")
        (picture,) = sitting.room.recordings_dir.glob(f"*-user-{person}-*-video-*.mjr")
        assert tone_hz(playable(sound, tmp_path)) == pytest.approx(look.tone_hz, abs=3)
        assert is_near(colour(playable(picture, tmp_path)), look.rgb)


def test_every_track_grows_on_tmpfs_while_people_talk_and_while_they_are_muted(
    sitting: Sitting,
) -> None:
    red, *_ = join_both(sitting)
    before = sitting.files()
    time.sleep(2)
    assert all(size > before[name] for name, size in sitting.files().items())

    red.evaluate("room.setMicrophone(false); room.setCamera(false)")
    time.sleep(1)
    before = sitting.files()
    time.sleep(5)
    assert all(size > before[name] for name, size in sitting.files().items())
    assert all(path.stat().st_mode & 0o077 == 0 for path in sitting.room.recordings_dir.iterdir())
    assert sitting.room.recordings_dir.stat().st_mode & 0o077 == 0


def test_levels_and_statistics_are_told_while_people_talk(sitting: Sitting) -> None:
    red, red_id, _, blue_id = join_both(sitting)

    def loudness(person: str) -> float:
        return float((red.evaluate("latest.levels") or {}).get(person, 0))

    wait_until(lambda: loudness(red_id) > 0.1, said="the own level")
    wait_until(lambda: loudness(blue_id) > 0.1, said="the other's level")
    wait_until(lambda: (red.evaluate("latest.stats") or {}).get("kbpsDown"), said="statistics")
    stats = red.evaluate("latest.stats")
    assert stats["kbpsUp"] > 50
    assert stats["lossUp"] < 5
    assert stats["rttMs"] < 500


def test_who_talks_is_told_and_who_is_muted_does_not(sitting: Sitting) -> None:
    _, red_id, blue, _ = join_both(sitting)

    def last_said() -> list[bool]:
        return [note["talking"] for note in notes(blue, "talking") if note["id"] == red_id][-1:]

    wait_until(lambda: last_said() == [True], said="red talks")
    sitting.people["red"].page.evaluate("room.setMicrophone(false)")
    wait_until(lambda: last_said() == [False], said="red is silent")
    time.sleep(1.5)
    assert last_said() == [False]


def test_a_newcomer_is_seen_after_the_room_token_has_run_out(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    mint = sitting.gateway.mint_room_token
    short = timedelta(seconds=2)
    monkeypatch.setattr(sitting.gateway, "mint_room_token", lambda room: mint(room, short))
    red = sitting.open_page("red")
    join(red)
    time.sleep(3)
    blue_id = join(sitting.open_page("blue"))
    wait_until(lambda: sees(red, blue_id, "blue"), said="the newcomer")
    assert notes(red, "problem") == []


def test_a_room_takes_as_many_publishers_as_it_was_made_for(sitting: Sitting) -> None:
    sitting.room = MediaRoom.new(sitting.janus.spool, publishers=2)
    sitting.gateway.create_room(sitting.room)
    join_both(sitting)


def test_refused_camera_leaves_the_sound(sitting: Sitting) -> None:
    red, blue = sitting.open_page("red", devices=["microphone"]), sitting.open_page("blue")
    joined = red.evaluate("join()")
    assert (joined["audioTrouble"], joined["videoTrouble"]) == ("", "refused")
    join(blue)
    wait_until(lambda: any(note["kind"] == "audio" for note in notes(blue, "track")))
    time.sleep(1)
    assert [note["kind"] for note in notes(blue, "track")] == ["audio"]
    names = [name for name in sitting.files() if joined["id"] in name]
    assert len(names) == 1
    assert "-audio-" in names[0]


def test_refused_camera_and_microphone_still_let_a_person_listen(sitting: Sitting) -> None:
    red, blue = sitting.open_page("red", devices=[]), sitting.open_page("blue")
    joined = red.evaluate("join()")
    assert (joined["audioTrouble"], joined["videoTrouble"]) == ("refused", "refused")
    blue_id = join(blue)
    wait_until(lambda: sees(red, blue_id, "blue"))
    wait_until(lambda: notes(blue, "participantjoined"), said="the listener is announced")


def test_one_who_leaves_is_gone_for_the_others_at_once(sitting: Sitting) -> None:
    red, _, blue, blue_id = join_both(sitting)
    blue.evaluate("room.leave()")
    wait_until(lambda: notes(red, "participantleft"), within_s=3)
    assert state(blue) == "left"
    assert [note["id"] for note in notes(red, "participantleft")] == [blue_id]


def test_a_closed_tab_leaves_the_room_at_once(sitting: Sitting) -> None:
    red, _, blue, blue_id = join_both(sitting)
    blue.close(run_before_unload=False)
    wait_until(lambda: notes(red, "participantleft"), within_s=5)
    assert [note["id"] for note in notes(red, "participantleft")] == [blue_id]


def test_a_camera_can_be_added_and_changed_during_the_call(sitting: Sitting) -> None:
    red, blue = sitting.open_page("red"), sitting.open_page("blue")
    red_id = red.evaluate("join(undefined, { video: false })")["id"]
    join(blue)
    wait_until(lambda: notes(blue, "track"))
    open_camera = """async () => {
      const stream = await navigator.mediaDevices.getUserMedia({ video: true });
      await room.useTrack(stream.getVideoTracks()[0]);
    }"""
    red.evaluate(open_camera)
    wait_until(lambda: sees(blue, red_id, "red"), said="the added camera")
    before = len(sitting.files())
    red.evaluate(open_camera)
    time.sleep(1)
    assert sees(blue, red_id, "red")
    assert len(sitting.files()) == before


def test_the_chair_can_mute_and_a_muted_track_is_not_recorded(sitting: Sitting) -> None:
    red, red_id, *_ = join_both(sitting)
    (sound,) = sitting.room.recordings_dir.glob(f"*-user-{red_id}-*-audio-*")
    sitting.gateway.moderate(sitting.room, red_id, mid="0", mute=True)
    wait_until(lambda: notes(red, "moderated"))
    time.sleep(0.5)
    before = sound.stat().st_size
    time.sleep(2)
    assert sound.stat().st_size == before
    sitting.gateway.moderate(sitting.room, red_id, mid="0", mute=False)
    wait_until(lambda: sound.stat().st_size > before)
    assert [note["muted"] for note in notes(red, "moderated")] == [True, False]


def test_a_removed_person_stays_out(sitting: Sitting) -> None:
    red, red_id, blue, _ = join_both(sitting)
    handed_out = len(sitting.server.handed_out)
    assert sitting.gateway.kick(sitting.room, red_id)
    wait_until(lambda: state(red) == "removed", within_s=3)
    wait_until(lambda: notes(blue, "participantleft"), within_s=3)
    time.sleep(1.5)
    assert len(sitting.server.handed_out) == handed_out
    assert not sitting.gateway.kick(sitting.room, red_id)


def test_an_expired_core_token_opens_nothing(sitting: Sitting) -> None:
    ticket = sitting.gateway.join_ticket(
        sitting.room, display_id="point", core_life=timedelta(seconds=-1)
    )
    answer = refusal(sitting.open_page("red"), JOIN_ANYHOW, ticket.as_json())
    assert "nauthorized" in answer["message"]
    assert sitting.gateway.list_participants(sitting.room) == ()


@pytest.mark.long
def test_an_expired_core_token_does_not_end_the_call_for_good(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    red = sitting.open_page("red")
    short = sitting.gateway.join_ticket(
        sitting.room, display_id="point", core_life=timedelta(seconds=3)
    )
    red.evaluate("ticket => join(ticket)", short.as_json())
    wait_until(lambda: len(sitting.server.handed_out) == 1, within_s=60, said="a fresh ticket")
    wait_until(lambda: state(red) == "connected")
    assert red.evaluate("room.participantId") != short.participant_id


def test_only_a_living_token_of_this_very_room_with_its_pin_lets_in(sitting: Sitting) -> None:
    ticket = sitting.gateway.join_ticket(sitting.room, display_id="point").as_json()
    expired = sitting.gateway.mint_room_token(sitting.room, timedelta(seconds=-1))
    foreign = sitting.gateway.mint_room_token(MediaRoom.new(sitting.janus.spool))
    page = sitting.open_page("red")
    for change in ({"room_token": expired}, {"room_token": foreign}, {"pin": "guessed"}):
        assert refusal(page, JOIN_ANYHOW, ticket | change)["code"] == 433, change
    assert sitting.files() == {}
    page.evaluate(JOIN_ANYHOW, ticket)
    assert state(page) == "connected"


RULING: list[tuple[dict[str, Any], int, str]] = [
    ({"request": "create", "room": "mine"}, 429, "admin_key"),
    ({"request": "create", "room": "mine", "admin_key": "guessed"}, 433, "admin_key"),
    ({"request": "enable_recording", "record": False}, 429, "secret"),
    ({"request": "enable_recording", "record": False, "secret": "guessed"}, 433, "secret"),
    ({"request": "destroy"}, 429, "secret"),
    ({"request": "kick", "id": "anybody"}, 429, "secret"),
    ({"request": "moderate", "id": "anybody", "mid": "0", "mute": True}, 429, "secret"),
    ({"request": "edit", "new_pin": ""}, 429, "secret"),
    (
        {
            "request": "rtp_forward",
            "publisher_id": "anybody",
            "host": "127.0.0.1",
            "streams": [{"mid": "0", "port": 40000}],
        },
        429,
        "admin_key",
    ),
]


def test_a_browser_cannot_rule_over_rooms(sitting: Sitting) -> None:
    ticket = sitting.gateway.join_ticket(sitting.room, display_id="point").as_json()
    page = sitting.open_page("red")
    for message, code, missing in RULING:
        asked = {"ticket": ticket, "message": {"room": sitting.room.room_id, **message}}
        answer = refusal(page, ASK_PLUGIN, asked)
        assert (answer["code"], missing in answer["message"]) == (code, True), (message, answer)


def test_rooms_are_in_no_list_a_browser_can_ask_for(sitting: Sitting) -> None:
    ask = ASK_PLUGIN.replace("await handle.ask", "window.answer = await handle.ask")
    ticket = sitting.gateway.join_ticket(sitting.room, display_id="point").as_json()
    page = sitting.open_page("red")
    page.evaluate(f"({ask})", {"ticket": ticket, "message": {"request": "list"}})
    assert page.evaluate("answer.list") == []


def test_a_browser_cannot_stop_its_recording_or_name_its_file(sitting: Sitting) -> None:
    red = sitting.open_page("red")
    red.evaluate(
        """() => {
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (text) {
            const message = JSON.parse(text);
            if (["publish", "configure"].includes(message.body?.request)) {
              Object.assign(message.body, { record: false, filename: "/tmp/elsewhere" });
              window.changed = (window.changed ?? 0) + 1;
            }
            send.call(this, JSON.stringify(message));
          };
        }"""
    )
    red_id = join(red)
    assert red.evaluate("changed") == 1
    wait_until(lambda: len(sitting.files()) == 2 and all(sitting.files().values()))
    sent = sitting.files()
    assert all(red_id in name for name in sent)
    time.sleep(2)
    assert all(size > sent[name] for name, size in sitting.files().items())
    assert not list(Path("/tmp").glob("elsewhere*"))  # noqa: S108  # where the page asked for it


def test_the_id_of_somebody_present_cannot_be_taken(sitting: Sitting) -> None:
    red_id = join(sitting.open_page("red"))
    ticket = sitting.gateway.join_ticket(sitting.room, display_id="point").as_json()
    forged = ticket | {"participant_id": red_id}
    assert refusal(sitting.open_page("blue"), JOIN_ANYHOW, forged)["code"] == 436


def test_an_invented_id_is_expelled_and_its_file_belongs_to_nobody(sitting: Sitting) -> None:
    red, blue = sitting.open_page("red"), sitting.open_page("blue")
    red_id = join(red)
    ticket = sitting.gateway.join_ticket(sitting.room, display_id="point").as_json()
    blue.evaluate("ticket => join(ticket)", ticket | {"participant_id": "the-chairman"})
    known = [ticket.participant_id for ticket in sitting.server.handed_out]
    assert sitting.gateway.expel_strangers(sitting.room, known=known) == ("the-chairman",)
    wait_until(lambda: state(blue) == "removed", within_s=3)
    assert state(red) == "connected"
    forged = [name for name in sitting.files() if red_id not in name]
    assert forged
    assert all("-user-the-chairman-" in name for name in forged)


def test_a_broken_socket_is_taken_up_again_without_a_gap(sitting: Sitting) -> None:
    red, red_id, blue, _ = join_both(sitting)
    files = set(sitting.files())
    blue.evaluate("brokenSockets()")
    wait_until(
        lambda: state(blue) == "reconnecting" or notes(blue, "state")[-1]["state"] == "connected"
    )
    wait_until(lambda: state(blue) == "connected", within_s=5)
    before = sitting.files()
    time.sleep(2)
    assert set(before) == files
    assert all(size > before[name] for name, size in sitting.files().items())
    assert [note["state"] for note in notes(blue, "state")][-2:] == ["reconnecting", "connected"]
    assert len(sitting.server.handed_out) == 2
    assert sees(blue, red_id, "red")
    assert notes(red, "participantleft") == []


def test_killed_media_server_is_noticed_and_the_session_goes_on_in_a_new_segment(
    sitting: Sitting, tmp_path: Path
) -> None:
    red, red_id, blue, blue_id = join_both(sitting)
    time.sleep(3)
    first = sitting.room
    sitting.janus.kill()
    killed_at = time.monotonic()
    wait_until(lambda: state(red) == state(blue) == "reconnecting", within_s=5)
    assert time.monotonic() - killed_at < 3
    assert not sitting.gateway.is_up()
    with pytest.raises(MediaServerDown):
        sitting.gateway.list_participants(first)

    sitting.janus.start_again()
    with pytest.raises(RoomGone):
        sitting.gateway.list_participants(first)
    second = sitting.open_room()
    wait_until(lambda: state(red) == state(blue) == "connected", within_s=20)

    red_again, blue_again = (page.evaluate("room.participantId") for page in (red, blue))
    assert not {red_again, blue_again} & {red_id, blue_id}
    wait_until(lambda: sees(red, blue_again, "blue"))
    wait_until(lambda: sees(blue, red_again, "red"))
    assert second.recordings_dir != first.recordings_dir
    wait_until(lambda: len(sitting.files()) == 4 and all(sitting.files().values()))
    torn = sorted(first.recordings_dir.iterdir())
    assert [path.suffix for path in torn] == [".tmp"] * 4
    for path in torn:
        whole = path.rename(path.with_suffix(""))
        assert packets(whole) > 30
        assert playable(whole, tmp_path).stat().st_size > 0


@pytest.mark.long
def test_a_media_server_that_hangs_is_left_and_found_again(sitting: Sitting) -> None:
    red, red_id, blue, _ = join_both(sitting)
    sitting.janus.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: state(red) == state(blue) == "reconnecting", within_s=30)
    assert not sitting.gateway.is_up()
    sitting.janus.process.send_signal(signal.SIGCONT)
    wait_until(lambda: state(red) == state(blue) == "connected", within_s=40)
    red_again = red.evaluate("room.participantId")
    assert red_again != red_id
    wait_until(lambda: sees(blue, red_again, "red"), within_s=20)


def test_leaving_while_the_door_opens_is_leaving(sitting: Sitting) -> None:
    for after_ms in (0, 10, 25, 50, 80, 120):
        red = sitting.open_page("red")
        red.evaluate("after => { join(); setTimeout(() => room.leave(), after); }", after_ms)
        time.sleep(0.7)
        assert state(red) == "left"
        assert red.evaluate("room.localStream.getTracks().length") == 0
        # Well below the 30 s after which the media server forgets anybody.
        wait_until(lambda: not sitting.gateway.list_participants(sitting.room), within_s=5)


def test_an_ended_session_is_not_knocked_at_again(sitting: Sitting) -> None:
    red, *_ = join_both(sitting)
    sitting.server.close_door()
    sitting.gateway.destroy_room(sitting.room)
    wait_until(lambda: state(red) == "over", within_s=5)
    sitting.gateway.destroy_room(sitting.room)  # twice is no error


def test_a_room_cannot_be_made_with_a_wrong_admin_key(sitting: Sitting) -> None:
    sitting.gateway._admin_key = "guessed"
    with pytest.raises(MediaRefused) as refused:
        sitting.gateway.create_room(MediaRoom.new(sitting.janus.spool))
    assert "guessed" not in str(refused.value)


def test_janus_records_nothing_into_a_system_folder(sitting: Sitting) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as protected:
        sitting.room = replace(MediaRoom.new(sitting.janus.spool), recordings_dir=Path(protected))
        sitting.gateway.create_room(sitting.room)
        join(sitting.open_page("red"))
        time.sleep(1.5)
        assert sitting.files() == {}
