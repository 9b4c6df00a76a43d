from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.config.load import Loaded, load, overridden, values
from schemas.config.problem import ConfigError, Problem
from schemas.config.root import Config
from schemas.config.strategies import StrategyConfig


def write(folder: Path, text: str) -> Path:
    path = folder / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path, environ: Mapping[str, str] | None = None, sets: Sequence[str] = ()) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {}, sets)
    return [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]


def read(folder: Path, text: str) -> Loaded:
    return load(write(folder, text), {})


def test_without_a_file_everything_is_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = load(None, {})
    assert loaded.config == Config()
    assert loaded.path is None
    assert set(loaded.origin.values()) == {"default"}


def test_the_file_of_the_working_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "penstock.yaml").write_text("risk:\n  per_trade_pct: 0.7\n")
    monkeypatch.chdir(tmp_path)
    loaded = load(None, {})
    assert loaded.config.risk.per_trade_pct == 0.7
    assert loaded.origin["risk.per_trade_pct"] == "penstock.yaml:2"


def test_the_later_source_wins(tmp_path: Path) -> None:
    path = write(tmp_path, "risk:\n  per_trade_pct: 1\n  max_open_positions: 2\n  max_position_pct: 3\n")
    environ = {"PENSTOCK__RISK__MAX_OPEN_POSITIONS": "20", "PENSTOCK__RISK__MAX_POSITION_PCT": "30"}
    loaded = load(path, environ, ["risk.max_position_pct=200", "risk.max_position_pct=300"])
    risk = loaded.config.risk
    assert (risk.per_trade_pct, risk.max_open_positions, risk.max_position_pct) == (1.0, 20, 300.0)
    assert {
        key: loaded.origin[f"risk.{key}"] for key in ("per_trade_pct", "max_open_positions", "max_position_pct")
    } == {
        "per_trade_pct": f"{path}:2",
        "max_open_positions": "env PENSTOCK__RISK__MAX_OPEN_POSITIONS",
        "max_position_pct": "--set",
    }
    assert loaded.origin["risk.sizing"] == "default"


def test_every_value_has_an_origin(tmp_path: Path) -> None:
    text = (
        "instruments: {symbols: {B.X/USD: {lot: 1}}}\nstrategies: [{use: a, symbols: [x, y], params: {deep: {er: 1}}}]"
    )
    loaded = read(tmp_path, text)
    assert list(loaded.origin) == [key for key, _ in values(loaded.config)]
    path = loaded.path
    assert loaded.origin["instruments.symbols.B.X/USD.lot"] == f"{path}:1"
    assert loaded.origin["instruments.symbols.B.X/USD.tick"] == "default"
    assert loaded.origin["strategies.0.symbols"] == f"{path}:2"
    assert loaded.origin["strategies.0.params.deep.er"] == f"{path}:2"


def test_a_decimal_keeps_its_digits(tmp_path: Path) -> None:
    default = read(tmp_path, "instruments: {default: {tick: 0.10, lot: 1e-3, min_notional: '5.00'}}").config.instruments
    assert [str(default.default.tick), default.default.lot, str(default.default.min_notional)] == [
        "0.10",
        Decimal("0.001"),
        "5.00",
    ]


def test_a_variable_without_quotes_becomes_a_number(tmp_path: Path) -> None:
    path = write(tmp_path, "portfolio: {cash: '${CASH}'}\nrisk:\n  per_trade_pct: ${PCT:-0.3}\n")
    loaded = load(path, {"CASH": "12.50"})
    assert str(loaded.config.portfolio.cash) == "12.50"
    assert loaded.config.risk.per_trade_pct == 0.3


@pytest.mark.parametrize("text", ["", "# nothing\n", "risk:\n", "risk: {}\n", "\ufeffrisk:\n"])
def test_an_empty_file_or_section_gives_the_defaults(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).config == Config()


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """\
portfolio:
  cash: ${CASH}
  nam: x
risk:
  per_trade_pct: a lot
  max_open_positions: 2.5
  sizing: rsk
  notional: -5
  max_position_pct: "20"
per_trade_pct: 3
market:
  shards: true
  allowed_lateness: 5 minutes
  file_time: [open]
instruments:
  symbols:
    BRK.B/USD: {lot: 0.10, tik: 1}
strategies:
  - use: sma_cross
    name: 5
  - name: b
broker: 5
""",
    )
    assert problems(path) == [
        "c.yaml:2:9: portfolio.cash: environment variable CASH is not set; set it, or give a default: ${CASH:-default}",
        "c.yaml:3:3: portfolio.nam: unknown key; did you mean name?",
        "c.yaml:5:18: risk.per_trade_pct: expected a number, got the text 'a lot' "
        "(of equity at risk in one trade; 1.0 = 1 %)",
        "c.yaml:6:23: risk.max_open_positions: expected a whole number, got 2.5 (positions open or on their way)",
        "c.yaml:7:11: risk.sizing: expected 'risk' or 'fixed_quantity' or 'fixed_notional' or 'volatility_target' "
        "or 'kelly' or 'lot_tiers', got the text 'rsk'; did you mean risk? "
        "(rule of the quantity (sizing.md); risk: lose per_trade_pct of equity if the stop is hit)",
        "c.yaml:8:13: risk.notional: has to be > 0, got -5 (for fixed_notional, account currency)",
        "c.yaml:9:21: risk.max_position_pct: expected a number, got the text '20'; write it without quotes "
        "(value of one position, of equity; 100.0 = all of it)",
        "c.yaml:10:1: per_trade_pct: unknown key; did you mean risk.per_trade_pct?",
        "c.yaml:12:11: market.shards: expected a whole number, got true "
        "(partitions of a replay; only how long flat candles go on depends on it)",
        "c.yaml:13:21: market.allowed_lateness: '5 minutes' is no length of time: write a count and one of s, m, h, d, "
        "w, as in 15m or 4h (a candle this far behind the newest of its shard is late and goes to the dead letters)",
        "c.yaml:14:14: market.file_time: expected 'open' or 'close', got a list "
        "(what a candle file's time column means)",
        "c.yaml:17:28: instruments.symbols.BRK.B/USD.tik: unknown key; did you mean tick?",
        "c.yaml:20:11: strategies.0.name: expected text or null, got 5; put it in quotes "
        "(its name in records and ids; none: the name in `use`)",
        "c.yaml:21:5: strategies.1.use: missing (name of an installed strategy, or module.path:Class)",
        "c.yaml:22:9: broker: expected a section with keys, got 5 (the paper broker)",
    ]


