"""The shells and macros, rendered on the style page that shows each of them in every state."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, render_template
from flask_babel import Babel

from config import PROJECT
from reception.templating import num, template_folder, vndate, vndatetime, vnweekday

TEMPLATES = sorted(template_folder().rglob("*.html"))
ICONS = json.loads((PROJECT / "static" / "src" / "icons.json").read_text())
SHELLS = ("public", "staff", "room")
NAV = [
    {"label": "Hộp đơn", "url": "/hop-don", "icon": "inbox", "count": 37, "current": True},
    {"label": "Bản đồ", "url": "/ban-do", "icon": "map", "section": "Theo dõi"},
]


@pytest.fixture
def pages() -> Flask:
    """An application that has templates, filters and words but no database."""
    app = Flask(__name__, template_folder=str(template_folder()))
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(PROJECT / "translations")
    app.config["SECRET_KEY"] = "only for these pages"
    Babel(app, locale_selector=lambda: "vi")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for function in (vndate, vndatetime, vnweekday, num):
        app.jinja_env.filters[function.__name__] = function
    app.jinja_env.globals.update(
        asset=lambda name: f"/static/{name}",
        csp_nonce=lambda: "abc",
        csrf_token=lambda: "token",
        log_in_address=lambda: "/dang-nhap",
    )
    return app


def context(**changes: Any) -> dict[str, Any]:
    """What the application gives every template."""
    return {
        "profile": "production",
        "lang": "vi",
        "now": datetime(2026, 11, 23, 2, tzinfo=UTC),
        "legal_today": date(2026, 11, 23),
        "province": SimpleNamespace(name="Đồng Nai", full_name="Thành phố Đồng Nai"),
        "nav_items": NAV,
        "current_user": SimpleNamespace(is_authenticated=True, display_name="Trần Thị Mai"),
        "place_name": "Ban Tiếp công dân",
        "help_line": {"phone": "0251 000 0251", "hours": "7:30–17:00"},
        **changes,
    }


def style_page(pages: Flask, shell: str, **changes: Any) -> str:
    with pages.test_request_context("/phong-cach"):
        return render_template("shared/styleguide.html", shell=shell, **context(**changes))


def shown(path: Path) -> str:
    return str(path.relative_to(template_folder()))


class Elements(HTMLParser):
    """Start tags with their attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


