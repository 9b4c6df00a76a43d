"""What the simulated exchanges say is read by the connectors as what it was made of."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from connectors.exchanges.interface import CANDLE, TRADE, ExchangeError, Notice, Request
from connectors.exchanges.registry import exchange
from schemas.timeframe import to_millis
from tests.exchange.protocol import Refused
from tests.exchange.server import PROTOCOLS
from tests.exchange.tape import MINUTE, Tape, longer, simulated

MARKETS = {"binance": "BTC/USDT", "bitunix": "BTC/USDT:USDT", "coinbase": "BTC/USD", "kraken": "BTC/USD"}
STREAMED = {"coinbase": "5m"}


def tape(name: str) -> Tape:
    return simulated([MARKETS[name]], minutes=30)


def ask(name: str, request: Request, there: Tape) -> Any:
    path = urlsplit(request.url).path
    return PROTOCOLS[name]().rest(path, request.params, there.trades(), there.candles())


def body(name: str, request: Request, there: Tape) -> bytes:
    return json.dumps(ask(name, request, there)).encode()


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_stream_that_is_asked_for_is_subscribed_to(name: str) -> None:
    at, protocol = exchange(name), PROTOCOLS[name]()
    (socket,) = at.sockets([MARKETS[name]], ["trades", "quotes", "candles"], STREAMED.get(name, "1m"))
    heard = [protocol.heard(text, 1_000) for text in socket.hello]
    assert set().union(*(topics for _, topics in heard)) == {
        (stream, MARKETS[name]) for stream in ("trades", "quotes", "candles")
    }
    parser, texts = at.parser(), [*protocol.hello(1_000), *(text for answers, _ in heard for text in answers)]
    said = [one for text in texts for one in parser.parse(text.encode(), 0)]
    assert {one.kind for one in said if isinstance(one, Notice)} <= {"subscribed", "ignored"}
    assert all(isinstance(one, Notice) for one in said)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_what_a_connection_brings_is_the_tape(name: str) -> None:
    there, parser = tape(name), exchange(name).parser()
    protocol = PROTOCOLS[name](there.candles())
    read: list[Any] = []
    for record in there.records:
        read += parser.parse(protocol.frame(record, record.ts).encode(), record.ts * 1_000_000)
    later = there.end + 5_000
    for text in (protocol.idle(later), protocol.frame(there.trades()[-1], later)):
        read += parser.parse(text.encode(), later * 1_000_000) if text else []
    records = [one for one in read if not isinstance(one, Notice)]
    assert {one.kind for one in read if isinstance(one, Notice)} <= {"ignored", "heartbeat"}
    trades = [one for one in records if isinstance(one, TRADE)][:-1]  # the last one came twice
    if name == "bitunix":  # it has no ids
        assert [(one.ts, one.price, one.amount, one.side) for one in trades] == [
            (one.ts, one.price, one.amount, one.side) for one in there.trades()
        ]
        assert len({one.id for one in trades}) == len(trades)
    else:
        assert trades == there.trades()
    quotes = [one for one in records if not isinstance(one, TRADE | CANDLE)]
    assert quotes == [one for one in there.records if not isinstance(one, TRADE | CANDLE)]
    candles = longer(there.candles(), MARKETS[name], STREAMED.get(name, "1m"))
    assert [one for one in records if isinstance(one, CANDLE)] == [protocol.told(one) for one in candles]


@pytest.mark.parametrize("name", PROTOCOLS)
@pytest.mark.parametrize("timeframe", ["1m", "5m"])
def test_history_has_the_candles_of_the_tape(name: str, timeframe: str) -> None:
    at, there = exchange(name), tape(name)
    since, until = there.start + 5 * MINUTE, there.start + 25 * MINUTE
    answer = body(name, at.candles_request(MARKETS[name], timeframe, since, until), there)
    length = to_millis(timeframe)
    found = [one for one in at.parse_candles(answer, MARKETS[name], timeframe) if since <= one.ts - length < until]
    wanted = longer(there.candles(), MARKETS[name], timeframe)
    assert len(found) == 20 * MINUTE // length
    assert found == [PROTOCOLS[name]().told(one) for one in wanted if since <= one.ts - length < until]


@pytest.mark.parametrize("name", ["binance", "coinbase", "kraken"])
def test_a_hole_is_filled_with_the_trades_of_the_tape(name: str) -> None:
    at, there = exchange(name), tape(name)
    trades = there.trades()
    answer = body(name, at.trades_request(trades[10], trades[40].ts), there)
    assert trades[11:40] == [one for one in at.parse_trades(answer, MARKETS[name]) if one in trades[11:40]]


@pytest.mark.parametrize("name", ["binance", "coinbase", "kraken"])
def test_a_market_that_is_not_there_is_refused_in_the_exchanges_own_words(name: str) -> None:
    at, there = exchange(name), tape(name)
    request = at.candles_request(MARKETS[name].replace("BTC", "NONE"), "1m", there.start, there.end)
    words = {"binance": "Invalid symbol", "coinbase": "valid product_id is required", "kraken": "EQuery:Unknown asset"}
    try:
        said = ask(name, request, there)
    except Refused as refused:
        said = refused.body
    with pytest.raises(ExchangeError, match=words[name]):
        at.parse_candles(json.dumps(said).encode(), "NONE/USD", "1m")


def test_lost_messages_of_coinbase_show_in_their_numbers() -> None:
    there, protocol, parser = tape("coinbase"), PROTOCOLS["coinbase"](), exchange("coinbase").parser()
    texts = [protocol.frame(one, one.ts).encode() for one in there.trades()[:5]]
    said = [parser.parse(text, 0) for text in (texts[0], texts[1], texts[4])]
    assert said[2][0] == Notice("gap", "2 messages before number 4 did not come")
