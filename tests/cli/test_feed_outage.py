"""Kafka goes away and comes back while a feed is at work, or it stays away."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from schemas.wire import encode
from tests.command import PENSTOCK
from tests.exchange.beside import playing
from tests.exchange.tape import MINUTE, Tape, simulated
from tests.kafka.broker import Broker
from tests.live import Installation, get, serving_port

pytestmark = pytest.mark.long
SYMBOL = "BTC/USDT"


def tape_from_now(seconds: float) -> Tape:
    now = int(time.time() * 1_000)
    tape = simulated([SYMBOL], 4, every_ms=100, start=(now // MINUTE - 1) * MINUTE)
    return Tape([one for one in tape.records if now - 1_000 < one.ts < now + seconds * 1_000])


def test_what_came_while_kafka_was_away_is_published_once_and_in_order(kafka_jars: Path, tmp_path: Path) -> None:
    broker, port = Broker(tmp_path / "broker").start(), serving_port(1)
    place = Installation(broker.address, tmp_path)
    try:
        place.done("topics", "create")
        with playing(tape := tape_from_now(15)) as exchange:
            urls = exchange.addresses("binance")
            words = ("--exchange", "binance", "--symbols", SYMBOL, "--streams", "trades")
            addresses = ("--socket-url", urls["socket_url"], "--rest-url", urls["rest_url"])
            command = (PENSTOCK, "feed", *words, *addresses, "--set", f"serve.feed_port={port}")
            with place.running(command=command) as feed:
                feed.until(lambda: 'kind="trades"} ' in get(port, "/metrics"), bool)
                broker.kill()
                feed.until(exchange.over.is_set, bool)
                assert get(port, "/health/live")
                broker.start()
                wanted = [encode(one) for one in tape.trades()]
                feed.until(lambda: len([one for one in place.messages("trades") if one.key()]), len(wanted).__eq__)
                assert feed.end() == 0
        assert [one.value() for one in place.messages("trades") if one.key()] == wanted
    finally:
        broker.kill()


def test_a_feed_that_cannot_hand_over_what_it_holds_says_so(kafka_jars: Path, tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker").start()
    place = Installation(broker.address, tmp_path)
    place.done("topics", "create")
    with playing(tape_from_now(60)) as exchange:
        urls = exchange.addresses("binance")
        words = ("--exchange", "binance", "--symbols", SYMBOL, "--set", "serve.feed_port=0")
        command = (PENSTOCK, "feed", *words, "--socket-url", urls["socket_url"], "--rest-url", urls["rest_url"])
        with place.running(command=command) as feed:
            feed.until(lambda: place.messages("trades"), bool)
            broker.kill()
            time.sleep(1)  # something has to wait for it
            assert feed.end() == 1
            assert " messages were not delivered within 10 s" in feed.said().splitlines()[-1]
