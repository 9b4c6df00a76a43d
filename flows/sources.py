"""Where a plan's candles, trades or entries come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bytewax.inputs import FixedPartitionedSource

from connectors.candle_source import CandleSource
from connectors.kafka.candle_topic import Known
from connectors.kafka.journal_source import Entries
from connectors.kafka.stretch import Stretch, feed_of
from connectors.kafka.stretch_source import CandleMaker, EntryMaker, Maker, StretchSource
from connectors.trade_source import TradeSource
from flows.plan import Plan, TopicInput
from schemas.timeframe import to_millis


def _nothing(*_: Any) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the surroundings want to hear. No record depends on it."""

    on_rows: Callable[[str, int], None]  # shard, rows handed over so far
    on_durable: Callable[[str, int], None]  # shard, row up to which everything is safe
    on_trouble: Callable[[str, str], None] = _nothing  # part, what is wrong with the broker; it goes on by itself


def source(plan: Plan, load: Callable[[str], Any], hooks: Hooks) -> FixedPartitionedSource[tuple[str, Any], Any]:
    """The source of a plan, for the process that reads; ``load`` gives the files of a shard."""
    config = plan.config
    if plan.of == "files":
        return CandleSource(list(plan.shards), load, config.run.batch_rows, hooks.on_rows, hooks.on_durable)
    if plan.of == "trades":
        return TradeSource(list(plan.shards), load, config.run.batch_rows, hooks.on_rows, hooks.on_durable)
    stretches = [stretch_of(item) for item in plan.inputs if isinstance(item, TopicInput)]
    feed = feed_of(config.kafka.settings(), config.kafka.deployment, stretches[0].topic, hooks.on_trouble)

    def maker(stretch: Stretch, known: Known | None) -> Maker:
        if plan.of == "candles":
            return CandleMaker(stretch, plan.window, known, to_millis(config.market.max_ahead))
        return EntryMaker(Entries(config.portfolio.name, config.kafka.group))

    return StretchSource(feed, stretches, maker, config.run.batch_rows, hooks.on_rows, hooks.on_durable)


def stretch_of(item: TopicInput) -> Stretch:
    """What is read of an input."""
    return Stretch(item.topic, item.partition, item.begin, item.end)
