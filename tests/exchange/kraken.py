"""Kraken, websocket API v2, Trades and OHLC."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.exchanges.interface import CANDLE, TRADE
from connectors.exchanges.kraken import CHANNELS, MINUTES
from schemas.timeframe import from_millis
from tests.exchange.protocol import Protocol, Topic
from tests.exchange.tape import MINUTE, Record, longer

KINDS = {channel: stream for stream, channel in CHANNELS.items()}
PAGE, CANDLES = 1_000, 720


class Kraken(Protocol):
    """As its documentation has it."""

    name = "kraken"
    tells = ("count", "vwap")

    def hello(self, now: int) -> list[str]:
        said = {"api_version": "v2", "connection_id": now, "system": "online", "version": "2.0.0"}
        return [_frame("status", [said])]

    def heard(self, text: str, now: int) -> tuple[list[str], set[Topic]]:
        said = json.loads(text)
        times = {"time_in": _iso(now), "time_out": _iso(now)}
        if said["method"] == "ping":
            return [json.dumps({"method": "pong", **times})], set()
        params = said["params"]
        result = [{**params, "symbol": symbol} for symbol in params["symbol"]]
        answers = [json.dumps({"method": "subscribe", "result": one, "success": True, **times}) for one in result]
        return answers, {(KINDS[params["channel"]], symbol) for symbol in params["symbol"]}

    def frame(self, record: Record, now: int) -> str:
        if isinstance(record, TRADE):
            data = {"symbol": record.symbol, "side": record.side, "price": record.price, "qty": record.amount}
            data |= {"ord_type": "limit", "trade_id": int(record.id), "timestamp": _iso(record.ts)}
            return _frame("trade", [data])
        if isinstance(record, CANDLE):
            prices = {"open": record.open, "high": record.high, "low": record.low, "close": record.close}
            sums = {"trades": record.count, "volume": record.volume, "vwap": record.vwap}
            times = {"interval_begin": _iso(record.ts - MINUTE), "interval": 1, "timestamp": _iso(record.ts)}
            return _frame("ohlc", [{"symbol": record.symbol, **prices, **sums, **times}])
        data = {"symbol": record.symbol, "bid": record.bid, "bid_qty": record.bid_size}
        data |= {"ask": record.ask, "ask_qty": record.ask_size, "timestamp": _iso(record.ts)}
        return _frame("ticker", [data])

    def idle(self, now: int) -> str:
        return '{"channel":"heartbeat"}'

    def rest(self, path: str, query: Mapping[str, str], trades: Sequence[Record], candles: Sequence[Record]) -> Any:
        symbol = self.symbol(query["pair"])
        if not any(one.symbol == symbol for one in (*trades, *candles)):
            return {"error": ["EQuery:Unknown asset pair"]}
        if path == "/0/public/Trades":
            since, count = int(query["since"]), int(query["count"])
            some = [one for one in trades if one.symbol == symbol and one.ts * 1_000_000 > since][:count]
            rows = [
                [str(one.price), str(one.amount), one.ts / 1_000, one.side[0], "l", "", int(one.id)] for one in some
            ]
            return _answer(query["pair"], rows, str(some[-1].ts * 1_000_000 if some else since))
        if path == "/0/public/OHLC":
            interval, since = int(query["interval"]), int(query["since"])
            assert interval in MINUTES.values()
            made = longer(candles, symbol, from_millis(interval * MINUTE))[-CANDLES:]
            opened = [(one.ts // 1_000 - interval * 60, one) for one in made]
            prices = [(ts, one, map(str, (one.open, one.high, one.low, one.close, one.vwap))) for ts, one in opened]
            found = [[ts, *four, str(one.volume), one.count] for ts, one, four in prices if ts > since]
            return _answer(query["pair"], found, found[-1][0] if found else since)
        raise KeyError(path)


def _frame(channel: str, data: list[dict[str, Any]]) -> str:
    return json.dumps({"channel": channel, "type": "update", "data": data})


def _answer(pair: str, rows: list[Any], last: Any) -> dict[str, Any]:
    return {"error": [], "result": {pair: rows, "last": last}}


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1_000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
