"""Lag: how many messages of each part are still to be read."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

Lag = Callable[[], int | None]


class Lags:
    """The lag of all parts that are open in this process; any thread may ask.

    >>> lags = Lags()
    >>> lags.add("candles-0", lambda: 7)
    >>> lags.add("candles-1", lambda: None)  # not known yet
    >>> lags()
    {'candles-0': 7}
    """

    def __init__(self) -> None:
        self._parts: dict[str, Lag] = {}
        self._lock = Lock()

    def add(self, part: str, lag: Lag) -> None:
        """Ask ``lag`` from now on. It must answer at once; None: not known yet."""
        with self._lock:
            self._parts[part] = lag

    def remove(self, part: str) -> None:
        """Ask it no more: when this returns, nobody is asking it."""
        with self._lock:
            self._parts.pop(part, None)

    def __call__(self) -> dict[str, int]:
        """By part: the offset at which the partition ends less the next one to be read, as far as it is known.

        What is known comes with the messages: it stands still while the broker cannot be reached, or while so much
        has been fetched and not been taken that no more is fetched.
        """
        with self._lock:
            found = {part: lag() for part, lag in self._parts.items()}
        return {part: lag for part, lag in found.items() if lag is not None}
