from __future__ import annotations

import numpy as np

from flows.columns import Candles
from flows.indicators.bands import Bands
from flows.indicators.bollinger import Bollinger
from flows.indicators.donchian import Donchian
from flows.indicators.keltner import Keltner


def test_every_channel_gives_bands_in_the_same_order() -> None:
    candles = Candles.of([1.0, 3.0, 2.0, 5.0, 4.0])
    for channel in (Bollinger(2), Donchian(2), Keltner(2, 2)):
        bands = channel(candles)
        assert isinstance(bands, Bands)
        assert (np.diff(np.stack(bands)[:, channel.warmup :], axis=0) < 0).all()
