"""From parts to files: the records of all parts of a topic in one canonical order."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import msgspec

HASHED = (
    "bars",
    "signals",
    "orders",
    "rejections",
    "fills",
    "positions",
    "equity",
    "alerts",
    "metrics",
    "deadletters",
)
"""The topics whose bytes depend on the events alone, and so enter the output hash; ``events`` tells of the run."""

RARE = ("breakers", "replies", "audit")
"""The same, but without a file, and no part of the hash, where there is no record."""

# What these come from is told shard by shard and symbol by symbol: they are sorted even when one part wrote them all.
_BY_SHARD = {"bars", "signals", "alerts", "metrics", "deadletters"}


class _Key(msgspec.Struct, gc=False):
    ts: int
    symbol: str | None = None
    labels: dict[str, str] = {}


_decoder = msgspec.json.Decoder(_Key)


def _key(line: bytes) -> tuple[int, str]:
    row = _decoder.decode(line)
    return row.ts, row.symbol or row.labels.get("symbol", "")


def gather(parts: Path, out: Path) -> dict[str, str]:
    """Write ``<topic>.jsonl`` for every hashed topic into ``out``; returns the sha256 of each.

    Records are ordered by event time, then by symbol; those of one symbol and instant keep the order in which they
    were decided. So neither the number of shards nor that of workers is to be seen.
    """
    digests = {}
    for topic in (*HASHED, *RARE):
        files = [path for path in sorted(parts.glob(f"*/{topic}.jsonl")) if path.stat().st_size]
        target = out / f"{topic}.jsonl"
        target.unlink(missing_ok=True)
        if topic in RARE and not files:
            continue
        if topic in _BY_SHARD or len(files) != 1:
            lines = [line for path in files for line in path.read_bytes().splitlines(keepends=True)]
            lines.sort(key=_key)
            target.write_bytes(b"".join(lines))
        else:
            _share(files[0], target)
        with target.open("rb") as file:
            digests[topic] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def _share(source: Path, target: Path) -> None:
    """The same bytes under another name: without copying them, where the file system can."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def output_hash(digests: dict[str, str]) -> str:
    """One hash over all topics: sha256 of ``<topic> <sha256>`` lines in the order of the topics' names."""
    text = "".join(f"{topic} {digest}\n" for topic, digest in sorted(digests.items()))
    return hashlib.sha256(text.encode()).hexdigest()
