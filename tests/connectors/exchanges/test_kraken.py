"""Kraken's frames and answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.exchanges.interface import CANDLE, QUOTE, TRADE, ExchangeError, Notice, Parsed, Parser, UnreachableError
from connectors.exchanges.kraken import Kraken

Frame = Callable[[str], bytes]
MINUTE = 1696436700  # 2023-10-04T16:25:00Z
OPEN = Notice("ignored", "a candle that is still open", symbol="BTC/USD")


def ohlc(begin: str, close: float, trades: int = 1) -> bytes:
    row = {"symbol": "BTC/USD", "interval": 1, "interval_begin": begin, "open": 5.0, "high": 9.0, "low": 1.0}
    row |= {"close": close, "volume": 2.0, "vwap": 5.0, "trades": trades}
    return json.dumps({"channel": "ohlc", "type": "update", "data": [row]}).encode()


def closed(minute: int, close: float, trades: int = 1) -> CANDLE:  # type: ignore[valid-type]
    return CANDLE(
        symbol="BTC/USD",
        timeframe="1m",
        ts=minute * 1000 + 60_000,
        open=5.0,
        high=9.0,
        low=1.0,
        close=close,
        volume=2.0,
        count=trades,
        vwap=5.0,
    )


def heartbeat(parser: Parser, second: float) -> list[Parsed]:
    return [*parser.parse(b'{"channel":"heartbeat"}', int(second * 1e9))][1:]


def test_trades_come_in_their_order(frame: Frame) -> None:
    assert Kraken().parser().parse(frame("kraken/ws_trade_update.json"), 0) == [
        TRADE(symbol="BTC/USD", ts=1696613755440, id="10218208", price=105944.2, amount=0.00027625, side="buy"),
        TRADE(symbol="BTC/USD", ts=1696613756123, id="10218209", price=105910.5, amount=0.0001246, side="sell"),
    ]


def test_a_ticker_is_a_quote(frame: Frame) -> None:
    assert Kraken().parser().parse(frame("kraken/ws_ticker_snapshot.json"), 0) == [
        QUOTE(symbol="BTC/USD", ts=1671960659123, bid=105944.2, ask=105944.3, bid_size=2.5, ask_size=3.2)
    ]


def test_a_candle_is_let_go_when_the_next_one_begins() -> None:
    parser = Kraken().parser()
    assert parser.parse(ohlc("2023-10-04T16:25:00.000000000Z", 6.0), MINUTE * 10**9) == [OPEN]
    assert parser.parse(ohlc("2023-10-04T16:25:00.000000000Z", 7.0, 2), MINUTE * 10**9) == [OPEN]
    assert parser.parse(ohlc("2023-10-04T16:26:00.000000000Z", 8.0), MINUTE * 10**9) == [closed(MINUTE, 7.0, 2)]


def test_a_candle_of_a_quiet_market_is_let_go_two_seconds_after_its_end() -> None:
    parser = Kraken().parser()
    parser.parse(ohlc("2023-10-04T16:25:00Z", 6.0), MINUTE * 10**9)
    assert heartbeat(parser, MINUTE + 61.9) == []
    assert heartbeat(parser, MINUTE + 62) == [closed(MINUTE, 6.0)]
    assert heartbeat(parser, MINUTE + 63) == []


def test_a_change_after_the_end_gives_the_candle_again() -> None:
    parser = Kraken().parser()
    parser.parse(ohlc("2023-10-04T16:25:00Z", 6.0), MINUTE * 10**9)
    heartbeat(parser, MINUTE + 62)
    again = Notice("ignored", "a candle that was told before", symbol="BTC/USD")
    assert parser.parse(ohlc("2023-10-04T16:25:00Z", 6.0), (MINUTE + 63) * 10**9) == [again]
    assert parser.parse(ohlc("2023-10-04T16:25:00Z", 7.0, 2), (MINUTE + 63) * 10**9) == [closed(MINUTE, 7.0, 2)]


def test_the_recorded_candle_is_the_one_that_runs(frame: Frame) -> None:
    parser = Kraken().parser()
    assert parser.parse(frame("kraken/ws_ohlc_update.json"), MINUTE * 10**9) == [OPEN]
    (candle,) = heartbeat(parser, MINUTE + 62)
    assert candle == CANDLE(
        symbol="BTC/USD",
        timeframe="1m",
        ts=1696436760000,
        open=106038.2,
        high=106044.3,
        low=106038.1,
        close=106040.1,
        volume=30927.68066226,
        count=12,
        vwap=106039.6,
    )


def test_acknowledgement_pong_refusal_and_status(frame: Frame) -> None:
    parser = Kraken().parser()
    assert parser.parse(frame("kraken/ws_subscribe_response.json"), 0) == [
        Notice("subscribed", "ticker of BTC/USD", 1695632671742, "BTC/USD")
    ]
    assert parser.parse(frame("kraken/ws_pong.json"), 0) == [Notice("heartbeat", "pong", 1695632700123)]
    refusal = b'{"error":"Currency pair not supported A/B","method":"subscribe","success":false,"symbol":"A/B"}'
    assert parser.parse(refusal, 0) == [Notice("error", "Currency pair not supported A/B")]
    assert parser.parse(b'{"channel":"status","type":"update","data":[{}]}', 0) == [
        Notice("ignored", "status is not read")
    ]


def test_the_recorded_trades_have_the_times_of_the_socket_and_no_hole(shared_data: Path) -> None:
    trades = Kraken().parse_trades((shared_data / "kraken/http_trades.json").read_bytes(), "BTC/USDT")
    assert trades[0] == TRADE(
        symbol="BTC/USDT", ts=1762795433971, id="10218208", price=105433.6, amount=0.00027625, side="buy"
    )
    assert [int(one.id) for one in trades] == list(range(10218208, 10219208))


def test_the_recorded_candles(shared_data: Path) -> None:
    candles = Kraken().parse_candles((shared_data / "kraken/http_ohlc.json").read_bytes(), "BTC/USDT", "1m")
    assert len(candles) == 721
    assert [one.ts for one in candles] == list(range(1762777080000, 1762777080000 + 721 * 60_000, 60_000))
    assert candles[2] == CANDLE(
        symbol="BTC/USDT",
        timeframe="1m",
        ts=1762777200000,
        open=106038.3,
        high=106038.3,
        low=106038.3,
        close=106038.3,
        volume=0.00032101,
        count=1,
        vwap=106038.3,
    )
    assert (candles[0].count, candles[0].vwap) == (0, None)


def test_requests_use_the_old_names() -> None:
    exchange = Kraken(rest_url="http://here")
    trade = TRADE(symbol="DOGE/BTC", ts=1762795433971, id="1", price=1.0, amount=1.0, side="buy")
    request = exchange.trades_request(trade, until=1762795439999)
    assert request.url == "http://here/0/public/Trades"
    assert request.params == {"pair": "XDGXBT", "since": "1762795433970999999", "count": "1000"}
    assert exchange.candles_request("BTC/USD", "1h", 1762794000000, 1762797600000).params == {
        "pair": "XBTUSD",
        "interval": "60",
        "since": "1762793999",
    }
    assert exchange.from_exchange("XBTUSDT") == "BTC/USDT"


def test_a_refused_request_is_told() -> None:
    with pytest.raises(ExchangeError, match=r"^kraken: EQuery:Unknown asset pair$"):
        Kraken().parse_trades(b'{"error":["EQuery:Unknown asset pair"]}', "A/B")
    with pytest.raises(ExchangeError, match="cannot be read"):
        Kraken().parse_candles(b'{"error":[],"result":{"last":1}}', "A/B", "1m")


def test_a_message_for_each_stream() -> None:
    (socket,) = Kraken(socket_url="ws://here").sockets(["BTC/USD", "ETH/USD"], ["trades", "quotes", "candles"], "5m")
    both = ["BTC/USD", "ETH/USD"]
    assert [json.loads(hello)["params"] for hello in socket.hello] == [
        {"channel": "trade", "symbol": both, "snapshot": False},
        {"channel": "ticker", "symbol": both, "snapshot": True, "event_trigger": "bbo"},
        {"channel": "ohlc", "symbol": both, "snapshot": False, "interval": 5},
    ]


def test_a_refusal_that_will_pass_is_one_to_ask_again_after() -> None:
    with pytest.raises(UnreachableError, match="kraken: EGeneral:Too many requests"):
        Kraken().parse_candles(b'{"error":["EGeneral:Too many requests"]}', "BTC/USD", "1m")


@pytest.mark.parametrize("time", ["-1", "1e400", "99999999999999999"])
def test_a_time_that_cannot_be_is_refused(time: str) -> None:
    body = b'{"error":[],"result":{"XBTUSD":[["1","1",' + time.encode() + b',"b","l","",1]],"last":"1"}}'
    with pytest.raises(ExchangeError, match=r"^kraken: a"):
        Kraken().parse_trades(body, "BTC/USD")
