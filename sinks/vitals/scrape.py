"""What a registry of metrics shows to Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector


class AtScrape(Collector):
    """A collector of what a function gives."""

    def __init__(self, give: Callable[[], Iterator[Metric]]) -> None:
        self._give = give

    def collect(self) -> Iterator[Metric]:
        """As the library wants it."""
        return self._give()


def exposition(registry: CollectorRegistry) -> bytes:
    """Everything, in Prometheus's text format 0.0.4."""

    def plain() -> Iterator[Metric]:
        """Without the library's ``_created`` series, one for each counter: its switch for them is a global one."""
        for metric in registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric

    return generate_latest(AtScrape(plain))
