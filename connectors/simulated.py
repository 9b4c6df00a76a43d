"""The simulated market: candles of several symbols that behave like a market, from a seed. Nothing in it is real."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from connectors.cells import Floats, Ints
from connectors.errors import CandleFileError
from connectors.naming import to_name
from connectors.simulated_spec import MINUTE, MarketSpec
from connectors.tables import SEED, SIMULATED

__all__ = ["MarketMinutes", "MarketSpec", "SimulatedMarket", "write_market"]

BLOCK = 1_440
"""Minutes that are computed at once: a day. So a market says the same however many minutes are asked for at a time."""
_MINUTES_PER_YEAR = 365 * BLOCK
_JUMP = 5.0
"""Standard deviation of a jump, in standard deviations of a minute of its regime."""
# Measured on 500,000 rows: two thirds of the size that the library's defaults give, read in less than half the time.
_ENCODINGS = {"date": "DELTA_BINARY_PACKED"} | dict.fromkeys(
    ("open", "high", "low", "close", "volume"), "BYTE_STREAM_SPLIT"
)
_FEATURES = ("volatility", "activity", "drift", "jumps")
_README = """\
SIMULATED MARKET, seed {seed}

The candles in this folder are made by Penstock from a seed. They are not the prices of any market, and what a strategy
earns on them says nothing about what it would earn on one.

