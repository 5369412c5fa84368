"""The log is read by people: every action the program writes has words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from config import PROJECT
from reception.administration.words import ACTIONS, WORK


def _audited(path: Path) -> Iterator[str]:
    """The actions that a source file writes as they stand, also one of two."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            if node.func.attr != "audit":
                continue
            named = node.args[0]
            either = (named.body, named.orelse) if isinstance(named, ast.IfExp) else (named,)
            yield from (str(one.value) for one in either if isinstance(one, ast.Constant))


def test_every_action_in_the_log_has_words() -> None:
    written = {
        action
        for folder in ("reception", "storage")
        for path in (PROJECT / folder).rglob("*.py")
        for action in _audited(path)
    }
    assert len(written) > 60
    assert sorted(written - ACTIONS.keys() - WORK.keys()) == []


def test_no_action_has_words_twice() -> None:
    assert ACTIONS.keys() & WORK.keys() == set()
