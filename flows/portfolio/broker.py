"""The paper broker: the rules by which candles fill orders (docs/fills.md states them for users)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import numpy as np

from flows.portfolio.pending import Pending
from flows.portfolio.rounding import DOWN, UP, on_grid
from flows.portfolio.scan import NEVER
from flows.portfolio.trails import Trails
from flows.portfolio.tranches import Guard, Tranche, hits
from schemas.config.broker import BrokerConfig
from schemas.config.exits import ExitsConfig
from schemas.config.instruments import InstrumentsConfig
from schemas.order import BracketLeg


class Ticket(msgspec.Struct, gc=False):
    """A market order that waits for the open of the next candle."""

    order: Any  # schemas.order.Order
    value: float  # expected notional: added to exposure by an entry, taken from it by an exit
    opens: int = 0  # how many positions there are more once it is filled: 1, 0, or -1


class Triggered(NamedTuple):
    """A stop or a target that the candle set off, for one tranche or several."""

    strategy: str
    leg: BracketLeg
    level: Decimal
    price: Decimal  # what it is filled at
    tranches: list[Tranche]

    @property
    def quantity(self) -> Decimal:
        """Of all that leave."""
        return sum((one.quantity for one in self.tranches[1:]), self.tranches[0].quantity)


class PaperBroker:
    """Waiting orders and guards by symbol. No clock, no randomness: fills follow from candles alone."""

    def __init__(self, config: BrokerConfig, instruments: InstrumentsConfig) -> None:
        self.slippage = config.slippage_pct / 100
        self.instruments = instruments
        self._asked, self._got = ("", 0.0, False), Decimal(0)  # an exit and the entry behind it get the same price
        self.waiting: dict[str, list[Ticket]] = {}
        self.pending: dict[str, list[Pending]] = {}
        self.guards: dict[str, dict[str, Guard]] = {}
        self.trails = Trails()

    def market_price(self, symbol: str, price: float, *, buy: bool) -> Decimal:
        """What a market order gets at a price: slippage against us, then the next tick against us."""
        asked = (symbol, price, buy)
        if asked != self._asked:
            slipped = price * (1 + self.slippage if buy else 1 - self.slippage)
            tick = self.instruments.of(symbol).tick
            self._asked, self._got = asked, max(on_grid(slipped, tick, UP if buy else DOWN), tick)  # never for nothing
        return self._got

    def entry_price(self, order: Any, at: float) -> Decimal:
        """What an entry that waited gets where it was reached: slippage is for stop orders alone."""
        buys = order.side == "buy"
        if order.type == "stop":
            return self.market_price(order.symbol, at, buy=buys)
        return on_grid(at, self.instruments.of(order.symbol).tick, UP if buys else DOWN)

    def take_waiting(self, symbol: str) -> list[Ticket]:
        """The orders that fill at the open of this symbol's candle, exits before entries, as they were placed."""
        return self.waiting.pop(symbol, [])

    def guard(self, symbol: str, strategy: str, guard: Guard, exits: ExitsConfig) -> None:
        """Watch a position from now on."""
        self.guards.setdefault(symbol, {})[strategy] = guard
        if exits.trail != "none":
            self.trails.follow(symbol, strategy, guard.side, self.instruments.of(symbol).tick, exits)

    def release(self, symbol: str, strategy: str) -> None:
        """The position is closed."""
        del self.guards[symbol][strategy]
        self.trails.release(symbol, strategy)

    def catch_up(self, symbol: str) -> list[str]:
        """Take over the trailing stops as the walk has moved them. Returns the strategies whose stops are new."""
        tick = self.instruments.of(symbol).tick
        moved = []
        for strategy, number in self.trails.numbers.get(symbol, {}).items():
            level = self.trails.level(number)
            if np.isfinite(level) and self.guards[symbol][strategy].tighten(on_grid(level, tick, DOWN)):
                moved.append(strategy)
        return moved

    def triggered(self, symbol: str, open_: float, high: float, low: float, only: str | None = None) -> list[Triggered]:
        """The stops and targets that a candle sets off, by strategy name, or of one strategy.

        A gap past a stop or a target is filled at the open. Slippage is for stops alone.
        """
        found = []
        for strategy in (only,) if only else sorted(self.guards.get(symbol, ())):
            guard = self.guards[symbol][strategy]
            sells = guard.side > 0
            for hit in hits(guard, open_, high, low):
                if hit.leg == "stop":
                    price = self.market_price(symbol, hit.at, buy=not sells)
                else:
                    price = on_grid(hit.at, self.instruments.of(symbol).tick, DOWN if sells else UP)
                found.append(Triggered(strategy, hit.leg, hit.level, price, hit.tranches))
        return found

    def levels(self, symbol: str) -> tuple[float, float, int]:
        """(down, up, due): a candle matters whose low or high reaches these, or that closes at ``due`` or later."""
        down, up, due = -np.inf, np.inf, NEVER
        for guard in self.guards.get(symbol, {}).values():
            for one in guard.tranches:
                below, above = (one.stop_at, one.target_at) if guard.side > 0 else (one.target_at, one.stop_at)
                down, up = max(down, below), min(up, above)
            if guard.side > 0:
                up = min(up, guard.even_at)
            else:
                down = max(down, guard.even_at)
            due = min(due, guard.due)
        for pending in self.pending.get(symbol, ()):
            down, up = (down, min(up, pending.at)) if pending.from_below else (max(down, pending.at), up)
            due = min(due, pending.due)
        return down, up, due

    def snapshot(self) -> dict[str, Any]:
        """All state."""
        return {
            "waiting": {s: [msgspec.structs.astuple(one) for one in own] for s, own in self.waiting.items()},
            "pending": {s: [msgspec.structs.astuple(one) for one in own] for s, own in self.pending.items()},
            "guards": {
                symbol: {name: _flat(guard) for name, guard in guards.items()} for symbol, guards in self.guards.items()
            },
            "trails": self.trails.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.waiting = {symbol: [Ticket(*t) for t in tickets] for symbol, tickets in state["waiting"].items()}
        self.guards = {
            symbol: {
                name: Guard(side, [Tranche(*one) for one in parts], *rest) for name, (side, parts, *rest) in own.items()
            }
            for symbol, own in state["guards"].items()
        }
        self.pending = {symbol: [Pending(*one) for one in own] for symbol, own in state["pending"].items()}
        self.trails.restore(state["trails"])


def _flat(guard: Guard) -> tuple[Any, ...]:
    side, tranches, *rest = msgspec.structs.astuple(guard)
    return side, [msgspec.structs.astuple(one) for one in tranches], *rest
