"""The figures of one account: the portfolio, or the paper account of a shadow strategy."""

from __future__ import annotations

import math

import numpy as np

from schemas.summary import AccountSummary, DrawdownStats, TradeStats
from sinks.columns import Curve, Floats, Ints, Trades
from sinks.state import State
from sinks.summary.counts import Refusals
from sinks.summary.defined import defined, percent, ratio
from sinks.summary.drawdown import falls
from sinks.summary.ratios import annual_volatility, calmar, sharpe, sortino
from sinks.summary.returns import annual_return, cagr, daily_returns, total_return
from sinks.summary.trades import trade_stats


def account_summary(
    state: State, trades: Trades, curve: Curve, strategy: str | None, refusals: Refusals
) -> AccountSummary:
    """Put the figures of an account together. ``strategy`` is None for the portfolio, else a shadow strategy."""
    rows = trades.rows("live") if strategy is None else trades.rows("shadow", strategy)
    rounds, equity = trades.rounds[rows], curve.of(strategy)
    starting, final = float(state.starting_cash), state.equity
    ts, levels = to_the_end(equity["ts"], equity["equity"], state)
    duration_ms = (state.last_ts or 0) - (state.first_ts or 0)
    returns = daily_returns(ts, levels, starting)
    by_year = annual_return(returns)
    total = trade_stats(rounds)
    still_open = state.open_positions
    traded = total.traded_value + math.fsum(float(p.quantity) * float(p.entry_price) for p in still_open)

    def by(name: str) -> dict[str, TradeStats]:
        return {label: trade_stats(trades.rounds[part]) for label, part in trades.groups(name, rows).items()}

    return AccountSummary(
        starting_cash=starting,
        final_equity=final,
        peak_equity=max(starting, final, state.peak or starting, float(equity["equity_high"].max(initial=-math.inf))),
        total_return_pct=percent(total_return(starting, final)),
        annual_return_pct=percent(by_year),
        cagr_pct=percent(cagr(starting, final, duration_ms)),
        annual_volatility_pct=percent(annual_volatility(returns)),
        sharpe=sharpe(returns),
        sortino=sortino(returns),
        calmar=calmar(by_year, state.drawdown.max_pct / 100),
        exposure_pct=percent(ratio(state.exposed_instants, state.instants)),
        drawdown=_drawdown(state, ts, levels, starting),
        open_positions=len(still_open),
        open_pnl=round(final - starting - total.pnl, 6),
        fees=total.fees + math.fsum(float(p.fees) for p in still_open),
        traded_value=traded,
        turnover=ratio(traded, float(levels.mean()) if len(levels) else None) if (levels > 0).all() else None,
        trades=total,
        by_symbol=by("symbol"),
        by_strategy=by("strategy"),
        by_exit_leg=by("exit_leg"),
        refusals=refusals,
    )


def to_the_end(ts: Ints, equity: Floats, state: State) -> tuple[Ints, Floats]:
    """The curve with the last instant of the run, which lies in an interval that has no record yet."""
    if state.last_ts is None or (len(ts) and ts[-1] >= state.last_ts):
        return ts, equity
    return np.append(ts, state.last_ts), np.append(equity, state.equity)


def _drawdown(state: State, ts: Ints, equity: Floats, starting: float) -> DrawdownStats:
    """The deepest fall from the state, which saw every instant; the others from ends of intervals."""
    deepest = state.drawdown
    found = falls(np.concatenate(([state.first_ts or 0], ts)), np.concatenate(([starting], equity)))
    until = deepest.end_ts if deepest.end_ts is not None else state.last_ts
    length = None if deepest.peak_ts is None or until is None else (until - deepest.peak_ts) / 1000
    lengths = (found.length_ms / 1000).tolist() + ([length] if length else [])
    return DrawdownStats(
        max_pct=defined(deepest.max_pct),
        max_abs=defined(deepest.max_abs),
        peak_ts=deepest.peak_ts,
        valley_ts=deepest.valley_ts,
        end_ts=deepest.end_ts,
        length_s=length,
        longest_s=max(lengths, default=None),
        average_pct=percent(float(found.depth.mean())) if len(found.depth) else None,
        count=len(found.depth),
    )
