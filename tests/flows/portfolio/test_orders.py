"""Orders as an account makes them."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid5

import pytest

from flows.portfolio.book import Holding
from flows.portfolio.broker import Triggered
from flows.portfolio.orders import Orders
from flows.portfolio.tranches import tranche
from schemas.ids import NAMESPACE
from schemas.order import BracketLeg

ORDERS = Orders("main")


def holding(side: int) -> Holding:
    return Holding(
        id="position",
        strategy="cross",
        symbol="BTC/USDT",
        side=side,
        quantity=Decimal("0.5"),
        entry_price=Decimal(100),
        entry_value=Decimal(50),
        entry_ts=0,
        fees=Decimal(0),
        stop=Decimal(95),
        target=Decimal(110),
    )


@pytest.mark.parametrize(("side", "closing"), [(1, "sell"), (-1, "buy")])
@pytest.mark.parametrize(("leg", "kind"), [("stop", "stop"), ("target", "limit")])
def test_a_bracket_closes_the_whole_position_at_its_level(side: int, closing: str, leg: BracketLeg, kind: str) -> None:
    hit = Triggered("cross", leg, Decimal(95), Decimal(94), [tranche(0, side, Decimal("0.5"), Decimal(95), None)])
    order = ORDERS.bracket(holding(side), hit, 60_000)
    assert (order.side, order.type, order.leg, order.price, order.quantity) == (
        closing,
        kind,
        leg,
        Decimal(95),
        Decimal("0.5"),
    )
    assert (order.reduce_only, order.position_id, order.signal_id) == (True, "position", None)
    assert order.id == str(uuid5(NAMESPACE, f"main|cross|BTC/USDT|60000|{leg}"))
    assert order.checks == {"reduces": {"held": 0.5}}
