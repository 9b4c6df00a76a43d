from __future__ import annotations

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sinks.summary.streaks import longest_run


@given(st.lists(st.booleans()))
def test_the_longest_run_agrees_with_groupby(values: list[bool]) -> None:
    expected = max((len(list(run)) for value, run in groupby(values) if value), default=0)
    assert longest_run(np.array(values, bool)) == expected
