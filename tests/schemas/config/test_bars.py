"""Which candles may be made of trades."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.config.bars import BarsConfig
from schemas.config.root import Config


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"timeframes": ["1m"], "ticks": 5}, "timeframes and ticks are given: set one of them"),
        ({"timeframes": ["1m", "1h", "1m"]}, "timeframes: one is given twice"),
        ({"timeframes": ["7m"]}, "7m does not divide a day (UTC): take 6m or 8m"),
        ({"timeframes": ["1h", "100m"]}, "100m does not divide a day (UTC): take 96m or 120m"),
        ({"timeframes": ["23h"]}, "23h does not divide a day (UTC): take 12h or 24h"),
        ({"timeframes": ["2d"]}, "2d is longer than a day: candles of trades start at a UTC midnight at the latest"),
        ({"ticks": 0}, "greater than or equal to 1"),
        ({"volume": 0}, "greater than 0"),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        BarsConfig(**settings)
    assert message in str(raised.value)


def test_a_size_by_volatility_needs_candles_that_have_a_length() -> None:
    sizing = {"sizing": "volatility_target"}
    assert Config.model_validate({"risk": sizing, "market": {"bars": {"timeframes": ["1m"]}}}).market.bars.made
    with pytest.raises(ValidationError) as raised:
        Config.model_validate({"risk": sizing, "market": {"bars": {"ticks": 100}}})
    assert "volatility_target needs candles by time" in str(raised.value)
