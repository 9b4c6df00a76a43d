"""Where the time goes: seconds of this process by phase."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Timing:
    """Adds up wall-clock seconds by phase. It tells a user where time went; no record depends on it.

    >>> timing = Timing()
    >>> with timing("read"):
    ...     pass
    >>> list(timing.seconds)
    ['read']
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Count the time of the block as this phase."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] += perf_counter() - start
