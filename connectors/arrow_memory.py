"""Bytes for Arrow to read, in memory that is its own.

A thread of Arrow's pool may hold on to what it has read from a little longer than the call that read it. Memory of
Python's can only be let go of with the interpreter's lock, and who asks for that lock while the interpreter ends is
ended there and then. A thread of C++ does not survive this, nor does its process: ``terminate called without an active
exception``, in place of the exit code of a command that was done at once, with a user's mistake for one.
"""

from __future__ import annotations

import pyarrow as pa


def reader(data: bytes, begin: int = 0) -> pa.BufferReader:
    """A stream over a copy of the bytes from ``begin`` on.

    >>> reader(b"ts,open", 3).read()
    b'open'
    """
    buffer = pa.allocate_buffer(len(data) - begin)
    pa.FixedSizeBufferWriter(buffer).write(memoryview(data)[begin:])
    return pa.BufferReader(buffer)
