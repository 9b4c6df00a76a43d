"""Raw frames onto disk, as they came: a file for each hour, readable up to the last second whatever happens."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from schemas.capture import NANOS, Line, encode_line, name_of, whole

BLOCK_NS = NANOS
BLOCK_BYTES = 1 << 20
LEVEL = 9  # 50 MB of frames a second, and a seventh less on disk than with zstd's own default


class CaptureError(RuntimeError):
    """A recording cannot be written. The message names the file."""


class Capture:
    """Writes the frames of one exchange below ``folder``; :mod:`schemas.capture` has the layout.

    A block is written when the next line comes later than a second after its first, when it is large, or by
    :meth:`flush`. Two processes cannot write the same file: the second one gets a CaptureError.
    """

    def __init__(self, folder: Path, exchange: str) -> None:
        self.frames = self.bytes = 0
        self._folder, self._exchange = folder, exchange
        self._codec = pa.Codec("zstd", LEVEL)
        self._file: BinaryIO | None = None
        self._path = Path()
        self._block: list[bytes] = []
        self._began = self._size = 0

    def write(self, line: Line) -> None:
        """Take a line. Lines have to come in the order of their times. Raises CaptureError or OSError."""
        path = self._folder / name_of(self._exchange, line.ns)
        if self._block and (path != self._path or line.ns - self._began >= BLOCK_NS or self._size >= BLOCK_BYTES):
            self.flush()
        if path != self._path:
            self._rotate(path)
        if not self._block:
            self._began, self._size = line.ns, 0
        text = encode_line(line)
        self._block.append(text)
        self._size += len(text)
        self.frames += isinstance(line.said, bytes)

    def flush(self) -> None:
        """Write what has come so far."""
        if self._block and self._file is not None:
            data = self._codec.compress(b"".join(self._block), asbytes=True)
            self._file.write(data)
            self.bytes += len(data)
            self._block = []

    def close(self) -> None:
        """Write what is left, and make it safe against a power cut."""
        self.flush()
        self._end()
        self._path = Path()

    def _rotate(self, path: Path) -> None:
        self._end()
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b", buffering=0)  # a block is one write: it survives the end of the process
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise CaptureError(f"{path}: another process is recording to it: give each its own folder") from None
        file.truncate(_whole(file))
        self._file, self._path = file, path

    def _end(self) -> None:
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None


def _whole(file: BinaryIO) -> int:
    """Where a process that died while writing left a torn block, or the end of the file."""
    if not os.fstat(file.fileno()).st_size:
        return 0
    with pa.memory_map(file.name) as mapped:
        return whole(memoryview(mapped.read_buffer()).cast("B"))
