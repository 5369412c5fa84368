"""The audit log: a leaf in the business transaction, one fenced sequencer, an RFC 6962 tree.

A leaf's body is canonical JSON without personal data: ids, codes, verbs, reasons that name no one.
Because leaves hang in a Merkle tree whose signed checkpoints leave the database, deleting,
editing, inserting or reordering a row later is found by `verify`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Result, func, select
from sqlalchemy.orm import Session

from storage.models.ledger import AuditLeaf, AuditNode, AuditTree, Checkpoint

BATCH = 1000
TREE_ID = 1
NodeCache = dict[tuple[int, int], bytes]


class AuditBroken(Exception):
    """The log does not prove itself; `index` is the first leaf that is wrong (None: the tree)."""

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.index = index


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"not for the audit log: {type(value).__name__}")


def canonical(body: object) -> str:
    """JSON with sorted keys and no spaces: the same content always has the same hash."""
    return json.dumps(
        body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain
    )


def leaf_hash(body: str) -> bytes:
    """RFC 6962 leaf hash of a canonical body."""
    return hashlib.sha256(b"\x00" + body.encode()).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def make_leaf(
    action: str,
    *,
    object_kind: str,
    object_id: UUID | None,
    actor_id: UUID | None,
    at: datetime,
    detail: dict[str, object],
) -> AuditLeaf:
    """A leaf ready to be added to the transaction of the change it tells of."""
    body = canonical(
        {
            "at": at.isoformat(timespec="microseconds"),
            "actor": actor_id,
            "action": action,
            "kind": object_kind,
            "object": object_id,
            "detail": detail,
        }
    )
    return AuditLeaf(
        at=at,
        actor_id=actor_id,
        action=action,
        object_kind=object_kind,
        object_id=object_id,
        body=body,
        leaf_hash=leaf_hash(body),
    )


def _put_leaf(db_session: Session, index: int, digest: bytes, cache: NodeCache) -> None:
    """Store the leaf and every subtree it completes."""
    level, position = 0, index
    while True:
        db_session.add(AuditNode(level=level, position=position, hash=digest))
        cache[level, position] = digest
        if position % 2 == 0:
            return
        digest = node_hash(stored_node(db_session, level, position - 1, cache), digest)
        level, position = level + 1, position // 2


def stored_node(db_session: Session, level: int, position: int, cache: NodeCache) -> bytes:
    """The hash of a complete subtree as it is stored. Raises AuditBroken when it is missing."""
    known = cache.get((level, position))
    if known is None:
        node = db_session.get(AuditNode, (level, position))
        if node is None:
            raise AuditBroken(f"thiếu nút {level}/{position} của cây nhật ký")
        known = cache[level, position] = node.hash
    return known


def peaks(size: int) -> Iterator[tuple[int, int]]:
    """(level, position) of the complete subtrees of a tree with `size` leaves, left to right."""
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            yield level, start >> level
            start += 1 << level


def fold_peaks(hashes: list[bytes]) -> bytes:
    """Root over complete subtrees from left to right; the empty tree has the empty hash."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def root_at(db_session: Session, size: int) -> bytes:
    """Root of the tree when it had `size` leaves."""
    cache: NodeCache = {}
    return fold_peaks([stored_node(db_session, *peak, cache) for peak in peaks(size)])


def leaf_waits(db_session: Session) -> bool:
    """Whether any leaf is not yet in the tree; a look at one small index."""
    waiting = select(AuditLeaf.id).where(AuditLeaf.tree_index.is_(None)).limit(1)
    return db_session.scalar(waiting) is not None


def sequence_batch(db_session: Session) -> int:
    """Put waiting leaves into the tree; returns how many. Needs a writing transaction.

    The row of the tree is locked and its fence raised, so a second sequencer waits its turn.
    """
    tree = db_session.get_one(AuditTree, TREE_ID, with_for_update=True)
    waiting = db_session.scalars(
        select(AuditLeaf).where(AuditLeaf.tree_index.is_(None)).order_by(AuditLeaf.id).limit(BATCH)
    ).all()
    cache: NodeCache = {}
    for leaf in waiting:
        leaf.tree_index = tree.size
        _put_leaf(db_session, tree.size, leaf.leaf_hash, cache)
        tree.size += 1
    tree.fence += 1
    return len(waiting)


@dataclass(frozen=True)
class Verified:
    """What `verify` found in order."""

    size: int
    root: bytes
    waiting: int
    checkpoints: int


