"""The sink of a replay: records as JSON lines, one folder a part, one file a topic, exact after a crash."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from schemas.wire import encode_lines

Outbox = dict[str, list[Any]]
Offsets = dict[str, int]


class PartError(ValueError):
    """Records that a checkpoint counts on are not there."""


def _cut(path: Path, length: int) -> None:
    there = path.stat().st_size if path.exists() else 0
    if there < length:  # the machine died, not just the process; truncating would fill up with zero bytes
        raise PartError(
            f"{path} has {there} bytes, but {length} when the checkpoint was made: start anew with --overwrite"
        )
    if there > length:
        os.truncate(path, length)


class PartWriter(StatefulSinkPartition[Outbox, Offsets]):
    """Appends records to the files of one part. State: the length of each file.

    On resume every file is cut back to its length at the snapshot, so what was written after it and is about to be
    computed again stands there once. Raises PartError when a file is shorter than that.
    """

    def __init__(self, folder: Path, offsets: Offsets) -> None:
        self.folder, self._files = folder, dict[str, BinaryIO]()
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.jsonl"):
            if path.stem not in offsets:
                path.unlink()
        for topic, length in offsets.items():
            _cut(folder / f"{topic}.jsonl", length)
            self._open(topic)

    def _open(self, topic: str) -> BinaryIO:
        file = self._files.get(topic)
        if file is None:
            file = self._files[topic] = (self.folder / f"{topic}.jsonl").open("ab")
        return file

    def write_batch(self, items: list[Outbox]) -> None:
        """Append the records of some outboxes."""
        for outbox in items:
            for topic, records in outbox.items():
                self._open(topic).write(encode_lines(records))

    def snapshot(self) -> Offsets:
        """Hand everything to the operating system: it survives the death of this process."""
        for file in self._files.values():
            file.flush()
        return {topic: file.seek(0, 2) for topic, file in self._files.items()}

    def close(self) -> None:
        """The stream has ended."""
        for file in self._files.values():
            file.close()


class PartSink(FixedPartitionedSink[Outbox, Offsets]):
    """One part for each operator that speaks: every shard, and the portfolio. Items are keyed by their part."""

    def __init__(self, folder: Path, parts: Sequence[str]) -> None:
        self.folder, self.parts = folder, sorted(parts)

    def list_parts(self) -> list[str]:
        """All parts: every process can write into the folder."""
        return self.parts

    def part_fn(self, item_key: str) -> int:
        """The part that a record's key names."""
        return self.parts.index(item_key)

    def build_part(self, step_id: str, for_part: str, resume_state: Offsets | None) -> PartWriter:  # noqa: ARG002
        """Open the files of a part where the snapshot left them."""
        return PartWriter(self.folder / for_part, resume_state or {})
