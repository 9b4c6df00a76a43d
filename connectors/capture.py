"""Recordings of raw frames, line by line: files that :mod:`sinks.capture` wrote, and plain or gzip ones of others."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from schemas.capture import SUFFIX, Line, decode_line, whole

PIECE = 1 << 20
KINDS = (SUFFIX, ".gz", ".ndjson")


class CaptureError(ValueError):
    """A recording that cannot be used. The message names file and line, and says what to do."""


def files_of(path: Path) -> list[Path]:
    """The files of a recording in the order of time: a file itself, or all below a folder of one exchange.

    Raises CaptureError when there are none, or those of several exchanges.
    """
    if not path.is_dir():
        if not path.is_file():
            raise CaptureError(f"{path}: there is no such recording")
        return [path]
    found = sorted(path.rglob(f"*{SUFFIX}"), key=lambda one: one.parts[-2:])
    exchanges = sorted({one.parts[-3] if len(one.parts) >= 3 else "" for one in found})
    if not found:
        raise CaptureError(f"{path}: holds no file *{SUFFIX}: name a folder that was recorded to")
    if len(exchanges) > 1:
        raise CaptureError(f"{path}: holds recordings of {', '.join(exchanges)}: name the folder of one of them")
    return found


def lines(path: Path) -> Iterator[Line]:
    """The lines of a file, or of all files below a folder, in the order in which they were received.

    A last line or block that is torn, as a process leaves it that was killed, is left out. Raises CaptureError with
    file and line for anything else that is no recording.
    """
    for file in files_of(path):
        with _opened(file) as stream:
            yield from _lines(file, stream)


def _lines(path: Path, stream: io.BufferedIOBase) -> Iterator[Line]:
    number, rest = 0, b""
    try:
        while piece := stream.read1(PIECE):  # read loses what it has when it meets the end of a torn file
            *texts, rest = (rest + piece).split(b"\n")
            for text in texts:
                number += 1
                yield decode_line(text)
    except ValueError as wrong:
        raise CaptureError(f"{path}: line {number} {wrong}") from None
    except EOFError:  # gzip, cut off
        return
    except (OSError, zlib.error) as wrong:
        raise CaptureError(f"{path}: damaged behind line {number}: {wrong}") from None


def _opened(path: Path) -> io.BufferedIOBase:
    if path.name.endswith(SUFFIX):
        data = pa.memory_map(str(path)).read_buffer() if path.stat().st_size else pa.py_buffer(b"")
        size = whole(memoryview(data).cast("B"))
        if not size and len(data) and bytes(memoryview(data).cast("B")[:4]) != b"\x28\xb5\x2f\xfd"[: len(data)]:
            raise CaptureError(f"{path}: is not compressed with zstd")
        stream = pa.CompressedInputStream(pa.BufferReader(data.slice(0, size)), "zstd")
        return io.BufferedReader(stream) if size else io.BytesIO()
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")
