"""The main job from end to end, in real browsers, on both pairs of back ends.

A citizen files, the ward handles, the province hears in a recorded session between three points,
the recording is sealed, the case grows from a second commune, an inspector plays it, the map counts
one case.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy
import pytest
from minio import Minio
from playwright.sync_api import Page, expect

from tests.e2e import path
from tests.media.recordings import colour, is_near, tone_hz, wait_until
from tests.support import marks
from tests.support.browsers import LOOKS, Participant, participants
from tests.support.minio import RunningMinio
from tests.support.system import RunningSystem, running_system
from tools.postgres.server import RunningPostgres

pytestmark = pytest.mark.e2e

WARD = "Phường Trảng Dài"
PROVINCE = "Thành phố Đồng Nai"
DEPARTMENT = "Sở Nông nghiệp và Môi trường"
STORY = (
    "Ngày 14/05/2026 tôi nhận Quyết định 2318/QĐ-UBND. Nhà kho 86 m² bị bỏ sót khi kiểm đếm, "
    "thửa đất số 118, tờ bản đồ số 42, nên thiếu khoảng 214 triệu đồng."
)
PHOTO = "don-da-ky.jpg"
WINDOW = 32
SEATS = {"red": "chair", "blue": "citizen", "green": "officer"}


# Whoever drops and returns leaves two copies.
COPIES = {"red": 1, "blue": 2, "green": 1}


@dataclass(frozen=True)
class Copy:
    """A playable copy: its place on the recording's time, what it shows, where its marks lie."""

    begins_s: float
    length_s: float
    rgb: tuple[int, ...]
    flashed: float
    beeped: float


@dataclass
class World:
    """One running system and three people at three points."""

    system: RunningSystem
    people: dict[str, Participant]
    store: RunningMinio | None
    folder: Path
    seen: dict[str, str] = field(default_factory=dict)
    # The session lasted at least from "open" seen to "end" pressed, at most from press to seen.
    held_at_least_s: float = 0.0
    held_at_most_s: float = 0.0

    def page(self, look: str, person: str = "") -> Page:
        """This person's browser, freshly started, logged in with one click when staff."""
        page = self.people[look].start_afresh(base_url=self.system.url)
        page.set_default_timeout(path.WAIT_MS)
        if person:
            path.sign_in(page, person)
        return page

    def marked_page(self, look: str, person: str = "") -> Page:
        """The same, with a camera and a microphone that mark the wall clock's even seconds."""
        page = self.page(look, person)
        marks.mark_by_wall_clock(page)
        return page


