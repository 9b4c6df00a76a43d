"""How a process leaves, once all that it had to write is written and closed."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End this process now, with what it has printed, and without Python's own end.

    That one takes apart what threads of librdkafka, Arrow and Bytewax still work on: a process that had said why it
    ends crashed or hung now and then. A full disk, or a reader that is gone, under what was printed makes 2 of a 0.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            code = code or 2
            if stream is sys.stdout and not isinstance(error, BrokenPipeError):
                print(f"penstock: standard output: {error.strerror}", file=sys.stderr)
    os._exit(code)
