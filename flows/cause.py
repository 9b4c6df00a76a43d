"""What ended a dataflow, kept where it was raised: of a cluster Bytewax only tells that it lost a thread."""

from __future__ import annotations

from types import TracebackType


class Cause:
    """Keeps the first error that leaves one of its blocks.

    >>> cause = Cause()
    >>> try:
    ...     with cause:
    ...         1 / 0
    ... except ZeroDivisionError:
    ...     cause.first
    ZeroDivisionError('division by zero')
    """

    def __init__(self) -> None:
        self.first: Exception | None = None

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        # A source ends with StopIteration, which is no failure.
        if self.first is None and isinstance(error, Exception) and not isinstance(error, StopIteration):
            self.first = error
