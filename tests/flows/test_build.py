from __future__ import annotations

from flows.build import market_stage
from flows.timing import Timing
from schemas.config.root import Config
from schemas.timeframe import to_millis

CONFIG = Config.model_validate(
    {
        "market": {"allowed_lateness": "3m", "empty_candle": "flat", "max_flat": 7},
        "strategies": [
            {"use": "sma_cross", "name": "quick", "params": {"fast": 3, "slow": 8}},
            {"use": "sma_atr", "mode": "shadow", "symbols": ["ETH/*"]},
        ],
    }
)


def test_a_stage_has_the_strategies_and_settings_of_the_configuration() -> None:
    stage = market_stage(CONFIG, ("a", "b"), Timing())
    assert stage.shards == ("a", "b")
    assert stage.lateness == to_millis("3m")
    assert stage.fill is not None
    assert [(runner.label, runner.mode) for runner in stage.runners] == [("quick", "live"), ("sma_atr", "shadow")]


def test_stages_share_nothing_but_the_clock() -> None:
    timing = Timing()
    one, other = (market_stage(CONFIG, ("a", "b"), timing) for _ in range(2))
    assert all(mine is not theirs for mine, theirs in zip(one.runners, other.runners, strict=True))
    assert one.checks is not other.checks