@pytest.mark.parametrize("shell", SHELLS)
def test_no_page_carries_what_the_content_policy_forbids(pages: Flask, shell: str) -> None:
    elements = Elements(style_page(pages, shell, profile="demo"))
    for tag, attributes in elements.found:
        assert "style" not in attributes, (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
    assert elements.all("script")
    assert all(script["nonce"] == "abc" and script["src"] for script in elements.all("script"))


@pytest.mark.parametrize("shell", SHELLS)
def test_ids_are_given_once(pages: Flask, shell: str) -> None:
    ids = Counter(
        attributes["id"]
        for _, attributes in Elements(style_page(pages, shell, profile="demo")).found
        if "id" in attributes
    )
    assert [name for name, times in ids.items() if times > 1] == []


@pytest.mark.parametrize("shell", ["public", "staff"])
def test_every_field_has_a_label_and_its_description_exists(pages: Flask, shell: str) -> None:
    elements = Elements(style_page(pages, shell))
    labelled = {label.get("for") for label in elements.all("label")}
    ids = {attributes.get("id") for _, attributes in elements.found}
    fields = [
        field
        for field in elements.all("input", "textarea", "select")
        if field.get("type") not in ("hidden", "submit")
    ]
    assert len(fields) > 20
    for field in fields:
        assert field.get("id") in labelled or field.get("aria-label"), field
        assert set((field.get("aria-describedby") or "").split()) <= ids, field


def test_a_wrong_field_says_so_to_the_eye_and_to_the_ear(pages: Flask) -> None:
    html = style_page(pages, "public")
    wrong = [field for field in Elements(html).all("input") if field.get("id") == "date-bad"]
    assert wrong[0]["aria-invalid"] == "true"
    assert "date-bad-error" in (wrong[0]["aria-describedby"] or "")
    assert 'href="#date-bad"' in html
    assert "Còn 2 chỗ cần xem lại" in html


def test_a_choice_card_holds_no_control_inside_its_label(pages: Flask) -> None:
    labels = re.findall(r"<label[^>]*>(.*?)</label>", style_page(pages, "public"), re.DOTALL)
    assert labels
    assert [label for label in labels if re.search(r"<(button|a|input|select)\b", label)] == []


def test_the_rail_shows_what_it_was_given_and_marks_where_one_is(pages: Flask) -> None:
    html = style_page(pages, "staff")
    links = [
        link for link in Elements(html).all("a") if link.get("href") in ("/hop-don", "/ban-do")
    ]
    assert [link.get("aria-current") for link in links] == ["page", None]
    assert html.count("Theo dõi") == 1
    assert '<span class="n">37</span>' in html


@pytest.mark.parametrize("shell", SHELLS)
def test_the_demonstration_strip_stands_in_the_demo_profile_alone(pages: Flask, shell: str) -> None:
    accounts = [SimpleNamespace(id="7", display_name="Lê Minh Khôi")]
    demo = style_page(pages, shell, profile="demo", demo_accounts=accounts)
    assert "/trai-nghiem/7" in demo
    assert "/trinh-dien/dong-ho" in demo
    hidden = style_page(pages, shell, profile="production", demo_accounts=accounts)
    assert "/trai-nghiem/7" not in hidden
    assert "/trinh-dien/dong-ho" not in hidden


def test_values_are_never_read_as_markup(pages: Flask) -> None:
    source = (
        "{% from 'shared/macros/forms.html' import text %}"
        "{% from 'shared/macros/pieces.html' import tag, summary_list %}"
        "{{ text('a', label, value) }}{{ tag(value) }}"
        "{{ summary_list([{'key': label, 'value': value}]) }}"
    )
    with pages.test_request_context():
        html = pages.jinja_env.from_string(source).render(
            **context(), label="<b>Tên</b>", value='"><script>alert(1)</script>'
        )
    assert "<script>" not in html
    assert "<b>Tên</b>" not in html


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422, 429, 500, 503])
def test_an_error_page_says_what_to_do_next(pages: Flask, status: int) -> None:
    with pages.test_request_context("/khong-co"):
        plain = render_template(f"errors/{status}.html", **context())
        told = render_template(
            f"errors/{status}.html", **context(message="Gửi lại sau 3 phút.", status=status)
        )
    assert 'href="/"' in plain
    assert f"Mã cho người hỗ trợ: {status}" in plain
    assert "Gửi lại sau 3 phút." in told


def test_an_error_page_needs_neither_a_person_nor_the_reference_data(pages: Flask) -> None:
    nobody = context(province=None, current_user=None, help_line=None, nav_items=[])
    with pages.test_request_context("/khong-co"):
        assert "Hệ thống gặp lỗi" in render_template("errors/500.html", **nobody)


@pytest.mark.parametrize("path", TEMPLATES, ids=shown)
def test_a_template_asks_only_for_icons_that_were_drawn(path: Path) -> None:
    source = path.read_text()
    named = re.findall(r"\bicon\('([a-z-]+)'", source)
    named += re.findall(r"\bicon_(?:name|after)='([a-z-]+)'", source)
    named += re.findall(r"'(?:icon|note_icon)': '([a-z-]+)'", source)
    assert [name for name in named if name not in ICONS] == []


def test_the_style_page_shows_every_icon(pages: Flask) -> None:
    drawn = set(re.findall(r"/static/icons\.svg#([a-z-]+)", style_page(pages, "public")))
    assert set(ICONS) - drawn == set()


def is_for_paper(path: Path) -> bool:
    """Whether WeasyPrint alone reads it: no browser, so no policy about styles."""
    return bool({"print", "papers"} & set(path.parts)) or path.name == "print.html"


@pytest.mark.parametrize("path", [path for path in TEMPLATES if not is_for_paper(path)], ids=shown)
def test_no_template_writes_style_or_handlers_into_the_markup(path: Path) -> None:
    source = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    assert re.findall(r"<[^>{]*\s(?:style|on[a-z]+)\s*=", source) == []
    assert re.findall(r"<style(?![^>]*nonce)", source) == []
