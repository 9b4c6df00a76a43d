"""How an entry is parted into tranches: the rungs of a ladder, and the two legs of a dual order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flows.portfolio.gates.base import Intent
from flows.portfolio.levels import distance
from flows.portfolio.rounding import DOWN, UP, on_grid
from schemas.config.exits import ExitsConfig, Measure
from schemas.order import Tranche
from schemas.wire import wire

TrancheRow = wire(Tranche)


class Legs:
    """Parts the quantity that the gates have let through. The parts are never more than it."""

    def __init__(self, config: ExitsConfig) -> None:
        self.ladder, self.dual = config.ladder, config.dual

    def of(self, intent: Intent) -> list[Any]:
        """The tranches of an entry; none when all of it leaves together.

        A part that would be less than the smallest order, or whose target would not lie beyond the price, is not made:
        what it would have had stays with the rest. Leg B comes first, then the rungs, then what is left.
        """
        if not self.ladder and self.dual.stop_money is None:
            return []
        parts = self._leg_b(intent)
        whole = rest = intent.lots - sum((one.quantity for one in parts), Decimal(0))
        rungs = 0
        for rung in self.ladder:
            quantity = self._share(whole, rung.share_pct, intent)
            target = self._target(rung.by, rung.at, intent)
            if target is not None and target != intent.target and quantity <= rest and _enough(quantity, intent):
                parts.append(TrancheRow(quantity=quantity, stop=intent.stop, target=target))
                rest -= quantity
                rungs += 1
        if rungs and rest and not _enough(rest, intent):
            parts[-1].quantity += rest
        elif rest:
            parts.append(TrancheRow(quantity=rest, stop=intent.stop, target=intent.target))
        return parts if len(parts) > 1 else []

    def _leg_b(self, intent: Intent) -> list[Any]:
        if self.dual.stop_money is None:
            return []
        quantity = self._share(intent.lots, 100 - self.dual.share_pct, intent)
        target = self._target(self.dual.by, self.dual.at, intent)
        if target is None or not _enough(quantity, intent) or not _enough(intent.lots - quantity, intent):
            return []
        away = float(self.dual.stop_money) / float(quantity)
        if away >= intent.risk:
            return [TrancheRow(quantity=quantity, stop=intent.stop, target=target)]
        stop = on_grid(intent.price - intent.side * away, intent.instrument.tick, UP if intent.side > 0 else DOWN)
        if (intent.price - float(stop)) * intent.side <= 0:
            return []
        return [TrancheRow(quantity=quantity, stop=stop, target=target)]

    @staticmethod
    def _share(quantity: Decimal, share_pct: float, intent: Intent) -> Decimal:
        return on_grid(float(quantity) * share_pct / 100, intent.instrument.lot, DOWN)

    @staticmethod
    def _target(by: Measure, at: float, intent: Intent) -> Decimal | None:
        """On the tick towards the price, and never beyond the last target; none when it is not beyond the price."""
        side, tick = intent.side, intent.instrument.tick
        target = on_grid(intent.price + side * distance(by, at, intent), tick, DOWN if side > 0 else UP)
        if intent.target is not None and (target - intent.target) * side > 0:
            return intent.target
        return target if (float(target) - intent.price) * side > 0 else None


def _enough(quantity: Decimal, intent: Intent) -> bool:
    """Whether an exchange would take an order of that quantity."""
    return intent.instrument.takes(quantity, intent.price)
