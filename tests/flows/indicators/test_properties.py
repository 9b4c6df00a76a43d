"""What holds for every indicator, whatever it computes."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flows.indicators
from flows.columns import Candles, Floats
from flows.indicators.adx import ADX
from flows.indicators.atr import ATR, TrueRange
from flows.indicators.bollinger import Bollinger
from flows.indicators.cci import CCI
from flows.indicators.cross import Cross
from flows.indicators.donchian import Donchian
from flows.indicators.ema import EMA
from flows.indicators.extremes import Highest, Lowest
from flows.indicators.higher import Higher
from flows.indicators.keltner import Keltner
from flows.indicators.macd import MACD
from flows.indicators.moments import Moments
from flows.indicators.obv import OBV
from flows.indicators.rma import RMA
from flows.indicators.roc import ROC
from flows.indicators.rsi import RSI
from flows.indicators.slope import Line, Slope
from flows.indicators.sma import SMA
from flows.indicators.stdev import Stdev
from flows.indicators.stochastic import Stochastic
from flows.indicators.supertrend import Supertrend
from flows.indicators.swings import Swings
from flows.indicators.vwap import VWAP
from flows.indicators.wma import WMA
from flows.indicators.zscore import ZScore
from flows.module import Module


class OpenCross(Module):
    """Cross needs two lines: the close and the open."""

    def __init__(self) -> None:
        self.cross = Cross()

    def __call__(self, candles: Candles) -> Any:
        return self.cross(candles, candles.close, candles.open)


OF_A_COLUMN: dict[str, Callable[[], Any]] = {
    "sma": lambda: SMA(5),
    "sma of one": lambda: SMA(1),
    "ema": lambda: EMA(5),
    "rma": lambda: RMA(5),
    "wma": lambda: WMA(5),
    "line": lambda: Line(4),
    "slope": lambda: Slope(5),
    "moments": lambda: Moments(4),
    "stdev": lambda: Stdev(5),
    "bollinger": lambda: Bollinger(5, 2.0),
    "zscore": lambda: ZScore(5),
    "rsi": lambda: RSI(5),
    "macd": lambda: MACD(3, 7, 4),
    "roc": lambda: ROC(5),
    "highest": lambda: Highest(5),
    "lowest": lambda: Lowest(5),
}
OF_CANDLES: dict[str, Callable[[], Any]] = {
    "stochastic": lambda: Stochastic(5, 3, 2),
    "true range": TrueRange,
    "atr": lambda: ATR(5),
    "adx": lambda: ADX(4),
    "cci": lambda: CCI(5),
    "donchian": lambda: Donchian(5),
    "keltner": lambda: Keltner(6, 4, 1.5),
    "supertrend": lambda: Supertrend(4, 1.0),
    "obv": OBV,
    "vwap": lambda: VWAP("7m", 60_000),
}
OTHERS: dict[str, Callable[[], Any]] = {
    "cross": OpenCross,
    "swings": lambda: Swings(2),
    "higher": lambda: Higher("4m", EMA(2)),
    "higher of three columns": lambda: Higher("3m", Bollinger(3), columns=3),
    "higher of higher": lambda: Higher("2m", Higher("4m", SMA(2))),
}
WITH_WARMUP = OF_A_COLUMN | OF_CANDLES
ALL = WITH_WARMUP | OTHERS


def columns(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


def market(seed: int, symbols: int, rows: int) -> Candles:
    """Candles of several symbols mixed at random: coarse ticks (so that ties happen), holes, empty volume."""
    draw = np.random.default_rng(seed)
    slot = draw.integers(0, symbols, rows).astype(np.int32)
    ts = np.zeros(rows, np.int64)
    close, open_ = np.zeros(rows), np.zeros(rows)
    for s in range(symbols):
        own = slot == s
        steps = draw.choice([1, 1, 1, 1, 2, 5, 40], own.sum())
        ts[own] = 60_000 * (draw.integers(0, 5) + np.cumsum(steps))
        close[own] = 50.1 + 0.1 * s + 0.25 * np.abs(np.cumsum(draw.integers(-3, 4, own.sum())))
        open_[own] = close[own] + 0.25 * draw.integers(-1, 2, own.sum())
    high = np.maximum(open_, close) + 0.25 * draw.integers(0, 3, rows)
    low = np.minimum(open_, close) - 0.25 * draw.integers(0, 3, rows)
    return Candles(slot, symbols, ts, open_, high, low, close, 0.7 * draw.integers(0, 4, rows).astype(np.float64))


def batches(candles: Candles, cuts: list[int]) -> Iterator[Candles]:
    """The candles cut at these rows; a batch knows only of the symbols that have come so far, as in a live shard."""
    edges = [0, *sorted(cut % (len(candles) + 1) for cut in cuts), len(candles)]
    for start, stop in pairwise(edges):
        known = int(candles.slot[:stop].max(initial=0)) + 1
        yield replace(candles[start:stop], slots=known)


def joined(parts: list[tuple[Any, ...]]) -> list[Any]:
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


SEEDS = st.integers(0, 2**32 - 1)
CUTS = st.lists(st.integers(0, 10_000), max_size=12)


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, symbols=st.integers(1, 4), rows=st.integers(1, 150), cuts=CUTS)
def test_cuts_and_mixing_of_symbols_do_not_change_a_bit(
    name: str, seed: int, symbols: int, rows: int, cuts: list[int]
) -> None:
    candles = market(seed, symbols, rows)
    mixed = ALL[name]()
    found = joined([columns(mixed(batch)) for batch in batches(candles, cuts)])
    for s in range(symbols):
        own = candles.slot == s
        alone = replace(candles[own], slot=np.zeros(own.sum(), np.int32), slots=1)
        for ours, expected in zip(found, columns(ALL[name]()(alone)), strict=True):
            assert ours[own].tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, symbols=st.integers(1, 3), rows=st.integers(1, 120), cut=st.integers(0, 120))
def test_state_taken_in_the_middle_goes_on_as_if_undisturbed(
    name: str, seed: int, symbols: int, rows: int, cut: int
) -> None:
    candles = market(seed, symbols, rows)
    first, whole = ALL[name](), ALL[name]()
    before = columns(first(candles[:cut]))
    saved = pickle.dumps(first.state_dict())
    first(candles[cut:])  # what goes on living must not write into what was saved
    second = ALL[name]()
    second.load_state_dict(pickle.loads(saved))
    after = columns(second(candles[cut:]))
    for ours, expected in zip(joined([before, after]), columns(whole(candles)), strict=True):
        assert ours.tobytes() == expected.tobytes()
    assert pickle.dumps(second.state_dict()) == pickle.dumps(first.state_dict())


@pytest.mark.parametrize("name", OF_A_COLUMN)
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, rows=st.integers(1, 100), share=st.floats(0.0, 1.0), leading=st.integers(0, 20))
def test_nan_in_the_input_is_passed_over(name: str, seed: int, rows: int, share: float, leading: int) -> None:
    candles = market(seed, 1, rows)
    missing = np.random.default_rng(seed).random(rows) < share * 0.5
    missing[:leading] = True
    x: Floats = np.where(missing, np.nan, candles.close)
    found = columns(OF_A_COLUMN[name]()(candles, x))
    for ours, expected in zip(found, columns(OF_A_COLUMN[name]()(candles[~missing], x[~missing])), strict=True):
        assert np.isnan(ours[missing]).all()
        np.testing.assert_array_equal(ours[~missing], expected)


@pytest.mark.parametrize("name", WITH_WARMUP)
def test_warmup_is_the_rows_before_all_columns_have_a_value(name: str) -> None:
    module = WITH_WARMUP[name]()
    missing = np.isnan(np.stack(columns(module(market(7, 1, 100))))).any(axis=0)
    assert missing.tolist() == [True] * module.warmup + [False] * (100 - module.warmup)


@pytest.mark.parametrize("name", OF_A_COLUMN)
def test_without_a_column_the_close_is_used_or_the_extreme(name: str) -> None:
    candles = market(3, 1, 60)
    default = {"highest": candles.high, "lowest": candles.low}.get(name, candles.close)
    for ours, expected in zip(
        columns(OF_A_COLUMN[name]()(candles)), columns(OF_A_COLUMN[name]()(candles, default)), strict=True
    ):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("name", ALL)
def test_an_empty_batch_gives_empty_columns(name: str) -> None:
    assert all(len(column) == 0 for column in columns(ALL[name]()(market(1, 1, 5)[:0])))


def test_every_indicator_is_among_these() -> None:
    def tree(module: Module) -> Iterator[type]:
        yield type(module)
        for _, child in module.children():
            yield from tree(child)

    covered = {kind for make in ALL.values() for kind in tree(make())}
    for info in pkgutil.iter_modules(flows.indicators.__path__):
        file = importlib.import_module(f"flows.indicators.{info.name}")
        for name, kind in vars(file).items():
            if isinstance(kind, type) and issubclass(kind, Module) and kind.__module__ == file.__name__:
                assert kind in covered or name.startswith("_"), f"add {name} to the lists of this file"
