from __future__ import annotations

from typing import Any

import pytest
from bytewax.testing import TestingSink, TestingSource, run_main

from flows.build import market_stage
from flows.live import Ends, dataflow, portfolio_part
from flows.marks import Mark
from flows.monitor import Monitor
from flows.outbox import Outbox
from flows.portfolio.align import Aligner
from flows.portfolio.stage import PortfolioStage
from flows.timing import Timing
from flows.waiting import Waiting
from schemas.config.root import Config
from schemas.slices import Slices, notice
from schemas.tick import Tick
from schemas.wire import encode
from tests.flows.test_edges import FIRST, SECOND, SHARDS

CONFIG = Config.model_validate({"strategies": [{"use": "sma_cross", "params": {"fast": 3, "slow": 8}}]})
PORTFOLIO = portfolio_part(CONFIG)
(SHARD,) = SHARDS
Given = list[tuple[str, Any]]


def lived(candles: Given, journal: Given, monitor: Monitor | None = None) -> list[tuple[str, Outbox]]:
    """What a live flow gives out, of what comes in at its two beginnings."""
    out: list[tuple[str, Outbox]] = []
    ends = Ends(TestingSource(candles), TestingSource(journal), TestingSink(out))
    run_main(dataflow(CONFIG, SHARDS, ends, monitor or Monitor(CONFIG, print)))  # type: ignore[no-untyped-call]
    return out


def said() -> tuple[list[Slices], list[Outbox]]:
    """What the market stage says of both batches."""
    stage = market_stage(CONFIG, SHARDS, Timing())
    both = [stage.step(batch) for batch in (FIRST, SECOND)]
    return [one.slices for one in both if one.slices is not None], [one.outbox for one in both]


def written(outboxes: list[Outbox]) -> dict[str, list[bytes]]:
    """The records by topic, as they would be on it."""
    topics = sorted({topic for outbox in outboxes for topic in outbox})
    found = {topic: [record for outbox in outboxes for record in outbox.get(topic, ())] for topic in topics}
    return {
        topic: [encode(one.record() if isinstance(one, Slices) else one) for one in records]
        for topic, records in found.items()
        if records
    }


def test_every_part_of_the_sink_gets_something_before_all_else() -> None:
    assert lived([], []) == [(SHARD, {}), (PORTFOLIO, {})]


def test_what_a_shard_says_goes_to_the_journal_and_no_further() -> None:
    out = lived([(SHARD, Mark()), (SHARD, FIRST), (SHARD, SECOND)], [])[2:]
    assert {part for part, _ in out} == {SHARD}
    slices, outboxes = said()
    assert written([one for _, one in out]) == written([*outboxes, {"journal": slices}])


def test_the_portfolio_decides_on_the_journal_alone() -> None:
    slices, _ = said()
    out = lived([], [(PORTFOLIO, Mark()), *((PORTFOLIO, one) for one in slices)])[2:]
    assert {part for part, _ in out} == {PORTFOLIO}
    stage = PortfolioStage(CONFIG)
    wanted = written([stage.step(one) for one in slices])
    assert written([one for _, one in out]) == wanted
    assert len(wanted["orders"]) > 5


def test_ticks_go_to_the_portfolio_and_what_comes_of_them_into_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tick] = []

    def asked(_: Waiting, tick: Tick, aligner: Aligner) -> list[Slices]:
        seen.append(tick)
        return [notice(tick.shard, list(aligner.shards), tick.upto, 7, "timeout", 5_000)] if tick.now_ms else []

    monkeypatch.setattr("flows.waiting.Waiting.tick", asked)
    ticks = [Tick(SHARD, 3, 0), Tick(SHARD, 4, 1_000)]
    out = lived([(SHARD, tick) for tick in ticks], [])[2:]
    assert seen == ticks
    assert [(part, [(one.cause, one.upto) for one in outbox["journal"]]) for part, outbox in out] == [
        (PORTFOLIO, [("timeout", 4)])
    ]


def test_what_a_step_raises_ends_the_flow_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no such batch")

    monkeypatch.setattr("flows.market.stage.MarketStage.step", broken)
    told: list[str] = []
    monitor = Monitor(CONFIG, print, failed=lambda error: told.append(str(error)))
    with pytest.raises(RuntimeError):
        lived([(SHARD, FIRST)], [], monitor)
    assert told == ["no such batch"]


def test_the_monitor_sees_what_goes_by() -> None:
    monitor = Monitor(CONFIG, print)
    slices, _ = said()
    lived([(SHARD, FIRST)], [(PORTFOLIO, slices[0])], monitor)
    assert monitor.vitals._watermarks == {SHARD: int(slices[0].ts.max())}
    assert set(monitor.timing.seconds) == {"strategy sma_cross", "market", "portfolio"}
