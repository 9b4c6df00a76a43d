"""Binance's futures: what differs from spot."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from connectors.exchanges.binance_usdm import BinanceUsdm
from connectors.exchanges.interface import QUOTE, TRADE


def test_aggregated_trades_are_the_trades(frame: Callable[[str], bytes]) -> None:
    assert BinanceUsdm().parser().parse(frame("binance/agg_trade_stream.json"), 0) == [
        TRADE(symbol="BTC/USDT:USDT", ts=123456785, id="5933014", price=0.001, amount=100.0, side="sell")
    ]


def test_a_quote_has_its_own_time(frame: Callable[[str], bytes]) -> None:
    assert BinanceUsdm().parser().parse(frame("binance/book_ticker_stream.json"), 0) == [
        QUOTE(symbol="BNB/USDT:USDT", ts=1568014460891, bid=25.3519, ask=25.3652, bid_size=31.21, ask_size=40.66)
    ]


def test_quotes_have_their_own_address() -> None:
    quotes, rest = BinanceUsdm(socket_url="ws://here").sockets(["BTC/USDT:USDT"], ["trades", "quotes", "candles"], "1h")
    assert (quotes.url, quotes.streams) == ("ws://here/public/stream", ("quotes",))
    assert json.loads(quotes.hello[0])["params"] == ["btcusdt@bookTicker"]
    assert (rest.url, rest.streams) == ("ws://here/market/stream", ("trades", "candles"))
    assert json.loads(rest.hello[0])["params"] == ["btcusdt@aggTrade", "btcusdt@kline_1h"]


@pytest.mark.parametrize(
    ("symbol", "name"),
    [("BTC/USDT:USDT", "BTCUSDT"), ("ETH/USDC:USDC", "ETHUSDC"), ("BTC/USDT:USDT-260327", "BTCUSDT_260327")],
)
def test_names(symbol: str, name: str) -> None:
    assert BinanceUsdm().to_exchange(symbol) == name
    assert BinanceUsdm().from_exchange(name) == symbol


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BTC/USD:BTC", "BTC/USDT:USDC"])
def test_what_is_no_market_of_it(symbol: str) -> None:
    with pytest.raises(ValueError, match=r"BTC/USDT:USDT|quote currencies"):
        BinanceUsdm().to_exchange(symbol)


def test_a_page_of_trades() -> None:
    exchange = BinanceUsdm(rest_url="http://here")
    body = b'[{"a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27781,"T":1498793709153,"m":true}]'
    (trade,) = exchange.parse_trades(body, "BTC/USDT:USDT")
    assert trade == TRADE(
        symbol="BTC/USDT:USDT", ts=1498793709153, id="26129", price=0.01633102, amount=4.70443515, side="sell"
    )
    request = exchange.trades_request(trade, until=1498793709999)
    assert request.url == "http://here/fapi/v1/aggTrades"
    assert request.params == {"symbol": "BTCUSDT", "fromId": "26130", "limit": "1000"}
