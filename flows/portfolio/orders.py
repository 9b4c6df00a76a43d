"""Orders, as an account makes them: an entry that passed every gate, and what closes a position."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from flows.portfolio.book import Holding
from flows.portfolio.broker import Triggered
from flows.portfolio.gates.base import Intent
from schemas.ids import event_id
from schemas.order import ExitLeg, Order
from schemas.wire import wire

OrderRow = wire(Order)


class Orders:
    """Makes the orders of one portfolio. The id of each is made of portfolio, strategy, symbol, close and leg."""

    def __init__(self, portfolio: str, entry_type: Literal["market", "limit", "stop"] = "market") -> None:
        self.portfolio, self.entry_type = portfolio, entry_type

    def entry(self, intent: Intent, checks: dict[str, Any], tranches: list[Any], held: Holding | None = None) -> Any:
        """Open a position, or add to the one ``held``, to be left in ``tranches``.

        ``checks`` says what each gate let it through on.
        """
        signal = intent.signal
        leg: Literal["entry", "add"] = "add" if held else "entry"
        id_ = event_id(self.portfolio, signal.strategy, signal.symbol, signal.ts, leg)
        return OrderRow(
            id=id_,
            ts=signal.ts,
            portfolio=self.portfolio,
            strategy=signal.strategy,
            symbol=signal.symbol,
            leg=leg,
            side="buy" if intent.side > 0 else "sell",
            type=self.entry_type,
            quantity=intent.lots,
            price=intent.trigger,
            stop=intent.stop,
            target=intent.target,
            reduce_only=False,
            position_id=held.id if held else id_,
            signal_id=signal.id,
            reason=signal.reason,
            checks=checks,
            tranches=tranches,
        )

    def exit(self, holding: Holding, quantity: Decimal, signal: Any) -> Any:
        """Close a position, or a part of it, because a signal wants another one, less of it, or none."""
        return self._close(holding, "exit", signal.ts, "market", None, quantity, signal.id, signal.reason)

    def time(self, holding: Holding, ts: int, candles: int) -> Any:
        """Close a position because its time is up."""
        reason = f"held for {candles} candles"
        return self._close(holding, "time", ts, "market", None, holding.free, None, reason)

    def close(self, holding: Holding, quantity: Decimal, ts: int, reason: str) -> Any:
        """Close a position, or a part of it, because a breaker or a command wants it."""
        return self._close(holding, "close", ts, "market", None, quantity, None, reason)

    def bracket(self, holding: Holding, hit: Triggered, ts: int) -> Any:
        """Close a position, or a part of it, because its stop or a target was reached."""
        kind: Literal["stop", "limit"] = "stop" if hit.leg == "stop" else "limit"
        reason = f"{hit.leg} of the position was reached"
        number = hit.tranches[0].number
        return self._close(holding, hit.leg, ts, kind, hit.level, hit.quantity, None, reason, number)

    def _close(
        self,
        holding: Holding,
        leg: ExitLeg,
        ts: int,
        kind: Literal["market", "limit", "stop"],
        price: Decimal | None,
        quantity: Decimal,
        signal_id: str | None,
        reason: str,
        number: int = 0,
    ) -> Any:
        """No gate is asked: nothing may hold up getting out. ``number``: of the first tranche that leaves by it.

        A part that leaves at the market is told apart from others by how much has gone before it.
        """
        facts: list[str | int] = [self.portfolio, holding.strategy, holding.symbol, ts, leg]
        if leg in ("exit", "close") and quantity < holding.free:
            facts.append(f"{holding.left + holding.going:f}")
        return OrderRow(
            id=event_id(*facts, number) if number else event_id(*facts),
            ts=ts,
            portfolio=self.portfolio,
            strategy=holding.strategy,
            symbol=holding.symbol,
            leg=leg,
            side="sell" if holding.side > 0 else "buy",
            type=kind,
            quantity=quantity,
            price=price,
            stop=None,
            target=None,
            reduce_only=True,
            position_id=holding.id,
            signal_id=signal_id,
            reason=reason,
            checks={"reduces": {"held": float(holding.quantity)}},
        )
