"""How fast objects are sealed and read, beside the bare cipher and beside Google's library.

    python bench/sealing.py [--quick]

Prints one JSON line a figure: `value` in `unit`, the `reference` measured in the same run and the
`ratio` of both, the `bar` and whether it was `met`. Rates are MB (10^6 bytes) of plaintext per
second of processor time, the best of several runs; input and output are the same on both sides.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.objects import Bucket, FolderStore, open_sealed
from storage.sealing import SEGMENT_SIZE, TAG_SIZE, SealedReader, SealingSource, SealingWriter
from tests.support.tink_peer import tink_primitive

MIB = 1024 * 1024
KEY, AD = bytes(range(32)), b"bench"
DAY_BYTES = 24 * 3600 * 100_000  # one person's sound and picture at 800 kbit/s
MEMORY_BAR_MIB = 64


class NullSink:
    """Takes everything, keeps nothing."""

    def write(self, data: memoryview, /) -> int:
        return len(data)


class Endless:
    """A source of `size` bytes that costs nothing to read."""

    def __init__(self, size: int) -> None:
        self.left, self._piece = size, os.urandom(MIB)

    def read(self, size: int, /) -> bytes:
        size = min(size, self.left, len(self._piece))
        self.left -= size
        return self._piece[:size]


def say(name: str, value: float, unit: str, **more: object) -> None:
    """One figure as a JSON line."""
    print(
        json.dumps(
            {"bench": "sealing", "name": name, "value": round(value, 3), "unit": unit, **more}
        )
    )


def best_rate(work: Callable[[], object], size: int, runs: int) -> float:
    """MB per second of processor time, the best of `runs`."""
    spent = []
    for _ in range(runs):
        before = time.process_time()
        work()
        spent.append(time.process_time() - before)
    return size / min(spent) / 1e6


def bare_seal(plain: memoryview, out: memoryview, keep: memoryview | None) -> None:
    """The cipher alone on the same pieces; `keep` collects the output as a file in memory would."""
    cipher, room, at = AESGCM(KEY), SEGMENT_SIZE - TAG_SIZE, 0
    for number, start in enumerate(range(0, len(plain), room)):
        piece = plain[start : start + room]
        sealed = out[: len(piece) + TAG_SIZE]
        cipher.encrypt_into(number.to_bytes(12, "big"), piece, None, sealed)
        if keep is not None:
            keep[at : at + len(sealed)] = sealed
            at += len(sealed)


def bare_open(sealed: memoryview, out: memoryview) -> None:
    """The cipher alone, back into one buffer of a segment."""
    cipher = AESGCM(KEY)
    for number, start in enumerate(range(0, len(sealed), SEGMENT_SIZE)):
        piece = sealed[start : start + SEGMENT_SIZE]
        cipher.decrypt_into(number.to_bytes(12, "big"), piece, None, out[: len(piece) - TAG_SIZE])


def our_seal(plain: memoryview, sink: object) -> None:
    """What the application does."""
    with SealingWriter(sink, KEY, AD) as writer:
        writer.write(plain)


class KeepingSink:
    """Collects the output in a buffer made beforehand, as a file in memory would."""

    def __init__(self, keep: memoryview) -> None:
        self._keep, self._at = keep, 0

    def write(self, data: memoryview, /) -> int:
        self._keep[self._at : self._at + len(data)] = data
        self._at += len(data)
        return len(data)


def our_open(sealed: memoryview) -> None:
    reader = SealedReader(lambda at, n: sealed[at : at + n], len(sealed), KEY, AD)
    for _piece in reader.iter_all():
        pass


class TinkSink(io.RawIOBase):
    """A null sink as Google's library wants it."""

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        return len(memoryview(data).cast("B"))  # type: ignore[arg-type]  # any buffer


def tink_seal(plain: memoryview) -> None:
    with tink_primitive(KEY, SEGMENT_SIZE).new_encrypting_stream(TinkSink(), AD) as stream:
        for start in range(0, len(plain), MIB):
            stream.write(plain[start : start + MIB])


def tink_open(sealed: bytes) -> None:
    with tink_primitive(KEY, SEGMENT_SIZE).new_decrypting_stream(io.BytesIO(sealed), AD) as stream:
        while stream.read(MIB):
            pass


