"""The dataflow of a replay: candle files, market stage, portfolio stage, run folder."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.errors import BytewaxRuntimeError
from bytewax.recovery import RecoveryConfig
from bytewax.testing import cluster_main

from connectors.candle_source import CandleSource, Load
from flows import registry
from flows.edges import MarketLogic, PortfolioLogic
from flows.market.runner import Runner
from flows.market.stage import MarketStage, Said
from flows.plan import Plan
from flows.portfolio.stage import PortfolioStage
from flows.timing import Timing
from schemas.config.root import Config
from sinks.parts import PartSink


def market_stage(config: Config, shards: Sequence[str]) -> MarketStage:
    """A market stage of one of the shards, with fresh strategies."""
    runners = [
        Runner(registry.build(strategy, index), strategy.label, strategy.mode, strategy.symbols)
        for index, strategy in enumerate(config.strategies)
    ]
    return MarketStage(config.market, runners, shards)


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
    said = op.stateful_batch("market", candles, partial(MarketLogic, partial(market_stage, config, shards), timing))
    aligned = op.filter_map("slices", said, slices)
    decided = op.stateful_batch("portfolio", aligned, partial(PortfolioLogic, partial(PortfolioStage, config), timing))
    outboxes = op.merge("records", op.filter_map("said", said, records), decided)
    op.output("parts", outboxes, PartSink(parts, [*shards, portfolio]))
    return flow


def run_process(
    flow: Dataflow, plan: Plan, recovery: Path, *, workers: int, addresses: list[str], process: int
) -> None:
    """Run one process of the cluster to the end of the stream, going on from the last checkpoint if there is one.

    Raises what was raised inside a step, without Bytewax's wrapping.
    """
    # Records are made by the thousand and hold no cycles: looking for cycles among them every 700 costs 8 % of a run.
    gc.freeze()
    gc.set_threshold(200_000)
    try:
        cluster_main(  # type: ignore[no-untyped-call]
            flow,
            addresses,
            process,
            epoch_interval=timedelta(seconds=plan.config.run.checkpoint_every_s),
            recovery_config=RecoveryConfig(recovery),  # type: ignore[no-untyped-call]
            worker_count_per_proc=workers,
        )
    except BytewaxRuntimeError as error:
        cause: BaseException | None = error
        while isinstance(cause, BytewaxRuntimeError):
            cause = cause.__cause__
        if cause is None:
            raise
        raise cause from None
