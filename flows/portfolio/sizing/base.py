"""What a sizing rule is asked, and what it answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from schemas.config.risk import RiskConfig


class Ask(msgspec.Struct, gc=False):
    """An entry to be sized, in the account as it stands."""

    equity: float  # account currency, positions marked
    price: float
    distance: float  # from the price to the stop
    vol: float = math.nan  # a year's volatility of the symbol, 1.0 = 100 %; NaN when it is not known yet
    trades: Sequence[float] = ()  # the strategy's own closed trades, oldest first: profit over what was at risk


class Sized(msgspec.Struct, gc=False):
    """The quantity in the base currency, not yet rounded (0: nothing), and the figures it was found on."""

    quantity: float
    figures: dict[str, Any] = {}


Sizer = Callable[[RiskConfig, Ask], Sized]
Multiplier = Callable[[RiskConfig, Any], float]
"""(configuration, signal) to a factor."""
