"""Messages of the topic of trades as batches: trades, clocks between them, and what is neither."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from connectors.kafka.trade_topic import TradeTopic
from schemas.batch import CLOCK_SLOT, TradeBatch, quote_slot
from tests.connectors.kafka.test_candle_topic import Sent

TRADE = {"symbol": "BTC/USDT", "ts": 1_000, "id": "7", "price": 10.5, "amount": 2.0, "side": "buy"}


def trade(ts: int, symbol: str = "BTC/USDT", **changes: Any) -> tuple[bytes | None, bytes]:
    return symbol.encode(), json.dumps({**TRADE, "ts": ts, "symbol": symbol, **changes}).encode()


def clock(ts: int) -> tuple[bytes | None, bytes]:
    return None, b'{"ts":%d}' % ts


QUOTE = {"symbol": "BTC/USDT", "ts": 1_000, "bid": 10.0, "ask": 10.5, "bid_size": 1, "ask_size": 2}


def quote(ts: int, symbol: str = "BTC/USDT", **changes: Any) -> tuple[bytes | None, bytes]:
    return None, json.dumps({**QUOTE, "ts": ts, "symbol": symbol, **changes}).encode()


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


def test_quotes_stand_between_trades_and_clocks_with_bid_and_ask() -> None:
    batch = TradeTopic("trades", 0).batch(sent(trade(1), quote(2, ask=11.0), clock(3), quote(4, "A"), trade(5, "A")))
    assert batch.symbols == ("BTC/USDT", "A")
    assert batch.slot.tolist() == [0, quote_slot(0), CLOCK_SLOT, quote_slot(1), 1]
    assert batch.ts.tolist() == [1, 2, 3, 4, 5]
    quoted = batch.slot < CLOCK_SLOT
    assert (batch.price[quoted].tolist(), batch.amount[quoted].tolist()) == ([10.0, 10.0], [11.0, 10.5])


def test_slots_are_given_in_the_order_of_the_partition_whatever_is_in_one_batch() -> None:
    messages = sent(quote(1, "C"), trade(1, "B"), quote(2, "A"), quote(3, "A", bid=-1), trade(2, "A"), quote(3, "B"))
    whole = TradeTopic("trades", 0)
    batch = whole.batch(messages)
    assert batch.symbols == ("C", "B", "A")
    for cut in range(1, len(messages)):
        other = TradeTopic("trades", 0)
        parts = [other.batch(messages[:cut]), other.batch(messages[cut:])]
        assert other.known == whole.known
        assert [slot for part in parts for slot in part.slot.tolist()] == batch.slot.tolist()
        assert [refused.position for part in parts for refused in part.refused] == [3]


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
        (quote(1, "N", bid=0), "without a key, so a quote: bid: Input should be greater than 0"),
        (quote(1, bid=0), "without a key, so a quote: bid: Input should be greater than 0"),
        (quote(-1), "without a key, so a quote: ts: Input should be greater than or equal to 0"),
        (quote(1, bid="x"), "without a key, so a quote: bid: Input should be a valid number"),
        (trade(1, "N", price=-1), "price: Input should be greater than 0"),
    ],
    ids=[
        "null",
        "no trade",
        "side",
        "empty",
        "trade without key",
        "new quote, bad bid",
        "bad bid",
        "bad time",
        "no number",
        "new symbol, bad price",
    ],
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
