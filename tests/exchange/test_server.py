"""Each simulated exchange plays its tape over sockets to the feed's driver, which loses nothing of it."""

from __future__ import annotations

import pytest

from connectors.exchanges.interface import QUOTE, TRADE
from tests.exchange.server import PROTOCOLS
from tests.exchange.session import Kept, session
from tests.exchange.tape import longer, simulated
from tests.exchange.test_protocols import MARKETS, STREAMED


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_feed_of_an_exchange_that_behaves_brings_its_whole_tape(name: str) -> None:
    tape, kept = simulated([MARKETS[name]], minutes=11), Kept()
    assert session(name, [MARKETS[name]], tape, [], kept).missed == set()
    trades = [one for one in kept.of("trades") if isinstance(one, TRADE)]
    assert [(one.ts, one.price, one.amount, one.side) for one in trades] == [
        (one.ts, one.price, one.amount, one.side) for one in tape.trades()
    ]
    assert len(kept.of("quotes")) == len([one for one in tape.records if isinstance(one, QUOTE)])
    candles = longer(tape.candles(), MARKETS[name], STREAMED.get(name, "1m"))[:-1]  # the last one may not have ended
    assert kept.of("candles")[: len(candles)] == [PROTOCOLS[name]().told(one) for one in candles]
