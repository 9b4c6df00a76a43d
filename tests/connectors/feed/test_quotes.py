"""What a feed knows of bid and ask at the close of a candle: on the exchange's candles, and between the trades."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectors.exchanges.interface import CANDLE, QUOTE, TRADE
from connectors.feed.quotes import KEPT, Quotes
from connectors.feed.ticks import CLOCK
from connectors.trade_recording import read_recording
from flows.bars.bars import Bars
from schemas.batch import TradeBatch
from schemas.config.market import MarketConfig
from sinks.capture import Capture
from tests.exchange.server import PROTOCOLS, Mischief
from tests.exchange.session import Kept, session
from tests.exchange.tape import MINUTE, START, Tape, simulated
from tests.exchange.test_protocols import MARKETS

BTC, ETH = "BTC/USDT", "ETH/USDT"


def quote(ts: int, bid: float = 1.0, ask: float = 2.0, symbol: str = BTC) -> Any:
    return QUOTE(symbol=symbol, ts=ts, bid=bid, ask=ask, bid_size=1.0, ask_size=1.0)


def seen(*quotes: Any, received: int = 0) -> Quotes:
    made = Quotes()
    for one in quotes:
        made.see(one, received * 1_000_000, 1_200)
    return made


def times(quotes: list[Any]) -> list[tuple[str, int]]:
    return [(one.symbol, one.ts) for one in quotes]


def test_of_each_second_the_newest_counts_in_whatever_order_they_come() -> None:
    made = seen(quote(59_000), quote(60_000, 5.0, 6.0), quote(59_999), quote(60_001))
    found = made.at(BTC, 60_000)
    assert found is not None
    assert (found.ts, found.bid) == (60_000, 5.0)
    assert made.at(ETH, 60_000) is None


@pytest.mark.parametrize(("ts", "known"), [(50_000, True), (49_999, False), (60_001, False)])
def test_a_quote_stands_for_ten_seconds_and_not_before_its_time(ts: int, known: bool) -> None:
    assert (seen(quote(ts)).at(BTC, 60_000) is not None) == known


def test_a_quote_without_a_time_of_the_exchange_gets_that_of_its_reception_by_the_exchanges_clock() -> None:
    made = seen(quote(58_900), received=58_900)  # the exchange is 1.2 s ahead
    assert made.at(BTC, 60_000) is None
    found = made.at(BTC, 61_000)
    assert found is not None
    assert found.ts == 60_100


def test_news_are_told_once_when_their_second_is_over_and_only_of_markets_that_are_wanted() -> None:
    made = seen(quote(58_500), quote(59_500), quote(60_500), quote(59_700, symbol=ETH))
    assert times(made.upto(60_400, {BTC})) == [(BTC, 59_500)]
    assert times(made.upto(60_900, {BTC})) == []
    assert times(made.upto(61_000, {BTC, ETH})) == [(BTC, 60_500), (ETH, 59_700)]
    assert times(made.upto(75_000, {BTC, ETH})) == []


def test_no_more_seconds_are_kept_than_a_candle_may_ask_for() -> None:
    made = seen(*(quote(second * 1_000) for second in range(1, KEPT + 2)))
    assert (made.at(BTC, 1_000), made.at(BTC, 2_000)) == (None, quote(2_000))


def test_a_candle_gets_the_quote_of_its_close_unless_that_is_none() -> None:
    prices = {"open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 1.0}
    candle = CANDLE(symbol=BTC, timeframe="1m", ts=60_000, **prices)
    made = seen(quote(60_000)).onto(candle)
    assert (made.bid, made.ask, made.close) == (1.0, 2.0, 1.0)
    assert seen(quote(60_000, 2.0, 1.0)).onto(candle) == candle
    assert seen(quote(40_000)).onto(candle) == candle


def at_the_close(tape: Tape, symbol: str, close: int) -> tuple[float | None, float | None]:
    """What the exchange quoted by then, if it was not too long ago."""
    quotes = [one for one in tape.records if isinstance(one, QUOTE) and one.symbol == symbol and one.ts <= close]
    return (quotes[-1].bid, quotes[-1].ask) if quotes and close - quotes[-1].ts <= 10_000 else (None, None)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_candles_of_the_exchange_and_those_made_of_trades_know_what_it_quoted(tmp_path: Path, name: str) -> None:
    symbols = (MARKETS[name], MARKETS[name].replace("BTC", "ETH"))
    tape, kept = simulated(symbols, 11), Kept(Capture(tmp_path, name))
    session(name, symbols, tape, [Mischief(START + 4 * MINUTE, "reorder", 5)], kept)
    assert kept.capture is not None
    kept.capture.close()
    candles = kept.of("candles")
    assert [(one.bid, one.ask) for one in candles] == [at_the_close(tape, one.symbol, one.ts) for one in candles]
    assert sum(one.bid is not None for one in candles) >= 2
    # … and made of trades, from the recording.
    trades = read_recording(tmp_path / name)
    columns = {column: getattr(trades, column) for column in ("slot", "ts", "price", "amount", "buy", "id", "position")}
    whole = TradeBatch("shard-0000", trades.symbols, trades.symbols, **columns, final=True)
    made = Bars(MarketConfig(bars={"timeframes": ["1m"]})).step(whole, whole.slot, len(trades.symbols))
    assert made.quote is not None
    found = [tuple(None if np.isnan(one) else one for one in pair) for pair in made.quote.tolist()]
    names = [trades.symbols[slot] for slot in made.candles.slot.tolist()]
    wanted = [at_the_close(tape, *pair) for pair in zip(names, made.candles.ts.tolist(), strict=True)]
    assert found[:-2] == wanted[:-2]  # the last ones are open when the tape ends
    assert len(found) >= 20


def test_between_two_clocks_is_a_quote_of_a_market_at_most_and_the_second_clock_is_not_before_it() -> None:
    markets, kept = ("BTC/USD", "ETH/USD"), Kept()
    session("kraken", markets, simulated(markets, 3), [], kept)
    between: list[Any] = []
    quotes = 0
    for one in kept.of("trades"):
        if isinstance(one, QUOTE):
            between.append(one)
        elif isinstance(one, CLOCK):
            assert len({quote.symbol for quote in between}) == len(between)
            assert all(quote.ts <= one.ts for quote in between)
            quotes += len(between)
            between = []
        else:
            assert isinstance(one, TRADE)
    assert 50 < quotes < len(kept.of("quotes"))


def test_without_trades_there_are_no_quotes_between_them() -> None:
    tape, kept = simulated((BTC,), 2), Kept()
    session("binance", (BTC,), Tape([one for one in tape.records if not isinstance(one, TRADE)]), [], kept)
    assert kept.of("quotes")
    assert not any(isinstance(one, QUOTE) for one in kept.of("trades"))
