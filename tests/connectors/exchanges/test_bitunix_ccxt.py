"""Bitunix as a class of ccxt's kind, at the simulated exchange on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt
import pytest

from connectors.exchanges.bitunix_ccxt import bitunix, signature
from tests.exchange.past import Past, past
from tests.exchange.tape import MINUTE, START, Tape, simulated

SYMBOL = "BTC/USDT:USDT"
KEYS = {"apiKey": "key", "secret": "secret"}


@pytest.fixture(scope="module")
def tape() -> Tape:
    return simulated([SYMBOL], minutes=300, every_ms=5_000)


@pytest.fixture
def there(tape: Tape) -> Iterator[Past]:
    with past(tape) as simulator:
        yield simulator


def ask(there: Past, use: Callable[[Any], Awaitable[Any]]) -> Any:
    async def session() -> Any:
        client = bitunix({"enableRateLimit": False})
        for name, url in client.urls["api"].items():
            client.urls["api"][name] = url.replace("https://fapi.bitunix.com", there.addresses("bitunix")["rest_url"])
        try:
            return await use(client)
        finally:
            await client.close()

    return asyncio.run(session())


def test_a_market_has_its_steps_and_limits(there: Past) -> None:
    (market,) = ask(there, lambda client: client.fetch_markets())
    assert (market["id"], market["symbol"], market["base"], market["quote"], market["settle"]) == (
        "BTCUSDT",
        SYMBOL,
        "BTC",
        "USDT",
        "USDT",
    )
    assert (market["swap"], market["linear"], market["spot"], market["active"]) == (True, True, False, True)
    assert (market["precision"]["amount"], market["precision"]["price"]) == (0.0001, 0.1)
    assert market["limits"]["amount"] == {"min": 0.0001, "max": 1000.0}
    assert market["limits"]["leverage"] == {"min": 1.0, "max": 200.0}


def test_candles_are_those_of_the_exchange_from_since_on(there: Past, tape: Tape) -> None:
    since = START + 10 * MINUTE
    rows = ask(there, lambda client: client.fetch_ohlcv(SYMBOL, "1m", since, 30))
    wanted = [one for one in tape.candles() if since < one.ts <= since + 30 * MINUTE]
    assert rows == [[one.ts - MINUTE, one.open, one.high, one.low, one.close, one.volume] for one in wanted]
    newest = ask(there, lambda client: client.fetch_ohlcv(SYMBOL, "1m", START))
    assert len(newest) <= 200
    assert newest[0][0] == START
    with pytest.raises(ccxt.BadRequest, match="bitunix has no candles of 7m: it has 1m, 5m"):
        ask(there, lambda client: client.fetch_ohlcv(SYMBOL, "7m"))


def test_a_ticker_has_its_volumes_the_right_way_round(there: Past, tape: Tape) -> None:
    one = ask(there, lambda client: client.fetch_ticker(SYMBOL))
    volume = sum(candle.volume for candle in tape.candles())
    assert one["symbol"] == SYMBOL
    assert one["last"] == one["close"] == one["markPrice"] == tape.candles()[-1].close
    assert one["baseVolume"] == pytest.approx(volume, rel=1e-12)
    assert one["quoteVolume"] > one["baseVolume"]


def test_an_order_book_has_as_many_levels_as_asked_for_or_all(there: Past, tape: Tape) -> None:
    price = tape.trades()[-1].price
    book = ask(there, lambda client: client.fetch_order_book(SYMBOL, 1))
    assert (book["bids"], book["asks"]) == ([[price - 0.1, 2.0]], [[price + 0.1, 1.0]])
    assert len(ask(there, lambda client: client.fetch_order_book(SYMBOL))["asks"]) == 2
    sizes = [query["limit"] for path, query in there.asked if path.endswith("depth")]
    assert sizes == ["1", "max"]


def test_refusals_are_errors_of_ccxt(there: Past) -> None:
    with pytest.raises(ccxt.BadSymbol, match=r"bitunix Market not exists \(code 20001\)"):
        ask(there, lambda client: client.public_get_market_kline({"symbol": "NOUSDT", "interval": "1m"}))
    client: Any = bitunix()
    for code, kind in ((10006, ccxt.RateLimitExceeded), (10007, ccxt.AuthenticationError), (99999, ccxt.ExchangeError)):
        with pytest.raises(kind, match=rf"bitunix No \(code {code}\)"):
            client.handle_errors(200, "OK", "", "GET", {}, "", {"code": code, "msg": "No"}, {}, "")


def test_the_signature_of_the_exchanges_own_example() -> None:
    # https://openapidoc.bitunix.com/doc/common/sign.html
    body = '{"uid":"2899","arr":[{"id":1,"name":"maple"},{"id":2,"name":"lily"}]}'
    found = signature("yourApiKey", "yourSecretKey", "123456", "20241120123045", "id1uid200", body)
    assert found == "00397cd1e52c7dce3258067324363b6361fabc9178a0912b330c138db8745655"


def proven(headers: dict[str, str], words: str) -> bool:
    text = headers["nonce"] + headers["timestamp"] + "key" + words
    return headers["sign"] == sha256((sha256(text.encode()).hexdigest() + "secret").encode()).hexdigest()


def test_a_query_is_signed_in_the_order_of_its_names() -> None:
    client: Any = bitunix(KEYS)
    made = client.sign("account", "private", "GET", {"marginCoin": "USDT", "a": 1})
    address = urlsplit(made["url"])
    assert (address.path, dict(parse_qsl(address.query))) == (
        "/api/v1/futures/account",
        {"a": "1", "marginCoin": "USDT"},
    )
    assert made["body"] is None
    assert len(made["headers"]["nonce"]) == 32
    assert made["headers"]["api-key"] == "key"
    assert proven(made["headers"], "a1marginCoinUSDT")
    assert made["headers"]["nonce"] != client.sign("account", "private", "GET", {})["headers"]["nonce"]


def test_a_body_is_signed_as_it_is_sent() -> None:
    made = bitunix(KEYS).sign("trade/place_order", "private", "POST", {"symbol": "BTCUSDT", "qty": "0.1"})
    assert json.loads(made["body"]) == {"symbol": "BTCUSDT", "qty": "0.1"}
    assert " " not in made["body"]
    assert "?" not in made["url"]
    assert proven(made["headers"], made["body"])
    assert "secret" not in json.dumps(made)


def test_what_is_private_needs_keys() -> None:
    with pytest.raises(ccxt.AuthenticationError, match='requires "apiKey" credential'):
        bitunix().sign("account", "private", "GET", {})
    assert bitunix().sign("market/tickers", "public", "GET", {})["headers"] is None
