from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.candle_file import read_candles
from connectors.cells import Floats
from connectors.errors import CandleFileError
from connectors.simulated import MarketMinutes, SimulatedMarket, write_market
from connectors.simulated_spec import SYMBOLS, TURBULENT, MarketSpec, Regime, SimulatedSymbol

FIELDS = ("ts", "open", "high", "low", "close", "volume")
SPEC = MarketSpec(days=3)


@pytest.fixture(scope="module")
def month() -> MarketMinutes:
    return SimulatedMarket(MarketSpec()).next(30 * 1440)


def returns(minutes: MarketMinutes) -> Floats:
    return np.asarray(np.diff(np.log(minutes.close), axis=0))


def same(one: MarketMinutes, other: MarketMinutes) -> bool:
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in FIELDS)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 2_000), min_size=1, max_size=6))
def test_the_market_does_not_depend_on_how_many_minutes_are_asked_for_at_a_time(sizes: list[int]) -> None:
    market = SimulatedMarket(SPEC)
    parts = [market.next(size) for size in sizes]
    whole = SimulatedMarket(SPEC).next(sum(sizes))
    assert [len(part) for part in parts] == sizes
    for name in FIELDS:
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert joined.tobytes() == getattr(whole, name).tobytes()


def test_equal_seeds_give_equal_markets_and_other_seeds_others() -> None:
    assert same(SimulatedMarket(SPEC).next(500), SimulatedMarket(SPEC).next(500))
    other = SimulatedMarket(MarketSpec(days=3, seed=8)).next(500)
    assert not same(SimulatedMarket(SPEC).next(500), other)


def test_the_default_market_stays_the_same_from_release_to_release(month: MarketMinutes) -> None:
    assert month.close[0].tolist() == [60121.7, 3012.5, 150.32, 0.6028]
    assert month.close[-1].tolist() == [39531.2, 2115.12, 105.04, 0.3589]
    assert month.volume[0].tolist() == [15.70301, 1460.0871, 9648.865, 641474.9]


def test_a_longer_market_starts_as_a_shorter_one() -> None:
    assert same(SimulatedMarket(MarketSpec(days=1)).next(1440), SimulatedMarket(SPEC).next(3 * 1440)[:1440])


def test_minutes_follow_each_other_without_gap_from_the_start(month: MarketMinutes) -> None:
    assert month.ts[0] == MarketSpec().start_ms + 60_000
    assert (np.diff(month.ts) == 60_000).all()
    assert (month.open[1:] == month.close[:-1]).all()


def test_candles_are_candles(month: MarketMinutes) -> None:
    assert (month.low > 0).all()
    assert (month.low <= np.minimum(month.open, month.close)).all()
    assert (month.high >= np.maximum(month.open, month.close)).all()
    assert (month.volume >= 0).all()
    assert all(np.isfinite(getattr(month, name)).all() for name in FIELDS)


def test_prices_and_volumes_are_exact_multiples_of_tick_and_lot(month: MarketMinutes) -> None:
    for column, symbol in enumerate(SYMBOLS):
        for name in ("open", "high", "low", "close"):
            for price in getattr(month, name)[::97, column]:
                assert Decimal(repr(float(price))) % symbol.tick == 0
        assert all(Decimal(repr(float(amount))) % symbol.lot == 0 for amount in month.volume[::97, column])


def test_a_tick_need_not_be_a_power_of_ten() -> None:
    half = SimulatedSymbol("BTC/USDT", 60_000.0, Decimal("0.5"), Decimal("10"), 0.45, 500.0)
    minutes = SimulatedMarket(MarketSpec(symbols=(half,))).next(300)
    assert set((minutes.close % 0.5).ravel().tolist()) == {0.0}
    assert set((minutes.volume % 10).ravel().tolist()) == {0.0}


def test_returns_are_correlated_through_the_common_factor(month: MarketMinutes) -> None:
    correlations = np.asarray(np.corrcoef(returns(month).T))
    assert (correlations[np.triu_indices(4, 1)] > 0.3).all()
    assert (correlations[np.triu_indices(4, 1)] < 0.95).all()


def test_volatility_clusters_and_tails_are_fat(month: MarketMinutes) -> None:
    moves = returns(month)
    size = np.asarray(np.abs(moves))
    clustering = [np.corrcoef(size[1:, column], size[:-1, column])[0, 1] for column in range(4)]
    kurtosis = ((moves - moves.mean(axis=0)) ** 4).mean(axis=0) / moves.var(axis=0) ** 2
    assert min(clustering) > 0.1
    assert (kurtosis > 5).all()


