"""The metrics of a live process, told by the running flow and read by Prometheus."""

from __future__ import annotations

import logging
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from operator import attrgetter
from typing import Any, Concatenate, ParamSpec

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import GaugeMetricFamily, Metric

from sinks.vitals.metrics import METRICS
from sinks.vitals.scrape import AtScrape, exposition

LOG = logging.getLogger("penstock.vitals")
P = ParamSpec("P")
LEFT_OUT = ("trades_late", "trades_duplicate")
Lags = Callable[[], Mapping[str, int]]


def _harmless(tell: Callable[Concatenate[Vitals, P], None]) -> Callable[Concatenate[Vitals, P], None]:
    """No figure is worth stopping the flow for: what goes wrong is logged, the first time."""

    @wraps(tell)
    def told(self: Vitals, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            tell(self, *args, **kwargs)
        except Exception:
            level = logging.DEBUG if tell.__name__ in self.failed else logging.ERROR
            self.failed.add(tell.__name__)
            LOG.log(level, "the metrics of %s are not complete", tell.__name__, exc_info=True)

    return told


@dataclass(slots=True)
class _Part:
    """An input part: the next offset, and when it was durable last (or opened, before that)."""

    offset: int
    since: float
    durable: bool = False


class Vitals:
    """What is told here comes out of :meth:`exposition`. Each object has a registry of its own.

    The methods are for the running flow: a few microseconds each, once a batch, and they do not raise. ``lags`` says
    how many records of each input part are still to be read, at once and without asking anybody. ``clock`` counts
    seconds, ``now`` is the wall clock in seconds.

    >>> vitals = Vitals("1.0", strategies=["sma_atr"])
    >>> vitals.published("orders", 2)
    >>> [line for line in vitals.exposition().decode().splitlines() if "_out_total{" in line]
    ['penstock_records_out_total{topic="orders"} 2.0']
    """

    def __init__(
        self,
        version: str,
        strategies: Sequence[str] = (),
        lags: Lags = dict,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.registry = CollectorRegistry()
        self.failed: set[str] = set()
        self._clock, self._now = clock, now
        self._parts: dict[str, _Part] = {}
        self._watermarks: dict[str, int] = {}
        self._lags = lags
        self._in = self._counter("penstock_records_in_total")
        self._out = self._counter("penstock_records_out_total")
        self._epochs = self._histogram("penstock_epoch_seconds")
        self._letters = self._counter("penstock_dead_letters_total")
        self._latency = self._histogram("penstock_candle_to_order_seconds")
        self._refusals = self._counter("penstock_refusals_total")
        self._equity = self._gauge("penstock_equity")
        self._drawdown = self._gauge("penstock_drawdown_percent")
        self._breakers = self._gauge("penstock_breaker_tripped")
        self._busy = self._counter("penstock_strategy_seconds_total")
        self._raised = self._counter("penstock_strategy_errors_total")
        self._left_out = self._counter("penstock_trades_left_out_total")
        self._alerts = self._counter("penstock_alerts_total")
        self._troubles = self._counter("penstock_troubles_total")
        self._gauge("penstock_build_info").labels(version).set(1)
        for label in strategies:  # known beforehand, so their counters begin at zero
            self._busy.labels(label)
            self._raised.labels(label)
        self.registry.register(AtScrape(self._measured))
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

    def _counter(self, name: str) -> Counter:
        return Counter(name, METRICS[name].help, METRICS[name].labels, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        return Gauge(name, METRICS[name].help, METRICS[name].labels, registry=self.registry)

    def _histogram(self, name: str) -> Histogram:
        metric = METRICS[name]
        return Histogram(name, metric.help, metric.labels, registry=self.registry, buckets=metric.buckets)

    @_harmless
    def on_rows(self, part: str, next_offset: int) -> None:
        """An input part has been read up to here. The first time says where it begins."""
        known = self._parts.get(part)
        if known is None:
            self._parts[part] = _Part(next_offset, self._clock())
            self._in.labels(*_place(part))
            return
        if next_offset > known.offset:
            self._in.labels(*_place(part)).inc(next_offset - known.offset)
        known.offset = next_offset

    @_harmless
    def on_durable(self, part: str, offset: int) -> None:
        """The newest snapshot of an input part, at this offset, is durable."""
        at = self._clock()
        known = self._parts.setdefault(part, _Part(offset, at))
        if known.durable:
            self._epochs.observe(at - known.since)
        known.since, known.durable = at, True

    @_harmless
    def on_trouble(self, part: str, text: str) -> None:  # noqa: ARG002 (a text is no label: it has no end of values)
        """Something went wrong at an input part, which goes on by itself."""
        self._troubles.labels(part).inc()

    @_harmless
    def on_partitions(self, topic: str, count: int) -> None:  # noqa: ARG002
        """Partitions were added to a topic: a trouble until a restart reads them."""
        self._troubles.labels(topic).inc()

    @_harmless
    def observe(self, outbox: Mapping[str, Sequence[Any]]) -> None:
        """Records on their way out, by topic. What is computed again after a crash is seen again."""
        if letters := outbox.get("deadletters"):
            _add(self._letters, letters, "reason")
        if refused := outbox.get("rejections"):
            _add(self._refusals, refused, "code")
        if alerts := outbox.get("alerts"):
            _add(self._alerts, alerts, "code", "level")
            _add(self._raised, [alert for alert in alerts if alert.code == "STRATEGY_RAISED"], "strategy")
        for one in outbox.get("metrics", ()):
            if one.name in LEFT_OUT:
                self._left_out.labels(one.name.removeprefix("trades_"), one.labels["symbol"]).inc(one.value)
        for one in outbox.get("breakers", ()):
            scope = " ".join(filter(None, (one.scope, one.symbol or (one.scope == "strategy" and one.strategy) or "")))
            self.breaker(
                one.breaker, scope, one.strategy if one.mode == "shadow" else "", one.event.endswith("Tripped")
            )
        for account in outbox.get("equity", ()):
            labels = (account.mode, account.strategy or "")
            self._equity.labels(*labels).set(account.equity)
            self._drawdown.labels(*labels).set(account.drawdown_pct)

    @_harmless
    def breaker(self, name: str, scope: str, shadow: str, tripped: bool) -> None:
        """A breaker is open, or is not, in the live account or that of a shadow strategy."""
        self._breakers.labels(name, scope, "shadow" if shadow else "live", shadow).set(int(tripped))

    @_harmless
    def published(self, topic: str, count: int) -> None:
        """So many records were committed to a topic."""
        self._out.labels(topic).inc(count)

    @_harmless
    def watermark(self, shard: str, event_ts_ms: int) -> None:
        """A shard has reached this event time, epoch ms."""
        self._watermarks[shard] = event_ts_ms

    @_harmless
    def candle_to_order(self, seconds: float) -> None:
        """An order was committed so long after its candle had come. A clock that was set back makes it zero."""
        self._latency.observe(max(0.0, seconds))

    @_harmless
    def strategy_seconds(self, label: str, seconds: float) -> None:
        """A strategy has worked for so long."""
        self._busy.labels(label).inc(seconds)

    def exposition(self) -> bytes:
        """Everything, in Prometheus's text format 0.0.4."""
        return exposition(self.registry)

    def _measured(self) -> Iterator[Metric]:
        """The gauges whose value is a matter of now."""
        parts, at = dict(self._parts), self._clock()
        age = _family("penstock_commit_age_seconds")
        if parts:
            age.add_metric((), at - min(part.since for part in parts.values()))
        yield age
        behind, now = _family("penstock_watermark_lag_seconds"), self._now()
        for shard, ts in dict(self._watermarks).items():
            behind.add_metric((shard,), now - ts / 1_000)
        yield behind
        lag = _family("penstock_consumer_lag")
        for name, records in self._lags().items():
            lag.add_metric(_place(name), max(0, records))
        yield lag


def _family(name: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, METRICS[name].help, labels=METRICS[name].labels)


def _place(part: str) -> tuple[str, str]:
    """Topic and partition of a part.

    >>> _place("candles-eu-12")
    ('candles-eu', '12')
    """
    topic, _, partition = part.rpartition("-")
    return topic, partition


def _add(counter: Counter, records: Sequence[Any], *fields: str) -> None:
    """Count records by some of their fields."""
    key = attrgetter(*fields)
    for values, count in Tally(map(key, records)).items():
        counter.labels(*(values if len(fields) > 1 else (values,))).inc(count)
