from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from confluent_kafka import Producer

from connectors.kafka.admin import Topics
from connectors.kafka.connection import Connection
from schemas.candle import Candle
from schemas.config.kafka import KafkaConfig
from schemas.ids import event_id
from schemas.topics import TOPICS
from schemas.trace import trace_id
from schemas.wire import wire
from sinks.kafka.messages import message
from sinks.kafka.publisher import Publisher
from sinks.kafka.recording import SETTINGS, Recording
from tests.kafka.topics import QUIET
from tests.schemas.examples import EXAMPLES

Run = Callable[..., Any]
MINUTE = 60_000
BTC, ETH = "BTC/USDT", "ETH/USDT"


def record(topic: str, minute: int, **fields: Any) -> tuple[str, Any]:
    """The example of a topic with other values, at the close of a minute."""
    return topic, wire(TOPICS[topic].record)(**{**EXAMPLES[topic], "symbol": BTC, "ts": minute * MINUTE, **fields})


def signal(minute: int, side: str, **fields: Any) -> tuple[str, Any]:
    symbol = fields.get("symbol", BTC)
    return record("signals", minute, id=event_id("cross", symbol, minute), strategy="cross", side=side, **fields)


def order(minute: int, leg: str, position: int, signal_at: int | None) -> tuple[str, Any]:
    """An order whose position was decided at a minute, and whose signal came at another, if it has one."""
    ids = {
        "id": event_id("main", "cross", BTC, minute * MINUTE, leg),
        "position_id": event_id("main", "cross", BTC, position * MINUTE, "entry"),
        "signal_id": None if signal_at is None else event_id("cross", BTC, signal_at),
    }
    return record("orders", minute, strategy="cross", leg=leg, side="buy" if leg == "entry" else "sell", **ids)


def filled(minute: int, one: tuple[str, Any], status: str) -> list[tuple[str, Any]]:
    """The fill of an order, and what it did to the position."""
    made, same = one[1], {"strategy": "cross"}
    fill = {"id": f"{made.id}:1", "order_id": made.id, "position_id": made.position_id, "leg": made.leg}
    quantity = Decimal("0.10")
    return [
        record("fills", minute, side=made.side, **fill, **same),
        record("positions", minute, id=made.position_id, side="long", status=status, quantity=quantity, **same),
    ]