{days} days of 1m candles from {start} of {symbols}.
Each file carries the same label inside: {label}=true.
"""


@dataclass(frozen=True, slots=True, eq=False)
class MarketMinutes:
    """Consecutive 1m candles: ``ts`` (minutes,) is the close time, epoch ms UTC; the others are (minutes, symbols)."""

    symbols: tuple[str, ...]
    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.ts)

    def __getitem__(self, rows: slice) -> MarketMinutes:
        """Some of the minutes."""
        return MarketMinutes(
            self.symbols,
            self.ts[rows],
            self.open[rows],
            self.high[rows],
            self.low[rows],
            self.close[rows],
            self.volume[rows],
        )


@dataclass(slots=True)
class _State:
    """Everything that changes from one block to the next."""

    draws: np.random.Generator
    start_ms: int
    log_price: Floats
    close: Floats
    mood: Floats
    regime: int = 0
    left: int = 0
    sign: float = 1.0
    ready: list[MarketMinutes] = field(default_factory=list)


class SimulatedMarket:
    """A market that goes on for as long as it is asked. What it says does not depend on how it is asked.

    Each symbol's log price moves by a common and an own normal step, scaled by the regime (a Markov chain of calm,
    trend and turbulence that all share), by the hour and by a slowly wandering mood, plus rare jumps. High and low
    of a minute are drawn from the law of the extremes of a Brownian bridge between its open and close
    (P. Glasserman, Monte Carlo Methods in Financial Engineering, 2003, section 6.4). Volume follows the hour, the
    regime and the size of the move. Prices are rounded to the tick, volume to the lot.

    >>> market = SimulatedMarket(MarketSpec(seed=7))
    >>> first, then = market.next(90), market.next(2000)
    >>> len(first), len(then), int(then.ts[0] - first.ts[-1]), bool((then.open[0] == first.close[-1]).all())
    (90, 2000, 60000, True)
    """

    def __init__(self, spec: MarketSpec) -> None:
        self.spec = spec
        each = spec.symbols
        self._names = tuple(one.symbol for one in each)
        self._ticks, self._lots = [one.tick for one in each], [one.lot for one in each]
        self._sigma = np.array([one.volatility for one in each]) / np.sqrt(_MINUTES_PER_YEAR)
        self._common = np.array([one.common for one in each])
        self._volume = np.array([one.volume for one in each])
        price = np.array([one.price for one in each])
        self._state = _State(
            draws=np.random.default_rng(spec.seed),
            start_ms=spec.start_ms,
            log_price=np.log(price),
            close=_to_grid(price[None, :], self._ticks)[0],
            mood=np.zeros(len(each)),
        )

    def next(self, minutes: int) -> MarketMinutes:
        """The next minutes, as many as asked for (at least one)."""
        if minutes < 1:
            raise ValueError(f"minutes is {minutes}: ask for at least one")
        state = self._state
        while sum(map(len, state.ready)) < minutes:
            state.ready.append(self._block())
        joined = state.ready[0] if len(state.ready) == 1 else _join(state.ready)
        state.ready = [joined[minutes:]]
        return joined[:minutes]

    def _block(self) -> MarketMinutes:
        state, spec, count = self._state, self.spec, len(self._names)
        draws = state.draws
        which, sign = self._regimes()
        feature = {name: np.array([getattr(one, name) for one in spec.regimes])[which, None] for name in _FEATURES}
        open_ms = state.start_ms + np.arange(BLOCK, dtype=np.int64) * MINUTE
        hour = _busyness(open_ms)[:, None]
        calm = self._sigma * np.exp(self._moods()) * np.sqrt(hour)
        sigma = calm * feature["volatility"]
        steps = np.sqrt(self._common) * draws.standard_normal((BLOCK, 1))
        steps = steps + np.sqrt(1 - self._common) * draws.standard_normal((BLOCK, count))
        chance = feature["jumps"] / BLOCK
        jumps = (draws.random((BLOCK, 1)) < chance) * draws.standard_normal((BLOCK, 1)) * np.sqrt(self._common)
        jumps = jumps + (draws.random((BLOCK, count)) < chance) * draws.standard_normal((BLOCK, count))
        moves = sigma * (steps + _JUMP * jumps) + calm * feature["drift"] * sign[:, None]

        path = np.cumsum(np.concatenate([state.log_price[None, :], moves]), axis=0)
        above, below = (np.sqrt(moves**2 - 2 * sigma**2 * np.log(1 - draws.random((BLOCK, count)))) for _ in "hl")
        close = self._prices(path[1:])
        open_ = np.concatenate([state.close[None, :], close[:-1]])
        high = np.maximum(self._prices(path[:-1] + (moves + above) / 2), np.maximum(open_, close))
        low = np.minimum(self._prices(path[:-1] + (moves - below) / 2), np.minimum(open_, close))
        noise = np.exp(0.5 * draws.standard_normal((BLOCK, count)) - 0.125)
        volume = self._volume * feature["activity"] * hour * noise * (0.6 + 0.5 * np.abs(moves) / sigma)

        state.start_ms += BLOCK * MINUTE
        state.log_price, state.close = path[-1], close[-1]
        return MarketMinutes(self._names, open_ms + MINUTE, open_, high, low, close, _to_grid(volume, self._lots))

    def _regimes(self) -> tuple[Ints, Floats]:
        """Index of the regime and sign of its drift, for each minute of a block."""
        state, regimes = self._state, self.spec.regimes
        which, sign = np.empty(BLOCK, np.int64), np.empty(BLOCK)
        at = 0
        while at < BLOCK:
            if not state.left:
                if len(regimes) > 1:
                    state.regime = (state.regime + int(state.draws.integers(1, len(regimes)))) % len(regimes)
                state.left = int(state.draws.geometric(1 / regimes[state.regime].minutes))
                state.sign = 1.0 if state.draws.random() < 0.5 else -1.0
            end = min(BLOCK, at + state.left)
            which[at:end], sign[at:end] = state.regime, state.sign
            state.left -= end - at
            at = end
        return which, sign

    def _moods(self) -> Floats:
        """Logarithm of the slow part of each symbol's volatility: an AR(1) process, standard deviation 0.2."""
        shocks = 0.02 * self._state.draws.standard_normal((BLOCK, len(self._names)))
        mood = self._state.mood
        for minute in range(BLOCK):
            mood = 0.995 * mood + shocks[minute]
            shocks[minute] = mood
        self._state.mood = mood
        return shocks

    def _prices(self, logarithm: Floats) -> Floats:
        return np.maximum(_to_grid(np.exp(logarithm), self._ticks), [float(tick) for tick in self._ticks])


