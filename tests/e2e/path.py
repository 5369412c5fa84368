"""The steps of the main path as people take them in a browser; each returns what it learned."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

WAIT_MS = 15_000


@dataclass(frozen=True)
class Complaint:
    """What a citizen tells."""

    name: str
    phone: str
    address_unit: str
    content: str
    place: str
    decision: str
    decision_date: str
    decision_body: str


@dataclass(frozen=True)
class Filed:
    """What the confirmation page shows."""

    code: str
    second: str


def signed_photo(folder: Path, words: str) -> Path:
    """A photograph of a signed sheet of paper, a few hundred kilobytes."""
    sheet = Image.effect_noise((1200, 1600), 24).convert("RGB")
    draw = ImageDraw.Draw(sheet)
    draw.text((100, 200), words, fill=(20, 20, 60))
    draw.line((700, 1400, 900, 1380, 950, 1420, 1050, 1370), fill=(20, 20, 120), width=6)
    path = folder / "don-da-ky.jpg"
    sheet.save(path, quality=82)
    return path


def choose(page: Page, name: str, value: str) -> None:
    """Tick the radio or box of this name and value, as a click on its label would."""
    page.locator(f"input[name='{name}'][value='{value}']").check(force=True)


def go_on(page: Page) -> None:
    """The one big button of a page of the wizard."""
    page.locator("form .go button.big, form .send button").first.click()
    page.wait_for_load_state()


def pick_unit(page: Page, typed: str, label: str) -> None:
    """Type into the combo box and take the offered unit."""
    box = page.locator("input[name='unit_text']")
    box.fill("")
    box.press_sequentially(typed, delay=15)
    option = page.get_by_role("option").filter(has_text=label).first
    option.wait_for(timeout=WAIT_MS)
    option.click()


def sign_in(page: Page, person: str) -> None:
    """One click on a demonstration log-in."""
    page.goto("/dang-nhap")
    page.locator(".demo-logins").get_by_role("button", name=re.compile(person)).click()
    page.wait_for_load_state()


def file_complaint(page: Page, told: Complaint, photo: Path, *, online: bool = True) -> Filed:
    """From the guide to the confirmation page; the petition ends with a photo of the signed paper."""
    page.goto("/gui-don")
    choose(page, "viec", "bi-thiet")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_load_state()
    return _fill_pages(page, told, photo, online)


def _fill_pages(page: Page, told: Complaint, photo: Path, online: bool) -> Filed:
    for _ in range(20):
        step = page.url.rstrip("/").rsplit("/", 1)[-1].split("?")[0]
        if step == "da-nhan":
            return _confirmation(page)
        if step not in _PAGES:
            _begin(page)
            continue
        _PAGES[step](page, told, photo, online)
        go_on(page)
        errors = page.locator(".govuk-error-summary")
        assert errors.count() == 0, f"{step}: {errors.inner_text()}"
    raise AssertionError(f"the wizard did not end: {page.url}")


def _begin(page: Page) -> None:
    """The pages of the guide: is it the first time, then the result with its one button."""
    if page.locator("input[name='lan']").count():
        page.locator("input[name='lan']").first.check(force=True)
    page.locator("main form button[type=submit]:not(.vh)").first.click()
    page.wait_for_load_state()


def _who(page: Page, told: Complaint, photo: Path, online: bool) -> None:
    choose(page, "for_whom", "self")


def _kind(page: Page, told: Complaint, photo: Path, online: bool) -> None:
    choose(page, "kind", "complaint")
    choose(page, "round", "1")


def _way(page: Page, told: Complaint, photo: Path, online: bool) -> None:
    choose(page, "way", "type")


def _contact(page: Page, told: Complaint, photo: Path, online: bool) -> None:
    page.fill("input[name='name']", told.name)
    page.fill("input[name='phone']", told.phone)
    page.fill("input[name='address']", "Số 12, tổ 4")
    pick_unit(page, told.address_unit, told.address_unit)


def _about(page: Page, told: Complaint, photo: Path, online: bool) -> None:
    page.fill("input[name='respondent']", told.decision_body)


def _story(page: Page, told: Complaint, photo: Path, online: bool) -> None:
    page.fill("textarea[name='content']", told.content)
    page.fill("textarea[name='wish']", "Kiểm đếm lại có mặt gia đình tôi.")


def _place(page: Page, told: Complaint, photo: Path, online: bool) -> None:
    pick_unit(page, told.place, told.place)


def _decisions(page: Page, told: Complaint, photo: Path, online: bool) -> None:
    choose(page, "any", "yes")
    page.fill("#paper_number", told.decision)
    page.fill("#paper_date", told.decision_date)
    page.fill("input[name='paper_body']", told.decision_body)


def _support(page: Page, told: Complaint, photo: Path, online: bool) -> None:
    if page.locator("input[name='protection']").count():
        choose(page, "protection", "no")
    choose(page, "online", "yes" if online else "no")


def _sign(page: Page, told: Complaint, photo: Path, online: bool) -> None:
    choose(page, "signing", "photo")
    page.locator("[data-part='signed_petition'] .tools input[type=file]").last.set_input_files(
        photo
    )
    expect(page.get_by_text("Đã gửi lên ·").first).to_be_visible(timeout=WAIT_MS)
    page.locator("input[name='truthful']").check(force=True)


def _nothing(page: Page, told: Complaint, photo: Path, online: bool) -> None:
    """A page that may be left as it is."""


_PAGES = {
    "nguoi-gui": _who,
    "loai-don": _kind,
    "cach-viet": _way,
    "lien-lac": _contact,
    "gui-ve-ai": _about,
    "chuyen-gi": _story,
    "o-dau": _place,
    "quyet-dinh": _decisions,
    "giay-to": _nothing,
    "ho-tro": _support,
    "xem-lai": _sign,
}


def _confirmation(page: Page) -> Filed:
    text = page.locator("main").inner_text()
    code = re.search(r"KN-[0-9A-Z]{4}-[0-9A-Z]{4}", text)
    assert code is not None, text
    second = page.locator(".codebox").nth(1).locator("bdi, code, .code").first.inner_text().strip()
    return Filed(code.group(), second)


def look_up(page: Page, filed: Filed) -> str:
    """What the citizen sees without an account."""
    page.goto("/tra-cuu")
    page.fill("input[name='code']", filed.code)
    page.fill("input[name='second']", filed.second)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_load_state()
    expect(page.locator("main")).to_contain_text(filed.code, timeout=WAIT_MS)
    return page.locator("main").inner_text()