@pytest.fixture(params=["sqlite-folder", "postgresql-minio"])
def world(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    store: RunningMinio | None = None
    if request.param == "sqlite-folder":
        back_ends = {"DATABASE_URL": f"sqlite:///{tmp_path}/tcd.db", "OBJECT_STORE": "folder"}
    else:
        server: RunningPostgres = request.getfixturevalue("postgres")
        store = request.getfixturevalue("minio")
        server.create("tcd_main_job")
        back_ends = {"DATABASE_URL": server.url("tcd_main_job"), **store.settings}
    with (
        running_system(tmp_path / "system", back_ends) as system,
        participants(tmp_path_factory.mktemp("people"), list(SEATS)) as people,
    ):
        system.flask("seed", "demo", "--cases", "12")
        yield World(system, people, store, tmp_path)


def _count_on_map(page: Page, unit_code: str) -> int:
    answer = page.request.get("/ban-do/du-lieu", headers={"Accept": "application/json"})
    assert answer.ok, answer.status
    units: list[dict[str, Any]] = answer.json()["units"]
    return int(next(unit for unit in units if unit["code"] == unit_code)["cases"] or 0)


def _complaint(name: str, phone: str) -> path.Complaint:
    return path.Complaint(
        name=name,
        phone=phone,
        address_unit="Trảng Dài",
        content=STORY,
        place="Trảng Dài",
        decision="2318/QĐ-UBND",
        decision_date="14/05/2026",
        decision_body="UBND phường Trảng Dài",
    )


def test_main_job_from_letter_to_map(world: World) -> None:
    chair = world.page("red", "Phạm Quốc Hưng")
    before = _count_on_map(chair, "25993")

    filed = _file(world)
    case_code, petition = _ward_handles(world, filed)
    meeting = _schedule_and_pass_the_gates(world, filed)
    _hold(world, meeting)
    recording = _await_sealed(world)
    _stands_in_the_book(world)
    exported = _check_exported(world, recording)
    _store_holds_no_plaintext(world, exported)
    _forward_and_join(world, petition, case_code)
    _inspector_plays(world, recording)
    _strangers_find_nothing(world, recording)

    chair = world.page("red", "Phạm Quốc Hưng")
    assert _count_on_map(chair, "25993") == before + 1
    world.system.flask("audit", "verify")


def _file(world: World) -> path.Filed:
    page = world.page("blue")
    photo = path.signed_photo(world.folder, STORY[:40])
    filed = path.file_complaint(page, _complaint("Trương Văn Lợi", "0100123456"), photo)
    followed = path.look_up(page, filed)
    assert "Đã nhận đơn" in followed, followed
    assert STORY[:30] not in followed, "without log-in only the stage is shown"
    return filed


def _ward_handles(world: World, filed: path.Filed) -> tuple[str, str]:
    page = world.page("green", "Nguyễn Văn Phúc")
    petition = path.find_petition(page, filed.code)
    path.check_identity(page, petition)
    path.classify(page, petition, respondent_unit=WARD, place=WARD, competent=PROVINCE)
    case_code = path.open_case(page, petition)
    path.ask_for_online(page, petition)
    return case_code, petition


def _schedule_and_pass_the_gates(world: World, filed: path.Filed) -> str:
    board = world.page("green", "Trần Thị Mai")
    meeting = path.schedule(
        board, filed.code, presiding="Phạm Quốc Hưng", points=(WARD, DEPARTMENT)
    )
    path.invite(board, meeting, "Vũ Đình Hải", DEPARTMENT)
    board.goto(f"{meeting}/chuan-bi")
    board.get_by_test_id("notify").click()
    board.wait_for_load_state()
    link = board.locator("[data-testid='personal-link'][data-part='citizen']").first
    world.seen["citizen link"] = link.get_attribute("href") or ""
    points = path.points_of(board, meeting)
    ward = world.page("blue", "Nguyễn Văn Phúc")
    assert _opening(world, meeting) == 409, "opened before its gates"
    path.jump(board, meeting, "thử đường truyền")
    for name, point in points.items():
        path.measure_line(ward if name == WARD else board, point)
    path.jump(board, meeting, "65 phút")
    for name, point in points.items():
        path.tell_ready(ward if name == WARD else board, point)
    path.jump(board, meeting, "5 phút")
    return meeting


def _opening(world: World, meeting: str) -> int:
    """What the chair is answered who wants to open right now."""
    chair = world.page("red", "Phạm Quốc Hưng")
    chair.goto(f"{meeting}/chuan-bi")
    token = chair.locator("input[name='csrf_token']").first.get_attribute("value") or ""
    return chair.request.post(
        f"{meeting}/mo", form={"csrf_token": token, "notice_given": "1"}
    ).status


def _hold(world: World, meeting: str) -> None:
    chair = world.marked_page("red", "Phạm Quốc Hưng")
    chair.goto(f"{meeting}/vao")
    path.enter(chair)
    chair.get_by_test_id("notice-given").check()
    pressed_open = time.monotonic()
    chair.get_by_test_id("open-session").click()
    expect(chair.locator("#room")).to_have_attribute("data-state", "OPEN", timeout=path.WAIT_MS)
    seen_open = time.monotonic()
    expect(chair.get_by_test_id("lamp")).to_have_attribute("data-state", "lit", timeout=8000)

    officer = world.marked_page("green", "Vũ Đình Hải")
    officer.goto(f"{meeting}/vao")
    path.enter(officer)
    citizen = world.marked_page("blue")
    citizen.goto(world.seen["citizen link"])
    path.enter(citizen)
    for _ in range(2):
        chair.get_by_test_id("admit").first.click()
        time.sleep(1.5)
    wait_until(lambda: _pictures(chair) >= 3, within_s=30, said="the chair sees all three")
    wait_until(lambda: _pictures(citizen) >= 2, within_s=30, said="the citizen sees the others")
    _let_everybody_speak(chair)
    chair.get_by_test_id("item-start").first.click()
    expect(chair.get_by_test_id("item-done").first).to_be_visible(timeout=path.WAIT_MS)

    chair.keyboard.press("m")
    chair.get_by_test_id("marker-text").fill("Chủ trì giao Sở kiểm đếm lại trước 15/12")
    chair.get_by_test_id("marker-add").click()
    expect(chair.get_by_test_id("feed")).to_contain_text("kiểm đếm lại", timeout=8000)
    _drop_and_return(chair, citizen)
    chair.get_by_test_id("item-done").first.click()
    expect(chair.get_by_test_id("item-done")).to_have_count(0, timeout=path.WAIT_MS)
    time.sleep(6)
    pressed_end = path.end_session(chair)
    world.held_at_least_s = pressed_end - seen_open
    world.held_at_most_s = time.monotonic() - pressed_open
    assert "kiểm đếm lại" in chair.content()
    chair.get_by_test_id("read-back").click()
    chair.wait_for_load_state()
    expect(chair.locator("main")).to_contain_text("đã vào sổ", ignore_case=True)


def _drop_and_return(chair: Page, citizen: Page) -> None:
    """The citizen's page is lost and opened again: the same person, without a second admission."""
    waiting = chair.get_by_test_id("admit").count()
    citizen.goto("about:blank")
    wait_until(lambda: _pictures(chair) == 2, within_s=30, said="the chair sees the place empty")
    citizen.go_back()
    if citizen.get_by_test_id("enter").count():
        path.enter(citizen)
    wait_until(lambda: _pictures(chair) >= 3, within_s=40, said="the citizen is seen again")
    assert chair.get_by_test_id("admit").count() == waiting, "the citizen had to be admitted again"
    _let_everybody_speak(chair)


def _pictures(page: Page) -> int:
    return int(
        page.evaluate("[...document.querySelectorAll('video')].filter(v => v.videoWidth).length")
    )


def _let_everybody_speak(chair: Page) -> None:
    """The chair opens every microphone that is still closed; the list is drawn anew each time."""
    closed = chair.get_by_test_id("invite")
    for _ in range(4):
        chair.evaluate("document.querySelectorAll('#room details').forEach(d => { d.open = true })")
        if not closed.count():
            break
        closed.first.click()
        time.sleep(2.5)
    time.sleep(6)


def _await_sealed(world: World) -> dict[str, Any]:
    """Until the worker has checked the masters; the newest recording is ours."""
    found: list[dict[str, Any]] = []

    def sealed() -> bool:
        listed = json.loads(world.system.flask("recordings", "list", "--json"))["recordings"]
        found[:] = sorted(listed, key=lambda each: each["started_at"])
        return bool(found) and found[-1]["state"] == "sealed"

    wait_until(sealed, within_s=90, said=world.system.log("worker")[-2000:])
    return found[-1]


def _stands_in_the_book(world: World) -> None:
    """The visit has its line once the minutes were read back and the recording is sealed."""
    board = world.page("green", "Trần Thị Mai")
    board.goto("/so-tiep-dan")
    expect(board.locator("main")).to_contain_text("Trương Văn Lợi")


def _check_exported(world: World, recording: dict[str, Any]) -> Path:
    """Every tone and colour is in the right person's track; lengths and offsets fit."""
    target = world.folder / "export"
    world.system.flask("recordings", "export", recording["id"], "--to", str(target))
    tracks: dict[str, list[Copy]] = {look: [] for look in SEATS}
    for file in sorted(target.rglob("*.webm")):
        tracks[_whose(file)].append(_copy(file))
    assert {look: len(copies) for look, copies in tracks.items()} == COPIES, tracks
    heart = tracks["red"][0]
    for look, copies in tracks.items():
        for copy in copies:
            assert is_near(copy.rgb, LOOKS[look].rgb), (look, copy)
            assert abs(marks.apart(copy.flashed, copy.beeped)) < 0.150, (look, copy)
            assert abs(marks.apart(copy.flashed, heart.flashed)) < 0.150, (look, copy, heart)
            assert abs(marks.apart(copy.beeped, heart.beeped)) < 0.150, (look, copy, heart)
        ends = copies[-1].begins_s + copies[-1].length_s
        assert world.held_at_least_s - 1 < ends < world.held_at_most_s + 1, (look, ends, world)
    return target


def _whose(file: Path) -> str:
    """Whose file it is, by its tone alone."""
    tone = _tone(file)
    near = [look for look in SEATS if abs(tone - LOOKS[look].tone_hz) < 20]
    assert len(near) == 1, f"{file.name} sounds at {tone} Hz"
    return near[0]


def _copy(file: Path) -> Copy:
    """Where the wall clock's marks lie on the recording's own time, modulo their distance."""
    begins_s = int(file.stem.split("-")[0]) / 1000
    flashed, beeped = marks.flashes(file), marks.beeps(file)
    assert min(len(flashed), len(beeped)) >= 3, (file.name, flashed, beeped)
    return Copy(
        begins_s=begins_s,
        length_s=_length(file),
        rgb=colour(file),
        flashed=marks.phase([begins_s + each for each in flashed]),
        beeped=marks.phase([begins_s + each for each in beeped]),
    )


def _tone(file: Path) -> float:
    return float(numpy.round(tone_hz(file, below_hz=2000)))


def _probe(file: Path) -> dict[str, Any]:
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(file)],
        capture_output=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _length(file: Path) -> float:
    return float(_probe(file)["format"]["duration"])


