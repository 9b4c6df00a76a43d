"""A process that reads candles in a dataflow, with recovery, to be killed: ``child.py ADDRESS TOPIC GROUP STATE``."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, cluster_main

from connectors.kafka.candle_source import CandleTopicSource


def run(address: str, topic: str, group: str, state: Path) -> None:
    state.mkdir(exist_ok=True)
    if not any(state.iterdir()):
        init_db_dir(state, 1)  # type: ignore[no-untyped-call]
    flow, seen = Dataflow("reader"), list[Any]()
    candles = op.input("candles", flow, CandleTopicSource({"bootstrap.servers": address}, group, topic))
    op.output("seen", candles, TestingSink(seen))
    recovery = RecoveryConfig(state)  # type: ignore[no-untyped-call]
    cluster_main(flow, [], 0, epoch_interval=timedelta(milliseconds=50), recovery_config=recovery)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
