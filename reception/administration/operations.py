"""Reading the audit log; a reading that names a person or a record is itself kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature

from storage.audit import AuditBroken, columns_agree, leaf_hash, read_checkpoint
from storage.checkpoints import proof_document, proof_of_event, signing_key
from storage.database import Work, reading, unit_of_work
from storage.models import AuditLeaf, Checkpoint
from storage.proofs import ProofFailed, root_by_inclusion
from storage.queries.auditlog import LogFilter, LogLine, actions_known, log_lines
from storage.runtime import runtime
from storage.timestamps import StampWrong, check_stamp
from workflows.access import Actor, Permission, ensure_allowed


def read_log(by: Actor, asked: LogFilter) -> tuple[list[LogLine], int | None, list[str]]:
    """A page of the log, the id to go on before, and the actions to choose from.

    Looking for one person or one record leaves a leaf: who supervises is supervised too.
    """
    ensure_allowed(by, Permission.AUDIT_READ)
    with reading() as work:
        lines, more = log_lines(work.db_session, asked)
        actions = actions_known(work.db_session)
    if (asked.who or asked.record) and asked.before is None:
        with unit_of_work() as work:
            work.audit(
                "audit_log_searched",
                kind="audit_log",
                by=by.account_id,
                by_person=bool(asked.who),
                by_record=bool(asked.record),
                lines=len(lines),
            )
    return lines, more, actions


@dataclass(frozen=True)
class EventProof:
    """How far one event is proven: `state` is waiting, unsealed, proven or broken."""

    leaf: AuditLeaf
    state: str
    point: Checkpoint | None = None
    path: Sequence[bytes] = ()
    stamped_at: datetime | None = None

    @property
    def steps(self) -> list[list[str]]:
        """The hashes of the path, numbered from the leaf upwards."""
        return [[str(number), step.hex()] for number, step in enumerate(self.path, start=1)]

    def document(self) -> dict[str, Any] | None:
        """What `tools/verify_proof.py` reads; None while there is nothing to prove it with."""
        if self.point is None or self.leaf.tree_index is None:
            return None
        return proof_document(self.leaf.body, self.leaf.tree_index, self.point, list(self.path))


def prove_event(by: Actor, leaf_id: int) -> EventProof:
    """The proof that one event is in the log, checked on the spot. Raises NotFound.

    Asking leaves a leaf of its own.
    """
    ensure_allowed(by, Permission.AUDIT_READ)
    with reading() as work:
        found = _proof(work, work.get(AuditLeaf, leaf_id))
    with unit_of_work() as work:
        work.audit(
            "event_proven", kind="audit_log", by=by.account_id, leaf=leaf_id, state=found.state
        )
    return found


def _proof(work: Work, leaf: AuditLeaf) -> EventProof:
    if leaf.tree_index is None:
        return EventProof(leaf, "waiting")
    try:
        found = proof_of_event(work.db_session, leaf.tree_index)
    except AuditBroken:
        return EventProof(leaf, "broken")
    if found is None:
        return EventProof(leaf, "unsealed")
    point, path = found
    holds = columns_agree(leaf) and _leads_to_the_signed_root(leaf, point, path)
    state = "proven" if holds else "broken"
    return EventProof(leaf, state, point, path, _stamped_at(point))


def _leads_to_the_signed_root(leaf: AuditLeaf, point: Checkpoint, path: Sequence[bytes]) -> bool:
    try:
        size, root = read_checkpoint(point.note, signing_key().public_key())
        told = root_by_inclusion(leaf_hash(leaf.body), leaf.tree_index or 0, size, path)
    except (InvalidSignature, ValueError, ProofFailed):
        return False
    return told == root


def _stamped_at(point: Checkpoint) -> datetime | None:
    """The moment of a time-stamp that holds; None without one."""
    authority = runtime().authority
    if authority is None or point.time_stamp is None:
        return None
    try:
        return check_stamp(point.time_stamp, point.note.encode(), authority.certificates())
    except StampWrong:
        return None
