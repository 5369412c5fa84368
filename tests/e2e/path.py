"""The steps of the main path as people take them in a browser; each returns what it learned."""

from __future__ import annotations

import re
import time
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
    """Tick the radio or box of this name and value by its label, which the eye sees."""
    box = page.locator(f"input[name='{name}'][value='{value}']")
    label = page.locator(f"label[for='{box.get_attribute('id')}']")
    if label.count():
        label.first.click()
    else:
        box.check(force=True)
    expect(box).to_be_checked()


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
    """From the guide to the confirmation page; it ends with a photo of the signed paper."""
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


# --- officers ------------------------------------------------------------------


def submit(page: Page) -> None:
    """The last button of the page's own form."""
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_load_state()
    errors = page.locator(".govuk-error-summary")
    assert errors.count() == 0, f"{page.url}: {errors.inner_text()}"
    assert not page.get_by_text("Mã cho người hỗ trợ").count(), page.locator("main").inner_text()


def find_petition(page: Page, code: str) -> str:
    """Through the inbox's own search; returns the petition's address."""
    page.goto(f"/hop-don?tim={code}&moi-don-vi=1")
    page.locator("a").filter(has_text=code).first.click()
    page.wait_for_url(re.compile(r"don=[0-9a-f]"), timeout=WAIT_MS)
    found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", page.url)
    assert found is not None, page.url
    return f"/hop-don/{found.group()}"


def check_identity(page: Page, petition: str) -> None:
    page.goto(f"{petition}/buoc/check_identity")
    choose(page, "how", "card")
    submit(page)


def classify(
    page: Page, petition: str, *, respondent_unit: str, place: str, competent: str = ""
) -> None:
    """A first complaint about compensation that can be handled, here or by `competent`."""
    page.goto(f"{petition}/phan-loai")
    choose(page, "kind", "complaint")
    choose(page, "round", "1")
    page.select_option("select[name='field_code']", "land-compensation")
    page.select_option("select[name='place']", label=place)
    page.select_option("select[name='respondent']", "commune")
    page.select_option("select[name='respondent_unit']", label=respondent_unit)
    if competent:
        page.select_option("select[name='competent_unit']", label=competent)
    choose(page, "eligible", "yes")
    submit(page)


def open_case(page: Page, petition: str) -> str:
    """One click; returns the code of the case."""
    page.goto(petition)
    page.get_by_role("button", name="Mở vụ việc").click()
    page.wait_for_load_state()
    page.goto(petition)
    code = re.search(r"VV-[0-9A-Z]{4}-[0-9A-Z]{4}", page.locator("main").inner_text())
    assert code is not None
    return code.group()


def ask_for_online(page: Page, petition: str) -> None:
    page.goto(f"{petition}/tiep-truc-tuyen")
    choose(page, "reason_code", "complex-multi-agency")
    submit(page)


def forward_up(page: Page, petition: str, unit: str) -> None:
    page.goto(f"{petition}/chuyen")
    proposed = page.locator("input[name='to']").first
    if proposed.get_attribute("value") == "other":
        choose(page, "to", "other")
        page.select_option("select[name='to_unit']", label=unit)
    else:
        proposed.check(force=True)
    page.fill("textarea[name='reason']", "Vượt thẩm quyền của phường, liên quan nhiều cơ quan")
    submit(page)


def link_to_case(page: Page, petition: str, case_code: str) -> None:
    page.goto(f"{petition}/noi")
    page.fill("input[name='code']", case_code)
    choose(page, "kind", "same_matter")
    page.fill("textarea[name='reason']", "Cùng số quyết định, cùng thửa đất")
    submit(page)


# --- reception session ---------------------------------------------------------


def option_with(page: Page, select: str, words: str) -> None:
    """Choose the option whose text holds the words."""
    texts = page.locator(f"{select} option").all_inner_texts()
    page.select_option(select, label=next(text for text in texts if words in text))


def schedule(page: Page, code: str, *, presiding: str, points: tuple[str, str]) -> str:
    """A session with this petition on the agenda; returns its address."""
    page.goto("/phien/moi")
    choose(page, "kind", "periodic")
    page.select_option("select[name='reason_code']", "complex-multi-agency")
    option_with(page, "select[name='presiding']", presiding)
    for number, unit in enumerate(points, 1):
        page.select_option(f"select[name='component_{number}']", label=unit)
    page.locator(".wt").filter(has_text=code).locator("input[name='visit']").check()
    page.get_by_test_id("schedule").click()
    page.wait_for_url("**/chuan-bi", timeout=WAIT_MS)
    return "/phien/" + page.url.split("/phien/")[1].split("/")[0]


def invite(page: Page, meeting: str, officer: str, point: str) -> None:
    """Put a staff member on the list of a point, unless already there."""
    page.goto(f"{meeting}/nguoi-du")
    if page.locator("main").get_by_text(officer, exact=False).locator("visible=true").count():
        shown = page.locator("form[action*='/nguoi-du/']").filter(has_text=officer)
        if shown.count():
            return
    forms = page.locator("form[action$='/nguoi-du']")
    for number in range(forms.count()):
        form = forms.nth(number)
        names = form.locator("select[name='account'] option").all_inner_texts()
        match = [name for name in names if officer in name]
        if match:
            form.locator("select[name='account']").select_option(label=match[0])
            form.locator("button").last.click()
            page.wait_for_load_state()
            return
    raise AssertionError(f"{officer} cannot be invited")


def jump(page: Page, meeting: str, words: str) -> None:
    """Move the demonstration clock to the moment a button names."""
    page.goto(f"{meeting}/chuan-bi")
    page.locator("form.jump button").filter(has_text=words).click()
    page.wait_for_load_state()


def points_of(page: Page, meeting: str) -> dict[str, str]:
    """Addresses of the points' pages by name, from the invitations' links."""
    page.goto(f"{meeting}/chuan-bi")
    found = {}
    for link in page.locator("a[href*='/giay-moi/']").all():
        address = link.get_attribute("href") or ""
        name = link.inner_text().replace("PDF", "").strip()
        found[name] = f"{meeting}/thu-duong-truyen/{address.rsplit('/', 1)[1][:-4]}"
    return found


def measure_line(page: Page, point: str) -> None:
    """Measure the line of a point from this browser, through the media server."""
    page.goto(point)
    page.get_by_test_id("link-test").click()
    expect(page.get_by_test_id("point-ready")).to_be_enabled(timeout=45_000)


def tell_ready(page: Page, point: str) -> None:
    """The point is there, at least an hour before."""
    page.goto(point)
    papers = page.locator("form[action*='/giay-to/'] button")
    while papers.count():
        papers.first.click()
        page.wait_for_load_state()
    ready = page.get_by_test_id("point-ready")
    if ready.count():
        ready.click()
        page.wait_for_load_state()


def enter(page: Page) -> None:
    """Tick the notice of recording and go in."""
    page.get_by_test_id("notice").check()
    page.get_by_test_id("enter").click()


def end_session(page: Page) -> float:
    """The chair ends it; returns when the last button was pressed, on the monotonic clock."""
    page.get_by_test_id("end-open").click()
    page.get_by_test_id("end-confirm").fill("kết thúc")
    pressed = time.monotonic()
    page.get_by_test_id("end-submit").click()
    page.wait_for_url("**/bien-ban", timeout=WAIT_MS)
    return pressed
