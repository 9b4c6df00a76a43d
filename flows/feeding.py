"""A feed with its ends: an exchange on one side; Kafka, a recording and metrics on the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from connectors.exchanges.interface import Exchange, Stream
from connectors.feed.driver import Driver
from connectors.feed.reports import Out
from schemas.capture import Line
from sinks.capture import Capture
from sinks.kafka.market import Market
from sinks.vitals.feed import FeedHealth, FeedVitals

ON_DISK_S = 1.0


class Ends:
    """Where a feed leads to. ``say`` is told each alert."""

    def __init__(
        self,
        vitals: FeedVitals,
        health: FeedHealth,
        market: Market | None,
        capture: Capture | None,
        say: Callable[[str], None],
    ) -> None:
        self._vitals, self._health, self._market, self._capture, self._say = vitals, health, market, capture, say
        self._flushed = time.monotonic()

    def record(self, line: Line) -> None:
        """A frame or a note, to disk before anything is made of it."""
        self._vitals.heard(line)
        if self._capture is not None:
            self._capture.write(line)

    def publish(self, out: Sequence[Out]) -> None:
        """Records, to Kafka."""
        self._vitals.observe(out)
        for topic, record in out:
            if topic == "alerts":
                self._say(record.message)
        if self._market is not None:
            self._market.publish(out)

    def step(self) -> None:
        """Time has passed: a quiet market's frames go to disk, too."""
        self._health.beat()
        if self._capture is not None and time.monotonic() - self._flushed >= ON_DISK_S:
            self._flushed = time.monotonic()
            self._capture.flush()

    def close(self) -> None:
        """Wait until all is where it belongs. Raises PublishError, OSError."""
        try:
            if self._capture is not None:
                self._capture.close()
        finally:
            if self._market is not None:
                self._market.finish()


class Feeding:
    """A feed at work; ``stop`` may be called by a handler of signals. Raises ValueError for what there is not."""

    def __init__(
        self, exchange: Exchange, symbols: Sequence[str], streams: Sequence[Stream], timeframe: str, ends: Ends
    ) -> None:
        self._driver, self._ends = Driver(exchange, symbols, streams, timeframe, ends), ends
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    def run(self) -> None:
        """Until :meth:`stop`. Raises what an end raised: CaptureError, OSError, PublishError."""
        try:
            asyncio.run(self._run())
        finally:
            self._ends.close()

    def stop(self) -> None:
        """End in good order: what is held back goes on."""
        if self._loop is None:
            self._stop.set()
        else:
            self._loop.call_soon_threadsafe(self._stop.set)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._driver.run(self._stop)
