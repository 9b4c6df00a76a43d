from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest

from schemas.config.load import Loaded, load
from schemas.config.problem import ConfigError


def given(*sets: str, **environ: str) -> Loaded:
    return load(None, environ, sets)


def problems(environ: Mapping[str, str], sets: Sequence[str]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(None, environ, sets)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", ["PENSTOCK__RISK__PER_TRADE_PCT", "penstock__risk__per_trade_pct"])
def test_an_environment_variable_sets_a_key_in_any_case(name: str) -> None:
    loaded = given(**{name: "0.25"})
    assert loaded.config.risk.per_trade_pct == 0.25
    assert loaded.origin["risk.per_trade_pct"] == f"env {name}"


def test_a_variable_given_in_two_cases_is_refused() -> None:
    environ = {"PENSTOCK__RISK__PER_TRADE_PCT": "1", "penstock__risk__per_trade_pct": "2"}
    (problem,) = problems(environ, [])
    assert "given twice: also as" in problem


def test_other_variables_are_left_alone() -> None:
    assert given(PENSTOCK_DEBUG="1", PENSTOCKS__X="1", HOME="/x").config == load(None, {}).config


def test_the_default_strategy_is_reached_by_number_and_by_name() -> None:
    for key in ("strategies.0.params.fast", "strategies.sma_atr.params.fast"):
        loaded = given(f"{key}=5")
        assert [(s.use, s.params) for s in loaded.config.strategies] == [("sma_atr", {"fast": 5})]
        assert loaded.origin["strategies.0.params.fast"] == "--set"
        assert loaded.origin["strategies.0.use"] == "default"
    loaded = given(PENSTOCK__STRATEGIES__0__PARAMS__FAST="5", PENSTOCK__STRATEGIES__SMA_ATR__PARAMS__SLOW="9")
    assert loaded.config.strategies[0].params == {"fast": 5, "slow": 9}


def test_the_next_number_adds_a_strategy() -> None:
    loaded = given("strategies.1.use=sma_cross", "strategies.sma_cross.mode=shadow")
    assert [(s.use, s.mode) for s in loaded.config.strategies] == [("sma_atr", "live"), ("sma_cross", "shadow")]


def test_variables_add_strategies_in_the_order_of_their_numbers() -> None:
    environ = {f"PENSTOCK__STRATEGIES__{i}__USE": f"a:S{i}" for i in (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)}
    assert [s.use for s in load(None, environ).config.strategies] == ["sma_atr", *(f"a:S{i}" for i in range(1, 11))]


def test_a_number_too_far_or_an_unknown_name_is_told_with_what_there_is() -> None:
    assert problems({}, ["strategies.3.mode=live"]) == [
        "--set strategies.3.mode: strategies.3: there is no number 3: 1 given, counted from 0; the next one is 1"
    ]
    assert problems({}, ["strategies.sma.mode=live"]) == [
        "--set strategies.sma.mode: strategies.sma: no strategy is named 'sma'; there are: sma_atr (0)"
    ]


def test_a_symbol_is_not_cut_at_its_dots_and_slashes() -> None:
    loaded = given(
        "instruments.symbols.BRK.B/USD:USD.lot=0.10",
        **{"PENSTOCK__INSTRUMENTS__SYMBOLS__ETH/USDT__LOT": "0.010"},
    )
    symbols = loaded.config.instruments.symbols
    assert {name: str(item.lot) for name, item in symbols.items()} == {"BRK.B/USD:USD": "0.10", "ETH/USDT": "0.010"}
    assert loaded.origin["instruments.symbols.BRK.B/USD:USD.lot"] == "--set"


def test_a_whole_symbol_can_be_set_at_once() -> None:
    loaded = given("instruments.symbols.BRK.B/USD={lot: 0.10, tick: 0.01}")
    assert loaded.config.instruments.of("BRK.B/USD").lot == Decimal("0.10")
    assert loaded.origin["instruments.symbols.BRK.B/USD.tick"] == "--set"


def test_a_list_of_texts_is_written_with_commas_or_as_yaml() -> None:
    for text in ("BTC/USDT,ETH/USDT:USDT", "BTC/USDT, ETH/USDT:USDT", "[BTC/USDT, 'ETH/USDT:USDT']"):
        assert given(f"strategies.0.symbols={text}").config.strategies[0].symbols == ("BTC/USDT", "ETH/USDT:USDT")
    assert given("strategies.0.symbols=*").config.strategies[0].symbols == ("*",)


def test_all_strategies_can_be_replaced() -> None:
    loaded = given("strategies=[{use: sma_cross, params: {fast: 3}}]")
    assert [(s.use, s.params) for s in loaded.config.strategies] == [("sma_cross", {"fast": 3})]
    assert loaded.origin["strategies.0.params.fast"] == "--set"


def test_a_text_stays_a_text_and_null_is_null_where_it_may_be() -> None:
    config = given("portfolio.name=2024", "portfolio.currency=USD").config
    assert (config.portfolio.name, config.portfolio.currency) == ("2024", "USD")
    assert given("portfolio.currency=USD", "portfolio.currency=null").config.portfolio.currency is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("0.5", 0.5),
        ("true", True),
        ("x", "x"),
        ("'5'", "5"),
        ("[1, a]", [1, "a"]),
        ("", None),
        ("a=b", "a=b"),
    ],
)
def test_a_parameter_is_read_as_yaml(text: str, value: object) -> None:
    assert given(f"strategies.0.params.x={text}").config.strategies[0].params == {"x": value}


def test_the_digits_of_a_decimal_survive() -> None:
    assert str(given("instruments.default.tick=0.10").config.instruments.default.tick) == "0.10"
    assert str(given("portfolio.cash=100000000000000.01").config.portfolio.cash) == "100000000000000.01"


def test_a_set_without_a_value_or_with_an_empty_part_is_refused() -> None:
    assert problems({}, ["risk.per_trade_pct", "risk..x=1", "=1"]) == [
        "--set : write --set section.key=value",
        "--set risk..x: write --set section.key=value",
        "--set risk.per_trade_pct: write --set section.key=value",
    ]
    assert problems({"PENSTOCK__RISK____X": "1"}, []) == [
        "env PENSTOCK__RISK____X: an empty part in the name: write PENSTOCK__SECTION__KEY"
    ]


def test_an_unknown_key_and_a_wrong_type_name_the_option() -> None:
    assert problems({"PENSTOCK__RISK__PERTRADE_PCT": "1"}, ["risk.max_open_positions=many"]) == [
        "--set risk.max_open_positions: expected a whole number, got the text 'many' (positions open or on their way)",
        "env PENSTOCK__RISK__PERTRADE_PCT: risk.pertrade_pct: unknown key; did you mean per_trade_pct?",
    ]


def test_a_value_for_a_whole_section_is_refused() -> None:
    assert problems({}, ["risk=5"]) == ["--set risk: expected a section with keys, got 5 (sizing and gates)"]


def test_the_value_of_a_set_does_not_show_in_its_place() -> None:
    (problem,) = problems({}, ["risk.api_key=hunter2"])
    assert "hunter2" not in problem
