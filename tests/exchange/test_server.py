"""Each simulated exchange plays its tape over sockets to the feed's driver, which loses nothing that can be had."""

from __future__ import annotations

from operator import attrgetter

import pytest
from msgspec.structs import replace

from connectors.exchanges.interface import QUOTE, TRADE
from tests.connectors.feed.test_chaos import mischiefs
from tests.exchange.server import PROTOCOLS
from tests.exchange.session import Kept, session
from tests.exchange.tape import START, longer, simulated
from tests.exchange.test_protocols import MARKETS, STREAMED

FACTS = attrgetter("ts", "price", "amount", "side")
"""Of a trade, as far as Bitunix tells them: it has no ids."""


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_feed_of_an_exchange_that_behaves_brings_its_whole_tape(name: str) -> None:
    tape, kept = simulated([MARKETS[name]], minutes=11), Kept()
    assert session(name, [MARKETS[name]], tape, [], kept).missed == set()
    trades = [one for one in kept.of("trades") if isinstance(one, TRADE)]
    assert list(map(FACTS, trades)) == list(map(FACTS, tape.trades()))
    assert len(kept.of("quotes")) == len([one for one in tape.records if isinstance(one, QUOTE)])
    candles = longer(tape.candles(), MARKETS[name], STREAMED.get(name, "1m"))[:-1]  # the last one may not have ended
    found = [
        replace(one, bid=None, ask=None) for one in kept.of("candles")
    ]  # quotes: tests/connectors/feed/test_quotes.py
    assert found[: len(candles)] == [PROTOCOLS[name]().told(one) for one in candles]


def test_without_a_history_what_was_lost_is_lost_and_nothing_else() -> None:
    symbol = MARKETS["bitunix"]
    tape, kept = simulated([symbol], minutes=15), Kept()
    some = [one for one in mischiefs(START, 15) if one.kind != "duplicate"]  # of two that are alike both count
    simulator = session("bitunix", [symbol], tape, some, kept)
    had = [FACTS(one) for one in tape.trades() if (symbol, one.id) not in simulator.missed]
    assert simulator.missed
    assert sorted(FACTS(one) for one in kept.of("trades") if isinstance(one, TRADE)) == sorted(had)
    assert kept.alerts("FEED_GAP")