def test_a_turbulent_market_moves_as_much_more_as_its_regime_says() -> None:
    def deviation(regime_of: float) -> float:
        regime = Regime("only", 100, regime_of, 1.0, 0.0, 0.0)
        return float(returns(SimulatedMarket(MarketSpec(regimes=(regime,))).next(20 * 1440))[:, 0].std())

    assert deviation(TURBULENT.volatility) / deviation(1.0) == pytest.approx(TURBULENT.volatility, rel=1e-3)
    # 45 % a year; the slow mood (log-normal, 0.2) adds about 4 % to it.
    assert deviation(1.0) * np.sqrt(365 * 1440) == pytest.approx(0.45, rel=0.1)


def test_jumps_come_as_often_as_the_regime_says() -> None:
    regime = Regime("only", 100, 1.0, 1.0, 0.0, 24.0)
    symbol = SimulatedSymbol("A/B", 1e6, Decimal("0.0001"), Decimal(1), 0.5, 1.0, common=0.0)
    moves = returns(SimulatedMarket(MarketSpec(symbols=(symbol,), regimes=(regime,))).next(60 * 1440))
    # A jump has 5 standard deviations, so 42 % of the 60 * 24 expected go beyond 4; of the other minutes, 0.006 % do.
    beyond = int((np.abs(moves) > 4 * 0.5 / np.sqrt(365 * 1440) * 1.03).sum())
    assert 500 < beyond < 800


def test_american_hours_are_busier_than_the_night(month: MarketMinutes) -> None:
    by_hour = month.volume[:, 0].reshape(30, 24, 60).mean(axis=(0, 2))
    assert by_hour[14] > 1.5 * by_hour[3]


def test_fewer_than_one_minute_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="minutes is 0"):
        SimulatedMarket(SPEC).next(0)


def test_a_written_market_is_read_back_and_says_that_it_is_simulated(tmp_path: Path) -> None:
    spec = MarketSpec(days=2, seed=11)
    paths = write_market(tmp_path / "new" / "market", spec)
    assert [path.name for path in paths] == [
        "BTC_USDT-1m.parquet",
        "ETH_USDT-1m.parquet",
        "SOL_USDT-1m.parquet",
        "XRP_USDT-1m.parquet",
    ]
    minutes = SimulatedMarket(spec).next(2 * 1440)
    for column, path in enumerate(paths):
        series = read_candles(path)
        assert (series.symbol, series.timeframe_ms) == (minutes.symbols[column], 60_000)
        assert series.notes == ("simulated market, seed 11",)
        assert series.ts.tolist() == minutes.ts.tolist()
        for name in FIELDS[1:]:
            assert getattr(series, name).tolist() == getattr(minutes, name)[:, column].tolist()


def test_the_folder_says_that_it_is_simulated_and_holds_nothing_unfinished(tmp_path: Path) -> None:
    paths = write_market(tmp_path, MarketSpec(days=1, seed=11))
    assert (tmp_path / "README.txt").read_text().startswith("SIMULATED MARKET, seed 11\n")
    assert sorted(tmp_path.iterdir()) == sorted([*paths, tmp_path / "README.txt"])


def test_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_market(tmp_path, MarketSpec(days=1))]
    assert [path.read_bytes() for path in write_market(tmp_path, MarketSpec(days=1))] == first


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    (tmp_path / "README.txt").mkdir()  # cannot be replaced by a file
    with pytest.raises(OSError, match="README"):
        write_market(tmp_path, MarketSpec(days=1))
    assert [path.name for path in tmp_path.iterdir()] == ["README.txt"]


@pytest.mark.parametrize("content", ["real", "parquet"])
def test_a_file_that_is_no_simulated_market_is_never_replaced(tmp_path: Path, content: str) -> None:
    theirs = tmp_path / "ETH_USDT-1m.parquet"
    if content == "real":
        theirs.write_bytes(b"bought for a lot of money")
    else:
        pa.parquet.write_table(pa.table({"date": [1], "close": [2.0]}), theirs)
    before = theirs.read_bytes()
    with pytest.raises(CandleFileError, match=r"ETH_USDT-1m\.parquet is there and is no simulated market"):
        write_market(tmp_path, MarketSpec(days=1))
    assert (theirs.read_bytes(), [path.name for path in tmp_path.iterdir()]) == (before, [theirs.name])


def test_a_simulated_market_may_be_simulated_anew(tmp_path: Path) -> None:
    first = write_market(tmp_path, MarketSpec(days=1, seed=1))[0].read_bytes()
    assert write_market(tmp_path, MarketSpec(days=1, seed=2))[0].read_bytes() != first
