from __future__ import annotations

from pathlib import Path

import pytest

from connectors.candle_file import CandleFileError
from connectors.sharding import shard_of
from flows.plan import Plan, make_plan
from flows.registry import fingerprint
from schemas.config.market import MarketConfig
from schemas.config.portfolio import PortfolioConfig
from schemas.config.root import Config

HEADER = "ts,open,high,low,close,volume\n"
BODY = "60,1,3,1,2,5\n120,2,2,1,1,5\n180,1,2,1,2,5\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    found = {}
    for stem in ("BTC_USDT-1m", "ETH_USDT-1m", "SOL_USDT-1m", "XRP_USDT-1m", "ETH_BTC-1m", "btc-perp"):
        found[stem] = tmp_path / f"{stem}.csv"
        found[stem].write_text(HEADER + BODY, encoding="utf-8")
    return found


def plan(*paths: Path, symbol: str | None = None, config: Config | None = None) -> Plan:
    return make_plan(paths, symbol, config or Config(), "1.2.3")[0]


def test_a_plan_holds_what_was_understood_of_each_file(files: dict[str, Path]) -> None:
    made, series = make_plan([files["BTC_USDT-1m"]], None, Config(), "1.2.3")
    (read,) = made.inputs
    assert read.model_dump() == {
        "path": str(files["BTC_USDT-1m"]),
        "symbol": "BTC/USDT",
        "timeframe_ms": 60_000,
        "rows": 3,
        "sha256": series["BTC/USDT"].sha256,
        "notes": (),
        "exchange": None,
    }
    assert made.version == "1.2.3"
    assert series["BTC/USDT"].ts.tolist() == [120_000, 180_000, 240_000]


def test_the_order_of_the_files_does_not_enter_the_plan(files: dict[str, Path]) -> None:
    three = [files[name] for name in ("XRP_USDT-1m", "BTC_USDT-1m", "ETH_USDT-1m")]
    assert plan(*three) == plan(*reversed(three))
    assert [item.symbols for item in plan(*three).inputs] == [("BTC/USDT",), ("ETH/USDT",), ("XRP/USDT",)]
    assert list(make_plan(three, None, Config(), "1")[1]) == ["XRP/USDT", "BTC/USDT", "ETH/USDT"]


def test_a_plan_survives_its_way_through_json(files: dict[str, Path]) -> None:
    made = plan(files["BTC_USDT-1m"], files["btc-perp"])
    assert Plan.model_validate_json(made.model_dump_json()) == made


def test_symbols_are_in_the_shards_that_kafka_would_put_them_in(files: dict[str, Path]) -> None:
    made = plan(*(files[f"{base}_USDT-1m"] for base in ("BTC", "ETH", "SOL", "XRP")))
    assert {shard: [symbol for item in items for symbol in item.symbols] for shard, items in made.shards.items()} == {
        "shard-0000": ["BTC/USDT"],
        "shard-0002": ["SOL/USDT", "XRP/USDT"],
        "shard-0003": ["ETH/USDT"],
    }
    assert list(made.shards) == sorted(made.shards)


def test_the_number_of_shards_is_that_of_the_configuration(files: dict[str, Path]) -> None:
    config = Config(market=MarketConfig(shards=7))
    assert list(plan(files["BTC_USDT-1m"], config=config).shards) == [f"shard-{shard_of('BTC/USDT', 7):04d}"]


def test_the_portfolio_stage_is_named_after_the_portfolio(files: dict[str, Path]) -> None:
    config = Config(portfolio=PortfolioConfig(name="spare"))
    assert plan(files["BTC_USDT-1m"], config=config).portfolio == "portfolio-spare"


def test_a_shard_is_read_again_as_it_was_planned(files: dict[str, Path], tmp_path: Path) -> None:
    config = Config(market=MarketConfig(file_time="close"))
    made, series = make_plan([files["btc-perp"]], "BTC/USD", config, "1")
    (shard,) = made.shards
    (again,) = made.load(shard)
    assert (again.symbol, again.ts.tolist()) == ("BTC/USD", [60_000, 120_000, 180_000])
    assert again.close.tolist() == series["BTC/USD"].close.tolist()


