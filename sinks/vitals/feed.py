"""The metrics of a feed, told by it and read by Prometheus. What they count is what is on its topics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric

from schemas.capture import Line, Note
from sinks.vitals.health import STALE_S, Report, report
from sinks.vitals.metrics import FEED_METRICS, METRICS
from sinks.vitals.scrape import AtScrape, exposition

NOTED = ("duplicates", "reordered", "corrected", "ahead", "unparsed", "refused", "unanswered")
KINDS = ("trades", "quotes", "candles")


class FeedVitals:
    """Told of each line and of each record. ``undelivered`` says how many messages wait for Kafka.

    >>> vitals = FeedVitals("1.0", "kraken", sockets=2)
    >>> vitals.heard(Line(1, 0, Note("connected")))
    >>> vitals.down
    1
    >>> [line for line in vitals.exposition().decode().splitlines() if 'state="up"' in line]
    ['penstock_feed_sockets{exchange="kraken",state="up"} 1.0']
    """

    def __init__(
        self,
        version: str,
        exchange: str,
        sockets: int,
        undelivered: Callable[[], int] = int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.registry = CollectorRegistry()
        self._exchange, self._sockets, self._undelivered, self._clock = exchange, sockets, undelivered, clock
        self._up: dict[int, float] = {}  # by socket that stands: when a frame came last
        self._frames = self._counter("penstock_feed_frames_total").labels(exchange)
        self._lost = self._counter("penstock_feed_lost_total").labels(exchange)
        self._records = self._counter("penstock_feed_records_total")
        self._gaps = self._counter("penstock_feed_gaps_total")
        self._missed = self._counter("penstock_feed_missed_total")
        self._noted = self._counter("penstock_feed_noted_total")
        self._skew = self._gauge("penstock_feed_clock_skew_seconds")
        self._stale = self._gauge("penstock_feed_stale_streams")
        alerts, build = METRICS["penstock_alerts_total"], METRICS["penstock_build_info"]
        self._alerts = Counter(alerts.name, alerts.help, alerts.labels, registry=self.registry)
        Gauge(build.name, build.help, build.labels, registry=self.registry).labels(version).set(1)
        for what in NOTED:
            self._noted.labels(exchange, what)
        for kind in (*KINDS, "clocks"):
            self._records.labels(exchange, kind)
        self.registry.register(AtScrape(self._measured))
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

    @property
    def down(self) -> int:
        """How many sockets do not stand."""
        return self._sockets - len(self._up)

    def heard(self, line: Line) -> None:
        """A frame or a note came."""
        if isinstance(line.said, bytes):
            self._frames.inc()
            self._up[line.socket] = self._clock()
        else:
            self._changed(line.socket, line.said)

    def _changed(self, socket: int, note: Note) -> None:
        if note.what == "connected":
            self._up[socket] = self._clock()
        elif note.what == "lost":
            self._lost.inc()
            self._up.pop(socket, None)

    def observe(self, out: Iterable[tuple[str, Any]]) -> None:
        """Records were made, each for a topic."""
        for topic, record in out:
            if topic in KINDS:
                said = type(record).__name__
                if said != "Quote" or topic == "quotes":  # between trades it comes again
                    self._records.labels(self._exchange, "clocks" if said == "Clock" else topic).inc()
            elif topic == "alerts":
                self._alerts.labels(record.code, record.level).inc()
            else:
                self._metric(record.name, record.value, record.labels)

    def _metric(self, name: str, value: float, labels: dict[str, str]) -> None:
        what = name.removeprefix("feed_")
        if what == "gap":
            self._gaps.labels(self._exchange, labels["records"]).inc(value)
        elif what in ("gap_filled", "gap_lost"):
            self._missed.labels(self._exchange, labels["records"], what.removeprefix("gap_")).inc(value)
        elif what == "clock_skew_ms":
            self._skew.labels(self._exchange).set(value / 1_000)
        elif what == "stale":
            self._stale.labels(self._exchange).set(value)
        elif what in NOTED:
            self._noted.labels(self._exchange, what).inc(value)

    def exposition(self) -> bytes:
        """Everything, in Prometheus's text format 0.0.4."""
        return exposition(self.registry)

    def _measured(self) -> Iterator[Metric]:
        """The gauges whose value is a matter of now."""
        up, at = dict(self._up), self._clock()
        sockets = _family("penstock_feed_sockets")
        sockets.add_metric((self._exchange, "up"), len(up))
        sockets.add_metric((self._exchange, "down"), self._sockets - len(up))
        yield sockets
        silence = _family("penstock_feed_silence_seconds")
        if up:
            silence.add_metric((self._exchange,), at - min(up.values()))
        yield silence
        undelivered = _family("penstock_feed_undelivered")
        undelivered.add_metric((self._exchange,), self._undelivered())
        yield undelivered

    def _counter(self, name: str) -> Counter:
        return Counter(name, FEED_METRICS[name].help, FEED_METRICS[name].labels, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        return Gauge(name, FEED_METRICS[name].help, FEED_METRICS[name].labels, registry=self.registry)


class FeedHealth:
    """Is it alive, and is it ready: it decides, or waits for Kafka, which is a beat, too; and every socket stands."""

    def __init__(self, vitals: FeedVitals, clock: Callable[[], float] = time.monotonic) -> None:
        self._vitals, self._clock = vitals, clock
        self._beat = clock()

    def beat(self) -> None:
        """It makes progress."""
        self._beat = self._clock()

    def live(self) -> Report:
        """Whether a restart would be of no use."""
        since = self._clock() - self._beat
        return report([f"no progress for {since:.0f} s: the feed hangs"] if since > STALE_S else [], since, {})

    def ready(self) -> Report:
        """Whether it does its work."""
        down = self._vitals.down
        reasons = [f"{down} socket{'s are' if down > 1 else ' is'} not connected"] if down else []
        live = self.live()
        return report([*live.body["reasons"], *reasons], live.body["progress_s_ago"], {})


def _family(name: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, FEED_METRICS[name].help, labels=FEED_METRICS[name].labels)
