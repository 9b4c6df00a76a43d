from __future__ import annotations

import math

import numpy as np
import pytest

from sinks.summary.defined import defined, percent, ratio, total


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, np.float64("nan")])
def test_what_json_does_not_know_is_null(value: float | None) -> None:
    assert defined(value) is None


def test_a_figure_is_a_plain_float() -> None:
    assert type(defined(np.float64(1.5))) is float


def test_a_ratio_to_nothing_is_null() -> None:
    assert ratio(1.0, 0.0) is None
    assert ratio(1.0, None) is None
    assert ratio(1e308, 1e-308) is None
    assert ratio(-1.0, 4.0) == -0.25


def test_percent_of_null_is_null() -> None:
    assert percent(None) is None
    assert percent(0.125) == 12.5


def test_sums_of_money_do_not_drift() -> None:
    assert total(np.array([1e16, 0.01, -1e16])) == 0.01