def test_mistakes_of_all_sources_are_told_together(tmp_path: Path) -> None:
    path = write(tmp_path, "risk: {x: 1}\n")
    found = problems(path, {"PENSTOCK__RISK__Y": "1"}, ["risk.z=1"])
    assert [line.partition(":")[0] for line in found] == ["--set risk.z", "c.yaml", "env PENSTOCK__RISK__Y"]


def test_two_strategies_of_one_name_are_refused_with_a_remedy(tmp_path: Path) -> None:
    path = write(tmp_path, "strategies:\n  - use: sma_cross\n  - use: sma_cross\n")
    assert problems(path) == [
        "c.yaml:2:3: strategies: two strategies are named 'sma_cross': give one of them another `name` (what runs)"
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path / "x.yaml") == [
        "x.yaml: there is no such file; `penstock config show` prints one to start from"
    ]
    (tmp_path / "d").mkdir()
    assert problems(tmp_path / "d") == ["d: cannot be read: Is a directory"]
    (tmp_path / "b.yaml").write_bytes(b"a: \xff")
    assert problems(tmp_path / "b.yaml") == ["b.yaml: not UTF-8 text at byte 3"]


@pytest.mark.parametrize("text", ["- a\n", "just text\n", "5\n"])
def test_a_file_without_sections_is_refused(tmp_path: Path, text: str) -> None:
    assert problems(write(tmp_path, text)) == ["c.yaml:1:1: expected sections with keys, such as `risk:`"]


def test_a_check_of_strategies_sees_those_that_can_be_read_whatever_else_is_wrong(tmp_path: Path) -> None:
    seen: list[tuple[int, str]] = []

    def check(strategies: Sequence[tuple[int, StrategyConfig]]) -> list[Problem]:
        seen.extend((number, one.use) for number, one in strategies)
        return [
            Problem("too small", "strategies.1.params.fast"),
            Problem("unknown key", "strategies.1.params.fast", of_key=True),
            Problem("missing", "strategies.1.params.slow"),
        ]

    text = "rsk: {}\nstrategies:\n  - {use: a, mod: live}\n  - use: b\n    params: {fast: 5}\n"
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text), {}, check=check)
    assert [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems] == [
        "c.yaml:1:1: rsk: unknown key; did you mean risk?",
        "c.yaml:3:14: strategies.0.mod: unknown key; did you mean mode?",
        "c.yaml:5:5: strategies.1.params.slow: missing",
        "c.yaml:5:14: strategies.1.params.fast: unknown key",
        "c.yaml:5:20: strategies.1.params.fast: too small",
    ]
    assert seen == [(1, "b")]


def test_exits_of_a_strategy_are_what_was_given_and_checked_as_the_shared_ones(tmp_path: Path) -> None:
    text = "strategies: [{use: sma_atr, exits: {trail: atr, dual: {share_pct: 40}}}]"
    loaded = load(write(tmp_path, text), {}, ["strategies.sma_atr.exits.time_candles=null"])
    (own,) = loaded.config.model_dump(mode="json")["strategies"]
    assert own["exits"] == {"dual": {"share_pct": 40.0}, "trail": "atr", "time_candles": None}
    keys = [key for key in loaded.origin if ".exits." in key]
    assert keys == ["strategies.0.exits.dual.share_pct", "strategies.0.exits.trail", "strategies.0.exits.time_candles"]
    assert overridden(loaded.config, ["risk.per_trade_pct=0.25"]).strategies == loaded.config.strategies
    wrong = write(tmp_path, "strategies:\n  - use: sma_atr\n    exits: {trial: atr, stop_at: 0}")
    assert problems(wrong) == [
        "c.yaml:3:13: strategies.0.exits.trial: unknown key; did you mean trail?",
        "c.yaml:3:34: strategies.0.exits.stop_at: has to be > 0, got 0 (percent of the price, or average true ranges"
        " (risk.atr_period))",
    ]
