"""What a simulated market is made of: its symbols, its regimes, its seed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class SimulatedSymbol:
    """One market. ``volatility`` is annual (0.6 = 60 %), in calm times; ``volume`` is the mean of a calm minute, in
    the base currency; ``common`` is the share of the variance that all symbols have in common, 0 to 1.
    """

    symbol: str
    price: float
    tick: Decimal
    lot: Decimal
    volatility: float
    volume: float
    common: float = 0.6


@dataclass(frozen=True, slots=True)
class Regime:
    """A state of the whole market.

    ``minutes`` is its mean length, ``volatility`` and ``activity`` multiply volatility and volume, ``drift`` is the
    mean return of a minute in standard deviations of a calm minute (its sign is drawn when the regime starts), and
    ``jumps`` is how many jumps a day are expected, for the market and for each symbol.
    """

    name: str
    minutes: float
    volatility: float
    activity: float
    drift: float
    jumps: float


CALM = Regime("calm", 480, 1.0, 1.0, 0.0, 0.2)
TREND = Regime("trend", 240, 1.3, 1.6, 0.08, 0.5)
TURBULENT = Regime("turbulent", 60, 2.5, 3.5, 0.0, 6.0)

SYMBOLS = (
    SimulatedSymbol("BTC/USDT", 60_000.0, Decimal("0.1"), Decimal("0.00001"), 0.45, 12.0, 0.75),
    SimulatedSymbol("ETH/USDT", 3_000.0, Decimal("0.01"), Decimal("0.0001"), 0.60, 180.0, 0.70),
    SimulatedSymbol("SOL/USDT", 150.0, Decimal("0.01"), Decimal("0.001"), 0.85, 2_500.0, 0.60),
    SimulatedSymbol("XRP/USDT", 0.6, Decimal("0.0001"), Decimal("0.1"), 0.75, 400_000.0, 0.50),
)


@dataclass(frozen=True, slots=True)
class MarketSpec:
    """What to simulate. Equal specs give equal candles. ``start_ms`` is the open of the first minute, epoch ms UTC."""

    symbols: tuple[SimulatedSymbol, ...] = SYMBOLS
    days: int = 30
    seed: int = 7
    start_ms: int = 1_704_067_200_000
    regimes: tuple[Regime, ...] = (CALM, TREND, TURBULENT)

    def __post_init__(self) -> None:
        if not self.symbols or not self.regimes:
            raise ValueError("a simulated market needs at least one symbol and one regime")
        names = [one.symbol for one in self.symbols]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name} is there twice: give each symbol once")
        if self.days < 1:
            raise ValueError(f"days is {self.days}: simulate at least one")
        if self.start_ms % MINUTE:
            raise ValueError(f"start_ms is {self.start_ms}: start at a full minute")
