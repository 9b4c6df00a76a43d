"""The newest answer to a question that may hang, for those who cannot wait."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

Answer = TypeVar("Answer")
LOG = logging.getLogger("penstock.vitals")


class Asked(Generic[Answer]):
    """Asks in a thread of its own, one at a time, not again within ``fresh_s`` seconds of asking.

    A question that never returns costs whoever wants to know ``patience_s`` seconds, and one thread in all. An answer
    is given out for ``kept_s`` seconds: an old one says nothing of now.

    >>> from time import monotonic
    >>> Asked(lambda: 7, monotonic).newest()
    7
    """

    def __init__(
        self,
        question: Callable[[], Answer],
        clock: Callable[[], float],
        patience_s: float = 0.5,
        fresh_s: float = 5.0,
        kept_s: float = 30.0,
    ) -> None:
        self._question, self._clock = question, clock
        self._patience_s, self._fresh_s, self._kept_s = patience_s, fresh_s, kept_s
        self._lock, self._answered = Lock(), Event()
        self._asked_at: float | None = None
        self._answer: tuple[float, Answer] | None = None
        self._answered.set()
        self._told = False

    def newest(self) -> Answer | None:
        """The answer, if there is one that is young enough. Does not raise."""
        with self._lock:
            due = self._asked_at is None or self._clock() - self._asked_at >= self._fresh_s
            if due and self._answered.is_set():
                self._asked_at = self._clock()
                self._answered.clear()
                Thread(target=self._ask, name="penstock-asks", daemon=True).start()
        self._answered.wait(self._patience_s)
        answer = self._answer
        return answer[1] if answer is not None and self._clock() - answer[0] <= self._kept_s else None

    def _ask(self) -> None:
        try:
            answer = self._question()
            self._answer, self._told = (self._clock(), answer), False
        except Exception as error:
            LOG.log(logging.DEBUG if self._told else logging.WARNING, "a metric is not known for now: %s", error)
            self._told = True
        finally:
            self._answered.set()
