"""A position as the auditor sees it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any


@dataclass
class Held:
    """A position as the auditor sees it: its entry, the parts that are still there, and what became of the others."""

    order: Any
    quantity: Decimal
    cost: Decimal  # entry value of what is still there
    fees: Decimal
    parts: list[tuple[Decimal, Decimal, Decimal | None]]  # quantity, stop, target
    inside: int  # when an entry or an addition that waited for its price was filled last, -1 never
    gained: Decimal = Decimal(0)
    additions: int = 0

    @property
    def sign(self) -> int:
        """1 long, -1 short."""
        return 1 if self.order.side == "buy" else -1

    def tightens(self, level: Decimal) -> None:
        """Stops may have gone to the entry within the very candle that then sets them off, and it was told."""
        near = max if self.sign > 0 else min
        self.parts = [(quantity, near(stop, level), target) for quantity, stop, target in self.parts]

    def leaves(self, order: Any, price: Decimal, instrument: Any) -> None:
        """A stop takes all parts at its level, a target those at its own, any other exit everything or a share."""
        gone = self.parts
        if order.leg in ("exit", "close") and order.quantity < self.quantity:
            return self.shrinks(order.quantity, float(price), instrument)
        if order.leg in ("stop", "target"):
            gone = [one for one in self.parts if one[1 if order.leg == "stop" else 2] == order.price]
        assert sum(one[0] for one in gone) == order.quantity > 0
        self.parts = [one for one in self.parts if one not in gone]
        return None

    def shrinks(self, quantity: Decimal, price: float, instrument: Any) -> None:
        """Each part keeps its share, down to the lot; what is left of that, or too small, is in the last one."""

        def takes(one: Decimal) -> bool:
            return bool(
                one >= max(instrument.lot, instrument.min_quantity) and float(one) * price >= instrument.min_notional
            )

        assert quantity % instrument.lot == 0 < quantity
        share = 1 - Fraction(quantity) / Fraction(self.quantity)
        kept = [
            (int(share * Fraction(one[0]) / Fraction(instrument.lot)) * instrument.lot, *one[1:]) for one in self.parts
        ]
        kept = [one for one in kept[:-1] if takes(one[0])]
        rest = self.quantity - quantity - sum(one[0] for one in kept)
        if kept and not takes(rest):
            kept[-1] = (kept[-1][0] + rest, *kept[-1][1:])
        else:
            kept.append((rest, *self.parts[-1][1:]))
        assert sum(one[0] for one in kept) == self.quantity - quantity
        assert all(one[0] > 0 for one in kept)
        self.parts = kept

    def adds(self, order: Any, value: Decimal, fee: Decimal) -> None:
        """No stop is farther away than the nearer one of the position's and of the addition."""
        near = max if self.sign > 0 else min
        level = near(order.stop, (min if self.sign > 0 else max)(stop for _, stop, _ in self.parts))
        parts = self.parts + [(one.quantity, one.stop, one.target) for one in order.tranches or [order]]
        self.parts = [(quantity, near(stop, level), target) for quantity, stop, target in parts]
        self.quantity += order.quantity
        self.cost += value
        self.fees += fee
        self.additions += 1
