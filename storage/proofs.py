"""Proofs out of the audit tree (RFC 6962, section 2.1): one event is in it; nothing was rewritten.

The checks need neither database nor key and are repeated, without this program, by
`tools/verify_proof.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from storage.audit import NodeCache, node_hash, stored_node


class ProofFailed(Exception):
    """A proof does not lead to the root it is said to lead to."""


def _below(number: int) -> int:
    """The largest power of two smaller than `number`, for at least two."""
    return 1 << (number - 1).bit_length() - 1


class _Tree:
    """Hashes of any stretch of leaves that a proof asks for, out of the stored complete ones."""

    def __init__(self, db_session: Session) -> None:
        self._db_session = db_session
        self._cache: NodeCache = {}

    def root(self, start: int, end: int) -> bytes:
        """The hash over leaves [start, end), where start is a multiple of the power it needs."""
        length = end - start
        if length & (length - 1) == 0:
            level = length.bit_length() - 1
            return stored_node(self._db_session, level, start >> level, self._cache)
        middle = start + _below(length)
        return node_hash(self.root(start, middle), self.root(middle, end))

    def inclusion(self, index: int, start: int, end: int) -> list[bytes]:
        """Siblings from the leaf upwards."""
        if end - start == 1:
            return []
        middle = start + _below(end - start)
        if index < middle:
            return [*self.inclusion(index, start, middle), self.root(middle, end)]
        return [*self.inclusion(index, middle, end), self.root(start, middle)]

    def consistency(self, old: int, start: int, end: int, whole: bool) -> list[bytes]:
        """SUBPROOF of the RFC; `old` is counted from `start`."""
        if old == end - start:
            return [] if whole else [self.root(start, end)]
        middle = start + _below(end - start)
        if start + old <= middle:
            return [*self.consistency(old, start, middle, whole), self.root(middle, end)]
        rest = old - (middle - start)
        return [*self.consistency(rest, middle, end, False), self.root(start, middle)]


def inclusion_proof(db_session: Session, index: int, size: int) -> list[bytes]:
    """That leaf `index` is in the tree of `size` leaves. Raises AuditBroken without its nodes."""
    if not 0 <= index < size:
        raise ValueError("the leaf is not within this tree")
    return _Tree(db_session).inclusion(index, 0, size)


def consistency_proof(db_session: Session, old: int, new: int) -> list[bytes]:
    """That the tree of `old` leaves is the beginning of the tree of `new` leaves."""
    if not 0 <= old <= new:
        raise ValueError("the older tree is not longer than the newer")
    return _Tree(db_session).consistency(old, 0, new, True) if 0 < old < new else []


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root to which a leaf and its path lead. Raises ProofFailed."""
    if not 0 <= index < size:
        raise ProofFailed("the leaf is not within this tree")
    if size == 1:
        if path:
            raise ProofFailed("the path is too long")
        return leaf
    rest, sibling = _split(path)
    middle = _below(size)
    if index < middle:
        return node_hash(root_by_inclusion(leaf, index, middle, rest), sibling)
    return node_hash(sibling, root_by_inclusion(leaf, index - middle, size - middle, rest))


def _split(path: Sequence[bytes]) -> tuple[Sequence[bytes], bytes]:
    if not path:
        raise ProofFailed("the path is too short")
    return path[:-1], path[-1]


def check_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """That the older tree is the beginning of the newer. Raises ProofFailed."""
    if old_size > new_size:
        raise ProofFailed("the log became shorter")
    if old_size == 0:
        if proof:
            raise ProofFailed("nothing needs no proof")
        return
    if _both_roots(old_size, new_size, old_root, proof) != (old_root, new_root):
        raise ProofFailed("the log was rewritten")


def _both_roots(
    old: int, size: int, known: bytes | None, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Roots of the first `old` and of all `size` leaves; `known` while they end at the old edge."""
    if old == size:
        rest, edge = (proof, known) if known is not None else _split(proof)
        if rest:
            raise ProofFailed("the proof is too long")
        return edge, edge
    rest, sibling = _split(proof)
    middle = _below(size)
    if old <= middle:
        older, newer = _both_roots(old, middle, known, rest)
        return older, node_hash(newer, sibling)
    older, newer = _both_roots(old - middle, size - middle, None, rest)
    return node_hash(sibling, older), node_hash(sibling, newer)
