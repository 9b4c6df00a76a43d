"""Asking a server as Prometheus or an orchestrator would."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPResponse

from prometheus_client.parser import text_string_to_metric_families

from sinks.vitals.vitals import Vitals

Samples = dict[str, float]


def get(url: str, path: str, method: str = "GET") -> tuple[HTTPResponse, str]:
    """The response and its body."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response, response.read().decode()
    finally:
        connection.close()


def samples(text: str | bytes) -> Samples:
    """Our samples in an exposition, each under its name with its labels as Prometheus writes them."""
    shown = {}
    for family in text_string_to_metric_families(text.decode() if isinstance(text, bytes) else text):
        for sample in family.samples:
            labels = ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items()))
            shown[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return {name: value for name, value in shown.items() if name.startswith("penstock_")}


def of(metric: str, text: str | bytes) -> Samples:
    """The samples of one metric."""
    return {name: value for name, value in samples(text).items() if name.startswith(metric)}


def lag(vitals: Vitals) -> Samples:
    """The lag, once it is known: each scrape waits for the broker for a moment."""
    for _ in range(60):
        if found := of("penstock_consumer_lag", vitals.exposition()):
            return found
    raise AssertionError("the lag was not known in time")


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self, at: float = 1_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at
