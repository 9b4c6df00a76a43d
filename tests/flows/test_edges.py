from __future__ import annotations

from dataclasses import replace
from functools import partial

import msgspec
import numpy as np

from flows.build import market_stage
from flows.edges import JournalPortfolioLogic, MarketLogic, PortfolioLogic
from flows.market.stage import Said
from flows.outbox import Outbox
from flows.portfolio.stage import PortfolioStage
from flows.timing import Timing
from schemas.batch import CandleBatch
from schemas.config.root import Config
from schemas.config.strategies import StrategyConfig
from schemas.slices import Slices
from schemas.window import Window
from schemas.wire import encode
from tests.command import MINUTE, candles

CONFIG = Config(strategies=(StrategyConfig(use="sma_cross", params={"fast": 3, "slow": 8}),))
ROWS = candles(200)
SHARDS = ("shard-0000",)


def batch(rows: slice, final: bool = False) -> CandleBatch:
    ts, open_, high, low, close, volume = (np.array(column) for column in zip(*ROWS[rows], strict=True))
    count = len(ts)
    return CandleBatch(
        "shard-0000",
        ("BTC/USDT",),
        ("BTC.csv",),
        np.array([MINUTE]),
        np.zeros(count, np.int32),
        ts + MINUTE,
        open_,
        high,
        low,
        close,
        volume,
        np.arange(count) + 1 + rows.start,
        final=final,
    )


FIRST, SECOND = batch(slice(0, 120)), batch(slice(120, 200), final=True)


def market(state: bytes | None = None, timing: Timing | None = None) -> MarketLogic:
    return MarketLogic(partial(market_stage, CONFIG, SHARDS, timing or Timing()), timing or Timing(), state)


def portfolio(state: bytes | None = None, timing: Timing | None = None) -> PortfolioLogic:
    return PortfolioLogic(partial(PortfolioStage, CONFIG), timing or Timing(), state)


def said(logic: MarketLogic, *batches: CandleBatch) -> list[Said]:
    found, discard = logic.on_batch(list(batches))
    assert discard is False
    return list(found)


def slices(found: list[Said]) -> list[Slices]:
    return [one.slices for one in found if one.slices is not None]


def lines(outboxes: list[Outbox]) -> dict[str, list[bytes]]:
    topics = sorted({topic for outbox in outboxes for topic, records in outbox.items() if records})
    return {topic: [encode(record) for outbox in outboxes for record in outbox.get(topic, [])] for topic in topics}


def test_each_batch_is_a_step_of_the_machine() -> None:
    both = said(market(), FIRST, SECOND)
    one_by_one = market()
    alone = said(one_by_one, FIRST) + said(one_by_one, SECOND)
    assert lines([one.outbox for one in both]) == lines([one.outbox for one in alone])
    assert [len(one) for one in slices(both)] == [120, 80]
    assert len(lines([one.outbox for one in both])["signals"]) > 5


def test_a_market_stage_goes_on_from_its_snapshot() -> None:
    logic = market()
    said(logic, FIRST)
    snapshot = logic.snapshot()
    after = said(logic, SECOND)
    resumed = said(market(snapshot), SECOND)
    assert lines([one.outbox for one in resumed]) == lines([one.outbox for one in after])
    assert lines([one.outbox for one in said(market(), SECOND)]) != lines([one.outbox for one in after])


def test_a_portfolio_stage_goes_on_from_its_snapshot() -> None:
    first, second = slices(said(market(), FIRST, SECOND))
    logic = portfolio()
    logic.on_batch([first])
    snapshot = logic.snapshot()
    after, discard = logic.on_batch([second])
    assert discard is False
    resumed, _ = portfolio(snapshot).on_batch([second])
    assert lines(list(resumed)) == lines(list(after))
    assert {"orders", "fills", "positions", "state"} <= set(lines(list(after)))


def journal(window: Window) -> dict[str, list[bytes]]:
    """What a replayed journal gives of entries that close no book by themselves."""
    entries = [replace(one, watermark=-1) for one in slices(said(market(), FIRST, SECOND))]
    found, _ = JournalPortfolioLogic(partial(PortfolioStage, CONFIG, window), Timing(), None).on_batch([*entries, None])
    return lines(found)


def test_a_journal_gives_its_signals_again_and_closes_the_book_where_it_ends() -> None:
    both = said(market(), FIRST, SECOND)
    outboxes, _ = portfolio().on_batch(slices(both))
    wanted = {**lines(list(outboxes)), **lines([one.outbox for one in both])}
    found = journal(Window())
    assert {topic: found[topic] for topic in ("signals", "orders", "fills", "positions", "state")} == {
        topic: wanted[topic] for topic in ("signals", "orders", "fills", "positions", "state")
    }


def test_what_is_not_complete_when_a_journal_ends_stays_undecided() -> None:
    (entry, _) = slices(said(market(), FIRST, SECOND))
    waiting = replace(entry, shards=("shard-0000", "shard-0001"), watermark=-1)
    logic = JournalPortfolioLogic(partial(PortfolioStage, CONFIG), Timing(), None)
    found = lines(list(logic.on_batch([waiting, None])[0]))
    assert set(found) == {"signals", "state"}
    assert b'"instants":0' in found["state"][0]


def test_the_accounts_of_a_window_see_what_lies_in_it() -> None:
    since, until = ROWS[49][0] + MINUTE, ROWS[149][0] + MINUTE
    state = msgspec.json.decode(journal(Window(since, until))["state"][0])
    assert (state["first_ts"], state["last_ts"], state["instants"]) == (since + MINUTE, until, 100)
    everything, part = journal(Window())["signals"], journal(Window(since, until))["signals"]
    assert part == [line for line in everything if since < msgspec.json.decode(line)["ts"] <= until]
    assert 0 < len(part) < len(everything)


def test_a_snapshot_is_bytes_so_that_nothing_of_it_can_move_later() -> None:
    assert isinstance(market().snapshot(), bytes)
    assert isinstance(portfolio().snapshot(), bytes)


def test_the_seconds_of_each_stage_are_counted() -> None:
    timing = Timing()
    found = said(market(timing=timing), FIRST)
    portfolio(timing=timing).on_batch(slices(found))
    assert list(timing.seconds) == ["strategy sma_cross", "market", "portfolio"]
