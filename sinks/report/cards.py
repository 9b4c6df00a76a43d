"""The figures at the head of the report."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.summary import Summary
from sinks.summary.text import amount, length, number, percent_text, time_text


@dataclass(frozen=True, slots=True)
class Card:
    """One figure: its name, its value, a small line below, and ``up`` or ``down`` where it is a gain or a loss."""

    label: str
    value: str
    small: str = ""
    tone: str = ""


def cards(summary: Summary) -> list[Card]:
    """The figures that a trader looks for first, in that order."""
    account, unit = summary.account, summary.currency or ""
    trades, drawdown = account.trades, account.drawdown
    gain = account.total_return_pct or 0.0
    recovered = "recovered" if drawdown.end_ts is not None else "not recovered"
    falls = f"of {drawdown.count:,}, mean depth {percent_text(drawdown.average_pct)}"
    return [
        Card("Total return", percent_text(account.total_return_pct), tone="up" if gain > 0 else "down" if gain else ""),
        Card("Final equity", amount(account.final_equity), f"{unit}, from {amount(account.starting_cash)}"),
        Card("Peak equity", amount(account.peak_equity), unit),
        Card("CAGR", percent_text(account.cagr_pct), f"annual return {percent_text(account.annual_return_pct)}"),
        Card("Volatility", percent_text(account.annual_volatility_pct), "annual, of daily returns"),
        Card("Sharpe", number(account.sharpe)),
        Card("Sortino", number(account.sortino)),
        Card("Calmar", number(account.calmar)),
        Card("Max drawdown", percent_text(drawdown.max_pct), f"{amount(drawdown.max_abs)} {unit}"),
        Card("Its length", length(drawdown.length_s), f"from {time_text(drawdown.peak_ts)}, {recovered}"),
        Card("Longest fall", length(drawdown.longest_s), falls),
        Card("Exposure", percent_text(account.exposure_pct), "of all instants"),
        Card("Trades", f"{trades.trades:,}", f"{trades.long:,} long, {trades.short:,} short"),
        Card("Win rate", percent_text(trades.win_rate_pct), f"{trades.wins:,} won, {trades.losses:,} lost"),
        Card("Profit factor", number(trades.profit_factor)),
        Card("Expectancy", number(trades.expectancy), f"{unit} a trade, {percent_text(trades.expectancy_pct, 3)}"),
        Card("SQN", number(trades.sqn)),
        Card("Average trade", percent_text(trades.average_pct, 3), f"lasts {length(trades.average_duration_s)}"),
        Card("Best, worst trade", percent_text(trades.best_pct), percent_text(trades.worst_pct)),
        Card("In a row", f"{trades.consecutive_wins} won", f"{trades.consecutive_losses} lost"),
        Card("Fees", amount(account.fees), unit),
        Card("Turnover", f"{number(account.turnover)} x", f"{amount(account.traded_value, 0)} {unit} traded"),
        Card("Open at the end", str(account.open_positions), f"{amount(account.open_pnl)} {unit}"),
    ]
