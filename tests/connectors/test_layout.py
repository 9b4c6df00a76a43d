import pytest

from connectors.errors import CandleFileError
from connectors.layout import find_columns


def test_columns_are_found_by_name_in_any_order_and_case() -> None:
    names = ["Volume", " LOW", "close ", "trades", "High", "Open", "Timestamp"]
    assert find_columns(names) == {"time": 6, "open": 5, "high": 4, "low": 1, "close": 2, "volume": 0}


def test_a_quote_is_bid_and_ask_or_none_of_them() -> None:
    names = ["ts", "open", "high", "low", "close"]
    assert find_columns([*names, "Ask", "BID"])["bid"] == 6
    for one, other in (("bid", "ask"), ("ask", "bid")):
        with pytest.raises(CandleFileError, match=f"has a column {one} and none for {other}: a quote is both of them"):
            find_columns([*names, one])


@pytest.mark.parametrize("first", ["ts", "timestamp", "time", "date"])
def test_each_name_of_the_time_column_is_known(first: str) -> None:
    assert find_columns([first, "open", "high", "low", "close"])["time"] == 0


def test_of_several_time_columns_ts_comes_before_timestamp_before_time_before_date() -> None:
    prices = ["open", "high", "low", "close"]
    assert find_columns(["date", "time", "timestamp", "ts", *prices])["time"] == 3
    assert find_columns(["date", "time", "timestamp", *prices])["time"] == 2
    assert find_columns(["date", "time", *prices])["time"] == 1


def test_a_missing_column_is_named_beside_those_that_were_found() -> None:
    with pytest.raises(
        CandleFileError, match=r"no column for time \(ts, timestamp, time, date\), low; columns found: a,"
    ):
        find_columns(["a", "open", "high", "close"])


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(CandleFileError, match="has 2 columns named close: keep one of them"):
        find_columns(["ts", "open", "high", "low", "close", "Close"])


def test_an_unused_column_may_be_there_twice() -> None:
    assert find_columns(["ts", "open", "high", "low", "close", "x", "x"])["close"] == 4
