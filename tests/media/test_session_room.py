"""A reception session in real browsers: the application, Janus and the sealer as own processes."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Page, expect

from config import read_settings
from reception import create_app
from reception.accounts.operations import open_login
from reception.clock import legal_now
from reception.media_gateway import JanusGateway, MediaRoom
from reception.petitions.uploads import add_attachment, check_file, seal_file
from reception.recordings.steps import room_of
from reception.sessions import steps
from storage.database import db, reading, unit_of_work
from storage.models import MediaJoin, PresenceEvent, Recording, Segment, Track
from tests.media.recordings import is_near, wait_until
from tests.support.browsers import LOOKS, Participant
from tests.support.factories import Factories, Officer
from tests.support.meetings import Cast, local, make_ready, participant, schedule, set_clock
from tests.support.system import RunningSystem, running_system

pytestmark = pytest.mark.media

LOOK_OF = """id => {
  const video = document.querySelector(`[data-participant="${id}"] video`);
  if (!video?.videoWidth) return null;
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d");
  pen.drawImage(video, video.videoWidth / 2, video.videoHeight * 0.55, 1, 1, 0, 0, 1, 1);
  return { rgb: [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)], time: video.currentTime };
}"""

INK_ON_PAPER = """() => {
  const canvas = document.querySelector("[data-paper-canvas]");
  const near = (value) => Math.round(value / 16) * 16;  // JPEG moves a colour a little
  const middle = [canvas.width / 2, canvas.height / 2, 1, 1];
  return [...canvas.getContext("2d").getImageData(...middle).data.slice(0, 3)].map(near);
}"""
WATCH_LAMP = """addEventListener("DOMContentLoaded", () => {
  const lamp = document.querySelector("[data-lamp]");
  const chunks = lamp.querySelector("[data-lamp-chunks]");
  const note = () => window.lampSeen.push([lamp.dataset.state, Number(chunks.dataset.chunks)]);
  window.lampSeen = [];
  note();
  new MutationObserver(note).observe(lamp, { attributes: true, subtree: true });
});"""


@dataclass
class Evening:
    """A session ready to open, on a running system, with two people before their screens."""

    system: RunningSystem
    app: Flask
    people: dict[str, Participant]
    cast: Cast
    meeting_id: UUID

    @property
    def chair_id(self) -> str:
        return str(participant(self.meeting_id, "chair").id)

    @property
    def citizen_id(self) -> str:
        return str(participant(self.meeting_id, "citizen").id)

    def staff_page(self, name: str, officer: Officer) -> Page:
        """A browser in which this officer has logged in."""
        from datetime import timedelta

        person = self.people[name]
        page = person.start_afresh(base_url=self.system.url)
        token = open_login(officer.account_id, user_agent="browser", lasts=timedelta(hours=1))
        serializer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]  # Flask's own
        cookie = serializer.dumps({"_user_id": token, "_fresh": True})
        person.context.add_cookies(
            [{"name": "tcd", "value": cookie, "url": self.system.url, "httpOnly": True}]
        )
        return page

    def citizen_page(self, *, devices: tuple[str, ...] = ("camera", "microphone")) -> Page:
        """A citizen's browser at the personal link."""
        page = self.people["blue"].start_afresh(base_url=self.system.url, devices=devices)
        page.goto(steps.join_path(UUID(self.citizen_id)))
        return page


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    root = tmp_path_factory.mktemp("system")
    back_ends = {"DATABASE_URL": f"sqlite:///{root}/tcd.db", "OBJECT_STORE": "folder"}
    with running_system(root, back_ends) as running:
        yield running


@pytest.fixture
def evening(system: RunningSystem, browsers: dict[str, Participant]) -> Iterator[Evening]:
    app = create_app(read_settings(system.environment))
    with app.app_context():
        factories = Factories()
        cast = Cast.gather(factories)
        meeting_id = schedule(factories, cast, idempotency_key=f"evening {time.time()}")
        make_ready(meeting_id, cast)
        set_clock(local(26, 7, 58))
        yield Evening(system, app, browsers, cast, meeting_id)
        for person in browsers.values():
            if not person.page.is_closed():
                person.page.goto("about:blank")
        db.engine.dispose()


