"""Parting: how much of a position leaves at the market when not all of it is to."""

from __future__ import annotations

from decimal import Decimal

from flows.portfolio.book import Holding
from flows.portfolio.rounding import share
from flows.portfolio.tranches import Tranche
from schemas.config.instruments import Instrument


def part_of(holding: Holding, share_pct: float, instrument: Instrument, price: float) -> Decimal:
    """A share of what no order takes yet, down to the lot.

    All of it when an exchange would not take an order as small as what would stay: nothing may be held that cannot be
    left. Nothing when it would not take one as small as what would leave.
    """
    free = holding.free
    if share_pct >= 100 or not instrument.takes(free, price):
        return free
    quantity = share(free, Decimal(repr(share_pct)), Decimal(100), instrument.lot)
    if not instrument.takes(quantity, price):
        return Decimal(0)
    return quantity if instrument.takes(free - quantity, price) else free


def parted(tranches: list[Tranche], quantity: Decimal, instrument: Instrument, price: float) -> list[Tranche]:
    """The tranches of a position of which so much has left: each gives its share.

    They go down to the lot, and what that leaves goes to the last one; so does one that would be below the smallest
    order. A last one that is below it goes to the one before.
    """
    held = sum((one.quantity for one in tranches), Decimal(0))
    stays = rest = held - quantity
    kept = list[Tranche]()
    *others, last = tranches
    for one in others:
        own = share(one.quantity, stays, held, instrument.lot)
        if instrument.takes(own, price):
            one.quantity = own
            kept.append(one)
            rest -= own
    if kept and not instrument.takes(rest, price):
        kept[-1].quantity += rest
        return kept
    last.quantity = rest
    return [*kept, last]
