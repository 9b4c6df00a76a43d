"""The feed of docker-compose.yml, by its very command, on this machine's broker and a simulated exchange."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from connectors.capture import files_of
from tests.deploy.compose import command, compose
from tests.exchange.beside import playing
from tests.exchange.tape import MINUTE, simulated
from tests.live import Installation, serving_port


@pytest.mark.long
def test_the_feed_of_live_publishes_and_records(kafka: str, tmp_path: Path) -> None:
    place, frames = Installation(kafka, tmp_path), tmp_path / "frames"
    place.done("topics", "create")
    config = tmp_path / "mine.yaml"
    config.write_text(f"serve: {{feed_port: {serving_port(1)}}}\n", encoding="utf-8")
    words = command(compose()["services"]["live-feed"])
    words = [word.replace("/etc/penstock/penstock.yaml", str(config)) for word in words]
    words = [word.replace("/var/lib/penstock", str(frames)) for word in words]
    tape = simulated(("BTC/USDT", "ETH/USDT"), 2, start=int(time.time() * 1_000) // MINUTE * MINUTE - 2 * MINUTE)
    with playing(tape) as exchange:
        urls = exchange.addresses("binance")
        words += ["--socket-url", urls["socket_url"], "--rest-url", urls["rest_url"]]
        with place.running(command=words) as feed:
            feed.until(
                lambda: sum(one.key() is not None for one in place.messages("trades")), len(tape.trades()).__eq__
            )
            assert feed.end() == 0
    assert len(place.messages("candles")) == len(tape.candles())
    assert [path.parts[-3] for path in files_of(frames)] == ["binance"]