def sees(page: Page, participant_id: str, look: str) -> bool:
    picture = page.evaluate(LOOK_OF, participant_id)
    return bool(picture and picture["time"] > 0 and is_near(picture["rgb"], LOOKS[look].rgb))


def enter(page: Page) -> None:
    """Tick the notice and go in."""
    page.get_by_test_id("notice").check()
    page.get_by_test_id("enter").click()


def at_the_desk(evening: Evening) -> Page:
    """The chair's page before the opening, notice of recording given."""
    page = evening.staff_page("red", evening.cast.chair)
    page.goto(f"/phien/{evening.meeting_id}/vao")
    enter(page)
    page.get_by_test_id("notice-given").check()
    return page


def open_session(evening: Evening) -> Page:
    """The chair opens the session; returns the page of the desk."""
    page = at_the_desk(evening)
    page.get_by_test_id("open-session").click()
    expect(page.locator("#room")).to_have_attribute("data-state", "OPEN", timeout=15_000)
    return page


def both_inside(evening: Evening) -> tuple[Page, Page]:
    """Chair and citizen in the open room, seeing each other."""
    chair = open_session(evening)
    citizen = evening.citizen_page()
    enter(citizen)
    expect(citizen.get_by_test_id("now")).to_contain_text("Xin chờ", timeout=10_000)
    chair.get_by_test_id("admit").click()
    wait_until(lambda: sees(chair, evening.citizen_id, "blue"), within_s=25, said="chair sees")
    wait_until(lambda: sees(citizen, evening.chair_id, "red"), within_s=25, said="citizen sees")
    return chair, citizen


def lamp(page: Page, state: str, *, within_s: float) -> None:
    expect(page.get_by_test_id("lamp")).to_have_attribute(
        "data-state", state, timeout=within_s * 1000
    )


def state_of(participant_part: str, meeting_id: UUID) -> str:
    return participant(meeting_id, participant_part).state


def rows(model: Any, **where: Any) -> list[Any]:
    with reading() as work:
        return list(work.db_session.query(model).filter_by(**where).all())


