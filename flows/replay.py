"""The dataflow of a replay: candles and market stage, or a journal; then portfolio stage and run folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import Source

from flows.build import shard_stage
from flows.edges import JournalPortfolioLogic, MarketLogic, PortfolioLogic
from flows.market.stage import Said
from flows.plan import Plan
from flows.portfolio.stage import PortfolioStage
from flows.timing import Timing
from sinks.parts import PartSink


def dataflow(plan: Plan, parts: Path, source: Source[tuple[str, Any]], timing: Timing) -> Dataflow:
    """Wire it. The names of the steps are the names of their state in a checkpoint: renaming one loses it.

    ``source`` gives batches of candles or, of the journal, its entries.
    """
    return (
        _of_journal(plan, parts, source, timing) if plan.of == "journal" else _of_candles(plan, parts, source, timing)
    )


def _of_candles(plan: Plan, parts: Path, source: Source[tuple[str, Any]], timing: Timing) -> Dataflow:
    config, shards, portfolio = plan.config, list(plan.shards), plan.portfolio

    def slices(item: tuple[str, Said]) -> tuple[str, Any] | None:
        said = item[1].slices
        return None if said is None else (portfolio, said)

    def records(item: tuple[str, Said]) -> tuple[str, Any] | None:
        shard, said = item
        return (shard, said.outbox) if said.outbox else None

    flow = Dataflow("penstock_replay")
    candles = op.input("candles", flow, source)
    said = op.stateful_batch(
        "market", candles, partial(MarketLogic, partial(shard_stage, config, shards, timing), timing)
    )
    aligned = op.filter_map("slices", said, slices)
    build = partial(PortfolioStage, config, None, plan.commands)
    decided = op.stateful_batch("portfolio", aligned, partial(PortfolioLogic, build, timing))
    outboxes = op.merge("records", op.filter_map("said", said, records), decided)
    op.output("parts", outboxes, PartSink(parts, [*shards, portfolio]))
    return flow


def _of_journal(plan: Plan, parts: Path, source: Source[tuple[str, Any]], timing: Timing) -> Dataflow:
    flow = Dataflow("penstock_replay")
    entries = op.input("journal", flow, source)
    build = partial(PortfolioStage, plan.config, plan.window)
    decided = op.stateful_batch("portfolio", entries, partial(JournalPortfolioLogic, build, timing))
    op.output("parts", decided, PartSink(parts, [plan.portfolio]))
    return flow
