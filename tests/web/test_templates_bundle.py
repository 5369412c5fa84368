"""What a browser fetches: complete, named by content, light enough for a weak line."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from config import PROJECT

DIST = PROJECT / "static" / "dist"
FIRST_PAGE = ("app.css", "app.js", "icons.svg", "mark.svg")
BUDGET_BYTES = 150 * 1024
ROOM_FOR_MARKUP_BYTES = 14 * 1024


@pytest.fixture(scope="module")
def manifest() -> dict[str, str]:
    names: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    return names


def test_every_name_leads_to_a_file_named_by_its_content(manifest: dict[str, str]) -> None:
    for name, file in manifest.items():
        assert (DIST / file).is_file(), name
        assert re.fullmatch(r".+-[0-9A-Za-z]{8}\.\w+", file), file


def test_the_first_public_page_fits_its_budget(manifest: dict[str, str]) -> None:
    fonts = [name for name in manifest if name.endswith(".woff2")]
    assert len(fonts) == 6
    weight = sum((DIST / manifest[name]).stat().st_size for name in fonts)
    weight += sum(len(gzip.compress((DIST / manifest[name]).read_bytes())) for name in FIRST_PAGE)
    assert weight <= BUDGET_BYTES - ROOM_FOR_MARKUP_BYTES


def test_the_style_sheet_carries_no_foreign_identity(manifest: dict[str, str]) -> None:
    css = (DIST / manifest["app.css"]).read_text()
    assert "GDS Transport" not in css
    assert "crown" not in css
    assert re.search(r"--action: ?#0b5c5a", css)
    assert "unicode-range" in css
    assert css.count("font-display:swap") == 6


def test_colours_are_written_down_in_one_file_only() -> None:
    tokens = {"8f1d21", "e3b341", "0b5c5a", "084644", "b42318", "ffd43b", "0a4e8a", "1d6b3a"}
    for path in (PROJECT / "static" / "src").rglob("*.scss"):
        if path.name == "_tokens.scss":
            continue
        used = {colour.lower() for colour in re.findall(r"#([0-9a-fA-F]{6})\b", path.read_text())}
        assert not used & tokens, path


def test_every_island_is_built(manifest: dict[str, str]) -> None:
    for path in (PROJECT / "static" / "src" / "islands").glob("*.js"):
        if not path.name.endswith(".test.js"):
            assert path.name in manifest
