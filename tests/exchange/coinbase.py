"""Coinbase Advanced Trade: one message a frame, each with its number; candles of five minutes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.exchanges.coinbase import CHANNELS, GRANULARITY
from connectors.exchanges.coinbase_frames import FIVE_MINUTES
from connectors.exchanges.interface import CANDLE, TRADE
from schemas.timeframe import to_millis
from tests.exchange.protocol import Protocol, Refused, Topic
from tests.exchange.tape import Record, longer

KINDS = {channel: stream for stream, channel in CHANNELS.items()}
MOST = 350  # candles in one answer
PATH = "/api/v3/brokerage/market/products/"


class Coinbase(Protocol):
    """As its documentation has it. The number of a lost message is used up."""

    name = "coinbase"
    tells = ()

    def __init__(self, candles: Sequence[Record] = ()) -> None:
        super().__init__(candles)
        self._number = 0
        self._subscribed: dict[str, list[str]] = {}

    def heard(self, text: str, now: int) -> tuple[list[str], set[Topic]]:
        said = json.loads(text)
        names = said.get("product_ids", [])
        self._subscribed[said["channel"]] = names or ["heartbeats"]
        answer = self._message("subscriptions", now, {"subscriptions": self._subscribed})
        kind = KINDS.get(said["channel"])
        return [answer], {(kind, self.symbol(name)) for name in names if kind}

    def frame(self, record: Record, now: int) -> str:
        name = self.exchange.to_exchange(record.symbol)
        if isinstance(record, TRADE):
            event = {"type": "update", "trades": [{"product_id": name, **_match(record)}]}
            return self._message("market_trades", now, event)
        if isinstance(record, CANDLE):
            running = longer([one for one in self.candles if one.ts <= record.ts], record.symbol, FIVE_MINUTES)[-1]
            event = {"type": "update", "candles": [{"product_id": name, **_bucket(running)}]}
            return self._message("candles", record.ts - 1, event)  # it came before the minute was over
        data = {"type": "ticker", "product_id": name, "best_bid": str(record.bid), "best_ask": str(record.ask)}
        data |= {"best_bid_quantity": str(record.bid_size), "best_ask_quantity": str(record.ask_size)}
        return self._message("ticker", record.ts, {"type": "update", "tickers": [data]})

    def idle(self, now: int) -> str:
        return self._message("heartbeats", now, {"current_time": _iso(now), "heartbeat_counter": self._number})

    def rest(self, path: str, query: Mapping[str, str], trades: Sequence[Record], candles: Sequence[Record]) -> Any:
        name, _, what = path.removeprefix(PATH).partition("/")
        symbol, since, until = self.symbol(name), int(query["start"]), int(query["end"])
        if not any(one.symbol == symbol for one in (*trades, *candles)):
            raise Refused(404, {"error": "NOT_FOUND", "message": "valid product_id is required"})
        if what == "ticker":
            some = [one for one in trades if one.symbol == symbol and since <= one.ts / 1_000 <= until]
            return {"trades": [_match(one) for one in reversed(some[-int(query["limit"]) :])]}
        timeframe = next(short for short, long in GRANULARITY.items() if long == query["granularity"])
        if (until - since) * 1_000 // to_millis(timeframe) >= MOST:
            words = f"number of candles requested should be less than {MOST}"
            raise Refused(400, {"error": "INVALID_ARGUMENT", "error_details": words, "message": words})
        buckets = map(_bucket, longer(candles, symbol, timeframe))
        return {"candles": [one for one in buckets if since <= int(one["start"]) <= until][::-1]}

    def _message(self, channel: str, now: int, event: dict[str, Any]) -> str:
        head = {"channel": channel, "client_id": "", "timestamp": _iso(now), "sequence_num": self._number}
        self._number += 1
        return json.dumps({**head, "events": [event]})


def _match(trade: Record) -> dict[str, str]:
    facts = {"trade_id": trade.id, "price": str(trade.price), "size": str(trade.amount)}
    return {**facts, "side": trade.side.upper(), "time": _iso(trade.ts)}


def _bucket(one: Record) -> dict[str, str]:
    prices = {"open": str(one.open), "high": str(one.high), "low": str(one.low), "close": str(one.close)}
    return {"start": str((one.ts - to_millis(one.timeframe)) // 1_000), **prices, "volume": str(one.volume)}


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1_000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
