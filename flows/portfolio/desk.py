"""The desk: between what is decided and the book. It places orders, fills them, and guards what they opened."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Literal

from flows.outbox import Outbox
from flows.portfolio.book import Book, Holding
from flows.portfolio.broker import PaperBroker, Ticket
from flows.portfolio.control.base import Place
from flows.portfolio.control.notices import Notices
from flows.portfolio.ledger import Ledger
from flows.portfolio.memory import Memory
from flows.portfolio.orders import Orders
from flows.portfolio.parting import parted
from flows.portfolio.pending import Pending, Prices, reached
from flows.portfolio.rounding import DOWN, UP, money, on_grid, worth
from flows.portfolio.tranches import Guard, guard_of
from schemas.config.exits import ExitsConfig
from schemas.config.root import Config
from schemas.record import Mode
from schemas.timeframe import to_millis


class Desk:
    """Book, paper broker, memory and ledger of one account, and the orders that wait."""

    def __init__(self, config: Config, mode: Mode, strategy: str | None) -> None:
        self.book = Book(config.portfolio.cash)
        self.broker = PaperBroker(config.broker, config.instruments)
        kept = config.risk.kelly_trades if config.risk.sizing == "kelly" else 0
        self.memory = Memory(float(config.portfolio.cash), to_millis(config.risk.order_window), kept)
        self.orders = Orders(config.portfolio.name, config.entries.type)
        self.ledger = Ledger(config.portfolio.name, mode, strategy)
        self.notices = Notices(config.portfolio.name, mode, strategy)
        self.entries = config.entries
        self.at_close = config.broker.fill_at == "close"
        self.ages = False
        self.configure(config)
        self.fee_rate = Decimal(repr(config.broker.fee_pct)) / 100
        self.committed = 0.0  # notional of waiting entries less that of waiting exits
        self.coming = 0  # waiting entries less waiting exits

    def configure(self, config: Config) -> None:
        """Take exits, for what is entered from now on; break-even after targets counts for what is held, too."""
        self.exits = {strategy.label: config.exits_of(strategy.label) for strategy in config.strategies}
        self.shared = config.exits
        self.ages = self.ages or any(one.ages for one in config.all_exits())

    def exits_of(self, strategy: str) -> ExitsConfig:
        """Of a strategy, or of what is traded by hand."""
        return self.exits.get(strategy, self.shared)

    def candle(self, symbol: str, ts: int, candle_ts: int, prices: Prices, outbox: Outbox) -> None:
        """Fill what waits for this candle's open; then what its range sets off, and what its close brings about.

        An entry that waits for a price comes last, and is guarded in what is left of the candle.
        """
        self.catch_up(symbol)
        for ticket in self.broker.take_waiting(symbol):
            self.uncommit(ticket)
            if ticket.order.leg == "add" and self._left(ticket.order):
                self._tell(ticket.order, "ENTRY_WITHDRAWN", ts, {"by": "exit"}, outbox)
                continue
            price = self.broker.market_price(symbol, prices[0], buy=ticket.order.side == "buy")
            self.fill(ticket.order, price, ts, candle_ts, outbox)
        self._watch(symbol, None, ts, candle_ts, prices, outbox)
        for one in tuple(self.broker.pending.get(symbol, ())) if self.broker.pending else ():
            found = reached(one, prices)
            if found and one.order.leg == "add" and self._left(one.order):
                self.withdraw(one, "ENTRY_WITHDRAWN", ts, {"by": "exit"}, outbox)
            elif found:
                self._unpend(one)
                price = self.broker.entry_price(one.order, found.at)
                self.fill(one.order, price, ts, candle_ts, outbox)
                if one.order.leg == "entry":
                    self.broker.trails.begin(symbol, one.order.strategy, found.prices)
                self._watch(symbol, one.order.strategy, ts, candle_ts, found.prices, outbox)
            elif ts >= one.due:
                self.withdraw(one, "ENTRY_EXPIRED", ts, {"candles": self.entries.candles}, outbox)

    def _watch(self, symbol: str, only: str | None, ts: int, candle_ts: int, prices: Prices, outbox: Outbox) -> None:
        """What a candle does to the positions in a symbol, or to that of one strategy."""
        open_, high, low, close = prices
        for hit in self.broker.triggered(symbol, open_, high, low, only):
            order = self.orders.bracket(self.book.holdings[(symbol, hit.strategy)], hit, ts)
            self.ledger.order(outbox, order)
            guard = self.broker.guards[symbol][hit.strategy]
            guard.tranches = [one for one in guard.tranches if one not in hit.tranches]
            guard.targets += len(hit.tranches) if hit.leg == "target" else 0
            self.fill(order, hit.price, ts, candle_ts, outbox)
        if self.ages:
            for strategy, guard in sorted(self.broker.guards.get(symbol, {}).items()):
                if strategy == (only or strategy):
                    holding = self.book.holdings[(symbol, strategy)]
                    self._break_even(holding, guard, high if guard.side > 0 else low, ts, outbox)
                    if ts >= guard.due and not holding.leaving:
                        self._time_out(holding, guard, close, ts, candle_ts, outbox)

    def catch_up(self, symbol: str) -> None:
        """Take over the trailing stops of a symbol, as the walk has moved them."""
        if not self.broker.trails.numbers:
            return
        for strategy in self.broker.catch_up(symbol):
            self.book.holdings[(symbol, strategy)].stop = self.broker.guards[symbol][strategy].outermost()[0]

    def _break_even(self, holding: Holding, guard: Guard, best: float, ts: int, outbox: Outbox) -> None:
        """The stops go to the entry when the price was far enough ahead, or enough targets were reached."""
        side, after = guard.side, self.exits_of(holding.strategy).break_even_after
        if (best - guard.even_at) * side < 0 and (after is None or guard.targets < after):
            return
        guard.even_at = side * math.inf
        tick = self.broker.instruments.of(holding.symbol).tick  # an average need not be on it
        if guard.tighten(on_grid(float(holding.entry_price), tick, UP if side > 0 else DOWN)):
            holding.stop = guard.outermost()[0]
            self.ledger.position(outbox, holding, ts, None)

    def _time_out(self, holding: Holding, guard: Guard, close: float, ts: int, candle_ts: int, outbox: Outbox) -> None:
        """The last candle that the position is held has closed."""
        order = self.orders.time(holding, ts, guard.candles)
        self.ledger.order(outbox, order)
        if self.at_close:
            price = self.broker.market_price(holding.symbol, close, buy=order.side == "buy")
            self.fill(order, price, ts, candle_ts, outbox)
        else:
            self.wait(order, -float(order.quantity) * close)

    def wait(self, order: Any, value: float) -> None:
        """Hand an order to the broker, for the next open. ``value``: its notional, negative for an exit."""
        opens = int(order.leg == "entry")
        if order.reduce_only:
            holding = self.book.holdings[(order.symbol, order.strategy)]
            holding.leaving = order.quantity == holding.free
            holding.going += order.quantity
            opens = -int(holding.leaving)
        self.broker.waiting.setdefault(order.symbol, []).append(Ticket(order, value, opens))
        self.committed += value
        self.coming += opens

    def pend(self, order: Any, value: float, ts: int) -> None:
        """Hand an entry to the broker that waits for its price, until the close of a candle."""
        self.broker.pending.setdefault(order.symbol, []).append(Pending(order, value, float(order.price), ts))
        self.committed += value
        self.coming += int(order.leg == "entry")

    def pending_of(self, symbol: str, strategy: str) -> Pending | None:
        """The entry of a strategy that waits for its price."""
        return next((one for one in self.broker.pending.get(symbol, ()) if one.order.strategy == strategy), None)

    def withdraw(
        self,
        one: Pending,
        code: str,
        ts: int,
        figures: dict[str, Any],
        outbox: Outbox,
        level: Literal["info", "warning"] = "info",
    ) -> None:
        """Take back an entry that waits for its price. An alert tells of it."""
        self._unpend(one)
        self._tell(one.order, code, ts, figures, outbox, level)

    def too_small(self, holding: Holding, share_pct: float, ts: int, by: str, outbox: Outbox) -> None:
        """A share of a position was to leave, and is less than an exchange takes. An alert tells of it."""
        told = {"strategy": holding.strategy, "by": by, "share_pct": share_pct, "held": str(holding.free)}
        self.notices.alert(
            *(outbox, "PART_TOO_SMALL", ts, Place("symbol", holding.symbol), told, "info"), about=f"{holding.id} {by}"
        )

    def _left(self, order: Any) -> bool:
        """Whether what an order wants to add to is gone, or about to go."""
        holding = self.book.holdings.get((order.symbol, order.strategy))
        return holding is None or holding.leaving or holding.id != order.position_id

    def _tell(
        self,
        order: Any,
        code: str,
        ts: int,
        figures: dict[str, Any],
        outbox: Outbox,
        level: Literal["info", "warning"] = "info",
    ) -> None:
        self.memory.withdrawn(order.id)
        self.ledger.withdrawn(order.id, code)
        told = {"order_id": order.id, "strategy": order.strategy, "side": order.side, **figures}
        told["quantity"] = str(order.quantity)
        self.notices.alert(outbox, code, ts, Place("symbol", order.symbol), told, level, about=order.id)

    def _unpend(self, one: Pending) -> None:
        own = self.broker.pending[one.order.symbol]
        own.remove(one)
        if not own:
            del self.broker.pending[one.order.symbol]
        self.uncommit(Ticket(one.order, one.value, int(one.order.leg == "entry")))

    def uncommit(self, ticket: Ticket) -> None:
        """A ticket waits no more."""
        if ticket.order.reduce_only:
            self.book.holdings[(ticket.order.symbol, ticket.order.strategy)].going -= ticket.order.quantity
        self.committed -= ticket.value
        self.coming -= ticket.opens
        if not self.broker.waiting and not self.broker.pending:
            self.committed = 0.0  # nothing waits: no rounding error may stay behind

    def fill(self, order: Any, price: Decimal, ts: int, candle_ts: int, outbox: Outbox) -> None:
        """An order is filled in one piece: the position that it opens, or what it leaves of one."""
        value = worth(price, order.quantity)
        fee = money(value * self.fee_rate)
        self.ledger.fill(outbox, order, price, fee, ts, candle_ts)
        self.memory.filled(order.id, order.position_id)
        if order.leg == "entry":
            self._open(order, price, value, fee, ts, candle_ts, outbox)
        elif order.leg == "add":
            self._add(order, value, fee, ts, outbox)
        else:
            self._leave(order, price, value, fee, ts, candle_ts, outbox)

    def _open(
        self, order: Any, price: Decimal, value: Decimal, fee: Decimal, ts: int, candle_ts: int, outbox: Outbox
    ) -> None:
        side = 1 if order.side == "buy" else -1
        holding = Holding(
            id=order.position_id,
            strategy=order.strategy,
            symbol=order.symbol,
            side=side,
            quantity=order.quantity,
            entry_price=price,
            entry_value=value,
            entry_ts=candle_ts,
            fees=fee,
            stop=order.stop,
            target=order.target,
        )
        self.book.open(holding)
        exits = self.exits_of(order.strategy)
        guard = self._guard(order, side, float(price), ts, candle_ts, exits)
        self.broker.guard(order.symbol, order.strategy, guard, exits)
        self.ledger.position(outbox, holding, ts, None)

    def _add(self, order: Any, value: Decimal, fee: Decimal, ts: int, outbox: Outbox) -> None:
        holding = self.book.holdings[(order.symbol, order.strategy)]
        guard = self.broker.guards[order.symbol][order.strategy]
        self.book.add(holding, order.quantity, value, fee)
        guard.add(guard_of(order, guard.side).tranches, order.stop)
        holding.stop, holding.target = guard.outermost()
        self.ledger.position(outbox, holding, ts, None)

    def _guard(self, order: Any, side: int, price: float, ts: int, candle_ts: int, exits: ExitsConfig) -> Guard:
        guard = guard_of(order, side)
        if exits.break_even_at is not None:
            guard.even_at = price + side * exits.break_even_at * abs(price - float(order.stop))
        if exits.time_candles is not None:
            begun = ts if self.at_close and order.type == "market" else candle_ts
            guard.due = begun + exits.time_candles * (ts - candle_ts)
            guard.candles = exits.time_candles
        return guard

    def _leave(
        self, order: Any, price: Decimal, value: Decimal, fee: Decimal, ts: int, candle_ts: int, outbox: Outbox
    ) -> None:
        key = (order.symbol, order.strategy)
        holding = self.book.holdings[key]
        closed = self.book.leave(holding, order.quantity, price, value, fee, candle_ts, order.leg)
        if closed is not None:
            self.broker.release(*key)
            addition = self.pending_of(*key) if self.broker.pending else None
            if addition and addition.order.leg == "add":  # and not the entry of a reversal
                self.withdraw(addition, "ENTRY_WITHDRAWN", ts, {"by": order.leg}, outbox)
            self.memory.exited(key, ts, holding.id, float(closed.realised_pnl))
        else:
            guard = self.broker.guards[order.symbol][order.strategy]
            if order.leg not in ("stop", "target"):  # which take their tranches along
                guard.tranches = parted(
                    guard.tranches, order.quantity, self.broker.instruments.of(order.symbol), float(price)
                )
            holding.stop, holding.target = guard.outermost()
        self.ledger.position(outbox, holding, ts, closed)

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        return {
            "book": self.book.snapshot(),
            "broker": self.broker.snapshot(),
            "ledger": self.ledger.snapshot(),
            "memory": self.memory.snapshot(),
            "committed": (self.committed, self.coming),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.book.restore(state["book"])
        self.broker.restore(state["broker"])
        self.ledger.restore(state["ledger"])
        self.memory.restore(state["memory"])
        self.ages = self.ages or bool(self.broker.guards)  # which may be of other settings
        self.committed, self.coming = state["committed"]
