"""What is done to the orders and positions of an account when its trading is held up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.columns import Ints
from flows.outbox import Outbox
from flows.portfolio.book import Holding
from flows.portfolio.control.base import Place
from flows.portfolio.control.notices import Notices
from flows.portfolio.parting import part_of

if TYPE_CHECKING:
    from flows.portfolio.account import Account


def withdraw(account: Account, notices: Notices, place: Place, by: str, outbox: Outbox) -> None:
    """Take back the entries that wait for an open or a price there; an alert tells of each."""
    now = max(account.tally["now"].item(), 0)
    pending = [one for _, own in sorted(account.broker.pending.items()) for one in own]
    for one in pending:
        if place.holds(one.order.strategy, one.order.symbol):
            account.desk.withdraw(one, "ENTRY_WITHDRAWN", now, {"by": by}, outbox, "warning")
    for symbol, tickets in sorted(account.broker.waiting.items()):
        gone = [one for one in tickets if not one.order.reduce_only and place.holds(one.order.strategy, symbol)]
        left = [one for one in tickets if one not in gone]
        if left:
            account.broker.waiting[symbol] = left
        elif gone:
            del account.broker.waiting[symbol]
        for ticket in gone:
            account.desk.uncommit(ticket)
            order = ticket.order
            account.memory.withdrawn(order.id)
            account.ledger.withdrawn(order.id, "ENTRY_WITHDRAWN")
            of, told = Place("symbol", symbol), {"side": order.side, "quantity": str(order.quantity)}
            told |= {"strategy": order.strategy, "by": by, "order_id": order.id}
            notices.alert(outbox, "ENTRY_WITHDRAWN", now, of, told, about=order.id)


def close(account: Account, place: Place, share_pct: float, by: str, timeframes: Ints, outbox: Outbox) -> list[Holding]:
    """Close all positions there, or a share of each, but those that are leaving already.

    Returns those that are too small to be parted, and stay as they are.
    """
    small, now = list[Holding](), account.tally["now"].item()
    part = "" if share_pct >= 100 else f"{share_pct:g} % "
    for (symbol, strategy), holding in sorted(account.book.holdings.items()):
        if not place.holds(strategy, symbol) or holding.leaving:
            continue
        price = account.lanes["mark"].item(account.slots[symbol])
        quantity = part_of(holding, share_pct, account.config.instruments.of(symbol), price)
        if quantity:
            order = account.orders.close(holding, quantity, now, f"{part}closed by {by}")
            account.place(order, -float(quantity) * price, timeframes, outbox)
        else:
            small.append(holding)
    return small
