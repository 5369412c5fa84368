"""What the documents promise exists, and what exists is in the documents."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from config import Settings

PROJECT = Path(__file__).resolve().parents[2]
SETTINGS_PAGE = (PROJECT / "docs/operations/settings.md").read_text(encoding="utf-8")
RENAMED = {
    "login_idle": "LOGIN_IDLE_MINUTES",
    "login_absolute": "LOGIN_ABSOLUTE_HOURS",
    "upload_limit_bytes": "UPLOAD_LIMIT_MB",
    "profile": "APP_PROFILE",
}


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_every_setting_is_described(name: str) -> None:
    assert f"`{RENAMED.get(name, name.upper())}`" in SETTINGS_PAGE


@pytest.mark.parametrize(
    "page", sorted(PROJECT.glob("*.md")) + sorted(PROJECT.glob("docs/**/*.md"))
)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_scripts_can_be_run() -> None:
    for name in ("bootstrap", "server", "test", "lint", "in-netns", "build-translations"):
        assert (PROJECT / "script" / name).stat().st_mode & 0o100, name
