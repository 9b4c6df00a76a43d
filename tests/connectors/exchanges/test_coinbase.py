"""Coinbase's frames and answers."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from connectors.exchanges.coinbase import Coinbase
from connectors.exchanges.interface import CANDLE, QUOTE, TRADE, ExchangeError, Notice

Frame = Callable[[str], bytes]


def beat(number: int, at: str = "2026-04-07T14:30:10Z") -> bytes:
    return json.dumps({"channel": "heartbeats", "timestamp": at, "sequence_num": number, "events": []}).encode()


def test_trades_are_given_oldest_first(frame: Frame) -> None:
    first = TRADE(symbol="BTC/USD", ts=1775572202789, id="995098700", price=68900.5, amount=0.0015, side="buy")
    second = TRADE(symbol="BTC/USD", ts=1775572202800, id="995098701", price=68900.0, amount=0.05, side="sell")
    message = json.loads(frame("coinbase/ws_market_trades.json"))
    assert Coinbase().parser().parse(json.dumps(message).encode(), 0) == [first, second]
    message["events"][0]["trades"].reverse()
    assert Coinbase().parser().parse(json.dumps(message).encode(), 0) == [first, second]


def test_a_ticker_is_a_quote_with_the_time_of_the_message(frame: Frame) -> None:
    assert Coinbase().parser().parse(frame("coinbase/ws_ticker.json"), 0) == [
        QUOTE(symbol="BTC/USD", ts=1775572203000, bid=68900.0, ask=68901.0, bid_size=1.5, ask_size=0.5)
    ]


def test_a_candle_is_let_go_by_the_exchanges_own_time(frame: Frame) -> None:
    message = json.loads(frame("coinbase/ws_candles.json"))
    message["timestamp"] = "2026-04-07T00:34:59Z"
    parser = Coinbase().parser()
    open_ = Notice("ignored", "a candle that is still open", symbol="BTC/USD")
    assert parser.parse(json.dumps(message).encode(), 0) == [open_]
    assert parser.parse(beat(4, "2026-04-07T00:35:01.999Z"), 0) == [Notice("heartbeat", "heartbeats", 1775522101999)]
    assert parser.parse(beat(5, "2026-04-07T00:35:02Z"), 0)[1:] == [
        CANDLE(
            symbol="BTC/USD",
            timeframe="5m",
            ts=1775522100000,
            open=68900.0,
            high=68950.0,
            low=68850.0,
            close=68920.5,
            volume=42.15,
        )
    ]


def test_lost_messages_show_in_the_numbers_of_the_connection() -> None:
    parser = Coinbase().parser()
    alive = Notice("heartbeat", "heartbeats", 1775572210000)
    assert parser.parse(beat(7), 0) == [alive]
    assert parser.parse(beat(8), 0) == [alive]
    assert parser.parse(beat(11), 0) == [Notice("gap", "2 messages before number 11 did not come"), alive]
    assert parser.parse(beat(10), 0) == [alive]
    assert parser.parse(beat(12), 0) == [alive]


def test_a_message_that_cannot_be_read_does_not_count() -> None:
    parser = Coinbase().parser()
    parser.parse(beat(1), 0)
    (bad,) = parser.parse(b'{"channel":"ticker","timestamp":"2026-04-07T14:30:10Z","sequence_num":2,"events":[1]}', 0)
    assert isinstance(bad, Notice)
    assert bad.kind == "unparsed"
    assert parser.parse(beat(3), 0)[0] == Notice("gap", "1 messages before number 3 did not come")


def test_subscriptions_and_errors(frame: Frame) -> None:
    parser = Coinbase().parser()
    said = "level2: BTC-USD; market_trades: BTC-USD, ETH-USD"
    assert parser.parse(frame("coinbase/ws_subscriptions.json"), 0) == [Notice("subscribed", said, 1775572200000)]
    assert parser.parse(frame("coinbase/ws_heartbeats.json"), 0) == [Notice("heartbeat", "heartbeats", 1775572210000)]
    assert parser.parse(b'{"type":"error","message":"channel is not supported"}', 0) == [
        Notice("error", "channel is not supported")
    ]


def test_a_message_for_each_channel_and_heartbeats_always() -> None:
    (socket,) = Coinbase(socket_url="ws://here").sockets(["BTC/USD"], ["trades", "quotes"])
    assert [json.loads(hello) for hello in socket.hello] == [
        {"type": "subscribe", "channel": "heartbeats"},
        {"type": "subscribe", "product_ids": ["BTC-USD"], "channel": "market_trades"},
        {"type": "subscribe", "product_ids": ["BTC-USD"], "channel": "ticker"},
    ]


def test_what_it_does_not_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="coinbase streams no candles of 1m: it has 5m"):
        Coinbase().sockets(["BTC/USD"], ["candles"], "1m")
    with pytest.raises(ValueError, match="sends market data of BTC/USDC as BTC/USD"):
        Coinbase().sockets(["BTC/USDC"], ["trades"])


def test_candles_come_sorted_and_a_request_is_no_longer_than_a_page(frame: Frame) -> None:
    exchange = Coinbase(rest_url="http://here")
    candles = exchange.parse_candles(frame("coinbase/http_candles.json"), "BTC/USD", "1h")
    assert [(one.ts, one.close) for one in candles] == [(1712192400000, 66314.59), (1712196000000, 66181.6)]
    request = exchange.candles_request("BTC/USD", "1h", 1712188800000, 1712188800000 + 301 * 3_600_000)
    assert request.url == "http://here/api/v3/brokerage/market/products/BTC-USD/candles"
    assert request.params == {
        "start": "1712188800",
        "end": str(1712188800 + 300 * 3_600 - 1),
        "granularity": "ONE_HOUR",
    }


def test_the_next_page_of_a_hole_ends_where_this_one_began() -> None:
    exchange = Coinbase()
    body = json.dumps(
        {
            "trades": [
                {"trade_id": str(n), "price": "1", "size": "1", "side": "SELL", "time": f"2026-04-07T14:30:{n:02}Z"}
                for n in (12, 11)
            ]
        }
    )
    page = exchange.parse_trades(body.encode(), "BTC/USD")
    assert [one.id for one in page] == ["11", "12"]
    after = TRADE(symbol="BTC/USD", ts=1775572200000, id="1", price=1.0, amount=1.0, side="buy")
    assert exchange.trades_request(after, 1775572215500).params == {
        "limit": "1000",
        "start": "1775572200",
        "end": "1775572216",
    }
    assert exchange.next_page(after, 1775572215500, page) is None
    assert exchange.next_page(after, 1775572215500, page * 500) == (after, 1775572211000)


def test_a_refusal_is_told_in_the_exchanges_words() -> None:
    with pytest.raises(ExchangeError, match=r"^coinbase: product not found$"):
        Coinbase().parse_trades(b'{"error":"NOT_FOUND","message":"product not found"}', "A/USD")
