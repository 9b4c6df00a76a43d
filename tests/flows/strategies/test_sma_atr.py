from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from flows.columns import Bools, Candles
from flows.indicators.atr import ATR
from flows.strategies.base import Signals
from flows.strategies.sma_atr import SmaAtr
from flows.strategies.sma_cross import SmaCross


def strategy(**params: Any) -> SmaAtr:
    return SmaAtr(SmaAtr.Params(**({"fast": 2, "slow": 3, "atr_length": 2, "min_atr_pct": 0.0} | params)))


def masks(signals: Signals) -> tuple[Bools, Bools]:
    assert signals.long is not None
    assert signals.short is not None
    return signals.long, signals.short


def walk(seed: int, rows: int) -> Candles:
    draw = np.random.default_rng(seed)
    close = 100.0 + np.cumsum(draw.integers(-2, 3, rows) * draw.choice([0.01, 0.5], rows))
    reach = draw.random(rows) * 0.1
    return replace(Candles.of(close), high=close + reach, low=close - reach)


def test_signals_are_those_of_sma_cross_on_the_rows_whose_range_is_above_the_floor() -> None:
    candles = walk(3, 2000)
    plain = masks(SmaCross(SmaCross.Params(fast=5, slow=12)).on_candles(candles))
    moving = ATR(7)(candles) >= 0.004 * candles.close
    found = masks(strategy(fast=5, slow=12, atr_length=7, min_atr_pct=0.4).on_candles(candles))
    assert 10 < sum(mask.sum() for mask in found) < sum(mask.sum() for mask in plain) - 10
    for ours, crossed in zip(found, plain, strict=True):
        assert ours.tolist() == (crossed & moving).tolist()


def test_stop_and_target_lie_average_true_ranges_from_the_close() -> None:
    signals = strategy(stop_atr=1.5, target_atr=4.0).on_candles(Candles.of([1.0, 3.0, 2.0]))
    assert signals.stop_distance is not None
    assert signals.target_distance is not None
    assert (signals.stop_distance[2], signals.target_distance[2]) == (2.25, 6.0)


def test_there_may_be_no_target() -> None:
    assert strategy(target_atr=None).on_candles(Candles.of([1.0, 3.0, 2.0])).target_distance is None


def test_the_averages_and_the_range_are_recorded_beside_the_signal() -> None:
    values = strategy().on_candles(Candles.of([1.0, 3.0, 2.0])).values
    assert {name: column[2] for name, column in values.items()} == {"fast": 2.5, "slow": 2.0, "atr": 1.5}


def test_no_signal_comes_while_data_is_insufficient() -> None:
    candles = walk(5, 400)
    for params in ({}, {"atr_length": 50}, {"slow": 30}):
        sma_atr = strategy(**params)
        long, short = masks(sma_atr.on_candles(candles))
        assert not (long | short)[: sma_atr.warmup].any()
        assert (long | short)[sma_atr.warmup :].any()


def test_a_crossing_without_any_range_gives_no_signal_since_it_could_have_no_stop() -> None:
    candles = Candles.of([5.0, 1.0, 8.0, 4.0, 4.0])  # on the last row the averages cross and nothing moves
    crossed = masks(SmaCross(SmaCross.Params(fast=2, slow=4)).on_candles(candles))
    found = masks(strategy(fast=2, slow=4, atr_length=1).on_candles(candles))
    assert [mask.tolist()[4] for mask in crossed] == [False, True]
    assert [mask.tolist()[4] for mask in found] == [False, False]


def test_every_signal_has_a_stop_and_a_target() -> None:
    signals = strategy().on_candles(walk(6, 3000))
    long, short = masks(signals)
    assert signals.stop_distance is not None
    assert signals.target_distance is not None
    assert (long | short).sum() > 100
    assert not (long & short).any()
    assert (signals.stop_distance[long | short] > 0.0).all()
    assert (signals.target_distance[long | short] > 0.0).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), rows=st.integers(1, 200), cut=st.integers(0, 200))
def test_a_cut_and_a_restart_do_not_change_the_signals(seed: int, rows: int, cut: int) -> None:
    candles = walk(seed, rows)
    first, second = strategy(min_atr_pct=0.1), strategy(min_atr_pct=0.1)
    before = masks(first.on_candles(candles[:cut]))
    second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    after = masks(second.on_candles(candles[cut:]))
    whole = masks(strategy(min_atr_pct=0.1).on_candles(candles))
    for head, tail, expected in zip(before, after, whole, strict=True):
        assert [*head.tolist(), *tail.tolist()] == expected.tolist()


def test_the_defaults_trade_on_real_candles(shared_data: Path) -> None:
    table = csv.read_csv(shared_data / "candles/btc-perp-20211231-20220201-1m.csv.gz")
    prices = {name: table[name].to_numpy().astype(np.float64) for name in ("open", "high", "low", "close", "volume")}
    long, short = masks(SmaAtr(SmaAtr.Params()).on_candles(replace(Candles.of(prices["close"]), **prices)))
    assert (long.sum(), short.sum()) == (131, 137)


@pytest.mark.parametrize(("fast", "slow"), [(50, 20), (20, 20)])
def test_the_fast_average_must_be_the_shorter_one(fast: int, slow: int) -> None:
    with pytest.raises(
        ValidationError, match=f"fast is {fast} and slow is {slow}: the fast average must be the shorter"
    ):
        SmaAtr.Params(fast=fast, slow=slow)


@pytest.mark.parametrize("field", ["stop_atr", "target_atr"])
def test_a_distance_of_nothing_is_refused(field: str) -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        SmaAtr.Params.model_validate({field: 0.0})


def test_every_parameter_says_what_it_is_in_which_unit() -> None:
    described = {name: info.description for name, info in SmaAtr.Params.model_fields.items()}
    units = ("candles", "average true ranges", "1.0 = 1 %")
    assert all(text is not None and text.endswith(units) for text in described.values())
