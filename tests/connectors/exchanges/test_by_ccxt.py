"""Exchanges through ccxt: ccxt itself, connected to a server on loopback that speaks as Binance does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import ccxt.pro
import pytest
from aiohttp import WSMsgType, web

from connectors.exchanges.by_ccxt import ByCcxt
from connectors.exchanges.interface import CANDLE, QUOTE, TRADE, ExchangeError, Notice, Parsed
from connectors.exchanges.registry import by_ccxt, exchange

TRADES = [
    {"e": "trade", "E": 7, "s": "ETHBTC", "t": n, "p": "0.05", "q": "2", "T": 60_000 + n, "m": True} for n in (1, 2)
]
KLINE = {
    "t": 60_000,
    "T": 119_999,
    "s": "ETHBTC",
    "i": "1m",
    "o": "1",
    "c": "2",
    "h": "3",
    "l": "1",
    "v": "5",
    "x": False,
}
FRAMES: dict[str, list[Any]] = {
    "ethbtc@trade": TRADES,
    "ethbtc@kline_1m": [{"e": "kline", "E": 7, "s": "ETHBTC", "k": KLINE}],
    "ethbtc@bookTicker": [{"u": 1, "s": "ETHBTC", "b": "0.05", "B": "1", "a": "0.06", "A": "2"}],
}
REST = {
    "/api/v3/klines": [[60_000, "1", "3", "1", "2", "5", 119_999, "7", 3, "1", "1", "0"]],
    "/api/v3/aggTrades": [{"a": 3, "p": "0.05", "q": "2", "f": 3, "l": 3, "T": 60_003, "m": False}],
}


async def socket(request: web.Request) -> web.WebSocketResponse:
    answer = web.WebSocketResponse()
    await answer.prepare(request)
    async for message in answer:
        if message.type is WSMsgType.TEXT:
            asked = json.loads(message.data)
            await answer.send_json({"result": None, "id": asked["id"]})
            for name in asked.get("params", []):
                for one in FRAMES.get(name.replace("aggTrade", "trade"), []):
                    await answer.send_json(one)
    return answer


async def rest(request: web.Request) -> web.Response:
    if request.path in REST:
        return web.json_response(REST[request.path])
    return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)


async def with_server(info: bytes, use: Callable[[ByCcxt], Any]) -> Any:
    """Run ``use`` with ccxt's Binance, whose addresses are those of the server."""
    app = web.Application()
    app.router.add_get("/ws{rest:.*}", socket)
    app.router.add_get("/{rest:.*}", rest)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = "127.0.0.1:" + str(runner.addresses[0][1])
    margins: dict[str, list[str]] = {
        "crossMarginPairsData": [],
        "isolatedMarginPairsData": [],
    }  # else it would ask for them
    client = ccxt.pro.binance({"newUpdates": True, "options": {"watchTrades": {"name": "trade"}, **margins}})
    client.set_markets(client.parse_markets(json.loads(info)["symbols"]))
    for name, url in client.urls["api"].items():
        if isinstance(url, str):
            client.urls["api"][name] = url.replace("https://api.binance.com", f"http://{address}")
    client.urls["api"]["ws"] = {"spot": f"ws://{address}/ws"}
    there = ByCcxt("binance", client)
    try:
        return await asyncio.wait_for(use(there), 30)
    finally:
        await there.close()
        await runner.cleanup()


@pytest.fixture
def markets(shared_data: Any) -> bytes:
    body: bytes = (shared_data / "frames/binance/exchange_info_response.json").read_bytes()
    return body


