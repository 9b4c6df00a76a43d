"""What is done to the orders and positions of an account when its trading is held up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.columns import Ints
from flows.outbox import Outbox
from flows.portfolio.control.base import Place
from flows.portfolio.control.notices import Notices

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
            if order.leg == "entry":
                account.memory.risked.pop(order.position_id, None)
            account.ledger.withdrawn(order.id, "ENTRY_WITHDRAWN")
            of, told = Place("symbol", symbol), {"side": order.side, "quantity": str(order.quantity)}
            told |= {"strategy": order.strategy, "by": by, "order_id": order.id}
            notices.alert(outbox, "ENTRY_WITHDRAWN", now, of, told, about=order.id)


def close_all(account: Account, place: Place, reason: str, timeframes: Ints, outbox: Outbox) -> list[str]:
    """Close all positions there, but those that are leaving already. Returns the ids of the orders."""
    ids, marks = [], account.lanes["mark"]
    for (symbol, strategy), holding in sorted(account.book.holdings.items()):
        if place.holds(strategy, symbol) and not holding.leaving:
            order = account.orders.close(holding, account.tally["now"].item(), reason)
            price = marks.item(account.slots[symbol])
            account.place(order, -float(holding.quantity) * price, timeframes, outbox)
            ids.append(order.id)
    return ids
