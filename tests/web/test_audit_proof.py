"""The page on which an auditor asks for the proof of one event."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from reception.worker import sequence_all
from storage.checkpoints import checkpoint_now, public_key_pem
from storage.database import reading, unit_of_work
from storage.models import AuditLeaf
from tests.support.commands import PROJECT
from tests.support.factories import Factories
from workflows.access import Role


@pytest.fixture
def auditor(client: FlaskClient, factories: Factories) -> FlaskClient:
    return factories.log_in(client, factories.officer(Role.LOG_AUDITOR, name="Phạm Soát"))


def _event(action: str = "stamp_used") -> int:
    with unit_of_work() as work:
        work.audit(action, kind="thing", by=None, number=1)
    with reading() as work:
        return work.db_session.scalars(select(AuditLeaf.id).where(AuditLeaf.action == action)).one()


def _page(auditor: FlaskClient, leaf_id: int) -> str:
    answer = auditor.get(f"/nhat-ky/{leaf_id}/chung-minh")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_event_is_proven_on_the_page_and_in_the_file(auditor: FlaskClient, tmp_path: Path) -> None:
    leaf_id = _event()
    assert "đang chờ vào cây" in _page(auditor, leaf_id)
    sequence_all()
    assert "Chưa có điểm chốt" in _page(auditor, leaf_id)
    assert auditor.get(f"/nhat-ky/{leaf_id}/chung-minh.json").status_code == 404
    sequence_all()
    point = checkpoint_now()
    page = _page(auditor, leaf_id)
    assert "không bị sửa" in page
    assert point.root.hex() in page
    given = auditor.get(f"/nhat-ky/{leaf_id}/chung-minh.json")
    assert "attachment" in given.headers["Content-Disposition"]
    (tmp_path / "proof.json").write_bytes(given.data)
    (tmp_path / "key.pem").write_text(public_key_pem())
    told = subprocess.run(
        [sys.executable, "-I", str(PROJECT / "tools/verify_proof.py"), "event",
         str(tmp_path / "proof.json"), "--key", str(tmp_path / "key.pem")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.stdout.startswith("OK: event"), told.stdout + told.stderr


@pytest.mark.parametrize(
    "meddling",
    [
        "UPDATE audit_leaf SET body = replace(body, 'stamp_used', 'stamp_kept') WHERE id = :id",
        "DELETE FROM audit_node WHERE level = 0 AND position <> "
        "(SELECT tree_index FROM audit_leaf WHERE id = :id)",
        "UPDATE audit_leaf SET action = 'stamp_lent' WHERE id = :id",
        "UPDATE audit_leaf SET at = '2020-01-01 00:00:00' WHERE id = :id",
        "UPDATE checkpoint SET note = replace(note, 'audit', 'other')",
    ],
)
def test_changed_line_tree_or_checkpoint_is_said_loudly(
    auditor: FlaskClient, meddling: str
) -> None:
    leaf_id = _event()
    sequence_all()
    checkpoint_now()
    with unit_of_work() as work:
        work.db_session.execute(text(meddling), {"id": leaf_id} if ":id" in meddling else {})
    page = _page(auditor, leaf_id)
    assert "không dẫn tới gốc đã ký" in page
    assert "không bị sửa" not in page


def test_log_leads_to_the_proof_and_asking_is_itself_kept(auditor: FlaskClient) -> None:
    leaf_id = _event()
    sequence_all()
    assert f"/nhat-ky/{leaf_id}/chung-minh" in auditor.get("/nhat-ky").get_data(as_text=True)
    _page(auditor, leaf_id)
    with reading() as work:
        leaf = work.db_session.scalars(
            select(AuditLeaf).where(AuditLeaf.action == "event_proven")
        ).one()
    assert json.loads(leaf.body)["detail"] == {"leaf": leaf_id, "state": "unsealed"}


def test_unknown_line_is_not_found_and_others_may_not_ask(
    app: Flask, auditor: FlaskClient, factories: Factories
) -> None:
    assert auditor.get("/nhat-ky/999999/chung-minh").status_code == 404
    leaf_id = _event()
    clerk = factories.log_in(app.test_client(), factories.officer(Role.CLERK))
    assert clerk.get(f"/nhat-ky/{leaf_id}/chung-minh").status_code == 403
