"""The stages of a configuration, with fresh state."""

from __future__ import annotations

from collections.abc import Sequence

from flows import registry
from flows.market.runner import Runner
from flows.market.stage import MarketStage
from flows.timing import Timing
from schemas.config.root import Config


def market_stage(config: Config, shards: Sequence[str], timing: Timing) -> MarketStage:
    """A market stage of one of the shards, with fresh strategies, whose time is taken."""
    runners = [
        Runner(registry.build(strategy, index), strategy.label, strategy.mode, strategy.symbols, timing)
        for index, strategy in enumerate(config.strategies)
    ]
    return MarketStage(config.market, runners, shards)
