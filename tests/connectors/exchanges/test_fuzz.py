"""Whatever comes: no parser raises, and what it gives can be written and read again as a valid record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.exchanges.interface import CANDLE, QUOTE, TRADE, ExchangeError, Notice, Parsed
from connectors.exchanges.registry import EXCHANGES, exchange
from schemas.candle import Candle
from schemas.quote import Quote
from schemas.record import Record
from schemas.trade import Trade
from schemas.wire import encode

MODELS: dict[type, type[Record]] = {TRADE: Trade, QUOTE: Quote, CANDLE: Candle}
AT = "2026-04-07T14:30:10Z"
KLINE = {"t": 0, "i": "1m", "o": "2", "h": "3", "l": "1", "c": "2", "v": "1", "x": True, "q": "2", "n": 1, "V": "1"}
BINANCE = [
    {"e": "trade", "s": "BTCUSDT", "t": 1, "p": "1", "q": "1", "T": 1, "m": True},
    {"e": "aggTrade", "s": "BTCUSDT", "a": 1, "p": "1", "q": "1", "T": 1, "m": True},
    {"stream": "x@bookTicker", "data": {"u": 1, "s": "BTCUSDT", "b": "1", "B": "1", "a": "2", "A": "1"}},
    {"e": "kline", "s": "BTCUSDT", "k": KLINE},
]
MATCH = {"trade_id": "1", "product_id": "BTC-USD", "price": "1", "size": "1", "side": "BUY", "time": AT}
BUCKET = {"start": "0", "high": "3", "low": "1", "open": "2", "close": "2", "volume": "1", "product_id": "BTC-USD"}
OFFER = {"product_id": "BTC-USD", "best_bid": "1", "best_bid_quantity": "1", "best_ask": "2", "best_ask_quantity": "1"}
OHLC = {"symbol": "A/B", "interval": 1, "interval_begin": AT, "open": 2, "high": 3, "low": 1, "close": 2}
OHLC |= {"volume": 1, "vwap": 2, "trades": 1}
TICKER = {"symbol": "A/B", "bid": 1, "bid_qty": 1, "ask": 2, "ask_qty": 1, "timestamp": AT}
DEAL = {"symbol": "A/B", "side": "buy", "price": 1, "qty": 1, "trade_id": 1, "timestamp": AT}
BY_CCXT = "okx"
UNIFIED = {"symbol": "A/B", "timestamp": 1, "price": 1, "amount": 1, "side": "buy", "id": "1"}
GOOD: dict[str, list[Any]] = {
    "binance": BINANCE,
    "binanceusdm": BINANCE,
    "bitunix": [
        {"ch": "trade", "symbol": "BTCUSDT", "ts": 1, "data": [{"t": AT, "p": "1", "v": "1", "s": "buy"}]},
        {"ch": "depth_book1", "symbol": "BTCUSDT", "ts": 1, "data": {"b": [["1", "1"]], "a": [["2", "1"]]}},
        {
            "ch": "market_kline_1min",
            "symbol": "BTCUSDT",
            "ts": 1,
            "data": {"o": "2", "h": "3", "l": "1", "c": "2", "b": "1", "q": "2"},
        },
    ],
    "coinbase": [
        {"channel": "market_trades", "timestamp": AT, "sequence_num": 1, "events": [{"trades": [MATCH]}]},
        {"channel": "candles", "timestamp": AT, "sequence_num": 2, "events": [{"candles": [BUCKET]}]},
        {"channel": "ticker", "timestamp": AT, "sequence_num": 3, "events": [{"tickers": [OFFER]}]},
        {"channel": "subscriptions", "timestamp": AT, "events": [{"subscriptions": {"ticker": ["A"]}}]},
    ],
    "kraken": [
        {"channel": "trade", "data": [DEAL]},
        {"channel": "ticker", "data": [TICKER]},
        {"channel": "ohlc", "data": [OHLC]},
        {"method": "subscribe", "success": True, "result": {"channel": "ohlc", "symbol": "A/B"}, "time_out": AT},
    ],
    BY_CCXT: [
        {"stream": "trades", "symbol": "A/B", "data": [UNIFIED]},
        {"stream": "quotes", "symbol": "A/B", "data": {"timestamp": 1, "bid": 1, "ask": 2, "bidVolume": 1}},
        {"stream": "candles", "symbol": "A/B", "timeframe": "1m", "data": [[0, 2, 3, 1, 2, 1]]},
        {"stream": "trades", "symbol": "A/B", "error": "lost"},
    ],
}
OPENED = [60_000, "2", "3", "1", "2", "1", 119_999, "2", 1, "1", "1", "0"]
SOLD = {"id": 1, "price": "1", "qty": "1", "time": 1, "isBuyerMaker": True}
AGGREGATE = {"a": 1, "p": "1", "q": "1", "T": 1, "m": True}
ROW = {"open": 2, "high": 3, "low": 1, "close": 2, "time": 60_000, "quoteVol": "1", "baseVol": "2"}
ANSWERS: dict[str, list[Any]] = {
    "binance": [[OPENED], [SOLD], {"code": -1121, "msg": "Invalid symbol."}],
    "binanceusdm": [[OPENED], [AGGREGATE], {"code": -1121, "msg": "Invalid symbol."}],
    "bitunix": [{"code": 0, "data": [ROW], "msg": "Success"}, {"code": 10006, "data": None, "msg": "Too frequently"}],
    "coinbase": [{"candles": [BUCKET]}, {"trades": [MATCH]}, {"error": "NOT_FOUND", "message": "No"}],
    "kraken": [
        {"error": [], "result": {"XBTUSD": [[60, "2", "3", "1", "2", "2", "1", 1]], "last": 60}},
        {"error": [], "result": {"XBTUSD": [["1", "1", 1.5, "b", "l", "", 1]], "last": "1"}},
        {"error": ["EQuery:Unknown asset pair"]},
    ],
    BY_CCXT: [[[60_000, 2, 3, 1, 2, 1]], [UNIFIED]],
}
odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        [
            "0",
            "-1",
            "nan",
            "Infinity",
            "1e999",
            "",
            AT,
            "BTCUSDT",
            "buy",
            "1m",
            "999999999999-01-01",
            "1950-01-01T00:00:00Z",
        ]
    ),
    st.sampled_from(["A/" + "B" * 70, "A-" + "B" * 70, "A" * 70 + "USDT"]),
    st.sampled_from([[], {}, [[]], [{}], {"a": {}}]).map(deepcopy),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all that stands in a message."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


@st.composite
def spoilt(draw: st.DrawFn, good: list[Any]) -> bytes:
    """A message with up to three places put to something odd or taken away, now and then cut short."""
    message = json.loads(json.dumps(draw(st.sampled_from(good))))
    for _ in range(draw(st.integers(0, 3))):
        found = list(places(message))
        if not found:
            break
        path = draw(st.sampled_from(found))
        inner = message
        for key in path[:-1]:
            inner = inner[key]
        if draw(st.booleans()):
            inner[path[-1]] = draw(odd)
        else:
            del inner[path[-1]]
    text = json.dumps(message).encode()
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 9)) == 0 else text


def check(parsed: list[Parsed]) -> None:
    assert parsed
    for one in parsed:
        if not isinstance(one, Notice):
            MODELS[type(one)].model_validate_json(encode(one))


@pytest.mark.parametrize("name", GOOD)
def test_the_good_messages_are_read(name: str) -> None:
    parser = exchange(name).parser()
    kinds = {
        one.kind for good in GOOD[name] for one in parser.parse(json.dumps(good).encode(), 0) if isinstance(one, Notice)
    }
    assert "unparsed" not in kinds


@pytest.mark.parametrize("name", GOOD)
@settings(max_examples=300)
@given(st.data(), st.integers(0, 2**63))
def test_no_message_breaks_a_parser(name: str, data: st.DataObject, received: int) -> None:
    parser = exchange(name).parser()
    for frame in data.draw(st.lists(st.one_of(spoilt(GOOD[name]), st.binary(max_size=40)), min_size=1, max_size=4)):
        check(parser.parse(frame, received))


@pytest.mark.parametrize("name", GOOD)
def test_no_depth_of_nesting_breaks_a_parser(name: str) -> None:
    parser = exchange(name).parser()
    for body in (b"[" * 100_000, b'{"data":' * 100_000, b'{"ch":"trade","data":' + b"[" * 100_000):
        (one,) = parser.parse(body, 0)
        assert isinstance(one, Notice)
        assert one.kind == "unparsed"


def read_or_refused(name: str, body: bytes) -> list[Any]:
    """The records of an answer. What is refused has to be refused in words."""
    there, records = exchange(name), list[Any]()
    for read in (lambda: there.parse_candles(body, "A/B", "1m"), lambda: there.parse_trades(body, "A/B")):
        refusals: list[str] = []
        try:
            records += read()
        except ExchangeError as error:
            refusals = [str(error)]
        assert all(text.startswith(name) for text in refusals)
    check([*records, Notice("ignored", "")])
    return records


def test_each_exchange_has_messages_and_answers_here() -> None:
    assert {*EXCHANGES, BY_CCXT} == set(GOOD) == set(ANSWERS)


@pytest.mark.parametrize("name", ANSWERS)
def test_the_good_answers_are_read(name: str) -> None:
    kinds = {type(one) for good in ANSWERS[name] for one in read_or_refused(name, json.dumps(good).encode())}
    assert kinds == ({CANDLE} if name == "bitunix" else {CANDLE, TRADE})


@pytest.mark.parametrize("name", ANSWERS)
@settings(max_examples=200)
@given(st.data())
def test_an_answer_is_read_or_refused_in_words(name: str, data: st.DataObject) -> None:
    read_or_refused(name, data.draw(st.one_of(spoilt(ANSWERS[name]), st.binary(max_size=60))))
