from __future__ import annotations

import math

import numpy as np
import pytest

from sinks.summary.profit import expectancy, expectancy_ratio, geometric_mean, profit_factor, sqn

PNL = np.array([30.0, -10.0, 15.0, -20.0, 0.0])
NONE = np.array([])


def test_profit_factor_is_money_won_over_money_lost() -> None:
    assert profit_factor(PNL) == 1.5


def test_profit_factor_of_losses_alone_is_zero_and_of_wins_alone_is_null() -> None:
    assert profit_factor(np.array([-1.0])) == 0.0
    assert profit_factor(np.array([1.0])) is None
    assert profit_factor(NONE) is None


def test_expectancy_is_what_a_trade_earns_on_average() -> None:
    assert expectancy(PNL) == 3.0
    assert expectancy(NONE) is None


def test_expectancy_ratio_by_hand() -> None:
    # mean win 22.5, mean loss 15, win rate 2 of 5: (1 + 1.5) * 0.4 - 1
    assert expectancy_ratio(PNL) == pytest.approx(0.0, abs=1e-15)
    assert expectancy_ratio(np.array([-4.0, -6.0])) == -1.0
    assert expectancy_ratio(np.array([4.0])) is None


def test_sqn_by_hand() -> None:
    # mean 3, deviations 27, -13, 12, -23, -3: variance 1580 / 4
    assert sqn(PNL) == pytest.approx(math.sqrt(5) * 3 / math.sqrt(395), rel=1e-14)


def test_sqn_needs_two_trades_that_differ() -> None:
    assert sqn(np.array([5.0])) is None
    assert sqn(np.array([0.1, 0.1, 0.1])) is None
    assert sqn(np.array([0.0, 0.0])) is None


def test_geometric_mean_compounds() -> None:
    assert geometric_mean(np.array([0.21, 0.0])) == pytest.approx(0.1, rel=1e-12)
    assert geometric_mean(np.array([0.5, -1.0])) is None
    assert geometric_mean(NONE) is None
