"""How long a feed waits for what is missing, with the limits that it has in earnest."""

from __future__ import annotations

from itertools import pairwise

from connectors.feed.hole import PATIENCE_NS
from connectors.feed.ticks import CLOCK, HOLD_NS
from schemas.capture import NANOS
from tests.exchange.server import Mischief
from tests.exchange.session import Kept, candles_made, session
from tests.exchange.tape import MINUTE, START, candles_of, simulated

SYMBOLS = ("BTC/USDT", "ETH/USDT")


def clocks(kept: Kept) -> list[int]:
    return [one.ts for one in kept.of("trades") if isinstance(one, CLOCK)]


def test_a_history_that_never_answers_is_given_up_after_a_minute_and_the_rest_goes_on() -> None:
    tape, kept = simulated(SYMBOLS, 6), Kept()
    mischief = [Mischief(START + MINUTE, "5xx", 10_000), Mischief(START + 2 * MINUTE, "swallow", 5)]
    missed = session("binance", SYMBOLS, tape, mischief, kept).missed
    gaps = kept.alerts("FEED_GAP")
    assert {one.level for one in gaps} == {"critical"}
    assert sum(one.figures["lost"] for one in gaps) == len(missed) == 5
    patience = PATIENCE_NS / NANOS
    assert [patience <= one.figures["seconds"] < patience + 1.5 for one in gaps] == [True] * len(gaps)
    kept_trades = [one for one in tape.trades() if (one.symbol, one.id) not in missed]
    assert candles_made(kept.out) == candles_of(kept_trades)
    assert kept.counted("feed_gap_lost") == 5
    steps = [later - ts for ts, later in pairwise(clocks(kept))]
    assert max(steps) < (patience + 5) * 1_000


def test_time_goes_on_for_others_after_five_minutes_without_a_connection() -> None:
    tape, kept = simulated(SYMBOLS, 9), Kept()
    session("binance", SYMBOLS, tape, [Mischief(START + MINUTE, "refuse", 400)], kept)
    said = clocks(kept)
    assert said == sorted(set(said))
    steps = [later - ts for ts, later in pairwise(said)]
    hold = HOLD_NS / NANOS
    assert [step for step in steps if step > 60_000] == [step for step in steps if abs(step / 1_000 - hold) <= 2]
    assert max(steps) > 60_000
    # What was missed comes all the same: late for whoever goes by those clocks, but not lost.
    assert candles_made(kept.out) == candles_of(tape.trades())
    assert {one.figures["lost"] for one in kept.alerts("FEED_GAP")} == {0}
