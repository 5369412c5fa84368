"""The desk in a real browser: a line that is lost loses nothing and doubles nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from storage.database import reading
from storage.identities import open_field
from storage.models import PetitionDraft, Ticket, Visit
from tests.support.browsers import CHROMIUM
from tests.support.factories import COMMUNE, Factories
from workflows.access import Role

pytestmark = pytest.mark.e2e


@dataclass
class Desk:
    """An officer's browser at the desk, and the means to cut its line."""

    url: str
    context: BrowserContext
    page: Page

    def cut(self, lost: bool) -> None:
        self.context.set_offline(lost)

    def type_visit(self, content: str) -> None:
        self.page.fill("#name", "Trương Văn Lợi")
        self.page.fill("#content", content)
        self.page.check("#kind-information")
        self.page.check("#outcome-oral_guidance")
        self.page.fill("#answer", "Gửi đơn đến Tòa án khu vực 1")


@pytest.fixture
def served(app: Flask) -> Iterator[str]:
    """The application on a port of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def desk(app: Flask, served: str, factories: Factories) -> Iterator[Desk]:
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE, "Phạm Văn Hậu")
    client = factories.log_in(app.test_client(), officer)
    cookie = client.get_cookie("tcd")
    assert cookie is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(locale="vi-VN", viewport={"width": 1366, "height": 768})
        context.set_default_timeout(15_000)
        context.add_cookies([{"name": "tcd", "value": cookie.value, "url": served}])
        page = context.new_page()
        page.goto(f"{served}/quay")
        yield Desk(served, context, page)
        browser.close()


def _visits() -> list[Visit]:
    with reading() as work:
        return list(work.db_session.scalars(select(Visit).order_by(Visit.number)))


def test_visit_ended_without_a_line_is_sent_once_when_the_line_is_back(desk: Desk) -> None:
    desk.type_visit("Hỏi lịch chi trả")
    desk.cut(True)
    desk.page.keyboard.press("Control+Enter")
    expect(desk.page.locator("[data-offline]")).to_contain_text("đã giữ trong máy này")
    assert _visits() == []
    desk.page.locator("[data-try]").click()  # an impatient officer presses again and again
    desk.page.keyboard.press("Control+Enter")
    desk.cut(False)
    desk.page.wait_for_url("**xong=**")
    expect(desk.page.locator(".form .note.ok")).to_contain_text("Đã ghi sổ, dòng 1.")
    (visit,) = _visits()
    assert open_field("visit", "content", visit.id, visit.content_sealed) == "Hỏi lịch chi trả"
    assert desk.page.input_value("#content") == ""
    assert desk.page.evaluate("Object.keys(sessionStorage)") == []


def test_words_typed_without_a_line_reach_the_server_draft_when_it_is_back(desk: Desk) -> None:
    desk.cut(True)
    desk.type_visit("Gõ khi mất mạng")
    expect(desk.page.locator("[data-draft-status]")).to_contain_text("Đang mất mạng")
    desk.cut(False)
    expect(desk.page.locator("[data-draft-status]")).to_contain_text("Đã lưu nháp")
    with reading() as work:
        draft = work.db_session.scalars(select(PetitionDraft)).one()
    assert "Gõ khi mất mạng" in open_field("petition_draft", "data", draft.id, draft.data_sealed)
    desk.page.reload()
    assert desk.page.input_value("#content") == "Gõ khi mất mạng"
    assert desk.page.is_checked("#outcome-oral_guidance")


def test_answer_that_got_lost_on_the_way_back_does_not_double_the_visit(desk: Desk) -> None:
    desk.type_visit("Câu trả lời bị mất")
    lost: list[str] = []

    def swallow(route: object) -> None:
        """Let the first request reach the server, then drop the answer."""
        if lost:
            route.continue_()  # type: ignore[attr-defined]  # playwright's Route
            return
        route.fetch(max_redirects=0)  # type: ignore[attr-defined]  # playwright's Route
        lost.append("x")
        route.abort()  # type: ignore[attr-defined]  # playwright's Route

    desk.page.route(
        "**/quay?tai=*",
        lambda route: swallow(route) if route.request.method == "POST" else route.continue_(),
    )
    desk.page.keyboard.press("Control+Enter")
    desk.page.wait_for_url("**xong=**")
    assert lost == ["x"]
    assert [visit.number for visit in _visits()] == [1]


def test_every_drawn_key_does_what_it_says(desk: Desk) -> None:
    page = desk.page
    for key in ("s", "n"):
        with page.expect_navigation():
            page.keyboard.press(key)
    expect(page.locator(".cur b")).to_have_text("A001")
    for key, name in (
        ("1", "petition"),
        ("2", "oral_guidance"),
        ("3", "papers_received"),
        ("4", "refused"),
    ):
        page.keyboard.press(key)
        assert page.is_checked(f"#outcome-{name}")
        assert page.locator(f"[data-for-outcome~={name}]").first.is_visible()
    for key, name in (
        ("k", "complaint"),
        ("t", "denunciation"),
        ("p", "recommendation"),
        ("h", "information"),
    ):
        page.keyboard.press(key)
        assert page.is_checked(f"#kind-{name}")
    for key, target in (("f", "find"), ("b", "content")):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.id") == target
        page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys-help")).to_be_visible()
    page.keyboard.press("Escape")
    with page.expect_navigation():
        page.keyboard.press("v")
    expect(page.locator(".cur.none")).to_be_visible()
    with reading() as work:
        assert work.db_session.scalars(select(Ticket.state)).one() == "absent"


def test_desk_fits_its_screen_and_a_phone_without_scrolling_sideways(desk: Desk) -> None:
    page = desk.page
    page.check("#outcome-papers_received")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert page.locator("[data-finish]").bounding_box()["y"] < 768  # type: ignore[index]  # it is shown
    for width in (320, 360):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
