from __future__ import annotations

import math
import random
import statistics

import numpy as np
import pytest

from sinks.summary.drawdown import drawdown
from sinks.summary.profit import profit_factor, sqn
from sinks.summary.ratios import annual_volatility, calmar, sharpe, sortino
from sinks.summary.returns import annual_return

ROOT_YEAR = math.sqrt(365)


def test_volatility_of_two_days_by_hand() -> None:
    # mean 0.01, deviations 0.02: variance 2 * 0.0004 / 1
    assert annual_volatility(np.array([0.03, -0.01])) == pytest.approx(math.sqrt(0.0008) * ROOT_YEAR, rel=1e-14)


def test_sharpe_of_three_days_by_hand() -> None:
    # mean 0.01, deviations 0.01, -0.01, 0: variance 0.0002 / 2, standard deviation 0.01
    assert sharpe(np.array([0.02, 0.0, 0.01])) == pytest.approx(ROOT_YEAR, rel=1e-14)


def test_sortino_counts_all_days_in_the_downside() -> None:
    # mean 0.005, downside sqrt((0 + 0 + 0 + 0.02**2) / 4) = 0.01
    assert sortino(np.array([0.02, 0.01, 0.01, -0.02])) == pytest.approx(0.5 * ROOT_YEAR, rel=1e-14)


def test_calmar_is_return_over_drawdown() -> None:
    assert calmar(0.3, 0.2) == pytest.approx(1.5)
    assert calmar(-0.3, 0.2) == pytest.approx(-1.5)


@pytest.mark.parametrize("returns", [None, np.array([]), np.array([0.01])])
def test_below_two_days_there_are_no_ratios(returns: np.ndarray | None) -> None:
    assert (annual_volatility(returns), sharpe(returns), sortino(returns)) == (None, None, None)


def test_without_variance_there_is_no_sharpe() -> None:
    assert sharpe(np.zeros(5)) is None
    assert sharpe(np.full(3, 0.1)) is None, "what differs in the last bit is not risk"
    assert annual_volatility(np.zeros(5)) == 0.0


def test_without_a_losing_day_there_is_no_sortino() -> None:
    assert sortino(np.array([0.01, 0.02])) is None


def test_without_a_drawdown_there_is_no_calmar() -> None:
    assert calmar(0.3, 0.0) is None
    assert calmar(None, 0.2) is None


@pytest.mark.parametrize("seed", range(20))
def test_figures_agree_with_plain_loops(seed: int) -> None:
    rng = random.Random(seed)
    returns = [rng.gauss(0.001, 0.02) for _ in range(rng.randint(2, 400))]
    pnl = [rng.gauss(1, 50) for _ in range(rng.randint(2, 400))]

    mean = sum(returns) / len(returns)
    downside = math.sqrt(sum(min(r, 0) ** 2 for r in returns) / len(returns))
    level, peak, deepest, curve = 100.0, 100.0, 0.0, [100.0]
    for r in returns:
        level *= 1 + r
        curve.append(level)
        peak = max(peak, level)
        deepest = max(deepest, (peak - level) / peak)
    by_year = (level / 100) ** (365 / len(returns)) - 1
    wins, losses = sum(p for p in pnl if p > 0), -sum(p for p in pnl if p < 0)

    days = np.array(returns)
    assert annual_volatility(days) == pytest.approx(statistics.stdev(returns) * ROOT_YEAR, rel=1e-9)
    assert sharpe(days) == pytest.approx(mean / statistics.stdev(returns) * ROOT_YEAR, rel=1e-9)
    assert sortino(days) == pytest.approx(mean * 365 / (downside * ROOT_YEAR), rel=1e-9)
    assert drawdown(np.array(curve)).max() == pytest.approx(deepest, rel=1e-9)
    assert calmar(annual_return(days), deepest) == pytest.approx(by_year / deepest, rel=1e-9)
    assert profit_factor(np.array(pnl)) == pytest.approx(wins / losses, rel=1e-9)
    expected = math.sqrt(len(pnl)) * statistics.mean(pnl) / statistics.stdev(pnl)
    assert sqn(np.array(pnl)) == pytest.approx(expected, rel=1e-9)
