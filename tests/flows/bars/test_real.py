"""Candles made of real trades beside the exchange's own."""

from __future__ import annotations

import json
from math import floor
from pathlib import Path
from typing import Any

import pytest

from tests.flows.bars.tapes import MINUTE, binance, counts, figures, kraken, plainly, through


def published(folder: Path) -> dict[int, tuple[Any, ...]]:
    """Kraken's own candles by close: open, high, low, close, VWAP, volume, count."""
    answer = json.loads((folder / "kraken/http_ohlc.json").read_text())["result"]
    rows = next(rows for name, rows in answer.items() if name != "last")
    return {int(row[0]) * 1_000 + MINUTE: (*map(float, row[1:7]), row[7]) for row in rows}


def as_kraken(candle: tuple[Any, ...]) -> tuple[Any, ...]:
    """One of ours as Kraken writes it: its VWAP is cut off behind the first decimal, and 0 where nothing is traded."""
    _, count, open_, high, low, close, volume, quote, _ = candle
    return open_, high, low, close, floor(quote / volume * 10 + 1e-6) / 10 if count else 0.0, volume, count


@pytest.mark.parametrize(("policy", "empty"), [("none", 0), ("stale", 0), ("flat", 137)])
def test_krakens_trades_give_krakens_candles_in_all_fields(shared_data: Path, policy: str, empty: int) -> None:
    trades, theirs = kraken(shared_data), published(shared_data)
    ours = figures(through(trades, bars={"timeframes": ["1m"]}, empty_candle=policy).candles)
    # The recorded trades begin and end within a minute: of these two, the exchange knew more than the recording.
    first, last = ours[0], ours[-1]
    assert (first[0], last[0]) == tuple((row.ts // MINUTE + 1) * MINUTE for row in (trades[0], trades[-1]))
    assert first[1] < theirs[first[0]][-1]
    inner = ours[1:-1]
    assert [as_kraken(candle) for candle in inner] == [theirs[candle[0]] for candle in inner]
    assert (sum(candle[1] > 0 for candle in inner), sum(candle[1] == 0 for candle in inner)) == (272, empty)


@pytest.mark.parametrize("size", [1, 7, 1_000, 10**6])
def test_every_trade_of_the_binance_capture_is_accounted_for_whatever_the_cut(shared_data: Path, size: int) -> None:
    trades = binance(shared_data)
    cuts = range(size, len(trades), size)
    seen = through(trades, cuts, bars={"timeframes": ["1s", "1m"]})
    assert counts(seen) == {"ACCEPTED": len(trades)}
    for kind, step in enumerate((1_000, MINUTE)):
        ours, plain = figures(seen.kind(kind)), plainly(trades, step)
        assert [candle[:6] for candle in ours] == [candle[:6] for candle in plain]
        assert [candle[6] for candle in ours] == [candle[6] for candle in plain]
        assert sum(candle[1] for candle in ours) == len(trades)
