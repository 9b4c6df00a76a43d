"""Summary: what a run came to, in the figures that traders know. Formulas and their sources: docs/metrics.md.

A figure that is not defined (no trades, one day, no variance, an account that is used up) is null, never NaN.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.record import Millis, Record

Money = Annotated[float, Field(allow_inf_nan=False, description="account currency")]
Figure = Annotated[float | None, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Counts = dict[str, int]


class TradeStats(Record):
    """Figures of a set of closed positions. A trade is one round trip; its P&L is after fees."""

    trades: Annotated[Count, Field(description="closed positions")]
    long: Annotated[Count, Field(description="of these, long")]
    short: Annotated[Count, Field(description="of these, short")]
    wins: Annotated[Count, Field(description="trades with a P&L above zero")]
    losses: Annotated[Count, Field(description="trades with a P&L below zero")]
    win_rate_pct: Annotated[Figure, Field(description="wins of all trades; 1.0 = 1 %")]
    pnl: Annotated[Money, Field(description="sum of the P&L, account currency")]
    gross_profit: Annotated[Money, Field(description="sum of the P&L of the wins, account currency")]
    gross_loss: Annotated[Money, Field(description="sum of the P&L of the losses, account currency, not positive")]
    profit_factor: Annotated[Figure, Field(description="gross profit over gross loss, a ratio; null without losses")]
    expectancy: Annotated[Figure, Field(description="mean P&L of a trade, account currency")]
    expectancy_pct: Annotated[Figure, Field(description="mean P&L of a trade, of its entry value; 1.0 = 1 %")]
    expectancy_ratio: Annotated[Figure, Field(description="expectancy over the mean loss; null without losses")]
    sqn: Annotated[Figure, Field(description="System Quality Number, a ratio; null below two trades")]
    best_pct: Annotated[Figure, Field(description="best trade, P&L of its entry value; 1.0 = 1 %")]
    worst_pct: Annotated[Figure, Field(description="worst trade, P&L of its entry value; 1.0 = 1 %")]
    average_pct: Annotated[Figure, Field(description="geometric mean of the trades' returns; 1.0 = 1 %")]
    average_duration_s: Annotated[Figure, Field(description="mean time from entry to exit, seconds")]
    longest_duration_s: Annotated[Figure, Field(description="longest time from entry to exit, seconds")]
    consecutive_wins: Annotated[Count, Field(description="longest row of wins, in order of exit")]
    consecutive_losses: Annotated[Count, Field(description="longest row of losses, in order of exit")]
    fees: Annotated[Money, Field(description="fees of these trades, account currency")]
    traded_value: Annotated[Money, Field(description="bought plus sold by these trades, account currency")]


class DrawdownStats(Record):
    """Falls of the equity below its running peak."""

    max_pct: Annotated[Figure, Field(description="deepest fall below the peak, at any instant; 1.0 = 1 %, positive")]
    max_abs: Annotated[Figure, Field(description="the deepest fall, account currency, positive")]
    peak_ts: Annotated[Millis | None, Field(description="where the deepest fall started, epoch ms UTC")]
    valley_ts: Annotated[Millis | None, Field(description="where it was deepest, epoch ms UTC")]
    end_ts: Annotated[Millis | None, Field(description="where the peak was reached again; null if it never was")]
    length_s: Annotated[Figure, Field(description="from the peak to the recovery, or to the end of the run; seconds")]
    longest_s: Annotated[
        Figure, Field(description="longest time below a peak, seconds, by records of the equity topic")
    ]
    average_pct: Annotated[Figure, Field(description="mean of the deepest points of all falls; 1.0 = 1 %")]
    count: Annotated[Count, Field(description="falls below a peak, by records of the equity topic")]


class AccountSummary(Record):
    """One account: the portfolio, or the paper account of one shadow strategy."""

    starting_cash: Money
    final_equity: Money
    peak_equity: Annotated[Money, Field(description="highest at any instant, account currency")]
    total_return_pct: Annotated[Figure, Field(description="final equity over starting cash; 1.0 = 1 %")]
    annual_return_pct: Annotated[Figure, Field(description="daily returns compounded to 365 days; 1.0 = 1 %")]
    cagr_pct: Annotated[Figure, Field(description="growth a year by elapsed time; null below one day; 1.0 = 1 %")]
    annual_volatility_pct: Annotated[Figure, Field(description="of daily returns, over 365 days; 1.0 = 1 %")]
    sharpe: Annotated[Figure, Field(description="a ratio, annual, risk-free rate 0")]
    sortino: Annotated[Figure, Field(description="a ratio, annual, wanted return 0; null without a losing day")]
    calmar: Annotated[Figure, Field(description="annual return over maximum drawdown, a ratio")]
    exposure_pct: Annotated[Figure, Field(description="instants with an open position, of all; 1.0 = 1 %")]
    drawdown: DrawdownStats
    open_positions: Annotated[Count, Field(description="positions open at the end")]
    open_pnl: Annotated[Money, Field(description="P&L of open positions at the last marks, account currency")]
    fees: Annotated[Money, Field(description="all fees, of open positions too, account currency")]
    traded_value: Annotated[Money, Field(description="bought plus sold, entries of open positions too")]
    turnover: Annotated[Figure, Field(description="traded value over mean equity: times the account was turned over")]
    trades: TradeStats
    by_symbol: Annotated[dict[str, TradeStats], Field(description="by ccxt symbol, in alphabetic order")]
    by_strategy: Annotated[dict[str, TradeStats], Field(description="by name of the strategy, in alphabetic order")]
    by_exit_leg: Annotated[dict[str, TradeStats], Field(description="by what closed it: exit, stop, target, time")]
    refusals: Annotated[dict[str, Counts], Field(description="number of refusals by gate, then by code")]


class Summary(Record):
    """A whole run: a pure function of the files of its folder."""

    portfolio: str
    currency: Annotated[str | None, Field(description="account currency")]
    start: Annotated[str | None, Field(description="first instant, ISO 8601 UTC")]
    end: Annotated[str | None, Field(description="last instant, ISO 8601 UTC")]
    start_ts: Annotated[Millis | None, Field(description="first instant, epoch ms UTC")]
    end_ts: Annotated[Millis | None, Field(description="last instant, epoch ms UTC")]
    duration_s: Annotated[Figure, Field(description="from the first instant to the last, seconds")]
    instants: Annotated[Count, Field(description="instants of event time at which a candle closed")]
    signals: Annotated[Count, Field(description="signals raised, shadow ones too")]
    account: Annotated[AccountSummary, Field(description="the portfolio")]
    shadow: Annotated[dict[str, AccountSummary], Field(description="paper accounts, by name of the shadow strategy")]
    dead_letters: Annotated[Counts, Field(description="unusable inputs by reason, most frequent first")]
    alerts: Annotated[Counts, Field(description="alerts by code, most frequent first")]
