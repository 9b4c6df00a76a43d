"""``instruments``: tick, lot and smallest order of each market."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from schemas.config.section import NotNegative, Positive, Section


class Instrument(Section):
    """What an exchange accepts for one symbol."""

    tick: Positive = Field(Decimal("0.00000001"), description="smallest price step, quote currency")
    lot: Positive = Field(Decimal("0.00000001"), description="smallest quantity step, base currency")
    min_quantity: NotNegative = Field(Decimal(0), description="smallest order, base currency")
    min_notional: NotNegative = Field(Decimal(10), description="smallest order, quote currency")

    def takes(self, quantity: Decimal, price: float) -> bool:
        """Whether the exchange would take an order of a quantity, at about this price.

        >>> instrument = Instrument(lot="0.001", min_notional=10)
        >>> instrument.takes(Decimal("0.1"), 100.0), instrument.takes(Decimal("0.099"), 100.0)
        (True, False)
        """
        return quantity >= max(self.lot, self.min_quantity) and float(quantity) * price >= float(self.min_notional)


class InstrumentsConfig(Section):
    """The default instrument, and those that differ from it."""

    default: Instrument = Field(Instrument(), description="for every symbol that is not named below")
    symbols: dict[str, Instrument] = Field({}, description="by ccxt symbol")

    def of(self, symbol: str) -> Instrument:
        """The instrument of a symbol.

        >>> InstrumentsConfig(symbols={"BTC/USDT": {"lot": "0.001"}}).of("BTC/USDT").lot
        Decimal('0.001')
        """
        return self.symbols.get(symbol, self.default)
