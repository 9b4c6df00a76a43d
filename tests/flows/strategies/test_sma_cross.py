from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from flows.columns import Candles
from flows.strategies.sma_cross import SmaCross


def strategy(fast: int = 2, slow: int = 3, **params: Any) -> SmaCross:
    return SmaCross(SmaCross.Params.model_validate({"fast": fast, "slow": slow, **params}))


def test_is_long_where_the_fast_average_crosses_above_and_short_where_it_crosses_below() -> None:
    signals = strategy().on_candles(Candles.of([5.0, 4.0, 3.0, 9.0, 9.0, 1.0, 1.0]))
    assert signals.long is not None
    assert signals.short is not None
    assert np.flatnonzero(signals.long).tolist() == [3]
    assert np.flatnonzero(signals.short).tolist() == [5]


def test_signals_are_the_changes_of_sign_of_the_difference_of_two_plain_averages() -> None:
    close = 100.0 + np.cumsum(np.random.default_rng(8).normal(size=500))
    signals = strategy(5, 12).on_candles(Candles.of(close))
    side = {i: np.sign(close[i - 4 : i + 1].mean() - close[i - 11 : i + 1].mean()) for i in range(11, 500)}
    crossed = {i: side[i] for before, i in pairwise(side) if side[i] != side[before]}
    assert signals.long is not None
    assert signals.short is not None
    assert np.flatnonzero(signals.long).tolist() == [i for i, now in crossed.items() if now > 0]
    assert np.flatnonzero(signals.short).tolist() == [i for i, now in crossed.items() if now < 0]
    assert len(crossed) > 20


def test_the_stop_lies_stop_pct_from_the_close() -> None:
    signals = strategy(stop_pct=1.0).on_candles(Candles.of([100.0, 200.0]))
    assert signals.stop_distance is not None
    assert signals.stop_distance.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("params", "away"), [({}, [2.0, 4.0]), ({"reward_to_risk": 1.5}, [1.5, 3.0])])
def test_the_target_lies_a_multiple_of_the_stop_from_the_close(params: dict[str, Any], away: list[float]) -> None:
    signals = strategy(stop_pct=1.0, **params).on_candles(Candles.of([100.0, 200.0]))
    assert signals.target_distance is not None
    assert signals.target_distance.tolist() == away


def test_there_may_be_no_target() -> None:
    assert strategy(reward_to_risk=None).on_candles(Candles.of([100.0, 200.0])).target_distance is None
    assert strategy(reward_to_risk=None, stop_pct=90).params


def test_a_target_that_a_short_could_not_have_is_refused() -> None:
    assert strategy(stop_pct=49.9).params
    with pytest.raises(ValidationError, match="a target 2 times 50 % away is 100 % away: that of a short would not"):
        strategy(stop_pct=50)


def test_no_signal_comes_within_the_warmup() -> None:
    cross = strategy()
    assert cross.warmup == 3
    signals = cross.on_candles(Candles.of([5.0, 4.0, 9.0, 9.0]))
    assert signals.long is not None
    assert signals.short is not None
    assert not (signals.long | signals.short)[: cross.warmup].any()


@pytest.mark.parametrize(("fast", "slow"), [(20, 10), (10, 10)])
def test_the_fast_average_must_be_the_shorter_one(fast: int, slow: int) -> None:
    with pytest.raises(
        ValidationError, match=f"fast is {fast} and slow is {slow}: the fast average must be the shorter"
    ):
        SmaCross.Params(fast=fast, slow=slow)


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        SmaCross.Params.model_validate({"fats": 3})
