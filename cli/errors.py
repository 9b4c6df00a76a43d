"""What a user sees when something goes wrong: one message and exit code 2, no traceback."""

from __future__ import annotations

import os
import sys
import traceback

OURS = ("cli", "connectors", "flows", "schemas", "sinks")


class UserError(Exception):
    """Something that the user can put right. The message names the file, option or key and says what to do."""


class Debug:
    """Whether tracebacks are wanted: ``penstock --debug``, or ``PENSTOCK_DEBUG=1`` in the environment."""

    on = os.environ.get("PENSTOCK_DEBUG", "") not in ("", "0", "false")


def report(error: Exception) -> int:
    """Say on stderr what went wrong. Returns the exit code: 2 for what the user can put right, 1 for a defect."""
    if Debug.on:
        traceback.print_exception(error)
    expected = isinstance(error, OSError) or type(error).__module__.partition(".")[0] in OURS
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    else:
        text = str(error) if expected else f"{type(error).__name__}: {error}"
    lines = text.splitlines() or [type(error).__name__]
    several = [f"{len(lines)} problems", *lines] if hasattr(error, "problems") and len(lines) > 1 else lines
    print("penstock:", "\n  ".join(several), file=sys.stderr)
    if not expected:
        print("This is a defect of Penstock; with --debug before the command it shows where.", file=sys.stderr)
    return 2 if expected else 1
