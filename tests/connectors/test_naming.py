from pathlib import Path

import pytest

from connectors.naming import NamedSeries, from_name, split_ending, to_name

HOUR = 3_600_000


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe_ms", "kind"),
    [
        ("ETH_BTC-5m.feather", "ETH/BTC", 300_000, ""),
        ("eth_btc-5m.parquet", "ETH/BTC", 300_000, ""),
        ("XRP_USDT_USDT-1h.parquet", "XRP/USDT:USDT", HOUR, ""),
        ("XRP_USDT_USDT-1h-futures.feather", "XRP/USDT:USDT", HOUR, "futures"),
        ("BTC_USDT_USDT-8h-mark.feather", "BTC/USDT:USDT", 8 * HOUR, "mark"),
        ("BTC_USDT_USDT-8h-funding_rate.feather", "BTC/USDT:USDT", 8 * HOUR, "funding_rate"),
        ("1000SHIB_USDT_USDT-1d-futures.feather", "1000SHIB/USDT:USDT", 24 * HOUR, "futures"),
        ("BTC_USDT_USDT-240628-1d-futures.feather", "BTC/USDT:USDT-240628", 24 * HOUR, "futures"),
        ("BTC_USDT-1m.csv.gz", "BTC/USDT", 60_000, ""),
        ("BTC_USDT_USDT-trades.feather", "BTC/USDT:USDT", None, ""),
    ],
)
def test_a_freqtrade_name_gives_symbol_and_timeframe(
    name: str, symbol: str, timeframe_ms: int | None, kind: str
) -> None:
    assert from_name(Path("some/folder") / name) == NamedSeries(symbol, timeframe_ms, True, kind)


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe_ms"),
    [
        ("btc-perp-20211231-20220201-1m.csv.gz", "BTC-PERP", 60_000),
        ("BTCUSDT-1m-2024-01.csv", "BTCUSDT", 60_000),
        ("BTCUSDT-1h-2024-01-05.csv", "BTCUSDT", HOUR),
        ("solusd_2024.parquet", "SOLUSD", None),
        ("BTCUSDT-aggTrades-2024-01.csv", "BTCUSDT", None),
        ("sol.feather", "SOL", None),
        ("20240101.csv", "20240101", None),
        ("btc-1m-final.csv", "BTC-1M-FINAL", None),
        ("BTC_USDT-1x.csv", "BTC_USDT-1X", None),
    ],
)
def test_any_other_name_gives_its_stem_without_dates_and_timeframe(
    name: str, symbol: str, timeframe_ms: int | None
) -> None:
    assert from_name(Path(name)) == NamedSeries(symbol, timeframe_ms, False)


@pytest.mark.parametrize(
    ("name", "stem", "ending"),
    [("a.csv", "a", ".csv"), ("a.CSV.GZ", "a", ".csv.gz"), ("a.b.Parquet", "a.b", ".parquet"), ("a.gz", "a.gz", "")],
)
def test_endings_are_known_in_any_case(name: str, stem: str, ending: str) -> None:
    assert split_ending(Path(name)) == (stem, ending)


@pytest.mark.parametrize("symbol", ["ETH/BTC", "XRP/USDT:USDT", "BTC/USDT:USDT-240628"])
def test_a_name_that_was_made_is_read_back(symbol: str) -> None:
    made = from_name(Path(to_name(symbol, "15m") + ".parquet"))
    assert (made.symbol, made.timeframe_ms, made.certain) == (symbol, 900_000, True)


@pytest.mark.parametrize("symbol", ["BTC-PERP", "btc/usdt", "A/B/C/D", "BTC"])
def test_a_symbol_without_a_freqtrade_name_is_refused(symbol: str) -> None:
    with pytest.raises(ValueError, match=f"^'{symbol}' has no freqtrade file name"):
        to_name(symbol, "1m")
