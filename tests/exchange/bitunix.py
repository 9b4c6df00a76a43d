"""Bitunix futures: no ids of trades, no open times of candles, no history of trades."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.exchanges.bitunix_frames import KLINE, LENGTHS
from connectors.exchanges.interface import CANDLE, TRADE
from schemas.timeframe import to_millis
from tests.exchange.protocol import Protocol, Topic
from tests.exchange.tape import Record, longer

KINDS = {"trade": "trades", "depth_book1": "quotes", f"{KLINE}{LENGTHS['1m']}": "candles"}
PAGE = 200


class Bitunix(Protocol):
    """As its documentation has it."""

    name = "bitunix"
    tells = ("quote_volume",)

    def hello(self, now: int) -> list[str]:
        return [json.dumps({"op": "connect", "data": {"result": True}})]

    def heard(self, text: str, now: int) -> tuple[list[str], set[Topic]]:
        said = json.loads(text)
        if said["op"] == "ping":
            return [json.dumps({"op": "ping", "pong": now // 1_000, "ping": said["ping"]})], set()
        return [], {(KINDS[one["ch"]], self.symbol(one["symbol"])) for one in said["args"]}

    def frame(self, record: Record, now: int) -> str:
        if isinstance(record, TRADE):
            row = {"t": _iso(record.ts), "p": str(record.price), "v": str(record.amount), "s": record.side}
            return self._message("trade", record.symbol, now, [row])
        if isinstance(record, CANDLE):
            data = {"o": str(record.open), "h": str(record.high), "l": str(record.low), "c": str(record.close)}
            data |= {"b": str(record.volume), "q": str(record.quote_volume)}
            before = record.ts - 1  # the last message of its minute
            return self._message(f"{KLINE}{LENGTHS['1m']}", record.symbol, before, data)
        book = {"b": [[str(record.bid), str(record.bid_size)]], "a": [[str(record.ask), str(record.ask_size)]]}
        return self._message("depth_book1", record.symbol, record.ts, book)

    def _message(self, channel: str, symbol: str, ts: int, data: Any) -> str:
        return json.dumps({"ch": channel, "symbol": self.exchange.to_exchange(symbol), "ts": ts, "data": data})

    def rest(self, path: str, query: Mapping[str, str], trades: Sequence[Record], candles: Sequence[Record]) -> Any:
        what = path.removeprefix("/api/v1/futures/market/")
        symbols = sorted({one.symbol for one in trades})
        if what == "trading_pairs":
            return _answer([self._pair(symbol) for symbol in symbols])
        if what == "tickers":
            return _answer([self._ticker(symbol, candles) for symbol in symbols])
        if self.symbol(query["symbol"]) not in symbols:
            return {"code": 20001, "data": None, "msg": "Market not exists"}
        if what == "depth":
            price = [one for one in trades if one.symbol == self.symbol(query["symbol"])][-1].price
            levels = [0.1, 0.2] if query["limit"] == "max" else [0.1]
            sides = {"asks": [[price + one, 1.0] for one in levels], "bids": [[price - one, 2.0] for one in levels]}
            return _answer(sides)
        if what != "kline":
            raise KeyError(path)
        since, until, length = int(query["startTime"]), int(query["endTime"]), to_millis(query["interval"])
        rows = [
            {
                "open": str(one.open),
                "high": str(one.high),
                "low": str(one.low),
                "close": str(one.close),
                "quoteVol": str(one.volume),
                "baseVol": str(one.quote_volume),  # the names are the wrong way round
                "time": str(one.ts - length),
                "type": "LAST_PRICE",
            }
            for one in longer(candles, self.symbol(query["symbol"]), query["interval"])
            if since <= one.ts - length <= until
        ]
        return _answer(rows[::-1][: min(PAGE, int(query["limit"]))])

    def _pair(self, symbol: str) -> dict[str, Any]:
        name = self.exchange.to_exchange(symbol)
        sizes = {"minTradeVolume": "0.0001", "maxLimitOrderVolume": "1000", "basePrecision": 4, "quotePrecision": 1}
        leverage = {"minLeverage": 1, "maxLeverage": 200, "defaultLeverage": 20}
        return {"symbol": name, "base": name[:-4], "quote": name[-4:], **sizes, **leverage, "symbolStatus": "OPEN"}

    def _ticker(self, symbol: str, candles: Sequence[Record]) -> dict[str, str]:
        (day,) = longer(candles, symbol, "1d")
        prices = {"open": str(day.open), "high": str(day.high), "low": str(day.low), "last": str(day.close)}
        last = {"lastPrice": str(day.close), "markPrice": str(day.close)}
        volumes = {"quoteVol": str(day.volume), "baseVol": str(day.quote_volume)}
        return {"symbol": self.exchange.to_exchange(symbol), **prices, **last, **volumes}


def _answer(data: Any) -> dict[str, Any]:
    return {"code": 0, "data": data, "msg": "Success"}


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1_000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
