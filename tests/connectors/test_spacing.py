import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.cells import Ints
from connectors.errors import CandleFileError
from connectors.spacing import Spacing, timeframe_of

MINUTE = 60_000


def minutes(*numbers: int) -> Ints:
    return np.array([number * MINUTE for number in numbers], np.int64)


def commonest(times: Ints) -> int:
    spacing = Spacing.of(times)
    assert spacing is not None
    return spacing.commonest


def test_the_commonest_spacing_wins_over_gaps() -> None:
    assert commonest(minutes(1, 2, 3, 10, 11, 30, 50)) == MINUTE


def test_of_two_equally_common_spacings_the_shorter_one_wins() -> None:
    assert commonest(minutes(1, 2, 7)) == MINUTE


def test_duplicates_and_unreadable_times_do_not_count() -> None:
    assert commonest(np.array([-1, 0, 0, 0, 300_000, 300_000, -1, 600_000])) == 300_000


@given(st.permutations(range(20, 60)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    assert commonest(minutes(*order)) == MINUTE


def test_one_time_has_no_spacing() -> None:
    assert Spacing.of(minutes(5)) is None
    assert Spacing.of(minutes(5, 5, 5)) is None


def test_without_a_word_the_rows_decide_even_over_an_uncertain_name() -> None:
    assert timeframe_of(minutes(0, 5, 10), None, None, False) == 300_000
    assert timeframe_of(minutes(0, 5, 10), None, 60_000, False) == 300_000


def test_with_one_row_a_name_decides_even_an_uncertain_one() -> None:
    assert timeframe_of(minutes(7), None, 60_000, False) == 60_000
    assert timeframe_of(minutes(7), None, 60_000, True) == 60_000


def test_with_one_row_and_no_name_nothing_tells() -> None:
    with pytest.raises(CandleFileError, match="fewer than two different times"):
        timeframe_of(minutes(7), None, None, False)


def test_the_timeframe_asked_for_wins_over_the_name() -> None:
    assert timeframe_of(minutes(0, 5, 10), 300_000, 60_000, True) == 300_000
    assert timeframe_of(minutes(7), 300_000, 60_000, True) == 300_000


def test_a_named_timeframe_may_have_more_gaps_than_rows() -> None:
    assert timeframe_of(minutes(0, 2, 4, 6, 7), None, MINUTE, True) == MINUTE


def test_rows_closer_than_the_named_timeframe_contradict_it() -> None:
    with pytest.raises(CandleFileError, match="mostly 1m apart, but its name says 5m: rename the file"):
        timeframe_of(minutes(0, 1, 2, 7), None, 300_000, True)


def test_rows_never_one_named_timeframe_apart_contradict_it() -> None:
    with pytest.raises(CandleFileError, match="mostly 5m apart, but its name says 1m"):
        timeframe_of(minutes(0, 5, 10), None, MINUTE, True)


def test_a_timeframe_asked_for_may_be_sparse_but_must_divide_the_spacing() -> None:
    assert timeframe_of(minutes(0, 5, 10), MINUTE, None, False) == MINUTE
    with pytest.raises(CandleFileError, match="but the timeframe asked for says 2m: ask for the right one"):
        timeframe_of(minutes(0, 5, 10), 2 * MINUTE, None, False)


@pytest.mark.parametrize("asked", [0, -60_000, 1_500])
def test_a_timeframe_is_a_whole_number_of_seconds(asked: int) -> None:
    with pytest.raises(CandleFileError, match=f"timeframe of {asked} ms"):
        timeframe_of(minutes(0, 1), asked, None, False)


def test_rows_parts_of_a_second_apart_are_no_candles() -> None:
    with pytest.raises(CandleFileError, match="rows 250 ms apart"):
        timeframe_of(np.array([0, 250, 500]), None, None, False)
