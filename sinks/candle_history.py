"""A Parquet file of one market's candles that knows which stretches of time it covers, and can grow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from schemas.candle import Candle
from schemas.timeframe import to_millis
from sinks.atomic import replacing

Stretch = tuple[int, int]
"""From an epoch ms to another, which is not in it."""

PRICES = ("open", "high", "low", "close", "volume")
FURTHER = ("quote_volume", "count", "taker_buy_volume", "vwap")
"""Columns that an exchange may not tell: null then, and left out when it never does."""
_LABELS = ("exchange", "symbol", "timeframe")
_TIME = pa.timestamp("ms", "UTC")


class HistoryError(ValueError):
    """A file that is there and is not what is to be continued. The message names it and says what to do."""


class CandleHistory:
    """The file ``path``, and beside it ``path.partial`` while something is missing that was asked for.

    ``market`` are the names of exchange, symbol and timeframe; the file carries them as labels, and the stretches that
    it covers: of these all candles are there that the exchange had. The column ``date`` is a candle's open.
    """

    def __init__(self, path: Path, market: tuple[str, str, str]) -> None:
        self.path, self._partial = path, path.with_name(f"{path.name}.partial")
        self._labels = dict(zip((f"penstock.{name}" for name in _LABELS), market, strict=True))
        self._length = to_millis(market[2])
        self.covered: list[Stretch] = []
        self._blocks: list[NDArray[np.float64]] = []
        for there in (self._partial, path):
            if there.exists():
                self._load(there)
                break

    def missing(self, since: int, until: int) -> list[Stretch]:
        """What of [since, until) is not covered."""
        edges = [since, *(edge for stretch in self.covered for edge in stretch), until]
        gaps = zip(edges[::2], edges[1::2], strict=True)
        return [(max(a, since), min(b, until)) for a, b in gaps if max(a, since) < min(b, until)]

    def add(self, candles: Sequence[Candle], since: int, until: int) -> None:
        """All candles that open in [since, until)."""
        if candles:
            names = (*PRICES, *FURTHER)
            rows = [(one.ts - self._length, *(getattr(one, name) for name in names)) for one in candles]
            self._blocks.append(np.array(rows, dtype=np.float64))  # None becomes NaN
        self.covered = _joined([*self.covered, (since, until)])

    def rows(self) -> NDArray[np.float64]:
        """Open time, prices, volume and what is told further, a row a candle, by time."""
        if not self._blocks:
            return np.empty((0, 1 + len(PRICES) + len(FURTHER)))
        joined = np.concatenate(self._blocks)
        _, first = np.unique(joined[:, 0], return_index=True)
        self._blocks = [joined[first]]
        return self._blocks[0]

    def save(self) -> None:
        """Write ``path.partial``; without a candle there is nothing to write."""
        if len(self.rows()):
            self._write(self._partial)

    def finish(self) -> None:
        """Write ``path``, as :meth:`save`."""
        if len(self.rows()):
            self._write(self.path)
        self._partial.unlink(missing_ok=True)

    def within(self, since: int, until: int) -> NDArray[np.int64]:
        """Open times of the candles in [since, until)."""
        opened = self.rows()[:, 0].astype(np.int64)
        return opened[(opened >= since) & (opened < until)]

    def gaps(self, since: int, until: int) -> list[Stretch]:
        """Stretches of [since, until) without candles; each is as many timeframes long as candles are missing."""
        ends = np.concatenate([[since], self.within(since, until) + self._length])
        begins = np.append(ends[1:] - self._length, until)
        missing = (begins - ends) // self._length
        return [(int(ends[at]), int(ends[at] + missing[at] * self._length)) for at in np.flatnonzero(missing > 0)]

    def _load(self, path: Path) -> None:
        try:
            table = pa.parquet.read_table(path)
        except (pa.ArrowException, OSError) as wrong:
            raise HistoryError(f"{path} is there and cannot be read ({wrong}): move it away") from wrong
        labels = {key.decode(): text.decode() for key, text in (table.schema.metadata or {}).items()}
        other = [f"{key} {labels.get(key, 'unknown')}" for key, text in self._labels.items() if labels.get(key) != text]
        if other:
            raise HistoryError(f"{path} is there and is not to be continued ({', '.join(other)}): give another --out")
        self.covered = [(since, until) for since, until in json.loads(labels["penstock.covered"])]
        columns = [table["date"].cast(pa.int64())]
        columns += [table[name] if name in table.column_names else None for name in (*PRICES, *FURTHER)]
        self._blocks = [np.column_stack([_floats(column, len(table)) for column in columns])]

    def _write(self, path: Path) -> None:
        rows = self.rows()
        columns: dict[str, Any] = {"date": pa.array(rows[:, 0].astype(np.int64)).cast(_TIME)}
        for at, name in enumerate((*PRICES, *FURTHER), start=1):
            column = pa.array(rows[:, at], from_pandas=True)  # NaN becomes null
            if name in PRICES or column.null_count < len(rows):
                columns[name] = column.cast(pa.int64()) if name == "count" else column
        table = pa.table(columns)
        labels = {**self._labels, "penstock.covered": json.dumps(self.covered)}
        encodings = {"date": "DELTA_BINARY_PACKED"}
        encodings |= {name: "BYTE_STREAM_SPLIT" for name in columns if columns[name].type == pa.float64()}
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            pa.parquet.write_table(
                table.replace_schema_metadata(labels),
                temporary,
                compression="lz4",
                use_dictionary=False,
                column_encoding=encodings,
            )


def _floats(column: Any, rows: int) -> NDArray[np.float64]:
    if column is None:
        return np.full(rows, np.nan)
    found: NDArray[np.float64] = column.cast(pa.float64()).to_numpy()
    return found


def _joined(stretches: list[Stretch]) -> list[Stretch]:
    """The same, sorted, with those that touch made one."""
    made: list[Stretch] = []
    for since, until in sorted(stretches):
        if made and since <= made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], until))
        else:
            made.append((since, until))
    return made
