"""What becomes of a state that is carried over to other strategies (``penstock run --accept-changes``)."""

from __future__ import annotations

import pickle
from typing import Any

from flows.build import market_stage
from flows.market.stage import MarketStage, Said
from flows.portfolio.stage import PortfolioStage
from flows.timing import Timing
from schemas.config.root import Config
from tests.flows.market.rows import at
from tests.flows.market.stages import SHARDS, steps
from tests.flows.portfolio.stories import at as minute
from tests.flows.portfolio.stories import flat, settings, slices, tell, wish

PRICES = (10.0, 9.0, 8.0, 9.0, 11.0, 12.0, 10.0, 7.0, 6.0, 9.0, 13.0)


def market(*strategies: dict[str, Any]) -> MarketStage:
    return market_stage(Config.model_validate({"strategies": strategies}), SHARDS, Timing())


def crossing(fast: int, name: str) -> dict[str, Any]:
    return {"use": "sma_cross", "name": name, "params": {"fast": fast, "slow": 4}}


def walked(machine: MarketStage, begin: int, end: int) -> Said:
    prices = ((minute, PRICES[minute]) for minute in range(begin, end))
    rows = [at(minute, open=price, high=price, low=price, close=price) for minute, price in prices]
    return steps(machine, rows, first=begin)


def test_a_strategy_that_keeps_other_figures_or_was_not_there_begins_anew_and_the_others_go_on() -> None:
    before = market(crossing(2, "changed"), crossing(2, "same"))
    walked(before, 0, 5)
    after = market(crossing(3, "changed"), crossing(2, "added"), crossing(2, "same"))
    after.restore(pickle.loads(pickle.dumps(before.snapshot())))
    found = walked(after, 5, 11).outbox["signals"]
    anew = walked(market(crossing(3, "changed"), crossing(2, "added")), 5, 11).outbox["signals"]
    whole = walked(market(crossing(2, "same")), 0, 11).outbox["signals"]

    def told(signals: list[Any], name: str) -> list[tuple[int, str]]:
        return [(signal.ts, signal.side) for signal in signals if signal.strategy == name]

    assert [told(found, name) for name in ("changed", "added")] == [told(anew, name) for name in ("changed", "added")]
    assert told(found, "same") == [one for one in told(whole, "same") if one[0] > at(4).ts]
    assert all(told(found, name) for name in ("changed", "added", "same"))


def test_an_added_strategy_trades_from_then_on_live_or_as_a_shadow() -> None:
    a, b, c, d = ({"use": "sma_cross", "name": name} for name in "abcd")
    before = PortfolioStage(settings({"strategies": [a, {**b, "mode": "shadow"}]}))
    wishes = [wish(1, "long", 100.0, 50.0, strategy=name) for name in "ab"]
    tell(before, [slices(flat(range(1, 5), 100.0), wishes, watermark=minute(4))])
    shadows = [{**one, "mode": "shadow"} for one in (b, c)]
    after = PortfolioStage(settings({"strategies": [*shadows, d, a]}))
    after.restore(pickle.loads(pickle.dumps(before.snapshot())))
    later = [wish(6, "long", 100.0, 50.0, strategy=name, symbol="ETH/USDT") for name in "cd"]
    outbox = tell(after, [slices([*flat(range(5, 9), 100.0), *flat(range(5, 9), 100.0, "ETH/USDT")], later)])
    assert {row.strategy for row in outbox["fills"]} == {"d"}  # those of shadows are on no topic
    assert {label: len(account.book.holdings) for label, account in after.shadows.items()} == {"b": 1, "c": 1}
    assert sorted(holding.strategy for holding in after.live.book.holdings.values()) == ["a", "d"]
