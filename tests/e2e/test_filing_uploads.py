"""Files while writing, in a real browser: they travel alone and wait for the line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from storage.database import reading
from storage.models import Attachment
from tests.support.browsers import CHROMIUM
from tests.support.citizen import photo

pytestmark = pytest.mark.e2e


@pytest.fixture
def story(app: Flask, tmp_path: Path) -> Iterator[Page]:
    """A citizen's phone on the page where the story is told."""
    (tmp_path / "anh.jpg").write_bytes(photo())
    (tmp_path / "virus.pdf").write_bytes(b"MZ\x90\0" + b"\0" * 99)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(locale="vi-VN", viewport={"width": 360, "height": 740})
        context.set_default_timeout(15_000)
        page = context.new_page()
        url = f"http://127.0.0.1:{server.server_port}"
        page.goto(f"{url}/gui-don?viec=gop-y")
        page.click("form[action='/don/moi'] button")
        page.goto(page.url.replace("nguoi-gui", "chuyen-gi"))
        yield page
        browser.close()
    server.shutdown()
    thread.join()
    server.server_close()


def choose(page: Page, path: Path) -> None:
    """Pick a file with the second button, as from the gallery."""
    with page.expect_file_chooser() as chooser:
        page.click(".files-box .tools button >> nth=1")
    chooser.value.set_files(path)


def kept() -> int:
    """How many files the server has."""
    with reading() as work:
        return len(work.db_session.scalars(select(Attachment.id)).all())


def test_file_goes_by_itself_while_its_owner_writes_on(story: Page, tmp_path: Path) -> None:
    choose(story, tmp_path / "anh.jpg")
    story.fill("#content", "Viết tiếp trong lúc ảnh đang gửi lên máy chủ.")
    expect(story.locator(".files .state.ok")).to_contain_text("Đã gửi lên")
    assert kept() == 1
    story.click(".go button")
    expect(story.locator("h1")).not_to_have_text("Chuyện gì đã xảy ra?")
    story.go_back()
    expect(story.locator(".files b")).to_have_text("anh.jpg")
    assert kept() == 1


def test_without_a_line_the_file_waits_and_goes_on_by_itself(story: Page, tmp_path: Path) -> None:
    story.context.set_offline(True)
    choose(story, tmp_path / "anh.jpg")
    expect(story.locator(".files .state.wait")).to_contain_text("Có mạng sẽ tự gửi tiếp")
    assert kept() == 0
    story.context.set_offline(False)
    expect(story.locator(".files .state.ok")).to_contain_text("Đã gửi lên", timeout=15_000)
    assert kept() == 1


def test_wrong_file_says_why_and_leaves_the_rest(story: Page, tmp_path: Path) -> None:
    choose(story, tmp_path / "anh.jpg")
    choose(story, tmp_path / "virus.pdf")
    expect(story.locator(".files .state.bad")).to_contain_text("chỉ nhận ảnh JPG, PNG và tệp PDF")
    expect(story.locator(".files .state.ok")).to_have_count(1)


def test_removed_file_is_removed_on_the_server(story: Page, tmp_path: Path) -> None:
    choose(story, tmp_path / "anh.jpg")
    expect(story.locator(".files .state.ok")).to_have_count(1)
    story.click(".files .ib")
    expect(story.locator(".files li")).to_have_count(0)
    assert kept() == 0


def test_typed_words_come_back_after_the_tab_was_lost(story: Page) -> None:
    with story.expect_response("**/luu"):
        story.fill("#content", "Câu chuyện đang kể dở thì mất điện.")
    address = story.url
    again = story.context.new_page()
    again.goto(address)
    expect(again.locator("#content")).to_have_value("Câu chuyện đang kể dở thì mất điện.")


def test_old_commune_name_is_chosen_with_the_keyboard_alone(story: Page) -> None:
    story.goto(story.url.replace("chuyen-gi", "o-dau"))
    story.focus("#unit_text")
    story.keyboard.type("binh son")
    expect(story.locator("[role=option]")).to_have_count(2)
    story.keyboard.press("ArrowDown")
    story.keyboard.press("Enter")
    assert story.input_value("#unit_text").startswith("Phường")
    assert story.input_value("input[name=unit]")
