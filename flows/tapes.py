"""The plan of a replay of trades: files of them, of one symbol each, and recordings of frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from connectors.candle_file import CandleFileError
from connectors.tape import Tape
from connectors.trade_file import holds_trades, read_trades
from connectors.trade_recording import is_recording, read_recording
from flows.plan import Input, Plan, code_of, with_currency
from schemas.config.root import Config

TIMEFRAME = "1m"
"""Of the candles that are made when the configuration does not say."""


def are_trades(paths: Sequence[Path]) -> bool:
    """Whether files hold trades, or what they can be made of. Raises CandleFileError when only some of them do."""
    trades = [path for path in paths if is_recording(path) or holds_trades(path)]
    if trades and len(trades) < len(paths):
        other = next(path for path in paths if path not in trades)
        raise CandleFileError(f"{trades[0]} holds trades, {other} does not: replay them in runs of their own")
    return bool(trades)


def make_trades_plan(
    paths: Sequence[Path], symbol: str | None, config: Config, version: str, exchange: str | None = None
) -> tuple[Plan, dict[str, Tape]]:
    """Read the files and plan their replay. The second value holds the tape of each symbol.

    ``exchange`` is for recordings that do not say of which they are. Raises CandleFileError as
    :func:`flows.plan.make_plan`, and CaptureError for a recording that cannot be used.
    """
    if symbol is not None and len(paths) > 1:
        raise CandleFileError(
            f"--symbol names one market, but there are {len(paths)} files: name them as freqtrade does"
        )
    found: dict[str, Tape] = {}
    for path in paths:
        tape = _read(path, symbol, exchange)
        for name in tape.symbols:
            if name in found:
                raise CandleFileError(f"{found[name].paths[0]} and {path} both hold {name}: leave one out")
            found[name] = tape
    inputs = tuple(
        Input(
            path=tape.paths[0],
            symbol=name,
            timeframe_ms=None,
            rows=tape.trades(name),
            sha256=tape.sha256,
            notes=tape.notes if name == tape.symbols[0] else (),
            exchange=exchange if is_recording(Path(tape.paths[0])) else None,
        )
        for name, tape in sorted(found.items())
    )
    config = with_bars(with_currency(config, sorted(found)))
    return Plan(config=config, of="trades", inputs=inputs, version=version, code=code_of(config)), found


def _read(path: Path, symbol: str | None, exchange: str | None) -> Tape:
    return read_recording(path, exchange) if is_recording(path) else read_trades(path, symbol=symbol)


def with_bars(config: Config) -> Config:
    """Candles of a minute, when nothing else is wanted."""
    if config.market.bars.made:
        return config
    bars = config.market.bars.model_copy(update={"timeframes": (TIMEFRAME,)})
    return config.model_copy(update={"market": config.market.model_copy(update={"bars": bars})})


def loader(plan: Plan) -> Callable[[str], Sequence[Any]]:
    """Reads what a plan names, for a process that has not read it."""
    return partial(_load, plan) if plan.of == "trades" else plan.load


def _load(plan: Plan, shard: str) -> list[Tape]:
    items = [item for item in plan.shards[shard] if isinstance(item, Input)]
    tapes = []
    for path in dict.fromkeys(item.path for item in items):
        mine = [item for item in items if item.path == path]
        tape = _read(Path(path), mine[0].symbol, mine[0].exchange)
        if tape.sha256 != mine[0].sha256:
            raise CandleFileError(f"{path} has changed since the run began: start a new run")
        tapes.append(tape.only([item.symbol for item in mine]))
    return tapes
