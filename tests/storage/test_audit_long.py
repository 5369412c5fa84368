"""Verifying a long log: one pass, bounded memory, the first bad leaf by its number."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from flask import Flask
from sqlalchemy import text

from reception.worker import sequence_all
from storage.audit import AuditBroken, verify
from storage.database import reading, unit_of_work
from tests.support.long_log import write_long_log


def _first_bad() -> int | None:
    with reading() as work, pytest.raises(AuditBroken) as caught:
        verify(work.db_session)
    return caught.value.index


def _edit(index: int) -> None:
    with unit_of_work() as work:
        work.db_session.execute(
            text(
                "UPDATE audit_leaf SET body = replace(body, 'desk', 'post') WHERE tree_index = :i"
            ),
            {"i": index},
        )


def test_log_made_in_bulk_is_the_log_the_sequencer_would_make(app: Flask) -> None:
    write_long_log(37)
    with unit_of_work() as work:
        for number in range(30):
            work.audit("tested", kind="test", by=None, number=number)
    sequence_all()
    with reading() as work:
        assert verify(work.db_session).size == 67


def test_first_bad_leaf_of_a_long_log_is_named_in_bounded_memory(app_on_both: Flask) -> None:
    size = 12_000
    write_long_log(size)
    shown: list[tuple[int, int]] = []
    tracemalloc.start()
    with reading() as work:
        assert verify(work.db_session, progress=lambda *step: shown.append(step)).size == size
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24e6  # a tenth of what the leaves alone would take as objects
    assert shown[0] == (1000, size)
    assert shown[-1] == (size, size)
    _edit(11_111)
    assert _first_bad() == 11_111
    _edit(4_321)
    assert _first_bad() == 4_321


@pytest.mark.long
def test_million_leaves_are_verified_and_the_bad_one_named(app_on_both: Flask) -> None:
    size = 1_000_000
    write_long_log(size)
    runner = app_on_both.test_cli_runner()
    whole = runner.invoke(args=["audit", "verify", "--json"])
    assert whole.exit_code == 0, whole.output
    assert json.loads(whole.stdout)["leaves"] == size
    _edit(987_654)
    broken = runner.invoke(args=["audit", "verify", "--json"])
    assert broken.exit_code == 1
    assert json.loads(broken.stdout)["first_bad"] == 987_654
