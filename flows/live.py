"""The dataflow of a live run: two chains, and the journal between them.

The market chain reads candles, or makes them of trades, checks them, runs the strategies, and appends what each shard
says to the journal. The portfolio chain reads the journal and nothing else, and decides. Whatever order the world
arrived in is fixed by the journal once, so a restart, an audit or a replay of it computes the same book again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource
from bytewax.outputs import Sink

from flows.build import shard_stage
from flows.edges import LivePortfolioLogic, MarketLogic
from flows.inputs import Inputs, Pace
from flows.market.stage import Said
from flows.marks import Mark
from flows.monitor import Monitor
from flows.opening import Opening
from flows.outbox import Outbox
from flows.portfolio.stage import PortfolioStage
from flows.waiting import Waiting
from flows.watched import WatchedLogic
from schemas.batch import CandleBatch, TradeBatch
from schemas.config.root import Config
from schemas.tick import Tick

LAYOUT = 5
"""Of checkpoints. To be raised when a step gets another name or a state another form: neither can be carried over."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a live flow begins and ends."""

    candles: FixedPartitionedSource[tuple[str, Any], Any]
    journal: FixedPartitionedSource[tuple[str, Any], Any]
    topics: Sink[tuple[str, Outbox]]
    commands: FixedPartitionedSource[tuple[str, Any], Any] | None = None  # None: nobody may give any


def portfolio_part(config: Config) -> str:
    """The key of the portfolio stage, and the name of its part of the sink."""
    return f"portfolio-{config.portfolio.name}"


def dataflow(
    config: Config,
    shards: Sequence[str],
    ends: Ends,
    monitor: Monitor,
    pace: Pace | None = None,
    began: Config | None = None,
) -> Dataflow:
    """Wire it. The names of the steps are the names of their state in a checkpoint: renaming one loses it.

    ``shards`` are the partitions of the market topic; ``monitor`` sees what goes by; in a cluster, ``pace`` keeps the
    epochs of this worker with those of the others. ``began`` is what the state began with, where commands have brought
    it to ``config`` since.
    """
    portfolio = portfolio_part(config)

    def batches(item: tuple[str, Any]) -> tuple[str, CandleBatch | TradeBatch | Mark] | None:
        shard, batch = item
        if isinstance(batch, Tick):
            return None
        if isinstance(batch, CandleBatch | TradeBatch):
            monitor.on_batch(batch)
        return shard, batch

    def ticks(item: tuple[str, Any]) -> tuple[str, Tick] | None:
        return (portfolio, item[1]) if isinstance(item[1], Tick) else None

    def told(item: tuple[str, Said]) -> tuple[str, Outbox] | None:
        shard, said = item
        outbox = said.outbox if said.slices is None else {**said.outbox, "journal": [said.slices]}
        return (shard, outbox) if outbox else None

    def seen(item: tuple[str, Outbox]) -> tuple[str, Outbox]:
        monitor.on_outbox(*item)
        return item

    flow = Dataflow("penstock_live")
    sources = {"candles": ends.candles, "journal": ends.journal}
    inputs = Inputs(sources if ends.commands is None else {**sources, "commands": ends.commands}, pace)
    parts = op.branch("parts", op.input("inputs", flow, inputs), lambda item: item[0] == portfolio)
    journal, candles = parts.trues, parts.falses
    market = partial(MarketLogic, partial(shard_stage, config, shards, monitor.timing), monitor.timing)
    said = op.stateful_batch(
        "market", op.filter_map("batches", candles, batches), partial(WatchedLogic, market, monitor.watch)
    )
    entries = op.merge("entries", journal, op.filter_map("ticks", candles, ticks))
    logic = partial(
        LivePortfolioLogic,
        partial(PortfolioStage, began or config, file=config),
        Waiting(config.market),
        monitor.timing,
        monitor.on_opened,
    )
    decided = op.stateful_batch("portfolio", entries, partial(WatchedLogic, logic, monitor.watch))
    opening = op.input("opening", flow, Opening([*shards, portfolio]))
    outboxes = op.merge("records", opening, op.filter_map("told", said, told), decided)
    op.output("topics", op.map("seen", outboxes, seen), ends.topics)
    return flow
