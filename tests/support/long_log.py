"""A long audit log as years of work leave it, made in bulk: leaves, and the tree over them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import insert

from storage.audit import TREE_ID, LogTree, make_leaf
from storage.database import unit_of_work
from storage.models import AuditLeaf, AuditNode, AuditTree

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
PIECE = 10_000


def write_long_log(size: int, told: Callable[[int], None] = lambda done: None) -> None:
    """Append `size` leaves to an empty log; some 30 µs a leaf."""
    tree = LogTree()
    for start in range(0, size, PIECE):
        leaves, nodes = _piece(tree, range(start, min(start + PIECE, size)))
        with unit_of_work() as work:
            work.db_session.execute(insert(AuditLeaf), leaves)
            work.db_session.execute(insert(AuditNode), nodes)
            work.get_for_update(AuditTree, TREE_ID).size = tree.size
        told(tree.size)


def _piece(
    tree: LogTree, numbers: range
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    leaves, nodes = [], []
    for number in numbers:
        leaf = make_leaf(
            "petition_registered",
            object_kind="petition",
            object_id=UUID(int=number),
            actor_id=UUID(int=number % 400),
            at=BEGAN + timedelta(seconds=number),
            detail={"channel": "desk", "number": number},
        )
        leaves.append(
            {
                "at": leaf.at,
                "actor_id": leaf.actor_id,
                "action": leaf.action,
                "object_kind": leaf.object_kind,
                "object_id": leaf.object_id,
                "body": leaf.body,
                "leaf_hash": leaf.leaf_hash,
                "tree_index": number,
            }
        )
        nodes += [
            {"level": level, "position": position, "hash": digest}
            for level, position, digest in tree.push(leaf.leaf_hash)
        ]
    return leaves, nodes