def test_a_file_that_has_changed_since_is_refused_by_name(files: dict[str, Path]) -> None:
    made = plan(files["BTC_USDT-1m"])
    files["BTC_USDT-1m"].write_text(HEADER + BODY + "240,2,2,2,2,2\n", encoding="utf-8")
    with pytest.raises(CandleFileError, match=r"BTC_USDT-1m\.csv has changed since the run began: start a new run"):
        made.load("shard-0000")


def test_one_name_for_several_files_is_refused(files: dict[str, Path]) -> None:
    with pytest.raises(CandleFileError, match="--symbol names one market, but there are 2 files"):
        plan(files["BTC_USDT-1m"], files["btc-perp"], symbol="BTC/USDT")


def test_two_files_of_one_symbol_are_refused_and_both_named(files: dict[str, Path], tmp_path: Path) -> None:
    other = tmp_path / "more"
    other.mkdir()
    twin = other / "BTC_USDT-1m.csv"
    twin.write_text(HEADER + BODY, encoding="utf-8")
    with pytest.raises(CandleFileError) as refused:
        plan(files["BTC_USDT-1m"], twin)
    assert str(refused.value) == (f"{files['BTC_USDT-1m']} and {twin} both hold BTC/USDT: leave one out, or rename it")


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CandleFileError, match=r"absent\.csv"):
        plan(tmp_path / "absent.csv")


def test_the_account_is_kept_in_the_currency_of_the_markets(files: dict[str, Path]) -> None:
    assert plan(files["BTC_USDT-1m"], files["ETH_USDT-1m"]).config.portfolio.currency == "USDT"
    assert plan(files["ETH_BTC-1m"]).config.portfolio.currency == "BTC"


def test_a_settled_market_is_quoted_in_what_stands_before_the_colon(files: dict[str, Path]) -> None:
    assert plan(files["btc-perp"], symbol="BTC/USD:BTC").config.portfolio.currency == "USD"


def test_a_symbol_without_a_quote_takes_that_of_the_others_or_dollars(files: dict[str, Path]) -> None:
    assert plan(files["btc-perp"]).config.portfolio.currency == "USD"
    assert plan(files["btc-perp"], files["BTC_USDT-1m"]).config.portfolio.currency == "USDT"
    named = Config(portfolio=PortfolioConfig(currency="EUR"))
    assert plan(files["btc-perp"], config=named).config.portfolio.currency == "EUR"


def test_markets_of_two_currencies_are_refused(files: dict[str, Path]) -> None:
    with pytest.raises(CandleFileError) as refused:
        plan(files["BTC_USDT-1m"], files["ETH_BTC-1m"])
    assert str(refused.value) == (
        "one account cannot add up ETH/BTC in BTC, BTC/USDT in USDT: keep them in runs of their own"
    )


def test_an_account_in_another_currency_than_its_markets_is_refused(files: dict[str, Path]) -> None:
    config = Config(portfolio=PortfolioConfig(currency="EUR"))
    with pytest.raises(CandleFileError, match=r"portfolio\.currency is EUR, but BTC/USDT is quoted in USDT"):
        plan(files["BTC_USDT-1m"], config=config)


def test_what_is_not_the_currency_stays_as_it_was_configured(files: dict[str, Path]) -> None:
    config = Config(portfolio=PortfolioConfig(name="spare"), market=MarketConfig(shards=2))
    made = plan(files["BTC_USDT-1m"], config=config).config
    assert made.model_copy(update={"portfolio": config.portfolio}) == config
    assert made.portfolio == config.portfolio.model_copy(update={"currency": "USDT"})


def test_a_strategy_that_was_edited_makes_another_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    source = "from flows.strategies.base import Signals, Strategy\n\n\nclass Idle(Strategy):\n    version = '1.2.3'\n"
    source += "\n    def on_candles(self, candles):\n        return Signals()\n"
    (tmp_path / "idle_for_plan.py").write_text(source)
    first = fingerprint("idle_for_plan:Idle")
    (tmp_path / "idle_for_plan.py").write_text(source + "    # another thought\n")
    second = fingerprint("idle_for_plan:Idle")
    assert (first.split()[0], second.split()[0]) == ("1.2.3", "1.2.3")
    assert first != second