# At minute 1 a signal opens a position; it fills in candle 2. At minute 3 another one closes it and opens the next,
# both fill in candle 4, in which the stop of the new position is reached. ETH is refused at minute 1, and a shadow of
# BTC held at minutes 2 to 3.
FIRST, CLOSE = order(1, "entry", 1, 1), order(3, "exit", 1, 3)
SECOND, STOP = order(3, "entry", 3, 3), order(4, "stop", 3, None)
REFUSED = record(
    "rejections", 1, id="refused-eth", symbol=ETH, signal_id=event_id("cross", ETH, 1), code="FUNDS_INSUFFICIENT"
)
SHADOW = {"strategy": "ghost", "mode": "shadow"}
SHADOW_POSITION = event_id("main", "ghost", BTC, 1 * MINUTE, "entry")
TWINS = [record("rejections", 6, id=f"beef-{n}", symbol="SOL/USDT", signal_id=f"none-{n}", code="X") for n in (1, 2)]
STORY = [
    *TWINS,
    signal(1, "long"),
    signal(1, "long", symbol=ETH),
    record("signals", 1, id="ghost-signal", **SHADOW),
    REFUSED,
    FIRST,
    *filled(2, FIRST, "open"),
    record("positions", 2, id=SHADOW_POSITION, status="open", side="long", **SHADOW),
    signal(3, "short"),
    record("positions", 3, id=SHADOW_POSITION, status="closed", side="long", **SHADOW),
    CLOSE,
    SECOND,
    *filled(4, CLOSE, "closed"),
    *filled(4, SECOND, "open"),
    STOP,
    *filled(4, STOP, "closed"),
]
# What a path says: topic, minute of its event time, and what it is.
Line = tuple[str, int, str]
LIFE_OF_FIRST: list[Line] = [
    ("candle", 1, ""),
    ("signal", 1, "cross long"),
    ("order", 1, "entry buy"),
    ("candle", 2, ""),
    ("fill", 2, "entry buy"),
    ("position", 2, "long 0.10 open"),
    ("candle", 3, ""),
    ("signal", 3, "cross short"),
    ("order", 3, "exit sell"),
    ("candle", 4, ""),
    ("fill", 4, "exit sell"),
    ("position", 4, "long 0.10 closed"),
]
FROM_THREE: list[Line] = [
    ("candle", 3, ""),
    ("signal", 3, "cross short"),
    ("order", 3, "exit sell"),
    ("order", 3, "entry buy"),
    ("candle", 4, ""),
    ("fill", 4, "exit sell"),
    ("position", 4, "long 0.10 closed"),
    ("fill", 4, "entry buy"),
    ("position", 4, "long 0.10 open"),
    ("order", 4, "stop sell"),
    ("fill", 4, "stop sell"),
    ("position", 4, "long 0.10 closed"),
]
OF_ETH: list[Line] = [("candle", 1, ""), ("signal", 1, "cross long"), ("rejection", 1, "FUNDS_INSUFFICIENT")]
OF_GHOST: list[Line] = [
    ("candle", 1, ""),
    ("signal", 1, "ghost long"),
    ("candle", 2, ""),
    ("position", 2, "long 0.10 open"),
    ("candle", 3, ""),
    ("position", 3, "long 0.10 closed"),
]


@dataclass(frozen=True)
class Place:
    prefix: str
    environ: dict[str, str]
    run: Run

    def __call__(self, *words: str) -> Any:
        return self.run("trace", *words, **self.environ)


@pytest.fixture(scope="module")
def installation(kafka: str) -> tuple[str, dict[str, str]]:
    """Topics of its own with the story on them, each minute in a transaction of its own."""
    prefix = f"t{uuid.uuid4().hex[:8]}."
    config = KafkaConfig(bootstrap_servers=kafka, prefix=prefix)
    Topics(Connection(config)).create()
    candle = wire(Candle)
    candles = [candle(**{**EXAMPLES["candles"], "symbol": s, "ts": n * MINUTE}) for n in range(7) for s in (BTC, ETH)]
    recording = Recording(Producer({**SETTINGS, "bootstrap.servers": kafka}, logger=QUIET), f"{prefix}candles")
    bars = Recording(Producer({**SETTINGS, "bootstrap.servers": kafka}, logger=QUIET), f"{prefix}bars")
    fields = {**EXAMPLES["candles"], "symbol": ETH, "ts": MINUTE}
    bars.publish(candle(**{**fields, "timeframe": timeframe}) for timeframe in ("5m", "1m"))
    names = [prefix + name for name in TOPICS]
    publisher = Publisher({"bootstrap.servers": kafka}, prefix, "p", names, None, lambda one: (one,), log=QUIET)
    for minute in range(7):
        recording.publish(candles[2 * minute : 2 * minute + 2])
        made = [message(topic, one, "main") for topic, one in STORY if one.ts == minute * MINUTE]
        publisher.publish(replace(one, topic=prefix + one.topic) for one in made)
    return prefix, {"PENSTOCK__KAFKA__BOOTSTRAP_SERVERS": kafka, "PENSTOCK__KAFKA__PREFIX": prefix}


@pytest.fixture
def place(installation: tuple[str, dict[str, str]], penstock: Run) -> Place:
    return Place(*installation, penstock)


def told(out: str) -> list[Line]:
    """The lines of the table, without what the candles are and what differs from run to run."""
    lines = []
    for line in out.splitlines()[1:]:
        step, _, rest = line.partition(" ")
        what, _, time = rest.partition("1970-01-01T00:")
        words = what.strip()
        cut = "" if step == "candle" else " ".join(words.split()[: 3 if step == "position" else 2])
        lines.append((step, int(time[:2]), cut))
    return lines


