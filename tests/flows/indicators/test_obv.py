from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate

import numpy as np
import talib

from flows.columns import Candles, Floats
from flows.indicators.obv import OBV


def test_agrees_with_talib(real: Candles, in_batches: Callable[..., Floats], assert_agree: Callable[..., None]) -> None:
    assert_agree(in_batches(OBV(), real), talib.OBV(real.close, real.volume), 0)


def test_does_not_drift_from_the_exact_sum(real: Candles) -> None:
    signs = np.sign(np.diff(real.close, prepend=0.0)).astype(int).tolist()
    steps = [sign * Fraction(volume) for sign, volume in zip(signs, real.volume.tolist(), strict=True)]
    assert OBV()(real).tolist() == [float(total) for total in accumulate(steps)]


def test_adds_the_volume_of_rising_and_takes_that_of_falling_closes() -> None:
    assert OBV()(Candles.of([1.0, 2.0, 2.0, 1.0, 0.5])).tolist() == [1.0, 2.0, 2.0, 1.0, 0.0]
