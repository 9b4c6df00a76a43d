"""The data behind the charts: few enough points to draw, few enough digits to send, no extreme lost."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sinks.columns import Curve, Ints, RunColumns
from sinks.report.bars import OHLC, Bars, shrink
from sinks.state import State

MOST_SYMBOLS = 8
MOST_POINTS = 1_600
MOST_BARS = 6_400
MOST_SINGLE = 1_500
MOST_SINGLE_IN_ALL = 4_000


def payload(state: State, run: RunColumns, candles: Mapping[str, OHLC]) -> dict[str, Any]:
    """All that the page's script draws, as plain JSON values. Times are epoch ms.

    Each account has at most ``MOST_POINTS`` points, each symbol ``MOST_POINTS`` bars (``MOST_BARS`` in all). Symbols
    are the ``MOST_SYMBOLS`` with the most trades; up to ``MOST_SINGLE`` trades of one are given singly, else counts.
    """
    live = run.trades.rows("live")
    by_symbol = {name: rows for name, rows in run.trades.groups("symbol", live).items() if name in candles}
    ranked = sorted(candles, key=lambda name: (-len(by_symbol.get(name, ())), name))
    shown = ranked[:MOST_SYMBOLS]
    most, single_left, symbols = min(MOST_POINTS, MOST_BARS // max(1, len(shown))), MOST_SINGLE_IN_ALL, []
    for name in shown:
        rows = by_symbol.get(name, np.empty(0, np.int64))
        single = len(rows) <= min(MOST_SINGLE, single_left)
        single_left -= len(rows) if single else 0
        symbols.append({"name": name} | _symbol(run, rows, shrink(candles[name], most), single))
    return {
        "from": state.first_ts,
        "to": state.last_ts,
        "currency": state.currency or "",
        "equity": _points(run.curve, None, state),
        "shadow": [
            {"name": name} | _points(run.curve, name, shadow)
            for name, shadow in sorted(state.shadow.items())[:MOST_SYMBOLS]
        ],
        "symbols": symbols,
        "symbols_in_all": len(candles),
    }


def embed(value: Any) -> str:
    """JSON that may stand inside a script element: nothing in it can end the element or start a comment.

    >>> embed({"a": "</script>"})
    '{"a":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _points(curve: Curve, account: str | None, state: State) -> dict[str, Any]:
    columns = curve.of(account)
    starting = float(state.starting_cash)
    ts, equity = columns["ts"], columns["equity"]
    low, high, fall = columns["equity_low"], columns["equity_high"], columns["drawdown_pct"]
    if state.last_ts is not None and (not len(ts) or ts[-1] < state.last_ts):
        peak = max(starting, float(high.max(initial=starting)), state.equity)
        ts, equity, low, high = (
            np.append(column, last)
            for column, last in ((ts, state.last_ts), *((column, state.equity) for column in (equity, low, high)))
        )
        fall = np.append(fall, 100 * (1 - state.equity / peak))
    if state.first_ts is not None and len(ts) and state.first_ts < ts[0]:  # a short run is a line, too, and no point
        ts, equity, low, high, fall = (
            np.insert(column, 0, first)
            for column, first in (
                (ts, state.first_ts),
                *((column, starting) for column in (equity, low, high)),
                (fall, 0),
            )
        )
    if not len(ts):
        return {"starting": starting, "t": [], "e": [], "lo": [], "hi": [], "dd": []}
    starts = np.arange(0, len(ts), math.ceil(len(ts) / MOST_POINTS))
    ends = np.append(starts[1:], len(ts)) - 1
    digits = 2 if np.abs(equity).max() < 1e6 else 0
    return {
        "starting": starting,
        "t": ts[ends].tolist(),
        "e": _rounded(equity[ends], digits),
        "lo": _rounded(np.minimum.reduceat(low, starts), digits),
        "hi": _rounded(np.maximum.reduceat(high, starts), digits),
        "dd": _rounded(np.maximum.reduceat(fall, starts), 3),
    }


def _symbol(run: RunColumns, rows: Ints, bars: Bars, single: bool) -> dict[str, Any]:
    rounds = run.trades.rounds[rows]
    highest = float(bars.high.max(initial=0.0))
    digits = max(0, 5 - math.floor(math.log10(highest))) if highest > 0 else 2
    first = int(bars.index[0]) if len(bars.index) else 0
    known = {
        "step": bars.step,
        "first": first * bars.step,
        "i": (bars.index - first).tolist(),
        "o": _rounded(bars.open, digits),
        "h": _rounded(bars.high, digits),
        "l": _rounded(bars.low, digits),
        "c": _rounded(bars.close, digits),
        "digits": digits,
        "count": len(rows),
    }
    if single:
        quantity = np.array(run.trades.text["quantity"].to_pylist(), dtype=np.float64)[rows]
        columns: list[list[Any]] = [
            rounds.entry_ts.tolist(),
            _rounded(rounds.entry_value / quantity, digits),
            rounds.exit_ts.tolist(),
            _rounded(rounds.exit_value / quantity, digits),
            rounds.sign.astype(int).tolist(),
            _rounded(rounds.pnl, 2),
            run.trades.text["exit_leg"].take(rows).to_pylist(),
        ]
        return known | {"trades": [list(row) for row in zip(*columns, strict=True)]}
    count = len(bars.index)
    entered, left = (_bar_of(bars, ts) for ts in (rounds.entry_ts, rounds.exit_ts))
    return known | {
        "long": np.bincount(entered[rounds.sign > 0], minlength=count).tolist(),
        "short": np.bincount(entered[rounds.sign < 0], minlength=count).tolist(),
        "exits": np.bincount(left, minlength=count).tolist(),
        "pnl": _rounded(np.bincount(left, weights=rounds.pnl, minlength=count), 2),
    }


def _bar_of(bars: Bars, ts: Ints) -> Ints:
    """The bar in which each time lies, or the nearest one before it."""
    return np.maximum(np.searchsorted(bars.index, ts // bars.step, side="right") - 1, 0)


def _rounded(values: NDArray[Any], digits: int) -> list[Any]:
    """Rounded, without a trailing ``.0``: a page is mostly numbers."""
    return [int(x) if x == int(x) else x for x in np.round(values, digits).tolist()]