class LogTree:
    """The right edge of a growing tree: enough to recompute every root in one pass."""

    def __init__(self) -> None:
        self.size = 0
        self._stack: list[tuple[int, bytes]] = []

    def push(self, digest: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf; returns the (level, position, hash) of each subtree it completes."""
        level, position, made = 0, self.size, [(0, self.size, digest)]
        while self._stack and self._stack[-1][0] == level:
            digest = node_hash(self._stack.pop()[1], digest)
            level, position = level + 1, position // 2
            made.append((level, position, digest))
        self._stack.append((level, digest))
        self.size += 1
        return made

    def root(self) -> bytes:
        return fold_peaks([digest for _, digest in self._stack])


@dataclass(frozen=True)
class Point:
    """What some checkpoint says of the tree; `where` is told when it does not hold."""

    size: int
    root: bytes
    where: str


def verify(
    db_session: Session,
    public_key: Ed25519PublicKey | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    outside: Sequence[str] = (),
) -> Verified:
    """Recompute the whole log in one pass. Raises AuditBroken naming the first bad leaf.

    `outside` are notes of checkpoints as they lie in locked storage or with a witness; whoever
    rewrote or set back the whole database is found by them. Needs bounded memory.
    """
    _hold_still(db_session)
    tree = db_session.get(AuditTree, TREE_ID)
    size = tree.size if tree else 0
    points = _points(db_session, public_key, outside)
    frontier, nodes = LogTree(), _StoredNodes(db_session)
    pending = _check_points(frontier, points)
    with closing(_leaves(db_session)) as leaves, closing(nodes):
        for leaf in leaves:
            _check_leaf(leaf, frontier.size)
            nodes.expect(frontier.push(leaf.leaf_hash), frontier.size - 1)
            pending = _check_points(frontier, pending)
            if frontier.size % BATCH == 0:
                progress(frontier.size, size)
        _check_end(frontier.size, size, pending)
        nodes.expect_end(size)
    progress(size, size)
    waiting = db_session.scalar(
        select(func.count()).select_from(AuditLeaf).where(AuditLeaf.tree_index.is_(None))
    )
    return Verified(size, frontier.root(), int(waiting or 0), len(points))


def _hold_still(db_session: Session) -> None:
    """Let every query of the pass see the same moment, while others go on writing."""
    if db_session.get_bind().dialect.name == "postgresql" and not db_session.in_transaction():
        db_session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _points(
    db_session: Session, public_key: Ed25519PublicKey | None, outside: Sequence[str]
) -> list[Point]:
    kept = db_session.scalars(select(Checkpoint).order_by(Checkpoint.size)).all()
    points = [Point(point.size, point.root, f"điểm chốt {point.size}") for point in kept]
    if public_key is not None:
        for point in kept:
            check_note(point.note, public_key, size=point.size, root=point.root)
        points += [_outside_point(note, public_key) for note in outside]
    return sorted(points, key=lambda point: point.size)


def _outside_point(note: str, public_key: Ed25519PublicKey) -> Point:
    try:
        size, root = read_checkpoint(note, public_key)
    except (InvalidSignature, ValueError):
        raise AuditBroken("chữ ký của một điểm chốt bên ngoài không đúng") from None
    return Point(size, root, f"điểm chốt {size} giữ bên ngoài")


def _check_end(found: int, size: int, pending: Sequence[Point]) -> None:
    if found != size:
        raise AuditBroken(f"nhật ký có {found} dòng, cây ghi {size} dòng", min(found, size))
    if pending:
        raise AuditBroken(
            f"nhật ký chỉ có {found} dòng, {pending[-1].where} đã ghi {pending[-1].size} dòng",
            found,
        )


class _Leaf(NamedTuple):
    """The columns of a leaf that a pass compares."""

    tree_index: int
    body: str
    leaf_hash: bytes
    at: datetime
    action: str
    object_kind: str
    object_id: UUID | None
    actor_id: UUID | None


def _leaves(db_session: Session) -> Generator[_Leaf, None, None]:
    columns = [getattr(AuditLeaf, name) for name in _Leaf._fields]
    rows = db_session.execute(
        select(*columns)
        .where(AuditLeaf.tree_index.is_not(None))
        .order_by(AuditLeaf.tree_index)
        .execution_options(yield_per=BATCH)
    )
    try:
        for row in rows:
            yield _Leaf._make(tuple(row))
    finally:
        rows.close()


def _check_leaf(leaf: _Leaf, index: int) -> None:
    if leaf.tree_index != index:
        raise AuditBroken(f"thiếu dòng nhật ký số {index}", index)
    if leaf_hash(leaf.body) != leaf.leaf_hash:
        raise AuditBroken(f"dòng nhật ký số {index} đã bị sửa", index)
    if not columns_agree(leaf):
        raise AuditBroken(f"cột của dòng nhật ký số {index} không khớp nội dung", index)


def columns_agree(leaf: _Leaf | AuditLeaf) -> bool:
    """Whether what lists and filters read from the columns is what the proven body says."""
    body = json.loads(leaf.body)
    return (body["at"], body["action"], body["kind"], body["object"], body["actor"]) == (
        leaf.at.isoformat(timespec="microseconds"),
        leaf.action,
        leaf.object_kind,
        _text(leaf.object_id),
        _text(leaf.actor_id),
    )


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


class _StoredNodes:
    """The stored tree level by level, read beside the leaves in the order in which it grew."""

    def __init__(self, db_session: Session) -> None:
        self._db_session = db_session
        self._levels: dict[int, Result[int, bytes]] = {}

    def _next(self, level: int) -> tuple[int, bytes] | None:
        if level not in self._levels:
            self._levels[level] = self._db_session.execute(
                select(AuditNode.position, AuditNode.hash)
                .where(AuditNode.level == level)
                .order_by(AuditNode.position)
                .execution_options(yield_per=BATCH)
            )
        row = self._levels[level].fetchone()
        return None if row is None else (row[0], row[1])

    def expect(self, made: list[tuple[int, int, bytes]], index: int) -> None:
        """Raises AuditBroken unless these are stored next, each on its level."""
        for level, position, digest in made:
            if self._next(level) != (position, digest):
                raise AuditBroken(f"cây nhật ký không khớp từ dòng số {index}", index)

    def expect_end(self, size: int) -> None:
        """Raises AuditBroken when the tree holds more than the leaves made."""
        highest = self._db_session.scalar(select(func.max(AuditNode.level)))
        for level in range((-1 if highest is None else highest) + 1):
            if self._next(level) is not None:
                raise AuditBroken(f"cây nhật ký có nút thừa ở tầng {level}", size)

    def close(self) -> None:
        """End the cursors."""
        for rows in self._levels.values():
            rows.close()


def _check_points(frontier: LogTree, pending: list[Point]) -> list[Point]:
    """Hold what is due at this size against the root; what is still to come."""
    if not pending or pending[0].size != frontier.size:
        return pending
    root = frontier.root()
    due = [point for point in pending if point.size == frontier.size]
    for point in due:
        if point.root != root:
            raise AuditBroken(f"gốc cây không khớp {point.where}", max(frontier.size - 1, 0))
    return pending[len(due) :]


# --- checkpoints: C2SP tlog-checkpoint, signed note with Ed25519 ---------------------------------

ORIGIN = "tiep-cong-dan/audit"


def _key_id(public_key: Ed25519PublicKey, origin: str = ORIGIN) -> bytes:
    raw = public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(origin.encode() + b"\n\x01" + raw).digest()[:4]


def sign_text(origin: str, body: str, key: Ed25519PrivateKey) -> str:
    """A C2SP signed note: the origin, lines of text, an empty line, one signature line."""
    text = f"{origin}\n{body}\n"
    signature = _key_id(key.public_key(), origin) + key.sign(text.encode())
    return f"{text}\n\u2014 {origin} {base64.b64encode(signature).decode()}\n"


def sign_checkpoint(size: int, root: bytes, key: Ed25519PrivateKey) -> str:
    """The note of a checkpoint: origin, size, root, then one signature line."""
    return sign_text(ORIGIN, f"{size}\n{base64.b64encode(root).decode()}", key)


def check_text(note: str, origin: str, public_key: Ed25519PublicKey) -> str:
    """The body of a signed note. Raises InvalidSignature."""
    text, _, line = note.partition("\n\n")
    text += "\n"
    try:
        blob = base64.b64decode(line.split(" ")[-1], validate=False)
    except binascii.Error:
        raise InvalidSignature from None
    if blob[:4] != _key_id(public_key, origin) or not text.startswith(f"{origin}\n"):
        raise InvalidSignature
    public_key.verify(blob[4:], text.encode())
    return text.partition("\n")[2]


def read_checkpoint(note: str, public_key: Ed25519PublicKey) -> tuple[int, bytes]:
    """Size and root that a checkpoint states. Raises InvalidSignature, ValueError."""
    size, root, *_ = check_text(note, ORIGIN, public_key).split("\n")
    return int(size), base64.b64decode(root)


def check_note(note: str, public_key: Ed25519PublicKey, *, size: int, root: bytes) -> None:
    """Raises AuditBroken unless the note states this size and root and its signature holds."""
    try:
        told = read_checkpoint(note, public_key)
    except (InvalidSignature, ValueError):
        raise AuditBroken(f"chữ ký của điểm chốt {size} không đúng", size - 1) from None
    if told != (size, root):
        raise AuditBroken(f"điểm chốt {size} ghi nội dung khác", size - 1)


def make_checkpoint(db_session: Session, key: Ed25519PrivateKey) -> Checkpoint:
    """Sign the tree as it is; the caller commits, then writes the note to locked storage."""
    tree = db_session.get(AuditTree, TREE_ID)
    size = tree.size if tree else 0
    root = root_at(db_session, size)
    point = Checkpoint(size=size, root=root, note=sign_checkpoint(size, root, key))
    db_session.add(point)
    return point
