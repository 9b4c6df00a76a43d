"""Fractional Kelly, from what the strategy itself has won and lost."""

from __future__ import annotations

import math
from collections.abc import Sequence

from flows.portfolio.sizing.base import Ask, Sized
from flows.portfolio.sizing.fixed_notional import fixed_notional
from flows.portfolio.sizing.fixed_quantity import fixed_quantity
from flows.portfolio.sizing.risk import risk
from schemas.config.risk import RiskConfig

FALLBACKS = {"risk": risk, "fixed_quantity": fixed_quantity, "fixed_notional": fixed_notional}


def best_fraction(trades: Sequence[float]) -> float:
    """The share of equity to put at risk for which equity grows fastest: ``p / l - (1 - p) / w``.

    ``trades`` are results in units of what was at risk. ``p`` is the share of those that won, ``w`` what they won on
    average, ``l`` what the others lost. It is where ``p log(1 + f w) + (1 - p) log(1 - f l)`` is largest (J. L. Kelly,
    "A new interpretation of information rate", Bell System Technical Journal, 1956; E. O. Thorp, "The Kelly criterion
    in blackjack, sports betting, and the stock market", 2006). Zero or less: no edge. Infinite when nothing was lost.

    >>> best_fraction([2.0, -1.0])
    0.25
    >>> best_fraction([1.0, -1.0])
    0.0
    """
    won = [one for one in trades if one > 0]
    lost = [-one for one in trades if one <= 0]
    if not won:
        return -math.inf
    if not sum(lost):
        return math.inf
    share = len(won) / len(trades)
    return share * len(lost) / sum(lost) - (1 - share) * len(won) / sum(won)


def kelly(config: RiskConfig, ask: Ask) -> Sized:
    """Risk ``kelly_share`` of Kelly's fraction, at most ``kelly_cap_pct`` of equity: ``equity × f / distance``.

    From the strategy's last ``kelly_trades`` closed trades. While there are fewer than ``kelly_min_trades``, the rule
    ``kelly_fallback`` sizes. Nothing where they show no edge: then the strategy stays out until another rule is
    configured, for without trades there is no news of it. The full fraction is a bet on estimates; a share of it loses
    little growth and much of the swings (Thorp, section 7).

    >>> trades = [2.0, -1.0] * 20
    >>> kelly(RiskConfig(kelly_share=0.04), Ask(10_000, 100.0, 5.0, trades=trades))
    Sized(quantity=20.0, figures={'trades': 40, 'kelly_pct': 25.0, 'risk_pct': 1.0})
    """
    trades = len(ask.trades)
    if trades < config.kelly_min_trades:
        return Sized(FALLBACKS[config.kelly_fallback](config, ask).quantity, {"trades": trades, "kelly_pct": None})
    fraction = best_fraction(ask.trades)
    pct = min(100 * fraction * config.kelly_share, config.kelly_cap_pct)
    figures = {"trades": trades, "kelly_pct": 100 * fraction if math.isfinite(fraction) else None, "risk_pct": pct}
    if pct <= 0:
        return Sized(0.0, {**figures, "risk_pct": 0.0})
    return Sized(ask.equity * pct / 100 / ask.distance, figures)
