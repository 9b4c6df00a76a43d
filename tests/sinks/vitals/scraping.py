"""Asking a server as Prometheus or an orchestrator would."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPResponse

from prometheus_client.parser import text_string_to_metric_families

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


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self, at: float = 1_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at
