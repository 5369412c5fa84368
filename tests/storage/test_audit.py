"""The audit log proves itself: deleting, editing, inserting or reordering is found."""

from __future__ import annotations

import hashlib
import threading
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from reception.worker import sequence_all
from storage.audit import (
    BATCH,
    AuditBroken,
    check_note,
    fold_peaks,
    leaf_hash,
    make_checkpoint,
    node_hash,
    peaks,
    root_at,
    sign_checkpoint,
    verify,
)
from storage.checkpoints import deposit, signing_key
from storage.database import reading, unit_of_work
from storage.models import AuditLeaf, AuditTree, Checkpoint
from storage.objects import Bucket
from storage.runtime import runtime


def _naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(_naive_root(leaves[:split]), _naive_root(leaves[split:]))


@given(st.integers(min_value=0, max_value=70))
def test_root_over_peaks_is_the_root_of_rfc_6962(size: int) -> None:
    leaves = [leaf_hash(str(number)) for number in range(size)]
    tops = []
    for level, position in peaks(size):
        start = position << level
        tops.append(_naive_root(leaves[start : start + (1 << level)]))
    assert fold_peaks(tops) == _naive_root(leaves)


def _write(count: int) -> None:
    for number in range(count):
        with unit_of_work() as work:
            work.audit("tested", kind="test", by=uuid4(), number=number)
    sequence_all()


def test_stored_tree_has_the_root_of_its_leaves(app_on_both: Flask) -> None:
    _write(13)
    with reading() as work:
        hashes = [
            leaf.leaf_hash
            for leaf in work.db_session.query(AuditLeaf).order_by(AuditLeaf.tree_index)
        ]
        assert root_at(work.db_session, len(hashes)) == _naive_root(hashes)
        assert verify(work.db_session).size == len(hashes)


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM audit_leaf WHERE tree_index = 3",
        "UPDATE audit_leaf SET body = replace(body, 'number', 'nombre') WHERE tree_index = 3",
        "UPDATE audit_leaf SET action = 'something_else' WHERE tree_index = 3",
        "UPDATE audit_leaf SET tree_index = CASE tree_index WHEN 3 THEN 104 ELSE 103 END "
        "WHERE tree_index IN (3, 4)",
        "DELETE FROM audit_leaf WHERE tree_index = 7",
    ],
)
def test_meddling_with_a_row_is_found(app_on_both: Flask, attack: str) -> None:
    _write(8)
    with unit_of_work() as work:
        work.db_session.execute(text(attack))
    with reading() as work, pytest.raises(AuditBroken) as caught:
        verify(work.db_session)
    assert caught.value.index is not None
    assert caught.value.index >= 3


def test_first_bad_leaf_is_named(app: Flask) -> None:
    _write(8)
    with unit_of_work() as work:
        work.db_session.execute(
            text(
                "UPDATE audit_leaf SET body = replace(body, 'tested', 'test') WHERE tree_index = 5"
            )
        )
    with reading() as work, pytest.raises(AuditBroken) as caught:
        verify(work.db_session)
    assert caught.value.index == 5


def test_rewriting_the_whole_log_is_found_against_a_checkpoint(app: Flask) -> None:
    _write(4)
    with unit_of_work() as work:
        make_checkpoint(work.db_session, signing_key())
    with unit_of_work() as work:
        for statement in (
            "DELETE FROM audit_node",
            "DELETE FROM audit_leaf",
            "UPDATE audit_tree SET size = 0",
        ):
            work.db_session.execute(text(statement))
    _write(6)
    with reading() as work, pytest.raises(AuditBroken):
        verify(work.db_session, signing_key().public_key())


def test_checkpoint_signed_by_another_key_is_refused() -> None:
    root = leaf_hash("x")
    note = sign_checkpoint(1, root, Ed25519PrivateKey.generate())
    with pytest.raises(AuditBroken):
        check_note(note, Ed25519PrivateKey.generate().public_key(), size=1, root=root)


def test_checkpoint_goes_to_locked_storage(app_on_both: Flask) -> None:
    _write(2)
    with unit_of_work() as work:
        point = make_checkpoint(work.db_session, signing_key())
    deposit(point.id)
    with reading() as work:
        kept = work.get(Checkpoint, point.id)
    assert runtime().store.read_lock(Bucket.AUDIT, kept.name, kept.version_id) is not None
    stored = runtime().store.open_range(Bucket.AUDIT, kept.name, kept.version_id, 0, 4096)
    assert stored.decode() == kept.note


def test_leaf_of_a_change_that_failed_never_exists(app: Flask) -> None:

    def fail_half_way() -> None:
        with unit_of_work() as work:
            work.audit("tested", kind="test", by=None)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail_half_way()
    with reading() as work:
        assert work.db_session.query(AuditLeaf).count() == 0


def test_two_sequencers_at_once_leave_no_gap_and_no_double(app_on_both: Flask) -> None:
    for number in range(40):
        with unit_of_work() as work:
            work.audit("tested", kind="test", by=None, number=number)
    threads = [threading.Thread(target=sequence_all) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading() as work:
        found = verify(work.db_session)
    assert (found.size, found.waiting) == (40, 0)


def test_idle_sequencer_writes_nothing(app_on_both: Flask) -> None:
    _write(3)
    with reading() as work:
        before = work.get(AuditTree, 1)
    assert sequence_all() == 0
    with reading() as work:
        after = work.get(AuditTree, 1)
    assert (after.size, after.fence) == (before.size, before.fence) == (3, before.fence)


def test_more_leaves_than_a_batch_enter_in_one_call(app: Flask) -> None:
    with unit_of_work() as work:
        for number in range(2 * BATCH + 7):
            work.audit("tested", kind="test", by=None, number=number)
    assert sequence_all() == 2 * BATCH + 7
