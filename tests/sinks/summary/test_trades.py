from __future__ import annotations

from decimal import Decimal

from schemas.summary import TradeStats
from sinks.columns import Trades
from sinks.summary.trades import trade_stats
from tests.sinks.run_folders import MINUTE, START, a_position


def test_all_figures_of_four_trades_by_hand() -> None:
    positions = [
        a_position(1, "25.00"),
        a_position(2, "-12.50", side="short", exit_price=Decimal("112")),
        a_position(3, "0.00", fees=Decimal("1.00")),
        a_position(4, "-12.50", exit_ts=START + 4 * 60 * MINUTE + 3 * MINUTE),
    ]
    stats = trade_stats(Trades.of(positions).rounds)
    assert stats.sqn == 0.0
    assert stats.average_pct is not None
    assert round(stats.average_pct, 9) == round(((1.25 * 0.875 * 0.875) ** 0.25 - 1) * 100, 9)
    assert stats.model_copy(update={"average_pct": None}) == TradeStats(
        trades=4,
        long=3,
        short=1,
        wins=1,
        losses=2,
        win_rate_pct=25.0,
        pnl=0.0,
        gross_profit=25.0,
        gross_loss=-25.0,
        profit_factor=1.0,
        expectancy=0.0,
        expectancy_pct=0.0,
        expectancy_ratio=(1 + 25 / 12.5) / 4 - 1,
        sqn=0.0,
        best_pct=25.0,
        worst_pct=-12.5,
        average_pct=None,
        average_duration_s=90.0,
        longest_duration_s=180.0,
        consecutive_wins=1,
        consecutive_losses=1,
        fees=1.75,
        traded_value=4 * 100.0 + 3 * 101.0 + 112.0,
    )


def test_without_trades_counts_and_sums_are_zero_and_all_else_is_null() -> None:
    stats = trade_stats(Trades.of([]).rounds).model_dump()
    zero = {"trades", "long", "short", "wins", "losses", "pnl", "gross_profit", "gross_loss", "fees", "traded_value"}
    zero |= {"consecutive_wins", "consecutive_losses"}
    assert {name for name, value in stats.items() if value == 0} == zero
    assert {name for name, value in stats.items() if value is None} == set(stats) - zero
