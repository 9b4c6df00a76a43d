"""Finding strategies: installed ones by name (entry points), any other by ``package.module:Class``.

An installed package offers a strategy with an entry point in the group ``penstock.strategies``. A dotted path is looked
up among installed packages and in the working directory. Everything that is wrong with what the configuration asks
for is a :class:`~schemas.config.problem.ConfigError` that names the key.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from flows.strategies.base import Parameters, Strategy
from schemas.config.explain import explain
from schemas.config.problem import ConfigError, Problem
from schemas.config.shape import bounds, shape_of
from schemas.config.strategies import StrategyConfig

GROUP = "penstock.strategies"


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """One parameter of a strategy, in words: what type, which default and bounds, what it means in which unit."""

    name: str
    type: str
    default: str
    bounds: str
    description: str


@dataclass(frozen=True, slots=True)
class StrategyInfo:
    """What a user wants to know of a strategy before using it."""

    name: str
    path: str
    version: str
    doc: str
    parameters: tuple[ParameterInfo, ...]


@cache
def installed() -> dict[str, EntryPoint]:
    """The installed strategies by name, sorted. When two packages offer one name, ours is kept."""
    found = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value.startswith("flows.")))
    return {point.name: point for point in found}


def find(use: str, key: str = "") -> type[Strategy]:
    """The class of a strategy, by installed name or dotted path. ``key`` is where the configuration asks for it.

    >>> find("sma_cross").__name__, find("flows.strategies.sma_cross:SmaCross").__name__
    ('SmaCross', 'SmaCross')

    Raises ConfigError when there is no such strategy or its module cannot be imported.
    """
    if ":" in use:
        return _load(use, use, key)
    if use in installed():
        return _load(installed()[use].value, use, key)
    close = get_close_matches(use, installed(), n=1)
    if close:
        hint = f"did you mean {close[0]}?"
    elif use.endswith(".py") or "/" in use:
        hint = "for a class of your own write module:Class, as in my_strategy:MyStrategy"
    else:
        hint = f"installed: {', '.join(installed()) or 'none'}; or write module:Class for one of your own"
    raise ConfigError([Problem(f"no strategy is named {use!r}; {hint}", key)])


def parameters(config: StrategyConfig, index: int = 0) -> Parameters:
    """The checked parameters of a strategy, defaults included. ``index`` is its number in the configuration.

    Raises ConfigError with the key of every parameter that is unknown, out of bounds or of the wrong type.
    """
    strategy = find(config.use, f"strategies.{index}.use")
    try:
        return strategy.Params.model_validate_json(json.dumps(config.params, default=str), strict=True)
    except ValidationError as error:
        raise ConfigError(explain(error, strategy.Params, ("strategies", index, "params"))) from None


def build(config: StrategyConfig, index: int = 0) -> Strategy:
    """A new strategy with empty state, as the configuration describes it.

    >>> build(StrategyConfig(use="sma_cross", params={"fast": 5})).params
    Params(fast=5, slow=20, stop_pct=2.0, reward_to_risk=2.0)

    Raises ConfigError, as :func:`find` and :func:`parameters` do, and when the strategy refuses its parameters.
    """
    strategy, params = find(config.use, f"strategies.{index}.use"), parameters(config, index)
    try:
        return strategy(params)
    except Exception as error:
        message = f"{config.use} cannot be built with these parameters: {_words(error)}"
        raise ConfigError([Problem(message, f"strategies.{index}.params")]) from error


def fingerprint(use: str) -> str:
    """Version of a strategy and a hash of the file it is written in: what a run must not change half-way.

    >>> fingerprint("sma_cross").split()[0]
    '2.0.0'
    """
    strategy = find(use)
    source = Path(inspect.getfile(strategy)).read_bytes()
    return f"{strategy.version} {hashlib.sha256(source).hexdigest()}"


def check(strategies: Iterable[tuple[int, StrategyConfig]]) -> list[Problem]:
    """Build strategies once, each with its number in the configuration. Returns what is wrong with them."""
    problems: list[Problem] = []
    for index, strategy in strategies:
        try:
            build(strategy, index)
        except ConfigError as error:
            problems += error.problems
    return problems


def describe(use: str) -> StrategyInfo:
    """Version, documentation and parameters of a strategy.

    >>> info = describe("sma_cross")
    >>> info.version, info.parameters[0].name, info.parameters[0].default, info.parameters[0].bounds
    ('2.0.0', 'fast', '10', '≥ 1')
    """
    strategy = find(use)
    rows = []
    for name, field in strategy.Params.model_fields.items():
        default = (
            "required" if field.is_required() else json.dumps(field.get_default(call_default_factory=True), default=str)
        )
        rows.append(
            ParameterInfo(name, shape_of(field.annotation).short, default, bounds(field), field.description or "")
        )
    path = f"{strategy.__module__}:{strategy.__qualname__}"
    return StrategyInfo(use, path, strategy.version, inspect.cleandoc(strategy.__doc__ or ""), tuple(rows))


def _load(path: str, use: str, key: str) -> type[Strategy]:
    """Import ``module:Class``. The working directory is searched last, so it cannot hide an installed package."""
    module_name, _, class_name = path.partition(":")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)
    try:
        module = import_module(module_name)
    except Exception as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and (module_name == missing or module_name.startswith(f"{missing}.")):
            message = f"there is no module {missing!r}, neither installed nor in the working directory"
        else:
            message = f"importing {module_name!r} failed: {_words(error)}"
        raise ConfigError([Problem(f"strategy {use!r}: {message}", key)]) from error
    found = getattr(module, class_name, None)
    if _is_strategy(found):
        return cast(type[Strategy], found)
    there = [name for name, item in vars(module).items() if _is_strategy(item)]
    close = get_close_matches(class_name, there, n=1) or there[:1]
    hint = (
        f"; did you mean {module_name}:{close[0]}?" if close else "; a strategy is a class that derives from Strategy"
    )
    what = "has no class" if found is None else "has no strategy"
    raise ConfigError([Problem(f"strategy {use!r}: module {module_name!r} {what} {class_name!r}{hint}", key)])


def _is_strategy(item: object) -> bool:
    """Whether it can be used: a class that derives from Strategy and has its own ``on_candles``."""
    if not isinstance(item, type) or not issubclass(item, Strategy):
        return False
    return not getattr(item.on_candles, "__isabstractmethod__", False)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
