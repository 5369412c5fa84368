"""Proofs out of the audit tree, and the tool that checks them without the system."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from reception.worker import sequence_all
from storage.audit import fold_peaks, leaf_hash, node_hash, peaks, root_at
from storage.checkpoints import checkpoint_now, proof_document, proof_of_event, public_key_pem
from storage.database import reading, unit_of_work
from storage.models import AuditLeaf
from storage.proofs import (
    ProofFailed,
    check_consistency,
    consistency_proof,
    inclusion_proof,
    root_by_inclusion,
)
from tests.support.commands import PROJECT

LEAVES = [leaf_hash(str(number)) for number in range(70)]


def _naive(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(_naive(leaves[:split]), _naive(leaves[split:]))


class _Nodes:
    """Stands for the stored nodes of LEAVES where the proofs ask for them by key."""

    def get(self, _model: object, key: tuple[int, int]) -> object:
        level, position = key
        start = position << level
        return type("Node", (), {"hash": _naive(LEAVES[start : start + (1 << level)])})()


NODES = _Nodes()


@settings(deadline=None)
@given(data=st.data(), size=st.integers(1, 70))
def test_every_leaf_of_every_tree_is_proven_to_its_root(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(NODES, index, size)  # type: ignore[arg-type]  # asks for nodes only
    assert root_by_inclusion(LEAVES[index], index, size, path) == _naive(LEAVES[:size])
    assert len(path) <= (size - 1).bit_length()


@settings(deadline=None, max_examples=200)
@given(data=st.data(), size=st.integers(2, 70))
def test_no_other_leaf_place_or_path_is_proven(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(NODES, index, size)  # type: ignore[arg-type]  # asks for nodes only
    root = _naive(LEAVES[:size])
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index))
    spoilt = list(path)
    at = data.draw(st.integers(0, len(path) - 1))
    spoilt[at] = bytes(32)
    for leaf, place, steps in (
        (LEAVES[other], index, path),
        (LEAVES[index], other, path),
        (LEAVES[index], index, spoilt),
        (LEAVES[index], index, path[:-1]),
        (LEAVES[index], index, [*path, bytes(32)]),
        (LEAVES[index], size, path),
    ):
        try:
            assert root_by_inclusion(leaf, place, size, steps) != root
        except ProofFailed:
            continue


@settings(deadline=None, max_examples=200)
@given(data=st.data(), new=st.integers(1, 70))
def test_a_grown_log_is_proven_and_a_rewritten_one_is_not(data: st.DataObject, new: int) -> None:
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(NODES, old, new)  # type: ignore[arg-type]  # asks for nodes only
    roots = (_naive(LEAVES[:old]), _naive(LEAVES[:new]))
    check_consistency(old, roots[0], new, roots[1], proof)
    rewritten = _naive([leaf_hash("other"), *LEAVES[1:old]])
    with pytest.raises(ProofFailed):
        check_consistency(old, rewritten, new, roots[1], proof)
    with pytest.raises(ProofFailed):
        check_consistency(old, roots[0], new, bytes(32), proof)
    if proof:
        with pytest.raises(ProofFailed):
            check_consistency(old, roots[0], new, roots[1], proof[:-1])


def test_a_log_that_became_shorter_is_refused() -> None:
    with pytest.raises(ProofFailed, match="shorter"):
        check_consistency(3, bytes(32), 2, bytes(32), [])
    check_consistency(0, b"", 5, _naive(LEAVES[:5]), [])


def test_peaks_and_proofs_agree_on_the_root() -> None:
    for size in range(1, 70):
        tops = [NODES.get(None, key).hash for key in peaks(size)]  # type: ignore[attr-defined]  # see _Nodes
        assert fold_peaks(tops) == _naive(LEAVES[:size])


# --- over the real log, with the tool that needs nothing of the application -----------------------


def _events(number: int) -> None:
    with unit_of_work() as work:
        for at in range(number):
            work.audit("tested", kind="test", by=None, number=at)
    sequence_all()


def _tool(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the tool where nothing of the application can be imported."""
    return subprocess.run(
        [sys.executable, "-I", str(PROJECT / "tools/verify_proof.py"), *words],
        cwd="/",
        env={},
        capture_output=True,
        text=True,
        check=False,
    )


