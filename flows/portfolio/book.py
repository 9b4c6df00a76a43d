"""The book: cash and positions, exact to 1e-8 of the account currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from flows.portfolio.rounding import average, part, worth
from schemas.order import ExitLeg

Key = tuple[str, str]
"""(symbol, strategy): sorted, it is the canonical order of positions."""


class Holding(msgspec.Struct, gc=False):
    """An open position of one strategy in one symbol. Quantity and entry value are those of what is still held."""

    id: str
    strategy: str
    symbol: str
    side: int  # 1 long, -1 short
    quantity: Decimal
    entry_price: Decimal
    entry_value: Decimal
    entry_ts: int
    fees: Decimal
    stop: Decimal
    target: Decimal | None
    left: Decimal = Decimal(0)  # quantity that has left already …
    left_value: Decimal = Decimal(0)  # … and what it was sold (or bought back) for
    gained: Decimal = Decimal(0)  # what that made, before fees
    additions: int = 0
    entered: Decimal = Decimal(0)  # if it was added to: quantity of all entries …
    entered_value: Decimal = Decimal(0)  # … and what it was bought (or sold short) for
    leaving: bool = False  # an order that closes all of it waits
    going: Decimal = Decimal(0)  # quantity that orders take which wait, and do not close all of it

    @property
    def free(self) -> Decimal:
        """What no order takes yet."""
        return self.quantity - self.going


class Closed(msgspec.Struct, gc=False):
    """What a position came to."""

    quantity: Decimal
    exit_price: Decimal  # average
    exit_ts: int
    exit_leg: ExitLeg  # of the last part that left
    fees: Decimal
    realised_pnl: Decimal  # after the fees of both ways


class Book:
    """Cash and holdings. Buying lowers cash by value and fee, selling raises it; so a short position is a debt."""

    def __init__(self, cash: Decimal) -> None:
        self.cash = cash
        self.holdings: dict[Key, Holding] = {}

    def open(self, holding: Holding) -> None:
        """Enter a filled position. Raises ValueError when one of that strategy and symbol is open already."""
        key = (holding.symbol, holding.strategy)
        if key in self.holdings:
            raise ValueError(f"{holding.strategy} already holds {holding.symbol}")
        self.holdings[key] = holding
        self.cash -= holding.entry_value * holding.side + holding.fees

    def add(self, holding: Holding, quantity: Decimal, value: Decimal, fee: Decimal) -> None:
        """Make a position larger. Its entry price is then the average of what is held."""
        if not holding.additions:
            holding.entered = holding.quantity + holding.left
            holding.entered_value = worth(holding.entry_price, holding.entered)
        holding.additions += 1
        holding.entered += quantity
        holding.entered_value += value
        holding.quantity += quantity
        holding.entry_value += value
        holding.fees += fee
        holding.entry_price = average(holding.entry_value, holding.quantity)
        self.cash -= value * holding.side + fee

    def leave(
        self, holding: Holding, quantity: Decimal, price: Decimal, value: Decimal, fee: Decimal, ts: int, leg: ExitLeg
    ) -> Closed | None:
        """Take a part of a position out at a price. Returns what all of it came to when that was the last part."""
        whole = quantity == holding.quantity
        cost = holding.entry_value if whole else part(holding.entry_value, quantity, holding.quantity)
        self.cash += value * holding.side - fee
        holding.fees += fee
        holding.gained += (value - cost) * holding.side
        if not whole or holding.left:
            holding.left += quantity
            holding.left_value += value
        if not whole:
            holding.quantity -= quantity
            holding.entry_value -= cost
            return None
        del self.holdings[(holding.symbol, holding.strategy)]
        if holding.additions:
            holding.entry_price = average(holding.entered_value, holding.entered)
        if holding.left:
            quantity, price = holding.left, average(holding.left_value, holding.left)
        return Closed(quantity, price, ts, leg, holding.fees, holding.gained - holding.fees)

    def snapshot(self) -> dict[str, Any]:
        """All state."""
        return {"cash": self.cash, "holdings": [msgspec.structs.astuple(h) for h in self.holdings.values()]}

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.cash = state["cash"]
        holdings = [Holding(*values) for values in state["holdings"]]
        self.holdings = {(h.symbol, h.strategy): h for h in holdings}
