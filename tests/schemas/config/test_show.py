import json
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from schemas.config.load import Loaded, load
from schemas.config.root import Config
from schemas.config.show import as_json, as_yaml, scalar

SETS = [
    "instruments.symbols.BRK.B/USD:USD.lot=0.10",
    "strategies.1.use=my.module:Class",
    "strategies.1.name=two",
    "strategies.1.symbols=BTC/USDT,*",
    "strategies.1.params.note='yes: # no'",
    "strategies.1.params.deep={a: [1, 'x'], b: null}",
    "strategies.1.exits.dual.share_pct=40",
    "strategies.1.exits.time_candles=9",
    "portfolio.name=2024",
]


class Params(BaseModel):
    fast: int = 5
    api_key: str = "hunter2"


def test_what_is_shown_can_be_loaded_and_gives_the_same(tmp_path: Path) -> None:
    config = load(None, {}, SETS).config
    path = tmp_path / "c.yaml"
    path.write_text(as_yaml(load(None, {}, SETS)), encoding="utf-8")
    assert load(path, {}).config == config
    assert str(load(path, {}).config.instruments.of("BRK.B/USD:USD").lot) == "0.10"


def test_every_value_is_shown_with_origin_and_meaning() -> None:
    lines = as_yaml(load(None, {"PENSTOCK__RISK__PER_TRADE_PCT": "0.25"}, ["broker.fee_pct=0.1"])).splitlines()
    shown = {line.split(":")[0].strip(): line for line in lines}
    assert "# env PENSTOCK__RISK__PER_TRADE_PCT · of equity at risk in one trade; 1.0 = 1 %" in shown["per_trade_pct"]
    assert "# --set · of the filled value, each way; 0.05 = 0.05 %" in shown["fee_pct"]
    assert "# default · starting cash, in the account currency" in shown["cash"]


def test_the_parameters_of_a_strategy_are_shown_with_their_defaults_and_without_secrets() -> None:
    text = as_yaml(load(None, {}), [Params()])
    assert yaml.safe_load(text)["strategies"][0]["params"] == {"fast": 5, "api_key": "********"}
    assert "hunter2" not in text
    assert "hunter2" not in json.dumps(as_json(load(None, {}), [Params()]))


def test_a_secret_among_given_parameters_is_masked() -> None:
    loaded = load(None, {}, ["strategies.0.params.token=hunter2"])
    assert "hunter2" not in as_yaml(loaded)
    assert as_json(loaded)["config"]["strategies"][0]["params"] == {"token": "********"}


def test_json_has_the_configuration_with_decimals_as_texts_and_the_origins() -> None:
    shown = json.loads(json.dumps(as_json(load(None, {}, ["portfolio.cash=10.50"]))))
    assert shown["config"]["portfolio"]["cash"] == "10.50"
    assert shown["config"]["instruments"]["default"]["tick"] == "0.00000001"
    assert shown["origin"]["portfolio.cash"] == "--set"


def test_no_default_is_a_secret() -> None:
    assert "****" not in as_yaml(Loaded(Config(), {}))


@given(
    st.one_of(
        st.text(max_size=30),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.none(),
        st.lists(st.text(max_size=8), max_size=3),
    )
)
def test_a_scalar_is_read_back_as_it_was(value: object) -> None:
    read = load(None, {}, [f"strategies.0.params.x={scalar(value)}"]).config.strategies[0].params["x"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", ["0.10", "1E-8", "100000"])
def test_a_decimal_is_written_without_exponent(text: str) -> None:
    assert Decimal(scalar(Decimal(text))) == Decimal(text)
    assert "E" not in scalar(Decimal(text))
