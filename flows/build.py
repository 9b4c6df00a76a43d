"""The stages of a configuration, with fresh state."""

from __future__ import annotations

from collections.abc import Sequence

from flows import registry
from flows.market.runner import Runner
from flows.market.stage import MarketStage
from schemas.config.root import Config


def market_stage(config: Config, shards: Sequence[str]) -> MarketStage:
    """A market stage of one of the shards, with fresh strategies."""
    runners = [
        Runner(registry.build(strategy, index), strategy.label, strategy.mode, strategy.symbols)
        for index, strategy in enumerate(config.strategies)
    ]
    return MarketStage(config.market, runners, shards)
