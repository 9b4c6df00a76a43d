"""What goes wrong while reading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CandleFileError(ValueError):
    """A candle file that cannot be used. The message names the file and says what to do."""


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Put the file's name before the message of a CandleFileError raised inside.

    >>> with about(Path("a.csv")):
    ...     raise CandleFileError("is empty")
    Traceback (most recent call last):
    connectors.errors.CandleFileError: a.csv is empty
    """
    try:
        yield
    except CandleFileError as wrong:
        raise CandleFileError(f"{path} {wrong}") from wrong.__cause__
