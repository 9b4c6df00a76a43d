from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.registry import build, check, describe, find, installed, parameters
from flows.strategies.sma_cross import SmaCross
from schemas.config.problem import ConfigError
from schemas.config.root import Config
from schemas.config.strategies import StrategyConfig

OWN = """
from abc import abstractmethod
from decimal import Decimal
from enum import Enum
from pydantic import Field
from flows.strategies.base import Parameters, Signals, Strategy

class Kind(Enum):
    A = "a"

class Own(Strategy):
    '''Does nothing.

    But says so.
    '''
    version = "2.1.0"

    class Params(Parameters):
        size: Decimal = Field(Decimal("0.10"), gt=0, description="base currency")
        lengths: tuple[int, ...] = Field((5, 10), description="candles")
        kind: Kind = Kind.A
        must: int = Field(description="candles")

    def __init__(self, params):
        super().__init__(params)
        if params.must == 13:
            raise ValueError("13 is unlucky")

    def on_candles(self, candles):
        return Signals()

class Unfinished(Strategy):
    pass

class NotOne:
    pass
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a module of the working directory that no other test uses."""
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    monkeypatch.chdir(tmp_path)
    name = f"own_{abs(hash(request.node.nodeid))}"
    (tmp_path / f"{name}.py").write_text(OWN)
    yield name
    __import__("sys").modules.pop(name, None)


def message(use: str) -> str:
    with pytest.raises(ConfigError) as caught:
        find(use, "strategies.0.use")
    return str(caught.value)


def problems(config: StrategyConfig, index: int = 0) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        build(config, index)
    return [str(problem) for problem in caught.value.problems]


def test_ours_are_installed_and_can_be_built() -> None:
    assert {"sma_atr", "sma_cross"} <= set(installed())
    for name in ("sma_atr", "sma_cross"):
        assert build(StrategyConfig(use=name)).params == parameters(StrategyConfig(use=name))


def test_a_strategy_is_found_by_name_and_by_path() -> None:
    assert find("sma_cross") is SmaCross
    assert find("flows.strategies.sma_cross:SmaCross") is SmaCross


def test_a_strategy_of_the_working_directory_is_found(module: str) -> None:
    assert find(f"{module}:Own").version == "2.1.0"


def test_an_unknown_name_gets_a_suggestion_or_the_list() -> None:
    assert message("sma_cros") == "strategies.0.use: no strategy is named 'sma_cros'; did you mean sma_cross?"
    assert message("zzz") == (
        f"strategies.0.use: no strategy is named 'zzz'; installed: {', '.join(installed())}; "
        "or write module:Class for one of your own"
    )
    assert message("./my.py").endswith("for a class of your own write module:Class, as in my_strategy:MyStrategy")


def test_a_missing_module_or_class_is_named(module: str) -> None:
    assert message("nowhere.at_all:X") == (
        "strategies.0.use: strategy 'nowhere.at_all:X': there is no module 'nowhere', neither installed nor in the "
        "working directory"
    )
    assert message(f"{module}:Owm").endswith(f"module {module!r} has no class 'Owm'; did you mean {module}:Own?")


def test_a_class_that_is_no_strategy_or_not_finished_is_refused(module: str) -> None:
    assert message(f"{module}:NotOne").endswith(f"has no strategy 'NotOne'; did you mean {module}:Own?")
    assert message(f"{module}:Unfinished").endswith(f"has no strategy 'Unfinished'; did you mean {module}:Own?")
    assert message(f"{module}:Strategy").endswith(f"has no strategy 'Strategy'; did you mean {module}:Own?")


def test_a_module_that_fails_to_import_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken_one.py").write_text("import not_there_at_all\n")
    (tmp_path / "broken_two.py").write_text("def f(:\n")
    assert "importing 'broken_one' failed: ModuleNotFoundError: No module named 'not_there_at_all'" in message(
        "broken_one:X"
    )
    assert "importing 'broken_two' failed: SyntaxError" in message("broken_two:X")


def test_wrong_parameters_are_named_all_at_once() -> None:
    config = StrategyConfig(use="sma_cross", params={"fst": 1, "slow": "20", "stop_pct": 0})
    assert problems(config, 3) == [
        "strategies.3.params.slow: expected a whole number, got the text '20'; write it without quotes "
        "(length of the slow average, candles)",
        "strategies.3.params.stop_pct: has to be > 0, < 100, got 0 (distance of the stop from the close; 1.0 = 1 %)",
        "strategies.3.params.fst: unknown key; did you mean fast?",
    ]


def test_what_a_strategy_says_of_its_parameters_together_is_told() -> None:
    (problem,) = problems(StrategyConfig(use="sma_atr", params={"fast": 50, "slow": 20}))
    assert problem.startswith("strategies.0.params")
    assert "fast" in problem
    assert "slow" in problem


def test_a_strategy_that_refuses_in_its_constructor_is_told(module: str) -> None:
    assert problems(StrategyConfig(use=f"{module}:Own", params={"must": 13})) == [
        f"strategies.0.params: {module}:Own cannot be built with these parameters: ValueError: 13 is unlucky"
    ]


def test_parameters_of_all_types_are_read_from_what_yaml_gives(module: str) -> None:
    config = StrategyConfig(use=f"{module}:Own", params={"must": 1, "size": 0.25, "lengths": [1, 2], "kind": "a"})
    params = parameters(config).model_dump(mode="json")
    assert params == {"size": "0.25", "lengths": [1, 2], "kind": "a", "must": 1}


def test_a_description_has_version_documentation_and_parameters(module: str) -> None:
    info = describe(f"{module}:Own")
    assert (info.version, info.doc, info.path) == ("2.1.0", "Does nothing.\n\nBut says so.", f"{module}:Own")
    rows = [(row.name, row.type, row.default, row.bounds, row.description) for row in info.parameters]
    assert rows == [
        ("size", "number", '"0.10"', "> 0", "base currency"),
        ("lengths", "list of whole number", "[5, 10]", "", "candles"),
        ("kind", "Kind", '"Kind.A"', "", ""),
        ("must", "whole number", "required", "", "candles"),
    ]


def test_every_strategy_of_a_configuration_is_checked() -> None:
    strategies = [
        StrategyConfig(use="sma_cross", params={"fast": 0}),
        StrategyConfig(use="sma_atr"),
        StrategyConfig(use="nope"),
    ]
    found = check(enumerate(strategies))
    assert [problem.key for problem in found] == ["strategies.0.params.fast", "strategies.2.use"]
    assert check(enumerate(Config().strategies)) == []
