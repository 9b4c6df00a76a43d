"""Figures of a set of closed positions."""

from __future__ import annotations

from schemas.summary import TradeStats
from sinks.columns import Rounds
from sinks.summary.defined import percent, total
from sinks.summary.profit import expectancy, expectancy_ratio, geometric_mean, profit_factor, sqn
from sinks.summary.streaks import longest_run


def trade_stats(trades: Rounds) -> TradeStats:
    """All figures of some trades, given in order of exit. Without trades: zero counts and sums, null elsewhere.

    A trade's return is its P&L after fees over its entry value (freqtrade profit_ratio, vectorbt, backtesting.py
    ReturnPct). A win is a P&L above zero, a loss one below; the win rate is of all trades.
    """
    pnl, returns, duration = trades.pnl, trades.returns, trades.duration_s
    count, won, lost = len(pnl), pnl > 0, pnl < 0
    return TradeStats(
        trades=count,
        long=int((trades.sign > 0).sum()),
        short=int((trades.sign < 0).sum()),
        wins=int(won.sum()),
        losses=int(lost.sum()),
        win_rate_pct=percent(float(won.mean())) if count else None,
        pnl=total(pnl),
        gross_profit=total(pnl[won]),
        gross_loss=total(pnl[lost]),
        profit_factor=profit_factor(pnl),
        expectancy=expectancy(pnl),
        expectancy_pct=percent(expectancy(returns)),
        expectancy_ratio=expectancy_ratio(pnl),
        sqn=sqn(pnl),
        best_pct=percent(float(returns.max())) if count else None,
        worst_pct=percent(float(returns.min())) if count else None,
        average_pct=percent(geometric_mean(returns)),
        average_duration_s=float(duration.mean()) if count else None,
        longest_duration_s=float(duration.max()) if count else None,
        consecutive_wins=longest_run(won),
        consecutive_losses=longest_run(lost),
        fees=total(trades.fees),
        traded_value=round(float(trades.entry_value.sum() + trades.exit_value.sum()), 6),
    )
