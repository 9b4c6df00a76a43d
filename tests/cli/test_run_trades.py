"""``penstock run`` that makes its candles of trades, on a real broker, beside the replay of the same trades."""

from __future__ import annotations

import json
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from connectors.sharding import shard_of
from tests.command import MINUTE, START
from tests.flows.bars.tapes import Row
from tests.live import Installation
from tests.replaying import records, replay

SECOND = 1_000
by_time = itemgetter("ts")
SYMBOLS = ("BTC/USDT", "ETH/USDT")
MINUTES = 90
SETS = (
    *("--set", "market.bars.timeframes=[1m, 5m]", "--set", "strategies.0.use=sma_cross"),
    *("--set", "strategies.0.params={fast: 3, slow: 8, stop_pct: 0.5}", "--set", "serve.port=0"),
)
QUOTED = ("bid", "ask")
TOPICS = ("bars", "signals", "orders", "fills")


def market() -> list[tuple[str, Row]]:
    """Two symbols that swing; the second is traded only now and then. Some trades are out of order, one is late."""
    rows = []
    for second in range(0, MINUTES * 60, 5):
        for number, symbol in enumerate(SYMBOLS):
            if number and second % 600 > 200:
                continue
            price = round(100 + 10 * number + 3 * ((second // 60) % 12 - 6) / 6 + (second % 7) / 100, 2)
            behind = 1_500 if second % 35 == 0 else 0
            rows.append((symbol, Row(START + second * SECOND - behind, second + 1, 0, price, 0.25, second % 3 > 0)))
    rows.insert(len(rows) // 2, ("BTC/USDT", Row(START + 10 * MINUTE, 10**6, 0, 50.0, 9.0)))
    return rows


def message(symbol: str, row: Row) -> bytes:
    side = "buy" if row.buy else "sell"
    record = {"symbol": symbol, "ts": row.ts, "id": str(row.id), "price": row.price, "amount": row.amount, "side": side}
    return json.dumps(record).encode()


@pytest.fixture
def installation(kafka: str, tmp_path: Path) -> Installation:
    one = Installation(kafka, tmp_path)
    one.done("topics", "create")
    return one


Quotes = list[dict[str, Any]]


def publish(installation: Installation, rows: list[tuple[str, Row]], upto: int) -> Quotes:
    """As a feed does it: trades by their symbols, and each second of event time quotes, and a clock on every partition.

    Returns the quotes.
    """
    said: Quotes = []
    producer, topic = Producer({"bootstrap.servers": installation.kafka}), installation.topic("trades")
    now = rows[0][1].ts
    for symbol, row in rows:
        while now + SECOND <= row.ts:
            now += SECOND
            said += quotes(producer, topic, now - 300)
            clock(producer, topic, now)
        producer.produce(topic, message(symbol, row), symbol, partition=shard_of(symbol, 4))
        producer.poll(0)
    for ts in range(now + SECOND, upto, SECOND):
        said += quotes(producer, topic, ts - 300)
        clock(producer, topic, ts)
    producer.flush()
    return said


def quotes(producer: Producer, topic: str, ts: int) -> Quotes:
    """Of each symbol one, without a key, in the partition of the symbol."""
    bid = 100 + ts // SECOND % 97 / 100
    sizes = {"bid_size": 1.0, "ask_size": 2.0}
    said: Quotes = [{"symbol": symbol, "ts": ts, "bid": bid, "ask": bid + 0.5, **sizes} for symbol in SYMBOLS]
    for one in said:
        producer.produce(topic, json.dumps(one).encode(), partition=shard_of(one["symbol"], 4))
    return said


def ahead(installation: Installation) -> None:
    """A trade and a clock of next week, which came today."""
    producer, week = Producer({"bootstrap.servers": installation.kafka}), 7 * 24 * 60 * MINUTE
    trade = message("BTC/USDT", Row(START + week, 10**7, 0, 50.0, 9.0))
    topic, place = installation.topic("trades"), shard_of("BTC/USDT", 4)
    producer.produce(topic, trade, "BTC/USDT", partition=place, timestamp=START)
    producer.produce(topic, b'{"ts":%d}' % (START + week), partition=place, timestamp=START)
    producer.flush()


def clock(producer: Producer, topic: str, ts: int) -> None:
    for partition in range(4):
        producer.produce(topic, b'{"ts":%d}' % ts, partition=partition)


@pytest.fixture
def replayed(tmp_path: Path) -> dict[str, list[dict[str, Any]]]:
    """The same trades from files."""
    files = []
    for symbol in SYMBOLS:
        lines = [
            f"{row.ts},{row.price},{row.amount},{'buy' if row.buy else 'sell'},{row.id}"
            for name, row in market()
            if name == symbol
        ]
        files.append(tmp_path / f"{symbol.replace('/', '_')}-trades.csv")
        files[-1].write_text("\n".join(["ts,price,amount,side,id", *lines]), encoding="utf-8")
    replay(files, tmp_path / "replayed", *SETS)
    return {topic: records(tmp_path / "replayed", topic) for topic in (*TOPICS, "deadletters")}


def test_a_live_run_decides_on_trades_what_their_replay_decides_also_when_it_is_killed(
    installation: Installation, replayed: dict[str, list[dict[str, Any]]]
) -> None:
    rows, end = market(), START + (MINUTES + 6) * MINUTE
    half = len(rows) // 2
    with installation.running(*SETS) as run:
        said = publish(installation, rows[:half], 0)
        run.until(lambda: installation.values("bars"), lambda bars: len(bars) > 40)
    ahead(installation)
    # Killed. What comes next closes all: the clock of the feed goes on past the end of the last candle.
    said += publish(installation, rows[half:], end)
    wanted = {topic: sorted(map(text, replayed[topic])) for topic in TOPICS}
    assert all(wanted.values())
    with installation.running(*SETS) as run:
        for topic in TOPICS:
            run.until(partial(installation.values, topic), partial(as_many, wanted[topic]))
        assert run.end() == 0
    for topic in TOPICS:  # files of trades have no quotes
        found = [{name: one[name] for name in one if name not in QUOTED} for one in installation.records(topic)]
        assert sorted(map(text, found)) == wanted[topic], topic
    for bar in (*installation.records("bars"), *installation.records("signals")):
        last = max((one for one in said if one["symbol"] == bar["symbol"] and one["ts"] <= bar["ts"]), key=by_time)
        assert [bar[name] for name in QUOTED] == [last[name] for name in QUOTED]
    letter, *others = sorted(installation.records("deadletters"), key=lambda one: str(one["reason"]), reverse=True)
    assert [(one["reason"], one["symbol"]) for one in others] == [("TIME_AHEAD", "BTC/USDT"), ("TIME_AHEAD", None)]
    told = [(one["code"], one["symbol"]) for one in installation.records("alerts") if one["code"] == "TIME_AHEAD"]
    assert told == [("TIME_AHEAD", "BTC/USDT"), ("TIME_AHEAD", None)]
    assert (letter["reason"], letter["symbol"], letter["source"]) == (
        *("TRADE_LATE", "BTC/USDT"),
        installation.topic("trades"),
    )
    assert json.loads(letter["raw"])["id"] == "1000000"
    assert [one["reason"] for one in replayed["deadletters"]] == ["TRADE_LATE"]


def test_files_of_trades_that_are_published_give_the_candles_of_their_replay(
    installation: Installation, replayed: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    installation.done("publish", *sorted(tmp_path.glob("*-trades.csv")))
    closed = START + (MINUTES * 60 - 5) * SECOND - 2 * SECOND  # so far behind the last trade as it may be late
    wanted = sorted(text(bar) for bar in replayed["bars"] if bar["ts"] <= closed)
    with installation.running(*SETS) as run:
        bars = run.until(lambda: installation.records("bars"), lambda bars: len(bars) >= len(wanted))
    assert sorted(map(text, bars)) == wanted
    assert len(wanted) > 150


def text(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True)


def as_many(wanted: list[str], found: list[bytes]) -> bool:
    return len(found) >= len(wanted)