@pytest.mark.parametrize(
    ("id_", "wanted"),
    [
        (event_id("cross", BTC, 1), LIFE_OF_FIRST),
        (FIRST[1].id, LIFE_OF_FIRST),
        (f"{FIRST[1].id}:1", LIFE_OF_FIRST),
        (CLOSE[1].id, FROM_THREE),
        (STOP[1].id, FROM_THREE),
        (f"{STOP[1].id}:1", FROM_THREE),
        (FIRST[1].id[:9], LIFE_OF_FIRST),
        ("refused-eth", OF_ETH),
        (event_id("cross", ETH, 1), OF_ETH),
        (f"{ETH}@60000", OF_ETH),
        ("ghost-signal", OF_GHOST),
        (SHADOW_POSITION, OF_GHOST),
        (f"{BTC}@1970-01-01T00:05Z", [("candle", 5, "")]),
        (trace_id(ETH, MINUTE), OF_ETH),
    ],
)
def test_any_record_leads_to_its_candle_and_to_all_that_followed(place: Place, id_: str, wanted: list[Line]) -> None:
    result = place(id_)
    assert result.code == 0, result.err
    assert told(result.out) == wanted


def test_a_candle_has_what_was_filled_in_it_and_what_was_decided_at_its_close(place: Place) -> None:
    steps = [line for line in told(place(trace_id(BTC, 4 * MINUTE)).out) if line[1] == 4]
    assert [step for step, _, _ in steps] == [step for step, minute, _ in FROM_THREE if minute == 4]


def test_the_object_has_each_message_with_its_place_and_the_time_since_the_candle(place: Place) -> None:
    found = json.loads(place("refused-eth", "--json").out)
    candle, wish, refusal = found["steps"]
    assert [step["topic"] for step in found["steps"]] == ["candles", "signals", "rejections"]
    assert (found["id"], refusal["symbol"], refusal["ts"]) == ("refused-eth", ETH, MINUTE)
    assert (refusal["partition"], refusal["offset"], refusal["record"]["code"]) == (0, 0, "FUNDS_INSUFFICIENT")
    assert (wish["record"]["id"], wish["offset"]) == (event_id("cross", ETH, 1), 1)
    assert (candle["partition"], candle["offset"], candle["after_candle_ms"]) == (3, 1, 0)
    assert wish["after_candle_ms"] >= 0
    assert wish["time"] >= candle["time"]


def test_where_candles_are_made_of_trades_it_begins_with_the_one_that_strategies_saw(place: Place) -> None:
    found = json.loads(place("refused-eth", "--json", "--set", "market.bars.timeframes=1m,5m").out)
    assert [step["topic"] for step in found["steps"]] == ["bars", "signals", "rejections"]
    assert (found["steps"][0]["record"]["timeframe"], found["steps"][0]["offset"]) == ("1m", 1)


@pytest.mark.parametrize(
    ("id_", "message"),
    [
        (
            "nothing",
            "nothing with the id nothing on {p}orders (kept 365 d), {p}fills (kept 365 d), {p}positions",
        ),
        ("0" * 32, "nothing with the id 00000000000000000000000000000000 on {p}orders"),
        (
            "BTC/USDT@7",
            "no candle BTC/USDT@7 on {p}candles (kept 7 d), {p}signals (kept 90 d): write the symbol",
        ),
        ("beef", "2 ids begin with beef: write more of it, as of beef-1, beef-2"),
        ("abcd", "nothing with the id abcd on {p}orders"),
        ("BTC/USDT@noon", "BTC/USDT closes at noon: write a time as"),
    ],
)
def test_what_is_not_there_is_said_with_where_it_was_looked_for(place: Place, id_: str, message: str) -> None:
    result = place(id_)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("penstock: " + message.format(p=place.prefix))
