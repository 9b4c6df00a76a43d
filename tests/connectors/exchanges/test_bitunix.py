"""Bitunix's frames and answers. Prices and forms are those of its pages and of messages that others recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.exchanges.bitunix import Bitunix
from connectors.exchanges.interface import CANDLE, QUOTE, TRADE, ExchangeError, Notice, UnreachableError

SYMBOL = "BTC/USDT:USDT"
MINUTE = 1786650720000


def message(ch: str, ts: int, data: Any) -> bytes:
    return json.dumps({"ch": ch, "symbol": "BTCUSDT", "ts": ts, "data": data}).encode()


def kline(ts: int, close: str) -> bytes:
    data = {"o": "63404.6", "c": close, "h": "63404.8", "l": "63404.5", "b": "0.2413", "q": "15299.54977"}
    return message("market_kline_1min", ts, data)


def candle(close: float) -> object:
    return CANDLE(
        symbol=SYMBOL,
        timeframe="1m",
        ts=MINUTE + 60_000,
        open=63404.6,
        high=63404.8,
        low=63404.5,
        close=close,
        volume=0.2413,
        quote_volume=15299.54977,
    )


def test_a_candle_opens_where_the_time_of_its_message_says_and_ends_with_the_next_one() -> None:
    parser = Bitunix().parser()
    open_ = Notice("ignored", "a candle that is still open", symbol=SYMBOL)
    assert parser.parse(kline(MINUTE, "63404.6"), 0) == [open_]
    assert parser.parse(kline(MINUTE + 59_999, "63404.7"), 0) == [open_]
    assert parser.parse(kline(MINUTE + 60_000, "63404.8"), 0) == [candle(63404.7)]


def test_another_markets_message_two_seconds_later_ends_it_too() -> None:
    parser = Bitunix().parser()
    parser.parse(kline(MINUTE, "63404.6"), 0)
    book = {"b": [["1.5", "2"]], "a": [["1.6", "0"]]}
    assert parser.parse(message("depth_book1", MINUTE + 62_000, book), 0) == [
        QUOTE(symbol=SYMBOL, ts=MINUTE + 62_000, bid=1.5, ask=1.6, bid_size=2.0, ask_size=0.0),
        candle(63404.6),
    ]


def test_trades_that_are_alike_have_ids_of_their_own() -> None:
    row = {"t": "2024-12-04T11:36:47.959908526Z", "p": "27000.5", "v": "0.001", "s": "buy"}
    later = {"t": "2024-12-04T11:36:47.960Z", "p": "27000", "v": "0.002", "s": "sell"}
    parsed = Bitunix().parser().parse(message("trade", 1733312208000, [later, row, row]), 0)
    buy, sell = "1733312207959-buy-27000.5-0.001", "1733312207960-sell-27000.0-0.002"
    assert parsed == [
        TRADE(symbol=SYMBOL, ts=1733312207959, id=f"{buy}-1", price=27000.5, amount=0.001, side="buy"),
        TRADE(symbol=SYMBOL, ts=1733312207959, id=f"{buy}-2", price=27000.5, amount=0.001, side="buy"),
        TRADE(symbol=SYMBOL, ts=1733312207960, id=f"{sell}-1", price=27000.0, amount=0.002, side="sell"),
    ]


@pytest.mark.parametrize(
    ("body", "notice"),
    [
        (b'{"op":"connect","data":{"result":true}}', Notice("ignored", "connected")),
        (b'{"op":"ping","pong":1732519687,"ping":1732519690}', Notice("heartbeat", "pong")),
        (b'{"op":"error","code":2,"msg":"no such channel"}', Notice("error", "no such channel")),
        (
            message("depth_book1", 5, {"b": [["", ""]], "a": [["", ""]]}),
            Notice("error", "the market does not exist", 5, SYMBOL),
        ),
        (
            message("depth_book1", 5, {"b": [], "a": [["1", "1"]]}),
            Notice("ignored", "one side of the order book is empty", 5, SYMBOL),
        ),
        (message("depth_book15", 5, {}), Notice("ignored", "depth_book15 is not read", 5)),
        (message("mark_kline_1min", 5, {}), Notice("ignored", "mark_kline_1min is not read", 5)),
    ],
)
def test_what_is_no_record_is_a_notice(body: bytes, notice: Notice) -> None:
    assert Bitunix().parser().parse(body, 0) == [notice]


def test_subscriptions_go_in_messages_of_a_hundred() -> None:
    symbols = [f"A{number}/USDT:USDT" for number in range(101)]
    first, second = Bitunix().sockets(symbols, ["trades", "candles"], "1h")
    assert [len(json.loads(hello)["args"]) for hello in first.hello] == [100, 100]
    assert json.loads(second.hello[0])["args"] == [
        {"symbol": "A100USDT", "ch": "trade"},
        {"symbol": "A100USDT", "ch": "market_kline_60min"},
    ]


def test_the_ping_has_the_time_in_seconds() -> None:
    assert json.loads(Bitunix().ping(1732519687999)) == {"op": "ping", "ping": 1732519687}


def test_candles_come_sorted_with_the_volumes_put_right() -> None:
    exchange = Bitunix(rest_url="http://here")
    row = {"open": 60000, "high": 60001, "close": 60000, "low": 59989.2, "quoteVol": "1", "baseVol": "60000"}
    rows = [row | {"time": MINUTE + 60_000, "type": "LAST_PRICE"}, row | {"time": MINUTE}]
    body = json.dumps({"code": 0, "data": rows, "msg": "Success"}).encode()
    candles = exchange.parse_candles(body, SYMBOL, "1m")
    assert [one.ts for one in candles] == [MINUTE + 60_000, MINUTE + 120_000]
    assert (candles[0].volume, candles[0].quote_volume) == (1.0, 60000.0)
    assert exchange.candles_request(SYMBOL, "1m", MINUTE, MINUTE + 201 * 60_000).params == {
        "symbol": "BTCUSDT",
        "interval": "1m",
        "limit": "200",
        "type": "LAST_PRICE",
        "startTime": str(MINUTE),
        "endTime": str(MINUTE + 200 * 60_000 - 1),
    }


def test_there_is_no_history_of_trades_and_a_refusal_is_told() -> None:
    trade = TRADE(symbol=SYMBOL, ts=1, id="1", price=1.0, amount=1.0, side="buy")
    with pytest.raises(ValueError, match="no history of trades"):
        Bitunix().trades_request(trade, 2)
    with pytest.raises(ExchangeError, match=r"^bitunix: Parameter error \(code 10002\)$"):
        Bitunix().parse_candles(b'{"code":10002,"msg":"Parameter error","data":null}', SYMBOL, "1m")


@pytest.mark.parametrize("code", [10001, 10005, 10006])
def test_a_refusal_that_will_pass_is_one_to_ask_again_after(code: int) -> None:
    body = json.dumps({"code": code, "data": None, "msg": "Request too frequently"}).encode()
    with pytest.raises(UnreachableError, match=rf"bitunix: Request too frequently \(code {code}\)"):
        Bitunix().parse_candles(body, SYMBOL, "1m")
