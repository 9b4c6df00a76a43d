"""The summary on a terminal: what a run came to, in about 25 lines of 80 columns."""

from __future__ import annotations

from collections import Counter

from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from schemas.summary import Summary, TradeStats
from sinks.summary.text import amount, length, number, percent_text, time_text

_MOST = 4


def summary_tables(summary: Summary) -> list[RenderableType]:
    """Rich renderables: the figures in two columns of pairs, the parts by symbol and strategy, what was refused."""
    return [_figures(summary), _parts(summary), *_incidents(summary)]


def _figures(summary: Summary) -> Table:
    account, unit = summary.account, summary.currency or ""
    trades, drawdown = account.trades, account.drawdown
    pairs = [
        ("from", time_text(summary.start_ts), "trades", f"{trades.trades:,}"),
        ("to", time_text(summary.end_ts), "long / short", f"{trades.long:,} / {trades.short:,}"),
        (f"equity, {unit}", amount(account.final_equity), "win rate", percent_text(trades.win_rate_pct)),
        ("total return", percent_text(account.total_return_pct), "profit factor", number(trades.profit_factor)),
        ("CAGR", percent_text(account.cagr_pct), f"expectancy, {unit}", number(trades.expectancy)),
        ("volatility", percent_text(account.annual_volatility_pct), "average", percent_text(trades.average_pct, 3)),
        ("Sharpe", number(account.sharpe), "best", percent_text(trades.best_pct)),
        ("Sortino", number(account.sortino), "worst", percent_text(trades.worst_pct)),
        ("Calmar", number(account.calmar), "duration", length(trades.average_duration_s)),
        ("max drawdown", percent_text(drawdown.max_pct), "SQN", number(trades.sqn)),
        ("its length", length(drawdown.length_s), f"fees, {unit}", amount(account.fees)),
        ("exposure", percent_text(account.exposure_pct), "turnover", f"{number(account.turnover)} x"),
    ]
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    for style, justify in (("dim", "left"), ("", "right"), ("dim", "left"), ("", "right")):
        table.add_column(style=style, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for pair in pairs:
        table.add_row(*map(escape, pair))
    return table


def _parts(summary: Summary) -> Table:
    account = summary.account
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), expand=True)
    table.add_column("", overflow="ellipsis", no_wrap=True)
    for name in ("trades", "win rate", "P&L", "average", "profit factor"):
        table.add_column(name, justify="right", no_wrap=True)
    for label, stats in [*_largest(account.by_symbol), *_largest(account.by_strategy)]:
        table.add_row(*_part(label, stats))
    for name, shadow in list(summary.shadow.items())[:_MOST]:
        table.add_row(*_part(f"{name} (shadow)", shadow.trades), style="dim")
    return table


def _largest(parts: dict[str, TradeStats]) -> list[tuple[str, TradeStats]]:
    kept = sorted(parts.items(), key=lambda part: -part[1].trades)[:_MOST]
    if len(kept) < len(parts):
        kept[-1] = (f"{kept[-1][0]} (and {len(parts) - len(kept)} more)", kept[-1][1])
    return kept


def _part(label: str, stats: TradeStats) -> list[str]:
    return [
        escape(label),
        f"{stats.trades:,}",
        percent_text(stats.win_rate_pct),
        amount(stats.pnl),
        percent_text(stats.average_pct, 3),
        number(stats.profit_factor),
    ]


def _incidents(summary: Summary) -> list[RenderableType]:
    refused = Counter[str]()
    for codes in summary.account.refusals.values():
        refused.update(codes)
    lines: list[RenderableType] = []
    for name, counts in (("refused", refused), ("dead letters", summary.dead_letters), ("alerts", summary.alerts)):
        if counts:
            most = ", ".join(f"{code} {n:,}" for code, n in sorted(counts.items(), key=lambda item: -item[1]))
            line = Table.grid(expand=True)
            line.add_column(no_wrap=True, overflow="ellipsis")
            line.add_row(escape(f"{name} {sum(counts.values()):,}: {most}"))
            lines.append(line)
    return lines
