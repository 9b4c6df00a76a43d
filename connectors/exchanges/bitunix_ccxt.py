"""Bitunix futures as a class of ccxt's kind, for ccxt has none: markets, market data, and the signing of requests."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import ccxt.async_support
from ccxt.base.errors import (
    AuthenticationError,
    BadRequest,
    BadSymbol,
    ExchangeError,
    ExchangeNotAvailable,
    PermissionDenied,
    RateLimitExceeded,
)
from ccxt.base.types import Entry, OrderBook, Ticker

from connectors.exchanges.bitunix import HISTORY

PAGE = 200
DEPTHS = (1, 5, 15, 50)
ERRORS = {
    "10001": ExchangeNotAvailable,
    "10002": BadRequest,
    "10003": AuthenticationError,
    "10004": PermissionDenied,
    "10005": RateLimitExceeded,
    "10006": RateLimitExceeded,
    "10007": AuthenticationError,
    "10008": BadRequest,
    "20001": BadSymbol,
}


class bitunix(ccxt.async_support.Exchange):  # type: ignore[misc]  # noqa: N801 (ccxt writes its classes so)
    """As ccxt's own: ``await bitunix().fetch_ohlcv("BTC/USDT:USDT", "1m", since, limit)``.

    Answers have ccxt's forms; errors are ccxt's. Requests of ``private`` are signed with ``apiKey`` and ``secret``, as
    in ``await there.private_get_account({"marginCoin": "USDT"})``. There is no history of trades, and no test network.

    https://openapidoc.bitunix.com/doc/common/introduction.html
    """

    public_get_market_trading_pairs = Entry("market/trading_pairs", "public", "GET", {"cost": 1})
    public_get_market_tickers = Entry("market/tickers", "public", "GET", {"cost": 1})
    public_get_market_depth = Entry("market/depth", "public", "GET", {"cost": 1})
    public_get_market_kline = Entry("market/kline", "public", "GET", {"cost": 1})
    private_get_account = Entry("account", "private", "GET", {"cost": 1})

    def describe(self) -> dict[str, Any]:
        """What ccxt asks a class about itself."""
        able = ("fetchMarkets", "fetchTicker", "fetchTickers", "fetchOrderBook", "fetchOHLCV")
        candles = {"fetchOHLCV": {"limit": PAGE}}
        url = "https://fapi.bitunix.com/api/v1/futures"
        mine = {
            "id": "bitunix",
            "name": "Bitunix",
            "rateLimit": 100,  # ten requests a second, of each address
            "has": {**dict.fromkeys(able, True), "spot": False, "swap": True, "fetchTrades": False},
            "timeframes": {one: one for one in HISTORY},
            "urls": {
                "www": "https://www.bitunix.com",
                "doc": ["https://openapidoc.bitunix.com/doc/common/introduction.html"],
                "api": {"public": url, "private": url},
            },
            "requiredCredentials": {"apiKey": True, "secret": True},
            "precisionMode": ccxt.TICK_SIZE,
            "features": {
                "spot": None,
                "swap": {"linear": candles, "inverse": None},
                "future": {"linear": None, "inverse": None},
            },
        }
        described: dict[str, Any] = self.deep_extend(super().describe(), mine)
        return described

    async def fetch_markets(self, params: Mapping[str, Any] | None = None) -> list[Any]:
        """All linear perpetuals."""
        answer = await self.public_get_market_trading_pairs(dict(params or {}))
        return [self.parse_market(row) for row in answer["data"]]

    def parse_market(self, market: dict[str, Any]) -> Any:
        """Of a row of ``trading_pairs``; precisions are numbers of digits there."""
        base, quote = self.safe_currency_code(market["base"]), self.safe_currency_code(market["quote"])
        step, tick = (
            self.parse_number(self.parse_precision(str(market[f"{one}Precision"]))) for one in ("base", "quote")
        )
        least, most = self.safe_number(market, "minTradeVolume"), self.safe_number(market, "maxLimitOrderVolume")
        leverage = {"min": self.safe_number(market, "minLeverage"), "max": self.safe_number(market, "maxLeverage")}
        names = {
            "id": market["symbol"],
            "symbol": f"{base}/{quote}:{quote}",
            "base": base,
            "quote": quote,
            "settle": quote,
        }
        ids = {"baseId": market["base"], "quoteId": market["quote"], "settleId": market["quote"]}
        kind = {"type": "swap", "spot": False, "margin": False, "swap": True, "future": False, "option": False}
        kind |= {"contract": True, "linear": True, "inverse": False, "contractSize": 1.0}
        return self.safe_market_structure(
            {
                **names,
                **ids,
                **kind,
                "active": market.get("symbolStatus") == "OPEN",
                "precision": {"amount": step, "price": tick},
                "limits": {"amount": {"min": least, "max": most}, "leverage": leverage},
                "info": market,
            }
        )

    async def fetch_ticker(self, symbol: str, params: Mapping[str, Any] | None = None) -> Ticker:
        """Of 24 hours."""
        found = await self.fetch_tickers([symbol], params)
        name = self.market(symbol)["symbol"]
        if name not in found:
            raise BadSymbol(f"{self.id} has no ticker of {symbol}")
        return found[name]

    async def fetch_tickers(
        self, symbols: list[str] | None = None, params: Mapping[str, Any] | None = None
    ) -> dict[str, Ticker]:
        """Of 24 hours, of all markets or some."""
        await self.load_markets()
        asked = {"symbols": ",".join(self.market_ids(symbols))} if symbols else {}
        answer = await self.public_get_market_tickers({**asked, **(params or {})})
        found: dict[str, Ticker] = self.parse_tickers(answer["data"], symbols)
        return found

    def parse_ticker(self, ticker: dict[str, Any], market: Any = None) -> Ticker:
        """What the exchange calls quoteVol is in the base currency, and the other way round."""
        prices = {name: self.safe_string(ticker, name) for name in ("high", "low", "open")}
        last = self.safe_string_2(ticker, "lastPrice", "last")
        volumes = {
            "baseVolume": self.safe_string(ticker, "quoteVol"),
            "quoteVolume": self.safe_string(ticker, "baseVol"),
        }
        made: Ticker = self.safe_ticker(
            {
                **prices,
                **volumes,
                "symbol": self.safe_symbol(self.safe_string(ticker, "symbol"), market),
                "last": last,
                "close": last,
                "markPrice": self.safe_string(ticker, "markPrice"),
                "info": ticker,
            },
            market,
        )
        return made

    async def fetch_order_book(
        self, symbol: str, limit: int | None = None, params: Mapping[str, Any] | None = None
    ) -> OrderBook:
        """``limit`` levels of each side, or as many more as the exchange has a size for. A book has no time."""
        await self.load_markets()
        depth = next((str(one) for one in DEPTHS if limit is not None and one >= limit), "max")
        asked = {"symbol": self.market_id(symbol), "limit": depth, **(params or {})}
        answer = await self.public_get_market_depth(asked)
        made: OrderBook = self.parse_order_book(answer["data"], self.market(symbol)["symbol"])
        return made

    async def fetch_ohlcv(
        self,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> list[list[Any]]:
        """At most 200 candles, oldest first: the first ones from ``since``, or else the newest ones."""
        await self.load_markets()
        if timeframe not in self.timeframes:
            raise BadRequest(f"{self.id} has no candles of {timeframe}: it has {', '.join(self.timeframes)}")
        rows = PAGE if limit is None else min(limit, PAGE)
        asked = {"symbol": self.market_id(symbol), "interval": timeframe, "limit": rows}
        if since is not None:  # of a longer stretch the newest would come
            asked |= {"startTime": since, "endTime": since + rows * self.parse_timeframe(timeframe) * 1_000 - 1}
        answer = await self.public_get_market_kline({**asked, **(params or {})})
        found: list[list[Any]] = self.parse_ohlcvs(answer["data"], self.market(symbol), timeframe, since, limit)
        return found

    def parse_ohlcv(self, ohlcv: dict[str, Any], market: Any = None) -> list[Any]:  # noqa: ARG002
        """quoteVol is the volume in the base currency."""
        names = ("open", "high", "low", "close", "quoteVol")
        return [self.safe_integer(ohlcv, "time"), *(self.safe_number(ohlcv, name) for name in names)]

    def sign(
        self,
        path: str,
        api: str = "public",
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        headers: Any = None,
        body: Any = None,
    ) -> dict[str, Any]:
        """A request with what proves who sends it: two times SHA-256, of the request and then with the secret.

        The query is signed as names and values in the order of the names with nothing between them, the body as it is
        sent: https://openapidoc.bitunix.com/doc/common/sign.html
        """
        query = {name: str(value) for name, value in sorted((params or {}).items())} if method == "GET" else {}
        url = f"{self.urls['api'][api]}/{path}" + (f"?{self.urlencode(query)}" if query else "")
        if method != "GET":
            body = self.json(dict(params or {}))
        if api == "private":
            self.check_required_credentials()
            nonce, timestamp = self.uuid().replace("-", ""), str(self.milliseconds())
            words = "".join(name + value for name, value in query.items())
            proof = {"api-key": self.apiKey, "nonce": nonce, "timestamp": timestamp}
            proof["sign"] = signature(self.apiKey, self.secret, nonce, timestamp, words, body or "")
            headers = {**(headers or {}), **proof, "language": "en-US", "Content-Type": "application/json"}
        return {"url": url, "method": method, "body": body, "headers": headers}

    def handle_errors(self, *answer: Any) -> None:
        """Refusals come with status 200, and a code that is not 0. The JSON is the seventh of what ccxt gives."""
        said = answer[6]
        code = self.safe_string(said, "code") if isinstance(said, dict) else None
        if code not in (None, "0"):
            raise ERRORS.get(code or "", ExchangeError)(f"{self.id} {said.get('msg')} (code {code})")


def signature(key: str, secret: str, nonce: str, timestamp: str, query: str, body: str) -> str:
    """Of the example of the exchange's page:

    >>> body = '{"uid":"2899","arr":[{"id":1,"name":"maple"},{"id":2,"name":"lily"}]}'
    >>> signature("yourApiKey", "yourSecretKey", "123456", "20241120123045", "id1uid200", body)[:16]
    '00397cd1e52c7dce'
    """
    return _sha256(_sha256(nonce + timestamp + key + query + body) + secret)


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()
