"""trades.csv and equity.csv: the round trips and the equity of a run, for a spreadsheet or a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from schemas.equity import Equity
from sinks.atomic import replacing
from sinks.columns import Curve, Ints, Trades, read_curve, read_trades
from sinks.state import State, read_state


def iso(ts: Ints) -> list[str]:
    """Epoch milliseconds as ISO 8601 in UTC: whole seconds, or milliseconds when any of them has some.

    >>> iso(np.array([1640995260000]))
    ['2022-01-01T00:01:00Z']
    """
    unit: Literal["ms", "s"] = "ms" if (ts % 1000).any() else "s"
    times: NDArray[np.datetime64] = ts.astype("datetime64[ms]")
    text: list[str] = np.datetime_as_string(times, unit=unit, timezone="UTC").tolist()
    return text


def write_trades(folder: Path, trades: Trades | None = None) -> Path:
    """``trades.csv``: one line for each closed position, in order of closing, shadow ones too (see ``mode``).

    Quantities, prices, P&L and fees are exact, as in ``positions.jsonl``. ``pnl`` is after fees, in the account
    currency; ``pnl_pct`` is ``pnl`` of quantity times entry price. ``trades`` saves reading the positions again.
    """
    trades = read_trades(folder) if trades is None else trades
    text, rounds = trades.text, trades.rounds
    columns = {
        "id": text["id"],
        "mode": text["mode"],
        "strategy": text["strategy"],
        "symbol": text["symbol"],
        "side": text["side"],
        "quantity": text["quantity"],
        "entry_time": iso(rounds.entry_ts),
        "entry_ts": rounds.entry_ts,
        "entry_price": text["entry_price"],
        "exit_time": iso(rounds.exit_ts),
        "exit_ts": rounds.exit_ts,
        "exit_price": text["exit_price"],
        "exit_leg": text["exit_leg"],
        "pnl": text["realised_pnl"],
        "pnl_pct": np.round(rounds.returns * 100, 6),
        "fees": text["fees"],
        "duration_s": rounds.duration_s,
    }
    return _write(folder / "trades.csv", columns)


def write_equity(folder: Path, curve: Curve | None = None) -> Path:
    """``equity.csv``: every record of the equity topic with its time in ISO 8601, and the interval the run ended in.

    ``mode`` and ``strategy`` tell the portfolio (``live``, empty) from the paper account of a shadow strategy.
    ``curve`` saves reading the equity again.
    """
    curve = _closed(read_curve(folder) if curve is None else curve, read_state(folder))
    columns = {"ts": curve.columns["ts"], "time": iso(curve.columns["ts"])}
    for name in Equity.model_fields:
        columns[name] = curve.account if name == "strategy" else curve.columns[name]
    return _write(folder / "equity.csv", columns)


def _closed(curve: Curve, state: State) -> Curve:
    """With the last interval of each account, whose end the run did not reach (its ``ts`` lies behind the run's)."""
    last = [of.open_interval for of in (state, *(state.shadow[name] for name in sorted(state.shadow)))]
    rows = [row for row in last if row is not None]
    columns: dict[str, Any] = {}
    for name, column in curve.columns.items():
        more = [row[name] for row in rows]
        columns[name] = (
            [*column, *more] if isinstance(column, list) else np.append(column, np.array(more, column.dtype))
        )
    return Curve([*curve.account, *(row["strategy"] for row in rows)], columns)


def _write(path: Path, columns: dict[str, Any]) -> Path:
    arrow = {name: pa.array(c, pa.string()) if isinstance(c, list) else c for name, c in columns.items()}
    table = pa.table(arrow)
    with replacing(path) as temporary:
        try:
            _write_rows(temporary, table, "none")
        except pa.ArrowInvalid:  # a name holds a comma, a quote or a line break
            _write_rows(temporary, table, "needed")
    return path


def _write_rows(path: Path, table: pa.Table, quoting: str) -> None:
    with path.open("wb") as file:
        file.write((",".join(table.column_names) + "\n").encode())
        csv.write_csv(table, file, csv.WriteOptions(include_header=False, quoting_style=quoting))
