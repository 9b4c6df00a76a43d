"""A publisher in a thread of its own: a worker that has several parts does not wait for each of them in turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from sinks.kafka.envelope import Message
from sinks.kafka.publisher import Publisher, nothing

MOST_MESSAGES = 20_000
MOST_BYTES = 16_000_000
IDLE_S = 1.0
CLOSES_WITHIN_S = 5.0


class Courier:
    """Publishes what it is given, in order; all that has come in the meantime goes into the next transaction.

    ``open_`` makes the publisher, in the thread. What waits is bounded by messages and bytes (:data:`MOST_MESSAGES`,
    :data:`MOST_BYTES`). Whatever the publisher raises ends the thread, and is raised by each later call; ``on_trouble``
    is told at once. With ``linger_s`` a transaction begins only so long after the first message for it came.

    >>> courier = Courier("orders", lambda: 1 / 0)
    >>> courier.finish()
    Traceback (most recent call last):
    ZeroDivisionError: division by zero
    """

    def __init__(
        self,
        name: str,
        open_: Callable[[], Publisher],
        on_trouble: Callable[[str], None] = nothing,
        linger_s: float = 0.0,
    ) -> None:
        self._open, self._on_trouble, self._linger_s = open_, on_trouble, linger_s
        self._publisher: Publisher | None = None
        self._changed = threading.Condition()
        self._waiting: list[Message] = []
        self._bytes = 0
        self._busy, self._closing = True, False
        self._failed: BaseException | None = None
        # A daemon: a process that ends does not wait for brokers that are gone.
        self._thread = threading.Thread(target=self._run, name=f"kafka-{name}", daemon=True)
        self._thread.start()

    def give(self, messages: Sequence[Message]) -> None:
        """Hand messages over. Waits while there is no room; raises what the publisher raised."""
        size = sum(len(message.value) for message in messages)
        with self._changed:
            self._wait_until(lambda: not self._waiting or self._has_room(len(messages), size))
            self._waiting.extend(messages)
            self._bytes += size
            self._changed.notify_all()

    def publisher(self) -> Publisher:
        """Wait until it is open. Raises what opening it raised."""
        with self._changed:
            self._wait_until(lambda: self._publisher is not None)
            assert self._publisher is not None
            return self._publisher

    def finish(self) -> Publisher:
        """Wait until all that was given is on the topics: the publisher, at rest. Raises what the publisher raised."""
        with self._changed:
            self._wait_until(lambda: not self._waiting and not self._busy)
            assert self._publisher is not None
            return self._publisher

    def close(self) -> None:
        """Publish what was given, and end. Waits for some seconds, no longer, and raises nothing.

        The framework calls it at the end of the stream, when nothing is left to do, and as it tears down what failed:
        what is not published by then will be computed again.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(CLOSES_WITHIN_S)

    def _has_room(self, count: int, size: int) -> bool:
        return len(self._waiting) + count <= MOST_MESSAGES and self._bytes + size <= MOST_BYTES

    def _wait_until(self, true: Callable[[], bool]) -> None:
        self._changed.wait_for(lambda: self._failed is not None or true())
        if self._failed is not None:
            raise self._failed

    def _run(self) -> None:
        try:
            self._publisher = publisher = self._open()
            while messages := self._take(publisher):
                publisher.publish(messages)
            publisher.close()
        except BaseException as failed:
            with self._changed:
                self._failed = failed
                self._changed.notify_all()
            self._on_trouble(str(failed))

    def _take(self, publisher: Publisher) -> list[Message]:
        """All that waits. Empty when it is time to end."""
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            while not self._waiting and not self._closing:
                if not self._changed.wait(IDLE_S):
                    publisher.poll()
            if self._linger_s > 0:
                self._changed.wait_for(lambda: self._closing, self._linger_s)
            taken, self._waiting, self._bytes = self._waiting, [], 0
            self._busy = bool(taken)
            self._changed.notify_all()
            return taken