def _proof_file(folder: Path, index: int) -> Path:
    with reading() as work:
        leaf = work.db_session.scalars(select(AuditLeaf).where(AuditLeaf.tree_index == index)).one()
        found = proof_of_event(work.db_session, index)
    assert found is not None
    path = folder / "proof.json"
    path.write_text(json.dumps(proof_document(leaf.body, index, *found)), encoding="utf-8")
    return path


def _key(folder: Path) -> str:
    path = folder / "key.pem"
    path.write_text(public_key_pem())
    return str(path)


def test_tool_proves_an_event_of_the_stored_log(app_on_both: Flask, tmp_path: Path) -> None:
    _events(21)
    with reading() as work:
        assert proof_of_event(work.db_session, 20) is None
    checkpoint_now()
    _events(5)
    checkpoint_now()
    for index in (0, 13, 20, 25):
        done = _tool("event", str(_proof_file(tmp_path, index)), "--key", _key(tmp_path))
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"event {index} of {21 if index < 21 else 26}" in done.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p["leaf"].update(action="other"), "not the event that is proven"),
        (
            lambda p: p.update(
                leaf_body=p["leaf_body"].replace("tested", "forged"),
                leaf=json.loads(p["leaf_body"].replace("tested", "forged")),
            ),
            "was changed",
        ),
        (lambda p: p.update(leaf_index=p["leaf_index"] + 1), "was changed"),
        (lambda p: p["path"].reverse(), "was changed"),
        (lambda p: p["path"].pop(), "path"),
        (lambda p: p.update(checkpoint=p["checkpoint"].replace("\n13\n", "\n12\n")), "signature"),
        (lambda p: p.update(tree_size=12), "another size"),
        (lambda p: p.pop("path"), "not readable"),
    ],
)
def test_tool_names_what_is_wrong_with_a_proof(
    app: Flask, tmp_path: Path, change: object, said: str
) -> None:
    _events(13)
    checkpoint_now()
    path = _proof_file(tmp_path, 6)
    proof = json.loads(path.read_text(encoding="utf-8"))
    change(proof)  # type: ignore[operator]  # a function of the table above
    path.write_text(json.dumps(proof), encoding="utf-8")
    done = _tool("event", str(path), "--key", _key(tmp_path))
    assert done.returncode == 1
    assert said in done.stdout


def test_witness_follows_a_growing_log_and_catches_a_rewritten_one(
    app: Flask, tmp_path: Path
) -> None:
    runner, key, state = app.test_cli_runner(), _key(tmp_path), str(tmp_path / "state.json")

    def hand_over(since: int) -> subprocess.CompletedProcess[str]:
        folder = str(tmp_path / f"to-witness-{since}")
        done = runner.invoke(args=["audit", "export", "--to", folder, "--since", str(since)])
        assert done.exit_code == 0, done.output
        return _tool("grown", folder, "--key", key, "--state", state)

    _events(7)
    checkpoint_now()
    assert "from 0 to 7" in hand_over(0).stdout
    _events(9)
    checkpoint_now()
    assert "from 7 to 16" in hand_over(7).stdout
    assert "--since 16" in hand_over(7).stdout

    with unit_of_work() as work:  # whoever owns database and key makes a whole new log
        for table in ("audit_node", "audit_leaf", "checkpoint"):
            work.db_session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
        work.db_session.execute(text("UPDATE audit_tree SET size = 0"))
    _events(20)
    checkpoint_now()
    caught = hand_over(16)
    assert caught.returncode == 1
    assert "rewritten" in caught.stdout


def test_export_without_a_checkpoint_says_so(app: Flask, tmp_path: Path) -> None:
    done = app.test_cli_runner().invoke(args=["audit", "export", "--to", str(tmp_path / "x")])
    assert done.exit_code == 1
    assert "chưa có điểm chốt" in done.output


def test_roots_of_past_sizes_stay_known(app: Flask) -> None:
    _events(11)
    with reading() as work:
        before = [root_at(work.db_session, size) for size in range(12)]
    _events(10)
    with reading() as work:
        assert [root_at(work.db_session, size) for size in range(12)] == before
