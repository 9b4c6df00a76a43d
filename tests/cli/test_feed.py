"""From a simulated exchange through ``penstock feed`` onto a real broker, and from its recording once more."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from connectors.capture import lines
from connectors.exchanges.interface import QUOTE
from connectors.feed.recorded import recorded
from connectors.feed.reports import Out
from connectors.sharding import shard_of
from schemas.capture import Note
from schemas.wire import encode
from tests.command import PENSTOCK, Result, penstock
from tests.exchange.beside import playing
from tests.exchange.server import PROTOCOLS, Mischief
from tests.exchange.tape import MINUTE, Tape, candles_of, simulated
from tests.live import Installation, get, serving_port

SYMBOLS = ("BTC/USDT", "ETH/USDT")
PARTITIONS = {"trades": 4, "quotes": 4, "candles": 4, "alerts": 1, "metrics": 1}


def tape_until(seconds: float) -> Tape:
    """Three minutes that are past, and come as soon as somebody subscribes, and so many seconds from now."""
    now = int(time.time() * 1_000)
    tape = simulated(SYMBOLS, 6, start=(now // MINUTE - 3) * MINUTE)
    return Tape([one for one in tape.records if one.ts < now + seconds * 1_000])


def words(urls: dict[str, str], symbols: str = ",".join(SYMBOLS), name: str = "binance") -> list[str]:
    named = ["--exchange", name, "--symbols", symbols]
    return [*named, "--socket-url", urls["socket_url"], "--rest-url", urls["rest_url"]]


def published(place: Installation) -> dict[tuple[str, int], list[tuple[str | None, bytes]]]:
    """Keys and values by topic and partition."""
    found: dict[tuple[str, int], list[tuple[str | None, bytes]]] = {}
    for topic in PARTITIONS:
        for one in place.messages(topic):
            key = None if one.key() is None else one.key().decode()
            found.setdefault((topic, one.partition()), []).append((key, one.value()))
    return found


def expected(out: list[Out]) -> dict[tuple[str, int], list[tuple[str | None, bytes]]]:
    """The same, of the records that a recording gives."""
    found: dict[tuple[str, int], list[tuple[str | None, bytes]]] = {}
    for topic, one in out:
        name = getattr(one, {"alerts": "code", "metrics": "name"}.get(topic, "symbol"), None)
        count = PARTITIONS[topic]
        for partition in range(count) if name is None else [shard_of(name, count)]:
            key = None if topic == "trades" and isinstance(one, QUOTE) else name  # between trades, as clocks
            found.setdefault((topic, partition), []).append((key, encode(one)))
    return found


def values(place: Installation, topic: str, symbol: str) -> list[bytes]:
    return [one.value() for one in place.messages(topic) if one.key() == symbol.encode()]


def test_what_was_traded_is_on_the_topics_whatever_happens_on_the_way(kafka: str, tmp_path: Path) -> None:
    place, port = Installation(kafka, tmp_path), serving_port(1)
    place.done("topics", "create")
    tape, now = tape_until(6), int(time.time() * 1_000)
    past: list[tuple[Any, int]] = [("swallow", 3), ("reorder", 4), ("duplicate", 5), ("truncate", 1), ("unknown", 2)]
    mischief = [Mischief(tape.start + 20_000 * (at + 1), kind, count) for at, (kind, count) in enumerate(past)]
    with playing(tape, [*mischief, Mischief(now + 3_000, "drop"), Mischief(now + 4_500, "close")]) as exchange:
        urls = words(exchange.addresses("binance"))
        command = (PENSTOCK, "feed", *urls, "--record", "frames", "--set", f"serve.feed_port={port}")
        with place.running(command=command) as feed:
            ready = feed.until(lambda: get(port, "/health/ready"), bool)
            assert json.loads(ready)["status"] == "ok"
            whole = [len(tape.trades(symbol)) for symbol in SYMBOLS]
            feed.until(lambda: [len(values(place, "trades", symbol)) for symbol in SYMBOLS], whole.__eq__)
            shown = get(port, "/metrics")
            assert feed.end(signal.SIGTERM) == 0
    first, *_, last = feed.said().splitlines()
    assert first == (
        f"trades, quotes, 1m candles of 2 markets of binance on 1 socket, to Kafka at {kafka} and frames/binance"
    )
    frames = sum(not isinstance(line.said, Note) for line in lines(tmp_path / "frames"))
    on_topics = published(place)
    assert last == f"ended: {sum(map(len, on_topics.values())):,} messages published, {frames:,} frames recorded"
    # Every trade once and in order; and the recording gives all that was published, byte for byte.
    assert exchange.missed
    for symbol in SYMBOLS:
        assert values(place, "trades", symbol) == [encode(one) for one in tape.trades(symbol)]
        told = [PROTOCOLS["binance"]().told(one) for one in tape.candles(symbol)]
        candles = [re.sub(rb',"bid":[^,]*,"ask":[^,}]*', b"", value) for value in values(place, "candles", symbol)]
        assert candles == [encode(one) for one in told]
    between = [value for at in range(4) for key, value in on_topics["trades", at] if key is None]
    assert any(b'"bid"' in value for value in between)
    metrics = on_topics["metrics", 0]
    assert [key for key, _ in metrics].count("feed_opened") == 1
    on_topics["metrics", 0] = [one for one in metrics if one[0] != "feed_opened"]
    assert on_topics == expected([one for _, out in recorded(tmp_path / "frames") for one in out])
    alerts = [json.loads(value)["code"] for _, value in on_topics["alerts", 0]]
    assert {"FEED_GAP", "FEED_LOST", "FEED_BACK", "FEED_UNPARSED"} <= set(alerts)
    gaps = re.findall(r'penstock_feed_gaps_total{exchange="binance",records="trades"} (\S+)', shown)
    assert float(gaps[0]) >= 1
    assert 'penstock_feed_sockets{exchange="binance",state="up"} 1.0' in shown


def test_frames_are_recorded_without_kafka(tmp_path: Path) -> None:
    tape = tape_until(1)
    place = Installation("127.0.0.1:1", tmp_path)
    with playing(tape) as exchange:
        command = (PENSTOCK, "record", *words(exchange.addresses("binance")), "--out", "frames")
        with place.running(command=(*command, "--set", "serve.feed_port=0", "--streams", "trades")) as recording:
            recording.until(exchange.over.is_set, bool)
            assert recording.end(signal.SIGINT) == 130
    made = [one for _, out in recorded(tmp_path / "frames") for one in out]
    trades = [one for topic, one in made if topic == "trades" and hasattr(one, "id")]
    assert candles_of(trades) == candles_of(tape.trades())
    said = [line.said for line in lines(tmp_path / "frames")]
    assert isinstance(said[0], Note)
    assert said[0] == Note("opened", exchange="binance", symbols=SYMBOLS, streams=("trades",), timeframe="1m")
    assert said[-1] == Note("closed")


def wrong(folder: Path, *more: str, symbols: str = "BTC/USDT", name: str = "binance") -> Result:
    urls = {"socket_url": "ws://127.0.0.1:1", "rest_url": "http://127.0.0.1:1"}
    result = penstock(folder, "record", *words(urls, symbols, name), "--out", "frames", *more)
    assert (result.code, result.out) == (2, "")
    return result


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("'BTCUSDT' is no market of Binance spot: write it as BTC/USDT", {"symbols": "BTCUSDT"}),
        ("--symbols names BTC/USDT twice", {"symbols": "BTC/USDT,ETH/USDT,BTC/USDT"}),
        ("--symbols 'BTC/USDT,': write names with commas between them", {"symbols": "BTC/USDT,"}),
        ("binance has no stream 'books': it has trades, quotes, candles", {"more": ("--streams", "trades,books")}),
        ("binance streams no candles of 7m: it has 1s, 1m, ", {"more": ("--timeframe", "7m")}),
        ("mtgox is reached through ccxt, which has its own addresses", {"name": "mtgox"}),
    ],
)
def test_what_there_is_not_is_named(tmp_path: Path, said: str, what: dict[str, Any]) -> None:
    assert wrong(tmp_path, *what.pop("more", ()), **what).err.startswith(f"penstock: {said}")
    assert not (tmp_path / "frames").exists()


def test_an_exchange_without_candles_of_a_minute_gives_the_shortest_that_it_has(tmp_path: Path) -> None:
    urls = {"socket_url": "ws://127.0.0.1:1", "rest_url": "http://127.0.0.1:1"}
    given = (*words(urls, "BTC/USD", "coinbase"), "--out", "frames", "--set", "serve.feed_port=0")
    with Installation("127.0.0.1:1", tmp_path).running(command=(PENSTOCK, "record", *given)) as run:
        run.until(run.said, lambda said: "trades, quotes, 5m candles of 1 market of coinbase on 1 socket" in said)
        assert run.end() == 0


def test_a_missing_topic_is_named(kafka: str, tmp_path: Path) -> None:
    place = Installation(kafka, tmp_path)
    urls = {"socket_url": "ws://127.0.0.1:1", "rest_url": "http://127.0.0.1:1"}
    result = place.command("feed", *words(urls))
    missing = ", ".join(place.topic(name) for name in PARTITIONS)
    assert (result.code, result.err) == (2, f"penstock: {kafka} has no topic {missing}: penstock topics create\n")


def test_a_second_exchange_is_refused_on_the_same_topics_and_the_same_one_is_not(kafka: str, tmp_path: Path) -> None:
    place, urls = Installation(kafka, tmp_path), {"socket_url": "ws://127.0.0.1:1", "rest_url": "http://127.0.0.1:1"}
    place.done("topics", "create")
    more = ("--set", "serve.feed_port=0")
    with place.running(command=(PENSTOCK, "feed", *words(urls, name="kraken"), *more)) as first:
        first.until(first.said, lambda said: "of kraken on 1 socket" in said)
        result = place.command("feed", *words(urls), *more)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("penstock: kraken is fed onto the topics of this kafka.prefix, too (its feed told")
        assert result.err.endswith("or, if the feed of kraken has ended for good, try again in 3 minutes\n")
        assert first.end(signal.SIGTERM) == 0
    with place.running(command=(PENSTOCK, "feed", *words(urls, name="kraken"), *more)) as again:
        again.until(again.said, lambda said: "of kraken on 1 socket" in said)


def test_two_cannot_record_the_same(tmp_path: Path) -> None:
    place = Installation("127.0.0.1:1", tmp_path)
    with playing(tape_until(60)) as exchange:
        command = (
            PENSTOCK,
            "record",
            *words(exchange.addresses("binance")),
            "--out",
            "frames",
            "--set",
            "serve.feed_port=0",
        )
        with place.running(command=command) as first:
            first.until(lambda: [*tmp_path.rglob("*.zst")], bool)
            second = penstock(tmp_path, *command[1:])
            assert second.code == 2
            assert "another process is recording to it: give each its own folder" in second.err
            assert first.end() == 0
