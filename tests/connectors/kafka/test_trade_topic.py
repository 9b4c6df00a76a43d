"""Messages of the topic of trades as batches: trades, clocks between them, and what is neither."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from connectors.kafka.trade_topic import TradeTopic
from schemas.batch import TradeBatch
from tests.connectors.kafka.test_candle_topic import Sent

TRADE = {"symbol": "BTC/USDT", "ts": 1_000, "id": "7", "price": 10.5, "amount": 2.0, "side": "buy"}


def trade(ts: int, symbol: str = "BTC/USDT", **changes: Any) -> tuple[bytes | None, bytes]:
    return symbol.encode(), json.dumps({**TRADE, "ts": ts, "symbol": symbol, **changes}).encode()


def clock(ts: int) -> tuple[bytes | None, bytes]:
    return None, b'{"ts":%d}' % ts


def sent(*messages: tuple[bytes | None, bytes | None], first: int = 0) -> list[Sent]:
    return [Sent(value, first + at, [("a", b"1")], key) for at, (key, value) in enumerate(messages)]


def rows(batch: TradeBatch) -> list[tuple[str | None, int, int]]:
    names = [None if slot < 0 else batch.symbols[slot] for slot in batch.slot.tolist()]
    return list(zip(names, batch.ts.tolist(), batch.position.tolist(), strict=True))


def test_trades_and_clocks_stay_in_their_order() -> None:
    topic = TradeTopic("trades", 3)
    batch = topic.batch(
        sent(clock(1), trade(2, id="8"), clock(3), trade(2, "A", side="sell", id="x"), trade(5), first=7)
    )
    assert (batch.shard, batch.topic, batch.partition, batch.final) == ("trades-3", "trades", 3, False)
    assert rows(batch) == [(None, 1, 7), ("BTC/USDT", 2, 8), (None, 3, 9), ("A", 2, 10), ("BTC/USDT", 5, 11)]
    assert batch.price.tolist() == [0.0, 10.5, 0.0, 10.5, 10.5]
    assert batch.amount.tolist() == [0.0, 2.0, 0.0, 2.0, 2.0]
    assert batch.buy.tolist() == [False, True, False, False, True]
    assert (batch.id[[1, 4]].tolist(), bool(batch.id[3] < 0)) == ([8, 7], True)
    assert (batch.arrived_ms, batch.sources, batch.refused) == (7_000_011, ("trades", "trades"), ())


def test_symbols_keep_their_slots_also_behind_a_restart() -> None:
    topic = TradeTopic("trades", 0)
    topic.batch(sent(trade(1, "B"), trade(1, "A")))
    other = TradeTopic("trades", 0, pickle.loads(pickle.dumps(topic.known)))
    for one in (topic, other):
        batch = one.batch(sent(trade(2, "A"), trade(2, "C"), trade(2, "B")))
        assert (batch.symbols, batch.slot.tolist()) == (("B", "A", "C"), [1, 2, 0])


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ((b"BTC/USDT", None), "the message is null; a trade is an object"),
        ((b"BTC/USDT", b'{"ts":1}'), "symbol: Field required"),
        ((b"BTC/USDT", trade(1, side="both")[1]), "side: Input should be 'buy' or 'sell'"),
        ((None, b""), "without a key, so a clock: Invalid JSON"),
        ((None, trade(1)[1]), "without a key, so a clock: symbol: Extra inputs are not permitted"),
        (trade(1, "N", price=-1), "price: Input should be greater than 0"),
    ],
    ids=["null", "no trade", "side", "empty", "trade without key", "new symbol, bad price"],
)
def test_what_is_neither_is_refused_with_its_bytes_and_moves_nothing(
    message: tuple[bytes | None, bytes | None], error: str
) -> None:
    topic = TradeTopic("trades", 0)
    batch = topic.batch(sent(trade(1), message, trade(3)))
    assert rows(batch) == [("BTC/USDT", 1, 0), ("BTC/USDT", 3, 2)]
    (refused,) = batch.refused
    assert (refused.position, refused.raw, refused.reason) == (1, message[1], "MESSAGE_INVALID")
    assert refused.error.startswith(error)
    assert refused.headers == ("a=1",)
    assert (batch.raw[1], batch.heads[1]) == (trade(3)[1].decode(), ("BTC/USDT", ("a=1",)))
    assert topic.known.symbols == ("BTC/USDT",)


def test_a_bad_figure_of_a_known_symbol_is_left_to_the_operators() -> None:
    batch = TradeTopic("trades", 0).batch(sent(trade(1), trade(2, amount=0)))
    assert (batch.amount.tolist(), batch.refused) == ([2.0, 0.0], ())


def test_no_messages_are_a_batch_without_rows() -> None:
    batch = TradeTopic("trades", 0).batch([])
    assert (len(batch), batch.refused, batch.arrived_ms) == (0, (), None)
