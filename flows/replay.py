"""The dataflow of a replay: candle files, market stage, portfolio stage, run folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from connectors.candle_source import CandleSource, Load
from flows.build import market_stage
from flows.edges import MarketLogic, PortfolioLogic
from flows.market.stage import Said
from flows.plan import Plan
from flows.portfolio.stage import PortfolioStage
from flows.timing import Timing
from sinks.parts import PartSink


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the surroundings want to hear. No record depends on it."""

    on_rows: Callable[[str, int], None]  # shard, rows handed over so far
    on_durable: Callable[[str, int], None]  # shard, row up to which everything is safe


def dataflow(plan: Plan, parts: Path, load: Load, hooks: Hooks, timing: Timing) -> Dataflow:
    """Wire it. The names of the steps are the names of their state in a checkpoint: renaming one loses it."""
    config, shards, portfolio = plan.config, list(plan.shards), plan.portfolio

    def slices(item: tuple[str, Said]) -> tuple[str, Any] | None:
        said = item[1].slices
        return None if said is None else (portfolio, said)

    def records(item: tuple[str, Said]) -> tuple[str, Any] | None:
        shard, said = item
        return (shard, said.outbox) if said.outbox else None

    flow = Dataflow("penstock_replay")
    source = CandleSource(shards, load, config.run.batch_rows, hooks.on_rows, hooks.on_durable)
    candles = op.input("candles", flow, source)
    said = op.stateful_batch(
        "market", candles, partial(MarketLogic, partial(market_stage, config, shards, timing), timing)
    )
    aligned = op.filter_map("slices", said, slices)
    decided = op.stateful_batch("portfolio", aligned, partial(PortfolioLogic, partial(PortfolioStage, config), timing))
    outboxes = op.merge("records", op.filter_map("said", said, records), decided)
    op.output("parts", outboxes, PartSink(parts, [*shards, portfolio]))
    return flow
