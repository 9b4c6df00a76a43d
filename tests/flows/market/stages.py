"""A market stage with two strategies, and all that it says of a stream."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

from flows.market.runner import Runner
from flows.market.stage import MarketStage, Said
from flows.strategies.sma_cross import SmaCross
from schemas.config.market import MarketConfig
from schemas.slices import END
from schemas.topics import TOPICS
from schemas.wire import encode
from tests.flows.market.rows import Row, batch, parts
from tests.flows.market.strategies import Moody

SHARDS = ("shard-0000", "shard-0001")


def stage(**market: Any) -> MarketStage:
    runners = [
        Runner(SmaCross(SmaCross.Params(fast=1, slow=2, stop_pct=1.0)), "cross", "live"),
        Runner(Moody(), "moody", "shadow", ("B/USDT", "C/USDT")),
    ]
    return MarketStage(MarketConfig(**market), runners, SHARDS)


def steps(machine: MarketStage, rows: Sequence[Row], *, final: bool = False, first: int = 1, **more: Any) -> Said:
    return machine.step(batch(rows, final=final, first=first, **more))


def rows_of(said: Said) -> list[tuple[Any, ...]]:
    """The rows of the slices of one step, with the name of the symbol."""
    s = said.slices
    if s is None:
        return []
    columns = (s.ts, s.open, s.high, s.low, s.close)
    names = [s.symbols[slot] for slot in s.slot.tolist()]
    return list(zip(names, *(column.tolist() for column in columns), strict=True))


def everything(
    rows: Sequence[Row], cuts: Sequence[int] = (), restarts: Sequence[int] = (), **market: Any
) -> dict[str, list[Any]]:
    """All that a stage says of a stream that comes in parts, restarted before some of them."""
    machine, first = stage(**market), 1
    union: dict[str, list[Any]] = {"slices": [], "places": [], "raised signals": []}
    cut = parts(rows, cuts)
    watermark = -1
    for number, part in enumerate(cut):
        if number in restarts:
            state = pickle.dumps(machine.snapshot())
            machine = stage(**market)
            machine.restore(pickle.loads(state))
        said = steps(machine, part, final=number == len(cut) - 1, first=first)
        first += len(part)
        union["slices"] += rows_of(said)
        s = said.slices
        if s is not None:
            assert all(watermark < ts for ts in s.ts.tolist())
            assert s.upto == (first if first > 1 else 0)
            assert s.watermark >= watermark
            watermark = s.watermark
            names = [s.symbols[slot] for slot in s.slot.tolist()]
            raised = [(names[row], s.ts.item(row)) for row in s.signal_row]
            assert raised == [(signal.symbol, signal.ts) for signal in s.signals]
            union["places"] += zip(s.position.tolist(), s.came().tolist(), strict=True)
            union["raised signals"] += map(encode, s.signals)
        for topic, records in said.outbox.items():
            # In the order in which they are told to the reader of a finished run (sinks.gather).
            union.setdefault(topic, []).extend(records)
    assert watermark == END
    for topic in set(union) & set(TOPICS):
        told = union[topic]
        told.sort(key=lambda one: (one.ts, getattr(one, "symbol", "") or one.labels.get("symbol", "")))
        union[topic] = [encode(one) for one in told]
    return union
