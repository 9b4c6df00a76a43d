"""What a live process tells of itself while it runs: metrics, health, and a line to a person when there is trouble."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from threading import Lock

from connectors.kafka.feed import SourceHooks
from connectors.kafka.lags import Lags
from flows.outbox import Outbox
from flows.portfolio.stage import PortfolioStage
from flows.timing import Timing
from flows.watched import Watch
from schemas.batch import CandleBatch, TradeBatch
from schemas.config.root import Config
from sinks.vitals.health import Health
from sinks.vitals.vitals import Vitals

AGAIN_S = 30.0
"""The same trouble is told again after this time."""
AWAITED = 10_000
"""At most so many signals are remembered until their order leaves."""


SAVED_S = 1.0


def _nobody(_: str, **figures: str | int) -> None:
    """Nobody listens."""


def _goes_its_way(_: Exception) -> None:
    """What a step raises ends the flow."""


class _Told(logging.Handler):
    def __init__(self, tell: Callable[[logging.LogRecord], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(record)


class Monitor:
    """The hooks of one process. No record depends on what they do; they may be called from several threads."""

    def __init__(
        self,
        config: Config,
        say: Callable[[str], None],
        events: Callable[..., None] = _nobody,
        process: int = 0,
        failed: Callable[[Exception], None] = _goes_its_way,
    ) -> None:
        self._say, self._told, self._telling = say, dict[str, float](), Lock()
        self._events, self._process, self._saved = events, process, 0.0
        self._arrived: dict[str, int] = {}  # by shard: when its newest message came to the topic
        self._signals: dict[str, int] = {}  # by signal: the same of its candle
        self._leaving: list[int] = []  # … of the orders on their way
        lags = Lags()
        labels = [strategy.label for strategy in config.strategies]
        self.vitals, self.health = Vitals(version("penstock"), labels, lags), Health()
        self.watch, self.timing = Watch(self.health, failed), Timing(self._worked)
        self.source = SourceHooks(self.vitals.on_rows, self._on_durable, self.on_trouble, self._on_partitions, lags)

    def _worked(self, phase: str, seconds: float) -> None:
        what, _, label = phase.partition(" ")
        if what == "strategy":
            self.vitals.strategy_seconds(label, seconds)

    def on_batch(self, batch: CandleBatch | TradeBatch) -> None:
        """Candles or trades were handed over."""
        if batch.arrived_ms is not None:
            self._arrived[batch.shard] = batch.arrived_ms

    def on_outbox(self, part: str, outbox: Outbox) -> None:
        """Records are about to be published."""
        self.vitals.observe({topic: records for topic, records in outbox.items() if topic != "journal"})
        for slices in outbox.get("journal", ()):
            if len(slices):
                self.vitals.watermark(slices.shard, int(slices.ts.max()))
        arrived = self._arrived.get(part)
        if arrived is not None:
            while len(self._signals) > AWAITED:
                self._signals.pop(next(iter(self._signals)))
            self._signals.update((signal.id, arrived) for signal in outbox.get("signals", ()))
        letters = outbox.get("deadletters", ())
        if letters and self._is_news("deadletters"):
            inputs = "1 input" if len(letters) == 1 else f"{len(letters):,} inputs"
            self._say(f"{part}: {inputs} could not be used ({letters[0].reason}): see `penstock deadletters list`")
        for order in outbox.get("orders", ()):
            since = self._signals.get(order.signal_id or "")
            if since is not None:
                self._leaving.append(since)

    def on_opened(self, stage: PortfolioStage) -> None:
        """The portfolio is where it was: a breaker that was open then has not told of it since."""
        for shadow, breaker, scope in stage.tripped():
            self.vitals.breaker(breaker, scope, shadow, tripped=True)

    def on_published(self, counts: Mapping[str, int]) -> None:
        """Records were committed, so many to each topic."""
        for topic, count in counts.items():
            self.vitals.published(topic, count)
        if counts.get("orders"):
            now = time.time() * 1_000
            leaving, self._leaving = self._leaving, []
            for since in leaving:
                self.vitals.candle_to_order((now - since) / 1_000)

    def on_trouble(self, part: str, text: str, kind: str = "") -> None:
        """Something is wrong, and goes on by itself. One of a kind (the text up to a bracket) is told in a while."""
        self.vitals.on_trouble(part, text)
        if self._is_news(kind or text.partition(" (")[0]):
            self._say(f"{part}: {text}")
            self.event("trouble", part=part, text=text)

    def _is_news(self, kind: str) -> bool:
        now = time.monotonic()
        with self._telling:
            self._told = {known: at for known, at in self._told.items() if now - at < AGAIN_S}
            new = kind not in self._told
            self._told.setdefault(kind, now)
        return new

    def log(self, part: str) -> logging.Logger:
        """A logger that tells what goes wrong at a part."""
        log = logging.Logger(part)
        log.addHandler(_Told(lambda record: self.on_trouble(part, record.getMessage(), str(record.msg))))
        return log

    def event(self, name: str, **figures: str | int) -> None:
        """Something in the life of this process."""
        self._events(name, process=self._process, **figures)

    def failed(self, error: Exception) -> None:
        """What ends this process."""
        self.event("run.failed", error=f"{type(error).__name__}: {error}")

    def _on_durable(self, part: str, offset: int) -> None:
        self.vitals.on_durable(part, offset)
        now = time.monotonic()
        if now - self._saved >= SAVED_S:  # the parts of one epoch tell of it one after the other
            self._saved = now
            self.event("checkpoint.saved", part=part, offset=offset)

    def _on_partitions(self, topic: str, count: int) -> None:
        self.vitals.on_partitions(topic, count)
        self._say(f"{topic} has {count} partitions now: --accept-changes at the next start reads the new ones")
        self.event("partitions.added", topic=topic, partitions=count)
