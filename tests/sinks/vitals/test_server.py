"""The pages, asked for over HTTP."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from sinks.vitals.health import STALE_S, Health
from sinks.vitals.server import ServeError, Server
from sinks.vitals.vitals import Vitals
from tests.sinks.vitals.scraping import Clock, get, of


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock)


@pytest.fixture
def vitals() -> Vitals:
    return Vitals("1.2.3")


@pytest.fixture
def url(vitals: Vitals, health: Health) -> Iterator[str]:
    with Server(vitals, health) as server:
        yield server.url


def test_metrics_are_prometheus_text(url: str, vitals: Vitals) -> None:
    vitals.published("orders", 3)
    response, body = get(url, "/metrics?name=x")
    assert (response.status, response.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert response.headers["Content-Length"] == str(len(body))
    assert of("penstock_records_out", body) == {'penstock_records_out_total{topic="orders"}': 3}
    lines = body.splitlines()
    assert "# TYPE penstock_records_out_total counter" in lines
    assert 'penstock_records_out_total{topic="orders"} 3.0' in lines


def test_health_is_json_with_the_reasons(url: str, health: Health, clock: Clock) -> None:
    response, body = get(url, "/health/ready")
    assert (response.status, response.headers["Content-Type"]) == (503, "application/json")
    assert json.loads(body) == {
        "status": "failing",
        "reasons": ["nothing has been opened yet", "no source has been polled yet"],
        "progress_s_ago": None,
        "waiting_s": {},
    }
    with health.opening("publisher main"):
        health.beat()
    response, body = get(url, "/health/ready")
    assert (response.status, json.loads(body)["status"]) == (200, "ok")
    assert get(url, "/health/live")[0].status == 200
    clock.at += STALE_S + 1
    assert get(url, "/health/live")[0].status == 503


@pytest.mark.parametrize("path", ["/", "/health", "/metrics/"])
def test_elsewhere_there_is_a_hint(url: str, path: str) -> None:
    response, body = get(url, path)
    assert (response.status, body) == (404, "nothing here; there is /metrics /health/live /health/ready\n")


def test_head_is_the_same_without_a_body(url: str) -> None:
    response, body = get(url, "/health/live", "HEAD")
    assert (response.status, int(response.headers["Content-Length"]) > 0, body) == (200, True, "")


def test_a_silent_client_does_not_hold_up_the_others(url: str) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))):
        assert get(url, "/health/live")[0].status == 200


def test_it_listens_on_this_machine_only_and_no_more_afterwards(vitals: Vitals, health: Health) -> None:
    with Server(vitals, health) as server:
        assert server.url.startswith("http://127.0.0.1:")
    with pytest.raises(ConnectionRefusedError):
        get(server.url, "/health/live")


def test_a_port_that_is_taken_is_told_by_its_setting(url: str, vitals: Vitals, health: Health) -> None:
    port = int(url.rpartition(":")[2])
    with pytest.raises(ServeError) as refused, Server(vitals, health, port=port):
        pass
    assert str(refused.value) == (
        f"127.0.0.1:{port} is taken by another process: set serve.port to a free port (the next processes take the "
        "next ones), or to 0 to serve nothing"
    )


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 65_536)], ids=str)
def test_an_address_that_cannot_be_had_is_told_by_its_settings(
    vitals: Vitals, health: Health, host: str, port: int
) -> None:
    with pytest.raises(ServeError, match=rf"^cannot listen on {host}:{port}: .+; set serve\.host to") as refused:
        Server(vitals, health, host, port).__enter__()
    assert "serve.port" in str(refused.value)
