from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet

Run = Callable[..., Any]


def test_some_symbols_are_simulated_for_some_days(penstock: Run, tmp_path: Path) -> None:
    result = penstock("simulate", "--out", "m", "--days", "2", "--symbols", "ETH/USDT,BTC/USDT")
    assert result.code == 0, result.err
    assert result.out.splitlines() == [
        "Simulated market (2,880 candles of 1m each, seed 7), not real prices:",
        "  m/ETH_USDT-1m.parquet",
        "  m/BTC_USDT-1m.parquet",
    ]
    assert pyarrow.parquet.read_table(tmp_path / "m/ETH_USDT-1m.parquet").num_rows == 2_880


def test_equal_seeds_give_equal_candles_and_others_do_not(penstock: Run, tmp_path: Path) -> None:
    for folder, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        penstock("simulate", "--out", folder, "--days", "1", "--symbols", "BTC/USDT", "--seed", seed)
    a, b, c = (pyarrow.parquet.read_table(tmp_path / name / "BTC_USDT-1m.parquet") for name in "abc")
    assert a.equals(b)
    assert not a.equals(c)


def test_an_unknown_symbol_is_refused_with_those_there_are(penstock: Run) -> None:
    result = penstock("simulate", "--symbols", "BTC/USDT,DOGE/USDT")
    assert result.code == 2
    assert result.err.startswith("penstock: --symbols: cannot simulate DOGE/USDT; there are BTC/USDT, ")


def test_a_symbol_given_twice_is_refused(penstock: Run) -> None:
    assert penstock("simulate", "--symbols", "BTC/USDT,BTC/USDT").code == 2