def test_session_from_opening_to_its_sealed_recording(evening: Evening) -> None:
    chair = open_session(evening)
    lamp(chair, "lit", within_s=20)

    citizen = evening.citizen_page()
    enter(citizen)
    expect(citizen.get_by_test_id("now")).to_contain_text("Xin chờ", timeout=10_000)
    assert citizen.locator("figure[data-participant]").count() == 0
    chair.get_by_test_id("admit").click()
    wait_until(lambda: sees(chair, evening.citizen_id, "blue"), within_s=25, said="chair sees")
    wait_until(lambda: sees(citizen, evening.chair_id, "red"), within_s=25, said="citizen sees")

    microphone = citizen.locator("[data-mic-icon]")
    expect(microphone).to_have_attribute("data-open", "false")
    citizen.get_by_test_id("raise-hand").click()
    chair.locator(f"#speak-{evening.citizen_id}").click(timeout=8000)
    expect(microphone).to_have_attribute("data-open", "true", timeout=8000)
    expect(citizen.get_by_test_id("now")).to_contain_text("Mời ông/bà phát biểu")
    chair.get_by_test_id("mute-all").click()
    expect(microphone).to_have_attribute("data-open", "false", timeout=8000)

    button = chair.get_by_test_id("item-start").element_handle()
    chair.wait_for_timeout(2500)  # the page asks each second
    assert button is not None
    assert button.evaluate("node => node.isConnected"), "a button stays under the hand"
    chair.get_by_test_id("item-start").click()
    chair.keyboard.press("m")
    expect(chair.get_by_test_id("marker-text")).to_be_focused()
    chair.keyboard.type("Sở đo lại ranh sáu thửa")
    chair.keyboard.press("Enter")
    expect(chair.get_by_test_id("feed")).to_contain_text("Sở đo lại ranh sáu thửa", timeout=8000)
    chair.get_by_test_id("item-answer").fill("Trả lời trước 15/12")
    chair.get_by_test_id("item-done").click()
    expect(chair.locator('[data-part="agenda"]')).to_contain_text("xong", timeout=8000)

    before = participant(evening.meeting_id, "citizen").id
    citizen.close()
    wait_until(lambda: state_of("citizen", evening.meeting_id) == "dropped", within_s=20)
    expect(chair.get_by_test_id("alarm-lost")).to_contain_text("Điểu Minh", timeout=8000)
    citizen = evening.citizen_page()
    enter(citizen)
    wait_until(lambda: state_of("citizen", evening.meeting_id) == "in_room", within_s=20)
    wait_until(lambda: sees(chair, evening.citizen_id, "blue"), within_s=25, said="chair again")
    assert participant(evening.meeting_id, "citizen").id == before
    joins = rows(MediaJoin, participant_id=before)
    assert len(joins) == 2

    chair.get_by_test_id("end-open").click()
    expect(chair.get_by_test_id("end-submit")).to_be_disabled()
    chair.get_by_test_id("end-confirm").fill("kết thúc")
    chair.get_by_test_id("end-submit").click()
    chair.wait_for_url("**/bien-ban", timeout=15_000)
    assert "Sở đo lại ranh sáu thửa" in chair.content()
    expect(citizen.locator("h1")).to_contain_text("không còn mở", timeout=10_000)

    (recording,) = rows(Recording, reception_session_id=evening.meeting_id)
    wait_until(
        lambda: all(s.closed_at for s in rows(Segment, recording_id=recording.id)),
        within_s=20,
        said="the sealer closed the segment",
    )
    owners = {
        track.participant_id
        for segment in rows(Segment, recording_id=recording.id)
        for track in rows(Track, segment_id=segment.id)
    }
    assert owners == {before, UUID(evening.chair_id)}


def test_lamp_is_lit_by_sealed_bytes_and_never_before(evening: Evening) -> None:
    chair = at_the_desk(evening)
    chair.context.add_init_script(WATCH_LAMP)
    with evening.system.held("sealer"):
        chair.get_by_test_id("open-session").click()
        expect(chair.locator("#room")).to_have_attribute("data-state", "OPEN", timeout=15_000)
        wait_until(lambda: _captured(evening) > 0, within_s=30, said="the media server writes")
        chair.wait_for_timeout(2500)  # two more questions of the page
        assert _segments(evening)[0].chunks == 0
        assert chair.evaluate("window.lampSeen").count(["lit", 0]) == 0
        assert {state for state, _ in chair.evaluate("window.lampSeen")} <= {"waiting", "silent"}
    lamp(chair, "lit", within_s=30)
    assert all(chunks > 0 for state, chunks in chair.evaluate("window.lampSeen") if state == "lit")
    assert _segments(evening)[0].sealed_bytes > 0


def _captured(evening: Evening) -> int:
    """Bytes of sound and picture that the media server has written and nobody has sealed."""
    return sum(
        path.stat().st_blocks * 512 for path in (evening.system.spool / "rooms").rglob("*.mjr*")
    )


def test_killed_media_server_is_followed_by_a_new_segment_with_everybody(evening: Evening) -> None:
    chair, citizen = both_inside(evening)
    lamp(chair, "lit", within_s=10)
    evening.system.janus.kill()
    evening.system.janus.start_again()
    wait_until(
        lambda: (
            sees(chair, evening.citizen_id, "blue")
            and sees(citizen, evening.chair_id, "red")
            and len(_segments(evening)) == 2
        ),
        within_s=45,
        said="both are back in a new segment",
    )
    lamp(chair, "lit", within_s=15)
    first, second = _segments(evening)
    assert first.ended_at is not None
    assert second.cause == "media-server-restarted"
    assert state_of("citizen", evening.meeting_id) == "in_room"


