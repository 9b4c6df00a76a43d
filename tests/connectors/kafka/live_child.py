"""A dataflow of both sources that prints what they hand over, a JSON object a line: ``python live_child.py SETTINGS``.

SETTINGS (JSON): ``address``, ``candles``, ``journal``, ``state`` (a folder). It ticks ten times a second, and takes a
snapshot five times a second.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import cluster_main

import connectors.kafka.ticker
from connectors.kafka.candle_source import CandleTopicSource
from connectors.kafka.feed import SourceHooks
from connectors.kafka.journal_source import JournalSource
from schemas.batch import CandleBatch
from schemas.slices import Slices
from schemas.tick import Tick


def tell(**line: Any) -> None:
    print(json.dumps(line), flush=True)


class Lines(StatefulSinkPartition[Any, None]):
    """Prints items."""

    def write_batch(self, items: list[Any]) -> None:
        for part, item in items:
            if isinstance(item, CandleBatch):
                tell(part=part, at=item.position.tolist(), symbols=item.symbols)
            elif isinstance(item, Tick):
                tell(part=part, tick=item.upto, now_ms=item.now_ms)
            elif isinstance(item, Slices):
                tell(part=part, at=[item.upto])

    def snapshot(self) -> None:
        """Nothing to remember; but a snapshot of the sources waits for a sink of this kind."""


class Output(FixedPartitionedSink[Any, None]):
    """Where the lines go."""

    def list_parts(self) -> list[str]:
        return ["lines"]

    def part_fn(self, item_key: str) -> int:
        return 0

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> Lines:
        return Lines()


def main(settings: dict[str, str]) -> None:
    connectors.kafka.ticker.EVERY_S = 0.1
    client = {"bootstrap.servers": settings["address"]}
    hooks = SourceHooks(
        on_durable=lambda part, offset: tell(durable=part, offset=offset),
        on_trouble=lambda part, what: tell(trouble=part, what=what),
    )
    flow = Dataflow("sources")
    candles = op.input("candles", flow, CandleTopicSource(client, "bots", settings["candles"], hooks=hooks))
    journal = op.input("journal", flow, JournalSource(client, "bots", settings["journal"], "main", hooks))
    items = op.map("items", op.merge("both", candles, journal), lambda item: ("lines", item))
    op.output("lines", items, Output())
    state = Path(settings["state"])
    if not state.exists():
        state.mkdir()
        init_db_dir(state, 1)  # type: ignore[no-untyped-call]
    recovery = RecoveryConfig(state)  # type: ignore[no-untyped-call]
    cluster_main(flow, [], 0, epoch_interval=timedelta(seconds=0.2), recovery_config=recovery)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
