"""Entries that wait for a price: when a candle reaches it, and what of that candle the new position has seen."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from flows.portfolio.gates.base import Intent
from flows.portfolio.rounding import DOWN, UP, on_grid
from schemas.config.entries import EntriesConfig

Prices = tuple[float, float, float, float]
"""Open, high, low, close."""


class Pending(msgspec.Struct, gc=False):
    """A limit or stop order for an entry."""

    order: Any  # schemas.order.Order
    value: float  # expected notional
    at: float
    due: int  # close of the last candle that may fill it, epoch ms

    @property
    def from_below(self) -> bool:
        """Whether the price reaches it by rising: to buy above, or to sell above."""
        return bool((self.order.side == "buy") == (self.order.type == "stop"))


class Reached(NamedTuple):
    """Where a candle fills an order, and the prices of that candle for the position that it opens."""

    at: float
    prices: Prices


def trigger(config: EntriesConfig, intent: Intent, atr: float) -> Decimal | None:
    """The price of the order, on the tick away from that of the signal, at least one tick.

    None while the range is not known that it is measured in.
    """
    away = config.at * atr if config.by == "atr" else config.at / 100 * intent.price
    if math.isnan(away):
        return None
    way = intent.side if config.type == "stop" else -intent.side
    tick = intent.instrument.tick
    return max(on_grid(intent.price + way * away, tick, UP if way > 0 else DOWN), tick)


def reached(one: Pending, prices: Prices) -> Reached | None:
    """What a candle makes of an order; none when it does not reach it.

    Inside the candle the worse is taken for the position: all of the candle may have come after the entry that can set
    off its stop; but of what is beyond a limit order only the close is sure to have come after it.
    """
    open_, high, low, close = prices
    if (open_ - one.at) * (1 if one.from_below else -1) >= 0:
        return Reached(open_, prices)
    if (high < one.at) if one.from_below else (low > one.at):
        return None
    if one.order.type == "limit":
        high, low = (max(one.at, close), low) if one.order.side == "buy" else (high, min(one.at, close))
    return Reached(one.at, (one.at, high, low, close))
