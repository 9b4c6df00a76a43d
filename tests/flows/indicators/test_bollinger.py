from __future__ import annotations

from collections.abc import Callable

import pytest
import talib
from talib._ta_lib import MA_Type

from flows.columns import Candles
from flows.indicators.bands import Bands
from flows.indicators.bollinger import Bollinger


@pytest.mark.parametrize(("length", "width"), [(20, 2.0), (50, 2.5)])
def test_agrees_with_talib(
    real: Candles, in_batches: Callable[..., Bands], assert_agree: Callable[..., None], length: int, width: float
) -> None:
    bollinger = Bollinger(length, width)
    for ours, theirs in zip(
        in_batches(bollinger, real), talib.BBANDS(real.close, length, width, width, MA_Type.SMA), strict=True
    ):
        assert_agree(ours, theirs, bollinger.warmup)


def test_the_bands_meet_on_a_flat_market() -> None:
    upper, middle, lower = Bollinger(3)(Candles.of([0.1] * 4))
    assert upper[2:].tolist() == middle[2:].tolist() == lower[2:].tolist() == [0.1, 0.1]


def test_the_bands_lie_width_deviations_off() -> None:
    bands = Bollinger(2, 3.0)(Candles.of([1.0, 3.0]))
    assert (bands.upper[1], bands.middle[1], bands.lower[1]) == (5.0, 2.0, -1.0)