def test_what_ccxt_watches_becomes_frames_and_records(markets: bytes) -> None:
    async def use(there: ByCcxt) -> list[Parsed]:
        (one,) = there.sockets(["ETH/BTC"], ["trades", "quotes", "candles"])
        parser, found = there.parser(), list[Parsed]()
        async for frame in there.frames(one):
            found += parser.parse(frame, 119_999_000_000)
            if {type(record) for record in found} >= {TRADE, QUOTE, Notice} and len(found) >= 4:
                return found + parser.parse(frame, 122_000_000_000)
        raise AssertionError("it ended")

    found = asyncio.run(with_server(markets, use))
    trades = [one for one in found if isinstance(one, TRADE)]
    assert trades[0] == TRADE(symbol="ETH/BTC", ts=60_001, id="1", price=0.05, amount=2.0, side="sell")
    quote = next(one for one in found if isinstance(one, QUOTE))
    assert (quote.symbol, quote.bid, quote.ask, quote.bid_size, quote.ask_size) == ("ETH/BTC", 0.05, 0.06, 1.0, 2.0)
    assert [one for one in found if isinstance(one, CANDLE)] == [
        CANDLE(symbol="ETH/BTC", timeframe="1m", ts=120_000, open=1.0, high=3.0, low=1.0, close=2.0, volume=5.0)
    ]


def test_history_comes_through_ccxt(markets: bytes) -> None:
    async def use(there: ByCcxt) -> tuple[list[Any], list[Any], str]:
        candles = await there.get(there.candles_request("ETH/BTC", "1m", 60_000, 120_000))
        known = TRADE(symbol="ETH/BTC", ts=60_002, id="2", price=1.0, amount=1.0, side="buy")
        trades = await there.get(there.trades_request(known, 70_000))
        with pytest.raises(ExchangeError) as refusal:
            await there.get(there.candles_request("NO/THING", "1m", 60_000, 120_000))
        return there.parse_candles(candles, "ETH/BTC", "1m"), there.parse_trades(trades, "ETH/BTC"), str(refusal.value)

    candles, trades, refusal = asyncio.run(with_server(markets, use))
    assert [(one.ts, one.close) for one in candles] == [(120_000, 2.0)]
    assert trades == [TRADE(symbol="ETH/BTC", ts=60_003, id="3", price=0.05, amount=2.0, side="buy")]
    assert refusal == "binance: binance does not have market symbol NO/THING"


def test_a_market_that_does_not_exist_ends_the_frames(markets: bytes) -> None:
    async def use(there: ByCcxt) -> None:
        (one,) = there.sockets(["NO/THING"], ["trades"])
        async for _ in there.frames(one):
            raise AssertionError("a frame of nothing")

    with pytest.raises(ExchangeError, match="does not have market symbol NO/THING"):
        asyncio.run(with_server(markets, use))


def test_a_trade_without_an_id_is_known_by_its_facts_and_one_without_a_side_is_not_read() -> None:
    parser = exchange("okx").parser()
    body = {"symbol": "A/B", "timestamp": 5, "price": 1.5, "amount": 2.0, "side": "buy"}
    read = parser.parse(json.dumps({"stream": "trades", "symbol": "A/B", "data": [body]}).encode(), 0)
    assert read == [TRADE(symbol="A/B", ts=5, id="5-buy-1.5-2.0", price=1.5, amount=2.0, side="buy")]
    del body["side"]
    (bad,) = parser.parse(json.dumps({"stream": "trades", "symbol": "A/B", "data": [body]}).encode(), 0)
    assert isinstance(bad, Notice)
    assert bad.why.startswith("the exchange does not say who was the taker")


def test_every_exchange_of_ccxt_can_be_described() -> None:
    for name in by_ccxt():
        there = exchange(name)
        assert there.id == name
        assert set(there.streams) <= {"trades", "quotes", "candles"}


def test_an_exchange_that_ccxt_has_no_streams_of_still_has_a_history() -> None:
    there = exchange("bitso")
    assert (there.streams, there.history[0]) == ((), "1m")
    with pytest.raises(ValueError, match="bitso has no stream 'trades': it has none"):
        there.sockets(["BTC/MXN"], ["trades"])


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no exchange is named 'nowhere'; penstock exchanges list has all of them"):
        exchange("nowhere")
    with pytest.raises(ValueError, match="no exchange is named 'krakn'; did you mean kraken"):
        exchange("krakn")
