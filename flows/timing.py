"""Where the time goes: seconds of this process by phase."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter


class Timing:
    """Adds up wall-clock seconds by phase, and tells ``told`` of each. No record depends on it.

    >>> timing = Timing()
    >>> with timing("read"):
    ...     pass
    >>> list(timing.seconds)
    ['read']
    """

    def __init__(self, told: Callable[[str, float], None] | None = None) -> None:
        self._told = told
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Count the time of the block as this phase."""
        start = perf_counter()
        try:
            yield
        finally:
            passed = perf_counter() - start
            self.seconds[phase] += passed
            if self._told is not None:
                self._told(phase, passed)
