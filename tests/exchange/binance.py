"""Binance spot: combined streams, historicalTrades and klines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.exchanges.interface import CANDLE, TRADE
from schemas.timeframe import to_millis
from tests.exchange.protocol import Protocol, Refused, Topic
from tests.exchange.tape import Record, longer

KINDS = {"trade": "trades", "bookTicker": "quotes", "kline_1m": "candles"}


class Binance(Protocol):
    """As its documentation has it."""

    name = "binance"
    tells = ("quote_volume", "count", "taker_buy_volume")

    def heard(self, text: str, now: int) -> tuple[list[str], set[Topic]]:
        said = json.loads(text)
        if said["method"] == "GET_PROPERTY":
            return [json.dumps({"result": True, "id": said["id"]})], set()
        topics = set()
        for stream in said["params"]:
            name, _, kind = stream.partition("@")
            topics.add((KINDS[kind], self.symbol(name.upper())))
        return [json.dumps({"result": None, "id": said["id"]})], topics

    def frame(self, record: Record, now: int) -> str:
        name = self.exchange.to_exchange(record.symbol)
        if isinstance(record, TRADE):
            data = {"e": "trade", "E": now, "s": name, "t": int(record.id), "p": str(record.price)}
            data |= {"q": str(record.amount), "T": record.ts, "m": record.side == "sell", "M": True}
            kind = "trade"
        elif isinstance(record, CANDLE):
            data = {"e": "kline", "E": now, "s": name, "k": self._kline(record)}
            kind = "kline_1m"
        else:
            data = {"u": now, "s": name, "b": str(record.bid), "B": str(record.bid_size)}
            data |= {"a": str(record.ask), "A": str(record.ask_size)}
            kind = "bookTicker"
        return json.dumps({"stream": f"{name.lower()}@{kind}", "data": data})

    def _kline(self, one: Record) -> dict[str, Any]:
        times = {"t": one.ts - 60_000, "T": one.ts - 1, "s": self.exchange.to_exchange(one.symbol), "i": "1m"}
        prices = {"o": str(one.open), "c": str(one.close), "h": str(one.high), "l": str(one.low), "v": str(one.volume)}
        sums = {"n": one.count, "q": str(one.quote_volume), "V": str(one.taker_buy_volume), "Q": "0", "B": "0"}
        return {**times, **prices, **sums, "x": True}

    def rest(self, path: str, query: Mapping[str, str], trades: Sequence[Record], candles: Sequence[Record]) -> Any:
        symbol, limit = self.symbol(query["symbol"]), int(query["limit"])
        if not any(one.symbol == symbol for one in (*trades, *candles)):
            raise Refused(400, {"code": -1121, "msg": "Invalid symbol."})
        if path == "/api/v3/historicalTrades":
            first = int(query["fromId"])
            return [
                {"id": int(one.id), "price": str(one.price), "qty": str(one.amount), "time": one.ts}
                | {"isBuyerMaker": one.side == "sell"}
                for one in trades
                if one.symbol == symbol and int(one.id) >= first
            ][:limit]
        if path == "/api/v3/klines":
            since, until, length = (
                int(query["startTime"]),
                int(query.get("endTime", 1 << 62)),
                to_millis(query["interval"]),
            )
            return [
                [
                    *(opened, *map(str, (one.open, one.high, one.low, one.close, one.volume)), one.ts - 1),
                    *(str(one.quote_volume), one.count, str(one.taker_buy_volume), "0", "0"),
                ]
                for one in longer(candles, symbol, query["interval"])
                if since <= (opened := one.ts - length) <= until
            ][:limit]
        raise KeyError(path)