def _busyness(open_ms: Ints) -> Floats:
    """How busy a minute of the day is: quiet before dawn in UTC, busiest when American markets open. Mean about 1."""
    minute = (open_ms // MINUTE) % BLOCK
    wave = 0.35 * np.cos(2 * np.pi * (minute - 930) / BLOCK)
    peak = 0.6 * np.exp(-(((minute - 840) / 75) ** 2))
    return np.asarray(0.945 + wave + peak, dtype=np.float64)


def _to_grid(values: Floats, grid: Sequence[Decimal]) -> Floats:
    """Each column rounded to a multiple of its step; the result is the float nearest to the decimal."""
    rounded = np.empty_like(values)
    for column, step in enumerate(grid):
        places = max(0, -int(step.normalize().as_tuple().exponent))
        rounded[:, column] = np.round(np.rint(values[:, column] / float(step)) * float(step), places)
    return rounded


def _join(blocks: Sequence[MarketMinutes]) -> MarketMinutes:
    return MarketMinutes(
        blocks[0].symbols,
        np.concatenate([block.ts for block in blocks]),
        np.concatenate([block.open for block in blocks]),
        np.concatenate([block.high for block in blocks]),
        np.concatenate([block.low for block in blocks]),
        np.concatenate([block.close for block in blocks]),
        np.concatenate([block.volume for block in blocks]),
    )


def write_market(folder: Path | str, spec: MarketSpec | None = None) -> list[Path]:
    """Write a simulated market as candle files named as freqtrade names them, ``BTC_USDT-1m.parquet``.

    A ``README.txt`` beside them and labels inside them (``penstock.simulated=true``, ``penstock.seed``) say that they
    are simulated. The time column ``date`` is the candle's open. A file appears under its name only when it is whole.

    Returns the paths of the candle files, in the order of ``spec.symbols``; without a spec, :class:`MarketSpec`'s.
    Raises CandleFileError when a file of such a name is there that is not of a simulated market.
    """
    folder, spec = Path(folder), spec or MarketSpec()
    folder.mkdir(parents=True, exist_ok=True)
    for item in spec.symbols:
        _spare(folder / f"{to_name(item.symbol, '1m')}.parquet")
    candles = SimulatedMarket(spec).next(spec.days * BLOCK)
    labels = {SIMULATED: "true", SEED: str(spec.seed)}
    start = np.datetime_as_string(np.datetime64(spec.start_ms, "ms"), unit="m", timezone="UTC")
    _replace(
        folder / "README.txt",
        _README.format(
            seed=spec.seed, days=spec.days, start=start, symbols=", ".join(candles.symbols), label=SIMULATED
        ).encode(),
    )
    paths = []
    for column, symbol in enumerate(candles.symbols):
        table = pa.table(
            {
                "date": pa.array(candles.ts - MINUTE).cast(pa.timestamp("ms", "UTC")),
                "open": candles.open[:, column],
                "high": candles.high[:, column],
                "low": candles.low[:, column],
                "close": candles.close[:, column],
                "volume": candles.volume[:, column],
            }
        ).replace_schema_metadata({**labels, "penstock.symbol": symbol})
        sink = pa.BufferOutputStream()
        pa.parquet.write_table(table, sink, compression="lz4", use_dictionary=False, column_encoding=_ENCODINGS)
        paths.append(folder / f"{to_name(symbol, '1m')}.parquet")
        _replace(paths[-1], sink.getvalue().to_pybytes())
    return paths


def _spare(path: Path) -> None:
    """Raises CandleFileError when a file is there that is no simulated market: it may be somebody's real data."""
    if not path.exists():
        return
    try:
        labels = pa.parquet.read_schema(path).metadata or {}
    except pa.ArrowInvalid:
        labels = {}
    if labels.get(SIMULATED.encode()) != b"true":
        raise CandleFileError(f"{path} is there and is no simulated market: give another folder, or move it")


def _replace(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