def _store_holds_no_plaintext(world: World, exported: Path) -> None:
    """Nothing that was sent lies in the store readable: letter, photo, originals, copies."""
    windows = _windows(world.folder / PHOTO)
    for file in exported.rglob("*"):
        if file.suffix in (".mjr", ".webm"):
            windows |= _windows(file)
    assert len(windows) > 100
    words = [text.encode() for text in ("Trương Văn Lợi", "0100123456", STORY[20:60])]
    count = 0
    for name, data in _objects(world):
        count += 1
        assert not [word for word in words if word in data], name
        assert not _holds_any(data, windows), name
    assert count > 10, "the store was empty"


def _windows(file: Path) -> set[bytes]:
    """Pieces of 32 bytes from all over a file; any of them in the store would be its plaintext."""
    data = file.read_bytes()
    step = max(WINDOW, len(data) // 64)
    pieces = (data[at : at + WINDOW] for at in range(0, len(data) - WINDOW, step))
    return {piece for piece in pieces if len(set(piece)) > 8}


def _holds_any(data: bytes, windows: set[bytes]) -> bool:
    return any(window in data for window in windows)


def _objects(world: World) -> Iterator[tuple[str, bytes]]:
    if world.store is None:
        for file in Path(world.system.environment["DATA_DIR"]).rglob("*"):
            if file.is_file() and "audit" not in file.parts:
                yield str(file), file.read_bytes()
        return
    client: Minio = world.store.root_client()
    for bucket in client.list_buckets():
        if bucket.name.endswith("audit"):
            continue
        for found in client.list_objects(bucket.name, recursive=True):
            answer = client.get_object(bucket.name, found.object_name)
            try:
                yield f"{bucket.name}/{found.object_name}", answer.read()
            finally:
                answer.close()
                answer.release_conn()


def _forward_and_join(world: World, petition: str, case_code: str) -> None:
    """The ward forwards up; a second letter filed at another ward joins the same case."""
    ward = world.page("green", "Nguyễn Văn Phúc")
    path.forward_up(ward, petition, PROVINCE)
    board = world.page("green", "Trần Thị Mai")
    board.goto(f"{petition}/buoc/receive_transfer")
    path.submit(board)

    citizen = world.page("blue")
    photo = path.signed_photo(world.folder, "don thu hai")
    second = path.Complaint(
        **{
            **vars(_complaint("Trương Thị Hoa", "0100654321")),
            "place": "Long Thành",
            "address_unit": "Long Thành",
            "decision_body": "UBND phường Long Thành",
        }
    )
    filed = path.file_complaint(citizen, second, photo, online=False)
    other = world.page("green", "Hoàng Anh Dũng")
    again = path.find_petition(other, filed.code)
    path.check_identity(other, again)
    path.classify(other, again, respondent_unit=WARD, place=WARD, competent=PROVINCE)
    path.forward_up(other, again, PROVINCE)
    board = world.page("green", "Trần Thị Mai")
    board.goto(f"{again}/buoc/receive_transfer")
    path.submit(board)
    path.link_to_case(board, again, case_code)
    board.goto(again)
    expect(board.locator("main")).to_contain_text(case_code)


def _inspector_plays(world: World, recording: dict[str, Any]) -> None:
    inspector = world.page("green", "Nguyễn Hữu Phước")
    inspector.goto("/tim?q=khieu+nai+van+ban+2318")
    expect(inspector.locator("main")).to_contain_text("2318/QĐ-UBND", timeout=path.WAIT_MS)
    address = f"/ban-ghi/{recording['id']}"
    inspector.goto(f"{address}/xin-xem")
    inspector.locator("textarea").first.fill("Thanh tra trách nhiệm tiếp công dân quý IV")
    path.submit(inspector)
    head = world.page("red", "Lê Minh Khôi")
    head.goto(address)
    head.get_by_role("button", name="Duyệt").first.click()
    head.wait_for_load_state()
    inspector.goto(address)
    inspector.get_by_role("button", name="Mở bản ghi").first.click()
    inspector.wait_for_load_state()
    expect(inspector.locator("video").first).to_be_attached(timeout=path.WAIT_MS)
    wait_until(lambda: _seeks(inspector), within_s=20, said="the picture follows a seek")
    inspector.goto(address)
    opened = inspector.locator("section[aria-labelledby='opened-h']")
    expect(opened).to_contain_text("Nguyễn Hữu Phước")
    expect(opened).to_contain_text("1 lần")
    inspector.get_by_role("button", name=re.compile("Kiểm ngay|Kiểm lại")).click()
    inspector.wait_for_load_state()
    integrity = inspector.locator("section[aria-labelledby='integrity-h']")
    expect(integrity).to_contain_text("Bản ghi nguyên vẹn", timeout=path.WAIT_MS)


def _seeks(page: Page) -> bool:
    return bool(
        page.evaluate(
            """async () => {
              const video = [...document.querySelectorAll('video')].find(v => v.videoWidth);
              if (!video) return false;
              const to = video.duration / 2;
              video.currentTime = to;
              await new Promise(done => video.addEventListener('seeked', done, { once: true }));
              return Math.abs(video.currentTime - to) < 1 && video.readyState >= 2;
            }"""
        )
    )


def _strangers_find_nothing(world: World, recording: dict[str, Any]) -> None:
    address = f"/ban-ghi/{recording['id']}"
    officer = world.page("green", "Điểu Minh")
    assert officer.request.get(address).status == 404
    citizen = world.page("blue")
    answer = citizen.request.get(address, max_redirects=0)
    assert answer.status == 404
    stream = citizen.request.get(f"/ban-ghi/luong/not-a-token/{recording['id']}", max_redirects=0)
    assert stream.status == 404
