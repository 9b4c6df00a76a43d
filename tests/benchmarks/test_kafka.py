"""The comparison on Kafka, in short: the sides that need no environment of their own, on a real broker."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import pytest
from confluent_kafka import Producer

from benchmarks.kafka.broker_io import Gate, Watch, create, signals
from benchmarks.kafka.heat import heat
from benchmarks.kafka.market import Feed, difference, simulated
from benchmarks.kafka.sides import OUR_PYTHON, PEERS, SIDES, Side, script

WARM = 60


@pytest.fixture(scope="module")
def feed() -> Feed:
    return simulated(symbols=8, minutes=240)


def test_the_signals_of_the_feed_are_those_of_the_peers_strategy(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PEERS)
    peer = import_module("crossing")
    found: list[bytes] = []
    states: dict[str, tuple[list[float], int]] = {symbol: ([], 0) for symbol in feed.symbols}
    for candle in map(json.loads, feed.values):
        closes, side = states[candle["symbol"]]
        side, crossed = peer.crossing(closes, side, candle["close"])
        states[candle["symbol"]] = (closes, side)
        if crossed:
            found.append(json.dumps(peer.signal(candle["symbol"], candle["ts"], crossed, candle["close"])).encode())
    assert len(found) > 50
    assert difference(feed.signals, signals(found)) is None


def test_the_first_rows_of_a_feed_owe_the_first_signals(feed: Feed) -> None:
    head = feed.head(8 * 100 + 3)
    assert (len(head.ts), len(head)) == (100, 800)
    assert head.signals == simulated(symbols=8, minutes=100).signals
    assert feed.count(100) == len(head.signals)
    assert feed.head(None) is feed


@pytest.mark.parametrize("name", ["Bytewax", "bare loop, signals", "bare loop, every candle"])
def test_a_side_gives_what_it_owes(name: str, feed: Feed, kafka: str, tmp_path: Path) -> None:
    side = SIDES[name]
    done = heat(side, feed, WARM, kafka, tmp_path)
    assert done.rows == (240 - WARM) * 8
    assert done.messages == side.owes(feed) - side.owes(feed, WARM) > 0
    assert done.seconds > 0


LIAR = """
import sys, time
from confluent_kafka import Producer
producer = Producer({"bootstrap.servers": sys.argv[1]})
for line in open(sys.argv[5]):
    producer.produce(sys.argv[3], line.rstrip())
producer.flush()
time.sleep(60)
"""


@pytest.mark.parametrize("lie", ["one twice", "one missing", "one changed"])
def test_a_side_that_gives_anything_else_is_found_out(lie: str, feed: Feed, kafka: str, tmp_path: Path) -> None:
    symbol, ts, side = feed.signals[0]
    other = (symbol, ts, "short" if side == "long" else "long")
    told = {
        "one twice": [*feed.signals, feed.signals[0]],
        "one missing": [feed.signals[1], *feed.signals[1:]],
        "one changed": [other, *feed.signals[1:]],
    }
    lines = [json.dumps({"symbol": symbol, "ts": ts, "side": side}) for symbol, ts, side in told[lie]]
    (tmp_path / "signals").write_text("\n".join(lines))
    honest = script("liar", OUR_PYTHON, "bare.py", str(tmp_path / "signals"))
    liar = Side("liar", honest.prepare, lambda job: [sys.executable, "-c", LIAR, *honest.command(job)[2:]])
    with pytest.raises(SystemExit, match=r"liar does not give what it has to: [01] signals missing: .*; 1 too many"):
        heat(liar, feed, WARM, kafka, tmp_path)


def test_a_side_that_dies_is_reported_with_its_words(feed: Feed, kafka: str, tmp_path: Path) -> None:
    honest = script("bare", OUR_PYTHON, "bare.py")
    broken = Side("broken", honest.prepare, lambda job: [sys.executable, "-c", "raise SystemExit('no idea')"])
    with pytest.raises(SystemExit, match=r"ended with 1:\nno idea"):
        heat(broken, feed, WARM, kafka, tmp_path)


def test_nobody_can_read_the_feed_before_the_gate_opens(feed: Feed, kafka: str, tmp_path: Path) -> None:
    topic = f"test-gate-{tmp_path.name}"
    create(kafka, {topic: 4})
    gate, watch = Gate(kafka, topic, feed, WARM), Watch(kafka, topic, 4)
    watch.until(WARM * 8, lambda: None)
    assert sorted(watch.rest()) == sorted(feed.values[: WARM * 8])
    gate.open()
    watch.until(240 * 8, lambda: None)
    assert sorted(watch.rest()) == sorted(feed.values)
    watch.close()


def test_a_watch_sees_what_comes_after_the_last_message_that_is_owed(kafka: str, tmp_path: Path) -> None:
    topic = f"test-watch-{tmp_path.name}"
    create(kafka, {topic: 1})
    producer = Producer({"bootstrap.servers": kafka})
    for value in (b"1", b"2", b"3"):
        producer.produce(topic, value)
    producer.flush()
    watch = Watch(kafka, topic)
    watch.until(1, lambda: None)
    assert watch.rest() == [b"1", b"2", b"3"]
    watch.close()
