"""A ledger that tells the breakers what it is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flows.outbox import Outbox
from flows.portfolio import book
from flows.portfolio.control.base import Closed
from flows.portfolio.control.steering import Steering
from flows.portfolio.gates.base import Refusal
from flows.portfolio.ledger import Ledger
from schemas.record import Mode


class ObservedLedger(Ledger):
    """The same records. ``steering`` hears of each."""

    def __init__(self, portfolio: str, mode: Mode, strategy: str | None, steering: Steering) -> None:
        super().__init__(portfolio, mode, strategy)
        self.steering = steering

    def order(self, outbox: Outbox, order: Any) -> None:
        """As in the ledger."""
        super().order(outbox, order)
        account = self.steering.account
        level = order.price if order.type == "stop" else None
        mark = account.lanes["mark"].item(account.slots[order.symbol])
        self.steering.ordered(order, mark if level is None else float(level), outbox)

    def fill(self, outbox: Outbox, order: Any, price: Decimal, fee: Decimal, ts: int, candle_ts: int) -> None:
        """As in the ledger."""
        super().fill(outbox, order, price, fee, ts, candle_ts)
        self.steering.filled(order, price, ts, outbox)

    def withdrawn(self, order_id: str, code: str) -> None:
        """No record: for intents."""
        self.steering.withdrawn(order_id, code)

    def position(self, outbox: Outbox, holding: book.Holding, ts: int, closed: book.Closed | None) -> None:
        """As in the ledger."""
        super().position(outbox, holding, ts, closed)
        if closed is not None:
            self.steering.closed(Closed(ts, holding.strategy, holding.symbol, closed.realised_pnl), outbox)

    def rejection(self, outbox: Outbox, signal: Any, side: Any, gate: str, refusal: Refusal) -> None:
        """As in the ledger."""
        super().rejection(outbox, signal, side, gate, refusal)
        self.steering.refused(signal, gate, outbox)
