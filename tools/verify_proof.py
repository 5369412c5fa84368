#!/usr/bin/env python3
"""Prove one event of the audit log, or that the log only grew, without the system itself.

    python tools/verify_proof.py event PROOF.json --key PUBLIC-KEY.pem
    python tools/verify_proof.py grown DIR --key PUBLIC-KEY.pem --state STATE.json

`event`: the file comes from the page of the event. `grown`: DIR comes from `flask audit export`;
the checkpoint must continue the one kept in STATE, which is then replaced: run this at the second
level, and it is a witness. Needs Python and `cryptography`, nothing of the application. Exit 1 and
one line say the first thing that is wrong. Formats: RFC 6962 tree, C2SP signed note, Ed25519.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

ORIGIN = "tiep-cong-dan/audit"


class Wrong(Exception):
    """What does not hold."""


def node(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def below(number: int) -> int:
    """The largest power of two smaller than `number`."""
    return 1 << (number - 1).bit_length() - 1


def read_key(path: Path) -> Ed25519PublicKey:
    """The public key that is trusted: fetched from the agency, not from the proof."""
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise Wrong("the key is not an Ed25519 key")
    return key


def read_note(note: str, key: Ed25519PublicKey) -> tuple[int, bytes]:
    """Size and root of a checkpoint whose signature holds."""
    text, _, line = note.partition("\n\n")
    text += "\n"
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_id = hashlib.sha256(ORIGIN.encode() + b"\n\x01" + raw).digest()[:4]
    try:
        blob = base64.b64decode(line.split(" ")[-1])
        if blob[:4] != key_id:
            raise Wrong("the checkpoint is signed by another key")
        key.verify(blob[4:], text.encode())
        origin, size, root = text.split("\n")[:3]
    except (InvalidSignature, ValueError):
        raise Wrong("the signature of the checkpoint does not hold") from None
    if origin != ORIGIN:
        raise Wrong("the checkpoint is of another log")
    return int(size), base64.b64decode(root)


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root to which a leaf and its path lead."""
    if not 0 <= index < size or (size == 1) != (not path):
        raise Wrong("the path does not fit the tree")
    if size == 1:
        return leaf
    middle = below(size)
    if index < middle:
        return node(root_of(leaf, index, middle, path[:-1]), path[-1])
    return node(path[-1], root_of(leaf, index - middle, size - middle, path[:-1]))


def both_roots(old: int, size: int, known: bytes | None, proof: list[bytes]) -> tuple[bytes, bytes]:
    """The older and the newer root that a consistency proof leads to."""
    if old == size:
        if known is None:
            proof, known = proof[:-1], proof[-1] if proof else b""
        if proof:
            raise Wrong("the consistency proof is too long")
        return known, known
    if not proof:
        raise Wrong("the consistency proof is too short")
    middle, sibling = below(size), proof[-1]
    if old <= middle:
        older, newer = both_roots(old, middle, known, proof[:-1])
        return older, node(newer, sibling)
    older, newer = both_roots(old - middle, size - middle, None, proof[:-1])
    return node(sibling, older), node(sibling, newer)


def verify_event(path: Path, key: Ed25519PublicKey) -> str:
    """Prove that the event of a proof file is in the log. Raises Wrong."""
    told = json.loads(path.read_text(encoding="utf-8"))
    body: str = told["leaf_body"]
    if json.loads(body) != told["leaf"]:
        raise Wrong("the event shown is not the event that is proven")
    size, root = read_note(told["checkpoint"], key)
    if size != told["tree_size"]:
        raise Wrong("the checkpoint is of another size")
    leaf = hashlib.sha256(b"\x00" + body.encode()).digest()
    steps = [bytes.fromhex(step) for step in told["path"]]
    if root_of(leaf, told["leaf_index"], size, steps) != root:
        raise Wrong("the event is not in this log, or was changed")
    event = told["leaf"]
    return f"event {told['leaf_index']} of {size}: {event['action']} at {event['at']}"


def verify_grown(folder: Path, key: Ed25519PublicKey, state: Path) -> str:
    """Prove that the log only grew since the checkpoint kept in `state`. Raises Wrong."""
    note = (folder / "checkpoint.txt").read_text(encoding="utf-8")
    size, root = read_note(note, key)
    kept_size = 0
    if state.exists():
        kept_size, kept_root = read_note(json.loads(state.read_text())["note"], key)
        proof = json.loads((folder / "consistency.json").read_text(encoding="utf-8"))
        steps = [bytes.fromhex(step) for step in proof["proof"]]
        if size < kept_size:
            raise Wrong("the log became shorter than what this witness has seen")
        if proof["old_size"] != kept_size:
            raise Wrong(f"the proof does not begin at {kept_size}: export with --since {kept_size}")
        if kept_size and both_roots(kept_size, size, kept_root, steps) != (kept_root, root):
            raise Wrong("the log was rewritten since this witness saw it")
    state.write_text(json.dumps({"note": note}))
    return f"the log grew from {kept_size} to {size} events and nothing before was changed"


def main() -> int:
    """Entry."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    event = commands.add_parser("event", help="prove one event")
    event.add_argument("proof", type=Path)
    grown = commands.add_parser("grown", help="prove that the log only grew")
    grown.add_argument("folder", type=Path)
    grown.add_argument("--state", type=Path, required=True)
    for command in (event, grown):
        command.add_argument("--key", type=Path, required=True)
    asked = parser.parse_args()
    try:
        key = read_key(asked.key)
        if asked.command == "event":
            told = verify_event(asked.proof, key)
        else:
            told = verify_grown(asked.folder, key, asked.state)
    except Wrong as wrong:
        print(f"WRONG: {wrong}")
        return 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"WRONG: not readable as a proof ({type(error).__name__}: {error})")
        return 1
    print(f"OK: {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
