from __future__ import annotations

import math
import pickle
from typing import Any

import pytest

from flows.market.quotes import Quotes
from tests.flows.market.rows import NAMES, Row, at, batch, parts
from tests.flows.market.stages import stage, steps


def judged(rows: list[Row], cuts: tuple[int, ...] = ()) -> tuple[list[Any], list[Any]]:
    """Quotes by row, and (position, message) of alerts; restarted at each cut."""
    quotes, found, told = Quotes(), list[Any](), list[Any]()
    for part in parts(rows, cuts):
        given = batch(part)
        seen, alerts = quotes(given, given.slot, len(NAMES), given.ts >= 0)
        found += [None] * len(part) if seen is None else seen.tolist()
        told += [(alert.ts // 60_000, alert.symbol, alert.message) for _, alert in alerts]
        state = pickle.dumps(quotes.state_dict())
        quotes = Quotes()
        quotes.load_state_dict(pickle.loads(state))
    return found, told


@pytest.mark.parametrize(
    ("bid", "ask", "known"),
    [
        (10.5, 10.5, True),
        (1.0, 99.0, True),  # the last trade may lie outside of it
        *((bid, 10.5, False) for bid in (10.501, 0.0, -1.0, math.nan, math.inf)),
        *((10.5, ask, False) for ask in (10.499, math.nan, math.inf)),
    ],
)
def test_a_quote_that_cannot_be_is_not_known_and_told(bid: float, ask: float, known: bool) -> None:
    ((seen,), told) = judged([at(1, bid=bid, ask=ask)])
    assert seen == [bid, ask] if known else all(map(math.isnan, seen))
    text = f"QUOTE_INVALID: ts=60000 open=10.0 high=12.0 low=9.0 close=11.0 volume=1.0 bid={bid} ask={ask}; "
    text += "it cannot be, so it is not known; the prices count"
    assert told == ([] if known else [(1, "B/USDT", text)])


@pytest.mark.parametrize("cuts", [(), (1, 2, 3, 4, 5, 6), (3,)])
def test_only_the_first_of_a_run_is_told_whatever_the_cut(cuts: tuple[int, ...]) -> None:
    bad: dict[str, Any] = {"bid": 11.0, "ask": 10.0}
    good: dict[str, Any] = {"bid": 10.0, "ask": 11.0}
    rows = [
        at(1, **bad),
        at(2, **bad),
        at(2, 1, **bad),
        at(3),
        at(4, **bad),
        at(5, **good),
        at(6, **bad),
        at(7, **good),
    ]
    assert [one[:2] for one in judged(rows, cuts)[1]] == [(1, "B/USDT"), (2, "A/USDT"), (6, "B/USDT")]


def test_rows_that_are_refused_change_nothing() -> None:
    assert judged([Row(-1, bid=11.0, ask=10.0)])[1] == []


def test_the_prices_beside_it_count() -> None:
    said = steps(stage(), [at(1, bid=11.0, ask=10.0), at(2, bid=10.0, ask=11.0), at(3, ask=11.0)])
    assert said.outbox["deadletters"] == []
    assert said.slices is not None
    assert [ts // 60_000 for ts in said.slices.ts.tolist()] == [1, 2, 3]
    assert [(alert.ts // 60_000, alert.code) for alert in said.outbox["alerts"]] == [
        (1, "QUOTE_INVALID"),
        (3, "QUOTE_INVALID"),
    ]
    assert said.outbox["alerts"][1].figures["ask"] == 11.0
    assert "bid" not in said.outbox["alerts"][1].figures
