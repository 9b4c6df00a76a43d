"""An auditor: follows an account by its records and the candles alone, and checks every promise at every instant."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from flows.outbox import Outbox
from flows.portfolio.rounding import money
from schemas.command import Command
from schemas.config.root import Config
from tests.flows.portfolio.audit_control import Control, of_the_portfolio
from tests.flows.portfolio.audit_held import Held
from tests.flows.portfolio.audit_sizes import Sizes
from tests.flows.portfolio.stories import Row, at

SLACK = 1 + 1e-9
"""For limits that are computed in floats."""


class Audit:
    """Books of its own: cash, positions, orders that wait."""

    def __init__(self, config: Config) -> None:
        self.config, self.sizes = config, Sizes(config)
        self.cash = config.portfolio.cash
        self.realised = Decimal(0)
        self.held: dict[tuple[str, str], Held] = {}  # by symbol and strategy
        self.waiting: dict[str, Any] = {}
        self.marks: dict[str, float] = {}
        self.filled: set[str] = set()
        self.risks: dict[str, float] = {}  # by entry and addition: what it loses at its stop
        self.risked: dict[str, float] = {}  # by position: what was filled of it loses at its stops
        self.told: set[tuple[str, Decimal]] = set()  # positions and the stops that they were told with at this instant
        self.control = Control(config)
        self.last: tuple[float, float, float] | None = None  # equity, cash, gross of the instant before

    def instant(self, rows: Sequence[Row], outbox: Outbox) -> None:
        """Everything that was posted at an instant, in the order of its parts."""
        outbox = of_the_portfolio(outbox)
        self._intervals(outbox["equity"])
        orders = {order.id: order for order in outbox["orders"]}
        assert len(orders) == len(outbox["orders"])
        brackets = {order.id for order in orders.values() if order.leg in ("stop", "target")}
        decided = [order for order in orders.values() if order.id not in brackets]
        now = [fill for fill in outbox["fills"] if fill.order_id in self.waiting or fill.order_id in brackets]
        self.told = {(row.id, row.stop) for row in outbox["positions"]}
        for fill in now:
            self._fill(self.waiting.pop(fill.order_id, None) or orders[fill.order_id], fill)
        assert brackets <= self.filled
        self.sizes.instant(rows)
        self.marks.update((row.symbol, row.close) for row in rows)
        self._guarded(rows)
        self._decided(decided, [fill for fill in outbox["fills"] if fill not in now], outbox)
        self.last = (self.equity, float(self.cash), self.gross)

    def command(self, command: Command, outbox: Outbox) -> None:
        """Everything that came of a command."""
        outbox = of_the_portfolio(outbox)
        (reply,) = outbox["replies"]
        self.config = self.control.answered(command, reply, self.config, {*self.waiting, *self.filled})
        self.sizes.risk = self.config.risk
        self._decided(outbox["orders"], outbox["fills"], outbox)

    def _decided(self, orders: Sequence[Any], fills: Sequence[Any], outbox: Outbox) -> None:
        self._withdrawn(outbox, [])
        self.control.breakers(outbox["breakers"])
        at_close = {fill.order_id: fill for fill in fills}
        for order in orders:
            assert order.id not in self.waiting.keys() | self.filled
            self._turned(outbox, (order.symbol, order.strategy))
            self.control.exits(order)
            if not order.reduce_only:
                self._entry(order)
            self.waiting[order.id] = order
            if self.config.broker.fill_at == "close" and not (order.price and not order.reduce_only):
                self._fill(self.waiting.pop(order.id), at_close.pop(order.id))
        self._turned(outbox)
        self._withdrawn(outbox, orders)
        assert not at_close, "a fill without an order"

    @property
    def equity(self) -> float:
        """Cash and marked positions."""
        return float(self.cash) + sum(
            one.sign * float(one.quantity) * self.marks[symbol] for (symbol, _), one in self.held.items()
        )

    @property
    def gross(self) -> float:
        """The absolute value of the positions."""
        return sum(float(one.quantity) * self.marks[symbol] for (symbol, _), one in self.held.items())

    def _fill(self, order: Any, fill: Any) -> None:
        assert order.id not in self.filled, "filled twice"
        self.filled.add(order.id)
        for name in ("portfolio", "strategy", "symbol", "position_id", "leg", "side", "quantity"):
            assert getattr(fill, name) == getattr(order, name)
        assert fill.price % self.config.instruments.of(order.symbol).tick == 0
        value = money(fill.price * fill.quantity)
        assert fill.fee == money(value * Decimal(repr(self.config.broker.fee_pct)) / 100)
        self.cash += (value if fill.side == "sell" else -value) - fill.fee
        key = (order.symbol, order.strategy)
        if not order.reduce_only:
            self.risked[order.position_id] = self.risked.get(order.position_id, 0.0) + self.risks[order.id]
        if order.leg == "entry":
            assert key not in self.held
            assert not self.control.holds_up(order, fill.ts)
            parts = [(one.quantity, one.stop, one.target) for one in order.tranches or [order]]
            assert sum(one[0] for one in parts) == order.quantity
            inside = -1 if order.price is None else fill.ts
            self.held[key] = Held(order, order.quantity, value, fill.fee, parts, inside)
            return
        held = self.held[key]
        if order.leg == "add":
            assert (order.position_id, order.side) == (held.order.id, held.order.side)
            held.adds(order, value, fill.fee)
            held.inside = held.inside if order.price is None else fill.ts
            return
        assert (order.position_id, order.reduce_only) == (held.order.id, True)
        assert order.side != held.order.side
        behind = sum(quantity for quantity, stop, _ in held.parts if stop == order.price)
        if order.leg == "stop" and behind != order.quantity and (order.position_id, order.price) in self.told:
            held.tightens(order.price)
        held.leaves(order, fill.price, self.config.instruments.of(order.symbol))
        cost = held.cost
        if held.parts:
            share = Fraction(held.cost) * Fraction(order.quantity) / Fraction(held.quantity)
            cost = Decimal(round(share * 10**8)).scaleb(-8)
        held.gained += held.sign * (value - cost)
        held.fees += fill.fee
        held.cost -= cost
        held.quantity -= order.quantity
        if not held.parts:
            assert held.quantity == 0
            self.realised += held.gained - held.fees
            result = float(held.gained - held.fees) / self.risked.pop(held.order.id)
            self.sizes.trades.setdefault(order.strategy, []).append(result)
            del self.held[key]

    def _withdrawn(self, outbox: Outbox, decided: Sequence[Any]) -> None:
        """An entry that was ordered at this very instant may be taken back at it."""
        new = {order.id for order in decided if not order.reduce_only}
        for alert in outbox["alerts"]:
            if alert.code not in ("ENTRY_WITHDRAWN", "ENTRY_EXPIRED") or alert.figures.get("by") == "signal":
                continue
            if not decided or alert.figures["order_id"] in new:
                gone = self.waiting.pop(alert.figures["order_id"], None)
                assert gone is None or not gone.reduce_only
                assert gone is not None or not decided

    def _turned(self, outbox: Outbox, turn: tuple[str, str] | None = None) -> None:
        """A wish takes back an entry at its turn, by symbol and strategy: what was decided before has counted it."""
        for alert in outbox["alerts"]:
            by_signal = alert.code == "ENTRY_WITHDRAWN" and alert.figures["by"] == "signal"
            if by_signal and (turn is None or (alert.symbol, alert.figures["strategy"]) <= turn):
                self.waiting.pop(alert.figures["order_id"], None)

    def _expected(self, order: Any) -> float:
        """The price at which an order that waits counts."""
        return float(order.price) if order.price and not order.reduce_only else self.marks[order.symbol]

    def _entry(self, order: Any) -> None:
        """The promises about an order that may leave, at the price of its signal."""
        risk, instrument = self.config.risk, self.config.instruments.of(order.symbol)
        price, quantity = self._expected(order), float(order.quantity)
        sign = 1 if order.side == "buy" else -1
        assert order.stop is not None
        assert sign * (price - float(order.stop)) > 0
        assert order.stop % instrument.tick == 0
        distance = sign * (price - float(order.stop))
        if order.target is not None:
            reward = sign * (float(order.target) - price)
            assert reward > 0
            assert reward * SLACK >= risk.min_reward_to_risk * distance
        if self.config.exits_of(order.strategy).require_target:
            assert None not in [one.target for one in (order, *order.tranches)]
        assert not self.control.holds_up(order, order.ts)
        entries = [one for one in self.waiting.values() if not one.reduce_only]
        exits = [one for one in self.waiting.values() if one.reduce_only]
        closing = [one for key, one in self.held.items() if self._going(key) == one.quantity]
        opened = [one for one in entries if one.leg == "entry"]
        if order.leg == "entry":
            assert len(self.held) + len(opened) - len(closing) < risk.max_open_positions
        coming = sum(float(one.quantity) * self._expected(one) for one in entries)
        leaving = sum(float(one.quantity) * self.marks[one.symbol] for one in exits)
        # Entries that wait for another symbol's candle count at the price of their signal, which is its last mark.
        gross = self.gross + coming - leaving
        notional, equity = quantity * price, self.equity
        assert order.checks["size"]["equity"] == pytest.approx(equity, abs=1e-6)
        adds_to = 0.0
        if order.leg == "add":
            held = self.held[(order.symbol, order.strategy)]
            adds_to = float(held.quantity)
            assert held.additions < self.config.entries.additions
        assert notional + adds_to * price <= equity * risk.max_position_pct / 100 * SLACK
        assert gross + notional <= equity * risk.max_gross_exposure_pct / 100 * SLACK + 1e-6
        assert (quantity + adds_to) * distance <= equity * risk.max_risk_pct / 100 * SLACK
        assert gross + notional <= equity * (risk.max_leverage or 1e9) * SLACK + 1e-6
        self._spread(order, notional, equity)
        fee = notional * self.config.broker.fee_pct / 100
        assert gross + notional + fee <= equity * self.config.portfolio.leverage * SLACK + 1e-6
        assert order.quantity % instrument.lot == 0
        assert order.quantity >= instrument.min_quantity
        assert notional >= float(instrument.min_notional)
        self.risks[order.id] = quantity * distance
        assert quantity <= self.sizes.most(order, equity, price, distance) * SLACK

    def _going(self, key: tuple[str, str]) -> Decimal:
        """What orders that wait take of a position."""
        exits = [one for one in self.waiting.values() if one.reduce_only and (one.symbol, one.strategy) == key]
        return sum((one.quantity for one in exits), Decimal(0))

    def _spread(self, order: Any, notional: float, equity: float) -> None:
        """The caps on symbols, groups and the net, with what waits counted as if it were filled."""
        risk = self.config.risk
        values: dict[str, float] = {order.symbol: notional}
        net = notional if order.side == "buy" else -notional
        nets: dict[str, float] = {order.symbol: net}
        parts: list[tuple[Any, Decimal, int]] = [(one.order, one.quantity, 1) for one in self.held.values()]
        parts += [(one, one.quantity, -1 if one.reduce_only else 1) for one in self.waiting.values()]
        for one, quantity, sign in parts:
            held = one in [position.order for position in self.held.values()]
            value = sign * float(quantity) * (self.marks[one.symbol] if held else self._expected(one))
            values[one.symbol] = values.get(one.symbol, 0.0) + value
            signed = value if (one.side == "buy") == (not one.reduce_only) else -value
            net += signed
            nets[one.symbol] = nets.get(one.symbol, 0.0) + signed
        cap = equity / 100 * SLACK
        assert values[order.symbol] <= (risk.max_symbol_exposure_pct or 1e9) * cap + 1e-6
        for symbols in risk.groups.values():
            if order.symbol in symbols:
                assert sum(values.get(name, 0.0) for name in symbols) <= risk.max_group_exposure_pct * cap + 1e-6
        if risk.max_var_pct is not None:
            assert self.sizes.value_at_risk(nets) <= risk.max_var_pct * cap + 1e-6
        assert net * (1 if order.side == "buy" else -1) <= (risk.max_net_exposure_pct or 1e9) * cap + 1e-6

    def _guarded(self, rows: Sequence[Row]) -> None:
        """What survived a candle, in any of its parts, had neither its stop nor its target in it."""
        for row in rows:
            for key, held in self.held.items():
                if key[0] != row.symbol:
                    continue
                worst, best = (row.low, row.high) if held.sign > 0 else (row.high, row.low)
                for _, stop, target in held.parts:
                    assert held.sign * (worst - float(stop)) > 0
                    if held.inside != at(row.minute):  # else it may have been before the entry
                        assert target is None or held.sign * (best - float(target)) < 0

    def follow(self, guards: dict[str, dict[str, Any]]) -> None:
        """The levels as the account has them now: it still guards all that is held, and no stop has moved back."""
        assert {(s, name) for s, own in guards.items() for name in own} == set(self.held)
        for (symbol, strategy), held in self.held.items():
            found = guards[symbol][strategy].tranches
            for (quantity, stop, target), one in zip(held.parts, found, strict=True):
                assert (one.quantity, one.target) == (quantity, target)
                assert (one.stop - stop) * held.sign >= 0
                assert one.stop % self.config.instruments.of(symbol).tick == 0
            held.parts = [(one.quantity, one.stop, one.target) for one in found]

    def _intervals(self, records: Sequence[Any]) -> None:
        """An interval ends with the instant before the one at which it is posted."""
        for record in records:
            assert self.last is not None
            figures = (record.equity, record.cash, record.gross_exposure)
            assert figures == pytest.approx(self.last, abs=1e-6)
            assert record.net_exposure == pytest.approx(record.equity - record.cash, abs=1e-6)
            assert record.equity_low <= record.equity <= record.equity_high

    def agrees(self, state: dict[str, Any]) -> None:
        """The account's own view is the auditor's."""
        assert state["cash"] == self.cash
        assert state["realised_pnl"] == self.realised
        assert state["equity"] == pytest.approx(self.equity, abs=1e-6)
        assert {(p.symbol, p.strategy): p.id for p in state["positions"]} == {
            key: one.order.id for key, one in self.held.items()
        }
        for one in state["positions"]:
            held = self.held[(one.symbol, one.strategy)]
            assert (one.quantity, one.fees, one.realised_pnl) == (held.quantity, held.fees, held.gained - held.fees)
        made = sum((one.gained - one.fees for one in self.held.values()), Decimal(0))
        entries = sum((one.sign * one.cost for one in self.held.values()), Decimal(0))
        assert self.config.portfolio.cash + self.realised + made == state["cash"] + entries