def _segments(evening: Evening) -> list[Any]:
    (recording,) = rows(Recording, reception_session_id=evening.meeting_id)
    return sorted(rows(Segment, recording_id=recording.id), key=lambda segment: segment.seq)


def test_killed_sealer_raises_the_red_alarm_and_comes_back(evening: Evening) -> None:
    chair, _ = both_inside(evening)
    lamp(chair, "lit", within_s=10)
    evening.system.kill("sealer")
    lamp(chair, "silent", within_s=12)
    expect(chair.get_by_test_id("alarm-recorder")).to_be_visible()
    evening.system.start_sealer()
    lamp(chair, "lit", within_s=60)
    expect(chair.get_by_test_id("alarm-recorder")).to_be_hidden()
    assert len(_segments(evening)) == 1


def test_closed_room_cuts_the_points_off_and_records_under_own_keys(evening: Evening) -> None:
    chair, citizen = both_inside(evening)
    chair.get_by_test_id("closed-room").click()
    chair.get_by_test_id("closed-submit").click()
    expect(citizen.get_by_test_id("now")).to_contain_text("phòng kín", timeout=15_000)
    wait_until(lambda: citizen.locator("figure[data-participant]").count() == 0, within_s=10)
    first, second = _segments(evening)
    assert (first.ended_at is None, second.secrecy) == (False, "restricted")
    assert first.wrapped_key != second.wrapped_key
    lamp(chair, "lit", within_s=15)
    chair.get_by_test_id("admit").click()
    wait_until(lambda: sees(chair, evening.citizen_id, "blue"), within_s=25, said="let back in")


def test_break_ends_the_segment_and_everybody_comes_back_by_itself(evening: Evening) -> None:
    chair, citizen = both_inside(evening)
    chair.get_by_test_id("pause").click()
    expect(citizen.get_by_test_id("now")).to_contain_text("tạm nghỉ", timeout=10_000)
    expect(citizen.get_by_test_id("tiles")).not_to_contain_text("mất đường truyền")
    chair.get_by_test_id("resume").click()
    expect(chair.locator("#room")).to_have_attribute("data-state", "OPEN", timeout=15_000)
    wait_until(
        lambda: sees(chair, evening.citizen_id, "blue") and sees(citizen, evening.chair_id, "red"),
        within_s=30,
        said="both are back after the break",
    )
    assert [segment.cause for segment in _segments(evening)] == ["opened", "resumed"]
    assert not [event for event in _events(evening) if event.kind == "dropped"]


def _events(evening: Evening) -> list[PresenceEvent]:
    return rows(PresenceEvent, reception_session_id=evening.meeting_id)


def test_refused_camera_means_joining_by_sound_and_says_so(evening: Evening) -> None:
    chair = open_session(evening)
    citizen = evening.citizen_page(devices=("microphone",))
    enter(citizen)
    chair.get_by_test_id("admit").click(timeout=10_000)
    expect(citizen.locator("[data-said]")).to_contain_text("dự bằng tiếng", timeout=20_000)
    tile = chair.locator(f'figure[data-participant="{evening.citizen_id}"]')
    expect(tile).to_contain_text("Chỉ có tiếng", timeout=20_000)


def test_line_of_a_point_is_measured_through_the_media_server(evening: Evening) -> None:
    point = next(p for p in _points(evening) if p.seat == 1)
    page = evening.staff_page("red", evening.cast.commune)
    page.goto(f"/phien/{evening.meeting_id}/thu-duong-truyen/{point.id}")
    recorded_before = set(evening.system.spool.rglob("*.mjr*"))
    page.get_by_test_id("link-test").click()
    expect(page.locator("[data-test-said]")).to_contain_text("Đạt", timeout=30_000)
    latest = next(p for p in _points(evening) if p.seat == 1).test_result["latest"]
    assert (latest["camera"], latest["microphone"], latest["media"]) == ("ok", "ok", "ok")
    assert latest["kbps_down"] > 50
    assert latest["loss"] < 5
    assert set(evening.system.spool.rglob("*.mjr*")) <= recorded_before


