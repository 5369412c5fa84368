"""The catalogue: built from fragments, refused when a page would speak English to a Vietnamese."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog

from config import PROJECT

HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader(
        "build_translations", str(PROJECT / "script" / "build-translations")
    )
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def fragments(
    builder: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Write fragments into a folder of their own and let the script read that one."""
    monkeypatch.setattr(builder, "FRAGMENTS", tmp_path)

    def write(**files: str) -> None:
        for name, body in files.items():
            (tmp_path / f"{name}.po").write_text(HEAD + body)

    return write


def test_every_message_of_code_and_templates_has_vietnamese_words(builder: ModuleType) -> None:
    merged, faults = builder.merge()
    assert faults + builder.faults_of(merged) == []


def test_a_message_without_words_is_named_with_its_place(builder: ModuleType) -> None:
    faults = builder.faults_of(Catalog(locale="vi"))
    assert any("no Vietnamese for: Skip to the main content" in fault for fault in faults)
    assert any(fault.startswith("templates/shared/base.html:") for fault in faults)


def test_a_lost_placeholder_is_a_fault(builder: ModuleType) -> None:
    merged, _ = builder.merge()
    merged.get("Step %(current)s of %(total)s").string = "Bước %(current)s"
    assert [f for f in builder.faults_of(merged) if "placeholders differ: Step" in f]


def test_fuzzy_words_are_refused(builder: ModuleType, fragments: Callable[..., None]) -> None:
    fragments(shared='#, fuzzy\nmsgid "Close"\nmsgstr "Mở"\n')
    merged, faults = builder.merge()
    assert faults == ["shared.po: marked fuzzy: Close"]
    assert merged.get("Close") is None


def test_two_fragments_may_not_say_one_message_differently(
    builder: ModuleType, fragments: Callable[..., None]
) -> None:
    fragments(
        shared='msgid "Case"\nmsgstr "Vụ việc"\n', other='msgid "Case"\nmsgstr "Trường hợp"\n'
    )
    merged, faults = builder.merge()
    assert faults == ["other.po: said differently in another fragment: Case"]
    assert merged.get("Case").string == "Vụ việc"
