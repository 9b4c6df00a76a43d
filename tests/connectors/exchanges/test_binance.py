"""Binance's frames and answers, from its own documentation and from a recording of its socket."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.exchanges.binance import Binance
from connectors.exchanges.interface import CANDLE, QUOTE, TRADE, ExchangeError, Notice, Parsed

Frame = Callable[[str], bytes]
RECEIVED = 1_700_000_000_123_456_789


def parsed(body: bytes) -> Parsed:
    (one,) = Binance().parser().parse(body, RECEIVED)
    return one


def test_m_says_that_the_taker_sold(frame: Frame) -> None:
    assert parsed(frame("binance/trade_stream.json")) == TRADE(
        symbol="BTC/USDT", ts=123456785, id="5933014", price=0.001, amount=100.0, side="sell"
    )


def test_a_closed_kline_is_a_candle_and_an_open_one_is_not(frame: Frame) -> None:
    assert parsed(frame("binance/kline_stream_closed.json")) == CANDLE(
        symbol="BTC/USDT",
        timeframe="1m",
        ts=1638747720000,
        open=0.001,
        high=0.0025,
        low=0.001,
        close=0.002,
        volume=1000.0,
        quote_volume=1.0,
        count=100,
        taker_buy_volume=500.0,
    )
    assert parsed(frame("binance/kline_stream_open.json")) == Notice(
        "ignored", "a candle that is still open", symbol="BTC/USDT"
    )


def test_a_quote_without_a_time_gets_that_of_its_receipt() -> None:
    body = b'{"stream":"bnbusdt@bookTicker","data":{"u":4,"s":"BNBUSDT","b":"25.3","B":"31.2","a":"25.4","A":"40.6"}}'
    quote = QUOTE(symbol="BNB/USDT", ts=1_700_000_000_123, bid=25.3, ask=25.4, bid_size=31.2, ask_size=40.6)
    assert parsed(body) == quote
    assert parsed(json.dumps(json.loads(body)["data"]).encode()) == quote


def test_every_line_of_the_recording_is_read_and_its_trade_ids_have_no_hole(shared_data: Path) -> None:
    parser = Binance().parser()
    counted: Counter[str] = Counter()
    ids = []
    with gzip.open(shared_data / "binance-ws/btcusdt_20240808.gz") as lines:
        for line in lines:
            received, _, body = line.partition(b" ")
            for one in parser.parse(body, int(received)):
                counted[one.kind if isinstance(one, Notice) else type(one).__name__] += 1
                if isinstance(one, TRADE):
                    ids.append(int(one.id))
    assert counted == {"Trade": 9757, "Quote": 28_040, "ignored": 3_452}
    assert ids == list(range(ids[0], ids[0] + 9757))


@pytest.mark.parametrize(
    ("body", "notice"),
    [
        (b'{"result":null,"id":1}', Notice("subscribed", "request 1 was taken")),
        (b'{"code":2,"msg":"Invalid request","id":1}', Notice("error", "Invalid request")),
        (b'{"error":{"code":2,"msg":"no"},"id":1}', Notice("error", '{"code":2,"msg":"no"}')),
        (
            b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}',
            Notice("ignored", "!serverShutdown is not read"),
        ),
        (b'{"e":"aggTrade","E":7,"s":"BTCUSDT"}', Notice("ignored", "aggTrade is not read", ts=7)),
    ],
)
def test_what_is_no_record_is_a_notice(body: bytes, notice: Notice) -> None:
    assert parsed(body) == notice


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"e":"trade","s":"BTCUSDT","t":1,"p":"0","q":"1","T":1,"m":true}',
        b'{"e":"trade","s":"BTCUSDT","t":1,"p":"nan","q":"1","T":1,"m":true}',
        b'{"e":"trade","s":"NOTHING","t":1,"p":"1","q":"1","T":1,"m":true}',
        b'{"e":"newThing","s":"BTCUSDT"}',
    ],
)
def test_what_cannot_be_read_is_told_with_its_beginning(body: bytes) -> None:
    one = parsed(body)
    assert isinstance(one, Notice)
    assert one.kind == "unparsed"
    assert one.why.endswith(body.decode())


def test_a_socket_takes_300_symbols_and_says_hello_in_messages_of_200_streams() -> None:
    symbols = [f"A{number}/USDT" for number in range(301)]
    first, second = Binance(socket_url="ws://here").sockets(symbols, ["trades", "candles"], "5m")
    assert (first.url, len(first.symbols), len(first.hello)) == ("ws://here/stream", 300, 3)
    assert json.loads(second.hello[0]) == {
        "method": "SUBSCRIBE",
        "params": ["a300usdt@trade", "a300usdt@kline_5m"],
        "id": 1,
    }


@pytest.mark.parametrize("symbol", ["BTCUSDT", "BTC/USDT:USDT", "BTC/XYZ", ""])
def test_a_symbol_that_is_none_of_its_markets_is_refused(symbol: str) -> None:
    with pytest.raises(ValueError, match=r"market"):
        Binance().sockets([symbol], ["trades"])


def test_a_page_of_trades_follows_the_trade_that_is_known(frame: Frame) -> None:
    exchange = Binance(rest_url="http://here")
    (trade,) = exchange.parse_trades(frame("binance/trades_response.json"), "LTC/BTC")
    assert trade == TRADE(symbol="LTC/BTC", ts=1499865549590, id="28457", price=4.000001, amount=12.0, side="sell")
    request = exchange.trades_request(trade, until=1499865550000)
    assert request.url == "http://here/api/v3/historicalTrades"
    assert request.params == {"symbol": "LTCBTC", "fromId": "28458", "limit": "1000"}
    assert exchange.next_page(trade, 1499865550000, [trade] * 999) is None
    assert exchange.next_page(trade, 1499865550000, [trade] * 1000) is None
    later = TRADE(symbol="LTC/BTC", ts=1499865549599, id="29457", price=4.0, amount=1.0, side="buy")
    assert exchange.next_page(trade, 1499865550000, [trade] * 999 + [later]) == (later, 1499865550000)


def test_a_page_of_candles(frame: Frame) -> None:
    exchange = Binance(rest_url="http://here")
    request = exchange.candles_request("LTC/BTC", "1w", 1499040000000, 1499644800000)
    assert request.url == "http://here/api/v3/klines"
    assert request.params == {
        "symbol": "LTCBTC",
        "interval": "1w",
        "startTime": "1499040000000",
        "endTime": "1499644799999",
        "limit": "1000",
    }
    assert exchange.parse_candles(frame("binance/klines_response.json"), "LTC/BTC", "1w") == [
        CANDLE(
            symbol="LTC/BTC",
            timeframe="1w",
            ts=1499644800000,
            open=0.0163479,
            high=0.8,
            low=0.015758,
            close=0.015771,
            volume=148976.11427815,
            quote_volume=2434.19055334,
            count=308,
            taker_buy_volume=1756.87402397,
        )
    ]


def test_a_refusal_is_told_in_the_exchanges_words() -> None:
    with pytest.raises(ExchangeError, match=r"^binance: Invalid symbol\. \(code -1121\)$"):
        Binance().parse_trades(b'{"code":-1121,"msg":"Invalid symbol."}', "A/USDT")
    with pytest.raises(ExchangeError, match="cannot be read"):
        Binance().parse_candles(b"<html>", "A/USDT", "1m")