def compare(name: str, ours: float, reference: float, bar: float, beside: str) -> None:
    """Our rate against another in the same run."""
    ratio = ours / reference
    say(
        name,
        ours,
        "MB/s",
        reference=round(reference, 1),
        beside=beside,
        ratio=round(ratio, 3),
        bar=f"ratio >= {bar}",
        met=ratio >= bar,
    )


def throughput(size: int, runs: int) -> None:
    """Sealing and reading beside the bare cipher and beside tink-py."""
    plain = memoryview(os.urandom(MIB) * (size // MIB))
    out = memoryview(bytearray(SEGMENT_SIZE))
    keep = memoryview(bytearray(size + size // 1000 + SEGMENT_SIZE))
    seal = best_rate(lambda: our_seal(plain, NullSink()), size, runs)
    compare(
        "seal", seal, best_rate(lambda: bare_seal(plain, out, None), size, runs), 0.85, "AESGCM"
    )
    kept = best_rate(lambda: our_seal(plain, KeepingSink(keep)), size, runs)
    bare_kept = best_rate(lambda: bare_seal(plain, out, keep), size, runs)
    compare("seal-into-memory", kept, bare_kept, 0.85, "AESGCM")
    compare("seal", seal, best_rate(lambda: tink_seal(plain), size, min(runs, 2)), 1, "tink-py")

    sink = io.BytesIO()
    our_seal(plain, sink)
    sealed = sink.getvalue()
    bare_seal(plain, out, keep)
    bare = keep[: size + TAG_SIZE * -(-size // (SEGMENT_SIZE - TAG_SIZE))]
    read = best_rate(lambda: our_open(memoryview(sealed)), size, runs)
    compare("read", read, best_rate(lambda: bare_open(bare, out), size, runs), 0.85, "AESGCM")
    compare("read", read, best_rate(lambda: tink_open(sealed), size, min(runs, 2)), 1, "tink-py")


def random_reads(size: int, place: Path) -> None:
    """1 MiB anywhere in a sealed object of the folder store: fetch, check, decrypt."""
    store = FolderStore(place)
    info = store.put(Bucket.ORIGINALS, "bench", SealingSource(Endless(size), KEY, AD))
    where = (store, Bucket.ORIGINALS, "bench", info.version_id)
    reader = open_sealed(*where, key=KEY, associated_data=AD)
    chance, taken = random.Random(1), []
    for _ in range(400):
        offset = chance.randrange(reader.plain_size - MIB)
        before = time.perf_counter()
        read = reader.read(offset, MIB)
        taken.append((time.perf_counter() - before) * 1000)
        assert len(read) == MIB
    store.delete(Bucket.ORIGINALS, "bench", info.version_id)
    p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
    say(
        "random-1MiB-read",
        p50,
        "ms",
        p95=round(p95, 3),
        object_bytes=size,
        bar="p50 <= 1",
        met=p50 <= 1,
    )


def stream_memory(size: int) -> None:
    """Peak memory of a process that seals and does nothing else, and of one that only starts."""
    peaks = []
    for amount in (0, size):
        told = subprocess.run(
            [sys.executable, __file__, "--stream", str(amount)],
            capture_output=True,
            check=True,
            text=True,
        )
        peaks.append(int(told.stdout) / 1024)
    say(
        "stream-memory",
        peaks[1],
        "MiB",
        at_start=round(peaks[0], 1),
        stream_bytes=size,
        bar=f"<= {MEMORY_BAR_MIB}",
        met=peaks[1] <= MEMORY_BAR_MIB,
    )


def stream(size: int) -> None:
    """In a process of its own: seal a stream, say the peak memory in KiB."""
    source = SealingSource(Endless(size), KEY, AD)
    while source.read(MIB):
        pass
    # Not getrusage: its peak is inherited from the process that forked this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def main() -> None:
    """Run all, or a tenth of the amounts with --quick."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller amounts")
    parser.add_argument("--stream", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.stream is not None:
        stream(asked.stream)
        return
    scale = 10 if asked.quick else 1
    throughput(512 * MIB // scale // MIB * MIB, runs=5)
    with tempfile.TemporaryDirectory(prefix="tcd-bench-") as place:
        random_reads(2048 * MIB // scale, Path(place))
    stream_memory(DAY_BYTES // scale)


if __name__ == "__main__":
    main()
