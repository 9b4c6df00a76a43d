"""The auditor's own idea of sizes and of Value at Risk: from closes and closed trades, each by its definition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import NormalDist, mean
from typing import Any

from schemas.config.root import Config
from schemas.timeframe import to_millis
from tests.flows.portfolio.stories import Row, at

YEAR_MINUTES = 365 * 24 * 60


class Sizes:
    """Closes by symbol, samples of returns, and what each strategy's closed trades made of what was at risk."""

    def __init__(self, config: Config) -> None:
        self.risk = config.risk
        self.closes: dict[str, list[float]] = {}
        self.trades: dict[str, list[float]] = {}
        self.samples: list[dict[str, float]] = []
        self.sampled: dict[str, float] = {}
        self.end = 0

    def instant(self, rows: Sequence[Row]) -> None:
        """The candles of an instant. A sample is taken at the very end of its time, or else before what follows."""
        spacing, ts = to_millis(self.risk.var_sample), at(rows[0].minute)
        if ts > self.end:
            if self.end:
                self._sample()
            self.end = -(-ts // spacing) * spacing
        for row in rows:
            self.closes.setdefault(row.symbol, []).append(row.close)
        if ts == self.end:
            self._sample()
            self.end = 0

    def _sample(self) -> None:
        now = {symbol: closes[-1] for symbol, closes in self.closes.items()}
        self.samples.append({symbol: now[symbol] / was - 1 for symbol, was in self.sampled.items()})
        self.samples, self.sampled = self.samples[-self.risk.var_window :], now

    def most(self, order: Any, equity: float, price: float, distance: float) -> float:
        """The largest quantity that the sizing rule and the multipliers allow."""
        risk = self.risk
        scale = risk.strategy_scale.get(order.strategy, 1.0)
        at_risk = equity / distance / 100
        trades = self.trades.get(order.strategy, [])[-risk.kelly_trades :]
        if risk.sizing == "fixed_quantity":
            return scale * float(risk.quantity)
        if risk.sizing == "fixed_notional":
            return scale * float(risk.notional) / price
        if risk.sizing == "volatility_target":
            return scale * equity * risk.target_vol_pct / 100 / price / self._vol(order.symbol)
        if risk.sizing == "lot_tiers":
            return scale * max(float(tier.quantity) for tier in risk.lot_tiers if tier.equity <= equity)
        if risk.sizing == "kelly" and len(trades) >= risk.kelly_min_trades:
            return scale * at_risk * min(100 * risk.kelly_share * _kelly(trades), risk.kelly_cap_pct)
        return scale * at_risk * risk.per_trade_pct

    def _vol(self, symbol: str) -> float:
        """A year's volatility of candles of one minute."""
        closes, span = self.closes[symbol], self.risk.vol_span
        squares = [math.log(b / a) ** 2 for a, b in pairwise(closes)]
        assert len(squares) >= span, "sized without a volatility"
        variance = mean(squares[:span])
        for square in squares[span:]:
            variance += (square - variance) * 2 / (span + 1)
        return math.sqrt(variance * YEAR_MINUTES)

    def value_at_risk(self, values: Mapping[str, float]) -> float:
        """Of signed values by symbol."""
        rows = [row for row in self.samples if set(values) <= set(row)]
        assert len(rows) >= self.risk.var_min_samples, "entered without samples"
        results = sorted(sum(value * row[symbol] for symbol, value in values.items()) for row in rows)
        if self.risk.var_method == "historical":
            loss = -results[int(len(rows) * (1 - self.risk.var_level) + 1e-9)]
        else:
            loss = NormalDist().inv_cdf(self.risk.var_level) * math.sqrt(mean(result**2 for result in results))
        return loss * math.sqrt(to_millis(self.risk.var_horizon) / to_millis(self.risk.var_sample))


def _kelly(trades: Sequence[float]) -> float:
    won, lost = [one for one in trades if one > 0], [-one for one in trades if one <= 0]
    if not won:
        return 0.0
    share = len(won) / len(trades)
    return share / mean(lost) - (1 - share) / mean(won) if any(lost) else math.inf
