from typing import Any

import pytest
from pydantic import ValidationError

from schemas.candle import Candle

GOOD: dict[str, Any] = {
    "symbol": "BTC/USDT",
    "timeframe": "1m",
    "ts": 60_000,
    "open": 10.0,
    "high": 12.0,
    "low": 9.0,
    "close": 11.0,
    "volume": 0.0,
}


def test_a_candle_without_volume_is_a_candle() -> None:
    assert Candle(**GOOD).volume == 0.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"high": 8.0}, "high 8.0 is below low 9.0"),
        ({"open": 13.0}, r"open 13.0 or close 11.0 lies outside low 9.0 … high 12.0"),
        ({"close": 8.5}, r"open 10.0 or close 8.5 lies outside"),
        ({"low": 0.0}, "greater than 0"),
        ({"close": float("nan")}, "finite number"),
        ({"high": float("inf")}, "finite number"),
        ({"volume": -1.0}, "greater than or equal to 0"),
        ({"ts": -1}, "greater than or equal to 0"),
        ({"symbol": ""}, "at least 1 character"),
        ({"extra": 1}, "Extra inputs"),
    ],
    ids=str,
)
def test_an_impossible_candle_is_refused_with_the_reason(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Candle(**{**GOOD, **changes})


def test_a_candle_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Candle(**GOOD).close = 5.0  # type: ignore[misc]
