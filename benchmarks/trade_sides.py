"""One side of the race from trades to candles, as a process of its own: penstock or Bytewax.

    python benchmarks/trade_sides.py SIDE TRADES.parquet FRAMES.ndjson ROWS

Prints one line of JSON: seconds of each job, and the candles of a minute that were made (close, open, high, low, close,
volume). Trades are in memory before the clock starts; kernels are compiled before it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq

from connectors.exchanges.registry import exchange
from connectors.trade_ids import ids_of
from connectors.trade_recording import read_recording
from flows.bars.bars import Bars
from schemas.batch import TradeBatch
from schemas.capture import decode_line
from schemas.config.market import MarketConfig

BATCH = 10_000
SEVERAL = ("1m", "1s", "5m", "15m", "1h", "4h", "1d")
Candle = tuple[float, ...]


def batches(columns: dict[str, Any], rows: int) -> list[TradeBatch]:
    """What a source would hand over."""
    found = []
    for start in range(0, rows, BATCH):
        part = slice(start, min(start + BATCH, rows))
        cut = {name: column[part] for name, column in columns.items()}
        count = len(cut["ts"])
        slot, position = np.zeros(count, np.int32), np.arange(start + 1, start + count + 1)
        found.append(
            TradeBatch("s", ("BTC/USDT",), ("f",), slot, position=position, final=start + count == rows, **cut)
        )
    return found


def bars(given: Sequence[TradeBatch], timeframes: Sequence[str]) -> tuple[float, list[Candle]]:
    """Seconds, and the candles of the first timeframe."""
    machine = Bars(MarketConfig.model_validate({"bars": {"timeframes": list(timeframes)}}))
    began = perf_counter()
    made = [machine.step(batch, batch.slot, 1).candles for batch in given]
    took = perf_counter() - began
    candles = []
    for folded in made:
        one = folded[folded.kind == 0]
        columns = (one.ts, *one.figures.T[:4], one.total(4))
        candles += zip(*(column.tolist() for column in columns), strict=True)
    return took, candles


def best(job: Callable[[], tuple[float, Any]], times: int = 5) -> tuple[float, Any]:
    """The median of some runs behind a first one, which compiles."""
    job()
    runs = sorted((job() for _ in range(times)), key=lambda run: run[0])
    return runs[len(runs) // 2]


def penstock(trades: Path, frames: Path, rows: int) -> dict[str, Any]:
    """Columns of trades to candles, and raw frames to candles."""
    table = pq.read_table(trades)
    columns = {name: table[name].to_numpy() for name in ("ts", "price", "amount", "id")}
    columns["buy"] = np.asarray(table["buy"].to_pylist(), np.bool_)
    given = batches(columns, rows)
    one, candles = best(lambda: bars(given, ("1m",)))
    several, _ = best(lambda: bars(given, SEVERAL))
    lines = frames.read_bytes().splitlines()
    raw, made = best(lambda: from_frames(lines), 3)
    whole, _ = best(lambda: recording(frames), 3)
    parsed, _ = best(lambda: parse(lines), 3)
    limit, _ = best(lambda: decode(lines), 3)
    return {
        "rows": rows,
        "frames": len(lines),
        "seconds": {"1m": one, "several": several, "frames": raw, "recording": whole, "parse": parsed, "decode": limit},
        "candles": candles,
        "candles of frames": made,
    }


def from_frames(lines: Sequence[bytes]) -> tuple[float, list[Candle]]:
    """Frames to records, columns and candles."""
    parser, trades = exchange("binance").parser(), list[Any]()
    began = perf_counter()
    for text in lines:
        line = decode_line(text)
        assert isinstance(line.said, bytes)
        trades += parser.parse(line.said, line.ns)
    count = len(trades)
    given = TradeBatch(
        shard="s",
        symbols=("BTC/USDT",),
        sources=("f",),
        slot=np.zeros(count, np.int32),
        ts=np.array([one.ts for one in trades]),
        price=np.array([one.price for one in trades]),
        amount=np.array([one.amount for one in trades]),
        buy=np.array([one.side == "buy" for one in trades]),
        id=ids_of([one.id for one in trades]),
        position=np.arange(1, count + 1),
        final=True,
    )
    _, candles = bars([given], ("1m",))
    return perf_counter() - began, candles


def recording(frames: Path) -> tuple[float, list[Candle]]:
    """From the file of frames to candles: lines, parser, order and holes, clocks, columns, candles."""
    began = perf_counter()
    tape = read_recording(frames, "binance")
    columns = {name: getattr(tape, name) for name in ("ts", "price", "amount", "id", "buy")}
    given = TradeBatch("s", tape.symbols, ("f",), tape.slot, position=tape.position, final=True, **columns)
    _, candles = bars([given], ("1m",))
    return perf_counter() - began, candles


def parse(lines: Sequence[bytes]) -> tuple[float, None]:
    """Frames to records, and no more."""
    parser = exchange("binance").parser()
    began = perf_counter()
    for text in lines:
        line = decode_line(text)
        assert isinstance(line.said, bytes)
        parser.parse(line.said, line.ns)
    return perf_counter() - began, None


class Data(msgspec.Struct):
    """What a frame says of a trade."""

    s: str
    t: int
    p: str
    q: str
    T: int
    m: bool


class Frame(msgspec.Struct):
    """A frame of a combined stream."""

    stream: str
    data: Data


def decode(lines: Sequence[bytes]) -> tuple[float, None]:
    """The limit: each frame by msgspec into a struct, and nothing else."""
    decoder, frames = msgspec.json.Decoder(Frame), [text.split(b" ", 1)[1] for text in lines]
    began = perf_counter()
    for frame in frames:
        decoder.decode(frame)
    return perf_counter() - began, None


def with_bytewax(trades: Path, _: Path, rows: int) -> dict[str, Any]:
    """The candles of ``fold_window``, a Python object a trade."""
    import bytewax.operators as op
    from bytewax.dataflow import Dataflow
    from bytewax.operators.windowing import EventClock, TumblingWindower, fold_window
    from bytewax.testing import TestingSink, TestingSource, run_main

    table = pq.read_table(trades).slice(0, rows)
    times = [datetime.fromtimestamp(ms / 1_000, UTC) for ms in table["ts"].to_pylist()]
    values = zip(times, table["price"].to_pylist(), table["amount"].to_pylist(), strict=True)
    items = [("BTC/USDT", value) for value in values]

    def fold(state: list[float], value: tuple[Any, float, float]) -> list[float]:
        _, price, amount = value
        if not state:
            return [price, price, price, price, amount]
        state[1], state[2], state[3] = max(state[1], price), min(state[2], price), price
        state[4] += amount
        return state

    out: list[Any] = []
    flow = Dataflow("bars")
    up = op.input("in", flow, TestingSource(items, batch_size=BATCH))
    clock = EventClock(lambda value: value[0], wait_for_system_duration=timedelta(seconds=2))
    windower = TumblingWindower(length=timedelta(minutes=1), align_to=datetime(2021, 1, 1, tzinfo=UTC))
    window = fold_window("fold", up, clock, windower, list, fold, lambda one, other: one + other)
    op.output("out", window.down, TestingSink(out))
    began = perf_counter()
    run_main(flow)  # type: ignore[no-untyped-call]
    took = perf_counter() - began
    base = int(datetime(2021, 1, 1, tzinfo=UTC).timestamp() * 1_000)
    found = sorted((base + (number + 1) * 60_000, *figures) for _, (number, figures) in out)
    return {"rows": rows, "seconds": {"1m": took}, "candles": found, "version": f"Bytewax {version('bytewax')}"}


if __name__ == "__main__":
    side, trades_, frames_, rows_ = sys.argv[1:]
    job = {"penstock": penstock, "bytewax": with_bytewax}[side]
    print(json.dumps(job(Path(trades_), Path(frames_), int(rows_))))