def _points(evening: Evening) -> list[Any]:
    from storage.models import SessionPoint

    return rows(SessionPoint, reception_session_id=evening.meeting_id)


def test_page_that_the_desk_shows_is_painted_before_a_sender(evening: Evening) -> None:
    _attach(evening)
    chair, citizen = both_inside(evening)
    chair.get_by_test_id("papers-open").click()
    expect(chair.locator("[data-paper-canvas]")).to_be_visible(timeout=15_000)
    expect(citizen.locator("[data-papers]")).to_be_hidden()
    chair.get_by_test_id("paper-show").click()
    expect(citizen.locator("[data-paper-canvas]")).to_be_visible(timeout=15_000)
    assert citizen.evaluate(INK_ON_PAPER) == [32, 64, 208]
    assert sees(citizen, evening.chair_id, "red")
    chair.get_by_test_id("paper-show").click()
    expect(citizen.locator("[data-papers]")).to_be_hidden(timeout=10_000)


def _attach(evening: Evening) -> None:
    """A blue sheet with the petition that is heard."""
    sheet = io.BytesIO()
    Image.new("RGB", (600, 800), (32, 64, 208)).save(sheet, "PNG")
    file = check_file(io.BytesIO(sheet.getvalue()), "to-xanh.png", limit=5_000_000)
    sealed = seal_file(file)
    with unit_of_work() as work:
        petition_id = evening.cast.petition_id
        add_attachment(work, sealed, file, part="evidence", petition_id=petition_id)


def test_returning_person_takes_the_old_place_from_another_window(evening: Evening) -> None:
    chair, citizen = both_inside(evening)
    second = evening.people["blue"].context.new_page()
    second.goto(steps.join_path(UUID(evening.citizen_id)) + "/phong")
    expect(citizen.locator("[data-said]")).to_contain_text("cửa sổ khác", timeout=25_000)
    wait_until(lambda: sees(chair, evening.citizen_id, "blue"), within_s=20)
    assert chair.locator(f'figure[data-participant="{evening.citizen_id}"]').count() == 1
    second.close()


def test_stranger_with_a_stolen_ticket_is_put_out(evening: Evening) -> None:
    chair, _ = both_inside(evening)
    segment = _segments(evening)[0]
    room, gateway = room_of(segment), evening.system.janus.gateway
    token = gateway.mint_core_token()
    with gateway._plugin_url(token) as url:
        body = {"request": "join", "ptype": "publisher", "room": room.room_id, "pin": room.pin}
        body |= {"token": gateway.mint_room_token(room), "id": "intruder", "display": "x"}
        gateway._post(url, {"janus": "message", "token": token, "body": body})
        wait_until(lambda: "intruder" in _present(gateway, room), within_s=5, said="came in")
        wait_until(lambda: "intruder" not in _present(gateway, room), within_s=10, said="put out")
    expect(chair.get_by_test_id("feed")).to_contain_text("kết nối lạ", timeout=8000)
    assert len(_present(gateway, room)) == 2


def _present(gateway: JanusGateway, room: MediaRoom) -> set[str]:
    return {entry.participant_id for entry in gateway.list_participants(room)}


def test_events_of_a_session_name_only_ids(evening: Evening) -> None:
    both_inside(evening)
    events = rows(PresenceEvent, reception_session_id=evening.meeting_id)
    assert {"waiting", "admitted", "joined"} <= {event.kind for event in events}
    assert not any("Minh" in str(event.detail) for event in events)
    assert abs((legal_now() - local(26, 7, 58)).total_seconds()) < 600
