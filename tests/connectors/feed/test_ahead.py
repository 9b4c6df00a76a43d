"""What an exchange dates into the future: it is left out, told, and moves neither candles nor clocks."""

from __future__ import annotations

import json
from typing import Any

from connectors.exchanges.registry import exchange
from connectors.feed.feed import Feed
from connectors.feed.reports import Out
from schemas.capture import NANOS, Line, Note

START_MS = 1_704_067_200_000
HOUR = 3_600_000
SYMBOLS = ("BTC/USDT",)


def trade(number: int, ms: int) -> dict[str, Any]:
    return {"e": "trade", "E": ms, "s": "BTCUSDT", "t": number, "p": "10.5", "q": "0.25", "T": ms, "m": False}


def candle(open_ms: int) -> dict[str, Any]:
    prices = dict.fromkeys("ohlc", "10.5")
    figures = {"t": open_ms, "T": open_ms + 59_999, "i": "1m", "v": "1", "q": "10.5", "n": 1, "V": "1", "x": True}
    return {"e": "kline", "E": open_ms + 60_000, "s": "BTCUSDT", "k": {**figures, **prices}}


def said(*frames: tuple[int, dict[str, Any]]) -> list[Out]:
    """All that a feed makes of frames, each with the ms of its reception behind the start."""
    opened = Note("opened", exchange="binance", symbols=SYMBOLS, streams=("trades", "candles"), timeframe="1m")
    feed, begin = Feed(exchange("binance"), history=False), START_MS * 1_000_000
    out = feed.take(Line(begin, 0, opened)) + feed.take(Line(begin + 1, 0, Note("connected")))
    for ms, data in frames:
        name = "btcusdt@trade" if data["e"] == "trade" else "btcusdt@kline_1m"
        frame = json.dumps({"stream": name, "data": data}).encode()
        out += feed.take(Line(begin + ms * 1_000_000, 0, frame))
    return out + feed.close(begin + 70 * NANOS)


def of(out: list[Out], topic: str) -> list[Any]:
    return [record for name, record in out if name == topic]


def test_trades_of_the_future_are_left_out_and_told_once_a_minute() -> None:
    times = [100, 200, 300, 1_400, 2_500, 3_600]
    good = [(ms, trade(number, START_MS + ms - 50)) for number, ms in enumerate(times, 1)]
    bad = [(ms, trade(number, START_MS + ms + HOUR)) for number, ms in enumerate(times, 1)]
    out = said(*good[:2], *bad[2:5], good[5])
    plain = said(*good)
    trades = [(record.id, record.ts) for record in of(out, "trades") if hasattr(record, "id")]
    assert trades == [("1", START_MS + 50), ("2", START_MS + 150), ("6", START_MS + 3_550)]
    clocks, others = ([record.ts for record in of(one, "trades") if not hasattr(record, "id")] for one in (out, plain))
    assert clocks == others
    (alert,) = [record for record in of(out, "alerts") if record.code == "FEED_AHEAD"]
    first = START_MS + 300 + HOUR  # it was looked at 50 ms after it came: the first trades wait so long
    told = f"FEED_AHEAD: exchange=binance why=BTC/USDT: ts={first} ahead_ms={HOUR - 50}; later than"
    assert alert.message.startswith(told)
    assert [record.code for record in of(out, "alerts")] == ["FEED_AHEAD"]
    assert sum(record.value for record in of(out, "metrics") if record.name == "feed_ahead") == 3


def test_a_candle_of_the_future_opens_no_hole() -> None:
    out = said((60_100, candle(START_MS)), (60_200, candle(START_MS + HOUR)))
    assert [record.ts for record in of(out, "candles")] == [START_MS + 60_000]
    assert [record.code for record in of(out, "alerts")] == ["FEED_AHEAD"]
