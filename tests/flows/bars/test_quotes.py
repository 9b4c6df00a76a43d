"""Bid and ask at the close of candles made of trades, beside plain Python and cut in other ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire import encode
from tests.flows.bars.tapes import MINUTE, Row, batch, clock, quote, through
from tests.flows.bars.test_bars import KINDS, tapes
from tests.flows.bars.test_stage import bar_stage

SECOND = 1_000
MINUTES: dict[str, Any] = {"bars": {"timeframes": ["1m"]}}
END = clock(2 * MINUTE)


def known(*rows: Row, **market: Any) -> list[tuple[float, float] | None]:
    """The quotes of the candles of a minute, of a trade in the first one and what comes behind it."""
    return through([Row(1, 1), *rows], **{**MINUTES, **market}).quotes


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([END], None),
        ([quote(MINUTE - 1, 9.5, 10.5), END], (9.5, 10.5)),
        ([quote(MINUTE, 9.5, 10.5), END], (9.5, 10.5)),
        # behind the close, though before it is closed
        ([quote(MINUTE - 1, 9.5, 10.5), quote(MINUTE + 1, 8.0, 9.0), END], (9.5, 10.5)),
        # one that comes late does not take the place of a newer one; of one time the last that came counts
        ([quote(MINUTE - 1, 9.5, 10.5), quote(MINUTE - 2, 8.0, 9.0), END], (9.5, 10.5)),
        ([quote(MINUTE - 1, 9.5, 10.5), quote(MINUTE - 1, 8.0, 9.0), END], (8.0, 9.0)),
        # when the candle has been closed it is too late
        ([quote(MINUTE - 9, 9.5, 10.5), END, quote(MINUTE - 1, 8.0, 9.0)], (9.5, 10.5)),
        ([END, quote(MINUTE - 1, 8.0, 9.0)], None),
        # too old, and a book that is crossed
        ([quote(MINUTE - 10 * SECOND, 9.5, 10.5), END], (9.5, 10.5)),
        ([quote(MINUTE - 10 * SECOND - 1, 9.5, 10.5), END], None),
        ([quote(MINUTE - 5, 9.5, 10.5), quote(MINUTE - 1, 10.5, 9.5), END], None),
        # of another symbol
        ([quote(MINUTE - 1, 9.5, 10.5, 1), END], None),
    ],
)
def test_a_candle_knows_the_newest_quote_by_its_close(rows: Sequence[Row], found: tuple[float, float] | None) -> None:
    assert known(*rows) == [found]


def test_how_long_a_quote_stands_is_a_setting() -> None:
    assert known(quote(1, 9.5, 10.5), END, max_quote_age="1m") == [(9.5, 10.5)]
    assert known(quote(MINUTE - 1_001, 9.5, 10.5), END, max_quote_age="1s") == [None]


def test_a_quote_moves_no_time_and_closes_no_candle() -> None:
    seen = through([Row(1, 1), quote(5 * MINUTE, 9.5, 10.5), Row(2, 2), clock(MINUTE + 2 * SECOND)], **MINUTES)
    assert [candle[2:5] for candle in seen.candles] == [(MINUTE, 4, 2)]


def test_every_timeframe_and_a_flat_candle_know_that_of_their_own_close() -> None:
    rows = [Row(1, 1), quote(59_500, 9.5, 10.5), quote(2 * MINUTE - 1, 8.0, 9.0), clock(3 * MINUTE)]
    seen = through(rows, bars={"timeframes": ["1m", "2m"]}, empty_candle="flat")
    made = zip(seen.candles, seen.quotes, strict=True)
    assert [(candle[1], candle[2] // MINUTE, candle[4], found) for candle, found in made] == [
        (0, 1, 1, (9.5, 10.5)),
        (0, 2, 0, (8.0, 9.0)),
        (1, 2, 1, (8.0, 9.0)),
        (0, 3, 0, None),
    ]


def plainly(rows: Sequence[Row], candles: Sequence[tuple[Any, ...]]) -> list[tuple[float, float] | None]:
    """The same in plain Python; a candle's position is that of the row which closed it."""
    found: list[tuple[float, float] | None] = []
    for slot, _, close, position, *_ in candles:
        came = rows if position == len(rows) else rows[: position - 1]
        quotes = [row for row in came if row.slot == -2 - slot and row.ts <= close]
        best = max(quotes, key=lambda row: row.ts, default=None) if quotes else None
        same = [row for row in quotes if best is not None and row.ts == best.ts]
        last = same[-1] if same else None
        good = last is not None and close - last.ts <= 10 * SECOND and last.price <= last.amount
        found.append((last.price, last.amount) if good and last is not None else None)
    return found


@pytest.mark.parametrize("market", KINDS, ids=["times", "flat", "ticks", "volume", "value"])
@given(tape=tapes(), cuts=st.lists(st.integers(0, 50), max_size=6))
def test_whatever_the_cuts_it_is_what_plain_python_finds(tape: list[Row], cuts: list[int], market: Any) -> None:
    tape = [*tape, Row(tape[-1].ts + 1, 10_000)]
    seen = through(tape, cuts, restart=True, **market)
    assert seen.quotes == plainly(tape, seen.candles)


def test_bars_and_signals_say_bid_and_ask() -> None:
    machine = bar_stage(**MINUTES)
    rows = [Row(1, 1), Row(MINUTE, 2, 0, 11.0), quote(2 * MINUTE - 1, 10.5, 11.5), clock(3 * MINUTE)]
    said = machine.step(batch(rows))
    first, second = map(encode, said.outbox["bars"])
    assert b"bid" not in first
    assert second.endswith(b'"bid":10.5,"ask":11.5}')
    (signal,) = said.outbox["signals"]
    assert (signal.ts, signal.bid, signal.ask) == (2 * MINUTE, 10.5, 11.5)


def test_quotes_alone_say_nothing_but_how_far_the_partition_was_read() -> None:
    machine = bar_stage(**MINUTES)
    machine.step(batch([Row(1, 1)]))
    assert machine.step(batch([quote(2, 9.5, 10.5)], 2)).slices is None
    last = machine.step(batch([])).slices
    assert last is not None
    assert (last.upto, len(last)) == (3, 0)
    assert np.array_equal(machine.bars.quotes.snapshot()[1], [2])
