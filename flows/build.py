"""The stages of a configuration, with fresh state."""

from __future__ import annotations

from collections.abc import Sequence

from flows import registry
from flows.bars.stage import BarStage
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


def shard_stage(config: Config, shards: Sequence[str], timing: Timing) -> MarketStage | BarStage:
    """The same; where candles are made of trades, with what makes them before it."""
    market = market_stage(config, shards, timing)
    return BarStage(config.market, market) if config.market.bars.made else market
