import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.timeframe import UNITS, from_millis, to_millis


@pytest.mark.parametrize(
    ("text", "millis"),
    [("1s", 1_000), ("1m", 60_000), ("90m", 5_400_000), ("4h", 14_400_000), ("1d", 86_400_000), ("1w", 604_800_000)],
)
def test_a_timeframe_has_a_length(text: str, millis: int) -> None:
    assert to_millis(text) == millis


@pytest.mark.parametrize("text", ["", "m", "0m", "01m", "-1m", "1M", "1y", "1.5h", "1 m", "1m ", "1m\n", "١m"])
def test_what_is_not_a_timeframe_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no length of time"):
        to_millis(text)


@pytest.mark.parametrize("text", ["36501d", "99999w", "1" + "0" * 5_000 + "s"])
def test_more_than_a_hundred_years_are_refused(text: str) -> None:
    assert to_millis("36500d") == 3_153_600_000_000
    with pytest.raises(ValueError, match="is too long: write at most 36500d"):
        to_millis(text)


@given(st.integers(1, 5_000), st.sampled_from(sorted(UNITS)))
def test_the_name_of_a_length_has_that_length(count: int, unit: str) -> None:
    millis = to_millis(f"{count}{unit}")
    assert to_millis(from_millis(millis)) == millis


@pytest.mark.parametrize("millis", [0, -60_000, 1_500, 1])
def test_a_length_that_is_not_whole_seconds_has_no_name(millis: int) -> None:
    with pytest.raises(ValueError, match="not a whole number of seconds"):
        from_millis(millis)


@pytest.mark.parametrize(
    ("millis", "name"),
    [
        (1_000, "1s"),
        (90_000, "90s"),
        (300_000, "5m"),
        (3_600_000, "1h"),
        (86_400_000, "1d"),
        (604_800_000, "1w"),
        (691_200_000, "8d"),
    ],
)
def test_a_length_is_named_in_the_largest_unit_that_divides_it(millis: int, name: str) -> None:
    assert from_millis(millis) == name
