from __future__ import annotations

import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.portfolio.book import Book, Closed, Holding
from flows.portfolio.rounding import money, worth
from schemas.order import ExitLeg
from tests.flows.portfolio.stories import BTC, ETH


def holding(
    side: int = 1,
    quantity: str = "2",
    price: str = "100",
    fee: str = "0.2",
    *,
    symbol: str = BTC,
    strategy: str = "a",
) -> Holding:
    return Holding(
        id=f"{strategy} {symbol}",
        strategy=strategy,
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        entry_price=Decimal(price),
        entry_value=money(Decimal(price) * Decimal(quantity)),
        entry_ts=60_000,
        fees=Decimal(fee),
        stop=Decimal(50),
        target=None,
    )


def close(book: Book, held: Holding, price: Decimal, fee: Decimal, ts: int, leg: ExitLeg) -> Closed:
    """All of it, at once."""
    closed = book.leave(held, held.quantity, price, worth(price, held.quantity), fee, ts, leg)
    assert closed is not None
    return closed


def test_buying_lowers_cash_by_value_and_fee_and_selling_raises_it() -> None:
    book = Book(Decimal(1000))
    long = holding()
    book.open(long)
    assert book.cash == Decimal("799.8")
    closed = close(book, long, Decimal(110), Decimal("0.22"), 120_000, "exit")
    assert book.cash == Decimal("1019.58")
    assert (closed.realised_pnl, closed.fees) == (Decimal("19.58"), Decimal("0.42"))
    assert (closed.exit_price, closed.exit_ts, closed.exit_leg) == (Decimal(110), 120_000, "exit")
    assert book.holdings == {}


def test_a_short_is_a_debt_that_the_sale_has_put_into_cash() -> None:
    book = Book(Decimal(1000))
    short = holding(-1)
    book.open(short)
    assert book.cash == Decimal("1199.8")
    closed = close(book, short, Decimal(110), Decimal("0.22"), 120_000, "stop")
    assert book.cash == Decimal("979.58")
    assert closed.realised_pnl == Decimal("-20.42")


def test_money_is_kept_to_1e_minus_8() -> None:
    book = Book(Decimal(1000))
    tiny = holding(quantity="0.33333333", price="0.1", fee="0")
    book.open(tiny)
    assert book.cash == Decimal("999.96666667")
    assert close(book, tiny, Decimal("0.11"), Decimal(0), 0, "exit").realised_pnl == Decimal("0.00333334")


def test_one_strategy_holds_one_position_in_a_symbol() -> None:
    book = Book(Decimal(1000))
    book.open(holding())
    with pytest.raises(ValueError, match=f"a already holds {BTC}"):
        book.open(holding(-1))
    assert book.cash == Decimal("799.8")


def test_strategies_and_symbols_are_held_apart() -> None:
    book = Book(Decimal(1000))
    for one in (holding(), holding(-1, strategy="b"), holding(symbol=ETH)):
        book.open(one)
    assert set(book.holdings) == {(BTC, "a"), (BTC, "b"), (ETH, "a")}
    assert book.cash == Decimal("799.4")


def test_what_was_put_back_goes_on_as_before() -> None:
    book, again = Book(Decimal(1000)), Book(Decimal(0))
    book.open(holding())
    again.restore(pickle.loads(pickle.dumps(book.snapshot())))
    for one in (book, again):
        assert close(one, one.holdings[(BTC, "a")], Decimal(90), Decimal(0), 0, "stop").realised_pnl == Decimal("-20.2")
        assert one.cash == Decimal("979.8")


def test_a_snapshot_does_not_move_with_the_book() -> None:
    book = Book(Decimal(1000))
    taken = book.snapshot()
    book.open(holding())
    again = Book(Decimal(0))
    again.restore(taken)
    assert (again.cash, again.holdings) == (Decimal(1000), {})


AMOUNTS = st.decimals(min_value="0.00000001", max_value="100000", places=8)


@given(st.lists(st.tuples(st.sampled_from([1, -1]), AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS), max_size=8))
def test_cash_ends_at_the_start_plus_what_was_realised(
    trips: list[tuple[int, Decimal, Decimal, Decimal, Decimal]],
) -> None:
    book = Book(Decimal(1000))
    realised = Decimal(0)
    for side, quantity, entry, leaving, fee in trips:
        one = holding(side, str(quantity), str(entry), str(fee))
        book.open(one)
        realised += close(book, one, leaving, fee, 0, "exit").realised_pnl
    assert book.cash == 1000 + realised
